//! The commands that are sent, their order, and the use of the answers.

use std::time::Duration;

use ipvs_rs::desired::DesiredState;
use ipvs_rs::desired::apply::{ApplyOptions, Cause, Finding, Interrupt, OnError, Phase};
use ipvs_rs::desired::plan::{Actions, OperationKind, Plan, PlanOptions, plan};
use ipvs_rs::error::Errno;
use ipvs_rs::model::{Config, SyncDaemon};
use ipvs_rs::testing::{Ability, Fault, FaultPlan as Mishaps};
use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service, ServiceId};

use super::given::{WEB, WEB_1, WEB_2, WEB_3, desired, destination, live, service, table};
use super::state::State;
use super::world::{Interrupter, World, assert_line};

/// A plan from one table to another.
fn from_to(from: &[&str], to: &DesiredState) -> Plan {
    plan(&live(from), to, &PlanOptions::new().prune(true))
}

const OTHER: &str = "-A -t 192.0.2.81:80 -s wlc";
const OTHER_1: &str = "-a -t 192.0.2.81:80 -r 198.51.100.21:80 -m -w 1";
const OTHER_2: &str = "-a -t 192.0.2.81:80 -r 198.51.100.22:80 -m -w 1";

#[test]
fn additions_are_sent_before_deletions_in_one_datagram_and_daemons_separately() {
    let world = World::new().holding(&table(&[OTHER, OTHER_1, WEB, WEB_1, WEB_2]));
    let desired = desired(&[
        "-A -t 192.0.2.80:80 -s wlc",
        "-a -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 5",
        WEB_3,
        "-A -f 7 -s rr",
        "-a -f 7 -r 198.51.100.31:80 -g -w 1",
    ])
    .timeouts(Config::new().tcp(Duration::from_secs(60)).unwrap())
    .sync(vec![SyncDaemon::master("eth1").unwrap()]);
    let report = world.apply(&world.plan(&desired), ApplyOptions::new(), &mut ()).unwrap();
    assert_eq!((report.done, report.total), (8, 8));
    assert_eq!(
        world.writes(),
        [
            vec![
                "SET_CONFIG",
                "NEW_SERVICE",
                "NEW_DEST",
                "SET_SERVICE",
                "NEW_DEST",
                "SET_DEST",
                "DEL_DEST",
                "DEL_SERVICE",
            ],
            vec!["NEW_DAEMON"],
        ]
    );
}

#[test]
fn empty_plan_sends_nothing_at_all() {
    let world = World::new();
    let report = world.apply(&Plan::default(), ApplyOptions::new(), &mut ()).unwrap();
    assert!(report.is_complete());
    assert_eq!((report.total, world.requests()), (0, 0));
}

#[test]
fn full_load_takes_as_many_datagrams_as_a_batch() {
    let world = World::new();
    let mut state = DesiredState::new();
    for number in 0..100u16 {
        let id = ServiceId::fwmark(u32::from(number) + 1, ipvs_rs::model::AddressFamily::Ipv4).unwrap();
        let mut wanted = ipvs_rs::desired::DesiredService::new(Service::new(id, Scheduler::Wlc));
        for host in 1..=10 {
            let server = ipvs_rs::DestinationId::verbatim([10, 0, 0, host].into(), 80);
            wanted = wanted.destination(Destination::new(server, ForwardMethod::Masquerade));
        }
        state = state.service(wanted);
    }
    let report = world.apply(&world.plan(&state), ApplyOptions::new(), &mut ()).unwrap();
    assert_eq!((report.done, report.changed), (100, 100));
    let datagrams: Vec<usize> = world.writes().iter().map(Vec::len).collect();
    assert_eq!(datagrams, [200, 200, 200, 200, 200, 100]);
}

#[test]
fn object_that_exists_as_desired_is_a_warning() {
    let world = World::new().holding(&table(&[WEB, WEB_1]));
    let plan = from_to(&[], &desired(&[WEB, WEB_1, WEB_2]));
    let report = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap();
    assert!(report.is_complete());
    let warnings: Vec<String> = report.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "add-service TCP 192.0.2.80:80: it was there already",
            "add-service 198.51.100.11:80 of TCP 192.0.2.80:80: it was there already",
        ]
    );
    assert_eq!(world.state().services[&"TCP 192.0.2.80:80".parse().unwrap()].1.len(), 2);
}

#[test]
fn object_that_is_gone_is_a_warning() {
    let world = World::new().holding(&table(&[WEB]));
    let plan = from_to(&[WEB, WEB_1, OTHER], &desired(&[WEB]));
    let report = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap();
    assert!(report.is_complete());
    let found: Vec<_> = report.warnings.iter().map(|warning| (warning.operation, warning.finding)).collect();
    assert_eq!(
        found,
        [(OperationKind::DeleteDestination, Finding::Gone), (OperationKind::DeleteService, Finding::Gone)]
    );
    assert_eq!(report.changed, 0);
}

