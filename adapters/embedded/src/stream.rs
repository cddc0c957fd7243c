//! How do a body and a reply that are longer than any buffer come and go? By closures over a storage with offsets, for
//! both twins.

use crate::{asynch, blocking};

/// The body of a call, read piece by piece out of something that has offsets: a file, a flash region, a camera's frame.
///
/// The closure gets the offset of the next byte and room for more, and says how many bytes it put there; none means that
/// there is no more, or an error. It can begin anew, so a call whose token was refused is healed.
///
/// ```
/// use wxtoken_embedded::ReadAt;
/// let frame = [0x55_u8; 10_000];
/// let source = ReadAt::new(|at: u64, room: &mut [u8]| {
///     let left = &frame[at as usize..];
///     let n = room.len().min(left.len());
///     room[..n].copy_from_slice(&left[..n]);
///     n
/// });
/// # let _ = source;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ReadAt<F> {
    read: F,
    at: u64,
}

impl<F: FnMut(u64, &mut [u8]) -> usize> ReadAt<F> {
    /// A source at its first byte.
    pub const fn new(read: F) -> Self {
        Self { read, at: 0 }
    }

    fn next(&mut self, room: &mut [u8]) -> usize {
        let n = (self.read)(self.at, room).min(room.len());
        self.at = self.at.saturating_add(n as u64);
        n
    }
}

impl<F: FnMut(u64, &mut [u8]) -> usize> blocking::Source for ReadAt<F> {
    fn fill(&mut self, room: &mut [u8]) -> usize {
        self.next(room)
    }

    fn rewind(&mut self) -> bool {
        self.at = 0;
        true
    }
}

impl<F: FnMut(u64, &mut [u8]) -> usize> asynch::Source for ReadAt<F> {
    async fn fill(&mut self, room: &mut [u8]) -> usize {
        self.next(room)
    }

    async fn rewind(&mut self) -> bool {
        self.at = 0;
        true
    }
}

/// The reply to a call, written piece by piece into something that has offsets.
///
/// The closure gets the offset of the first byte and the bytes, and says whether it took them. After an attempt that broke
/// off it is called from offset 0 again.
#[derive(Clone, Copy, Debug)]
pub struct WriteAt<F> {
    write: F,
    at: u64,
}

impl<F: FnMut(u64, &[u8]) -> bool> WriteAt<F> {
    /// A sink that has taken nothing.
    pub const fn new(write: F) -> Self {
        Self { write, at: 0 }
    }

    /// How many bytes it has taken.
    pub const fn taken(&self) -> u64 {
        self.at
    }

    fn next(&mut self, piece: &[u8]) -> bool {
        let taken = (self.write)(self.at, piece);
        self.at = self.at.saturating_add(if taken { piece.len() as u64 } else { 0 });
        taken
    }
}

impl<F: FnMut(u64, &[u8]) -> bool> blocking::Sink for WriteAt<F> {
    const TAKES: bool = true;

    fn take(&mut self, piece: &[u8]) -> bool {
        self.next(piece)
    }

    fn restart(&mut self) -> bool {
        self.at = 0;
        true
    }
}

impl<F: FnMut(u64, &[u8]) -> bool> asynch::Sink for WriteAt<F> {
    const TAKES: bool = true;

    async fn take(&mut self, piece: &[u8]) -> bool {
        self.next(piece)
    }

    async fn restart(&mut self) -> bool {
        self.at = 0;
        true
    }
}
