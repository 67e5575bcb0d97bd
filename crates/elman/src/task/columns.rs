//! Texts that are joined from several columns: where a word stands, and where the columns meet (the exact match of Chen et al.
//! 2017, arXiv:1704.00051).

use super::settings::{Settings, UnitName};
use crate::data::labelled::column_names;
use std::collections::{HashMap, HashSet};

/// What stands between the texts of two columns.
const BAR: &str = "|";

/// Columns that a text of the settings is joined from, where it is read by words.
pub(super) fn columns(settings: &Settings) -> usize {
    let names = settings.data.text.as_deref().filter(|_| settings.data.unit == UnitName::Word);
    names.map_or(1, |names| column_names(names).len())
}

/// Of each word of a text of so many columns, twice its column, and one more where another column has it too. A bar belongs to
/// the column behind it; of more bars than there should be, the last count.
pub(super) fn places<'w>(words: impl Iterator<Item = &'w str>, columns: usize) -> Vec<u32> {
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    let bars: Vec<usize> = (0..words.len()).filter(|at| words[*at] == BAR).collect();
    let bars = &bars[bars.len().saturating_sub(columns - 1)..];
    let column = |at: usize| bars.partition_point(|bar| *bar <= at);
    let mut columns_of: HashMap<&str, HashSet<usize>> = HashMap::new();
    for (at, word) in words.iter().enumerate().filter(|(_, word)| *word != BAR) {
        columns_of.entry(word).or_default().insert(column(at));
    }
    let elsewhere = |word: &String| columns_of.get(word.as_str()).is_some_and(|all| all.len() > 1);
    words.iter().enumerate().map(|(at, word)| 2 * column(at) as u32 + u32::from(elsewhere(word))).collect()
}

#[cfg(test)]
mod tests {
    use super::places;
    use crate::task::words::split;

    #[test]
    fn a_word_knows_its_column_and_whether_another_has_it() {
        let of = |text: &str, columns| places(split(text), columns);
        assert_eq!(of("we saw Anna today | anna", 2), [0, 0, 1, 0, 2, 3]);
        // A bar of the text's own, and a column that is missing.
        assert_eq!(of("a | b | a", 2), [1, 0, 0, 2, 3]);
        assert_eq!(of("a b", 3), [0, 0]);
        assert_eq!(of("a | b | b a", 3), [1, 2, 3, 4, 5, 5]);
    }
}