#[test]
fn service_that_cannot_be_made_is_the_cause_and_not_its_destinations() {
    for on_error in OnError::ALL {
        let world = World::new();
        world.kernel.disable(Ability::Scheduler(Scheduler::Mh));
        let state = desired(&["-A -t 192.0.2.80:80 -s mh", WEB_1, WEB_2, OTHER, OTHER_1]);
        let plan = from_to(&[], &state);
        let error = world.apply(&plan, ApplyOptions::new().on_error(on_error), &mut ()).unwrap_err();
        assert_eq!(error.failures().len(), 1, "{on_error}: {error:#?}");
        let first = "cannot add service TCP 192.0.2.80:80 (ipvsadm -A -t 192.0.2.80:80 -s mh)";
        let (rest, services) = match on_error {
            OnError::Rollback => ("; rolled back 1 of 1 operation", 0),
            // The other one traveled in the same datagram.
            _ => ("; 1 of 2 operations done", 1),
        };
        assert_line(&error, &format!("{first}{rest}"));
        assert!(error.kernel_error().unwrap().is_scheduler_unavailable());
        assert_eq!(world.state().services.len(), services, "{on_error}");
    }
}

#[test]
fn commands_behind_a_failure_in_the_same_datagram_are_undone_too() {
    let world = World::new().holding(&table(&[WEB, WEB_1]));
    let before = world.state();
    let mut state = desired(&[WEB, WEB_1, OTHER, OTHER_1]);
    // The kernel refuses groups as servers.
    state.services[0].destinations.push(destination("-a -t 192.0.2.80:80 -r 239.1.1.1:80 -g -w 1").1.into());
    state.services[0].destinations.push(destination(WEB_2).1.into());
    let error = world.apply(&world.plan(&state), ApplyOptions::new(), &mut ()).unwrap_err();
    assert_line(
        &error,
        "cannot add destination 239.1.1.1:80 (ipvsadm -a -t 192.0.2.80:80 -r 239.1.1.1:80 -g -w 1); rolled back 2 of 2 \
         operations",
    );
    assert_eq!(
        world.writes(),
        [vec!["NEW_SERVICE", "NEW_DEST", "NEW_DEST", "NEW_DEST"], vec!["DEL_DEST", "DEL_SERVICE"]]
    );
    assert_eq!(world.state(), before);
}

#[test]
fn going_on_does_everything_that_can_be_done() {
    let world = World::one_by_one();
    world.kernel.disable(Ability::Scheduler(Scheduler::Mh));
    let state = desired(&["-A -t 192.0.2.80:80 -s mh", WEB_1, WEB_2, OTHER, OTHER_1, "-A -f 7 -s mh"]);
    let options = ApplyOptions::new().on_error(OnError::Continue);
    let error = world.apply(&from_to(&[], &state), options, &mut ()).unwrap_err();
    assert_eq!((error.report().done, error.report().failed), (1, 2));
    assert!(error.to_string().contains(" (and 1 more); 1 of 3 operations done"), "{error}");
    // Destinations of a service that is not there are not even tried.
    assert_eq!(world.writes().concat(), ["NEW_SERVICE", "NEW_SERVICE", "NEW_DEST", "NEW_SERVICE"]);
}

#[test]
fn stopping_leaves_what_was_done() {
    let world = World::one_by_one().holding(&table(&[WEB]));
    let plan = world.plan(&desired(&[WEB, WEB_1, WEB_2, WEB_3]));
    world.kernel.misbehave(Mishaps::new().well(2).then(Fault::Refuse(Errno::EPERM)));
    let options = ApplyOptions::new().on_error(OnError::Stop);
    let error = world.apply(&plan, options, &mut ()).unwrap_err();
    assert!(!error.is_rolled_back() && error.kernel_error().unwrap().is_permission_denied());
    assert_eq!((error.report().done, error.report().changed, error.report().rolled_back), (2, 2, 0));
    assert_eq!(world.writes().len(), 3);
}

