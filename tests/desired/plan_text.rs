//! Plans as they are printed.

use std::time::Duration;

use ipvs_rs::desired::plan::{Plan, PlanOptions, plan};
use ipvs_rs::desired::{DesiredState, Drain, Observed, Scope, yaml};
use ipvs_rs::model::{Config, SyncDaemon};

use super::given::{WEB, WEB_1, WEB_2, desired, live, wanted};

fn assert_lines(text: &str, expected: &[&str]) {
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

fn whole() -> Plan {
    let mut live =
        live(&[WEB, WEB_1, WEB_2, "-A -f 77 -s rr", "-a -f 77 -r 10.0.0.1:0 -m -w 1", "-A -t 203.0.113.1:80 -s rr"]);
    live.table.services[0].destinations[1].active_connections = 3;
    live.table.services[0].destinations[1].inactive_connections = 40;
    let web = wanted(
        "-A -t 192.0.2.80:80 -s wlc",
        &["-a -t 192.0.2.80:80 -r 198.51.100.13:80 -g -w 200", "-a -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 200"],
    );
    let desired = DesiredState::new()
        .service(web.named("web"))
        .drain(Drain::new(Duration::from_secs(60)))
        .scope(Scope::all().ignore("*://203.0.113.0/24".parse().unwrap()));
    plan(&live, &desired, &PlanOptions::new().prune(true))
}

#[test]
fn a_plan_reads_as_what_becomes_of_each_service() {
    assert_lines(
        &whole().to_string(),
        &[
            "~ service tcp://192.0.2.80:80 (web)",
            "    sched         rr -> wlc",
            "  + destination 198.51.100.13:80   weight 200, direct",
            "  ~ destination 198.51.100.11:80",
            "      weight      100 -> 200",
            "  - destination 198.51.100.12:80   3 active, 40 inactive connections; drain 60s",
            "- service fwmark:77                (1 destination; drain 60s)",
            "! 1 live service outside scope left alone",
            "Plan: 1 to add, 2 to change, 2 to delete.",
        ],
    );
}

#[test]
fn colors_are_added_to_the_same_lines() {
    let plan = whole();
    let colored = plan.text().colored(true).to_string();
    assert!(colored.contains("\u{1b}[32m  + destination 198.51.100.13:80   weight 200, direct\u{1b}[0m\n"));
    assert!(colored.contains("\u{1b}[31m- service fwmark:77"));
    assert!(colored.contains("\u{1b}[33m~ service tcp://192.0.2.80:80 (web)\u{1b}[0m\n"));
    let mut plain = colored;
    for code in ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[0m"] {
        plain = plain.replace(code, "");
    }
    assert_eq!(plain, plan.to_string());
}

#[test]
fn empty_plan_is_reported() {
    let plan = plan(&live(&[WEB]), &desired(&[WEB]), &PlanOptions::new().prune(true));
    assert_eq!(plan.to_string(), "No changes: the table is as it should be.");
    assert_eq!(yaml::to_string(&plan.change_set()).unwrap(), "{}\n");
    assert_eq!(plan.rules().to_string(), "");
}

#[test]
fn new_objects_are_printed_with_their_settings() {
    let desired = desired(&[
        "-A -t [2001:db8::80]:443 -s mh -p 300 -M 64 -b mh-fallback,mh-port",
        "-a -t [2001:db8::80]:443 -r [2001:db8:1::11]:443 -i -w 1 -x 5000 -y 4000 --tun-type gue --tun-port 6080 --tun-remcsum",
        "-A -f 7 -6 -s rr -o",
    ])
    .timeouts(Config::new().udp(Duration::from_secs(60)).unwrap())
    .sync(vec![SyncDaemon::master("eth1").unwrap().sync_id(7)]);
    let mut live = Observed::default();
    live.timeouts = Some(Config::new().udp(Duration::from_secs(300)).unwrap());
    assert_lines(
        &plan(&live, &desired, &PlanOptions::new().prune(true)).to_string(),
        &[
            "~ timeouts",
            "    udp           300 -> 60",
            "+ sync master                      interface eth1, id 7",
            "+ service tcp://[2001:db8::80]:443  mh (fallback,port), persistence 300s",
            "  + destination [2001:db8:1::11]:443  weight 1, tunnel gue port 6080 checksum remote, at most 5000 connections",
            "+ service fwmark6:7                rr, one-packet",
            "Plan: 3 to add, 1 to change, 0 to delete.",
        ],
    );
}

#[test]
fn settings_change_from_one_thing_to_another() {
    let live = live(&[
        "-A -u 192.0.2.1:53 -s sh -p 300 -b sh-port",
        "-a -u 192.0.2.1:53 -r 10.0.0.1:53 -i -w 1 -x 9 --tun-type gre --tun-csum",
    ]);
    let desired = desired(&[
        "-A -u 192.0.2.1:53 -s wrr -p 60 -M 255.255.255.0 --pe sip -o -b flag-3",
        "-a -u 192.0.2.1:53 -r 10.0.0.1:53 -m -w 1 -x 50 -y 40",
    ]);
    assert_lines(
        &plan(&live, &desired, &PlanOptions::new().prune(true)).to_string(),
        &[
            "~ service udp://192.0.2.1:53",
            "    sched         sh -> wrr",
            "    sched-flags   port -> flag-3",
            "    one-packet    false -> true",
            "    persistence   300s -> 60s, netmask 255.255.255.0, engine sip",
            "  ~ destination 10.0.0.1:53",
            "      forward     tunnel -> nat",
            "      tunnel      gre, checksum on -> none",
            "      thresholds  upper 9 -> upper 50, lower 40",
            "Plan: 0 to add, 2 to change, 0 to delete.",
        ],
    );
}

#[test]
fn a_change_set_has_an_item_for_each_operation() {
    assert_lines(
        &yaml::to_string(&whole().change_set()).unwrap(),
        &[
            "items:",
            "- type: update-service",
            "  description: Updating existing service tcp://192.0.2.80:80 because details have changed",
            "  service:",
            "    address: tcp://192.0.2.80:80",
            "    sched: wlc",
            "    destinations:",
            "    - address: 198.51.100.13:80",
            "      weight: 200",
            "      forward: direct",
            "    - address: 198.51.100.11:80",
            "      weight: 200",
            "      forward: direct",
            "  changes:",
            "  - field: sched",
            "    from: rr",
            "    to: wlc",
            "- type: add-destination",
            "  description: Adding new destination 198.51.100.13:80 to service tcp://192.0.2.80:80 because it does not yet exist",
            "  service:",
            "    address: tcp://192.0.2.80:80",
            "  destination:",
            "    address: 198.51.100.13:80",
            "    weight: 200",
            "    forward: direct",
            "- type: update-destination",
            "  description: Updating existing destination 198.51.100.11:80 in service tcp://192.0.2.80:80 because details have changed",
            "  service:",
            "    address: tcp://192.0.2.80:80",
            "  destination:",
            "    address: 198.51.100.11:80",
            "    weight: 200",
            "    forward: direct",
            "  changes:",
            "  - field: weight",
            "    from: 100",
            "    to: 200",
            "- type: delete-destination",
            "  description: Delete existing destination 198.51.100.12:80 in service tcp://192.0.2.80:80 because it does not exist in updated model any more",
            "  service:",
            "    address: tcp://192.0.2.80:80",
            "  destination:",
            "    address: 198.51.100.12:80",
            "- type: delete-service",
            "  description: Delete existing service fwmark:77 because it does not exist in updated model any more",
            "  service:",
            "    address: fwmark:77",
        ],
    );
}

#[test]
fn an_item_names_no_other_kind_of_operation() {
    let kinds = [
        "add-service",
        "update-service",
        "delete-service",
        "add-destination",
        "update-destination",
        "delete-destination",
    ];
    for item in whole().change_set().items {
        let text = yaml::to_string(&item).unwrap();
        let named: Vec<_> = kinds.iter().filter(|kind| text.contains(**kind)).collect();
        assert_eq!(named, [&item.kind.name()], "{text}");
    }
}

#[test]
fn a_change_set_has_addresses_as_they_were_written_where_something_is_made_or_changed() {
    let mut web = wanted("-A -t 192.0.2.81:80 -s rr", &["-a -t 192.0.2.81:80 -r 10.0.0.1:80 -g -w 1"]);
    web.written = Some("tcp://192.0.2.81".into());
    web.destinations[0].written = Some("10.0.0.1".into());
    let items = plan(&Observed::default(), &DesiredState::new().service(web), &PlanOptions::new().prune(true))
        .change_set()
        .items;
    assert_eq!(items[0].description, "Adding new service tcp://192.0.2.81 because it does not yet exist");
    let service = items[0].service.as_ref().unwrap();
    assert_eq!(service.address.as_deref(), Some("tcp://192.0.2.81"));
    assert_eq!(service.destinations.as_ref().unwrap()[0].address.as_deref(), Some("10.0.0.1"));
}
