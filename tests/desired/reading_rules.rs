//! The rules of a file, each with its words, its place and the step that finds it; and what was wrong with them once.

use std::fmt::Write as _;

use ipvs_rs::desired::files::{Loaded, Reader, Source};
use ipvs_rs::desired::plan::{PlanOptions, plan};
use ipvs_rs::desired::spec::FileSpec;
use ipvs_rs::desired::{DestinationAttributes, Diagnostics, Observed, PrintOptions, ServiceAttributes, Stage, yaml};

use super::given::live;

fn read(text: &str) -> Result<Loaded, Diagnostics> {
    Reader::new().read(&[Source::new("f", text)])
}

fn made(text: &str) -> Vec<String> {
    let loaded = read(text).unwrap_or_else(|found| panic!("{text}: {found}"));
    let plan = plan(&Observed::default(), &loaded.state, &PlanOptions::new().prune(true));
    plan.rules().to_string().lines().map(str::to_owned).collect()
}

/// Line, column and message of the only error.
fn refused(text: &str) -> (u32, u32, String) {
    let found = read(text).expect_err(text);
    let errors: Vec<_> = found.errors().collect();
    let [error] = errors.as_slice() else { panic!("{text}\n{found}") };
    assert_eq!(error.stage, Stage::Validation, "{text}");
    (error.place.line.unwrap(), error.place.column.unwrap(), error.message.clone())
}

#[test]
fn every_rule_has_its_words_and_its_place() {
    let service = "services:\n- address: tcp://192.0.2.1:80\n";
    let destination = format!("{service}  destinations:\n  - address: 10.0.0.1:80\n");
    let table: [(String, u32, u32, &str); 21] = [
        ("defaults: {port: 0}".into(), 1, 18, "Default port out of range: 0"),
        ("defaults: {port: 65536}".into(), 1, 18, "Default port out of range: 65536"),
        ("defaults: {weight: -1}".into(), 1, 20, "Default weight out of range: -1"),
        ("defaults: {weight: 65536}".into(), 1, 20, "Default weight out of range: 65536"),
        ("defaults: {sched: x}".into(), 1, 19, "invalid default scheduler: x"),
        ("defaults: {sched: \"\"}".into(), 1, 19, "invalid default scheduler: "),
        ("defaults: {forward: x}".into(), 1, 21, "invalid default forward: x. Allowed forwards are direct,nat,tunnel"),
        ("services:\n- sched: rr\n".into(), 2, 3, "Service address may not be empty"),
        ("services:\n- address:\n".into(), 2, 3, "Service address may not be empty"),
        ("services:\n- address: \"\"\n".into(), 2, 3, "Service address may not be empty"),
        (
            "services:\n- address: udp:/10.0.0.1\n".into(),
            2,
            12,
            "unable to parse address (udp:/10.0.0.1). Must be of format <proto>://<host>[:port] or fwmark:<id>.",
        ),
        ("services:\n- address: tcp://name:80\n".into(), 2, 12, "unable to parse address (name). Not an IP address."),
        (format!("{service}  sched: xrr\n"), 3, 10, "invalid scheduler (xrr) for service (tcp://192.0.2.1:80)."),
        (
            format!("{service}  destinations: [{{weight: 1}}]\n"),
            3,
            18,
            "Destination address may not be empty for service tcp://192.0.2.1:80",
        ),
        (
            format!("{destination}  - address: 10.0.0.1:abc\n"),
            5,
            14,
            "unable to parse address (10.0.0.1:abc) for service tcp://192.0.2.1:80. Check host and port.",
        ),
        (
            format!("{destination}  - address: web1:80\n"),
            5,
            14,
            "unable to parse address (web1) for service tcp://192.0.2.1:80. Not an IP address.",
        ),
        (
            format!("{destination}  - address: 10.0.0.2:89647\n"),
            5,
            14,
            "invalid port (89647) for destination 10.0.0.2:89647 in service tcp://192.0.2.1:80.",
        ),
        (
            format!("{destination}    forward: x\n"),
            5,
            14,
            "invalid forward (x) for destination 10.0.0.1:80 in service tcp://192.0.2.1:80. Allowed are direct,nat,tunnel",
        ),
        (
            format!("{destination}    weight: 89647\n"),
            5,
            13,
            "invalid weight (89647) for destination 10.0.0.1:80 in service tcp://192.0.2.1:80.",
        ),
        (
            format!("{destination}    weight: -1\n"),
            5,
            13,
            "invalid weight (-1) for destination 10.0.0.1:80 in service tcp://192.0.2.1:80.",
        ),
        (
            format!("{service}- address: tcp://192.0.2.1:080\n"),
            3,
            12,
            "Service addresses must be unique: tcp://192.0.2.1:080 (first at f:2:12)",
        ),
    ];
    for (text, line, column, message) in table {
        assert_eq!(refused(&text), (line, column, message.to_owned()), "{text}");
    }
}

