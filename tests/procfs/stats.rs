//! Totals, and what each processor has counted.

use ipvs_rs::model::Stats;
use ipvs_rs::procfs::{CpuStats, stats_from_reader};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::golden::text;

/// Ten numbers in the order of the kernel.
fn numbers(stats: &Stats) -> [u64; 10] {
    [
        stats.connections,
        stats.packets_in,
        stats.packets_out,
        stats.bytes_in,
        stats.bytes_out,
        stats.connections_per_sec,
        stats.packets_per_sec_in,
        stats.packets_per_sec_out,
        stats.bytes_per_sec_in,
        stats.bytes_per_sec_out,
    ]
}

fn cpus(stats: &CpuStats) -> Vec<(u32, [u64; 5])> {
    let row = stats.cpus.iter();
    row.map(|cpu| (cpu.cpu, [cpu.connections, cpu.packets_in, cpu.packets_out, cpu.bytes_in, cpu.bytes_out])).collect()
}

#[test]
fn totals_of_every_kernel_are_read() {
    for (kernel, expected) in [
        ("6.1", [7, 15, 7, 941, 453, 1, 1, 1, 79, 39]),
        ("6.12", [7, 15, 7, 941, 453, 0, 1, 0, 66, 32]),
        ("7.2", [7, 16, 8, 1021, 550, 1, 1, 1, 85, 48]),
    ] {
        let stats = stats_from_reader(text(kernel, "ip_vs_stats").as_bytes()).unwrap();
        assert_eq!(numbers(&stats), expected, "{kernel}");
        let stats = CpuStats::from_reader(text(kernel, "ip_vs_stats_percpu").as_bytes()).unwrap();
        assert_eq!(numbers(&stats.total), expected, "{kernel}, with processors");
    }
}

#[test]
fn counters_of_processors_are_read_and_zeroing_leaves_them() {
    for (kernel, expected) in [
        ("6.1", [(0, [6, 11, 5, 637, 293]), (1, [1, 4, 2, 304, 160])]),
        ("6.12", [(0, [4, 8, 4, 476, 233]), (1, [3, 7, 3, 465, 220])]),
        ("7.2", [(0, [6, 10, 4, 612, 258]), (1, [1, 6, 4, 409, 292])]),
    ] {
        let stats = CpuStats::from_reader(text(kernel, "ip_vs_stats_percpu").as_bytes()).unwrap();
        assert_eq!(cpus(&stats), expected, "{kernel}");
        let zeroed = CpuStats::from_reader(text(kernel, "ip_vs_stats_percpu.zeroed").as_bytes()).unwrap();
        assert_eq!(cpus(&zeroed), expected, "{kernel}, zeroed");
        assert_eq!(numbers(&zeroed.total), [0; 10], "{kernel}, zeroed");
    }
}

proptest! {
    #[test]
    fn totals_that_are_printed_are_read_as_they_were(counters: [u64; 5], rates: [u64; 5]) {
        let [[a, b, c, d, e], [f, g, h, i, j]] = [counters, rates];
        let text = format!(
            "   Total Incoming Outgoing         Incoming         Outgoing\n   \
             Conns  Packets  Packets            Bytes            Bytes\n\
             {a:8X} {b:8X} {c:8X} {d:16X} {e:16X}\n\n \
             Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n\
             {f:8X} {g:8X} {h:8X} {i:16X} {j:16X}\n"
        );
        let stats = stats_from_reader(text.as_bytes()).unwrap();
        prop_assert_eq!(numbers(&stats), [a, b, c, d, e, f, g, h, i, j]);
    }

    #[test]
    fn processors_that_are_printed_are_read_as_they_were(rows in vec(any::<[u64; 5]>(), 0..300)) {
        let row = |[a, b, c, d, e]: [u64; 5]| format!("{a:8X} {b:8X} {c:8X} {d:16X} {e:16X}");
        let of_cpus: Vec<_> =
            (0..).zip(&rows).map(|(cpu, counters)| format!("{cpu:3X} {}\n", row(*counters))).collect();
        let of_cpus = of_cpus.concat();
        let text = format!(
            "       Total Incoming Outgoing         Incoming         Outgoing\n\
             CPU    Conns  Packets  Packets            Bytes            Bytes\n\
             {of_cpus}  ~ {}\n\n     \
             Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n    {}\n",
            row([1, 2, 3, 4, u64::MAX]),
            row([5, 6, 7, 8, 9])
        );
        let stats = CpuStats::from_reader(text.as_bytes()).unwrap();
        let expected: Vec<_> = (0..).zip(rows).collect();
        prop_assert_eq!(cpus(&stats), expected);
        prop_assert_eq!(numbers(&stats.total), [1, 2, 3, 4, u64::MAX, 5, 6, 7, 8, 9]);
    }
}

