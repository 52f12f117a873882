//! `plan`, `changeset`: show what apply would change.

use std::path::Path;

use ipvs_rs::desired::plan::{Actions, Draining, Operation, OperationKind, Plan, PlanOptions};
use ipvs_rs::desired::{DesiredState, Drain, Observed, service_text};

use crate::args::{self, Format, Planning};
use crate::console::Console;
use crate::document;
use crate::escape::escaped;
use crate::failure::{Exit, Failure, failure};
use crate::file;
use crate::session::Session;

/// The beginning of failures to change the table.
pub const APPLYING: &str = "Error applying updates: ";
/// The same for failures to show the changes.
const BUILDING: &str = "Error building/applying changeset: ";

/// A plan and the observed state that it was made for.
pub struct Planned {
    pub plan: Plan,
    pub live: Observed,
}

/// The desired state of the table, and the changes that a plan may make for it.
pub struct Task<'a> {
    pub state: &'a DesiredState,
    pub planning: &'a Planning,
    pub allowed: Actions,
    /// The names of the files if they do not mention services.
    pub silent: Option<String>,
}

/// Reads the list of changes that may be made.
pub fn allowed(planning: &Planning) -> Result<Actions, Failure> {
    planning.allowed_actions.parse().map_err(|error| {
        failure!(
            Value,
            "unable to process allowed actions: {error}\nexpected * or some of as, us, ds, ad, ud, dd, ut, ay, dy with commas \
             and without blanks"
        )
    })
}

/// How a plan is made.
fn options(planning: &Planning) -> PlanOptions {
    let draining = match planning.drain {
        _ if planning.no_drain => Draining::Never,
        Some(timeout) => Draining::Always(Drain::new(timeout.get())),
        None => Draining::AsDesired,
    };
    PlanOptions::new().keep_weights(planning.keep_weights).prune(planning.prune).draining(draining)
}

impl Task<'_> {
    /// Compares the table with the desired state.
    pub fn plan(&self, session: &mut Session<'_>) -> Result<Planned, Failure> {
        let live = Observed::read(&session.handle, self.state).map_err(|error| Failure::query("services", &error))?;
        let plan = ipvs_rs::desired::plan::plan(&live, self.state, &options(self.planning));
        session.console.debug(|| {
            let (services, destinations) = (live.table.len(), live.table.destination_count());
            format!(
                "The table has {services} services with {destinations} destinations; {} operations are planned",
                plan.len()
            )
        });
        for operation in plan.operations() {
            session.console.debug(|| format!("Planned: {}", describe(operation)));
        }
        Ok(Planned { plan, live })
    }

    /// The same for a command that only shows it, with a warning that apply would refuse a plan from files without
    /// services.
    fn plan_to_show(&self, session: &mut Session<'_>) -> Result<Planned, Failure> {
        let planned = self.plan(session)?;
        if let Some(problem) = self.problem_of_silence(&planned) {
            session.console.warning(&format!("apply refuses this plan: {problem}"));
        }
        Ok(planned)
    }

    /// Returns the reason to refuse a plan that deletes services because the files do not mention them.
    pub fn problem_of_silence(&self, Planned { plan, live }: &Planned) -> Option<String> {
        let (name, services) = (self.silent.as_deref()?, live.table.len());
        (services > 0 && plan.summary().delete > 0).then(|| {
            format!(
                "{name} says nothing of services, and the table has {services}: write {{}} or services: [] to delete them \
                 all, or add --allow-empty"
            )
        })
    }
}

/// Shows a plan.
pub fn plan(session: &mut Session<'_>, task: &Task<'_>, args: &args::Plan) -> Result<(), Failure> {
    let planned = task.plan_to_show(session)?;
    // A plan that cannot be carried out is shown, but not saved.
    let checked = check(&planned.plan, task.allowed, BUILDING);
    if let Some(path) = args.out.as_ref().filter(|_| checked.is_ok()) {
        save(&planned, path)?;
    }
    show(session.console, &planned, args.output)?;
    checked?;
    if args.exit_code && !planned.plan.is_empty() { Err(Failure::silent(Exit::Changes)) } else { Ok(()) }
}

/// Prints a plan.
pub fn show(console: &mut Console, Planned { plan, live }: &Planned, format: Format) -> Result<(), Failure> {
    let text = match format {
        Format::Text => plan.text().colored(console.is_colored).to_string(),
        Format::Ipvsadm => plan.rules().to_string(),
        format => document::text(format, &plan.saved(live))?,
    };
    console.print(&text);
    Ok(())
}

/// Writes a plan to a file for `apply`: all of it, or nothing.
fn save(Planned { plan, live }: &Planned, path: &Path) -> Result<(), Failure> {
    let text = document::text(Format::Json, &plan.saved(live))?;
    file::replace(path, text.as_bytes())
        .map_err(|error| failure!(Output, "Unable to save the plan to {}: {error}", escaped(path.display())))
}

/// Prints a plan as a list of items.
pub fn changeset(session: &mut Session<'_>, task: &Task<'_>, format: Format) -> Result<(), Failure> {
    let plan = task.plan_to_show(session)?.plan;
    session.console.print(&document::text(format, &plan.change_set())?);
    check(&plan, task.allowed, BUILDING)
}

/// Checks that a plan is allowed and free of conflicts.
pub fn check(plan: &Plan, allowed: Actions, prefix: &str) -> Result<(), Failure> {
    let mut lines = Vec::new();
    if !plan.conflicts().is_empty() {
        lines.push(format!("{prefix}Unable to apply new config: Unable to build change set from new configuration"));
        lines.extend(plan.conflicts().iter().map(|conflict| format!("Reason: {conflict}")));
    } else if let Some(first) = plan.forbidden(allowed).next() {
        let what = match first.kind() {
            OperationKind::AddService if allowed.contains(Actions::ADD_SERVICE) => "add a destinations".to_owned(),
            kind => in_words(kind),
        };
        lines.push(format!("{prefix}not allowed to {what}"));
        lines.extend(plan.forbidden(allowed).map(|operation| {
            let needed = Actions::needed_by(operation) - allowed;
            format!(
                "Reason: {} needs {needed}, which is not among the allowed actions {allowed}; nothing was changed",
                describe(operation)
            )
        }));
    }
    if lines.is_empty() { Ok(()) } else { Err(Failure::of_lines(Exit::Apply, lines)) }
}

/// The kind of an operation in words.
pub fn in_words(kind: OperationKind) -> String {
    match kind {
        OperationKind::UpdateTimeouts => "update timeouts".to_owned(),
        OperationKind::StopSync => "stop a synchronization daemon".to_owned(),
        OperationKind::StartSync => "start a synchronization daemon".to_owned(),
        kind => kind.name().replace('-', " a "),
    }
}

/// The kind of an operation and its object.
pub fn describe(operation: &Operation) -> String {
    let kind = operation.kind();
    match (operation.service(), operation.destination()) {
        (Some(service), Some(destination)) => format!("{kind} {destination} of {}", service_text(&service)),
        (Some(service), None) => format!("{kind} {}", service_text(&service)),
        _ => kind.to_string(),
    }
}
