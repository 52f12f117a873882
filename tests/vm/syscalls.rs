//! What a command costs, counted by strace.

use std::collections::BTreeMap;

use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service, ServiceId};

use crate::namespaces::fresh;
use crate::process::{again, is_again};

/// Updates of one run; what is left after subtracting the other run is the cost of the difference.
const ROUNDS: &str = "IPVS_RS_TEST_ROUNDS";

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn single_command_costs_two_system_calls() {
    if is_again() {
        update(std::env::var(ROUNDS).unwrap().parse().unwrap());
        return;
    }
    fresh(|| {
        let few = count_calls("100");
        let many = count_calls("300");
        let difference: BTreeMap<&str, usize> = many
            .iter()
            .map(|(call, count)| (call.as_str(), count.abs_diff(few.get(call).copied().unwrap_or(0))))
            // What a process does on its own account differs by a call or two from run to run.
            .filter(|(_, count)| *count >= 100)
            .collect();
        // 200 updates and 200 reads of one service.
        assert_eq!(difference, BTreeMap::from([("sendto", 400), ("recvfrom", 400)]));
    });
}

fn update(rounds: u32) {
    let handle = Handle::new().unwrap();
    let id: ServiceId = "TCP 192.0.2.10:80".parse().unwrap();
    handle.flush().unwrap();
    handle.new_service(&Service::new(id, Scheduler::Rr)).unwrap();
    let server = Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Masquerade);
    handle.new_destination(&id, &server).unwrap();
    for round in 0..rounds {
        handle.update_destination(&id, &server.clone().weight(round).unwrap()).unwrap();
        handle.get_service(&id).unwrap();
    }
}

/// System calls of this test's own work, by name.
fn count_calls(rounds: &str) -> BTreeMap<String, usize> {
    let log = std::env::temp_dir().join(format!("calls-{rounds}"));
    let name = "syscalls::single_command_costs_two_system_calls";
    let variable = format!("{ROUNDS}={rounds}");
    again(name, &["env", &variable, "strace", "-f", "-q", "-o", log.to_str().unwrap()]);
    let mut calls = BTreeMap::new();
    for line in std::fs::read_to_string(&log).unwrap().lines() {
        // PID, blanks, name, parenthesis; a call that was interrupted by another thread's line goes on elsewhere.
        let Some(call) = line.split_whitespace().nth(1).and_then(|text| text.split_once('(')) else { continue };
        *calls.entry(call.0.to_owned()).or_default() += 1;
    }
    calls
}
