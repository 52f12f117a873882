//! `watch`: the table stays what files say.

use std::time::Duration;

use ipvs_rs::desired::apply::Drains;
use ipvs_rs::desired::files::Loaded;
use ipvs_rs::desired::plan::Actions;

use crate::args;
use crate::command::{apply, plan};
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::followed::{Followed, LOOK};
use crate::pace::{Pace, Signals};
use crate::session::Session;
use crate::source::Input;

/// Applies files, and again whenever they or the table change, until a signal ends it.
///
/// What is wrong with the files at the start ends it; later, the last files that were right go on counting.
pub fn watch(
    session: &Session,
    console: &mut Console,
    signals: &mut Signals,
    (input, args): (Input<'_>, &args::Watch),
    allowed: Actions,
) -> Result<(), Failure> {
    if input.file.iter().any(|path| path == "-") {
        return Err(Failure::new(Exit::Usage, "Standard input cannot be watched: name a file or directory with -f"));
    }
    signals.catch_reload()?;
    let Some(mut followed) = Followed::begin(input, args.interval.get(), console, signals)? else { return Ok(()) };
    let mut due = Duration::ZERO;
    let mut drains = Drains::default();
    loop {
        if followed.look(console, signals.elapsed(), signals.take_reload()) {
            due = Duration::ZERO;
        }
        if signals.elapsed() >= due {
            match once(session, console, (signals, &mut drains), (followed.loaded(), &input), (args, allowed)) {
                Ok(()) => {}
                // A signal that came meanwhile is the end.
                Err(failure) if signals.count() > 0 => return Err(failure),
                Err(failure) => console.failure(&failure),
            }
            let interval = args.interval.get();
            due = signals.elapsed() + if drains.is_empty() { interval } else { interval.min(DRAINING) };
        }
        console.flush();
        let next = signals.elapsed() + LOOK.min(due.saturating_sub(signals.elapsed()));
        if !signals.wait_until(next) {
            if !drains.is_empty() {
                console.warning("Destinations that were being drained stay at weight 0 until the next ipvsctl watch");
            }
            return Ok(());
        }
    }
}

/// How often the table is looked at while destinations drain.
const DRAINING: Duration = Duration::from_secs(1);

/// Compares the table with the files, and changes it if it is another one. Nothing waits for what drains.
fn once(
    session: &Session,
    console: &mut Console,
    (signals, drains): (&Signals, &mut Drains),
    (loaded, input): (&Loaded, &Input<'_>),
    (args, allowed): (&args::Watch, Actions),
) -> Result<(), Failure> {
    // Mostly there is nothing to do, and nobody need wait for that.
    if plan::make(&session.handle, console, &loaded.state, &args.planning)?.plan.is_empty() {
        *drains = Drains::default();
        return Ok(());
    }
    let _lock = apply::lock(session, &args.applying)?;
    let planned = plan::make(&session.handle, console, &loaded.state, &args.planning)?;
    plan::check(&planned.plan, allowed, plan::APPLYING)?;
    let way = apply::way(session, console, &planned.plan, (&args.applying, allowed));
    let applied = apply::apply(&session.handle, console, signals, &planned.plan, way, Some(drains));
    let report = applied.map_err(|error| apply::explain(&error))?;
    if report.changed > 0 {
        let summary = apply::summary(&planned.plan, &report);
        let draining = if report.pending > 0 { format!(", {} draining", report.pending) } else { String::new() };
        console.done(&format!(
            "Applied configuration from {} ({} added, {} changed, {} deleted{draining})",
            input.name(),
            summary.add,
            summary.change,
            summary.delete
        ));
    }
    // A drain that failed is told once, and not begun again.
    if report.changed > 0 { apply::undrained(&report) } else { Ok(()) }
}
