//! Tokens to statements: where one equation ends and the next begins.
//!
//! A line ends an equation unless the next one starts with an operator, or it ends in one itself, or a bracket is open.
//! `\\`, `\quad`, `$` and environments separate as well; `\quad`, and the end of a line inside mathematics, do so only
//! where what follows is an equation. Brackets are matched here, so that an unclosed one is reported where it opens and
//! swallows no further equation.

use super::token::{Kind, Token};
use crate::diag::Report;

/// The words that open a declaration.
pub(super) const KEYWORDS: &[&str] =
    &["input", "state", "memory", "param", "share", "init", "learn", "output", "const", "function"];

/// One equation or declaration.
pub(super) struct Statement<'s> {
    /// Its tokens: no separators, brackets matched unless `broken`.
    pub tokens: Vec<Token<'s>>,
    /// Whether a letter is a name in it.
    pub latex: bool,
    /// Whether it opens with a keyword.
    pub declaration: bool,
    /// Whether its brackets do not match, which was reported.
    pub broken: bool,
}

/// Most tokens of a name before its `=`.
const LONGEST_NAME: usize = 24;

struct Layout<'s, 't, 'r> {
    tokens: &'t [Token<'s>],
    report: &'r mut Report<'s>,
    current: Statement<'s>,
    open: Vec<Token<'s>>,
    statements: Vec<Statement<'s>>,
    /// How many `$` and environments are open.
    math: usize,
}

/// What is seen of the text up to the next separator.
struct Ahead {
    equation: bool,
    declaration: bool,
    operator: bool,
    equals: bool,
}

/// Groups the tokens of a text.
pub(super) fn statements<'s>(tokens: &[Token<'s>], report: &mut Report<'s>) -> Vec<Statement<'s>> {
    let mut layout = Layout { tokens, report, current: empty(), open: Vec::new(), statements: Vec::new(), math: 0 };
    let mut separator: Option<bool> = None;
    for (i, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Comma && layout.open.is_empty() && layout.comma_ends(i) {
            layout.finish();
            continue;
        }
        let ends = token.kind == Kind::Semicolon && layout.open.is_empty();
        if token.kind.separates() || ends {
            let hard = layout.separator(token);
            separator = Some(hard || separator == Some(true));
            continue;
        }
        if let Some(hard) = separator.take() {
            layout.boundary(i, hard);
        }
        layout.token(*token);
    }
    layout.finish();
    layout.statements
}

fn empty<'s>() -> Statement<'s> {
    Statement { tokens: Vec::new(), latex: false, declaration: false, broken: false }
}

impl<'s> Layout<'s, '_, '_> {
    /// Takes note of a separator; true if an equation ends there whatever follows.
    fn separator(&mut self, token: &Token<'s>) -> bool {
        match token.kind {
            Kind::Math(true) | Kind::Environment(true) => self.math += 1,
            Kind::Math(false) | Kind::Environment(false) => self.math = self.math.saturating_sub(1),
            Kind::RowBreak | Kind::Quad => self.current.latex = true,
            Kind::Newline => return self.math == 0,
            _ => {}
        }
        token.kind != Kind::Quad
    }

    /// Decides whether the text from token `i` on belongs to the current statement.
    fn boundary(&mut self, i: usize, hard: bool) {
        let Some(last) = self.current.tokens.last() else { return };
        let ahead = self.ahead(i);
        let unfinished = last.kind.is_operator() || last.kind == Kind::Equals;
        let joins = if self.current.declaration {
            false
        } else if ahead.operator {
            true
        } else if ahead.equals {
            !self.current.tokens.iter().any(|t| t.kind == Kind::Equals)
        } else {
            !ahead.equation && !ahead.declaration && (unfinished || !hard || !self.open.is_empty())
        };
        if !joins {
            self.finish();
            self.current.latex = !hard;
        }
    }

    /// Whether the comma at token `i` stands between two equations: `a = x, b = a`.
    fn comma_ends(&self, i: usize) -> bool {
        let here = &self.current;
        let equals = |t: &Token| t.kind == Kind::Equals;
        let mut next = self.tokens[i + 1..].iter().take(LONGEST_NAME);
        next.find(|t| t.kind.separates() || matches!(t.kind, Kind::Comma | Kind::Equals)).is_some_and(equals)
            && !opens_declaration(&here.tokens)
            && here.tokens.iter().any(equals)
    }

    fn ahead(&self, i: usize) -> Ahead {
        let rest = &self.tokens[i..];
        let end = rest.iter().position(|t| t.kind.separates() || t.kind == Kind::Semicolon).unwrap_or(rest.len());
        let first = rest[0].kind;
        Ahead {
            equation: rest[..end].iter().any(|t| t.kind == Kind::Equals),
            declaration: opens_declaration(&rest[..end]),
            operator: first.is_operator(),
            equals: first == Kind::Equals,
        }
    }

    fn token(&mut self, token: Token<'s>) {
        self.current.latex |= token.latex || self.math > 0;
        match token.kind {
            Kind::Open(_) => self.open.push(token),
            Kind::Close(close) => self.close(token, close),
            _ => {}
        }
        self.current.tokens.push(token);
    }

    fn close(&mut self, token: Token<'s>, close: char) {
        let partner = |open| match open {
            '(' => ')',
            '[' => ']',
            _ => '}',
        };
        match self.open.pop() {
            Some(Token { kind: Kind::Open(open), .. }) if partner(open) == close => {}
            Some(open) => {
                let Kind::Open(bracket) = open.kind else { return };
                self.current.broken = true;
                let message = format!("`{close}` closes a `{bracket}`");
                let hint = format!("write `{}` here, or close the inner bracket first", partner(bracket));
                self.report.error("E003", token.span, message).hint(hint).label(open.span, "opened here");
            }
            None => {
                if !self.current.broken {
                    let message = format!("`{close}` closes nothing");
                    self.report.error("E003", token.span, message).hint("delete it, or open its partner before it");
                }
                self.current.broken = true;
            }
        }
    }

    /// Ends the current statement.
    fn finish(&mut self) {
        if !self.current.broken {
            for open in self.open.iter().take(3) {
                self.report
                    .error("E003", open.span, "this bracket is never closed")
                    .hint("close it before the next equation begins");
            }
        }
        self.current.broken |= !self.open.is_empty();
        self.open.clear();
        let mut done = std::mem::replace(&mut self.current, empty());
        while done.tokens.last().is_some_and(|t| matches!(t.kind, Kind::Comma | Kind::Stop | Kind::Semicolon)) {
            done.tokens.pop();
        }
        done.declaration = opens_declaration(&done.tokens);
        if !done.tokens.is_empty() {
            self.statements.push(done);
        }
    }
}

/// A keyword, and after it what no equation could hold there.
fn opens_declaration(tokens: &[Token]) -> bool {
    let Some(first) = tokens.first() else { return false };
    if first.kind != Kind::Word || !KEYWORDS.contains(&first.text) {
        return false;
    }
    match tokens.get(1) {
        None => true,
        Some(next) => matches!(
            next.kind,
            Kind::Word | Kind::Roman | Kind::Letter | Kind::AccentBefore | Kind::Colon | Kind::Number
        ),
    }
}
