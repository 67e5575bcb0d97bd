//! Attention to memories of ragged lengths, and its gradients, bit for bit at odd sizes. All memory is compared, so that
//! writing past the units or slots shows; slots that a sequence does not have hold NaN, so that reading them does too.

mod reference;

use elman_kernel::code::*;
use elman_kernel::{CodeError, Isa, Machine, Real};
use reference::*;

/// What is attended to: keys and values apart or one memory, with gaps between slots and rows.
struct Layout {
    end: usize,
    batch: usize,
    tokens: usize,
}

impl Layout {
    fn rows(&mut self, rows: Rows, width: usize) -> Place {
        let stride = width + 3;
        let at = place(self.end, rows, stride);
        self.end += (if rows == Rows::Batch { self.batch } else { self.batch + self.tokens }) * stride;
        at
    }

    fn slots(&mut self, slots: usize, units: usize) -> Slots {
        let stride = units + 1;
        Slots { place: self.rows(Rows::Batch, slots * stride), units, stride }
    }
}

fn case<T: Real>(timeline: &Timeline, score: Score, slots: usize, (units, value_units): (usize, usize)) -> Case<T> {
    let mut layout = Layout { end: 3, batch: timeline.batch, tokens: timeline.tokens() };
    let one = units == value_units;
    let keys = layout.slots(slots, units);
    let values = if one { keys } else { layout.slots(slots, value_units) };
    let lengths = layout.rows(Rows::Batch, 1);
    let query = layout.rows(if slots.is_multiple_of(2) { Rows::Before } else { Rows::Token }, units);
    // A weight that all share, or one of each step.
    let weight = if slots.is_multiple_of(3) { layout.rows(Rows::After, units) } else { place(2, Rows::Fixed, 0) };
    let weight = (score == Score::Additive).then_some(weight);
    let gradient = layout.rows(Rows::Token, value_units);
    let attend = Attend { score, query, weight, keys, values, lengths, slots };
    let out = layout.rows(Rows::Token, value_units);
    let by_query = layout.rows(Rows::Token, attend.gradient_units());
    let again = layout.rows(Rows::Token, value_units);
    let d_keys = layout.rows(Rows::Batch, slots * keys.stride);
    let d_values = if one { d_keys } else { layout.rows(Rows::Batch, slots * values.stride) };
    let block = vec![
        Instr::Attend { attend, out },
        Instr::AttendGradient { attend, gradient, out: by_query },
        // A result that is read as a query again, from scratch.
        Instr::Unary { op: Unary::Neg, a: Operand::Units(query), out: scratch(0), units },
        Instr::Attend { attend: Attend { query: scratch(0), ..attend }, out: again },
    ];
    let widest = attend.gradient_units().max(value_units);
    let stage = Stage { products: vec![], block, units: widest, whole_rows: true };
    let phases = vec![
        Phase::Steps { order: Order::Descending, stages: vec![stage], independent: false },
        Phase::Memory { attend, gradient, d_keys, d_values },
    ];
    let mut random = Random((slots * 100 + units) as u64);
    let mut memory: Vec<T> = random.numbers(layout.end + 4);
    reference::attend::lengths(&mut memory, &lengths, timeline.batch, slots, &mut random);
    for b in 0..timeline.batch {
        let length = memory[lengths.offset + b * lengths.stride].to_f64() as usize;
        for m in [keys, values] {
            let row = m.place.offset + b * m.place.stride;
            memory[row + length * m.stride..row + slots * m.stride].fill(T::from_f64(f64::NAN));
        }
    }
    Case { phases, constants: random.numbers(units + 2), weights: vec![], memory }
}