#[test]
fn processors_that_are_not_there_are_skipped() {
    let text = text("6.1", "ip_vs_stats_percpu").replace("\n  1 ", "\n1F0 ");
    let stats = CpuStats::from_reader(text.as_bytes()).unwrap();
    assert_eq!(stats.cpus.iter().map(|cpu| cpu.cpu).collect::<Vec<_>>(), [0, 0x1F0]);
}

#[test]
fn columns_of_a_later_kernel_are_skipped() {
    let text = text("6.1", "ip_vs_stats");
    let wider: String =
        text.lines().map(|line| if line.is_empty() { "\n".into() } else { format!("{line} 7\n") }).collect();
    assert_eq!(stats_from_reader(wider.as_bytes()).unwrap(), stats_from_reader(text.as_bytes()).unwrap());
}

#[test]
fn statistics_that_do_not_fit_are_an_error_with_the_line() {
    let unfit = |line: u8, piece: &str| {
        format!("line {line}: counter: \"{piece}\" does not fit: expected a hexadecimal number of 64 bits")
    };
    let missing =
        |line: u8| format!("line {line}: counter: something is missing: expected a hexadecimal number of 64 bits");
    let heading = |line: u8, piece: &str, expected: &str| {
        format!("line {line}: heading: \"{piece}\" does not fit: expected {expected}")
    };
    let early = "line 4: end of the counters: \"Conns/s\" does not fit: expected nothing more";
    for (change, with, message) in [
        ("Incoming", "Ingoing", heading(1, "Ingoing", "Incoming")),
        ("   Conns ", "", heading(2, "Packets", "Conns")),
        ("       7        F", "       7        G", unfit(3, "G")),
        ("3AD", "10000000000000000", unfit(3, "10000000000000000")),
        ("3AD", "+3A", unfit(3, "+3A")),
        ("1C5\n", "\n", missing(3)),
        ("1C5\n\n", "1C5\n", early.to_owned()),
        ("Conns/s", "Conns/m", heading(5, "Conns/m", "Conns/s")),
        ("               27\n", "", missing(6)),
    ] {
        let text = text("6.1", "ip_vs_stats");
        let changed = text.replacen(change, with, 1);
        assert_ne!(changed, text, "{change:?}");
        let error = stats_from_reader(changed.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), format!("get stats: ip_vs_stats: {message}"));
        assert!(error.is_malformed());
    }
}

#[test]
fn processors_out_of_order_are_an_error() {
    for cpu in ["  0", "  Z", "10000", "  -"] {
        let text = text("6.1", "ip_vs_stats_percpu").replace("\n  1 ", &format!("\n{cpu} "));
        let error = CpuStats::from_reader(text.as_bytes()).unwrap_err();
        let expected = format!(
            "get stats of processors: ip_vs_stats_percpu: line 4: processor: \"{}\" does not fit: \
             expected a hexadecimal number above the last, or ~",
            cpu.trim()
        );
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn file_that_ends_early_is_an_error() {
    let text = text("7.2", "ip_vs_stats_percpu");
    let ends: Vec<_> = text.match_indices('\n').map(|(end, _)| end + 1).collect();
    for end in ends.iter().rev().skip(1) {
        let error = CpuStats::from_reader(&text.as_bytes()[..*end]).unwrap_err();
        assert!(error.is_malformed(), "{error}");
    }
}
