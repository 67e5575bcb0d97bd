//! A picture that a model sees, as PNG within the page: `data:` and base64 (RFC 4648), so that the page needs no other file.

/// Pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Rows.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// 1: grey; 3: red, green, blue.
    pub channels: usize,
    /// [height, width, channels].
    pub pixels: Vec<u8>,
}

impl Picture {
    /// An image; words in its place where the sizes do not fit the pixels.
    pub(super) fn to_html(&self) -> String {
        match self.to_png() {
            Some(png) => format!("<img alt=\"\" src=\"data:image/png;base64,{}\"/>", base64(&png)),
            None => "<em>no picture</em>".into(),
        }
    }

    fn to_png(&self) -> Option<Vec<u8>> {
        let (width, height) = (u32::try_from(self.width).ok()?, u32::try_from(self.height).ok()?);
        let mut bytes = vec![];
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(match self.channels {
            1 => png::ColorType::Grayscale,
            3 => png::ColorType::Rgb,
            _ => return None,
        });
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&self.pixels).ok()?;
        writer.finish().ok()?;
        Some(bytes)
    }
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Three bytes as four letters; what is missing at the end as `=`.
fn base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let all = (0..3).fold(0u32, |sum, k| (sum << 8) | u32::from(three.get(k).copied().unwrap_or(0)));
        for k in 0..4 {
            let letter = char::from(LETTERS[((all >> (18 - 6 * k)) & 63) as usize]);
            out.push(if k <= three.len() { letter } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        // RFC 4648, section 10.
        for (text, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")]
        {
            assert_eq!(base64(text.as_bytes()), coded);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0x3e]), "+/8+");
    }

    #[test]
    fn a_picture_comes_back_from_its_png() {
        let pixels: Vec<u8> = (0..2 * 3 * 3).map(|i| i * 13).collect();
        let picture = Picture { height: 2, width: 3, channels: 3, pixels: pixels.clone() };
        let png = picture.to_png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut back = vec![0; 18];
        let info = reader.next_frame(&mut back).unwrap();
        assert_eq!((info.width, info.height, back), (3, 2, pixels));
    }

    #[test]
    fn sizes_that_do_not_fit_are_no_panic() {
        for (height, width, channels) in [(2, 3, 1), (0, 0, 3), (2, 2, 2), (usize::MAX, 2, 3)] {
            let picture = Picture { height, width, channels, pixels: vec![7; 12] };
            assert_eq!(picture.to_html(), "<em>no picture</em>");
        }
    }
}
