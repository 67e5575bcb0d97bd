//! Sections on classes: how each fares, and which are taken for which.

use super::Section;
use crate::metrics::classification::{ClassScore, Classification};
use std::cmp::Reverse;

/// Pairs of classes that are shown.
const PAIRS: usize = 10;

impl Section {
    /// Precision, recall and F1 of each class that occurs; `class` is what a class is called.
    pub fn classes(title: &str, class: &str, found: &Classification) -> Section {
        let share = |x: f64| format!("{x:.4}");
        let row = |c: &ClassScore| {
            vec![c.name.clone(), share(c.precision), share(c.recall), share(c.f1), c.support.to_string()]
        };
        let occurs = |c: usize| found.classes[c].support > 0 || found.confusion.iter().any(|row| row[c] > 0);
        let rows = (0..found.classes.len()).filter(|c| occurs(*c)).map(|c| row(&found.classes[c])).collect();
        Section::table(title, &[class, "precision", "recall", "F1", "examples"], rows)
    }

    /// The classes that are taken for another most often.
    pub fn confused(title: &str, found: &Classification) -> Section {
        let mut pairs: Vec<(usize, usize, usize)> = vec![];
        for (wanted, row) in found.confusion.iter().enumerate() {
            let others = row.iter().enumerate().filter(|(given, times)| *given != wanted && **times > 0);
            pairs.extend(others.map(|(given, times)| (*times, wanted, given)));
        }
        pairs.sort_by_key(|(times, wanted, given)| (Reverse(*times), *wanted, *given));
        let row = |(times, wanted, given): &(usize, usize, usize)| {
            let of = &found.classes[*wanted];
            let share = format!("{:.4}", *times as f64 / of.support.max(1) as f64);
            vec![of.name.clone(), found.classes[*given].name.clone(), times.to_string(), share]
        };
        let rows = pairs.iter().take(PAIRS).map(row).collect();
        Section::table(title, &["wanted", "given", "times", "share of the wanted"], rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::classification::classification;

    #[test]
    fn the_commonest_confusion_comes_first_and_classes_that_never_occur_are_left_out() {
        let names = ["a", "b", "c", "d"].map(String::from);
        let (wanted, given) = ([0, 0, 1, 1, 1, 0, 0], [0, 1, 2, 2, 1, 1, 1]);
        let found = classification(&wanted, &given, &names).unwrap();
        let rows = |section| match section {
            Section::Table { rows, .. } => rows.into_iter().map(|row| row.join(" ")).collect::<Vec<_>>(),
            _ => vec![],
        };
        assert_eq!(rows(Section::confused("t", &found)), ["a b 3 0.7500", "b c 2 0.6667"]);
        let classes = rows(Section::classes("t", "class", &found));
        assert_eq!(classes.iter().map(|row| &row[..1]).collect::<String>(), "abc");
    }
}
