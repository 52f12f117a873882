use std::cell::RefCell;

use ipvs_rs::model::{Persistence, Tunnel};
use ipvs_rs::testing::{Ability, FakeKernel};
use ipvs_rs::{Destination, ForwardMethod, Service};

use super::*;
use crate::console::Console;
use crate::failure::Exit;
use crate::signals::TestClock;
use crate::tests::session;

fn place() -> Place {
    Place { service: "tcp://192.0.2.10:80".parse().unwrap(), destination: "10.0.0.2:80".parse().unwrap() }
}

/// A persistent service with a server behind a tunnel that has everything a server can have.
fn kernel() -> FakeKernel {
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    handle.new_service(&service()).unwrap();
    handle.new_destination(&place().service, &server()).unwrap();
    kernel
}

fn service() -> Service {
    Service::new(place().service, Scheduler::Sh)
        .scheduler_flags(SchedulerFlags::FALLBACK)
        .persistence(Persistence::for_secs(300).unwrap())
}

fn server() -> Destination {
    Destination::new(place().destination, ForwardMethod::Tunnel(Tunnel::gue(6080).unwrap()))
        .thresholds(Thresholds::with_upper(100).unwrap().with_lower(50).unwrap())
        .weight(10)
        .unwrap()
}

fn live_server(kernel: &FakeKernel) -> Destination {
    let place = place();
    kernel.handle().unwrap().get_destination(&place.service, &place.destination).unwrap().unwrap().destination
}

fn live_service(kernel: &FakeKernel) -> Service {
    kernel.handle().unwrap().get_service(&place().service).unwrap().unwrap().service
}

#[test]
fn weight_changes_and_nothing_else() {
    let kernel = kernel();
    let mut console = Console::memory(1);
    set_weight(&mut session(&kernel, &mut console), WEIGHT, &place(), Weight::ZERO).unwrap();
    assert_eq!(live_server(&kernel), server().weight(0).unwrap());
    let said = "INFO Updated weight to 0 for service tcp://192.0.2.10:80/10.0.0.2:80\n";
    assert_eq!(console.taken(), (String::new(), said.to_owned()));
}

fn ramp(kernel: &FakeKernel, clock: &mut TestClock<'_>, to: u32, seconds: u32) -> (Result<(), Failure>, Vec<String>) {
    let mut console = Console::memory(1);
    let target = (Weight::new(to).unwrap(), seconds);
    let done = ramp_weight(&mut session(kernel, &mut console), clock, &place(), target);
    let said = console.taken().1;
    let weights = said.lines().map(|line| line.split(" for ").next().unwrap().to_owned()).collect();
    (done, weights)
}

#[test]
fn slow_change_goes_in_steps_of_a_second() {
    let kernel = kernel();
    let mut clock = TestClock::new();
    let (done, said) = ramp(&kernel, &mut clock, 40, 4);
    assert_eq!(done, Ok(()));
    let expected = [17, 25, 32, 40].into_iter().zip(1..);
    let expected: Vec<_> =
        expected.map(|(weight, second)| format!("INFO Updated weight {weight} [elapsed {second}s]")).collect();
    assert_eq!(said, expected);
    assert_eq!(clock.elapsed, Duration::from_secs(4));
    assert_eq!(live_server(&kernel), server().weight(40).unwrap());
}

#[test]
fn slow_change_goes_down_too() {
    let (kernel, mut clock) = (kernel(), TestClock::new());
    let (done, said) = ramp(&kernel, &mut clock, 0, 3);
    assert_eq!((done, said.len()), (Ok(()), 3));
    assert!(said[0].contains("weight 7 "), "{said:?}");
    assert_eq!(live_server(&kernel).weight, Weight::ZERO);
}

#[test]
fn one_second_and_less_is_at_once() {
    for seconds in [0, 1] {
        let (kernel, mut clock) = (kernel(), TestClock::new());
        let (done, _) = ramp(&kernel, &mut clock, 3, seconds);
        assert_eq!((done, clock.elapsed), (Ok(()), Duration::ZERO));
        assert_eq!(live_server(&kernel).weight.get(), 3);
    }
}

#[test]
fn interrupted_change_says_where_it_is() {
    let kernel = kernel();
    let mut clock = TestClock { ends_at: Some(Duration::from_secs(3)), ..TestClock::new() };
    let (done, said) = ramp(&kernel, &mut clock, 50, 4);
    let failure = done.unwrap_err();
    assert_eq!((failure.exit, said.len()), (Exit::Set, 2));
    assert!(failure.message.contains("from 10 to 50: tcp://192.0.2.10:80/10.0.0.2:80 has weight 30 now"));
    assert_eq!(live_server(&kernel).weight.get(), 30);
}

