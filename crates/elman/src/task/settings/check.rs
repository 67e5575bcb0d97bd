//! Settings that cannot work.

use super::{Attention, FOLDS, FORMAT, Kind, LONGEST_STRING, PoolName, Settings, TaskName, UnitName};
use crate::error::Error;

/// Texts that a search follows at once, at most.
pub const WIDEST_BEAM: usize = 1000;

impl Settings {
    /// Checks every number and every combination.
    ///
    /// # Errors
    /// The first setting that cannot work, by its name in the file, with what it may be.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |message: String| Err(Error::Refused(message));
        if self.format != FORMAT {
            let (found, program) = (self.format, &self.program);
            return refuse(format!("format is {found}: this program reads {FORMAT}; take elman {program}"));
        }
        if self.data.train.is_empty() {
            return refuse("data.train is missing: name the training file with --data FILE".into());
        }
        if self.seed > i64::MAX as u64 {
            return refuse(format!("seed is {}: at most {}", self.seed, i64::MAX));
        }
        let (m, t, d, o) = (&self.model, &self.train, &self.dropout, &self.optimiser);
        let counts = [
            ("model.layers", m.layers),
            ("model.hidden", m.hidden),
            ("model.embedding", m.embedding),
            ("model.heads", m.heads),
            ("model.members", m.members),
            ("model.stack", m.stack),
            ("model.space", m.space),
            ("model.patch", m.patch),
            ("model.beam", m.beam),
            ("train.batch", t.batch),
            ("train.epochs", usize::try_from(t.epochs).unwrap_or(usize::MAX)),
            ("data.vocabulary", self.data.vocabulary),
            ("search.beam", self.search.beam),
        ];
        if let Some([fold, folds]) = self.data.fold {
            if fold == 0 || fold > folds || !(2..=FOLDS).contains(&folds) {
                return refuse(format!(
                    "data.fold is [{fold}, {folds}]: the first from 1 to the second, at most {FOLDS}"
                ));
            }
            if !self.data.valid.is_empty() || !self.data.test.is_empty() {
                return refuse("data.fold takes the test part out of data.train: leave out the other files".into());
            }
        }
        let lengths = [Some(self.data.string_length), self.data.test_string_length];
        if let Some([fewest, most]) =
            lengths.into_iter().flatten().find(|[fewest, most]| *fewest == 0 || fewest > most || *most > LONGEST_STRING)
        {
            let range = format!("the first from 1 to the second, at most {LONGEST_STRING}");
            return refuse(format!("data.string_length is [{fewest}, {most}]: {range}"));
        }
        if m.members > 1 && !matches!(self.task, TaskName::Classify | TaskName::Tag) {
            return refuse(format!("model.members is {}: only classify and tag have more than 1", m.members));
        }
        if m.linear && (self.task != TaskName::Classify || self.data.unit == UnitName::Char) {
            return refuse(
                "model.linear is true: it is for `classify` of texts by words (data.unit = \"word\"); leave it out"
                    .into(),
            );
        }
        let reads_words =
            matches!(self.task, TaskName::Classify if self.data.unit == UnitName::Word) || self.task == TaskName::Tag;
        if self.data.vectors.is_some() && !reads_words {
            return refuse(
                "data.vectors are of words, which `tag` and `classify` of texts by words read; leave them out".into(),
            );
        }
        let of_one = [
            ("model.crf", m.crf, TaskName::Tag),
            ("model.joint", m.joint, TaskName::Rank),
            ("train.choose", !t.choose.is_default(), TaskName::Classify),
        ];
        if let Some((name, _, of)) = of_one.into_iter().find(|(_, given, of)| *given && self.task != *of) {
            return refuse(format!("{name} is of the task {}: leave it out", of.name()));
        }
        let usual = Settings::of(self.task);
        let of_words = [
            ("model.characters", m.characters != usual.model.characters),
            ("data.min_count", self.data.min_count != usual.data.min_count),
        ];
        if let Some((name, _)) = of_words.iter().find(|(_, given)| *given && self.task == TaskName::Translate) {
            return refuse(format!("{name} is of tasks that read words, and `translate` reads subwords: leave it out"));
        }
        let of_translate = m.copy || m.input_feeding || m.decoder_cell.is_some() || m.decoder != Kind::Recurrent;
        if self.task != TaskName::Translate && (of_translate || m.attention != Attention::Scaled) {
            let names = "model.copy, model.decoder, model.decoder_cell, model.input_feeding and model.attention";
            return refuse(format!("{names} are of the task translate: leave them out"));
        }
        if m.pool == PoolName::Places && self.task != TaskName::Classify {
            return refuse("model.pool is places: only classify has it; take max, attention or last".into());
        }
        if self.data.shift > 64 {
            return refuse(format!("data.shift is {}: pixels from 0 to 64", self.data.shift));
        }
        if m.ngrams > 1 << 24 {
            return refuse(format!("model.ngrams is {}: a number from 0 to {}", m.ngrams, 1 << 24));
        }
        if let Some((name, n)) = counts.into_iter().find(|(_, n)| *n == 0 || *n > 1 << 24) {
            return refuse(format!("{name} is {n}: a number from 1 to {}", 1 << 24));
        }
        if let Some((name, n)) =
            [("search.beam", self.search.beam), ("model.beam", m.beam)].into_iter().find(|(_, n)| *n > WIDEST_BEAM)
        {
            return refuse(format!("{name} is {n}: a number from 1 to {WIDEST_BEAM}"));
        }
        let shares = [
            ("dropout.input", d.input),
            ("dropout.between", d.between),
            ("dropout.output", d.output),
            ("dropout.words", d.words),
            ("train.smoothing", t.smoothing),
            ("schedule.lowest", self.schedule.lowest),
            ("optimiser.beta1", o.beta1),
            ("optimiser.beta2", o.beta2),
        ];
        if let Some((name, p)) = shares.into_iter().find(|(_, p)| !(0.0..1.0).contains(p)) {
            return refuse(format!("{name} is {p}: a number from 0 to less than 1"));
        }
        if !(m.temperature.is_finite() && m.temperature >= 1e-3) {
            return refuse(format!("model.temperature is {}: a number from 0.001", m.temperature));
        }
        let numbers = [
            ("optimiser.rate", o.rate()),
            ("search.length_penalty", self.search.length_penalty),
            ("optimiser.decay", o.decay),
            ("optimiser.clip_norm", o.clip_norm),
            ("train.checkpoint_seconds", t.checkpoint_seconds),
        ];
        if let Some((name, n)) = numbers.into_iter().find(|(_, n)| !(n.is_finite() && *n >= 0.0)) {
            return refuse(format!("{name} is {n}: a number from 0"));
        }
        Ok(())
    }
}
