//! Log-mel features. Davis & Mermelstein 1980; the scale is O'Shaughnessy's 1987, as in HTK.
//!
//!   mel(f) = 2595 log₁₀(1 + f/700)
//!   F[t, b] = ln max(Σₖ w_b(k) Pₜ(k), 1e-10),   Pₜ the power spectrum of frame t under a Hann window
//!   w_b(k): a triangle over the frequency k·rate/N that is 1 at the middle of three neighbouring points, 0 at the others
//!
//! The bands + 2 points are evenly apart on the mel scale from 0 to rate/2. A frame of 25 ms is taken every 10 ms, from the
//! first sample on, without padding; the transform's size N is the frame's, up to a power of two. No pre-emphasis.

use super::fft::Spectrum;
use crate::error::Error;

/// What is below is as good as silence: samples are in −1 to 1.
const FLOOR: f64 = 1e-10;

/// The greatest rate that is believed, in samples a second: ten times that of studios.
const GREATEST_RATE: u32 = 2_000_000;

/// The form of the features.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Samples a second.
    pub rate: u32,
    /// A frame, in milliseconds.
    pub frame: f64,
    /// From one frame to the next, in milliseconds.
    pub hop: f64,
    /// Mel bands.
    pub bands: usize,
}

impl Settings {
    /// 25 ms, 10 ms, 40 bands.
    pub fn new(rate: u32) -> Settings {
        Settings { rate, frame: 25.0, hop: 10.0, bands: 40 }
    }
}

/// Samples in, features out.
#[derive(Clone, Debug)]
pub struct LogMel {
    /// Samples from one frame to the next.
    hop: usize,
    window: Vec<f64>,
    spectrum: Spectrum,
    filters: Vec<Filter>,
}

/// w_b where it is not 0.
#[derive(Clone, Debug)]
struct Filter {
    /// The first k.
    first: usize,
    weights: Vec<f64>,
}

impl LogMel {
    /// Tables for features of this form.
    ///
    /// # Errors
    /// A rate, frame or hop outside its range; more bands than the spectrum can tell apart, so that one would hear nothing.
    pub fn new(settings: Settings) -> Result<LogMel, Error> {
        let (frame, hop) = lengths(settings)?;
        let spectrum = Spectrum::new(frame.next_power_of_two().ilog2());
        let filters = filters(settings, spectrum.size())?;
        // Periodic: the sample after the last would be 0 as the first is.
        let hann = |n: usize| 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / frame as f64).cos();
        Ok(LogMel { hop, window: (0..frame).map(hann).collect(), spectrum, filters })
    }

    /// Features a frame.
    pub fn bands(&self) -> usize {
        self.filters.len()
    }

    /// How many frames `samples` samples have: at least one; what is left over behind the last whole frame is not heard.
    pub fn frames(&self, samples: usize) -> usize {
        samples.saturating_sub(self.window.len()) / self.hop + 1
    }

    /// F of samples in −1 to 1, one channel: `[samples]` → [frames, bands]. Samples that are fewer than a frame have
    /// silence after them.
    pub fn features(&mut self, samples: &[f32]) -> Vec<f32> {
        let frames = self.frames(samples.len());
        let mut features = Vec::with_capacity(frames * self.bands());
        let mut power = vec![0.0; self.spectrum.size() / 2 + 1];
        let mut windowed = vec![0.0; self.window.len()];
        for frame in 0..frames {
            let heard = samples[frame * self.hop..].iter().map(|x| f64::from(*x)).chain(std::iter::repeat(0.0));
            windowed.iter_mut().zip(&self.window).zip(heard).for_each(|((to, w), x)| *to = w * x);
            self.spectrum.power(&windowed, &mut power);
            features.extend(self.filters.iter().map(|f| f.energy(&power).max(FLOOR).ln() as f32));
        }
        features
    }
}

impl Filter {
    fn energy(&self, power: &[f64]) -> f64 {
        self.weights.iter().zip(&power[self.first..]).map(|(w, p)| w * p).sum()
    }
}

