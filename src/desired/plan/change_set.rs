use serde::Serialize;

use super::{Operation, Plan, SettingChange};
use crate::desired::print::{
    destination_as_is, family_word, service_address, service_as_is, service_text, sync_as_is, timeouts_as_is,
};
use crate::desired::{DesiredDestination, DesiredService, spec};
use crate::model::{Destination, Service, ServiceId};

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
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Item {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it does and why, for people.
    pub description: String,
    /// The service: in whole where it is made or changed, otherwise its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<spec::Service>,
    /// The destination: in whole where it is made or changed, otherwise its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<spec::Destination>,
    /// The time-outs that change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<spec::Timeouts>,
    /// The synchronization daemon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync: Option<spec::Sync>,
    /// The settings that become others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<SettingChange>,
}

impl Plan {
    /// The operations as data.
    pub fn change_set(&self) -> ChangeSet {
        ChangeSet { items: self.operations().iter().map(item).collect() }
    }
}

fn item(operation: &Operation) -> Item {
    let item = Item { kind: operation.kind().name(), changes: operation.changes(), ..Item::default() };
    match operation {
        Operation::UpdateTimeouts { wanted, .. } => Item {
            description: "Changing timeouts because they differ".to_owned(),
            timeouts: Some(timeouts_as_is(wanted)),
            ..item
        },
        Operation::AddService { service } => {
            let whole = whole_service(&service.service, service);
            let description = format!("Adding new service {} because it does not yet exist", text_of_service(service));
            Item { description, service: Some(whole), ..item }
        }
        Operation::UpdateService { wanted, desired, .. } => {
            let whole = whole_service(wanted, desired);
            let description =
                format!("Updating existing service {} because details have changed", text_of_service(desired));
            Item { description, service: Some(whole), ..item }
        }
        Operation::DeleteService { live, .. } => {
            let id = live.service.id();
            let service = service_text(&id);
            let description =
                format!("Delete existing service {service} because it does not exist in updated model any more");
            Item { description, service: Some(address_only(&id)), ..item }
        }
        Operation::AddDestination { service: id, destination } => {
            let whole = whole_destination(&destination.created(), destination.written.as_deref());
            let service = service_text(id);
            let address = text_of_destination(destination);
            let description =
                format!("Adding new destination {address} to service {service} because it does not yet exist");
            Item { description, service: Some(address_only(id)), destination: Some(whole), ..item }
        }
        Operation::UpdateDestination { service: id, wanted, written, .. } => {
            let whole = whole_destination(wanted, written.as_deref());
            let service = service_text(id);
            let address = written.as_deref().map_or_else(|| wanted.id.to_string(), str::to_owned);
            let description =
                format!("Updating existing destination {address} in service {service} because details have changed");
            Item { description, service: Some(address_only(id)), destination: Some(whole), ..item }
        }
        Operation::DeleteDestination { service: id, live, .. } => {
            let service = service_text(id);
            let address = live.id().to_string();
            let description = format!(
                "Delete existing destination {address} in service {service} because it does not exist in updated model \
                 any more"
            );
            let destination = spec::Destination { address: Some(address), ..spec::Destination::default() };
            Item { description, service: Some(address_only(id)), destination: Some(destination), ..item }
        }
        Operation::StopSync { live } => Item {
            description: format!("Stopping the {} daemon because it is not as it should be", live.role),
            sync: Some(sync_as_is(live)),
            ..item
        },
        Operation::StartSync { wanted } => Item {
            description: format!("Starting the {} daemon because it does not run", wanted.role),
            sync: Some(sync_as_is(wanted)),
            ..item
        },
    }
}

fn text_of_service(desired: &DesiredService) -> String {
    desired.written.as_deref().map_or_else(|| service_text(&desired.id()), str::to_owned)
}

fn text_of_destination(desired: &DesiredDestination) -> String {
    desired.written.as_deref().map_or_else(|| desired.id().to_string(), str::to_owned)
}

fn address_only(id: &ServiceId) -> spec::Service {
    spec::Service {
        address: Some(service_address(id)),
        family: family_word(id).map(str::to_owned),
        ..spec::Service::default()
    }
}

fn whole_service(settings: &Service, desired: &DesiredService) -> spec::Service {
    let destinations: Vec<_> = desired
        .destinations
        .iter()
        .map(|destination| whole_destination(&destination.created(), destination.written.as_deref()))
        .collect();
    let mut whole = service_as_is(settings);
    if let Some(written) = &desired.written {
        whole.address = Some(written.to_string());
    }
    whole.destinations = (!destinations.is_empty()).then_some(destinations);
    whole
}

fn whole_destination(settings: &Destination, written: Option<&str>) -> spec::Destination {
    let mut whole = destination_as_is(settings);
    if let Some(written) = written {
        whole.address = Some(written.to_owned());
    }
    whole
}
