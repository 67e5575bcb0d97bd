//! Reading: forms, encodings, line ends, and one test for each way a file can be bad.

use elman::text::{Source, TextError};
use std::io::{Cursor, Write};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn read_as(bytes: &[u8], encoding: Option<&str>) -> Result<String, TextError> {
    Source::from_reader("t.txt", Cursor::new(bytes.to_vec()), encoding)?.read_all()
}

fn read(bytes: &[u8]) -> Result<String, TextError> {
    read_as(bytes, None)
}

fn message(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

/// Lines that do not pack into nothing.
fn long_text(lines: u32) -> String {
    (0..lines).map(|i| format!("line {i} says {}\n", i.wrapping_mul(2_654_435_761))).collect()
}

#[test]
fn plain_gzip_and_zstd_give_the_same_text() {
    let text = long_text(20_000);
    assert_eq!(read(text.as_bytes()).unwrap(), text);
    assert_eq!(read(&gzip(text.as_bytes())).unwrap(), text);
    assert_eq!(read(&zstd(text.as_bytes())).unwrap(), text);
}

#[test]
fn several_members_and_skippable_frames_follow_each_other() {
    let gz = [gzip(b"one\n"), gzip(b"two\n")].concat();
    assert_eq!(read(&gz).unwrap(), "one\ntwo\n");
    let skip = [0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 9, 9, 9];
    let zs = [&skip[..], &zstd(b"one\n"), &skip, &zstd(b"two\n"), &skip].concat();
    assert_eq!(read(&zs).unwrap(), "one\ntwo\n");
}

#[test]
fn line_ends_and_marks() {
    assert_eq!(read(b"\xEF\xBB\xBFa\r\nb\n\nc").unwrap(), "a\nb\n\nc\n");
    assert_eq!(read("a\rb\u{FEFF}\n".as_bytes()).unwrap(), "a\rb\u{FEFF}\n");
    let utf16: Vec<u8> = "\u{FEFF}ёж\r\n2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&utf16).unwrap(), "ёж\n2\n");
    assert_eq!(read_as(&utf16, Some("utf-16le")).unwrap(), "ёж\n2\n");
}

#[test]
fn lines_come_one_by_one_with_their_numbers() {
    let mut source = Source::from_reader("t", Cursor::new(b"a\n\nb".to_vec()), None).unwrap();
    let (mut line, mut seen) = (String::new(), Vec::new());
    while source.next_line(&mut line).unwrap() {
        seen.push((source.line(), line.clone()));
    }
    assert_eq!(seen, [(1, "a".into()), (2, String::new()), (3, "b".into())]);
    assert!(!source.next_line(&mut line).unwrap());
}

#[test]
fn another_encoding_on_request_and_by_suggestion() {
    let text = "Мой дядя самых честных правил,\nКогда не в шутку занемог,\nОн уважать себя заставил\n";
    let (bytes, ..) = encoding_rs::WINDOWS_1251.encode(text);
    assert_eq!(read_as(&bytes, Some("windows-1251")).unwrap(), text);
    assert_eq!(read_as(&gzip(&bytes), Some("CP1251")).unwrap(), text);
    let told = message(&[b"first\n", &bytes[..]].concat());
    assert_eq!(
        told,
        "t.txt:2: byte 1 of the line (byte 7 of the text, 0xcc) is not UTF-8; \
         it looks like windows-1251: give `--encoding windows-1251`"
    );
    let (bytes, ..) = encoding_rs::KOI8_R.encode(text);
    assert!(message(&bytes).contains("`--encoding koi8-"), "{}", message(&bytes));
    let long = text.repeat(3000);
    let (bytes, ..) = encoding_rs::WINDOWS_1251.encode(&long);
    assert_eq!(read_as(&bytes, Some("windows-1251")).unwrap(), long);
}

#[test]
fn a_single_bad_byte_in_utf8_is_called_damage() {
    let mut bytes = "Пушкин\nи другие поэты\n".as_bytes().to_vec();
    bytes[15] = 0xFF;
    let told = message(&bytes);
    assert!(told.starts_with("t.txt:2: byte 3 of the line (byte 16 of the text, 0xff) is not UTF-8"), "{told}");
    assert!(told.contains("damaged here"), "{told}");
    let cut = "ёж".as_bytes();
    assert!(message(&cut[..3]).contains("t.txt:1: byte 3 of the line"), "{}", message(&cut[..3]));
    assert!(message(&cut[..3]).contains("may have been cut off"), "{}", message(&cut[..3]));
    assert!(!message(&[&cut[..3], b"\n"].concat()).contains("cut off"));
}

#[test]
fn bytes_that_the_encoding_lacks_name_the_line() {
    let told = read_as(b"abc\nde\xFF\xFFf\n", Some("shift_jis")).unwrap_err().to_string();
    assert_eq!(told, "t.txt:2: the line is not Shift_JIS; leave --encoding out, or name the encoding it is in");
    let told = read_as(b"a", Some("klingon")).unwrap_err().to_string();
    assert!(told.starts_with("`klingon` is no encoding we know"), "{told}");
}

#[test]
fn streams_cut_off_are_named_with_their_last_line() {
    let text = long_text(30_000);
    for (name, packed) in [("gzip", gzip(text.as_bytes())), ("zstd", zstd(text.as_bytes()))] {
        for keep in [packed.len() / 2, packed.len() - 1, 6] {
            let told = message(&packed[..keep]);
            let begin = format!("t.txt: the {name} data ends early, after line ");
            assert!(told.starts_with(&begin), "{name} {keep} of {}: {told}", packed.len());
        }
        let half = message(&packed[..packed.len() / 2]);
        let line: u32 = half.split("after line ").nth(1).unwrap().split(':').next().unwrap().parse().unwrap();
        assert!((5_000..25_000).contains(&line), "{half}");
    }
}

#[test]
fn damaged_streams_are_named() {
    let mut packed = gzip(long_text(3000).as_bytes());
    let at = packed.len() - 6;
    packed[at] ^= 0x55;
    assert!(message(&packed).starts_with("t.txt: the gzip data is damaged after line "), "{}", message(&packed));
    let garbage = [zstd(b"one\n"), b"not a frame".to_vec()].concat();
    assert!(message(&garbage).starts_with("t.txt: the zstd data is damaged after line 1"), "{}", message(&garbage));
}

#[test]
fn a_zstd_window_beyond_the_limit_is_refused() {
    // Frame header: no checksum, no content size, window descriptor for 2^(10 + 31) bytes.
    let told = message(&[0x28, 0xB5, 0x2F, 0xFD, 0x00, 31 << 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert!(told.contains("zstd data is damaged"), "{told}");
}

#[test]
fn what_is_not_a_text_is_refused() {
    assert_eq!(message(b""), "t.txt: the text is empty; give a text with at least one word in it");
    assert!(message(b"\xEF\xBB\xBF").contains("empty"));
    assert!(message(b" \r\n\n\t\n").contains("empty"));
    assert!(message(&gzip(b"")).contains("empty"));
    assert!(message(b"ab\ncd\0ef").starts_with("t.txt:2: byte 3 of the line is NUL, so this is not a text"));
    assert!(message(b"PK\x03\x04......").contains("a zip archive"));
    assert!(message(&gzip(&gzip(b"a\n"))).contains("a gzip file packed twice, not a text; unpack it"));
    assert!(message(b"\x89PNG\r\n\x1A\n").contains("a picture"));
    assert!(message(b"\x81\x82\x83 abc\0").contains("NUL"));
}

#[test]
fn names_that_are_no_files() {
    let open = |name: &str| Source::open(name, None).err().unwrap().to_string();
    assert_eq!(open("no/such.txt"), "no/such.txt: there is no such file; check the path");
    assert_eq!(open("src"), "src: this is a folder; name one file in it");
}

#[test]
fn a_line_beyond_the_limit_is_refused() {
    let source = Source::from_reader("t", Cursor::new(b"short\nmuch longer\n".to_vec()), None).unwrap();
    let told = source.with_line_limit(8).read_all().unwrap_err().to_string();
    assert_eq!(told, "t:2: the line is longer than 8 bytes; break the text into lines");
}

#[test]
fn any_bytes_end_in_a_text_or_an_error() {
    let mut random = elman::engine::Random::new(5, 0);
    let starts: [&[u8]; 4] = [b"", &[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3], &[0x28, 0xB5, 0x2F, 0xFD], &[0xFF, 0xFE]];
    let packed = [gzip(long_text(50).as_bytes()), zstd(long_text(50).as_bytes())];
    for round in 0..400 {
        let mut bytes = starts[round % 4].to_vec();
        bytes.extend((0..random.bits() % 200).map(|_| random.bits() as u8));
        let _ = read(&bytes);
        let mut bytes = packed[round % 2].clone();
        let at = random.bits() as usize % bytes.len();
        bytes[at] ^= 1 << (random.bits() % 8);
        let _ = read(&bytes);
    }
}

/// A terminal: each read brings one line, and reading past the last is a fault.
struct Typed(Vec<&'static [u8]>);

impl std::io::Read for Typed {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        assert!(!self.0.is_empty(), "nobody has typed this yet");
        let line = self.0.remove(0);
        out[..line.len()].copy_from_slice(line);
        Ok(line.len())
    }
}

#[test]
fn a_typed_line_comes_before_the_next_is_typed() {
    let mut source = Source::from_reader("terminal", Typed(vec![b"a\n", b"bc\n"]), None).unwrap();
    let mut line = String::new();
    for expected in ["a", "bc"] {
        assert!(source.next_line(&mut line).unwrap());
        assert_eq!(line, expected);
    }
}
