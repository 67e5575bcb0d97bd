//! Diagnostics as text: the source line, carets under the span, labels, hint.

use std::fmt::Write;

use super::report::hidden;
use super::{Diagnostic, Severity};
use crate::cell::Span;

/// Diagnostics printed before the count.
pub(super) const MOST: usize = 20;
/// Bytes of a whole rendering.
const BYTES: usize = 16 * 1024;
/// Characters of a source line that are shown.
const WIDTH: usize = 100;
/// Characters shown before the span where a line is cut.
const BEFORE: usize = 40;

/// The whole text for a terminal.
pub(super) fn render(list: &[Diagnostic], file_name: &str, source: &str) -> String {
    let file_name: String = file_name.chars().take(200).map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect();
    let mut out = String::new();
    let mut shown = 0;
    for diagnostic in list.iter().take(MOST) {
        let text = one(diagnostic, &file_name, source);
        if out.len() + text.len() > BYTES - 200 {
            break;
        }
        if shown > 0 {
            out.push('\n');
        }
        out.push_str(&text);
        shown += 1;
    }
    let left = &list[shown..];
    if !left.is_empty() {
        let errors = left.iter().filter(|d| d.severity == Severity::Error).count();
        let _ = writeln!(out, "\nand {} more ({} of them errors)", left.len(), errors);
    }
    out
}

fn one(d: &Diagnostic, file_name: &str, source: &str) -> String {
    let mut out = format!("{}[{}]: {}\n", d.severity, d.code, d.message);
    let most = d.labels.iter().map(|l| l.line).max().unwrap_or(0).max(d.line);
    let margin = most.to_string().len();
    if d.line > 0 {
        let _ = writeln!(out, "{:margin$}--> {}:{}:{}", "", file_name, d.line, d.column);
        let _ = writeln!(out, "{:margin$} |", "");
        excerpt(&mut out, source, d.span, d.line, margin, '^', "");
    }
    for label in d.labels.iter().take(6) {
        excerpt(&mut out, source, label.span, label.line, margin, '-', &label.message);
    }
    if let Some(hint) = &d.hint {
        let _ = writeln!(out, "{:margin$} = hint: {}", "", hint);
    }
    out
}

/// One source line with a line of marks below it.
fn excerpt(out: &mut String, source: &str, span: Span, line: usize, margin: usize, mark: char, message: &str) {
    let start = source[..span.start].rfind('\n').map_or(0, |i| i + 1);
    let end = source[span.start..].find('\n').map_or(source.len(), |i| span.start + i);
    let column = source[start..span.start].chars().count();
    let marked = source[span.start..span.end.min(end).max(span.start)].chars().take(WIDTH).count().max(1);
    let skip = if column + marked > WIDTH { column.saturating_sub(BEFORE) } else { 0 };
    let text: String = source[start..end].trim_end_matches('\r').chars().skip(skip).take(WIDTH).map(visible).collect();
    let cut = source[start..end].chars().skip(skip).nth(WIDTH).is_some();
    let (before, after) = (if skip > 0 { "…" } else { "" }, if cut { "…" } else { "" });
    let _ = writeln!(out, "{line:>margin$} | {before}{text}{after}");
    let at = column - skip + before.chars().count();
    let marks: String = std::iter::repeat_n(mark, marked.min(WIDTH - (column - skip).min(WIDTH - 1))).collect();
    let space = if message.is_empty() { "" } else { " " };
    let _ = writeln!(out, "{:margin$} | {:at$}{marks}{space}{message}", "", "");
}

/// A source character that keeps its column and cannot move the cursor.
fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        c if hidden(c) => '\u{fffd}',
        c => c,
    }
}
