//! A cell as text again: plain text ([`Cell::to_text`]) and LaTeX ([`Cell::to_latex`]).
//!
//! Both parse back to an equal cell ([`Cell::same_as`]): the author's equations in their order, the author's parameters
//! under their names, with the declarations that inference needs. Constants are printed as their value, activation
//! slots as the function that fills them, elementwise products as `*` or `\odot`.

use crate::cell::{Cell, EquationId, Expr, ExprId, ExprKind, Init, Param, Shape};
use crate::dim::Dim;
use crate::functions;
use crate::name::Name;
use crate::op::Function;

mod same;

/// How tightly an expression binds.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Binding {
    Sum,
    Elementwise,
    Product,
    Unary,
    Power,
    Atom,
}

/// Which declarations are printed.
#[derive(Clone, Copy)]
struct Printer<'a> {
    cell: &'a Cell,
    latex: bool,
    /// Every parameter and the size of `x`, not only what inference needs.
    all: bool,
}

impl Cell {
    /// The cell in plain text.
    pub fn to_text(&self) -> String {
        self.print(false)
    }

    /// The cell as an `aligned` block of LaTeX, its documentation and declarations above it.
    pub fn to_latex(&self) -> String {
        self.print(true)
    }

    /// With few declarations if that reads back as the same cell, else with all.
    fn print(&self, latex: bool) -> String {
        let brief = Printer { cell: self, latex, all: false }.whole();
        match crate::parse(&self.name, &brief) {
            Ok(read) if read.same_as(self) => brief,
            _ => Printer { cell: self, latex, all: true }.whole(),
        }
    }
}

