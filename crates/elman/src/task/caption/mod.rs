//! `caption`: a picture → words.

mod data;
mod figures;
mod model;
mod predict;

pub use predict::{Captioner, Said};

use super::lexicon::{Lexicon, UNKNOWN};
use super::{Figures, Lengths, Loss, Part, Settings, Task};
use crate::error::Error;
use crate::run::Folder;
use crate::train::progress::fingerprint;
use data::{Example, Examples, Size};
use elman_engine::dropout::{MaskKey, Purpose};
use elman_engine::tape::{Blueprint, Layout, Mode, NO_ROW, NO_TARGET, Store, Tape};
use figures::{Likeness, likeness};
use model::{END, Model};
use serde_json::json;
use std::cell::OnceCell;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};

const WORDS: &str = "words.json";
/// Pixels by which a picture is moved at most while training, each way.
const MOVED: isize = 2;
/// Captions that a terminal shows.
const SHOWN: usize = 5;

/// The task with its data.
pub struct Caption {
    settings: Settings,
    words: Lexicon,
    model: Model,
    examples: Examples,
    /// The captions of the training part, as numbers.
    ids: Vec<Vec<u32>>,
    nearest: [OnceCell<Vec<String>>; 3],
}

impl Caption {
    /// Reads the files; words are those of the training part.
    ///
    /// # Errors
    /// Files that cannot be read, a cell that cannot be used.
    pub(super) fn fresh(settings: &Settings) -> Result<Caption, Error> {
        let examples = data::read(settings)?;
        let captions = examples.of(Part::Train).iter().flat_map(|e| e.caption.split(' '));
        let known = Lexicon::of_words(captions, settings.data.min_count, settings.data.vocabulary);
        let rest = known.entries().iter().filter(|w| *w != UNKNOWN && *w != "<end>").cloned();
        let entries = [UNKNOWN.to_string(), "<end>".to_string()].into_iter().chain(rest).collect();
        Caption::with(settings, Lexicon::from_entries(entries), examples)
    }

    /// The same with the words of a run.
    ///
    /// # Errors
    /// As [`Caption::fresh`], and a folder that lacks a file.
    pub(super) fn again(settings: &Settings, folder: &Folder) -> Result<Caption, Error> {
        Caption::with(settings, Lexicon::read(folder, WORDS)?, data::read(settings)?)
    }

    fn with(settings: &Settings, words: Lexicon, examples: Examples) -> Result<Caption, Error> {
        let model = Model::new(settings, examples.size, &words)?;
        let number = |e: &Example| e.caption.split(' ').map(|w| words.id_or_unknown(w)).chain([END]).collect();
        let ids = examples.of(Part::Train).iter().map(number).collect();
        Ok(Caption { settings: settings.clone(), words, model, examples, ids, nearest: Default::default() })
    }

    /// The captions of the training pictures that differ least, pixel by pixel.
    fn nearest(&self, part: Part) -> &[String] {
        self.nearest[part as usize].get_or_init(|| {
            let train = self.examples.of(Part::Train);
            let distance = |a: &[u8], b: &[u8]| {
                let square = |(a, b): (&u8, &u8)| u64::from(u32::from(a.abs_diff(*b)).pow(2));
                a.iter().zip(b).map(square).sum::<u64>()
            };
            let near = |e: &Example| train.iter().min_by_key(|t| distance(&e.pixels, &t.pixels));
            let all = self.examples.of(part).iter();
            all.map(|e| near(e).map_or(String::new(), |t| t.caption.clone())).collect()
        })
    }
}

impl Task for Caption {
    fn blueprint(&self) -> &Blueprint {
        &self.model.blueprint
    }

    fn count(&self, part: Part) -> usize {
        self.examples.of(part).len()
    }

    fn length(&self, part: Part, example: usize) -> usize {
        if part == Part::Train { self.ids[example].len() } else { 1 }
    }

