//! Declarations: `input c : 8`, `state m : 64`, `memory m`, `param W_p : hidden x 64`, `share W`, `init b = 1`,
//! `learn h`, `output y`, `const alpha = 0.3`, `function f_h = tanh`. Names stand as files spell them; the lecture's spellings are
//! understood too.

use super::parser::{Means, Parsed, Parser, Reported};
use super::read_name::Read;
use super::token::Kind;
use super::tree::{Declared, DeclaredShape, NodeId, NodeKind, Operator, Time};
use crate::cell::{Init, Span};
use crate::diag::quote;
use crate::dim::Dim;
use crate::functions;
use crate::name::{Name, Symbol};
use crate::nearest::nearest;
use crate::op::Function;

/// Initialisers by name, and whether they take a number.
const INITIALISERS: &[(&str, bool)] = &[
    ("zeros", false),
    ("ones", false),
    ("uniform", true),
    ("normal", true),
    ("xavier", false),
    ("he", false),
    ("orthogonal", false),
    ("identity", false),
];

impl<'s> Parser<'_, 's> {
    /// Reads one declaration; the cursor stands on its keyword.
    pub(super) fn declaration(&mut self) -> Parsed<()> {
        let keyword = self.text();
        self.advance();
        match keyword {
            "input" => self.input()?,
            "state" => {
                let declared = self.of_dimension("a state declares its dimension, as in `state m : 64`")?;
                self.tree.declarations.states.push(declared);
            }
            "memory" => {
                let declared = self.of_dimension("a memory declares the length of its rows, as in `memory m : 64`")?;
                self.tree.declarations.memories.push(declared);
            }
            "param" => self.param()?,
            "init" => self.init()?,
            "const" => self.constant()?,
            "function" => self.function_name()?,
            "output" => {
                let declared = self.declared(())?;
                self.tree.declarations.outputs.push(declared);
            }
            "share" => {
                let list = self.declared_list()?;
                self.tree.declarations.shares.extend(list);
            }
            _ => {
                let list = self.declared_list()?;
                self.tree.declarations.learns.extend(list);
            }
        }
        if self.kind().is_some() {
            return Err(self.unexpected("the end of the declaration", "a declaration stands on a line of its own"));
        }
        Ok(())
    }

    fn unexpected(&mut self, what: &str, hint: &str) -> Reported {
        let span = self.here();
        let message = match self.kind() {
            Some(_) => format!("{what} was expected, not {}", quote(self.source, span)),
            None => format!("{what} was expected, but the line ends"),
        };
        self.report.error("E008", span, message).hint(hint);
        Reported
    }

    /// A name, as files spell it.
    fn declared_name(&mut self) -> Parsed<(Symbol, Span)> {
        let start = self.here().start;
        let read = match self.kind() {
            Some(Kind::Word | Kind::Roman | Kind::Letter) => {
                let mut read = Read::new(Name::plain(self.text()), start);
                self.advance();
                self.suffixes(&mut read, true)?;
                read
            }
            Some(Kind::AccentBefore) => self.accented(start, 0)?,
            _ => {
                return Err(self.unexpected(
                    "a name",
                    "a name in a declaration is spelled as in files: `W_xz`, `C_tilde`, `alpha`",
                ));
            }
        };
        if read.time != Time::Plain || read.after.is_some() {
            let message = format!("{} carries a time or a power in a declaration", quote(self.source, read.span));
            self.report.error("E008", read.span, message).hint(format!("write `{}`", read.name.file()));
            return Err(Reported);
        }
        Ok((self.tree.names.intern(&read.name), read.span))
    }

    fn declared<T>(&mut self, value: T) -> Parsed<Declared<T>> {
        let (name, span) = self.declared_name()?;
        Ok(Declared { name, span, value })
    }

    /// `a`, or `a, b`, or `a b`.
    fn declared_list(&mut self) -> Parsed<Vec<Declared<()>>> {
        let mut list = vec![self.declared(())?];
        loop {
            if self.kind() == Some(Kind::Comma) {
                self.advance();
            }
            if self.kind().is_none() || self.kind() == Some(Kind::Equals) {
                return Ok(list);
            }
            list.push(self.declared(())?);
        }
    }

    fn colon(&mut self, example: &str) -> Parsed<()> {
        if self.kind() != Some(Kind::Colon) {
            return Err(self.unexpected("`:`", example));
        }
        self.advance();
        Ok(())
    }

    fn equals(&mut self, example: &str) -> Parsed<()> {
        if self.kind() != Some(Kind::Equals) {
            return Err(self.unexpected("`=`", example));
        }
        self.advance();
        Ok(())
    }

    fn input(&mut self) -> Parsed<()> {
        let (name, span) = self.declared_name()?;
        self.colon("an input declares its dimension, as in `input c : 8`")?;
        let value = self.dimension()?;
        self.tree.declarations.inputs.push(Declared { name, span, value });
        Ok(())
    }

    /// A name, and a dimension if one is given.
    fn of_dimension(&mut self, example: &str) -> Parsed<Declared<Option<Dim>>> {
        let (name, span) = self.declared_name()?;
        let value = match self.kind() {
            None => None,
            _ => {
                self.colon(example)?;
                Some(self.dimension()?)
            }
        };
        Ok(Declared { name, span, value })
    }

    fn param(&mut self) -> Parsed<()> {
        let (name, span) = self.declared_name()?;
        self.colon("a parameter declares its shape, as in `param W : hidden x 64` or `param a : 1`")?;
        let rows = self.dimension()?;
        let value = if self.times() {
            DeclaredShape::Matrix(rows, self.dimension()?)
        } else if rows == Dim::ONE {
            DeclaredShape::Scalar
        } else {
            DeclaredShape::Vector(rows)
        };
        self.tree.declarations.params.push(Declared { name, span, value });
        Ok(())
    }

    /// The `x` between rows and columns.
    fn times(&mut self) -> bool {
        let is_times = match self.kind() {
            Some(Kind::Times) => true,
            Some(Kind::Word) => self.text().starts_with('x') && self.text()[1..].bytes().all(|b| b.is_ascii_digit()),
            _ => false,
        };
        if is_times {
            let one = if self.kind() == Some(Kind::Word) { 1 } else { usize::MAX };
            self.step(one);
        }
        is_times
    }

    /// A sum of sizes: `hidden + input`, `2 * hidden + 3`, `64`.
    fn dimension(&mut self) -> Parsed<Dim> {
        let start = self.here().start;
        let mut sum = self.dimension_product()?;
        while self.kind() == Some(Kind::Plus) {
            self.advance();
            let more = self.dimension_product()?;
            sum = match sum.checked_add(more) {
                Some(sum) => sum,
                None => return Err(self.too_large(start)),
            };
        }
        if sum == Dim::ZERO {
            let span = Span { start, end: self.read_to() };
            self.report.error("E207", span, "a dimension is 0").hint("a dimension is at least 1");
            return Err(Reported);
        }
        Ok(sum)
    }

    fn too_large(&mut self, start: usize) -> Reported {
        let span = Span { start, end: self.read_to() };
        self.report.error("E208", span, "this dimension is too large").hint("write one below 2147483648");
        Reported
    }

    fn dimension_product(&mut self) -> Parsed<Dim> {
        let start = self.here().start;
        let first = self.dimension_factor()?;
        // `2 * hidden`, where the `*` is no `x` between rows and columns.
        let more = self.kind() == Some(Kind::Times)
            && (first.input + first.hidden + first.output == 0 && matches!(self.kind_at(1), Some(Kind::Word)));
        if !more {
            return Ok(first);
        }
        self.advance();
        let second = self.dimension_factor()?;
        let times = u32::try_from(first.fixed).unwrap_or(u32::MAX);
        second.checked_times(times).ok_or_else(|| self.too_large(start))
    }

    fn dimension_factor(&mut self) -> Parsed<Dim> {
        let hint = "a dimension is a sum of `input`, `hidden`, `output` and whole numbers, as in `hidden + 2 * input`";
        let start = self.here().start;
        match self.kind() {
            Some(Kind::Number | Kind::Word) if self.text().starts_with(|c: char| c.is_ascii_digit()) => {
                let text = self.text();
                let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
                if digits < text.len() {
                    return Err(self.unexpected("a whole number", hint));
                }
                self.advance();
                match text.parse::<usize>() {
                    Ok(n) if n < 1 << 31 => Ok(Dim::fixed(n)),
                    _ => Err(self.too_large(start)),
                }
            }
            Some(Kind::Word) => {
                let dim = match self.text() {
                    "input" => Dim::INPUT,
                    "hidden" => Dim::HIDDEN,
                    "output" => Dim::OUTPUT,
                    _ => return Err(self.unexpected("a dimension", hint)),
                };
                self.advance();
                Ok(dim)
            }
            Some(Kind::Open('(')) => {
                if self.depth > 20 {
                    return Err(self.unexpected("a dimension without so many brackets", hint));
                }
                self.depth += 1;
                self.advance();
                let inner = self.dimension()?;
                if self.kind() != Some(Kind::Close(')')) {
                    return Err(self.unexpected("`)`", hint));
                }
                self.advance();
                self.depth -= 1;
                Ok(inner)
            }
            _ => Err(self.unexpected("a dimension", hint)),
        }
    }

    fn init(&mut self) -> Parsed<()> {
        let list = self.declared_list()?;
        self.equals("an initialiser is written `init b_f = 1`")?;
        let init = self.initialiser()?;
        let with_value = |d: Declared<()>| Declared { name: d.name, span: d.span, value: init };
        self.tree.declarations.inits.extend(list.into_iter().map(with_value));
        Ok(())
    }

    fn initialiser(&mut self) -> Parsed<Init> {
        let span = self.here();
        let name = self.text();
        if !matches!(self.kind(), Some(Kind::Word | Kind::Roman)) || self.means(name).is_some() {
            return Ok(Init::Constant(self.constant_expression()?));
        }
        let Some(&(_, takes)) = INITIALISERS.iter().find(|(n, _)| *n == name) else {
            let near = nearest(name, INITIALISERS.iter().map(|(n, _)| *n));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    "initialisers are a number, zeros, ones, uniform(a), normal(s), xavier, he, orthogonal, identity"
                        .into()
                }
            };
            let message = format!("the initialiser {} is not known", quote(self.source, span));
            self.report.error("E112", span, message).hint(hint);
            return Err(Reported);
        };
        self.advance();
        let value = if takes { self.initialiser_argument(span)? } else { 0.0 };
        if !takes && self.kind().is_some() {
            let message = format!("`{name}` takes no argument");
            self.report.error("E113", self.here(), message).hint(format!("write `{name}` alone"));
            return Err(Reported);
        }
        Ok(match name {
            "zeros" => Init::Constant(0.0),
            "ones" => Init::Constant(1.0),
            "uniform" => Init::Uniform(value),
            "normal" => Init::Normal(value),
            "xavier" => Init::Xavier,
            "he" => Init::He,
            "orthogonal" => Init::Orthogonal,
            _ => Init::Identity,
        })
    }

    /// The number in `uniform(0.1)`.
    fn initialiser_argument(&mut self, name: Span) -> Parsed<f64> {
        let text = quote(self.source, name);
        let opens = self.kind() == Some(Kind::Open('('));
        if opens {
            self.advance();
        }
        if !opens || self.kind() == Some(Kind::Close(')')) {
            let message = format!("{text} takes 1 argument, not 0");
            self.report.error("E113", name, message).hint("write its width, as in `uniform(0.1)` or `normal(0.02)`");
            return Err(Reported);
        }
        let value = self.constant_expression()?;
        if self.kind() == Some(Kind::Comma) {
            let message = format!("{text} takes 1 argument");
            self.report
                .error("E113", name, message)
                .hint("`uniform(a)` is uniform in ±a; `normal(s)` has deviation s and mean 0");
            return Err(Reported);
        }
        if self.kind() != Some(Kind::Close(')')) {
            return Err(self.unexpected("`)`", "write `uniform(0.1)`"));
        }
        self.advance();
        if value < 0.0 {
            let message = format!("the width of {text} is negative");
            self.report.error("E112", name, message).hint("write a number of at least 0");
            return Err(Reported);
        }
        Ok(value)
    }

    fn constant(&mut self) -> Parsed<()> {
        let (name, span) = self.declared_name()?;
        self.equals("a constant is written `const alpha = 0.3`")?;
        let value = self.constant_expression();
        // A wrong one is still a number to what reads it.
        self.tree.declarations.consts.push(Declared { name, span, value: *value.as_ref().unwrap_or(&1.0) });
        value.map(drop)
    }

    /// An expression of numbers and constants.
    fn constant_expression(&mut self) -> Parsed<f64> {
        let start = self.here().start;
        let errors = self.report.errors();
        let node = self.expression()?;
        let span = Span { start, end: self.read_to() };
        if self.report.errors() > errors {
            return Err(Reported);
        }
        match self.constant_value(node) {
            Some(value) if value.is_finite() => Ok(value),
            Some(value) => {
                let message = format!("the constant {} is {value}", quote(self.source, span));
                self.report.error("E301", span, message).hint("write a finite number");
                Err(Reported)
            }
            None => {
                let message = format!("{} is not a number", quote(self.source, span));
                self.report.error("E008", span, message).hint("write a number, or constants declared above");
                Err(Reported)
            }
        }
    }

    fn constant_value(&self, node: NodeId) -> Option<f64> {
        let value = |id: &NodeId| self.constant_value(*id);
        Some(match &self.tree.node(node).kind {
            NodeKind::Number(v) => *v,
            NodeKind::Name(symbol, Time::Plain) => match self.scope.get(symbol) {
                Some(Means::Const(v)) => *v,
                _ => return None,
            },
            NodeKind::Neg(a) => -value(a)?,
            NodeKind::Binary(operator, a, b) => operator.value(value(a)?, value(b)?),
            NodeKind::Product(list) => list.iter().map(value).product::<Option<f64>>()?,
            NodeKind::Power(a, p) => value(a)?.powf(*p),
            NodeKind::Call(super::tree::Callee::Known(f), list) => {
                let list = list.iter().map(value).collect::<Option<Vec<_>>>()?;
                functions::value(*f, &list)?
            }
            _ => return None,
        })
    }

    fn function_name(&mut self) -> Parsed<()> {
        let (name, span) = self.declared_name()?;
        self.equals("a slot is filled by `function f_h = tanh`")?;
        let value = self.known_function()?;
        self.tree.declarations.functions.push(Declared { name, span, value });
        Ok(())
    }

    fn known_function(&mut self) -> Parsed<Function> {
        if let Some(Kind::Function(function)) = self.kind() {
            self.advance();
            return Ok(function);
        }
        let (symbol, span) = self.declared_name()?;
        let file = self.tree.names.file(symbol);
        if let Some(Means::Function(function)) = self.scope.get(&symbol) {
            return Ok(*function);
        }
        if let Some(function) = functions::find(file).or_else(|| functions::find_loosely(file)) {
            return Ok(function);
        }
        let near = if self.report.has_room() { nearest(file, functions::spellings()) } else { None };
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write one of the language's functions, such as `tanh` or `relu`".into(),
        };
        let message = format!("the function {} is not known", quote(self.source, span));
        self.report.error("E109", span, message).hint(hint);
        Err(Reported)
    }
}

impl Operator {
    /// The value at two numbers.
    pub(crate) fn value(self, a: f64, b: f64) -> f64 {
        match self {
            Operator::Add => a + b,
            Operator::Sub => a - b,
            Operator::Mul => a * b,
            Operator::Div => a / b,
        }
    }
}
