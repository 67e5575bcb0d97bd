//! Text to syntax: tokens, statements, declarations, equations.
//!
//! ```text
//! text ─ lex ─▶ tokens ─ layout ─▶ statements ─ declare, left sides ─▶ scope ─ expr, read_name ─▶ Tree
//! ```
//!
//! Left sides are read before right sides, because what a run of letters means depends on what is defined. All errors
//! of a text are found: one statement that cannot be read does not stop the others.

mod commands;
mod declare;
mod expr;
mod layout;
mod letters;
mod lex;
mod parser;
mod read_name;
mod remarks;
mod token;
pub(crate) mod tree;
mod word;

use std::collections::HashMap;

use layout::{KEYWORDS, Statement};
use lex::Comment;
pub(crate) use parser::{Means, Scope};
use parser::{Parsed, Parser, Reported};
use remarks::Remarks;
use token::{Kind, Token};
use tree::{Equation, Node, NodeId, NodeKind, Time, Tree};

use crate::cell::Span;
use crate::diag::{Report, quote};
use crate::name::{Name, Symbol};
use crate::nearest::nearest;

/// The left side of an equation, and where its right side begins.
struct Left {
    name: Symbol,
    time: Time,
    span: Span,
    right: usize,
}

/// Reads a text.
pub(crate) fn read<'s>(source: &'s str, report: &mut Report<'s>) -> Tree {
    let lexed = lex::lex(source, report);
    let statements = layout::statements(&lexed.tokens, report);
    let time_above = time_above(&lexed.tokens);
    let mut tree = Tree { doc: doc(&lexed.comments), time_above, ..Tree::default() };
    let mut scope: Scope = HashMap::new();
    let x = tree.names.intern_file("x".into());
    scope.insert(x, Means::Vector);
    for statement in statements.iter().filter(|s| s.declaration) {
        let read = statement.parser(source, &scope, &mut tree, report).declaration();
        tree.partial |= read.is_err();
        declare_last(&tree, &mut scope);
    }
    let mut equations: Vec<Statement> = statements.into_iter().filter(|s| !s.declaration).collect();
    remove_remarks(&mut equations, source, &tree, &scope, report);
    let mut lefts = Vec::new();
    for statement in &equations {
        lefts.push(statement.parser(source, &scope, &mut tree, report).left().ok());
    }
    for left in lefts.iter().flatten() {
        scope.entry(left.name).or_insert(Means::Vector);
    }
    for (statement, left) in equations.iter_mut().zip(lefts) {
        let remarks = Remarks { source, names: &tree.names, scope: &scope };
        remarks.strip_end(statement, report);
        match left {
            Some(left) => right(statement, left, source, &scope, &mut tree, report),
            None => tree.note_unread(&statement.tokens),
        }
    }
    tree
}

/// Drops statements that are remarks alone, and remarks that open a statement.
fn remove_remarks<'s>(
    equations: &mut Vec<Statement<'s>>,
    source: &'s str,
    tree: &Tree,
    scope: &Scope,
    report: &mut Report<'s>,
) {
    let remarks = Remarks { source, names: &tree.names, scope };
    equations.retain(|statement| !remarks.is_one(statement, report));
    for statement in equations {
        remarks.strip_start(statement, report);
    }
}

/// Brings the declarations read last into scope. Double ones are reported by the checker.
fn declare_last(tree: &Tree, scope: &mut Scope) {
    let d = &tree.declarations;
    // Only the last of each kind can be new, so that reading stays linear.
    for name in [d.inputs.last().map(|i| i.name), d.states.last().map(|s| s.name)].into_iter().flatten() {
        scope.entry(name).or_insert(Means::Vector);
    }
    for name in [d.params.last().map(|p| p.name), d.memories.last().map(|m| m.name)].into_iter().flatten() {
        scope.entry(name).or_insert(Means::Param);
    }
    if let Some(c) = d.consts.last() {
        scope.entry(c.name).or_insert(Means::Const(c.value));
    }
    if let Some(f) = d.functions.last() {
        scope.entry(f.name).or_insert(Means::Function(f.value));
    }
}

/// The first block of comments: documentation and citation.
fn doc(comments: &[Comment]) -> String {
    let mut lines = Vec::new();
    for (i, comment) in comments.iter().enumerate() {
        if i > 0 && comment.line != comments[i - 1].line + 1 {
            break;
        }
        lines.push(comment.text.strip_prefix(' ').unwrap_or(comment.text));
    }
    lines.join("\n").trim_matches('\n').to_string()
}

/// Reads a right side; one that cannot be read stands as `Wrong`.
fn right<'s>(
    statement: &Statement<'s>,
    left: Left,
    source: &'s str,
    scope: &Scope,
    tree: &mut Tree,
    report: &mut Report<'s>,
) {
    let mut parser = statement.parser(source, scope, tree, report);
    parser.at = left.right;
    parser.own = (left.time == Time::Plain).then_some(left.name);
    let value = if statement.broken { Err(Reported) } else { parser.whole() };
    let (start, end) = (left.span.start, statement.tokens.last().map_or(0, |t| t.span.end));
    let span = Span { start, end };
    let root = value.unwrap_or_else(|Reported| {
        tree.partial = true;
        tree.nodes.push(Node { kind: NodeKind::Wrong, span, height: 0 });
        NodeId(tree.nodes.len() as u32 - 1)
    });
    tree.equations.push(Equation { name: left.name, time: left.time, name_span: left.span, span, root });
}

