//! Rates between two observations.

use std::time::Duration;

use ipvs_rs::model::{Stats, TableService};
use ipvs_rs::{Destination, DestinationEntry, ForwardMethod, Scheduler, Service, ServiceEntry, Table};

#[test]
fn rates_are_of_the_time_between() {
    let mut stats = Stats::default();
    (stats.connections, stats.bytes_in, stats.packets_in) = (30, 1000, 5);
    let mut before = Stats::default();
    (before.connections, before.bytes_in, before.packets_in) = (10, 0, 7);
    stats.connections_per_sec = 99;
    let kernel = stats;

    stats.set_rates_since(&before, Duration::ZERO);
    assert_eq!(stats, kernel, "no time has passed");

    stats.set_rates_since(&before, Duration::from_secs(2));
    assert_eq!((stats.connections_per_sec, stats.bytes_per_sec_in), (10, 500));
    assert_eq!(stats.packets_per_sec_in, 2, "set to zero meanwhile");
    assert_eq!((stats.counters(), stats.rates()), ([30, 5, 0, 1000, 0], [10, 2, 0, 500, 0]));

    stats.set_rates_since(&Stats::default(), Duration::from_millis(500));
    assert_eq!(stats.connections_per_sec, 60, "new since then");
    stats.set_rates_since(&Stats::default(), Duration::from_nanos(1));
    assert_eq!(stats.connections_per_sec, 30_000_000_000);
}

/// A table of a service for each number, with a destination; both have so many connections.
fn table(numbers: &[(u8, u64)]) -> Table {
    let row = |(number, connections): &(u8, u64)| {
        let id = format!("tcp://192.0.2.{number}:80").parse().unwrap();
        let server = Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Masquerade);
        let mut service = ServiceEntry::new(Service::new(id, Scheduler::Rr));
        let mut entry = DestinationEntry::new(server);
        (service.stats.connections, entry.stats.connections) = (*connections, *connections);
        TableService::new(service, vec![entry])
    };
    Table::new(numbers.iter().map(row).collect())
}

#[test]
fn rows_are_compared_with_those_of_the_same_name() {
    let mut now = table(&[(1, 30), (2, 30), (3, 30)]);
    now.set_rates_since(&table(&[(2, 10), (1, 20)]), Duration::from_secs(1));
    let rates = now.services.iter().map(|row| {
        let [of_service, of_destination] = [row.service.stats, row.destinations[0].stats].map(|stats| stats.rates()[0]);
        assert_eq!(of_service, of_destination);
        of_service
    });
    assert_eq!(rates.collect::<Vec<_>>(), [10, 20, 30], "the last one is new");
}
