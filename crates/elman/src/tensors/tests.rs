//! One test for each way a file can lie, and the round trip.

use super::*;

/// A file of this header and these bytes.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

fn read(bytes: &[u8]) -> Result<TensorFile, TensorError> {
    TensorFile::read("w.st".into(), bytes)
}

fn error(bytes: &[u8]) -> String {
    let text = read(bytes).unwrap_err().to_string();
    assert!(text.starts_with("w.st: ") && !text.contains('\n'), "{text}");
    text
}

const ONE: &str = r#"{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}"#;

fn one() -> TensorFile {
    read(&file(ONE, &[0; 8])).unwrap()
}

fn lengths(values: &[i64]) -> TensorFile {
    let header = format!(
        r#"{{"lengths":{{"dtype":"I64","shape":[{}],"data_offsets":[0,{}]}}}}"#,
        values.len(),
        8 * values.len()
    );
    let data: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    read(&file(&header, &data)).unwrap()
}

#[test]
fn an_empty_file() {
    assert!(error(b"").contains("0 bytes, wanted at least 8"));
}

#[test]
fn a_cut_length() {
    assert!(error(&[9, 0, 0]).contains("3 bytes, wanted at least 8"));
}

#[test]
fn a_header_that_claims_the_whole_memory() {
    assert!(error(&[0xff; 64]).contains("a header of 18446744073709551615 bytes"));
    assert!(error(&[&100_000_001u64.to_le_bytes()[..], b"{}"].concat()).contains("wanted at most 100000000"));
}

#[test]
fn a_cut_header() {
    let whole = file(ONE, &[0; 8]);
    assert!(error(&whole[..20]).contains("12 bytes of header"));
}

#[test]
fn every_cut_is_an_error() {
    let whole = file(ONE, &[0; 8]);
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_err(), "cut at {end}");
    }
}

#[test]
fn cut_data() {
    assert!(error(&file(ONE, &[0; 7])).contains("7 bytes of data, wanted 8"));
}

#[test]
fn surplus_data() {
    assert!(error(&file(ONE, &[0; 9])).contains("more bytes of data, wanted 8"));
}

#[test]
fn a_header_that_is_no_json() {
    assert!(error(&file("{", &[])).contains("header: EOF"));
    assert!(error(&file("[1]", &[])).contains("an object of tensors"));
    assert!(error(&file("\u{fffd}", &[])).contains("header: "));
    assert!(error(&[&4u64.to_le_bytes()[..], &[0xff, 0xfe, 0, 1]].concat()).contains("header: "));
}

#[test]
fn a_deeply_nested_header() {
    assert!(error(&file(&format!("{{\"a\":{}", "[".repeat(100_000)), &[])).contains("recursion"));
}

#[test]
fn an_entry_without_a_shape() {
    let text = error(&file(r#"{"a":{"dtype":"F32","data_offsets":[0,0]}}"#, &[]));
    assert!(text.contains("`a`") && text.contains("missing field `shape`"), "{text}");
}

#[test]
fn an_unknown_dtype() {
    let text = error(&file(r#"{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#, &[0; 4]));
    assert!(text.contains("`a`") && text.contains("F99"), "{text}");
}

#[test]
fn a_negative_or_fractional_size() {
    for shape in ["[-1]", "[1.5]", "[1e30]", "[99999999999999999999]"] {
        let header = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,4]}}}}"#);
        assert!(error(&file(&header, &[0; 4])).contains("tensor `a`"), "{shape}");
    }
}

