//! The system calls of a call, as `strace` sees them.

use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service, ServiceId};

use crate::namespaces::fresh;
use crate::process::{again, is_again};

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn command_is_sent_and_its_answer_received_and_nothing_else() {
    if is_again() {
        return act();
    }
    let log = std::env::temp_dir().join(format!("ipvs-rs-strace-{}", std::process::id()));
    let under = ["strace", "-f", "-o", log.to_str().unwrap()];
    fresh(|| again("syscalls::command_is_sent_and_its_answer_received_and_nothing_else", &under));
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(&log).unwrap();

    let calls = between_marks(&text);
    let repeated = |names: &[&'static str], times: usize| names.repeat(times);
    let exchange = ["sendto", "recvfrom"];
    // A list has a datagram for its end.
    let list = ["sendto", "recvfrom", "recvfrom"];
    for (place, label, expected) in [
        (0, "100 updates of a service", repeated(&exchange, 100)),
        (1, "200 updates of a service", repeated(&exchange, 200)),
        (2, "100 updates of a destination", repeated(&exchange, 100)),
        (3, "100 questions for a service", repeated(&exchange, 100)),
        (4, "100 refusals", repeated(&exchange, 100)),
        (5, "10 lists of services", repeated(&list, 10)),
        (6, "10 lists of destinations", repeated(&list, 10)),
        (7, "10 batches of 100 updates", repeated(&exchange, 10)),
    ] {
        assert_eq!(calls[place], expected, "{label}");
    }
}

/// Each thing between two marks.
fn act() {
    let handle = Handle::new().unwrap();
    let id: ServiceId = "TCP 192.0.2.10:80".parse().unwrap();
    let service = Service::new(id, Scheduler::Wlc);
    let server = Destination::new("10.0.0.2:80".parse().unwrap(), ForwardMethod::Masquerade);
    handle.new_service(&service).unwrap();
    handle.new_destination(&id, &server).unwrap();
    let update = || handle.update_service(&service).unwrap();
    let batch = || {
        let report = (0..100).fold(handle.batch(), |batch, _| batch.update_destination(&id, &server)).send();
        assert!(report.unwrap().is_ok());
    };
    // Once before, for the memory that is kept from then on.
    handle.get_services().unwrap();
    handle.get_destinations(&id).unwrap();
    batch();

    mark();
    times(100, update);
    mark();
    times(200, update);
    mark();
    times(100, || handle.update_destination(&id, &server).unwrap());
    mark();
    times(100, || assert!(handle.get_service(&id).unwrap().is_some()));
    mark();
    times(100, || assert!(handle.new_service(&service).unwrap_err().is_already_exists()));
    mark();
    times(10, || assert_eq!(handle.get_services().unwrap().len(), 1));
    mark();
    times(10, || assert_eq!(handle.get_destinations(&id).unwrap().len(), 1));
    mark();
    times(10, batch);
    mark();
}

fn times(count: usize, work: impl Fn()) {
    (0..count).for_each(|_| work());
}

/// A system call that nothing else makes.
pub fn mark() {
    let _ = std::os::unix::process::parent_id();
}

/// The names of the system calls between each mark and the next, on the thread that makes them.
pub fn between_marks(text: &str) -> Vec<Vec<&str>> {
    let rows = || text.lines().filter_map(|line| line.split_once(|c: char| !c.is_ascii_digit()));
    let is_mark = |call: &str| call.trim_start().starts_with("getppid(");
    let (marker, _) = rows().find(|(_, call)| is_mark(call)).expect("a mark in the log");
    let calls: Vec<&str> = rows().filter(|(thread, _)| *thread == marker).map(|(_, call)| call.trim_start()).collect();
    let name = |call: &&'_ str| !call.starts_with(['<', '-', '+']);
    calls
        .split(|call| is_mark(call))
        .skip(1)
        .map(|part| part.iter().copied().filter(name).map(|call| call.split('(').next().unwrap()).collect())
        .collect()
}
