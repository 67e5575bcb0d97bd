//! A program as a graph of sums, products and functions in which spelling has vanished.

use std::collections::{BTreeMap, HashMap};

use crate::arena::reachable;
use crate::cell::{InputId, ParamId, Shape, StateId};
use crate::dim::Dim;
use crate::listing::{binary_name, score, unary_name};
use crate::op::{Binary, Unary};
use crate::program::{Node, NodeId, Op, Program};

/// A longer sum or product is not opened into the one that reads it.
const LONGEST_OPENED: usize = 256;

/// A form in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct FormId(u32);

impl FormId {
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A value without spelling.
#[derive(Clone, Debug)]
pub(super) enum Form {
    Input(InputId),
    State(StateId),
    Length(Dim),
    /// A parameter, or the block of a matrix that one operand of a concatenation meets.
    Weight {
        param: ParamId,
        block: Option<Block>,
        shape: Shape,
    },
    /// constant + Σ coefficient · form
    Sum {
        constant: f64,
        addends: Vec<(f64, FormId)>,
    },
    /// Π form ^ exponent
    Factors(Vec<(i32, FormId)>),
    /// A matrix, or its transpose, times a vector.
    Product {
        matrix: FormId,
        transposed: bool,
        vector: FormId,
    },
    /// Anything else; `commutes` if its operands may be swapped.
    Apply {
        name: String,
        commutes: bool,
        operands: Vec<FormId>,
    },
}

/// Columns (or rows) `start .. start + len` of a matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Block {
    rows: bool,
    start: Dim,
    len: Dim,
}

impl Form {
    pub fn operands(&self) -> Vec<FormId> {
        match self {
            Form::Input(_) | Form::State(_) | Form::Length(_) | Form::Weight { .. } => Vec::new(),
            Form::Sum { addends, .. } => addends.iter().map(|a| a.1).collect(),
            Form::Factors(all) => all.iter().map(|a| a.1).collect(),
            Form::Product { matrix, vector, .. } => vec![*matrix, *vector],
            Form::Apply { operands, .. } => operands.clone(),
        }
    }
}

/// The graph of a cell.
pub(super) struct Forms {
    /// Each after its operands.
    pub all: Vec<Form>,
    pub output: FormId,
    /// Per state.
    pub next: Vec<FormId>,
    /// States by their colour, once sorted.
    pub state_order: Vec<StateId>,
}

impl Forms {
    pub fn of(program: &Program) -> Forms {
        let roots = program.next.iter().copied().chain([program.output]);
        let live = reachable(&program.nodes, roots);
        let mut making = Making::new(program, &live);
        for (i, node) in program.nodes.iter().enumerate() {
            let value = if live[i] { making.node(node) } else { Value::Matrix(Vec::new()) };
            making.values.push(value);
        }
        let next = program.next.iter().map(|&n| making.form(n)).collect();
        let output = making.form(program.output);
        let state_order = (0..program.states.len() as u32).map(StateId).collect();
        Forms { all: making.all, output, next, state_order }
    }
}

/// What a node of the program is: a form, or a sum of matrices.
#[derive(Clone)]
enum Value {
    Form(FormId),
    Matrix(Vec<MatrixTerm>),
}

/// coefficient · Π scalars · matrix, or its transpose.
#[derive(Clone)]
struct MatrixTerm {
    coefficient: f64,
    scalars: Vec<(i32, FormId)>,
    matrix: FormId,
    transposed: bool,
}

struct Making {
    all: Vec<Form>,
    seen: HashMap<String, FormId>,
    values: Vec<Value>,
    /// Parameters whose blocks overlap: these stay whole.
    whole: Vec<bool>,
}

impl Making {
    fn new(program: &Program, live: &[bool]) -> Making {
        Making { all: Vec::new(), seen: HashMap::new(), values: Vec::new(), whole: overlapping(program, live) }
    }

