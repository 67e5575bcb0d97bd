//! Flags that the rule, the schedule or the data would not look at: refused, so that nobody believes they had an effect. A file of
//! settings may hold all of them at once.

use super::Flags;
use elman::run::Config;
use elman::run::config::Kind;
use elman::run::config::RuleName::{Adam, Adamw, NtAsgd, Rmsprop};
use elman::run::config::ScheduleName::{Plateau, Step};
use elman::synth::Form;

impl Flags {
    /// Checks the flags that are given against the settings they became part of.
    ///
    /// # Errors
    /// The first flag that would have no effect, and what it needs.
    pub fn check(&self, c: &Config) -> Result<(), elman::Error> {
        self.suit_data(c)?;
        self.suit_kind(c.model.kind)?;
        let (rule, kind) = (c.optimiser.rule, c.schedule.kind);
        let adam = matches!(rule, Adam | Adamw);
        let needs = [
            ("--beta1", self.beta1.is_some(), adam, "--optimiser adam or adamw"),
            ("--beta2", self.beta2.is_some(), adam || rule == Rmsprop, "--optimiser adam, adamw or rmsprop"),
            ("--nonmonotone", self.nonmonotone.is_some(), rule == NtAsgd, "--optimiser nt-asgd"),
            ("--factor", self.factor.is_some(), matches!(kind, Plateau | Step), "--schedule plateau or step"),
            ("--patience", self.patience.is_some(), kind == Plateau, "--schedule plateau"),
            ("--keep-going", self.keep_going, kind == Plateau, "--schedule plateau"),
            ("--hold", self.hold.is_some(), kind == Step, "--schedule step"),
        ];
        match needs.into_iter().find(|(_, given, met, _)| *given && !met) {
            Some((flag, _, _, need)) => Err(elman::Error::Refused(format!("{flag} needs {need}"))),
            None => Ok(()),
        }
    }

    /// Refuses flags that say nothing of the layers there are.
    ///
    /// # Errors
    /// The first flag that is for recurrent layers, where the model is a transformer, and the reverse.
    fn suit_kind(&self, kind: Kind) -> Result<(), elman::Error> {
        let recurrent = [
            ("--cell", self.cell.is_some()),
            ("--dropout-recurrent", self.dropout_recurrent.is_some()),
            ("--zoneout", self.zoneout.is_some()),
            ("--variational", self.variational),
            ("--recompute", self.recompute),
        ];
        let (other, what) = match kind {
            Kind::Recurrent => (&[("--heads", self.heads.is_some())][..], "is for transformers (--model transformer)"),
            Kind::Transformer => (&recurrent[..], "is for recurrent layers, and the model is a transformer"),
        };
        match other.iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(elman::Error::Refused(format!("{flag} {what}: leave it out"))),
            None => Ok(()),
        }
    }

    /// Refuses flags that say nothing of the data there is.
    ///
    /// # Errors
    /// The first flag that is for texts, where the data is made, or for made data, where it is a text.
    fn suit_data(&self, c: &Config) -> Result<(), elman::Error> {
        let made = c.made()?;
        let text = [
            ("--valid", self.valid.is_some()),
            ("--test", self.test.is_some()),
            ("--encoding", self.encoding.is_some()),
            ("--unit", self.unit.is_some()),
            ("--min-count", self.min_count.is_some()),
            ("--vocab-size", self.vocab_size.is_some()),
            ("--vocab-limit", self.vocab_limit.is_some()),
            ("--steps", self.steps.is_some()),
        ];
        let only_made = [("--epoch-steps", self.epoch_steps.is_some()), ("--held-out", self.held_out.is_some())];
        let symbols = [
            ("--embedding", self.embedding.is_some()),
            ("--tied", self.tied),
            ("--dropout-embedding", self.dropout_embedding.is_some()),
        ];
        let first = |flags: &[(&'static str, bool)]| flags.iter().find(|(_, given)| *given).map(|(name, _)| *name);
        let refuse = |flag: &str, message: &str| Err(elman::Error::Refused(format!("{flag} {message}: leave it out")));
        let numbers = made.as_ref().is_some_and(|made| made.form() != Form::Symbols);
        match (made.is_some(), first(&text), first(&only_made), first(&symbols)) {
            (true, Some(flag), _, _) => refuse(flag, "is for texts, and says nothing of made data (synth:…)"),
            (false, _, Some(flag), _) => refuse(flag, "is for made data (--data synth:…)"),
            (true, _, _, Some(flag)) if numbers => refuse(flag, "is for symbols, and this made data is of numbers"),
            _ => Ok(()),
        }
    }
}
