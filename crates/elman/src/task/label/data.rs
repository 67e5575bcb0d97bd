//! Strings of pictures side by side, or sounds with what is said in them.

use crate::audio::{LogMel, Settings as Mel};
use crate::data::images::Images;
use crate::data::labelled::{Columns, Labelled};
use crate::data::sound::Sound;
use crate::data::table::Reading;
use crate::digits::Pictures;
use crate::error::Error;
use crate::task::Settings;
use std::path::Path;

/// Pictures that are held out where there is no validation file: one in so many.
const HELD_OUT: usize = 10;

/// A sequence of numbers, the same count each step.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// Numbers of a step.
    pub width: usize,
    /// [steps, width].
    pub values: Vec<f32>,
}

impl Numbers {
    /// Steps.
    pub fn steps(&self) -> usize {
        self.values.len() / self.width.max(1)
    }
}

/// Examples of a part.
pub enum Examples {
    /// None.
    Nothing,
    /// Made of pictures, when they are asked for.
    Strings {
        /// Rows and columns of a picture.
        size: [usize; 2],
        /// [pictures, rows, columns].
        pixels: Vec<u8>,
        /// A character each.
        labels: Vec<u8>,
        /// What strings are drawn from.
        seed: u64,
        /// Pictures of a string, the fewest and the most.
        of: [usize; 2],
        /// Steps of each.
        lengths: Vec<usize>,
    },
    /// Read from files, with their samples a second.
    Sounds(Vec<(Numbers, String)>, u32),
}

impl Examples {
    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Examples::Nothing => 0,
            Examples::Strings { lengths, .. } => lengths.len(),
            Examples::Sounds(all, _) => all.len(),
        }
    }

    /// Steps of one.
    pub fn length(&self, example: usize) -> usize {
        match self {
            Examples::Nothing => 0,
            Examples::Strings { lengths, .. } => lengths[example],
            Examples::Sounds(all, _) => all[example].0.steps(),
        }
    }

    /// Characters of what stands in one.
    pub fn characters(&self, example: usize) -> usize {
        match self {
            Examples::Nothing => 0,
            Examples::Strings { lengths, size, .. } => lengths[example] / size[1].max(1),
            Examples::Sounds(all, _) => all[example].1.chars().count(),
        }
    }

    /// An example and what stands there.
    pub fn example(&self, example: usize) -> (Numbers, String) {
        match self {
            Examples::Nothing => (Numbers { width: 1, values: vec![] }, String::new()),
            Examples::Sounds(all, _) => all[example].clone(),
            Examples::Strings { size, pixels, labels, seed, of, .. } => {
                match Pictures::new(size[0], size[1], pixels, labels) {
                    Ok(pictures) => {
                        let string = pictures.string(*seed, example as u64, *of);
                        let text = string.digits.iter().map(|d| char::from(*d)).collect();
                        (Numbers { width: size[0], values: string.columns }, text)
                    }
                    Err(_) => (Numbers { width: size[0], values: vec![] }, String::new()),
                }
            }
        }
    }

    /// All of what examples follow from.
    pub fn bytes(&self) -> Box<dyn Iterator<Item = u8> + '_> {
        match self {
            Examples::Nothing => Box::new(std::iter::empty()),
            Examples::Strings { labels, seed, lengths, of, .. } => {
                // Runs from before strings could have another length go on.
                let of = of.iter().map(|n| *n as u64).filter(move |_| *of != [2, 8]);
                let counts = [*seed, lengths.len() as u64].into_iter().chain(of);
                Box::new(labels.iter().copied().chain(counts.flat_map(u64::to_le_bytes)))
            }
            Examples::Sounds(all, _) => Box::new(
                all.iter().flat_map(|(x, text)| x.values.iter().flat_map(|v| v.to_le_bytes()).chain(text.bytes())),
            ),
        }
    }
}

/// Reads the files of the settings: training, validation, test.
///
/// # Errors
/// What the readers say; pictures without labels; a label of more than one character.
pub fn read(settings: &Settings) -> Result<[Examples; 3], Error> {
    let d = &settings.data;
    let first = d.train.first().map_or("", String::as_str);
    if d.strings == 0 {
        return sounds(settings);
    }
    let mut beside = d.files_beside();
    let pictures = Images::read(first, beside.next().flatten())?;
    let all = pictures.count;
    let held = if d.valid.is_empty() { all / HELD_OUT } else { 0 };
    let few = (d.strings / HELD_OUT).clamp(1, 1000);
    let (of, of_test) = (d.string_length, d.test_string_length.unwrap_or(d.string_length));
    let train = strings(&pictures, 0..all - held, settings.seed, (d.strings, of))?;
    let valid = match d.valid.first() {
        Some(file) => {
            let pictures = Images::read(file, beside.next().flatten())?;
            strings(&pictures, 0..pictures.count, 1, (few, of))?
        }
        None => strings(&pictures, all - held..all, 1, (few, of))?,
    };
    let test = match d.test.first() {
        Some(file) => {
            let pictures = Images::read(file, beside.next().flatten())?;
            strings(&pictures, 0..pictures.count, 2, (few, of_test))?
        }
        None => Examples::Nothing,
    };
    Ok([train, valid, test])
}

