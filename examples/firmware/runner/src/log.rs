//! What did the image say? Turns its defmt frames into lines, with the strings that stayed in the ELF file.

use defmt_decoder::{DecodeError, Table};

/// Reads the log of one image.
pub(crate) struct Reader(Table);

/// What could be read.
pub(crate) struct Lines {
    pub(crate) lines: Vec<String>,
    /// Frames that make no sense. One that a reset or a power cut ended in the middle is such a frame.
    pub(crate) damaged: usize,
}

impl Reader {
    /// A reader for the image in `elf`.
    pub(crate) fn new(elf: &[u8]) -> Result<Self, String> {
        match Table::parse(elf) {
            Ok(Some(table)) => Ok(Self(table)),
            Ok(None) => Err("the image has no defmt strings".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The lines in `bytes`.
    pub(crate) fn lines(&self, bytes: &[u8]) -> Lines {
        let mut decoder = self.0.new_stream_decoder();
        decoder.received(bytes);
        let (mut lines, mut damaged) = (Vec::new(), 0);
        loop {
            match decoder.decode() {
                Ok(frame) => {
                    let time = frame.display_timestamp().map(|time| time.to_string()).unwrap_or_default();
                    let level = frame.level().map_or("-", |level| level.as_str());
                    lines.push(format!("{time} {level:<5} {}", frame.display_message()));
                }
                Err(DecodeError::UnexpectedEof) => return Lines { lines, damaged },
                Err(DecodeError::Malformed) => {
                    damaged += 1;
                    if !self.0.encoding().can_recover() {
                        return Lines { lines, damaged };
                    }
                }
            }
        }
    }
}

/// The bytes of all frames, as the image put them together: a value may be in them that is shown as something else, and what
/// is sent is packed, so that not even a text must stand there as it is.
pub(crate) fn frames(bytes: &[u8]) -> Vec<u8> {
    let frames = bytes.split(|&byte| byte == 0).filter_map(|frame| rzcobs::decode(frame).ok());
    frames.flat_map(|frame| [frame, vec![0]].concat()).collect()
}

/// The number between `before` and `after` in a line.
pub(crate) fn number_between(line: &str, before: &str, after: &str) -> Option<u64> {
    line.split_once(before)?.1.split_once(after)?.0.parse().ok()
}

/// When a line was said, in milliseconds since the boot, by the image's own clock.
pub(crate) fn said_at_ms(line: &str) -> Option<u64> {
    let (seconds, ms) = line.split_once(' ')?.0.split_once('.')?;
    Some(seconds.parse::<u64>().ok()? * 1000 + ms.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_in_a_frame_is_found() {
        let holds = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|piece| piece == text);
        // Zeros among it, as numbers have them, are what packing is about.
        let said = b"\0\x01\0token-0123456789\0\0\x02".as_slice();
        let sent = [rzcobs::encode(b"\x01"), vec![0], rzcobs::encode(said), vec![0]].concat();
        assert!(!holds(&sent, b"token-0123456789"), "else this shows nothing");
        assert!(holds(&frames(&sent), b"token-0123456789"));
        // One that a reset has torn takes no other with it.
        let torn = [vec![0xff, 1, 0], sent].concat();
        assert!(holds(&frames(&torn), b"token-0123456789"));
    }
}
