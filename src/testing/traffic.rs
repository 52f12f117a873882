use std::fmt;

use super::kernel::FakeKernel;
use super::table::{self, DestinationKey, ServiceKey, TCP};
use crate::codec::consts::{AF_INET, AF_INET6};
use crate::model::{AddressFamily, DestinationId, ServiceId, ServiceKind};

/// Traffic through a destination, for [`FakeKernel::carry`].
///
/// ```
/// use ipvs_rs::testing::Traffic;
///
/// // Ten clients come, ask in 30 packets of 1800 bytes altogether, and three of them leave.
/// let traffic = Traffic::new().opened(10).packets_in(30, 1800).closed(3);
/// # let _ = traffic;
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Traffic {
    opened: u32,
    closed: u32,
    expired: u32,
    held: u32,
    released: u32,
    packets: [u64; 2],
    bytes: [u64; 2],
}

impl Traffic {
    /// No traffic.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of new connections; they are active.
    #[must_use]
    pub fn opened(mut self, connections: u32) -> Self {
        self.opened = connections;
        self
    }

    /// Sets the number of connections that end: active ones become inactive. If there are fewer, all of them do.
    #[must_use]
    pub fn closed(mut self, connections: u32) -> Self {
        self.closed = connections;
        self
    }

    /// Sets the number of inactive connections that the kernel forgets. If there are fewer, none remains.
    #[must_use]
    pub fn expired(mut self, connections: u32) -> Self {
        self.expired = connections;
        self
    }

    /// Sets the number of clients that are newly bound to the destination (persistence).
    #[must_use]
    pub fn held(mut self, clients: u32) -> Self {
        self.held = clients;
        self
    }

    /// Sets the number of clients that are no longer bound to the destination. If there are fewer, none remains.
    #[must_use]
    pub fn released(mut self, clients: u32) -> Self {
        self.released = clients;
        self
    }

    /// Sets the number of packets from clients, and of their bytes in total.
    #[must_use]
    pub fn packets_in(mut self, packets: u64, bytes: u64) -> Self {
        (self.packets[0], self.bytes[0]) = (packets, bytes);
        self
    }

    /// Sets the number of packets to clients, and of their bytes in total.
    #[must_use]
    pub fn packets_out(mut self, packets: u64, bytes: u64) -> Self {
        (self.packets[1], self.bytes[1]) = (packets, bytes);
        self
    }

    fn totals(&self) -> [u64; 5] {
        let ([packets_in, packets_out], [bytes_in, bytes_out]) = (self.packets, self.bytes);
        [self.opened.into(), packets_in, packets_out, bytes_in, bytes_out]
    }
}

/// The error of traffic to a destination that does not exist.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoDestination {
    service: ServiceId,
    destination: DestinationId,
}

impl fmt::Display for NoDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no destination {} of {} to carry traffic to", self.destination, self.service)
    }
}

impl std::error::Error for NoDestination {}

impl FakeKernel {
    /// Lets traffic pass: connections to this destination, and packets of these connections.
    ///
    /// The destination of a connection is the caller's choice; no scheduler decides, and neither weight nor thresholds
    /// are considered. Connections are [`opened`](Traffic::opened) and clients [`held`](Traffic::held) first, then
    /// packets pass, then connections are [`closed`](Traffic::closed) and clients [`released`](Traffic::released), then
    /// connections have [`expired`](Traffic::expired).
    ///
    /// The gauges of connections change at once. Counters and rates can be read after the next round of the kernel's
    /// estimator, which runs every two seconds of [simulated time](Self::advance).
    ///
    /// # Errors
    ///
    /// When there is no such destination, or only one that was deleted and to which no connection refers any more. No
    /// new connections can be opened to one that was deleted while it had connections; the old ones can end.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use ipvs_rs::testing::{FakeKernel, Traffic};
    /// use ipvs_rs::{Destination, ForwardMethod, Scheduler, Service};
    ///
    /// let kernel = FakeKernel::new();
    /// let handle = kernel.handle()?;
    /// let (web, server) = ("TCP 192.0.2.10:80".parse()?, "10.0.0.2:80".parse()?);
    /// handle.new_service(&Service::new(web, Scheduler::Rr))?;
    /// handle.new_destination(&web, &Destination::new(server, ForwardMethod::Masquerade))?;
    ///
    /// kernel.carry(&web, &server, Traffic::new().opened(10).closed(3).packets_in(40, 2400))?;
    /// kernel.advance(Duration::from_secs(2));
    /// let entry = handle.get_destination(&web, &server)?.ok_or("it is there")?;
    /// assert_eq!((entry.active_connections, entry.inactive_connections), (7, 3));
    /// assert_eq!((entry.stats.connections, entry.stats.packets_in, entry.stats.bytes_in), (10, 40, 2400));
    /// assert_eq!(entry.stats.packets_per_sec_in, 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn carry(
        &self,
        service: &ServiceId,
        destination: &DestinationId,
        traffic: Traffic,
    ) -> Result<(), NoDestination> {
        let missing = NoDestination { service: *service, destination: *destination };
        let (key, wanted) = (service_key(service), destination_key(destination));
        let mut machine = self.lock();
        let place = machine.place(key, self.namespace());
        if let Some(service) = machine.services.get_mut(&place)
            && let Some(destination) = service.destinations.iter_mut().find(|it| it.key == wanted)
        {
            traffic.pass(destination);
            service.counters.add(&traffic.totals());
            return Ok(());
        }
        if traffic.opened > 0 || traffic.held > 0 {
            return Err(missing);
        }
        // A deleted destination is kept while it has connections.
        let namespace = machine.namespace(self.namespace()).ok_or(missing)?;
        let mut deleted = namespace.trash.iter_mut().filter(|it| it.service == key && it.destination.key == wanted);
        let trashed = deleted.find(|it| it.destination.is_referred_to()).ok_or(missing)?;
        traffic.pass(&mut trashed.destination);
        Ok(())
    }
}

impl Traffic {
    fn pass(&self, destination: &mut table::Destination) {
        destination.counters.add(&self.totals());
        destination.active = destination.active.saturating_add(self.opened);
        let closed = self.closed.min(destination.active);
        destination.active -= closed;
        destination.inactive = destination.inactive.saturating_add(closed).saturating_sub(self.expired);
        destination.persistent = destination.persistent.saturating_add(self.held).saturating_sub(self.released);
    }
}

fn service_key(id: &ServiceId) -> ServiceKey {
    let family = family(id.family());
    match id.kind() {
        ServiceKind::Address { protocol, address, port } => {
            ServiceKey { mark: 0, family, protocol: protocol.number(), address: table::stored(address), port }
        }
        ServiceKind::Mark { mark, .. } => {
            ServiceKey { mark: mark.get(), family, protocol: TCP, address: [0; 16], port: 0 }
        }
    }
}

fn destination_key(id: &DestinationId) -> DestinationKey {
    DestinationKey { family: family(id.family()), address: table::stored(id.address()), port: id.port() }
}

const fn family(family: AddressFamily) -> u16 {
    match family {
        AddressFamily::Ipv4 => AF_INET,
        AddressFamily::Ipv6 => AF_INET6,
    }
}
