//! `apply`: the table becomes what files, or a saved plan, say.

pub mod silence;

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use ipvs_rs::Handle;
use ipvs_rs::desired::apply::{
    ApplyError, ApplyOptions, Cause, DrainOutcome, Drains, Interrupt, Observer, OnError, Phase, Progress, Report,
    apply as apply_and_wait, apply_beside, held_by_persistence,
};
use ipvs_rs::desired::plan::{Actions, OperationKind, SavedPlan, SavedPlanError, Summary};
use ipvs_rs::desired::{Lock, Observed, Operation, Plan, service_text};
use ipvs_rs::procfs::{Procfs, Sysctl, SysctlValue};

pub use self::silence::Silence;
use crate::args::{self, Applying};
use crate::command::plan::{APPLYING, Planned, describe};
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::pace::Signals;
use crate::session::Session;
use crate::shown::shown;

/// Keeps others away from the table of the namespace until it is dropped.
pub fn lock(session: &Session, applying: &Applying) -> Result<Lock, Failure> {
    let acquire = || Lock::acquire(&applying.lock_dir, applying.lock_timeout.get());
    let locked = session.netns.run(acquire).map_err(|error| Failure::new(Exit::Locked, error.to_string()))?;
    locked.map_err(|error| {
        // Who may not write there mostly may not change the table either, which is what is to be said.
        if let Some(refused) = session.handle.get_info().err().filter(|_| !error.is_held()) {
            return Failure::query("services", &refused);
        }
        let hint = if error.is_held() { "wait longer with --lock-timeout" } else { "another place is --lock-dir" };
        Failure::new(Exit::Locked, format!("{APPLYING}Unable to lock the table\nReason: {error}; {hint}"))
    })
}

/// Reads a saved plan, and makes sure that the table is still the one that it was made for.
pub fn saved(handle: &Handle, path: &Path) -> Result<Planned, Failure> {
    let unreadable = |error: io::Error| {
        Failure::new(Exit::Input, format!("Error reading from input file {}: {error}", shown(path.display())))
    };
    let unusable = |error: String| {
        Failure::new(Exit::Input, format!("Error parsing plan from {}: {error}", shown(path.display())))
    };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(unusable(format!("more than {LONGEST} bytes")));
    }
    let plan: SavedPlan = serde_json::from_slice(&bytes)
        .map_err(|error| unusable(format!("{error}; ipvsctl plan --out FILE writes one")))?;
    let live = Observed::read_all(handle).map_err(|error| Failure::query("services", &error))?;
    let plan = plan.plan(&live).map_err(|error| match error {
        SavedPlanError::Stale { .. } => {
            Failure::new(Exit::Stale, format!("{APPLYING}{}: {error}; nothing was changed", shown(path.display())))
        }
        error => unusable(error.to_string()),
    })?;
    Ok(Planned { plan, live })
}

/// The longest plan in bytes.
const LONGEST: u64 = 1 << 30;

/// Asks whether to go on, if something is to be deleted and somebody wanted to be asked.
pub fn confirm(console: &mut Console, plan: &Plan, args: &args::Apply) -> Result<(), Failure> {
    let deletions = plan.summary().delete;
    if !args.confirm || args.yes || deletions == 0 {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        let message =
            format!("{APPLYING}{deletions} objects would be deleted, and there is nobody to confirm it: add --yes");
        return Err(Failure::new(Exit::Apply, message));
    }
    console.print(&plan.text().coloured(console.is_coloured()).to_string());
    console.flush();
    console.ask("Apply this plan? [y/N] ");
    let mut answer = String::new();
    // No answer is no.
    let _ = io::stdin().read_line(&mut answer);
    if matches!(answer.trim(), "y" | "Y" | "yes" | "Yes") {
        return Ok(());
    }
    Err(Failure::new(Exit::Apply, format!("{APPLYING}not confirmed; nothing was changed")))
}

/// Says what a drain cannot be relied on for.
pub fn warn_of_persistence(console: &mut Console, procfs: &Procfs, plan: &Plan) {
    let held: Vec<_> =
        held_by_persistence(plan).map(|(service, id)| format!("{id} of {}", service_text(&service))).collect();
    let Some(first) = held.first() else { return };
    if procfs.get_sysctl(Sysctl::ExpireQuiescentTemplate).is_ok_and(|value| value == SysctlValue::Number(0)) {
        let others = if held.len() > 1 { format!(" and {} more", held.len() - 1) } else { String::new() };
        console.warning(&format!(
            "Persistence holds clients to {first}{others}: they come back although it is drained, as long as the sysctl \
             net.ipv4.vs.expire_quiescent_template is 0"
        ));
    }
}

