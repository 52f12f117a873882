//! The way from what is there to what should be, as a value that can be printed, saved and carried out.

mod actions;
mod change_set;
mod fingerprint;
mod operation;
mod options;
mod rules;
mod saved;
mod service;
mod text;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

pub use actions::{ActionError, Actions};
pub use change_set::{ChangeSet, Item};
pub use operation::{Change, Object, Operation, OperationKind, Verb};
pub use options::{Draining, PlanOptions};
pub use rules::PlanRules;
pub use saved::{SavedPlan, SavedPlanError};
pub use text::PlanText;

pub use super::settings::{FieldValue, SettingChange};
use super::taste::{Oddity, oddities_of_destination, oddities_of_service};
use super::{DesiredService, DesiredState, Observed, Scope};
use crate::model::{Config, DestinationId, ServiceId, SyncDaemon, SyncRole, TableService};

/// Operations in the order in which they are safe.
///
/// What is new comes before what goes, so that connections always find a server: time-outs, new services with their
/// destinations, changed services, new destinations, changed destinations, deleted destinations, deleted services,
/// synchronization daemons. A daemon that is in the way of a destination of the other address family stops first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use = "a plan does nothing until it is applied"]
pub struct Plan {
    operations: Vec<Operation>,
    conflicts: Vec<Conflict>,
    outside: usize,
    labels: Labels,
    scope: Scope,
}

/// The names that people gave to services and destinations of a plan.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Labels {
    names: BTreeMap<ServiceId, String>,
    /// Addresses as they were written, where that is not the canonical form.
    written: HashMap<(ServiceId, Option<DestinationId>), Box<str>>,
}

impl Labels {
    fn add(&mut self, desired: &DesiredService) {
        let id = desired.id();
        self.names.extend(desired.name.clone().map(|name| (id, name)));
        self.written.extend(desired.written.clone().map(|written| ((id, None), written)));
        for wanted in &desired.destinations {
            self.written.extend(wanted.written.clone().map(|written| ((id, Some(wanted.id())), written)));
        }
    }

    fn written(&self, service: &ServiceId, destination: Option<DestinationId>) -> Option<&str> {
        self.written.get(&(*service, destination)).map(|written| &**written)
    }
}

/// How much a [`Plan`] does.
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

/// Something that makes a plan impossible.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Conflict {
    /// A service should be there that is not managed.
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
    /// A service or destination would get a setting anew that the kernel takes, and that is hardly meant: one-packet
    /// scheduling of TCP, for instance. What is there already is left as it is.
    #[non_exhaustive]
    Odd {
        /// The service.
        service: ServiceId,
        /// The destination, if it is one of its destinations.
        destination: Option<DestinationId>,
        /// The setting, and what would be right.
        problem: String,
    },
}

/// Works out what has to be done; does nothing.
///
/// It takes time in proportion to the number of services and destinations.
///
/// # Example
///
/// ```
/// use ipvs_rs::desired::{DesiredService, DesiredState, Observed, PlanOptions, plan};
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

