//! Products, elementwise blocks and gradients on one thread, beside the measured peak of fused multiply-adds.
//!
//! `cargo bench -p elman-kernel [-- FILTER]`; `ELMAN_ISA` chooses the instruction set. The least processor
//! time of many runs counts.

use elman_kernel::code::*;
use elman_kernel::{Buffer, Isa, Machine, MatrixShape, PackedMatrix, Team, View};
use std::hint::black_box;

fn main() -> Result<()> {
    let filter = std::env::args().skip(1).find(|a| !a.starts_with('-')).unwrap_or_default();
    let isa = Isa::from_env()?;
    let peak = peak(isa);
    println!("{isa}: peak {peak:.0} GFLOP/s");
    let wanted = |name: &str| filter.is_empty() || name.contains(&filter);
    if wanted("product") {
        for (rows, k, hidden) in [
            (1, 32, 32),
            (1, 128, 128),
            (1, 256, 256),
            (1, 512, 512),
            (2, 256, 256),
            (3, 256, 256),
            (8, 128, 128),
            (8, 512, 512),
            (20, 200, 200),
            (20, 650, 650),
            (32, 256, 256),
            (32, 512, 512),
            (64, 1024, 1024),
            (700, 200, 200),
            (3200, 256, 256),
        ] {
            for members in [4, 1] {
                let seconds = product(isa, rows, k, members, 4 * hidden / members)?;
                let flops = 2.0 * (rows * k * 4 * hidden) as f64 / seconds / 1e9;
                let bytes = (k * 4 * hidden * 4) as f64 / seconds / 1e9;
                println!(
                    "product {rows:4} x {k:4} x {:4} ({members} members): {:9.2} µs {flops:6.1} GFLOP/s {:3.0} % {bytes:6.1} GB/s of weights",
                    4 * hidden,
                    seconds * 1e6,
                    100.0 * flops / peak
                );
            }
        }
    }
    if wanted("elementwise") {
        for op in [
            Unary::Copy,
            Unary::Exp,
            Unary::Expm1,
            Unary::Log,
            Unary::Sin,
            Unary::Tanh,
            Unary::Sigmoid,
            Unary::Softplus,
            Unary::NormalCdf,
        ] {
            let seconds = unary(isa, op, 2048)?;
            println!("elementwise {op:?}: {:.3} ns a unit", seconds * 1e9 / 2048.0);
        }
        for (rows, hidden) in [(1, 32), (1, 128), (20, 200), (32, 512)] {
            let seconds = lstm_block(isa, rows, hidden)?;
            println!("elementwise LSTM {rows} x {hidden}: {:.3} ns a unit", seconds * 1e9 / (rows * hidden) as f64);
        }
    }
    if wanted("lstm") {
        for (steps, rows, hidden) in
            [(100, 1, 32), (100, 1, 128), (100, 1, 512), (35, 20, 200), (35, 20, 650), (100, 32, 256), (1, 1, 128)]
        {
            let seconds = lstm(isa, steps, rows, hidden)?;
            let flops = 16.0 * (steps * rows * hidden * hidden) as f64 / seconds / 1e9;
            println!(
                "lstm {steps} steps, {rows} rows, {hidden}: {:9.1} µs {flops:6.1} GFLOP/s {:3.0} %",
                seconds * 1e6,
                100.0 * flops / peak
            );
        }
    }
    if wanted("outer") {
        for (steps, batch, hidden) in [(35, 20, 200), (100, 1, 128), (100, 32, 128), (100, 32, 256), (100, 32, 512)] {
            let seconds = outer(isa, steps, batch, hidden)?;
            let flops = 2.0 * (steps * batch * 4 * hidden * hidden) as f64 / seconds / 1e9;
            println!(
                "outer {steps} steps, {batch} rows, {hidden} x 4·{hidden}: {:9.1} µs {flops:6.1} GFLOP/s {:3.0} %",
                seconds * 1e6,
                100.0 * flops / peak
            );
        }
    }
    if wanted("head") {
        // Part of an output layer, 64 tokens: logits, the gradient by its input, and by its weights.
        for (words, hidden) in [(556, 200), (174, 650)] {
            for (name, seconds, tokens) in head(isa, words, hidden)? {
                let flops = 2e-9 * (tokens * hidden * words) as f64 / seconds;
                let (time, share) = (seconds * 1e6, 100.0 * flops / peak);
                println!("head {words} words, {hidden} units, {name}: {time:9.1} µs {flops:6.1} GFLOP/s {share:3.0} %");
            }
        }
    }
    if wanted("pack") {
        let shape = MatrixShape { members: 4, units: 512, segments: vec![512] };
        let data = vec![0.5f32; 4 * 512 * 512];
        for (name, unit_stride, k_stride) in [("transposed", 512, 1), ("straight", 1, 512)] {
            let views: Vec<_> =
                (0..4).map(|m| View { data: &data, offset: m * 512 * 512, unit_stride, k_stride }).collect();
            let mut packed = PackedMatrix::pack(isa, &shape, &views)?;
            let seconds = least(|| packed.repack(&views).unwrap_or_default());
            println!(
                "pack 4 x 512 x 512 {name}: {:.1} µs, {:.1} GB/s",
                seconds * 1e6,
                4e-9 * data.len() as f64 / seconds
            );
        }
    }
    Ok(())
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The least time of a call, in seconds.
fn least(mut f: impl FnMut()) -> f64 {
    let start = seconds();
    f();
    f();
    let calls = (5e-4 / ((seconds() - start) / 2.0).max(1e-9)).clamp(1.0, 1e6) as usize;
    let mut best = f64::MAX;
    for _ in 0..25 {
        let start = seconds();
        (0..calls).for_each(|_| f());
        best = best.min((seconds() - start) / calls as f64);
    }
    best
}

/// Processor time of this thread, so that other programs do not count.
#[cfg(target_os = "linux")]
fn seconds() -> f64 {
    #[repr(C)]
    struct Time {
        seconds: i64,
        nanoseconds: i64,
    }
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time: *mut Time) -> i32;
    }
    const THREAD: i32 = 3;
    let mut time = Time { seconds: 0, nanoseconds: 0 };
    // Safety: the C library's function, with its argument's layout on 64-bit Linux.
    unsafe { clock_gettime(THREAD, &mut time) };
    time.seconds as f64 + 1e-9 * time.nanoseconds as f64
}