impl Printer<'_> {
    fn whole(self) -> String {
        let mut out = String::new();
        let mark = if self.latex { '%' } else { '#' };
        for line in self.cell.doc.lines() {
            out.push_str(format!("{mark} {line}").trim_end());
            out.push('\n');
        }
        self.declarations(&mut out);
        if self.latex {
            out.push_str("\\begin{aligned}\n");
        }
        let last = self.cell.equations.len().saturating_sub(1);
        for i in 0..self.cell.equations.len() {
            let (left, right) = self.equation(EquationId(i as u32));
            let line = match self.latex {
                true => format!("  {left} &= {right}{}\n", if i < last { " \\\\" } else { "" }),
                false => format!("{left} = {right}\n"),
            };
            out.push_str(&line);
        }
        if self.latex {
            out.push_str("\\end{aligned}\n");
        }
        out
    }

    fn equation(self, e: EquationId) -> (String, String) {
        let equation = &self.cell.equations[e.index()];
        (self.value(e), self.expression(equation.value, Binding::Sum))
    }

    fn declarations(self, out: &mut String) {
        let cell = self.cell;
        let text = |name: &str| Name::from_file(name).text();
        let mut read = vec![false; cell.states.len()];
        // Per parameter: whether it is a scalar; nothing where no equation reads it.
        let mut used: Vec<Option<bool>> = vec![None; cell.params.len()];
        for expr in &cell.exprs {
            match expr.kind {
                ExprKind::Previous(s) => read[s.index()] = true,
                ExprKind::Param(p) => used[p.index()] = Some(expr.shape == Shape::Scalar),
                _ => {}
            }
        }
        let mut initial = vec![false; cell.params.len()];
        cell.states.iter().filter_map(|s| s.initial).for_each(|p| initial[p.index()] = true);
        for input in cell.inputs.iter().skip(1) {
            out.push_str(&format!("input {} : {}\n", text(&input.name), input.dim));
        }
        for memory in &cell.memories {
            out.push_str(&format!("memory {} : {}\n", text(&memory.name), memory.dim));
        }
        let fixed_x = cell.requirements.iter().find(|r| r.left == Dim::INPUT && cell.source_is_declaration(r.span));
        if let Some(requirement) = fixed_x {
            out.push_str(&format!("input x : {}\n", requirement.right));
        }
        for (i, state) in cell.states.iter().enumerate() {
            if state.dim != Dim::HIDDEN || !read[i] {
                out.push_str(&format!("state {} : {}\n", text(&state.name), state.dim));
            }
        }
        for (i, param) in cell.params.iter().enumerate() {
            if !initial[i] && (self.all || used[i] != Some(false)) {
                out.push_str(&format!("param {} : {}\n", text(&param.name), shape(param.shape)));
            }
        }
        for state in cell.states.iter().filter(|s| s.initial.is_some()) {
            out.push_str(&format!("learn {}\n", text(&state.name)));
        }
        for param in &cell.params {
            param_declarations(param, out);
        }
        if !self.is_default_output() {
            out.push_str(&format!("output {}\n", text(&cell.equations[cell.output.index()].name)));
        }
    }

    /// Whether the output is what is taken where nothing is declared.
    fn is_default_output(self) -> bool {
        let cell = self.cell;
        let named = crate::check::OUTPUTS.iter().find_map(|n| cell.equations.iter().position(|e| e.name == *n));
        let default = named.or_else(|| cell.states.first().map(|s| s.next.index()));
        default == Some(cell.output.index())
    }

    /// The new value of an equation.
    fn value(self, e: EquationId) -> String {
        let equation = &self.cell.equations[e.index()];
        let name = Name::from_file(&equation.name);
        match (self.latex, equation.state) {
            (true, _) => name.latex_at(Some("t")),
            (false, Some(_)) => format!("{}'", name.text()),
            (false, None) => name.text(),
        }
    }

    fn binding(self, e: &Expr) -> Binding {
        match &e.kind {
            ExprKind::Number(v) if v.is_sign_negative() => Binding::Unary,
            ExprKind::Add(..) | ExprKind::Sub(..) => Binding::Sum,
            ExprKind::Div(..) if self.latex => Binding::Atom,
            ExprKind::Mul(..) | ExprKind::Div(..) => Binding::Elementwise,
            ExprKind::Product(..) => Binding::Product,
            ExprKind::Neg(_) => Binding::Unary,
            ExprKind::Pow(..) | ExprKind::Transpose(_) => Binding::Power,
            _ => Binding::Atom,
        }
    }

    /// An expression, in brackets if it binds less tightly than asked.
    fn expression(self, id: ExprId, least: Binding) -> String {
        let expr = &self.cell.exprs[id.index()];
        let text = self.bare(expr);
        if self.binding(expr) >= least { text } else { format!("({text})") }
    }

    fn bare(self, expr: &Expr) -> String {
        let of = |id: &ExprId, least| self.expression(*id, least);
        let times = if self.latex { "\\odot" } else { "*" };
        match &expr.kind {
            ExprKind::Number(v) => number(*v),
            ExprKind::Input(i) => self.timed(&self.cell.inputs[i.index()].name, "t"),
            ExprKind::Previous(s) => self.timed(&self.cell.states[s.index()].name, "t-1"),
            ExprKind::Value(e) => self.value(*e),
            ExprKind::Param(p) => self.param(&self.cell.params[p.index()].name),
            ExprKind::Neg(a) => format!("-{}", of(a, Binding::Power)),
            ExprKind::Add(a, b) => format!("{} + {}", of(a, Binding::Sum), of(b, Binding::Elementwise)),
            ExprKind::Sub(a, b) => format!("{} - {}", of(a, Binding::Sum), of(b, Binding::Elementwise)),
            ExprKind::Mul(a, b) => format!("{} {times} {}", of(a, Binding::Elementwise), of(b, Binding::Product)),
            ExprKind::Div(a, b) if self.latex => {
                format!("\\frac{{{}}}{{{}}}", of(a, Binding::Sum), of(b, Binding::Sum))
            }
            ExprKind::Div(a, b) => format!("{} / {}", of(a, Binding::Elementwise), of(b, Binding::Product)),
            ExprKind::Pow(a, p) if self.latex => format!("{}^{{{}}}", self.raised(*a), number(*p)),
            ExprKind::Pow(a, p) => format!("{}^{}", self.raised(*a), number(*p)),
            ExprKind::Transpose(a) => format!("{}^{}", self.raised(*a), if self.latex { "\\top" } else { "T" }),
            ExprKind::Product(m, v) => self.product(*m, *v),
            ExprKind::Call(f, list) => {
                let list: Vec<String> = list.iter().map(|a| of(a, Binding::Sum)).collect();
                format!("{}({})", self.function(*f), list.join(", "))
            }
            ExprKind::Concat(list) => {
                let list: Vec<String> = list.iter().map(|a| of(a, Binding::Sum)).collect();
                format!("[{}]", list.join(", "))
            }
            ExprKind::Attend { how, query, weight } => {
                let vectors = [Some(*query), *weight].into_iter().flatten().map(|v| of(&v, Binding::Sum));
                let memories = [how.keys, how.values].map(|m| self.param(&self.cell.memories[m.index()].name));
                let alike = usize::from(how.keys == how.values);
                let all: Vec<String> = vectors.chain(memories.into_iter().skip(alike)).collect();
                format!("{}({})", self.function(functions::attending(how.score)), all.join(", "))
            }
        }
    }

    /// The base of a power or transpose.
    fn raised(self, id: ExprId) -> String {
        self.expression(id, Binding::Atom)
    }

    /// `W v`, or `v W` where the author wrote the vector first.
    fn product(self, matrix: ExprId, vector: ExprId) -> String {
        let (m, v) = (&self.cell.exprs[matrix.index()], &self.cell.exprs[vector.index()]);
        let row = self.is_row(matrix, vector);
        let chains = matches!(v.kind, ExprKind::Product(m, v) if self.is_row(m, v) == row);
        let vector = self.expression(vector, if chains { Binding::Product } else { Binding::Power });
        match m.kind {
            _ if !row => format!("{} {vector}", self.expression(matrix, Binding::Power)),
            ExprKind::Transpose(inner) => format!("{vector} {}", self.expression(inner, Binding::Power)),
            _ => format!("{vector} {}^{}", self.raised(matrix), if self.latex { "\\top" } else { "T" }),
        }
    }

    /// Whether a product was written with its vector first.
    fn is_row(self, matrix: ExprId, vector: ExprId) -> bool {
        self.cell.exprs[vector.index()].span.start < self.cell.exprs[matrix.index()].span.start
    }

    fn timed(self, name: &str, time: &str) -> String {
        let name = Name::from_file(name);
        if self.latex { name.latex_at(Some(time)) } else { name.text() }
    }

    fn param(self, name: &str) -> String {
        let name = Name::from_file(name);
        if self.latex { name.latex_at(None) } else { name.text() }
    }

    fn function(self, function: Function) -> String {
        let name = functions::spelling(function);
        if !self.latex {
            return name.to_string();
        }
        match function {
            Function::Sigmoid if self.cell.equations.iter().all(|e| e.name != "sigma") => "\\sigma".into(),
            Function::Tanh
            | Function::Sin
            | Function::Cos
            | Function::Exp
            | Function::Log
            | Function::Max
            | Function::Min => {
                format!("\\{name}")
            }
            _ => format!("\\operatorname{{{}}}", name.replace('_', "\\_")),
        }
    }
}

