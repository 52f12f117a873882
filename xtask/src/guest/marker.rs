//! The end of a stream without an end of its own: everything up to a marker that no program can guess.

use std::io::{self, Write};

/// Passes a stream on as it comes, up to the marker.
pub struct MarkerReader {
    marker: Vec<u8>,
    /// The end of what came, as far as it may be the start of the marker.
    held: Vec<u8>,
    open: bool,
}

impl MarkerReader {
    pub fn new(marker: &[u8]) -> Self {
        Self { marker: marker.to_vec(), held: Vec::new(), open: false }
    }

    /// Writes what certainly belongs to the stream.
    pub fn pass(&mut self, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if self.open {
            return Ok(());
        }
        self.held.extend_from_slice(bytes);
        let found = self.held.windows(self.marker.len()).position(|window| window == self.marker);
        let certain = found.unwrap_or_else(|| {
            let longest = self.held.len().min(self.marker.len() - 1);
            let tail = (1..=longest).rev().find(|length| self.held.ends_with(&self.marker[..*length])).unwrap_or(0);
            self.held.len() - tail
        });
        self.open = found.is_some();
        out.write_all(&self.held[..certain])?;
        self.held.drain(..certain);
        out.flush()
    }

    /// Whether the marker has come.
    pub fn is_complete(&self) -> bool {
        self.open
    }

    /// The stream ended without a marker: what was held back belonged to it.
    pub fn release(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !self.open {
            out.write_all(&self.held)?;
            self.held.clear();
        }
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: &[u8] = b"\0abcabd";

    fn through(chunks: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut reader = MarkerReader::new(MARKER);
        let mut out = Vec::new();
        for chunk in chunks {
            reader.pass(chunk, &mut out).unwrap();
        }
        (out, reader.is_complete())
    }

    #[test]
    fn nothing_is_held_back_without_reason() {
        assert_eq!(through(&[b"hello"]), (b"hello".to_vec(), false));
        assert_eq!(through(&[b"hello\0abc"]), (b"hello".to_vec(), false));
        assert_eq!(through(&[b"hello\0abc", b"x"]), (b"hello\0abcx".to_vec(), false));
    }

    #[test]
    fn the_marker_may_come_in_pieces() {
        for cut in 0..MARKER.len() {
            let (first, second) = MARKER.split_at(cut);
            let chunks: [&[u8]; 3] = [b"out\0ab", first, second];
            assert_eq!(through(&chunks), (b"out\0ab".to_vec(), true), "cut at {cut}");
        }
    }

    #[test]
    fn a_stream_that_breaks_off_is_complete_with_what_was_held() {
        let mut reader = MarkerReader::new(MARKER);
        let mut out = Vec::new();
        reader.pass(b"x\0ab", &mut out).unwrap();
        reader.release(&mut out).unwrap();
        assert_eq!(out, b"x\0ab");
    }
}
