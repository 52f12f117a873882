//! The words of errors, and what they can be told by.

use ipvs_rs::procfs::{Connection, Connections, ProcfsErrorKind, ProcfsOperation};

use crate::printed::{HEADER, HEADER_WITH_ORIGIN};

#[test]
fn row_that_does_not_fit_is_an_error_that_names_the_column() {
    let protocol = ("protocol", "a name of 1 to 15 bytes, such as TCP");
    let address = |what| (what, "an address of 8 hexadecimal digits, or of 8 groups of 4");
    let port = |what| (what, "a port of 4 hexadecimal digits");
    let state = ("state", "a name of 1 to 15 bytes, such as ESTABLISHED");
    let expiry = ("expiry", "a number of seconds");
    let engine = ("persistence engine", "a name of 1 to 16 bytes");
    let short = "2001:0db8:0000:0000:0000:0000:0000";
    let long = "2001:0db8:0000:0000:0000:0000:0000:0001:0002";
    let until_state = "TCP 0A020002 A028 0A090909 0050 0A010003 1F90";
    for (row, piece, (what, expected)) in [
        (String::new(), "", protocol),
        ("A-NAME-OF-16-BYT".to_owned(), "A-NAME-OF-16-BYT", protocol),
        ("TCP".to_owned(), "", address("client")),
        ("TCP 10.2.0.2".to_owned(), "10.2.0.2", address("client")),
        ("TCP 0A02000".to_owned(), "0A02000", address("client")),
        ("TCP 0A0200022".to_owned(), "0A0200022", address("client")),
        ("TCP 2001:db8::1".to_owned(), "2001:db8::1", address("client")),
        (format!("TCP {short}"), short, address("client")),
        (format!("TCP {long}"), long, address("client")),
        ("TCP 0A020002 80".to_owned(), "80", port("client")),
        ("TCP 0A020002 00050".to_owned(), "00050", port("client")),
        ("TCP 0A020002 +050".to_owned(), "+050", port("client")),
        ("TCP 0A020002 A028 0A090909".to_owned(), "", port("virtual address")),
        ("TCP 0A020002 A028 0A090909 0050 x".to_owned(), "x", address("destination")),
        (until_state.to_owned(), "", state),
        (format!("{until_state} A-NAME-OF-16-BYT"), "A-NAME-OF-16-BYT", state),
        (format!("{until_state} NONE"), "", expiry),
        (format!("{until_state} NONE -1"), "-1", expiry),
        (format!("{until_state} NONE 18446744073709551616"), "18446744073709551616", expiry),
        (format!("{until_state} NONE 1 a-name-of-17-byte x"), "a-name-of-17-byte", engine),
    ] {
        let message = if piece.is_empty() {
            format!("{what}: something is missing: expected {expected}")
        } else {
            format!("{what}: \"{piece}\" does not fit: expected {expected}")
        };
        assert_eq!(row.parse::<Connection>().unwrap_err().to_string(), message);
        let table = format!("{HEADER}{row}\n");
        let error = Connections::from_reader(table.as_bytes()).next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), format!("get connections: ip_vs_conn: line 2: {message}"));
        assert_eq!(format!("{error:?}"), error.to_string());
        assert_eq!((error.kind(), error.line()), (ProcfsErrorKind::Line, Some(2)));
        assert_eq!((error.operation(), error.file()), (ProcfsOperation::GetConnections, "ip_vs_conn"));
        assert_eq!(error.parse_error().unwrap().to_string(), message);
        assert!(error.is_malformed() && !error.is_not_available() && !error.is_permission_denied());
        assert!(error.namespace().is_none() && error.io_error().is_none() && error.hint().is_none());
    }
}

