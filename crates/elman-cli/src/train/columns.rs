//! Flags that name the columns of a table.

use clap::Args;
use elman::task::settings::Data;

/// What is read, and what it is.
#[derive(Args)]
pub struct TextAndLabel {
    /// The column of what is read (texts, names of WAV files), by name or number; classify takes more than one with commas between [default: the one with the longest texts]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    text: Option<String>,
    /// The column of what it is (labels, what is said), by name or number [default: the one whose few values repeat]
    #[arg(long, value_name = "COLUMN", help_heading = "Data")]
    label: Option<String>,
}

/// What is read, and what belongs to it.
#[derive(Args)]
pub struct SourceAndTarget {
    /// The column of what is translated, or of the query, by name or number [default: the first text]
    #[arg(long, visible_alias = "query", value_name = "COLUMN", help_heading = "Data")]
    source: Option<String>,
    /// The column of what it becomes, or of the document, by name or number [default: the second text]
    #[arg(long, visible_alias = "document", value_name = "COLUMN", help_heading = "Data")]
    target: Option<String>,
}

impl TextAndLabel {
    /// Writes what is named into the settings.
    pub fn apply(&self, data: &mut Data) {
        named(&self.text, &mut data.text);
        named(&self.label, &mut data.label);
    }
}

impl SourceAndTarget {
    /// Writes what is named into the settings.
    pub fn apply(&self, data: &mut Data) {
        named(&self.source, &mut data.source);
        named(&self.target, &mut data.target);
    }
}

fn named(column: &Option<String>, setting: &mut Option<String>) {
    if column.is_some() {
        setting.clone_from(column);
    }
}
