//! Changes that other programs make to the table between a look and the last command.

use std::error::Error as _;
use std::time::Duration;

use ipvs_rs::ServiceId;
use ipvs_rs::desired::apply::{ApplyOptions, Cause, Finding, Observer, OnRace, Progress};
use ipvs_rs::desired::plan::{Actions, Plan, PlanOptions, plan};
use ipvs_rs::desired::{DesiredState, Drain};
use ipvs_rs::testing::Traffic;

use super::given::{WEB, WEB_1, WEB_2, WEB_3, desired, live, table};
use super::world::{Driver, World, assert_line};

/// A plan from one table to another.
fn from_to(from: &[&str], to: &DesiredState) -> Plan {
    plan(&live(from), to, &PlanOptions::new().prune(true))
}

const OTHER: &str = "-A -t 192.0.2.81:80 -s wlc";
const OTHER_1: &str = "-a -t 192.0.2.81:80 -r 198.51.100.21:80 -m -w 1";

#[test]
fn object_that_appeared_with_other_settings_gets_the_desired_ones() {
    for driver in Driver::ALL {
        let there = ["-A -t 192.0.2.80:80 -s wlc -p 300", "-a -t 192.0.2.80:80 -r 198.51.100.11:80 -m -w 7"];
        let world = World::new().driven_by(*driver).holding(&table(&there));
        let state = desired(&[OTHER, OTHER_1, WEB, WEB_1, WEB_2]);
        let report = world.apply(&from_to(&[], &state), ApplyOptions::new(), &mut ()).unwrap();
        assert!(report.is_complete() && report.warnings.is_empty(), "{report:?}");
        assert!(world.plan(&state).is_empty());
    }
}

#[test]
fn object_that_vanished_is_made_again() {
    for driver in Driver::ALL {
        // Of the destinations, one has vanished; of the services, one with all that it had.
        let world = World::new().driven_by(*driver).holding(&table(&[WEB, WEB_1]));
        let was = [WEB, WEB_1, WEB_2, OTHER, OTHER_1];
        let state = desired(&[
            WEB,
            WEB_1,
            "-a -t 192.0.2.80:80 -r 198.51.100.12:80 -g -w 5",
            "-A -t 192.0.2.81:80 -s rr",
            OTHER_1,
        ]);
        let report = world.apply(&from_to(&was, &state), ApplyOptions::new(), &mut ()).unwrap();
        assert!(report.is_complete(), "{report:?}");
        assert!(world.plan(&state).is_empty(), "{}", world.plan(&state));
    }
}

#[test]
fn destination_whose_service_vanished_is_left_out_and_the_rest_is_done() {
    for driver in Driver::ALL {
        let world = World::new().driven_by(*driver).holding(&table(&[WEB, WEB_1]));
        let was = [WEB, WEB_1, OTHER, OTHER_1];
        let state = desired(&[
            WEB,
            WEB_1,
            WEB_2,
            OTHER,
            OTHER_1,
            "-a -t 192.0.2.81:80 -r 198.51.100.22:80 -m -w 1",
            "-a -t 192.0.2.81:80 -r 198.51.100.23:80 -m -w 1",
            "-A -f 7 -s rr",
        ]);
        let error = world.apply(&from_to(&was, &state), ApplyOptions::new(), &mut ()).unwrap_err();
        assert!(error.is_raced() && !error.is_rolled_back(), "{error}");
        assert_eq!((error.report().done, error.report().failed, error.report().rolled_back), (2, 2, 0));
        assert_line(
            &error,
            "cannot add destination 198.51.100.22:80 (ipvsadm -a -t 192.0.2.81:80 -r 198.51.100.22:80 -m -w 1), since \
             another program changed the table; 2 of 4 operations done",
        );
        assert!(error.source().unwrap().to_string().ends_with("no such service (ESRCH)"), "{:?}", error.source());
        let again = world.plan(&state);
        assert!(world.apply(&again, ApplyOptions::new(), &mut ()).unwrap().is_complete());
        assert!(world.plan(&state).is_empty());
    }
}

#[test]
fn deletion_is_done_when_its_service_is_gone() {
    let world = World::one_by_one();
    let plan = from_to(&[WEB, WEB_1], &desired(&[WEB, WEB_2]));
    let error = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap_err();
    assert_eq!((error.report().done, error.report().failed), (1, 1));
    assert!(error.is_raced() && error.kernel_error().unwrap().is_not_found());
    assert_eq!(
        error.report().warnings[0].to_string(),
        "delete-destination 198.51.100.11:80 of TCP 192.0.2.80:80: it was gone already"
    );
}

#[test]
fn caller_that_changes_what_is_there_has_nothing_made_again() {
    let world = World::new().holding(&table(&[WEB, WEB_1, WEB_3]));
    let before = world.state();
    let was = [WEB, WEB_1, WEB_2, WEB_3];
    let state = desired(&[
        WEB,
        "-a -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 5",
        "-a -t 192.0.2.80:80 -r 198.51.100.12:80 -g -w 5",
        WEB_3,
    ]);
    let options = ApplyOptions::new().on_race(OnRace::Fail);
    let error = world.apply(&from_to(&was, &state), options, &mut ()).unwrap_err();
    assert!(error.is_conflict() && error.is_rolled_back() && !error.is_raced());
    assert_eq!(world.state(), before);
}