    fn loss(&self, tape: &mut Tape<'_, f32>, examples: &[usize]) -> Result<Loss, Error> {
        let all = self.examples.of(Part::Train);
        let pictures: Vec<&[u8]> = examples.iter().map(|i| all[*i].pixels.as_slice()).collect();
        let moved = match tape.mode() {
            Mode::Infer => vec![(0, 0); examples.len()],
            Mode::Train { seed, clock } => {
                let key = MaskKey { seed, purpose: Purpose::Sampling, layer: 0, step: clock, sequence: 0 };
                let mut random = key.random();
                let mut one = || (random.uniform() * (2 * MOVED + 1) as f64) as isize - MOVED;
                examples.iter().map(|_| (one(), one())).collect()
            }
        };
        let drop = &self.settings.dropout;
        let seen = self.model.see(tape, &pictures, &moved, drop)?;
        let captions: Vec<&[u32]> = examples.iter().map(|i| self.ids[*i].as_slice()).collect();
        let layout = Layout::new(captions.iter().map(|c| c.len()).collect());
        let before = layout.fill(NO_ROW, |t, b| if t == 0 { END } else { captions[b][t - 1] });
        let wanted = layout.fill(NO_TARGET, |t, b| captions[b][t]);
        let (logits, _) = self.model.say(tape, (&before, &layout), &seen, drop)?;
        let units = captions.iter().map(|c| c.len()).sum();
        let mean = tape.cross_entropy(logits, &wanted, self.settings.train.smoothing, 1.0 / units as f64)?;
        Ok(Loss { mean, units })
    }

    fn evaluate(&self, store: &mut Store<f32>, part: Part, stop: &AtomicBool) -> Result<Option<Figures>, Error> {
        let all = self.examples.of(part);
        let mut said = vec![];
        for example in all {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let found = predict::say((&self.model, store), &self.words, &example.pixels, self.settings.model.beam, 1)?;
            said.push(found.into_iter().next().map_or(String::new(), |s| s.caption));
        }
        let wanted: Vec<String> = all.iter().map(|e| e.caption.clone()).collect();
        let (own, near) = (likeness(&said, &wanted)?, likeness(self.nearest(part), &wanted)?);
        let mut text = format!("{:<22}{:>8}{:>8}{:>8}\n", format!("{} pictures", all.len()), "chrF", "BLEU", "exact");
        for (name, l) in [("this model", &own), ("nearest picture", &near)] {
            let _ = writeln!(text, "{name:<22}{:>8.2}{:>8.2}{:>8.4}", l.chrf, l.bleu, l.exact);
        }
        for (said, wanted) in said.iter().zip(&wanted).take(SHOWN) {
            let _ = writeln!(text, "wanted: {wanted}\n  said: {said}");
        }
        let form = |l: &Likeness| json!({ "chrf": l.chrf, "bleu": l.bleu, "exact": l.exact });
        let details = json!({ "model": form(&own), "nearest": form(&near), "said": said, "wanted": wanted });
        let values = [("chrf", own.chrf), ("bleu", own.bleu), ("exact", own.exact), ("nearest_chrf", near.chrf)];
        let values = values.map(|(name, value)| (name.to_string(), value)).to_vec();
        let shown = figures::shown((all, self.examples.size), &said, &wanted, &near)?;
        let score = own.chrf;
        Ok(Some(Figures { score, scored: "chrf", values, text, details, shown, ..Figures::default() }))
    }

    fn lengths(&self) -> Lengths {
        Lengths::of("words of the caption", self.examples.of(Part::Train).iter().map(|e| figures::words(&e.caption)))
    }

    fn write(&self, folder: &Folder) -> Result<(), Error> {
        self.words.write(folder, WORDS)?;
        self.examples.size.write(folder)
    }

    fn words(&self) -> String {
        let counts = [Part::Train, Part::Valid, Part::Test].map(|p| format!("{} {}", self.count(p), p.name()));
        let remarks: String = self.examples.remarks.iter().map(|r| format!("{r}\n")).collect();
        let Size { height, width, channels } = self.examples.size;
        let size = format!("{width} × {height} pixels, {channels} channels");
        format!("{remarks}pictures: {}; {size}; {} words known", counts.join(", "), self.words.len())
    }

    fn fingerprint(&self) -> String {
        fingerprint(self.examples.bytes())
    }
}
