//! Standard output, as the C library keeps it: in blocks, in lines on a terminal, and without a word when it cannot be
//! written.

use std::io::{self, BufWriter, IsTerminal, LineWriter, Stdout, Write};

/// Where everything but errors goes.
pub enum Output {
    /// Standard output in blocks.
    Blocks(BufWriter<Stdout>),
    /// Standard output in lines.
    Lines(LineWriter<Stdout>),
    /// Kept for somebody who shows it otherwise.
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

    /// Writes. That it cannot be is known to whoever closed the other end, or filled the disk.
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

    /// What was kept.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Memory(bytes) => bytes,
            Self::Blocks(_) | Self::Lines(_) => Vec::new(),
        }
    }
}
