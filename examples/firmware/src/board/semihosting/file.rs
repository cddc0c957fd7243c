//! How does a file of the host serve as memory? **EMULATOR ONLY**; a real board has flash instead.

use super::{SYS_CLOSE, SYS_OPEN, SYS_READ, call};

const SYS_WRITE: u32 = 0x05;
const SYS_SEEK: u32 = 0x0A;
const SYS_FLEN: u32 = 0x0C;
/// The mode "r+b" of `SYS_OPEN`: the file must be there.
const UPDATE_BINARY: usize = 3;
/// The longest name, with the zero byte at its end.
const NAME: usize = 32;

/// An open file. It is closed when dropped.
pub struct File(usize);

impl File {
    /// Opens a file that is there, for reading and writing. `None` when it is not there, or its name has more than 31 bytes.
    pub fn open(name: &str) -> Option<Self> {
        let mut text = [0_u8; NAME];
        text.get_mut(..name.len()).filter(|_| name.len() < NAME)?.copy_from_slice(name.as_bytes());
        let open = [text.as_ptr() as usize, UPDATE_BINARY, name.len()];
        // SAFETY: the block names a text that ends in a zero byte, a mode, and the length of that text.
        let handle = unsafe { call(SYS_OPEN, (&raw const open) as usize) };
        usize::try_from(handle).ok().map(Self)
    }

    /// Its length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "a file is no collection")]
    pub fn len(&self) -> Option<usize> {
        let block = [self.0];
        // SAFETY: the block names an open handle.
        usize::try_from(unsafe { call(SYS_FLEN, (&raw const block) as usize) }).ok()
    }

    /// Reads all of `room` from `at` on; false when that fails.
    pub fn read(&mut self, at: usize, room: &mut [u8]) -> bool {
        let block = [self.0, room.as_mut_ptr() as usize, room.len()];
        // SAFETY: the block names an open handle and `room`, mutably borrowed, with its own length.
        self.seek(at) && unsafe { call(SYS_READ, (&raw const block) as usize) } == 0
    }

    /// Writes `bytes` from `at` on, in one go; false when that fails.
    pub fn write(&mut self, at: usize, bytes: &[u8]) -> bool {
        let block = [self.0, bytes.as_ptr() as usize, bytes.len()];
        // SAFETY: the block names an open handle and `bytes`, borrowed, with their own length; the host only reads them.
        self.seek(at) && unsafe { call(SYS_WRITE, (&raw const block) as usize) } == 0
    }

    fn seek(&mut self, at: usize) -> bool {
        let block = [self.0, at];
        // SAFETY: the block names an open handle and an offset.
        unsafe { call(SYS_SEEK, (&raw const block) as usize) == 0 }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let block = [self.0];
        // SAFETY: the block names the handle, which nobody uses any more.
        unsafe { call(SYS_CLOSE, (&raw const block) as usize) };
    }
}
