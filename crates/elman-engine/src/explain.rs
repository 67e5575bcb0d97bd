//! What the schedule found, in words, with bytes, operations and the lower bound.
//!
//!   bound = input products at peak + steps · max(recurrent products at peak, reading their weights once)
//!
//! with the peak and the bandwidth of the cache that the weights fit, both measured on this machine. Forward and
//! backward together are counted as three times that.

use std::fmt::Write;

use elman_cell::program::{NodeId, Op};
use elman_cell::schedule::{Product, Stage};
use elman_kernel::limits::Limits;

use crate::invariants::units;
use crate::layer::{ROWS_A_THREAD, SHARED_WEIGHTS};
use crate::memory;
use crate::network::Network;
use crate::plan::{Frame, Mode, Plan};

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Steps of a sequence.
    pub steps: usize,
    /// Sequences.
    pub batch: usize,
    /// Threads.
    pub threads: usize,
    /// Slots of a memory, where there is one.
    pub slots: usize,
    /// Values are computed again for the backward run.
    pub recompute: bool,
}

impl Workload {
    /// On one thread, with nothing recomputed, and memories of as many slots as steps.
    pub fn new(steps: usize, batch: usize) -> Workload {
        Workload { steps, batch, threads: 1, slots: steps.max(1), recompute: false }
    }
}

/// The figures behind an explanation, of all layers and directions, in `f32`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Numbers that are learned.
    pub parameters: usize,
    /// Operations (two a multiply-add) of products ahead of and behind the time loop, forward, over all steps.
    pub bulk_flops: f64,
    /// Operations of products in the time loop, forward, over all steps.
    pub loop_flops: f64,
    /// Bytes of weights that a step of the loop reads.
    pub loop_bytes: usize,
    /// Bytes to run forward: weights, their packing, inputs, outputs, and what lies between.
    pub forward_bytes: usize,
    /// Bytes to run forward and backward: the same, and all gradients.
    pub training_bytes: usize,
    /// Bytes a token that are kept for the backward pass.
    pub kept_per_token: usize,
    /// Lower bound of a forward pass, seconds.
    pub bound: f64,
}

fn product_flops(network: &Network, layer: usize, products: &[Product]) -> f64 {
    let nodes = &network.schedule().program.nodes;
    let sizes = network.sizes(layer);
    let width = |n: NodeId| units(nodes[n.index()].shape, sizes) as f64;
    let one = |p: &Product| {
        let inner: f64 = p.vectors.iter().map(|v| width(*v)).sum();
        p.members.iter().map(|m| 2.0 * inner * width(m.node)).sum::<f64>()
    };
    products.iter().map(one).sum()
}

fn stages_flops(network: &Network, layer: usize, stages: &[Stage]) -> f64 {
    stages.iter().map(|s| product_flops(network, layer, &s.products)).sum()
}

/// The figures of a network at a workload.
pub fn figures(network: &Network, work: Workload, limits: &Limits) -> Figures {
    let pass = &network.schedule().forward_pass;
    let tokens = work.steps * work.batch;
    let mut f = Figures {
        parameters: network.parameters().iter().map(|t| t.count()).sum(),
        forward_bytes: 4 * memory::forward(network, work),
        training_bytes: 4 * memory::training(network, work),
        ..Figures::default()
    };
    for layer in 0..network.spec().layers {
        let (step, bulk) = (
            stages_flops(network, layer, &pass.step),
            stages_flops(network, layer, &pass.before) + stages_flops(network, layer, &pass.after),
        );
        let bytes = (step / 2.0) as usize * 4;
        let directions = network.spec().directions();
        f.bulk_flops += bulk * (tokens * directions) as f64;
        f.loop_flops += step * (tokens * directions) as f64;
        f.loop_bytes += bytes * directions;
        f.kept_per_token += kept(network, layer) * directions;
        f.bound += directions as f64 * bound(work, limits, bulk, step, bytes);
    }
    f
}

