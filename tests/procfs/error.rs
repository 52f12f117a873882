//! The words of errors, and what they can be told by.

use ipvs_rs::procfs::{Connection, Connections, ProcfsErrorKind, ProcfsOperation};

use crate::printed::{HEADER, HEADER_WITH_ORIGIN};

#[test]
fn row_that_does_not_fit_is_an_error_that_names_the_column() {
    let address = "expected an address of 8 hexadecimal digits, or of 8 groups of 4";
    let port = "expected a port of 4 hexadecimal digits";
    for (row, message) in [
        ("", "protocol: something is missing: expected a name of 1 to 15 bytes, such as TCP".to_owned()),
        (
            "A-NAME-OF-16-BYT",
            "protocol: \"A-NAME-OF-16-BYT\" does not fit: expected a name of 1 to 15 bytes, such as TCP".to_owned(),
        ),
        ("TCP", format!("client: something is missing: {address}")),
        ("TCP 10.2.0.2", format!("client: \"10.2.0.2\" does not fit: {address}")),
        ("TCP 0A02000", format!("client: \"0A02000\" does not fit: {address}")),
        ("TCP 0A0200022", format!("client: \"0A0200022\" does not fit: {address}")),
        ("TCP 2001:db8::1", format!("client: \"2001:db8::1\" does not fit: {address}")),
        (
            "TCP 2001:0db8:0000:0000:0000:0000:0000",
            format!("client: \"2001:0db8:0000:0000:0000:0000:0000\" does not fit: {address}"),
        ),
        (
            "TCP 2001:0db8:0000:0000:0000:0000:0000:0001:0002",
            format!("client: \"2001:0db8:0000:0000:0000:0000:0000:0001:0002\" does not fit: {address}"),
        ),
        ("TCP 0A020002 80", format!("client: \"80\" does not fit: {port}")),
        ("TCP 0A020002 00050", format!("client: \"00050\" does not fit: {port}")),
        ("TCP 0A020002 +050", format!("client: \"+050\" does not fit: {port}")),
        ("TCP 0A020002 A028 0A090909", format!("virtual address: something is missing: {port}")),
        ("TCP 0A020002 A028 0A090909 0050 x", format!("destination: \"x\" does not fit: {address}")),
        (
            "TCP 0A020002 A028 0A090909 0050 0A010003 1F90",
            "state: something is missing: expected a name of 1 to 15 bytes, such as ESTABLISHED".to_owned(),
        ),
        (
            "TCP 0A020002 A028 0A090909 0050 0A010003 1F90 NONE",
            "expiry: something is missing: expected a number of seconds".to_owned(),
        ),
        (
            "TCP 0A020002 A028 0A090909 0050 0A010003 1F90 NONE -1",
            "expiry: \"-1\" does not fit: expected a number of seconds".to_owned(),
        ),
        (
            "TCP 0A020002 A028 0A090909 0050 0A010003 1F90 NONE 18446744073709551616",
            "expiry: \"18446744073709551616\" does not fit: expected a number of seconds".to_owned(),
        ),
        (
            "TCP 0A020002 A028 0A090909 0050 0A010003 1F90 NONE 1 ",
            "persistence engine: something is missing: expected a name of 1 to 16 bytes".to_owned(),
        ),
        (
            "TCP 0A020002 A028 0A090909 0050 0A010003 1F90 NONE 1 a-name-of-17-byte x",
            "persistence engine: \"a-name-of-17-byte\" does not fit: expected a name of 1 to 16 bytes".to_owned(),
        ),
    ] {
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
fn row_with_origin_needs_it_and_ends_after_the_expiry() {
    let start = "TCP 0A020002 A028 0A090909 0050 0A010003 1F90 NONE";
    for (rest, message) in [
        ("115", "origin: \"115\" does not fit: expected LOCAL or SYNC"),
        ("REMOTE 115", "origin: \"REMOTE\" does not fit: expected LOCAL or SYNC"),
        ("LOCAL 115 sip x", "connection: \"sip\" does not fit: expected nothing more"),
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
                "{operation}: network namespace /run/netns/no-such-namespace: there is no such file or process; \
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
