//! How does a file become the body of an upload? A form of one part (RFC 7578), read piece by piece, begun anew at will.
//!
//! Not by a library: those at hand hold the file, give no length, or cannot begin anew behind a transport of one's own.

use std::io::{self, Read};

use super::limits::content_type;
use crate::{call::BodySource, random};

pub(super) struct Form<'a> {
    head: Vec<u8>,
    file: Box<dyn BodySource + 'a>,
    file_len: u64,
    tail: Vec<u8>,
    /// Bytes given so far, of head, file and tail together.
    given: u64,
    tell: Box<dyn FnMut(u64, u64) + 'a>,
}

impl<'a> Form<'a> {
    /// `with_length`: WeCom's document wants the length in the part's head, too.
    pub(super) fn new(
        file_name: &str,
        file: Box<dyn BodySource + 'a>,
        file_len: u64,
        with_length: bool,
        tell: Box<dyn FnMut(u64, u64) + 'a>,
    ) -> (Self, String) {
        let boundary = random::hex();
        let length = if with_length { format!("; filelength={file_len}") } else { String::new() };
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"media\"; filename=\"{}\"{length}\r\nContent-Type: {}\r\n\r\n",
            quoted(file_name),
            content_type(file_name),
        );
        let tail = format!("\r\n--{boundary}--\r\n").into_bytes();
        (Self { head: head.into_bytes(), file, file_len, tail, given: 0, tell }, boundary)
    }

    pub(super) const fn len(&self) -> u64 {
        (self.head.len() as u64).saturating_add(self.file_len).saturating_add(self.tail.len() as u64)
    }
}

/// As browsers do (HTML, "multipart/form-data encoding algorithm"): what would end the name is encoded, all else stays.
fn quoted(file_name: &str) -> String {
    file_name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

impl Read for Form<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let head_len = self.head.len() as u64;
        let file_end = head_len.saturating_add(self.file_len);
        let n = if self.given < head_len {
            copy(&self.head, self.given, room)
        } else if self.given < file_end {
            let left = usize::try_from(file_end - self.given).unwrap_or(usize::MAX).min(room.len());
            let n = self.file.read(room.get_mut(..left).unwrap_or_default())?;
            (self.tell)(self.given - head_len + n as u64, self.file_len);
            n
        } else {
            copy(&self.tail, self.given - file_end, room)
        };
        self.given += n as u64;
        Ok(n)
    }
}

fn copy(from: &[u8], at: u64, room: &mut [u8]) -> usize {
    let rest = usize::try_from(at).ok().and_then(|at| from.get(at..)).unwrap_or(&[]);
    let n = rest.len().min(room.len());
    if let (Some(room), Some(rest)) = (room.get_mut(..n), rest.get(..n)) {
        room.copy_from_slice(rest);
    }
    n
}

impl BodySource for Form<'_> {
    fn begin(&mut self) -> io::Result<()> {
        self.file.begin()?;
        self.given = 0;
        (self.tell)(0, self.file_len);
        Ok(())
    }
}
