use std::io::Read;

use super::error::{Cause, Place, ProcfsError, ProcfsOperation};
use super::lines::Lines;
use super::row::{Row, number, unfit};
use crate::model::{ParseError, Stats};

/// Reads the totals of a network namespace from a reader, such as a saved `/proc/net/ip_vs_stats`.
///
/// ```
/// use ipvs_rs::procfs::stats_from_reader;
///
/// let saved = "   Total Incoming Outgoing         Incoming         Outgoing
///    Conns  Packets  Packets            Bytes            Bytes
///        8        8        5              282              2B7
///
///  Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s
///        1        1        0               3C               41
/// ";
/// let stats = stats_from_reader(saved.as_bytes())?;
/// assert_eq!((stats.connections, stats.bytes_in, stats.bytes_out), (8, 0x282, 0x2B7));
/// assert_eq!((stats.connections_per_sec, stats.bytes_per_sec_out), (1, 0x41));
/// # Ok::<(), ipvs_rs::procfs::ProcfsError>(())
/// ```
///
/// # Errors
///
/// When a line is malformed, or the reader fails.
pub fn stats_from_reader(reader: impl Read) -> Result<Stats, ProcfsError> {
    stats(Place::of_reader("ip_vs_stats"), reader)
}

pub(super) fn stats(place: Place, reader: impl Read) -> Result<Stats, ProcfsError> {
    let mut table = Table::new(reader);
    let stats = table.totals(&["Total"], &["Conns"]).and_then(|totals| table.with_rates(totals));
    stats.map_err(|cause| ProcfsError::new(ProcfsOperation::GetStats, place, cause))
}

/// The counters of each processor, and the totals.
///
/// ```
/// use ipvs_rs::procfs::CpuStats;
///
/// let saved = "       Total Incoming Outgoing         Incoming         Outgoing
/// CPU    Conns  Packets  Packets            Bytes            Bytes
///   0        3        3        3               C8               8C
///   1        1        2        0               3C                0
///   ~        4        5        3              104               8C
///
///      Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s
///            0        1        0               19               11
/// ";
/// let stats = CpuStats::from_reader(saved.as_bytes())?;
/// assert_eq!(stats.cpus[1].packets_in, 2);
/// assert_eq!((stats.total.connections, stats.total.bytes_per_sec_in), (4, 0x19));
/// # Ok::<(), ipvs_rs::procfs::ProcfsError>(())
/// ```
///
/// # Kernel
///
/// `/proc/net/ip_vs_stats_percpu`, since Linux 2.6.39.
#[doc(alias = "ip_vs_stats_percpu")]
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct CpuStats {
    /// One row for each possible processor of the machine, in the order of their numbers.
    ///
    /// The counts are up to date and begin with the creation of the namespace: zeroing does not change them.
    pub cpus: Vec<CpuCounters>,
    /// The totals: sums and rates as of some two seconds ago, less the counts at the time when they were zeroed.
    pub total: Stats,
}

/// The counters of one processor.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct CpuCounters {
    /// The number of the processor, from 0.
    pub cpu: u32,
    /// Connections.
    pub connections: u64,
    /// Packets from clients.
    pub packets_in: u64,
    /// Packets to clients.
    pub packets_out: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
}

impl CpuStats {
    /// The greatest number of a processor that is accepted; Linux has at most 8192.
    pub const MAX_CPU: u32 = 65_535;

    /// Reads the statistics from a reader, such as a saved `/proc/net/ip_vs_stats_percpu`.
    ///
    /// # Errors
    ///
    /// When a line is malformed, or the reader fails.
    pub fn from_reader(reader: impl Read) -> Result<Self, ProcfsError> {
        Self::at(Place::of_reader("ip_vs_stats_percpu"), reader)
    }

    pub(super) fn at(place: Place, reader: impl Read) -> Result<Self, ProcfsError> {
        Table::new(reader).cpu_stats().map_err(|cause| ProcfsError::new(ProcfsOperation::GetCpuStats, place, cause))
    }
}

/// A file of statistics, line by line.
struct Table<R>(Lines<R>);

impl<R: Read> Table<R> {
    fn new(reader: R) -> Self {
        Self(Lines::new(reader, MAX_LINE))
    }

