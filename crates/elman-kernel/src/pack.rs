//! Packed weights: the layout that the product kernels read, made once whenever the weights change.
//!
//! Columns are cut into *strips* of 16 units of one member; strip `block · members + member` holds units
//! `16 · block ..`. Strips are grouped into *panels* of 4 (AVX-512) or 1 (AVX2, portable); the last panel may be
//! narrower. Memory is [panel][k][strips · 16], k running over the segments in order. Columns past the last unit are
//! zero and never stored by a product; the inner index is never padded. In narrow precision a row of a panel is a group
//! of inner indices (see `narrow.rs`), 32 bits a column, so that all precisions share this layout.

use thiserror::Error;

use crate::buffer::Buffer;
use crate::code::LANES;
use crate::isa::Isa;
use crate::narrow::{self, Precision};
use crate::real::Real;
use crate::team::Team;

/// What a packed matrix multiplies: per member [units × Σ segments].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatrixShape {
    /// Matrices that are multiplied with the same operands.
    pub members: usize,
    /// Rows of each: units of the result.
    pub units: usize,
    /// Columns of each, one number a segment: the width of that operand.
    pub segments: Vec<usize>,
}

impl MatrixShape {
    /// Numbers of all members and segments.
    pub fn numbers(&self) -> usize {
        self.members * self.units * self.segments.iter().sum::<usize>()
    }
}

/// Where the weights of one member and one segment lie: element (unit, k) is
/// `data[offset + unit · unit_stride + k · k_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T> {
    /// The memory it lies in.
    pub data: &'a [T],
    /// Element (0, 0).
    pub offset: usize,
    /// From one unit of the result to the next.
    pub unit_stride: usize,
    /// From one unit of the operand to the next.
    pub k_stride: usize,
}

/// Why a matrix cannot be packed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PackError {
    /// The CPU lacks the instruction set.
    #[error("this CPU has no {0}")]
    Isa(Isa),
    /// There must be one view for each member and segment.
    #[error("{members} members of {segments} segments need {} views, not {given}", members * segments)]
    Views {
        /// Members of the shape.
        members: usize,
        /// Segments of the shape.
        segments: usize,
        /// Views given.
        given: usize,
    },
    /// A view reads past its data.
    #[error("view {view} reads element {needed} of {length}")]
    Bounds {
        /// Which view.
        view: usize,
        /// The last element it reads.
        needed: usize,
        /// The length of its data.
        length: usize,
    },
    /// Narrow weights are for f32, and int8 for segments of at most 131,072 units.
    #[error("weights of {0:?} cannot be packed in {precision}", precision = .1.name())]
    Precision(MatrixShape, Precision),
    /// A count is zero, or the whole is larger than memory can be.
    #[error("a matrix of {0:?} cannot be packed")]
    Shape(MatrixShape),
}

/// The numbers of a packed matrix.
#[derive(Clone, Debug)]
pub(crate) enum Storage<T> {
    Full(Buffer<T>),
    /// Groups, and in int8 scales and starting values, as bits.
    Narrow(Buffer<u32>),
}

/// Weights in the layout of one instruction set's product kernel.
#[derive(Clone, Debug)]
pub struct PackedMatrix<T> {
    data: Storage<T>,
    shape: MatrixShape,
    isa: Isa,
    precision: Precision,
    /// Rows of a panel: Σ segments, in narrow precision of what each takes.
    inner: usize,
    /// Strips in a panel, but for the last: a power of two.
    panel: usize,
    /// Strips in all.
    strips: usize,
}

