//! Text to tokens: spaces, comments and alignment marks vanish, LaTeX commands become what they print.
//!
//! One pass, one token at a time, in linear time. Does not know which letters of a run belong together: whether a text
//! is LaTeX is known only when an equation stands as a whole (`layout.rs`, `read_name.rs`).

use super::commands::{self, Command};
use super::letters::{combining, decompose, is_letter, is_space, subscript, superscript};
use super::token::{Kind, Token};
use crate::cell::Span;
use crate::diag::{Report, quote};
use crate::nearest::nearest;

/// A comment that has its line to itself.
pub(super) struct Comment<'s> {
    /// Its line, from 0.
    pub line: usize,
    /// What stands after the mark.
    pub text: &'s str,
}

/// All tokens of a text and its comments.
pub(super) struct Lexed<'s> {
    pub tokens: Vec<Token<'s>>,
    pub comments: Vec<Comment<'s>>,
}

/// What closes with a brace.
#[derive(Clone, Copy, PartialEq)]
enum Brace {
    /// A group.
    Group,
    /// The argument of a font: it vanishes, and letters are read as before.
    Font { roman_before: bool },
}

struct Lexer<'s, 'r> {
    source: &'s str,
    at: usize,
    line: usize,
    /// Whether something other than space stands on this line.
    used: bool,
    roman: bool,
    braces: Vec<Brace>,
    /// Where `$` opened mathematics.
    math: Option<Span>,
    report: &'r mut Report<'s>,
    out: Lexed<'s>,
}

/// Reads all of `source`.
pub(super) fn lex<'s>(source: &'s str, report: &mut Report<'s>) -> Lexed<'s> {
    let out = Lexed { tokens: Vec::new(), comments: Vec::new() };
    let mut lexer =
        Lexer { source, at: 0, line: 0, used: false, roman: false, braces: Vec::new(), math: None, report, out };
    while let Some(c) = lexer.peek() {
        lexer.token(c);
    }
    if let Some(open) = lexer.math {
        lexer.report.error("E003", open, "this `$` is never closed").hint("write `$` or `$$` after the last equation");
    }
    lexer.out
}

