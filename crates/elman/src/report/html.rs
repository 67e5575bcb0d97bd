//! Text, tables and the look of a page.

use super::{Picture, Sample};
use std::fmt::Write;

/// `text` with what HTML and XML would take for their own replaced; characters that XML forbids become U+FFFD.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(c),
            '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

pub(super) fn heading(title: &str) -> String {
    format!("<h2>{}</h2>\n", escape(title))
}

/// A table; cells that are numbers stand to the right. Rows are filled up or cut to the head.
pub(super) fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let mut out = String::from("<div class=\"wide\"><table>\n<thead><tr>");
    for name in head {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escape(name));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for column in 0..head.len() {
            let cell = row.get(column).map_or("", String::as_str);
            out.push_str(&match column {
                0 => format!("<th scope=\"row\">{}</th>", escape(cell)),
                _ if is_number(cell) => format!("<td class=\"number\">{}</td>", escape(cell)),
                _ => format!("<td>{}</td>", escape(cell)),
            });
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
    out
}

fn is_number(cell: &str) -> bool {
    cell.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '−' | '–'))
}

/// What was read, wanted and given; where the last two differ the row says so in words and in colour.
pub(super) fn samples(names: &[String; 3], samples: &[Sample]) -> String {
    let known = samples.iter().any(|s| s.wanted.is_some());
    let [read, wanted, given] = names.each_ref().map(|name| format!("<th scope=\"col\">{}</th>", escape(name)));
    let head = if known { read + &wanted + &given + "<th scope=\"col\"></th>" } else { read + &given };
    let mut out = format!("<div class=\"wide\"><table class=\"samples\">\n<thead><tr>{head}</tr></thead>\n<tbody>\n");
    for s in samples {
        let (class, verdict) = match &s.wanted {
            Some(wanted) if *wanted == s.given => ("right", "right"),
            Some(_) => ("wrong", "differs"),
            None => ("", ""),
        };
        let picture = s.picture.as_ref().map_or(String::new(), Picture::to_html);
        let cell = |text: &str| format!("<td>{}</td>", escape(text));
        let mut row = format!("<tr class=\"{class}\"><td>{picture}{}</td>", escape(&s.input));
        if known {
            row += &cell(s.wanted.as_deref().unwrap_or(""));
        }
        row += &cell(&s.given);
        if known {
            let _ = write!(row, "<td class=\"verdict\">{verdict}</td>");
        }
        out += &(row + "</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
    out
}

/// The look, light and dark. The six colours of lines are told apart by the colour-blind too (Okabe & Ito 2008).
pub(super) fn style() -> &'static str {
    "
:root { color-scheme: light dark; --ink: #1c1c1c; --paper: #fdfdfc; --faint: #6a6a6a; --line: #d9d9d6; --heat: #0072b2;
  --bad: #b03a00; --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #a8548a; --c4: #8a7000; --c5: #3f8fbf; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e3; --paper: #17181a; --faint: #a0a09c; --line: #3a3b3e;
  --heat: #56b4e9; --bad: #ff9a66; --c0: #56b4e9; --c1: #ff8a3d; --c2: #2fc79b; --c3: #dd8fc0; --c4: #e0c030;
  --c5: #9fd3f2; } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 0.6rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { color: var(--faint); font-weight: 600; } tbody th { font-weight: 500; } .number { text-align: right; }
.samples td { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 4rem; }
.samples img { width: 6rem; image-rendering: pixelated; display: block; }
.verdict { color: var(--faint); } .wrong .samples img { width: 6rem; image-rendering: pixelated; display: block; }
.verdict { color: var(--bad); font-weight: 600; }
svg { max-width: 100%; height: auto; display: block; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .faint { fill: var(--faint); } .axis { stroke: var(--faint); stroke-width: 1; } .grid { stroke: var(--line); stroke-width: 1; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; } .bar { fill: var(--c0); } .bar.beyond { fill: var(--c1); } .cell { fill: var(--heat); }
.frame { fill: none; stroke: var(--line); stroke-width: 1; }
.c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); } .c3 { stroke: var(--c3); }
.c4 { stroke: var(--c4); } .c5 { stroke: var(--c5); }
"
}
