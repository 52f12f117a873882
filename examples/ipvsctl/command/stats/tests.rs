use ipvs_rs::testing::{FakeKernel, Traffic};
use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service};

use super::*;
use crate::console::Console;
use crate::failure::Exit;
use crate::signals::TestClock;
use crate::tests::session;

fn kernel() -> FakeKernel {
    let kernel = FakeKernel::new();
    let (handle, web) = (kernel.handle().unwrap(), "tcp://192.0.2.10:80".parse().unwrap());
    handle.new_service(&Service::new(web, Scheduler::Rr)).unwrap();
    handle.new_service(&Service::new("FWM 7".parse().unwrap(), Scheduler::Rr)).unwrap();
    let server = Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Masquerade);
    handle.new_destination(&web, &server).unwrap();
    kernel
}

fn carry(kernel: &FakeKernel, connections: u32) {
    let traffic = Traffic::new().opened(connections).packets_in(10, 1000);
    kernel.carry(&"tcp://192.0.2.10:80".parse().unwrap(), &"10.0.0.2:80".parse().unwrap(), traffic).unwrap();
    // The kernel adds its counters up every two seconds.
    kernel.advance(Duration::from_secs(2));
}

#[test]
fn counters_of_one_service_are_one_document() {
    let kernel = kernel();
    carry(&kernel, 3);
    let mut console = Console::memory(0);
    let service = "tcp://192.0.2.10:80".parse().unwrap();
    stats(&mut session(&kernel, &mut console), &mut TestClock::new(), Some(&service), (Format::Json, None)).unwrap();
    let document: Value = serde_json::from_str(&console.taken().0).unwrap();
    let service = &document["services"][0];
    assert_eq!(document["services"].as_array().unwrap().len(), 1);
    assert_eq!(service["address"], "tcp://192.0.2.10:80");
    assert_eq!(service["stats"]["connections"], 3);
    assert_eq!(service["destinations"][0]["active"], 3);
    assert_eq!(service["destinations"][0]["stats"]["bytes-in"], 1000);
}

#[test]
fn rates_are_of_the_time_between() {
    let kernel = kernel();
    let mut console = Console::memory(0);
    let mut clock = TestClock { ends_at: Some(Duration::from_secs(4)), ..TestClock::new() };
    clock = clock.meanwhile(|_| carry(&kernel, 20));
    stats(&mut session(&kernel, &mut console), &mut clock, None, (Format::Json, Some(Duration::from_secs(2)))).unwrap();
    let text = console.taken().0;
    let documents: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let rate = |turn: usize| documents[turn]["services"][0]["rates"]["connections"].clone();
    assert_eq!((documents.len(), rate(0), rate(1)), (2, 0.into(), 10.into()));
}

#[test]
fn every_service_and_destination_has_a_row() {
    let mut console = Console::memory(0);
    stats(&mut session(&kernel(), &mut console), &mut TestClock::new(), None, (Format::Table, None)).unwrap();
    let text = console.taken().0;
    let names: Vec<_> = text.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(names, ["SERVICE", "tcp://192.0.2.10:80", "10.0.0.2:80", "fwmark:7"]);
}

#[test]
fn missing_service_is_not_an_empty_table() {
    let service = "FWM 9".parse().unwrap();
    let mut console = Console::memory(0);
    let session = &mut session(&kernel(), &mut console);
    let failure = stats(session, &mut TestClock::new(), Some(&service), (Format::Table, None)).unwrap_err();
    assert_eq!(failure.exit, Exit::Query);
}
