//! `elman cell bench`: how long a network takes over a batch of made-up sequences.
//!
//! Each call is timed by itself, after a warm-up. A call is a whole forward sequence; with `backward` forward and
//! backward with all gradients; with `stream` one step with carried state. Operations are those of the matrix products
//! alone, two to a multiply-add, counted three times with `backward`. What a cell attends to has as many slots as steps.

use crate::error::Error;
use crate::lengths::Lengths;
use crate::memory;
use elman_engine::explain::{self, Workload};
use elman_engine::{
    Batch, Gradients, Limits, Memory, Model, Network, Options, Outputs, Random, Real, Runner, Stream, Weights,
};
use std::time::{Duration, Instant};

/// What to time.
#[derive(Debug)]
pub struct Request {
    /// The network.
    pub network: Network,
    /// Steps of the sequences.
    pub steps: usize,
    /// Sequences.
    pub batch: usize,
    /// Their lengths.
    pub lengths: Lengths,
    /// One step a call.
    pub stream: bool,
    /// How it is run.
    pub options: Options,
}

/// What was measured.
#[derive(Debug, PartialEq)]
pub struct Timing {
    /// Median of the repeats, in microseconds.
    pub median_us: f64,
    /// The fastest.
    pub min_us: f64,
    /// 99 of 100 are at most this.
    pub p99_us: f64,
    /// 10⁹ operations of products a second, by the median.
    pub gflops: f64,
    /// Calls timed.
    pub repeats: usize,
}

/// Calls are repeated for this long, and at least [`LEAST`] and at most [`MOST`] times.
const TIME: Duration = Duration::from_millis(600);
/// Calls before the first that counts take this long.
const WARM_UP: Duration = Duration::from_millis(150);
const LEAST: usize = 7;
const MOST: usize = 20_000;

/// Times it in the arithmetic of `T`.
pub fn time<T: Real>(request: &Request) -> Result<Timing, Error> {
    refuse_too_much(request, size_of::<T>())?;
    let weights = Weights::<T>::init(&request.network, 0);
    if request.stream { time_stream(request, &weights) } else { time_sequence(request, &weights) }
}

/// Refuses what does not fit: first by what is sure, in numbers that cannot overflow, then by all that is counted.
fn refuse_too_much(request: &Request, bytes: usize) -> Result<(), Error> {
    let (network, batch, options) = (&request.network, request.batch, &request.options);
    // A stream holds one step, and what it attends to.
    let steps = if request.stream && network.memories().is_empty() { 1 } else { request.steps };
    memory::refuse_too_much(network, steps, batch, bytes)?;
    let (threads, recompute) = (options.threads, options.recompute);
    let work = Workload {
        threads,
        recompute,
        slots: request.steps,
        ..Workload::new(if request.stream { 1 } else { steps }, batch)
    };
    let count = if options.backward { elman_engine::memory::training } else { elman_engine::memory::forward };
    memory::refuse_bytes((count(network, work) as u128).saturating_mul(bytes as u128), "")
}

fn time_sequence<T: Real>(request: &Request, weights: &Weights<T>) -> Result<Timing, Error> {
    let (network, steps, batch) = (&request.network, request.steps, request.batch);
    let mut random = Random::new(1, 0);
    let lengths = request.lengths.draw(steps, batch, &mut random);
    let tokens = lengths.as_ref().map_or(steps * batch, |l| l.iter().sum());
    let mut numbers = |n: usize| (0..n).map(|_| T::from_f64(random.normal())).collect::<Vec<T>>();
    let inputs: Vec<Vec<T>> = network.inputs().iter().map(|t| numbers(steps * batch * t.count())).collect();
    let backward = request.options.backward;
    let dy = numbers(if backward { steps * batch * network.output_size() } else { 0 });
    let inputs = inputs.iter().map(Vec::as_slice).collect();
    let memories: Vec<Vec<T>> = network.memories().iter().map(|t| numbers(steps * batch * t.count())).collect();
    let memories = memories.iter().map(|values| Memory { slots: steps, values, lengths: None }).collect();
    let given = Batch { steps, batch, inputs, lengths: lengths.as_deref(), initial: None, mask: None, memories };
    let mut runner = Runner::new(network, weights, request.options.clone())?;
    let (mut out, mut gradients) = (Outputs::default(), Gradients::default());
    let times = repeat(|| {
        runner.forward_into(&given, &mut out)?;
        std::hint::black_box(&out);
        if backward {
            // Who has made `dy` of `y` needs `y` no more: its memory takes a gradient.
            gradients.inputs.resize_with(network.inputs().len(), Vec::new);
            std::mem::swap(&mut out.y, &mut gradients.inputs[0]);
            runner.backward_with(&given, &dy, None, &mut gradients)?;
            std::mem::swap(&mut out.y, &mut gradients.inputs[0]);
            std::hint::black_box(&gradients);
        }
        Ok(())
    })?;
    let passes = if backward { 3.0 } else { 1.0 };
    Ok(summarise(times, passes * tokens as f64 * operations(network)))
}