/// How many tokens of `(t)`, `[t]` or `[t-1]` stand first.
fn bracketed_time(tokens: &[Token]) -> Option<usize> {
    let kind = |i: usize| tokens.get(i).map(|t| t.kind);
    let opens = matches!(kind(0), Some(Kind::Open('(' | '['))) && tokens.get(1).is_some_and(|t| t.text == "t");
    match (kind(2), kind(3), kind(4)) {
        _ if !opens => None,
        (Some(Kind::Close(_)), ..) => Some(3),
        (Some(Kind::Minus | Kind::Plus), Some(Kind::Number), Some(Kind::Close(_))) => Some(5),
        _ => None,
    }
}

/// Whether a text writes time above its names: `x^t` or `x^{t-1}`, and nowhere `_t`.
fn time_above(tokens: &[Token]) -> bool {
    let is_t = |i: usize| {
        let i = if matches!(tokens.get(i).map(|t| t.kind), Some(Kind::Open('{'))) { i + 1 } else { i };
        tokens.get(i).is_some_and(|t| t.text == "t")
    };
    let mut above = false;
    for (i, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Subscript if is_t(i + 1) => return false,
            Kind::Superscript => above |= i > 0 && tokens[i - 1].text.ends_with('x') && is_t(i + 1),
            _ => {}
        }
    }
    above
}

impl<'s> Statement<'s> {
    fn parser<'a>(
        &'a self,
        source: &'s str,
        scope: &'a Scope,
        tree: &'a mut Tree,
        report: &'a mut Report<'s>,
    ) -> Parser<'a, 's> {
        let (tokens, latex) = (&self.tokens[..], self.latex);
        Parser { source, tokens, at: 0, inside: 0, latex, own: None, depth: 0, scope, tree, report, last: None }
    }
}

impl Parser<'_, '_> {
    /// A right side to its end.
    fn whole(&mut self) -> Parsed<NodeId> {
        let value = self.expression()?;
        if self.kind().is_some() {
            return Err(self.expected("an operator or the end of the equation"));
        }
        Ok(value)
    }

    /// The name before `=`.
    fn left(&mut self) -> Parsed<Left> {
        let Some(equals) = self.tokens.iter().position(|t| t.kind == Kind::Equals) else {
            return Err(self.no_equation());
        };
        let start = self.here().start;
        let read = match self.kind() {
            Some(Kind::Word | Kind::Roman | Kind::Letter) => self.left_name(start)?,
            Some(Kind::AccentBefore) => self.accented(start, 0)?,
            Some(Kind::Open('{')) if matches!(self.kind_at(2), Some(Kind::Close('}'))) => {
                self.advance();
                let mut read = self.left_name(start)?;
                self.advance();
                self.suffixes(&mut read, true)?;
                read
            }
            _ => return Err(self.bad_left(equals)),
        };
        if self.at != equals || self.inside > 0 || read.after.is_some() {
            return Err(self.bad_left(equals));
        }
        if read.time == Time::Previous {
            let message = format!("{} is the value of the step before", quote(self.source, read.span));
            let name = read.name.file();
            let hint = format!("an equation gives the new value: `{name}_t = …` or `{name}' = …`");
            self.report.error("E106", read.span, message).hint(hint);
            return Err(Reported);
        }
        let name = self.tree.names.intern(&read.name);
        Ok(Left { name, time: read.time, span: read.span, right: equals + 1 })
    }

    fn left_name(&mut self, start: usize) -> Parsed<read_name::Read> {
        let mut read = read_name::Read::new(Name::plain(self.text()), start);
        self.advance();
        self.suffixes(&mut read, true)?;
        Ok(read)
    }

    fn left_with_time(&self, equals: usize) -> bool {
        self.tokens[..equals].iter().position(|t| matches!(t.kind, Kind::Open('(' | '['))).is_some_and(|open| {
            bracketed_time(&self.tokens[open..equals]).is_some_and(|length| open + length == equals)
        })
    }

    fn bad_left(&mut self, equals: usize) -> Reported {
        if self.tokens[..equals].iter().any(|t| t.kind == Kind::Wrong) {
            return Reported;
        }
        let start = self.tokens.first().map_or(0, |t| t.span.start);
        let end = if equals > 0 { self.tokens[equals - 1].span.end } else { self.tokens[0].span.end };
        let span = Span { start, end };
        let keyword = nearest(self.tokens[0].text, KEYWORDS.iter().copied());
        let hint = match keyword {
            Some(near) if self.tokens[0].kind == Kind::Word && equals > 1 => {
                format!("did you mean the declaration `{near}`?")
            }
            _ if self.left_with_time(equals) => "time is written `h_t = …`".into(),
            _ => "write one name before `=`, as in `h' = …`, `h_t = …` or `z = …`".into(),
        };
        let message = match equals {
            0 => "nothing stands before `=`".to_string(),
            _ => format!("{} is not a single name", quote(self.source, span)),
        };
        self.report.error("E006", span, message).hint(hint);
        Reported
    }

    fn no_equation(&mut self) -> Reported {
        let span = Span { start: self.here().start, end: self.tokens.last().map_or(0, |t| t.span.end) };
        let near = if self.report.has_room() { nearest(self.text(), KEYWORDS.iter().copied()) } else { None };
        let hint = match near {
            Some(near) => format!("did you mean the declaration `{near}`?"),
            None => {
                "an equation has a `=`; a comment starts with `#`; a line that goes on starts or ends with an operator"
                    .into()
            }
        };
        let message = format!("{} is neither an equation nor a declaration", quote(self.source, span));
        self.report.error("E005", span, message).hint(hint);
        Reported
    }
}
