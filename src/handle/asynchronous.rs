use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::task;

use super::operations::Operations;
use super::side::{Link, Side};
use super::{Batch, HandleBuilder, Inner, Outcome};
use crate::error::Error;
use crate::model::{
    Config, Destination, DestinationEntry, DestinationId, Info, Reading, Service, ServiceEntry, ServiceId, SyncDaemon,
    SyncRole, Table,
};
#[cfg(target_os = "linux")]
use crate::transport::Netns;
use crate::transport::{AsyncTransport, Transport};

/// A [`Handle`](crate::Handle) for programs that run on tokio.
///
/// It has the same methods, makes the same requests and gives the same errors; what a method does is described there.
/// Tasks share it, or its clones, as threads share the other: one lock around one exchange, fair, and tasks never see
/// each other's answers.
///
/// # Which of the two
///
/// The kernel executes a command *within* the system call that sends it, and its answer is there when that returns. So
/// there is next to nothing to be awaited, and neither handle can make the kernel faster or interrupt it. Waiting is
/// for answers that got lost.
///
/// **This one** is for programs whose threads belong to a runtime and must not stand still: for the lock while somebody
/// else reads a long list, and for the deadline when an answer does not come. Between the datagrams of a list (up to
/// 32 KiB, about a hundred destinations) and those of a batch other tasks get their turn, and a call can be given up at
/// any time. Handles to a thousand namespaces need no thousand threads.
///
/// **The [blocking](crate::Handle) one** is the better choice in programs without a runtime, which need not get one for
/// this; where a thread does nothing else; and for the few commands that take the kernel long, and during which the
/// thread stands still either way: removing a service or changing its scheduler (up to some 30 milliseconds), and the
/// first use of a scheduler whose module must be loaded. Where that is too long for a worker of the runtime, make the
/// call from `tokio::task::spawn_blocking`.
///
/// # Giving up
///
/// Every future may be dropped at any time. What was sent by then is executed, so that **whether a command was executed
/// is not known** unless its future has said so; of a [batch](Self::batch) the datagrams that were sent are, and the rest
/// is not. Calls that consist of several exchanges (`snapshot`, `ensure_…`, `modify_…`) end between or within two.
///
/// The handle can be used further at once: answers that were not taken are thrown away by the next call, and so
/// is the rest of a list that the kernel was still making.
///
/// # Example
///
/// Over the kernel in memory of the feature `testing`. With the real one, begin with [`AsyncHandle::new`].
///
/// ```
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ipvs_rs::testing::FakeKernel;
/// use ipvs_rs::{AsyncHandle, Destination, ForwardMethod, Scheduler, Service};
///
/// let kernel = FakeKernel::new();
/// let handle = AsyncHandle::builder().open_over(kernel.transport()).await?;
///
/// let web = Service::new("tcp://192.0.2.10:80".parse()?, Scheduler::Wlc);
/// let server = Destination::new("10.0.0.2:8080".parse()?, ForwardMethod::Masquerade);
/// handle.new_service(&web).await?;
/// handle.ensure_destination(&web.id, &server).await?;
///
/// // Tasks share it.
/// let (services, config) = tokio::join!(handle.get_services(), handle.get_config());
/// assert_eq!(services?.len(), 1);
/// assert!(config?.tcp.is_some());
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "testing"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct AsyncHandle {
    pub(super) operations: Arc<Operations<Yielding>>,
}

/// The side that gives way to other tasks.
pub(super) type Yielding = Mutex<Inner<Socket>>;

/// A type of its own, because it names no lifetime: where the compiler finds out whether a future can be sent to another
/// thread, it has forgotten that a trait object lives for ever, and would ask for every lifetime.
#[derive(Debug)]
pub(super) struct Socket(Box<dyn AsyncTransport>);

impl Link for Socket {
    fn transport(&mut self) -> &mut dyn Transport {
        &mut *self.0
    }

    fn arrival(&mut self, timeout: Duration) -> impl Future<Output = io::Result<bool>> {
        self.0.arrival(timeout)
    }

    fn pause(&mut self) -> impl Future<Output = ()> {
        task::yield_now()
    }
}

