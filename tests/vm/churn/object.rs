//! The objects of a table, and how they are listed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipvs_rs::handle::{Batch, Consistency};
use ipvs_rs::model::{AddressFamily, Persistence, PersistenceEngine, Reading, Tunnel};
use ipvs_rs::{Destination, DestinationId, Error, ForwardMethod, Handle, Scheduler, Service, ServiceId, Table};

use crate::kernel;

/// A service, or a destination of one.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    Service(Service),
    Destination(ServiceId, Destination),
}

/// Its identity.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Key {
    Service(ServiceId),
    Destination(ServiceId, DestinationId),
}

impl Object {
    pub fn key(&self) -> Key {
        match self {
            Self::Service(service) => Key::Service(service.id),
            Self::Destination(service, destination) => Key::Destination(*service, destination.id),
        }
    }

    pub fn make(&self, handle: &Handle) -> Result<(), Error> {
        match self {
            Self::Service(service) => handle.new_service(service),
            Self::Destination(service, destination) => handle.new_destination(service, destination),
        }
    }

    pub fn remove(&self, handle: &Handle) -> Result<(), Error> {
        match self {
            Self::Service(service) => handle.delete_service(&service.id),
            Self::Destination(service, destination) => handle.delete_destination(service, &destination.id),
        }
    }

    /// Whether something that comes and goes can be listed like that: since Linux 7 lists are made without a lock, and
    /// show services that have no scheduler and engine yet, or no more.
    pub fn may_be_seen_as(&self, seen: &Self) -> bool {
        match (self, seen) {
            (Self::Service(whole), Self::Service(seen)) if whole != seen && kernel::version() >= (7, 0) => {
                let mut half = whole.clone();
                half.scheduler = seen.scheduler;
                if let Some((persistence, seen)) = half.persistence.as_mut().zip(seen.persistence) {
                    persistence.engine = seen.engine;
                }
                *seen == half && [whole.scheduler, Scheduler::None].contains(&seen.scheduler)
            }
            _ => self == seen,
        }
    }

    fn make_in<'a>(&self, batch: Batch<'a>) -> Batch<'a> {
        match self {
            Self::Service(service) => batch.new_service(service),
            Self::Destination(service, destination) => batch.new_destination(service, destination),
        }
    }

    fn remove_in<'a>(&self, batch: Batch<'a>) -> Batch<'a> {
        match self {
            Self::Service(service) => batch.delete_service(&service.id),
            Self::Destination(service, destination) => batch.delete_destination(service, &destination.id),
        }
    }
}

pub fn make_all(handle: &Handle, objects: &[Object]) {
    send(objects.iter().fold(handle.batch(), |batch, object| object.make_in(batch)));
}

pub fn remove_all(handle: &Handle, objects: &[Object]) {
    send(objects.iter().fold(handle.batch(), |batch, object| object.remove_in(batch)));
}

fn send(batch: Batch<'_>) {
    let report = batch.send().unwrap();
    assert!(report.is_ok(), "{:?}", report.failures().next());
}

/// Services of every length that a row can have: named by a mark or an address, with names of schedulers and engines.
pub fn service(number: u32) -> Service {
    let [_, b, c, d] = number.to_be_bytes();
    let v4 = SocketAddr::new(Ipv4Addr::new(10, b, c, d).into(), 80);
    let v6 = SocketAddr::new(Ipv6Addr::from(V6_NET | u128::from(number)).into(), 5060);
    let calls = Persistence::for_secs(300).unwrap().engine(PersistenceEngine::Sip);
    match number % 5 {
        0 => Service::new(ServiceId::fwmark(number + 1, AddressFamily::Ipv4).unwrap(), Scheduler::Rr),
        1 => Service::new(ServiceId::fwmark(number + 1, AddressFamily::Ipv6).unwrap(), Scheduler::None),
        2 => Service::new(ServiceId::tcp(v4).unwrap(), Scheduler::Rr),
        3 => Service::new(ServiceId::sctp(v6).unwrap(), Scheduler::None),
        _ => Service::new(ServiceId::udp(v6).unwrap(), Scheduler::Rr).persistence(calls),
    }
}

pub fn services(numbers: std::ops::Range<u32>) -> Vec<Object> {
    numbers.map(|number| Object::Service(service(number))).collect()
}

/// Destinations of both families.
pub fn destination(service: &ServiceId, number: u32) -> Destination {
    let [_, b, c, d] = number.to_be_bytes();
    let is_other = number.is_multiple_of(4);
    let address: IpAddr = match (service.family(), is_other) {
        (AddressFamily::Ipv4, false) | (AddressFamily::Ipv6, true) => [10, b, c, d].into(),
        _ => Ipv6Addr::from(V6_NET | u128::from(number)).into(),
    };
    let method = if is_other { ForwardMethod::Tunnel(Tunnel::ipip()) } else { ForwardMethod::Masquerade };
    Destination::new(DestinationId::new(SocketAddr::new(address, 8080)).unwrap(), method)
}

pub fn destinations(service: ServiceId, numbers: std::ops::Range<u32>) -> Vec<Object> {
    numbers.map(|number| Object::Destination(service, destination(&service, number))).collect()
}

/// Something that can be listed.
#[derive(Clone, Copy, Debug)]
pub enum List {
    Services,
    Destinations(ServiceId),
    /// Services and destinations.
    Everything,
}

impl List {
    /// Reads it in one pass.
    pub fn once(self, handle: &Handle) -> (Vec<Object>, Reading) {
        let mut rows = Vec::new();
        let reading = match self {
            Self::Services => handle.for_each_service(|entry| rows.push(Object::Service(entry.service.clone()))),
            Self::Destinations(service) => handle.for_each_destination(&service, |entry| {
                rows.push(Object::Destination(service, entry.destination.clone()));
            }),
            Self::Everything => handle.snapshot().map(|table| {
                rows = objects(&table);
                table.reading()
            }),
        };
        (rows, reading.unwrap())
    }

    /// Reads it until it can be relied on.
    pub fn stable(self, handle: &Handle, attempts: u32) -> Result<Vec<Object>, Error> {
        match self {
            Self::Services => {
                let entries = handle.get_services_with(Consistency::Stable { attempts })?;
                Ok(entries.into_iter().map(|entry| Object::Service(entry.service)).collect())
            }
            Self::Destinations(service) => {
                let entries = handle.get_destinations_with(&service, Consistency::Stable { attempts })?;
                Ok(entries.into_iter().map(|entry| Object::Destination(service, entry.destination)).collect())
            }
            Self::Everything => handle.snapshot_with(Consistency::Stable { attempts }).map(|table| objects(&table)),
        }
    }
}

fn objects(table: &Table) -> Vec<Object> {
    let rows = table.services.iter().flat_map(|row| {
        let service = row.service.service.clone();
        let id = service.id;
        let destinations = row.destinations.iter();
        std::iter::once(Object::Service(service))
            .chain(destinations.map(move |entry| Object::Destination(id, entry.destination.clone())))
    });
    rows.collect()
}

const V6_NET: u128 = 0x2001_0db8 << 96;
