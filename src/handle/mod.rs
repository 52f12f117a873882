//! The client that most people use: one method per kernel operation.
//!
//! The plain verbs `new_`, `update_`, `delete_` and `get_` do what the kernel does, and fail as it does. Upon them stand
//! the idempotent forms: `ensure_` and `remove_` make it so, whatever was there, and say with an [`Outcome`] what they had
//! to do; `modify_` changes one setting and keeps the rest. A [`Batch`] sends many commands at once.
//!
//! With the feature `tokio` there is an `AsyncHandle`, which does the same in programs whose threads must not stand still.
//!
//! ```no_run
//! use ipvs_rs::{Handle, Scheduler, Service};
//!
//! let handle = Handle::new()?;
//! let web = Service::new("tcp://192.0.2.10:80".parse()?, Scheduler::Wlc);
//!
//! handle.new_service(&web)?;
//! assert!(handle.new_service(&web).is_err_and(|error| error.is_already_exists()));
//! handle.ensure_service(&web)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "tokio")]
mod asynchronous;
mod batch;
mod conversation;
mod idempotent;
mod lists;
mod operations;
mod reader;
mod side;
mod snapshot;

use std::fmt;
#[cfg(target_os = "linux")]
use std::io;
use std::sync::Mutex;
use std::time::Duration;

#[cfg(feature = "tokio")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
pub use asynchronous::AsyncHandle;
pub use batch::{Batch, BatchProgress, BatchReport};
pub use idempotent::Outcome;

#[cfg(target_os = "linux")]
use crate::error::Cause;
use crate::error::{Error, Operation, Target};
use crate::model::{Config, Destination, DestinationId, Info, Service, ServiceEntry, ServiceId, SyncDaemon, SyncRole};
use crate::transport::Transport;
#[cfg(target_os = "linux")]
use crate::transport::{KernelSocket, Netns, SocketOptions};
use conversation::{Conversation, RECEIVE_BUFFER};
use operations::Operations;
use reader::{Memory, SHORT_BUFFER};
use side::{Blocking, Link, block_on};

/// A connection to the IPVS of one network namespace.
///
/// Share it: it is `Send + Sync` and its methods take `&self`. Each of its sockets (one for commands and long lists,
/// [one](HandleBuilder::readers) for short ones) has a lock that is held around one exchange with the kernel, so that
/// threads never see each other's answers; for commands in quantity a [batch](Self::batch) is worth more than threads
/// are.
///
/// No exchange waits for an answer longer than the handle's [deadline](HandleBuilder::deadline). Success is reported only
/// when the kernel confirmed it. After any failure the handle can be used further.
///
/// # Errors of every operation
///
/// * [`is_permission_denied`](Error::is_permission_denied): the caller lacks `CAP_NET_ADMIN` in the initial user namespace.
///   Only opening a handle does not take it.
/// * [`is_timeout`](Error::is_timeout), [`Lost`](crate::error::ErrorKind::Lost),
///   [`Decode`](crate::error::ErrorKind::Decode): no answer, or none that could be read. Whether a command was executed is
///   not known then.
/// * [`is_not_available`](Error::is_not_available): IPVS was unloaded since the handle was opened.
/// * [`Io`](crate::error::ErrorKind::Io): the system refused to send or to receive.
///
/// # Example
///
/// ```no_run
/// use ipvs_rs::{Destination, ForwardMethod, Handle, Scheduler, Service, ServiceId};
///
/// let handle = Handle::new()?;
/// let web: ServiceId = "tcp://192.0.2.10:80".parse()?;
/// handle.new_service(&Service::new(web, Scheduler::Wlc))?;
/// handle.new_destination(&web, &Destination::new("10.0.0.2:8080".parse()?, ForwardMethod::Masquerade))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Handle {
    operations: Operations<Blocking>,
}

#[derive(Debug)]
struct Inner<L> {
    conversation: Conversation<L>,
    memory: Memory,
}

