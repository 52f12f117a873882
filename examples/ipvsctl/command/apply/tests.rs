use std::time::Duration;

use ipvs_rs::desired::DesiredState;
use ipvs_rs::desired::apply::OnError;
use ipvs_rs::desired::files::{Reader, Source};
use ipvs_rs::desired::spec::DurationSpec;
use ipvs_rs::model::notation::Rule;
use ipvs_rs::testing::{Ability, FakeKernel, Traffic};
use ipvs_rs::{Handle, Scheduler};

use super::*;
use crate::args::Planning;
use crate::tests::session;

fn kernel(rules: &str) -> (FakeKernel, Handle) {
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    for line in rules.lines() {
        match line.parse().unwrap() {
            Rule::Service(service) => handle.new_service(&service).unwrap(),
            Rule::Destination { service, destination } => handle.new_destination(&service, &destination).unwrap(),
            other => panic!("{other:?}"),
        }
    }
    (kernel, handle)
}

fn rules(handle: &Handle) -> String {
    let mut live = Observed::new(handle.snapshot().unwrap());
    live.sort(ipvs_rs::desired::Order::Sorted);
    live.table.full_rules().to_string()
}

fn state(text: &str) -> DesiredState {
    Reader::new().read(&[Source::new("model.yaml", text)]).unwrap().state
}

fn planning(allowed: &str) -> Planning {
    Planning { keep_weights: false, prune: true, drain: None, no_drain: false, allowed_actions: allowed.to_owned() }
}

/// The desired state of the table, with everything allowed.
fn task<'a>(state: &'a DesiredState, planning: &'a Planning) -> Task<'a> {
    Task { state, planning, allowed: Actions::all(), silent: None }
}

fn planned(kernel: &FakeKernel, text: &str, planning: &Planning) -> Planned {
    task(&state(text), planning).plan(&mut session(kernel, &mut Console::memory(0))).unwrap()
}

/// Applies a text with an interrupt, and returns the messages.
fn applied(kernel: &FakeKernel, text: &str, on_error: OnError, wish: Interrupt) -> (Result<Report, Failure>, String) {
    let plan = planned(kernel, text, &planning("*")).plan;
    let mut console = Console::memory(1);
    let lock_timeout = DurationSpec::default();
    let applying = Applying { on_error, no_refusals: false, lock_timeout, lock_dir: "/no/such".into() };
    let how = (&applying, Actions::all());
    let done = carry_out(&mut session(kernel, &mut console), &|| wish, &plan, how, None);
    let done = done.map_err(|error| explain(&error)).and_then(|report| undrained(&report).map(|()| report));
    (done, console.taken().1)
}

const LIVE: &str = "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1\n-A -f 7 -s rr\n";

const MODEL: &str = "\
version: 2
services:
- address: tcp://192.0.2.1:80
  sched: wlc
  destinations:
  - {address: 10.0.0.2, forward: nat, weight: 5}
  - {address: 10.0.0.3, forward: nat, weight: 5}
- address: udp://192.0.2.1:53
  sched: sh
";

#[test]
fn every_operation_is_told() {
    let (kernel, _handle) = kernel(LIVE);
    let (done, said) = applied(&kernel, MODEL, OnError::Rollback, Interrupt::None);
    assert_eq!(done.unwrap().done, 5);
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "INFO Adding to current config, addr=udp://192.0.2.1:53, destinations=0",
            "INFO Updating service, addr=tcp://192.0.2.1:80, sched=rr->wlc",
            "INFO Adding destination 10.0.0.3:80 to service tcp://192.0.2.1:80",
            "INFO Updated weight to 5 for service tcp://192.0.2.1:80/10.0.0.2:80",
            "INFO Removing service from current config, addr=fwmark:7",
        ]
    );
    let (done, said) = applied(&kernel, MODEL, OnError::Rollback, Interrupt::None);
    assert_eq!((done.unwrap().total, &*said), (0, ""), "the second time there is nothing to do");
}

#[test]
fn failure_names_the_operation_the_answer_and_the_rest() {
    for (on_error, exit) in
        [(OnError::Rollback, Exit::RolledBack), (OnError::Stop, Exit::Apply), (OnError::Continue, Exit::Apply)]
    {
        let (kernel, handle) = kernel(LIVE);
        kernel.disable(Ability::Scheduler(Scheduler::Wlc));
        let (done, said) = applied(&kernel, MODEL, on_error, Interrupt::None);
        let failure = done.unwrap_err();
        assert_eq!((failure.exit, &*said), (exit, ""), "{on_error:?}");
        let lines: Vec<_> = failure.message.lines().collect();
        assert_eq!(
            lines[0],
            "Error applying updates: Unable to apply new config: unable to edit ipvs service tcp://192.0.2.1:80"
        );
        assert!(lines[1].starts_with("Reason: update service TCP 192.0.2.1:80: scheduler wlc not available (ENOENT)"));
        assert!(lines[2].starts_with("Result: cannot "), "{lines:?}");
        assert_eq!(rules(&handle) == LIVE, on_error == OnError::Rollback, "{on_error:?}");
    }
}