/// Time since the program began.
#[cfg(not(target_os = "linux"))]
fn seconds() -> f64 {
    use std::{sync::OnceLock, time::Instant};
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

fn numbers(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i * 2_654_435_761 % 1_000_003) as f32 / 1e6 - 0.5).collect()
}

fn place(offset: usize, rows: Rows, stride: usize) -> Place {
    Place { offset, rows, stride }
}

/// Runs phases with their own memory.
fn time(isa: Isa, phases: Vec<Phase>, timeline: &Timeline, memory: usize, shapes: Vec<MatrixShape>) -> Result<f64> {
    let team = Team::new(1)?;
    let mut memory = Buffer::from_slice(&numbers(memory));
    let constants = numbers(16384);
    let mut packed = Vec::new();
    for shape in &shapes {
        let k: usize = shape.segments[0];
        let data = numbers(shape.units * k);
        let view = View { data: &data, offset: 0, unit_stride: k, k_stride: 1 };
        packed.push(PackedMatrix::pack(isa, shape, &vec![view; shape.members * shape.segments.len()])?);
    }
    let mut machine = Machine::new(isa, phases, memory.len(), constants.len(), shapes)?;
    machine.run(timeline, &constants, &packed, &mut memory, &team, Split::Rows)?;
    Ok(least(|| {
        let result = machine.run(timeline, &constants, &packed, black_box(&mut memory), &team, Split::Rows);
        assert!(result.is_ok());
    }))
}

fn product(isa: Isa, rows: usize, k: usize, members: usize, units: usize) -> Result<f64> {
    let outs = rows * k;
    let stage = Stage {
        products: vec![Product {
            before: None,
            matrix: 0,
            segments: vec![place(0, Rows::Token, k)],
            members: (0..members)
                .map(|m| Member {
                    init: Some(place(m * units, Rows::Fixed, 0)),
                    out: place(outs + m * units, Rows::Token, members * units),
                })
                .collect(),
        }],
        block: vec![],
        units,
        whole_rows: false,
    };
    let shape = MatrixShape { members, units, segments: vec![k] };
    let memory = outs + rows * members * units;
    time(isa, vec![Phase::Bulk(vec![stage])], &Timeline::equal(1, rows), memory, vec![shape])
}

