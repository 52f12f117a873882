//! Destinations that get no new connections, and go when they have no more.

use std::time::{Duration, Instant};

use ipvs_rs::desired::apply::{
    Applier, ApplyError, ApplyOptions, Cause, DrainOutcome, Drains, Interrupt, Observer, Phase, Progress, Report,
    drive, held_by_persistence,
};
use ipvs_rs::desired::plan::Plan;
use ipvs_rs::desired::{DesiredState, Drain, OnTimeout, WaitFor};
use ipvs_rs::error::Errno;
use ipvs_rs::model::SyncDaemon;
use ipvs_rs::testing::{Fault, FaultPlan as Mishaps, Traffic};
use ipvs_rs::{DestinationId, ServiceId};

use super::given::{WEB, WEB_1, WEB_2, WEB_3, desired, table};
use super::world::{Interrupter, World, assert_line};

const WEB_ID: &str = "TCP 192.0.2.80:80";
const SERVER_2: &str = "198.51.100.12:80";
const SERVER_3: &str = "198.51.100.13:80";

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Carries a plan out while connections come and go at these times.
fn apply_while(
    world: &World,
    plan: &Plan,
    observer: &mut dyn Observer,
    events: &[(u64, &'static str, Traffic)],
) -> Result<Report, ApplyError> {
    let mut before = Duration::ZERO;
    world.apply_while(plan, ApplyOptions::new(), observer, |now| {
        for (at, server, traffic) in events {
            if before < secs(*at) && secs(*at) <= now {
                world.kernel.carry(&id(WEB_ID), &id(server), *traffic).unwrap();
            }
        }
        before = now;
    })
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
        report.drains.iter().map(|it| (it.destination.to_string(), it.outcome, it.left, it.waited)).collect();
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
    let events = [(3, SERVER_2, closed(5)), (7, SERVER_3, closed(5))];
    let mut observer = Interrupter::watching();
    let plan = world.plan(&only_the_first(Drain::new(secs(60)).poll(secs(1))));
    let report = apply_while(&world, &plan, &mut observer, &events).unwrap();
    assert!(report.is_complete());
    assert_eq!(
        outcomes(&report),
        [(SERVER_2.to_owned(), DrainOutcome::Idle, 0, secs(3)), (SERVER_3.to_owned(), DrainOutcome::Idle, 0, secs(7))]
    );
    assert_eq!(weights(&world), [("198.51.100.11:80".to_owned(), 100)]);
    // Both get weight 0 at once, and each look at the counters is one list.
    assert_eq!(world.writes(), [vec!["SET_DEST", "SET_DEST"], vec!["DEL_DEST"], vec!["DEL_DEST"]]);
    // The last look is the service and its list.
    assert_eq!(world.requests(), 2 + 2 + 8 + 2);
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
    let report = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap();
    assert_eq!(outcomes(&report), [(SERVER_2.to_owned(), DrainOutcome::Idle, 0, Duration::ZERO)]);
    assert_eq!(world.writes(), [vec!["SET_DEST"], vec!["DEL_DEST"]]);
    assert_eq!(world.requests(), 3 + 2);
}

#[test]
fn when_the_time_is_over_a_destination_is_deleted_kept_or_restored() {
    for (on_timeout, outcome, left, is_complete) in [
        (OnTimeout::Delete, DrainOutcome::Deleted, vec![("198.51.100.11:80", 100)], true),
        (OnTimeout::Keep, DrainOutcome::Kept, vec![("198.51.100.11:80", 100), (SERVER_3, 0)], false),
        (OnTimeout::Fail, DrainOutcome::Restored, vec![("198.51.100.11:80", 100), (SERVER_3, 100)], false),
    ] {
        let world = busy_world();
        let events = [(1, SERVER_2, closed(5)), (2, SERVER_3, closed(2))];
        let plan = world.plan(&only_the_first(Drain::new(secs(4)).on_timeout(on_timeout)));
        let report = apply_while(&world, &plan, &mut (), &events).unwrap();
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
    let plan = world.plan(&only_the_first(Drain::new(secs(20)).wait(WaitFor::All)));
    let report = apply_while(&world, &plan, &mut (), &events).unwrap();
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
    let events = [(2, SERVER_2, closed(5)), (5, SERVER_3, closed(5))];
    let plan = world.plan(&DesiredState::new().drain(Drain::new(secs(60))));
    let report = apply_while(&world, &plan, &mut (), &events).unwrap();
    assert!(report.drains.iter().all(|it| it.outcome == DrainOutcome::Idle && it.waited == secs(5)));
    assert_eq!(report.drains.len(), 3);
    assert_eq!(world.writes(), [vec!["SET_DEST"; 3], vec!["DEL_SERVICE"]]);
    assert_eq!(world.state().services.len(), 0);
}

#[test]
fn everything_else_is_done_before_the_waiting_begins() {
    let world = busy_world();
    let state = desired(&[WEB, WEB_1, "-A -f 7 -s rr"])
        .drain(Drain::new(secs(1)))
        .sync(vec![SyncDaemon::master("eth1").unwrap()]);
    let _report = world.apply(&world.plan(&state), ApplyOptions::new(), &mut ()).unwrap();
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
    let report = world.apply(&world.plan(&state), ApplyOptions::new(), &mut ()).unwrap();
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
        let report = world.apply(&plan, ApplyOptions::new(), &mut observer).unwrap();
        assert!(report.is_interrupted);
        assert!(report.drains.iter().all(|it| it.outcome == outcome && it.left == 5 && it.waited < secs(2)));
        assert_eq!(report.is_complete(), on_timeout == OnTimeout::Delete);
    }
}

/// An observer that ends a long wait.
struct InterruptsDrain(usize);
impl Observer for InterruptsDrain {
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
    let error = world.apply(&plan, ApplyOptions::new(), &mut InterruptsDrain(0)).unwrap_err();
    assert!(matches!(error.cause(), Cause::Interrupted) && !error.is_rolled_back());
    assert!(error.report().drains.iter().all(|it| it.outcome == DrainOutcome::Unfinished));
    assert_eq!(weights(&world).iter().map(|(_, weight)| *weight).collect::<Vec<_>>(), [100, 0, 0]);
    // The next one goes on where this one ended.
    let report = world.apply(&world.plan(&only_the_first(Drain::new(secs(1)))), ApplyOptions::new(), &mut ());
    assert!(report.unwrap().is_complete());
}

/// Another program that deletes a destination while it is waited for.
#[derive(Debug)]
struct DeletesDestination<'a>(&'a ipvs_rs::Handle, usize);
impl Observer for DeletesDestination<'_> {
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
fn destination_deleted_by_another_program_is_not_waited_for() {
    let world = busy_world();
    let other = world.kernel.handle().unwrap();
    let plan = world.plan(&only_the_first(Drain::new(secs(10))));
    let report = world.apply(&plan, ApplyOptions::new(), &mut DeletesDestination(&other, 0)).unwrap();
    assert!(report.is_complete());
    assert_eq!(
        report.drains.iter().map(|it| (it.destination.to_string(), it.outcome)).collect::<Vec<_>>(),
        [(SERVER_2.to_owned(), DrainOutcome::Gone), (SERVER_3.to_owned(), DrainOutcome::Deleted)]
    );
}

#[test]
fn failure_while_draining_gives_all_weights_back() {
    let world = busy_world();
    let before = world.state();
    // Weight 0, a look, and then nothing may be deleted.
    let plan = world.plan(&only_the_first(Drain::new(Duration::ZERO)));
    world.kernel.misbehave(Mishaps::new().well(2).then(Fault::Refuse(Errno::EPERM)));
    let error = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap_err();
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
    let error = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap_err();
    assert_line(&error, "cannot look at the connections of TCP 192.0.2.80:80; rolled back 2 of 2 operations");
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
    let report = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap();
    assert_eq!(report.drains.len(), 200);
    let deleted: Vec<_> = report.drains.iter().filter(|it| it.outcome == DrainOutcome::Deleted).collect();
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

#[test]
fn busy_destination_that_a_list_leaves_out_is_not_taken_for_idle() {
    const SERVERS: u8 = 200;
    let server = |number: u8| -> DestinationId { id(&format!("10.0.0.{number}:80")) };
    let mut rules = vec![WEB.to_owned()];
    rules.extend((1..=SERVERS).map(|number| format!("-a -t 192.0.2.80:80 -r 10.0.0.{number}:80 -g -w 1")));
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let world = World::new().holding(&table(&rules));
    for number in 1..=SERVERS {
        world.kernel.carry(&id(WEB_ID), &server(number), Traffic::new().opened(1)).unwrap();
    }
    let plan = world.plan(&desired(&[WEB]).drain(Drain::new(secs(3)).on_timeout(OnTimeout::Keep)));
    // Each list begins with the destination that was added last; without it the next pieces begin one row too late.
    let other = world.kernel.handle().unwrap();
    let mut last = SERVERS;
    world.while_listing(move || {
        if last > SERVERS - 5 {
            other.delete_destination(&id(WEB_ID), &server(last)).unwrap();
            last -= 1;
        }
    });
    let report = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap();
    let kept = report.drains.iter().filter(|it| it.outcome == DrainOutcome::Kept && it.left == 1).count();
    let gone = report.drains.iter().filter(|it| it.outcome == DrainOutcome::Gone).count();
    assert_eq!((kept, gone), (195, 5), "{report:?}");
    assert_eq!(weights(&world).len(), 195);
}

/// Carries out the plan of a state at a time after the beginning, and leaves alone what drains.
fn look(
    world: &World,
    drains: &mut Drains,
    state: &DesiredState,
    (begin, seconds): (Instant, u64),
) -> Result<Report, ApplyError> {
    let plan = world.plan(state);
    let mut applier = Applier::new(&plan, &ApplyOptions::new()).beside(drains.clone());
    let result = drive(&mut applier, &world.handle, &mut (), &mut |time| begin + secs(seconds) + time);
    *drains = applier.take_drains();
    result
}

#[test]
fn later_plans_go_on_while_destinations_drain() {
    let world = busy_world();
    let (mut drains, begin) = (Drains::default(), Instant::now());
    let state = only_the_first(Drain::new(secs(60)));
    let report = look(&world, &mut drains, &state, (begin, 0)).unwrap();
    assert_eq!((report.done, report.pending, drains.len()), (0, 2, 2));
    assert_eq!(weights(&world).iter().map(|(_, weight)| *weight).collect::<Vec<_>>(), [100, 0, 0]);

    // The next plan changes something else, and nothing of what drains.
    world.forget();
    let mut other = state.clone();
    other.services.push(desired(&["-A -f 7 -s rr"]).services.remove(0));
    let report = look(&world, &mut drains, &other, (begin, 20)).unwrap();
    assert_eq!((report.done, report.pending, drains.len()), (1, 2, 2));
    assert_eq!(world.writes(), [vec!["NEW_SERVICE"]]);

    world.kernel.carry(&id(WEB_ID), &id(SERVER_2), closed(5)).unwrap();
    let report = look(&world, &mut drains, &other, (begin, 40)).unwrap();
    assert_eq!(outcomes(&report), [(SERVER_2.to_owned(), DrainOutcome::Idle, 0, secs(40))]);
    assert_eq!((report.pending, drains.len()), (1, 1));

    // The time counts from when the draining began, not from the plan.
    let report = look(&world, &mut drains, &other, (begin, 60)).unwrap();
    assert_eq!(outcomes(&report), [(SERVER_3.to_owned(), DrainOutcome::Deleted, 5, secs(60))]);
    assert!(report.is_complete() && drains.is_empty());
}

#[test]
fn destination_that_should_be_there_again_is_not_drained_any_more() {
    let world = busy_world();
    let (mut drains, begin) = (Drains::default(), Instant::now());
    let _report = look(&world, &mut drains, &only_the_first(Drain::new(secs(60))), (begin, 0)).unwrap();
    let back = desired(&[WEB, WEB_1, WEB_2]).drain(Drain::new(secs(60)));
    let report = look(&world, &mut drains, &back, (begin, 1)).unwrap();
    assert_eq!((report.done, report.pending, drains.len()), (1, 1, 1));
    assert_eq!(
        weights(&world),
        [("198.51.100.11:80".to_owned(), 100), (SERVER_2.to_owned(), 100), (SERVER_3.to_owned(), 0)]
    );
}

#[test]
fn drain_that_failed_is_not_begun_again_by_the_next_plan() {
    let world = busy_world();
    let (mut drains, begin) = (Drains::default(), Instant::now());
    let state = only_the_first(Drain::new(secs(5)).on_timeout(OnTimeout::Fail));
    let _report = look(&world, &mut drains, &state, (begin, 0)).unwrap();
    let report = look(&world, &mut drains, &state, (begin, 5)).unwrap();
    assert_eq!(report.undrained().count(), 2);
    assert_eq!(weights(&world).iter().map(|(_, weight)| *weight).collect::<Vec<_>>(), [100, 100, 100]);

    world.forget();
    for seconds in 6..9 {
        let report = look(&world, &mut drains, &state, (begin, seconds)).unwrap();
        assert_eq!(report.undrained().count(), 2);
    }
    assert_eq!(world.writes(), Vec::<Vec<&str>>::new());
}

#[test]
fn interrupt_of_a_plan_that_does_not_wait_leaves_busy_destinations_there() {
    for with in [Interrupt::Stop, Interrupt::Now] {
        let world = busy_world();
        let (mut drains, begin) = (Drains::default(), Instant::now());
        let state = only_the_first(Drain::new(secs(600)));
        let _report = look(&world, &mut drains, &state, (begin, 0)).unwrap();
        // The wish comes with the commands of the next plan, while both go on to drain.
        let mut next = state.clone();
        next.services.push(desired(&["-A -f 7 -s rr"]).services.remove(0));
        let plan = world.plan(&next);
        let mut applier = Applier::new(&plan, &ApplyOptions::new()).beside(drains);
        let mut observer = Interrupter::new(0, with);
        let _result = drive(&mut applier, &world.handle, &mut observer, &mut |time| begin + secs(1) + time);
        assert_eq!(weights(&world).iter().map(|(_, weight)| *weight).collect::<Vec<_>>(), [100, 0, 0], "{with:?}");

        // The same when it comes after the last command of the plan.
        let mut applier = Applier::new(&plan, &ApplyOptions::new()).beside(applier.take_drains());
        applier.interrupt(with);
        let mut nothing = Interrupter::watching();
        let _result = drive(&mut applier, &world.handle, &mut nothing, &mut |time| begin + secs(2) + time);
        assert_eq!(weights(&world).len(), 3, "{with:?}");
    }
}

#[test]
fn interrupt_while_nothing_is_sent_keeps_what_drains_for_the_next_plan() {
    let world = busy_world();
    let (mut drains, begin) = (Drains::default(), Instant::now());
    let state = only_the_first(Drain::new(secs(600)));
    let _report = look(&world, &mut drains, &state, (begin, 0)).unwrap();
    let plan = world.plan(&state);
    let mut applier = Applier::new(&plan, &ApplyOptions::new()).beside(drains);
    applier.interrupt(Interrupt::Stop);
    let result = drive(&mut applier, &world.handle, &mut (), &mut |time| begin + secs(1) + time);
    assert_eq!(result.unwrap().pending, 2);
    assert_eq!(applier.take_drains().len(), 2);
    assert_eq!(weights(&world).iter().map(|(_, weight)| *weight).collect::<Vec<_>>(), [100, 0, 0]);
}