impl Side for Yielding {
    type Link = Socket;
    type Guard<'a> = MutexGuard<'a, Inner<Socket>>;

    fn lock(&self) -> impl Future<Output = Self::Guard<'_>> {
        Mutex::lock(self)
    }
}

/// How to open an [`AsyncHandle`].
///
/// `R` is the type of [transports for readers](Self::reader_transports), if there are any.
///
/// ```no_run
/// # async fn open() -> Result<(), ipvs_rs::Error> {
/// use std::time::Duration;
/// use ipvs_rs::AsyncHandle;
/// use ipvs_rs::transport::Netns;
///
/// let handle = AsyncHandle::builder()
///     .netns(Netns::named("blue")?)
///     .deadline(Duration::from_secs(2))
///     .open()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AsyncHandleBuilder<R = ()>(HandleBuilder<R>);

impl<R> AsyncHandleBuilder<R> {
    /// As [`HandleBuilder::deadline`].
    pub fn deadline(self, deadline: Duration) -> Self {
        Self(self.0.deadline(deadline))
    }

    /// The network namespace, as [`HandleBuilder::netns`]; that of the thread that runs the opening if nothing is said.
    #[cfg(target_os = "linux")]
    pub fn netns(self, netns: Netns) -> Self {
        Self(self.0.netns(netns))
    }
}

impl AsyncHandleBuilder {
    /// As [`HandleBuilder::receive_buffer`].
    #[cfg(target_os = "linux")]
    pub fn receive_buffer(self, bytes: usize) -> Self {
        Self(self.0.receive_buffer(bytes))
    }

    /// How many sockets there are for lists of destinations, as [`HandleBuilder::readers`]: 0 or 1, which is also what
    /// more than 1 comes to.
    #[cfg(target_os = "linux")]
    pub fn readers(self, sockets: usize) -> Self {
        Self(self.0.readers(sockets.min(1)))
    }

    /// Adds transports of your own, as [`HandleBuilder::reader_transports`].
    pub fn reader_transports<T: AsyncTransport + 'static>(
        self,
        readers: impl IntoIterator<Item = T>,
    ) -> AsyncHandleBuilder<Vec<T>> {
        AsyncHandleBuilder(self.0.with_readers(readers))
    }

    /// Opens the handle.
    ///
    /// A socket in another namespace is opened by a thread of its own, as for the blocking handle.
    ///
    /// # Errors
    ///
    /// As [`HandleBuilder::open`]; and [`Io`](crate::error::ErrorKind::Io) when no runtime of tokio runs this.
    ///
    /// # Panics
    ///
    /// When the runtime was built without I/O or without time, which would otherwise show when the first answer is lost.
    #[cfg(target_os = "linux")]
    pub async fn open(self) -> Result<AsyncHandle, Error> {
        use crate::error::{Cause, Operation, Target};

        let settings = &self.0.settings;
        let (mut commands, readers) = settings.sockets()?;
        let waited = commands.arrival(Duration::ZERO).await;
        let failed = |error| Error::new(Operation::Open, Target::Table, Cause::Io(error));
        waited.map_err(|error| failed(error).within(settings.namespace().as_ref()))?;
        self.reader_transports(readers).open_over(commands).await
    }

    /// Opens the handle over a transport of your own, which everything goes over.
    ///
    /// # Errors
    ///
    /// As [`HandleBuilder::open`].
    pub async fn open_over<T: AsyncTransport + 'static>(self, transport: T) -> Result<AsyncHandle, Error> {
        self.reader_transports(None::<T>).open_over(transport).await
    }
}

impl<R: AsyncTransport + 'static> AsyncHandleBuilder<Vec<R>> {
    /// Opens the handle over transports of your own: this one for commands and long lists, and the readers for lists of
    /// destinations that are expected to be short.
    ///
    /// # Errors
    ///
    /// As [`HandleBuilder::open`].
    pub async fn open_over<T: AsyncTransport + 'static>(self, transport: T) -> Result<AsyncHandle, Error> {
        let HandleBuilder { settings, reader_transports: readers } = self.0;
        let readers: Vec<_> = readers.into_iter().map(|reader| Socket(Box::new(reader))).collect();
        let operations = settings.open_over(Socket(Box::new(transport)), readers, Mutex::new).await?;
        Ok(AsyncHandle { operations })
    }
}

