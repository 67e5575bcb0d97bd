//! Every instruction with every kind of operand at odd sizes, with special values, bit for bit. All memory is compared,
//! so that writing past the units shows.

mod reference;

use elman_kernel::Real;
use elman_kernel::code::*;
use reference::*;

const UNARY: [Unary; 14] = [
    Unary::Copy,
    Unary::Neg,
    Unary::Abs,
    Unary::Sign,
    Unary::Sqrt,
    Unary::Exp,
    Unary::Expm1,
    Unary::Log,
    Unary::Sin,
    Unary::Cos,
    Unary::Tanh,
    Unary::Sigmoid,
    Unary::Softplus,
    Unary::NormalCdf,
];

const BINARY: [Binary; 6] = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div, Binary::Max, Binary::Min];

/// Arrays of `units` with a gap of `gap`, a number a row, and constants; each instruction writes an array of its own.
struct Layout {
    rows: usize,
    units: usize,
    gap: usize,
    end: usize,
}

impl Layout {
    fn array(&mut self) -> Place {
        let stride = self.units + self.gap;
        let at = place(self.end, Rows::Batch, stride);
        self.end += self.rows * stride;
        at
    }

    fn operands(&mut self) -> Vec<Operand> {
        vec![
            Operand::Units(self.array()),
            Operand::PerRow(self.array()),
            Operand::Splat(-0.75),
            Operand::Units(place(3, Rows::Fixed, 0)),
        ]
    }
}

fn instructions(layout: &mut Layout, whole_rows: bool) -> Vec<Instr> {
    let units = layout.units;
    let operands = layout.operands();
    let mut block = Vec::new();
    let pick = |i: usize| operands[i % operands.len()];
    for (i, op) in UNARY.into_iter().enumerate() {
        for a in [operands[0], pick(1 + i % 3)] {
            block.push(Instr::Unary { op, a, out: layout.array(), units });
        }
    }
    for op in BINARY {
        for (i, j) in [(0, 0), (0, 1), (1, 0), (0, 2), (2, 0), (3, 1), (1, 2)] {
            block.push(Instr::Binary { op, a: pick(i), b: pick(j), out: layout.array(), units });
        }
    }
    for mode in 0..8 {
        let one = |bit: usize| if mode >> bit & 1 == 1 { pick(1 + (mode + bit) % 2) } else { pick(3 * (bit % 2)) };
        block.push(Instr::Fma { a: one(0), b: one(1), c: one(2), out: layout.array(), units });
        let out = layout.array();
        block.push(Instr::Select { condition: one(0), positive: one(1), otherwise: one(2), out, units });
    }
    block.push(Instr::Unary { op: Unary::Tanh, a: operands[0], out: scratch(0), units });
    let mixed = Instr::Binary {
        op: Binary::Mul,
        a: Operand::Units(scratch(0)),
        b: Operand::Units(scratch(0)),
        out: layout.array(),
        units,
    };
    block.push(mixed);
    if whole_rows {
        let Operand::Units(a) = operands[0] else { unreachable!() };
        block.push(Instr::Sum { a, out: layout.array(), units });
        block.push(Instr::Largest { a, out: layout.array(), units });
        block.push(Instr::Sum { a: scratch(0), out: scratch(1), units });
        let out = layout.array();
        block.push(Instr::Unary { op: Unary::Neg, a: Operand::PerRow(scratch(1)), out, units });
    }
    block
}

fn case<T: Real>(rows: usize, units: usize, gap: usize, whole_rows: bool) -> Case<T> {
    let mut layout = Layout { rows, units, gap, end: 1 };
    let block = instructions(&mut layout, whole_rows);
    let stage = Stage { products: vec![], block, units, whole_rows };
    let phases = vec![Phase::Steps { order: Order::Ascending, stages: vec![stage], independent: false }];
    let mut random = Random(units as u64 * 31 + rows as u64);
    let mut memory: Vec<T> = random.numbers(layout.end + 2);
    let special = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 1e-40, -3e-39, 88.9, -103.5, 1e9, 3e38];
    for (x, i) in special.iter().zip((0..).step_by(7)) {
        let at = 1 + i % (2 * rows * (units + gap));
        memory[at] = T::from_f64(*x);
    }
    for x in memory.iter_mut().step_by(5) {
        *x = T::from_f64(x.to_f64() * 20.0);
    }
    Case { phases, constants: random.numbers(units + 5), weights: vec![], memory }
}

#[test]
fn every_instruction_at_odd_sizes() {
    for (i, units) in [1, 3, 8, 15, 16, 17, 33, 64, 70, 131].into_iter().enumerate() {
        for rows in [1, 2, 7] {
            if too_large(rows * units * 20) {
                continue;
            }
            let what = format!("{rows} rows of {units}");
            case::<f32>(rows, units, i % 2, false).check(&[Timeline::equal(1, rows)], &what);
            case::<f32>(rows, units, i % 3, true).check(&[Timeline::equal(1, rows)], &what);
        }
    }
}

#[test]
fn f64() {
    case::<f64>(3, 19, 1, true).check(&[Timeline::equal(1, 3)], "f64");
}

/// Wide rows and many rows: tiles of both kinds.
#[test]
#[cfg_attr(miri, ignore)]
fn more_than_one_tile() {
    case::<f32>(50, 70, 0, false).check(&[Timeline::equal(1, 50)], "many rows");
    case::<f32>(3, 2500, 0, true).check(&[Timeline::equal(1, 3)], "wide rows");
    case::<f32>(1, 2500, 0, false).check(&[Timeline::equal(1, 1)], "wide row");
}

#[test]
fn scalar_functions_are_the_instructions() {
    assert_eq!(f32::unary(Unary::Sign, -3.0), -1.0);
    assert_eq!(f32::unary(Unary::Sign, -0.0).to_bits(), (-0.0f32).to_bits());
    assert_eq!(f32::binary(Binary::Max, f32::NAN, 2.0), 2.0);
    assert!(f32::binary(Binary::Max, 2.0, f32::NAN).is_nan());
    assert_eq!(Real::mul_add(3.0f32, 2.0, 1.0), 7.0);
    let phi = |x: f64| f64::unary(Unary::NormalCdf, x);
    assert!((phi(1.0) - 0.841_344_746_068_543).abs() < 1e-15);
    assert!((phi(-1.0) / 0.158_655_253_931_457_05 - 1.0).abs() < 1e-14);
    assert!((phi(-5.0) / 2.866_515_718_791_939_4e-7 - 1.0).abs() < 1e-13);
    assert!((phi(-0.3) / 0.382_088_577_811_047_3 - 1.0).abs() < 1e-15);
}
