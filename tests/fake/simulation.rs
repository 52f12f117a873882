//! Time and traffic, and what survives what.

use std::time::Duration;

use ipvs_rs::model::{AddressFamily, Stats};
use ipvs_rs::testing::{FakeKernel, Traffic};
use ipvs_rs::{Destination, DestinationEntry, DestinationId, ForwardMethod, Handle, Scheduler, Service, ServiceId};

struct Fixture {
    kernel: FakeKernel,
    handle: Handle,
    web: ServiceId,
    server: DestinationId,
}

impl Fixture {
    fn new() -> Self {
        let kernel = FakeKernel::new();
        let handle = kernel.handle().unwrap();
        let fixture =
            Self { kernel, handle, web: "TCP 192.0.2.10:80".parse().unwrap(), server: "10.0.0.2:80".parse().unwrap() };
        fixture.make_service();
        fixture.make_server();
        fixture
    }

    fn make_service(&self) {
        self.handle.new_service(&Service::new(self.web, Scheduler::Rr)).unwrap();
    }

    fn make_server(&self) {
        self.handle.new_destination(&self.web, &Destination::new(self.server, ForwardMethod::Masquerade)).unwrap();
    }

    fn carry(&self, traffic: Traffic) {
        self.kernel.carry(&self.web, &self.server, traffic).unwrap();
    }

    fn pass(&self, seconds: u64) {
        self.kernel.advance(Duration::from_secs(seconds));
    }

    fn entry(&self) -> DestinationEntry {
        self.handle.get_destination(&self.web, &self.server).unwrap().unwrap()
    }

    fn gauges(&self) -> [u32; 3] {
        let entry = self.entry();
        [entry.active_connections, entry.inactive_connections, entry.persistent_connections]
    }

    fn service_stats(&self) -> Stats {
        self.handle.get_service(&self.web).unwrap().unwrap().stats
    }
}

#[test]
fn connections_are_active_then_inactive_then_gone() {
    let fixture = Fixture::new();
    assert_eq!(fixture.gauges(), [0, 0, 0]);
    fixture.carry(Traffic::new().opened(5).held(2));
    assert_eq!(fixture.gauges(), [5, 0, 2]);
    fixture.carry(Traffic::new().opened(1).closed(4));
    assert_eq!(fixture.gauges(), [2, 4, 2]);
    fixture.carry(Traffic::new().expired(3).released(1));
    assert_eq!(fixture.gauges(), [2, 1, 1]);
    fixture.carry(Traffic::new().closed(99).expired(99).released(99));
    assert_eq!(fixture.gauges(), [0, 0, 0]);
}

#[test]
fn counters_are_seen_when_the_estimator_came_by() {
    let fixture = Fixture::new();
    fixture.pass(1);
    fixture.carry(Traffic::new().opened(3).packets_in(10, 600).packets_out(8, 4000));
    assert_eq!(fixture.entry().stats, Stats::default());
    assert_eq!(fixture.service_stats(), Stats::default());
    fixture.pass(1);
    let mut expected = Stats::default();
    (expected.connections, expected.packets_in, expected.packets_out) = (3, 10, 8);
    (expected.bytes_in, expected.bytes_out) = (600, 4000);
    (expected.connections_per_sec, expected.packets_per_sec_in, expected.packets_per_sec_out) = (0, 1, 1);
    (expected.bytes_per_sec_in, expected.bytes_per_sec_out) = (75, 500);
    assert_eq!(fixture.entry().stats, expected);
    assert_eq!(fixture.service_stats(), expected, "the service counts for all its destinations");
}

#[test]
fn steady_traffic_comes_to_its_rate_and_silence_to_nothing() {
    let fixture = Fixture::new();
    for _ in 0..40 {
        fixture.carry(Traffic::new().opened(20).closed(20).expired(20).packets_in(200, 20_000));
        fixture.pass(2);
    }
    let stats = fixture.service_stats();
    assert_eq!((stats.connections_per_sec, stats.packets_per_sec_in, stats.bytes_per_sec_in), (10, 100, 10_000));
    fixture.pass(365 * 24 * 3600);
    let stats = fixture.service_stats();
    assert_eq!((stats.connections_per_sec, stats.packets_per_sec_in, stats.bytes_per_sec_in), (0, 0, 0));
    assert_eq!((stats.connections, stats.packets_in, stats.bytes_in), (800, 8000, 800_000));
}

