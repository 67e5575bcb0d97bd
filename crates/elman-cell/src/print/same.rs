//! Whether two cells are written alike: the same names, shapes, declarations and expressions, wherever they stand in
//! their texts. Stricter than equality of meaning, which the canonical form decides.

use crate::cell::{Cell, ExprId, ExprKind};

impl Cell {
    /// Whether `other` has the same inputs, states, parameters, equations, output and requirements, under the same
    /// names and in the same order. Spans, text, name and diagnostics do not count.
    pub fn same_as(&self, other: &Cell) -> bool {
        let inputs = |c: &Cell| c.inputs.iter().map(|i| (i.name.clone(), i.dim)).collect::<Vec<_>>();
        let memories = |c: &Cell| c.memories.iter().map(|m| (m.name.clone(), m.dim)).collect::<Vec<_>>();
        let states = |c: &Cell| c.states.iter().map(|s| (s.name.clone(), s.dim, s.next, s.initial)).collect::<Vec<_>>();
        let params =
            |c: &Cell| c.params.iter().map(|p| (p.name.clone(), p.shape, p.init, p.shared)).collect::<Vec<_>>();
        let equations = |c: &Cell| c.equations.iter().map(|e| (e.name.clone(), e.state)).collect::<Vec<_>>();
        let mut asked = self.requirements.iter().map(|r| (r.left, r.right)).collect::<Vec<_>>();
        let mut asked_too = other.requirements.iter().map(|r| (r.left, r.right)).collect::<Vec<_>>();
        asked.sort_unstable();
        asked_too.sort_unstable();
        self.doc == other.doc
            && inputs(self) == inputs(other)
            && memories(self) == memories(other)
            && states(self) == states(other)
            && params(self) == params(other)
            && equations(self) == equations(other)
            && self.output == other.output
            && asked == asked_too
            && self.equations.iter().zip(&other.equations).all(|(a, b)| self.same_expr(a.value, other, b.value))
    }

    fn same_expr(&self, a: ExprId, other: &Cell, b: ExprId) -> bool {
        use ExprKind as K;
        let (left, right) = (&self.exprs[a.index()], &other.exprs[b.index()]);
        if left.shape != right.shape {
            return false;
        }
        let same = |a: &ExprId, b: &ExprId| self.same_expr(*a, other, *b);
        let all = |a: &[ExprId], b: &[ExprId]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b));
        match (&left.kind, &right.kind) {
            (K::Number(a), K::Number(b)) => a.to_bits() == b.to_bits(),
            (K::Neg(a), K::Neg(b)) | (K::Transpose(a), K::Transpose(b)) => same(a, b),
            (K::Pow(a, p), K::Pow(b, q)) => p == q && same(a, b),
            (K::Add(a, c), K::Add(b, d))
            | (K::Sub(a, c), K::Sub(b, d))
            | (K::Mul(a, c), K::Mul(b, d))
            | (K::Div(a, c), K::Div(b, d))
            | (K::Product(a, c), K::Product(b, d)) => same(a, b) && same(c, d),
            (K::Call(f, a), K::Call(g, b)) => f == g && all(a, b),
            (K::Concat(a), K::Concat(b)) => all(a, b),
            (K::Attend { how: i, query: a, weight: u }, K::Attend { how: j, query: b, weight: w }) => {
                i == j && same(a, b) && all(u.as_slice(), w.as_slice())
            }
            (a, b) => a == b,
        }
    }
}
