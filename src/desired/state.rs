use bitflags::bitflags;

use super::setters::setters;
use super::words::words;
use super::{Drain, Scope};
use crate::model::{Config, Destination, DestinationId, Service, ServiceId, SyncDaemon, Table, Weight};

/// The state that the table of a network namespace should be in.
///
/// It is made of checked values, so that a plan for it can be carried out; [`spec`](super::spec) reads it from files.
/// An identity that stands in it twice counts once: the last one.
///
/// # Example
///
/// ```
/// use ipvs_rs::desired::{DesiredDestination, DesiredService, DesiredState};
/// use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service};
///
/// let web = DesiredService::new(Service::new("tcp://192.0.2.10:80".parse()?, Scheduler::Wlc))
///     .destination(Destination::new("10.0.0.2:80".parse()?, ForwardMethod::Masquerade))
///     .destination(Destination::new("10.0.0.3:80".parse()?, ForwardMethod::Masquerade));
/// let desired = DesiredState::new().service(web);
/// assert_eq!(desired.destination_count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct DesiredState {
    /// The services, in the order in which new ones are made.
    pub services: Vec<DesiredService>,
    /// The timeouts that are managed; the others stay as they are.
    pub timeouts: Config,
    /// The synchronization daemons that should run, at most one of each role; `None` leaves them alone.
    ///
    /// Settings that a daemon does not name (group, port, TTL, length) are not compared.
    pub sync: Option<Vec<SyncDaemon>>,
    /// The part of the table that is managed.
    pub scope: Scope,
    /// The drain of destinations before they are deleted, unless their service has its own; `None` deletes at once.
    pub drain: Option<Drain>,
}

/// A service that should be there.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DesiredService {
    /// Its settings.
    pub service: Service,
    /// The name that the file gives it.
    pub name: Option<String>,
    /// The drain of its destinations, if it differs from that of the [state](DesiredState::drain).
    pub drain: Option<Drain>,
    /// The settings that are left as they are found; they count when the service is made.
    pub left_alone: ServiceAttributes,
    /// Its destinations, in the order in which new ones are made.
    pub destinations: Vec<DesiredDestination>,
    /// Its address as it was written, if other than the canonical form.
    pub written: Option<Box<str>>,
}

/// A destination that should be there.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DesiredDestination {
    /// Its settings, with the weight that it has while it is active.
    pub destination: Destination,
    /// Whether it takes new connections.
    pub activity: Activity,
    /// The settings that are left as they are found; they count when the destination is made.
    pub left_alone: DestinationAttributes,
    /// Its address as it was written, if other than the canonical form.
    pub written: Option<Box<str>>,
}

/// Whether a destination takes new connections: `state` in a file.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Activity {
    /// `active`: it has its weight.
    #[default]
    Active,
    /// `drain`: it has weight 0 in the kernel; its own weight is kept for when it is active again.
    Drain,
}

words! {
    Activity: Active "active", Drain "drain";
}

bitflags! {
    /// Settings of a service that can be left as they are found.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
    pub struct ServiceAttributes: u8 {
        /// The flags of its scheduler.
        const SCHEDULER_FLAGS = 1;
        /// One-packet scheduling.
        const ONE_PACKET = 2;
        /// Persistence, with timeout, granularity and engine.
        const PERSISTENCE = 4;
    }

    /// Settings of a destination that can be left as they are found.
    #[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
    pub struct DestinationAttributes: u8 {
        /// The weight.
        const WEIGHT = 1;
        /// Kind, port and flags of the tunnel, as long as it is reached through one.
        const TUNNEL = 2;
        /// The thresholds.
        const THRESHOLDS = 4;
    }
}

impl DesiredState {
    /// No service at all, in the whole table.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// Adds a service.
        service(service: DesiredService) |it| it.services.push(service);
        /// Sets the timeouts that are managed.
        timeouts(timeouts: Config) |it| it.timeouts = timeouts;
        /// Sets the synchronization daemons that should run; none at all stops them.
        sync(daemons: Vec<SyncDaemon>) |it| it.sync = Some(daemons);
        /// Sets the part of the table that is managed.
        scope(scope: Scope) |it| it.scope = scope;
        /// Sets how destinations are drained.
        drain(drain: Drain) |it| it.drain = Some(drain);
    }

    /// The number of destinations in all services.
    pub fn destination_count(&self) -> usize {
        self.services.iter().map(|service| service.destinations.len()).sum()
    }

    /// Whether some destination is of another address family than its service.
    pub fn mixes_families(&self) -> bool {
        let mixes = |it: &DesiredService| it.destinations.iter().any(|own| own.id().family() != it.id().family());
        self.services.iter().any(mixes)
    }

    /// Finds a service by identity.
    pub fn get(&self, id: &ServiceId) -> Option<&DesiredService> {
        self.services.iter().rev().find(|service| service.id() == *id)
    }
}

impl From<&Table> for DesiredState {
    /// Takes the table as it is for the desired state.
    fn from(table: &Table) -> Self {
        let services = table.services.iter().map(|row| {
            let destinations = row.destinations.iter().map(|entry| entry.destination.clone().into()).collect();
            DesiredService { destinations, ..DesiredService::new(row.service.service.clone()) }
        });
        Self { services: services.collect(), ..Self::new() }
    }
}

impl DesiredService {
    /// A service without destinations, all of whose settings are managed.
    pub const fn new(service: Service) -> Self {
        Self {
            service,
            name: None,
            drain: None,
            left_alone: ServiceAttributes::empty(),
            destinations: Vec::new(),
            written: None,
        }
    }

    /// Its identity.
    pub const fn id(&self) -> ServiceId {
        self.service.id
    }

    setters! {
        /// Adds a destination.
        destination(destination: impl Into<DesiredDestination>) |it| it.destinations.push(destination.into());
        /// Sets its name in a file.
        named(name: impl Into<String>) |it| it.name = Some(name.into());
        /// Sets how its destinations are drained.
        drain(drain: Drain) |it| it.drain = Some(drain);
        /// Sets which settings are left as they are found.
        left_alone(attributes: ServiceAttributes) |it| it.left_alone = attributes;
    }
}

impl From<Service> for DesiredService {
    fn from(service: Service) -> Self {
        Self::new(service)
    }
}

impl DesiredDestination {
    /// An active destination, all of whose settings are managed.
    pub const fn new(destination: Destination) -> Self {
        Self { destination, activity: Activity::Active, left_alone: DestinationAttributes::empty(), written: None }
    }

    /// Its identity.
    pub const fn id(&self) -> DestinationId {
        self.destination.id
    }

    setters! {
        /// Sets whether it takes new connections.
        activity(activity: Activity) |it| it.activity = activity;
        /// Sets which settings are left as they are found.
        left_alone(attributes: DestinationAttributes) |it| it.left_alone = attributes;
    }

    /// The destination as it is made: with weight 0 while it is drained.
    pub fn created(&self) -> Destination {
        let mut destination = self.destination.clone();
        if self.activity == Activity::Drain {
            destination.weight = Weight::ZERO;
        }
        destination
    }
}

impl From<Destination> for DesiredDestination {
    fn from(destination: Destination) -> Self {
        Self::new(destination)
    }
}