#[test]
fn zero_forgets_what_was_seen_and_keeps_what_was_not() {
    let fixture = Fixture::new();
    fixture.carry(Traffic::new().opened(3));
    fixture.pass(2);
    fixture.carry(Traffic::new().opened(4));
    fixture.handle.zero_service(&fixture.web).unwrap();
    assert_eq!((fixture.service_stats(), fixture.entry().stats), (Stats::default(), Stats::default()));
    assert_eq!(fixture.gauges(), [7, 0, 0], "connections stay");
    fixture.pass(2);
    assert_eq!((fixture.service_stats().connections, fixture.entry().stats.connections), (4, 4));
    fixture.handle.zero_all().unwrap();
    assert_eq!(fixture.service_stats(), Stats::default());
}

#[test]
fn update_keeps_counters_and_connections() {
    let fixture = Fixture::new();
    fixture.carry(Traffic::new().opened(3));
    fixture.pass(2);
    fixture.handle.update_service(&Service::new(fixture.web, Scheduler::Mh)).unwrap();
    let changed = Destination::new(fixture.server, ForwardMethod::DirectRoute).drained();
    fixture.handle.update_destination(&fixture.web, &changed).unwrap();
    assert_eq!((fixture.service_stats().connections, fixture.entry().stats.connections), (3, 3));
    assert_eq!(fixture.gauges(), [3, 0, 0]);
}

#[test]
fn destination_that_comes_back_has_its_connections_and_counters_again() {
    let fixture = Fixture::new();
    fixture.carry(Traffic::new().opened(3));
    fixture.pass(2);
    fixture.handle.delete_destination(&fixture.web, &fixture.server).unwrap();
    fixture.carry(Traffic::new().closed(1));
    fixture.make_server();
    assert_eq!(fixture.gauges(), [2, 1, 0]);
    assert_eq!(fixture.entry().stats.connections, 3);

    // With another service of the same name it has only the connections.
    fixture.handle.delete_service(&fixture.web).unwrap();
    fixture.make_service();
    fixture.make_server();
    assert_eq!(fixture.gauges(), [2, 1, 0]);
    assert_eq!(fixture.entry().stats, Stats::default());
}

#[test]
fn unreferenced_destination_is_forgotten_after_two_minutes() {
    let back_after = |seconds| {
        let fixture = Fixture::new();
        fixture.carry(Traffic::new().opened(3).closed(3).expired(3));
        fixture.pass(2);
        fixture.handle.delete_destination(&fixture.web, &fixture.server).unwrap();
        fixture.pass(seconds);
        fixture.make_server();
        fixture.entry().stats.connections
    };
    // It is looked at every minute; at the first look the two minutes begin.
    assert_eq!([0, 119, 179, 180].map(back_after), [3, 3, 3, 0]);
}

#[test]
fn destination_with_connections_is_remembered_for_ever() {
    let fixture = Fixture::new();
    fixture.carry(Traffic::new().opened(1));
    fixture.handle.flush().unwrap();
    fixture.pass(365 * 24 * 3600);
    fixture.make_service();
    fixture.make_server();
    assert_eq!(fixture.gauges(), [1, 0, 0]);
}

#[test]
fn traffic_needs_a_destination() {
    let fixture = Fixture::new();
    let unknown: DestinationId = "10.0.0.9:80".parse().unwrap();
    let error = fixture.kernel.carry(&fixture.web, &unknown, Traffic::new().opened(1)).unwrap_err();
    assert_eq!(error.to_string(), "no destination 10.0.0.9:80 of TCP 192.0.2.10:80 to carry traffic to");
    fixture.handle.delete_destination(&fixture.web, &fixture.server).unwrap();
    assert!(fixture.kernel.carry(&fixture.web, &fixture.server, Traffic::new().opened(1)).is_err());
    assert!(
        fixture.kernel.carry(&fixture.web, &fixture.server, Traffic::new().closed(1)).is_err(),
        "there is none to close"
    );
}

#[test]
fn traffic_reaches_marks_and_both_families() {
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    for (service, server) in [
        (ServiceId::fwmark(7, AddressFamily::Ipv4).unwrap(), "10.0.0.2:80"),
        (ServiceId::fwmark(7, AddressFamily::Ipv6).unwrap(), "[2001:db8::2]:80"),
        ("UDP [2001:db8::10]:53".parse().unwrap(), "[2001:db8::2]:53"),
    ] {
        let server: DestinationId = server.parse().unwrap();
        handle.new_service(&Service::new(service, Scheduler::Rr)).unwrap();
        handle.new_destination(&service, &Destination::new(server, ForwardMethod::Masquerade)).unwrap();
        kernel.carry(&service, &server, Traffic::new().opened(1)).unwrap();
        assert_eq!(handle.get_destination(&service, &server).unwrap().unwrap().active_connections, 1, "{service}");
    }
}
