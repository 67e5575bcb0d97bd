//! A PNG, or a folder of them: a folder of pictures for each label, or pictures without labels; by name, in the order of bytes.
//!
//! What is transparent becomes white. If a picture has colours, all have three channels. Looks at names ending in `.png` alone.

use super::Images;
use crate::data::bytes::Bytes;
use crate::data::error::DataError;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// The largest side of a picture.
const SIDE: u32 = 8192;

/// One picture: [height, width, channels].
struct Picture {
    height: usize,
    width: usize,
    channels: usize,
    pixels: Vec<u8>,
}

/// Reads all pictures.
pub(super) fn read(folder: &str) -> Result<Images, DataError> {
    if Path::new(folder).is_file() {
        let Picture { height, width, channels, pixels } = picture(folder)?;
        let names = Some(vec![folder.to_string()]);
        return Ok(Images { file: folder.into(), count: 1, height, width, channels, pixels, labels: None, names });
    }
    let mut files: Vec<(PathBuf, Option<String>)> = Vec::new();
    let entries = entries(Path::new(folder))?;
    for entry in &entries {
        if entry.is_dir() {
            let label = entry.file_name().map(|name| name.to_string_lossy().into_owned());
            files.extend(
                self::entries(entry)?.into_iter().filter(|file| is_png(file)).map(|file| (file, label.clone())),
            );
        }
    }
    let labelled = !files.is_empty();
    let loose = entries.iter().find(|entry| is_png(entry));
    match loose {
        Some(file) if labelled => {
            return Err(DataError::file(
                &file.to_string_lossy(),
                "this picture stands beside folders with labels; move it into one",
            ));
        }
        _ => files.extend(entries.iter().filter(|entry| is_png(entry)).map(|file| (file.clone(), None))),
    }
    let mut pictures = Vec::new();
    for (file, _) in &files {
        pictures.push(picture(&file.to_string_lossy())?);
    }
    let (Some(first), Some((name, _))) = (pictures.first(), files.first()) else {
        return Err(DataError::file(folder, "there is no .png in it, nor in its folders"));
    };
    let (height, width) = (first.height, first.width);
    if let Some(at) = pictures.iter().position(|other| (other.height, other.width) != (height, width)) {
        let (odd, other) = (&pictures[at], files[at].0.to_string_lossy());
        let what = format!(
            "the picture is {} × {}, and {} is {width} × {height}; make all the same size",
            odd.width,
            odd.height,
            name.display()
        );
        return Err(DataError::file(&other, what));
    }
    let channels = if pictures.iter().any(|p| p.channels == 3) { 3 } else { 1 };
    let pixels = pictures.iter().flat_map(|p| spread(p, channels)).collect();
    let names = Some(files.iter().map(|(file, _)| file.to_string_lossy().into_owned()).collect());
    let labels = labelled.then(|| files.into_iter().filter_map(|(_, label)| label).collect());
    Ok(Images { file: folder.into(), count: pictures.len(), height, width, channels, pixels, labels, names })
}

/// What is in a folder, in order.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let fault = |e: std::io::Error| DataError::file(&folder.to_string_lossy(), e.to_string());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fault)? {
        paths.push(entry.map_err(fault)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn is_png(file: &Path) -> bool {
    file.is_file() && file.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"))
}

/// Grey pixels thrice, where colour is wanted.
fn spread(picture: &Picture, channels: usize) -> Vec<u8> {
    let times = channels / picture.channels;
    picture.pixels.iter().flat_map(|value| std::iter::repeat_n(*value, times)).collect()
}

fn picture(file: &str) -> Result<Picture, DataError> {
    let bytes = Bytes::open(file)?.rest()?;
    let fault =
        |e: png::DecodingError| DataError::file(file, format!("this is no whole PNG ({e}); save or copy it again"));
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let (width, height) = decoder.read_header_info().map(|header| (header.width, header.height)).map_err(fault)?;
    if width > SIDE || height > SIDE {
        return Err(DataError::file(file, format!("the picture is {width} × {height}; at most {SIDE} a side is read")));
    }
    let mut reader = decoder.read_info().map_err(fault)?;
    let size = reader.output_buffer_size().unwrap_or(0);
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(fault)?;
    pixels.truncate(frame.buffer_size());
    let (channels, pixels) = match frame.color_type {
        png::ColorType::Grayscale => (1, pixels),
        png::ColorType::GrayscaleAlpha => (1, on_white(&pixels, 2)),
        png::ColorType::Rgba => (3, on_white(&pixels, 4)),
        _ => (3, pixels),
    };
    Ok(Picture { height: height as usize, width: width as usize, channels, pixels })
}

/// Colours over white, by the opacity that is the last of `channels`.
fn on_white(pixels: &[u8], channels: usize) -> Vec<u8> {
    let over = |value: u8, opacity: u8| {
        let (value, opacity) = (u32::from(value), u32::from(opacity));
        ((value * opacity + 255 * (255 - opacity) + 127) / 255) as u8
    };
    pixels
        .chunks_exact(channels)
        .flat_map(|p| p[..channels - 1].iter().map(|value| over(*value, p[channels - 1])))
        .collect()
}
