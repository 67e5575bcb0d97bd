//! Collects diagnostics while a text is read and checked: turns spans into lines and columns, keeps within limits.

use super::{Diagnostic, Diagnostics, Label, Severity};
use crate::cell::Span;
use crate::dim::{Dim, Sizes};

/// Diagnostics kept with all details; a text that has more of them is told of these.
const KEPT: usize = 200;
/// Bytes of a message or hint.
const LONGEST: usize = 300;

/// The diagnostics of one text, as they are met.
pub(crate) struct Report<'s> {
    source: &'s str,
    line_starts: Vec<usize>,
    list: Vec<Diagnostic>,
    errors: usize,
    /// How many of `list` are errors, warnings and notes.
    kept: [usize; 3],
    /// The sizes of this use, if they are given: messages tell them.
    sizes: Option<Sizes>,
}

impl<'s> Report<'s> {
    /// An empty report on `source`.
    pub fn new(source: &'s str) -> Self {
        let mut line_starts = vec![0];
        line_starts.extend(source.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1));
        Report { source, line_starts, list: Vec::new(), errors: 0, kept: [0; 3], sizes: None }
    }

    /// The same, telling every dimension at these sizes.
    pub fn at(self, sizes: Option<Sizes>) -> Self {
        Report { sizes, ..self }
    }

    /// A dimension as a message tells it: `hidden + input`, and where sizes are given `hidden + input = 12`.
    pub fn units(&self, dim: Dim) -> String {
        self.sizes.map_or_else(|| dim.to_string(), |sizes| with_size(dim, sizes))
    }

    /// The line of a byte, from 1.
    pub fn line(&self, byte: usize) -> usize {
        self.line_starts.partition_point(|&start| start <= byte)
    }

    /// Errors so far.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Whether further details (hints by nearest name, say) are still worth computing.
    pub fn has_room(&self) -> bool {
        self.list.len() < KEPT
    }

    /// Adds an error.
    pub fn error(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Entry<'_, 's> {
        self.errors += 1;
        self.add(Severity::Error, code, span, message.into())
    }

    /// Adds a warning.
    pub fn warning(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Entry<'_, 's> {
        self.add(Severity::Warning, code, span, message.into())
    }

    /// Adds a note.
    pub fn note(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Entry<'_, 's> {
        self.add(Severity::Note, code, span, message.into())
    }

    fn add(&mut self, severity: Severity, code: &'static str, span: Span, message: String) -> Entry<'_, 's> {
        if self.list.len() >= KEPT {
            // An error is never crowded out by what weighs less.
            let lesser = self.kept[severity as usize + 1..].iter().any(|&n| n > 0);
            let worst = if lesser { self.list.iter().rposition(|d| d.severity > severity) } else { None };
            let Some(worst) = worst else { return Entry { report: self, at: None } };
            let dropped = self.list.remove(worst);
            self.kept[dropped.severity as usize] -= 1;
        }
        self.kept[severity as usize] += 1;
        let span = self.within(span);
        let line = self.line(span.start);
        let column = self.source[self.line_starts[line - 1]..span.start].chars().count() + 1;
        let message = clean(&message);
        self.list.push(Diagnostic { code, severity, line, column, span, message, hint: None, labels: Vec::new() });
        let at = Some(self.list.len() - 1);
        Entry { report: self, at }
    }

    /// A span cut to the source and to character boundaries.
    fn within(&self, span: Span) -> Span {
        let floor = |mut i: usize| {
            i = i.min(self.source.len());
            while !self.source.is_char_boundary(i) {
                i -= 1;
            }
            i
        };
        let start = floor(span.start);
        Span { start, end: floor(span.end).max(start) }
    }

    /// All of them, in order.
    pub fn finish(mut self) -> Diagnostics {
        self.list.iter_mut().for_each(name_other_lines);
        self.list.sort_by_key(|d| (d.severity, d.span.start));
        Diagnostics(self.list)
    }
}

/// A diagnostic just added, for its hint and labels.
pub(crate) struct Entry<'r, 's> {
    report: &'r mut Report<'s>,
    at: Option<usize>,
}

impl Entry<'_, '_> {
    /// Says what to write instead.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        if let Some(i) = self.at {
            self.report.list[i].hint = Some(clean(&hint.into()));
        }
        self
    }

    /// Points at another place.
    pub fn label(self, span: Span, message: impl Into<String>) -> Self {
        if let Some(i) = self.at {
            let span = self.report.within(span);
            let line = self.report.line(span.start);
            self.report.list[i].labels.push(Label { span, line, message: clean(&message.into()) });
        }
        self
    }
}

/// Names the lines that labels point at in the hint, where nothing else names them: not every form shows labels.
fn name_other_lines(d: &mut Diagnostic) {
    let mut hint = d.hint.take().unwrap_or_default();
    for label in d.labels.iter().filter(|l| l.line != d.line) {
        let line = format!("line {}", label.line);
        let named = |text: &str| {
            text.match_indices(&line).any(|(i, _)| !text[i + line.len()..].starts_with(|c: char| c.is_ascii_digit()))
        };
        if !named(&d.message) && !named(&hint) {
            let gap = if hint.is_empty() { "" } else { "; " };
            hint = format!("{hint}{gap}{line}: {}", label.message);
        }
    }
    d.hint = (!hint.is_empty()).then(|| clean(&hint));
}

/// `hidden + input = 12`, or `64`.
pub(crate) fn with_size(dim: Dim, sizes: Sizes) -> String {
    let size = dim.checked_at(sizes).map_or("too large".to_string(), |n| n.to_string());
    let text = dim.to_string();
    if text == size { text } else { format!("{text} = {size}") }
}

/// A message without control characters, cut to its limit.
fn clean(message: &str) -> String {
    let mut out = String::with_capacity(message.len().min(LONGEST));
    for c in message.chars() {
        let before = out.len();
        push_escaped(&mut out, c);
        if out.len() > LONGEST - 4 {
            out.truncate(before);
            out.push('…');
            break;
        }
    }
    out
}

/// Adds a character, or its escape where a terminal would obey or hide it.
fn push_escaped(out: &mut String, c: char) {
    if hidden(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
}

/// Characters that a terminal obeys, or that do not show: controls, direction marks, zero-width ones.
pub(super) fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A piece of source as it stands in a message: in backticks, on one line, at most 40 characters.
pub(crate) fn quote(source: &str, span: Span) -> String {
    let text = source.get(span.start..span.end).unwrap_or("");
    let mut out = String::from("`");
    let mut shown = 0;
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() {
            gap = shown > 0;
            continue;
        }
        if shown >= 40 {
            out.push('…');
            break;
        }
        if gap {
            out.push(' ');
        }
        gap = false;
        push_escaped(&mut out, c);
        shown += 1;
    }
    out.push('`');
    out
}