fn bound(work: Workload, limits: &Limits, bulk: f64, step: f64, bytes: usize) -> f64 {
    let (steps, batch, threads) = (work.steps as f64, work.batch as f64, work.threads as f64);
    let peak = limits.flops * threads;
    let share = bytes / work.threads;
    let reading = bytes as f64 / (limits.bandwidth_for(share) * threads);
    bulk * steps * batch / peak + steps * (step * batch / peak).max(reading)
}

/// Bytes a token of states, inputs and saved values.
fn kept(network: &Network, layer: usize) -> usize {
    let schedule = network.schedule();
    let (program, sizes) = (&schedule.program, network.sizes(layer));
    let saved = schedule.saved.iter().filter(|n| !program.next.contains(n));
    let saved: usize = saved.map(|n| units(program.nodes[n.index()].shape, sizes)).sum();
    let own: usize = program.states.iter().chain(&program.inputs).map(|d| d.at(sizes)).sum();
    (saved + own) * 4
}

/// The schedule in words.
pub fn explain(network: &Network, work: Workload, limits: &Limits) -> String {
    let mut out = String::new();
    let f = figures(network, work, limits);
    // Writing to a string cannot fail.
    let _ = write_all(&mut out, network, work, limits, &f);
    out
}

fn write_all(out: &mut String, network: &Network, work: Workload, limits: &Limits, f: &Figures) -> std::fmt::Result {
    let schedule = network.schedule();
    let (spec, pass) = (network.spec(), &schedule.forward_pass);
    writeln!(
        out,
        "{}: {} parameters, {} step{} of {} sequence{}, {} layer{}{}, {} thread{}",
        spec.cell.name,
        f.parameters,
        work.steps,
        plural(work.steps),
        work.batch,
        plural(work.batch),
        spec.layers,
        plural(spec.layers),
        if spec.bidirectional { ", both directions" } else { "" },
        work.threads,
        plural(work.threads)
    )?;
    writeln!(out, "\nAhead of the time loop, for all steps at once:")?;
    write_stages(out, network, work, &pass.before)?;
    if (0..spec.layers).any(|layer| step_plan(network, layer, work).joins()) {
        writeln!(out, "  in batches of this size, products of the same members are taken together in the loop")?;
    }
    writeln!(out, "In the time loop:")?;
    if pass.independent {
        let scan = if schedule.is_scan() { ", linearly (a scan)" } else { "" };
        writeln!(out, "  no product: each unit runs through time by itself{scan}, and threads split units")?;
    }
    write_stages(out, network, work, &pass.step)?;
    if !pass.after.is_empty() {
        writeln!(out, "Behind the time loop, for all steps at once:")?;
        write_stages(out, network, work, &pass.after)?;
    }
    write_backward(out, network)?;
    write_figures(out, network, work, limits, f)
}

fn write_stages(out: &mut String, network: &Network, work: Workload, stages: &[Stage]) -> std::fmt::Result {
    if stages.is_empty() {
        writeln!(out, "  nothing")?;
    }
    for (s, stage) in stages.iter().enumerate() {
        for p in &stage.products {
            let operands: Vec<String> = p.vectors.iter().map(|v| name(network, *v)).collect();
            let members: Vec<String> = p.members.iter().map(|m| name(network, m.node)).collect();
            let matrices = members.len() * operands.len();
            let merged =
                if matrices > 1 { format!("{matrices} matrices as one packed product") } else { "one product".into() };
            let mflop = product_flops(network, 0, std::slice::from_ref(p)) / 1e6;
            writeln!(
                out,
                "  stage {}: {merged} reading {}, for {}: {mflop:.3} MFLOP a step and sequence",
                s + 1,
                operands.join(", "),
                members.join(", ")
            )?;
        }
        for n in &stage.block {
            write_attention(out, network, work, s, *n)?;
        }
        if !stage.block.is_empty() {
            let nodes = &network.schedule().program.nodes;
            let crosses = stage.block.iter().any(|n| nodes[n.index()].op.crosses_units());
            let tile = if crosses { "over whole rows" } else { "over tiles that stay in L1" };
            writeln!(
                out,
                "  stage {}: one elementwise block of {} operation{} {tile}",
                s + 1,
                stage.block.len(),
                plural(stage.block.len())
            )?;
        }
    }
    Ok(())
}

