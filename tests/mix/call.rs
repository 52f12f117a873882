//! Calls of a handle, what comes of them, and what must.

use std::collections::BTreeMap;
use std::ops::Range;

use fastrand::Rng;
use ipvs_rs::error::{self, Errno, ErrorKind, Target};
use ipvs_rs::handle::{BatchReport, Outcome};
use ipvs_rs::model::{Config, SyncDaemon, Tunnel, Weight};
use ipvs_rs::{Destination, DestinationEntry, DestinationId, ForwardMethod, Handle, Scheduler, Service, ServiceId};

use super::reference::{CHUNK, Failure, Reference};
use super::table::{
    Command, DESTINATIONS, SERVICES, Table, destination, destination_id, scheduler, service, service_id,
};

/// One call of a handle.
#[derive(Clone, Debug)]
pub enum Call {
    Give(Command),
    Batch(Vec<Command>),
    GetService(ServiceId),
    GetServices,
    GetDestination(ServiceId, DestinationId),
    GetDestinations(ServiceId),
    FindDestinations(ServiceId),
    Snapshot,
    GetConfig,
    GetInfo,
    GetSyncDaemons,
    EnsureService(Service),
    EnsureDestination(ServiceId, Destination),
    RemoveService(ServiceId),
    RemoveDestination(ServiceId, DestinationId),
    ModifyService(ServiceId, Scheduler),
    ModifyDestination(ServiceId, DestinationId, Weight),
}

/// The result of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Done,
    Batch(Vec<Result<(), Failure>>),
    Service(Option<Service>),
    /// Their order means nothing.
    Services(BTreeMap<ServiceId, Service>),
    Destination(Option<Destination>),
    Destinations(Vec<Destination>),
    FoundDestinations(Option<Vec<Destination>>),
    Snapshot(BTreeMap<ServiceId, (Service, Vec<Destination>)>),
    Config(Config),
    /// The major number of the version.
    Info(u16),
    SyncDaemons(Vec<SyncDaemon>),
    Outcome(Outcome),
}

impl Call {
    /// Those that show everything.
    pub const TELL_ALL: [Self; 3] = [Self::Snapshot, Self::GetConfig, Self::GetSyncDaemons];

    /// Those that make the longest lists.
    pub fn to_fill() -> impl Iterator<Item = Self> {
        SERVICES.iter().flat_map(|id| {
            let service = Command::NewService(Service::new(*id, Scheduler::Rr));
            let tunnel = |server: &DestinationId| Destination::new(*server, ForwardMethod::Tunnel(Tunnel::ipip()));
            let servers = DESTINATIONS.iter().map(move |server| Command::NewDestination(*id, tunnel(server)));
            std::iter::once(service).chain(servers).map(Self::Give)
        })
    }

    /// A call about some of a few objects, so that it often meets what others left.
    pub fn random(rng: &mut Rng) -> Self {
        match rng.u32(0..100) {
            0..40 => Self::Give(Command::random(rng)),
            40..44 => Self::Give(Command::random_about_daemons(rng)),
            // Now and then more than travel together.
            44..50 => {
                let lengths = if rng.u32(0..150) == 0 { CHUNK + 1..CHUNK * 2 + 50 } else { 0..8 };
                Self::batch(rng, lengths)
            }
            50..55 => Self::GetService(service_id(rng)),
            55..59 => Self::GetServices,
            59..62 => Self::GetDestination(service_id(rng), destination_id(rng)),
            62..65 => Self::GetDestinations(service_id(rng)),
            65..68 => Self::FindDestinations(service_id(rng)),
            68..70 => Self::Snapshot,
            70..72 => Self::GetConfig,
            72..74 => Self::GetInfo,
            74..76 => Self::GetSyncDaemons,
            76..80 => Self::EnsureService(service(rng)),
            80..86 => Self::EnsureDestination(service_id(rng), destination(rng)),
            86..88 => Self::RemoveService(service_id(rng)),
            88..92 => Self::RemoveDestination(service_id(rng), destination_id(rng)),
            92..96 => Self::ModifyService(service_id(rng), scheduler(rng)),
            _ => Self::ModifyDestination(service_id(rng), destination_id(rng), Weight::from(rng.u16(0..4))),
        }
    }

    /// A batch of so many commands.
    pub fn batch(rng: &mut Rng, lengths: Range<usize>) -> Self {
        let length = rng.usize(lengths);
        Self::Batch((0..length).map(|_| Command::random(rng)).collect())
    }

