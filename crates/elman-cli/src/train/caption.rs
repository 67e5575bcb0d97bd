//! `elman train caption`

use super::common::{Common, set};
use crate::outcome::Outcome;
use crate::values::{few, size};
use clap::Args;
use elman::task::settings::TaskName;

/// Arguments of `elman train caption`.
#[derive(Args)]
#[command(
    args_override_self = true,
    allow_negative_numbers = true,
    after_help = "Example:\n  elman train caption --data images.idx4.gz --captions names.tsv --text en --out runs/names\n\nPictures are an idx file or a folder of PNG (in the order of their names); captions are a table with a row for each."
)]
pub struct Caption {
    /// Tables of captions, beside the pictures of --data, --valid and --test, in this order
    #[arg(
        long,
        value_name = "FILES",
        value_delimiter = ',',
        required_unless_present = "config",
        help_heading = "Data"
    )]
    captions: Vec<String>,
    /// The column of the caption, by name or number [default: the one with the longest texts]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    text: Option<String>,
    /// Pixels of a side of the patches that a picture is cut into [default: 4]
    #[arg(long, value_name = "N", value_parser = size, help_heading = "Model")]
    patch: Option<usize>,
    /// Layers that look at the patches around each [default: 2]
    #[arg(long, value_name = "N", value_parser = few, help_heading = "Model")]
    convolutions: Option<usize>,
    /// Captions that are followed at once [default: 4]
    #[arg(long, value_name = "N", value_parser = few, help_heading = "Model")]
    beam: Option<usize>,
    #[command(flatten)]
    common: Common,
}

impl Caption {
    /// Trains.
    pub fn run(&self) -> Result<Outcome, elman::Error> {
        let mut s = self.common.settings(TaskName::Caption)?;
        if self.text.is_some() {
            s.data.text.clone_from(&self.text);
        }
        if !self.captions.is_empty() {
            s.data.beside.clone_from(&self.captions);
        }
        let m = &mut s.model;
        set! { self.patch => m.patch, self.convolutions => m.convolutions, self.beam => m.beam }
        self.common.train(s)
    }
}