#[test]
fn interrupted_plan_is_taken_back() {
    let (kernel, handle) = kernel(LIVE);
    let (done, _) = applied(&kernel, MODEL, OnError::Rollback, Interrupt::Stop);
    let failure = done.unwrap_err();
    assert_eq!(failure.exit, Exit::RolledBack);
    assert!(
        failure.message.starts_with("Error applying updates: interrupted; rolled back 0 of 0"),
        "{}",
        failure.message
    );
    assert_eq!(rules(&handle), LIVE);
}

#[test]
fn destination_that_is_kept_has_its_own_ending() {
    let (kernel, handle) = kernel(LIVE);
    let place = ("TCP 192.0.2.1:80".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
    kernel.carry(&place.0, &place.1, Traffic::new().opened(3)).unwrap();
    let model = "version: 2\ndrain: {timeout: 0, on-timeout: keep}\nservices:\n- {address: 'tcp://192.0.2.1:80'}\n";
    let (done, said) = applied(&kernel, model, OnError::Rollback, Interrupt::None);
    let failure = done.unwrap_err();
    assert_eq!(failure.exit, Exit::Drain);
    assert!(failure.message.contains("kept at weight 0 with 3 connections"), "{}", failure.message);
    assert!(said.starts_with("INFO "), "{said}");
    assert_eq!(rules(&handle), "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 0\n");
}

#[test]
fn saved_plan_fits_its_table_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.json");
    let (kernel, handle) = kernel(LIVE);
    let args = args::Plan {
        files: args::Files::default(),
        planning: planning("*"),
        output: Format::Json,
        exit_code: true,
        out: Some(path.clone()),
    };
    let mut console = Console::memory(0);
    let done = plan::plan(&mut session(&kernel, &mut console), &task(&state(MODEL), &args.planning), &args);
    assert_eq!(done, Err(Failure::silent(Exit::Changes)));
    assert_eq!(console.taken().0, std::fs::read_to_string(&path).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left there");

    assert_eq!(saved(&handle, &path).unwrap().plan.len(), 5);
    handle.zero_all().unwrap();
    assert_eq!(saved(&handle, &path).unwrap().plan.len(), 5, "counters do not matter");
    handle.delete_service(&"FWM 7".parse().unwrap()).unwrap();
    assert_eq!(saved(&handle, &path).err().unwrap().exit, Exit::Stale);
    std::fs::write(&path, "services: []").unwrap();
    let failure = saved(&handle, &path).err().unwrap();
    assert_eq!(failure.exit, Exit::Input);
    assert!(failure.message.contains("ipvsctl plan --out FILE writes one"), "{}", failure.message);
    assert_eq!(saved(&handle, &folder.path().join("missing")).err().unwrap().exit, Exit::Input);
}

#[test]
fn forbidden_changes_are_all_named() {
    let (kernel, _handle) = kernel(LIVE);
    let planned = planned(&kernel, MODEL, &planning("*"));
    let failure = plan::check(&planned.plan, "us,ad".parse().unwrap(), APPLYING).unwrap_err();
    assert_eq!(failure.exit, Exit::Apply);
    assert_eq!(
        failure.message.lines().collect::<Vec<_>>(),
        [
            "Error applying updates: not allowed to add a service",
            "Reason: add-service udp://192.0.2.1:53 needs as, which is not among the allowed actions us,ad; nothing was \
             changed",
            "Reason: update-destination 10.0.0.2:80 of tcp://192.0.2.1:80 needs ud, which is not among the allowed actions \
             us,ad; nothing was changed",
            "Reason: delete-service fwmark:7 needs ds, which is not among the allowed actions us,ad; nothing was changed",
        ]
    );
}

#[test]
fn drains_of_the_command_line_count_more_than_those_of_files() {
    let drained = |planning: &Planning| {
        let (kernel, _handle) = kernel(LIVE);
        let model = "version: 2\ndrain: {timeout: 5s}\nservices:\n- {address: 'tcp://192.0.2.1:80'}\n";
        let planned = planned(&kernel, model, planning);
        let operation = planned.plan.operations().first().unwrap();
        assert_eq!(operation.kind(), OperationKind::DeleteDestination);
        operation.drain.map(|drain| drain.timeout)
    };
    assert_eq!(drained(&planning("*")), Some(Duration::from_secs(5)));
    let minute = Planning { drain: Some(DurationSpec::from_secs(60)), ..planning("*") };
    assert_eq!(drained(&minute), Some(Duration::from_secs(60)));
    assert_eq!(drained(&Planning { no_drain: true, ..planning("*") }), None);
}
