//! Sound out of WAV files: whole numbers of 8 to 32 bits, or 32-bit floats. Several channels become their mean.
//!
//! Does not resample: the rate is the file's.

use super::bytes::Bytes;
use super::error::DataError;
use std::io::Cursor;

/// A sound in one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Sound {
    /// Samples a second.
    pub rate: u32,
    /// The channels in the file, of which `samples` are the mean.
    pub channels: usize,
    /// Between −1 and 1.
    pub samples: Vec<f32>,
}

impl Sound {
    /// Reads a WAV file: plain, gzip, zstd, or standard input for `-`.
    ///
    /// Errors: another form, sound that is packed as WAV allows it (MP3, A-law), a file that ends early, no sound.
    pub fn read(file: &str) -> Result<Sound, DataError> {
        let bytes = Bytes::open(file)?.rest()?;
        let bad = |e: hound::Error| DataError::file(file, words(&e));
        if !bytes.starts_with(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
            return Err(DataError::file(
                file,
                "it does not begin as WAV files do; `ffmpeg -i FILE sound.wav` makes one",
            ));
        }
        let mut reader = hound::WavReader::new(Cursor::new(&bytes)).map_err(bad)?;
        let spec = reader.spec();
        let channels = usize::from(spec.channels);
        if channels == 0 || spec.sample_rate == 0 {
            return Err(DataError::file(file, "its header says no channels or no samples a second; it is damaged"));
        }
        let mut samples = Vec::new();
        match spec.sample_format {
            hound::SampleFormat::Float => {
                for sample in reader.samples::<f32>() {
                    samples.push(sample.map_err(bad)?);
                }
            }
            hound::SampleFormat::Int => {
                let scale = 1.0 / (1u64 << (spec.bits_per_sample.clamp(1, 32) - 1)) as f32;
                for sample in reader.samples::<i32>() {
                    samples.push(sample.map_err(bad)? as f32 * scale);
                }
            }
        }
        if let Some(at) = samples.iter().position(|sample| !sample.is_finite()) {
            return Err(DataError::file(
                file,
                format!("sample {} is no number; the file is damaged", at / channels + 1),
            ));
        }
        if samples.is_empty() {
            return Err(DataError::file(file, "there is no sound in it"));
        }
        let mean = |frame: &[f32]| frame.iter().sum::<f32>() / channels as f32;
        Ok(Sound { rate: spec.sample_rate, channels, samples: samples.chunks_exact(channels).map(mean).collect() })
    }
}

fn words(fault: &hound::Error) -> String {
    match fault {
        hound::Error::IoError(_) => "the file ends before its sound does; copy or record it again".into(),
        hound::Error::Unsupported => {
            "the sound is packed in the WAV; `ffmpeg -i FILE -c:a pcm_s16le sound.wav` unpacks it".into()
        }
        other => format!("this is no WAV that can be read ({other}); `ffmpeg -i FILE sound.wav` makes one"),
    }
}
