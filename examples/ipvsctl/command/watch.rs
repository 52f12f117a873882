//! `watch`: keeps the table in the state that files describe.

use std::time::Duration;

use ipvs_rs::desired::apply::Drains;
use ipvs_rs::desired::plan::Summary;

use crate::args::{self, Applying, Globals};
use crate::clock::{Clock, Signals};
use crate::command::apply::{self, icmp};
use crate::command::plan::{self, Task};
use crate::console::Console;
use crate::failure::{Failure, failure};
use crate::session::Session;
use crate::signals;
use crate::source::{Input, MessageStyle};
use crate::watched_files::{POLL_INTERVAL, WatchedFiles};

/// Applies files, and again whenever they or the table change, until a signal ends it.
///
/// Files that cannot be used at the start end it; later, the last usable content of the files remains valid.
pub fn watch(global: &Globals, console: &mut Console, args: &args::Watch) -> Result<(), Failure> {
    let input = Input::new(global, &args.files, MessageStyle::Table);
    let allowed = plan::allowed(&args.planning)?;
    let session = &mut Session::open(global, console)?;
    icmp::restore(session, &args.applying.lock_dir, None);
    let signals = &mut signals::catch(signals::THIRD)?;
    if input.file.iter().any(|path| path == "-") {
        return Err(failure!(Usage, "Standard input cannot be watched: name a file or directory with -f"));
    }
    signals.catch_reload().map_err(|error| signals::failed(&error))?;
    let interval = args.interval.get();
    let Some(mut files) = WatchedFiles::begin(input, interval, session.console, signals)? else { return Ok(()) };
    let mut due = Duration::ZERO;
    let mut drains = Drains::default();
    loop {
        if files.poll(session.console, signals.elapsed(), signals.take_reload()) {
            due = Duration::ZERO;
        }
        if signals.elapsed() >= due {
            let state = &files.loaded().state;
            let task = Task { state, planning: &args.planning, allowed, silent: None };
            match once(session, &task, &args.applying, (signals, &mut drains), &input.name()) {
                Ok(()) => {}
                // A signal that came meanwhile ends it.
                Err(failure) if signals.count() > 0 => return Err(failure),
                Err(failure) => session.console.failure(&failure),
            }
            due = signals.elapsed() + if drains.is_empty() { interval } else { interval.min(DRAINING) };
        }
        session.console.flush();
        let next = signals.elapsed() + POLL_INTERVAL.min(due.saturating_sub(signals.elapsed()));
        if !signals.wait_until(next) {
            if !drains.is_empty() {
                let left = "Destinations that were being drained stay at weight 0 until the next ipvsctl watch";
                session.console.warning(left);
            }
            return Ok(());
        }
    }
}

/// The time between two reads of the table while destinations drain.
const DRAINING: Duration = Duration::from_secs(1);

/// Compares the table with files of that name, and changes it if it differs. Draining destinations are not waited for.
fn once(
    session: &mut Session<'_>,
    task: &Task<'_>,
    applying: &Applying,
    (signals, drains): (&Signals, &mut Drains),
    name: &str,
) -> Result<(), Failure> {
    // Usually there is nothing to do, so that other processes need not wait.
    if task.plan(session)?.plan.is_empty() {
        *drains = Drains::default();
        return Ok(());
    }
    let _lock = apply::lock(session, applying)?;
    let plan = task.plan(session)?.plan;
    plan::check(&plan, task.allowed, plan::APPLYING)?;
    let applied = apply::carry_out(session, &|| apply::wish(signals), &plan, (applying, task.allowed), Some(drains));
    let report = applied.map_err(|error| apply::explain(&error))?;
    if report.changed == 0 {
        // A failed drain is reported once, and not started again.
        return Ok(());
    }
    let Summary { add, change, delete, .. } = apply::summary(&plan, &report);
    let draining = if report.pending > 0 { format!(", {} draining", report.pending) } else { String::new() };
    session.console.done(&format!(
        "Applied configuration from {name} ({add} added, {change} changed, {delete} deleted{draining})"
    ));
    apply::undrained(&report)
}
