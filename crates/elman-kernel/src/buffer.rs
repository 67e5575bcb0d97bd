//! Work memory: 64-byte aligned, zeroed, growable. Derefs to a slice.

/// Numbers that work memory is made of: every bit pattern is one, and all bits zero is [`Default::default`].
pub trait Number: sealed::Sealed + Copy + Default + 'static {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! numbers {
    ($($t:ty)*) => {
        $(
            impl sealed::Sealed for $t {}
            impl Number for $t {}
        )*
    };
}

numbers!(f32 f64 u32);

/// One cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([u8; 64]);

/// Aligned memory for numbers. New elements are zero.
#[derive(Clone, Default)]
pub struct Buffer<T> {
    lines: Vec<Line>,
    len: usize,
    element: std::marker::PhantomData<T>,
}

impl<T: Number> Buffer<T> {
    /// `len` zeros.
    pub fn new(len: usize) -> Buffer<T> {
        let mut buffer = Buffer { lines: Vec::new(), len: 0, element: std::marker::PhantomData };
        buffer.resize(len);
        buffer
    }

    /// A copy of `values`.
    pub fn from_slice(values: &[T]) -> Buffer<T> {
        let mut buffer = Buffer::new(values.len());
        buffer.copy_from_slice(values);
        buffer
    }

    /// Makes it `len` long. What was there stays; what is new is zero. Memory is kept when it shrinks.
    pub fn resize(&mut self, len: usize) {
        if len < self.len {
            self[len..].fill(T::default());
        }
        let lines = len.div_ceil(64 / size_of::<T>());
        if lines > self.lines.len() {
            self.lines.resize(lines, Line([0; 64]));
        }
        self.len = len;
    }

    /// Makes it at least `len` long.
    pub fn grow(&mut self, len: usize) {
        if len > self.len {
            self.resize(len);
        }
    }
}

impl<T: Number> std::ops::Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        // Safety: `lines` holds at least `len` elements; every bit pattern is a number; the alignment is 64.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl<T: Number> std::ops::DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // Safety: as in `deref`, and `self` is borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

impl<T> std::fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({})", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_with_zeros_and_keeps_what_was_there() {
        let mut buffer = Buffer::<f32>::new(3);
        buffer[2] = 5.0;
        buffer.grow(40);
        assert_eq!(buffer.as_ptr() as usize % 64, 0);
        assert_eq!(buffer[2], 5.0);
        assert!(buffer[3..].iter().all(|&x| x == 0.0));
        buffer.resize(2);
        buffer.resize(5);
        assert_eq!(&buffer[..], &[0.0; 5]);
        assert_eq!(&Buffer::from_slice(&[1.0f64, 2.0])[..], &[1.0, 2.0]);
    }
}
