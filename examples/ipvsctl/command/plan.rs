//! `plan`, `changeset`: what apply would change.

use std::path::Path;

use ipvs_rs::Handle;
use ipvs_rs::desired::plan::{Actions, Draining, OperationKind};
use ipvs_rs::desired::{DesiredState, Drain, Observed, Operation, Plan, PlanOptions, service_text};

use crate::args::{self, ChangesetFormat, PlanFormat, Planning};
use crate::command::get;
use crate::console::Console;
use crate::failure::{Exit, Failure};
use crate::file;
use crate::shown::shown;
use crate::source;

/// What failures to change the table begin with.
pub const APPLYING: &str = "Error applying updates: ";
/// The same for failures to say what would change.
const BUILDING: &str = "Error building/applying changeset: ";

/// A plan and what it was made for.
pub struct Planned {
    pub plan: Plan,
    pub live: Observed,
}

/// Reads the list of changes that may be made.
pub fn allowed(planning: &Planning) -> Result<Actions, Failure> {
    planning.allowed_actions.parse().map_err(|error| {
        Failure::new(
            Exit::Value,
            format!(
                "unable to process allowed actions: {error}\nexpected * or some of as, us, ds, ad, ud, dd, ut, ay, dy with \
                 commas and without blanks"
            ),
        )
    })
}

/// How a plan is made.
pub fn options(planning: &Planning) -> PlanOptions {
    let draining = match planning.drain {
        _ if planning.no_drain => Draining::Never,
        Some(timeout) => Draining::Always(Drain::new(timeout.get())),
        None => Draining::AsDesired,
    };
    PlanOptions::new().keep_weights(planning.keep_weights).prune(planning.prune).draining(draining)
}

/// Compares the table with what it should be.
pub fn make(
    handle: &Handle,
    console: &mut Console,
    desired: &DesiredState,
    planning: &Planning,
) -> Result<Planned, Failure> {
    let live = Observed::read(handle, desired).map_err(|error| Failure::query("services", &error))?;
    let plan = ipvs_rs::desired::plan(&live, desired, &options(planning));
    console.debug(|| {
        let (services, destinations) = (live.table.len(), live.table.destination_count());
        format!(
            "The table has {services} services with {destinations} destinations; {} operations are planned",
            plan.len()
        )
    });
    for operation in plan.operations() {
        console.debug(|| format!("Planned: {}", describe(operation)));
    }
    Ok(Planned { plan, live })
}

/// Shows a plan.
pub fn plan(
    handle: &Handle,
    console: &mut Console,
    desired: &DesiredState,
    args: &args::Plan,
    allowed: Actions,
    silent: Option<&str>,
) -> Result<(), Failure> {
    let planned = make(handle, console, desired, &args.planning)?;
    warn_of_silence(console, silent, &planned);
    // A plan that cannot be carried out is shown, but not kept.
    let checked = check(&planned.plan, allowed, BUILDING);
    if let Some(path) = args.out.as_ref().filter(|_| checked.is_ok()) {
        save(&planned, path)?;
    }
    show(console, &planned, args.output)?;
    checked?;
    if args.exit_code && !planned.plan.is_empty() { Err(Failure::silent(Exit::Changes)) } else { Ok(()) }
}

/// Says that apply would refuse what files that say nothing lead to.
fn warn_of_silence(console: &mut Console, silent: Option<&str>, planned: &Planned) {
    if let Some(problem) = silent.and_then(|name| source::problem_of_silence(name, planned)) {
        console.warning(&format!("apply refuses this plan: {problem}"));
    }
}

/// Prints a plan.
pub fn show(console: &mut Console, planned: &Planned, format: PlanFormat) -> Result<(), Failure> {
    let Planned { plan, live } = planned;
    let text = match format {
        PlanFormat::Text => plan.text().coloured(console.is_coloured()).to_string(),
        PlanFormat::Yaml => get::as_yaml(&plan.saved(live))?,
        PlanFormat::Json => get::as_json(&plan.saved(live))?,
        PlanFormat::Ipvsadm => plan.rules().to_string(),
    };
    console.print(&text);
    Ok(())
}

/// Writes a plan where `apply` finds it: all of it, or nothing.
fn save(planned: &Planned, path: &Path) -> Result<(), Failure> {
    let text = get::as_json(&planned.plan.saved(&planned.live))?;
    file::replace(path, text.as_bytes()).map_err(|error| {
        Failure::new(Exit::Output, format!("Unable to save the plan to {}: {error}", shown(path.display())))
    })
}

/// Prints a plan as a list of items.
pub fn changeset(
    handle: &Handle,
    console: &mut Console,
    desired: &DesiredState,
    args: &args::Changeset,
    allowed: Actions,
    silent: Option<&str>,
) -> Result<(), Failure> {
    let planned = make(handle, console, desired, &args.planning)?;
    warn_of_silence(console, silent, &planned);
    let Planned { plan, .. } = planned;
    let change_set = plan.change_set();
    let text = match args.output {
        ChangesetFormat::Yaml => get::as_yaml(&change_set)?,
        ChangesetFormat::Json => get::as_json(&change_set)?,
    };
    console.print(&text);
    check(&plan, allowed, BUILDING)
}

/// Whether a plan may be carried out, and can be.
pub fn check(plan: &Plan, allowed: Actions, prefix: &str) -> Result<(), Failure> {
    if !plan.conflicts().is_empty() {
        let mut lines =
            vec![format!("{prefix}Unable to apply new config: Unable to build change set from new configuration")];
        lines.extend(plan.conflicts().iter().map(|conflict| format!("Reason: {conflict}")));
        return Err(Failure::new(Exit::Apply, lines.join("\n")));
    }
    let forbidden: Vec<_> = plan.forbidden(allowed).collect();
    let Some(first) = forbidden.first() else { return Ok(()) };
    let mut lines = vec![format!("{prefix}{}", not_allowed(first, allowed))];
    for operation in &forbidden {
        let needed = Actions::needed_by(operation) - allowed;
        lines.push(format!(
            "Reason: {} needs {needed}, which is not among the allowed actions {allowed}; nothing was changed",
            describe(operation)
        ));
    }
    Err(Failure::new(Exit::Apply, lines.join("\n")))
}

fn not_allowed(operation: &Operation, allowed: Actions) -> &'static str {
    match operation.kind() {
        OperationKind::AddService if allowed.contains(Actions::ADD_SERVICE) => "not allowed to add a destinations",
        OperationKind::AddService => "not allowed to add a service",
        OperationKind::UpdateService => "not allowed to update a service",
        OperationKind::DeleteService => "not allowed to delete a service",
        OperationKind::AddDestination => "not allowed to add a destination",
        OperationKind::UpdateDestination => "not allowed to update a destination",
        OperationKind::DeleteDestination => "not allowed to delete a destination",
        OperationKind::UpdateTimeouts => "not allowed to update time-outs",
        OperationKind::StopSync => "not allowed to stop a synchronization daemon",
        _ => "not allowed to start a synchronization daemon",
    }
}

/// What an operation does, and to what.
pub fn describe(operation: &Operation) -> String {
    let kind = operation.kind();
    match (operation.service(), operation.destination()) {
        (Some(service), Some(destination)) => format!("{kind} {destination} of {}", service_text(&service)),
        (Some(service), None) => format!("{kind} {}", service_text(&service)),
        _ => kind.to_string(),
    }
}
