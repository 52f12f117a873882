//! Bytes that no kernel prints: every line is a value or an error, none is a panic, and there is always an end.

use std::io::{self, Read};

use ipvs_rs::procfs::{Connection, Connections, CpuStats, Modules, ProcfsError, ProcfsErrorKind, stats_from_reader};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::golden::{KERNELS, text};
use crate::printed::{HEADER, HEADER_WITH_ORIGIN};

/// Reads bytes in every way that there is.
fn read_everything(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    assert!(Connections::from_reader(bytes).count() <= lines);
    for row in bytes.split(|byte| *byte == b'\n') {
        let _any = Connection::from_row(row);
    }
    let _any = stats_from_reader(bytes);
    let _any = CpuStats::from_reader(bytes);
    let _any = Modules::from_reader(bytes).unwrap().with_builtin(bytes).unwrap();
}

/// Pieces that rows are made of, in any order.
fn arb_scrap() -> impl Strategy<Value = Vec<u8>> {
    let piece = select(
        &[
            "TCP",
            "UDP",
            " ",
            "  ",
            "\n",
            "0A000001",
            "0050",
            "2001:0db8:0000:0000:0000:0000:0000:0001",
            "NONE",
            "ESTABLISHED",
            "LOCAL",
            "115",
            "sip",
            "12345@10.1.0.2",
            "~",
            ":",
            "Conns",
            "Live",
            "ip_vs_rr",
            "\0",
            "é",
        ][..],
    );
    prop_oneof![vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes()), vec(any::<u8>(), 0..600)]
}

proptest! {
    #[test]
    fn any_bytes_end(scrap in arb_scrap()) {
        read_everything(&scrap);
    }

    #[test]
    fn any_bytes_behind_the_headings_end(scrap in arb_scrap(), header in select(&[HEADER, HEADER_WITH_ORIGIN][..])) {
        read_everything(&[header.as_bytes(), &scrap].concat());
    }

    #[test]
    fn rows_around_broken_ones_are_found(
        scraps in vec(arb_scrap(), 0..5),
        long in 0_usize..2 * Connections::MAX_ROW,
        has_origin: bool,
    ) {
        let (header, row) = if has_origin { (HEADER_WITH_ORIGIN, ROW_WITH_ORIGIN) } else { (HEADER, ROW) };
        let mut table = header.as_bytes().to_vec();
        for scrap in scraps.into_iter().chain([b"x".repeat(long)]) {
            table.extend([row.as_bytes(), b"\n", &scrap, b"\n"].concat());
        }
        table.extend(row.as_bytes());
        let rows: Vec<_> = Connections::from_reader(&table[..]).collect();
        let lines: Vec<_> = table.split(|byte| *byte == b'\n').skip(1).collect();
        prop_assert_eq!(rows.len(), lines.len(), "an item for each line");
        let known = rows[0].as_ref().unwrap();
        prop_assert_eq!(rows.last().unwrap().as_ref().unwrap(), known);
        for (number, (line, item)) in (2..).zip(lines.iter().zip(&rows)) {
            match item {
                Ok(connection) => prop_assert!(*line != row.as_bytes() || connection == known),
                Err(error) => {
                    prop_assert!(*line != row.as_bytes() && error.is_malformed());
                    prop_assert_eq!(error.line(), Some(number));
                }
            }
        }
    }

    #[test]
    fn files_of_kernels_that_were_damaged_end(
        kernel in select(&KERNELS[..]),
        name in select(&["ip_vs_conn", "ip_vs_conn_sync", "ip_vs_stats", "ip_vs_stats_percpu", "modules"][..]),
        damage in vec((any::<Index>(), any::<u8>(), any::<bool>()), 1..5),
    ) {
        let mut bytes = text(kernel, name).into_bytes();
        for (place, byte, is_inserted) in damage {
            let place = place.index(bytes.len());
            if is_inserted { bytes.insert(place, byte) } else { bytes[place] = byte }
        }
        read_everything(&bytes);
    }
}

const ROW: &str = "TCP 0A020002 A028 0A090909 0050 0A010003 1F90 ESTABLISHED     895";

const ROW_WITH_ORIGIN: &str = "TCP 0A020002 A028 0A090909 0050 0A010003 1F90 ESTABLISHED LOCAL      895";

