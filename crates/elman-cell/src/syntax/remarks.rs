//! What an author writes beside the mathematics: numbers of equations, and remarks in words.
//!
//! Remarks that show by their letters alone (`\text{forget gate}`) never become tokens (`lex.rs`); here are those that
//! only their place gives away.

use super::layout::Statement;
use super::parser::Scope;
use super::token::{Kind, Token};
use crate::cell::Span;
use crate::diag::{Report, quote};
use crate::functions;
use crate::name::{Names, spell};

/// Fonts in which words are prose unless they are a name.
const PROSE: &[&str] = &["text", "textrm", "textbf", "textit", "textsf", "textnormal", "mbox"];
/// Bytes of a remark: a longer one is read as names.
const LONGEST: usize = 200;
/// What separates a remark from its equation.
const SPACES: &[&str] = &["\\quad", "\\qquad", "\\hspace", "\\hfill", "\\,", "\\;", "\\:", "\\ ", "~", "&"];

/// The length of the remark that `text`, the argument of `\font`, opens with; none if it may be a name.
pub(super) fn remark(font: &str, text: &str) -> Option<usize> {
    let inside = text.strip_prefix('{')?;
    let mut depth = 1usize;
    let mut end = None;
    for (i, byte) in inside.bytes().take(LONGEST).enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b'\n' => return None,
            _ => {}
        }
        if depth == 0 {
            end = Some(i);
            break;
        }
    }
    let end = end?;
    let goes_on = inside[end + 1..].trim_start_matches([' ', '\t']).starts_with(['_', '^', '\'']);
    (!goes_on && is_prose(font, &inside[..end])).then_some(end + 2)
}

fn is_prose(font: &str, text: &str) -> bool {
    let text = text.replace("\\ ", " ");
    let text = text.trim();
    if text.contains('=') || font == "operatorname" {
        return false;
    }
    let joined = text.contains([' ', '~', ':', '(', ')', '[', ']']);
    if PROSE.contains(&font) {
        return joined || text.contains('-') && text.contains(char::is_alphabetic);
    }
    let words = || text.split(|c: char| !c.is_alphabetic());
    joined
        && !text.contains(['_', '^', '\\', '+', '*'])
        && words().any(|w| w.chars().count() >= 3)
        && !words().any(|w| functions::find(w).is_some())
}

/// What the statements of a text are looked over with.
pub(super) struct Remarks<'a, 's> {
    pub source: &'s str,
    pub names: &'a Names,
    pub scope: &'a Scope,
}