#[test]
fn operation_that_now_takes_a_forbidden_action_is_left_out() {
    let world = World::new().holding(&table(&["-A -t 192.0.2.80:80 -s wlc"]));
    let plan = from_to(&[], &desired(&[WEB, WEB_1]));
    let options = ApplyOptions::new().allowed(Actions::ADD_SERVICE | Actions::ADD_DESTINATION);
    let error = world.apply(&plan, options, &mut ()).unwrap_err();
    assert!(error.is_raced() && error.is_conflict());
    assert_eq!(world.writes().concat(), ["NEW_SERVICE", "NEW_DEST"]);
}

#[test]
fn table_that_is_flushed_during_a_drain_is_not_a_success() {
    let world = World::new().holding(&table(&[WEB, WEB_1, WEB_2]));
    let service: ServiceId = "TCP 192.0.2.80:80".parse().unwrap();
    world.kernel.carry(&service, &"198.51.100.12:80".parse().unwrap(), Traffic::new().opened(1)).unwrap();
    let state = desired(&[WEB, WEB_1, OTHER, OTHER_1]).drain(Drain::new(Duration::from_secs(60)));
    let other = world.kernel.handle().unwrap();
    let error =
        world.apply_while(&world.plan(&state), ApplyOptions::new(), &mut (), |_| other.flush().unwrap()).unwrap_err();
    assert!(error.is_raced() && !error.is_rolled_back());
    assert_eq!(
        error.to_string(),
        "another program changed the table meanwhile: delete-destination 198.51.100.12:80 of TCP 192.0.2.80:80 did not \
         last (and 1 more); 0 of 2 operations done"
    );
}

/// Another program that deletes a destination as soon as everything is done.
struct DeletesDestination(ipvs_rs::Handle);

impl Observer for DeletesDestination {
    fn progress(&mut self, progress: &Progress) {
        if progress.done == progress.total {
            let (service, server) = ("TCP 192.0.2.80:80".parse().unwrap(), "198.51.100.12:80".parse().unwrap());
            self.0.remove_destination(&service, &server).unwrap();
        }
    }
}

#[test]
fn change_that_another_program_undoes_is_not_a_success() {
    for driver in Driver::ALL {
        let world = World::new().driven_by(*driver).holding(&table(&[WEB, WEB_1]));
        let state = desired(&[WEB, "-a -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 5", WEB_2]);
        let mut other = DeletesDestination(world.kernel.handle().unwrap());
        let error = world.apply(&world.plan(&state), ApplyOptions::new(), &mut other).unwrap_err();
        assert!(error.is_raced() && !error.is_rolled_back());
        assert_eq!(
            error.to_string(),
            "another program changed the table meanwhile: add-destination 198.51.100.12:80 of TCP 192.0.2.80:80 did not \
             last; 1 of 2 operations done"
        );
    }
}

/// Another program that deletes a service of many as soon as everything is done.
struct DeletesService(ipvs_rs::Handle);

impl Observer for DeletesService {
    fn progress(&mut self, progress: &Progress) {
        if progress.done == progress.total {
            self.0.remove_service(&"FWM 7".parse().unwrap()).unwrap();
        }
    }
}

#[test]
fn service_of_many_that_another_program_deletes_is_missed() {
    for driver in Driver::ALL {
        let world = World::new().driven_by(*driver);
        let rules: Vec<String> = (1..=300).map(|mark| format!("-A -f {mark} -s rr")).collect();
        let state = desired(&rules.iter().map(String::as_str).collect::<Vec<_>>());
        let mut other = DeletesService(world.kernel.handle().unwrap());
        let error = world.apply(&world.plan(&state), ApplyOptions::new(), &mut other).unwrap_err();
        assert_eq!(
            error.to_string(),
            "another program changed the table meanwhile: add-service FWM 7 did not last; 299 of 300 operations done"
        );
    }
}

#[test]
fn failed_verification_is_not_a_success() {
    use ipvs_rs::error::Errno;
    use ipvs_rs::testing::{Fault, FaultPlan as Mishaps};
    let world = World::new();
    let plan = world.plan(&desired(&[WEB, WEB_1]));
    world.kernel.misbehave(Mishaps::new().well(1).then_always(Fault::Refuse(Errno::EPERM)));
    let error = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap_err();
    world.kernel.behave();
    assert!(
        matches!(error.cause(), Cause::Unconfirmed(_))
            && !error.is_rolled_back()
            && error.kernel_error().unwrap().is_permission_denied()
    );
    assert_line(&error, "1 of 1 operation done, but the table cannot be read");
    assert_eq!(world.state().services.len(), 1);
}

#[test]
fn object_that_appeared_as_desired_is_a_warning() {
    let world = World::new().holding(&table(&[WEB]));
    let report = world.apply(&from_to(&[], &desired(&[WEB, WEB_1])), ApplyOptions::new(), &mut ()).unwrap();
    assert_eq!(report.warnings.iter().map(|it| it.finding).collect::<Vec<_>>(), [Finding::Present]);
}
