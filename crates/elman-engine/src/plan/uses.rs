//! Every place that a code names, with how and when it is used.

use elman_kernel::code::{Attend, Instr, Operand, Phase, Place, Rows, Stage};

use super::MatrixPlan;

/// When: phase, stage, and product or instruction of the stage, counted together.
pub(super) type Time = (usize, usize, usize);

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Unit by unit, by an instruction or as the start of a product's chain.
    Read,
    /// Units by other units: a product's operand, a number a row, a sum.
    ReadAcross,
    /// The result of an instruction.
    Write,
    /// The result of a product, whose other members may not have started.
    WriteProduct,
}

/// Calls `f` with each place in work memory, its width, and how and when it is used; in the order of the code.
pub(super) fn each_place(
    phases: &mut [Phase],
    first: usize,
    matrices: &[MatrixPlan],
    f: &mut dyn FnMut(&mut Place, usize, Use, Time),
) {
    let mut f = |place: &mut Place, width: usize, how: Use, when: Time| {
        if !matches!(place.rows, Rows::Fixed | Rows::Scratch) {
            f(place, width, how, when);
        }
    };
    for (p, phase) in phases.iter_mut().enumerate() {
        match phase {
            Phase::Bulk(stages) | Phase::Steps { stages, .. } => {
                stages.iter_mut().enumerate().for_each(|(s, stage)| of_stage(stage, (first + p, s), matrices, &mut f));
            }
            Phase::Outer { right, columns, lefts } => {
                f(right, *columns, Use::ReadAcross, (first + p, 0, 0));
                lefts.iter_mut().for_each(|l| f(&mut l.left, l.rows, Use::ReadAcross, (first + p, 0, 0)));
            }
            // Its results are offsets that no plan hands out.
            Phase::Exponentials { value, units, .. } => f(value, *units, Use::Write, (first + p, 0, 0)),
            Phase::Total { value, units, .. } => f(value, *units, Use::ReadAcross, (first + p, 0, 0)),
            Phase::Memory { attend, gradient, d_keys, d_values } => {
                let when = (first + p, 0, 0);
                of_attention(attend, when, &mut f);
                f(gradient, attend.values.units, Use::ReadAcross, when);
                f(d_keys, attend.slots * attend.keys.stride, Use::Write, when);
                f(d_values, attend.slots * attend.values.stride, Use::Write, when);
            }
        }
    }
}

fn of_stage(
    stage: &mut Stage,
    (phase, at): (usize, usize),
    matrices: &[MatrixPlan],
    f: &mut impl FnMut(&mut Place, usize, Use, Time),
) {
    for (i, product) in stage.products.iter_mut().enumerate() {
        let (when, matrix) = ((phase, at, i), &matrices[product.matrix]);
        if let Some(first) = &mut product.before {
            for (place, width) in first.segments.iter_mut().zip(&matrices[first.matrix].segments) {
                f(place, *width, Use::ReadAcross, when);
            }
        }
        for (place, width) in product.segments.iter_mut().zip(&matrix.segments) {
            f(place, *width, Use::ReadAcross, when);
        }
        for member in &mut product.members {
            if let Some(init) = &mut member.init {
                f(init, matrix.units, Use::Read, when);
            }
        }
        product.members.iter_mut().for_each(|m| f(&mut m.out, matrix.units, Use::WriteProduct, when));
    }
    let before = stage.products.len();
    for (i, instr) in stage.block.iter_mut().enumerate() {
        of_instr(instr, (phase, at, before + i), f);
    }
}

fn of_attention(attend: &mut Attend, when: Time, f: &mut impl FnMut(&mut Place, usize, Use, Time)) {
    let Attend { query, weight, keys, values, lengths, slots, .. } = attend;
    [Some(query), weight.as_mut()].into_iter().flatten().for_each(|p| f(p, keys.units, Use::ReadAcross, when));
    [keys, values].into_iter().for_each(|m| f(&mut m.place, *slots * m.stride, Use::ReadAcross, when));
    f(lengths, 1, Use::ReadAcross, when);
}

fn of_instr(instr: &mut Instr, when: Time, f: &mut impl FnMut(&mut Place, usize, Use, Time)) {
    let mut read = |operand: &mut Operand, units: usize| match operand {
        Operand::Units(place) => f(place, units, Use::Read, when),
        Operand::PerRow(place) => f(place, 1, Use::ReadAcross, when),
        Operand::Splat(_) => {}
    };
    let (out, width) = match instr {
        Instr::Unary { a, out, units, .. } => {
            read(a, *units);
            (out, *units)
        }
        Instr::Binary { a, b, out, units, .. } => {
            [a, b].into_iter().for_each(|o| read(o, *units));
            (out, *units)
        }
        Instr::Fma { a, b, c, out, units } => {
            [a, b, c].into_iter().for_each(|o| read(o, *units));
            (out, *units)
        }
        Instr::Select { condition, positive, otherwise, out, units } => {
            [condition, positive, otherwise].into_iter().for_each(|o| read(o, *units));
            (out, *units)
        }
        Instr::Attend { attend, out } => {
            of_attention(attend, when, f);
            (out, attend.values.units)
        }
        Instr::AttendGradient { attend, gradient, out } => {
            of_attention(attend, when, f);
            f(gradient, attend.values.units, Use::ReadAcross, when);
            (out, attend.gradient_units())
        }
        Instr::Sum { a, out, units } | Instr::Largest { a, out, units } => {
            f(a, *units, Use::ReadAcross, when);
            (out, 1)
        }
    };
    f(out, width, Use::Write, when);
}