impl<L: Link> Inner<L> {
    /// Begins a conversation over each link: finds out whether IPVS is there.
    async fn open(
        link: L,
        readers: impl IntoIterator<Item = L>,
        deadline: Duration,
    ) -> Result<(Self, Vec<Self>), Error> {
        let mut conversation = Conversation::new(link, deadline, RECEIVE_BUFFER);
        if let Err(cause) = conversation.look_up_family().await {
            return Err(Error::new(Operation::Open, Target::Table, cause));
        }
        let beside = |link| Self::new(conversation.beside(link, SHORT_BUFFER));
        let readers = readers.into_iter().map(beside).collect();
        Ok((Self::new(conversation), readers))
    }

    fn new(conversation: Conversation<L>) -> Self {
        Self { conversation, memory: Memory::default() }
    }
}

/// How to open a [`Handle`].
///
/// ```no_run
/// use std::time::Duration;
/// use ipvs_rs::Handle;
/// use ipvs_rs::transport::Netns;
///
/// let handle = Handle::builder()
///     .netns(Netns::named("blue")?)
///     .deadline(Duration::from_secs(2))
///     .open()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct HandleBuilder {
    deadline: Duration,
    #[cfg(target_os = "linux")]
    readers: usize,
    #[cfg(target_os = "linux")]
    netns: Netns,
    #[cfg(target_os = "linux")]
    options: SocketOptions,
}

impl HandleBuilder {
    fn new() -> Self {
        Self {
            deadline: Duration::from_secs(5),
            #[cfg(target_os = "linux")]
            readers: 1,
            #[cfg(target_os = "linux")]
            netns: Netns::current(),
            #[cfg(target_os = "linux")]
            options: SocketOptions::default(),
        }
    }

    /// How long one exchange with the kernel may wait for its answer; 5 seconds if nothing is said.
    ///
    /// A list counts as one exchange however long it is, a snapshot as one for each service. The kernel works on a
    /// request while it is being sent, and its answer is there when that is through: usually there is no waiting at all.
    /// For the same reason the deadline does not cut short a call during which the kernel loads a module.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The network namespace; that of the calling thread if nothing is said.
    ///
    /// The handle stays in it, wherever its users go. The socket is opened by a thread of its own that ends at once.
    #[cfg(target_os = "linux")]
    pub fn netns(mut self, netns: Netns) -> Self {
        self.netns = netns;
        self
    }

