//! The meaning of a code, row by row and unit by unit, and helpers to compare machines with it.

#![allow(dead_code)]

pub mod attend;

use elman_kernel::code::*;
use elman_kernel::{Isa, Machine, MatrixShape, PackedMatrix, Precision, Real, Team, View};

/// Weights in plain order: per member and segment [units × k].
pub struct Weights<T> {
    pub shape: MatrixShape,
    pub data: Vec<Vec<T>>,
}

impl<T: Real> Weights<T> {
    pub fn random(shape: MatrixShape, random: &mut Random) -> Weights<T> {
        let sizes = (0..shape.members).flat_map(|_| shape.segments.iter().map(|k| k * shape.units));
        let data = sizes.map(|n| random.numbers(n)).collect();
        Weights { shape, data }
    }

    pub fn pack(&self, isa: Isa) -> PackedMatrix<T> {
        self.pack_in(isa, Precision::Full)
    }

    pub fn pack_in(&self, isa: Isa, precision: Precision) -> PackedMatrix<T> {
        let views: Vec<_> = (0..self.data.len())
            .map(|i| {
                let k = self.shape.segments[i % self.shape.segments.len()];
                View { data: &self.data[i], offset: 0, unit_stride: k, k_stride: 1 }
            })
            .collect();
        PackedMatrix::pack_in(isa, precision, &self.shape, &views).unwrap()
    }

    fn get(&self, member: usize, segment: usize, unit: usize, k: usize) -> T {
        self.data[member * self.shape.segments.len() + segment][unit * self.shape.segments[segment] + k]
    }
}

/// Numbers between −1 and 1, some of them 0 or −0.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    pub fn numbers<T: Real>(&mut self, n: usize) -> Vec<T> {
        let number = |bits: u64| match bits % 37 {
            0 => 0.0,
            1 => -0.0,
            _ => (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0,
        };
        (0..n).map(|_| T::from_f64(number(self.bits()))).collect()
    }
}

/// A naive machine.
pub struct Reference<'a, T> {
    pub timeline: &'a Timeline,
    pub constants: &'a [T],
    pub weights: &'a [Weights<T>],
    pub memory: Vec<T>,
    scratch: Vec<Vec<T>>,
}

impl<'a, T: Real> Reference<'a, T> {
    pub fn run(
        phases: &[Phase],
        timeline: &'a Timeline,
        constants: &'a [T],
        weights: &'a [Weights<T>],
        memory: &[T],
    ) -> Vec<T> {
        let scratch = vec![vec![T::ZERO; 4096]; 64];
        let mut reference = Reference { timeline, constants, weights, memory: memory.to_vec(), scratch };
        for phase in phases {
            reference.phase(phase);
        }
        reference.memory
    }

    fn tokens(&self) -> Vec<(usize, usize)> {
        let steps = self.timeline.active.iter().enumerate();
        steps.flat_map(|(t, &n)| (0..n).map(move |b| (t, b))).collect()
    }

    fn phase(&mut self, phase: &Phase) {
        match phase {
            Phase::Bulk(stages) => {
                for stage in stages {
                    self.tokens().into_iter().for_each(|(t, b)| self.stage(stage, t, b));
                }
            }
            Phase::Steps { order, stages, .. } => {
                let steps = self.timeline.active.len();
                for i in 0..steps {
                    let t = if *order == Order::Ascending { i } else { steps - 1 - i };
                    for stage in stages {
                        for b in 0..self.timeline.active[t] {
                            self.stage(stage, t, b);
                        }
                    }
                }
            }
            Phase::Outer { right, columns, lefts } => {
                for (t, b) in self.tokens() {
                    for left in lefts {
                        for (i, j) in (0..left.rows).flat_map(|i| (0..*columns).map(move |j| (i, j))) {
                            let (x, y) = (self.read(&left.left, t, b, i), self.read(right, t, b, j));
                            let out = &mut self.memory[left.out + i * left.stride + j];
                            *out = x.mul_add(y, *out);
                        }
                    }
                }
            }
            Phase::Total { value, units, out } => {
                for (t, b) in self.tokens() {
                    for j in 0..*units {
                        let x = self.read(value, t, b, j);
                        self.memory[out + j] = T::binary(Binary::Add, self.memory[out + j], x);
                    }
                }
            }
            Phase::Memory { attend, gradient, d_keys, d_values } => self.memories(attend, gradient, d_keys, d_values),
            Phase::Exponentials { value, units, largest, sum } => {
                for j in 0..*units {
                    self.exponentials(value, j, *largest + j, *sum + j);
                }
            }
        }
    }

