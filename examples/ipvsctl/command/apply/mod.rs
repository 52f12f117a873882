//! `apply`: brings the table to the state in files or in a saved plan.

pub mod icmp;

use std::io::{self, IsTerminal};
use std::path::Path;

use ipvs_rs::Handle;
use ipvs_rs::desired::apply::{
    ApplyError, ApplyOptions, Cause, Drains, Interrupt, Observer, Phase, Progress, Report, apply as apply_and_wait,
    apply_beside, held_by_persistence,
};
use ipvs_rs::desired::plan::{
    Actions, Operation, OperationKind, Plan, SavedPlan, SavedPlanError, SettingChange, Summary,
};
use ipvs_rs::desired::{Lock, Observed, service_text};
use ipvs_rs::error::{Call, Target};
use ipvs_rs::procfs::{Procfs, Sysctl, SysctlValue};

pub use self::icmp::IcmpSuppression;
use crate::args::{self, Applying, Format, Globals};
use crate::clock::Signals;
use crate::command::plan::{self, APPLYING, Planned, Task, describe};
use crate::console::Console;
use crate::escape::escaped;
use crate::failure::{Exit, Failure, failure};
use crate::file;
use crate::session::Session;
use crate::signals;
use crate::source::{Input, MessageStyle};

/// Brings the table to the state in files or in a saved plan.
pub fn apply(global: &Globals, console: &mut Console, args: &args::Apply) -> Result<(), Failure> {
    let input = Input::new(global, &args.files, MessageStyle::Table);
    let loaded = if args.saved.is_none() { Some(input.load(console)?) } else { None };
    let allowed = plan::allowed(&args.planning)?;
    let task = loaded.as_ref().map(|loaded| Task {
        state: &loaded.state,
        planning: &args.planning,
        allowed,
        silent: input.silent(loaded).filter(|_| !args.allow_empty),
    });
    let session = &mut Session::open(global, console)?;
    // A dry run does not keep other processes waiting.
    let lock = if args.dry_run { None } else { Some(lock(session, &args.applying)?) };
    if lock.is_some() {
        icmp::restore(session, &args.applying.lock_dir, lock.as_ref());
    }
    let (mut planned, name) = match (&args.saved, &task) {
        (Some(path), _) => (saved(&session.handle, path)?, escaped(path.display())),
        (None, Some(task)) => (task.plan(session)?, input.name()),
        (None, None) => return Ok(()),
    };
    let check = |planned: &Planned| match task.as_ref().and_then(|task| task.problem_of_silence(planned)) {
        Some(problem) => Err(failure!(Invalid, "{APPLYING}{problem}")),
        None => plan::check(&planned.plan, allowed, APPLYING),
    };
    if args.dry_run {
        plan::show(session.console, &planned, Format::Text)?;
        return check(&planned);
    }
    check(&planned)?;
    confirm(session.console, &planned.plan, args)?;
    warn_of_persistence(session, &planned.plan);
    let signals = signals::catch(signals::THIRD)?;
    for round in 1.. {
        let applied = carry_out(session, &|| wish(&signals), &planned.plan, (&args.applying, allowed), None);
        let raced = match applied {
            Ok(report) => {
                undrained(&report)?;
                // Servers take their time to drain, and other programs can make many changes meanwhile.
                if report.drains.is_empty() {
                    break;
                }
                failure!(Apply, "{APPLYING}another program keeps changing the table")
            }
            Err(error) if error.is_raced() && task.is_some() => explain(&error),
            Err(error) => return Err(explain(&error)),
        };
        let Some(task) = &task else { break };
        planned = task.plan(session)?;
        if planned.plan.is_empty() {
            break;
        }
        if round == ROUNDS {
            return Err(raced);
        }
        session.console.warning("Another program has changed the table meanwhile; planning again");
        check(&planned)?;
    }
    session.console.done(&format!("Applied configuration from {name}"));
    Ok(())
}

/// The number of times that a table is planned again when another program changes it meanwhile.
const ROUNDS: u32 = 3;