    /// The size of the socket's receive buffer in bytes; the system's default if nothing is said.
    ///
    /// With it grows the number of commands that a batch sends in one datagram, 200 by default. There is little to be
    /// gained above that.
    #[cfg(target_os = "linux")]
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.options.receive_buffer = Some(bytes);
        self
    }

    /// How many sockets there are for lists of destinations, beside the one for commands; 1 if nothing is said.
    ///
    /// The kernel makes the pieces of a list as long as the longest buffer that the socket has received with: short ones
    /// are best for the short lists of most services, long ones for everything else, so that a handle has one socket for
    /// each. 0 saves the descriptor where there are many handles, and makes a [snapshot](Handle::snapshot) of many small
    /// services dearer by some 15 %. The `_stable` forms compare what the two sockets say, which differ in where they cut a
    /// list; with one socket, a writer that removes something in every pass can hide the same entry in two.
    ///
    /// With 2 or more, as many threads make a snapshot of a blocking handle: worth it from Linux 7 on and where snapshots
    /// of thousands of services are awaited, for before that the kernel makes one list at a time. An async handle has 1
    /// at most.
    #[cfg(target_os = "linux")]
    pub fn readers(mut self, sockets: usize) -> Self {
        self.readers = sockets;
        self
    }

    /// Opens the handle.
    ///
    /// # Errors
    ///
    /// When the namespace cannot be entered ([`ErrorKind::Namespace`](crate::error::ErrorKind::Namespace)), when this
    /// kernel has no IPVS ([`is_not_available`](Error::is_not_available)), and when the system refuses a socket.
    ///
    /// # Kernel
    ///
    /// `CTRL_CMD_GETFAMILY`, upon which the kernel loads the module `ip_vs` by itself if it can.
    #[cfg(target_os = "linux")]
    pub fn open(self) -> Result<Handle, Error> {
        let (commands, readers) = self.sockets(self.readers)?;
        self.open_over_several(commands, readers)
    }

    /// Opens the handle over a transport of your own, which everything goes over.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_over<T: Transport + 'static>(self, transport: T) -> Result<Handle, Error> {
        self.open_over_several(transport, None::<T>)
    }

    /// Opens the handle over transports of your own: one for commands and long lists, and any number
    /// for lists of destinations that are expected to be short.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_over_several<T: Transport + 'static>(
        self,
        commands: impl Transport + 'static,
        readers: impl IntoIterator<Item = T>,
    ) -> Result<Handle, Error> {
        let link: Box<dyn Transport> = Box::new(commands);
        let readers = readers.into_iter().map(|reader| -> Box<dyn Transport> { Box::new(reader) });
        let (commands, readers) = block_on(Inner::open(link, readers, self.deadline))?;
        Ok(Handle { operations: Operations::new(Mutex::new(commands), readers.into_iter().map(Mutex::new)) })
    }

    /// The kernel's sockets, in the namespace: one for commands and so many readers.
    #[cfg(target_os = "linux")]
    fn sockets(&self, readers: usize) -> Result<(KernelSocket, Vec<KernelSocket>), Error> {
        let failed = |cause| Error::new(Operation::Open, Target::Table, cause);
        let options = self.options;
        let open = move || {
            let commands = KernelSocket::open(options)?;
            let readers = (0..readers).map(|_| KernelSocket::open(options)).collect::<io::Result<_>>()?;
            Ok((commands, readers))
        };
        let sockets = if self.netns.is_current() {
            open()
        } else {
            self.netns.run(open).map_err(|error| failed(Cause::Namespace(error)))?
        };
        sockets.map_err(|error| failed(Cause::Io(error)))
    }
}

impl Handle {
    /// Opens a handle to the network namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// As [`HandleBuilder::open`].
    #[cfg(target_os = "linux")]
    pub fn new() -> Result<Self, Error> {
        Self::builder().open()
    }

    /// Opens a handle with options.
    pub fn builder() -> HandleBuilder {
        HandleBuilder::new()
    }

    /// Makes a service.
    ///
    /// # Errors
    ///
    /// [`is_already_exists`](Error::is_already_exists), also when its settings are the same;
    /// [`is_scheduler_unavailable`](Error::is_scheduler_unavailable); [`is_invalid`](Error::is_invalid) when persistence
    /// groups clients in a way that does not fit the family of the service; those of
    /// [every operation](Self#errors-of-every-operation).
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_NEW_SERVICE`; `ipvsadm -A`. A missing scheduler module is loaded by the kernel.
    #[doc(alias = "IPVS_CMD_NEW_SERVICE")]
    #[doc(alias = "ipvsadm -A")]
    pub fn new_service(&self, service: &Service) -> Result<(), Error> {
        block_on(self.operations.new_service(service))
    }

    /// Replaces all settings of a service: scheduler, flags, persistence and its engine. Destinations, connections and
    /// counters stay.
    ///
    /// To change one thing and keep the rest, see [`modify_service`](Self::modify_service).
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found); otherwise as [`new_service`](Self::new_service).
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_SET_SERVICE`; `ipvsadm -E`.
    #[doc(alias = "IPVS_CMD_SET_SERVICE")]
    #[doc(alias = "ipvsadm -E")]
    pub fn update_service(&self, service: &Service) -> Result<(), Error> {
        block_on(self.operations.update_service(service))
    }