#[test]
fn deleted_service_comes_back_with_its_destinations_in_their_order() {
    let world = World::one_by_one().holding(&table(&[WEB, WEB_1, WEB_2, WEB_3]));
    let order = || -> Vec<_> {
        let rows = world.kernel.handle().unwrap().snapshot().unwrap().services;
        rows[0].destinations.iter().map(ipvs_rs::DestinationEntry::id).collect()
    };
    let before = (world.state(), order());
    let desired = DesiredState::new().sync(vec![SyncDaemon::backup("eth7").unwrap()]);
    let error = world.apply(&world.plan(&desired), ApplyOptions::new(), &mut ()).unwrap_err();
    assert_line(
        &error,
        "cannot start backup sync daemon (mcast=eth7, syncid=0); rolled back 1 of 1 operation; counters and connections \
         of what was deleted are not restored",
    );
    assert_eq!(
        world.writes().concat(),
        ["DEL_SERVICE", "NEW_DAEMON", "NEW_SERVICE", "NEW_DEST", "NEW_DEST", "NEW_DEST"]
    );
    assert_eq!((world.state(), order()), before);
}

#[test]
fn daemon_that_was_started_is_stopped_and_one_that_was_stopped_runs_again() {
    let world = World::new();
    world.kernel.handle().unwrap().start_sync(&SyncDaemon::master("eth1").unwrap().sync_id(7)).unwrap();
    let before = world.state();
    let daemons = vec![SyncDaemon::master("eth1").unwrap().sync_id(8), SyncDaemon::backup("eth7").unwrap()];
    let plan = world.plan(&DesiredState::new().sync(daemons));
    let error = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap_err();
    assert!(error.is_rolled_back(), "{error}");
    let daemons = ["DEL_DAEMON", "NEW_DAEMON", "NEW_DAEMON", "DEL_DAEMON", "NEW_DAEMON"];
    assert_eq!(world.writes().concat(), daemons);
    assert_eq!(world.state(), before);
}

#[test]
fn commands_that_cannot_be_undone_are_named_and_stop_nothing() {
    let world = World::one_by_one().holding(&table(&[WEB, WEB_1]));
    let plan = world.plan(&desired(&["-A -t 192.0.2.80:80 -s wlc", WEB_1, WEB_2, WEB_3, OTHER]));
    // The second is about the first thing to be undone.
    let mishaps = Mishaps::new().well(3).then(Fault::Refuse(Errno::EPERM)).then(Fault::Refuse(Errno::EINVAL));
    world.kernel.misbehave(mishaps);
    let error = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap_err();
    assert!(!error.is_rolled_back());
    assert_eq!((error.report().changed, error.report().rolled_back), (3, 2));
    assert_eq!(error.unrestored().len(), 1);
    assert_eq!(error.unrestored()[0].action, "delete destination 198.51.100.12:80 of TCP 192.0.2.80:80");
    assert_eq!(error.unrestored()[0].error.as_ref().unwrap().errno(), Some(Errno::EINVAL));
    assert!(error.to_string().contains("rolled back 2 of 3 operations, cannot delete destination"), "{error}");
    let state = world.state();
    assert_eq!(state.services.len(), 1);
}

#[test]
fn silent_kernel_is_given_up_soon() {
    for on_error in OnError::ALL {
        let world = World::one_by_one();
        world.kernel.misbehave(Mishaps::new().well(2).then_always(Fault::Silence));
        let plan = from_to(&[], &desired(&[WEB, WEB_1, WEB_2, WEB_3, OTHER, OTHER_1, OTHER_2]));
        let error = world.apply(&plan, ApplyOptions::new().on_error(on_error), &mut ()).unwrap_err();
        assert!(error.kernel_error().unwrap().is_timeout(), "{error}");
        assert!(!error.is_rolled_back());
        assert!(world.requests() <= 8, "{on_error}: {} requests", world.requests());
    }
}

#[test]
fn command_that_comes_to_nothing_by_chance_is_tried_three_times() {
    let world = World::one_by_one();
    let busy = Fault::Refuse(Errno::ENOBUFS);
    world.kernel.misbehave(Mishaps::new().well(1).then(busy.clone()).then(busy.clone()));
    let plan = from_to(&[], &desired(&[WEB, WEB_1, WEB_2]));
    assert!(world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap().is_complete());
    assert_eq!(world.writes().len(), 5);

    let world = World::one_by_one();
    world.kernel.misbehave(Mishaps::new().well(1).then(busy.clone()).then(busy.clone()).then(busy));
    let error = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap_err();
    assert!(error.is_rolled_back() && error.kernel_error().unwrap().errno() == Some(Errno::ENOBUFS));
    assert_eq!(world.state(), State::read(&World::new().kernel.handle().unwrap()));
}

#[test]
fn destinations_wait_for_a_service_that_is_tried_again() {
    // All of a datagram is refused: the service is busy, and so it is for what comes behind it.
    let world = World::new();
    world.kernel.misbehave(Fault::Refuse(Errno::EBUSY));
    let plan = from_to(&[], &desired(&[WEB, WEB_1, WEB_2]));
    let report = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap();
    assert!(report.is_complete() && report.warnings.is_empty());
    assert_eq!(world.writes().len(), 2);
}

