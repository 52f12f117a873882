use std::fmt::{self, Write as _};

use super::{Operation, Plan, SettingChange};
use crate::desired::print::service_text;
use crate::model::ServiceId;

/// A [`Plan`] for people: the objects that are made, changed and deleted, service by service.
///
/// Each line begins with a sign, so that the meaning never depends on color alone: `+` is made, `~` is changed, `-` is
/// deleted, `!` is a remark.
#[derive(Clone, Copy, Debug)]
pub struct PlanText<'a> {
    plan: &'a Plan,
    is_colored: bool,
}

impl Plan {
    /// The plan for people.
    pub const fn text(&self) -> PlanText<'_> {
        PlanText { plan: self, is_colored: false }
    }
}

impl PlanText<'_> {
    /// Sets whether lines have the colors of a terminal: green, yellow, red.
    #[must_use]
    pub const fn colored(mut self, is_colored: bool) -> Self {
        self.is_colored = is_colored;
        self
    }

    fn line(&self, f: &mut fmt::Formatter<'_>, indent: usize, sign: char, head: &str, remark: &str) -> fmt::Result {
        let mut text = format!("{:indent$}{sign} {head}", "");
        if !remark.is_empty() {
            let gap = REMARK.saturating_sub(text.chars().count()).max(2);
            let _ = write!(text, "{:gap$}{remark}", "");
        }
        self.colored_line(f, sign, &text)
    }

    fn colored_line(&self, f: &mut fmt::Formatter<'_>, sign: char, text: &str) -> fmt::Result {
        let color = match sign {
            '+' => "32",
            '-' => "31",
            '~' | '!' => "33",
            _ => "",
        };
        if self.is_colored && !color.is_empty() {
            writeln!(f, "\u{1b}[{color}m{text}\u{1b}[0m")
        } else {
            writeln!(f, "{text}")
        }
    }

    /// A line about an operation, and one for each setting that changes.
    fn operation(&self, f: &mut fmt::Formatter<'_>, indent: usize, operation: &Operation, name: &str) -> fmt::Result {
        let (head, remark) = operation.object.subject().line(operation);
        self.line(f, indent, operation.kind().sign(), &format!("{head}{name}"), &remark)?;
        for SettingChange { field, from, to } in operation.changes() {
            let (indent, width) = (indent + 4, FIELD.saturating_sub(indent + 4));
            self.colored_line(f, '~', &format!("{:indent$}{field:width$}{from} -> {to}", ""))?;
        }
        for object in operation.additions() {
            let addition = Operation::new(object);
            self.operation(f, indent + 2, &addition, "")?;
        }
        Ok(())
    }

    fn service(&self, f: &mut fmt::Formatter<'_>, id: ServiceId, operations: &[&Operation]) -> fmt::Result {
        let name = self.plan.name(&id).map_or_else(String::new, |name| format!(" ({name})"));
        let (own, of_destinations): (Vec<&Operation>, Vec<&Operation>) =
            operations.iter().copied().partition(|operation| operation.destination().is_none());
        match own.first() {
            Some(operation) => self.operation(f, 0, operation, &name)?,
            None => self.line(f, 0, '~', &format!("service {}{name}", service_text(&id)), "")?,
        }
        of_destinations.into_iter().try_for_each(|operation| self.operation(f, 2, operation, ""))
    }
}

impl fmt::Display for PlanText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.plan;
        for operation in plan.operations().iter().filter(|operation| operation.service().is_none()) {
            self.operation(f, 0, operation, "")?;
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
            self.colored_line(f, '!', &format!("! {} live {noun} outside scope left alone", plan.outside()))?;
        }
        for conflict in plan.conflicts() {
            self.colored_line(f, '!', &format!("! {conflict}"))?;
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

/// The column in which remarks begin, if the text before is not longer.
const REMARK: usize = 35;
/// The column in which the values of settings begin.
const FIELD: usize = 18;
