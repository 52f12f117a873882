//! Where a case happens.

use ipvs_rs::transport::Transport;
use ipvs_rs::{DestinationId, Scheduler, Service, ServiceId};

use super::client::{Handle, HandleBuilder};

/// A kernel, and a network namespace of its own.
pub trait World: Sync {
    /// Opens a handle.
    fn handle(&self) -> Handle {
        self.open(Handle::builder())
    }

    /// Opens a handle with options.
    fn open(&self, builder: HandleBuilder) -> Handle;

    /// Opens a handle whose socket has a receive buffer of so many bytes.
    fn handle_with_buffer(&self, bytes: usize) -> Handle;

    /// Opens a socket.
    fn transport(&self) -> Box<dyn Transport>;

    /// Opens a socket with options that the library does not offer.
    fn transport_with(&self, options: Options) -> Box<dyn Transport>;

    /// Does something in another namespace of the same kernel.
    fn elsewhere(&self, body: &(dyn Fn(&dyn World) + Sync));

    /// Adds a network interface with packets of 1500 bytes.
    fn add_interface(&self, interface: &Interface<'_>);

    /// Makes clients and servers around the namespace, which becomes their director: it has the virtual addresses
    /// 192.0.2.10 and `2001:db8::10`, and reaches the servers 10.2.0.2, 10.2.0.3 and `2001:db8:2::2`.
    fn network(&self) -> Box<dyn Network + '_>;

    /// Which kernel this is.
    fn version(&self) -> (u32, u32);

    /// Says what was left out, or is worth knowing.
    fn note(&self, text: &str);

    /// Every scheduler that the kernel has. Of the known ones it may lack those that distributions leave out, which is
    /// noted; it is an error if it lacks others.
    fn schedulers(&self) -> Vec<Scheduler> {
        let handle = self.handle();
        let has = |scheduler: Scheduler| {
            let id: ServiceId = "fwmark:4294967295".parse().unwrap();
            match handle.new_service(&Service::new(id, scheduler)) {
                Ok(()) => handle.delete_service(&id).map(|()| true).unwrap(),
                Err(error) if error.is_scheduler_unavailable() => false,
                Err(error) => panic!("{error}"),
            }
        };
        let left_out: Vec<Scheduler> = OPTIONAL_SCHEDULERS.into_iter().filter(|scheduler| !has(*scheduler)).collect();
        if !left_out.is_empty() {
            self.note(&format!("left out: schedulers that this kernel does not have: {left_out:?}"));
        }
        Scheduler::KNOWN.into_iter().filter(|scheduler| !left_out.contains(scheduler)).collect()
    }
}

/// A network interface.
pub struct Interface<'a> {
    pub name: &'a str,
    /// With the length of the prefix, as `10.8.8.8/24`.
    pub addresses: &'a [&'a str],
    pub is_up: bool,
}

/// Clients and servers.
pub trait Network {
    /// Lets a client that was not there before call a service, where this server must be the one that is chosen.
    fn dial(&self, service: &ServiceId, server: &DestinationId) -> Box<dyn TestConnection + '_>;

    /// Waits until something is so. The kernel counts every two seconds.
    fn wait_until(&self, what: &str, is: &mut dyn FnMut() -> bool);
}

/// A client and its server: a connection of TCP, or what goes back and forth by UDP.
pub trait TestConnection {
    /// Sends so many questions of 100 bytes, each of which is answered with 300.
    fn ask(&self, questions: u64);

    /// Ends it from the side of the client.
    fn hang_up(self: Box<Self>);
}

/// The requests of a socket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Options {
    /// `NETLINK_CAP_ACK`: only the header of a request that failed comes back.
    pub capped: bool,
    /// `NETLINK_EXT_ACK`: with remarks.
    pub extended: bool,
    /// `NETLINK_GET_STRICT_CHK`, which says nothing to this family.
    pub strict: bool,
}

impl Options {
    /// How many combinations there are.
    pub const COUNT: u8 = 8;

    /// One of all combinations; 0 is that of the library.
    pub const fn of(number: u8) -> Self {
        Self { capped: number & 1 == 0, extended: number & 2 == 0, strict: number & 4 != 0 }
    }
}

/// Since Linux 5.13; Debian builds it since 6.12.
const OPTIONAL_SCHEDULERS: [Scheduler; 1] = [Scheduler::Twos];
