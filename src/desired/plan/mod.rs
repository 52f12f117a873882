//! The changes from the observed state to the desired one, as a value that can be printed, saved and carried out.

mod change_set;
mod fingerprint;
mod options;
mod rules;
mod saved;
mod service;
mod text;

use std::collections::{HashMap, HashSet};
use std::fmt;

pub use change_set::ChangeSet;
pub use options::{Draining, PlanOptions};
pub use rules::PlanRules;
pub use saved::{SavedPlan, SavedPlanError};
pub use text::PlanText;

pub use super::object::{
    ActionError, Actions, Change, DestinationChange, Item, Object, Operation, OperationKind, Verb,
};
use super::object::{Labels, plan_rest};
use super::oddity::{Oddity, oddities_of_destination};
pub use super::settings::{FieldValue, SettingChange};
use super::{DesiredState, Observed, Scope};
use crate::model::{DestinationId, ServiceId, SyncRole, TableService};

/// Operations in the order in which they are safe.
///
/// Additions come before deletions, so that connections always find a server: timeouts, new services with their
/// destinations, changed services, new destinations, changed destinations, deleted destinations, deleted services,
/// synchronization daemons. A daemon that conflicts with a destination of the other address family stops first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use = "a plan does nothing until it is applied"]
pub struct Plan {
    operations: Vec<Operation>,
    conflicts: Vec<Conflict>,
    outside: usize,
    labels: Labels,
    scope: Scope,
}

/// The size of a [`Plan`].
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, serde::Deserialize, serde::Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Operations that make something.
    pub add: usize,
    /// Operations that change something.
    pub change: usize,
    /// Operations that delete something.
    pub delete: usize,
}

/// A conflict that makes a plan impossible.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Conflict {
    /// A desired service is not managed.
    #[non_exhaustive]
    OutsideScope {
        /// The service.
        service: ServiceId,
    },
    /// A destination is of another address family than its service while a synchronization daemon runs: the kernel
    /// refuses the one or the other.
    #[non_exhaustive]
    MixedFamilies {
        /// The service.
        service: ServiceId,
        /// The destination.
        destination: DestinationId,
        /// The daemon.
        role: SyncRole,
    },
    /// A service or destination would newly get a setting that the kernel takes, and that is hardly ever intended:
    /// one-packet scheduling of TCP, for instance. Settings that are there already are left as they are.
    #[non_exhaustive]
    Odd {
        /// The service.
        service: ServiceId,
        /// The destination, if it is one of its destinations.
        destination: Option<DestinationId>,
        /// The setting, and what would be valid.
        problem: String,
    },
}

/// Plans the operations that make the observed state the desired one, without carrying them out.
///
/// It takes time in proportion to the number of services and destinations.
///
/// # Example
///
/// ```
/// use ipvs_rs::desired::plan::{PlanOptions, plan};
/// use ipvs_rs::desired::{DesiredService, DesiredState, Observed};
/// use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service};
///
/// let web = DesiredService::new(Service::new("tcp://192.0.2.10:80".parse()?, Scheduler::Wlc))
///     .destination(Destination::new("10.0.0.2:80".parse()?, ForwardMethod::Masquerade));
/// let desired = DesiredState::new().service(web);
///
/// let plan = plan(&Observed::default(), &desired, &PlanOptions::new());
/// assert_eq!(plan.summary().add, 1);
/// print!("{plan}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn plan(live: &Observed, desired: &DesiredState, options: &PlanOptions) -> Plan {
    Planner { options, desired, lists: service::Lists::default(), steps: Steps::default(), labels: Labels::default() }
        .plan(live)
}

/// The operations by their step.
#[derive(Debug, Default)]
struct Steps([Vec<Operation>; OperationKind::STEPS]);

struct Planner<'a> {
    options: &'a PlanOptions,
    desired: &'a DesiredState,
    lists: service::Lists,
    steps: Steps,
    labels: Labels,
}

