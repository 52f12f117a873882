//! The end of a stream that has no end: everything up to a seal that nobody else can write.

use std::io::{self, Write};

/// Passes a stream on as it comes, up to the seal.
pub struct Unsealer {
    seal: Vec<u8>,
    /// The end of what came, as far as it may be the start of the seal.
    held: Vec<u8>,
    open: bool,
}

impl Unsealer {
    pub fn new(seal: &[u8]) -> Self {
        Self { seal: seal.to_vec(), held: Vec::new(), open: false }
    }

    /// Writes what certainly belongs to the stream.
    pub fn pass(&mut self, bytes: &[u8], out: &mut dyn Write) -> io::Result<()> {
        if self.open {
            return Ok(());
        }
        self.held.extend_from_slice(bytes);
        let found = self.held.windows(self.seal.len()).position(|window| window == self.seal);
        let certain = found.unwrap_or_else(|| {
            let longest = self.held.len().min(self.seal.len() - 1);
            let tail = (1..=longest).rev().find(|length| self.held.ends_with(&self.seal[..*length])).unwrap_or(0);
            self.held.len() - tail
        });
        self.open = found.is_some();
        out.write_all(&self.held[..certain])?;
        self.held.drain(..certain);
        out.flush()
    }

    /// Whether the seal has come.
    pub fn is_complete(&self) -> bool {
        self.open
    }

    /// The stream ended without a seal: what was held back belonged to it.
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

    const SEAL: &[u8] = b"\0abcabd";

    fn through(chunks: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut unsealer = Unsealer::new(SEAL);
        let mut out = Vec::new();
        for chunk in chunks {
            unsealer.pass(chunk, &mut out).unwrap();
        }
        (out, unsealer.is_complete())
    }

    #[test]
    fn nothing_is_held_back_without_reason() {
        assert_eq!(through(&[b"hello"]), (b"hello".to_vec(), false));
        assert_eq!(through(&[b"hello\0abc"]), (b"hello".to_vec(), false));
        assert_eq!(through(&[b"hello\0abc", b"x"]), (b"hello\0abcx".to_vec(), false));
    }

    #[test]
    fn the_seal_may_come_in_pieces() {
        for cut in 0..SEAL.len() {
            let (first, second) = SEAL.split_at(cut);
            let chunks: [&[u8]; 3] = [b"out\0ab", first, second];
            assert_eq!(through(&chunks), (b"out\0ab".to_vec(), true), "cut at {cut}");
        }
    }

    #[test]
    fn a_stream_that_breaks_off_is_complete_with_what_was_held() {
        let mut unsealer = Unsealer::new(SEAL);
        let mut out = Vec::new();
        unsealer.pass(b"x\0ab", &mut out).unwrap();
        unsealer.release(&mut out).unwrap();
        assert_eq!(out, b"x\0ab");
    }
}