    fn push(&mut self, form: Form) -> FormId {
        let next = FormId(self.all.len() as u32);
        let id = *self.seen.entry(format!("{form:?}")).or_insert(next);
        if id == next {
            self.all.push(form);
        }
        id
    }

    fn number(&mut self, x: f64) -> FormId {
        self.push(Form::Sum { constant: x, addends: Vec::new() })
    }

    fn apply(&mut self, name: &str, commutes: bool, mut operands: Vec<FormId>) -> FormId {
        if commutes {
            operands.sort();
        }
        self.push(Form::Apply { name: name.to_string(), commutes, operands })
    }

    /// The form of a node; of a matrix its sum.
    fn form(&mut self, n: NodeId) -> FormId {
        match self.values[n.index()].clone() {
            Value::Form(f) => f,
            Value::Matrix(terms) => {
                let parts: Vec<_> = terms.into_iter().map(|t| self.matrix_term(t)).collect();
                self.sum(&parts)
            }
        }
    }

    fn matrix_term(&mut self, term: MatrixTerm) -> (f64, FormId) {
        let name = if term.transposed { "transpose" } else { "matrix" };
        let matrix = self.apply(name, false, vec![term.matrix]);
        let factors: Vec<_> = term.scalars.into_iter().chain([(1, matrix)]).collect();
        (term.coefficient, self.product(&factors))
    }

    fn node(&mut self, node: &Node) -> Value {
        if let Shape::Matrix(..) = node.shape {
            return Value::Matrix(self.matrix(node));
        }
        Value::Form(match &node.op {
            Op::Input(i) => self.push(Form::Input(*i)),
            Op::State(s) => self.push(Form::State(*s)),
            Op::Param(p) => self.push(Form::Weight { param: *p, block: None, shape: node.shape }),
            Op::Number(x) => self.number(*x),
            Op::Length(d) => self.push(Form::Length(*d)),
            Op::Affine { bias, terms } => {
                let mut parts: Vec<_> = bias.iter().map(|&b| (1.0, self.form(b))).collect();
                for term in terms {
                    let vector = self.form(term.vector);
                    parts.extend(self.matrix_product(term.matrix, vector));
                }
                self.sum(&parts)
            }
            Op::Unary(Unary::Neg, a) => {
                let a = self.form(*a);
                self.sum(&[(-1.0, a)])
            }
            Op::Unary(u, a) => self.call(unary_name(*u), false, &[*a]),
            Op::Binary(f, a, b) => self.binary(*f, *a, *b),
            Op::Fma(a, b, c) => {
                let (a, b, c) = (self.form(*a), self.form(*b), self.form(*c));
                let product = self.product(&[(1, a), (1, b)]);
                self.sum(&[(1.0, product), (1.0, c)])
            }
            Op::Select { condition, positive, otherwise } => {
                self.call("select", false, &[*condition, *positive, *otherwise])
            }
            Op::Broadcast(a) => self.form(*a),
            Op::Sum(a) => self.call("sum", false, &[*a]),
            Op::Largest(a) => self.call("largest", false, &[*a]),
            Op::Concat(pieces) => self.call("concat", false, pieces),
            Op::Attend { how, .. } => {
                let name = format!("{}[m{}, m{}]", score(*how), how.keys.0, how.values.0);
                self.call(&name, false, &node.op.operands())
            }
            other => self.call(&format!("{other:?}"), false, &other.operands()),
        })
    }

    fn call(&mut self, name: &str, commutes: bool, operands: &[NodeId]) -> FormId {
        let operands = operands.iter().map(|&n| self.form(n)).collect();
        self.apply(name, commutes, operands)
    }

    fn binary(&mut self, f: Binary, a: NodeId, b: NodeId) -> FormId {
        let (l, r) = (self.form(a), self.form(b));
        match f {
            Binary::Add => self.sum(&[(1.0, l), (1.0, r)]),
            Binary::Sub => self.sum(&[(1.0, l), (-1.0, r)]),
            Binary::Mul => self.product(&[(1, l), (1, r)]),
            Binary::Div => self.product(&[(1, l), (-1, r)]),
            Binary::Max | Binary::Min => self.apply(binary_name(f), true, vec![l, r]),
        }
    }

