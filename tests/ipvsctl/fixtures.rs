//! Models, each of which can be applied after any other.

use std::fmt::Write as _;

use crate::world::scene;

/// Two services with a destination each, everything by default.
const PLAIN: &str = "\
services:
- address: tcp://192.0.2.1:80
  destinations:
  - address: 10.0.0.2:80
- address: fwmark:7
  sched: wlc
  destinations:
  - address: 10.0.0.2
    weight: 5
    forward: nat
";

const DEFAULTS: &str = "\
defaults: {port: 80, sched: wrr, forward: tunnel, weight: 2}
services:
- address: tcp://192.0.2.1
  destinations:
  - address: 10.0.0.2
  - address: 10.0.0.3:8080
    weight: 0
    forward: nat
- address: udp://192.0.2.1:53
  sched: rr
- address: fwmark:7
  destinations:
  - address: 10.0.0.2
";

const NEWER: &str = "\
version: 2
timeouts: {tcp: 15m, tcpfin: 2m, udp: 5m}
drain: {timeout: 1s}
defaults: {sched: wlc, forward: nat, weight: 10}
services:
- name: web
  address: tcp://[2001:db8::80]:443
  sched: mh
  sched-flags: [port, fallback]
  persistence: {timeout: 5m, prefix: 64}
  destinations:
  - address: '[2001:db8:1::11]:443'
    forward: tunnel
    tunnel: {type: gue, port: 6080, checksum: remote}
    thresholds: {upper: 5000, lower: 4000}
  - address: 198.51.100.9:443
    forward: tunnel
- address: udp://192.0.2.60:5060
  persistence: {timeout: 120s, engine: sip}
- address: udp://192.0.2.53:53
  one-packet: true
  destinations:
  - address: 10.0.0.2
    state: drain
- address: fwmark:4000000000
  family: ipv6
";

/// Services of every protocol with every scheduler.
fn many() -> String {
    let mut text = "services:\n".to_owned();
    let schedulers = ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq"];
    for (place, scheduler) in schedulers.iter().enumerate() {
        for protocol in ["tcp", "udp", "sctp"] {
            let _ = writeln!(text, "- address: {protocol}://192.0.2.1:{}\n  sched: {scheduler}", 1000 + place);
        }
        let _ = writeln!(text, "- address: fwmark:{}\n  sched: {scheduler}", 1000 + place);
    }
    text
}

fn models() -> Vec<(&'static str, String)> {
    vec![
        ("empty", "{}".to_owned()),
        ("plain", PLAIN.to_owned()),
        ("no services", "services:\n".to_owned()),
        ("defaults", DEFAULTS.to_owned()),
        ("no destinations", "services:\n- address: tcp://192.0.2.1:80\n  destinations:\n".to_owned()),
        ("newer", NEWER.to_owned()),
        ("many", many()),
        ("comments only", "# nothing\n".to_owned()),
    ]
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn every_model_from_a_clean_table_leaves_nothing_to_change() {
    scene(|world| {
        for (name, text) in models() {
            world.clear();
            world.apply(&text);
            assert_eq!(world.ok_but_warned(&["changeset", "-f", "apply.yaml"]), "{}\n", "{name}");
        }
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn every_model_after_others_leaves_nothing_to_change() {
    scene(|world| {
        let models = models();
        for step in [1, 3, 5, 7] {
            // All of them each time, after others.
            for place in 0..models.len() {
                let (name, text) = &models[place * step % models.len()];
                world.write("apply.yaml", text);
                // The one that says nothing is refused otherwise.
                world.ok_but_warned(&["apply", "--allow-empty", "-f", "apply.yaml"]);
                assert_eq!(world.ok_but_warned(&["changeset", "-f", "apply.yaml"]), "{}\n", "{name}, {step}");
            }
        }
        world.apply("{}");
        assert_eq!(world.saved(), "");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn forty_services_have_their_schedulers() {
    scene(|world| {
        world.apply(&many());
        let saved = world.saved();
        assert_eq!(saved.lines().count(), 40);
        for (place, scheduler) in
            ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq"].iter().enumerate()
        {
            let port = 1000 + place;
            for option in ["-t 192.0.2.1:", "-u 192.0.2.1:", "--sctp-service 192.0.2.1:", "-f "] {
                let rule = format!("-A {option}{port} -s {scheduler}");
                assert!(saved.lines().any(|line| line == rule), "{rule} is missing in\n{saved}");
            }
        }
    });
}