impl Planner<'_> {
    fn plan(mut self, live: &Observed) -> Plan {
        let desired = self.desired;
        let mut conflicts = Vec::new();
        let present: HashMap<ServiceId, &TableService> =
            live.table.services.iter().map(|row| (row.service.id(), row)).collect();
        let last: HashMap<ServiceId, usize> =
            desired.services.iter().enumerate().map(|(place, service)| (service.id(), place)).collect();

        for (place, service) in desired.services.iter().enumerate() {
            let id = service.id();
            if last.get(&id) != Some(&place) {
                continue;
            }
            if !desired.scope.covers(&id) {
                conflicts.push(Conflict::OutsideScope { service: id });
                continue;
            }
            self.service(service, present.get(&id).copied());
        }
        let mut outside = 0;
        for row in &live.table.services {
            let id = row.service.id();
            if last.contains_key(&id) {
                continue;
            }
            if !desired.scope.covers(&id) {
                outside += 1;
            } else if self.options.prune {
                let drain = self.options.drain_of(desired.drain);
                let change = Change::delete(row.service.service.clone());
                self.steps.push(Operation::of_service(change, row.destinations.clone()).drained(drain));
            }
        }
        plan_rest(live, desired).for_each(|operation| self.steps.push(operation));
        self.check_families(live, &last, &mut conflicts);
        self.steps.0.iter().flatten().for_each(|operation| odd(operation, &mut conflicts));

        let is_mixed = desired.sync.is_some() && desired.mixes_families();
        let Self { steps, labels, .. } = self;
        Plan { operations: steps.in_order(is_mixed), conflicts, outside, labels, scope: desired.scope.clone() }
    }

    /// Looks for destinations of another family than their service where a daemon will run.
    fn check_families(&self, live: &Observed, desired: &HashMap<ServiceId, usize>, conflicts: &mut Vec<Conflict>) {
        let daemons = self.desired.sync.as_deref().or(live.sync.as_deref()).unwrap_or_default();
        let Some(daemon) = daemons.first() else { return };
        let mut check = |service: ServiceId, destination: DestinationId| {
            if destination.family() != service.family() {
                conflicts.push(Conflict::MixedFamilies { service, destination, role: daemon.role });
            }
        };
        for service in &self.desired.services {
            service.destinations.iter().for_each(|destination| check(service.id(), destination.id()));
        }
        if self.steps.of(OperationKind::StartSync).is_none_or(Vec::is_empty) {
            return;
        }
        for row in &live.table.services {
            let id = row.service.id();
            let stays = !desired.contains_key(&id) && (!self.desired.scope.covers(&id) || !self.options.prune);
            if stays {
                row.destinations.iter().for_each(|entry| check(id, entry.id()));
            }
        }
    }
}

/// Adds the oddities of the objects of an operation that were not there before.
fn odd(operation: &Operation, conflicts: &mut Vec<Conflict>) {
    let Some(service) = operation.service() else { return };
    let conflict = |destination, oddity: Oddity| Conflict::Odd { service, destination, problem: oddity.problem };
    let own = operation.object.subject().oddities().into_iter();
    conflicts.extend(own.map(|oddity| conflict(operation.destination(), oddity)));
    if operation.kind() == OperationKind::AddService {
        for destination in operation.destinations.iter().map(|entry| &entry.destination) {
            let found = oddities_of_destination(&service, destination).into_iter();
            conflicts.extend(found.map(|oddity| conflict(Some(destination.id), oddity)));
        }
    }
}

impl Steps {
    fn push(&mut self, operation: Operation) {
        if let Some(step) = self.0.get_mut(operation.kind().step()) {
            step.push(operation);
        }
    }

    fn of(&self, kind: OperationKind) -> Option<&Vec<Operation>> {
        self.0.get(kind.step())
    }

    fn count(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    fn in_order(mut self, stop_first: bool) -> Vec<Operation> {
        let stopped = self.0.get_mut(OperationKind::StopSync.step()).filter(|_| stop_first);
        let stopped = stopped.map(std::mem::take).unwrap_or_default();
        let [timeouts, steps @ ..] = self.0;
        let mut operations = timeouts;
        for mut more in std::iter::once(stopped).chain(steps) {
            // The first list is often the only one, and a long one.
            if operations.is_empty() { operations = more } else { operations.append(&mut more) }
        }
        operations
    }
}

impl Plan {
    /// A plan of these operations, in this order.
    pub fn of(operations: Vec<Operation>) -> Self {
        Self { operations, ..Self::default() }
    }

    /// Returns the operations, in the order in which they are carried out.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Whether nothing has to be done.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// The number of operations.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Returns the conflicts that make the plan impossible.
    pub fn conflicts(&self) -> &[Conflict] {
        &self.conflicts
    }

    /// The number of observed services that are not managed.
    pub const fn outside(&self) -> usize {
        self.outside
    }

    /// Returns the scope of the plan.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the name in the file of a service that the plan changes.
    pub fn name(&self, service: &ServiceId) -> Option<&str> {
        self.labels.names.get(service).map(String::as_str)
    }

    /// The numbers of operations by effect.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for operation in &self.operations {
            *match operation.verb() {
                Verb::Add => &mut summary.add,
                Verb::Update => &mut summary.change,
                Verb::Delete => &mut summary.delete,
            } += 1;
        }
        summary
    }

    /// The operations that are not among these allowed kinds.
    pub fn forbidden(&self, allowed: Actions) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(move |operation| !allowed.allow(operation))
    }

    /// The services that the plan changes, in the order of their first operations.
    pub fn services(&self) -> Vec<ServiceId> {
        let mut seen = HashSet::new();
        self.operations.iter().filter_map(Operation::service).filter(|id| seen.insert(*id)).collect()
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutsideScope { service } => write!(f, "service {service} is outside of the scope"),
            Self::Odd { service, destination: Some(destination), problem } => {
                write!(f, "destination {destination} of service {service} would get {problem}")
            }
            Self::Odd { service, destination: None, problem } => write!(f, "service {service} would get {problem}"),
            Self::MixedFamilies { service, destination, role } => write!(
                f,
                "destination {destination} of service {service} is of the other address family, which the kernel refuses \
                 while the {role} synchronization daemon runs"
            ),
        }
    }
}
