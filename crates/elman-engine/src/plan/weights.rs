//! What is computed from parameters when they change: constant rows, and packed matrices.

use elman_cell::program::NodeId;
use elman_kernel::MatrixShape;
use elman_kernel::code::{LANES, Place, Rows};

use crate::invariants::{Arena, MatrixView, Nodes, units};

/// A merged product's matrix: per member and segment, where its numbers come from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MatrixPlan {
    /// Rows of each member's matrix: units of the result.
    pub units: usize,
    /// Columns of each segment: units of the operand.
    pub segments: Vec<usize>,
    /// `members[m][s]`.
    pub members: Vec<Vec<MatrixView>>,
}

impl MatrixPlan {
    /// Its shape in the kernel's words.
    pub fn shape(&self) -> MatrixShape {
        MatrixShape { members: self.members.len(), units: self.units, segments: self.segments.clone() }
    }
}

/// A vector or scalar in the constants memory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ConstantPlan {
    pub arena: Arena,
    pub node: NodeId,
    pub offset: usize,
    pub units: usize,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct WeightPlan {
    pub matrices: Vec<MatrixPlan>,
    pub constants: Vec<ConstantPlan>,
    /// Numbers of constants memory.
    pub memory: usize,
    /// Matrices that have to be computed before they are packed.
    pub dense: Vec<(Arena, NodeId)>,
}

impl WeightPlan {
    /// The place of an invariant vector or scalar.
    pub fn constant(&mut self, nodes: Nodes, arena: Arena, node: NodeId) -> Place {
        let (arena, node, n) = nodes.resolve(arena, node);
        let place = |offset| Place { offset, rows: Rows::Fixed, stride: 0 };
        if let Some(c) = self.constants.iter().find(|c| (c.arena, c.node) == (arena, node)) {
            return place(c.offset);
        }
        let units = units(n.shape, nodes.sizes);
        let offset = self.memory;
        self.memory += units.next_multiple_of(LANES);
        self.constants.push(ConstantPlan { arena, node, offset, units });
        place(offset)
    }

    /// The view of a matrix; one that has to be computed is noted.
    pub fn view(&mut self, nodes: Nodes, arena: Arena, node: NodeId) -> MatrixView {
        let dense = &mut self.dense;
        nodes.view(arena, node, &mut |a, n| {
            dense.iter().position(|d| *d == (a, n)).unwrap_or_else(|| {
                dense.push((a, n));
                dense.len() - 1
            })
        })
    }
}
