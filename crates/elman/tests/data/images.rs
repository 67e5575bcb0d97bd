//! Pictures: idx, CIFAR-10, folders of PNG.

use crate::{Files, Spoiled, real};
use elman::data::Images;

fn idx(sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, sizes.len() as u8];
    sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(values);
    bytes
}

fn png(width: u32, height: u32, colour: png::ColorType, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(colour);
    encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    bytes
}

#[test]
fn idx_pictures_and_their_labels_come_back() {
    let files = Files::new();
    let values: Vec<u8> = (0..2 * 3 * 2).collect();
    let grey = Images::read(&files.write("a", idx(&[2, 3, 2], &values)), None).unwrap();
    assert_eq!((grey.count, grey.height, grey.width, grey.channels), (2, 3, 2, 1));
    assert_eq!(grey.picture(1), &values[6..]);
    assert!(grey.picture(2).is_empty());
    let path = files.write("b", idx(&[1, 2, 2, 3], &values));
    let labels = files.write("l", idx(&[1], &[7]));
    let colour = Images::read(&path, Some(&labels)).unwrap();
    assert_eq!((colour.channels, colour.labels), (3, Some(vec!["7".to_string()])));
    let two = files.write("m", idx(&[2], &[7, 8]));
    let told = Images::read(&path, Some(&two)).unwrap_err().to_string();
    assert_eq!(told, format!("{two}: it has 2 labels, and {path} has 1 pictures; they must be files of the same part"));
    let told = Images::read(&path, Some(&path)).unwrap_err().to_string();
    assert_eq!(told, format!("{path}: this idx file has 4 dimensions; labels have 1"));
}

#[test]
fn cifar_planes_become_pixels_and_classes_have_names() {
    let files = Files::new();
    let mut record = vec![3u8];
    record.extend((0..3).flat_map(|plane| (0..1024).map(move |at| (plane * 80 + at % 50) as u8)));
    let path = files.write("c.bin", [record.clone(), record].concat());
    let images = Images::read(&path, None).unwrap();
    assert_eq!((images.count, images.picture(1)[3 * 7..3 * 8].to_vec()), (2, vec![7, 87, 167]));
    assert_eq!(images.labels.unwrap(), ["3", "3"]);
    files.write("classes.txt", "a b c cat e f g h i j");
    assert_eq!(Images::read(&path, None).unwrap().labels.unwrap(), ["cat", "cat"]);
}

#[test]
fn folders_are_labels() {
    let files = Files::new();
    for label in ["dog", "cat"] {
        std::fs::create_dir(files.path(label)).unwrap();
    }
    files.write("dog/1.png", png(2, 1, png::ColorType::Grayscale, &[9, 10]));
    files.write("cat/2.png", png(2, 1, png::ColorType::Rgba, &[1, 2, 3, 255, 4, 5, 6, 0]));
    files.write("cat/1.PNG", png(2, 1, png::ColorType::Rgb, &[1, 2, 3, 4, 5, 6]));
    files.write("cat/notes.txt", "not a picture");
    let images = Images::read(&files.path(""), None).unwrap();
    assert_eq!(images.labels.as_ref().unwrap(), &["cat", "cat", "dog"]);
    assert!(images.place(1).ends_with("cat/2.png") && images.place(2).ends_with("dog/1.png"));
    assert_eq!(images.pixels, [1, 2, 3, 4, 5, 6, 1, 2, 3, 255, 255, 255, 9, 9, 9, 10, 10, 10]);
    let told = |files: &Files| Images::read(&files.path(""), None).unwrap_err().to_string();
    let odd = files.write("dog/2.png", png(1, 1, png::ColorType::Grayscale, &[9]));
    assert_eq!(
        told(&files),
        format!("{odd}: the picture is 1 × 1, and {} is 2 × 1; make all the same size", files.path("cat/1.PNG"))
    );
    let cut = png(2, 1, png::ColorType::Grayscale, &[9, 10]);
    files.write("dog/2.png", &cut[..cut.len() - 20]);
    assert!(told(&files).starts_with(&format!("{odd}: this is no whole PNG (")), "{}", told(&files));
    let mut huge = cut.clone();
    huge[16..24].copy_from_slice(&[0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF]);
    files.write("dog/2.png", &huge);
    assert!(told(&files).starts_with(&odd), "{}", told(&files));
    files.write("dog/2.png", b"no picture");
    assert!(told(&files).contains("this is no whole PNG"), "{}", told(&files));
    std::fs::remove_file(&odd).unwrap();
    let loose = files.write("x.png", &cut);
    assert_eq!(told(&files), format!("{loose}: this picture stands beside folders with labels; move it into one"));
    assert!(told(&Files::new()).ends_with("there is no .png in it, nor in its folders"));
}