    fn exponentials(&mut self, value: &Place, unit: usize, largest: usize, sum: usize) {
        let at: Vec<_> = (0..self.tokens().len()).map(|t| value.offset + t * value.stride + unit).collect();
        let most =
            at.iter().fold(T::from_f64(f64::NEG_INFINITY), |x, &i| if self.memory[i] > x { self.memory[i] } else { x });
        let mut total = T::ZERO;
        for block in at.chunks(256) {
            let mut part = T::ZERO;
            for &i in block {
                self.memory[i] = T::unary(Unary::Exp, T::binary(Binary::Sub, self.memory[i], most));
                part = T::binary(Binary::Add, part, self.memory[i]);
            }
            total = T::binary(Binary::Add, total, part);
        }
        (self.memory[largest], self.memory[sum]) = (most, total);
    }

    fn stage(&mut self, stage: &Stage, t: usize, b: usize) {
        for product in &stage.products {
            let factors =
                product.before.iter().map(|b| (b.matrix, &b.segments)).chain([(product.matrix, &product.segments)]);
            let factors: Vec<_> = factors.map(|(matrix, segments)| (&self.weights[matrix], segments)).collect();
            for (m, member) in product.members.iter().enumerate() {
                for unit in 0..factors[0].0.shape.units {
                    let mut sum = member.init.as_ref().map_or(T::ZERO, |init| self.read(init, t, b, unit));
                    for (weights, segments) in &factors {
                        for (s, place) in segments.iter().enumerate() {
                            for k in 0..weights.shape.segments[s] {
                                sum = self.read(place, t, b, k).mul_add(weights.get(m, s, unit, k), sum);
                            }
                        }
                    }
                    self.write(&member.out, t, b, unit, sum);
                }
            }
        }
        for instr in &stage.block {
            self.instr(instr, t, b);
        }
    }

    fn instr(&mut self, instr: &Instr, t: usize, b: usize) {
        let two = |op, x, y| T::binary(op, x, y);
        match instr {
            Instr::Unary { op, a, out, units } => {
                (0..*units).for_each(|u| self.write(out, t, b, u, T::unary(*op, self.operand(a, t, b, u))))
            }
            Instr::Binary { op, a, b: c, out, units } => (0..*units).for_each(|u| {
                let value = two(*op, self.operand(a, t, b, u), self.operand(c, t, b, u));
                self.write(out, t, b, u, value)
            }),
            Instr::Fma { a, b: f, c, out, units } => (0..*units).for_each(|u| {
                let value = self.operand(a, t, b, u).mul_add(self.operand(f, t, b, u), self.operand(c, t, b, u));
                self.write(out, t, b, u, value)
            }),
            Instr::Select { condition, positive, otherwise, out, units } => (0..*units).for_each(|u| {
                let chosen = if self.operand(condition, t, b, u) > T::ZERO { positive } else { otherwise };
                self.write(out, t, b, u, self.operand(chosen, t, b, u))
            }),
            Instr::Sum { a, out, units } => {
                let value = self.fold(a, *units, t, b, T::ZERO, |x, y| two(Binary::Add, x, y));
                self.write(out, t, b, 0, value);
            }
            Instr::Largest { a, out, units } => {
                let largest = |x: T, y: T| if y > x || y.partial_cmp(&y).is_none() { y } else { x };
                let value = self.fold(a, *units, t, b, T::from_f64(f64::NEG_INFINITY), largest);
                self.write(out, t, b, 0, value);
            }
            Instr::Attend { attend, out } => self.attend(attend, out, t, b),
            Instr::AttendGradient { attend, gradient, out } => self.attend_gradient(attend, gradient, out, t, b),
        }
    }

    fn fold(&self, a: &Place, units: usize, t: usize, b: usize, start: T, f: impl Fn(T, T) -> T) -> T {
        let mut lanes = [start; 16];
        for u in 0..units {
            lanes[u % 16] = f(lanes[u % 16], self.read(a, t, b, u));
        }
        for half in [8, 4, 2, 1] {
            for l in 0..half {
                lanes[l] = f(lanes[l], lanes[l + half]);
            }
        }
        lanes[0]
    }

