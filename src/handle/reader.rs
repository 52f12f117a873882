use std::collections::HashSet;
use std::hash::Hash;
use std::mem;
use std::sync::{Mutex, PoisonError};

use super::conversation::{Answer, Conversation};
use super::operations::{Operations, failed};
use super::side::{Link, Side};
use super::{Inner, conversation};
use crate::codec::{DecodeError, DecodeProblem, Reply, Request};
use crate::engine::{Listing, Pass, Passes};
use crate::error::{Cause, Error};
use crate::model::{DestinationEntry, DestinationId, Reading, ServiceEntry, ServiceId};

/// Where lists of destinations are received that are expected to be short: two pages, less what the kernel needs for
/// itself. Some 20 fit. Clearing more than is filled costs the kernel more than the rest of such a list.
pub(super) const SHORT_BUFFER: usize = 8192 - 320;
/// So many destinations fit [`SHORT_BUFFER`] for sure.
const SHORT: usize = 16;
/// More destinations than this do not fit the longest datagram either.
const LONG: usize = conversation::RECEIVE_BUFFER / 350;
/// How many services are remembered to have many destinations.
const REMEMBERED: usize = 4096;
/// A list that is longer is given away with the memory that it was read into.
const COPIED: usize = 256;
/// What lists remember from one to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    services: Listing<ServiceId>,
    destinations: Listing<DestinationId>,
    /// Services whose destinations do not fit a short datagram.
    long: HashSet<ServiceId>,
}

impl Memory {
    fn remember(&mut self, service: ServiceId) {
        if self.long.len() >= REMEMBERED {
            self.long.clear();
        }
        self.long.insert(service);
    }
}

/// Memory that lists are read into.
#[derive(Debug, Default)]
pub(super) struct Spare {
    services: Mutex<Vec<ServiceEntry>>,
    destinations: Mutex<Vec<DestinationEntry>>,
}

impl Spare {
    pub(super) fn take_services(&self) -> Vec<ServiceEntry> {
        take(&self.services)
    }

    pub(super) fn put_services(&self, rows: Vec<ServiceEntry>) {
        put(&self.services, rows);
    }

    pub(super) fn take_destinations(&self) -> Vec<DestinationEntry> {
        take(&self.destinations)
    }

    pub(super) fn put_destinations(&self, rows: Vec<DestinationEntry>) {
        put(&self.destinations, rows);
    }
}

