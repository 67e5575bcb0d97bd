//! Settings that cannot work, or contradict each other, found before anything is read or written.

use super::{Config, FORMAT, Kind, RuleName};
use crate::error::Error;
use crate::synth::Form;

impl Config {
    /// Checks every number and every combination.
    ///
    /// # Errors
    /// The first setting that cannot work, by its name in the file, with what it may be.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |message: String| Err(Error::Refused(message));
        if self.format != FORMAT {
            let (found, program) = (self.format, &self.program);
            return refuse(format!(
                "format is {found}: this program reads {FORMAT}; the run was made by elman {program}, take that version"
            ));
        }
        if self.task != "lm" {
            return refuse(format!("task is `{}`: there is `lm`", self.task));
        }
        if self.data.train.is_empty() {
            return refuse("data.train is missing: name the text with --data FILE".into());
        }
        let files = [Some(&self.data.train), self.data.valid.as_ref(), self.data.test.as_ref()];
        if files.into_iter().flatten().any(|f| f == "-") {
            return refuse("a run can be resumed, so its text cannot come from standard input: give a file".into());
        }
        if self.seed > i64::MAX as u64 {
            return refuse(format!("seed is {}: at most {}", self.seed, i64::MAX));
        }
        self.check_data()?;
        self.check_kind()?;
        self.check_counts()?;
        self.check_shares()?;
        self.check_numbers()?;
        self.check_pairs()
    }

    /// What only a text has, and what only made data has.
    fn check_data(&self) -> Result<(), Error> {
        let (d, t, usual) = (&self.data, &self.train, Config::default());
        let Some(made) = self.made()? else {
            let given = [("data.held_out", d.held_out), ("train.epoch_steps", t.epoch_steps)];
            return refuse_first(
                given.map(|(key, value)| (key, value.is_some())),
                "made data (data.train = `synth:…`)",
            );
        };
        let given = [
            ("data.valid", d.valid.is_some()),
            ("data.test", d.test.is_some()),
            ("data.encoding", d.encoding.is_some()),
            ("data.unit", d.unit != usual.data.unit),
            ("data.min_count", d.min_count != usual.data.min_count),
            ("data.vocab_size", d.vocab_size.is_some()),
            ("data.vocab_limit", d.vocab_limit != usual.data.vocab_limit),
            ("train.steps", t.steps != usual.train.steps),
        ];
        refuse_first(given, "texts, and the data is made")?;
        if made.form() == Form::Symbols {
            return Ok(());
        }
        let given = [
            ("model.embedding", self.model.embedding.is_some()),
            ("model.tied", self.model.tied),
            ("dropout.embedding", self.dropout.embedding > 0.0),
        ];
        refuse_first(given, "symbols, and this made data is of numbers")
    }

    /// What only recurrent layers have, and what only a transformer has.
    fn check_kind(&self) -> Result<(), Error> {
        let (m, d, usual) = (&self.model, &self.dropout, Config::default());
        if m.kind == Kind::Recurrent {
            let message = "transformers (model.kind = \"transformer\")";
            return refuse_first([("model.heads", m.heads.is_some())], message);
        }
        let given = [
            ("model.cell", !m.cell.is_empty() && m.cell != usual.model.cell),
            ("dropout.recurrent", d.recurrent > 0.0),
            ("dropout.zoneout", d.zoneout > 0.0),
            ("dropout.variational", d.variational),
            ("train.recompute", self.train.recompute),
        ];
        refuse_first(given, "recurrent layers, and model.kind is `transformer`")?;
        let (hidden, heads) = (m.hidden, m.heads());
        if heads == 0 || !hidden.is_multiple_of(heads) {
            let message = format!("model.hidden is {hidden}, which {heads} heads (model.heads) do not divide");
            return Err(Error::Refused(format!("{message}: take a multiple of the heads")));
        }
        if m.tied && self.other_embedding() {
            let message = "the steps of a transformer have one width, and tied it is the embedding's";
            return Err(Error::Refused(format!("{message}: leave model.embedding out, or model.tied")));
        }
        Ok(())
    }

    fn check_counts(&self) -> Result<(), Error> {
        let (m, t) = (&self.model, &self.train);
        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let counts = [
            ("model.layers", m.layers),
            ("model.hidden", m.hidden),
            ("model.embedding", m.embedding.unwrap_or(1)),
            ("train.batch", t.batch),
            ("train.steps", t.steps),
            ("train.epochs", number(t.epochs)),
            ("train.eval_batch", t.eval_batch),
            ("data.vocab_limit", self.data.vocab_limit),
            ("data.held_out", self.data.held_out.map_or(1, number)),
            ("train.epoch_steps", t.epoch_steps.map_or(1, number)),
        ];
        match counts.into_iter().find(|(_, n)| *n == 0 || *n > 1 << 31) {
            Some((name, n)) => Err(Error::Refused(format!("{name} is {n}: a number from 1 to {}", 1u64 << 31))),
            None => Ok(()),
        }
    }

    fn check_shares(&self) -> Result<(), Error> {
        for (name, p) in self.dropout.named() {
            if !(0.0..1.0).contains(&p) {
                return Err(Error::Refused(format!("dropout.{name} is {p}: a number from 0 to less than 1")));
            }
        }
        let (o, s) = (&self.optimiser, &self.schedule);
        let shares = [("optimiser.beta1", o.beta1), ("optimiser.beta2", o.beta2)];
        let momentum = o.momentum.map(|m| ("optimiser.momentum", m));
        for (name, p) in shares.into_iter().chain(momentum).chain([("schedule.lowest", s.lowest)]) {
            if !(0.0..1.0).contains(&p) {
                return Err(Error::Refused(format!("{name} is {p}: a number from 0 to less than 1")));
            }
        }
        if !(s.factor > 0.0 && s.factor <= 1.0) {
            return Err(Error::Refused(format!("schedule.factor is {}: above 0, at most 1", s.factor)));
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), Error> {
        let o = &self.optimiser;
        let mut numbers = vec![
            ("optimiser.rate", o.rate()),
            ("optimiser.epsilon", o.epsilon),
            ("optimiser.decay", o.decay),
            ("optimiser.clip_norm", o.clip_norm),
            ("optimiser.clip_value", o.clip_value),
            ("train.checkpoint_seconds", self.train.checkpoint_seconds),
            ("model.init", self.model.init.unwrap_or(0.0)),
        ];
        for g in &self.group {
            numbers.extend([("group.rate", g.rate), ("group.decay", g.decay.unwrap_or(0.0))]);
        }
        match numbers.into_iter().find(|(_, n)| !(n.is_finite() && *n >= 0.0)) {
            Some((name, n)) => Err(Error::Refused(format!("{name} is {n}: a number from 0"))),
            None => Ok(()),
        }
    }

    fn other_embedding(&self) -> bool {
        self.model.embedding.is_some_and(|e| e != self.model.hidden)
    }

    fn check_pairs(&self) -> Result<(), Error> {
        let o = &self.optimiser;
        let momentum = matches!(o.rule, RuleName::Momentum | RuleName::Rmsprop);
        let message = match () {
            () if o.nesterov && o.rule != RuleName::Momentum => "optimiser.nesterov needs the rule `momentum`",
            () if o.momentum.is_some() && !momentum => "optimiser.momentum needs the rule `momentum` or `rmsprop`",
            () if self.model.tied && self.model.layers == 1 && self.other_embedding() => {
                "tied, the only layer has as many units as the embedding: give model.hidden and model.embedding the \
                 same number"
            }
            () if o.average_from == Some(0) => "optimiser.average_from counts epochs from 1",
            () if o.clip_norm > 0.0 && o.clip_value > 0.0 => {
                "gradients are clipped by norm or by value: set one of optimiser.clip_norm and clip_value to 0"
            }
            () => return Ok(()),
        };
        Err(Error::Refused(message.into()))
    }
}

/// Refuses the first setting that is given.
fn refuse_first<const N: usize>(given: [(&str, bool); N], what: &str) -> Result<(), Error> {
    match given.into_iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(Error::Refused(format!("{key} is for {what}: leave it out"))),
        None => Ok(()),
    }
}