    /// Makes the call.
    pub fn make(&self, handle: &Handle) -> Result<Answer, Failure> {
        let answer = match self {
            Self::Give(command) => command.give(handle).map(|()| Answer::Done),
            Self::Batch(commands) => {
                let batch = commands.iter().fold(handle.batch(), |batch, command| command.join(batch));
                let results =
                    |report: BatchReport| report.into_results().into_iter().map(|one| one.map_err(Failure::from));
                batch.send().map(|report| Answer::Batch(results(report).collect()))
            }
            Self::GetService(id) => {
                handle.get_service(id).map(|entry| Answer::Service(entry.map(|entry| entry.service)))
            }
            Self::GetServices => handle
                .get_services()
                .map(|all| Answer::Services(all.into_iter().map(|entry| (entry.id(), entry.service)).collect())),
            Self::GetDestination(service, id) => handle
                .get_destination(service, id)
                .map(|entry| Answer::Destination(entry.map(|entry| entry.destination))),
            Self::GetDestinations(service) => {
                handle.get_destinations(service).map(|all| Answer::Destinations(settings(all)))
            }
            Self::FindDestinations(service) => {
                handle.find_destinations(service).map(|all| Answer::FoundDestinations(all.map(settings)))
            }
            Self::Snapshot => handle.snapshot().map(|table| {
                let services = table.services.into_iter();
                let rows = services.map(|one| (one.id(), (one.service.service, settings(one.destinations))));
                Answer::Snapshot(rows.collect())
            }),
            Self::GetConfig => handle.get_config().map(Answer::Config),
            Self::GetInfo => handle.get_info().map(|info| Answer::Info(info.version.major)),
            Self::GetSyncDaemons => handle.get_sync_daemons().map(Answer::SyncDaemons),
            Self::EnsureService(service) => handle.ensure_service(service).map(Answer::Outcome),
            Self::EnsureDestination(service, destination) => {
                handle.ensure_destination(service, destination).map(Answer::Outcome)
            }
            Self::RemoveService(id) => handle.remove_service(id).map(Answer::Outcome),
            Self::RemoveDestination(service, id) => handle.remove_destination(service, id).map(Answer::Outcome),
            Self::ModifyService(id, scheduler) => {
                handle.modify_service(id, |service| service.scheduler = *scheduler).map(Answer::Outcome)
            }
            Self::ModifyDestination(service, id, weight) => {
                handle.modify_destination(service, id, |one| one.weight = *weight).map(Answer::Outcome)
            }
        };
        answer.map_err(Failure::from)
    }

