//! Names as they are written: base, accents, subscripts, superscripts, prime and time.
//!
//! A subscript without braces runs over letters and digits, but `_t` is time, and it ends before a vector that carries
//! its own time: `x_tW_2` is `x_t W_2`, `W_zx_t` is `W_z x_t`. Superscripts are the same in plain text; in LaTeX one
//! without braces is one character.

use super::parser::{Parsed, Parser, Reported};
use super::token::{Kind, Token};
use super::tree::Time;
use crate::cell::Span;
use crate::name::{LONGEST, Name, spell};

/// A name as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub name: Name,
    pub time: Time,
    pub span: Span,
    /// A power or transpose that stands among its subscripts.
    pub after: Option<Superscript>,
}

/// What a superscript says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Superscript {
    Name(String),
    Time(Time),
    Prime,
    Power(f64),
    Transpose,
}

/// One part of a subscript in braces.
enum Part {
    Time(Time),
    Text(String),
}

impl Read {
    pub(super) fn new(name: Name, start: usize) -> Read {
        Read { name, time: Time::Plain, span: Span { start, end: start }, after: None }
    }
}

impl<'a, 's> Parser<'a, 's> {
    /// Reads what follows a base: accents, primes, subscripts, superscripts. On the `left` of an equation nothing splits.
    pub(super) fn suffixes(&mut self, read: &mut Read, left: bool) -> Parsed<()> {
        self.check_length(read)?;
        while self.inside == 0 {
            match self.kind() {
                Some(Kind::AccentAfter) => {
                    if let Some(accent) = crate::name::accent_command(self.text()) {
                        read.name.accents.push(accent);
                    }
                    self.advance();
                }
                Some(Kind::Prime) => {
                    let span = self.here();
                    self.advance();
                    self.set_time(read, Time::Prime, span)?;
                }
                Some(Kind::Subscript) => self.subscript(read, left)?,
                Some(Kind::Superscript) if read.after.is_none() => {
                    let span = self.here();
                    match self.superscript(&read.name)? {
                        Superscript::Name(part) => self.superscript_name(read, part, left, span)?,
                        Superscript::Time(time) => self.set_time(read, time, span)?,
                        Superscript::Prime => self.set_time(read, Time::Prime, span)?,
                        other => read.after = Some(other),
                    }
                }
                _ => break,
            }
            self.check_length(read)?;
        }
        read.span.end = self.read_to();
        Ok(())
    }

    fn check_length(&mut self, read: &Read) -> Parsed<()> {
        if read.name.length() <= LONGEST {
            return Ok(());
        }
        let span = Span { start: read.span.start, end: self.read_to() };
        self.report.error("E011", span, format!("a name has more than {LONGEST} characters")).hint("shorten it");
        Err(Reported)
    }

    /// A letter in the superscript of a defined vector would be a power that is no number.
    fn superscript_name(&mut self, read: &mut Read, part: String, left: bool, span: Span) -> Parsed<()> {
        let base_is_vector = !left && self.is_vector(&read.name);
        read.name.superscripts.push(part);
        if base_is_vector && self.means(&read.name.file()).is_none() {
            let span = Span { start: span.start, end: self.read_to() };
            let hint = if read.name.superscripts.last().is_some_and(|s| s == "t") {
                TIME_BELOW.to_string()
            } else {
                format!(
                    "write a number after `^`; `{}` would be a name of its own, which no equation defines",
                    read.name.file()
                )
            };
            self.report.error("E010", span, "a power must be a number").hint(hint);
            read.name.superscripts.pop();
        }
        Ok(())
    }

    fn set_time(&mut self, read: &mut Read, time: Time, span: Span) -> Parsed<()> {
        if read.time != Time::Plain {
            let message = "a name carries one time or one prime";
            self.report.error("E009", span, message).hint("delete one of the two");
            return Err(Reported);
        }
        read.time = time;
        Ok(())
    }

    fn subscript(&mut self, read: &mut Read, left: bool) -> Parsed<()> {
        let mark = self.here();
        self.advance();
        match self.kind() {
            Some(Kind::Open('{')) => self.subscript_group(read),
            Some(Kind::Word | Kind::Roman) => {
                let span = Span { start: mark.start, end: self.here().end };
                self.subscript_run(read, left, span)
            }
            Some(Kind::Letter) => {
                read.name.subscript(spell(self.text()));
                self.advance();
                Ok(())
            }
            _ => {
                let hint = "a subscript is letters and digits, or stands in braces: `W_f`, `W_{xz}`, `h_{t-1}`";
                self.report.error("E009", mark, "a subscript is missing or cannot be read").hint(hint);
                Err(Reported)
            }
        }
    }

