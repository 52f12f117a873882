use std::collections::HashMap;

use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::service::{wanted_destination, wanted_service};
use super::{Operation, OperationKind, Plan, SettingChange, Summary};
use crate::desired::print::{
    destination_as_is, drain_as_is, family_word, scope_as_is, service_address, service_as_is, sync_as_is,
    timeouts_as_is,
};
use crate::desired::{DesiredDestination, DesiredService, DesiredState, Diagnostics, Live, spec};
use crate::model::{Config, ServiceId, TableService};

/// A [`Plan`] that can be written to a file and carried out later, if the table is still the same.
///
/// It serializes as JSON with the keys `format`, `fingerprint`, `summary` and `operations`.
///
/// # Example
///
/// ```
/// use ipvs_rs::desired::plan::SavedPlan;
/// use ipvs_rs::desired::{DesiredService, DesiredState, Live, PlanOptions, plan};
/// use ipvs_rs::{Scheduler, Service};
///
/// let live = Live::default();
/// let web = DesiredService::new(Service::new("tcp://192.0.2.10:80".parse()?, Scheduler::Wlc));
/// let plan = plan(&live, &DesiredState::new().service(web), &PlanOptions::new());
///
/// let saved: SavedPlan = serde_json::from_str(&serde_json::to_string(&plan.saved(&live))?)?;
/// assert_eq!(saved.plan(&live)?, plan);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    format: u32,
    fingerprint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<spec::Scope>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    timeouts: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sync: bool,
    #[serde(default, skip_serializing_if = "is_zero")]
    outside: usize,
    summary: Summary,
    operations: Vec<SavedOperation>,
}

/// Why a saved plan is not carried out.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SavedPlanError {
    /// It was written by another version of the library.
    #[error("the plan has format {format}, this program knows format {known}", known = SavedPlan::FORMAT)]
    #[non_exhaustive]
    Format {
        /// The format that it has.
        format: u32,
    },
    /// The table is another one by now.
    #[error("the table has changed since the plan was made: make a new plan")]
    #[non_exhaustive]
    Stale {
        /// The fingerprint of the table that the plan was made for.
        planned: String,
        /// That of the table that is there.
        found: String,
    },
    /// An operation is not one that a plan has.
    #[error("operation {number} of the plan ({kind}) is broken: {reason}")]
    #[non_exhaustive]
    Broken {
        /// Its number, counted from 1.
        number: usize,
        /// Its kind.
        kind: OperationKind,
        /// What is wrong with it.
        reason: String,
    },
}

#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct SavedOperation {
    #[serde(rename = "type")]
    kind: OperationKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<spec::Service>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    destination: Option<spec::Destination>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeouts: Option<spec::Timeouts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sync: Option<spec::Sync>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    drain: Option<spec::Drain>,
    /// For people: what is carried out follows from the rest.
    #[serde(default, deserialize_with = "ignored", skip_serializing_if = "Vec::is_empty")]
    changes: Vec<SettingChange>,
}

impl Plan {
    /// The plan for a file, together with what tells the table that it was made for.
    pub fn saved(&self, live: &Live) -> SavedPlan {
        SavedPlan {
            format: SavedPlan::FORMAT,
            fingerprint: live.fingerprint(self.scope()),
            scope: Some(scope_as_is(self.scope())).filter(|scope| *scope != spec::Scope::default()),
            timeouts: live.timeouts.is_some(),
            sync: live.sync.is_some(),
            outside: self.outside(),
            summary: self.summary(),
            operations: self.operations().iter().map(|operation| self.saved_operation(operation)).collect(),
        }
    }