fn all<T: Real>(score: Score) {
    let ragged = Timeline::from_active(7, vec![6, 6, 4, 1]);
    for (slots, units) in [(1, (1, 1)), (2, (3, 5)), (5, (16, 16)), (9, (33, 7)), (17, (18, 70)), (36, (64, 64))] {
        for timeline in [&ragged, &Timeline::equal(3, 2)] {
            if too_large(slots * units.0.max(units.1) * timeline.tokens()) {
                continue;
            }
            let what = format!("{score:?}, {slots} slots of {units:?}");
            case::<T>(timeline, score, slots, units).check(std::slice::from_ref(timeline), &what);
        }
    }
}

#[test]
fn scores_of_products() {
    all::<f32>(Score::Dot);
    all::<f64>(Score::Dot);
    all::<f32>(Score::Scaled);
    all::<f64>(Score::Scaled);
}

#[test]
fn additive_scores() {
    all::<f32>(Score::Additive);
    all::<f64>(Score::Additive);
}

#[test]
fn a_length_that_lies_reads_no_slot_that_is_not_there() {
    let timeline = Timeline::equal(2, 2);
    for lie in [1e9, f64::INFINITY, f64::NAN, -3.0, 0.0] {
        let mut case = case::<f32>(&timeline, Score::Dot, 4, (5, 5));
        let Phase::Memory { attend, .. } = &case.phases[1] else { panic!("a memory") };
        let at = attend.lengths.offset;
        case.memory[at] = f32::from_f64(lie);
        let mut machine = case.machine(Isa::detect());
        let team = elman_kernel::Team::new(1).unwrap();
        let mut memory = case.memory.clone();
        machine.run(&timeline, &case.constants, &[], &mut memory, &team, Split::Rows).unwrap();
    }
}

#[test]
fn wrong_attentions_are_refused() {
    let timeline = Timeline::equal(2, 2);
    let told = |change: &dyn Fn(&mut Attend, &mut bool)| {
        let mut case = case::<f32>(&timeline, Score::Dot, 4, (5, 5));
        let Phase::Steps { stages, .. } = &mut case.phases[0] else { panic!("steps") };
        let Instr::Attend { attend, .. } = &mut stages[0].block[0] else { panic!("attend") };
        let mut whole_rows = true;
        change(attend, &mut whole_rows);
        stages[0].whole_rows = whole_rows;
        let machine = Machine::<f32>::new(Isa::detect(), case.phases, case.memory.len(), case.constants.len(), vec![]);
        machine.and_then(|mut m| m.check(&timeline)).expect_err("an error")
    };
    assert!(matches!(told(&|a, _| a.slots = 5), CodeError::Rule { .. }), "more slots than there is room for");
    assert!(matches!(told(&|a, _| a.slots = 0), CodeError::Rule { .. }));
    assert!(matches!(told(&|a, _| a.keys.stride = 4), CodeError::Rule { .. }), "slots that overlap");
    assert!(matches!(told(&|a, _| a.keys.place.rows = Rows::Token), CodeError::Rule { .. }));
    assert!(matches!(told(&|a, _| a.score = Score::Additive), CodeError::Rule { .. }), "no weight");
    assert!(matches!(told(&|a, _| a.weight = Some(a.query)), CodeError::Rule { .. }), "a weight too many");
    assert!(matches!(told(&|_, whole| *whole = false), CodeError::Rule { .. }));
    assert!(matches!(told(&|a, _| a.query = scratch(3)), CodeError::Rule { .. }), "scratch that nothing wrote");
    assert!(matches!(told(&|a, _| a.keys.place.offset = 1 << 40), CodeError::Bounds { .. }));
    assert!(matches!(told(&|a, _| a.lengths.offset = usize::MAX), CodeError::Bounds { .. }));
    let mut over = case::<f32>(&timeline, Score::Dot, 4, (5, 5));
    let Phase::Memory { attend, d_keys, d_values, .. } = &mut over.phases[1] else { panic!("a memory") };
    (d_keys.offset, d_values.offset) = (attend.keys.place.offset + 1, attend.keys.place.offset + 1);
    assert!(matches!(over.machine(Isa::detect()).check(&timeline), Err(CodeError::Overlap { .. })));
}
