use super::item::reason;
use super::{Change, Facts, Item, Labels, Object, Operation, OperationKind, Question, State, Subject, There, Verb};
use crate::desired::oddity::{Oddity, oddities_of_service};
use crate::desired::print::{service_as_is, service_text};
use crate::desired::settings::{SERVICE, SettingChange};
use crate::desired::spec::DurationSpec;
use crate::desired::{DesiredService, ServiceAttributes};
use crate::handle::Batch;
use crate::model::{DestinationEntry, InvalidValue, Service, ServiceId};

/// Returns the destinations that a service should have, as they are added.
pub(in crate::desired) fn created(desired: &DesiredService) -> Vec<DestinationEntry> {
    desired.destinations.iter().map(|wanted| DestinationEntry::new(wanted.created())).collect()
}

pub(super) fn of_item(item: &Item, live: &There<'_>) -> Result<Operation, String> {
    if item.kind.verb() == Verb::Delete {
        let row = live.row(&item.service_id()?)?;
        return Ok(Operation::of_service(Change::delete(row.service.service.clone()), row.destinations.clone()));
    }
    let desired = item.service()?;
    let change = match item.kind.verb() {
        Verb::Update => {
            let before = live.row(&desired.id())?.service.service.clone();
            let wanted = SERVICE.with_settings(&before, &desired.service, desired.left_alone);
            Change::update(before, wanted)
        }
        Verb::Add | Verb::Delete => Change::add(desired.service.clone()),
    };
    Ok(Operation::of_service(change, created(&desired)))
}

pub(super) fn add_to<'h, H>(change: &Change<Service>, batch: Batch<'h, H>) -> Batch<'h, H> {
    match (&change.before, &change.after) {
        (None, Some(after)) => batch.new_service(after),
        (Some(_), Some(after)) => batch.update_service(after),
        (Some(before), None) => batch.delete_service(&before.id),
        (None, None) => batch,
    }
}

impl Subject for Change<Service> {
    fn kind(&self) -> OperationKind {
        self.verb().of([OperationKind::AddService, OperationKind::UpdateService, OperationKind::DeleteService])
    }

    fn service(&self) -> Option<ServiceId> {
        self.latest().map(|service| service.id)
    }

    fn changes(&self) -> Vec<SettingChange> {
        let sides = self.before.as_ref().zip(self.after.as_ref());
        sides.map(|(before, after)| SERVICE.changes(before, after)).unwrap_or_default()
    }

    fn name(&self) -> String {
        self.latest().map(|service| service.id.to_string()).unwrap_or_default()
    }

    fn action(&self) -> String {
        let (name, full) = (self.name(), self.after.as_ref().map(|after| after.full_rule().to_string()));
        let full = full.unwrap_or_default();
        match self.verb() {
            Verb::Add => format!("add service {name} (ipvsadm {full})"),
            Verb::Update => format!("change service {name} (ipvsadm {})", full.replacen("-A", "-E", 1)),
            Verb::Delete => format!("delete service {name}"),
        }
    }

    fn rule(&self) -> String {
        let id = self.latest().map(|service| service.id.selector().to_string()).unwrap_or_default();
        let added = self.after.as_ref().map(|after| plain(after).full_rule().to_string()).unwrap_or_default();
        match self.verb() {
            Verb::Add => added,
            Verb::Update => added.replacen("-A", "-E", 1),
            Verb::Delete => format!("-D {id}"),
        }
    }

    fn line(&self, operation: &Operation) -> (String, String) {
        let name = self.service().map(|id| service_text(&id)).unwrap_or_default();
        let remark = match (&self.before, &self.after) {
            (None, Some(after)) => SERVICE.remark(after),
            (Some(_), None) => {
                let count = operation.destinations.len();
                let noun = if count == 1 { "destination" } else { "destinations" };
                let drain = operation.drain.filter(|_| count > 0);
                let drain = drain.map(|drain| format!("; drain {}", DurationSpec::from(drain.timeout)));
                format!("({count} {noun}{})", drain.unwrap_or_default())
            }
            _ => String::new(),
        };
        (format!("service {name}"), remark)
    }

    fn description(&self, labels: &Labels) -> String {
        let id = self.service();
        let written = id.and_then(|id| labels.written(&id, None)).filter(|_| self.after.is_some());
        let name = written.map(str::to_owned).or_else(|| id.map(|id| service_text(&id)));
        reason(self.verb(), format_args!("service {}", name.unwrap_or_default()))
    }

    fn fill(&self, item: &mut Item, operation: &Operation, labels: &Labels) {
        let Some(after) = &self.after else { return };
        let written = |entry: &DestinationEntry| labels.destination_as_is(&after.id, &entry.destination);
        let destinations: Vec<_> = operation.destinations.iter().map(written).collect();
        let mut whole = service_as_is(after);
        if let Some(written) = labels.written(&after.id, None) {
            whole.address = Some(written.to_owned());
        }
        whole.destinations = (!destinations.is_empty()).then_some(destinations);
        item.service = Some(whole);
    }

    fn oddities(&self) -> Vec<Oddity> {
        self.anew(oddities_of_service)
    }

    fn validate(&self) -> Result<(), InvalidValue> {
        self.after.as_ref().map_or(Ok(()), Service::validate)
    }

    fn question(&self, facts: &Facts) -> Option<Question> {
        facts.question_of_service(self.service()?)
    }

    fn state(&self, facts: &Facts, left_alone: ServiceAttributes) -> State {
        let Some(service) = self.latest() else { return State::Unknown };
        let is_wanted = |live: &Service, after: &Service| SERVICE.with_settings(live, after, left_alone) == *live;
        State::of(facts.service(&service.id), self.after.as_ref(), is_wanted)
    }

    fn plan_again(&self, facts: &Facts, left_alone: ServiceAttributes) -> Option<Object> {
        let after = self.after.as_ref()?;
        let change = match facts.service(&after.id).ok()? {
            None => Change::add(after.clone()),
            Some(live) => Change::update(live.clone(), SERVICE.with_settings(live, after, left_alone)),
        };
        Some(Object::Service(Box::new(change)))
    }
}

/// A service without the settings that the kernel stores and does not use.
fn plain(service: &Service) -> Service {
    let plain = Service::new(service.id, service.scheduler)
        .scheduler_flags(service.scheduler_flags)
        .one_packet(service.one_packet);
    service.persistence.into_iter().fold(plain, Service::persistence)
}