fn strings(
    pictures: &Images,
    range: std::ops::Range<usize>,
    seed: u64,
    (count, of): (usize, [usize; 2]),
) -> Result<Examples, Error> {
    let file = &pictures.file;
    let refuse = |message: &str| Err(Error::Refused(format!("{file}: {message}")));
    if pictures.channels != 1 {
        return refuse("strings are made of grey pictures; these have colours");
    }
    let Some(names) = &pictures.labels else {
        return refuse("the pictures have no labels: name their file with --labels, of each part in turn");
    };
    let mut labels = vec![];
    for name in names.get(range.clone()).unwrap_or_default() {
        match name.as_bytes() {
            [one] if one.is_ascii() => labels.push(*one),
            _ => return refuse(&format!("the label `{name}` is not one character, so strings cannot be spelled")),
        }
    }
    let size = [pictures.height, pictures.width];
    let picture = size[0] * size[1];
    let pixels = pictures.pixels.get(range.start * picture..range.end * picture).unwrap_or_default().to_vec();
    let lengths = {
        let drawn = Pictures::new(size[0], size[1], &pixels, &labels)?;
        (0..count).map(|k| drawn.string(seed, k as u64, of).digits.len() * size[1]).collect()
    };
    Ok(Examples::Strings { size, pixels, labels, seed, of, lengths })
}

/// Tables of WAV files and texts; without a validation file a tenth is held out.
fn sounds(settings: &Settings) -> Result<[Examples; 3], Error> {
    let d = &settings.data;
    let mut rate = None;
    let mut all = |files: &[String]| -> Result<Vec<(Numbers, String)>, Error> {
        let mut examples = vec![];
        for file in files {
            let columns = Columns { text: d.text.clone(), label: d.label.clone(), also: None };
            let reading = Reading { encoding: d.encoding.clone(), ..Reading::default() };
            let table = Labelled::read(file, &columns, &reading)?;
            let folder = Path::new(file).parent().unwrap_or(Path::new("."));
            for e in table.examples {
                let sound = folder.join(&e.text);
                let name = sound.to_str().unwrap_or(&e.text);
                let numbers =
                    features(name, rate).map_err(|error| Error::Refused(format!("{file}:{}: {error}", e.line)))?;
                rate = rate.or(Some(Sound::read(name)?.rate));
                examples.push((numbers, e.label));
            }
        }
        Ok(examples)
    };
    let (mut train, mut valid, test) = (all(&d.train)?, all(&d.valid)?, all(&d.test)?);
    if valid.is_empty() {
        valid = train.split_off(train.len() - train.len() / HELD_OUT);
    }
    if train.is_empty() || valid.is_empty() {
        return Err(Error::Refused(format!("{}: too few sounds: at least 10 are needed", d.train.join(", "))));
    }
    let rate = rate.unwrap_or(0);
    let test = if test.is_empty() { Examples::Nothing } else { Examples::Sounds(test, rate) };
    Ok([Examples::Sounds(train, rate), Examples::Sounds(valid, rate), test])
}

/// The log-mel features of a WAV file; of another rate than `rate` it is refused.
///
/// # Errors
/// A file that cannot be read, or of another rate.
pub fn features(file: &str, rate: Option<u32>) -> Result<Numbers, Error> {
    let sound = Sound::read(file)?;
    if let Some(wanted) = rate.filter(|wanted| *wanted != sound.rate) {
        let message = format!("it has {} samples a second, the others {wanted}", sound.rate);
        return Err(Error::Refused(format!(
            "{file}: {message}; `ffmpeg -i FILE -ar {wanted} sound.wav` makes it alike"
        )));
    }
    let mut mel = LogMel::new(Mel::new(sound.rate))?;
    let values = mel.features(&sound.samples);
    if values.is_empty() {
        return Err(Error::Refused(format!("{file}: the sound is shorter than one frame of 25 ms")));
    }
    Ok(Numbers { width: mel.bands(), values })
}
