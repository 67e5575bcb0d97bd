//! One test for each way in which a code can lie: an error, and nothing runs.

mod reference;

use elman_kernel::code::*;
use elman_kernel::{CodeError, Isa, Machine, MatrixShape, PackedMatrix, Team};
use reference::*;

const MEMORY: usize = 1000;
const CONSTANTS: usize = 20;
const UNITS: usize = 10;

fn shapes() -> Vec<MatrixShape> {
    vec![MatrixShape { members: 2, units: UNITS, segments: vec![7, 3] }]
}

fn new(phases: Vec<Phase>) -> Result<Machine<f32>, CodeError> {
    Machine::new(Isa::Portable, phases, MEMORY, CONSTANTS, shapes())
}

fn check(phases: Vec<Phase>, timeline: &Timeline) -> Result<(), CodeError> {
    new(phases)?.check(timeline)
}

fn batch(offset: usize) -> Place {
    place(offset, Rows::Batch, UNITS)
}

fn token(offset: usize) -> Place {
    place(offset, Rows::Token, UNITS)
}

fn copy(a: Place, out: Place) -> Instr {
    Instr::Unary { op: Unary::Copy, a: Operand::Units(a), out, units: UNITS }
}

fn stage(block: Vec<Instr>) -> Stage {
    Stage { products: vec![], block, units: UNITS, whole_rows: false }
}

fn whole(block: Vec<Instr>) -> Stage {
    Stage { whole_rows: true, ..stage(block) }
}

fn steps(stages: Vec<Stage>) -> Vec<Phase> {
    vec![Phase::Steps { order: Order::Ascending, stages, independent: false }]
}

fn product() -> Product {
    let member = |at| Member { init: None, out: batch(at) };
    Product {
        before: None,
        matrix: 0,
        segments: vec![place(0, Rows::Batch, 7), place(100, Rows::Fixed, 0)],
        members: vec![member(300), member(400)],
    }
}

fn with_product(change: impl Fn(&mut Product)) -> Vec<Phase> {
    let mut product = product();
    product.segments[1] = place(0, Rows::Fixed, 0);
    change(&mut product);
    steps(vec![Stage { products: vec![product], ..stage(vec![]) }])
}

/// Asserts that the code is refused for breaking a rule of which `part` tells.
fn rule(phases: Vec<Phase>, part: &str) {
    match new(phases).err() {
        Some(CodeError::Rule { rule, at }) => {
            assert!(rule.contains(part), "{at}: {rule}");
            assert!(at.contains("phase 0"), "{at}");
        }
        other => panic!("{part}: {other:?}"),
    }
}

fn overlaps(phases: Vec<Phase>, timeline: &Timeline) {
    let result = check(phases, timeline);
    assert!(matches!(result, Err(CodeError::Overlap { .. })), "{result:?}");
}

fn four() -> Timeline {
    Timeline::from_active(4, vec![4, 4, 2])
}

#[test]
fn the_honest_ones_pass() {
    check(with_product(|_| {}), &four()).unwrap();
    check(steps(vec![stage(vec![copy(batch(0), batch(100))])]), &four()).unwrap();
    // In place, unit by unit.
    check(steps(vec![stage(vec![copy(batch(0), batch(0))])]), &four()).unwrap();
    // Read whole by a product, then written by a later stage.
    let later = with_product(|p| p.segments[0] = place(0, Rows::Batch, UNITS));
    let Phase::Steps { mut stages, .. } = later[0].clone() else { unreachable!() };
    stages.push(stage(vec![copy(batch(300), batch(0))]));
    check(steps(stages), &four()).unwrap();
    // Read before, written after.
    let states = |rows| place(500, rows, UNITS);
    let recurrent = with_product(|p| {
        p.segments[0] = states(Rows::Before);
        p.members[0].out = states(Rows::After);
    });
    check(recurrent, &four()).unwrap();
    // Members side by side in one array.
    let merged = with_product(|p| {
        p.members[0].out = place(300, Rows::Token, 2 * UNITS);
        p.members[1].out = place(300 + UNITS, Rows::Token, 2 * UNITS);
    });
    check(merged, &four()).unwrap();
}