    /// A subscript without braces.
    fn subscript_run(&mut self, read: &mut Read, left: bool, span: Span) -> Parsed<()> {
        let run = self.text();
        if run == "t" {
            self.advance();
            return self.set_time(read, Time::Now, span);
        }
        let mut whole = read.name.clone();
        whole.subscript(spell(run));
        let known = left || self.means(&whole.file()).is_some();
        let timed = self.time_at(self.at + 1);
        let keeps = if timed { left || self.is_vector(&whole) } else { known };
        if !keeps {
            let split = if timed { self.carried(run) } else { self.after_time(read, run) };
            if let Some(end) = split {
                self.inside = end;
                if &run[..end] == "t" {
                    return self.set_time(read, Time::Now, span);
                }
                read.name.subscript(spell(&run[..end]));
                return Ok(());
            }
        }
        self.advance();
        read.name = whole;
        Ok(())
    }

    /// Whether a subscript with a time starts at token `i`.
    fn time_at(&self, i: usize) -> bool {
        let kind = |i: usize| self.tokens.get(i).map(|t| t.kind);
        if kind(i) != Some(Kind::Subscript) {
            return false;
        }
        match self.tokens.get(i + 1) {
            Some(Token { kind: Kind::Word, text, .. }) => {
                let mut rest = text.strip_prefix('t').unwrap_or("?").chars();
                rest.next().is_none_or(|c| c.is_uppercase() || c != '?' && kind(i + 2) == Some(Kind::Subscript))
            }
            Some(Token { kind: Kind::Open('{'), .. }) => {
                let inner = self.tokens.get(i + 2).is_some_and(|t| t.text == "t");
                inner && matches!(kind(i + 3), Some(Kind::Close('}') | Kind::Minus | Kind::Plus | Kind::Comma))
            }
            _ => false,
        }
    }

    /// Where in a run the vector starts that carries the time after it; never at 0.
    fn carried(&self, run: &str) -> Option<usize> {
        if run.len() > LONGEST {
            return None;
        }
        let last = run.char_indices().rev().find(|(_, c)| !c.is_ascii_digit()).map(|(i, _)| i)?;
        let defined = |i: &usize| self.is_vector(&Name::plain(&run[*i..]));
        let longest = run.char_indices().map(|(i, _)| i).skip(1).find(defined);
        let start = if self.latex && defined(&last) { last } else { longest.unwrap_or(last) };
        (start > 0).then_some(start)
    }

    /// Whether a run that starts with `t` is time and then another factor, as in `x_tW_2`.
    fn after_time(&self, read: &Read, run: &str) -> Option<usize> {
        let rest = run.strip_prefix('t')?;
        let vector = self.is_vector(&read.name);
        let capital = rest.starts_with(char::is_uppercase);
        let marked = matches!(self.kind_at(1), Some(Kind::Subscript | Kind::Superscript));
        let known = self.means(&spell(rest)).is_some();
        (capital && (vector || marked) || vector && known).then_some(1)
    }