    /// Removes a service with its destinations.
    ///
    /// Its connections are cut off, as those of a [deleted destination](Self::delete_destination) are. Once the last
    /// service of a family is gone, IPVS looks at no packet of that family, and what still arrives goes the way of any
    /// other packet.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found).
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_DEL_SERVICE`; `ipvsadm -D`.
    #[doc(alias = "IPVS_CMD_DEL_SERVICE")]
    #[doc(alias = "ipvsadm -D")]
    #[doc(alias = "DelService")]
    pub fn delete_service(&self, id: &ServiceId) -> Result<(), Error> {
        block_on(self.operations.delete_service(id))
    }

    /// Reads one service; `None` when there is none.
    ///
    /// # Errors
    ///
    /// When it could not be read, which is not the same as its absence.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use ipvs_rs::Handle;
    ///
    /// match Handle::new()?.get_service(&"TCP 192.0.2.10:80".parse()?)? {
    ///     Some(entry) => println!("{} connections so far", entry.stats.connections),
    ///     None => println!("no such service"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_GET_SERVICE`.
    #[doc(alias = "IPVS_CMD_GET_SERVICE")]
    #[doc(alias = "IsServicePresent")]
    pub fn get_service(&self, id: &ServiceId) -> Result<Option<ServiceEntry>, Error> {
        block_on(self.operations.get_service(id))
    }

