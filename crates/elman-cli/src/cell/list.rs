//! `elman cell list`

use crate::outcome::Outcome;
use clap::Args;
use std::fmt::Write;

/// Arguments of `elman cell list`.
#[derive(Args)]
#[command(after_help = "Example:\n  elman cell list")]
pub struct Arguments {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// Lists the built-in cells.
    pub fn run(self) -> Result<Outcome, elman::Error> {
        let cells = elman::cell_list::built_in()?;
        if self.json {
            return Outcome::json(&cells);
        }
        let width = cells.iter().map(|c| c.name.len()).max().unwrap_or(0);
        let mut text = String::new();
        for cell in &cells {
            let _ = writeln!(text, "{:width$}  {}", cell.name, cell.about);
            let _ = writeln!(text, "{:width$}  {}", "", cell.parameters);
        }
        Ok(Outcome::good(text))
    }
}
