//! How BLEU cuts a text into tokens: `none`, `13a` (mteval-v13a.pl) and `intl` (mteval-v14.pl), as sacreBLEU does.
//!
//! Their regular expressions are pairs of neighbours (or single characters) that are set apart by spaces; a match consumes
//! both characters, so the next one begins behind it. That is kept here.

use serde::Serialize;
use unicode_properties::{GeneralCategoryGroup as Group, UnicodeGeneralCategory};

/// A tokenizer of BLEU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tokens {
    /// At white space alone.
    None,
    /// Western punctuation is set apart, but not within numbers.
    #[default]
    #[serde(rename = "13a")]
    V13a,
    /// Punctuation and symbols of all scripts are set apart, but not within numbers.
    Intl,
}

impl Tokens {
    /// The name in a signature.
    pub fn name(self) -> &'static str {
        match self {
            Tokens::None => "none",
            Tokens::V13a => "13a",
            Tokens::Intl => "intl",
        }
    }

    /// The text with a space between any two tokens, and maybe more.
    pub fn spread(self, text: &str) -> String {
        let text = text.trim_end_matches(is_space);
        match self {
            Tokens::None => text.into(),
            Tokens::V13a => v13a(text),
            Tokens::Intl => intl(text),
        }
    }
}

/// White space as Python's `str.split` has it: Unicode's, and the four separators of ASCII.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// The pieces between white space.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|t| !t.is_empty())
}

fn v13a(text: &str) -> String {
    let mut line = text.replace("<skipped>", "").replace("-\n", "").replace('\n', " ");
    // In this order: "&amp;lt;" becomes "<".
    for (name, character) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
        line = line.replace(name, character);
    }
    let stop = |c: char| matches!(c, '.' | ',');
    let line =
        each(&format!(" {line} "), |c| matches!(c, '{'..='~' | '['..='`' | ' '..='&' | '('..='+' | ':'..='@' | '/'));
    let line = second(&line, |c| !c.is_ascii_digit(), stop);
    let line = first(&line, stop, |c| !c.is_ascii_digit());
    second(&line, |c| c.is_ascii_digit(), |c| c == '-')
}

fn intl(text: &str) -> String {
    let of = |group: Group| move |c: char| c.general_category_group() == group;
    let other = |c: char| c.general_category_group() != Group::Number;
    let line = second(text, other, of(Group::Punctuation));
    let line = first(&line, of(Group::Punctuation), other);
    each(&line, of(Group::Symbol))
}

/// `(one)` → ` \1 `.
fn each(text: &str, one: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        match one(c) {
            true => out.extend([' ', c, ' ']),
            false => out.push(c),
        }
    }
    out
}

/// `(a)(b)` → `\1 \2 `.
fn second(text: &str, a: impl Fn(char) -> bool, b: impl Fn(char) -> bool) -> String {
    pairs(text, a, b, |x, y| [x, ' ', y, ' '])
}

/// `(a)(b)` → ` \1 \2`.
fn first(text: &str, a: impl Fn(char) -> bool, b: impl Fn(char) -> bool) -> String {
    pairs(text, a, b, |x, y| [' ', x, ' ', y])
}

fn pairs(
    text: &str,
    a: impl Fn(char) -> bool,
    b: impl Fn(char) -> bool,
    write: impl Fn(char, char) -> [char; 4],
) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text.chars().peekable();
    while let Some(x) = rest.next() {
        match rest.peek() {
            Some(&y) if a(x) && b(y) => {
                out.extend(write(x, y));
                rest.next();
            }
            _ => out.push(x),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_set_apart_as_the_expressions_do() {
        let tokens = |t: Tokens, text: &str| split(&t.spread(text)).map(String::from).collect::<Vec<_>>();
        assert_eq!(
            tokens(Tokens::V13a, "1,000.5 cats, e.g. 3-4"),
            "1,000.5 cats , e . g . 3 - 4".split(' ').collect::<Vec<_>>()
        );
        assert_eq!(tokens(Tokens::V13a, "&amp;lt; it's"), ["<", "it's"]);
        assert_eq!(tokens(Tokens::Intl, "«да» — 5€, в 2020."), ["«", "да", "»", "—", "5", "€", ",", "в", "2020."]);
        assert_eq!(tokens(Tokens::None, "a,b\u{1f}c \n"), ["a,b", "c"]);
        // The second stop stands behind a match that consumed the first.
        assert_eq!(tokens(Tokens::V13a, "5.."), ["5", ".", "."]);
    }
}