    /// The expected result. The order of services decides which of the lists of a snapshot is struck by a fault.
    pub fn foretell(&self, reference: &mut Reference, order: &[ServiceId]) -> Result<Answer, Failure> {
        let change = |reference: &mut Reference, command| {
            reference.command(&command).map(|()| Answer::Outcome(Outcome::Updated))
        };
        let missing = |call, target, errno| Err(Failure { call, target, kind: ErrorKind::Kernel, errno: Some(errno) });
        Ok(match self {
            Self::Give(command) => reference.command(command).map(|()| Answer::Done)?,
            Self::Batch(commands) => Answer::Batch(reference.batch(commands)),
            Self::GetService(id) => Answer::Service(get_service(reference, id)?),
            Self::GetServices => Answer::Services(get_services(reference)?.into_iter().collect()),
            Self::GetDestination(service, id) => Answer::Destination(find(get_destinations(reference, service)?, id)),
            Self::GetDestinations(service) => Answer::Destinations(get_destinations(reference, service)?),
            Self::FindDestinations(service) => Answer::FoundDestinations(find_destinations(reference, service)?),
            Self::Snapshot => {
                let mut services = get_services(reference)?;
                services.sort_by_key(|(id, _)| order.iter().position(|one| one == id));
                let mut rows = BTreeMap::new();
                for (id, service) in services {
                    rows.insert(id, (service, get_destinations(reference, &id)?));
                }
                Answer::Snapshot(rows)
            }
            Self::GetConfig => {
                Answer::Config(reference.one(error::Call::GetConfig, Target::Table, |table| Ok(table.config))?)
            }
            Self::GetInfo => Answer::Info(reference.one(error::Call::GetInfo, Target::Table, |_| Ok(1))?),
            Self::GetSyncDaemons => {
                Answer::SyncDaemons(reference.list(error::Call::GetSyncDaemons, Target::Table, |table| {
                    table.daemons.values().copied().collect()
                })?)
            }
            Self::EnsureService(service) => match reference.command(&Command::NewService(service.clone())) {
                Ok(()) => Answer::Outcome(Outcome::Created),
                Err(failure) if failure.errno != Some(Errno::EEXIST) => return Err(failure),
                Err(_) => match get_service(reference, &service.id)? {
                    Some(known) if known == *service => Answer::Outcome(Outcome::Unchanged),
                    _ => change(reference, Command::UpdateService(service.clone()))?,
                },
            },
            Self::EnsureDestination(service, destination) => {
                match reference.command(&Command::NewDestination(*service, destination.clone())) {
                    Ok(()) => Answer::Outcome(Outcome::Created),
                    Err(failure) if failure.errno != Some(Errno::EEXIST) => return Err(failure),
                    Err(_) => match find(get_destinations(reference, service)?, &destination.id) {
                        Some(known) if known == *destination => Answer::Outcome(Outcome::Unchanged),
                        _ => change(reference, Command::UpdateDestination(*service, destination.clone()))?,
                    },
                }
            }
            Self::RemoveService(id) => removed(reference.command(&Command::DeleteService(*id)))?,
            Self::RemoveDestination(service, id) => {
                removed(reference.command(&Command::DeleteDestination(*service, *id)))?
            }
            Self::ModifyService(id, scheduler) => match get_service(reference, id)? {
                None => return missing(error::Call::UpdateService, Target::Service(*id), Errno::ESRCH),
                Some(known) if known.scheduler == *scheduler => Answer::Outcome(Outcome::Unchanged),
                Some(mut known) => {
                    known.scheduler = *scheduler;
                    change(reference, Command::UpdateService(known))?
                }
            },
            Self::ModifyDestination(service, id, weight) => {
                let target = Target::Destination(*service, *id);
                match find(get_destinations(reference, service)?, id) {
                    None => {
                        let is_there = get_service(reference, service)?.is_some();
                        let errno = if is_there { Errno::ENOENT } else { Errno::ESRCH };
                        return missing(error::Call::UpdateDestination, target, errno);
                    }
                    Some(known) if known.weight == *weight => Answer::Outcome(Outcome::Unchanged),
                    Some(mut known) => {
                        known.weight = *weight;
                        change(reference, Command::UpdateDestination(*service, known))?
                    }
                }
            }
        })
    }
}

fn settings(entries: Vec<DestinationEntry>) -> Vec<Destination> {
    entries.into_iter().map(|entry| entry.destination).collect()
}

fn find(all: Vec<Destination>, id: &DestinationId) -> Option<Destination> {
    all.into_iter().find(|one| one.id == *id)
}

fn removed(result: Result<(), Failure>) -> Result<Answer, Failure> {
    match result {
        Ok(()) => Ok(Answer::Outcome(Outcome::Removed)),
        Err(failure) if matches!(failure.errno, Some(Errno::ESRCH | Errno::ENOENT)) => {
            Ok(Answer::Outcome(Outcome::Unchanged))
        }
        Err(failure) => Err(failure),
    }
}

fn get_service(reference: &mut Reference, id: &ServiceId) -> Result<Option<Service>, Failure> {
    let known = |table: &mut Table| Ok(table.services.get(id).map(|(service, _)| service.clone()));
    reference.one(error::Call::GetService, Target::Service(*id), known)
}

fn get_services(reference: &mut Reference) -> Result<Vec<(ServiceId, Service)>, Failure> {
    reference.list(error::Call::GetServices, Target::Table, |table| {
        table.services.iter().map(|(id, (service, _))| (*id, service.clone())).collect()
    })
}

/// A service that is not there has none.
fn get_destinations(reference: &mut Reference, service: &ServiceId) -> Result<Vec<Destination>, Failure> {
    reference.list(error::Call::GetDestinations, Target::Destinations(*service), |table| {
        table.services.get(service).map(|(_, all)| all.clone()).unwrap_or_default()
    })
}

fn find_destinations(reference: &mut Reference, service: &ServiceId) -> Result<Option<Vec<Destination>>, Failure> {
    let all = get_destinations(reference, service)?;
    Ok(if all.is_empty() && get_service(reference, service)?.is_none() { None } else { Some(all) })
}