#[test]
fn scheduler_that_changes_keeps_flags_and_persistence_that_were_left_alone() {
    let world = World::new().holding(&table(&["-A -t 192.0.2.80:80 -s sh -p 300 -b sh-port"]));
    let mut state = desired(&["-A -t 192.0.2.80:80 -s mh"]);
    state.services[0].left_alone = ipvs_rs::desired::ServiceAttributes::all();
    let _report = world.apply(&world.plan(&state), ApplyOptions::new(), &mut ()).unwrap();
    let now = &world.state().services[&state.services[0].id()].0;
    assert_eq!(*now, service("-A -t 192.0.2.80:80 -s mh -p 300 -b mh-port"));
}

#[test]
fn service_that_differs_only_in_unmanaged_settings_is_not_a_conflict() {
    let world = World::new().holding(&table(&["-A -t 192.0.2.80:80 -s rr -p 300"]));
    let mut state = desired(&[WEB]);
    state.services[0].left_alone = ipvs_rs::desired::ServiceAttributes::all();
    let report = world.apply(&from_to(&[], &state), ApplyOptions::new(), &mut ()).unwrap();
    assert_eq!(report.warnings.len(), 1);
}

#[test]
fn value_that_no_kernel_takes_is_refused_before_anything_is_sent() {
    let world = World::new();
    let state = desired(&[WEB, "-A -t [2001:db8::1]:80 -s rr -p 300"]);
    let mut bad = state;
    bad.services[1].service.persistence = Some(
        ipvs_rs::model::Persistence::for_secs(1)
            .unwrap()
            .granularity(ipvs_rs::model::Granularity::Mask([255, 255, 255, 0].into())),
    );
    let error = world.apply(&from_to(&[], &bad), ApplyOptions::new(), &mut ()).unwrap_err();
    assert!(error.is_refused());
    assert_line(&error, "add-service TCP [2001:db8::1]:80 is impossible; nothing was changed");
    assert_eq!(world.requests(), 0);
}

#[test]
fn forbidden_operations_are_counted() {
    let world = World::new();
    let options = ApplyOptions::new().allowed(Actions::ADD_SERVICE);
    let error = world.apply(&from_to(&[], &desired(&[WEB, WEB_1, OTHER, OTHER_1])), options, &mut ());
    let error = error.unwrap_err();
    assert!(matches!(error.cause(), Cause::Forbidden(operations) if operations.len() == 2));
    assert_eq!(error.to_string(), "add-service is not allowed: TCP 192.0.2.80:80 (and 1 more); nothing was changed");
}

#[test]
fn observer_hears_of_all_operations_and_of_undoing_them() {
    let world = World::new().holding(&table(&[WEB]));
    let state = desired(&[WEB, WEB_1, WEB_2]);
    let mut observer = Interrupter::watching();
    let _report = world.apply(&world.plan(&state), ApplyOptions::new(), &mut observer).unwrap();
    let last = observer.progress.last().unwrap();
    assert_eq!((last.phase, last.done, last.failed, last.total), (Phase::Changing, 2, 0, 2));

    let world = World::one_by_one().holding(&table(&[WEB]));
    let plan = world.plan(&state);
    world.kernel.misbehave(Mishaps::new().well(1).then(Fault::Refuse(Errno::EPERM)));
    let mut observer = Interrupter::watching();
    let _error = world.apply(&plan, ApplyOptions::new(), &mut observer).unwrap_err();
    let last = observer.progress.last().unwrap();
    assert_eq!((last.phase, last.done, last.total), (Phase::RollingBack, 1, 1));
}

#[test]
fn interrupt_before_the_first_datagram_sends_nothing() {
    let world = World::new();
    let mut observer = Interrupter::new(0, Interrupt::Stop);
    let error = world.apply(&from_to(&[], &desired(&[WEB])), ApplyOptions::new(), &mut observer).unwrap_err();
    assert!(matches!(error.cause(), Cause::Interrupted) && error.is_rolled_back());
    assert_eq!(error.to_string(), "interrupted; rolled back 0 of 0 operations");
    assert_eq!(world.requests(), 0);
}

#[test]
fn interrupt_after_the_last_datagram_is_too_late() {
    let world = World::new();
    let mut observer = Interrupter::new(1, Interrupt::Stop);
    let report = world.apply(&from_to(&[], &desired(&[WEB])), ApplyOptions::new(), &mut observer).unwrap();
    assert!(report.is_complete());
}
