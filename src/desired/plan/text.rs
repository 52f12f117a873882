use std::fmt::{self, Write as _};

use super::{Change, Object, Operation, Plan, SettingChange};
use crate::desired::print::service_text;
use crate::desired::settings::{remark_of_destination, remark_of_service};
use crate::desired::{Connections, Drain, spec};
use crate::model::{Destination, ServiceId, SyncDaemon, TableService};

/// A [`Plan`] for people: what is made, changed and deleted, service by service.
///
/// Each line begins with a sign, so that colour is never the only one: `+` is made, `~` is changed, `-` is deleted,
/// `!` is worth knowing.
#[derive(Clone, Copy, Debug)]
pub struct PlanText<'a> {
    plan: &'a Plan,
    is_coloured: bool,
}

impl Plan {
    /// The plan for people.
    pub const fn text(&self) -> PlanText<'_> {
        PlanText { plan: self, is_coloured: false }
    }
}

impl PlanText<'_> {
    /// Sets whether lines have the colours of a terminal: green, yellow, red.
    #[must_use]
    pub const fn coloured(mut self, is_coloured: bool) -> Self {
        self.is_coloured = is_coloured;
        self
    }

    fn line(&self, f: &mut fmt::Formatter<'_>, indent: usize, sign: char, line: &Line) -> fmt::Result {
        let Line { head, remark } = line;
        let mut text = format!("{:indent$}{sign} {head}", "");
        if !remark.is_empty() {
            let gap = REMARK.saturating_sub(text.chars().count()).max(2);
            let _ = write!(text, "{:gap$}{remark}", "");
        }
        self.coloured_line(f, sign, &text)
    }

    fn coloured_line(&self, f: &mut fmt::Formatter<'_>, sign: char, text: &str) -> fmt::Result {
        let colour = match sign {
            '+' => "32",
            '-' => "31",
            '~' | '!' => "33",
            _ => "",
        };
        if self.is_coloured && !colour.is_empty() {
            writeln!(f, "\u{1b}[{colour}m{text}\u{1b}[0m")
        } else {
            writeln!(f, "{text}")
        }
    }

    fn changes(&self, f: &mut fmt::Formatter<'_>, indent: usize, changes: &[SettingChange]) -> fmt::Result {
        for SettingChange { field, from, to } in changes {
            let width = FIELD.saturating_sub(indent);
            self.coloured_line(f, '~', &format!("{:indent$}{field:width$}{from} -> {to}", ""))?;
        }
        Ok(())
    }

    fn service(&self, f: &mut fmt::Formatter<'_>, id: ServiceId, operations: &[&Operation]) -> fmt::Result {
        let name = self.plan.name(&id).map_or_else(String::new, |name| format!(" ({name})"));
        let head = format!("service {}{name}", service_text(&id));
        let whole = operations.iter().find_map(|operation| match &operation.object {
            Object::Service(change) => Some((*operation, change.as_ref())),
            _ => None,
        });
        match whole {
            Some((_, Change { before: None, after: Some(row) })) => {
                self.line(f, 0, '+', &Line::new(head, remark_of_service(&row.service.service)))?;
                for entry in &row.destinations {
                    self.line(f, 2, '+', &new_destination(&entry.destination))?;
                }
            }
            Some((operation, Change { before: Some(row), after: None })) => {
                self.line(f, 0, '-', &Line::new(head, deleted_service(row, operation.drain)))?;
            }
            other => {
                self.line(f, 0, '~', &Line::new(head, String::new()))?;
                if let Some((operation, _)) = other {
                    self.changes(f, 4, &operation.changes())?;
                }
            }
        }
        for operation in operations {
            let Object::Destination(_, change) = &operation.object else { continue };
            match (&change.before, &change.after) {
                (None, Some(after)) => self.line(f, 2, '+', &new_destination(after))?,
                (Some(before), Some(_)) => {
                    self.line(f, 2, '~', &Line::new(format!("destination {}", before.id), String::new()))?;
                    self.changes(f, 6, &operation.changes())?;
                }
                (Some(before), None) => {
                    let head = format!("destination {}", before.id);
                    self.line(f, 2, '-', &Line::new(head, deleted_destination(operation)))?;
                }
                (None, None) => {}
            }
        }
        Ok(())
    }
}

impl fmt::Display for PlanText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.plan;
        for operation in plan.operations() {
            match &operation.object {
                Object::Timeouts(_) => {
                    self.line(f, 0, '~', &Line::new("timeouts".to_owned(), String::new()))?;
                    self.changes(f, 4, &operation.changes())?;
                }
                Object::SyncDaemon(change) => {
                    change
                        .latest()
                        .into_iter()
                        .try_for_each(|it| self.line(f, 0, operation.kind().sign(), &sync(it)))?;
                }
                _ => {}
            }
        }
        let mut by_service: Vec<(ServiceId, Vec<&Operation>)> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for operation in plan.operations() {
            let Some(id) = operation.service() else { continue };
            let place = *places.entry(id).or_insert(by_service.len());
            match by_service.get_mut(place) {
                Some((_, operations)) => operations.push(operation),
                None => by_service.push((id, vec![operation])),
            }
        }
        for (id, operations) in &by_service {
            self.service(f, *id, operations)?;
        }
        if plan.outside() > 0 {
            let noun = if plan.outside() == 1 { "service" } else { "services" };
            self.coloured_line(f, '!', &format!("! {} live {noun} outside scope left alone", plan.outside()))?;
        }
        for conflict in plan.conflicts() {
            self.coloured_line(f, '!', &format!("! {conflict}"))?;
        }
        if plan.is_empty() {
            return f.write_str("No changes: the table is as it should be.");
        }
        let summary = plan.summary();
        write!(f, "Plan: {} to add, {} to change, {} to delete.", summary.add, summary.change, summary.delete)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

/// Where remarks begin, if what stands before is not longer.
const REMARK: usize = 35;
/// Where the values of settings begin.
const FIELD: usize = 18;

#[derive(Debug)]
struct Line {
    head: String,
    remark: String,
}

impl Line {
    const fn new(head: String, remark: String) -> Self {
        Self { head, remark }
    }
}

fn new_destination(destination: &Destination) -> Line {
    Line::new(format!("destination {}", destination.id), remark_of_destination(destination))
}

fn deleted_destination(operation: &Operation) -> String {
    let Connections { active, inactive, .. } = operation.connections;
    let mut text = format!("{active} active, {inactive} inactive connections");
    if let Some(drain) = operation.drain {
        let _ = write!(text, "; drain {}", spec::Duration::from(drain.timeout));
    }
    text
}

fn deleted_service(live: &TableService, drain: Option<Drain>) -> String {
    let count = live.destinations.len();
    let noun = if count == 1 { "destination" } else { "destinations" };
    let drain = match drain {
        Some(drain) if count > 0 => format!("; drain {}", spec::Duration::from(drain.timeout)),
        _ => String::new(),
    };
    format!("({count} {noun}{drain})")
}

fn sync(daemon: &SyncDaemon) -> Line {
    Line::new(format!("sync {}", daemon.role), format!("interface {}, id {}", daemon.interface, daemon.sync_id))
}