/// An attention of a stage: the memory, and what it costs, two operations a multiply-add of scores and sums.
fn write_attention(out: &mut String, network: &Network, work: Workload, stage: usize, n: NodeId) -> std::fmt::Result {
    let Op::Attend { how, .. } = network.schedule().program.nodes[n.index()].op else { return Ok(()) };
    let unit = |m: elman_cell::cell::MemoryId| network.memories()[m.index()].count();
    let mflop = 2.0 * (work.slots * (unit(how.keys) + unit(how.values))) as f64 / 1e6;
    let (what, slots) = (name(network, n), work.slots);
    writeln!(
        out,
        "  stage {}: attention, for {what}: {mflop:.3} MFLOP a step and sequence at {slots} slots of {}",
        stage + 1,
        memories(network, how)
    )
}

/// The memories of an attention, by name.
fn memories(network: &Network, how: elman_cell::cell::Attention) -> String {
    let of = |m: elman_cell::cell::MemoryId| network.memories()[m.index()].name.clone();
    if how.keys == how.values { of(how.keys) } else { format!("{}, {}", of(how.keys), of(how.values)) }
}

fn write_backward(out: &mut String, network: &Network) -> std::fmt::Result {
    let s = network.schedule();
    let count = |stages: &[Stage]| stages.iter().map(|s| s.products.len()).sum::<usize>();
    let list = |nodes: &[NodeId]| {
        let names: Vec<String> = nodes.iter().map(|n| name(network, *n)).collect();
        if names.is_empty() { "nothing".into() } else { names.join(", ") }
    };
    writeln!(out, "Backward:")?;
    writeln!(
        out,
        "  kept at every step: inputs, states, and {} ({} bytes a token of layer 0)",
        list(&s.saved),
        kept(network, 0)
    )?;
    writeln!(out, "  computed again, being cheaper than memory: {}", list(&s.recomputed))?;
    writeln!(
        out,
        "  packed products: {} ahead of the loop, {} a step, {} behind it",
        count(&s.backward_pass.before),
        count(&s.backward_pass.step),
        count(&s.backward_pass.after)
    )?;
    use elman_cell::program::Contribution::{Memory, Outer};
    let outer = s.backward.contributions.iter().filter(|c| matches!(c, Outer { .. }));
    writeln!(out, "  weight gradients: {} products over all steps at once, after the loop", outer.count())?;
    match s.backward.contributions.iter().filter(|c| matches!(c, Memory { .. })).count() {
        0 => Ok(()),
        n => writeln!(out, "  gradients of memories: {n}, sequence by sequence over its steps, after the loop"),
    }
}

/// A layer's plan to run forward, at every step.
fn step_plan(network: &Network, layer: usize, work: Workload) -> Plan {
    let (batch, slots) = (work.batch, work.slots);
    let frame = Frame { batch, tokens: batch, slots, mode: Mode::Whole, weight_bytes: size_of::<f32>() };
    Plan::new(network.schedule(), network.sizes(layer), frame, &[])
}

/// What threads split.
fn sharing(network: &Network, work: Workload) -> String {
    let (n, batch) = (work.threads, work.batch);
    let far = |layer| 4 * step_plan(network, layer, work).step_weights() > SHARED_WEIGHTS;
    if n == 1 {
        "one thread runs everything".into()
    } else if batch < ROWS_A_THREAD * n {
        let plural = plural(batch);
        format!(
            "{n} threads split the units of each stage, with a barrier after each, where steps take long enough for it: {batch} sequence{plural} would not go round"
        )
    } else if (0..network.spec().layers).any(far) {
        format!(
            "{n} threads split the units of each stage forward, since no second cache holds all weights: a barrier after each; the {batch} sequences on the way back"
        )
    } else {
        format!("{n} threads split the {batch} sequences: nobody waits inside the loop")
    }
}