    /// The products of a sum of matrices with a vector, whose number goes to the front.
    fn matrix_product(&mut self, matrix: NodeId, vector: FormId) -> Vec<(f64, FormId)> {
        let Value::Matrix(terms) = self.values[matrix.index()].clone() else { return Vec::new() };
        let (factor, vector) = self.coefficient(vector);
        let mut parts = Vec::with_capacity(terms.len());
        for MatrixTerm { coefficient, mut scalars, matrix, transposed } in terms {
            scalars.push((1, self.push(Form::Product { matrix, transposed, vector })));
            parts.push((factor * coefficient, self.product(&scalars)));
        }
        parts
    }

    /// A form as coefficient · form.
    fn coefficient(&self, f: FormId) -> (f64, FormId) {
        match &self.all[f.index()] {
            Form::Sum { constant: 0.0, addends } if addends.len() == 1 => addends[0],
            _ => (1.0, f),
        }
    }

    fn matrix(&mut self, node: &Node) -> Vec<MatrixTerm> {
        let terms = |making: &Making, n: &NodeId| match &making.values[n.index()] {
            Value::Matrix(terms) => terms.clone(),
            Value::Form(_) => Vec::new(),
        };
        let plain = |matrix| vec![MatrixTerm { coefficient: 1.0, scalars: Vec::new(), matrix, transposed: false }];
        match &node.op {
            Op::Param(p) => plain(self.push(Form::Weight { param: *p, block: None, shape: node.shape })),
            Op::Transpose(m) => {
                let flip = |t: MatrixTerm| MatrixTerm { transposed: !t.transposed, ..t };
                terms(self, m).into_iter().map(flip).collect()
            }
            Op::Columns { matrix, start } => {
                let blocks = terms(self, matrix).into_iter().map(|t| self.block(t, *start, node.shape));
                blocks.collect()
            }
            Op::Unary(Unary::Neg, a) => scaled(terms(self, a), -1.0),
            Op::Binary(f @ (Binary::Add | Binary::Sub), a, b) => {
                let sign = if *f == Binary::Sub { -1.0 } else { 1.0 };
                [terms(self, a), scaled(terms(self, b), sign)].concat()
            }
            Op::Binary(Binary::Mul, a, b) if terms(self, a).is_empty() => {
                let scalar = self.form(*a);
                times(terms(self, b), 1, scalar)
            }
            Op::Binary(f @ (Binary::Mul | Binary::Div), a, b) if terms(self, b).is_empty() => {
                let scalar = self.form(*b);
                times(terms(self, a), if *f == Binary::Div { -1 } else { 1 }, scalar)
            }
            op => {
                let name = if let Op::Unary(u, _) = op { unary_name(*u) } else { "matrices" };
                plain(self.call(name, false, &op.operands()))
            }
        }
    }

    /// Columns of a term; of a transposed one they are rows of its matrix.
    fn block(&mut self, term: MatrixTerm, start: Dim, shape: Shape) -> MatrixTerm {
        let Shape::Matrix(rows, len) = shape else { return term };
        let block = Block { rows: term.transposed, start, len };
        let shape = if term.transposed { Shape::Matrix(len, rows) } else { shape };
        let matrix = match self.all[term.matrix.index()] {
            Form::Weight { param, block: None, .. } if !self.whole[param.index()] => {
                self.push(Form::Weight { param, block: Some(block), shape })
            }
            _ => {
                let name = if term.transposed { "rows" } else { "columns" };
                self.apply(&format!("{name} {start} .. {}", start + len), false, vec![term.matrix])
            }
        };
        MatrixTerm { matrix, ..term }
    }

