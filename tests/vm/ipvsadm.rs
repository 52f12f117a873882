//! The classic tool on the other side: it shows what we wrote, and we read what it wrote.

use std::net::Ipv4Addr;
use std::time::Duration;

use ipvs_rs::model::{
    Config, Granularity, Persistence, PersistenceEngine, Prefix, SchedulerFlags, SyncDaemon, Thresholds, Tunnel,
    TunnelFlags,
};
use ipvs_rs::{Destination, DestinationEntry, ForwardMethod, Handle, Scheduler, Service, ServiceEntry, ServiceId};

use crate::namespaces::{alone, fresh, ip, program};

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn our_tables_are_saved_in_our_words() {
    // The services are more than its first datagram holds.
    alone(|| {
        let handle = Handle::new().unwrap();
        let mut expected = Vec::new();
        for (service, _, servers) in cases() {
            handle.new_service(&service).unwrap();
            expected.push(service.rule().to_string());
            for (server, ..) in servers {
                handle.new_destination(&service.id, &server).unwrap();
                expected.push(server.rule(&service.id).to_string());
            }
        }
        let saved = program("ipvsadm", "-S -n");
        assert_eq!(sorted(saved.lines()), sorted(expected.iter().map(String::as_str)));
        let table = handle.snapshot().unwrap().rules().to_string();
        assert_eq!(sorted(table.lines()), sorted(saved.lines()), "and what we read back");
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn our_tables_are_listed_with_every_value() {
    // The services are more than its first datagram holds.
    alone(|| {
        let handle = Handle::new().unwrap();
        let mut expected = Vec::new();
        let mut expected_thresholds = Vec::new();
        for (service, listed, servers) in cases() {
            handle.new_service(&service).unwrap();
            expected.push(listed.to_owned());
            for (server, columns, thresholds) in servers {
                handle.new_destination(&service.id, &server).unwrap();
                expected.push(format!("-> {} {columns} 0 0", server.id));
                expected_thresholds.push(format!("-> {} {thresholds} 0 0", server.id));
            }
        }
        let listed = program("ipvsadm", "-L -n");
        let rows = listed.lines().skip(3).map(words).collect::<Vec<_>>();
        assert_eq!(sorted(rows.iter().map(String::as_str)), sorted(expected.iter().map(String::as_str)));

        let listed = program("ipvsadm", "-L -n --thresholds");
        let rows = listed.lines().skip(3).map(words).filter(|row| row.starts_with("->")).collect::<Vec<_>>();
        assert_eq!(sorted(rows.iter().map(String::as_str)), sorted(expected_thresholds.iter().map(String::as_str)));
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn its_tables_are_read_with_every_value() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        for (service, _, servers) in cases() {
            program("ipvsadm", &service.rule().to_string());
            let read = handle.get_service(&service.id).unwrap();
            assert_eq!(read, Some(ServiceEntry::new(service.clone())), "{}", service.rule());
            let mut expected = Vec::new();
            for (server, ..) in servers {
                // Thresholds are not among what it saves.
                let thresholds = server.thresholds;
                let number = |threshold: Option<std::num::NonZeroU32>| threshold.map_or(0, Into::into);
                let (upper, lower) = (number(thresholds.upper()), number(thresholds.lower()));
                program("ipvsadm", &format!("{} -x {upper} -y {lower}", server.rule(&service.id)));
                expected.insert(0, DestinationEntry::new(server));
            }
            assert_eq!(handle.get_destinations(&service.id).unwrap(), expected, "{}", service.rule());
        }
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn changes_of_either_side_are_seen_by_the_other() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        let id: ServiceId = "TCP 192.0.2.10:80".parse().unwrap();
        let server = Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Masquerade);
        program("ipvsadm", "-A -t 192.0.2.10:80 -s rr");
        program("ipvsadm", "-a -t 192.0.2.10:80 -r 10.0.0.2:80 -m -w 5");

        handle.modify_service(&id, |service| service.scheduler = Scheduler::Wlc).unwrap();
        handle.update_destination(&id, &server.clone().weight(7).unwrap()).unwrap();
        assert_eq!(
            program("ipvsadm", "-S -n"),
            "-A -t 192.0.2.10:80 -s wlc\n-a -t 192.0.2.10:80 -r 10.0.0.2:80 -m -w 7\n"
        );
        program("ipvsadm", "-E -t 192.0.2.10:80 -s sh -b sh-port");
        program("ipvsadm", "-e -t 192.0.2.10:80 -r 10.0.0.2:80 -g -w 0");
        let expected = Service::new(id, Scheduler::Sh).scheduler_flags(SchedulerFlags::PORT);
        assert_eq!(handle.get_service(&id).unwrap().unwrap().service, expected);
        let expected = Destination::new(server.id, ForwardMethod::DirectRoute).drained();
        assert_eq!(handle.get_destination(&id, &server.id).unwrap().unwrap().destination, expected);

        program("ipvsadm", "-d -t 192.0.2.10:80 -r 10.0.0.2:80");
        assert_eq!(handle.get_destinations(&id).unwrap(), []);
        handle.delete_service(&id).unwrap();
        assert_eq!(program("ipvsadm", "-S -n"), "");
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn timeouts_are_the_same_on_both_sides() {
    fresh(|| {
        let handle = Handle::new().unwrap();
        let seconds = Duration::from_secs;
        let config = Config::new().tcp(seconds(600)).and_then(|config| config.tcp_fin(seconds(60)));
        handle.set_config(&config.and_then(|config| config.udp(seconds(30))).unwrap()).unwrap();
        assert_eq!(program("ipvsadm", "-L --timeout"), "Timeout (tcp tcpfin udp): 600 60 30\n");
        program("ipvsadm", "--set 700 0 40");
        let config = handle.get_config().unwrap();
        let read = [config.tcp, config.tcp_fin, config.udp].map(|timeout| timeout.unwrap().as_secs());
        assert_eq!(read, [700, 60, 40]);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn daemons_are_the_same_on_both_sides() {
    fresh(|| {
        ip("link add d0 type dummy");
        ip("address add 10.8.8.8/24 dev d0");
        ip("link set d0 up");
        let handle = Handle::new().unwrap();
        program("ipvsadm", "--start-daemon master --mcast-interface d0 --syncid 7 --mcast-port 9000 --mcast-ttl 8");
        let expected: SyncDaemon =
            "master sync daemon (mcast=d0, syncid=7, maxlen=1472, group=224.0.0.81, port=9000, ttl=8)".parse().unwrap();
        assert_eq!(handle.get_sync_daemons().unwrap(), [expected]);

        let group = "224.1.2.3".parse().unwrap();
        handle.start_sync(&SyncDaemon::backup("d0").unwrap().sync_id(9).group(group).unwrap()).unwrap();
        let ours: Vec<String> = handle.get_sync_daemons().unwrap().iter().map(ToString::to_string).collect();
        assert!(program("ipvsadm", "-L --daemon").lines().eq(ours));
    });
}

/// A service, the words that it is listed in, and servers with their words and thresholds.
type Case = (Service, &'static str, Vec<(Destination, &'static str, &'static str)>);

fn cases() -> Vec<Case> {
    let service = |id: &str, scheduler| Service::new(id.parse().unwrap(), scheduler);
    let server = |id: &str, method| Destination::new(id.parse().unwrap(), method);
    let tunnel = ForwardMethod::Tunnel;
    let gue = || Tunnel::gue(6080).unwrap();
    let persistence = |seconds| Persistence::for_secs(seconds).unwrap();
    let sip = |seconds| persistence(seconds).engine(PersistenceEngine::Sip);
    let mask = Granularity::Mask(Ipv4Addr::new(255, 255, 255, 0));
    let holes = Granularity::Mask(Ipv4Addr::new(255, 0, 255, 0));
    let prefix = Granularity::Prefix(Prefix::new(64).unwrap());
    let thresholds = Thresholds::with_upper(1000).unwrap().with_lower(800).unwrap();
    vec![
        (
            service("TCP 192.0.2.10:80", Scheduler::Wlc),
            "TCP 192.0.2.10:80 wlc",
            vec![
                (server("10.0.0.2:8080", ForwardMethod::Masquerade), "Masq 1", "0 0"),
                (server("10.0.0.3:8080", ForwardMethod::Masquerade).weight(70_000).unwrap(), "Masq 70000", "0 0"),
                (server("10.0.0.4:80", ForwardMethod::DirectRoute).drained(), "Route 0", "0 0"),
                (server("10.0.0.5:80", tunnel(Tunnel::ipip())), "Tunnel 1", "0 0"),
                (server("10.0.0.6:80", tunnel(gue())), "Tunnel 1", "0 0"),
                (server("10.0.0.7:80", tunnel(gue().flags(TunnelFlags::CHECKSUM))), "Tunnel 1", "0 0"),
                (server("10.0.0.8:80", tunnel(gue().flags(TunnelFlags::REMOTE_CHECKSUM))), "Tunnel 1", "0 0"),
                (server("10.0.0.9:80", tunnel(Tunnel::gre())), "Tunnel 1", "0 0"),
                (server("10.0.0.10:80", tunnel(Tunnel::gre().flags(TunnelFlags::CHECKSUM))), "Tunnel 1", "0 0"),
                (server("[2001:db8::9]:80", tunnel(Tunnel::ipip())), "Tunnel 1", "0 0"),
                (server("10.0.0.11:80", ForwardMethod::Masquerade).thresholds(thresholds), "Masq 1", "1000 800"),
            ],
        ),
        (
            service("TCP [2001:db8::10]:443", Scheduler::Sh)
                .scheduler_flags(SchedulerFlags::FALLBACK | SchedulerFlags::PORT),
            "TCP [2001:db8::10]:443 sh (sh-fallback,sh-port)",
            vec![
                (server("[2001:db8::2]:8443", ForwardMethod::Masquerade), "Masq 1", "0 0"),
                (server("[2001:db8::3]:443", ForwardMethod::DirectRoute).weight(3).unwrap(), "Route 3", "0 0"),
            ],
        ),
        (
            service("UDP 192.0.2.10:53", Scheduler::Rr).one_packet(true),
            "UDP 192.0.2.10:53 rr ops",
            vec![(server("10.0.0.2:5353", ForwardMethod::Masquerade), "Masq 1", "0 0")],
        ),
        (
            service("UDP 192.0.2.10:5060", Scheduler::Rr).persistence(sip(60)),
            "UDP 192.0.2.10:5060 rr persistent 60 pe sip",
            vec![],
        ),
        (
            service("TCP 192.0.2.11:80", Scheduler::Mh)
                .scheduler_flags(SchedulerFlags::PORT)
                .persistence(persistence(300).granularity(mask)),
            "TCP 192.0.2.11:80 mh (mh-port) persistent 300 mask 255.255.255.0",
            vec![],
        ),
        (
            service("TCP 192.0.2.12:80", Scheduler::Lc).persistence(persistence(2_678_400).granularity(holes)),
            "TCP 192.0.2.12:80 lc persistent 2678400 mask 255.0.255.0",
            vec![],
        ),
        (
            service("TCP [2001:db8::11]:80", Scheduler::Wrr).persistence(persistence(300).granularity(prefix)),
            "TCP [2001:db8::11]:80 wrr persistent 300 mask 64",
            vec![],
        ),
        (
            service("SCTP 192.0.2.10:80", Scheduler::Nq).scheduler_flags(SchedulerFlags::FLAG_3),
            "SCTP 192.0.2.10:80 nq (flag-3)",
            vec![],
        ),
        (
            service("TCP 192.0.2.13:0", Scheduler::Sed).persistence(persistence(60)),
            "TCP 192.0.2.13:0 sed persistent 60",
            vec![(server("10.0.0.2:0", ForwardMethod::DirectRoute), "Route 1", "0 0")],
        ),
        (
            service("FWM 7", Scheduler::Dh),
            "FWM 7 dh",
            vec![(server("10.0.0.2:0", ForwardMethod::Masquerade), "Masq 1", "0 0")],
        ),
        (
            service("FWM 7 IPv6", Scheduler::Fo).persistence(persistence(360)),
            "FWM 7 IPv6 fo persistent 360",
            vec![(server("[2001:db8::2]:0", ForwardMethod::DirectRoute), "Route 1", "0 0")],
        ),
    ]
}

/// A row without its padding.
fn words(row: &str) -> String {
    row.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn sorted<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut lines: Vec<&str> = lines.collect();
    lines.sort_unstable();
    lines
}
