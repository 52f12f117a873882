//! The values that a file may have, and the messages about those that it may not.

use ipvs_rs::desired::plan::{PlanOptions, plan};
use ipvs_rs::desired::spec::FileSpec;
use ipvs_rs::desired::{Activity, DesiredState, DestinationAttributes, Observed, ServiceAttributes, Severity};

use super::given::live;

/// A file in JSON, which needs no reader of ours.
fn file(json: &str) -> FileSpec {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn state(json: &str) -> DesiredState {
    DesiredState::from_spec(&file(json)).unwrap_or_else(|errors| panic!("{json}: {errors}")).0
}

/// Path and message of every error.
fn errors(json: &str) -> Vec<String> {
    let errors = DesiredState::from_spec(&file(json)).expect_err(json);
    errors.errors().map(|error| format!("{}: {}", error.place.path, error.message)).collect()
}

fn warnings(json: &str) -> Vec<String> {
    let (_, warnings) = DesiredState::from_spec(&file(json)).unwrap_or_else(|errors| panic!("{json}: {errors}"));
    assert!(warnings.iter().all(|warning| warning.severity == Severity::Warning));
    warnings.iter().map(|warning| warning.message.clone()).collect()
}

fn made(json: &str) -> Vec<String> {
    let plan = plan(&Observed::default(), &state(json), &PlanOptions::new().prune(true));
    plan.rules().to_string().lines().map(str::to_owned).collect()
}

fn service(address: &str) -> String {
    format!(r#"{{"services": [{{"address": "{address}"}}]}}"#)
}

fn destination(address: &str) -> String {
    format!(r#"{{"services": [{{"address": "tcp://192.0.2.1:80", "destinations": [{{"address": "{address}"}}]}}]}}"#)
}

#[test]
fn addresses_of_services_are_read() {
    for (address, rule) in [
        ("tcp://10.0.0.1:80", "-A -t 10.0.0.1:80 -s rr"),
        ("tcp://10.0.0.1", "-A -t 10.0.0.1:0 -s rr"),
        ("tcp://10.0.0.1:0", "-A -t 10.0.0.1:0 -s rr"),
        ("tcp://10.0.0.1:80/", "-A -t 10.0.0.1:80 -s rr"),
        ("tcp://10.0.0.1:80///  ", "-A -t 10.0.0.1:80 -s rr"),
        ("tcp://10.0.0.1:080", "-A -t 10.0.0.1:80 -s rr"),
        ("udp://10.0.0.1:53", "-A -u 10.0.0.1:53 -s rr"),
        ("sctp://10.0.0.1:9", "-A --sctp-service 10.0.0.1:9 -s rr"),
        ("tcp://[2001:DB8:0::1]:80", "-A -t [2001:db8::1]:80 -s rr"),
        ("tcp://[2001:db8::1]", "-A -t [2001:db8::1]:0 -s rr"),
        ("fwmark:1", "-A -f 1 -s rr"),
        ("fwmark:65535", "-A -f 65535 -s rr"),
        ("fwmark:010", "-A -f 10 -s rr"),
        ("fwmark6:7", "-A -f 7 -6 -s rr"),
    ] {
        assert_eq!(made(&service(address)), [rule], "{address}");
    }
}

#[test]
fn other_addresses_of_services_are_refused() {
    const FORM: &str = "Must be of format <proto>://<host>[:port] or fwmark:<id>.";
    for (address, message) in [
        (" tcp://10.0.0.1:80", format!("unable to parse address ( tcp://10.0.0.1:80). {FORM}")),
        ("TCP://10.0.0.1:80", format!("unable to parse address (TCP://10.0.0.1:80). {FORM}")),
        ("icmp://10.0.0.1", format!("unable to parse address (icmp://10.0.0.1). {FORM}")),
        ("tcp:/10.0.0.1", format!("unable to parse address (tcp:/10.0.0.1). {FORM}")),
        ("10.0.0.1:80", format!("unable to parse address (10.0.0.1:80). {FORM}")),
        (
            "tcp://10.0.0.1:80:90",
            format!("unable to parse address (tcp://10.0.0.1:80:90). {FORM} IPv6 addresses stand in brackets."),
        ),
        (
            "tcp://2001:db8::1",
            format!("unable to parse address (tcp://2001:db8::1). {FORM} IPv6 addresses stand in brackets."),
        ),
        ("tcp://10.0.0.1:x", format!("unable to parse address (tcp://10.0.0.1:x). {FORM}")),
        ("tcp://10.0.0.1:", format!("unable to parse address (tcp://10.0.0.1:). {FORM}")),
        ("tcp://name.example:80", "unable to parse address (name.example). Not an IP address.".to_owned()),
        ("tcp://01.2.3.4:80", "unable to parse address (01.2.3.4). Not an IP address.".to_owned()),
        ("udp://[fe80:::1]:89/", "unable to parse address (fe80:::1). Not an IP address.".to_owned()),
        ("udp://[10.0.0.1]:89", "unable to parse address (10.0.0.1). Not an IP address.".to_owned()),
        ("tcp://10.0.0.1:99999", "invalid port (99999) for service tcp://10.0.0.1:99999.".to_owned()),
        ("tcp://10.0.0.1:-5", "invalid port (-5) for service tcp://10.0.0.1:-5.".to_owned()),
        ("fwmark:0", "unable to parse address (). Not an IP address. Firewall marks begin with 1.".to_owned()),
        (
            "fwmark:65536",
            "unable to parse address (). Invalid fwmark number. Marks above 65535 take version: 2.".to_owned(),
        ),
        ("fwmark:-1", format!("unable to parse address (fwmark:-1). {FORM}")),
        ("fwmark:0x10", format!("unable to parse address (fwmark:0x10). {FORM}")),
        ("fwmark:a", format!("unable to parse address (fwmark:a). {FORM}")),
        ("fwmark:1:2", format!("unable to parse address (fwmark:1:2). {FORM}")),
        ("fwmark://30", format!("unable to parse address (fwmark://30). {FORM}")),
        ("fwmark:", format!("unable to parse address (fwmark:). {FORM}")),
    ] {
        assert_eq!(errors(&service(address)), [format!("services[0].address: {message}")], "{address}");
    }
}

#[test]
fn addresses_of_destinations_are_read() {
    for (address, id) in [
        ("10.0.0.1", "10.0.0.1:80"),
        ("10.0.0.1:8080", "10.0.0.1:8080"),
        ("10.0.0.1:080", "10.0.0.1:80"),
        ("10.0.0.1:0", "10.0.0.1:0"),
    ] {
        let rules = made(&destination(address));
        assert_eq!(rules[1], format!("-a -t 192.0.2.1:80 -r {id} -g -w 0"), "{address}");
    }
}

#[test]
fn other_addresses_of_destinations_are_refused() {
    const SERVICE: &str = "for service tcp://192.0.2.1:80.";
    for (address, message) in [
        ("tcp://10.0.0.1:80", format!("unable to parse address (tcp://10.0.0.1:80) {SERVICE} Check host and port.")),
        ("10.0.0.1:abc", format!("unable to parse address (10.0.0.1:abc) {SERVICE} Check host and port.")),
        ("::1", format!("unable to parse address (::1) {SERVICE} Check host and port.")),
        ("web1:80", format!("unable to parse address (web1) {SERVICE} Not an IP address.")),
        (
            "10.0.0.1:70000",
            "invalid port (70000) for destination 10.0.0.1:70000 in service tcp://192.0.2.1:80.".to_owned(),
        ),
    ] {
        let path = "services[0].destinations[0].address";
        assert_eq!(errors(&destination(address)), [format!("{path}: {message}")], "{address}");
    }
}

#[test]
fn every_mistake_is_reported_at_once() {
    let json = r#"{
        "defaults": {"port": 8374284, "weight": 7462943, "sched": "", "forward": "xdirect"},
        "services": [
            {"address": ""},
            {},
            {"address": "tcp://192.0.2.1:80", "sched": "xrr"},
            {"address": "tcp://192.0.2.2:80", "destinations": [
                {},
                {"address": "10.0.0.1:80", "forward": "xnat", "weight": 89647},
                {"address": "10.0.0.2:80"},
                {"address": "10.0.0.2:080"}
            ]},
            {"address": "tcp://192.0.2.1:80/"}
        ]}"#;
    assert_eq!(
        errors(json),
        [
            "defaults.port: Default port out of range: 8374284",
            "defaults.weight: Default weight out of range: 7462943",
            "defaults.sched: invalid default scheduler: ",
            "defaults.forward: invalid default forward: xdirect. Allowed forwards are direct,nat,tunnel",
            "services[0]: Service address may not be empty",
            "services[1]: Service address may not be empty",
            "services[2].sched: invalid scheduler (xrr) for service (tcp://192.0.2.1:80).",
            "services[3].destinations[0]: Destination address may not be empty for service tcp://192.0.2.2:80",
            "services[3].destinations[1].weight: invalid weight (89647) for destination 10.0.0.1:80 in service \
             tcp://192.0.2.2:80.",
            "services[3].destinations[1].forward: invalid forward (xnat) for destination 10.0.0.1:80 in service \
             tcp://192.0.2.2:80. Allowed are direct,nat,tunnel",
            "services[3].destinations[3].address: Destination addresses must be unique per service: 10.0.0.2:080 in \
             service tcp://192.0.2.2:80 (first at services[3].destinations[2].address)",
            "services[4].address: Service addresses must be unique: tcp://192.0.2.1:80/ (first at services[2].address)",
        ]
    );
}

#[test]
fn defaults_count_where_nothing_is_said() {
    let json = r#"{
        "defaults": {"port": 80, "weight": 9, "sched": "wrr", "forward": "nat"},
        "services": [
            {"address": "tcp://192.0.2.1", "destinations": [
                {"address": "10.0.0.1"},
                {"address": "10.0.0.2:0"},
                {"address": "10.0.0.3:81", "weight": 0, "forward": "tunnel"}
            ]},
            {"address": "tcp://192.0.2.2:443", "sched": "sed", "destinations": [{"address": "10.0.0.1"}]},
            {"address": "fwmark:7", "destinations": [{"address": "10.0.0.1"}]}
        ]}"#;
    assert_eq!(
        made(json),
        [
            "-A -t 192.0.2.1:80 -s wrr",
            "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 9",
            "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 9",
            "-a -t 192.0.2.1:80 -r 10.0.0.3:81 -i -w 0 --tun-type ipip",
            "-A -t 192.0.2.2:443 -s sed",
            "-a -t 192.0.2.2:443 -r 10.0.0.1:80 -m -w 9",
            "-A -f 7 -s wrr",
            "-a -f 7 -r 10.0.0.1:80 -m -w 9",
        ]
    );
}

#[test]
fn a_default_port_makes_two_spellings_the_same_service() {
    let json = r#"{"defaults": {"port": 80},
        "services": [{"address": "tcp://192.0.2.1:80"}, {"address": "tcp://192.0.2.1"}]}"#;
    assert_eq!(
        errors(json),
        ["services[1].address: Service addresses must be unique: tcp://192.0.2.1 (first at services[0].address)"]
    );
}

