//! `elman resume`

use crate::outcome::Outcome;
use crate::values::Machine;
use crate::watch::{self, Watch};
use crate::watch_task::WatchTask;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `elman resume`.
#[derive(Args)]
#[command(
    after_help = "Example:\n  elman resume runs/readme\n\nThe result has the same bits as if the run had never stopped. To train longer, raise train.epochs in its config.toml first."
)]
pub struct Arguments {
    /// The run's folder
    #[arg(value_name = "DIR")]
    run: PathBuf,
    /// Go on from the checkpoint before the last
    #[arg(long)]
    previous: bool,
    #[command(flatten)]
    machine: Machine,
}

impl Arguments {
    /// Goes on.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        let machine = elman::train::Machine { threads: self.machine.threads(), isa: self.machine.isa()? };
        let stop = watch::stop_on_interrupt(Some(&self.run))?;
        if elman::task::is_one(&self.run) {
            let mut watch = WatchTask::new(String::new());
            let show = &mut |event: elman::task::Event| watch.show(&event);
            let ended = elman::task::resume(&self.run, self.previous, machine, show, stop);
            watch.close();
            return Ok(WatchTask::ended(ended?, &self.run));
        }
        let mut watch = Watch::new(String::new());
        let show = &mut |event: elman::train::Event| watch.show(&event);
        let ended = elman::train::resume(&self.run, self.previous, machine, show, stop);
        watch.close();
        Ok(watch.ended(ended?, &self.run))
    }
}
