//! A connection as a line, as data, and as one of a service.

use ipvs_rs::procfs::{Connection, ConnectionOrigin, ConnectionProtocol, ConnectionState, Connections};
use proptest::prelude::*;

use crate::printed::{HEADER, HEADER_WITH_ORIGIN, arb_known};

fn connection(row: &[u8]) -> Connection {
    Connection::from_row(row).unwrap()
}

#[test]
fn connection_prints_as_ipvsadm_lists_it() {
    for (row, line) in [
        (
            &b"TCP 0A020002 A028 0A090909 0050 0A010003 1F90 ESTABLISHED     895"[..],
            "TCP 14:55 ESTABLISHED 10.2.0.2:41000 10.9.9.9:80 10.1.0.3:8080",
        ),
        (
            b"TCP 2001:0db8:0002:0000:0000:0000:0000:0002 A028 2001:0db8:0009:0000:0000:0000:0000:0009 0050 \
              2001:0db8:0001:0000:0000:0000:0000:0002 0050 TIME_WAIT         5",
            "TCP 00:05 TIME_WAIT [2001:db8:2::2]:41000 [2001:db8:9::9]:80 [2001:db8:1::2]:80",
        ),
        (
            b"UDP 0A090909 0000 0A090909 13C4 C0000263 14B4 NONE          36000 sip 1\xff\\ 2",
            "UDP 600:00 NONE 10.9.9.9:0 10.9.9.9:5060 192.0.2.99:5300 sip 1\\xff\\\\ 2",
        ),
    ] {
        assert_eq!(connection(row).to_string(), line);
    }
}

#[test]
fn connection_names_its_service() {
    for (row, service) in [
        ("TCP 0A020002 A028 0A090909 0050 0A010003 1F90 ESTABLISHED     895", Some("TCP 10.9.9.9:80")),
        ("IP_50 0A020002 0000 0A090909 0000 0A010003 0000 NONE            60", Some("ESP 10.9.9.9:0")),
        ("IP  0A020000 0000 00000007 0000 0A010003 0000 ASSURED          60", Some("FWM 7")),
        ("IP  0A020000 0000 00000000 0000 0A010003 0000 ASSURED          60", None),
        ("QUIC 0A020002 A028 0A090909 0050 0A010003 1F90 NONE            60", None),
    ] {
        let id = connection(row.as_bytes()).service_id();
        assert_eq!(id, service.map(|id| id.parse().unwrap()), "{row}");
    }
    let mark = b"IP  2001:0db8:0000:0000:0000:0000:0000:0000 0000 0001:0002:0000:0000:0000:0000:0000:0000 0000 \
                 2001:0db8:0001:0000:0000:0000:0000:0002 0000 NONE 5";
    assert_eq!(connection(mark).service_id(), Some("FWM 65538 IPv6".parse().unwrap()));
}

#[test]
fn words_are_read_as_they_are_printed() {
    assert_eq!("TCP".parse(), Ok(ConnectionProtocol::Tcp));
    assert_eq!("C-SENT".parse(), Ok(ConnectionState::CookieSent));
    assert_eq!("SYNC".parse(), Ok(ConnectionOrigin::Sync));
    for text in ["", "tcp udp", "0123456789abcdef", "a\\q", "a\\x4"] {
        assert_eq!(text.parse::<ConnectionState>().unwrap_err().piece(), text);
        assert_eq!(text.parse::<ConnectionProtocol>().unwrap_err().what(), "protocol");
    }
    assert_eq!("local".parse::<ConnectionOrigin>().unwrap_err().expected(), "LOCAL or SYNC");
    let odd = connection(b"a\xff\\ 0A020002 A028 0A090909 0050 0A010003 1F90 b\\x41 895");
    assert_eq!((odd.protocol.to_string(), odd.state.to_string()), ("a\\xff\\\\".into(), "b\\\\x41".into()));
    assert_eq!(odd.protocol.to_string().parse(), Ok(odd.protocol));
    assert_eq!(odd.state.to_string().parse(), Ok(odd.state));
}

#[test]
fn blanks_and_unknown_columns_behind_the_last_one_mean_nothing() {
    const WITHOUT_ENGINE: &str = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires";
    let start = "TCP 0A020002 A028 0A090909 0050 0A010003 1F90 NONE";
    let plain = connection(format!("{start} 895").as_bytes());
    assert_eq!(connection(format!("{start} 895   ").as_bytes()), plain);
    let first = |header: &str, row: &str| {
        let table = format!("{header}\n{row}\n");
        Connections::from_reader(table.as_bytes()).next().unwrap().unwrap()
    };
    for (header, rest) in [
        (HEADER.trim_end(), "895 "),
        (WITHOUT_ENGINE, "895"),
        (WITHOUT_ENGINE, "895  "),
        (&format!("{WITHOUT_ENGINE} Flags CPU"), "895 0x0042-and-much-more 3"),
    ] {
        assert_eq!(first(header, &format!("{start} {rest}")), plain, "{header}: {rest}");
    }
    for rest in ["LOCAL 895", "LOCAL 895 ", "LOCAL 895 sip x"] {
        let found = first(HEADER_WITH_ORIGIN.trim_end(), &format!("{start} {rest}"));
        assert_eq!((found.origin, found.engine), (Some(ConnectionOrigin::Local), None), "{rest}");
    }
    let engine = first(HEADER.trim_end(), &format!("{start} 895 sip  a ")).engine.unwrap();
    assert_eq!(engine.data, b" a ", "the blanks of data are data");
}

#[cfg(feature = "serde")]
#[test]
fn connection_is_data_with_the_words_of_the_kernel() {
    let row = b"UDP 0A090909 0000 0A090909 13C4 C0000263 14B4 NONE             59 sip 1\xff@10.2.0.2";
    let json = serde_json::json!({
        "protocol": "UDP",
        "client": "10.9.9.9:0",
        "service": "10.9.9.9:5060",
        "destination": "192.0.2.99:5300",
        "state": "NONE",
        "expires_secs": 59,
        "engine": { "name": "sip", "data": "1\\xff@10.2.0.2" },
    });
    assert_eq!(serde_json::to_value(connection(row)).unwrap(), json);
    let mut wrong = json.clone();
    wrong["engine"]["data"] = "\\q".into();
    let error = serde_json::from_value::<Connection>(wrong).unwrap_err().to_string();
    assert_eq!(
        error,
        "data of a persistence engine: \"\\\\q\" does not fit: expected text with other bytes as \\x00 to \\xff"
    );
    let mut wrong = json;
    wrong["state"] = 7.into();
    let error = serde_json::from_value::<Connection>(wrong).unwrap_err().to_string();
    assert_eq!(error, "invalid type: integer `7`, expected the state of a connection, such as ESTABLISHED");
}

proptest! {
    #[cfg(feature = "serde")]
    #[test]
    fn data_is_read_as_it_was_written(known in arb_known()) {
        let connection = connection(&known.row());
        let json = serde_json::to_string(&connection).unwrap();
        prop_assert_eq!(serde_json::from_str::<Connection>(&json).unwrap(), connection);
    }

    #[test]
    fn words_of_any_connection_are_read_as_they_are_printed(known in arb_known()) {
        let connection = connection(&known.row());
        prop_assert_eq!(connection.protocol.to_string().parse(), Ok(connection.protocol));
        prop_assert_eq!(connection.state.to_string().parse(), Ok(connection.state));
        prop_assert!(!connection.to_string().contains('\n'));
    }
}
