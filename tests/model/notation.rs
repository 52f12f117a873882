//! Text accepted and refused, for settings.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use ipvs_rs::model::{
    Config, Granularity, MulticastGroup, ParseError, Persistence, Prefix, SchedulerFlags, ServiceFlags, SyncDaemon,
    SyncRole, Thresholds, Timeout, Tunnel, TunnelFlags, TunnelKind, Version, Weight,
};
use ipvs_rs::{ForwardMethod, Scheduler};

#[test]
fn forwarding_method_is_read_or_refused() {
    accepts::<ForwardMethod>(&[
        ("Masq", &["masq", "MASQ", "masquerade", "masquerading", "nat", "NAT", "-m", "--masquerading", " masq "]),
        ("Route", &["route", "droute", "dr", "direct", "gatewaying", "-g", "--gatewaying"]),
        ("Local", &["local"]),
        ("Bypass", &["bypass"]),
        ("Unknown-5", &["unknown-5"]),
        ("Tunnel", &["tunnel", "tunneling", "ipip", "IPIP", "-i", "--ipip", "Tunnel ipip", "-i ipip"]),
        ("Tunnel gue:6080", &["gue:6080", "GUE:6080", "tunnel  gue:6080", "-i gue:6080:-c"]),
        ("Tunnel gre+csum", &["gre+csum", "Tunnel gre:+c"]),
        ("Tunnel ipip+csum", &[]),
        ("Tunnel tunnel-3:9+remcsum", &["tunnel-3:9+remcsum"]),
    ]);
    let expected = "Masq, Tunnel, Route, Local or Bypass";
    refuses::<ForwardMethod>(&[
        ("", "forwarding method", "", expected),
        ("nope", "forwarding method", "nope", expected),
        ("-x", "forwarding method", "-x", expected),
        ("-M", "forwarding method", "-M", expected),
        ("--IPIP", "forwarding method", "--IPIP", expected),
        ("Masq Masq", "forwarding method", "Masq", "nothing more"),
        ("Tunnel ipip x", "forwarding method", "x", "nothing more"),
        ("Unknown-4", "forwarding method", "4", "5, 6 or 7"),
        ("Unknown-8", "forwarding method", "8", "5, 6 or 7"),
        ("Unknown-", "forwarding method", "", "5, 6 or 7"),
        ("Tunnel vxlan", "tunnel", "vxlan", "ipip, gue, gre, or tunnel- and a number"),
        ("gue", "tunnel", "gue", "a port, as in gue:6080"),
    ]);
}

#[test]
fn tunnel_is_read_or_refused() {
    accepts::<Tunnel>(&[
        ("ipip", &["IPIP", "tunnel-0", "ipip+nocsum", "ipip+0x0"]),
        ("gre", &["gre:-c", "tunnel-2"]),
        ("gre+csum", &["gre:+c", "gre+CSUM", "gre+0x1"]),
        ("gue:6080", &["gue:6080:-c", "gue:06080"]),
        ("gue:6080+csum", &["gue:6080:+c"]),
        ("gue:6080+remcsum", &["gue:6080:r+c"]),
        ("gue:6080+csum+remcsum+0xfffc", &["gue:6080+remcsum+csum+0xFFFC", "gue:6080+0xffff"]),
        ("ipip:5", &[]),
        ("tunnel-255", &[]),
    ]);
    let port = "a port of 1 to 65535";
    let flags = "csum, remcsum, or bits such as 0x4";
    refuses::<Tunnel>(&[
        ("", "tunnel", "", "ipip, gue, gre, or tunnel- and a number"),
        ("tunnel-256", "tunnel", "tunnel-256", "ipip, gue, gre, or tunnel- and a number"),
        ("gue", "tunnel", "gue", "a port, as in gue:6080"),
        ("gue:-c", "tunnel", "gue", "a port, as in gue:6080"),
        ("gue:0", "tunnel", "0", port),
        ("gue:65536", "tunnel", "65536", port),
        ("gue:6080:", "tunnel", "6080:", port),
        ("gre+", "tunnel", "", flags),
        ("GRE+Sum", "tunnel", "Sum", flags),
        ("VXLAN", "tunnel", "VXLAN", "ipip, gue, gre, or tunnel- and a number"),
        ("gre+0x10000", "tunnel", "0x10000", flags),
        ("gre+0x", "tunnel", "0x", flags),
    ]);
}

