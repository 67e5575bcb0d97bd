//! Checks a code against a timeline: every place stays in its memory, and what is written meets nothing that another tile
//! or thread could be using at the time.

use super::calendar::Calendar;
use super::compile::{Call, PhaseCode, Source, Spot, StageCode, kind};
use super::error::{CodeError, Site};

/// Lengths of the two memories.
pub(super) struct Lengths {
    pub memory: usize,
    pub constants: usize,
}

/// How a place is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Whole rows of a product's operand.
    Segment,
    /// A member's initial value.
    Init(usize),
    /// A member's result.
    Out(usize),
    /// Unit by unit.
    Element,
    /// Unit 0, by all units.
    First,
}

#[derive(Clone, Copy)]
struct Access {
    site: Site,
    spot: Spot,
    width: usize,
    write: bool,
    role: Role,
    whole_rows: bool,
}

/// Which uses of a phase may meet.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Regime {
    Bulk,
    Steps,
    Independent,
}

/// An access that stays in memory: elements `first .. end`.
struct Extent {
    access: Access,
    first: usize,
    end: usize,
}

pub(super) fn check<T>(phases: &[PhaseCode<T>], calendar: &Calendar, lengths: &Lengths) -> Result<(), CodeError> {
    if calendar.tokens == 0 {
        return Ok(());
    }
    for (index, phase) in phases.iter().enumerate() {
        let site = Site::phase(index);
        match phase {
            PhaseCode::Bulk { stages, .. } => check_stages(site, stages, Regime::Bulk, calendar, lengths)?,
            PhaseCode::Steps { stages, independent, .. } => {
                let regime = if *independent { Regime::Independent } else { Regime::Steps };
                check_stages(site, stages, regime, calendar, lengths)?;
            }
            PhaseCode::Outer(outer) => {
                let mut reads = vec![(site, outer.right, outer.columns)];
                let mut results = Vec::new();
                for (i, (spot, left)) in outer.left_spots.iter().zip(&outer.lefts).enumerate() {
                    reads.push((site.left(i), *spot, left.rows));
                    results.push((site.left(i), left.out, left.stride, left.rows, outer.columns));
                }
                check_gradient(&reads, &results, calendar, lengths)?;
            }
            PhaseCode::Total { value, units, out } => {
                check_gradient(&[(site, *value, *units)], &[(site, *out, *units, 1, *units)], calendar, lengths)?;
            }
            PhaseCode::Memory { attend, d_keys, d_values, .. } => {
                let mut reads = Vec::new();
                for (spot, width, _) in attend.reads() {
                    extent(site, spot, width, calendar, lengths)?;
                    if spot.kind != kind::FIXED {
                        reads.push((site, spot, width));
                    }
                }
                let rows = calendar.rows(kind::BATCH).1;
                let code = &attend.attend;
                let mut results = vec![(site, d_keys.offset, d_keys.stride, rows, code.slots * code.keys.stride)];
                if d_keys.offset != d_values.offset {
                    let columns = code.slots * code.values.stride;
                    results.push((site, d_values.offset, d_values.stride, rows, columns));
                } else if code.keys != code.values {
                    return overlap(site, site);
                }
                check_gradient(&reads, &results, calendar, lengths)?;
            }
            PhaseCode::Exponentials { value, units, largest, sum } => {
                let results = [*largest, *sum].map(|out| (site, out, *units, 1, *units));
                check_gradient(&[(site, *value, *units)], &results, calendar, lengths)?;
            }
        }
    }
    Ok(())
}

fn check_stages<T>(
    site: Site,
    stages: &[StageCode<T>],
    regime: Regime,
    calendar: &Calendar,
    lengths: &Lengths,
) -> Result<(), CodeError> {
    let mut extents = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        for access in accesses(site.stage(index), stage) {
            if access.spot.kind != kind::SCRATCH {
                let (first, end) = extent(access.site, access.spot, access.width, calendar, lengths)?;
                extents.push(Extent { access, first, end });
            }
        }
    }
    extents.retain(|e| e.access.spot.kind != kind::FIXED);
    for writer in extents.iter().filter(|e| e.access.write) {
        for other in &extents {
            if writer.first < other.end && other.first < writer.end && !may_meet(writer, other, regime, calendar) {
                return overlap(writer.access.site, other.access.site);
            }
        }
    }
    Ok(())
}

fn overlap<V>(first: Site, second: Site) -> Result<V, CodeError> {
    Err(CodeError::Overlap { first: first.to_string(), second: second.to_string() })
}

/// Every use of memory in a stage.
fn accesses<T>(site: Site, stage: &StageCode<T>) -> Vec<Access> {
    let mut list = Vec::new();
    let mut push = |site, spot, width, write, role| {
        list.push(Access { site, spot, width, write, role, whole_rows: stage.whole_rows });
    };
    for (p, product) in stage.products.iter().enumerate() {
        let site = site.product(p);
        for (spot, k) in &product.segments {
            push(site, *spot, *k, false, Role::Segment);
        }
        for (m, (init, out)) in product.members.iter().enumerate() {
            if let Some(init) = init {
                push(site, *init, product.units, false, Role::Init(m));
            }
            push(site, *out, product.units, true, Role::Out(m));
        }
    }
    for (i, instr) in stage.block.iter().enumerate() {
        let site = site.instr(i);
        for input in &instr.inputs {
            match input {
                Source::Spot(spot) => push(site, *spot, instr.units, false, Role::Element),
                Source::PerRow(spot) => push(site, *spot, 1, false, Role::First),
                Source::Splat(_) => {}
            }
        }
        for (spot, width, first) in instr.attention().into_iter().flat_map(|a| a.reads()) {
            push(site, spot, width, false, if first { Role::First } else { Role::Segment });
        }
        let width = match &instr.call {
            Call::Reduce(_) => 1,
            Call::Attend(a) if a.gradient.is_some() => a.attend.gradient_units(),
            Call::Attend(a) => a.attend.values.units,
            Call::Map(_) => instr.units,
        };
        push(site, instr.out, width, true, Role::Element);
    }
    list
}

