//! A plan that is being carried out by a process that is killed, at whatever moment.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use ipvs_rs::desired::apply::{ApplyOptions, Interrupt, Observer, apply};
use ipvs_rs::desired::plan::{PlanOptions, plan};
use ipvs_rs::desired::{DesiredService, DesiredState, Observed, Scope};
use ipvs_rs::model::{Config, SchedulerFlags};
use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service, Table};

use crate::namespaces::fresh;
use crate::process::{is_again, start_again};

/// Unless the environment says otherwise.
const KILLS: u64 = 100;
const SERVICES: u8 = 60;
/// Room for a few answers only, so that a plan travels in many datagrams: between two of them it can be killed.
const RECEIVE_BUFFER: usize = 16 * 1024;

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn half_done_work_of_a_killed_process_is_finished_by_the_next() {
    if is_again() {
        return go_back_and_forth();
    }
    fresh(|| {
        let handle = Handle::builder().receive_buffer(RECEIVE_BUFFER).open().unwrap();
        let foreign =
            Service::new("tcp://203.0.113.1:80".parse().unwrap(), Scheduler::Sh).scheduler_flags(SchedulerFlags::PORT);
        handle.new_service(&foreign).unwrap();
        let server = Destination::new("203.0.113.9:80".parse().unwrap(), ForwardMethod::DirectRoute);
        handle.new_destination(&foreign.id, &server).unwrap();

        let mut random = fastrand::Rng::with_seed(u64::from(std::process::id()));
        let kills = std::env::var("IPVS_RS_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
        let mut half_done = 0;
        // As long as it takes to apply the one state to the other.
        let mut took = Duration::from_millis(10);
        for kill in 0..kills {
            let mut child = start_again("killed::half_done_work_of_a_killed_process_is_finished_by_the_next");
            let output = wait_until_it_applies(&mut child);
            thread::sleep(took.mul_f64(random.f64()));
            child.kill().unwrap();
            child.wait().unwrap();
            drop(output);

            let goal = state(kill % 2 == 0);
            let found = Observed::read(&handle, &goal).unwrap();
            let both = [state(true), state(false)]
                .map(|state| plan(&found, &state, &PlanOptions::new().prune(true)).is_empty());
            half_done += u64::from(both == [false, false]);

            let way = plan(&found, &goal, &PlanOptions::new().prune(true));
            let begin = Instant::now();
            let report = apply(&handle, &way, &ApplyOptions::new(), &mut SlowSocket).unwrap();
            took = begin.elapsed().min(Duration::from_secs(1));
            assert!(report.is_complete() && report.warnings.is_empty(), "{kill}: {report:?}");
            let now = Observed::read(&handle, &goal).unwrap();
            assert!(plan(&now, &goal, &PlanOptions::new().prune(true)).is_empty(), "{kill}");
            assert_eq!(foreign_service(&now.table), (Some(foreign.clone()), vec![server.clone()]), "{kill}");
        }
        println!("note: {half_done} of {kills} tables were half done when they were found");
        assert!(half_done >= kills / 10, "hardly a process was killed in the middle: {half_done}");
    });
}

/// The other process: applies the state that is not there, and then the other one, until it is killed.
fn go_back_and_forth() {
    let handle = Handle::builder().receive_buffer(RECEIVE_BUFFER).open().unwrap();
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(60) {
        for goal in [state(true), state(false)] {
            let way = plan(&Observed::read(&handle, &goal).unwrap(), &goal, &PlanOptions::new().prune(true));
            if !way.is_empty() {
                println!("{APPLYING}");
                assert!(apply(&handle, &way, &ApplyOptions::new(), &mut SlowSocket).unwrap().is_complete());
            }
        }
    }
}

/// Takes its time between datagrams, so that there is a middle to be killed in, however busy the machine is.
struct SlowSocket;

impl Observer for SlowSocket {
    fn interrupt(&mut self) -> Interrupt {
        thread::sleep(Duration::from_millis(2));
        Interrupt::None
    }
}

const APPLYING: &str = "the other process applies";

fn wait_until_it_applies(child: &mut Child) -> impl BufRead + use<> {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let line = output.by_ref().lines().map_while(Result::ok).find(|line| line.contains(APPLYING));
    assert!(line.is_some(), "the other process ended before it was killed");
    output
}

/// Two states that differ in everything: services, schedulers, settings, destinations, weights, timeouts.
fn state(one: bool) -> DesiredState {
    let scope = Scope::all().ignore("*://203.0.113.0/24".parse().unwrap());
    let tcp = Duration::from_secs(if one { 600 } else { 700 });
    let mut state = DesiredState::new().scope(scope).timeouts(Config::new().tcp(tcp).unwrap());
    for number in 0..SERVICES {
        // A third is in the first state only, a third in the second only.
        if number % 3 == u8::from(one) {
            continue;
        }
        let address = match number % 4 {
            0 => format!("tcp://192.0.2.{number}:80"),
            1 => format!("udp://[2001:db8::{number:x}]:53"),
            2 => format!("fwmark:{}", u32::from(number) + 1),
            _ => format!("tcp://[2001:db8::{number:x}]:80"),
        };
        let scheduler = if one { Scheduler::Wlc } else { Scheduler::Rr };
        let mut service = DesiredService::new(Service::new(address.parse().unwrap(), scheduler));
        for host in 0..6_u8 {
            if host % 3 == u8::from(one) {
                continue;
            }
            let v4 = matches!(number % 4, 0 | 2);
            let server =
                if v4 { format!("10.0.{number}.{host}:80") } else { format!("[fd00::{number:x}:{host:x}]:80") };
            let weight = if one { 5 } else { 50 };
            let destination = Destination::new(server.parse().unwrap(), ForwardMethod::Masquerade).weight(weight);
            service = service.destination(destination.unwrap());
        }
        state = state.service(service);
    }
    state
}

/// The objects outside of the scope.
fn foreign_service(table: &Table) -> (Option<Service>, Vec<Destination>) {
    let row = table.get(&"tcp://203.0.113.1:80".parse().unwrap());
    let destinations = row.map(|row| row.destinations.iter().map(|entry| entry.destination.clone()).collect());
    (row.map(|row| row.service.service.clone()), destinations.unwrap_or_default())
}
