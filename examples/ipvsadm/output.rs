//! Standard output, with the buffering of the C library: in blocks, in lines on a terminal, and without a message when
//! it cannot be written.

use std::io::{self, BufWriter, IsTerminal, LineWriter, Stdout, Write};

/// The destination of everything but errors.
pub enum Output {
    /// Standard output in blocks.
    Blocks(BufWriter<Stdout>),
    /// Standard output in lines.
    Lines(LineWriter<Stdout>),
    /// Kept in memory for another kind of display.
    Memory(Vec<u8>),
}

impl Output {
    pub fn standard() -> Self {
        let stdout = io::stdout();
        if stdout.is_terminal() {
            Self::Lines(LineWriter::new(stdout))
        } else {
            Self::Blocks(BufWriter::with_capacity(1 << 16, stdout))
        }
    }

    pub const fn memory() -> Self {
        Self::Memory(Vec::new())
    }

    /// Writes. An error is not reported, as in the original: the other end was closed, or the disk is full.
    pub fn write(&mut self, bytes: &[u8]) {
        let _ = match self {
            Self::Blocks(out) => out.write_all(bytes),
            Self::Lines(out) => out.write_all(bytes),
            Self::Memory(out) => out.write_all(bytes),
        };
    }

    pub fn flush(&mut self) {
        let _ = match self {
            Self::Blocks(out) => out.flush(),
            Self::Lines(out) => out.flush(),
            Self::Memory(_) => Ok(()),
        };
    }

    /// The output that was kept.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Memory(bytes) => bytes,
            Self::Blocks(_) | Self::Lines(_) => Vec::new(),
        }
    }
}