/// Locks the table of the namespace for other processes.
pub fn lock(session: &Session<'_>, applying: &Applying) -> Result<Lock, Failure> {
    let acquire = || Lock::acquire(&applying.lock_dir, applying.lock_timeout.get());
    let locked = session.netns.run(acquire).map_err(|error| Failure::new(Exit::Locked, error.to_string()))?;
    locked.map_err(|error| {
        // A user who may not write there usually may not change the table either, and that is the error to report.
        if let Some(refused) = session.handle.get_info().err().filter(|_| !error.is_held()) {
            return Failure::query("services", &refused);
        }
        let hint = if error.is_held() { "wait longer with --lock-timeout" } else { "another place is --lock-dir" };
        failure!(Locked, "{APPLYING}Unable to lock the table\nReason: {error}; {hint}")
    })
}

/// Reads a saved plan, and makes sure that the table is still the one that it was made for.
fn saved(handle: &Handle, path: &Path) -> Result<Planned, Failure> {
    let name = escaped(path.display());
    let unusable = |error: String| failure!(Input, "Error parsing plan from {name}: {error}");
    let bytes = file::read_at_most(path, LONGEST)
        .map_err(|error| failure!(Input, "Error reading from input file {name}: {error}"))?
        .ok_or_else(|| unusable(format!("more than {LONGEST} bytes")))?;
    let plan: SavedPlan = serde_json::from_slice(&bytes)
        .map_err(|error| unusable(format!("{}; ipvsctl plan --out FILE writes one", escaped(error))))?;
    let live = Observed::read_all(handle).map_err(|error| Failure::query("services", &error))?;
    let plan = plan.plan(&live).map_err(|error| match error {
        SavedPlanError::Stale { .. } => failure!(Stale, "{APPLYING}{name}: {error}; nothing was changed"),
        error => unusable(error.to_string()),
    })?;
    Ok(Planned { plan, live })
}

/// The longest plan in bytes.
const LONGEST: u64 = 1 << 30;

/// Asks whether to continue, if something is to be deleted and the command line requires a confirmation.
fn confirm(console: &mut Console, plan: &Plan, args: &args::Apply) -> Result<(), Failure> {
    let deletions = plan.summary().delete;
    if !args.confirm || args.yes || deletions == 0 {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(failure!(
            Apply,
            "{APPLYING}{deletions} objects would be deleted, and standard input is not a terminal to confirm \
             it: add --yes"
        ));
    }
    console.print(&plan.text().colored(console.is_colored).to_string());
    console.flush();
    console.ask("Apply this plan? [y/N] ");
    let mut answer = String::new();
    // An answer that cannot be read counts as no.
    let _ = io::stdin().read_line(&mut answer);
    if matches!(answer.trim(), "y" | "Y" | "yes" | "Yes") {
        return Ok(());
    }
    Err(failure!(Apply, "{APPLYING}not confirmed; nothing was changed"))
}

/// Warns if persistence brings clients back to drained destinations.
fn warn_of_persistence(session: &mut Session<'_>, plan: &Plan) {
    let mut held = held_by_persistence(plan);
    let Some((service, id)) = held.next() else { return };
    if brings_clients_back(session) {
        let others = match held.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        session.console.warning(&format!(
            "Persistence holds clients to {id} of {}{others}: they come back although it is drained, as long as the sysctl \
             net.ipv4.vs.expire_quiescent_template is 0",
            service_text(&service)
        ));
    }
}

/// Whether persistence brings clients back to a destination of weight 0.
pub fn brings_clients_back(session: &Session<'_>) -> bool {
    let expires = Procfs::of(session.netns.clone()).get_sysctl(Sysctl::ExpireQuiescentTemplate);
    expires.is_ok_and(|value| value == SysctlValue::Number(0))
}

/// The interrupt that the signals so far ask for while a plan is carried out.
pub fn wish(signals: &Signals) -> Interrupt {
    match signals.count() {
        0 => Interrupt::None,
        1 => Interrupt::Stop,
        _ => Interrupt::Now,
    }
}

/// Carries out a plan, and reports its changes. With `drains`, connections are not waited for.
pub fn carry_out(
    session: &mut Session<'_>,
    stop: &dyn Fn() -> Interrupt,
    plan: &Plan,
    (applying, allowed): (&Applying, Actions),
    drains: Option<&mut Drains>,
) -> Result<Report, ApplyError> {
    let icmp = if applying.no_refusals { IcmpSuppression::during(session, plan, &applying.lock_dir) } else { None };
    let options = ApplyOptions::new().on_error(applying.on_error).allowed(allowed);
    let Session { handle, console, .. } = session;
    let mut watcher = Watcher { console, stop, icmp };
    let applied = match drains {
        None => apply_and_wait(handle, plan, &options, &mut watcher),
        Some(drains) => apply_beside(handle, plan, &options, drains, &mut watcher),
    };
    watcher.speak();
    console.progress("");
    let report = applied.as_ref().unwrap_or_else(|error| error.report());
    report.warnings.iter().for_each(|warning| console.warning(&warning.to_string()));
    report.drains.iter().for_each(|drained| console.info(&drained.to_string()));
    console.debug(|| format!("{} of {} operations done", report.done, report.total));
    if applied.is_ok() {
        done(plan, report).for_each(|operation| log(console, operation));
    }
    applied
}

