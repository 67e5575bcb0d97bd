//! The cursor over one statement, and what is known of names while it is read.
//!
//! The cursor may stand inside a run of letters (`inside`): in LaTeX `Ux` is two names, and `x_tW_2` ends a subscript
//! in the middle of `tW`.

use std::collections::HashMap;

use super::token::{Kind, Token};
use super::tree::{HIGHEST, MOST, Node, NodeId, NodeKind, Tree};
use crate::cell::Span;
use crate::diag::Report;
use crate::name::{Name, Symbol};
use crate::op::Function;

/// What the definitions and declarations of a text say of a name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Means {
    /// An input, or the left side of an equation.
    Vector,
    /// A constant.
    Const(f64),
    /// A declared parameter.
    Param,
    /// A function under the author's name.
    Function(Function),
}

/// The names that a text defines or declares.
pub(crate) type Scope = HashMap<Symbol, Means>;

/// An error that was reported.
pub(super) struct Reported;

/// The result of reading a piece.
pub(super) type Parsed<T> = Result<T, Reported>;

/// Reads one statement.
pub(super) struct Parser<'a, 's> {
    pub source: &'s str,
    pub tokens: &'a [Token<'s>],
    pub at: usize,
    pub inside: usize,
    pub latex: bool,
    /// The name on the left side if it stands there plain, so that `Bz` in the equation of `z` is not read as `B z`.
    pub own: Option<Symbol>,
    pub depth: usize,
    pub scope: &'a Scope,
    pub tree: &'a mut Tree,
    pub report: &'a mut Report<'s>,
    /// The last name read and its node, so that `{h}_t` can go on with it.
    pub last: Option<(NodeId, super::read_name::Read)>,
}

impl<'a, 's> Parser<'a, 's> {
    /// The kind of the token at the cursor.
    pub fn kind(&self) -> Option<Kind> {
        self.kind_at(0)
    }

    /// The kind of the token `ahead` tokens further.
    pub fn kind_at(&self, ahead: usize) -> Option<Kind> {
        self.tokens.get(self.at + ahead).map(|t| t.kind)
    }

    /// What is left of the text of the token at the cursor.
    pub fn text(&self) -> &'s str {
        self.tokens.get(self.at).map_or("", |t| &t.text[self.inside.min(t.text.len())..])
    }

    /// Where the cursor stands.
    pub fn here(&self) -> Span {
        match self.tokens.get(self.at) {
            Some(t) => Span { start: t.span.start + self.inside, end: t.span.end },
            None => self.tokens.last().map_or(Span::default(), |t| Span { start: t.span.end, end: t.span.end }),
        }
    }

    /// One past the last byte read.
    pub fn read_to(&self) -> usize {
        if self.inside > 0 {
            return self.here().start;
        }
        self.at.checked_sub(1).and_then(|i| self.tokens.get(i)).map_or(0, |t| t.span.end)
    }

    /// Goes on to the next token.
    pub fn advance(&mut self) {
        self.at += 1;
        self.inside = 0;
    }

    /// Goes on by `bytes` within the run at the cursor.
    pub fn step(&mut self, bytes: usize) {
        if bytes >= self.text().len() { self.advance() } else { self.inside += bytes }
    }

    /// What is known of a name.
    pub fn means(&self, file: &str) -> Option<Means> {
        self.tree.names.find(file).and_then(|symbol| self.scope.get(&symbol).copied())
    }

    /// Whether a name is an input or has an equation.
    pub fn is_vector(&self, name: &Name) -> bool {
        matches!(self.means(&name.file()), Some(Means::Vector))
    }

    /// Adds a node; one that stands too high is an error.
    pub fn node(&mut self, kind: NodeKind, span: Span) -> Parsed<NodeId> {
        let mut height = 0;
        kind.children(|child| height = height.max(self.tree.node(child).height + 1));
        if let NodeKind::Product(factors) = &kind {
            // A product of many factors becomes as many products within each other.
            height = height.saturating_add(u16::try_from(factors.len()).unwrap_or(u16::MAX));
        }
        if height > HIGHEST {
            let message = format!("more than {HIGHEST} operations stand within each other here");
            self.report.error("E007", span, message).hint("give a part of it a name of its own");
            return Err(Reported);
        }
        if self.tree.nodes.len() >= MOST {
            if self.tree.nodes.len() == MOST {
                let message = format!("the text holds more than {MOST} operations");
                self.report.error("E007", span, message).hint("a cell has some tens of them");
                self.tree.nodes.push(Node { kind: NodeKind::Wrong, span, height: 0 });
            }
            return Err(Reported);
        }
        self.tree.nodes.push(Node { kind, span, height });
        Ok(NodeId(self.tree.nodes.len() as u32 - 1))
    }

    /// Reports that something else was expected at the cursor.
    pub fn expected(&mut self, what: &str) -> Reported {
        let span = self.here();
        let message = match self.kind() {
            Some(_) => format!("{what} was expected, not {}", crate::diag::quote(self.source, span)),
            None => format!("{what} was expected, but the equation ends"),
        };
        let module = self.kind() == Some(Kind::Stop) && matches!(self.kind_at(1), Some(Kind::Word | Kind::Roman));
        let entry = self.report.error("E004", span, message);
        if module {
            entry.hint("functions have no module: `sigmoid(…)`; a product is written `W x`, elementwise `*`");
        } else if matches!(self.tokens.get(self.at).map(|t| t.kind), Some(Kind::Equals)) {
            entry.hint("one equation a line; `;` or `\\quad` separates two on one line");
        } else {
            entry.hint("operators stand between two values, and a bracket closes after a value");
        }
        Reported
    }
}
