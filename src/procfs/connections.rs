use std::fmt;
use std::fs::File;
use std::io::Read;
use std::iter::FusedIterator;

use super::connection::{Columns, Connection};
use super::error::{Cause, Place, ProcfsError, ProcfsOperation};
use super::lines::{LineError, Lines};

/// The connection table, row by row.
///
/// Each row is read when it is asked for, so that a table of any length takes the same memory. A row that cannot be
/// parsed is an error ([`is_malformed`](ProcfsError::is_malformed)), and the next row follows it; when the file itself
/// cannot be read further, or is not a connection table, the error is the last item.
///
/// # Consistency
///
/// The kernel returns a page of rows at a time and continues by position, while connections come and go: a table that
/// takes more than one page, which is some 60 rows for IPv4 and 25 for IPv6, may repeat or leave out some.
/// Rows come in no particular order.
///
/// # Time
///
/// Older kernels (seen on 6.1 and 6.12, no longer on 7.2) search for their position from the beginning for each page,
/// so that twice the connections take four times as long to read. This time is spent in the kernel, however the file is
/// read.
///
/// # Example
///
/// A table that was saved, here in a string:
///
/// ```
/// use ipvs_rs::procfs::Connections;
///
/// let saved = "\
/// Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
/// UDP 0A090909 0000 0A090909 13C4 C0000263 14B4 NONE             59 sip 12345@10.2.0.2
/// UDP 0A090909 9D8A 0A090909 13C4 C0000263 14B4 UDP             299
/// ";
/// let (templates, connections): (Vec<_>, Vec<_>) = Connections::from_reader(saved.as_bytes())
///     .collect::<Result<Vec<_>, _>>()?
///     .into_iter()
///     .partition(|connection| connection.is_template());
/// assert_eq!(templates[0].engine.as_ref().unwrap().data, b"12345@10.2.0.2");
/// assert_eq!(connections[0].client.to_string(), "10.9.9.9:40330");
/// # Ok::<(), ipvs_rs::procfs::ProcfsError>(())
/// ```
///
/// # Kernel
///
/// `/proc/net/ip_vs_conn` or `/proc/net/ip_vs_conn_sync`; the first line tells which.
pub struct Connections<R = File> {
    lines: Lines<R>,
    place: Place,
    progress: Progress,
}

#[derive(Clone, Copy, Debug)]
enum Progress {
    Header,
    Rows(Columns),
    /// As [`Rows`](Self::Rows), in the middle of a row that is too long.
    LongRow(Columns),
    Over,
}

impl Connections {
    /// The longest row in bytes that is read; no kernel so far prints more than 450.
    pub const MAX_ROW: usize = 4096;
}

impl<R: Read> Connections<R> {
    /// Reads a table from a reader, such as a file that was saved. It begins with the line of headings.
    pub fn from_reader(reader: R) -> Self {
        Self::at(Place::of_reader("ip_vs_conn"), reader)
    }

    pub(super) fn at(place: Place, reader: R) -> Self {
        Self { lines: Lines::new(reader, Connections::MAX_ROW), place, progress: Progress::Header }
    }

    fn error(&self, cause: Cause) -> ProcfsError {
        ProcfsError::new(ProcfsOperation::GetConnections, self.place.clone(), cause)
    }

    /// The columns of the table, once its first line is read.
    fn header(&mut self) -> Result<Columns, Cause> {
        let number = 1;
        match self.lines.next() {
            Ok(header) => {
                let header = header.unwrap_or_default();
                Columns::from_header(header).map_err(|error| Cause::Line { number, error })
            }
            Err(error) => Err(Cause::of_line(error, number, Connections::MAX_ROW)),
        }
    }
}

impl<R: Read> Iterator for Connections<R> {
    type Item = Result<Connection, ProcfsError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Every early return ends the iteration; the branches that continue set the progress again.
        let columns = match std::mem::replace(&mut self.progress, Progress::Over) {
            Progress::Header => match self.header() {
                Ok(columns) => columns,
                Err(cause) => return Some(Err(self.error(cause))),
            },
            Progress::Rows(columns) => columns,
            Progress::LongRow(columns) => match self.lines.skip() {
                Ok(true) => columns,
                Ok(false) => return None,
                Err(error) => return Some(Err(self.error(Cause::Io(error)))),
            },
            Progress::Over => return None,
        };
        let row = match self.lines.next() {
            Ok(row) => Connection::read(row?, columns),
            Err(error) => {
                if matches!(error, LineError::TooLong) {
                    self.progress = Progress::LongRow(columns);
                }
                let cause = Cause::of_line(error, self.lines.number(), Connections::MAX_ROW);
                return Some(Err(self.error(cause)));
            }
        };
        self.progress = Progress::Rows(columns);
        Some(row.map_err(|error| self.error(Cause::Line { number: self.lines.number(), error })))
    }
}

impl<R: Read> FusedIterator for Connections<R> {}

/// Shows the file, and the number of the line that was read last.
impl<R> fmt::Debug for Connections<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = f.debug_struct("Connections");
        table.field("file", &self.place.file);
        if let Some(namespace) = &self.place.namespace {
            table.field("namespace", namespace);
        }
        table.field("line", &self.lines.number()).finish_non_exhaustive()
    }
}
