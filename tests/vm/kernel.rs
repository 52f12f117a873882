//! Which kernel this is and what it cannot do.

use std::fs;
use std::io::Write;
use std::sync::Once;

use ipvs_rs::{Handle, Scheduler, Service, ServiceId};

/// Whether the kernel is of this version or later.
pub fn is_at_least(major: u32, minor: u32) -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap()) >= (major, minor)
}

/// Whether this is the virtual machine, which is ours to change.
pub fn is_ours() -> bool {
    std::env::var_os("IPVS_RS_VM").is_some()
}

/// Makes the kernel wait less: deleting a service and changing a scheduler take a grace period each, of up to 30 ms.
pub fn hurry() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if is_ours() {
            fs::write("/sys/kernel/rcu_expedited", "1").unwrap();
        }
    });
}

/// Says something that is printed for tests that pass as well.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "note: {text}");
}

/// Every scheduler that this kernel has.
///
/// Of the known ones it may lack those that distributions leave out, which is noted; it is an error if it lacks others.
pub fn schedulers(handle: &Handle) -> Vec<Scheduler> {
    let left_out = OPTIONAL_SCHEDULERS.into_iter().filter(|scheduler| !has(handle, *scheduler)).collect::<Vec<_>>();
    if !left_out.is_empty() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| note(&format!("left out: schedulers that this kernel does not have: {left_out:?}")));
    }
    Scheduler::KNOWN.into_iter().filter(|scheduler| !left_out.contains(scheduler)).collect()
}

fn has(handle: &Handle, scheduler: Scheduler) -> bool {
    let id: ServiceId = "fwmark:4294967295".parse().unwrap();
    match handle.new_service(&Service::new(id, scheduler)) {
        Ok(()) => handle.delete_service(&id).map(|()| true).unwrap(),
        Err(error) if error.is_scheduler_unavailable() => false,
        Err(error) => panic!("{error}"),
    }
}

/// Since Linux 5.13; Debian builds it since 6.12.
const OPTIONAL_SCHEDULERS: [Scheduler; 1] = [Scheduler::Twos];