/// How a plan is carried out.
pub struct Way {
    pub on_error: args::OnError,
    pub allowed: Actions,
    /// Kept until schedulers have changed.
    pub silence: Option<Silence>,
}

/// The way that the command line asks for.
pub fn way(session: &Session, console: &mut Console, plan: &Plan, (applying, allowed): (&Applying, Actions)) -> Way {
    let silence =
        applying.no_refusals.then(|| Silence::during(plan, &session.netns, &applying.lock_dir, console)).flatten();
    Way { on_error: applying.on_error, allowed, silence }
}

/// How often a table that another program changes meanwhile is planned again.
pub const ROUNDS: u32 = 3;

/// Carries a plan out, and says what was done. With `drains`, connections are not waited for.
pub fn apply(
    handle: &Handle,
    console: &mut Console,
    stop: &dyn Stop,
    plan: &Plan,
    way: Way,
    drains: Option<&mut Drains>,
) -> Result<Report, ApplyError> {
    let on_error = match way.on_error {
        args::OnError::Rollback => OnError::Rollback,
        args::OnError::Stop => OnError::Stop,
        args::OnError::Continue => OnError::Continue,
    };
    let options = ApplyOptions::new().on_error(on_error).allowed(way.allowed);
    let mut watcher = Watcher { console, stop, silence: way.silence };
    let applied = match drains {
        None => apply_and_wait(handle, plan, &options, &mut watcher),
        Some(drains) => apply_beside(handle, plan, &options, drains, &mut watcher),
    };
    watcher.speak();
    console.progress("");
    match &applied {
        Ok(report) => {
            tell(console, report);
            done(plan, report).for_each(|operation| log(console, operation));
        }
        Err(error) => tell(console, error.report()),
    }
    applied
}

/// Destinations that should have gone, and had connections for too long.
pub fn undrained(report: &Report) -> Result<(), Failure> {
    let left: Vec<_> = report.undrained().map(ToString::to_string).collect();
    if left.is_empty() { Ok(()) } else { Err(Failure::new(Exit::Drain, left.join("\n"))) }
}

/// How much of a plan that succeeded is through; the rest drains, or is kept.
pub fn summary(plan: &Plan, report: &Report) -> Summary {
    Plan::of(done(plan, report).cloned().collect()).summary()
}

fn done<'p>(plan: &'p Plan, report: &'p Report) -> impl Iterator<Item = &'p Operation> {
    plan.operations().iter().filter(|operation| is_done(operation, report))
}

/// Whether an operation of a plan that succeeded is through.
fn is_done(operation: &Operation, report: &Report) -> bool {
    let service = operation.service();
    let destination = operation.destination();
    let own = report
        .drains
        .iter()
        .find(|it| service == Some(it.service) && destination.is_none_or(|destination| destination == it.destination));
    match own.filter(|_| operation.drain.is_some()) {
        Some(drained) => {
            !matches!(drained.outcome, DrainOutcome::Kept | DrainOutcome::Restored | DrainOutcome::Unfinished)
        }
        None => operation.drain.is_none() || report.pending == 0,
    }
}

/// A source of wishes to end a plan before it is through.
pub trait Stop {
    /// The wish by now.
    fn wish(&self) -> Interrupt;
}

impl Stop for Signals {
    fn wish(&self) -> Interrupt {
        match self.count() {
            0 => Interrupt::None,
            1 => Interrupt::Stop,
            _ => Interrupt::Now,
        }
    }
}

/// Shows how far a plan has come, and hears of wishes to end it.
pub struct Watcher<'a> {
    pub console: &'a mut Console,
    pub stop: &'a dyn Stop,
    pub silence: Option<Silence>,
}

impl Watcher<'_> {
    fn speak(&mut self) {
        if let Some(silence) = self.silence.take() {
            silence.end(self.console);
        }
    }
}

impl Observer for Watcher<'_> {
    fn progress(&mut self, progress: &Progress) {
        if progress.phase == Phase::Draining {
            self.speak();
        }
        if self.console.has_progress() {
            let Progress { phase, done, total, draining, connections, .. } = progress;
            let text = match phase {
                Phase::Draining => format!("draining {draining} destinations: {connections} connections"),
                phase => format!("{phase}: {done} of {total}"),
            };
            self.console.progress(&text);
        }
    }

    fn interrupt(&mut self) -> Interrupt {
        self.stop.wish()
    }
}

