//! Lines over steps, epochs or seconds.

use super::html::escape;
use super::plot::{Scale, across, bottom_axis, left_axis, picture, short, up};
use serde_json::Value;
use std::fmt::Write;

/// Colours that the style knows.
const COLOURS: usize = 6;

/// Lines in one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Curves {
    /// The heading.
    pub title: String,
    /// What goes from left to right, with its unit.
    pub across: String,
    /// What goes upwards, with its unit.
    pub up: String,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// In the order in which they are joined; points that are no numbers leave a gap.
    pub points: Vec<(f64, f64)>,
}

/// The learning curves in the text of `metrics.jsonl`: both losses in one picture, every other `valid_…` figure, or figure
/// within `valid`, in its own. Lines that are no JSON objects, such as one that a killed run left half written, are passed over.
pub fn curves_of(metrics: &str) -> Vec<Curves> {
    let rows: Vec<Value> = metrics
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(Value::is_object)
        .map(spread)
        .collect();
    let line = |key: &str, name: &str| {
        let number = |row: &Value, key: &str| row.get(key).and_then(Value::as_f64);
        let point = |row: &Value| Some((number(row, "step")?, number(row, key).unwrap_or(f64::NAN)));
        let points: Vec<(f64, f64)> = rows.iter().filter_map(point).collect();
        let any = points.iter().any(|(_, y)| y.is_finite());
        any.then(|| Line { name: name.into(), points })
    };
    let curves =
        |title: String, up: String, lines: Vec<Line>| Curves { title, across: "training steps".into(), up, lines };
    let losses: Vec<Line> =
        [("train_loss", "training"), ("valid_loss", "validation")].iter().filter_map(|(k, n)| line(k, n)).collect();
    let mut found = Vec::new();
    if !losses.is_empty() {
        found.push(curves("Loss".into(), "loss".into(), losses));
    }
    let mut keys: Vec<&str> =
        rows.iter().filter_map(Value::as_object).flat_map(|r| r.keys().map(String::as_str)).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys.into_iter().filter(|k| *k != "valid_loss") {
        let Some(name) = key.strip_prefix("valid_").map(|name| name.replace('_', " ")) else { continue };
        if let Some(line) = line(key, "validation") {
            let mut letters = name.chars();
            let title = letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default();
            found.push(curves(title, name, vec![line]));
        }
    }
    found
}

/// The last row of `metrics.jsonl` that was the best so far.
pub fn best_of(metrics: &str) -> Option<Value> {
    let mut rows = metrics.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    rows.find(|row| row["improved"] == true)
}

/// A row with the figures of its `valid` as `valid_…`.
fn spread(mut row: Value) -> Value {
    if let Some(Value::Object(valid)) = row.get_mut("valid").map(Value::take) {
        valid.into_iter().for_each(|(name, figure)| row[format!("valid_{name}")] = figure);
    }
    row
}

impl Curves {
    pub(super) fn to_html(&self) -> String {
        let points = || self.lines.iter().flat_map(|l| &l.points).filter(|p| is_point(p));
        let scales = (Scale::around(points().map(|p| p.0)), Scale::around(points().map(|p| p.1)));
        let (Some(x), Some(y)) = scales else { return "<p>There are no points.</p>\n".into() };
        let mut out = left_axis(&y, &self.up) + &bottom_axis(&x, &self.across);
        for (k, line) in self.lines.iter().enumerate() {
            let colour = k % COLOURS;
            for piece in line.points.split(|p| !is_point(p)).filter(|piece| !piece.is_empty()) {
                let place = |p: &(f64, f64)| format!("{:.1},{:.1}", across(x.share(p.0)), up(y.share(p.1)));
                // A point without neighbours is drawn twice, so that a round end shows it.
                let places: Vec<String> =
                    piece.iter().chain(piece.last().filter(|_| piece.len() == 1)).map(place).collect();
                let _ = writeln!(
                    out,
                    "<polyline class=\"curve c{colour}\" stroke-linecap=\"round\" points=\"{}\"/>",
                    places.join(" ")
                );
            }
            let row = up(1.0) + 10.0 + 17.0 * k as f64;
            let last = line.points.iter().rev().find(|p| is_point(p)).map_or(String::new(), |p| short(p.1));
            let _ = writeln!(
                out,
                "<line class=\"curve c{colour}\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{row:.1}\" y2=\"{row:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}, last {last}</text>",
                across(0.7),
                across(0.7) + 22.0,
                across(0.7) + 28.0,
                row + 4.0,
                escape(&line.name)
            );
        }
        picture(&format!("{} over {}", self.up, self.across), &out)
    }
}

fn is_point(p: &(f64, f64)) -> bool {
    p.0.is_finite() && p.1.is_finite()
}
