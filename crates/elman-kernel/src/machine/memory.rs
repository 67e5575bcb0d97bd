//! Attention: a row's pointers, and the gradients of memories, sequence by sequence.

use super::compile::{AttendCode, Spot, kind};
use super::run::Worker;
use super::tile::Workspace;
use crate::kernels::Attend;
use crate::real::Real;

impl AttendCode {
    /// What one row's attention reads, `at` being where its places are for that row.
    ///
    /// Safety: the number of slots is readable; the room is as large as [`AttendCode::room`] says.
    pub(super) unsafe fn row<T: Real>(&self, room: *mut T, at: impl Fn(&Spot) -> *const T) -> Attend<T> {
        let code = &self.attend;
        // Safety: the caller's promise.
        let slots = unsafe { *at(&self.lengths) }.to_f64() as usize;
        Attend {
            query: at(&self.query),
            weight: self.weight.as_ref().map_or(std::ptr::null(), &at),
            keys: at(&self.keys),
            key_row: code.keys.stride,
            units: code.keys.units,
            values: at(&self.values),
            value_row: code.values.stride,
            value_units: code.values.units,
            slots: slots.min(code.slots),
            scale: self.scale,
            room,
            room_row: self.room_row(),
            bent: room.wrapping_add(self.bent()),
            bent_row: self.bent_row(),
        }
    }
}

impl<T: Real> Worker<'_, T> {
    /// The gradients of this thread's sequences' memories.
    ///
    /// Safety: as [`Worker::phase`].
    pub(super) unsafe fn memory(
        &self,
        code: &AttendCode,
        gradient: &Spot,
        (d_keys, d_values): (&Spot, &Spot),
        workspace: &mut Workspace<T>,
    ) {
        let (first, end) = (
            self.calendar.share(self.member.index, self.threads),
            self.calendar.share(self.member.index + 1, self.threads),
        );
        let room = workspace.room.as_mut_ptr();
        let active = &self.calendar.timeline.active;
        for b in first..end {
            for t in (0..active.len()).take_while(|&t| active[t] > b) {
                let rows = self.calendar.step(t, self.start);
                let at = |spot: &Spot| match spot.kind {
                    kind::FIXED => self.run.constants.wrapping_add(spot.offset).cast_mut(),
                    kind => self.run.memory.wrapping_add(spot.offset + (rows[kind] + b) * spot.stride),
                };
                // Safety: the places were checked, and sequence b is this thread's.
                unsafe {
                    let attend = code.row(room, |spot| at(spot).cast_const());
                    let kernel = self.run.kernels.attend_memory;
                    kernel(&attend, at(gradient).cast_const(), at(d_keys), at(d_values));
                }
            }
        }
    }
}
