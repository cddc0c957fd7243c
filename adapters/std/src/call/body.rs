//! Where does the body of a call come from, and where does a long reply go?

use std::{
    fs::File,
    io::{self, Cursor, Empty, Read, Seek, SeekFrom, Write},
};

/// Where the body of a call comes from: a file, bytes in memory, or anything that can be read, [`Once`].
pub trait BodySource: Read {
    /// An attempt begins: goes to the first byte.
    ///
    /// # Errors
    /// When that cannot be, which ends the call.
    fn begin(&mut self) -> io::Result<()>;
}

/// Where a long reply goes: a file, memory, or anything that can be written, [`Once`].
pub trait ReplySink: Write {
    /// A reply begins, of `len` bytes if that is known: forgets what was taken of an earlier one.
    ///
    /// # Errors
    /// When that cannot be, which ends the call.
    fn begin(&mut self, len: Option<u64>) -> io::Result<()>;
}

impl<S: BodySource + ?Sized> BodySource for &mut S {
    fn begin(&mut self) -> io::Result<()> {
        (**self).begin()
    }
}

impl<S: ReplySink + ?Sized> ReplySink for &mut S {
    fn begin(&mut self, len: Option<u64>) -> io::Result<()> {
        (**self).begin(len)
    }
}

/// A reader or writer that cannot begin anew. A call whose token is refused after something went through it ends with
/// [`GaveUp::BodySpent`](crate::GaveUp::BodySpent); the token is replaced all the same.
#[derive(Debug)]
pub struct Once<T> {
    inner: T,
    touched: bool,
}

impl<T> Once<T> {
    /// Around `inner`, which stands where it begins.
    pub const fn new(inner: T) -> Self {
        Self { inner, touched: false }
    }

    /// What is inside.
    pub fn into_inner(self) -> T {
        self.inner
    }

    /// An attempt before which nothing went through costs nothing.
    fn untouched(&self) -> io::Result<()> {
        if self.touched { Err(io::ErrorKind::NotSeekable.into()) } else { Ok(()) }
    }
}

impl<R: Read> Read for Once<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.touched = true;
        self.inner.read(room)
    }
}

impl<R: Read> BodySource for Once<R> {
    fn begin(&mut self) -> io::Result<()> {
        self.untouched()
    }
}

impl<W: Write> Write for Once<W> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.touched = true;
        self.inner.write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<W: Write> ReplySink for Once<W> {
    fn begin(&mut self, _: Option<u64>) -> io::Result<()> {
        self.untouched()
    }
}

/// From the file's first byte.
impl BodySource for File {
    fn begin(&mut self) -> io::Result<()> {
        self.seek(SeekFrom::Start(0)).map(drop)
    }
}

/// Replaces what is in the file.
impl ReplySink for File {
    fn begin(&mut self, _: Option<u64>) -> io::Result<()> {
        self.set_len(0)?;
        self.seek(SeekFrom::Start(0)).map(drop)
    }
}

impl<T: AsRef<[u8]>> BodySource for Cursor<T> {
    fn begin(&mut self) -> io::Result<()> {
        self.set_position(0);
        Ok(())
    }
}

/// No body.
impl BodySource for Empty {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Replaces what is in the vector. It grows with the reply: mind who sends it.
impl ReplySink for Vec<u8> {
    fn begin(&mut self, _: Option<u64>) -> io::Result<()> {
        self.clear();
        Ok(())
    }
}