/// Destinations that should have been deleted, and had connections for too long.
pub fn undrained(report: &Report) -> Result<(), Failure> {
    let left: Vec<_> = report.undrained().map(ToString::to_string).collect();
    if left.is_empty() { Ok(()) } else { Err(Failure::of_lines(Exit::Drain, left)) }
}

/// The part of a successful plan that is done; the rest drains, or is kept.
pub fn summary(plan: &Plan, report: &Report) -> Summary {
    Plan::of(done(plan, report).cloned().collect()).summary()
}

fn done<'p>(plan: &'p Plan, report: &'p Report) -> impl Iterator<Item = &'p Operation> {
    plan.operations().iter().filter(|operation| report.is_through(operation))
}

/// Shows the progress of a plan, and passes interrupts on to it.
pub struct Watcher<'a> {
    pub console: &'a mut Console,
    pub stop: &'a dyn Fn() -> Interrupt,
    pub icmp: Option<IcmpSuppression>,
}

impl Watcher<'_> {
    fn speak(&mut self) {
        if let Some(icmp) = self.icmp.take() {
            icmp.end(self.console);
        }
    }
}

impl Observer for Watcher<'_> {
    fn progress(&mut self, progress: &Progress) {
        if progress.phase == Phase::Draining {
            self.speak();
        }
        if self.console.has_progress {
            let Progress { phase, done, total, draining, connections, .. } = progress;
            let text = match phase {
                Phase::Draining => format!("draining {draining} destinations: {connections} connections"),
                phase => format!("{phase}: {done} of {total}"),
            };
            self.console.progress(&text);
        }
    }

    fn interrupt(&mut self) -> Interrupt {
        (self.stop)()
    }
}

/// A line for a finished operation.
fn log(console: &mut Console, operation: &Operation) {
    let service = operation.service().map(|id| service_text(&id)).unwrap_or_default();
    let destination = operation.destination().map(|id| id.to_string()).unwrap_or_default();
    let changes = || {
        let change = |it: &SettingChange| format!("{}={}->{}", it.field, it.from, it.to);
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
        OperationKind::UpdateTimeouts => format!("Updated timeouts, {}", changes()),
        _ => describe(operation),
    };
    console.info(&line);
}

/// The operations that failed, the answers of the kernel, and the state of the rest.
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
    // The answers of the kernel to the operations that failed are in the lines above.
    lines.push(match error.failures() {
        [] => format!("Result: {error}"),
        _ => format!("Result: {}", error.summary()),
    });
    Failure::of_lines(if error.is_refused() { Exit::Apply } else { exit }, lines)
}

/// The sentence about an operation that failed.
fn what(operation: &Operation, error: &ipvs_rs::Error) -> String {
    let service = operation.service().map(|id| service_text(&id)).unwrap_or_default();
    let destination = match (operation.destination(), error.target()) {
        (Some(id), _) => id.to_string(),
        (None, Target::Destination(_, id)) => id.to_string(),
        (None, _) => String::new(),
    };
    match (operation.kind(), error.call()) {
        (OperationKind::AddService, Call::NewDestination) | (OperationKind::AddDestination, _) => {
            format!("unable to add new destination(s) {destination} for service {service}")
        }
        (OperationKind::AddService, _) => format!("unable to add ipvs service {service}"),
        (OperationKind::UpdateService, _) => format!("unable to edit ipvs service {service}"),
        (OperationKind::DeleteService, _) => format!("unable to delete service {service}"),
        (kind, _) if destination.is_empty() => format!("unable to {}", plan::in_words(kind)),
        (OperationKind::UpdateDestination, _) => {
            format!("unable to update destination {destination} for service {service}")
        }
        _ => format!("unable to delete destination {destination} for service {service}"),
    }
}

#[cfg(feature = "testing")]
#[cfg(test)]
mod tests;