#[test]
fn tunnel_kind_and_flags_are_read_or_refused() {
    accepts::<TunnelKind>(&[("ipip", &["IPIP"]), ("gue", &[]), ("gre", &["Gre"]), ("tunnel-9", &["TUNNEL-9"])]);
    refuses::<TunnelKind>(&[("vxlan", "tunnel kind", "vxlan", "ipip, gue, gre, or tunnel- and a number")]);
    accepts::<TunnelFlags>(&[("nocsum", &["NOCSUM", "0x0"]), ("csum,remcsum", &["0x3"]), ("csum,0x8000", &["0x8001"])]);
    refuses::<TunnelFlags>(&[
        ("", "tunnel flags", "", "csum, remcsum, or bits such as 0x4"),
        ("csum,", "tunnel flags", "", "csum, remcsum, or bits such as 0x4"),
        ("csum,8", "tunnel flags", "8", "csum, remcsum, or bits such as 0x4"),
    ]);
}

#[test]
fn scheduler_flags_are_read_or_refused() {
    accepts::<SchedulerFlags>(&[
        ("", &[",", ",,"]),
        ("flag-1", &["sh-fallback", "mh-fallback", "flag-1,flag-1"]),
        ("flag-2", &["sh-port", "mh-port"]),
        ("flag-1,flag-2,flag-3", &["flag-3,sh-port,mh-fallback", ",flag-3,,flag-2,flag-1,"]),
    ]);
    let all = "flag-1, flag-2, flag-3, sh-fallback, sh-port, mh-fallback or mh-port";
    refuses::<SchedulerFlags>(&[
        ("flag-4", "scheduler flags", "flag-4", all),
        ("flag-1, flag-2", "scheduler flags", " flag-2", all),
        ("SH-PORT", "scheduler flags", "SH-PORT", all),
    ]);
}

#[test]
fn scheduler_flags_of_another_scheduler_are_refused() {
    let table = [
        (Scheduler::Sh, "mh-port", "sh-fallback, sh-port, flag-1, flag-2 or flag-3"),
        (Scheduler::Mh, "sh-fallback", "mh-fallback, mh-port, flag-1, flag-2 or flag-3"),
        (Scheduler::Wlc, "sh-port", "flag-1, flag-2 or flag-3"),
    ];
    for (scheduler, flag, expected) in table {
        let error = SchedulerFlags::from_notation(flag, &scheduler).unwrap_err();
        assert_eq!((error.what(), error.piece(), error.expected()), ("scheduler flags", flag, expected));
        assert_eq!(SchedulerFlags::from_notation("flag-3", &scheduler), Ok(SchedulerFlags::FLAG_3));
    }
    assert_eq!(SchedulerFlags::all().notation(&Scheduler::Sh), "sh-fallback,sh-port,flag-3");
}

#[test]
fn service_flags_are_read_or_refused() {
    accepts::<ServiceFlags>(&[
        ("", &["0x0"]),
        ("persistent,hashed,ops", &["ops,hashed,persistent", "0x7"]),
        ("flag-1,flag-2,flag-3,0xffffffc0", &["0xfffffff8"]),
    ]);
    let expected = "persistent, hashed, ops, flag-1, flag-2, flag-3, or bits such as 0x40";
    refuses::<ServiceFlags>(&[
        ("hash", "service flags", "hash", expected),
        ("0x100000000", "service flags", "0x100000000", expected),
    ]);
}

#[test]
fn weight_is_read_or_refused() {
    accepts::<Weight>(&[("0", &["00"]), ("2147483647", &["02147483647"])]);
    for text in ["", "-1", "+1", " 1", "1.0", "2147483648", "4294967296", "ten"] {
        refuses::<Weight>(&[(text, "weight", text, "0 to 2147483647")]);
    }
}

#[test]
fn thresholds_are_read_or_refused() {
    accepts::<Thresholds>(&[("0/0", &["0"]), ("10/0", &["10"]), ("10/5", &[]), ("2147483647/2147483647", &[])]);
    refuses::<Thresholds>(&[
        ("", "thresholds", "", "0 to 4294967295 connections"),
        ("4294967296", "thresholds", "4294967296", "0 to 4294967295 connections"),
        ("5/10", "thresholds", "10", "0 to the upper threshold"),
        ("0/1", "thresholds", "1", "0 to the upper threshold"),
        ("5/", "thresholds", "", "0 to the upper threshold"),
        ("5/1/1", "thresholds", "1/1", "0 to the upper threshold"),
    ]);
}

