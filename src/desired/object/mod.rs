//! The objects that a plan can change. Each has a file of its own with everything that plans and appliers need to know
//! about it; this one lists them.

mod change;
mod daemon;
mod destination;
mod facts;
mod item;
mod kind;
mod operation;
mod service;
mod timeouts;

pub(in crate::desired) use self::change::additions;
pub use self::change::{Change, DestinationChange, Verb};
pub use self::facts::Question;
pub(in crate::desired) use self::facts::{Facts, List, Reply, State};
pub(in crate::desired) use self::item::{Labels, There};
pub use self::kind::ActionError;
use self::kind::kinds;
pub use self::operation::Operation;
pub(in crate::desired) use self::service::created;

use super::globals::drain_as_is;
use super::oddity::Oddity;
use super::print::{family_word, service_address};
use super::settings::SettingChange;
use super::spec::{DestinationSpec, DrainSpec, ServiceSpec, SyncSpec, TimeoutsSpec};
use super::{DesiredState, Observed, ServiceAttributes};
use crate::handle::Batch;
use crate::model::{Config, DestinationId, InvalidValue, Service, ServiceId, SyncDaemon, SyncRole};

/// An object that a plan can change, with its value before and after.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Object {
    /// Timeouts: those that change. They cannot be added or deleted.
    Timeouts(Change<Config>),
    /// The settings of a service.
    Service(Box<Change<Service>>),
    /// A destination of a service.
    Destination(DestinationChange),
    /// A synchronization daemon, which starts or stops.
    SyncDaemon(Change<SyncDaemon>),
}

impl Object {
    pub(in crate::desired) fn subject(&self) -> &dyn Subject {
        match self {
            Self::Timeouts(change) => change,
            Self::Service(change) => change.as_ref(),
            Self::Destination(change) => change,
            Self::SyncDaemon(change) => change,
        }
    }

    /// The change that undoes it.
    #[must_use]
    pub fn inverse(self) -> Self {
        match self {
            Self::Timeouts(change) => Self::Timeouts(change.inverse()),
            Self::Service(change) => Self::Service(Box::new(change.inverse())),
            Self::Destination(change) => Self::Destination(change.inverse()),
            Self::SyncDaemon(change) => Self::SyncDaemon(change.inverse()),
        }
    }

    /// Adds its command to a batch, unless it has to be done by itself.
    pub(in crate::desired) fn add_to<'h, H>(&self, batch: Batch<'h, H>) -> Batch<'h, H> {
        match self {
            Self::Timeouts(change) => timeouts::add_to(change, batch),
            Self::Service(change) => service::add_to(change, batch),
            Self::Destination(change) => destination::add_to(change, batch),
            Self::SyncDaemon(_) => batch,
        }
    }
}

/// Returns the operations on everything but services.
pub(in crate::desired) fn plan_rest(
    live: &Observed,
    desired: &DesiredState,
) -> impl Iterator<Item = Operation> + use<> {
    timeouts::plan(live, desired).into_iter().chain(daemon::plan(live, desired))
}

kinds! {
    AddService ADD_SERVICE "add-service" "as": service Add, step 1;
    UpdateService UPDATE_SERVICE "update-service" "us": service Update, step 2;
    DeleteService DELETE_SERVICE "delete-service" "ds": service Delete, step 6;
    AddDestination ADD_DESTINATION "add-destination" "ad": destination Add, step 3;
    UpdateDestination UPDATE_DESTINATION "update-destination" "ud": destination Update, step 4;
    DeleteDestination DELETE_DESTINATION "delete-destination" "dd": destination Delete, step 5;
    UpdateTimeouts UPDATE_TIMEOUTS "update-timeouts" "ut": timeouts Update, step 0;
    StartSync START_SYNC "start-sync" "ay": daemon Add, step 8;
    StopSync STOP_SYNC "stop-sync" "dy": daemon Delete, step 7;
}

/// An operation as data.
#[derive(Clone, Debug, serde::Deserialize, Eq, PartialEq, serde::Serialize)]
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
    pub service: Option<ServiceSpec>,
    /// The destination: in whole where it is made or changed, otherwise its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<DestinationSpec>,
    /// The timeouts that change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<TimeoutsSpec>,
    /// The synchronization daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<SyncSpec>,
    /// The drain of destinations before they are deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain: Option<DrainSpec>,
    /// The settings that change. For people: ignored when the item is read, since the rest determines the operation.
    #[serde(default, deserialize_with = "item::ignored", skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<SettingChange>,
}

impl Item {
    /// Returns an operation as data, with addresses as they were written where that is known.
    pub(in crate::desired) fn new(operation: &Operation, labels: &Labels) -> Self {
        let address_only = |id: ServiceId| ServiceSpec {
            address: Some(service_address(&id)),
            family: family_word(&id).map(str::to_owned),
            ..ServiceSpec::default()
        };
        let mut item = Self {
            kind: operation.kind(),
            description: String::new(),
            service: operation.service().map(address_only),
            destination: None,
            timeouts: None,
            sync: None,
            drain: operation.drain.as_ref().map(drain_as_is),
            changes: operation.changes(),
        };
        operation.object.subject().fill(&mut item, operation, labels);
        item
    }
}

/// Everything that differs from one kind of object to another.
pub(in crate::desired) trait Subject {
    /// Its kind and the effect on it.
    fn kind(&self) -> OperationKind;

    /// The service that it is, or belongs to.
    fn service(&self) -> Option<ServiceId> {
        None
    }

    /// The destination that it is.
    fn destination(&self) -> Option<DestinationId> {
        None
    }

    /// The role of the daemon that it is. A daemon cannot be changed, and only one of each role can run.
    fn role(&self) -> Option<SyncRole> {
        None
    }

    /// The settings that change.
    fn changes(&self) -> Vec<SettingChange> {
        Vec::new()
    }

    /// Its name in a message.
    fn name(&self) -> String;

    /// The command for it, with all settings: `add service TCP 192.0.2.10:80 (ipvsadm -A -t 192.0.2.10:80 -s wlc)`.
    fn action(&self) -> String;

    /// The arguments of ipvsadm(8) for it.
    fn rule(&self) -> String;

    /// Its name in a plan for people, with remarks on the operation.
    fn line(&self, operation: &Operation) -> (String, String);

    /// The effect of an operation and the reason, as a sentence.
    fn description(&self, labels: &Labels) -> String;

    /// Fills the item that describes it as data.
    fn fill(&self, item: &mut Item, operation: &Operation, labels: &Labels);

    /// The oddities that the operation would add.
    fn oddities(&self) -> Vec<Oddity> {
        Vec::new()
    }

    /// Checks for values that the kernel would take for something else.
    fn validate(&self) -> Result<(), InvalidValue> {
        Ok(())
    }

    /// Returns the question to ask before its [state](Self::state) can be determined; `None` if it is known.
    fn question(&self, facts: &Facts) -> Option<Question>;

    /// Returns its state, compared with the value after.
    fn state(&self, facts: &Facts, left_alone: ServiceAttributes) -> State;

    /// The same planned again, on its current state; `None` where that cannot be determined.
    fn plan_again(&self, facts: &Facts, left_alone: ServiceAttributes) -> Option<Object> {
        let _ = (facts, left_alone);
        None
    }
}