#[test]
fn rules() {
    rule(steps(vec![stage(vec![copy(batch(0), place(0, Rows::Fixed, 0))])]), "constants");
    rule(steps(vec![stage(vec![copy(batch(0), place(0, Rows::Batch, UNITS - 1))])]), "overlap");
    rule(steps(vec![stage(vec![copy(scratch(0), batch(0))])]), "scratch that nothing");
    rule(steps(vec![stage(vec![copy(batch(0), scratch(5000))])]), "4096");
    let narrow = Instr::Unary { op: Unary::Copy, a: Operand::Units(batch(0)), out: batch(100), units: 3 };
    rule(steps(vec![stage(vec![narrow])]), "width differs");
    let nothing = Instr::Unary { op: Unary::Copy, a: Operand::Units(batch(0)), out: batch(100), units: 0 };
    rule(steps(vec![whole(vec![nothing])]), "width is 0");
    rule(steps(vec![stage(vec![Instr::Sum { a: batch(0), out: batch(100), units: UNITS }])]), "whole rows");
    let per_row = Instr::Unary { op: Unary::Copy, a: Operand::PerRow(scratch(0)), out: batch(100), units: UNITS };
    rule(steps(vec![stage(vec![copy(batch(0), scratch(0)), per_row])]), "unit 0 of a scratch row");
    rule(vec![Phase::Bulk(vec![stage(vec![copy(batch(0), token(100))])])], "bulk");
    rule(vec![Phase::Bulk(vec![stage(vec![copy(place(0, Rows::Parity { flip: 1 }, 10), token(100))])])], "bulk");
}

#[test]
fn products() {
    let no_matrix = new(with_product(|p| p.matrix = 1)).err();
    assert!(matches!(no_matrix, Some(CodeError::NoMatrix { index: 1, .. })), "{no_matrix:?}");
    rule(with_product(|p| p.members.truncate(1)), "members or segments");
    rule(with_product(|p| p.segments.truncate(1)), "members or segments");
    let before = |matrix, segments: &[Place]| Some(Factor { matrix, segments: segments.to_vec() });
    let no_matrix = new(with_product(|p| p.before = before(7, &[]))).err();
    assert!(matches!(no_matrix, Some(CodeError::NoMatrix { index: 7, .. })), "{no_matrix:?}");
    rule(with_product(|p| p.before = before(0, &[])), "members or segments");
    rule(with_product(|p| p.before = before(0, &[scratch(0), p.segments[1]])), "whole rows");
    rule(with_product(|p| p.segments[0] = scratch(0)), "whole rows");
    rule(with_product(|p| p.members[0].out = place(0, Rows::Fixed, 0)), "constants");
    let with = |units, independent| {
        let mut phases = with_product(|_| {});
        let Phase::Steps { stages, independent: scan, .. } = &mut phases[0] else { unreachable!() };
        (stages[0].units, *scan) = (units, independent);
        phases
    };
    rule(with(UNITS + 1, false), "width differs");
    rule(with(UNITS, true), "independent");
}

#[test]
fn gradients() {
    let outer = |right: Place, left: Place, out, stride, rows| {
        vec![Phase::Outer { right, columns: UNITS, lefts: vec![OuterRow { left, rows, out, stride }] }]
    };
    check(outer(token(0), token(100), 500, 10, 10), &four()).unwrap();
    rule(outer(batch(0), token(100), 500, 10, 10), "Token, Before or After");
    rule(outer(token(0), scratch(0), 500, 10, 10), "Token, Before or After");
    rule(outer(token(0), token(100), 500, 9, 10), "overlap");
    rule(outer(token(0), token(100), 500, 10, 0), "no rows");
    overlaps(outer(token(0), token(100), 95, 10, 10), &four());
    let past = check(outer(token(0), token(100), 901, 10, 10), &four());
    assert!(matches!(past, Err(CodeError::Bounds { end: 1001, length: 1000, .. })), "{past:?}");
    let total = |value, units, out| vec![Phase::Total { value, units, out }];
    check(total(token(0), 10, 100), &four()).unwrap();
    rule(total(token(0), 0, 100), "width is 0");
    rule(total(place(0, Rows::Fixed, 0), 1, 100), "Token, Before or After");
    overlaps(total(token(0), 10, 99), &four());
    let wide = |rows| place(0, rows, 16);
    let exponentials = |value, units, largest, sum| vec![Phase::Exponentials { value, units, largest, sum }];
    check(exponentials(wide(Rows::Token), 16, 300, 316), &four()).unwrap();
    rule(exponentials(wide(Rows::Batch), 16, 300, 316), "Token place");
    rule(exponentials(wide(Rows::Token), 15, 300, 316), "multiple of 16");
    rule(exponentials(wide(Rows::Token), 32, 300, 316), "rows overlap");
    overlaps(exponentials(wide(Rows::Token), 16, 300, 315), &four());
    overlaps(exponentials(wide(Rows::Token), 16, 0, 316), &four());
    assert!(matches!(check(exponentials(wide(Rows::Token), 16, 300, 990), &four()), Err(CodeError::Bounds { .. })));
    assert!(matches!(check(total(token(0), 10, 991), &four()), Err(CodeError::Bounds { .. })));
}