    /// Makes a destination of a service.
    ///
    /// A destination that was deleted within the last two or three minutes comes back with its counters, if the service is
    /// still the same. Meanwhile whatever is added costs more, the more was deleted:
    /// see [`Batch`](Batch#after-many-were-deleted).
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) when there is no such service;
    /// [`is_already_exists`](Error::is_already_exists); [`is_invalid`](Error::is_invalid) when the address is not of
    /// unicast, and when its family is not the service's although the method is not a tunnel or a synchronisation
    /// daemon runs.
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_NEW_DEST`; `ipvsadm -a`.
    #[doc(alias = "IPVS_CMD_NEW_DEST")]
    #[doc(alias = "ipvsadm -a")]
    pub fn new_destination(&self, service: &ServiceId, destination: &Destination) -> Result<(), Error> {
        block_on(self.operations.new_destination(service, destination))
    }

    /// Replaces all settings of a destination: method, weight, thresholds. Connections and counters stay; established
    /// connections keep the method that they began with.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) when there is no such service or destination;
    /// [`is_invalid`](Error::is_invalid) as for [`new_destination`](Self::new_destination).
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_SET_DEST`; `ipvsadm -e`.
    #[doc(alias = "IPVS_CMD_SET_DEST")]
    #[doc(alias = "ipvsadm -e")]
    pub fn update_destination(&self, service: &ServiceId, destination: &Destination) -> Result<(), Error> {
        block_on(self.operations.update_destination(service, destination))
    }

    /// Removes a destination.
    ///
    /// Its connections are cut off: the kernel remembers them, and drops their packets unless the destination comes
    /// back. With the sysctl `expire_nodest_conn` the next packet ends the connection. To let them finish, set the
    /// weight to 0 and wait until the entry [is idle](crate::DestinationEntry::is_idle).
    ///
    /// The kernel remembers it for two to three minutes. To replace many destinations at a time, see
    /// [`Batch`](Batch#after-many-were-deleted); for the weight alone, [`update_destination`](Self::update_destination) does.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) when there is no such service or destination.
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_DEL_DEST`; `ipvsadm -d`.
    #[doc(alias = "IPVS_CMD_DEL_DEST")]
    #[doc(alias = "ipvsadm -d")]
    #[doc(alias = "DelDestination")]
    pub fn delete_destination(&self, service: &ServiceId, id: &DestinationId) -> Result<(), Error> {
        block_on(self.operations.delete_destination(service, id))
    }

    /// Removes all services with their destinations. Success when there was none, too. Timeouts, synchronisation daemons
    /// and sysctls stay.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation).
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_FLUSH`; `ipvsadm -C`.
    #[doc(alias = "IPVS_CMD_FLUSH")]
    #[doc(alias = "ipvsadm -C")]
    pub fn flush(&self) -> Result<(), Error> {
        block_on(self.operations.flush())
    }

    /// Sets counters and rates to zero: of one service and its destinations, or of everything. Connections, and how many
    /// there are, stay.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) when there is no such service.
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_ZERO`; `ipvsadm -Z`.
    #[doc(alias = "IPVS_CMD_ZERO")]
    #[doc(alias = "ipvsadm -Z")]
    pub fn zero(&self, service: Option<&ServiceId>) -> Result<(), Error> {
        block_on(self.operations.zero(service))
    }

    /// Reads the timeouts of connections.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation).
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_GET_CONFIG`; `ipvsadm -L --timeout`.
    #[doc(alias = "IPVS_CMD_GET_CONFIG")]
    #[doc(alias = "ipvsadm -L --timeout")]
    pub fn get_config(&self) -> Result<Config, Error> {
        block_on(self.operations.get_config())
    }

    /// Sets those timeouts of connections that are given, all or none. A connection takes its new timeout with its next
    /// packet.
    ///
    /// # Errors
    ///
    /// [`is_invalid`](Error::is_invalid) when one is more than this kernel's clock can count.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use ipvs_rs::Handle;
    /// use ipvs_rs::model::Config;
    ///
    /// Handle::new()?.set_config(&Config::new().tcp(Duration::from_secs(3600))?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_SET_CONFIG`; `ipvsadm --set`.
    #[doc(alias = "IPVS_CMD_SET_CONFIG")]
    #[doc(alias = "ipvsadm --set")]
    pub fn set_config(&self, config: &Config) -> Result<(), Error> {
        block_on(self.operations.set_config(config))
    }

    /// Reads the version of IPVS and the size of its connection table.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation).
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_GET_INFO`.
    #[doc(alias = "IPVS_CMD_GET_INFO")]
    pub fn get_info(&self) -> Result<Info, Error> {
        block_on(self.operations.get_info())
    }

    /// Starts a synchronisation daemon.
    ///
    /// # Errors
    ///
    /// [`is_already_exists`](Error::is_already_exists) when one of this role runs; `ENODEV` when there is no such
    /// interface; [`is_invalid`](Error::is_invalid) when some destination is not of the family of its service.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use ipvs_rs::Handle;
    /// use ipvs_rs::model::{SyncDaemon, SyncRole};
    ///
    /// let handle = Handle::new()?;
    /// handle.start_sync(&SyncDaemon::master("eth1")?.sync_id(7))?;
    /// for daemon in handle.get_sync_daemons()? {
    ///     println!("{daemon}");
    /// }
    /// handle.stop_sync(SyncRole::Master)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_NEW_DAEMON`; `ipvsadm --start-daemon`.
    #[doc(alias = "IPVS_CMD_NEW_DAEMON")]
    #[doc(alias = "ipvsadm --start-daemon")]
    pub fn start_sync(&self, daemon: &SyncDaemon) -> Result<(), Error> {
        block_on(self.operations.start_sync(daemon))
    }

    /// Stops a synchronisation daemon.
    ///
    /// A daemon that is stopped right after its start may end without a word from the kernel. Then the list of daemons
    /// decides whether it has.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) when none of this role runs.
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_DEL_DAEMON`; `ipvsadm --stop-daemon`.
    #[doc(alias = "IPVS_CMD_DEL_DAEMON")]
    #[doc(alias = "ipvsadm --stop-daemon")]
    pub fn stop_sync(&self, role: SyncRole) -> Result<(), Error> {
        block_on(self.operations.stop_sync(role))
    }

    /// Reads the running synchronisation daemons, with what the kernel chose where nothing was said.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation).
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_GET_DAEMON`; `ipvsadm -L --daemon`.
    #[doc(alias = "IPVS_CMD_GET_DAEMON")]
    #[doc(alias = "ipvsadm -L --daemon")]
    pub fn get_sync_daemons(&self) -> Result<Vec<SyncDaemon>, Error> {
        block_on(self.operations.get_sync_daemons())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("conversation", &block_on(self.operations.lock()).conversation).finish()
    }
}