#[test]
fn row_with_origin_needs_it() {
    let start = "TCP 0A020002 A028 0A090909 0050 0A010003 1F90 NONE";
    for (rest, message) in [
        ("115", "origin: \"115\" does not fit: expected LOCAL or SYNC"),
        ("REMOTE 115", "origin: \"REMOTE\" does not fit: expected LOCAL or SYNC"),
    ] {
        let table = format!("{HEADER_WITH_ORIGIN}{start} {rest}\n");
        let error = Connections::from_reader(table.as_bytes()).next().unwrap().unwrap_err();
        assert_eq!(error.parse_error().unwrap().to_string(), message);
    }
}

#[test]
fn piece_that_is_long_or_no_text_is_shown_in_part_and_escaped() {
    let row = format!("TCP {}", "x".repeat(4000));
    let error = Connection::from_row(row.as_bytes()).unwrap_err();
    assert_eq!(error.piece(), "x".repeat(64));
    let error = Connection::from_row(b"TCP \x1b[2J\xff").unwrap_err();
    assert!(error.to_string().starts_with("client: \"\\u{1b}[2J\u{fffd}\" does not fit"), "{error}");
}

#[cfg(target_os = "linux")]
mod linux {
    use ipvs_rs::procfs::{Procfs, ProcfsErrorKind, Sysctl, SysctlValue};
    use ipvs_rs::transport::{Netns, NetnsProblem};

    #[test]
    fn namespace_that_is_not_there_is_an_error_of_everything() {
        let nowhere = Procfs::of(Netns::path("/run/netns/no-such-namespace"));
        let errors = [
            ("get connections", nowhere.connections().unwrap_err()),
            ("get connections", nowhere.connections_with_origin().unwrap_err()),
            ("get stats", nowhere.get_stats().unwrap_err()),
            ("get stats of processors", nowhere.get_cpu_stats().unwrap_err()),
            ("get sysctl conntrack", nowhere.get_sysctl(Sysctl::Conntrack).unwrap_err()),
            ("get sysctl am_droprate", nowhere.get_sysctls().unwrap_err()),
            ("set sysctl conntrack to 1", nowhere.set_sysctl(Sysctl::Conntrack, true).unwrap_err()),
        ];
        for (operation, error) in errors {
            let expected = format!(
                "{operation}: network namespace /run/netns/no-such-namespace: the file or process does not exist; \
                 `ip netns` lists those with a name"
            );
            assert_eq!(error.to_string(), expected);
            assert_eq!(error.kind(), ProcfsErrorKind::Namespace);
            assert_eq!(error.namespace(), Some("/run/netns/no-such-namespace"));
            assert!(matches!(error.namespace_error().unwrap().problem(), NetnsProblem::Missing));
        }
    }

    #[test]
    fn value_of_another_kind_is_refused_before_anything_is_written() {
        for (sysctl, value, message) in [
            (
                Sysctl::Conntrack,
                SysctlValue::Cpus("0-1".to_owned()),
                "set sysctl conntrack to 0-1: /proc/sys/net/ipv4/vs/conntrack: conntrack: \"0-1\" does not fit: \
                 expected a number",
            ),
            (
                Sysctl::EstCpulist,
                SysctlValue::Cpus("0\n1".to_owned()),
                "set sysctl est_cpulist to 0\\n1: /proc/sys/net/ipv4/vs/est_cpulist: est_cpulist: \"0\\n1\" does not \
                 fit: expected a list of processors, such as 0-3,8",
            ),
            (
                Sysctl::SyncThreshold,
                SysctlValue::Number(3),
                "set sysctl sync_threshold to 3: /proc/sys/net/ipv4/vs/sync_threshold: sync_threshold: \"3\" does not \
                 fit: expected two numbers",
            ),
        ] {
            let error = Procfs::current().set_sysctl(sysctl, value.clone()).unwrap_err();
            assert_eq!(error.to_string(), message);
            assert_eq!(error.kind(), ProcfsErrorKind::Value);
            assert_eq!((error.value(), error.operation().sysctl()), (Some(&value), Some(sysctl)));
            assert!(error.is_invalid() && !error.is_permission_denied() && error.read_back().is_none());
        }
    }
}
