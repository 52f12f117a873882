//! Destinations that get no new connections, and go when they have no more.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ipvs_rs::desired::apply::{
    Clock, DrainOutcome, Interrupt, Observer, Phase, Progress, Report, apply, held_by_persistence,
};
use ipvs_rs::desired::{DesiredState, Drain, OnTimeout, WaitFor};
use ipvs_rs::error::Errno;
use ipvs_rs::model::SyncDaemon;
use ipvs_rs::testing::{FakeKernel, Fault, Plan as Mishaps, Traffic};
use ipvs_rs::{DestinationId, ServiceId};

use super::given::{WEB, WEB_1, WEB_2, WEB_3, desired, table};
use super::world::{Interrupter, World};

const WEB_ID: &str = "TCP 192.0.2.80:80";
const SERVER_2: &str = "198.51.100.12:80";
const SERVER_3: &str = "198.51.100.13:80";

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Traffic at certain times.
#[derive(Clone, Debug)]
struct Schedule {
    kernel: FakeKernel,
    now: Arc<Mutex<Duration>>,
    events: Vec<(Duration, &'static str, Traffic)>,
}

impl Schedule {
    fn new(kernel: &FakeKernel, events: &[(u64, &'static str, Traffic)]) -> Self {
        let events = events.iter().map(|(at, server, traffic)| (secs(*at), *server, *traffic)).collect();
        Self { kernel: kernel.clone(), now: Arc::default(), events }
    }
}

impl Clock for Schedule {
    fn now(&self) -> Duration {
        *self.now.lock().unwrap()
    }

    fn sleep(&self, time: Duration) {
        let mut now = self.now.lock().unwrap();
        let before = *now;
        *now += time;
        for (at, server, traffic) in &self.events {
            if before < *at && *at <= *now {
                self.kernel.carry(&id(WEB_ID), &id(server), *traffic).unwrap();
            }
        }
    }
}

/// A service with three servers, the second and third of which have connections and are to go.
fn busy_world() -> World {
    let world = World::new().holding(&table(&[WEB, WEB_1, WEB_2, WEB_3]));
    for server in [SERVER_2, SERVER_3] {
        world.kernel.carry(&id(WEB_ID), &id(server), Traffic::new().opened(5)).unwrap();
    }
    world
}

fn only_the_first(drain: Drain) -> DesiredState {
    desired(&[WEB, WEB_1]).drain(drain)
}

fn outcomes(report: &Report) -> Vec<(String, DrainOutcome, u32, Duration)> {
    let mut all: Vec<_> =
        report.drains().iter().map(|it| (it.destination.to_string(), it.outcome, it.left, it.waited)).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

fn weights(world: &World) -> Vec<(String, u32)> {
    let state = world.state();
    let Some((_, destinations)) = state.services.get(&id::<ServiceId>(WEB_ID)) else { return Vec::new() };
    destinations.values().map(|it| (it.id.to_string(), it.weight.get())).collect()
}

fn closed(connections: u32) -> Traffic {
    Traffic::new().closed(connections)
}

#[test]
fn each_destination_goes_when_its_connections_have_come_to_an_end() {
    let world = busy_world();
    let clock = Schedule::new(&world.kernel, &[(3, SERVER_2, closed(5)), (7, SERVER_3, closed(5))]);
    let mut observer = Interrupter::watching();
    let plan = world.plan(&only_the_first(Drain::new(secs(60)).poll(secs(1))));
    let report = apply(&world.handle, &plan, &world.options().clock(clock), &mut observer).unwrap();
    assert!(report.is_complete());
    assert_eq!(
        outcomes(&report),
        [(SERVER_2.to_owned(), DrainOutcome::Idle, 0, secs(3)), (SERVER_3.to_owned(), DrainOutcome::Idle, 0, secs(7))]
    );
    assert_eq!(weights(&world), [("198.51.100.11:80".to_owned(), 100)]);
    // Both get weight 0 at once, and each look at the counters is one list.
    assert_eq!(world.writes(), [vec!["SET_DEST", "SET_DEST"], vec!["DEL_DEST"], vec!["DEL_DEST"]]);
    assert_eq!(world.requests(), 2 + 2 + 8);
    let draining: Vec<_> = observer
        .progress
        .iter()
        .filter(|progress| progress.phase == Phase::Draining && progress.draining > 0)
        .map(|progress| (progress.draining, progress.connections))
        .collect();
    assert_eq!(draining.first(), Some(&(2, 10)));
    assert_eq!(draining.last(), Some(&(1, 5)));
}

#[test]
fn idle_destination_is_not_waited_for() {
    let world = World::new().holding(&table(&[WEB, WEB_1, WEB_2]));
    let plan = world.plan(&only_the_first(Drain::new(secs(60))));
    let report = apply(&world.handle, &plan, &world.options(), &mut ()).unwrap();
    assert_eq!(outcomes(&report), [(SERVER_2.to_owned(), DrainOutcome::Idle, 0, Duration::ZERO)]);
    assert_eq!(world.requests(), 3);
}

#[test]
fn when_the_time_is_over_a_destination_is_deleted_kept_or_restored() {
    for (on_timeout, outcome, left, is_complete) in [
        (OnTimeout::Delete, DrainOutcome::Deleted, vec![("198.51.100.11:80", 100)], true),
        (OnTimeout::Keep, DrainOutcome::Kept, vec![("198.51.100.11:80", 100), (SERVER_3, 0)], false),
        (OnTimeout::Fail, DrainOutcome::Restored, vec![("198.51.100.11:80", 100), (SERVER_3, 100)], false),
    ] {
        let world = busy_world();
        let clock = Schedule::new(&world.kernel, &[(1, SERVER_2, closed(5)), (2, SERVER_3, closed(2))]);
        let plan = world.plan(&only_the_first(Drain::new(secs(4)).on_timeout(on_timeout)));
        let report = apply(&world.handle, &plan, &world.options().clock(clock), &mut ()).unwrap();
        assert_eq!(
            outcomes(&report),
            [(SERVER_2.to_owned(), DrainOutcome::Idle, 0, secs(1)), (SERVER_3.to_owned(), outcome, 3, secs(4))]
        );
        assert_eq!((report.is_complete(), report.undrained().count()), (is_complete, usize::from(!is_complete)));
        assert_eq!(weights(&world), left.iter().map(|(id, weight)| ((*id).to_owned(), *weight)).collect::<Vec<_>>());
    }
}

#[test]
fn inactive_connections_are_waited_for_when_that_is_said() {
    let world = busy_world();
    let events = [(1, SERVER_2, closed(5)), (1, SERVER_3, closed(5)), (9, SERVER_2, Traffic::new().expired(5))];
    let clock = Schedule::new(&world.kernel, &events);
    let plan = world.plan(&only_the_first(Drain::new(secs(20)).wait(WaitFor::All)));
    let report = apply(&world.handle, &plan, &world.options().clock(clock), &mut ()).unwrap();
    assert_eq!(
        outcomes(&report),
        [
            (SERVER_2.to_owned(), DrainOutcome::Idle, 0, secs(9)),
            (SERVER_3.to_owned(), DrainOutcome::Deleted, 5, secs(20))
        ]
    );
}

#[test]
fn service_goes_when_all_of_its_destinations_are_idle() {
    let world = busy_world();
    let clock = Schedule::new(&world.kernel, &[(2, SERVER_2, closed(5)), (5, SERVER_3, closed(5))]);
    let plan = world.plan(&DesiredState::new().drain(Drain::new(secs(60))));
    let report = apply(&world.handle, &plan, &world.options().clock(clock), &mut ()).unwrap();
    assert!(report.drains().iter().all(|it| it.outcome == DrainOutcome::Idle && it.waited == secs(5)));
    assert_eq!(report.drains().len(), 3);
    assert_eq!(world.writes(), [vec!["SET_DEST"; 3], vec!["DEL_SERVICE"]]);
    assert_eq!(world.state().services.len(), 0);
}

#[test]
fn everything_else_is_done_before_the_waiting_begins() {
    let world = busy_world();
    let state = desired(&[WEB, WEB_1, "-A -f 7 -s rr"])
        .drain(Drain::new(secs(1)))
        .sync(vec![SyncDaemon::master("eth1").unwrap()]);
    let _report = apply(&world.handle, &world.plan(&state), &world.options(), &mut ()).unwrap();
    assert_eq!(
        world.writes(),
        [vec!["NEW_SERVICE"], vec!["NEW_DAEMON"], vec!["SET_DEST", "SET_DEST"], vec!["DEL_DEST", "DEL_DEST"]]
    );
}

#[test]
fn daemon_waits_for_destinations_of_the_other_family_that_are_drained() {
    let six = "-a -t 192.0.2.80:80 -r [2001:db8::9]:80 -i -w 1";
    let world = World::new().holding(&table(&[WEB, WEB_1, six]));
    let state = desired(&[WEB, WEB_1]).drain(Drain::new(secs(1))).sync(vec![SyncDaemon::master("eth1").unwrap()]);
    let report = apply(&world.handle, &world.plan(&state), &world.options(), &mut ()).unwrap();
    assert!(report.is_complete());
    assert_eq!(world.writes(), [vec!["SET_DEST"], vec!["DEL_DEST"], vec!["NEW_DAEMON"]]);
}

#[test]
fn interrupt_ends_the_waiting_and_does_what_is_said_for_the_end_of_the_time() {
    for (on_timeout, outcome) in [
        (OnTimeout::Delete, DrainOutcome::Deleted),
        (OnTimeout::Keep, DrainOutcome::Kept),
        (OnTimeout::Fail, DrainOutcome::Restored),
    ] {
        let world = busy_world();
        let plan = world.plan(&only_the_first(Drain::new(secs(600)).on_timeout(on_timeout)));
        let mut observer = Interrupter::new(10, Interrupt::Stop);
        let report = apply(&world.handle, &plan, &world.options(), &mut observer).unwrap();
        assert!(report.is_interrupted());
        assert!(report.drains().iter().all(|it| it.outcome == outcome && it.left == 5 && it.waited < secs(2)));
        assert_eq!(report.is_complete(), on_timeout == OnTimeout::Delete);
    }
}

/// Somebody who is asked to wait for too long.
struct Impatient(usize);
impl Observer for Impatient {
    fn progress(&mut self, _: &Progress) {}
    fn interrupt(&mut self) -> Interrupt {
        self.0 += 1;
        if self.0 > 10 { Interrupt::Now } else { Interrupt::None }
    }
}

#[test]
fn second_interrupt_ends_it_at_once_and_leaves_weight_0() {
    let world = busy_world();
    let plan = world.plan(&only_the_first(Drain::new(secs(600))));
    let error = apply(&world.handle, &plan, &world.options(), &mut Impatient(0)).unwrap_err();
    assert!(error.is_interrupted() && !error.is_rolled_back());
    assert!(error.report().drains().iter().all(|it| it.outcome == DrainOutcome::Unfinished));
    assert_eq!(weights(&world).iter().map(|(_, weight)| *weight).collect::<Vec<_>>(), [100, 0, 0]);
    // The next one goes on where this one ended.
    let report = apply(&world.handle, &world.plan(&only_the_first(Drain::new(secs(1)))), &world.options(), &mut ());
    assert!(report.unwrap().is_complete());
}

/// Somebody who deletes a destination while it is waited for.
#[derive(Debug)]
struct Deletes<'a>(&'a ipvs_rs::Handle, usize);
impl Observer for Deletes<'_> {
    fn interrupt(&mut self) -> Interrupt {
        self.1 += 1;
        if self.1 == 8 {
            let (service, server): (ServiceId, DestinationId) = (id(WEB_ID), id(SERVER_2));
            self.0.delete_destination(&service, &server).unwrap();
        }
        Interrupt::None
    }
}

#[test]
fn destination_that_somebody_else_deletes_is_not_waited_for() {
    let world = busy_world();
    let other = world.kernel.handle().unwrap();
    let plan = world.plan(&only_the_first(Drain::new(secs(10))));
    let report = apply(&world.handle, &plan, &world.options(), &mut Deletes(&other, 0)).unwrap();
    assert!(report.is_complete());
    assert_eq!(
        report.drains().iter().map(|it| (it.destination.to_string(), it.outcome)).collect::<Vec<_>>(),
        [(SERVER_2.to_owned(), DrainOutcome::Gone), (SERVER_3.to_owned(), DrainOutcome::Deleted)]
    );
}

#[test]
fn failure_while_draining_gives_all_weights_back() {
    let world = busy_world();
    let before = world.state();
    // Weight 0, a look, and then nobody may delete anything.
    let plan = world.plan(&only_the_first(Drain::new(Duration::ZERO)));
    world.kernel.misbehave(Mishaps::new().well(2).then(Fault::Refuse(Errno::EPERM)));
    let error = apply(&world.handle, &plan, &world.options(), &mut ()).unwrap_err();
    assert!(error.is_rolled_back(), "{error}");
    assert_eq!(world.state(), before);
}

#[test]
fn counters_that_cannot_be_read_are_looked_at_three_times() {
    let world = busy_world();
    let before = world.state();
    let denied = || Fault::Refuse(Errno::EPERM);
    let plan = world.plan(&only_the_first(Drain::new(secs(9))));
    world.kernel.misbehave(Mishaps::new().well(1).then(denied()).then(denied()).then(denied()));
    let error = apply(&world.handle, &plan, &world.options(), &mut ()).unwrap_err();
    assert_eq!(error.to_string(), "cannot look at the connections of TCP 192.0.2.80:80; rolled back 2 of 2 operations");
    assert_eq!(world.state(), before);
}

#[test]
fn lists_longer_than_a_datagram_are_looked_at_too() {
    let mut rules = vec![WEB.to_owned()];
    rules.extend((1..=200).map(|host| format!("-a -t 192.0.2.80:80 -r 10.0.0.{host}:80 -g -w 1")));
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let world = World::new().holding(&table(&rules));
    world.kernel.carry(&id(WEB_ID), &id("10.0.0.150:80"), Traffic::new().opened(1)).unwrap();
    let plan = world.plan(&desired(&[WEB]).drain(Drain::new(secs(3))));
    let report = apply(&world.handle, &plan, &world.options(), &mut ()).unwrap();
    assert_eq!(report.drains().len(), 200);
    let deleted: Vec<_> = report.drains().iter().filter(|it| it.outcome == DrainOutcome::Deleted).collect();
    assert_eq!(deleted.len(), 1);
    assert_eq!(deleted[0].to_string(), "destination 10.0.0.150:80 of TCP 192.0.2.80:80: deleted with 1 connection");
}

#[test]
fn clients_that_persistence_holds_are_told_of_before() {
    let world = busy_world();
    world.kernel.carry(&id(WEB_ID), &id(SERVER_3), Traffic::new().held(2)).unwrap();
    let drained = world.plan(&only_the_first(Drain::new(secs(9))));
    let held: Vec<(ServiceId, DestinationId)> = held_by_persistence(&drained).collect();
    assert_eq!(held, [(id(WEB_ID), id(SERVER_3))]);
    let deleted = world.plan(&desired(&[WEB, WEB_1]));
    assert_eq!(held_by_persistence(&deleted).count(), 0);
}
