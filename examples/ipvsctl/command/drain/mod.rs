//! `drain`, `undrain`, `set state`: set whether destinations take new connections.

use std::cell::Cell;
use std::time::{Duration, Instant};

use ipvs_rs::desired::apply::{Applier, ApplyError, ApplyOptions, DrainOutcome, Drained, Interrupt, OnRace, drive};
use ipvs_rs::desired::plan::{Change, Operation, Plan};
use ipvs_rs::desired::{Drain, WaitFor, service_text};
use ipvs_rs::handle::Consistency;
use ipvs_rs::model::Protocol;
use ipvs_rs::{DestinationId, ServiceId};

use crate::clock::Clock;
use crate::command::apply::{self, Watcher};
use crate::command::set;
use crate::failure::{Exit, Failure, failure};
use crate::session::Session;

/// The destinations to drain, and the settings for that.
pub struct Draining {
    pub service: ServiceId,
    pub destinations: Vec<DestinationId>,
    pub drain: Drain,
    pub delete: bool,
}

const WHAT: &str = "Unable to drain";

/// Gives destinations weight 0, waits until they have no connections, and deletes them on request.
pub fn drain(session: &mut Session<'_>, clock: &mut impl Clock, draining: &Draining) -> Result<(), Failure> {
    let Draining { service, drain, .. } = draining;
    let plan = Plan::of(operations(session, draining)?);
    let is_interrupted = Cell::new(false);
    let (begin, first) = (Instant::now(), clock.elapsed());
    let mut wait = |time: Duration| {
        if !time.is_zero() && !clock.wait_until(clock.elapsed() + time) {
            is_interrupted.set(true);
        }
        begin + clock.elapsed().saturating_sub(first)
    };
    // Signals count only while waiting for connections.
    let stop = || if is_interrupted.get() { Interrupt::Stop } else { Interrupt::None };
    let Session { handle, console, .. } = session;
    let mut watcher = Watcher { console, stop: &stop, icmp: None };
    let options = ApplyOptions::new().on_race(OnRace::Fail);
    let applied = drive(&mut Applier::new(&plan, &options), handle, &mut watcher, &mut wait);
    console.progress("");
    let report = applied.map_err(|error| failed(&error, *service))?;
    let why =
        if is_interrupted.get() { "when it was interrupted".to_owned() } else { format!("after {:?}", drain.timeout) };
    let mut lines = Vec::new();
    for drained in &report.drains {
        let line = line(drained, &why);
        match drained.outcome {
            outcome if outcome.is_left() => lines.push(line),
            DrainOutcome::Deleted => console.warning(&line),
            _ => console.info(&line),
        }
    }
    if lines.is_empty() { Ok(()) } else { Err(Failure::of_lines(Exit::Drain, lines)) }
}

/// A change of each destination, which has to be there.
fn operations(session: &Session<'_>, draining: &Draining) -> Result<Vec<Operation>, Failure> {
    let Draining { service, destinations, drain, delete } = draining;
    let entries = session.handle.get_destinations_with(service, Consistency::Stable { attempts: 10 });
    let entries = entries.map_err(|error| Failure::query("destinations", &error))?;
    let mut operations: Vec<Operation> = Vec::new();
    for id in destinations {
        let Some(entry) = entries.iter().find(|entry| entry.id() == *id) else {
            let found = session.handle.get_service(service).map_err(|error| Failure::query("service", &error))?;
            return Err(set::missing(WHAT, *service, found.map(|_| *id)));
        };
        let before = entry.destination.clone();
        let change = if *delete { Change::delete(before) } else { Change::update(before.clone(), before.drained()) };
        if operations.iter().all(|known| known.destination() != Some(*id)) {
            operations.push(Operation::of_destination(*service, change).drained(Some(*drain)));
        }
    }
    Ok(operations)
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

fn failed(error: &ApplyError, service: ServiceId) -> Failure {
    let destination = error.operation().and_then(Operation::destination);
    match error.kernel_error().filter(|_| destination.is_some()) {
        Some(error) => set::refused(WHAT, error, Some(service), destination),
        None => failure!(Set, "{WHAT}: {}", error.summary()),
    }
}

/// Warns where a wait does not cover all connections, or may be in vain.
pub fn warn(session: &mut Session<'_>, Draining { service, drain, .. }: &Draining) -> Result<(), Failure> {
    if drain.wait == WaitFor::Active && service.protocol() == Some(Protocol::UDP) {
        session.console.warning("All connections of UDP count as inactive: nothing is waited for without --wait all");
    }
    let entry = session.handle.get_service(service).map_err(|error| Failure::query("service", &error))?;
    if entry.is_some_and(|entry| entry.service.persistence.is_some()) && apply::brings_clients_back(session) {
        session.console.warning(
            "The service is persistent: clients that it knows come back to a drained destination as long as the sysctl \
             net.ipv4.vs.expire_quiescent_template is 0",
        );
    }
    Ok(())
}

#[cfg(feature = "testing")]
#[cfg(test)]
mod tests;