    fn saved_operation(&self, operation: &Operation) -> SavedOperation {
        let mut saved = SavedOperation {
            kind: operation.kind(),
            service: operation.service().map(|id| address_only(&id)),
            destination: None,
            timeouts: None,
            sync: None,
            drain: None,
            changes: operation.changes(),
        };
        match operation {
            Operation::UpdateTimeouts { wanted, .. } => saved.timeouts = Some(timeouts_as_is(wanted)),
            Operation::AddService { service } => {
                let destinations: Vec<_> =
                    service.destinations.iter().map(|wanted| destination_as_is(&wanted.created())).collect();
                saved.service = Some(spec::Service {
                    destinations: (!destinations.is_empty()).then_some(destinations),
                    ..service_as_is(&service.service)
                });
            }
            Operation::UpdateService { wanted, .. } => saved.service = Some(service_as_is(wanted)),
            Operation::DeleteService { drain, .. } => saved.drain = drain.as_ref().map(drain_as_is),
            Operation::AddDestination { destination, .. } => {
                saved.destination = Some(destination_as_is(&destination.created()));
            }
            Operation::UpdateDestination { wanted, .. } => saved.destination = Some(destination_as_is(wanted)),
            Operation::DeleteDestination { live, drain, .. } => {
                let address = Some(live.id().to_string());
                saved.destination = Some(spec::Destination { address, ..spec::Destination::default() });
                saved.drain = drain.as_ref().map(drain_as_is);
            }
            Operation::StopSync { live } => saved.sync = Some(sync_as_is(live)),
            Operation::StartSync { wanted } => saved.sync = Some(sync_as_is(wanted)),
        }
        if let Some(service) = &mut saved.service {
            service.name = operation.service().and_then(|id| self.name(&id)).map(str::to_owned);
        }
        saved
    }
}

impl SavedPlan {
    /// The format that this version of the library writes and reads.
    pub const FORMAT: u32 = 1;

    /// The fingerprint of the table that the plan was made for.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// How much is done.
    pub const fn summary(&self) -> Summary {
        self.summary
    }

    /// The plan again, if what it was made for is still there.
    ///
    /// `live` is best read with [`Live::read_all`]: what the plan did not look at is not looked at now either.
    ///
    /// # Errors
    ///
    /// [`SavedPlanError::Stale`] when the table has changed; others when the file is not one that was saved.
    pub fn plan(&self, live: &Live) -> Result<Plan, SavedPlanError> {
        if self.format != Self::FORMAT {
            return Err(SavedPlanError::Format { format: self.format });
        }
        let header = spec::File { version: Some(2), scope: self.scope.clone(), ..spec::File::default() };
        let scope = match lower(&header) {
            Ok(state) => state.scope,
            Err(reason) => {
                return Err(SavedPlanError::Broken { number: 0, kind: OperationKind::AddService, reason });
            }
        };
        let live = Live {
            table: live.table.clone(),
            timeouts: live.timeouts.filter(|_| self.timeouts),
            sync: live.sync.clone().filter(|_| self.sync),
        };
        let found = live.fingerprint(&scope);
        if found != self.fingerprint {
            return Err(SavedPlanError::Stale { planned: self.fingerprint.clone(), found });
        }
        let there = There {
            rows: live.table.services.iter().map(|row| (row.service.id(), row)).collect(),
            timeouts: live.timeouts.unwrap_or_default(),
        };
        let mut plan = Plan { outside: self.outside, scope, ..Plan::default() };
        for (place, saved) in self.operations.iter().enumerate() {
            let broken = |reason| SavedPlanError::Broken { number: place + 1, kind: saved.kind, reason };
            let operation = saved.operation(&there).map_err(broken)?;
            let name = saved.service.as_ref().and_then(|service| service.name.clone());
            plan.names.extend(operation.service().zip(name));
            plan.operations.push(operation);
        }
        Ok(plan)
    }
}

