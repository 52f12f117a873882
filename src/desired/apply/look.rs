use std::collections::HashMap;

use super::command::{Command, where_both};
use crate::desired::plan::{is_like, wanted_service};
use crate::desired::{DesiredService, ServiceAttributes};
use crate::model::{Config, Destination, DestinationEntry, DestinationId, Service, ServiceId, SyncDaemon, SyncRole};
use crate::{Error, Handle};

/// Looks at what is there, where the answers to commands do not say it. What was read once is not read again.
#[derive(Debug)]
pub(super) struct Look<'h> {
    handle: &'h Handle,
    services: HashMap<ServiceId, Option<Service>>,
    destinations: HashMap<ServiceId, HashMap<DestinationId, Destination>>,
    daemons: Option<Vec<SyncDaemon>>,
    config: Option<Config>,
}

/// What is there, compared with what a command was to bring about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    /// Just that.
    Wanted,
    /// The object, with other settings, or although it was to go.
    Other,
    /// Nothing, although there should be something.
    Missing,
}

/// How often a list is read until it can be relied on.
const ATTEMPTS: u32 = 10;

impl<'h> Look<'h> {
    pub(super) fn new(handle: &'h Handle) -> Self {
        Self { handle, services: HashMap::new(), destinations: HashMap::new(), daemons: None, config: None }
    }

    /// What has become of the object of a command.
    pub(super) fn at(&mut self, command: &Command<'_>) -> Result<State, Error> {
        Ok(match *command {
            Command::SetConfig { to, .. } => self.config(to)?,
            Command::RestoreConfig { to, from } => self.config(&where_both(to, from))?,
            Command::NewService { service, left_alone } => {
                compare(self.service(service.id)?, |live| is_as_wanted(live, service, left_alone))
            }
            Command::UpdateService { to, .. } => compare(self.service(to.id)?, |live| live == to),
            Command::DeleteService { id, .. } => absent(self.service(*id)?),
            Command::NewDestination { service, destination, is_drained: false } => {
                compare(self.destination(service, destination.id)?, |live| live == destination)
            }
            Command::NewDestination { service, destination, is_drained: true }
            | Command::Quiesce { service, from: destination } => {
                let wanted = destination.clone().drained();
                compare(self.destination(service, destination.id)?, |live| *live == wanted)
            }
            Command::UpdateDestination { service, to, .. } | Command::Restore { service, to } => {
                compare(self.destination(service, to.id)?, |live| live == to)
            }
            Command::DeleteDestination { service, id, .. } => absent(self.destination(service, *id)?),
            Command::StopSync { daemon } => absent(self.daemon(daemon.role)?),
            Command::StartSync { daemon } => compare(self.daemon(daemon.role)?, |live| is_like(live, daemon)),
        })
    }

    fn config(&mut self, wanted: &Config) -> Result<State, Error> {
        let config = match self.config {
            Some(config) => config,
            None => *self.config.insert(self.handle.get_config()?),
        };
        Ok(if where_both(&config, wanted) == *wanted { State::Wanted } else { State::Other })
    }

    fn service(&mut self, id: ServiceId) -> Result<Option<&Service>, Error> {
        if !self.services.contains_key(&id) {
            let entry = self.handle.get_service(&id)?;
            self.services.insert(id, entry.map(|entry| entry.service));
        }
        Ok(self.services.get(&id).and_then(Option::as_ref))
    }

    fn destination(&mut self, service: &ServiceId, id: DestinationId) -> Result<Option<&Destination>, Error> {
        if !self.destinations.contains_key(service) {
            let entries = self.handle.get_destinations_stable(service, ATTEMPTS)?;
            let by_id = |entry: DestinationEntry| (entry.destination.id, entry.destination);
            self.destinations.insert(*service, entries.into_iter().map(by_id).collect());
        }
        Ok(self.destinations.get(service).and_then(|destinations| destinations.get(&id)))
    }

    fn daemon(&mut self, role: SyncRole) -> Result<Option<&SyncDaemon>, Error> {
        let daemons = match &mut self.daemons {
            Some(daemons) => daemons,
            none => none.insert(self.handle.get_sync_daemons()?),
        };
        Ok(daemons.iter().find(|daemon| daemon.role == role))
    }
}

fn compare<T>(live: Option<&T>, is_wanted: impl FnOnce(&T) -> bool) -> State {
    match live {
        None => State::Missing,
        Some(live) if is_wanted(live) => State::Wanted,
        Some(_) => State::Other,
    }
}

fn absent<T>(live: Option<&T>) -> State {
    if live.is_some() { State::Other } else { State::Wanted }
}

/// Whether a plan would find nothing to change.
fn is_as_wanted(live: &Service, wanted: &Service, left_alone: ServiceAttributes) -> bool {
    wanted_service(live, &DesiredService::new(wanted.clone()).left_alone(left_alone)) == *live
}