#[test]
fn bounds() {
    let past = |place: Place, end: usize| {
        let result = check(steps(vec![stage(vec![copy(place, batch(0))])]), &four());
        let Err(CodeError::Bounds { end: found, .. }) = result else { panic!("{place:?}: {result:?}") };
        assert_eq!(found, end, "{place:?}");
    };
    past(batch(961), 1001);
    past(token(901), 1001);
    past(place(861, Rows::After, UNITS), 1001);
    past(place(901, Rows::Before, UNITS), 1001);
    past(place(921, Rows::Parity { flip: 0 }, UNITS), 1001);
    past(place(11, Rows::Fixed, 0), 21);
    past(batch(usize::MAX - 3), usize::MAX);
    past(place(100, Rows::Batch, usize::MAX / 2), usize::MAX);
    // One step fits where three do not.
    let phases = steps(vec![stage(vec![copy(token(960), batch(0))])]);
    let mut machine = new(phases).unwrap();
    assert!(machine.check(&Timeline::equal(1, 4)).is_ok());
    assert!(machine.check(&four()).is_err());
    assert!(machine.check(&Timeline::equal(1, 4)).is_ok());
}

#[test]
fn overlapping_places() {
    // Another row's units.
    overlaps(steps(vec![stage(vec![copy(batch(5), batch(0))])]), &four());
    overlaps(steps(vec![stage(vec![copy(batch(10), batch(0))])]), &four());
    // Rows of sequences and of tokens in the same memory.
    overlaps(steps(vec![stage(vec![copy(token(0), batch(0))])]), &four());
    // Another distance of rows.
    overlaps(steps(vec![stage(vec![copy(place(0, Rows::Batch, 11), batch(0))])]), &four());
    // A product's operand is written while other units still read it.
    overlaps(with_product(|p| p.members[0].out = place(0, Rows::Batch, UNITS)), &four());
    let written = with_product(|p| p.segments[0] = place(0, Rows::Batch, UNITS));
    let Phase::Steps { mut stages, .. } = written[0].clone() else { unreachable!() };
    stages[0].block = vec![copy(batch(300), batch(0))];
    overlaps(steps(stages.clone()), &four());
    // With whole rows the block comes after the product.
    stages[0].whole_rows = true;
    check(steps(stages), &four()).unwrap();
    // One member starts from another's result.
    overlaps(with_product(|p| p.members[1].init = Some(p.members[0].out)), &four());
    // Unit 0 is read by all units while it is written.
    let first = Instr::Unary { op: Unary::Copy, a: Operand::PerRow(batch(100)), out: batch(0), units: UNITS };
    overlaps(steps(vec![stage(vec![copy(batch(0), batch(100)), first.clone()])]), &four());
    check(steps(vec![whole(vec![copy(batch(0), batch(100)), first])]), &four()).unwrap();
    // In bulk, the row before is another thread's.
    let states = |rows| place(0, rows, UNITS);
    overlaps(vec![Phase::Bulk(vec![stage(vec![copy(states(Rows::Before), states(Rows::After))])])], &four());
}

#[test]
fn wrong_arguments() {
    let mut machine = new(with_product(|_| {})).unwrap();
    let team = Team::sharing_all(2).unwrap();
    let random = &mut Random(1);
    let weights = |shape: MatrixShape, random: &mut Random| Weights::<f32>::random(shape, random);
    let right = [weights(shapes().remove(0), random).pack(Isa::Portable)];
    let wrong = [weights(MatrixShape { members: 2, units: UNITS, segments: vec![3, 7] }, random).pack(Isa::Portable)];
    let mut memory = vec![7f32; MEMORY];
    let constants = vec![1f32; CONSTANTS];
    let timeline = four();
    let mut run = |constants: &[f32], matrices: &[PackedMatrix<f32>], memory: &mut [f32], timeline: &Timeline| {
        machine.run(timeline, constants, matrices, memory, &team, Split::Units)
    };
    let length = |result, what: &str| match result {
        Err(CodeError::Length { what: which, .. }) => assert_eq!(which, what),
        other => panic!("{other:?}"),
    };
    length(run(&constants[1..], &right, &mut memory, &timeline), "constants");
    length(run(&constants, &[], &mut memory, &timeline), "matrices");
    length(run(&constants, &right, &mut memory[1..], &timeline), "memory");
    assert_eq!(run(&constants, &wrong, &mut memory, &timeline), Err(CodeError::Matrix { index: 0 }));
    let rising = Timeline { batch: 4, active: vec![2, 3], first: vec![0, 2], start: 0 };
    assert!(matches!(run(&constants, &right, &mut memory, &rising), Err(CodeError::Timeline(_))));
    assert!(memory.iter().all(|&x| x == 7.0));
    run(&constants, &right, &mut memory, &timeline).unwrap();
    assert!(memory.iter().any(|&x| x != 7.0));
    run(&constants, &right, &mut memory, &Timeline::from_active(4, vec![])).unwrap();
}

#[test]
fn an_instruction_set_that_is_not_there() {
    if !Isa::Avx512.is_available() {
        assert_eq!(Machine::<f32>::new(Isa::Avx512, vec![], 0, 0, vec![]).err(), Some(CodeError::Isa(Isa::Avx512)));
    }
}
