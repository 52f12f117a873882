use std::fmt;
use std::sync::{Arc, Mutex};

use super::HandleBuilder;
use super::mode::{Blocking, block_on};
use super::operations::Operations;
use crate::error::Error;
use crate::model::{Config, Destination, DestinationId, Info, Service, ServiceEntry, ServiceId, SyncDaemon, SyncRole};
use crate::transport::Transport;

/// A connection to the IPVS of one network namespace.
///
/// Open it with [`new`](Self::new), or with options by a [`builder`](Self::builder): in another network namespace, with
/// another deadline, over a transport of your own.
///
/// It can be shared: it is `Send + Sync`, and its methods take `&self`. A clone is the same handle, with the same
/// sockets, locks and deadline. Each of its sockets (one for commands and long lists, [one](HandleBuilder::readers) for
/// short ones) has a lock that is held around one exchange with the kernel, so that threads never see each other's
/// answers; for commands in quantity a [batch](Self::batch) is worth more than threads are.
///
/// No exchange waits for an answer longer than the handle's [deadline](HandleBuilder::deadline). Success is reported
/// only when the kernel confirmed it. After any failure the handle can still be used.
///
/// # Errors of every operation
///
/// * [`is_permission_denied`](Error::is_permission_denied): the caller lacks `CAP_NET_ADMIN` in the initial user
///   namespace. Only opening a handle does not require it.
/// * [`is_timeout`](Error::is_timeout), [`Lost`](crate::error::ErrorKind::Lost),
///   [`Decode`](crate::error::ErrorKind::Decode): no answer, or none that could be read. Whether a command was executed
///   is not known then.
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
/// # Ok::<(), ipvs_rs::Error>(())
/// ```
#[derive(Clone)]
pub struct Handle {
    pub(super) operations: Arc<Operations<Blocking>>,
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

    /// Creates a service.
    ///
    /// # Errors
    ///
    /// [`is_already_exists`](Error::is_already_exists), also when its settings are the same;
    /// [`is_scheduler_unavailable`](Error::is_scheduler_unavailable); [`is_invalid`](Error::is_invalid) when
    /// persistence groups clients by a netmask that does not fit the family of the service; those of
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
    /// service of a family is gone, IPVS no longer looks at packets of that family, and those that still arrive are
    /// routed like any other packet.
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

    /// Reads one service; `None` when the service does not exist.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation); an absent service is not an error.
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
    /// # Ok::<(), ipvs_rs::Error>(())
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

    /// Creates a destination of a service.
    ///
    /// A destination that was deleted within the last two or three minutes comes back with its counters, if the service
    /// is still the same. During that time adding any destination costs more, the more were deleted: see
    /// [`Batch`](super::Batch#after-many-were-deleted).
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) when the service does not exist;
    /// [`is_already_exists`](Error::is_already_exists); [`is_invalid`](Error::is_invalid) when the address is not a
    /// unicast address, and when its family is not the service's although the forwarding method is not a tunnel or a
    /// synchronization daemon runs.
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_NEW_DEST`; `ipvsadm -a`.
    #[doc(alias = "IPVS_CMD_NEW_DEST")]
    #[doc(alias = "ipvsadm -a")]
    pub fn new_destination(&self, service: &ServiceId, destination: &Destination) -> Result<(), Error> {
        block_on(self.operations.new_destination(service, destination))
    }

    /// Replaces all settings of a destination: forwarding method, weight, thresholds. Connections and counters stay;
    /// established connections keep the forwarding method that they began with.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) when the service or destination does not exist;
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
    /// [`Batch`](super::Batch#after-many-were-deleted); for the weight alone,
    /// [`update_destination`](Self::update_destination) suffices.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) when the service or destination does not exist.
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

    /// Removes all services with their destinations. Succeeds also when there are none. Timeouts, synchronization
    /// daemons and sysctls stay.
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

    /// Sets counters and rates of a service and its destinations to zero. Connections, and their numbers, stay.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) when the service does not exist.
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_ZERO`; `ipvsadm -Z` with a service.
    #[doc(alias = "IPVS_CMD_ZERO")]
    #[doc(alias = "ipvsadm -Z")]
    pub fn zero_service(&self, id: &ServiceId) -> Result<(), Error> {
        block_on(self.operations.zero_service(id))
    }

    /// Sets all counters and rates to zero: of every service and destination, and the totals of the network namespace.
    /// Connections, and their numbers, stay.
    ///
    /// # Errors
    ///
    /// Those of [every operation](Self#errors-of-every-operation).
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_ZERO`; `ipvsadm -Z`.
    #[doc(alias = "IPVS_CMD_ZERO")]
    #[doc(alias = "ipvsadm -Z")]
    pub fn zero_all(&self) -> Result<(), Error> {
        block_on(self.operations.zero_all())
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

    /// Sets the timeouts of connections that are given, either all of them or none. A connection takes its new timeout
    /// with its next packet.
    ///
    /// # Errors
    ///
    /// [`is_invalid`](Error::is_invalid) when a timeout is longer than this kernel's clock can count.
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
    /// # Ok::<(), ipvs_rs::Error>(())
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

    /// Starts a synchronization daemon.
    ///
    /// # Errors
    ///
    /// [`is_already_exists`](Error::is_already_exists) when a daemon of this role runs; `ENODEV` when there is no such
    /// interface; [`is_invalid`](Error::is_invalid) when a destination is not of the family of its service.
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
    /// # Ok::<(), ipvs_rs::Error>(())
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

    /// Stops a synchronization daemon.
    ///
    /// When a daemon is stopped right after its start, the kernel may end it without an answer. Then the list of
    /// daemons decides whether it has ended.
    ///
    /// # Errors
    ///
    /// [`is_not_found`](Error::is_not_found) when no daemon of this role runs.
    ///
    /// # Kernel
    ///
    /// `IPVS_CMD_DEL_DAEMON`; `ipvsadm --stop-daemon`.
    #[doc(alias = "IPVS_CMD_DEL_DAEMON")]
    #[doc(alias = "ipvsadm --stop-daemon")]
    pub fn stop_sync(&self, role: SyncRole) -> Result<(), Error> {
        block_on(self.operations.stop_sync(role))
    }

    /// Reads the running synchronization daemons, with the values that the kernel chose where none were given.
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

impl HandleBuilder {
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
        let (commands, readers) = self.settings.sockets()?;
        self.reader_transports(readers).open_over(commands)
    }

    /// Opens the handle over a transport of your own, which carries every request.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_over<T: Transport + 'static>(self, transport: T) -> Result<Handle, Error> {
        self.reader_transports(None::<T>).open_over(transport)
    }
}

impl<R: Transport + 'static> HandleBuilder<Vec<R>> {
    /// Opens the handle over transports of your own: this one for commands and long lists, and the readers for lists of
    /// destinations that are expected to be short.
    ///
    /// # Errors
    ///
    /// As [`open`](HandleBuilder::open).
    pub fn open_over<T: Transport + 'static>(self, transport: T) -> Result<Handle, Error> {
        let Self { settings, reader_transports: readers } = self;
        let link: Box<dyn Transport> = Box::new(transport);
        let readers = readers.into_iter().map(|reader| -> Box<dyn Transport> { Box::new(reader) });
        let opened = settings.open_over(link, readers, Mutex::new);
        Ok(Handle { operations: block_on(opened)? })
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.operations.show("Handle", f)
    }
}