fn time_stream<T: Real>(request: &Request, weights: &Weights<T>) -> Result<Timing, Error> {
    let (network, batch, slots) = (&request.network, request.batch, request.steps);
    let model = Model::new_in(network, weights, request.options.isa, request.options.precision)?;
    let mut stream = Stream::new(&model, batch, request.options.threads)?;
    let mut random = Random::new(1, 0);
    let mut numbers = |n: usize| (0..n).map(|_| T::from_f64(random.normal())).collect::<Vec<T>>();
    let inputs: Vec<Vec<T>> = network.inputs().iter().map(|t| numbers(batch * t.count())).collect();
    let inputs: Vec<&[T]> = inputs.iter().map(Vec::as_slice).collect();
    let memories: Vec<Vec<T>> = network.memories().iter().map(|t| numbers(slots * batch * t.count())).collect();
    let memories: Vec<_> = memories.iter().map(|values| Memory { slots, values, lengths: None }).collect();
    stream.set_memories(&memories)?;
    let mut y = vec![T::ZERO; batch * network.output_size()];
    let times = repeat(|| {
        stream.step(&inputs, &mut y)?;
        std::hint::black_box(&y);
        Ok(())
    })?;
    Ok(summarise(times, batch as f64 * operations(network)))
}

/// The time of each call, after the warm-up.
fn repeat(mut call: impl FnMut() -> Result<(), Error>) -> Result<Vec<Duration>, Error> {
    let start = Instant::now();
    call()?;
    while start.elapsed() < WARM_UP {
        call()?;
    }
    let mut times = Vec::with_capacity(MOST);
    let start = Instant::now();
    while times.len() < LEAST || (start.elapsed() < TIME && times.len() < MOST) {
        let before = Instant::now();
        call()?;
        times.push(before.elapsed());
    }
    Ok(times)
}

fn summarise(mut times: Vec<Duration>, flops: f64) -> Timing {
    times.sort();
    let at = |share: f64| times[(share * (times.len() - 1) as f64).ceil() as usize].as_secs_f64();
    let median = at(0.5);
    Timing {
        median_us: median * 1e6,
        min_us: at(0.0) * 1e6,
        p99_us: at(0.99) * 1e6,
        gflops: flops / median / 1e9,
        repeats: times.len(),
    }
}

/// Operations of all products forward, two a multiply-add, for one token, over all layers and directions.
fn operations(network: &Network) -> f64 {
    let one = Workload::new(1, 1);
    // Only the operations are asked for, and they do not depend on what the machine can do.
    let unmeasured = Limits { flops: f64::INFINITY, levels: vec![] };
    let figures = explain::figures(network, one, &unmeasured);
    figures.bulk_flops + figures.loop_flops
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_tail_of_known_times() {
        let times = (1..=101).rev().map(Duration::from_micros).collect();
        let timing = summarise(times, 51_000.0);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(near(timing.median_us, 51.0) && near(timing.min_us, 1.0) && near(timing.p99_us, 100.0), "{timing:?}");
        assert!(near(timing.gflops, 1.0) && timing.repeats == 101, "{timing:?}");
    }
}
