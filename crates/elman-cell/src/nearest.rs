//! The nearest of some names, for hints: "did you mean `sigmoid`?".
//!
//! Distance counts insertions, deletions, replacements and swaps of two neighbours, each as one change (Damerau 1964,
//! in the form where no piece is changed twice).

/// The candidate nearest to `name`, if it is near enough to be meant: one change for short names, a third of the
/// letters for longer ones. Of equally near ones the first.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let letters: Vec<char> = name.chars().take(40).collect();
    let most = (letters.len() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let far = distance(&letters, &candidate.chars().take(40).collect::<Vec<_>>());
        let small = letters.len() == 1 && candidate.chars().count() == 1;
        if far > 0 && far <= most && !small && best.is_none_or(|(least, _)| far < least) {
            best = Some((far, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Changes that turn `a` into `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_of_two_letters_is_one_change() {
        let chars = |s: &str| s.chars().collect::<Vec<_>>();
        assert_eq!(distance(&chars("sigmiod"), &chars("sigmoid")), 1);
        assert_eq!(distance(&chars("tnah"), &chars("tanh")), 1);
        assert_eq!(distance(&chars("relu"), &chars("gelu")), 1);
        assert_eq!(distance(&chars(""), &chars("abc")), 3);
    }

    #[test]
    fn the_nearest_is_found_and_strangers_are_not() {
        let names = ["sigmoid", "tanh", "th", "relu"];
        assert_eq!(nearest("sigmiod", names), Some("sigmoid"));
        assert_eq!(nearest("tahn", names), Some("tanh"));
        assert_eq!(nearest("quux", names), None);
        assert_eq!(nearest("z", ["r"]), None);
    }
}
