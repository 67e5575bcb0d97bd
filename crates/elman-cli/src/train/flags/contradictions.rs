//! Flags that the rule or the schedule would not look at: refused, so that nobody believes they had an effect. A file of
//! settings may hold all of them at once.

use super::Flags;
use elman::run::Config;
use elman::run::config::RuleName::{Adam, Adamw, NtAsgd, Rmsprop};
use elman::run::config::ScheduleName::{Plateau, Step};

impl Flags {
    /// Checks the flags that are given against the settings they became part of.
    ///
    /// # Errors
    /// The first flag that would have no effect, and what it needs.
    pub fn check(&self, c: &Config) -> Result<(), elman::Error> {
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
}