    /// Parses the next line; after the end of the file, an empty one.
    fn line<T>(&mut self, read: impl FnOnce(Row<'_>) -> Result<T, ParseError>) -> Result<T, Cause> {
        match self.0.next() {
            Ok(line) => read(Row::new(line.unwrap_or_default())),
            Err(error) => return Err(Cause::of_line(error, self.0.number(), MAX_LINE)),
        }
        .map_err(|error| Cause::Line { number: self.0.number(), error })
    }

    /// Reads a line of headings: those on the left, and the four columns that every block has.
    fn heading(&mut self, left: &[&'static str], columns: [&'static str; 4]) -> Result<(), Cause> {
        self.line(|mut row| {
            for heading in left.iter().copied().chain(columns) {
                let word = row.word();
                if word != heading.as_bytes() {
                    return Err(ParseError::new("heading", String::from_utf8_lossy(word), heading));
                }
            }
            Ok(())
        })
    }

    fn totals(&mut self, above: &[&'static str], left: &[&'static str]) -> Result<[u64; 5], Cause> {
        self.heading(above, ["Incoming", "Outgoing", "Incoming", "Outgoing"])?;
        self.heading(left, ["Packets", "Packets", "Bytes", "Bytes"])?;
        self.line(|mut row| row.counters())
    }

    fn cpu_stats(&mut self) -> Result<CpuStats, Cause> {
        self.heading(&["Total"], ["Incoming", "Outgoing", "Incoming", "Outgoing"])?;
        self.heading(&["CPU", "Conns"], ["Packets", "Packets", "Bytes", "Bytes"])?;
        let mut cpus: Vec<CpuCounters> = Vec::new();
        let sums = loop {
            // Rows must come in ascending order, so that there are never more than possible numbers.
            let least = cpus.last().map_or(0, |last| last.cpu + 1);
            let row = self.line(|mut row| {
                let word = row.word();
                if word == b"~" {
                    return Ok((None, row.counters()?));
                }
                let cpu = number(word, 16).and_then(|cpu| u32::try_from(cpu).ok());
                let cpu = cpu.filter(|cpu| (least..=CpuStats::MAX_CPU).contains(cpu));
                let cpu = cpu.ok_or_else(|| unfit("processor", word, "a hexadecimal number above the last, or ~"))?;
                Ok((Some(cpu), row.counters()?))
            })?;
            match row {
                (Some(cpu), [connections, packets_in, packets_out, bytes_in, bytes_out]) => {
                    cpus.push(CpuCounters { cpu, connections, packets_in, packets_out, bytes_in, bytes_out });
                }
                (None, sums) => break sums,
            }
        };
        Ok(CpuStats { cpus, total: self.with_rates(sums)? })
    }

    /// Reads the lines that follow the counters in both files: an empty line and the rates.
    fn with_rates(&mut self, counters: [u64; 5]) -> Result<Stats, Cause> {
        self.line(|row| row.end("end of the counters"))?;
        self.heading(&["Conns/s"], ["Pkts/s", "Pkts/s", "Bytes/s", "Bytes/s"])?;
        let rates = self.line(|mut row| row.counters())?;
        let [connections, packets_in, packets_out, bytes_in, bytes_out] = counters;
        let [connections_per_sec, packets_per_sec_in, packets_per_sec_out, bytes_per_sec_in, bytes_per_sec_out] = rates;
        Ok(Stats {
            connections,
            packets_in,
            packets_out,
            bytes_in,
            bytes_out,
            connections_per_sec,
            packets_per_sec_in,
            packets_per_sec_out,
            bytes_per_sec_in,
            bytes_per_sec_out,
        })
    }
}

impl Row<'_> {
    /// Reads the five columns that all blocks have. Columns that a later kernel may add are ignored.
    fn counters(&mut self) -> Result<[u64; 5], ParseError> {
        let mut counters = [0; 5];
        for counter in &mut counters {
            let word = self.word();
            *counter = number(word, 16).ok_or_else(|| unfit("counter", word, "a hexadecimal number of 64 bits"))?;
        }
        Ok(counters)
    }
}

/// The longest line in bytes: six numbers of 64 bits, and room for future columns.
const MAX_LINE: usize = 1024;
