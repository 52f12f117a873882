use serde::de::{self, Deserialize, Deserializer};
use serde::{Deserialize as DeriveDeserialize, Serialize};

use super::{Labels, Object, Operation, OperationKind, Plan, SettingChange, Verb};
use crate::desired::print::{
    destination_as_is, drain_as_is, family_word, service_address, service_as_is, service_text, sync_as_is,
    timeouts_as_is,
};
use crate::desired::spec;
use crate::model::{Destination, ServiceId, TableService};

/// The operations of a [`Plan`] as data: what `ipvsctl changeset` prints.
///
/// Serializes as a mapping with the key `items`, or as an empty one if nothing has to be done.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ChangeSet {
    /// One for each operation, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
}

/// An operation as data.
#[derive(Clone, Debug, DeriveDeserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Item {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: OperationKind,
    /// Its effect and the reason, for people; empty in a saved plan.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The service: in whole where it is made or changed, otherwise its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<spec::Service>,
    /// The destination: in whole where it is made or changed, otherwise its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<spec::Destination>,
    /// The time-outs that change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<spec::Timeouts>,
    /// The synchronization daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<spec::Sync>,
    /// How what is deleted is drained before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<spec::Drain>,
    /// The settings that become others. For people: what is carried out follows from the rest.
    #[serde(default, deserialize_with = "ignored", skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<SettingChange>,
}

impl Plan {
    /// The operations as data.
    pub fn change_set(&self) -> ChangeSet {
        let item = |operation| Item {
            description: description(operation, &self.labels),
            // A plan that is kept has it; scripts compare the items of a change set.
            drain: None,
            ..Item::new(operation, &self.labels)
        };
        ChangeSet { items: self.operations().iter().map(item).collect() }
    }
}

impl Item {
    /// Returns an operation as data, with addresses as they were written where that is known.
    pub(super) fn new(operation: &Operation, labels: &Labels) -> Self {
        let kind = operation.kind();
        let mut item = Self {
            kind,
            description: String::new(),
            service: operation.service().map(|id| address_only(&id)),
            destination: None,
            timeouts: None,
            sync: None,
            drain: operation.drain.as_ref().map(drain_as_is),
            changes: operation.changes(),
        };
        match &operation.object {
            Object::Timeouts(change) => item.timeouts = change.after.as_ref().map(timeouts_as_is),
            Object::Service(change) => {
                if let Some(after) = &change.after {
                    item.service = Some(whole_service(after, labels));
                }
            }
            Object::Destination(service, change) => {
                item.destination = match (&change.after, &change.before) {
                    (Some(after), _) => Some(whole_destination(service, after, labels)),
                    (None, before) => before.as_ref().map(|before| spec::Destination {
                        address: Some(before.id.to_string()),
                        ..spec::Destination::default()
                    }),
                };
            }
            Object::SyncDaemon(change) => item.sync = change.latest().map(sync_as_is),
        }
        item
    }
}

fn description(operation: &Operation, labels: &Labels) -> String {
    let kind = operation.kind();
    let service = operation.service();
    let written = |verb: Verb| service.and_then(|id| labels.written(&id, None).filter(|_| verb != Verb::Delete));
    let service_text = service.map(|id| service_text(&id)).unwrap_or_default();
    let (object, why) = match (&operation.object, kind.verb()) {
        (Object::Timeouts(_), _) => return "Changing timeouts because they differ".to_owned(),
        (Object::SyncDaemon(change), verb) => {
            let role = change.latest().map(|daemon| daemon.role.to_string()).unwrap_or_default();
            return match verb {
                Verb::Delete => format!("Stopping the {role} daemon because it is not as it should be"),
                _ => format!("Starting the {role} daemon because it does not run"),
            };
        }
        (Object::Service(_), verb) => (format!("service {}", written(verb).unwrap_or(&service_text)), verb),
        (Object::Destination(service, change), verb) => {
            let id = change.latest().map(|destination| destination.id);
            let written = id.and_then(|id| labels.written(service, Some(id))).filter(|_| verb != Verb::Delete);
            let address = written.map_or_else(|| id.map(|id| id.to_string()).unwrap_or_default(), str::to_owned);
            let relation = if verb == Verb::Add { "to" } else { "in" };
            (format!("destination {address} {relation} service {service_text}"), verb)
        }
    };
    match why {
        Verb::Add => format!("Adding new {object} because it does not yet exist"),
        Verb::Update => format!("Updating existing {object} because details have changed"),
        Verb::Delete => format!("Delete existing {object} because it does not exist in updated model any more"),
    }
}

fn address_only(id: &ServiceId) -> spec::Service {
    spec::Service {
        address: Some(service_address(id)),
        family: family_word(id).map(str::to_owned),
        ..spec::Service::default()
    }
}

fn whole_service(row: &TableService, labels: &Labels) -> spec::Service {
    let id = row.service.id();
    let destinations: Vec<_> =
        row.destinations.iter().map(|entry| whole_destination(&id, &entry.destination, labels)).collect();
    let mut whole = service_as_is(&row.service.service);
    if let Some(written) = labels.written(&id, None) {
        whole.address = Some(written.to_owned());
    }
    whole.destinations = (!destinations.is_empty()).then_some(destinations);
    whole
}

fn whole_destination(service: &ServiceId, settings: &Destination, labels: &Labels) -> spec::Destination {
    let mut whole = destination_as_is(settings);
    if let Some(written) = labels.written(service, Some(settings.id)) {
        whole.address = Some(written.to_owned());
    }
    whole
}

fn ignored<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SettingChange>, D::Error> {
    de::IgnoredAny::deserialize(deserializer).map(|_| Vec::new())
}

impl Serialize for OperationKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for OperationKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| de::Error::custom(format_args!("\"{}\" is not an operation", name.escape_debug())))
    }
}
