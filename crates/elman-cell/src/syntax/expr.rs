//! Expressions. Binding, tightest first: `^`, unary minus, matrix products (side by side, `·`, `@`), elementwise `*` and
//! `/`, `+` and `-`.

use super::parser::{Parsed, Parser, Reported};
use super::read_name::{Read, Superscript};
use super::token::Kind;
use super::tree::{Callee, DEEPEST, NodeId, NodeKind, Operator};
use crate::cell::Span;
use crate::diag::quote;
use crate::functions;
use crate::name::Name;
use crate::op::Function;

impl<'s> Parser<'_, 's> {
    /// Sums and differences.
    pub(super) fn expression(&mut self) -> Parsed<NodeId> {
        if self.depth >= DEEPEST {
            let span = self.here();
            let message = format!("more than {DEEPEST} brackets or functions stand within each other");
            self.report.error("E007", span, message).hint("give a part of it a name of its own");
            return Err(Reported);
        }
        self.depth += 1;
        let mut sum = self.term()?;
        while let Some(kind @ (Kind::Plus | Kind::Minus)) = self.kind() {
            self.advance();
            let operator = if kind == Kind::Plus { Operator::Add } else { Operator::Sub };
            let right = self.term()?;
            sum = self.binary(operator, sum, right)?;
        }
        self.depth -= 1;
        Ok(sum)
    }

    /// Elementwise products and quotients.
    fn term(&mut self) -> Parsed<NodeId> {
        let mut product = self.product()?;
        while let Some(kind @ (Kind::Times | Kind::Over)) = self.kind() {
            self.advance();
            let operator = if kind == Kind::Times { Operator::Mul } else { Operator::Div };
            let right = self.product()?;
            if operator == Operator::Div {
                self.warn_of_quotient(product, right);
            }
            product = self.binary(operator, product, right)?;
        }
        Ok(product)
    }

    /// `1/2 h` is 1 / (2 h), since factors side by side bind tighter.
    fn warn_of_quotient(&mut self, left: NodeId, right: NodeId) {
        let NodeKind::Product(factors) = &self.tree.node(right).kind else { return };
        let number = |id: NodeId| matches!(self.tree.node(id).kind, NodeKind::Number(_));
        if factors.first().is_some_and(|&f| number(f)) {
            let span = Span { start: self.tree.node(left).span.start, end: self.tree.node(right).span.end };
            let divisor = quote(self.source, self.tree.node(right).span);
            let message = format!("{} divides by all of {divisor}", quote(self.source, span));
            self.report
                .warning("W005", span, message)
                .hint("factors side by side bind tighter than `/`; write brackets or `*`");
        }
    }

    fn binary(&mut self, operator: Operator, left: NodeId, right: NodeId) -> Parsed<NodeId> {
        let span = Span { start: self.tree.node(left).span.start, end: self.tree.node(right).span.end };
        self.node(NodeKind::Binary(operator, left, right), span)
    }

    /// Factors side by side, or with `·` or `@` between them.
    fn product(&mut self) -> Parsed<NodeId> {
        let start = self.here().start;
        let mut factors = Vec::new();
        self.unary(&mut factors)?;
        loop {
            if self.kind() == Some(Kind::Dot) {
                self.advance();
                self.unary(&mut factors)?;
            } else if self.starts_factor() {
                self.factor(&mut factors)?;
            } else {
                break;
            }
        }
        match factors[..] {
            [only] => Ok(only),
            _ => {
                let span = Span { start, end: self.read_to() };
                self.node(NodeKind::Product(factors), span)
            }
        }
    }

    pub(super) fn starts_factor(&self) -> bool {
        self.starts_factor_at(0)
    }

    fn starts_factor_at(&self, ahead: usize) -> bool {
        matches!(
            self.kind_at(ahead),
            Some(
                Kind::Word
                    | Kind::Roman
                    | Kind::Letter
                    | Kind::Number
                    | Kind::Open(_)
                    | Kind::Function(_)
                    | Kind::Fraction
                    | Kind::AccentBefore
                    | Kind::Wrong
            )
        )
    }

    /// A factor with its signs.
    fn unary(&mut self, factors: &mut Vec<NodeId>) -> Parsed<()> {
        let start = self.here().start;
        let mut negative = false;
        while let Some(kind @ (Kind::Minus | Kind::Plus)) = self.kind() {
            negative ^= kind == Kind::Minus;
            self.advance();
        }
        let first = factors.len();
        self.factor(factors)?;
        if negative {
            let span = Span { start, end: self.tree.node(factors[first]).span.end };
            factors[first] = self.node(NodeKind::Neg(factors[first]), span)?;
        }
        Ok(())
    }

    /// One factor, or two where a run of letters splits (`Ux_t`), with powers and transposes.
    fn factor(&mut self, factors: &mut Vec<NodeId>) -> Parsed<()> {
        let start = self.here().start;
        let first = factors.len();
        self.atom(factors)?;
        let Some(mut node) = factors.pop() else { return Ok(()) };
        let start = if factors.len() == first { start } else { self.tree.node(node).span.start };
        while self.inside == 0 && self.kind() == Some(Kind::Superscript) {
            let mark = self.here();
            let superscript = self.superscript(&Name::default())?;
            node = self.raise(node, superscript, Span { start, end: self.read_to() }, mark)?;
        }
        factors.push(node);
        Ok(())
    }

    fn raise(&mut self, node: NodeId, superscript: Superscript, span: Span, mark: Span) -> Parsed<NodeId> {
        match superscript {
            Superscript::Power(power) => self.node(NodeKind::Power(node, power), span),
            Superscript::Transpose => self.node(NodeKind::Transpose(node), span),
            _ => {
                let mark = Span { start: mark.start, end: span.end };
                self.report
                    .error("E010", mark, "a power must be a number")
                    .hint("write a number after `^`, as in `v^2`");
                self.node(NodeKind::Wrong, span)
            }
        }
    }

    fn atom(&mut self, factors: &mut Vec<NodeId>) -> Parsed<()> {
        let start = self.here().start;
        let node = match self.kind() {
            Some(Kind::Number) => {
                let span = self.here();
                match self.number(span) {
                    Ok(value) => self.node(NodeKind::Number(value), span)?,
                    Err(Reported) => {
                        self.advance();
                        self.node(NodeKind::Wrong, span)?
                    }
                }
            }
            Some(Kind::Open('[')) => self.bracket()?,
            Some(Kind::Open(_)) => self.parenthesis()?,
            Some(Kind::Function(function)) => self.command_function(function)?,
            Some(Kind::Fraction) => self.fraction()?,
            Some(Kind::AccentBefore) => {
                let read = self.accented(start, 0)?;
                self.named(read)?
            }
            Some(Kind::Wrong) => {
                self.advance();
                let mut read = Read::new(Name::default(), start);
                self.suffixes(&mut read, true)?;
                self.node(NodeKind::Wrong, read.span)?
            }
            Some(Kind::Word | Kind::Roman | Kind::Letter) => return self.word(factors),
            _ => return Err(self.expected("an expression")),
        };
        factors.push(node);
        Ok(())
    }

    /// `(a)`, or a group in braces, which may be a name that goes on: `{h}_t`.
    fn parenthesis(&mut self) -> Parsed<NodeId> {
        let open = self.here();
        let braces = self.kind() == Some(Kind::Open('{'));
        self.advance();
        self.last = None;
        let inner = self.expression()?;
        if !matches!(self.kind(), Some(Kind::Close(_))) {
            if self.kind() == Some(Kind::Comma) {
                let span = self.here();
                self.report
                    .error("E004", span, "a comma stands in round brackets")
                    .hint("vectors one after another are written `[a, b]`");
                return Err(Reported);
            }
            return Err(self.expected("an operator or a closing bracket"));
        }
        self.advance();
        if !matches!(self.tree.node(inner).kind, NodeKind::Name(..)) && !braces {
            self.tree.nodes[inner.index()].span = Span { start: open.start, end: self.read_to() };
        }
        if braces && let Some((node, mut read)) = self.last.take().filter(|(node, _)| *node == inner) {
            let before = read.clone();
            read.span.start = open.start;
            self.suffixes(&mut read, false)?;
            if read.name != before.name || read.time != before.time || read.after.is_some() {
                return self.named(read);
            }
            return Ok(node);
        }
        self.last = None;
        Ok(inner)
    }

    /// `[a, b]`, `[a; b]`, or `[a]`, which only groups.
    fn bracket(&mut self) -> Parsed<NodeId> {
        let start = self.here().start;
        self.advance();
        let mut parts = vec![self.expression()?];
        while matches!(self.kind(), Some(Kind::Comma | Kind::Semicolon)) {
            self.advance();
            parts.push(self.expression()?);
        }
        if !matches!(self.kind(), Some(Kind::Close(_))) {
            return Err(self.expected("`,` or a closing bracket"));
        }
        self.advance();
        self.last = None;
        match parts[..] {
            [only] => Ok(only),
            _ => self.node(NodeKind::Concat(parts), Span { start, end: self.read_to() }),
        }
    }

    fn fraction(&mut self) -> Parsed<NodeId> {
        let start = self.here().start;
        self.advance();
        let above = self.part_of_fraction()?;
        let below = self.part_of_fraction()?;
        self.node(NodeKind::Binary(Operator::Div, above, below), Span { start, end: self.read_to() })
    }

    /// A group, without a power that follows it: that is the power of the whole fraction.
    fn part_of_fraction(&mut self) -> Parsed<NodeId> {
        if self.kind() != Some(Kind::Open('{')) {
            return self.single();
        }
        self.advance();
        let inner = self.expression()?;
        if !matches!(self.kind(), Some(Kind::Close(_))) {
            return Err(self.expected("an operator or a closing brace"));
        }
        self.advance();
        Ok(inner)
    }

    /// Exactly one factor: the argument of a function without brackets.
    fn single(&mut self) -> Parsed<NodeId> {
        if self.depth >= DEEPEST {
            self.expression()?;
            return Err(Reported);
        }
        self.depth += 1;
        let start = self.here().start;
        let mut factors = Vec::new();
        self.factor(&mut factors)?;
        self.depth -= 1;
        match factors[..] {
            [only] => Ok(only),
            _ => self.node(NodeKind::Product(factors), Span { start, end: self.read_to() }),
        }
    }

    fn command_function(&mut self, function: Function) -> Parsed<NodeId> {
        let name = self.here();
        self.advance();
        if function == Function::Sqrt && self.kind() == Some(Kind::Open('[')) {
            self.report
                .error("E004", name, "only square roots are known")
                .hint("write `\\exp(\\log(v) / 3)` for a third root");
            return Err(Reported);
        }
        self.call(Callee::Known(function), name)
    }

    /// The arguments of a function whose name was just read.
    pub(super) fn call(&mut self, callee: Callee, name: Span) -> Parsed<NodeId> {
        let wanted = match callee {
            Callee::Known(function) => functions::arguments(function),
            Callee::Slot { .. } => (1, 1),
        };
        let arguments = if self.kind() == Some(Kind::Open('(')) {
            self.arguments()?
        } else if self.starts_factor() {
            vec![self.single()?]
        } else {
            let message = format!("the function {} has no argument", quote(self.source, name));
            self.report.error("E114", name, message).hint("write its argument in brackets, as in `tanh(v)`");
            return Err(Reported);
        };
        let span = Span { start: name.start, end: self.read_to() };
        let (least, most) = wanted;
        if arguments.len() < least || arguments.len() > most {
            let plural = match (least, most) {
                (1, 1) => "1 argument".to_string(),
                (a, b) if a == b => format!("{a} arguments"),
                (a, b) => format!("{a} or {b} arguments"),
            };
            let message = format!("{} takes {plural}, not {}", quote(self.source, name), arguments.len());
            let hint = match callee {
                Callee::Known(Function::Attend | Function::AttendScaled) => {
                    "write `attend(q, m)`, or `attend(q, k, v)` where what is summed is another memory"
                }
                Callee::Known(Function::AttendAdditive) => {
                    "write `attend_additive(q, u, m)` with a weight vector u, or `attend_additive(q, u, k, v)`"
                }
                _ if least == 2 => "write `max(a, b)`",
                _ => "vectors one after another are written `[a, b]`",
            };
            self.report.error("E113", span, message).hint(hint);
            return self.node(NodeKind::Wrong, span);
        }
        self.node(NodeKind::Call(callee, arguments), span)
    }

    pub(super) fn arguments(&mut self) -> Parsed<Vec<NodeId>> {
        self.advance();
        let mut arguments = Vec::new();
        if !matches!(self.kind(), Some(Kind::Close(_))) {
            arguments.push(self.expression()?);
            while self.kind() == Some(Kind::Comma) {
                self.advance();
                arguments.push(self.expression()?);
            }
        }
        if !matches!(self.kind(), Some(Kind::Close(_))) {
            return Err(self.expected("an operator, `,` or a closing bracket"));
        }
        self.advance();
        self.last = None;
        Ok(arguments)
    }

    /// `\tilde{C}_t`, `\tilde{c_t}`, `\tilde C_t`.
    pub(super) fn accented(&mut self, start: usize, depth: usize) -> Parsed<Read> {
        let accent = crate::name::accent_command(self.text());
        self.advance();
        let group = self.kind() == Some(Kind::Open('{'));
        if group {
            self.advance();
        }
        let mut read = match self.kind() {
            Some(Kind::AccentBefore) if depth < 4 => self.accented(start, depth + 1)?,
            Some(Kind::Word | Kind::Roman | Kind::Letter) => {
                let text = self.text();
                let whole = group || self.kind() != Some(Kind::Word);
                let end = if whole { text.len() } else { text.chars().next().map_or(0, char::len_utf8) };
                self.step(end);
                Read::new(Name::plain(&text[..end]), start)
            }
            _ => {
                let span = Span { start, end: self.here().end };
                self.report
                    .error("E009", span, "an accent stands over something that is no name")
                    .hint("write `\\tilde{C}_t`");
                return Err(Reported);
            }
        };
        read.span.start = start;
        if group {
            self.suffixes(&mut read, true)?;
            if self.kind() != Some(Kind::Close('}')) {
                return Err(self.expected("the closing brace of an accent"));
            }
            self.advance();
        }
        read.name.accents.extend(accent);
        self.suffixes(&mut read, false)?;
        Ok(read)
    }

    /// The node of a name, with the power or transpose that stood among its subscripts.
    pub(super) fn named(&mut self, read: Read) -> Parsed<NodeId> {
        let symbol = self.tree.names.intern(&read.name);
        let node = self.node(NodeKind::Name(symbol, read.time), read.span)?;
        let raised = match read.after.clone() {
            Some(superscript) => self.raise(node, superscript, read.span, read.span)?,
            None => node,
        };
        self.last = Some((raised, read));
        Ok(raised)
    }
}