/// Says what was not as planned.
fn tell(console: &mut Console, report: &Report) {
    for warning in &report.warnings {
        console.warning(&warning.to_string());
    }
    for drained in &report.drains {
        console.info(&drained.to_string());
    }
    let (done, total) = (report.done, report.total);
    console.debug(|| format!("{done} of {total} operations done"));
}

/// A line for something that was done.
fn log(console: &mut Console, operation: &Operation) {
    let service = operation.service().map(|id| service_text(&id)).unwrap_or_default();
    let destination = operation.destination().map(|id| id.to_string()).unwrap_or_default();
    let changes = || {
        let change = |it: &ipvs_rs::desired::plan::SettingChange| format!("{}={}->{}", it.field, it.from, it.to);
        operation.changes().iter().map(change).collect::<Vec<_>>().join(", ")
    };
    let line = match operation.kind() {
        OperationKind::AddService => {
            let count = operation.destinations.len();
            format!("Adding to current config, addr={service}, destinations={count}")
        }
        OperationKind::UpdateService => format!("Updating service, addr={service}, {}", changes()),
        OperationKind::DeleteService => format!("Removing service from current config, addr={service}"),
        OperationKind::AddDestination => format!("Adding destination {destination} to service {service}"),
        OperationKind::UpdateDestination => match operation.changes().as_slice() {
            [change] if change.field == "weight" => {
                format!("Updated weight to {} for service {service}/{destination}", change.to)
            }
            _ => format!("Updated destination {destination} of service {service}, {}", changes()),
        },
        OperationKind::DeleteDestination => format!("Removing destination {destination} from service {service}"),
        OperationKind::UpdateTimeouts => format!("Updated time-outs, {}", changes()),
        _ => describe(operation),
    };
    console.info(&line);
}

/// What failed, what the kernel said, and what became of the rest.
pub fn explain(error: &ApplyError) -> Failure {
    let exit = if error.is_rolled_back() { Exit::RolledBack } else { Exit::Apply };
    if matches!(error.cause(), Cause::Interrupted) {
        return Failure::new(exit, format!("{APPLYING}{error}"));
    }
    let mut lines = Vec::new();
    for failure in error.failures() {
        lines.push(format!("{APPLYING}Unable to apply new config: {}", what(&failure.operation, &failure.error)));
        lines.push(format!("Reason: {}", failure.error));
    }
    if error.is_raced() || matches!(error.cause(), Cause::Unconfirmed(_)) {
        lines.push(format!("{APPLYING}the table is not known to be as the plan has it"));
    } else if lines.is_empty() {
        lines.push(format!("{APPLYING}Unable to apply new config: Unable to build change set from new configuration"));
    }
    lines.push(match std::error::Error::source(error).filter(|_| error.failures().is_empty()) {
        Some(source) => format!("Result: {error}: {source}"),
        None => format!("Result: {error}"),
    });
    Failure::new(if error.is_refused() { Exit::Apply } else { exit }, lines.join("\n"))
}

/// What could not be done.
fn what(operation: &Operation, error: &ipvs_rs::Error) -> String {
    let service = operation.service().map(|id| service_text(&id)).unwrap_or_default();
    let destination = operation.destination().map(|id| id.to_string()).unwrap_or_default();
    match operation.kind() {
        OperationKind::AddService if error.operation() == ipvs_rs::error::Operation::NewDestination => {
            let destination = match error.target() {
                ipvs_rs::error::Target::Destination(_, id) => id.to_string(),
                _ => String::new(),
            };
            format!("unable to add new destination(s) {destination} for service {service}")
        }
        OperationKind::AddService => format!("unable to add ipvs service {service}"),
        OperationKind::UpdateService => format!("unable to edit ipvs service {service}"),
        OperationKind::DeleteService => format!("unable to delete service {service}"),
        OperationKind::AddDestination => {
            format!("unable to add new destination(s) {destination} for service {service}")
        }
        OperationKind::UpdateDestination => format!("unable to update destination {destination} for service {service}"),
        OperationKind::DeleteDestination => format!("unable to delete destination {destination} for service {service}"),
        OperationKind::UpdateTimeouts => "unable to update time-outs".to_owned(),
        OperationKind::StopSync => "unable to stop a synchronization daemon".to_owned(),
        _ => "unable to start a synchronization daemon".to_owned(),
    }
}

#[cfg(feature = "testing")]
#[cfg(test)]
mod tests;