impl SavedOperation {
    fn operation(&self, live: &There<'_>) -> Result<Operation, String> {
        match self.kind {
            OperationKind::UpdateTimeouts => {
                let file = spec::File { timeouts: self.timeouts.clone(), ..version_2() };
                let wanted = lower(&file)?.timeouts;
                let live = live.timeouts;
                if wanted == Config::new() {
                    return Err("it has no timeouts".to_owned());
                }
                Ok(Operation::UpdateTimeouts { live, wanted })
            }
            OperationKind::AddService => Ok(Operation::AddService { service: self.service()? }),
            OperationKind::UpdateService => {
                let desired = self.service()?;
                let live = &live.row(&desired.id())?.service.service;
                let wanted = wanted_service(live, &desired);
                Ok(Operation::UpdateService { live: live.clone(), wanted, desired: Box::new(desired) })
            }
            OperationKind::DeleteService => {
                let id = self.service()?.id();
                Ok(Operation::DeleteService { live: Box::new(live.row(&id)?.clone()), drain: self.drain()? })
            }
            OperationKind::AddDestination => {
                let (service, destination) = self.destination()?;
                Ok(Operation::AddDestination { service, destination })
            }
            OperationKind::UpdateDestination => {
                let (service, desired) = self.destination()?;
                let live = live.row(&service)?.get(&desired.id()).ok_or("its destination is not there")?;
                let live = live.destination.clone();
                let wanted = wanted_destination(&live, &desired, false);
                Ok(Operation::UpdateDestination { service, live, wanted, written: None })
            }
            OperationKind::DeleteDestination => {
                let (service, desired) = self.destination()?;
                let live = live.row(&service)?.get(&desired.id()).ok_or("its destination is not there")?;
                Ok(Operation::DeleteDestination { service, live: live.clone(), drain: self.drain()? })
            }
            OperationKind::StopSync | OperationKind::StartSync => {
                let daemons = self.sync.clone().map(|daemon| vec![daemon]);
                let file = spec::File { sync: daemons, ..version_2() };
                let daemon = lower(&file)?.sync.and_then(|daemons| daemons.first().copied());
                let daemon = daemon.ok_or("it has no daemon")?;
                Ok(match self.kind {
                    OperationKind::StopSync => Operation::StopSync { live: daemon },
                    _ => Operation::StartSync { wanted: daemon },
                })
            }
        }
    }

    fn service(&self) -> Result<DesiredService, String> {
        let service = self.service.clone().ok_or("it has no service")?;
        let file = spec::File { services: Some(vec![service]), ..version_2() };
        lower(&file)?.services.pop().ok_or_else(|| "it has no service".to_owned())
    }

    fn destination(&self) -> Result<(ServiceId, DesiredDestination), String> {
        let destinations = Some(vec![self.destination.clone().ok_or("it has no destination")?]);
        let service = spec::Service { destinations, ..self.service.clone().ok_or("it has no service")? };
        let file = spec::File { services: Some(vec![service]), ..version_2() };
        let mut service = lower(&file)?.services.pop().ok_or("it has no service")?;
        let id = service.id();
        Ok((id, service.destinations.pop().ok_or("it has no destination")?))
    }

    fn drain(&self) -> Result<Option<crate::desired::Drain>, String> {
        let file = spec::File { drain: self.drain.clone(), ..version_2() };
        Ok(lower(&file)?.drain)
    }
}

fn version_2() -> spec::File {
    spec::File { version: Some(2), ..spec::File::default() }
}

fn lower(file: &spec::File) -> Result<DesiredState, String> {
    let first =
        |diagnostics: Diagnostics| diagnostics.errors().next().map_or_else(String::new, |error| error.message.clone());
    DesiredState::from_spec(file).map(|(state, _)| state).map_err(first)
}

/// What is there, by identity.
struct There<'a> {
    rows: HashMap<ServiceId, &'a TableService>,
    timeouts: Config,
}

impl<'a> There<'a> {
    fn row(&self, id: &ServiceId) -> Result<&'a TableService, String> {
        self.rows.get(id).copied().ok_or_else(|| "its service is not there".to_owned())
    }
}

fn address_only(id: &ServiceId) -> spec::Service {
    spec::Service {
        address: Some(service_address(id)),
        family: family_word(id).map(str::to_owned),
        ..spec::Service::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

fn ignored<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SettingChange>, D::Error> {
    de::IgnoredAny::deserialize(deserializer).map(|_| Vec::new())
}

impl Serialize for OperationKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for OperationKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| de::Error::custom(format_args!("\"{}\" is no operation", name.escape_debug())))
    }
}