    fn operand(&self, operand: &Operand, t: usize, b: usize, unit: usize) -> T {
        match operand {
            Operand::Units(place) => self.read(place, t, b, unit),
            Operand::PerRow(place) => self.read(place, t, b, 0),
            Operand::Splat(x) => T::from_f64(*x),
        }
    }

    fn row(&self, rows: Rows, t: usize, b: usize) -> usize {
        let Timeline { batch, first, start, .. } = self.timeline;
        match rows {
            Rows::Fixed | Rows::Scratch => 0,
            Rows::Batch => b,
            Rows::Token => first[t] + b,
            Rows::Before if t == 0 => b,
            Rows::Before => batch + first[t - 1] + b,
            Rows::After => batch + first[t] + b,
            Rows::Parity { flip } => (start + t + flip) % 2 * batch + b,
        }
    }

    fn read(&self, place: &Place, t: usize, b: usize, unit: usize) -> T {
        match place.rows {
            Rows::Fixed => self.constants[place.offset + unit],
            Rows::Scratch => self.scratch[place.offset][unit],
            rows => self.memory[place.offset + self.row(rows, t, b) * place.stride + unit],
        }
    }

    fn write(&mut self, place: &Place, t: usize, b: usize, unit: usize, value: T) {
        match place.rows {
            Rows::Scratch => self.scratch[place.offset][unit] = value,
            rows => {
                let row = self.row(rows, t, b);
                self.memory[place.offset + row * place.stride + unit] = value;
            }
        }
    }
}

/// Whether a case is left out because it would take Miri, which interprets, more than a minute: smaller sizes have the
/// same code.
pub fn too_large(numbers: usize) -> bool {
    cfg!(miri) && numbers > 700
}

/// The bits, all NaN being one.
pub fn bits<T: Real>(x: T) -> u64 {
    let x = x.to_f64();
    if x.is_nan() { u64::MAX } else { x.to_bits() }
}

/// A code and all it runs on.
pub struct Case<T> {
    pub phases: Vec<Phase>,
    pub constants: Vec<T>,
    pub weights: Vec<Weights<T>>,
    pub memory: Vec<T>,
}

impl<T: Real> Case<T> {
    pub fn machine(&self, isa: Isa) -> Machine<T> {
        let shapes = self.weights.iter().map(|w| w.shape.clone()).collect();
        let machine = Machine::new(isa, self.phases.clone(), self.memory.len(), self.constants.len(), shapes);
        machine.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs on every instruction set, number of threads and split; every bit must be the reference's.
    pub fn check(&self, timelines: &[Timeline], what: &str) {
        let teams = (if cfg!(miri) { 2..3 } else { 1..4 }).map(|threads| Team::sharing_all(threads).unwrap());
        let teams: Vec<_> = teams.chain([Team::new(2).unwrap()]).collect();
        for isa in Isa::available() {
            let mut machine = self.machine(isa);
            let packed: Vec<_> = self.weights.iter().map(|w| w.pack(isa)).collect();
            for timeline in timelines {
                let want = Reference::run(&self.phases, timeline, &self.constants, &self.weights, &self.memory);
                for (team, split) in teams.iter().flat_map(|t| [(t, Split::Rows), (t, Split::Units)]) {
                    let mut memory = self.memory.clone();
                    let result = machine.run(timeline, &self.constants, &packed, &mut memory, team, split);
                    result.unwrap_or_else(|error| panic!("{what}: {error}"));
                    let at = memory.iter().zip(&want).position(|(&a, &b)| bits(a) != bits(b));
                    if let Some(at) = at {
                        panic!(
                            "{what}, {isa}, {} threads, {split:?}, {timeline:?}: element {at} is {:?}, not {:?}",
                            team.threads(),
                            memory[at],
                            want[at]
                        );
                    }
                }
            }
        }
    }
}

pub fn place(offset: usize, rows: Rows, stride: usize) -> Place {
    Place { offset, rows, stride }
}

pub fn scratch(slot: usize) -> Place {
    place(slot, Rows::Scratch, 0)
}