#[test]
fn granularity_and_prefix_are_read_or_refused() {
    accepts::<Granularity>(&[("client", &["Client"]), ("255.255.255.0", &[]), ("0.0.0.24", &[]), ("64", &["064"])]);
    let either = "a mask such as 255.255.255.0, an IPv6 prefix length of 1 to 128, or client";
    refuses::<Granularity>(&[
        ("", "persistence granularity", "", either),
        ("0", "persistence granularity", "0", either),
        ("129", "persistence granularity", "129", either),
        ("/24", "persistence granularity", "/24", either),
        ("ffff::", "persistence granularity", "ffff::", either),
        ("255.255.0", "persistence granularity", "255.255.0", "a mask such as 255.255.255.0"),
    ]);
    accepts::<Prefix>(&[("1", &[]), ("128", &[])]);
    refuses::<Prefix>(&[
        ("0", "IPv6 prefix length", "0", "1 to 128"),
        ("129", "IPv6 prefix length", "129", "1 to 128"),
        ("300", "IPv6 prefix length", "300", "1 to 128"),
        ("64x", "IPv6 prefix length", "64x", "1 to 128"),
    ]);
}

#[test]
fn persistence_is_read_or_refused() {
    accepts::<Persistence>(&[
        ("persistent 0", &["0"]),
        (
            "persistent 300 mask 255.255.255.0 pe sip",
            &["300 mask 255.255.255.0 pe SIP", " PERSISTENT  300 mask 255.255.255.0  pe sip"],
        ),
        ("persistent 300 mask 64", &["300 mask 64"]),
        ("persistent 300 pe mask", &[]),
    ]);
    let rest = "mask and a mask, then pe and a name";
    refuses::<Persistence>(&[
        ("", "persistence", "", "a number of seconds"),
        ("persistent", "persistence", "", "a number of seconds"),
        ("persistent 4294967296", "persistence", "4294967296", "0 to 4294967295 seconds"),
        ("1.5", "persistence", "1.5", "0 to 4294967295 seconds"),
        ("300s", "persistence", "300s", "0 to 4294967295 seconds"),
        ("300 mask", "persistence", "", "a mask or a prefix length"),
        (
            "300 mask 255",
            "persistence granularity",
            "255",
            "a mask such as 255.255.255.0, an IPv6 prefix length of 1 to 128, or client",
        ),
        ("300 pe", "persistence", "", "the name of an engine"),
        ("300 pe sip mask 64", "persistence", "mask", rest),
        ("300 64", "persistence", "64", rest),
    ]);
}

#[test]
fn timeout_and_config_are_read_or_refused() {
    accepts::<Timeout>(&[("900s", &["900", "0900"]), ("21474836s", &[])]);
    for text in ["", "s", "0", "21474837", "1.5", "15m", "-1", "900ss"] {
        refuses::<Timeout>(&[(text, "timeout", text, "1 to 21474836 seconds")]);
    }
    accepts::<Config>(&[
        ("unchanged", &[" unchanged "]),
        ("tcp 900s, tcpfin 120s, udp 300s", &["udp 300,tcp 900,tcpfin 120", " tcp  900s ,udp 300s, tcpfin 120s"]),
        ("tcpfin 1s", &["tcpfin 1"]),
    ]);
    let names = "tcp, tcpfin or udp, each with a number of seconds";
    refuses::<Config>(&[
        ("", "timeouts", "", names),
        ("tcp 900,", "timeouts", "", names),
        ("sctp 900", "timeouts", "sctp", names),
        ("900 120 300", "timeouts", "900", names),
        ("tcp", "timeouts", "", "a number of seconds"),
        ("tcp 0", "timeout", "0", "1 to 21474836 seconds"),
        ("tcp 1, tcp 1", "timeouts", "tcp", "each name once"),
        ("tcp 1 udp 1", "timeouts", "udp", "a comma between timeouts"),
    ]);
}

#[test]
fn version_is_read_or_refused() {
    accepts::<Version>(&[("1.2.1", &["01.2.1"]), ("65535.255.255", &[])]);
    for text in ["", "1.2", "1.2.1.0", "1.2.256", "65536.0.0", "v1.2.1", "1.-2.1"] {
        refuses::<Version>(&[(text, "version", text, "three numbers, as in 1.2.1")]);
    }
}