impl<'s> Lexer<'s, '_> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn push(&mut self, kind: Kind, start: usize) {
        self.push_text(kind, start, &self.source[start..self.at]);
    }

    fn push_text(&mut self, kind: Kind, start: usize, text: &'s str) {
        let span = Span { start, end: self.at };
        let latex = self.source.as_bytes().get(start) == Some(&b'\\');
        self.out.tokens.push(Token { kind, text, span, latex });
    }

    fn token(&mut self, c: char) {
        let start = self.at;
        if c == '\n' || is_space(c) || c == '~' || c == '&' {
            return self.space(c);
        }
        if c == '#' || c == '%' {
            return self.comment();
        }
        self.used = true;
        let after_mark = matches!(self.out.tokens.last(), Some(t) if t.kind == Kind::Subscript && t.span.end <= start);
        match c {
            '\\' => self.command(),
            '$' => self.dollar(),
            c if is_letter(c) || after_mark && c.is_ascii_digit() => self.word(),
            c if c.is_ascii_digit() => self.number(),
            '.' if self.rest()[1..].starts_with(|d: char| d.is_ascii_digit()) => self.number(),
            '{' => self.open_brace(Brace::Group),
            '}' => self.close_brace(),
            c => self.other(c),
        }
    }

    fn space(&mut self, c: char) {
        let start = self.at;
        self.at += c.len_utf8();
        if c == '\n' || c == '\r' && !self.rest().starts_with('\n') {
            self.push(Kind::Newline, start);
        }
        if c == '\n' {
            self.line += 1;
            self.used = false;
        }
    }

    fn comment(&mut self) {
        let end = self.rest().find('\n').map_or(self.source.len(), |i| self.at + i);
        if !self.used {
            let text = self.source[self.at..end].trim_start_matches(['#', '%']);
            self.out.comments.push(Comment { line: self.line, text: text.trim_end() });
        }
        self.at = end;
    }

    fn word(&mut self) {
        let start = self.at;
        let run = self.rest().find(|c: char| !is_letter(c) && !c.is_ascii_digit());
        self.at = run.map_or(self.source.len(), |i| start + i);
        self.push(if self.roman { Kind::Roman } else { Kind::Word }, start);
    }

    /// `12`, `0.5`, `.5`, `1e-5`. An exponent needs digits, so that `2e` is 2 times `e`.
    fn number(&mut self) {
        let start = self.at;
        let digits = |s: &str| s.len() - s.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        self.at += digits(self.rest());
        if let Some(fraction) = self.rest().strip_prefix('.') {
            let n = digits(fraction);
            self.at += if n > 0 { n + 1 } else { 0 };
        }
        if let Some(exponent) = self.rest().strip_prefix(['e', 'E']) {
            let signed = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            let n = digits(signed);
            let letters_follow = signed[n..].starts_with('_');
            self.at += if n > 0 && !letters_follow { 1 + (exponent.len() - signed.len()) + n } else { 0 };
        }
        self.push(Kind::Number, start);
    }

    fn dollar(&mut self) {
        let start = self.at;
        self.at += if self.rest().starts_with("$$") { 2 } else { 1 };
        let opens = self.math.is_none();
        self.math = opens.then_some(Span { start, end: self.at });
        self.push(Kind::Math(opens), start);
    }

    fn open_brace(&mut self, brace: Brace) {
        let start = self.at;
        self.at += 1;
        self.braces.push(brace);
        if brace == Brace::Group {
            self.push(Kind::Open('{'), start);
        }
    }

    fn close_brace(&mut self) {
        let start = self.at;
        self.at += 1;
        match self.braces.pop() {
            Some(Brace::Font { roman_before }) => self.roman = roman_before,
            _ => self.push(Kind::Close('}'), start),
        }
    }

    fn other(&mut self, c: char) {
        let start = self.at;
        self.at += c.len_utf8();
        let kind = match c {
            '_' => Kind::Subscript,
            '^' => Kind::Superscript,
            '\'' | '\u{2032}' | '\u{2019}' => Kind::Prime,
            '+' => Kind::Plus,
            '-' | '\u{2212}' | '\u{2013}' => Kind::Minus,
            '*' | '⊙' | '∘' | '×' | '∗' | '◦' | '⨀' => Kind::Times,
            '/' | '÷' => Kind::Over,
            '·' | '⋅' | '∙' | '@' => Kind::Dot,
            '(' | '[' => Kind::Open(c),
            ')' | ']' => Kind::Close(c),
            ',' => Kind::Comma,
            ';' => Kind::Semicolon,
            ':' if self.rest().starts_with('=') => {
                self.at += 1;
                Kind::Equals
            }
            ':' => Kind::Colon,
            '=' | '←' | '≔' => Kind::Equals,
            '.' => Kind::Stop,
            '⊤' | '⊺' => Kind::Top,
            _ => return self.rare(c, start),
        };
        self.push(kind, start);
    }

    /// Accents and small letters; anything else is an error with its code point.
    fn rare(&mut self, c: char, start: usize) {
        if c.is_ascii() {
            return self.unknown_character(c, start);
        }
        if let Some(accent) = combining(c) {
            return self.push_text(Kind::AccentAfter, start, accent);
        }
        if let Some((letter, accent)) = decompose(c) {
            self.push_text(Kind::Letter, start, letter);
            return self.push_text(Kind::AccentAfter, start, accent);
        }
        if let Some(text) = subscript(c) {
            return self.small(Kind::Subscript, start, text, subscript);
        }
        if let Some(text) = superscript(c) {
            return self.small(Kind::Superscript, start, text, superscript);
        }
        self.unknown_character(c, start);
    }

    fn unknown_character(&mut self, c: char, start: usize) {
        if c.is_alphabetic() {
            self.foreign_run();
        }
        let span = Span { start, end: self.at };
        let what = if c.is_alphabetic() { "letter" } else { "character" };
        let shown = if c.is_alphanumeric() { format!(" `{c}`") } else { String::new() };
        let message = format!("the {what}{shown} U+{:04X} does not belong to the language", c as u32);
        let hint = if c.is_alphabetic() {
            "names are made of Latin and Greek letters, digits, subscripts and superscripts"
        } else {
            "expressions are made of names, numbers, + - * / · @ ^ and brackets; a comment starts with `#`"
        };
        self.report.error("E001", span, message).hint(hint);
        self.push(Kind::Wrong, start);
    }

    /// The rest of a word in letters of another alphabet.
    fn foreign_run(&mut self) {
        let foreign = |c: char| {
            c.is_alphabetic()
                && !is_letter(c)
                && decompose(c).is_none()
                && subscript(c).is_none()
                && superscript(c).is_none()
        };
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(foreign).len();
    }

    /// A run of subscript or superscript characters, as a group.
    fn small(&mut self, mark: Kind, start: usize, first: &'static str, read: fn(char) -> Option<&'static str>) {
        self.push(mark, start);
        self.push(Kind::Open('{'), start);
        let mut next = Some(first);
        while let Some(text) = next {
            let kind = match text {
                "+" => Kind::Plus,
                "-" => Kind::Minus,
                digit if digit.as_bytes()[0].is_ascii_digit() => Kind::Number,
                _ => Kind::Word,
            };
            self.push_text(kind, start, text);
            next = self.peek().and_then(read);
            self.at += if next.is_some() { self.peek().map_or(0, char::len_utf8) } else { 0 };
        }
        self.push(Kind::Close('}'), start);
    }

    fn command(&mut self) {
        let start = self.at;
        let after = &self.source[start + 1..];
        let letters = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let length = if letters > 0 { letters } else { after.chars().next().map_or(0, char::len_utf8) };
        let name = &after[..length];
        self.at = start + 1 + length;
        if name == "operatorname" && self.rest().starts_with('*') {
            self.at += 1;
        }
        match commands::read(name) {
            Command::Nothing => {}
            Command::Delimiter => {
                self.spaces();
                self.at += usize::from(self.rest().starts_with('.'));
            }
            Command::Skip => drop(self.argument()),
            Command::Font => self.font(self.roman),
            Command::Words => self.font(true),
            Command::Token(Kind::RowBreak) => {
                self.row_break_options();
                self.push(Kind::RowBreak, start);
            }
            Command::Token(Kind::Fraction) => {
                self.push(Kind::Fraction, start);
                self.digit();
            }
            Command::Token(kind) => self.push(kind, start),
            Command::Switch { words } => self.switch(words),
            Command::Named(kind, text) => self.push_text(kind, start, text),
            Command::Environment(begins) => self.environment(begins, start),
            Command::Unknown => self.unknown(name, start),
        }
    }

    /// `\frac12`: without braces an argument is one digit.
    fn digit(&mut self) {
        for _ in 0..2 {
            self.spaces();
            if self.peek().is_some_and(|c| c.is_ascii_digit()) {
                let start = self.at;
                self.at += 1;
                self.push(Kind::Number, start);
            }
        }
    }

    /// `{\rm tanh}`: the braces that open just before it are those of a font.
    fn switch(&mut self, words: bool) {
        let opens = self.out.tokens.last().is_some_and(|t| t.kind == Kind::Open('{'));
        if opens && let Some(brace @ Brace::Group) = self.braces.last_mut() {
            *brace = Brace::Font { roman_before: self.roman };
            self.out.tokens.pop();
            self.roman = words;
        }
    }

    fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(is_space).len();
    }

    /// The argument of a font: its braces vanish, its letters stay.
    fn font(&mut self, roman: bool) {
        self.spaces();
        if self.filler() {
            return;
        }
        if self.rest().starts_with('{') {
            self.open_brace(Brace::Font { roman_before: self.roman });
            self.roman = roman;
        }
    }

    /// `\text{ and }` between equations.
    fn filler(&mut self) -> bool {
        let Some(rest) = self.rest().strip_prefix('{') else { return false };
        let Some(end) = rest.bytes().take(20).position(|b| b == b'}') else { return false };
        let is_filler = matches!(rest[..end].trim(), "and" | "where" | "with" | "");
        self.at += if is_filler { end + 2 } else { 0 };
        is_filler
    }

    /// The text of `{…}` up to the first closing brace on the line, if there is one.
    fn argument(&mut self) -> Option<&'s str> {
        self.spaces();
        let inside = self.rest().strip_prefix('{')?;
        let end = inside.find(['}', '\n'])?;
        if !inside[end..].starts_with('}') {
            return None;
        }
        self.at += end + 2;
        Some(&inside[..end])
    }

    /// `\\*` and `\\[2pt]`.
    fn row_break_options(&mut self) {
        self.at += usize::from(self.rest().starts_with('*'));
        let Some(inside) = self.rest().strip_prefix('[') else { return };
        let Some(end) = inside.bytes().take(24).position(|b| b == b']') else { return };
        let length = inside[..end].trim().trim_start_matches(['-', '+']);
        let unit = length.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
        let is_unit =
            matches!(unit, "pt" | "em" | "ex" | "mm" | "cm" | "in" | "mu" | "pc" | "bp" | "sp" | "\\baselineskip");
        if is_unit && unit.len() < length.len() {
            self.at += end + 2;
        }
    }

    fn environment(&mut self, begins: bool, start: usize) {
        let name = self.argument().unwrap_or("").trim();
        let span = Span { start, end: self.at };
        if begins && !commands::is_environment(name) {
            let message = format!("the environment {} is not known", quote(self.source, span));
            self.report.error("E002", span, message).hint(
                "equations stand in `aligned`, `align`, `equation`, `gathered` or between `$$`; vectors one after another are `[a; b]`",
            );
        }
        if begins && name.starts_with("align") && name.contains("at") {
            self.argument();
        }
        self.push(Kind::Environment(begins), start);
    }

    fn unknown(&mut self, name: &str, start: usize) {
        let span = Span { start, end: self.at };
        let near = if self.report.has_room() { nearest(name, commands::well_known()) } else { None };
        let message = format!("the LaTeX command {} is not known", quote(self.source, span));
        let hint = match near {
            Some(near) => format!("did you mean `\\{near}`?"),
            None => format!("a function is written `\\operatorname{{…}}`, a name `\\mathrm{{…}}`; {NOT_KNOWN}"),
        };
        self.report.error("E002", span, message).hint(hint);
        // It stands for some factor, so that what surrounds it is still read.
        self.push(Kind::Wrong, start);
    }
}

const NOT_KNOWN: &str = "other commands have no meaning here";