impl AsyncHandle {
    /// Opens a handle to the network namespace of the thread that runs this.
    ///
    /// # Errors
    ///
    /// As [`AsyncHandleBuilder::open`].
    ///
    /// # Panics
    ///
    /// As [`AsyncHandleBuilder::open`].
    #[cfg(target_os = "linux")]
    pub async fn new() -> Result<Self, Error> {
        Self::builder().open().await
    }

    /// Opens a handle with options.
    pub fn builder() -> AsyncHandleBuilder {
        AsyncHandleBuilder(HandleBuilder::new())
    }

    /// Begins a batch of commands, as [`Handle::batch`](crate::Handle::batch).
    pub fn batch(&self) -> Batch<'_, Self> {
        Batch::new(self)
    }
}

impl AsyncHandle {
    /// As [`Handle::new_service`](crate::Handle::new_service).
    ///
    /// # Errors
    ///
    /// As [`Handle::new_service`](crate::Handle::new_service).
    pub async fn new_service(&self, service: &Service) -> Result<(), Error> {
        self.operations.new_service(service).await
    }

    /// As [`Handle::update_service`](crate::Handle::update_service).
    ///
    /// # Errors
    ///
    /// As [`Handle::update_service`](crate::Handle::update_service).
    pub async fn update_service(&self, service: &Service) -> Result<(), Error> {
        self.operations.update_service(service).await
    }

    /// As [`Handle::delete_service`](crate::Handle::delete_service).
    ///
    /// # Errors
    ///
    /// As [`Handle::delete_service`](crate::Handle::delete_service).
    pub async fn delete_service(&self, id: &ServiceId) -> Result<(), Error> {
        self.operations.delete_service(id).await
    }

    /// As [`Handle::get_service`](crate::Handle::get_service).
    ///
    /// # Errors
    ///
    /// As [`Handle::get_service`](crate::Handle::get_service).
    pub async fn get_service(&self, id: &ServiceId) -> Result<Option<ServiceEntry>, Error> {
        self.operations.get_service(id).await
    }

    /// As [`Handle::new_destination`](crate::Handle::new_destination).
    ///
    /// # Errors
    ///
    /// As [`Handle::new_destination`](crate::Handle::new_destination).
    pub async fn new_destination(&self, service: &ServiceId, destination: &Destination) -> Result<(), Error> {
        self.operations.new_destination(service, destination).await
    }

    /// As [`Handle::update_destination`](crate::Handle::update_destination).
    ///
    /// # Errors
    ///
    /// As [`Handle::update_destination`](crate::Handle::update_destination).
    pub async fn update_destination(&self, service: &ServiceId, destination: &Destination) -> Result<(), Error> {
        self.operations.update_destination(service, destination).await
    }

    /// As [`Handle::delete_destination`](crate::Handle::delete_destination).
    ///
    /// # Errors
    ///
    /// As [`Handle::delete_destination`](crate::Handle::delete_destination).
    pub async fn delete_destination(&self, service: &ServiceId, id: &DestinationId) -> Result<(), Error> {
        self.operations.delete_destination(service, id).await
    }

    /// As [`Handle::flush`](crate::Handle::flush).
    ///
    /// # Errors
    ///
    /// As [`Handle::flush`](crate::Handle::flush).
    pub async fn flush(&self) -> Result<(), Error> {
        self.operations.flush().await
    }

    /// As [`Handle::zero`](crate::Handle::zero).
    ///
    /// # Errors
    ///
    /// As [`Handle::zero`](crate::Handle::zero).
    pub async fn zero(&self, service: Option<&ServiceId>) -> Result<(), Error> {
        self.operations.zero(service).await
    }

    /// As [`Handle::get_config`](crate::Handle::get_config).
    ///
    /// # Errors
    ///
    /// As [`Handle::get_config`](crate::Handle::get_config).
    pub async fn get_config(&self) -> Result<Config, Error> {
        self.operations.get_config().await
    }

