//! Names in expressions: which runs of letters are one name, which are two, and which are functions.
//!
//! In LaTeX a letter is a name. In plain text a run is one name, unless nothing defines it and it splits into a capital
//! name and a defined vector (`Ux_t`). A lower-case name before a bracket is a function, unless it is defined.

use super::parser::{Means, Parsed, Parser};
use super::read_name::Read;
use super::token::Kind;
use super::tree::{Callee, NodeId, NodeKind, Time};
use crate::cell::Span;
use crate::diag::quote;
use crate::functions;
use crate::name::Name;
use crate::nearest::nearest;

/// Names that are activation slots where a subscript and a bracket follow.
const SLOTS: &[&str] = &["f", "g", "phi", "varphi", "psi", "sigma"];

impl<'s> Parser<'_, 's> {
    /// A name, a function, or two names that stand in one run of letters.
    pub(super) fn word(&mut self, factors: &mut Vec<NodeId>) -> Parsed<()> {
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
        if let Some(length) = self.time_in_brackets(&read) {
            let node = self.bracketed_time(&read, length)?;
            factors.push(node);
            return Ok(());
        }
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

    /// How many tokens `[t-1]` or `(t)` after a name has, where `t` means nothing else.
    fn time_in_brackets(&self, read: &Read) -> Option<usize> {
        let length = super::bracketed_time(&self.tokens[self.at.min(self.tokens.len())..])?;
        let file = read.name.file();
        let function = matches!(self.means(&file), Some(Means::Function(_))) || functions::find(&file).is_some();
        let plain = self.inside == 0 && read.time == Time::Plain && read.after.is_none();
        (plain && !function && self.means("t").is_none()).then_some(length)
    }

    fn bracketed_time(&mut self, read: &Read, length: usize) -> Parsed<NodeId> {
        let inner = &self.tokens[self.at + 1..self.at + length - 1];
        let time: String = inner.iter().map(|t| &self.source[t.span.start..t.span.end]).collect();
        self.at += length;
        let span = Span { start: read.span.start, end: self.read_to() };
        let name = read.name.file();
        let hint = if time == "t" {
            format!("time is written `{name}_t`")
        } else {
            format!("time is written `{name}_{{{time}}}`")
        };
        let message = format!("{} carries its time in brackets", quote(self.source, span));
        self.report.error("E106", span, message).hint(hint);
        self.node(NodeKind::Wrong, span)
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
