//! The weights of one layer and direction as the kernel wants them: packed matrices and constant rows.

use std::collections::HashMap;
use std::rc::Rc;

use elman_cell::Sizes;
use elman_cell::program::{NodeId, Op};
use elman_cell::schedule::Schedule;
use elman_kernel::{Buffer, Isa, PackedMatrix, Precision, Real, Team, View};

use crate::error::EngineError;

use crate::invariants::{Arena, Base, Evaluator, MatrixView};
use crate::plan::WeightPlan;

/// Packed once, when weights change; shared by all streams of a model.
#[derive(Debug)]
pub(crate) struct Packed<T> {
    pub matrices: Vec<PackedMatrix<T>>,
    pub constants: Buffer<T>,
}

impl<T: Real> Packed<T> {
    /// `params` are in the cell's order.
    pub fn new(
        isa: Isa,
        precision: Precision,
        plan: &WeightPlan,
        schedule: &Schedule,
        sizes: Sizes,
        params: &[&[T]],
    ) -> Result<Packed<T>, EngineError> {
        let kernel = |e: elman_kernel::PackError| EngineError::Kernel(e.to_string());
        let zero = |m: &crate::plan::MatrixPlan| PackedMatrix::zero_in(isa, precision, &m.shape()).map_err(kernel);
        let matrices = plan.matrices.iter().map(zero).collect::<Result<_, _>>()?;
        let mut packed = Packed { matrices, constants: Buffer::new(plan.memory) };
        packed.repack(None, plan, schedule, sizes, params)?;
        Ok(packed)
    }

    /// Packs other numbers of the same shapes, into the same memory; on the threads of a team, where one is given.
    pub fn repack(
        &mut self,
        team: Option<&Team>,
        plan: &WeightPlan,
        schedule: &Schedule,
        sizes: Sizes,
        params: &[&[T]],
    ) -> Result<(), EngineError> {
        let mut values = Invariants::new(schedule, sizes, params);
        let dense: Vec<Rc<Vec<T>>> = plan.dense.iter().map(|(a, n)| values.value(*a, *n)).collect();
        let view = |v: &MatrixView| {
            let data = match v.base {
                Base::Param(p) => params[p.index()],
                Base::Dense(d) => dense[d].as_slice(),
            };
            View { data, offset: v.offset, unit_stride: v.row_stride, k_stride: v.column_stride }
        };
        for (m, packed) in plan.matrices.iter().zip(&mut self.matrices) {
            let views: Vec<View<T>> = m.members.iter().flatten().map(view).collect();
            let done = match team {
                Some(team) => packed.repack_on(team, &views),
                None => packed.repack(&views),
            };
            done.map_err(|e| EngineError::Kernel(e.to_string()))?;
        }
        for c in &plan.constants {
            self.constants[c.offset..c.offset + c.units].copy_from_slice(&values.value(c.arena, c.node));
        }
        Ok(())
    }
}

/// Values that depend on parameters alone, in both programs.
pub(crate) struct Invariants<'a, T> {
    schedule: &'a Schedule,
    sizes: Sizes,
    params: &'a [&'a [T]],
    forward: HashMap<NodeId, Rc<Vec<T>>>,
}

impl<'a, T: Real> Invariants<'a, T> {
    pub fn new(schedule: &'a Schedule, sizes: Sizes, params: &'a [&'a [T]]) -> Self {
        Invariants { schedule, sizes, params, forward: HashMap::new() }
    }

    pub fn value(&mut self, arena: Arena, n: NodeId) -> Rc<Vec<T>> {
        match arena {
            Arena::Forward => self.forward(n),
            Arena::Backward => {
                let (nodes, sizes) = (&self.schedule.backward.nodes, self.sizes);
                Evaluator::new(nodes, sizes, |op: &Op| self.leaf(op)).value(n)
            }
        }
    }

    fn forward(&mut self, n: NodeId) -> Rc<Vec<T>> {
        if let Some(v) = self.forward.get(&n) {
            return v.clone();
        }
        let params = self.params;
        let leaf = |op: &Op| match op {
            Op::Param(p) => Rc::new(params[p.index()].to_vec()),
            _ => Rc::new(vec![]),
        };
        let value = Evaluator::new(&self.schedule.program.nodes, self.sizes, leaf).value(n);
        self.forward.insert(n, value.clone());
        value
    }

    fn leaf(&mut self, op: &Op) -> Rc<Vec<T>> {
        match op {
            Op::Forward(n) => self.forward(*n),
            _ => Rc::new(vec![]),
        }
    }

    /// The gradients of all parameters from the totals of invariant nodes.
    pub fn epilogue(&mut self, totals: &HashMap<NodeId, Rc<Vec<T>>>, wanted: &[NodeId]) -> Vec<Rc<Vec<T>>> {
        let (nodes, sizes) = (&self.schedule.backward.epilogue, self.sizes);
        let leaf = |op: &Op| match op {
            Op::Total(n) => totals.get(n).cloned().unwrap_or_default(),
            op => self.leaf(op),
        };
        let mut evaluator = Evaluator::new(nodes, sizes, leaf);
        wanted.iter().map(|n| evaluator.value(*n)).collect()
    }
}