#[test]
fn sync_daemon_is_read_or_refused() {
    accepts::<SyncRole>(&[("master", &["MASTER"]), ("backup", &["Backup"])]);
    refuses::<SyncRole>(&[("slave", "sync role", "slave", "master or backup")]);
    accepts::<MulticastGroup>(&[("224.0.0.81", &[]), ("ff02::51", &["FF02:0::51"])]);
    refuses::<MulticastGroup>(&[
        ("10.0.0.1", "multicast group", "10.0.0.1", "an address of 224.0.0.0/4 or ff00::/8"),
        ("ff02::51%eth0", "multicast group", "ff02::51%eth0", "an address of 224.0.0.0/4 or ff00::/8"),
    ]);
    accepts::<SyncDaemon>(&[
        (
            "master sync daemon (mcast=eth1, syncid=7, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)",
            &["Master sync daemon (ttl=1, port=8848, group=224.0.0.81, maxlen=1472, syncid=7, mcast=eth1)"],
        ),
        ("backup sync daemon (mcast=a,b)=(c, syncid=0)", &["backup sync daemon (mcast=a,b)=(c)"]),
    ]);
    let form = "master or backup, then sync daemon (mcast=…, syncid=…)";
    let parts = "mcast=, syncid=, maxlen=, group=, port= or ttl=";
    refuses::<SyncDaemon>(&[
        ("", "sync daemon", "", form),
        ("master", "sync daemon", "master", form),
        ("master sync daemon (mcast=eth1", "sync daemon", "master sync daemon (mcast=eth1", form),
        ("primary sync daemon (mcast=eth1)", "sync role", "primary", "master or backup"),
        ("master sync daemon (syncid=1)", "sync daemon", "", "mcast= and an interface"),
        ("master sync daemon (mcast=)", "interface", "", "1 to 15 characters without blanks, slashes and colons"),
        ("master sync daemon ()", "sync daemon", "", parts),
        ("master sync daemon (mcast=eth1, mtu=5)", "sync daemon", "mtu", parts),
        ("master sync daemon (mcast=eth1, mcast=eth2)", "sync daemon", "mcast", "each part once"),
        ("master sync daemon (mcast=eth1, syncid=-1)", "sync daemon", "-1", "0 to 4294967295"),
        ("master sync daemon (mcast=eth1, maxlen=0)", "sync daemon", "0", "1 to 65535 bytes"),
        ("master sync daemon (mcast=eth1, port=65536)", "sync daemon", "65536", "1 to 65535"),
        ("master sync daemon (mcast=eth1, ttl=256)", "sync daemon", "256", "1 to 255"),
        (
            "master sync daemon (mcast=eth1, group=10.0.0.1)",
            "multicast group",
            "10.0.0.1",
            "an address of 224.0.0.0/4 or ff00::/8",
        ),
    ]);
}

#[test]
fn width_pads_the_whole_value() {
    let forward: ForwardMethod = "gue:1".parse().unwrap();
    assert_eq!(format!("{forward:<16}|"), "Tunnel gue:1    |");
    assert_eq!(
        format!("{:>6}|{:<4}|", "7".parse::<Weight>().unwrap(), "master".parse::<SyncRole>().unwrap()),
        "     7|master|"
    );
    assert_eq!(format!("{:<8.3}|", "Route".parse::<ForwardMethod>().unwrap()), "Rou     |");
}

/// Each line: what prints, and what else reads as the same.
#[track_caller]
fn accepts<T: FromStr<Err = ParseError> + Display + PartialEq + Debug>(table: &[(&str, &[&str])]) {
    for (canonical, others) in table {
        let value: T = canonical.parse().unwrap_or_else(|error| panic!("{canonical:?}: {error}"));
        assert_eq!(value.to_string(), *canonical);
        for other in *others {
            assert_eq!(other.parse().as_ref(), Ok(&value), "{other:?}");
        }
    }
}

/// Each line: the text, then what, piece and expectation of the error.
#[track_caller]
fn refuses<T: FromStr<Err = ParseError> + Debug>(table: &[(&str, &str, &str, &str)]) {
    for (text, what, piece, expected) in table {
        let error = text.parse::<T>().expect_err(text);
        assert_eq!((error.what(), error.piece(), error.expected()), (*what, *piece, *expected), "{text:?}");
    }
}
