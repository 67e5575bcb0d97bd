//! Matrices as shaded cells: confusions and alignments.

use super::html::escape;
use std::fmt::Write;

/// Pixels of a cell of an alignment.
const CELL: f64 = 22.0;
/// The narrowest it becomes where there are many columns.
const NARROW: f64 = 5.0;
/// Pixels of all columns, if they are not too many.
const WIDTH: f64 = 880.0;
/// Pixels of a letter of a token, about.
const LETTER: f64 = 7.2;
/// Weights below are not seen.
const FAINTEST: f64 = 0.005;
/// Letters of a token that are shown.
const SHOWN: usize = 24;

/// A table of counts, a cell shaded by its share of its row.
pub(super) fn confusion(names: &[String], counts: &[Vec<usize>]) -> String {
    let mut out =
        String::from("<p>A row is what was wanted, a column what was given.</p>\n<div class=\"wide\"><table>\n");
    out.push_str("<thead><tr><th scope=\"col\">wanted</th>");
    for name in names {
        let _ = write!(out, "<th scope=\"col\" class=\"number\">{}</th>", escape(name));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for (name, row) in names.iter().zip(counts) {
        let all = row.iter().fold(0usize, |sum, c| sum.saturating_add(*c)).max(1);
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escape(name));
        for count in row.iter().take(names.len()) {
            // Not so dark that the number is lost.
            let percent = 70.0 * *count as f64 / all as f64;
            let _ = write!(
                out,
                "<td class=\"number\" style=\"background: color-mix(in srgb, var(--heat) {percent:.0}%, transparent)\">\
                 {count}</td>"
            );
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
    out
}

/// What each token written (a row) looked at (a column). Columns and rows without a name are drawn all the same.
pub(super) fn alignment(read: &[String], written: &[String], weights: &[Vec<f64>]) -> String {
    let longest = |tokens: &[String]| tokens.iter().map(|t| t.chars().count().min(SHOWN)).max().unwrap_or(0) as f64;
    let (left, top) = (longest(written) * LETTER + 14.0, longest(read) * LETTER * 0.75 + 16.0);
    let wide = (WIDTH / read.len().max(1) as f64).clamp(NARROW, CELL);
    let (w, h) = (left + wide * read.len() as f64 + top, top + CELL * written.len() as f64 + 4.0);
    let mut out = format!(
        "<div class=\"wide\"><svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w:.0} {h:.0}\" width=\"{w:.0}\" \
         height=\"{h:.0}\" role=\"img\" aria-label=\"what each written token looked at\">\n"
    );
    for (k, token) in read.iter().enumerate().filter(|(_, token)| !token.is_empty()) {
        let (x, y) = (left + wide * (k as f64 + 0.6), top - 6.0);
        let _ = writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" transform=\"rotate(-45 {x:.1} {y:.1})\">{}</text>",
            cut(token)
        );
    }
    for (r, token) in written.iter().enumerate() {
        let y = top + CELL * r as f64;
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            left - 6.0,
            y + CELL * 0.7,
            cut(token)
        );
        for (k, source) in read.iter().enumerate() {
            let weight = weights.get(r).and_then(|row| row.get(k)).copied().unwrap_or(0.0);
            let weight = if weight.is_finite() { weight.clamp(0.0, 1.0) } else { 0.0 };
            if weight < FAINTEST {
                continue;
            }
            let _ = writeln!(
                out,
                "<rect class=\"cell\" x=\"{:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{CELL}\" \
                 fill-opacity=\"{weight:.3}\"><title>{} ← {}: {weight:.3}</title></rect>",
                left + wide * k as f64,
                escape(token),
                if source.is_empty() { (k + 1).to_string() } else { escape(source) }
            );
        }
    }
    let (width, height) = (wide * read.len() as f64, CELL * written.len() as f64);
    let _ = writeln!(
        out,
        "<rect class=\"frame\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>\n</svg></div>"
    );
    out
}

/// The beginning of a long token.
fn cut(token: &str) -> String {
    match token.chars().count() {
        n if n <= SHOWN => escape(token),
        _ => escape(&token.chars().take(SHOWN - 1).chain(['…']).collect::<String>()),
    }
}