    /// The tokens of the group at the cursor, without its braces.
    fn group(&mut self) -> (&'a [Token<'s>], Span) {
        let first = self.at + 1;
        let mut depth = 0usize;
        let mut end = self.at;
        while let Some(token) = self.tokens.get(end) {
            match token.kind {
                Kind::Open(_) => depth += 1,
                Kind::Close(_) => depth -= 1,
                _ => {}
            }
            end += 1;
            if depth == 0 {
                break;
            }
        }
        let span = Span { start: self.here().start, end: self.tokens[end - 1].span.end };
        self.at = end;
        let tokens: &'a [Token<'s>] = self.tokens;
        (&tokens[first..end - 1], span)
    }

    /// A subscript in braces: parts between commas, one of which may be the time.
    fn subscript_group(&mut self, read: &mut Read) -> Parsed<()> {
        let (tokens, span) = self.group();
        let mut parts = Vec::new();
        for part in tokens.split(|t| t.kind == Kind::Comma) {
            parts.push(read_part(part));
        }
        let mut text = String::new();
        for part in parts {
            match part {
                Ok(Part::Time(time)) => self.set_time(read, time, span)?,
                Ok(Part::Text(part)) => text.push_str(&part),
                Err((code, message, hint)) => {
                    self.report.error(code, span, message).hint(hint);
                    if code != "E106" {
                        return Err(Reported);
                    }
                    read.time = Time::Unreadable;
                }
            }
        }
        if !text.is_empty() {
            read.name.subscript(text);
        }
        Ok(())
    }

    /// Reads `^…`.
    pub(super) fn superscript(&mut self, base: &Name) -> Parsed<Superscript> {
        let mark = self.here();
        self.advance();
        match self.kind() {
            Some(Kind::Open('{')) => {
                let (tokens, span) = self.group();
                let time = read_time(&tokens.iter().collect::<Vec<_>>());
                if let Some(Ok(time)) = time
                    && self.carries_time_above(base, 0)
                {
                    return Ok(Superscript::Time(time));
                }
                let read = if time.is_some() && tokens.len() > 1 { Err(()) } else { read_superscript(tokens) };
                Ok(read.unwrap_or_else(|()| self.no_power(span)))
            }
            Some(Kind::Open('(')) => {
                let (tokens, span) = self.group();
                match read_superscript(tokens) {
                    Ok(power @ Superscript::Power(_)) => Ok(power),
                    _ => Ok(self.no_power(span)),
                }
            }
            Some(Kind::Number) => self.power(false, mark),
            Some(Kind::Minus) if self.kind_at(1) == Some(Kind::Number) => {
                self.advance();
                self.power(true, mark)
            }
            Some(Kind::Top) => {
                self.advance();
                Ok(Superscript::Transpose)
            }
            Some(Kind::Prime) => {
                self.advance();
                Ok(Superscript::Prime)
            }
            Some(Kind::Letter | Kind::Roman) => {
                let text = self.text();
                self.advance();
                Ok(if text == "T" { Superscript::Transpose } else { Superscript::Name(spell(text)) })
            }
            Some(Kind::Word) => Ok(self.superscript_run(base)),
            _ => {
                let hint = "write a number (`v^2`), `W^T`, or letters that belong to a name (`W_1^z`)";
                self.report.error("E010", mark, "a power must be a number").hint(hint);
                Err(Reported)
            }
        }
    }

    /// Whether `^t` over this name is time: `ahead` tokens further the superscript ends.
    fn carries_time_above(&self, base: &Name, ahead: usize) -> bool {
        let left = self.kind_at(ahead) == Some(Kind::Equals);
        let capital = base.base.starts_with(|c: char| c.is_uppercase());
        self.tree.time_above && !base.base.is_empty() && (left || !capital || self.is_vector(base))
    }

    /// Reports a power that is no number, and goes on as if it were 1.
    fn no_power(&mut self, span: Span) -> Superscript {
        let text = self.source.get(span.start..span.end).unwrap_or("");
        let time = text.trim_start_matches(['{', '(']).starts_with(['t', '<']);
        let hint =
            if time { TIME_BELOW } else { "write a number (`v^2`), `W^T`, or letters that belong to a name (`W_1^z`)" };
        self.report.error("E010", span, "this power is not a number").hint(hint);
        Superscript::Power(1.0)
    }

    fn power(&mut self, negative: bool, mark: Span) -> Parsed<Superscript> {
        let span = Span { start: mark.start, end: self.here().end };
        let value = self.number(span)?;
        Ok(Superscript::Power(if negative { -value } else { value }))
    }

    /// The number at the cursor.
    pub(super) fn number(&mut self, span: Span) -> Parsed<f64> {
        let value: f64 = self.text().parse().unwrap_or(f64::NAN);
        if !value.is_finite() {
            let hint = "numbers go up to about 1.8e308";
            self.report.error("E301", span, "this number is too large: it overflows").hint(hint);
            return Err(Reported);
        }
        self.advance();
        Ok(value)
    }

    /// A superscript of letters without braces.
    fn superscript_run(&mut self, base: &Name) -> Superscript {
        let run = self.text();
        let mut end = if self.latex { run.chars().next().map_or(0, char::len_utf8) } else { run.len() };
        if !self.latex && run.len() > 1 {
            let mut whole = base.clone();
            whole.superscripts.push(spell(run));
            if self.means(&whole.file()).is_none() {
                let transposed = run.starts_with('T') && self.is_vector(&Name::plain(&run[1..]));
                let carried = if self.time_at(self.at + 1) { self.carried(run) } else { None };
                end = if transposed { 1 } else { carried.unwrap_or(end) };
            }
        }
        if &run[..end] == "t" && self.carries_time_above(base, 1) {
            self.step(end);
            return Superscript::Time(Time::Now);
        }
        self.step(end);
        if &run[..end] == "T" { Superscript::Transpose } else { Superscript::Name(spell(&run[..end])) }
    }
}