#[test]
fn version_2_has_the_numbers_of_the_kernel() {
    let text = |version: u8, mark: &str, weight: &str| {
        format!(
            "version: {version}\nservices:\n- address: fwmark:{mark}\n  destinations:\n  - {{address: 10.0.0.1, weight: {weight}}}\n"
        )
    };
    for (version, mark, weight) in [(1, "65535", "65535"), (2, "4294967295", "2147483647")] {
        assert_eq!(made(&text(version, mark, weight))[1], format!("-a -f {mark} -r 10.0.0.1:0 -g -w {weight}"));
    }
    for (version, mark, weight) in
        [(1, "1", "65536"), (1, "65536", "1"), (2, "1", "2147483648"), (2, "4294967296", "1")]
    {
        refused(&text(version, mark, weight));
    }
}

#[test]
fn an_explicit_weight_of_0_stays_0() {
    let text = "defaults: {weight: 9}\nservices:\n- address: tcp://192.0.2.1:80\n  destinations: [{address: 10.0.0.1, weight: 0}, {address: 10.0.0.2}]\n";
    assert_eq!(
        made(text),
        [
            "-A -t 192.0.2.1:80 -s rr",
            "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 0",
            "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 9"
        ]
    );
}

#[test]
fn a_firewall_mark_has_no_port() {
    let text = "defaults: {port: 80}\nservices:\n- {address: fwmark:7, destinations: [{address: 10.0.0.1}]}\n";
    let table = ["-A -f 7 -s rr", "-a -f 7 -r 10.0.0.1:80 -g -w 0"];
    assert_eq!(made(text), table);
    let again = plan(&live(&table), &read(text).unwrap().state, &PlanOptions::new().prune(true));
    assert!(again.is_empty(), "{again}");
}

#[test]
fn defaults_are_direct_routing_and_the_port_of_the_service() {
    let text = "services:\n- address: tcp://192.0.2.1:80\n  sched: \"\"\n  destinations:\n  - address: 10.0.0.1\n    forward: \"\"\n";
    assert_eq!(made(text), ["-A -t 192.0.2.1:80 -s rr", "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 0"]);
}

#[test]
fn two_spellings_of_an_address_are_one_service() {
    let text = "defaults: {port: 80}\nservices:\n- address: tcp://192.0.2.1:80\n- address: tcp://192.0.2.1/\n";
    assert_eq!(refused(text).2, "Service addresses must be unique: tcp://192.0.2.1/ (first at f:3:12)");
    let text = "services:\n- address: fwmark6:7\n- address: fwmark:7\n- {address: fwmark:7, family: ipv6}\n";
    assert_eq!(refused(text).2, "Service addresses must be unique: fwmark:7 (first at f:2:12)");
    let text =
        "services:\n- address: tcp://192.0.2.1:80\n  destinations: [{address: 10.0.0.1}, {address: 10.0.0.1:080}]\n";
    assert!(refused(text).2.starts_with("Destination addresses must be unique per service: 10.0.0.1:080 in service"));
}

