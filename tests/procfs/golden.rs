//! The files of real kernels.

use std::fs;
use std::path::PathBuf;

use ipvs_rs::procfs::{Connection, Connections};

use crate::printed::Known;

/// The kernels that there are files of.
pub(crate) const KERNELS: [&str; 3] = ["6.1", "6.12", "7.2"];

/// A file of one of them.
pub(crate) fn text(kernel: &str, name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/procfs/golden").join(kernel).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn connections(kernel: &str, name: &str) -> Vec<Connection> {
    Connections::from_reader(text(kernel, name).as_bytes()).map(Result::unwrap).collect()
}

/// The parts that do not depend on chance or time, in order.
fn summary(connections: &[Connection]) -> Vec<String> {
    let mut rows: Vec<_> = connections
        .iter()
        .map(|connection| {
            let Connection { protocol, client, service, destination, state, .. } = connection;
            let kind = if connection.is_template() { "template" } else { "connection" };
            let mark = connection.mark().map(|mark| format!(" mark {mark}")).unwrap_or_default();
            format!("{kind} {protocol} {} {service}{mark} {destination} {state}", client.ip())
        })
        .collect();
    rows.sort_unstable();
    rows
}

const ROWS: [&str; 12] = [
    "connection TCP 10.1.0.2 192.0.2.10:80 10.2.0.2:8080 TIME_WAIT",
    "connection TCP 2001:db8:1::2 [2001:db8::10]:80 [2001:db8:2::2]:8080 ESTABLISHED",
    "connection UDP 10.1.0.2 192.0.2.10:5060 10.2.0.2:5060 UDP",
    "connection UDP 10.1.0.2 192.0.2.10:53 10.2.0.2:5353 UDP",
    "connection UDP 10.2.0.1 10.2.0.200:7777 10.2.0.2:7777 UDP",
    "connection UDP 2001:db8:1::2 [2001:db8::10]:53 [2001:db8:2::2]:5353 UDP",
    "connection UDP 2001:db8:2::1 [2001:db8:2::200]:7777 [2001:db8:2::2]:7777 UDP",
    "template IP 10.2.0.1 0.0.0.7:0 mark 7 10.2.0.2:0 NONE",
    "template IP 2001:db8:2::1 [0:7::]:0 mark 7 [2001:db8:2::2]:0 NONE",
    "template TCP 2001:db8:1::2 [2001:db8::10]:80 [2001:db8:2::2]:8080 ASSURED",
    "template UDP 10.1.0.2 192.0.2.10:5060 10.2.0.2:5060 NONE",
    "template UDP 10.1.0.2 192.0.2.10:53 10.2.0.2:5353 NONE",
];

#[test]
fn connections_of_every_kernel_are_read() {
    for kernel in KERNELS {
        for name in ["ip_vs_conn", "ip_vs_conn_sync"] {
            assert_eq!(summary(&connections(kernel, name)), ROWS, "{kernel} {name}");
        }
    }
}

#[test]
fn rows_of_every_kernel_are_printed_as_they_were() {
    for kernel in KERNELS {
        for name in ["ip_vs_conn", "ip_vs_conn_sync"] {
            let text = text(kernel, name);
            let printed: Vec<_> = connections(kernel, name).iter().map(|row| Known::of(row).row()).collect();
            let lines: Vec<_> = text.lines().skip(1).map(|line| line.as_bytes().to_vec()).collect();
            assert_eq!(printed, lines, "{kernel} {name}");
        }
    }
}

#[test]
fn only_the_template_of_an_engine_carries_its_data() {
    for kernel in KERNELS {
        let connections = connections(kernel, "ip_vs_conn");
        let with_data: Vec<_> = connections.iter().filter(|row| row.engine.is_some()).collect();
        let [row] = with_data[..] else { panic!("{kernel}: {with_data:?}") };
        let engine = row.engine.as_ref().unwrap();
        assert_eq!((engine.name.name(), engine.data.as_slice()), ("sip", &b"12345@10.1.0.2"[..]), "{kernel}");
        assert!(row.is_template(), "{kernel}");
    }
}

#[test]
fn origin_is_known_from_one_table_only() {
    for kernel in KERNELS {
        let origins = |name| connections(kernel, name).iter().map(|row| row.origin.map(|o| o.to_string())).collect();
        let (without, with): (Vec<_>, Vec<_>) = (origins("ip_vs_conn"), origins("ip_vs_conn_sync"));
        assert_eq!(without, vec![None; 12], "{kernel}");
        assert_eq!(with, vec![Some("LOCAL".to_owned()); 12], "{kernel}");
    }
}