fn take<R>(spare: &Mutex<Vec<R>>) -> Vec<R> {
    mem::take(&mut spare.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Keeps what is larger.
fn put<R>(spare: &Mutex<Vec<R>>, mut rows: Vec<R>) {
    rows.clear();
    let mut spare = spare.lock().unwrap_or_else(PoisonError::into_inner);
    if rows.capacity() > spare.capacity() {
        *spare = rows;
    }
}

/// Rows that are to be kept, in no more memory than they take.
pub(super) fn hand_over<R>(rows: &mut Vec<R>) -> Vec<R> {
    if rows.len() > COPIED {
        let mut given = mem::take(rows);
        given.shrink_to_fit();
        return given;
    }
    let mut given = Vec::with_capacity(rows.len());
    given.append(rows);
    given
}

impl<S: Side> Operations<S> {
    /// Reads all services.
    pub(super) async fn read_services(
        &self,
        rows: &mut Vec<ServiceEntry>,
        mut passes: Passes<ServiceId>,
    ) -> Result<Reading, Error> {
        loop {
            let pass = self.pass_over_services(rows).await?;
            let next = passes.next(pass, rows.iter().map(ServiceEntry::id));
            if let Some(reading) = next.map_err(|unstable| failed(&Request::GetServices, Cause::Unstable(unstable)))? {
                return Ok(reading);
            }
        }
    }

    /// Reads the destinations of a service, until the list is good or somebody has seen enough.
    pub(super) async fn read_destinations(
        &self,
        reader: usize,
        service: &ServiceId,
        rows: &mut Vec<DestinationEntry>,
        mut passes: Passes<DestinationId>,
        is_enough: impl Fn(&[DestinationEntry]) -> bool,
    ) -> Result<Reading, Error> {
        loop {
            let pass = self.pass_over_destinations(reader, service, rows).await?;
            if is_enough(rows) {
                return Ok(pass.reading);
            }
            let next = passes.next(pass, rows.iter().map(DestinationEntry::id));
            let failed = |unstable| failed(&Request::GetDestinations(*service), Cause::Unstable(unstable));
            if let Some(reading) = next.map_err(failed)? {
                return Ok(reading);
            }
        }
    }

    async fn pass_over_services(&self, rows: &mut Vec<ServiceEntry>) -> Result<Pass, Error> {
        let request = Request::GetServices;
        let mut inner = self.lock().await;
        let Inner { conversation, memory } = &mut *inner;
        let list = List { rows, listing: &mut memory.services, decode: service, identity: ServiceEntry::id };
        conversation.list(&request, list).await.map_err(|cause| failed(&request, cause))
    }

    /// Over the socket of this number for lists that are short, and the one for commands otherwise.
    async fn pass_over_destinations(
        &self,
        reader: usize,
        service: &ServiceId,
        rows: &mut Vec<DestinationEntry>,
    ) -> Result<Pass, Error> {
        let failed = |cause| failed(&Request::GetDestinations(*service), cause);
        let reader = self.readers.get(reader);
        if let Some(reader) = reader {
            let mut inner = reader.lock().await;
            if !inner.memory.long.contains(service) {
                match inner.destinations(service, rows).await {
                    Ok(pass) if !pass.is_full => return Ok(pass),
                    Ok(_) | Err(Cause::Truncated { .. }) => inner.memory.remember(*service),
                    Err(cause) => return Err(failed(cause)),
                }
                if rows.len() > LONG {
                    return Ok(inner.memory.destinations.pass());
                }
            }
        }
        let pass = self.lock().await.destinations(service, rows).await.map_err(failed)?;
        if let Some(reader) = reader
            && rows.len() <= SHORT
        {
            reader.lock().await.memory.long.remove(service);
        }
        Ok(pass)
    }
}

impl<L: Link> Inner<L> {
    async fn destinations(&mut self, service: &ServiceId, rows: &mut Vec<DestinationEntry>) -> Result<Pass, Cause> {
        let Self { conversation, memory } = self;
        let family = service.family();
        let decode = |command, attributes: &[u8]| match Reply::decode_for(command, attributes, family)? {
            Reply::Destination(entry) => Ok(entry),
            _ => Err(unexpected()),
        };
        let list = List { rows, listing: &mut memory.destinations, decode, identity: DestinationEntry::id };
        conversation.list(&Request::GetDestinations(*service), list).await
    }
}

impl<L: Link> Conversation<L> {
    async fn list<R, I, D, F>(&mut self, request: &Request, mut list: List<'_, R, I, D, F>) -> Result<Pass, Cause>
    where
        I: Eq + Hash,
        D: FnMut(u8, &[u8]) -> Result<R, DecodeError>,
        F: Fn(&R) -> I,
    {
        list.rows.clear();
        list.listing.begin(self.room());
        self.ask(request, &mut list).await?;
        Ok(list.listing.pass())
    }
}

/// Rows on their way into memory.
struct List<'a, R, I, D, F> {
    rows: &'a mut Vec<R>,
    listing: &'a mut Listing<I>,
    decode: D,
    identity: F,
}

impl<R, I, D, F> Answer for List<'_, R, I, D, F>
where
    I: Eq + Hash,
    D: FnMut(u8, &[u8]) -> Result<R, DecodeError>,
    F: Fn(&R) -> I,
{
    fn take(&mut self, command: u8, attributes: &[u8]) -> Result<(), DecodeError> {
        let row = (self.decode)(command, attributes)?;
        self.listing.push(self.rows, row, &self.identity);
        Ok(())
    }

    fn end_datagram(&mut self, length: usize) {
        self.listing.end_datagram(length);
    }

    fn restart(&mut self) {
        self.rows.clear();
        self.listing.restart();
    }
}

fn service(command: u8, attributes: &[u8]) -> Result<ServiceEntry, DecodeError> {
    match Reply::decode(command, attributes)? {
        Reply::Service(entry) => Ok(entry),
        _ => Err(unexpected()),
    }
}

const fn unexpected() -> DecodeError {
    DecodeError::new("message", 0, DecodeProblem::Unexpected)
}