#[test]
fn version_1_leaves_what_it_does_not_say_as_it_is() {
    let table = [
        "-A -u 192.0.2.1:53 -s sh -p 300 -b sh-port -o",
        "-a -u 192.0.2.1:53 -r 10.0.0.1:53 -i -w 5 --tun-type gue --tun-port 6080 -x 10 -y 5",
    ];
    let body = "services:\n- address: udp://192.0.2.1:53\n  sched: wrr\n  destinations:\n  - {address: 10.0.0.1, forward: tunnel, weight: 7}\n";
    let one = read(body).unwrap().state;
    assert_eq!(one.services[0].left_alone, ServiceAttributes::all());
    let left_alone = DestinationAttributes::TUNNEL | DestinationAttributes::THRESHOLDS;
    assert_eq!(one.services[0].destinations[0].left_alone, left_alone);
    assert_eq!(
        plan(&live(&table), &one, &PlanOptions::new().prune(true)).rules().to_string().lines().collect::<Vec<_>>(),
        [
            "-E -u 192.0.2.1:53 -s wrr -p 300 -o -b flag-2",
            "-e -u 192.0.2.1:53 -r 10.0.0.1:53 -i -w 7 -x 10 -y 5 --tun-type gue --tun-port 6080 --tun-nocsum",
        ]
    );
    let two = read(&format!("version: 2\n{body}")).unwrap().state;
    assert_eq!(two.services[0].left_alone, ServiceAttributes::empty());
    assert_eq!(two.services[0].destinations[0].left_alone, DestinationAttributes::empty());
}

#[test]
fn output_of_get_is_read_and_changes_nothing() {
    let table = [
        "-A -t 192.0.2.9:0 -s rr -p 300",
        "-a -t 192.0.2.9:0 -r 10.0.0.1:0 -i -w 1",
        "-A -t [2001:db8::1]:80 -s mh -p 60 -M 64 -b mh-port,flag-3",
        "-a -t [2001:db8::1]:80 -r [2001:db8::2]:8080 -m -w 70000 -x 9 -y 3",
        "-a -t [2001:db8::1]:80 -r 10.0.0.1:8080 -i -w 1 --tun-type gre --tun-csum",
        "-A -f 4294967295 -6 -s custom -o",
        "-A -u 192.0.2.1:5060 -s none -p 120 --pe sip -M 255.255.0.0",
        "-A --sctp-service 192.0.2.1:9 -s fo",
    ];
    let live = live(&table);
    for options in [PrintOptions::new(), PrintOptions::new().factor_defaults(true), PrintOptions::new().stats(true)] {
        let file = FileSpec::from_observed(&live, &options);
        for text in [yaml::to_string(&file).unwrap(), serde_json::to_string(&file).unwrap()] {
            let plan = plan(&live, &read(&text).unwrap().state, &PlanOptions::new().prune(true));
            assert!(plan.is_empty(), "{text}\n{plan}");
        }
    }
}

#[test]
fn forty_services_are_forty() {
    let schedulers = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq"];
    let mut text = "services:\n".to_owned();
    for (place, scheduler) in schedulers.iter().enumerate() {
        for protocol in ["tcp", "udp", "sctp"] {
            writeln!(text, "- address: {protocol}://192.0.2.{place}:80\n  sched: {scheduler}").unwrap();
        }
        writeln!(text, "- address: fwmark:{}\n  sched: {scheduler}", place + 1).unwrap();
    }
    text = text.replacen("  sched: rr\n", "", 1);
    let state = read(&text).unwrap().state;
    assert_eq!(state.services.len(), 40);
    for (place, service) in state.services.iter().enumerate() {
        assert_eq!(service.service.scheduler.name(), schedulers[place / 4], "{place}");
    }
}

#[test]
fn a_scope_and_daemons_are_checked_across_files() {
    let scope = Source::new(
        "scope",
        "version: 2\nscope: {manage: [\"fwmark:1-9\"]}\nsync: [{role: master, interface: eth0}]\n",
    );
    let outside = Source::new("outside", "services:\n- address: fwmark:10\n");
    let mixed = "services:\n- address: fwmark:5\n  destinations: [{address: \"[2001:db8::1]:80\", forward: tunnel}]\n";
    let found = Reader::new().read(&[scope.clone(), outside, Source::new("mixed", mixed)]).unwrap_err();
    let places: Vec<_> = found.errors().map(|one| one.place.to_string()).collect();
    assert_eq!(places, ["outside:2:12", "mixed:2:12"], "{found}");
    let found = Reader::new().read(&[scope, Source::new("again", "scope: {}\n")]).unwrap_err();
    assert_eq!(
        found.errors().map(ToString::to_string).collect::<Vec<_>>(),
        ["again:1:8: error: scope stands in another file as well (scope:2:8): only one may have it"]
    );
}
