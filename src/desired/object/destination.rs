use super::item::reason;
use super::{
    Change, DestinationChange, Facts, Item, Labels, Object, Operation, OperationKind, Question, State, Subject, There,
    Verb,
};
use crate::desired::oddity::{Oddity, oddities_of_destination};
use crate::desired::print::service_text;
use crate::desired::settings::{DESTINATION, SettingChange, wanted_destination};
use crate::desired::spec::{DestinationSpec, DurationSpec};
use crate::desired::{ConnectionCounts, ServiceAttributes, lower};
use crate::handle::Batch;
use crate::model::{DestinationId, ServiceId};

pub(super) fn of_item(item: &Item, live: &There<'_>) -> Result<Operation, String> {
    let service = item.service_id()?;
    let spec = item.destination.as_ref().ok_or("it has no destination")?;
    if item.kind.verb() == Verb::Delete {
        let entry = live.destination(&service, &lower::destination_id(spec)?)?;
        let operation = Operation::of_destination(service, Change::delete(entry.destination.clone()));
        return Ok(Operation { connections: ConnectionCounts::of(entry), ..operation });
    }
    let desired = lower::destination(service, spec)?;
    Ok(Operation::of_destination(
        service,
        match item.kind.verb() {
            Verb::Update => {
                let before = live.destination(&service, &desired.id())?.destination.clone();
                let wanted = wanted_destination(&before, &desired, false);
                Change::update(before, wanted)
            }
            Verb::Add | Verb::Delete => Change::add(desired.created()),
        },
    ))
}

pub(super) fn add_to<'h, H>(of: &DestinationChange, batch: Batch<'h, H>) -> Batch<'h, H> {
    match (&of.change.before, &of.change.after) {
        (None, Some(after)) => batch.new_destination(&of.service, after),
        (Some(_), Some(after)) => batch.update_destination(&of.service, after),
        (Some(before), None) => batch.delete_destination(&of.service, &before.id),
        (None, None) => batch,
    }
}

impl Subject for DestinationChange {
    fn kind(&self) -> OperationKind {
        let (add, update) = (OperationKind::AddDestination, OperationKind::UpdateDestination);
        self.change.verb().of([add, update, OperationKind::DeleteDestination])
    }

    fn service(&self) -> Option<ServiceId> {
        Some(self.service)
    }

    fn destination(&self) -> Option<DestinationId> {
        self.change.latest().map(|destination| destination.id)
    }

    fn changes(&self) -> Vec<SettingChange> {
        let sides = self.change.before.as_ref().zip(self.change.after.as_ref());
        sides.map(|(before, after)| DESTINATION.changes(before, after)).unwrap_or_default()
    }

    fn name(&self) -> String {
        format!("{} of {}", self.id(), self.service)
    }

    fn action(&self) -> String {
        let (id, rule) = (self.id(), self.rule());
        match self.change.verb() {
            Verb::Add => format!("add destination {id} (ipvsadm {rule})"),
            Verb::Update => format!("change destination {id} (ipvsadm {rule})"),
            Verb::Delete => format!("delete destination {}", self.name()),
        }
    }

    fn rule(&self) -> String {
        let added = self.change.after.as_ref().map(|after| after.full_rule(&self.service).to_string());
        let added = added.unwrap_or_default();
        match self.change.verb() {
            Verb::Add => added,
            Verb::Update => added.replacen("-a", "-e", 1),
            Verb::Delete => format!("-d {} -r {}", self.service.selector(), self.id()),
        }
    }

    fn line(&self, operation: &Operation) -> (String, String) {
        let remark = match (&self.change.before, &self.change.after) {
            (None, Some(after)) => DESTINATION.remark(after),
            (Some(_), None) => {
                let ConnectionCounts { active, inactive, .. } = operation.connections;
                let drain = operation.drain.map(|drain| format!("; drain {}", DurationSpec::from(drain.timeout)));
                format!("{active} active, {inactive} inactive connections{}", drain.unwrap_or_default())
            }
            _ => String::new(),
        };
        (format!("destination {}", self.id()), remark)
    }

    fn description(&self, labels: &Labels) -> String {
        let written = self.change.after.as_ref().and_then(|after| labels.written(&self.service, Some(after.id)));
        let id = written.map_or_else(|| self.id(), str::to_owned);
        let relation = if self.change.verb() == Verb::Add { "to" } else { "in" };
        let service = service_text(&self.service);
        reason(self.change.verb(), format_args!("destination {id} {relation} service {service}"))
    }

    fn fill(&self, item: &mut Item, _: &Operation, labels: &Labels) {
        item.destination = Some(match &self.change.after {
            Some(after) => labels.destination_as_is(&self.service, after),
            None => DestinationSpec { address: Some(self.id()), ..DestinationSpec::default() },
        });
    }

    fn oddities(&self) -> Vec<Oddity> {
        self.change.anew(|destination| oddities_of_destination(&self.service, destination))
    }

    fn question(&self, facts: &Facts) -> Option<Question> {
        facts.question_of_destination(self.service, &self.destination()?)
    }

    fn state(&self, facts: &Facts, _: ServiceAttributes) -> State {
        let Some(id) = self.destination() else { return State::Unknown };
        let live = facts.destination(&self.service, &id);
        State::of(live, self.change.after.as_ref(), |live, after| live.destination == *after)
    }

    fn plan_again(&self, facts: &Facts, _: ServiceAttributes) -> Option<Object> {
        let after = self.change.after.clone()?;
        if facts.service(&self.service) == Ok(None) {
            return None;
        }
        let change = match facts.destination(&self.service, &after.id).ok()? {
            None => Change::add(after),
            Some(live) => Change::update(live.destination.clone(), after),
        };
        Some(Object::Destination(Self { change, ..*self }))
    }
}

impl DestinationChange {
    fn id(&self) -> String {
        self.destination().map(|id| id.to_string()).unwrap_or_default()
    }
}