    /// constant + Σ coefficient · form, sums among them opened, equal ones added up.
    fn sum(&mut self, parts: &[(f64, FormId)]) -> FormId {
        let (mut constant, mut addends) = (0.0, BTreeMap::new());
        for &(outer, f) in parts {
            match &self.all[f.index()] {
                Form::Sum { constant: c, addends: inner } if inner.len() <= LONGEST_OPENED => {
                    constant += outer * c;
                    inner.iter().for_each(|&(c, f)| *addends.entry(f).or_insert(0.0) += outer * c);
                }
                _ => *addends.entry(f).or_insert(0.0) += outer,
            }
        }
        let addends: Vec<_> = addends.into_iter().map(|(f, c)| (c, f)).collect();
        match addends[..] {
            [(1.0, f)] if constant == 0.0 => f,
            _ => self.push(Form::Sum { constant, addends }),
        }
    }

    /// Π form ^ exponent, products among them opened, numbers taken to the front.
    fn product(&mut self, parts: &[(i32, FormId)]) -> FormId {
        let (mut number, mut factors) = (1.0, BTreeMap::new());
        for &(outer, f) in parts {
            let (coefficient, f) = self.coefficient(f);
            number *= coefficient.powi(outer);
            match &self.all[f.index()] {
                Form::Sum { constant, addends } if addends.is_empty() => number *= constant.powi(outer),
                Form::Factors(inner) if inner.len() <= LONGEST_OPENED => {
                    inner.iter().for_each(|&(e, f)| *factors.entry(f).or_insert(0) += outer * e);
                }
                _ => *factors.entry(f).or_insert(0) += outer,
            }
        }
        let factors: Vec<_> = factors.into_iter().map(|(f, e)| (e, f)).collect();
        let product = match factors[..] {
            [] => return self.number(number),
            [(1, f)] => f,
            _ => self.push(Form::Factors(factors)),
        };
        if number == 1.0 { product } else { self.sum(&[(number, product)]) }
    }
}

fn scaled(terms: Vec<MatrixTerm>, by: f64) -> Vec<MatrixTerm> {
    terms.into_iter().map(|t| MatrixTerm { coefficient: by * t.coefficient, ..t }).collect()
}

fn times(mut terms: Vec<MatrixTerm>, exponent: i32, scalar: FormId) -> Vec<MatrixTerm> {
    terms.iter_mut().for_each(|t| t.scalars.push((exponent, scalar)));
    terms
}

/// Which parameters are read in blocks that are not clearly apart from each other.
fn overlapping(program: &Program, live: &[bool]) -> Vec<bool> {
    let mut blocks: Vec<Vec<Option<Block>>> = vec![Vec::new(); program.params.len()];
    for (_, node) in program.nodes.iter().enumerate().filter(|(i, _)| live[*i]) {
        for n in node.op.operands() {
            let Some((param, rows)) = whose(program, n) else { continue };
            let block = match (&node.op, node.shape) {
                (Op::Transpose(_), _) => continue,
                (Op::Columns { start, .. }, Shape::Matrix(_, len)) => Some(Block { rows, start: *start, len }),
                _ => None,
            };
            let known = &mut blocks[param.index()];
            if !known.contains(&block) {
                known.push(block);
            }
        }
    }
    let apart = |a: &Option<Block>, b: &Option<Block>| match (a, b) {
        (Some(a), Some(b)) => a.rows == b.rows && (before(a, b) || before(b, a)),
        _ => false,
    };
    blocks.iter().map(|all| (1..all.len()).any(|i| all[..i].iter().any(|b| !apart(&all[i], b)))).collect()
}

/// The parameter that a node is, or is the transpose of.
fn whose(program: &Program, n: NodeId) -> Option<(ParamId, bool)> {
    match program.nodes[n.index()].op {
        Op::Param(p) => Some((p, false)),
        Op::Transpose(m) => match program.nodes[m.index()].op {
            Op::Param(p) => Some((p, true)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a ends where b starts, or before, whatever the sizes.
fn before(a: &Block, b: &Block) -> bool {
    let (end, start) = (a.start + a.len, b.start);
    end.input <= start.input && end.hidden <= start.hidden && end.output <= start.output && end.fixed <= start.fixed
}