#[test]
fn a_shape_larger_than_its_bytes() {
    let text = error(&file(r#"{"a":{"dtype":"F32","shape":[3,5],"data_offsets":[0,8]}}"#, &[0; 8]));
    assert!(text.contains("`a`: found shape [3, 5] of F32 in 8 bytes, wanted 60 bytes"), "{text}");
}

#[test]
fn sizes_that_overflow() {
    for shape in ["[4294967296,4294967296]", "[2305843009213693952]", "[9223372036854775807,3,0]"] {
        let header = format!(r#"{{"a":{{"dtype":"F64","shape":{shape},"data_offsets":[0,0]}}}}"#);
        assert!(error(&file(&header, &[])).contains("wanted a size that fits in memory"), "{shape}");
    }
}

#[test]
fn a_huge_tensor_that_is_not_there() {
    // 2 PiB claimed, consistent in itself: refused after reading the 8 bytes that exist.
    let header = r#"{"a":{"dtype":"F32","shape":[562949953421312],"data_offsets":[0,2251799813685248]}}"#;
    assert!(error(&file(header, &[0; 8])).contains("8 bytes of data, wanted 2251799813685248"));
}

#[test]
fn ranges_that_wrap_around() {
    let half = 1u64 << 60;
    let entries: Vec<String> = (0..16u64)
        .map(|i| {
            let (from, to) = (i * half, if i == 15 { u64::MAX } else { (i + 1) * half });
            format!(r#""t{i}":{{"dtype":"U8","shape":[{}],"data_offsets":[{from},{to}]}}"#, to - from)
        })
        .collect();
    assert!(error(&file(&format!("{{{}}}", entries.join(",")), &[0; 4])).contains("4 bytes of data"));
}

#[test]
fn overlapping_tensors() {
    let header = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
    let text = error(&file(header, &[0; 12]));
    assert!(text.contains("`b`: found bytes from 4, wanted from 8"), "{text}");
}

#[test]
fn a_gap_between_tensors() {
    let header = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#;
    assert!(error(&file(header, &[0; 12])).contains("`b`: found bytes from 8, wanted from 4"));
}

#[test]
fn a_range_that_ends_before_it_starts() {
    let text = error(&file(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}"#, &[0; 8]));
    assert!(text.contains("`a`: found bytes 8 to 4"), "{text}");
}

#[test]
fn a_name_twice() {
    let header = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    assert!(error(&file(header, &[0; 8])).contains("`a`: found the name twice"));
}

#[test]
fn control_characters_in_a_name_are_escaped() {
    let header = "{\"\\u001b[31m\\n\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,4]}}";
    assert!(error(&file(header, &[0; 4])).contains("`\\u{1b}[31m\\n`"));
}

#[test]
fn a_missing_name() {
    let text = one().numbers::<f32>("b", &[1, 2]).unwrap_err().to_string();
    assert_eq!(text, "w.st: tensor `b`: found no such tensor, wanted shape [1, 2]");
}

#[test]
fn a_surplus_name() {
    assert!(one().refuse_others(["a", "b"]).is_ok());
    let slip = lengths(&[1]).refuse_others(["lenghts", "x"]).unwrap_err().to_string();
    assert_eq!(slip, "w.st: tensor `lengths`: found a name that nothing reads, wanted `lenghts`");
    let text = one().refuse_others(["lengths", "initial"]).unwrap_err().to_string();
    assert_eq!(text, "w.st: tensor `a`: found a name that nothing reads, wanted one of `initial`, `lengths`");
}

#[test]
fn another_shape() {
    let text = one().numbers::<f32>("a", &[2, 1]).unwrap_err().to_string();
    assert_eq!(text, "w.st: tensor `a`: found shape [1, 2], wanted shape [2, 1]");
}

#[test]
fn another_dtype() {
    let double = read(&file(r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#, &[0; 8])).unwrap();
    let text = double.numbers::<f32>("a", &[1]).unwrap_err().to_string();
    assert_eq!(text, "w.st: tensor `a`: found dtype F64, wanted dtype F32");
    let text = lengths(&[1]).numbers::<f64>("lengths", &[1]).unwrap_err().to_string();
    assert!(text.ends_with("found dtype I64, wanted dtype F64 or F32"), "{text}");
}

#[test]
fn lengths_outside_the_steps() {
    assert_eq!(lengths(&[6, 1, 3]).lengths("lengths", 3, 6).unwrap(), [6, 1, 3]);
    for (bad, row) in [(-1, 0), (0, 0), (7, 1), (i64::MIN, 2), (i64::MAX, 2)] {
        let mut values = [1, 1, 1];
        values[row] = bad;
        let text = lengths(&values).lengths("lengths", 3, 6).unwrap_err().to_string();
        assert!(text.contains(&format!("found {bad} at [{row}], wanted 1 to 6")), "{text}");
    }
}

#[test]
fn lengths_of_another_shape_or_dtype() {
    assert!(lengths(&[1, 1]).lengths("lengths", 3, 6).unwrap_err().to_string().contains("found shape [2]"));
    let text = one().lengths("a", 2, 6).unwrap_err().to_string();
    assert!(text.contains("found shape [1, 2], wanted shape [2]"), "{text}");
    let float = read(&file(r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#, &[0; 8])).unwrap();
    assert!(float.lengths("a", 1, 6).unwrap_err().to_string().contains("found dtype F64, wanted dtype I64"));
}

#[test]
fn not_a_number_is_a_number() {
    let data = [f32::NAN.to_le_bytes(), f32::INFINITY.to_le_bytes()].concat();
    let values: Vec<f32> = read(&file(ONE, &data)).unwrap().numbers("a", &[1, 2]).unwrap();
    assert!(values[0].is_nan() && values[1] == f32::INFINITY);
}

#[test]
fn f32_is_read_where_f64_is_asked() {
    let data = [1.5f32.to_le_bytes(), (-0.1f32).to_le_bytes()].concat();
    let values: Vec<f64> = read(&file(ONE, &data)).unwrap().numbers("a", &[1, 2]).unwrap();
    assert_eq!(values, [1.5, f64::from(-0.1f32)]);
}

#[test]
fn no_changed_byte_makes_a_panic_or_a_tensor_without_its_bytes() {
    let header = r#"{"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}"#;
    let good = file(header, &[0; 16]);
    for place in 0..good.len() {
        for value in [0, 1, 7, b'"', b'-', b'0', b'1', b'9', b'e', b'[', b']', b'}', b',', 0x7f, 0xff] {
            let mut changed = good.clone();
            changed[place] = value;
            let Ok(read) = read(&changed) else { continue };
            for entry in read.entries.values() {
                let size = entry.shape.iter().product::<usize>() * entry.dtype.bitsize() / 8;
                assert_eq!(read.data[entry.bytes.clone()].len(), size, "byte {place} as {value}");
            }
        }
    }
}

#[test]
fn folders_and_missing_files() {
    let missing = TensorFile::open(Path::new("no/such/file")).unwrap_err().to_string();
    assert!(missing.starts_with("no/such/file: "), "{missing}");
    assert!(TensorFile::open(&std::env::temp_dir()).is_err());
}

#[test]
fn what_is_written_is_read_back_and_does_not_depend_on_the_order() {
    let folder = std::env::temp_dir().join(format!("elman-tensors-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let named = |name: &str, shape: &[usize]| Named {
        name: name.into(),
        shape: shape.to_vec(),
        data: (0..shape.iter().product()).map(|i| i as f64 / 3.0).collect::<Vec<f64>>(),
    };
    let mut tensors = vec![named("0.forward.W_f", &[5, 7]), named("y", &[6, 3, 5]), named("0.forward.b", &[5])];
    let (one, two) = (folder.join("one"), folder.join("two"));
    write(&one, &tensors).unwrap().publish().unwrap();
    tensors.reverse();
    write(&two, &tensors).unwrap().publish().unwrap();
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    let back = TensorFile::open(&one).unwrap();
    assert_eq!(back.names().collect::<Vec<_>>(), ["0.forward.W_f", "0.forward.b", "y"]);
    for tensor in &tensors {
        assert_eq!(back.numbers::<f64>(&tensor.name, &tensor.shape).unwrap(), tensor.data);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn lent_tensors_are_the_same_file() {
    let named = |name: &str, n: usize| Named {
        name: name.into(),
        shape: vec![n],
        data: (0..n).map(|i| i as f32 * 0.3 - 1.0).collect(),
    };
    let all = [named("b", 3), named("a.long", 40_000), named("a", 1), named("empty", 0)];
    let lent: Vec<Lent<f32>> =
        all.iter().map(|t| Lent { name: t.name.clone(), shape: t.shape.clone(), data: &t.data }).collect();
    let path = std::env::temp_dir().join(format!("elman-lent-{}.safetensors", std::process::id()));
    write_lent(&path, &lent).unwrap().publish().unwrap();
    let written = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(written, bytes(&path, &all).unwrap());
}