/// The products of a part of an output layer, with the tokens of each: rows are words, columns are tokens.
fn head(isa: Isa, words: usize, hidden: usize) -> Result<[(&'static str, f64, usize); 3]> {
    const BLOCK: usize = 64;
    let stride = ((hidden / 16 + 1) | 1) * 16;
    let rows = |offset, stride| place(offset, Rows::Token, stride);
    let (weights, gradients) = (rows(0, stride), rows(words * stride, stride));
    let logits = |block: usize| rows((2 * stride + block * BLOCK) * words, BLOCK);
    let out = (2 * stride + 4 * BLOCK) * words;
    let product = |segments, member, units| {
        let products = vec![Product { before: None, matrix: 0, segments, members: vec![member] }];
        Phase::Bulk(vec![Stage { products, block: vec![], units, whole_rows: false }])
    };
    let timed = |phase, shapes| time(isa, vec![phase], &Timeline::equal(1, words), out + hidden * BLOCK, shapes);
    let columns = MatrixShape { members: 1, units: BLOCK, segments: vec![hidden + 1] };
    let tokens = MatrixShape { members: 1, units: hidden + 1, segments: vec![BLOCK; 4] };
    let z = product(vec![weights], Member { init: None, out: logits(0) }, BLOCK);
    let left = OuterRow { left: weights, rows: hidden, out, stride: BLOCK };
    let dh = Phase::Outer { right: logits(0), columns: BLOCK, lefts: vec![left] };
    let init = Some(gradients);
    let dw = product((0..4).map(logits).collect(), Member { init, out: gradients }, hidden + 1);
    Ok([
        ("logits", timed(z, vec![columns])?, BLOCK),
        ("by input", timed(dh, vec![])?, BLOCK),
        ("by weights", timed(dw, vec![tokens])?, 4 * BLOCK),
    ])
}

fn unary(isa: Isa, op: Unary, units: usize) -> Result<f64> {
    let instr = Instr::Unary {
        op,
        a: Operand::Units(place(0, Rows::Token, units)),
        out: place(units, Rows::Token, units),
        units,
    };
    // Calls within one run, so that its fixed cost does not count.
    let stage = Stage { products: vec![], block: vec![instr; 64], units, whole_rows: true };
    Ok(time(isa, vec![Phase::Bulk(vec![stage])], &Timeline::equal(1, 1), 2 * units, vec![])? / 64.0)
}

/// The gates of an LSTM, from scratch slots or places: three sigmoids, two tanh, three products.
fn gates(units: usize, gate: impl Fn(usize) -> Place, c: impl Fn(usize) -> Place, h: Place) -> Vec<Instr> {
    let scratch = |slot| place(slot, Rows::Scratch, 0);
    let un = |op, a, out| Instr::Unary { op, a: Operand::Units(a), out, units };
    let mul = |a, b, out| Instr::Binary { op: Binary::Mul, a: Operand::Units(a), b: Operand::Units(b), out, units };
    vec![
        un(Unary::Sigmoid, gate(0), scratch(0)),
        un(Unary::Sigmoid, gate(1), scratch(1)),
        un(Unary::Tanh, gate(2), scratch(2)),
        un(Unary::Sigmoid, gate(3), scratch(3)),
        mul(scratch(0), scratch(2), scratch(4)),
        Instr::Fma {
            a: Operand::Units(scratch(1)),
            b: Operand::Units(c(0)),
            c: Operand::Units(scratch(4)),
            out: c(1),
            units,
        },
        un(Unary::Tanh, c(1), scratch(5)),
        mul(scratch(3), scratch(5), h),
    ]
}

/// The elementwise block of an LSTM alone.
fn lstm_block(isa: Isa, rows: usize, hidden: usize) -> Result<f64> {
    let states = rows * 4 * hidden;
    let c = |flip| place(states, Rows::Parity { flip }, hidden);
    let h = place(states + 2 * rows * hidden, Rows::Batch, hidden);
    let block = gates(hidden, |g| place(g * hidden, Rows::Batch, 4 * hidden), c, h);
    let stages = vec![Stage { products: vec![], block, units: hidden, whole_rows: false }];
    let phase = Phase::Steps { order: Order::Ascending, stages, independent: false };
    let memory = rows * hidden * 7;
    Ok(time(isa, vec![phase], &Timeline::equal(100, rows), memory, vec![])? / 100.0)
}

/// A layer forward: the input product over all tokens, then the steps.
fn lstm(isa: Isa, steps: usize, rows: usize, hidden: usize) -> Result<f64> {
    let tokens = steps * rows;
    let x = place(0, Rows::Token, hidden);
    let sums = tokens * hidden;
    let gate = |g: usize| place(sums + g * hidden, Rows::Token, 4 * hidden);
    let states = sums + tokens * 4 * hidden;
    let h = |kind| place(states, kind, hidden);
    let cells = states + (rows + tokens) * hidden;
    let c = |flip| place(cells, Rows::Parity { flip }, hidden);
    let scratch = |slot| place(slot, Rows::Scratch, 0);
    let input = Product {
        before: None,
        matrix: 0,
        segments: vec![x],
        members: (0..4).map(|g| Member { init: Some(place(g * hidden, Rows::Fixed, 0)), out: gate(g) }).collect(),
    };
    let recurrent = Product {
        before: None,
        matrix: 1,
        segments: vec![h(Rows::Before)],
        members: (0..4).map(|g| Member { init: Some(gate(g)), out: scratch(g) }).collect(),
    };
    let block = gates(hidden, scratch, c, h(Rows::After));
    let stage = |products, block| Stage { products, block, units: hidden, whole_rows: false };
    let phases = vec![
        Phase::Bulk(vec![stage(vec![input], vec![])]),
        Phase::Steps { order: Order::Ascending, stages: vec![stage(vec![recurrent], block)], independent: false },
    ];
    let shape = MatrixShape { members: 4, units: hidden, segments: vec![hidden] };
    time(isa, phases, &Timeline::equal(steps, rows), cells + 2 * rows * hidden, vec![shape.clone(), shape])
}

fn outer(isa: Isa, steps: usize, batch: usize, hidden: usize) -> Result<f64> {
    outer_of(isa, steps, batch, hidden, &[hidden; 4])
}

/// Gradients of matrices of `columns` whose rows are those of the left operands.
fn outer_of(isa: Isa, steps: usize, batch: usize, columns: usize, lefts: &[usize]) -> Result<f64> {
    let (tokens, all) = (steps * batch, lefts.iter().sum::<usize>());
    let right = place(0, Rows::Before, columns);
    let first = (batch + tokens) * columns;
    let out = first + tokens * all;
    let mut before = 0;
    let lefts = lefts.iter().map(|&rows| {
        let row = OuterRow {
            left: place(first + before, Rows::Token, all),
            rows,
            out: out + before * columns,
            stride: columns,
        };
        before += rows;
        row
    });
    let phase = Phase::Outer { right, columns, lefts: lefts.collect() };
    time(isa, vec![phase], &Timeline::equal(steps, batch), out + all * columns, vec![])
}

/// Fused multiply-adds in registers alone, GFLOP/s.
fn peak(isa: Isa) -> f64 {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => {
            // Safety: the CPU has the instructions.
            2.0 * 16.0 * 24e3 / least(|| unsafe { x86::peak512(1000) }) / 1e9
        }
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => {
            // Safety: the CPU has the instructions.
            2.0 * 8.0 * 12e3 / least(|| unsafe { x86::peak256(1000) }) / 1e9
        }
        _ => {
            let mut x = [1f32; 16];
            let seconds = least(|| {
                for _ in 0..1000 {
                    x.iter_mut().for_each(|x| *x = x.mul_add(0.999, 0.001));
                }
                black_box(&mut x);
            });
            2.0 * 16e3 / seconds / 1e9
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    #[target_feature(enable = "avx512f")]
    pub fn peak512(rounds: usize) {
        let mut acc = [_mm512_set1_ps(1.0); 24];
        let (a, b) = (_mm512_set1_ps(black_box(0.999)), _mm512_set1_ps(black_box(0.001)));
        for _ in 0..rounds {
            acc.iter_mut().for_each(|x| *x = _mm512_fmadd_ps(*x, a, b));
        }
        black_box(acc);
    }

    #[target_feature(enable = "avx2,fma")]
    pub fn peak256(rounds: usize) {
        let mut acc = [_mm256_set1_ps(1.0); 12];
        let (a, b) = (_mm256_set1_ps(black_box(0.999)), _mm256_set1_ps(black_box(0.001)));
        for _ in 0..rounds {
            acc.iter_mut().for_each(|x| *x = _mm256_fmadd_ps(*x, a, b));
        }
        black_box(acc);
    }
}
