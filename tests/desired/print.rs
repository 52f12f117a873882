//! Tables as files.

use std::time::Duration;

use ipvs_rs::desired::spec::FileSpec;
use ipvs_rs::desired::{Observed, Order, PrintOptions, yaml};
use ipvs_rs::model::{Config, SyncDaemon};

use super::given::live;

fn printed(live: &Observed, options: PrintOptions) -> Vec<String> {
    yaml::to_string(&FileSpec::from_observed(live, &options)).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn an_empty_table_is_an_empty_mapping() {
    assert_eq!(yaml::to_string(&FileSpec::from_observed(&live(&[]), &PrintOptions::new())).unwrap(), "{}\n");
}

#[test]
fn services_stand_sorted_with_the_classic_keys() {
    let live = live(&[
        "-A -f 7 -s rr",
        "-A -t [2001:db8::1]:80 -s rr",
        "-A -u 192.0.2.53:53 -s wlc",
        "-A -t 192.0.2.80:80 -s rr",
        "-a -t 192.0.2.80:80 -r 198.51.100.12:80 -g -w 0",
        "-a -t 192.0.2.80:80 -r 198.51.100.11:8080 -m -w 5",
        "-A -t 192.0.2.9:0 -s rr",
        "-a -t 192.0.2.9:0 -r 10.0.0.1:0 -i -w 1",
    ]);
    assert_eq!(
        printed(&live, PrintOptions::new()),
        [
            "services:",
            "- address: tcp://192.0.2.9",
            "  sched: rr",
            "  destinations:",
            "  - address: 10.0.0.1:0",
            "    weight: 1",
            "    forward: tunnel",
            "- address: tcp://192.0.2.80:80",
            "  sched: rr",
            "  destinations:",
            "  - address: 198.51.100.11:8080",
            "    weight: 5",
            "    forward: nat",
            "  - address: 198.51.100.12:80",
            "    forward: direct",
            "- address: udp://192.0.2.53:53",
            "  sched: wlc",
            "- address: tcp://[2001:db8::1]:80",
            "  sched: rr",
            "- address: fwmark:7",
            "  sched: rr",
        ]
    );
}

#[test]
fn the_order_of_the_kernel_can_be_had() {
    let live = live(&["-A -f 7 -s rr", "-A -t 192.0.2.80:80 -s rr"]);
    assert_eq!(
        printed(&live, PrintOptions::new().order(Order::Kernel)),
        ["services:", "- address: fwmark:7", "  sched: rr", "- address: tcp://192.0.2.80:80", "  sched: rr"]
    );
}

#[test]
fn settings_are_printed_where_they_are_not_the_default() {
    let live = live(&[
        "-A -u 192.0.2.1:5060 -s sh -p 120 -M 255.255.255.0 --pe sip -b sh-fallback,sh-port,flag-3",
        "-a -u 192.0.2.1:5060 -r 10.0.0.1:5060 -i -w 1 -x 50 -y 40 --tun-type gue --tun-port 6080 --tun-remcsum",
        "-a -u 192.0.2.1:5060 -r 10.0.0.2:5060 -i -w 1 --tun-type gre --tun-csum",
        "-A -f 7 -6 -s wlc -p 300 -o",
        "-A -t [2001:db8::1]:80 -s wlc -p 60 -M 64",
    ]);
    assert_eq!(
        printed(&live, PrintOptions::new()),
        [
            "services:",
            "- address: udp://192.0.2.1:5060",
            "  sched: sh",
            "  sched-flags:",
            "  - fallback",
            "  - port",
            "  - flag-3",
            "  persistence:",
            "    timeout: 120",
            "    netmask: 255.255.255.0",
            "    engine: sip",
            "  destinations:",
            "  - address: 10.0.0.1:5060",
            "    weight: 1",
            "    forward: tunnel",
            "    tunnel:",
            "      type: gue",
            "      port: 6080",
            "      checksum: remote",
            "    thresholds:",
            "      upper: 50",
            "      lower: 40",
            "  - address: 10.0.0.2:5060",
            "    weight: 1",
            "    forward: tunnel",
            "    tunnel:",
            "      type: gre",
            "      checksum: \"on\"",
            "- address: tcp://[2001:db8::1]:80",
            "  sched: wlc",
            "  persistence:",
            "    timeout: 60",
            "    prefix: 64",
            "- address: fwmark:7",
            "  family: ipv6",
            "  sched: wlc",
            "  one-packet: true",
            "  persistence: 300",
        ]
    );
}

#[test]
fn the_version_is_printed_when_version_1_cannot_say_what_is_there() {
    for (rules, is_printed) in [
        (["-A -f 65535 -s rr", "-a -f 65535 -r 10.0.0.1:0 -m -w 65535"], false),
        (["-A -f 65536 -s rr", "-a -f 65536 -r 10.0.0.1:0 -m -w 1"], true),
        (["-A -f 7 -s rr", "-a -f 7 -r 10.0.0.1:0 -m -w 65536"], true),
        (["-A -f 7 -s custom", "-a -f 7 -r 10.0.0.1:0 -m -w 1"], true),
        (["-A -f 7 -s mh", "-a -f 7 -r 10.0.0.1:0 -m -w 1"], false),
    ] {
        let first = printed(&live(&rules), PrintOptions::new()).remove(0);
        assert_eq!(first, if is_printed { "version: 2" } else { "services:" }, "{rules:?}");
    }
}

#[test]
fn common_settings_can_be_factored_out() {
    let live = live(&[
        "-A -t 192.0.2.1:80 -s wlc",
        "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 5",
        "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 5",
        "-a -t 192.0.2.1:80 -r 10.0.0.3:80 -g -w 0",
        "-A -t 192.0.2.2:80 -s wlc",
        "-A -t 192.0.2.3:80 -s rr",
    ]);
    assert_eq!(
        printed(&live, PrintOptions::new().factor_defaults(true)),
        [
            "defaults:",
            "  weight: 5",
            "  sched: wlc",
            "  forward: nat",
            "services:",
            "- address: tcp://192.0.2.1:80",
            "  destinations:",
            "  - address: 10.0.0.1:80",
            "  - address: 10.0.0.2:80",
            "  - address: 10.0.0.3:80",
            "    weight: 0",
            "    forward: direct",
            "- address: tcp://192.0.2.2:80",
            "- address: tcp://192.0.2.3:80",
            "  sched: rr",
        ]
    );
}

#[test]
fn timeouts_and_daemons_are_printed_on_request() {
    let mut live = live(&[]);
    live.timeouts = Some(Config::new().tcp(Duration::from_secs(900)).unwrap().udp(Duration::from_secs(300)).unwrap());
    live.sync = Some(vec![SyncDaemon::backup("eth1").unwrap().sync_id(7)]);
    assert_eq!(printed(&live, PrintOptions::new()), ["{}"]);
    assert_eq!(
        printed(&live, PrintOptions::new().all(true)),
        ["timeouts:", "  tcp: 900", "  udp: 300", "sync:", "- role: backup", "  interface: eth1", "  id: 7",]
    );
}

#[test]
fn counters_are_printed_on_demand() {
    let mut live = live(&["-A -t 192.0.2.1:80 -s rr", "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 5"]);
    let row = &mut live.table.services[0];
    row.service.stats.connections = 12;
    row.destinations[0].stats.bytes_in = 99;
    row.destinations[0].active_connections = 3;
    let lines = printed(&live, PrintOptions::new().stats(true));
    assert_eq!(
        lines[3..9],
        [
            "  stats:",
            "    connections: 12",
            "    packets-in: 0",
            "    packets-out: 0",
            "    bytes-in: 0",
            "    bytes-out: 0"
        ]
    );
    assert_eq!(lines[13..16], ["    stats:", "      active: 3", "      inactive: 0"]);
}

#[test]
fn a_fingerprint_tells_settings_apart_and_not_counters() {
    let scope = ipvs_rs::desired::Scope::all().manage("tcp://192.0.2.0/24".parse().unwrap());
    let one = live(&["-A -t 192.0.2.1:80 -s rr", "-A -f 7 -s rr"]);
    let mut busy = one.clone();
    busy.table.services[0].service.stats.connections = 9;
    busy.table.services.reverse();
    assert_eq!(one.fingerprint(&scope), busy.fingerprint(&scope));
    let other = live(&["-A -t 192.0.2.1:80 -s wlc", "-A -f 7 -s rr"]);
    assert_ne!(one.fingerprint(&scope), other.fingerprint(&scope));
    let outside = live(&["-A -t 192.0.2.1:80 -s rr", "-A -f 7 -s wlc"]);
    assert_eq!(one.fingerprint(&scope), outside.fingerprint(&scope));
    assert_ne!(one.fingerprint(&ipvs_rs::desired::Scope::all()), outside.fingerprint(&ipvs_rs::desired::Scope::all()));
}