impl<'s> Remarks<'_, 's> {
    /// Whether all of a statement is a remark or a number: it stood in a line or column of its own.
    pub fn is_one(&self, statement: &Statement<'s>, report: &mut Report<'s>) -> bool {
        let tokens = &statement.tokens;
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return false };
        let span = Span { start: first.span.start, end: last.span.end };
        if number_of(tokens) == Some(0) && first.kind == Kind::Open('(') {
            note_number(self.source, span, report);
            return true;
        }
        let word = matches!(
            tokens[..],
            [Token { kind: Kind::Roman, .. }] | [Token { kind: Kind::Roman, .. }, Token { kind: Kind::Colon, .. }]
        );
        if word {
            note_remark(self.source, span, report);
        }
        word
    }

    /// Takes a word off the beginning of a statement, before its left side is read.
    pub fn strip_start(&self, statement: &mut Statement<'s>, report: &mut Report<'s>) {
        let tokens = &statement.tokens;
        let starts = matches!(tokens.first(), Some(t) if t.kind == Kind::Roman)
            && matches!(
                tokens.get(1).map(|t| t.kind),
                Some(Kind::Word | Kind::Roman | Kind::Letter | Kind::AccentBefore | Kind::Colon)
            )
            && tokens.iter().any(|t| t.kind == Kind::Equals);
        if starts {
            note_remark(self.source, tokens[0].span, report);
            let colon = usize::from(tokens[1].kind == Kind::Colon);
            statement.tokens.drain(..1 + colon);
        }
    }

    /// Takes numbers and remarks off the end of an equation.
    pub fn strip_end(&self, statement: &mut Statement<'s>, report: &mut Report<'s>) {
        while self.strip_number(statement, report) || self.strip_word(statement, report) {
            while matches!(statement.tokens.last(), Some(t) if matches!(t.kind, Kind::Comma | Kind::Stop | Kind::Semicolon))
            {
                statement.tokens.pop();
            }
        }
    }

    fn strip_number(&self, statement: &mut Statement<'s>, report: &mut Report<'s>) -> bool {
        let tokens = &statement.tokens;
        let Some(open) = number_of(tokens).filter(|&open| open > 0) else { return false };
        let before = tokens[open - 1];
        let letter = tokens[open + 1..].iter().find(|t| t.kind == Kind::Word);
        if !ends_value(&before)
            || functions::find(before.text).is_some()
            || letter.is_some_and(|t| self.is_defined(t.text))
            || !self.is_apart(&before, &tokens[open])
        {
            return false;
        }
        let span = Span { start: tokens[open].span.start, end: tokens[tokens.len() - 1].span.end };
        note_number(self.source, span, report);
        statement.tokens.truncate(open);
        true
    }

    fn strip_word(&self, statement: &mut Statement<'s>, report: &mut Report<'s>) -> bool {
        let [.., before, last] = &statement.tokens[..] else { return false };
        if last.kind != Kind::Roman || !ends_value(before) || self.is_defined(last.text) {
            return false;
        }
        let gap = self.gap(before, last);
        let column = gap.contains("&&") || gap.contains("\\quad") || gap.contains("\\qquad");
        let prose = PROSE.iter().any(|font| gap.trim_end_matches(['{', ' ']).ends_with(&format!("\\{font}")));
        let lower = last.text.starts_with(|c: char| c.is_lowercase());
        let is_word = last.text.chars().count() >= 3 && lower && prose;
        if !column && !is_word {
            return false;
        }
        note_remark(self.source, last.span, report);
        statement.tokens.pop();
        true
    }

    fn is_defined(&self, text: &str) -> bool {
        functions::find(text).is_some()
            || self.names.find(&spell(text)).is_some_and(|symbol| self.scope.contains_key(&symbol))
    }

    fn gap(&self, before: &Token, after: &Token) -> &'s str {
        self.source.get(before.span.end..after.span.start).unwrap_or("")
    }

    fn is_apart(&self, before: &Token, after: &Token) -> bool {
        let gap = self.gap(before, after);
        gap.contains(char::is_whitespace) || SPACES.iter().any(|space| gap.contains(space))
    }
}

/// Where the bracket of a number in the manner of `(1)`, `(3a)`, `(1.2)` opens at the end of `tokens`.
fn number_of(tokens: &[Token]) -> Option<usize> {
    let whole = |t: &Token| t.kind == Kind::Number && t.text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let letter = |t: &Token| t.kind == Kind::Word && t.text.len() == 1;
    let touch = |a: &Token, b: &Token| a.span.end == b.span.start;
    let n = tokens.len();
    let bracketed = |from: usize| tokens[from].kind == Kind::Open('(') && tokens[n - 1].kind == Kind::Close(')');
    match tokens {
        [.., _, number, _] if whole(number) && bracketed(n - 3) => Some(n - 3),
        [.., _, number, part, _]
            if whole(number) && (letter(part) || whole(part)) && touch(number, part) && bracketed(n - 4) =>
        {
            Some(n - 4)
        }
        _ => None,
    }
}

/// Whether an equation may end after this token.
fn ends_value(token: &Token) -> bool {
    matches!(
        token.kind,
        Kind::Word
            | Kind::Roman
            | Kind::Letter
            | Kind::Number
            | Kind::Close(_)
            | Kind::Prime
            | Kind::Top
            | Kind::AccentAfter
            | Kind::Wrong
            | Kind::Comma
            | Kind::Stop
            | Kind::Semicolon
    )
}

fn note_number<'s>(source: &'s str, span: Span, report: &mut Report<'s>) {
    let message = format!("{} is read as the number of the equation", quote(source, span));
    report.note("N005", span, message).hint("a factor stands before what it multiplies: `2 * v`");
}

/// Says that a piece of text is a remark.
pub(super) fn note_remark<'s>(source: &'s str, span: Span, report: &mut Report<'s>) {
    let message = format!("{} is read as a remark and dropped", quote(source, span));
    report.note("N006", span, message).hint("a name holds no space and no bracket: `\\mathrm{forget}_t`");
}