impl<T: Real> PackedMatrix<T> {
    /// Packs `views`, given member by member, each with its segments in order.
    ///
    /// Errors: an instruction set that the CPU lacks, a shape with a zero, too few views, a view that leaves its data.
    pub fn pack(isa: Isa, shape: &MatrixShape, views: &[View<'_, T>]) -> Result<PackedMatrix<T>, PackError> {
        PackedMatrix::pack_in(isa, Precision::Full, shape, views)
    }

    /// The same in a given precision.
    ///
    /// Errors: also f64 in narrow precision, and segments that are too long for int8.
    pub fn pack_in(
        isa: Isa,
        precision: Precision,
        shape: &MatrixShape,
        views: &[View<'_, T>],
    ) -> Result<PackedMatrix<T>, PackError> {
        let mut packed = PackedMatrix::zero_in(isa, precision, shape)?;
        packed.repack(views)?;
        Ok(packed)
    }

    /// A matrix of zeros, to be filled by [`PackedMatrix::repack`].
    ///
    /// Errors: as [`PackedMatrix::pack`].
    pub fn zero(isa: Isa, shape: &MatrixShape) -> Result<PackedMatrix<T>, PackError> {
        PackedMatrix::zero_in(isa, Precision::Full, shape)
    }

    /// The same in a given precision.
    ///
    /// Errors: as [`PackedMatrix::pack_in`].
    pub fn zero_in(isa: Isa, precision: Precision, shape: &MatrixShape) -> Result<PackedMatrix<T>, PackError> {
        let panel = T::kernels(isa).ok_or(PackError::Isa(isa))?.panel;
        let wrong = || PackError::Shape(shape.clone());
        if shape.members == 0 || shape.units == 0 || shape.segments.is_empty() || shape.segments.contains(&0) {
            return Err(wrong());
        }
        let too_long = precision == Precision::Int8 && shape.segments.iter().any(|k| *k > narrow::LONGEST);
        if too_long || (precision != Precision::Full && T::narrow(isa, precision).is_none()) {
            return Err(PackError::Precision(shape.clone(), precision));
        }
        let rows = |sum: usize, k: &usize| sum.checked_add(precision.rows(*k));
        let inner = shape.segments.iter().try_fold(0, rows).ok_or_else(wrong)?;
        let strips = shape.units.div_ceil(LANES).checked_mul(shape.members).ok_or_else(wrong)?;
        let len = strips.checked_mul(LANES).and_then(|n| n.checked_mul(inner)).ok_or_else(wrong)?;
        if len > isize::MAX as usize / size_of::<T>() {
            return Err(wrong());
        }
        let data = match precision {
            Precision::Full => Storage::Full(Buffer::new(len)),
            _ => Storage::Narrow(Buffer::new(len)),
        };
        Ok(PackedMatrix { data, shape: shape.clone(), isa, precision, inner, panel, strips })
    }

    /// Packs again, from weights of the same shape, into the same memory.
    ///
    /// Errors: too few views, a view that leaves its data; nothing is changed then.
    pub fn repack(&mut self, views: &[View<'_, T>]) -> Result<(), PackError> {
        self.check(views)?;
        self.panels().into_iter().for_each(|panel| panel.fill(views));
        Ok(())
    }

    /// The same, shared by the threads of a team.
    ///
    /// Errors: as [`PackedMatrix::repack`].
    pub fn repack_on(&mut self, team: &Team, views: &[View<'_, T>]) -> Result<(), PackError> {
        self.check(views)?;
        team.each(self.panels(), |panel| panel.fill(views));
        Ok(())
    }

    fn panels(&mut self) -> Vec<Panel<'_, T>> {
        let (shape, precision, inner, panel) = (&self.shape, self.precision, self.inner, self.panel);
        let length = (panel * LANES * inner).max(1);
        let one = |p: usize, data| Panel { shape, precision, first: p * panel, inner, data };
        match &mut self.data {
            Storage::Full(data) => {
                data.chunks_mut(length).enumerate().map(|(p, data)| one(p, Part::Full(data))).collect()
            }
            Storage::Narrow(data) => {
                data.chunks_mut(length).enumerate().map(|(p, data)| one(p, Part::Narrow(data))).collect()
            }
        }
    }

    /// Its shape.
    pub fn shape(&self) -> &MatrixShape {
        &self.shape
    }

    /// The instruction set it is packed for.
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// How its weights are kept.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// First element of a strip and the elements from one row of its panel to the next.
    pub(crate) fn strip(&self, strip: usize) -> (usize, usize) {
        let first = strip & !(self.panel - 1);
        let width = self.panel.min(self.strips - first) * LANES;
        (first * LANES * self.inner + (strip - first) * LANES, width)
    }

    /// All its strips.
    pub(crate) fn strips(&self) -> usize {
        self.strips
    }

    /// Strips in a panel, but for the last.
    pub(crate) fn panel(&self) -> usize {
        self.panel
    }

    /// The packed elements.
    pub(crate) fn data(&self) -> &Storage<T> {
        &self.data
    }

    fn check(&self, views: &[View<'_, T>]) -> Result<(), PackError> {
        let (members, segments) = (self.shape.members, self.shape.segments.len());
        if views.len() != members * segments {
            return Err(PackError::Views { members, segments, given: views.len() });
        }
        for (index, view) in views.iter().enumerate() {
            let last = |n: usize, stride: usize| (n - 1).saturating_mul(stride);
            let k = self.shape.segments[index % segments];
            let needed = view
                .offset
                .saturating_add(last(self.shape.units, view.unit_stride))
                .saturating_add(last(k, view.k_stride));
            if needed >= view.data.len() {
                return Err(PackError::Bounds { view: index, needed, length: view.data.len() });
            }
        }
        Ok(())
    }
}

/// A panel, to be filled.
struct Panel<'a, T> {
    shape: &'a MatrixShape,
    precision: Precision,
    /// Its first strip.
    first: usize,
    inner: usize,
    data: Part<'a, T>,
}

/// The numbers of a panel.
enum Part<'a, T> {
    Full(&'a mut [T]),
    Narrow(&'a mut [u32]),
}

impl<T: Real> Panel<'_, T> {
    fn fill(mut self, views: &[View<'_, T>]) {
        let length = match &self.data {
            Part::Full(data) => data.len(),
            Part::Narrow(data) => data.len(),
        };
        let width = length / self.inner;
        for s in 0..width / LANES {
            let (block, member) = ((self.first + s) / self.shape.members, (self.first + s) % self.shape.members);
            let views = &views[member * self.shape.segments.len()..];
            match &mut self.data {
                Part::Full(data) => fill(self.shape, views, (block, s), data, width),
                Part::Narrow(data) => narrow::fill(self.precision, self.shape, views, (block, s), data, width),
            }
        }
    }
}

/// Fills the columns of strip `s` of a panel.
fn fill<T: Real>(shape: &MatrixShape, views: &[View<'_, T>], (block, s): (usize, usize), data: &mut [T], width: usize) {
    let units = LANES.min(shape.units - block * LANES);
    let mut before = 0;
    for (view, &k) in views.iter().zip(&shape.segments) {
        strip(view, block * LANES, units, k, &mut data[before * width + s * LANES..], width);
        before += k;
    }
}

/// Units `first ..` of one member and segment.
fn strip<T: Real>(view: &View<'_, T>, first: usize, units: usize, k: usize, target: &mut [T], width: usize) {
    let source = &view.data[view.offset + first * view.unit_stride..];
    if view.unit_stride == 1 {
        for (kk, row) in target.chunks_mut(width).take(k).enumerate() {
            row[..units].copy_from_slice(&source[kk * view.k_stride..][..units]);
        }
    } else {
        transpose(source, view.unit_stride, view.k_stride, target, width, units, k);
    }
}

/// Inner indices a block: its 16 lines of source and target stay in the first cache.
const TRANSPOSED: usize = 64;

/// target[k · width + unit] = source[unit · unit_stride + k · k_stride]
fn transpose<T: Real>(
    source: &[T],
    unit_stride: usize,
    k_stride: usize,
    target: &mut [T],
    width: usize,
    units: usize,
    k: usize,
) {
    for from in (0..k).step_by(TRANSPOSED) {
        for kk in from..k.min(from + TRANSPOSED) {
            let row = &mut target[kk * width..][..units];
            for (unit, out) in row.iter_mut().enumerate() {
                *out = source[unit * unit_stride + kk * k_stride];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Element (member, unit, k) of a packed matrix.
    fn get(packed: &PackedMatrix<f32>, member: usize, unit: usize, k: usize) -> f32 {
        let (start, width) = packed.strip(unit / LANES * packed.shape.members + member);
        full(packed)[start + k * width + unit % LANES]
    }

    fn full(packed: &PackedMatrix<f32>) -> &[f32] {
        match &packed.data {
            Storage::Full(data) => data,
            Storage::Narrow(_) => unreachable!("it was packed in full"),
        }
    }

    #[test]
    fn every_element_finds_its_place() {
        let data: Vec<f32> = (0..4000).map(|x| x as f32).collect();
        for isa in Isa::available() {
            for (members, units) in [(1, 1), (2, 17), (3, 37), (5, 16), (1, 70)] {
                let shape = MatrixShape { members, units, segments: vec![3, 5] };
                let view = |m: usize, s: usize| View {
                    data: &data,
                    offset: 7 * m + 3 * s,
                    unit_stride: if m == 1 { 1 } else { 9 },
                    k_stride: if m == 1 { 80 } else { 1 + s },
                };
                let views: Vec<_> = (0..members).flat_map(|m| [view(m, 0), view(m, 1)]).collect();
                let packed = PackedMatrix::pack(isa, &shape, &views).unwrap();
                for (m, u, k) in (0..members).flat_map(|m| (0..units).flat_map(move |u| (0..8).map(move |k| (m, u, k))))
                {
                    let (s, k_in) = if k < 3 { (0, k) } else { (1, k - 3) };
                    let v = view(m, s);
                    let want = (v.offset + u * v.unit_stride + k_in * v.k_stride) as f32;
                    assert_eq!(get(&packed, m, u, k), want, "{isa} {shape:?} {m} {u} {k}");
                }
                let real = members * units * 8;
                assert!(full(&packed).iter().filter(|&&x| x == 0.0).count() >= full(&packed).len() - real);
            }
        }
    }

    #[test]
    fn lies_are_refused() {
        let data = vec![0f32; 20];
        let view = View { data: &data, offset: 0, unit_stride: 5, k_stride: 1 };
        let shape = MatrixShape { members: 1, units: 4, segments: vec![5] };
        let pack = |shape: &MatrixShape, views: &[View<'_, f32>]| PackedMatrix::pack(Isa::Portable, shape, views);
        assert!(pack(&shape, &[view]).is_ok());
        assert!(matches!(pack(&shape, &[]), Err(PackError::Views { given: 0, .. })));
        let past = View { offset: 1, ..view };
        assert_eq!(pack(&shape, &[past]).unwrap_err(), PackError::Bounds { view: 0, needed: 20, length: 20 });
        let huge = View { unit_stride: usize::MAX, ..view };
        assert!(matches!(pack(&shape, &[huge]), Err(PackError::Bounds { .. })));
        for segments in [vec![], vec![3, 0]] {
            let shape = MatrixShape { segments, ..shape.clone() };
            assert!(matches!(pack(&shape, &[view]), Err(PackError::Shape(_))));
        }
        let shape = MatrixShape { members: 1, units: usize::MAX / 2, segments: vec![9] };
        assert!(matches!(PackedMatrix::<f32>::zero(Isa::Portable, &shape), Err(PackError::Shape(_))));
    }
}