impl Cell {
    /// Whether a span of the source stands in a declaration of the input, not in an equation.
    fn source_is_declaration(&self, span: crate::cell::Span) -> bool {
        self.source.get(..span.start).is_some_and(|before| before.trim_end().ends_with("input"))
    }
}

/// `init` and `share`.
fn param_declarations(param: &Param, out: &mut String) {
    let name = Name::from_file(&param.name).text();
    if let Some(init) = param.init {
        let init = match init {
            Init::Constant(v) => number(v),
            Init::Uniform(a) => format!("uniform({})", number(a)),
            Init::Normal(s) => format!("normal({})", number(s)),
            Init::Xavier => "xavier".into(),
            Init::He => "he".into(),
            Init::Orthogonal => "orthogonal".into(),
            Init::Identity => "identity".into(),
        };
        out.push_str(&format!("init {name} = {init}\n"));
    }
    if param.shared {
        out.push_str(&format!("share {name}\n"));
    }
}

fn shape(shape: Shape) -> String {
    match shape {
        Shape::Scalar => "1".into(),
        Shape::Vector(d) => d.to_string(),
        Shape::Matrix(r, c) => format!("{} x {}", bracketed(r), bracketed(c)),
    }
}

fn bracketed(dim: Dim) -> String {
    let text = dim.to_string();
    if text.contains(' ') { format!("({text})") } else { text }
}

/// A number that reads back as itself.
fn number(v: f64) -> String {
    if v.fract() == 0.0 && v.abs() < 1e15 && !(v == 0.0 && v.is_sign_negative()) {
        format!("{v:.0}")
    } else {
        format!("{v:?}")
    }
}
