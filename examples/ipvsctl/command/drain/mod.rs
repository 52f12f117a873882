//! `drain`, `undrain`, `set state`: whether destinations take new connections.

use std::cell::Cell;
use std::time::{Duration, Instant};

use ipvs_rs::desired::apply::{Applier, ApplyError, ApplyOptions, DrainOutcome, Drained, Interrupt, OnRace, drive};
use ipvs_rs::desired::plan::Change;
use ipvs_rs::desired::{Drain, Operation, Plan, WaitFor, service_text};
use ipvs_rs::model::Weight;
use ipvs_rs::procfs::{Procfs, Sysctl, SysctlValue};
use ipvs_rs::{DestinationEntry, DestinationId, Handle, ServiceId};

use crate::address;
use crate::command::apply::{Stop, Watcher};
use crate::command::set::{self, Place};
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::pace::Pace;

/// The destinations to drain, and how.
pub struct Draining<'a> {
    pub service: ServiceId,
    pub destinations: &'a [DestinationId],
    pub drain: Drain,
    pub delete: bool,
}

const WHAT: &str = "Unable to drain";

/// Gives destinations weight 0, waits until they have no connections, and deletes them if that is wanted.
pub fn drain(
    handle: &Handle,
    console: &mut Console,
    pace: &mut impl Pace,
    draining: &Draining<'_>,
) -> Result<(), Failure> {
    let Draining { service, destinations, drain, delete } = draining;
    let entries = list(handle, service)?;
    let mut operations: Vec<Operation> = Vec::new();
    for id in *destinations {
        let Some(entry) = entries.iter().find(|entry| entry.id() == *id) else {
            let has_service = handle.get_service(service).map_err(|error| Failure::query("service", &error))?.is_some();
            return Err(set::missing(WHAT, service, has_service.then_some(id)));
        };
        let before = entry.destination.clone();
        let change = if *delete { Change::delete(before) } else { Change::update(before.clone(), before.drained()) };
        if operations.iter().all(|known| known.destination() != Some(*id)) {
            operations.push(Operation::of_destination(*service, change).drained(Some(*drain)));
        }
    }
    let is_interrupted = Cell::new(false);
    let (begin, first) = (Instant::now(), pace.elapsed());
    let mut wait = |time: Duration| {
        if !time.is_zero() && !pace.wait_until(pace.elapsed() + time) {
            is_interrupted.set(true);
        }
        begin + pace.elapsed().saturating_sub(first)
    };
    let plan = Plan::of(operations);
    let options = ApplyOptions::new().on_race(OnRace::Fail);
    let mut watcher = Watcher { console, stop: &Wish(&is_interrupted), silence: None };
    let applied = drive(&mut Applier::new(&plan, &options), handle, &mut watcher, &mut wait);
    console.progress("");
    let report = applied.map_err(|error| failed(&error, service))?;
    let why =
        if is_interrupted.get() { "when it was interrupted".to_owned() } else { format!("after {:?}", drain.timeout) };
    let mut lines = Vec::new();
    for drained in &report.drains {
        let line = line(drained, &why);
        match drained.outcome {
            DrainOutcome::Kept | DrainOutcome::Restored | DrainOutcome::Unfinished => lines.push(line),
            DrainOutcome::Deleted => console.warning(&line),
            _ => console.info(&line),
        }
    }
    if lines.is_empty() { Ok(()) } else { Err(Failure::new(Exit::Drain, lines.join("\n"))) }
}

/// A signal that came while connections were waited for.
struct Wish<'a>(&'a Cell<bool>);

impl Stop for Wish<'_> {
    fn wish(&self) -> Interrupt {
        if self.0.get() { Interrupt::Stop } else { Interrupt::None }
    }
}

fn list(handle: &Handle, service: &ServiceId) -> Result<Vec<DestinationEntry>, Failure> {
    handle.get_destinations_stable(service, 10).map_err(|error| Failure::query("destinations", &error))
}

/// Returns the sentence about a destination that was drained.
fn line(drained: &Drained, why: &str) -> String {
    let Drained { destination, left, .. } = drained;
    let place = format!("Destination {destination} of service {}", service_text(&drained.service));
    let busy = format!("{place} still had {left} connections {why}");
    match drained.outcome {
        DrainOutcome::Drained => format!("{place} has weight 0 and no connections"),
        DrainOutcome::Idle => format!("{place} had no connections and was deleted"),
        DrainOutcome::Gone => format!("{place} was deleted by another program"),
        DrainOutcome::Deleted => format!("{busy}: it was deleted with them"),
        DrainOutcome::Restored => format!("{busy}: it has its weight again"),
        _ => format!(
            "{busy}: it stays with weight 0; wait longer with --timeout, or give it its weight back with ipvsctl undrain"
        ),
    }
}

fn failed(error: &ApplyError, service: &ServiceId) -> Failure {
    let destination = error.operation().and_then(Operation::destination);
    match (error.kernel_error(), destination) {
        (Some(error), Some(destination)) => set::refused(WHAT, error, &Place { service: *service, destination }),
        _ => Failure::new(Exit::Set, format!("{WHAT}: {error}")),
    }
}

/// Says what a wait cannot be relied on for.
pub fn warn(handle: &Handle, console: &mut Console, procfs: &Procfs, draining: &Draining<'_>) -> Result<(), Failure> {
    let Draining { service, drain, .. } = draining;
    if drain.wait == WaitFor::Active && address::is_udp(service) {
        console.warning("All connections of UDP count as inactive: nothing is waited for without --wait all");
    }
    let entry = handle.get_service(service).map_err(|error| Failure::query("service", &error))?;
    let is_persistent = entry.is_some_and(|entry| entry.service.persistence.is_some());
    let expires = procfs.get_sysctl(Sysctl::ExpireQuiescentTemplate);
    if is_persistent && expires.is_ok_and(|value| value == SysctlValue::Number(0)) {
        console.warning(
            "The service is persistent: clients that it knows come back to a drained destination as long as the sysctl \
             net.ipv4.vs.expire_quiescent_template is 0",
        );
    }
    Ok(())
}

/// Gives a destination a weight again.
pub fn undrain(handle: &Handle, console: &mut Console, place: &Place, weight: Weight) -> Result<(), Failure> {
    set::change_destination(handle, "Unable to undrain", place, |destination| destination.weight = weight)?;
    console.info(&format!("Updated weight to {} for service {}", weight.get(), place.text()));
    Ok(())
}

#[cfg(feature = "testing")]
#[cfg(test)]
mod tests;
