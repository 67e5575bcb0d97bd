//! Expressions. Binding, tightest first: `^`, unary minus, matrix products (side by side, `·`, `@`), elementwise `*` and
//! `/`, `+` and `-`.

use super::parser::{Means, Parsed, Parser, Reported};
use super::read_name::{Read, Superscript};
use super::token::Kind;
use super::tree::{Callee, DEEPEST, NodeId, NodeKind, Operator, Time};
use crate::cell::Span;
use crate::diag::quote;
use crate::functions;
use crate::name::Name;
use crate::nearest::nearest;
use crate::op::Function;

/// Names that are activation slots where a subscript and a bracket follow.
const SLOTS: &[&str] = &["f", "g", "phi", "varphi", "psi", "sigma"];

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

    fn starts_factor(&self) -> bool {
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
        self.advance();
        let above = self.part_of_fraction()?;
        let below = self.part_of_fraction()?;
        self.binary(Operator::Div, above, below)
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
    fn call(&mut self, callee: Callee, name: Span) -> Parsed<NodeId> {
        let wanted = match callee {
            Callee::Known(function) => functions::arguments(function),
            Callee::Slot { .. } => 1,
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
        if arguments.len() != wanted {
            let plural = |n: usize| if n == 1 { "1 argument".to_string() } else { format!("{n} arguments") };
            let message = format!("{} takes {}, not {}", quote(self.source, name), plural(wanted), arguments.len());
            let hint = if wanted == 2 { "write `max(a, b)`" } else { "vectors one after another are written `[a, b]`" };
            self.report.error("E113", span, message).hint(hint);
            return self.node(NodeKind::Wrong, span);
        }
        self.node(NodeKind::Call(callee, arguments), span)
    }

    fn arguments(&mut self) -> Parsed<Vec<NodeId>> {
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
    fn named(&mut self, read: Read) -> Parsed<NodeId> {
        let symbol = self.tree.names.intern(&read.name);
        let node = self.node(NodeKind::Name(symbol, read.time), read.span)?;
        let raised = match read.after.clone() {
            Some(superscript) => self.raise(node, superscript, read.span, read.span)?,
            None => node,
        };
        self.last = Some((raised, read));
        Ok(raised)
    }

    /// A name, a function, or two names that stand in one run of letters.
    fn word(&mut self, factors: &mut Vec<NodeId>) -> Parsed<()> {
        if self.latex
            && self.kind() == Some(Kind::Word)
            && self.inside == 0
            && let Some((callee, span)) = self.spelled_function()
        {
            let node = self.call(callee, span)?;
            factors.push(node);
            return Ok(());
        }
        if self.text().starts_with(|c: char| c.is_ascii_digit()) {
            return self.digits(factors);
        }
        let at = self.at;
        let read = self.read_name()?;
        if let Some(node) = self.function(&read)? {
            factors.push(node);
            return Ok(());
        }
        let splits = !self.latex && self.tokens[at].kind == Kind::Word && self.means(&read.name.file()).is_none();
        if splits && let Some(place) = self.split(&read, factors) {
            self.report_split(&read, place);
            let (first, second) = split_read(&read, place);
            let first = self.named(first)?;
            let second = self.named(second)?;
            factors.extend([first, second]);
            return Ok(());
        }
        let node = self.named(read)?;
        factors.push(node);
        Ok(())
    }

    /// Digits left over in a run whose letters were names: a number.
    fn digits(&mut self, factors: &mut Vec<NodeId>) -> Parsed<()> {
        let (text, span) = (self.text(), self.here());
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let value = text[..end].parse::<f64>().unwrap_or(f64::INFINITY);
        self.step(end);
        let node =
            self.node(NodeKind::Number(value.min(f64::MAX)), Span { start: span.start, end: span.start + end })?;
        factors.push(node);
        Ok(())
    }

    /// The name at the cursor with its suffixes.
    fn read_name(&mut self) -> Parsed<Read> {
        let start = self.here().start;
        let text = self.text();
        let end = match self.kind() {
            Some(Kind::Word) if self.latex => self.latex_letter(),
            _ => text.len(),
        };
        self.step(end);
        let mut read = Read::new(Name::plain(&text[..end]), start);
        self.suffixes(&mut read, false)?;
        Ok(read)
    }

    /// In LaTeX a letter is a name; but a run that another equation defines as a whole is that name, where its letters
    /// would not all mean something, and `alpha` is `\alpha`.
    fn latex_letter(&self) -> usize {
        let text = self.text();
        let one = text.chars().next().map_or(0, char::len_utf8);
        if text.len() >= 4 && crate::name::greek_command(text).is_some() {
            return text.len();
        }
        if text.len() == one || text.len() > crate::name::LONGEST || self.means(&spelled(text)).is_none() {
            return one;
        }
        let meaningful = |c: char| c.is_uppercase() || self.means(&spelled(c.encode_utf8(&mut [0; 4]))).is_some();
        if text.chars().all(meaningful) { one } else { text.len() }
    }

    /// In LaTeX: a function spelled in letters before a bracket, as in `$h = tanh(…)$`.
    fn spelled_function(&mut self) -> Option<(Callee, Span)> {
        if self.text().len() > crate::name::LONGEST {
            return None;
        }
        let mut file = self.text().to_string();
        let mut ahead = 1;
        while self.kind_at(ahead) == Some(Kind::Subscript) && self.kind_at(ahead + 1) == Some(Kind::Word) && ahead < 6 {
            file.push('_');
            file.push_str(self.tokens[self.at + ahead + 1].text);
            ahead += 2;
        }
        if self.kind_at(ahead) != Some(Kind::Open('(')) || self.text().chars().nth(1).is_none() {
            return None;
        }
        let function = match self.means(&file) {
            Some(Means::Function(function)) => function,
            Some(_) => return None,
            None => functions::find(&file).or_else(|| functions::find_loosely(&file))?,
        };
        let span = Span { start: self.here().start, end: self.tokens[self.at + ahead - 1].span.end };
        self.at += ahead;
        Some((Callee::Known(function), span))
    }

    /// The call of a function, if the name just read is one.
    fn function(&mut self, read: &Read) -> Parsed<Option<NodeId>> {
        if read.time != Time::Plain || read.after.is_some() {
            return Ok(None);
        }
        let file = read.name.file();
        match self.means(&file) {
            Some(Means::Function(function)) => return self.call(Callee::Known(function), read.span).map(Some),
            Some(_) => return Ok(None),
            None => {}
        }
        let bracket = matches!(self.kind(), Some(Kind::Open('(' | '[')));
        if let Some(function) = functions::find(&file) {
            return self.call(Callee::Known(function), read.span).map(Some);
        }
        if bracket && is_slot(&read.name) {
            let name = self.tree.names.intern(&read.name);
            let sigmoid = read.name.base == "sigma";
            return self.call(Callee::Slot { name, sigmoid }, read.span).map(Some);
        }
        if self.kind() != Some(Kind::Open('(')) {
            return Ok(None);
        }
        if read.name.base.starts_with(|c: char| c.is_lowercase()) {
            return self.unknown_function(&file, read.span).map(Some);
        }
        match functions::find_loosely(&file) {
            Some(function) => self.call(Callee::Known(function), read.span).map(Some),
            None => Ok(None),
        }
    }

    fn unknown_function(&mut self, file: &str, span: Span) -> Parsed<NodeId> {
        let near = self.nearest_function(file);
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                "a matrix before a bracket has a capital letter; an elementwise product is written with `*`".to_string()
            }
        };
        let message = format!("the function {} is not known", quote(self.source, span));
        self.report.error("E109", span, message).hint(hint);
        self.arguments()?;
        let span = Span { start: span.start, end: self.read_to() };
        self.node(NodeKind::Wrong, span)
    }

    fn nearest_function(&self, file: &str) -> Option<String> {
        if !self.report.has_room() {
            return None;
        }
        let own = self.scope.iter().filter(|(_, means)| matches!(means, Means::Function(_)));
        let mut names: Vec<&str> = own.map(|(symbol, _)| self.tree.names.file(*symbol)).collect();
        names.sort_unstable();
        names.extend(functions::spellings());
        nearest(file, names).map(str::to_string)
    }

    /// Where a run of letters that is no defined name splits into a capital name and a defined vector.
    fn split(&self, read: &Read, before: &[NodeId]) -> Option<usize> {
        let base = &read.name.base;
        let followed = self.kind() == Some(Kind::Dot) || self.starts_factor();
        if base.len() < 2 || read.time == Time::Plain && (followed || self.stands_after_vector(before)) {
            return None;
        }
        let capital = |name: &str| name.starts_with(|c: char| c.is_uppercase());
        (1..base.len()).filter(|&i| base.is_char_boundary(i)).find(|&i| {
            let (first, second) = split_read(read, i);
            let own = self.own.is_some_and(|own| self.tree.names.file(own) == second.name.file())
                && read.time != Time::Previous;
            let product = capital(&first.name.base) && self.is_vector(&second.name) && !own;
            product || read.time == Time::Plain && self.is_vector(&first.name) && capital(&second.name.base)
        })
    }

    /// Whether a factor before is a vector, or may be one.
    fn stands_after_vector(&self, before: &[NodeId]) -> bool {
        before.iter().any(|&f| match &self.tree.node(f).kind {
            NodeKind::Number(_) => false,
            NodeKind::Name(symbol, _) => matches!(self.scope.get(symbol), Some(Means::Vector)),
            _ => true,
        })
    }

    fn report_split(&mut self, read: &Read, place: usize) {
        let (first, second) = split_read(read, place);
        let (first, second) = (first.name.file(), second.name.file());
        let message = format!("{} is read as the product of `{first}` and `{second}`", quote(self.source, read.span));
        self.report.note("N002", read.span, message).hint("a space between the two says the same");
    }
}

fn spelled(letters: &str) -> String {
    crate::name::spell(letters)
}

/// The two names of a run that splits at byte `place` of its base.
fn split_read(read: &Read, place: usize) -> (Read, Read) {
    let (first, second) = read.name.base.split_at(place);
    let start = read.span.start;
    let middle = start + place;
    let mut left = Read::new(Name::plain(first), start);
    left.span.end = middle;
    let mut right = read.clone();
    right.name.base = second.to_string();
    right.span.start = middle.min(read.span.end);
    (left, right)
}

/// f, g, φ, ψ, σ with a subscript; without one all but σ, which is the sigmoid.
fn is_slot(name: &Name) -> bool {
    SLOTS.contains(&name.base.as_str()) && name.superscripts.is_empty() && name.accents.is_empty()
}
