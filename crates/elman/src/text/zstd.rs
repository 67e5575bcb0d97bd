//! Zstandard, as a plain reader: frame after frame, skippable frames passed over, checksums compared. RFC 8878.
//!
//! A frame's window is the only memory a file can ask for; more than 128 MiB (what the `zstd` program itself refuses
//! without `--long`) is an error.

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, BufRead, Read};

/// The largest window of a frame, in bytes.
const WINDOW: u64 = 128 << 20;

/// Unpacks the frames of `R`.
pub(super) struct Zstd<R: BufRead> {
    state: State<R>,
}

enum State<R: BufRead> {
    Between(R),
    Inside(R, Box<FrameDecoder>),
    Done,
}

impl<R: BufRead> Zstd<R> {
    /// A reader of all frames of `packed`.
    pub(super) fn new(packed: R) -> Zstd<R> {
        Zstd { state: State::Between(packed) }
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Ok(0),
                State::Between(packed) => self.state = next_frame(packed)?,
                State::Inside(mut packed, mut frame) => {
                    while frame.can_collect() == 0 && !frame.is_finished() {
                        frame
                            .decode_blocks(&mut packed, BlockDecodingStrategy::UptoBlocks(1))
                            .map_err(io::Error::other)?;
                    }
                    let n = frame.read(out)?;
                    if n > 0 || out.is_empty() {
                        self.state = State::Inside(packed, frame);
                        return Ok(n);
                    }
                    compare(&frame)?;
                    self.state = State::Between(packed);
                }
            }
        }
    }
}

/// Opens the frame that `packed` stands at, or finds its end.
fn next_frame<R: BufRead>(mut packed: R) -> io::Result<State<R>> {
    while !packed.fill_buf()?.is_empty() {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        match decoder.init(&mut packed) {
            Ok(()) => return Ok(State::Inside(packed, Box::new(decoder))),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let length = u64::from(length);
                if io::copy(&mut (&mut packed).take(length), &mut io::sink())? < length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Err(other) => return Err(io::Error::other(other)),
        }
    }
    Ok(State::Done)
}

/// The frame's checksum, where it has one.
fn compare(decoder: &FrameDecoder) -> io::Result<()> {
    match (decoder.get_checksum_from_data(), decoder.get_calculated_checksum()) {
        (Some(written), Some(found)) if written != found => Err(io::Error::other("the checksum does not match")),
        _ => Ok(()),
    }
}