#[test]
fn version_1_leaves_alone_what_it_does_not_say() {
    let with = |more: &str| {
        state(&format!(
            r#"{{"services": [{{"address": "udp://192.0.2.1:53"{more}, "destinations": [
                {{"address": "10.0.0.1", "forward": "tunnel", "thresholds": {{"upper": 5}}}}]}}]}}"#
        ))
    };
    let plain = with("");
    assert_eq!(plain.services[0].left_alone, ServiceAttributes::all());
    assert_eq!(plain.services[0].destinations[0].left_alone, DestinationAttributes::TUNNEL);
    let said = with(r#", "persistence": false, "one-packet": true, "sched-flags": []"#);
    assert_eq!(said.services[0].left_alone, ServiceAttributes::empty());
    let second = state(r#"{"version": 2, "services": [{"address": "udp://192.0.2.1:53"}]}"#);
    assert_eq!(second.services[0].left_alone, ServiceAttributes::empty());
}

#[test]
fn version_2_says_what_version_1_cannot() {
    let json = |version: u8| {
        format!(
            r#"{{"version": {version}, "services": [{{"address": "fwmark:89647", "sched": "custom_1",
                "destinations": [{{"address": "10.0.0.1", "weight": 70000, "forward": "masq"}}]}}]}}"#
        )
    };
    assert_eq!(made(&json(2)), ["-A -f 89647 -s custom_1", "-a -f 89647 -r 10.0.0.1:0 -m -w 70000"]);
    assert_eq!(warnings(&json(2)), ["the scheduler custom_1 is not one of Linux: a module must bring it"]);
    assert_eq!(errors(&json(1)).len(), 4);
    assert_eq!(errors(r#"{"version": 3}"#), ["version: unknown version 3: there are 1 and 2"]);
}

#[test]
fn every_setting_of_the_kernel_can_be_said() {
    let json = r#"{"version": 2,
        "services": [
            {"address": "tcp://[2001:db8::80]:443", "sched": "mh", "sched-flags": ["port", "mh-fallback"],
             "persistence": {"timeout": "5m", "prefix": 64}, "destinations": [
                {"address": "[2001:db8:1::11]", "forward": "tunnel",
                 "tunnel": {"type": "gue", "port": 6080, "checksum": "remote"}, "thresholds": {"upper": 5000, "lower": 4000}},
                {"address": "198.51.100.9:443", "forward": "tunnel", "tunnel": {"type": "gre", "checksum": "on"}}
            ]},
            {"address": "udp://192.0.2.60:5060", "persistence": {"timeout": "120s", "engine": "sip"}},
            {"address": "udp://192.0.2.53:53", "one-packet": true, "persistence": true, "sched-flags": ["flag-3"]},
            {"address": "tcp://192.0.2.7:7", "persistence": "1h30m"},
            {"address": "tcp://192.0.2.8:7", "persistence": {"netmask": "255.255.0.0"}},
            {"address": "tcp://192.0.2.9:7", "persistence": {"prefix": 0}},
            {"address": "fwmark:150", "family": "ipv6"}
        ]}"#;
    assert_eq!(
        made(json),
        [
            "-A -t [2001:db8::80]:443 -s mh -p 300 -M 64 -b mh-fallback,mh-port",
            "-a -t [2001:db8::80]:443 -r [2001:db8:1::11]:443 -i -w 0 -x 5000 -y 4000 --tun-type gue --tun-port 6080 \
             --tun-remcsum",
            "-a -t [2001:db8::80]:443 -r 198.51.100.9:443 -i -w 0 --tun-type gre --tun-csum",
            "-A -u 192.0.2.60:5060 -s rr -p 120 --pe sip",
            "-A -u 192.0.2.53:53 -s rr -p 360 -o -b flag-3",
            "-A -t 192.0.2.7:7 -s rr -p 5400",
            "-A -t 192.0.2.8:7 -s rr -p 360 -M 255.255.0.0",
            "-A -t 192.0.2.9:7 -s rr -p 360 -M 0.0.0.0",
            "-A -f 150 -6 -s rr",
        ]
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of everything that is refused")]
fn settings_that_no_kernel_has_are_refused() {
    let service = |more: &str| format!(r#"{{"version": 2, "services": [{{{more}}}]}}"#);
    let tcp = |more: &str| service(&format!(r#""address": "tcp://192.0.2.1:80", {more}"#));
    let v6 = |more: &str| service(&format!(r#""address": "tcp://[2001:db8::1]:80", {more}"#));
    let destination = |more: &str| tcp(&format!(r#""destinations": [{{"address": "10.0.0.1", {more}}}]"#));
    let tunnel = |more: &str| destination(&format!(r#""forward": "tunnel", "tunnel": {{{more}}}"#));
    for (json, path, message) in [
        (
            tcp(r#""family": "ipv6""#),
            "family",
            "family is for firewall marks only: the address of tcp://192.0.2.1:80 says which it is",
        ),
        (
            service(r#""address": "fwmark6:7", "family": "ipv4""#),
            "family",
            "family ipv4 contradicts the address fwmark6:7",
        ),
        (
            service(r#""address": "fwmark:7", "family": "v6""#),
            "family",
            "invalid family (v6) for service fwmark:7: expected ipv4 or ipv6",
        ),
        (
            tcp(r#""sched": "sh", "sched-flags": ["mh-port"]"#),
            "sched-flags[0]",
            "invalid scheduler flag (mh-port) for service tcp://192.0.2.1:80: with sh expected fallback, port, flag-1, flag-2 or flag-3",
        ),
        (
            tcp(r#""sched-flags": ["port"]"#),
            "sched-flags[0]",
            "invalid scheduler flag (port) for service tcp://192.0.2.1:80: with rr expected flag-1, flag-2 or flag-3",
        ),
        (
            tcp(r#""persistence": "1500ms""#),
            "persistence",
            "invalid persistence (1500ms) for service tcp://192.0.2.1:80: expected whole seconds, 1 to 4294967",
        ),
        (
            tcp(r#""persistence": {"netmask": "255.0.255"}"#),
            "persistence.netmask",
            "invalid netmask (255.0.255) for service tcp://192.0.2.1:80: expected one without holes, such as 255.255.255.0",
        ),
        (
            tcp(r#""persistence": {"netmask": "255.255.0.0", "prefix": 16}"#),
            "persistence",
            "service tcp://192.0.2.1:80 has a netmask and a prefix: one of them is enough",
        ),
        (
            tcp(r#""persistence": {"prefix": 33}"#),
            "persistence.prefix",
            "invalid prefix (33) for service tcp://192.0.2.1:80: expected 0 to 32",
        ),
        (
            v6(r#""persistence": {"prefix": 0}"#),
            "persistence.prefix",
            "invalid prefix (0) for service tcp://[2001:db8::1]:80: expected 1 to 128",
        ),
        (
            v6(r#""persistence": {"netmask": "255.0.0.0"}"#),
            "persistence.netmask",
            "service tcp://[2001:db8::1]:80 is IPv6: it has a prefix, not a netmask",
        ),
        (
            tcp(r#""name": "a b""#),
            "name",
            "invalid name (a b): expected 1 to 63 letters, digits, dots, underscores or dashes",
        ),
        (
            tcp(r#""drain": {"timeout": 1, "wait": "none"}"#),
            "drain.wait",
            "invalid wait (none): expected active or all",
        ),
        (
            tcp(r#""drain": {"on-timeout": "stay"}"#),
            "drain.on-timeout",
            "invalid on-timeout (stay): expected delete, keep or fail",
        ),
        (
            destination(r#""weight": -1"#),
            "destinations[0].weight",
            "invalid weight (-1) for destination 10.0.0.1 in service tcp://192.0.2.1:80.",
        ),
        (
            destination(r#""weight": 2147483648"#),
            "destinations[0].weight",
            "invalid weight (2147483648) for destination 10.0.0.1 in service tcp://192.0.2.1:80.",
        ),
        (
            destination(r#""thresholds": {"upper": 1, "lower": 4294967296}"#),
            "destinations[0].thresholds.lower",
            "invalid lower threshold (4294967296) for destination 10.0.0.1: expected 0 to the upper one, 1",
        ),
        (
            destination(r#""thresholds": {"upper": -1}"#),
            "destinations[0].thresholds.upper",
            "invalid upper threshold (-1) for destination 10.0.0.1: expected 0 to 2147483647",
        ),
        (
            destination(r#""state": "down""#),
            "destinations[0].state",
            "invalid state (down) for destination 10.0.0.1: expected active or drain",
        ),
        (
            destination(r#""tunnel": {"type": "gre"}"#),
            "destinations[0].tunnel",
            "destination 10.0.0.1 has a tunnel, which takes forward: tunnel",
        ),
        (
            tunnel(r#""type": "vxlan""#),
            "destinations[0].tunnel.type",
            "invalid tunnel type (vxlan) for destination 10.0.0.1: expected ipip, gue or gre",
        ),
        (tunnel(r#""type": "gue""#), "destinations[0].tunnel", "the gue tunnel of destination 10.0.0.1 needs a port"),
        (
            tunnel(r#""type": "gue", "port": 0"#),
            "destinations[0].tunnel.port",
            "invalid tunnel port (0) for destination 10.0.0.1: expected 1 to 65535",
        ),
        (
            tunnel(r#""checksum": "maybe""#),
            "destinations[0].tunnel.checksum",
            "invalid tunnel checksum (maybe) for destination 10.0.0.1: with ipip expected off",
        ),
        (
            tunnel(r#""type": "gre", "checksum": "0x10000""#),
            "destinations[0].tunnel.checksum",
            "invalid tunnel checksum (0x10000) for destination 10.0.0.1: with gre expected off or on",
        ),
    ] {
        assert_eq!(errors(&json), [format!("services[0].{path}: {message}")], "{json}");
    }
}

#[test]
fn settings_of_the_table_are_checked() {
    for (json, error) in [
        (
            r#"{"timeouts": {"tcp": 0}}"#,
            "timeouts.tcp: invalid timeout (0s) for tcp: expected whole seconds, 1 to 21474836",
        ),
        (
            r#"{"timeouts": {"udp": "1500ms"}}"#,
            "timeouts.udp: invalid timeout (1500ms) for udp: expected whole seconds, 1 to 21474836",
        ),
        (r#"{"sync": [{"interface": "eth0"}]}"#, "sync[0]: a daemon needs a role: master or backup"),
        (r#"{"sync": [{"role": "master"}]}"#, "sync[0]: a daemon needs an interface"),
        (
            r#"{"sync": [{"role": "both", "interface": "eth0"}]}"#,
            "sync[0].role: invalid role (both): expected master or backup",
        ),
        (
            r#"{"sync": [{"role": "master", "interface": "eth0", "id": 4294967296}]}"#,
            "sync[0].id: invalid id (4294967296): expected 0 to 255",
        ),
        (
            r#"{"sync": [{"role": "master", "interface": "eth0", "group": "192.0.2.1"}]}"#,
            "sync[0].group: invalid group (192.0.2.1): expected a multicast address",
        ),
        (
            r#"{"sync": [{"role": "master", "interface": "eth0", "port": 0}]}"#,
            "sync[0].port: invalid port (0): expected 1 to 65535",
        ),
        (
            r#"{"sync": [{"role": "master", "interface": "eth0", "ttl": 256}]}"#,
            "sync[0].ttl: invalid ttl (256): expected 1 to 255",
        ),
        (
            r#"{"sync": [{"role": "backup", "interface": "eth0", "maxlen": 1023}]}"#,
            "sync[0].maxlen: invalid maxlen (1023): expected 1024 to 65535",
        ),
        (
            r#"{"sync": [{"role": "master", "interface": "a"}, {"role": "master", "interface": "b"}]}"#,
            "sync[1]: there is one master daemon already: at most one of each role runs",
        ),
        (
            r#"{"scope": {"manage": []}}"#,
            "scope.manage: an empty list would manage nothing; without the key it is everything",
        ),
        (
            r#"{"scope": {"ignore": ["x"]}}"#,
            "scope.ignore[0]: \"x\" is not a pattern for services: expected something like tcp://192.0.2.0/24:80, *://[2001:db8::]/32 or fwmark:1-9",
        ),
        (r#"{"drain": {"timeout": 1, "poll": 0}}"#, "drain.poll: invalid poll (0): expected a millisecond at least"),
        (
            r#"{"scope": {"manage": ["udp://0.0.0.0/0"]}, "services": [{"address": "tcp://192.0.2.1:80"}]}"#,
            "services[0].address: service tcp://192.0.2.1:80 is outside of the scope: it would never be compared or deleted",
        ),
        (
            r#"{"sync": [{"role": "master", "interface": "eth0"}], "services": [{"address": "tcp://192.0.2.1:80", "destinations": [{"address": "[2001:db8::1]", "forward": "tunnel"}]}]}"#,
            "services[0].address: destination [2001:db8::1]:80 of service tcp://192.0.2.1:80 is of the other address family, which the kernel refuses while a synchronization daemon runs: see sync",
        ),
        (
            r#"{"services": [{"name": "a", "address": "fwmark:1"}, {"name": "a", "address": "fwmark:2"}]}"#,
            "services[1].name: Service names must be unique: a (first at services[0].name)",
        ),
    ] {
        assert_eq!(errors(json), [error], "{json}");
    }
}

#[test]
fn odd_settings_of_a_kernel_are_read_with_a_warning() {
    let service = |more: &str| format!(r#"{{"services": [{{{more}}}]}}"#);
    let tcp = |more: &str| service(&format!(r#""address": "tcp://192.0.2.1:80", {more}"#));
    let destination =
        |more: &str| tcp(&format!(r#""destinations": [{{"address": "10.0.0.1:80", "weight": 1, {more}}}]"#));
    let tunnel = |more: &str| destination(&format!(r#""forward": "tunnel", "tunnel": {{{more}}}"#));
    let at_destination = "destination 10.0.0.1:80 of service tcp://192.0.2.1:80";
    for (json, path, message) in [
        (
            service(r#""address": "esp://192.0.2.1:80""#),
            "address",
            "service esp://192.0.2.1:80 has the protocol 50; expected tcp, udp or sctp".to_owned(),
        ),
        (
            service(r#""address": "ip_300://192.0.2.1:80""#),
            "address",
            "service ip_300://192.0.2.1:80 has the protocol 300; expected tcp, udp or sctp".to_owned(),
        ),
        (
            service(r#""address": "tcp://[::ffff:192.0.2.1]:80""#),
            "address",
            "service tcp://[::ffff:192.0.2.1]:80 has an IPv4-mapped IPv6 address, which no packet carries: write the IPv4 address".to_owned(),
        ),
        (
            tcp(r#""sched-flags": ["flag-1", "0x40"]"#),
            "sched-flags",
            "service tcp://192.0.2.1:80 has the scheduler flag 0x40, which has no meaning".to_owned(),
        ),
        (
            tcp(r#""one-packet": true"#),
            "one-packet",
            "service tcp://192.0.2.1:80 has one-packet scheduling, which is for udp and firewall marks only".to_owned(),
        ),
        (
            tcp(r#""persistence": 0"#),
            "persistence.timeout",
            "service tcp://192.0.2.1:80 has a persistence of 0 seconds; expected 1 or more".to_owned(),
        ),
        (
            tcp(r#""persistence": {"netmask": "0.0.0.24"}"#),
            "persistence.netmask",
            "service tcp://192.0.2.1:80 has the netmask 0.0.0.24; expected one without holes, such as 255.255.255.0".to_owned(),
        ),
        (
            tcp(r#""persistence": {"engine": "sip"}"#),
            "persistence.engine",
            "service tcp://192.0.2.1:80 has a persistence engine, which is for udp only".to_owned(),
        ),
        (
            destination(r#""thresholds": {"upper": 4294967295, "lower": 2}"#),
            "destinations[0].thresholds",
            format!("{at_destination} has thresholds that are out of range; expected an upper one of 0 to 2147483647 and a lower one not above it"),
        ),
        (
            destination(r#""forward": "unknown-5""#),
            "destinations[0].forward",
            format!("{at_destination} has the forwarding method 5; expected direct, nat or tunnel"),
        ),
        (
            tunnel(r#""type": "tunnel-7""#),
            "destinations[0].tunnel.type",
            format!("{at_destination} has the tunnel type 7; expected ipip, gue or gre"),
        ),
        (
            tunnel(r#""type": "gre", "port": 1"#),
            "destinations[0].tunnel.port",
            format!("{at_destination} has a tunnel port, which gre does not have: that is for gue"),
        ),
        (
            tunnel(r#""checksum": "on""#),
            "destinations[0].tunnel.checksum",
            format!("{at_destination} has tunnel checksum flags that ipip does not have; expected off"),
        ),
        (
            tunnel(r#""type": "gue", "port": 1, "checksum": "csum,0x8""#),
            "destinations[0].tunnel.checksum",
            format!("{at_destination} has tunnel checksum flags that gue does not have; expected off, on or remote"),
        ),
        (
            tcp(r#""destinations": [{"address": "[2001:db8::1]:80", "weight": 1}]"#),
            "destinations[0].address",
            "destination [2001:db8::1]:80 of service tcp://192.0.2.1:80 has an address of the other family than its service, which takes forward: tunnel".to_owned(),
        ),
    ] {
        let (state, warnings) = DesiredState::from_spec(&file(&json)).unwrap_or_else(|errors| panic!("{json}: {errors}"));
        let first = warnings.iter().next().map(|one| (one.place.path.as_str(), one.message.as_str()));
        assert_eq!(first, Some((format!("services[0].{path}").as_str(), message.as_str())), "{json}");
        assert_eq!(state.services.len(), 1, "{json}");
    }
    for (key, number, problem) in [
        ("id", 256, "the id 256, of which packets carry 8 bits; expected 0 to 255"),
        ("maxlen", 100, "a length that is too short for many messages; expected 1024 to 65535"),
    ] {
        let json = format!(r#"{{"sync": [{{"role": "master", "interface": "eth0", "{key}": {number}}}]}}"#);
        assert_eq!(warnings(&json), [format!("the master daemon has {problem}")]);
    }
}

#[test]
fn drains_fall_back_to_those_of_the_file() {
    let state = state(
        r#"{"drain": {"timeout": 60, "wait": "all", "on-timeout": "keep"}, "services": [
            {"address": "fwmark:1", "drain": {"timeout": "10m", "poll": "100ms"}}, {"address": "fwmark:2"}]}"#,
    );
    let all = state.drain.unwrap();
    let own = state.services[0].drain.unwrap();
    assert_eq!((own.timeout.as_secs(), own.poll.as_millis()), (600, 100));
    assert_eq!((own.wait, own.on_timeout), (all.wait, all.on_timeout));
    assert_eq!(state.services[1].drain, None);
    assert_eq!(self::state(r#"{"drain": {"wait": "all"}}"#).drain, None);
}

#[test]
fn a_state_and_a_name_are_kept_for_the_plan() {
    let state = state(
        r#"{"services": [{"name": "web", "address": "tcp://192.0.2.1:80/", "destinations": [
            {"address": "10.0.0.1", "weight": 5, "state": "drain"}]}]}"#,
    );
    let service = &state.services[0];
    assert_eq!(service.name.as_deref(), Some("web"));
    assert_eq!(service.written.as_deref(), Some("tcp://192.0.2.1:80/"));
    assert_eq!(service.destinations[0].activity, Activity::Drain);
    assert_eq!(service.destinations[0].destination.weight.get(), 5);
    assert_eq!(service.destinations[0].written.as_deref(), Some("10.0.0.1"));
}

#[test]
fn unintended_values_are_warnings() {
    let service = |more: &str| format!(r#"{{"services": [{{"address": "tcp://192.0.2.1:80", {more}}}]}}"#);
    for (json, warning) in [
        (
            r#"{"services": [{"address": "tcp://192.0.2.1", "destinations": [{"address": "10.0.0.1", "weight": 1}]}]}"#
                .to_owned(),
            "service tcp://192.0.2.1 has port 0 and no persistence: the kernel schedules no connection for it",
        ),
        (service(r#""sched": "rr""#), "service tcp://192.0.2.1:80 has no destinations: its clients are refused"),
        (
            service(r#""destinations": [{"address": "10.0.0.1", "weight": 0}]"#),
            "all destinations of service tcp://192.0.2.1:80 have weight 0: none takes new connections",
        ),
        (
            service(r#""sched": "lc", "destinations": [{"address": "10.0.0.1", "weight": 5}]"#),
            "the scheduler lc of service tcp://192.0.2.1:80 does not look at weights: only 0 makes a difference",
        ),
        (
            service(r#""destinations": [{"address": "10.0.0.1:90", "weight": 1}]"#),
            "destination 10.0.0.1:90 of service tcp://192.0.2.1:80 has another port than its service, which works with forward: nat only",
        ),
        (
            service(r#""persistence": "32d", "destinations": [{"address": "10.0.0.1", "weight": 1}]"#),
            "the persistence of service tcp://192.0.2.1:80 is more than the 31 days of ipvsadm",
        ),
    ] {
        assert_eq!(warnings(&json), [warning], "{json}");
    }
    assert_eq!(
        warnings(&service(
            r#""sched": "wlc", "destinations": [{"address": "10.0.0.1:90", "weight": 5, "forward": "nat"}]"#
        )),
        Vec::<String>::new()
    );
}

#[test]
fn printed_table_is_that_table() {
    let rules = [
        "-A -t 192.0.2.9:0 -s rr -p 300",
        "-a -t 192.0.2.9:0 -r 10.0.0.1:0 -i -w 1 --tun-type ipip",
        "-A -t [2001:db8::1]:80 -s mh -p 60 -M 64 -b mh-port",
        "-a -t [2001:db8::1]:80 -r [2001:db8::2]:8080 -m -w 70000 -x 9 -y 3",
        "-A -f 4294967295 -6 -s custom -o",
        "-a -f 4294967295 -6 -r [2001:db8::3]:0 -g -w 0",
    ];
    let live = live(&rules);
    for factor in [false, true] {
        let options = ipvs_rs::desired::PrintOptions::new().factor_defaults(factor);
        let (desired, _) = DesiredState::from_spec(&FileSpec::from_observed(&live, &options)).unwrap();
        let plan = plan(&live, &desired, &PlanOptions::new().prune(true));
        assert!(plan.is_empty(), "{plan}");
    }
}
