//! Axes with round numbers, and bars on them. Coordinates are pixels of the picture, to a tenth.

use super::html::escape;
use crate::metrics::by_length::Bin;
use std::fmt::Write;

/// Pixels of a picture.
pub(super) const SIZE: (f64, f64) = (720.0, 300.0);
/// What is left free for numbers and names: left, top, right, bottom.
pub(super) const MARGIN: (f64, f64, f64, f64) = (64.0, 14.0, 16.0, 48.0);
/// Numbers on an axis, about.
const TICKS: f64 = 5.0;

/// A range of numbers and the round numbers in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    /// From a round number below all of `values` to one above; `None` if not one is finite.
    pub fn around(values: impl Iterator<Item = f64>) -> Option<Scale> {
        let (low, high) = values
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (v.min(low), v.max(high)));
        if low > high {
            return None;
        }
        let span = if high > low { high - low } else { high.abs().max(1.0) };
        let power = 10f64.powf((span / TICKS).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|s| s * power).into_iter().find(|s| span / s <= TICKS).unwrap_or(span);
        // A span that overflows, or that is lost against its numbers, has no round numbers.
        if !(step.is_finite() && step > 0.0) || low + step == low || high - step == high {
            return Some(Scale { low: low - 0.5, high: low + 0.5, step: 1.0 }).filter(|s| s.low < s.high);
        }
        let high = if high > low { high } else { low + step };
        Some(Scale { low: (low / step).floor() * step, high: (high / step).ceil() * step, step })
    }

    /// Where between its ends a value is, 0 to 1.
    pub fn share(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The round numbers.
    fn ticks(&self) -> Vec<f64> {
        let count = ((self.high - self.low) / self.step).round() as usize;
        (0..=count.min(4 * TICKS as usize)).map(|k| self.low + k as f64 * self.step).collect()
    }

    /// As many digits as tell neighbours apart.
    fn number(&self, value: f64) -> String {
        let digits = (-self.step.log10().floor()).clamp(0.0, 9.0) as usize;
        let near_zero = value.abs() < self.step / 2.0;
        match value.abs().max(self.step) {
            most if most >= 1e7 || self.step < 1e-9 => format!("{value:.2e}"),
            _ if near_zero => "0".into(),
            _ => format!("{value:.digits$}"),
        }
    }
}

/// The place of a share of the width.
pub(super) fn across(share: f64) -> f64 {
    MARGIN.0 + share * (SIZE.0 - MARGIN.0 - MARGIN.2)
}

/// The place of a share of the height, from below.
pub(super) fn up(share: f64) -> f64 {
    SIZE.1 - MARGIN.3 - share * (SIZE.1 - MARGIN.1 - MARGIN.3)
}

/// A picture around `inside`, with its name for those who do not see it.
pub(super) fn picture(name: &str, inside: &str) -> String {
    let ((w, h), name) = (SIZE, escape(name));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
         aria-label=\"{name}\">\n{inside}</svg>\n"
    )
}

/// Lines and numbers at the left.
pub(super) fn left_axis(scale: &Scale, name: &str) -> String {
    let mut out = String::new();
    let (begin, end) = (across(0.0), across(1.0));
    for tick in scale.ticks() {
        let y = up(scale.share(tick));
        let _ = writeln!(
            out,
            "<line class=\"grid\" x1=\"{begin:.1}\" x2=\"{end:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"faint\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            begin - 6.0,
            y + 4.0,
            scale.number(tick)
        );
    }
    let y = up(0.5);
    let _ = writeln!(
        out,
        "<text x=\"14\" y=\"{y:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 14 {y:.1})\">{}</text>",
        escape(name)
    );
    out
}

/// A line and numbers below.
pub(super) fn bottom_axis(scale: &Scale, name: &str) -> String {
    let mut out = String::new();
    for tick in scale.ticks() {
        let x = across(scale.share(tick));
        let _ = writeln!(
            out,
            "<text class=\"faint\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            up(0.0) + 17.0,
            scale.number(tick)
        );
    }
    out + &floor(name)
}

