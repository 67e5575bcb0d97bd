//! `report.html`: what a run came to, on one page that needs nothing else – no script, no network; pictures are inline SVG.
//!
//! The same sections give the same bytes. All that comes from files is escaped; the page is well-formed XML too.
//!
//! ```
//! use elman::report::{Report, Sample, Section};
//!
//! let samples = vec![Sample { wanted: Some("yes".into()), ..Sample::of("2 < 3", "yes") }];
//! let samples = Section::samples("Samples", ["read", "wanted", "given"], samples);
//! let report = Report { title: "A run".into(), sections: vec![samples] };
//! assert!(report.to_html().contains("2 &lt; 3"));
//! ```

mod classes;
mod curves;
mod heat;
mod html;
mod picture;
mod plot;
#[cfg(test)]
mod tests;

pub use curves::{Curves, Line, best_of, curves_of};
pub use html::escape;
pub use picture::Picture;

use crate::metrics::by_length::Bin;
use html::{heading, style};
use std::path::Path;

/// The name of the page in the folder of a run.
pub const REPORT: &str = "report.html";

/// The name of a run's page: of its own data, or of figures on another file, which leave its own page as it is.
pub fn page_of(file: Option<&str>) -> String {
    let Some(file) = file else { return REPORT.into() };
    let name = Path::new(file).file_name().map_or(file.into(), std::ffi::OsStr::to_string_lossy);
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    format!("report-{}.html", name.chars().map(plain).collect::<String>())
}

/// The name of a file without its folders, for a page that is shown to others.
pub fn last_of(file: &str) -> String {
    Path::new(file).file_name().map_or(file.into(), |name| name.to_string_lossy().into_owned())
}

/// A page.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Its heading.
    pub title: String,
    /// From top to bottom.
    pub sections: Vec<Section>,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq)]
pub enum Section {
    /// Words.
    Text {
        /// The heading.
        title: String,
        /// One after the other.
        paragraphs: Vec<String>,
    },
    /// Lines over steps, epochs or seconds.
    Curves(Curves),
    /// Figures in rows; the first column holds names.
    Table {
        /// The heading.
        title: String,
        /// A name a column.
        head: Vec<String>,
        /// As many cells each as there are names.
        rows: Vec<Vec<String>>,
    },
    /// Which class is taken for which; shaded by the share of the row.
    Confusion {
        /// The heading.
        title: String,
        /// The classes.
        names: Vec<String>,
        /// Examples by wanted class (row) and given class (column).
        counts: Vec<Vec<usize>>,
    },
    /// What each token written looked at.
    Alignment {
        /// The heading.
        title: String,
        /// Tokens read, from left to right.
        read: Vec<String>,
        /// Tokens written, from top to bottom.
        written: Vec<String>,
        /// A row for each token written: a weight from 0 to 1 for each token read.
        weights: Vec<Vec<f64>>,
    },
    /// Examples and what the model makes of them.
    Samples {
        /// The heading.
        title: String,
        /// What is read, wanted and given is called.
        names: [String; 3],
        /// In the order in which they are shown.
        samples: Vec<Sample>,
    },
    /// A metric against length.
    ByLength {
        /// The heading.
        title: String,
        /// What is measured, with its unit: `accuracy, %`.
        metric: String,
        /// What length counts: `words`.
        unit: String,
        /// The longest training example; what is longer is marked.
        trained: Option<usize>,
        /// Ascending.
        bins: Vec<Bin>,
    },
}

/// An example and what the model makes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// What the model reads.
    pub input: String,
    /// What it should say, if that is known.
    pub wanted: Option<String>,
    /// What it says.
    pub given: String,
    /// What the model sees, if it is a picture.
    pub picture: Option<Picture>,
}

impl Sample {
    /// What was read and what is said of it; what is wanted is not known.
    pub fn of(input: impl Into<String>, given: impl Into<String>) -> Sample {
        Sample { input: input.into(), wanted: None, given: given.into(), picture: None }
    }
}

impl Report {
    /// The page.
    pub fn to_html(&self) -> String {
        let title = escape(&self.title);
        let sections: String = self.sections.iter().map(Section::to_html).collect();
        format!(
            "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n\
             <meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width\"/>\n\
             <title>{title}</title>\n<style>{}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{sections}</body>\n</html>\n",
            style()
        )
    }
}

impl Section {
    /// A table.
    pub fn table(title: &str, head: &[&str], rows: Vec<Vec<String>>) -> Section {
        Section::Table { title: title.into(), head: head.iter().map(|h| h.to_string()).collect(), rows }
    }

    /// Samples, with the names of what is read, wanted and given.
    pub fn samples(title: &str, names: [&str; 3], samples: Vec<Sample>) -> Section {
        Section::Samples { title: title.into(), names: names.map(String::from), samples }
    }

    fn to_html(&self) -> String {
        let (title, body) = match self {
            Section::Text { title, paragraphs } => {
                (title, paragraphs.iter().map(|p| format!("<p>{}</p>\n", escape(p))).collect())
            }
            Section::Curves(curves) => (&curves.title, curves.to_html()),
            Section::Table { title, head, rows } => (title, html::table(head, rows)),
            Section::Confusion { title, names, counts } => (title, heat::confusion(names, counts)),
            Section::Alignment { title, read, written, weights } => (title, heat::alignment(read, written, weights)),
            Section::Samples { title, names, samples } => (title, html::samples(names, samples)),
            Section::ByLength { title, metric, unit, trained, bins } => {
                (title, plot::bars(metric, unit, *trained, bins))
            }
        };
        format!("<section>\n{}{body}</section>\n", heading(title))
    }
}