/// First element and end of a place over the whole timeline.
fn extent(
    site: Site,
    spot: Spot,
    width: usize,
    calendar: &Calendar,
    lengths: &Lengths,
) -> Result<(usize, usize), CodeError> {
    let length = if spot.kind == kind::FIXED { lengths.constants } else { lengths.memory };
    let (low, high) = calendar.rows(spot.kind);
    span(site, spot.offset, spot.stride, low, high, width, length)
}

/// Elements of rows `low .. high`.
fn span(
    site: Site,
    offset: usize,
    stride: usize,
    low: usize,
    high: usize,
    width: usize,
    length: usize,
) -> Result<(usize, usize), CodeError> {
    let row = |row: usize| row.checked_mul(stride).and_then(|x| x.checked_add(offset));
    let end = row(high - 1).and_then(|x| x.checked_add(width));
    match (row(low), end) {
        (Some(first), Some(end)) if end <= length => Ok((first, end)),
        (_, end) => Err(CodeError::Bounds { at: site.to_string(), end: end.unwrap_or(usize::MAX), length }),
    }
}

/// Whether two places with the same distance between rows never share a column.
fn interleaved(a: (usize, usize), b: (usize, usize), stride: usize) -> bool {
    let ((a, a_width), (b, b_width)) = (a, b);
    if stride == 0 {
        return false;
    }
    let apart = (b % stride + stride - a % stride) % stride;
    apart >= a_width && apart + b_width <= stride
}

/// Whether two places whose extents meet may be used as they are.
fn may_meet(writer: &Extent, other: &Extent, regime: Regime, calendar: &Calendar) -> bool {
    let (w, x) = (&writer.access, &other.access);
    let stride = w.spot.stride;
    if x.spot.stride != stride {
        return false;
    }
    if interleaved((w.spot.offset, w.width), (x.spot.offset, x.width), stride) {
        return true;
    }
    let ((w_family, w_base), (x_family, x_base)) = (family(w, calendar, regime), family(x, calendar, regime));
    let frame = (w_base + w.width as u128).max(x_base + x.width as u128) - w_base.min(x_base);
    if w_family != x_family || frame > stride as u128 {
        return false;
    }
    // The same sequence's row, at this step or another.
    let shifted = w_base != x_base;
    let crosses = shifted || (matches!(x.role, Role::Segment | Role::First) && w.width > 1);
    if regime == Regime::Independent {
        return !crosses;
    }
    if w.site.stage != x.site.stage || !same_row(w.spot.kind, x.spot.kind) {
        return true;
    }
    let same_product = w.site == x.site;
    let meets_itself = match (w.role, x.role) {
        (Role::Out(_), Role::Segment) => same_product,
        (Role::Out(a), Role::Init(b) | Role::Out(b)) => same_product && a != b,
        _ => false,
    };
    !meets_itself && (w.whole_rows || !crosses)
}

/// Which rows a kind runs over, and where the row of token 0 (of sequence 0) begins.
fn family(access: &Access, calendar: &Calendar, regime: Regime) -> (usize, u128) {
    let Spot { kind, offset, stride } = access.spot;
    let offset = offset as u128;
    let shifted = offset + calendar.timeline.batch as u128 * stride as u128;
    match kind {
        kind::TOKEN => (kind::TOKEN, offset),
        kind::AFTER => (kind::TOKEN, shifted),
        // In bulk, another thread may be at the token whose row this is.
        kind::BEFORE if regime == Regime::Bulk => (kind::BEFORE, shifted),
        kind::BEFORE => (kind::TOKEN, shifted),
        kind::ODD => (kind::EVEN, offset),
        _ => (kind, offset),
    }
}

/// Whether two kinds of a family are the same row at the same step.
fn same_row(a: usize, b: usize) -> bool {
    let alike = |kind| if kind == kind::AFTER { kind::TOKEN } else { kind };
    alike(a) == alike(b)
}

/// A result of a gradient: its site, first element, distance of rows, rows, columns.
type GradientResult = (Site, usize, usize, usize, usize);

/// Results of gradients meet neither operands nor each other.
fn check_gradient(
    reads: &[(Site, Spot, usize)],
    results: &[GradientResult],
    calendar: &Calendar,
    lengths: &Lengths,
) -> Result<(), CodeError> {
    let mut places = Vec::new();
    for &(site, spot, width) in reads {
        let (first, end) = extent(site, spot, width, calendar, lengths)?;
        places.push((site, spot.offset, spot.stride, width, first, end));
    }
    for &(site, out, stride, rows, columns) in results {
        let (first, end) = span(site, out, stride, 0, rows, columns, lengths.memory)?;
        for &(other, offset, other_stride, width, other_first, other_end) in &places {
            let apart = stride == other_stride && interleaved((out, columns), (offset, width), stride);
            if first < other_end && other_first < end && !apart {
                return overlap(site, other);
            }
        }
        places.push((site, out, stride, columns, first, end));
    }
    Ok(())
}
