//! Where text and bytes go: writers of which nothing is known, not even that they keep their contract.

use core::{fmt, hint::black_box};

/// Takes anything, and fails when it pleases.
pub(crate) struct Sink;

impl fmt::Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        black_box(text);
        black_box(Ok(()))
    }
}

impl embedded_io::ErrorType for Sink {
    type Error = embedded_io::ErrorKind;
}

impl embedded_io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        black_box(bytes);
        // More than was offered, nothing at all, an error: all of it is possible.
        black_box(Ok(0))
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        black_box(Ok(()))
    }
}
