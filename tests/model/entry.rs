//! Observed objects: their line in a log, and a table as a collection.

use ipvs_rs::model::{
    Granularity, Persistence, PersistenceEngine, SchedulerFlags, ServiceFlags, TableService, Tunnel, Weight,
};
use ipvs_rs::{Destination, DestinationEntry, ForwardMethod, Scheduler, Service, ServiceEntry, Table};

fn service(id: &str, scheduler: Scheduler) -> Service {
    Service::new(id.parse().unwrap(), scheduler)
}

fn destination(id: &str, forward: ForwardMethod) -> DestinationEntry {
    DestinationEntry::new(Destination::new(id.parse().unwrap(), forward))
}

#[test]
fn service_entry_prints_as_it_is_listed() {
    let mut hour = Persistence::for_secs(3600).unwrap();
    hour.granularity = Granularity::Mask([255, 255, 255, 0].into());
    hour.engine = Some(PersistenceEngine::Sip);
    let flags = SchedulerFlags::FALLBACK | SchedulerFlags::PORT;
    for (service, line) in [
        (service("TCP 192.0.2.10:80", Scheduler::Wlc), "TCP 192.0.2.10:80 wlc"),
        (service("FWM 7 IPv6", Scheduler::None), "FWM 7 IPv6 none"),
        (service("UDP [2001:db8::1]:53", Scheduler::Rr).one_packet(true), "UDP [2001:db8::1]:53 rr ops"),
        (service("FWM 7", Scheduler::Sh).scheduler_flags(flags), "FWM 7 sh (sh-fallback,sh-port)"),
        (service("FWM 7", Scheduler::Rr).scheduler_flags(flags), "FWM 7 rr (flag-1,flag-2)"),
        (
            service("UDP 192.0.2.10:53", Scheduler::Rr).persistence(hour).one_packet(true),
            "UDP 192.0.2.10:53 rr persistent 3600 mask 255.255.255.0 pe sip ops",
        ),
        (service("FWM 7", Scheduler::Rr).dormant_persistence(hour), "FWM 7 rr"),
        (service("FWM 7", Scheduler::Rr).unnamed_flags(ServiceFlags::from_bits_retain(0x40)), "FWM 7 rr"),
    ] {
        assert_eq!(ServiceEntry::new(service).to_string(), line);
    }
}

#[test]
fn destination_entry_prints_with_its_connections() {
    let mut entry = destination("[2001:db8::2]:80", ForwardMethod::Tunnel(Tunnel::gue(6080).unwrap()));
    entry.destination.weight = Weight::MAX;
    (entry.active_connections, entry.inactive_connections) = (4, u32::MAX);
    let line = "[2001:db8::2]:80 Tunnel gue:6080 weight 2147483647 active 4 inactive 4294967295";
    assert_eq!(entry.to_string(), line);
    let entry = destination("10.0.0.2:0", ForwardMethod::DirectRoute);
    assert_eq!(entry.to_string(), "10.0.0.2:0 Route weight 1 active 0 inactive 0");
}

#[test]
fn table_is_a_collection_of_services() {
    let row = |id, servers: &[&str]| {
        let servers = servers.iter().map(|server| destination(server, ForwardMethod::Masquerade)).collect();
        TableService::new(ServiceEntry::new(service(id, Scheduler::Rr)), servers)
    };
    let rows = [row("FWM 7", &["10.0.0.2:80", "10.0.0.3:80"]), row("FWM 8", &[])];
    let mut table: Table = rows.clone().into_iter().collect();
    assert_eq!(table, Table::new(rows.to_vec()));
    let names = |table: &Table| table.iter().map(|row| row.id().to_string()).collect::<Vec<_>>();
    assert_eq!(names(&table), ["FWM 7", "FWM 8"]);
    for row in &mut table {
        row.destinations.clear();
    }
    assert_eq!(table.destination_count(), 0);
    let mut count = 0;
    for row in &table {
        assert_eq!(row.id(), row.service.id());
        count += 1;
    }
    assert_eq!((count, table.into_iter().next_back()), (2, Some(row("FWM 8", &[]))));
}
