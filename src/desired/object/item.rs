use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::de::{self, Deserialize, Deserializer};

use super::{Item, SettingChange, Verb};
use crate::desired::print::destination_as_is;
use crate::desired::spec::DestinationSpec;
use crate::desired::{DesiredService, Drain, Observed, globals, lower};
use crate::model::{Destination, DestinationEntry, DestinationId, ServiceId, TableService};

/// The names that files give to services and destinations of a plan.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::desired) struct Labels {
    pub(in crate::desired) names: BTreeMap<ServiceId, String>,
    /// Addresses as they were written, where that is not the canonical form.
    written: HashMap<(ServiceId, Option<DestinationId>), Box<str>>,
}

impl Labels {
    pub(in crate::desired) fn add(&mut self, desired: &DesiredService) {
        let id = desired.id();
        self.names.extend(desired.name.clone().map(|name| (id, name)));
        self.written.extend(desired.written.clone().map(|written| ((id, None), written)));
        for wanted in &desired.destinations {
            self.written.extend(wanted.written.clone().map(|written| ((id, Some(wanted.id())), written)));
        }
    }

    pub(super) fn written(&self, service: &ServiceId, destination: Option<DestinationId>) -> Option<&str> {
        self.written.get(&(*service, destination)).map(|written| &**written)
    }

    /// A destination as data, with its address as it was written.
    pub(super) fn destination_as_is(&self, service: &ServiceId, destination: &Destination) -> DestinationSpec {
        let mut whole = destination_as_is(destination);
        if let Some(written) = self.written(service, Some(destination.id)) {
            whole.address = Some(written.to_owned());
        }
        whole
    }
}

/// The observed objects, by identity.
pub(in crate::desired) struct There<'a> {
    rows: HashMap<ServiceId, &'a TableService>,
    pub(super) observed: &'a Observed,
}

impl<'a> There<'a> {
    pub(in crate::desired) fn new(observed: &'a Observed) -> Self {
        Self { rows: observed.table.services.iter().map(|row| (row.service.id(), row)).collect(), observed }
    }

    pub(super) fn row(&self, id: &ServiceId) -> Result<&'a TableService, String> {
        self.rows.get(id).copied().ok_or_else(|| "its service is not there".to_owned())
    }

    pub(super) fn destination(&self, service: &ServiceId, id: &DestinationId) -> Result<&'a DestinationEntry, String> {
        self.row(service)?.get(id).ok_or_else(|| "its destination is not there".to_owned())
    }
}

impl Item {
    pub(super) fn service_id(&self) -> Result<ServiceId, String> {
        lower::service_id(self.service.as_ref().ok_or("it has no service")?)
    }

    pub(super) fn service(&self) -> Result<DesiredService, String> {
        lower::service(self.service.as_ref().ok_or("it has no service")?)
    }

    pub(super) fn drain(&self) -> Result<Option<Drain>, String> {
        let read = |drain| lower::alone(|spot| Some(globals::drain(drain, None, spot)));
        self.drain.as_ref().map_or(Ok(None), read)
    }
}

/// The effect on an object and the reason, as a sentence.
pub(super) fn reason(verb: Verb, object: fmt::Arguments<'_>) -> String {
    match verb {
        Verb::Add => format!("Adding new {object} because it does not yet exist"),
        Verb::Update => format!("Updating existing {object} because details have changed"),
        Verb::Delete => format!("Delete existing {object} because it does not exist in updated model any more"),
    }
}

pub(super) fn ignored<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SettingChange>, D::Error> {
    de::IgnoredAny::deserialize(deserializer).map(|_| Vec::new())
}