#[test]
fn row_after_one_that_cannot_be_read_is_read() {
    let table = format!("{HEADER}{ROW}\nrubbish\n\n{ROW}\n");
    let rows: Vec<_> = Connections::from_reader(table.as_bytes()).collect();
    let [Ok(first), Err(rubbish), Err(empty), Ok(last)] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(first, last);
    assert_eq!((rubbish.line(), empty.line()), (Some(3), Some(4)));
}

#[test]
fn row_of_the_greatest_length_is_read_and_a_longer_one_is_skipped() {
    let longest = Connections::MAX_ROW - ROW.len() - " sip ".len();
    for (data, is_read) in [(longest, true), (longest + 1, false)] {
        let table = format!("{HEADER}{ROW} sip {}\n{ROW}\n", "x".repeat(data));
        let rows: Vec<_> = Connections::from_reader(table.as_bytes()).collect();
        if is_read {
            let [Ok(first), Ok(_)] = &rows[..] else { panic!("{rows:?}") };
            assert_eq!(first.engine.as_ref().unwrap().data.len(), data);
        } else {
            let [Err(error), Ok(next)] = &rows[..] else { panic!("{rows:?}") };
            assert_eq!(*next, ROW.parse().unwrap());
            let message = "get connections: ip_vs_conn: line 2: it is longer than 4096 bytes";
            assert_eq!(error.to_string(), message);
            assert!(error.is_malformed());
            assert!(error.parse_error().is_none());
        }
    }
}

#[test]
fn row_that_is_much_too_long_is_skipped_up_to_a_limit() {
    let row = |len| {
        let table = format!("{HEADER}{}\nrubbish\n{ROW}\n", "x".repeat(len));
        Connections::from_reader(table.as_bytes()).map(|row| row.map_err(|error| error.line())).collect::<Vec<_>>()
    };
    assert_eq!(row(1 << 20), [Err(Some(2)), Err(Some(3)), Ok(ROW.parse().unwrap())]);
    assert_eq!(row(1 << 21), [Err(Some(2))]);
    let cut = format!("{HEADER}{}", "x".repeat(5000));
    let rows: Vec<_> = Connections::from_reader(cut.as_bytes().chain(Broken)).map(Result::unwrap_err).collect();
    assert_eq!(rows.iter().map(ProcfsError::kind).collect::<Vec<_>>(), [ProcfsErrorKind::Line, ProcfsErrorKind::Io]);
}

#[test]
fn row_without_end_is_not_waited_for() {
    let endless = HEADER.as_bytes().chain(io::repeat(b'x'));
    let rows: Vec<_> = Connections::from_reader(endless).collect();
    assert_eq!(rows.len(), 1);
    assert_eq!(Connections::from_reader(io::repeat(0)).count(), 1);
    assert!(stats_from_reader(io::repeat(b' ')).unwrap_err().is_malformed());
    assert!(CpuStats::from_reader(io::repeat(b'0')).unwrap_err().is_malformed());
    assert!(Modules::from_reader(io::repeat(b'i')).unwrap_err().is_malformed());
}

/// A file that breaks off.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StaleNetworkFileHandle.into())
    }
}

#[test]
fn file_that_cannot_be_read_further_ends_the_table() {
    let table = format!("{HEADER}{ROW}\n");
    let rows: Vec<_> = Connections::from_reader(table.as_bytes().chain(Broken)).collect();
    let [Ok(_), Err(error)] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(error.kind(), ProcfsErrorKind::Io);
    assert_eq!(error.io_error().unwrap().kind(), io::ErrorKind::StaleNetworkFileHandle);
    assert!(error.line().is_none() && !error.is_malformed());
}

#[test]
fn other_file_is_one_error() {
    for text in ["", "\n", ROW, "IP Virtual Server version 1.2.1 (size=4096)\n", &format!("\n{HEADER}")] {
        let rows: Vec<_> = Connections::from_reader(text.as_bytes()).collect();
        let [Err(error)] = &rows[..] else { panic!("{text:?}: {rows:?}") };
        assert_eq!((error.line(), error.parse_error().unwrap().what()), (Some(1), "header"), "{text:?}");
    }
}
