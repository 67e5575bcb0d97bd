//! Zoneout. Krueger et al. 2017, arXiv:1606.01305.
//!
//!   s' = z ⊙ s + (1 − z) ⊙ s̃'        s̃' what the cell's own equation gives
//!
//! It is one more cell: every state gets a per-step input `zone.<state>` (1 keeps the old value) and an equation that
//! mixes. Other equations go on reading s̃', as in the paper. While training z is drawn; otherwise it is its probability.

use elman_cell::cell::{Cell, Equation, EquationId, Expr, ExprId, ExprKind, Input, InputId, Shape, StateId};

/// The cell with zoneout: its further inputs are one `zone.<state>` for each state, in their order.
pub fn zoned(cell: &Cell) -> Cell {
    let mut zoned = cell.clone();
    for s in 0..cell.states.len() {
        add_zone(&mut zoned, StateId(s as u32));
    }
    zoned
}

fn add_zone(cell: &mut Cell, state: StateId) {
    let (name, dim) = (cell.states[state.index()].name.clone(), cell.states[state.index()].dim);
    let own = cell.states[state.index()].next;
    let input = InputId(cell.inputs.len() as u32);
    cell.inputs.push(Input { name: format!("zone.{name}"), dim });

    let span = cell.equations[own.index()].span;
    let mut push = |kind: ExprKind, shape: Shape| {
        cell.exprs.push(Expr { kind, shape, span });
        ExprId(cell.exprs.len() as u32 - 1)
    };
    let vector = Shape::Vector(dim);
    let zone = push(ExprKind::Input(input), vector);
    let old = push(ExprKind::Previous(state), vector);
    let new = push(ExprKind::Value(own), vector);
    let one = push(ExprKind::Number(1.0), Shape::Scalar);
    let rest = push(ExprKind::Sub(one, zone), vector);
    let kept = push(ExprKind::Mul(zone, old), vector);
    let taken = push(ExprKind::Mul(rest, new), vector);
    let value = push(ExprKind::Add(kept, taken), vector);

    let mixed = EquationId(cell.equations.len() as u32);
    let mixing = Equation { value, ..cell.equations[own.index()].clone() };
    cell.equations.push(mixing);
    cell.order.push(mixed);
    cell.states[state.index()].next = mixed;
    if cell.output == own {
        cell.output = mixed;
    }
    let own = &mut cell.equations[own.index()];
    own.state = None;
    own.name = format!("{name}.own");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, Network, Options, Runner, Spec, Weights};
    use std::sync::Arc;

    const STEPS: usize = 4;
    const BATCH: usize = 3;
    const INPUT: usize = 5;
    const HIDDEN: usize = 7;

    fn run(cell: Cell, zones: &[Vec<f64>]) -> Vec<f64> {
        let network = Network::new(Spec::new(Arc::new(cell), INPUT, HIDDEN)).unwrap();
        let weights = Weights::init(&network, 3);
        let mut runner = Runner::new(&network, &weights, Options::new()).unwrap();
        let x: Vec<f64> = (0..STEPS * BATCH * INPUT).map(|i| (i as f64 * 1.3).sin()).collect();
        let mut batch = Batch::new(STEPS, BATCH, &x);
        batch.inputs.extend(zones.iter().map(Vec::as_slice));
        runner.forward(&batch).unwrap().y
    }

    #[test]
    fn no_zone_is_the_cell_itself_and_a_full_zone_never_moves() {
        let source = elman_cell::builtin::source("lstm").unwrap();
        let cell = elman_cell::parse("lstm", source).unwrap();
        let zones = |z: f64| vec![vec![z; STEPS * BATCH * HIDDEN]; cell.states.len()];
        let (plain, none) = (run(cell.clone(), &[]), run(zoned(&cell), &zones(0.0)));
        assert_eq!(plain, none);
        assert!(run(zoned(&cell), &zones(1.0)).iter().all(|y| *y == 0.0));
        assert!(run(zoned(&cell), &zones(0.3)) != plain);
    }
}