/// Samples of a frame and of a hop.
fn lengths(s: Settings) -> Result<(usize, usize), Error> {
    if s.rate == 0 || s.rate > GREATEST_RATE {
        return Err(Error::Refused(format!("a rate of {} samples a second: from 1 to {GREATEST_RATE}", s.rate)));
    }
    let count = |what: &str, ms: f64| {
        let samples = (ms * 1e-3 * f64::from(s.rate)).round();
        // A second is more than any frame of speech; it also bounds the memory.
        if (1.0..=f64::from(s.rate)).contains(&samples) {
            return Ok(samples as usize);
        }
        Err(Error::Refused(format!(
            "a {what} of {ms} ms at {} samples a second: from one sample to one second",
            s.rate
        )))
    };
    Ok((count("frame", s.frame)?, count("hop", s.hop)?))
}

fn mel(frequency: f64) -> f64 {
    2595.0 * (1.0 + frequency / 700.0).log10()
}

fn frequency(mel: f64) -> f64 {
    700.0 * (10f64.powf(mel / 2595.0) - 1.0)
}

fn filters(s: Settings, size: usize) -> Result<Vec<Filter>, Error> {
    let bins = size / 2 + 1;
    if s.bands == 0 || s.bands > bins {
        return Err(Error::Refused(format!("{} mel bands: from 1 to {bins}, the points of the spectrum", s.bands)));
    }
    let rate = f64::from(s.rate);
    let apart = mel(rate / 2.0) / (s.bands + 1) as f64;
    let point = |i: usize| frequency(i as f64 * apart);
    let filter = |band: usize| {
        let (low, middle, high) = (point(band), point(band + 1), point(band + 2));
        let weight = |k: usize| {
            let f = k as f64 * rate / size as f64;
            ((f - low) / (middle - low)).min((high - f) / (high - middle))
        };
        let heard: Vec<usize> = (0..bins).filter(|k| weight(*k) > 0.0).collect();
        let first = *heard.first().ok_or_else(|| {
            let message = format!("mel band {} of {} is between two points of the spectrum", band + 1, s.bands);
            Error::Refused(format!("{message}: take fewer bands, or a longer frame"))
        })?;
        Ok(Filter { first, weights: heard.into_iter().map(weight).collect() })
    };
    (0..s.bands).map(filter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_heard_in_its_band() {
        let mut log_mel = LogMel::new(Settings::new(16_000)).unwrap();
        let tone = |n: usize| (std::f64::consts::TAU * 1000.0 * n as f64 / 16_000.0).sin() as f32;
        let samples: Vec<f32> = (0..4000).map(tone).collect();
        let features = log_mel.features(&samples);
        assert_eq!(features.len(), 40 * log_mel.frames(4000));
        assert_eq!(log_mel.frames(4000), (4000 - 400) / 160 + 1);
        // 1000 Hz is 1000 mel; the points are 69.3 mel apart, so that of band 13, from 0, is the nearest: 970 mel.
        for frame in features.chunks(40) {
            let loudest = (0..40).max_by(|a, b| frame[*a].total_cmp(&frame[*b])).unwrap();
            assert_eq!(loudest, 13);
        }
    }

    #[test]
    fn silence_is_at_the_floor_and_little_is_a_frame() {
        let mut log_mel = LogMel::new(Settings::new(8000)).unwrap();
        assert_eq!(log_mel.features(&[]), vec![1e-10f64.ln() as f32; 40]);
        let short = log_mel.features(&[0.5; 30]);
        let padded = log_mel.features(&[&[0.5; 30][..], &[0.0; 170]].concat());
        assert_eq!(short, padded);
        assert_eq!([200, 279, 280].map(|n| log_mel.frames(n)), [1, 1, 2]);
    }

    #[test]
    fn what_makes_no_features_is_refused() {
        let good = Settings::new(16_000);
        let refused = |s: Settings| LogMel::new(s).is_err();
        assert!(refused(Settings::new(0)) && refused(Settings::new(u32::MAX)));
        assert!(refused(Settings { frame: 0.0, ..good }) && refused(Settings { hop: f64::NAN, ..good }));
        assert!(refused(Settings { frame: 1e9, ..good }) && refused(Settings { hop: -1.0, ..good }));
        assert!(refused(Settings { bands: 0, ..good }) && refused(Settings { bands: usize::MAX, ..good }));
        assert!(refused(Settings { bands: 200, ..good }));
        assert!(!refused(Settings { bands: 80, ..good }));
    }
}
