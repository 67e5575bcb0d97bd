//! Which weights are recurrent: the matrices, or columns of them, that multiply a value which depends on a state.
//! DropConnect (Wan et al. 2013; Merity, Keskar & Socher 2018, arXiv:1708.02182) drops elements of these.

use std::collections::BTreeSet;
use std::ops::Range;

use elman_cell::Sizes;
use elman_cell::cell::{ParamId, Shape};
use elman_cell::program::{NodeId, Op, Program, Stratum};

use crate::invariants::extent;
use crate::network::Network;

/// Columns of one parameter of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Which parameter.
    pub parameter: usize,
    /// Its rows.
    pub rows: usize,
    /// All its columns.
    pub width: usize,
    /// The columns of the region.
    pub columns: Range<usize>,
}

impl Network {
    /// The recurrent weights, sorted; no element stands in two regions of one layer and direction.
    pub fn recurrent(&self) -> Vec<Region> {
        let program = &self.schedule().program;
        let found = blocks(program);
        let mut regions = vec![];
        for (k, index) in self.0.index.iter().enumerate() {
            let sizes = self.sizes(k / self.spec().directions());
            for (p, start) in &found {
                let region = region(program, *p, *start, sizes, index[p.index()]);
                if !regions.contains(&region) {
                    regions.push(region);
                }
            }
        }
        regions
    }
}

type Block = (ParamId, Option<NodeId>);

fn region(program: &Program, p: ParamId, block: Option<NodeId>, sizes: Sizes, parameter: usize) -> Region {
    let (rows, width) = extent(program.params[p.index()], sizes);
    let columns = match block.map(|n| &program.nodes[n.index()]) {
        Some(node) => match (&node.op, extent(node.shape, sizes)) {
            (Op::Columns { start, .. }, (_, len)) => start.at(sizes)..start.at(sizes) + len,
            _ => 0..width,
        },
        None => 0..width,
    };
    Region { parameter, rows, width, columns }
}

/// Per recurrent matrix: its parameter, and the node that cuts columns out of it.
fn blocks(program: &Program) -> BTreeSet<Block> {
    let strata = program.strata();
    let mut found = BTreeSet::new();
    for node in &program.nodes {
        if let Op::Affine { terms, .. } = &node.op {
            for t in terms.iter().filter(|t| strata[t.vector.index()] == Stratum::Recurrent) {
                trace(program, t.matrix, &mut found);
            }
        }
    }
    let whole: Vec<ParamId> = found.iter().filter(|b| b.1.is_none()).map(|b| b.0).collect();
    found.retain(|(p, block)| block.is_none() || !whole.contains(p));
    found
}

/// The parameters that a matrix is made of.
fn trace(program: &Program, matrix: NodeId, found: &mut BTreeSet<Block>) {
    let mut open = vec![matrix];
    while let Some(n) = open.pop() {
        match &program.nodes[n.index()].op {
            Op::Param(p) if matches!(program.params[p.index()], Shape::Matrix(..)) => {
                found.insert((*p, None));
            }
            Op::Columns { matrix, .. } => match program.nodes[matrix.index()].op {
                Op::Param(p) => drop(found.insert((p, Some(n)))),
                _ => open.push(*matrix),
            },
            op => open.extend(op.operands()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spec;
    use std::sync::Arc;

    fn names(source: &str) -> Vec<(String, Range<usize>)> {
        let cell = elman_cell::parse("c", source).unwrap();
        let network = Network::new(Spec { layers: 2, ..Spec::new(Arc::new(cell), 3, 5) }).unwrap();
        network.recurrent().into_iter().map(|r| (network.parameters()[r.parameter].name.clone(), r.columns)).collect()
    }

    #[test]
    fn matrices_of_states_are_recurrent_and_those_of_inputs_are_not() {
        let found = names("r = sigmoid(W_r x + U_r h + b_r)\nh' = tanh(W x + U (r * h) + b)\n");
        let wanted = ["0.forward.U_r", "0.forward.U", "1.forward.U_r", "1.forward.U"].map(|n| (n.to_string(), 0..5));
        assert_eq!(found, wanted);
    }

    #[test]
    fn of_a_concatenation_only_the_states_columns_are() {
        let found = names("h' = tanh(W [h, x] + b)\n");
        assert_eq!(found, [("0.forward.W".to_string(), 0..5), ("1.forward.W".to_string(), 0..5)]);
    }
}