#[test]
fn slow_change_keeps_what_others_set_meanwhile() {
    let kernel = kernel();
    let others = RefCell::new(kernel.handle().unwrap());
    let place = place();
    let mut clock = TestClock::new().meanwhile(|now| {
        if now == Duration::from_secs(1) {
            let change = |server: &mut Destination| server.thresholds = Thresholds::default();
            others.borrow().modify_destination(&place.service, &place.destination, change).unwrap();
        }
    });
    ramp(&kernel, &mut clock, 0, 2).0.unwrap();
    assert_eq!(live_server(&kernel), server().weight(0).unwrap().thresholds(Thresholds::default()));
}

#[test]
fn missing_destination_and_service_are_told_apart() {
    let (kernel, other) = (kernel(), Weight::ZERO);
    let mut place = place();
    place.destination = "10.0.0.9:80".parse().unwrap();
    for seconds in [0, 5] {
        let say = |place: &Place| {
            let (mut clock, console) = (TestClock::new(), &mut Console::memory(0));
            let session = &mut session(&kernel, console);
            ramp_weight(session, &mut clock, place, (other, seconds)).unwrap_err()
        };
        let failure = say(&place);
        assert_eq!(failure.exit, Exit::Set);
        assert_eq!(
            failure.message,
            "Unable to set new weight: Unable to set new value: Destination 10.0.0.9:80 of service tcp://192.0.2.10:80 \
             not found in active ipvs configuration. Try ipvsctl get"
        );
        let elsewhere = Place { service: "fwmark6:9".parse().unwrap_or("FWM 9 IPv6".parse().unwrap()), ..place };
        let failure = say(&elsewhere);
        assert_eq!(
            failure.message,
            "Unable to set new weight: Unable to set new value: Service fwmark6:9 not found in active ipvs \
             configuration. Try ipvsctl get"
        );
    }
}

#[test]
fn thresholds_change_and_nothing_else() {
    let kernel = kernel();
    let mut console = Console::memory(0);
    let session = &mut session(&kernel, &mut console);
    set_thresholds(session, &place(), (9, 8)).unwrap();
    let thresholds = Thresholds::with_upper(9).unwrap().with_lower(8).unwrap();
    assert_eq!(live_server(&kernel), server().thresholds(thresholds));
    set_thresholds(session, &place(), (0, 0)).unwrap();
    assert_eq!(live_server(&kernel), server().thresholds(Thresholds::default()));
    for invalid in [(0, 1), (5, 6)] {
        let failure = set_thresholds(session, &place(), invalid).unwrap_err();
        assert_eq!(failure.exit, Exit::Value, "{invalid:?}");
    }
}

#[test]
fn scheduler_changes_and_persistence_stays() {
    let kernel = kernel();
    let mut console = Console::memory(0);
    let session = &mut session(&kernel, &mut console);
    let mut set = |name, flags| set_scheduler(session, &place().service, (name, flags));

    set("sh", None).unwrap();
    assert_eq!(live_service(&kernel), service(), "the same scheduler keeps its flags");
    set("wlc", None).unwrap();
    let plain = Service::new(place().service, Scheduler::Wlc).persistence(Persistence::for_secs(300).unwrap());
    assert_eq!(live_service(&kernel), plain, "another one does not");
    set("mh", Some("fallback,port")).unwrap();
    let flags = SchedulerFlags::FALLBACK | SchedulerFlags::PORT;
    assert_eq!(live_service(&kernel).scheduler_flags, flags);
    set("mh", Some("")).unwrap();
    assert_eq!(live_service(&kernel).scheduler_flags, SchedulerFlags::empty());

    assert_eq!(set("rr", Some("port")).unwrap_err().exit, Exit::Value);
    assert_eq!(set("no scheduler has blanks", None).unwrap_err().exit, Exit::Value);
    kernel.disable(Ability::Scheduler(Scheduler::Fo));
    let failure = set("fo", None).unwrap_err();
    assert_eq!(failure.exit, Exit::Set);
    assert!(failure.message.contains("load the module"), "{}", failure.message);
}

#[test]
fn timeouts_that_are_not_set_stay() {
    let kernel = kernel();
    let mut console = Console::memory(0);
    let session = &mut session(&kernel, &mut console);
    let before = session.handle.get_config().unwrap();
    set_timeouts(session, [None, Some(Duration::from_secs(77)), None]).unwrap();
    let after = session.handle.get_config().unwrap();
    assert_eq!((after.tcp, after.udp), (before.tcp, before.udp));
    assert_eq!(after.tcp_fin.unwrap().as_secs(), 77);
    let failure = set_timeouts(session, [Some(Duration::ZERO), None, None]).unwrap_err();
    assert_eq!(failure.exit, Exit::Value);
}

#[test]
fn counters_of_a_missing_service_are_not_set_to_zero() {
    let mut console = Console::memory(0);
    let session = &mut session(&kernel(), &mut console);
    zero(session, None).unwrap();
    zero(session, Some(&place().service)).unwrap();
    let failure = zero(session, Some(&"FWM 9".parse().unwrap())).unwrap_err();
    assert_eq!(failure.exit, Exit::Set);
    assert!(failure.message.contains("Service fwmark:9 not found"), "{}", failure.message);
}