    /// As [`Handle::set_config`](crate::Handle::set_config).
    ///
    /// # Errors
    ///
    /// As [`Handle::set_config`](crate::Handle::set_config).
    pub async fn set_config(&self, config: &Config) -> Result<(), Error> {
        self.operations.set_config(config).await
    }

    /// As [`Handle::get_info`](crate::Handle::get_info).
    ///
    /// # Errors
    ///
    /// As [`Handle::get_info`](crate::Handle::get_info).
    pub async fn get_info(&self) -> Result<Info, Error> {
        self.operations.get_info().await
    }

    /// As [`Handle::start_sync`](crate::Handle::start_sync).
    ///
    /// # Errors
    ///
    /// As [`Handle::start_sync`](crate::Handle::start_sync).
    pub async fn start_sync(&self, daemon: &SyncDaemon) -> Result<(), Error> {
        self.operations.start_sync(daemon).await
    }

    /// As [`Handle::stop_sync`](crate::Handle::stop_sync).
    ///
    /// # Errors
    ///
    /// As [`Handle::stop_sync`](crate::Handle::stop_sync).
    pub async fn stop_sync(&self, role: SyncRole) -> Result<(), Error> {
        self.operations.stop_sync(role).await
    }

    /// As [`Handle::get_sync_daemons`](crate::Handle::get_sync_daemons).
    ///
    /// # Errors
    ///
    /// As [`Handle::get_sync_daemons`](crate::Handle::get_sync_daemons).
    pub async fn get_sync_daemons(&self) -> Result<Vec<SyncDaemon>, Error> {
        self.operations.get_sync_daemons().await
    }

    /// As [`Handle::get_services`](crate::Handle::get_services).
    ///
    /// # Errors
    ///
    /// As [`Handle::get_services`](crate::Handle::get_services).
    pub async fn get_services(&self) -> Result<Vec<ServiceEntry>, Error> {
        self.operations.get_services().await
    }

    /// As [`Handle::get_services_stable`](crate::Handle::get_services_stable).
    ///
    /// # Errors
    ///
    /// As [`Handle::get_services_stable`](crate::Handle::get_services_stable).
    pub async fn get_services_stable(&self, attempts: u32) -> Result<Vec<ServiceEntry>, Error> {
        self.operations.get_services_stable(attempts).await
    }

    /// As [`Handle::for_each_service`](crate::Handle::for_each_service).
    ///
    /// # Errors
    ///
    /// As [`Handle::for_each_service`](crate::Handle::for_each_service).
    pub async fn for_each_service(&self, visit: impl FnMut(&ServiceEntry)) -> Result<Reading, Error> {
        self.operations.for_each_service(visit).await
    }

    /// As [`Handle::get_destinations`](crate::Handle::get_destinations).
    ///
    /// # Errors
    ///
    /// As [`Handle::get_destinations`](crate::Handle::get_destinations).
    pub async fn get_destinations(&self, service: &ServiceId) -> Result<Vec<DestinationEntry>, Error> {
        self.operations.get_destinations(service).await
    }

    /// As [`Handle::get_destinations_stable`](crate::Handle::get_destinations_stable).
    ///
    /// # Errors
    ///
    /// As [`Handle::get_destinations_stable`](crate::Handle::get_destinations_stable).
    pub async fn get_destinations_stable(
        &self,
        service: &ServiceId,
        attempts: u32,
    ) -> Result<Vec<DestinationEntry>, Error> {
        self.operations.get_destinations_stable(service, attempts).await
    }

    /// As [`Handle::for_each_destination`](crate::Handle::for_each_destination).
    ///
    /// # Errors
    ///
    /// As [`Handle::for_each_destination`](crate::Handle::for_each_destination).
    pub async fn for_each_destination(
        &self,
        service: &ServiceId,
        visit: impl FnMut(&DestinationEntry),
    ) -> Result<Reading, Error> {
        self.operations.for_each_destination(service, visit).await
    }

    /// As [`Handle::get_destinations_of_existing`](crate::Handle::get_destinations_of_existing).
    ///
    /// # Errors
    ///
    /// As [`Handle::get_destinations_of_existing`](crate::Handle::get_destinations_of_existing).
    pub async fn get_destinations_of_existing(
        &self,
        service: &ServiceId,
    ) -> Result<Option<Vec<DestinationEntry>>, Error> {
        self.operations.get_destinations_of_existing(service).await
    }