#[test]
fn spoiled_pictures_are_refused() {
    #[rustfmt::skip]
    let cases = [
        Spoiled { name: "a.idx", bytes: b"\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x01abc", says: "F: its header says 2 × 2 × 1, 4 bytes, and 3 follow; copy or download it again" },
        Spoiled { name: "b.idx", bytes: b"\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x01abcde", says: "F: its header says 2 × 2 × 1, 4 bytes, and more follow; the header is wrong" },
        Spoiled { name: "c.idx", bytes: b"\0\0\x08\x03\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFabc", says: "F: its header says 4294967295 × 4294967295 × 4294967295, more than any file of pictures holds; it is damaged" },
        Spoiled { name: "d.idx", bytes: b"\0\0\x08\x03\0\0\xFF\xFF\0\0\0\xFF\0\0\0\xFFabc", says: "F: its header says 65535 × 255 × 255, 4261413375 bytes, and 3 follow; copy or download it again" },
        Spoiled { name: "e.idx", bytes: b"\0\0\x08\x03\0\0\0\0\0\0\0\x02\0\0\0\x01", says: "F: its header says 0 × 2 × 1: there is nothing in it" },
        Spoiled { name: "f.idx", bytes: b"\0\0\x0D\x03\0\0\0\x01\0\0\0\x01\0\0\0\x01abcd", says: "F: the idx values are no bytes; save them as u8, from 0 to 255" },
        Spoiled { name: "g.idx", bytes: b"\0\0\x08\x03\0\0\0", says: "F: the file ends in its header; copy or download it again" },
        Spoiled { name: "h.idx", bytes: b"\x01\0\x08\x03\0\0\0", says: "F: it does not begin as idx pictures do (0, 0, 8, dimensions)" },
        Spoiled { name: "i.idx", bytes: b"\0\0\x08\x02\0\0\0\x01\0\0\0\x01a", says: "F: this idx file has 2 dimensions; pictures have 3 (grey) or 4 (colour)" },
        Spoiled { name: "j.idx", bytes: b"\0\0\x08\x04\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x02ab", says: "F: the pictures have 2 channels; 1 (grey) and 3 (colour) are read" },
        Spoiled { name: "k.idx", bytes: b"", says: "F: it does not begin as idx pictures do (0, 0, 8, dimensions)" },
        Spoiled { name: "l.idx.gz", bytes: b"\x1F\x8B\x08\0\0\0\0\0\0\x03\x4B", says: "F: the gzip data is cut off or damaged (incomplete deflate stream); copy or download it again" },
        Spoiled { name: "m.bin", bytes: &[9; 4000], says: "F: 4000 bytes are no whole number of CIFAR-10 records of 3073; copy or download it again" },
        Spoiled { name: "n.txt", bytes: b"a text\n", says: "F: this is a text, and pictures are idx files, CIFAR-10 records or a folder of PNG" },
    ];
    let files = Files::new();
    // A folder is a form of its own, so that the common last words do not hold.
    for case in &cases {
        let path = files.write(case.name, case.bytes);
        let told = Images::read(&path, None).unwrap_err().to_string().replace(&path, "F");
        assert_eq!(told, case.says, "{}", case.name);
    }
    let missing = files.path("missing");
    assert_eq!(
        Images::read(&missing, None).unwrap_err().to_string(),
        format!("{missing}: there is no such file; check the path")
    );
    let mut record = vec![9u8; 3073];
    record.extend([10; 3073]);
    let path = files.write("o.bin", record);
    let told = Images::read(&path, None).unwrap_err().to_string();
    assert_eq!(
        told,
        format!("{path}: record 2 has label 10, and CIFAR-10 has 0 to 9; the file is damaged or another's")
    );
}

#[test]
fn real_pictures() {
    let (Some(images), Some(labels)) =
        (real("mnist/t10k-images-idx3-ubyte.gz"), real("mnist/t10k-labels-idx1-ubyte.gz"))
    else {
        return;
    };
    let mnist = Images::read(&images, Some(&labels)).unwrap();
    assert_eq!((mnist.count, mnist.height, mnist.width, mnist.channels), (10_000, 28, 28, 1));
    assert_eq!(mnist.labels.unwrap()[..4], ["7", "2", "1", "0"]);
    let Some(path) = real("cifar10-jpeg-subset/cifar10_train_5000.bin.gz") else { return };
    let cifar = Images::read(&path, None).unwrap();
    assert_eq!((cifar.count, cifar.channels, cifar.labels.unwrap()[0].as_str()), (5000, 3, "bird"));
    let Some(path) = real("emoji-captions/valid-images-idx4-ubyte.gz") else { return };
    assert_eq!(Images::read(&path, None).unwrap().count, 300);
}