fn write_figures(
    out: &mut String,
    network: &Network,
    work: Workload,
    limits: &Limits,
    f: &Figures,
) -> std::fmt::Result {
    let mb = |b: usize| b as f64 / 1e6;
    writeln!(out, "\nThreads: {}", sharing(network, work))?;
    writeln!(
        out,
        "Forward: {:.3} MFLOP that wait for no state, {:.3} MFLOP that do; a step reads {:.3} MB of weights",
        f.bulk_flops / 1e6,
        f.loop_flops / 1e6,
        mb(f.loop_bytes)
    )?;
    writeln!(
        out,
        "Memory: {:.3} MB to run forward, {:.3} MB to train ({} bytes a token kept)",
        mb(f.forward_bytes),
        mb(f.training_bytes),
        f.kept_per_token
    )?;
    writeln!(out, "Machine: {:.0} GFLOP/s a core; {}", limits.flops / 1e9, levels(limits))?;
    writeln!(out, "Lower bound: {:.1} µs forward, {:.1} µs forward and backward", f.bound * 1e6, 3e6 * f.bound)
}

fn levels(limits: &Limits) -> String {
    let one = |l: &elman_kernel::limits::Level| format!("{} KiB at {:.0} GB/s", l.bytes >> 10, l.bandwidth / 1e9);
    limits.levels.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

fn bracketed(text: String) -> String {
    if text.contains(' ') { format!("({text})") } else { text }
}

/// The author's name of a node, `h_{t-1}` of a state that a step starts from; of a sum of products, the value that it goes
/// into; else the operation on names.
fn name(network: &Network, n: NodeId) -> String {
    named(network, n, 3)
}

fn named(network: &Network, n: NodeId, depth: usize) -> String {
    let program = &network.schedule().program;
    let cell = &network.spec().cell;
    let part = |n: NodeId| named(network, n, depth.saturating_sub(1));
    if let Some((name, _)) = program.named.iter().find(|(_, at)| *at == n) {
        return name.clone();
    }
    match &program.nodes[n.index()].op {
        Op::Input(i) => cell.inputs[i.index()].name.clone(),
        Op::State(s) => format!("{}_{{t-1}}", cell.states[s.index()].name),
        Op::Param(p) => cell.params[p.index()].name.clone(),
        Op::Number(x) => x.to_string(),
        _ if depth == 0 => format!("%{}", n.0),
        Op::Affine { bias, terms } => {
            let reads = |i: &usize| program.nodes[*i].op.operands().contains(&n);
            let reader = (n.index() + 1..program.nodes.len()).find(reads).map(|i| NodeId(i as u32));
            if let Some((name, _)) = program.named.iter().find(|(_, at)| Some(*at) == reader) {
                return name.clone();
            }
            let products = terms.iter().map(|t| format!("{} {}", part(t.matrix), bracketed(part(t.vector))));
            products.chain(bias.map(part)).collect::<Vec<_>>().join(" + ")
        }
        Op::Transpose(m) => format!("{}^T", part(*m)),
        Op::Columns { matrix, .. } => part(*matrix),
        Op::Unary(f, a) => format!("{}({})", format!("{f:?}").to_lowercase(), part(*a)),
        Op::Binary(f, a, b) => {
            use elman_cell::op::Binary::{Add, Div, Max, Min, Mul, Sub};
            let sign = match f {
                Add => "+",
                Sub => "-",
                Mul => "*",
                Div => "/",
                Max => "max",
                Min => "min",
            };
            format!("{} {sign} {}", part(*a), part(*b))
        }
        Op::Fma(a, b, c) => format!("{} * {} + {}", part(*a), part(*b), part(*c)),
        Op::Attend { how, query, .. } => format!("attend({}, {})", part(*query), memories(network, *how)),
        _ => format!("%{}", n.0),
    }
}