/// The operations by the place that they have in a plan.
#[derive(Debug, Default)]
struct Steps {
    timeouts: Option<Operation>,
    new_services: Vec<Operation>,
    services: Vec<Operation>,
    new_destinations: Vec<Operation>,
    destinations: Vec<Operation>,
    old_destinations: Vec<Operation>,
    old_services: Vec<Operation>,
    stopped: Vec<Operation>,
    started: Vec<Operation>,
}

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

        self.timeouts(live.timeouts.as_ref());
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
                self.steps.old_services.push(Operation::of_service(Change::delete(row.clone())).drained(drain));
            }
        }
        self.sync(live.sync.as_deref().unwrap_or_default());
        self.check_families(live, &last, &mut conflicts);
        self.steps.changes_and_additions().for_each(|operation| odd(operation, &mut conflicts));

        let is_mixed = desired.sync.is_some() && desired.mixes_families();
        let Self { steps, labels, .. } = self;
        Plan { operations: steps.in_order(is_mixed), conflicts, outside, labels, scope: desired.scope.clone() }
    }

    fn timeouts(&mut self, live: Option<&Config>) {
        let desired = self.desired.timeouts;
        let live = live.copied().unwrap_or_default();
        let mut wanted = Config::new();
        wanted.tcp = desired.tcp.filter(|_| desired.tcp != live.tcp);
        wanted.tcp_fin = desired.tcp_fin.filter(|_| desired.tcp_fin != live.tcp_fin);
        wanted.udp = desired.udp.filter(|_| desired.udp != live.udp);
        if wanted != Config::new() {
            self.steps.timeouts = Some(Operation::timeouts(Change::update(both_say(&live, &wanted), wanted)));
        }
    }

    /// A daemon cannot be changed: another one is stopped and started.
    fn sync(&mut self, live: &[SyncDaemon]) {
        let Some(desired) = &self.desired.sync else { return };
        for role in [SyncRole::Master, SyncRole::Backup] {
            let of_role = |daemons: &[SyncDaemon]| daemons.iter().rev().find(|daemon| daemon.role == role).copied();
            let (runs, should) = (of_role(live), of_role(desired));
            if let (Some(runs), Some(should)) = (runs, should)
                && is_like(&runs, &should)
            {
                continue;
            }
            self.steps.stopped.extend(runs.map(|runs| Operation::sync_daemon(Change::delete(runs))));
            self.steps.started.extend(should.map(|should| Operation::sync_daemon(Change::add(should))));
        }
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
        if self.steps.started.is_empty() {
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

/// Whether a daemon that runs is what should run, as far as that is said.
pub(in crate::desired) fn is_like(runs: &SyncDaemon, should: &SyncDaemon) -> bool {
    runs.interface == should.interface
        && runs.sync_id == should.sync_id
        && (should.max_len.is_none() || runs.max_len == should.max_len)
        && (should.group.is_none() || runs.group == should.group)
        && (should.port.is_none() || runs.port == should.port)
        && (should.ttl.is_none() || runs.ttl == should.ttl)
}

/// Adds what is odd about the objects of an operation, and was not before.
fn odd(operation: &Operation, conflicts: &mut Vec<Conflict>) {
    let mut check = |service: ServiceId, destination: Option<DestinationId>, before: &[Oddity], after: Vec<Oddity>| {
        let new = after.into_iter().filter(|oddity| !before.contains(oddity));
        conflicts.extend(new.map(|oddity| Conflict::Odd { service, destination, problem: oddity.problem }));
    };
    match &operation.object {
        Object::Service(change) => {
            let Some(after) = &change.after else { return };
            let id = after.service.id();
            let of = |row: &TableService| oddities_of_service(&row.service.service);
            check(id, None, &change.before.as_ref().map(of).unwrap_or_default(), of(after));
            if change.before.is_none() {
                for destination in after.destinations.iter().map(|entry| &entry.destination) {
                    check(id, Some(destination.id), &[], oddities_of_destination(&id, destination));
                }
            }
        }
        Object::Destination(service, change) => {
            let Some(after) = &change.after else { return };
            let of = |destination| oddities_of_destination(service, destination);
            check(*service, Some(after.id), &change.before.as_ref().map(of).unwrap_or_default(), of(after));
        }
        Object::Timeouts(_) | Object::SyncDaemon(_) => {}
    }
}

/// Returns what of these time-outs the others say as well.
pub(in crate::desired) fn both_say(config: &Config, other: &Config) -> Config {
    let mut both = Config::new();
    both.tcp = config.tcp.filter(|_| other.tcp.is_some());
    both.tcp_fin = config.tcp_fin.filter(|_| other.tcp_fin.is_some());
    both.udp = config.udp.filter(|_| other.udp.is_some());
    both
}

impl Steps {
    /// The number of operations about services and destinations so far.
    fn count(&self) -> usize {
        self.new_services.len()
            + self.services.len()
            + self.new_destinations.len()
            + self.destinations.len()
            + self.old_destinations.len()
    }

    fn changes_and_additions(&self) -> impl Iterator<Item = &Operation> {
        let Self { new_services, services, new_destinations, destinations, .. } = self;
        [new_services, services, new_destinations, destinations].into_iter().flatten()
    }

    fn in_order(mut self, stop_first: bool) -> Vec<Operation> {
        let mut operations = Vec::from_iter(self.timeouts);
        let mut append = |more: &mut Vec<Operation>| {
            // The first list is often the only one, and a long one.
            if operations.is_empty() { std::mem::swap(&mut operations, more) } else { operations.append(more) }
        };
        if stop_first {
            append(&mut self.stopped);
        }
        append(&mut self.new_services);
        append(&mut self.services);
        append(&mut self.new_destinations);
        append(&mut self.destinations);
        append(&mut self.old_destinations);
        append(&mut self.old_services);
        append(&mut self.stopped);
        append(&mut self.started);
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

    /// The number of services that are there and not managed.
    pub const fn outside(&self) -> usize {
        self.outside
    }

    /// Returns the part of the table that the plan is about.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the name that people gave to a service that the plan changes.
    pub fn name(&self, service: &ServiceId) -> Option<&str> {
        self.labels.names.get(service).map(String::as_str)
    }

    /// How much is done.
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

    /// The operations that may not be carried out when only these kinds may.
    pub fn forbidden(&self, allowed: Actions) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(move |operation| !allowed.allow(operation))
    }

    /// The services that the plan changes, in the order in which they come up first.
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
