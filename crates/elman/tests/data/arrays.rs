//! Arrays of NumPy.

use crate::{Files, Spoiled, refuses};
use elman::data::Array;
use std::io::Write;

/// A file as np.save writes it.
fn npy(dtype: &str, order: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    [bytes, header.into_bytes(), data.to_vec()].concat()
}

#[test]
fn numbers_of_all_types_come_back() {
    let files = Files::new();
    let read = |bytes: Vec<u8>| Array::read(&files.write("a.npy", bytes)).unwrap();
    let f4: Vec<u8> = [1.5f32, -2.0, 0.25, 4.0, 5.0, 6.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let found = read(npy("<f4", "False", "(2, 3)", &f4));
    assert_eq!((found.shape, found.data), (vec![2, 3], vec![1.5, -2.0, 0.25, 4.0, 5.0, 6.0]));
    assert_eq!(read(npy("<f8", "False", "(1,)", &2.5f64.to_le_bytes())).data, [2.5]);
    assert_eq!(read(npy("<i8", "False", "()", &(-7i64).to_le_bytes())).data, [-7.0]);
    assert_eq!(read(npy("|u1", "False", "(3,)", &[1, 0, 255])).data, [1.0, 0.0, 255.0]);
    assert_eq!(read(npy("<i2", "True", "(1,)", &(-300i16).to_le_bytes())).data, [-300.0]);
}

#[test]
fn archives_hold_arrays_by_name() {
    let files = Files::new();
    for method in [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated] {
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let how = zip::write::SimpleFileOptions::default().compression_method(method);
        for (name, value) in [("y.npy", 2), ("x.npy", 1), ("notes.txt", 0)] {
            archive.start_file(name, how).unwrap();
            archive.write_all(&npy("|u1", "False", "(1,)", &[value])).unwrap();
        }
        let bytes = archive.finish().unwrap().into_inner();
        let found = Array::read_all(&files.write("a.npz", &bytes)).unwrap();
        let named: Vec<(&str, f32)> = found.iter().map(|array| (array.name.as_str(), array.data[0])).collect();
        assert_eq!(named, [("x", 1.0), ("y", 2.0)]);
        let path = files.write("b.npz", &bytes[..bytes.len() - 30]);
        let told = Array::read_all(&path).unwrap_err().to_string();
        assert!(told.starts_with(&format!("{path}: this is no whole .npz (")), "{told}");
    }
}

#[test]
fn shapes_and_types_that_lie_are_refused() {
    let files = Files::new();
    for (bytes, says) in [
        (
            npy("<f4", "False", "(2,)", &[0; 7]),
            "F: its header says 2 numbers, 8 bytes, and 7 follow; save or copy it again",
        ),
        (
            npy("<f4", "False", "(1,)", &[0; 8]),
            "F: its header says 1 numbers, 4 bytes, and 8 follow; save or copy it again",
        ),
        (
            npy("<f4", "False", "(9999999999, 9999999999)", &[0; 8]),
            "F: its header says 9999999999 × 9999999999 numbers, more bytes than there can be, and 8 follow; save or copy it again",
        ),
        (npy("<f4", "True", "(2, 1)", &[0; 8]), "F: the array lies column by column; save np.ascontiguousarray(array)"),
        (npy(">f4", "False", "(2,)", &[0; 8]), "F: type >f4 is not read; save array.astype('<f4')"),
        (npy("|O", "False", "(2,)", &[0; 8]), "F: type |O is not read; save array.astype('<f4')"),
        (
            npy("<i4", "False", "(1,)", &i32::MAX.to_le_bytes()),
            "F: whole numbers beyond 2^24 are not held exactly; save array.astype('<f4') if that is meant",
        ),
    ] {
        let path = files.write("a.npy", bytes);
        assert_eq!(Array::read(&path).unwrap_err().to_string().replace(&path, "F"), says);
    }
}

#[test]
fn spoiled_arrays_are_refused() {
    #[rustfmt::skip]
    refuses(&[
        Spoiled { name: "a.npy", bytes: b"", says: "F: it does not begin as .npy files do; save it with np.save" },
        Spoiled { name: "b.npy", bytes: b"\x93NUMPX\x01\0v\0", says: "F: it does not begin as .npy files do; save it with np.save" },
        Spoiled { name: "c.npy", bytes: b"\x93NUMPY\x01\0", says: "F: the file ends in its header, or is of a later version" },
        Spoiled { name: "d.npy", bytes: b"\x93NUMPY\x01\0v\0{'descr'", says: "F: the file ends in its header; copy it again" },
        Spoiled { name: "e.npy", bytes: b"\x93NUMPY\x02\0\xFF\xFF\xFF\xFF{'descr'", says: "F: its header says that it is 4294967295 bytes long; it is damaged" },
        Spoiled { name: "f.npy", bytes: b"\x93NUMPY\x01\0\x02\0{}", says: "F: its header `{}` is not one that np.save writes" },
        Spoiled { name: "g.npy", bytes: b"\x93NUMPY\x09\0\x02\0{}", says: "F: the file ends in its header, or is of a later version" },
        Spoiled { name: "h.npy.gz", bytes: b"\x1F\x8B\x08\0\0\0\0\0\0\x03\x4B", says: "F: the gzip data is cut off or damaged (incomplete deflate stream); copy or download it again" },
    ], Array::read);
}
