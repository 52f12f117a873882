use std::io::{self, BufRead, BufReader, Read};

/// The lines of a file with their numbers, in memory that is bounded for any contents of the file.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: BufReader<R>,
    line: Vec<u8>,
    number: u64,
    limit: usize,
}

/// The reason why a line could not be read.
#[derive(Debug)]
pub(super) enum LineError {
    Io(io::Error),
    /// The line is longer than the limit.
    TooLong,
}

impl<R> Lines<R> {
    /// The number of the line that was read last, from 1.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }
}

impl<R: Read> Lines<R> {
    /// Reads lines of at most `limit` bytes, not counting the end of the line.
    pub(super) fn new(reader: R, limit: usize) -> Self {
        Self { reader: BufReader::with_capacity(BUFFER, reader), line: Vec::new(), number: 0, limit }
    }

    /// The next line without its end; `None` after the last. Not to be called again after an error of the reader; after
    /// a line that is too long, call [`skip`](Self::skip) first.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, LineError> {
        self.line.clear();
        self.number = self.number.saturating_add(1);
        let limit = u64::try_from(self.limit).unwrap_or(u64::MAX).saturating_add(1);
        let read = self.reader.by_ref().take(limit).read_until(b'\n', &mut self.line).map_err(LineError::Io)?;
        match self.line.strip_suffix(b"\n") {
            Some(line) => Ok(Some(line)),
            None if read == 0 => Ok(None),
            None if self.line.len() > self.limit => Err(LineError::TooLong),
            None => Ok(Some(&self.line)),
        }
    }

    /// Skips the rest of a line that is too long. Returns whether its end was found; a line that goes on for very long
    /// is given up, because it may have no end.
    pub(super) fn skip(&mut self) -> io::Result<bool> {
        let left = self.reader.by_ref().take(MOST_SKIPPED).skip_until(b'\n')?;
        Ok(u64::try_from(left).is_ok_and(|left| left < MOST_SKIPPED))
    }
}

/// The size of the buffer: the kernel returns one page at a time, however much is asked for.
const BUFFER: usize = 8192;
/// The number of bytes of a line that is too long that are skipped, at most.
const MOST_SKIPPED: u64 = 1 << 20;