const TIME_BELOW: &str = "time is written `x_t`, `h_{t-1}`";

type Wrong = (&'static str, &'static str, &'static str);

/// A part of a subscript: a time, or text.
fn read_part(tokens: &[Token]) -> Result<Part, Wrong> {
    let tokens: Vec<&Token> = tokens.iter().filter(|t| !matches!(t.kind, Kind::Open(_) | Kind::Close(_))).collect();
    if let Some(time) = read_time(&tokens) {
        return time.map(Part::Time);
    }
    let mut text = String::new();
    for token in tokens {
        match token.kind {
            Kind::Word | Kind::Roman | Kind::Number | Kind::Letter if token.text.bytes().all(|b| b != b'.') => {
                text.push_str(&spell(token.text));
            }
            _ => {
                let hint = "a subscript holds letters and digits, or a time: `W_{xz}`, `h_{t-1}`, `h_{1,t}`";
                return Err(("E009", "this subscript cannot be read", hint));
            }
        }
    }
    Ok(Part::Text(text))
}

fn read_time(tokens: &[&Token]) -> Option<Result<Time, Wrong>> {
    let [first, rest @ ..] = tokens else { return None };
    if first.text != "t" {
        return None;
    }
    match rest {
        [] => Some(Ok(Time::Now)),
        [sign, step] if matches!(sign.kind, Kind::Minus | Kind::Plus) => Some(match (sign.kind, step.text) {
            (Kind::Minus, "1") => Ok(Time::Previous),
            (Kind::Plus, "1") => Ok(Time::Next),
            _ => {
                let hint =
                    "a step reads the step before it; carry older values in a state of their own, as in `p' = h`";
                Err(("E106", "only `t`, `t-1` and `t+1` are times", hint))
            }
        }),
        _ => None,
    }
}

/// The superscript in braces: a number, `T`, a prime, a time in brackets, or a part of a name.
fn read_superscript(tokens: &[Token]) -> Result<Superscript, ()> {
    let number =
        |t: &Token| if t.kind == Kind::Number { t.text.parse::<f64>().ok().filter(|v| v.is_finite()) } else { None };
    match tokens {
        [t] if t.kind == Kind::Prime => return Ok(Superscript::Prime),
        [t] if t.kind == Kind::Top || t.text == "T" => return Ok(Superscript::Transpose),
        [open, inner @ .., close] if open.kind == Kind::Open('(') && close.kind == Kind::Close(')') => {
            let inner: Vec<&Token> = inner.iter().collect();
            if let Some(time) = read_time(&inner) {
                return time.map(Superscript::Time).map_err(|_| ());
            }
        }
        _ => {}
    }
    let (negative, rest) = match tokens {
        [minus, rest @ ..] if minus.kind == Kind::Minus => (true, rest),
        rest => (false, rest),
    };
    let value = match rest {
        [a] => number(a),
        [a, over, b] if over.kind == Kind::Over => {
            number(a).zip(number(b)).map(|(a, b)| a / b).filter(|v| v.is_finite())
        }
        _ => None,
    };
    if let Some(value) = value {
        return Ok(Superscript::Power(if negative { -value } else { value }));
    }
    match read_part(tokens) {
        Ok(Part::Text(text)) if text.starts_with(|c: char| c.is_ascii_alphabetic()) => Ok(Superscript::Name(text)),
        // `h^{(1)}` numbers a layer or a state; `v^{2 3}` is nothing.
        Ok(Part::Text(text)) if matches!(tokens.first(), Some(t) if t.kind == Kind::Open('(')) && !text.is_empty() => {
            Ok(Superscript::Name(text))
        }
        _ => Err(()),
    }
}
