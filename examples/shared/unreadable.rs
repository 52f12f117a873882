//! Rows of a table that could not be read: the first few in full, the others as a number.

use ipvs_rs::procfs::ProcfsError;

/// The messages about such rows at the end of a listing.
#[derive(Default)]
pub struct UnreadableRows {
    lines: Vec<String>,
    more: u64,
}

impl UnreadableRows {
    /// Returns the rows that can be read, and keeps the messages about the rest.
    pub fn readable<T>(&mut self, rows: impl Iterator<Item = Result<T, ProcfsError>>) -> impl Iterator<Item = T> {
        rows.filter_map(|row| row.map_err(|error| self.note(&error)).ok())
    }

    fn note(&mut self, error: &ProcfsError) {
        // An error of the file itself is the last one, and the reason why there are no further rows.
        if self.lines.len() < SHOWN || !error.is_malformed() {
            self.lines.push(error.to_string());
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// A line for each of the first, and one for all others; empty where everything was read.
    pub fn lines(mut self) -> Vec<String> {
        match self.more {
            0 => {}
            1 => self.lines.push("1 more line could not be read".to_owned()),
            more => self.lines.push(format!("{more} more lines could not be read")),
        }
        self.lines
    }
}

/// How many errors are shown in full.
const SHOWN: usize = 5;

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use ipvs_rs::procfs::Connections;

    use super::*;

    const HEADER: &str = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n";

    /// The ports of the clients that are found, and the messages about the rest.
    fn sifted(table: impl Read) -> (Vec<u16>, Vec<String>) {
        let mut unreadable = UnreadableRows::default();
        let ports = unreadable.readable(Connections::from_reader(table)).map(|row| row.client.port()).collect();
        (ports, unreadable.lines())
    }

    fn row(port: u16) -> String {
        format!("TCP 0A020002 {port:04X} C000020A 0050 0A010003 1F90 ESTABLISHED     895\n")
    }

    #[test]
    fn first_errors_are_shown_and_the_others_counted() {
        let line = |number| {
            format!(
                "get connections: ip_vs_conn: line {number}: client: \"x\" does not fit: expected an address of 8 \
                 hexadecimal digits, or of 8 groups of 4"
            )
        };
        for broken in 0..9 {
            let table = [HEADER, &row(1), &"TCP x\n".repeat(broken), &row(2)].concat();
            let mut said: Vec<_> = (3..3 + broken.min(5)).map(line).collect();
            said.extend(match broken.saturating_sub(5) {
                0 => None,
                1 => Some("1 more line could not be read".to_owned()),
                more => Some(format!("{more} more lines could not be read")),
            });
            assert_eq!(sifted(table.as_bytes()), (vec![1, 2], said));
        }
    }

    /// A truncated file.
    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("gone"))
        }
    }

    #[test]
    fn file_that_breaks_off_is_said_behind_any_number_of_rows() {
        let table = [HEADER, &row(1), &"x\n".repeat(7)].concat();
        let (ports, said) = sifted(table.as_bytes().chain(Broken));
        assert_eq!(ports, [1]);
        let [.., broken, count] = &said[..] else { panic!("{said:?}") };
        assert_eq!(broken, "get connections: ip_vs_conn: gone");
        assert_eq!(count, "2 more lines could not be read");
    }
}
