use ipvs_rs::desired::OnTimeout;
use ipvs_rs::model::Weight;
use ipvs_rs::testing::{FakeKernel, Traffic};
use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service};

use super::*;
use crate::console::Console;
use crate::place::Place;
use crate::signals::TestClock;
use crate::tests::session;

const SERVICE: &str = "tcp://192.0.2.10:80";

struct World {
    kernel: FakeKernel,
    service: ServiceId,
    servers: Vec<DestinationId>,
}

/// A service with two servers of weight 7, both with two connections.
fn world() -> World {
    let kernel = FakeKernel::new();
    let (handle, service) = (kernel.handle().unwrap(), SERVICE.parse().unwrap());
    handle.new_service(&Service::new(service, Scheduler::Wlc)).unwrap();
    let servers: Vec<DestinationId> = ["10.0.0.2:80", "10.0.0.3:80"].map(|server| server.parse().unwrap()).into();
    for server in &servers {
        let destination = Destination::new(*server, ForwardMethod::Masquerade).weight(7).unwrap();
        handle.new_destination(&service, &destination).unwrap();
        kernel.carry(&service, server, Traffic::new().opened(2)).unwrap();
    }
    World { kernel, service, servers }
}

impl World {
    fn drain(&self, clock: &mut TestClock<'_>, drain: Drain, delete: bool) -> (Result<(), Failure>, String) {
        let mut console = Console::memory(1);
        let draining = Draining { service: self.service, destinations: self.servers.clone(), drain, delete };
        let done = super::drain(&mut session(&self.kernel, &mut console), clock, &draining);
        (done, console.taken().1)
    }

    fn weights(&self) -> Vec<u32> {
        let handle = self.kernel.handle().unwrap();
        let entry = |server| handle.get_destination(&self.service, server).unwrap();
        self.servers.iter().filter_map(entry).map(|entry| entry.destination.weight.get()).collect()
    }

    fn close(&self, server: usize) {
        let traffic = Traffic::new().closed(2);
        self.kernel.carry(&self.service, &self.servers[server], traffic).unwrap();
    }
}

#[test]
fn connections_are_waited_for() {
    let world = world();
    let mut clock = TestClock::new().meanwhile(|now| match now.as_millis() {
        1000 => world.close(0),
        2000 => world.close(1),
        _ => {}
    });
    let (done, log) = world.drain(&mut clock, Drain::new(Duration::from_secs(60)), false);
    assert_eq!(done, Ok(()));
    assert_eq!(clock.elapsed, Duration::from_secs(2));
    assert_eq!(world.weights(), [0, 0]);
    assert_eq!(
        log.lines().collect::<Vec<_>>(),
        [
            "INFO Destination 10.0.0.2:80 of service tcp://192.0.2.10:80 has weight 0 and no connections",
            "INFO Destination 10.0.0.3:80 of service tcp://192.0.2.10:80 has weight 0 and no connections",
        ]
    );
}

#[test]
fn drained_destination_is_deleted_while_others_are_waited_for() {
    let world = world();
    world.close(0);
    let mut clock = TestClock::new().meanwhile(|now| {
        assert_eq!(world.weights(), [0], "{now:?}");
        if now >= Duration::from_secs(1) {
            world.close(1);
        }
    });
    let (done, _) = world.drain(&mut clock, Drain::new(Duration::from_secs(60)), true);
    assert_eq!((done, world.weights()), (Ok(()), vec![]));
}

#[test]
fn end_of_the_time_has_three_ways() {
    for (on_timeout, exit, weights) in [
        (OnTimeout::Keep, Some(Exit::Drain), vec![0, 0]),
        (OnTimeout::Fail, Some(Exit::Drain), vec![7, 7]),
        (OnTimeout::Delete, None, vec![]),
    ] {
        let world = world();
        let mut clock = TestClock::new();
        let drain = Drain::new(Duration::from_secs(3)).on_timeout(on_timeout);
        let (done, log) = world.drain(&mut clock, drain, true);
        let said = done.as_ref().err().map_or(log, |failure| failure.message.clone());
        assert_eq!(done.err().map(|failure| failure.exit), exit, "{on_timeout:?}");
        assert_eq!(world.weights(), weights, "{on_timeout:?}");
        assert_eq!(clock.elapsed, Duration::from_secs(3));
        assert!(said.contains("still had 2 connections after 3s"), "{said}");
    }
}

#[test]
fn interrupt_is_the_end_of_the_time() {
    let world = world();
    let mut clock = TestClock { ends_at: Some(Duration::from_secs(1)), ..TestClock::new() };
    let drain = Drain::new(Duration::from_secs(60)).on_timeout(OnTimeout::Fail);
    let (done, _) = world.drain(&mut clock, drain, false);
    let failure = done.unwrap_err();
    assert!(failure.message.contains("when it was interrupted"), "{}", failure.message);
    assert_eq!(world.weights(), [7, 7]);
}

#[test]
fn missing_destination_leaves_all_weights() {
    let mut world = world();
    world.servers.push("10.0.0.9:80".parse().unwrap());
    let (done, _) = world.drain(&mut TestClock::new(), Drain::new(Duration::ZERO), false);
    let failure = done.unwrap_err();
    assert_eq!(failure.exit, Exit::Set);
    assert!(failure.message.contains("Destination 10.0.0.9:80 of service tcp://192.0.2.10:80 not found"));
    assert_eq!(world.weights(), [7, 7]);
}

#[test]
fn undrained_destination_has_its_weight() {
    let world = world();
    let place = Place { service: world.service, destination: world.servers[0] };
    let mut console = Console::memory(0);
    set::set_weight(&mut session(&world.kernel, &mut console), set::UNDRAIN, &place, Weight::new(3).unwrap()).unwrap();
    assert_eq!(world.weights(), [3, 7]);
}
