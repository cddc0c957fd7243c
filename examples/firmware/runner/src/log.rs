//! What did the image say? Turns its defmt frames into lines, with the strings that stayed in the ELF file.

use defmt_decoder::{DecodeError, Table};

/// Reads the log of one image.
pub(crate) struct Reader(Table);

impl Reader {
    /// A reader for the image in `elf`.
    pub(crate) fn new(elf: &[u8]) -> Result<Self, String> {
        match Table::parse(elf) {
            Ok(Some(table)) => Ok(Self(table)),
            Ok(None) => Err("the image has no defmt strings".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The lines in `bytes`; the error says what could not be read.
    pub(crate) fn lines(&self, bytes: &[u8]) -> Result<Vec<String>, String> {
        let mut decoder = self.0.new_stream_decoder();
        decoder.received(bytes);
        let mut lines = Vec::new();
        loop {
            match decoder.decode() {
                Ok(frame) => {
                    let time = frame.display_timestamp().map(|time| time.to_string()).unwrap_or_default();
                    let level = frame.level().map_or("-", |level| level.as_str());
                    lines.push(format!("{time} {level:<5} {}", frame.display_message()));
                }
                Err(DecodeError::UnexpectedEof) => return Ok(lines),
                Err(DecodeError::Malformed) => return Err(format!("the log is damaged after {} lines", lines.len())),
            }
        }
    }
}
