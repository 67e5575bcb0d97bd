//! Arrays of NumPy.

use crate::{Files, Spoiled, refuses};
use elman::data::{Array, SeriesSet};
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

/// Numbers of a type of four bytes.
fn floats(shape: &str, numbers: &[f32]) -> Vec<u8> {
    let data: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    npy("<f4", "False", shape, &data)
}

/// A .npz file of these arrays.
fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in arrays {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn arrays_are_series_with_labels() {
    let files = Files::new();
    let labels = npy("|u1", "False", "(2,)", &[7, 0]);
    let flat = floats("(2, 3)", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let deep = floats("(2, 3, 1)", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let beside = files.write("labels.npy", &labels);
    let own = |x: &[u8]| npz(&[("y.npy", labels.clone()), ("X.npy", x.to_vec())]);
    let only = npz(&[("labels.npy", labels.clone()), ("moves.npy", flat.clone())]);
    for (name, bytes, labels) in [
        ("a.npy", flat.clone(), Some(beside.as_str())),
        ("b.npy", deep.clone(), Some(beside.as_str())),
        ("c.npz", own(&flat), None),
        ("d.npz", only, None),
        ("e.npz", npz(&[("x.npy", deep)]), Some(beside.as_str())),
    ] {
        let set = SeriesSet::of_arrays(&files.write(name, bytes), labels).unwrap_or_else(|e| panic!("{name}: {e}"));
        let found: Vec<_> = set.series.iter().map(|s| (s.line, s.values.clone(), s.label.as_deref())).collect();
        assert_eq!(found, [(1, vec![1.0, 2.0, 3.0], Some("7")), (2, vec![4.0, 5.0, 6.0], Some("0"))], "{name}");
        assert_eq!((set.channels, set.series[0].steps()), (1, 3), "{name}");
    }
    let unlabelled = SeriesSet::of_arrays(&files.path("a.npy"), None).unwrap();
    assert!(unlabelled.series.iter().all(|s| s.label.is_none()));
    let two = SeriesSet::of_arrays(&files.write("two.npy", floats("(1, 2, 2)", &[1.0, 2.0, 3.0, 4.0])), None).unwrap();
    assert_eq!((two.channels, two.series[0].steps(), two.series[0].values[2]), (2, 2, 3.0));
}

#[test]
fn arrays_that_are_no_series_are_refused() {
    let files = Files::new();
    let flat = floats("(2, 2)", &[1.0, 2.0, 3.0, 4.0]);
    let gap = floats("(2, 1, 2)", &[1.0, 2.0, f32::NAN, 4.0]);
    let labels = |numbers: &[f32]| floats(&format!("({},)", numbers.len()), numbers);
    let (two, three) = (labels(&[1.0, 2.0]), labels(&[1.0, 2.0, 3.0]));
    let names = "the series must be the array `x`, or the only one of two or three dimensions, and their labels `y`";
    for (name, bytes, says) in [
        (
            "one.npy",
            three.clone(),
            "F: an array of [3], and series are [series, steps] or [series, steps, channels]".into(),
        ),
        ("none.npy", floats("(0, 4)", &[]), "F: the array is empty".into()),
        ("gap.npy", gap, "F: series 2, step 1, channel 1 is NaN: fill or leave out what was not measured".into()),
        (
            "many.npz",
            npz(&[("x.npy", flat.clone()), ("y.npy", three.clone())]),
            "F: there are 3 labels, and 2 series in F; they must be of the same part".into(),
        ),
        (
            "half.npz",
            npz(&[("x.npy", flat.clone()), ("y.npy", labels(&[0.5, 1.0]))]),
            "F: label 1 is 0.5: labels are whole numbers".into(),
        ),
        (
            "wide.npz",
            npz(&[("x.npy", flat.clone()), ("y.npy", flat.clone())]),
            "F: labels are [series], not of 2 dimensions".into(),
        ),
        (
            "two.npz",
            npz(&[("a.npy", flat.clone()), ("b.npy", flat)]),
            format!("F: it holds `a` of 2 dimensions, `b` of 2 dimensions: {names}"),
        ),
        (
            "flat.npz",
            npz(&[("y.npy", two.clone()), ("a.npy", two)]),
            format!("F: it holds `a` of 1 dimensions, `y` of 1 dimensions: {names}"),
        ),
    ] {
        let path = files.write(name, bytes);
        let told = SeriesSet::of_arrays(&path, None).unwrap_err().to_string();
        assert_eq!(told.replace(&path, "F"), says, "{name}");
    }
}