    /// As [`Handle::get_destination`](crate::Handle::get_destination).
    ///
    /// # Errors
    ///
    /// As [`Handle::get_destination`](crate::Handle::get_destination).
    pub async fn get_destination(
        &self,
        service: &ServiceId,
        id: &DestinationId,
    ) -> Result<Option<DestinationEntry>, Error> {
        self.operations.get_destination(service, id).await
    }

    /// As [`Handle::snapshot`](crate::Handle::snapshot).
    ///
    /// # Errors
    ///
    /// As [`Handle::snapshot`](crate::Handle::snapshot).
    pub async fn snapshot(&self) -> Result<Table, Error> {
        let mut table = Table::default();
        self.operations.snapshot_into(&mut table, None).await?;
        Ok(table)
    }

    /// As [`Handle::snapshot_into`](crate::Handle::snapshot_into). Given up, it leaves some of the table.
    ///
    /// # Errors
    ///
    /// As [`Handle::snapshot_into`](crate::Handle::snapshot_into).
    pub async fn snapshot_into(&self, table: &mut Table) -> Result<Reading, Error> {
        self.operations.snapshot_into(table, None).await
    }

    /// As [`Handle::snapshot_stable`](crate::Handle::snapshot_stable).
    ///
    /// # Errors
    ///
    /// As [`Handle::snapshot_stable`](crate::Handle::snapshot_stable).
    pub async fn snapshot_stable(&self, attempts: u32) -> Result<Table, Error> {
        let mut table = Table::default();
        self.operations.snapshot_into(&mut table, Some(attempts)).await?;
        Ok(table)
    }

    /// As [`Handle::ensure_service`](crate::Handle::ensure_service).
    ///
    /// # Errors
    ///
    /// As [`Handle::ensure_service`](crate::Handle::ensure_service).
    pub async fn ensure_service(&self, service: &Service) -> Result<Outcome, Error> {
        self.operations.ensure_service(service).await
    }

    /// As [`Handle::ensure_destination`](crate::Handle::ensure_destination).
    ///
    /// # Errors
    ///
    /// As [`Handle::ensure_destination`](crate::Handle::ensure_destination).
    pub async fn ensure_destination(&self, service: &ServiceId, destination: &Destination) -> Result<Outcome, Error> {
        self.operations.ensure_destination(service, destination).await
    }

    /// As [`Handle::remove_service`](crate::Handle::remove_service).
    ///
    /// # Errors
    ///
    /// As [`Handle::remove_service`](crate::Handle::remove_service).
    pub async fn remove_service(&self, id: &ServiceId) -> Result<Outcome, Error> {
        self.operations.remove_service(id).await
    }

    /// As [`Handle::remove_destination`](crate::Handle::remove_destination).
    ///
    /// # Errors
    ///
    /// As [`Handle::remove_destination`](crate::Handle::remove_destination).
    pub async fn remove_destination(&self, service: &ServiceId, id: &DestinationId) -> Result<Outcome, Error> {
        self.operations.remove_destination(service, id).await
    }

    /// As [`Handle::modify_service`](crate::Handle::modify_service).
    ///
    /// # Errors
    ///
    /// As [`Handle::modify_service`](crate::Handle::modify_service).
    pub async fn modify_service(&self, id: &ServiceId, change: impl FnOnce(&mut Service)) -> Result<Outcome, Error> {
        self.operations.modify_service(id, change).await
    }

    /// As [`Handle::modify_destination`](crate::Handle::modify_destination).
    ///
    /// # Errors
    ///
    /// As [`Handle::modify_destination`](crate::Handle::modify_destination).
    pub async fn modify_destination(
        &self,
        service: &ServiceId,
        id: &DestinationId,
        change: impl FnOnce(&mut Destination),
    ) -> Result<Outcome, Error> {
        self.operations.modify_destination(service, id, change).await
    }
}

impl fmt::Debug for AsyncHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.operations.show("AsyncHandle", f)
    }
}
