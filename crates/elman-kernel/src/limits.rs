//! What this machine can do, measured in some tens of milliseconds: fused multiply-adds, and reading from each cache.
//!
//! These are the figures that a lower bound is made of: a product cannot run faster than the multiply-adds, and weights
//! cannot be used faster than they are read.

use std::hint::black_box;
use std::time::Instant;

use crate::buffer::Buffer;
use crate::isa::Isa;

/// Read bandwidth of memory of one size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// Bytes that were read again and again.
    pub bytes: usize,
    /// Bytes a second.
    pub bandwidth: f64,
}

/// The limits of one core.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// f32 operations a second; a fused multiply-add counts as two.
    pub flops: f64,
    /// From the smallest memory to the largest.
    pub levels: Vec<Level>,
}

const SIZES: [usize; 5] = [24 << 10, 512 << 10, 4 << 20, 16 << 20, 96 << 20];
const ROUNDS: usize = 5;

impl Limits {
    /// Measures with the registers of `isa`. Takes about 0.1 s.
    pub fn measure(isa: Isa) -> Limits {
        let flops = best(|| {
            let rounds = 20_000;
            let start = Instant::now();
            let operations = fma_operations(isa, rounds);
            operations as f64 / start.elapsed().as_secs_f64()
        });
        let levels = SIZES.iter().map(|&bytes| Level { bytes, bandwidth: bandwidth(isa, bytes) }).collect();
        Limits { flops, levels }
    }

    /// The bandwidth of the smallest measured memory that holds `bytes`.
    pub fn bandwidth_for(&self, bytes: usize) -> f64 {
        let fits = self.levels.iter().find(|l| bytes <= l.bytes + l.bytes / 2);
        fits.or(self.levels.last()).map_or(f64::INFINITY, |l| l.bandwidth)
    }
}

fn best(mut rate: impl FnMut() -> f64) -> f64 {
    (0..ROUNDS).map(|_| rate()).fold(0.0, f64::max)
}

fn bandwidth(isa: Isa, bytes: usize) -> f64 {
    let buffer = Buffer::<f32>::new(bytes / 4);
    let passes = ((16 << 20) / bytes).max(1);
    best(|| {
        let start = Instant::now();
        for _ in 0..passes {
            black_box(read(isa, black_box(&buffer)));
        }
        (passes * bytes) as f64 / start.elapsed().as_secs_f64()
    })
}

/// Runs `rounds` of independent multiply-adds; how many operations that was.
fn fma_operations(isa: Isa, rounds: usize) -> usize {
    #[cfg(target_arch = "x86_64")]
    match isa {
        // Safety: an `Isa` other than portable is only made where the CPU has it.
        Isa::Avx512 if isa.is_available() => return unsafe { x86::fma512(rounds) },
        // Safety: as above.
        Isa::Avx2 if isa.is_available() => return unsafe { x86::fma256(rounds) },
        _ => {}
    }
    let _ = isa;
    let mut sums = [0.5f32; 8];
    let factor = black_box(0.999f32);
    for _ in 0..rounds {
        sums.iter_mut().for_each(|s| *s = s.mul_add(factor, 1e-6));
    }
    black_box(sums);
    rounds * 8 * 2
}

fn read(isa: Isa, data: &[f32]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    match isa {
        // Safety: an `Isa` other than portable is only made where the CPU has it.
        Isa::Avx512 if isa.is_available() => return unsafe { x86::read512(data) },
        // Safety: as above.
        Isa::Avx2 if isa.is_available() => return unsafe { x86::read256(data) },
        _ => {}
    }
    let _ = isa;
    let mut lanes = [0f32; 16];
    for chunk in data.chunks_exact(16) {
        lanes.iter_mut().zip(chunk).for_each(|(l, x)| *l += x);
    }
    lanes.iter().sum()
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;
    use std::hint::black_box;

    macro_rules! kernels {
        ($feature:literal, $fma:ident, $read:ident, $count:literal, $lanes:literal, $set:ident, $fmadd:ident, $add:ident, $load:ident, $store:ident) => {
            /// Safety: the CPU has the feature.
            #[target_feature(enable = $feature)]
            pub unsafe fn $fma(rounds: usize) -> usize {
                let mut sums = [$set(0.5); $count];
                let factor = $set(black_box(0.999));
                let addend = $set(1e-6);
                for _ in 0..rounds {
                    for s in &mut sums {
                        *s = $fmadd(*s, factor, addend);
                    }
                }
                black_box(sums);
                rounds * $count * $lanes * 2
            }

            /// Safety: the CPU has the feature.
            #[target_feature(enable = $feature)]
            pub unsafe fn $read(data: &[f32]) -> f32 {
                let mut sums = [$set(0.0); 8];
                for chunk in data.chunks_exact(8 * $lanes) {
                    for (i, s) in sums.iter_mut().enumerate() {
                        // Safety: the chunk has 8 registers of lanes.
                        *s = $add(*s, unsafe { $load(chunk.as_ptr().add(i * $lanes)) });
                    }
                }
                let total = sums.iter().skip(1).fold(sums[0], |a, b| $add(a, *b));
                let mut out = [0f32; $lanes];
                // Safety: `out` has the lanes of a register.
                unsafe { $store(out.as_mut_ptr(), total) };
                out.iter().sum()
            }
        };
    }

    kernels!(
        "avx512f",
        fma512,
        read512,
        24,
        16,
        _mm512_set1_ps,
        _mm512_fmadd_ps,
        _mm512_add_ps,
        _mm512_loadu_ps,
        _mm512_storeu_ps
    );
    kernels!(
        "avx2,fma",
        fma256,
        read256,
        12,
        8,
        _mm256_set1_ps,
        _mm256_fmadd_ps,
        _mm256_add_ps,
        _mm256_loadu_ps,
        _mm256_storeu_ps
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_positive_on_every_instruction_set() {
        for isa in Isa::available() {
            let limits = Limits::measure(isa);
            assert!(limits.flops > 1e8, "{isa}: {limits:?}");
            assert!(limits.levels.iter().all(|l| l.bandwidth > 1e8), "{isa}: {limits:?}");
        }
    }
}