/// The line below and what it counts.
fn floor(name: &str) -> String {
    let (begin, end, y) = (across(0.0), across(1.0), up(0.0));
    format!(
        "<line class=\"axis\" x1=\"{begin:.1}\" x2=\"{end:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
        across(0.5),
        SIZE.1 - 8.0,
        escape(name)
    )
}

/// A bar for each bin of length, with its value; the number of examples stands below. Bins beyond `trained` have another
/// colour, and words say so.
pub(super) fn bars(metric: &str, unit: &str, trained: Option<usize>, bins: &[Bin]) -> String {
    let values = bins.iter().map(|b| b.value).chain([0.0]);
    let Some(scale) = Scale::around(values).filter(|_| !bins.is_empty()) else {
        return "<p>Nothing was measured.</p>\n".into();
    };
    let mut out = left_axis(&scale, metric);
    let slot = 1.0 / bins.len() as f64;
    let is_beyond = |bin: &Bin| trained.is_some_and(|longest| bin.shortest > longest);
    let zero = scale.share(0.0);
    for (k, bin) in bins.iter().enumerate().filter(|(_, b)| b.value.is_finite()) {
        let (left, right) = (across((k as f64 + 0.15) * slot), across((k as f64 + 0.85) * slot));
        let (low, high) = (zero.min(scale.share(bin.value)), zero.max(scale.share(bin.value)));
        let (x, top, height) = ((left + right) / 2.0, up(high), up(low) - up(high));
        let range = match (bin.shortest, bin.longest) {
            (a, b) if a == b => a.to_string(),
            (a, b) => format!("{a}–{b}"),
        };
        let _ = writeln!(
            out,
            "<rect class=\"{}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{height:.1}\">\
             <title>{range} {}: {} in {} examples</title></rect>\n\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n\
             <text class=\"faint\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{range}</text>",
            if is_beyond(bin) { "bar beyond" } else { "bar" },
            right - left,
            escape(unit),
            short(bin.value),
            bin.examples,
            top - 3.0,
            short(bin.value),
            up(0.0) + 17.0,
        );
    }
    out.push_str(&floor(&format!("length, {unit}")));
    let examples: Vec<String> = bins.iter().map(|b| b.examples.to_string()).collect();
    let mut below = format!("<p>Examples in each bin: {}.", examples.join(", "));
    if let Some(longest) = trained {
        let _ = write!(below, " The longest training example has {longest} {}", escape(unit));
        below += match bins.iter().filter(|b| is_beyond(b)).count() {
            0 => "; none here is longer.",
            1 => ": the bin in the other colour, at the right, lies beyond.",
            _ => ": the bins in the other colour, at the right, lie beyond.",
        };
    }
    picture(&format!("{metric} against length"), &out) + &below + "</p>\n"
}

/// Three digits that count.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 99.95 => format!("{value:.0}"),
        v if v >= 9.995 => format!("{value:.1}"),
        v if v >= 0.9995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(values: &[f64]) -> Option<(f64, f64, Vec<String>)> {
        let s = Scale::around(values.iter().copied())?;
        Some((s.low, s.high, s.ticks().into_iter().map(|t| s.number(t)).collect()))
    }

    #[test]
    fn axes_have_round_numbers() {
        let (low, high, ticks) = scale(&[0.31, 0.87, f64::NAN]).unwrap();
        assert!(low <= 0.31 && high >= 0.87, "{low} {high}");
        assert_eq!(ticks, ["0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(scale(&[-3.0, 12.0]).unwrap().2, ["-5", "0", "5", "10", "15"]);
        assert_eq!(scale(&[7.0]).unwrap().2, ["6", "8", "10"]);
        assert_eq!(scale(&[f64::NAN, f64::INFINITY]), None);
        for odd in [[1e300, -1e300], [1e-300, 2e-300], [1e16, 1e16 + 2.0], [0.0, f64::MAX], [f64::MAX, f64::MAX]] {
            let s = scale(&odd);
            assert!(s.is_none_or(|(low, high, ticks)| low < high && (1..=21).contains(&ticks.len())), "{odd:?}");
        }
    }
}
