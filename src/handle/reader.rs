use std::hash::Hash;
use std::mem;

use super::conversation::{Answer, Conversation};
use super::mode::{Link, Mode};
use super::operations::Operations;
use super::{Inner, conversation};
use crate::codec::{DecodeError, Reply, Request};
use crate::engine::{Listing, Pass, Passes};
use crate::error::{Cause, Error};
use crate::model::{DestinationEntry, DestinationId, Reading, ServiceEntry, ServiceId};

/// The number of destinations that fit [`SHORT_BUFFER`](super::memory::SHORT_BUFFER) in any case.
const SHORT: usize = 16;
/// More destinations than this do not fit the longest datagram either.
const LONG: usize = conversation::RECEIVE_BUFFER / 350;
/// A list that is longer is given away with the memory that it was read into.
const COPIED: usize = 256;

/// Hands over rows that the caller keeps, in no more memory than they take.
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

/// The route of a list: the socket that it goes over.
///
/// Passes that are compared take turns: a writer that removes something in every pass would otherwise hide the same
/// entry each time, the one where a datagram ends. The two cut a list at different places.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Route {
    /// The one for commands, with the longest datagrams.
    Long,
    /// One of those for lists that are short, if there is any.
    Short,
}

impl Route {
    const fn other(self) -> Self {
        match self {
            Self::Long => Self::Short,
            Self::Short => Self::Long,
        }
    }
}

impl<S: Mode> Operations<S> {
    /// Reads all services.
    pub(super) async fn read_services(
        &self,
        rows: &mut Vec<ServiceEntry>,
        mut passes: Passes<ServiceId>,
    ) -> Result<Reading, Error> {
        let mut route = Route::Long;
        loop {
            let pass = self.socket(route, 0).lock().await.services(rows).await;
            let pass = pass.map_err(|cause| self.failed(&Request::GetServices, cause))?;
            let next = passes.next(pass, rows.iter().map(ServiceEntry::id));
            if let Some(reading) =
                next.map_err(|unstable| self.failed(&Request::GetServices, Cause::Unstable(unstable)))?
            {
                return Ok(reading);
            }
            route = route.other();
        }
    }

    /// Reads the destinations of a service, until the list can be relied on or `is_enough` accepts it.
    pub(super) async fn read_destinations(
        &self,
        reader: usize,
        service: &ServiceId,
        rows: &mut Vec<DestinationEntry>,
        mut passes: Passes<DestinationId>,
        is_enough: impl Fn(&[DestinationEntry]) -> bool,
    ) -> Result<Reading, Error> {
        let failed = |cause| self.failed(&Request::GetDestinations(*service), cause);
        let (mut route, mut pass) = self.first_pass(reader, service, rows).await.map_err(failed)?;
        loop {
            if is_enough(rows) {
                return Ok(pass.reading);
            }
            let next = passes.next(pass, rows.iter().map(DestinationEntry::id));
            if let Some(reading) = next.map_err(|unstable| failed(Cause::Unstable(unstable)))? {
                return Ok(reading);
            }
            route = route.other();
            pass = self.socket(route, reader).lock().await.destinations(service, rows).await.map_err(failed)?;
        }
    }

    /// Reads the destinations once, over the socket whose datagrams the list is expected to fit.
    async fn first_pass(
        &self,
        reader: usize,
        service: &ServiceId,
        rows: &mut Vec<DestinationEntry>,
    ) -> Result<(Route, Pass), Cause> {
        let reader = self.readers.get(reader);
        if let Some(reader) = reader {
            let mut inner = reader.lock().await;
            if !inner.memory.long.contains(service) {
                let pass = inner.destinations(service, rows).await?;
                if !pass.is_full {
                    return Ok((Route::Short, pass));
                }
                inner.memory.remember(*service);
                if rows.len() > LONG {
                    return Ok((Route::Short, pass));
                }
            }
        }
        let pass = self.lock().await.destinations(service, rows).await?;
        if let Some(reader) = reader
            && rows.len() <= SHORT
        {
            reader.lock().await.memory.long.remove(service);
        }
        Ok((Route::Long, pass))
    }

    fn socket(&self, route: Route, reader: usize) -> &S {
        match route {
            Route::Long => &self.commands,
            Route::Short => self.readers.get(reader).unwrap_or(&self.commands),
        }
    }
}

impl<L: Link> Inner<L> {
    async fn services(&mut self, rows: &mut Vec<ServiceEntry>) -> Result<Pass, Cause> {
        let Self { conversation, memory } = self;
        let list =
            List { rows, listing: &mut memory.services, decode: Reply::decode_service, identity: ServiceEntry::id };
        conversation.list(&Request::GetServices, list).await
    }

    async fn destinations(&mut self, service: &ServiceId, rows: &mut Vec<DestinationEntry>) -> Result<Pass, Cause> {
        let Self { conversation, memory } = self;
        let family = service.family();
        let decode = |command, attributes: &[u8]| Reply::decode_destination(command, attributes, family);
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
        let was_warm = self.is_warm();
        list.begin(self.room());
        self.ask(request, &mut list).await?;
        // The kernel gives a socket that has received nothing yet only half the room.
        if !was_warm && list.listing.pass().is_full && list.rows.len() <= SHORT {
            list.begin(self.room());
            self.ask(request, &mut list).await?;
        }
        Ok(list.listing.pass())
    }
}

/// A list that is being decoded into rows.
struct List<'a, R, I, D, F> {
    rows: &'a mut Vec<R>,
    listing: &'a mut Listing<I>,
    decode: D,
    identity: F,
}

impl<R, I: Eq + Hash, D, F> List<'_, R, I, D, F> {
    fn begin(&mut self, room: usize) {
        self.rows.clear();
        self.listing.begin(room);
    }
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
