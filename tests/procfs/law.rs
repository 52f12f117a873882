//! Laws that hold for every connection.

use std::io::{self, Read};

use ipvs_rs::model::Protocol;
use ipvs_rs::procfs::{Connection, Connections};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::printed::{HEADER, HEADER_WITH_ORIGIN, Known, arb_known, arb_known_with_origin};

/// Hands out as little as it may, and is interrupted in between.
struct ShortReads<'a> {
    bytes: &'a [u8],
    is_interrupted: bool,
}

impl Read for ShortReads<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.is_interrupted = !self.is_interrupted;
        if self.is_interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let Some((first, rest)) = self.bytes.split_first() else { return Ok(0) };
        buffer[0] = *first;
        self.bytes = rest;
        Ok(1)
    }
}

fn table(header: &str, rows: &[Known]) -> Vec<u8> {
    let mut table = header.as_bytes().to_vec();
    for known in rows {
        table.extend(known.row());
        table.push(b'\n');
    }
    table
}

fn read(reader: impl Read) -> Vec<Known> {
    Connections::from_reader(reader).map(|connection| Known::of(&connection.unwrap())).collect()
}

proptest! {
    #[test]
    fn row_that_is_printed_is_read_as_it_was(known in arb_known()) {
        let connection = Connection::from_row(&known.row()).unwrap();
        prop_assert_eq!(Known::of(&connection), known);
    }

    #[test]
    fn table_is_read_row_by_row(rows in vec(arb_known(), 0..20)) {
        prop_assert_eq!(read(&table(HEADER, &rows)[..]), rows);
    }

    #[test]
    fn table_with_origins_is_told_by_its_headings(rows in vec(arb_known_with_origin(), 0..20)) {
        prop_assert_eq!(read(&table(HEADER_WITH_ORIGIN, &rows)[..]), rows);
    }

    #[test]
    fn table_may_come_in_pieces(rows in vec(arb_known(), 0..5)) {
        let table = table(HEADER, &rows);
        prop_assert_eq!(read(ShortReads { bytes: &table, is_interrupted: false }), rows);
    }

    #[test]
    fn last_row_needs_no_end(rows in vec(arb_known(), 1..5)) {
        let mut table = table(HEADER, &rows);
        table.pop();
        prop_assert_eq!(read(&table[..]), rows);
    }

    #[test]
    fn template_is_what_has_no_client_port_and_a_state_of_templates(known in arb_known()) {
        let is_template = known.client.port() == 0 && matches!(known.state.as_str(), "NONE" | "ASSURED");
        prop_assert_eq!(Connection::from_row(&known.row()).unwrap().is_template(), is_template);
    }

    #[test]
    fn every_number_of_a_protocol_is_understood(number: u8) {
        let row = format!("IP_{number} 0A000001 0000 0A000002 0000 0A000003 0000 NONE 1");
        let connection: Connection = row.parse().unwrap();
        prop_assert_eq!(connection.protocol.protocol(), Some(Protocol::from_number(number.into())));
    }
}

#[test]
fn names_of_protocols_are_understood() {
    for (word, protocol) in [
        ("TCP", Some(Protocol::TCP)),
        ("UDP", Some(Protocol::UDP)),
        ("SCTP", Some(Protocol::SCTP)),
        ("ICMP", Some(Protocol::from_number(1))),
        ("ICMPv6", Some(Protocol::from_number(58))),
        ("IP_51", Some(Protocol::AH)),
        ("IP", None),
        ("IP_", None),
        ("IP_65536", None),
        ("IP_+6", None),
        ("tcp", None),
    ] {
        let row = format!("{word} 0A000001 0000 0A000002 0000 0A000003 0000 NONE 1");
        let connection: Connection = row.parse().unwrap();
        assert_eq!(connection.protocol.protocol(), protocol, "{word}");
        assert_eq!(connection.protocol.to_string(), word);
    }
}

#[test]
fn mark_is_told_only_by_a_template_for_one() {
    for (row, mark) in [
        ("IP 0A000001 0000 00000007 0000 0A000003 0000 NONE 1", Some(7)),
        ("IP 0A000001 0000 FFFFFFFF 0000 0A000003 0000 ASSURED 1", Some(u32::MAX)),
        (
            "IP 2001:0db8:0000:0000:0000:0000:0000:0001 0000 0001:0002:0000:0000:0000:0000:0000:0000 0000 \
             2001:0db8:0000:0000:0000:0000:0000:0003 0000 NONE 1",
            Some(0x0001_0002),
        ),
        ("TCP 0A000001 0000 00000007 0000 0A000003 0000 NONE 1", None),
    ] {
        assert_eq!(row.parse::<Connection>().unwrap().mark(), mark, "{row}");
    }
}

#[test]
fn words_are_padded_where_a_table_asks_for_it() {
    let row = "TCP 0A000001 0000 0A000002 0000 0A000003 0000 CLOSE 1";
    let known: Connection = row.parse().unwrap();
    assert_eq!(format!("{:<4}|{:<11}|", known.protocol, known.state), "TCP |CLOSE      |");
    let other: Connection = row.replace("TCP", "IP_9").replace("CLOSE", "NEW").parse().unwrap();
    assert_eq!(format!("{:<5}|{:>4}|", other.protocol, other.state), "IP_9 | NEW|");
}
