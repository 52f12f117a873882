use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::task;

use super::mode::{Link, Mode};
use super::operations::Operations;
use super::{Consistency, HandleBuilder, Inner, Outcome};
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
/// It has the same methods, makes the same requests and returns the same errors; the methods are described there. Tasks
/// share it, or its clones, as threads share the other: a fair lock is held around one exchange, and tasks never see
/// each other's answers.
///
/// # Which of the two
///
/// The kernel executes a command *within* the system call that sends it, and its answer is there when that returns. So
/// there is almost nothing to await, and neither handle can make the kernel faster or interrupt it. Only answers that
/// were lost are waited for.
///
/// **This one** is for programs whose threads belong to a runtime and must not block: not for the lock while another
/// task reads a long list, and not until the deadline when an answer does not come. Between the datagrams of a list (up
/// to 32 KiB, about a hundred destinations) and those of a batch other tasks get their turn, and a call can be given up
/// at any time. Handles to a thousand namespaces do not need a thousand threads.
///
/// **The [blocking](crate::Handle) one** is the better choice in programs without a runtime, which need not get one for
/// this; where a thread does nothing else; and for the few commands that take the kernel long, and during which the
/// thread is blocked in either case: removing a service or changing its scheduler (up to some 30 milliseconds), and the
/// first use of a scheduler whose module must be loaded. Where that is too long for a worker of the runtime, make the
/// call from `tokio::task::spawn_blocking`.
///
/// # Giving up
///
/// Every future may be dropped at any time. A request that was sent by then is executed, so that **whether a command
/// was executed is not known** unless its future has returned; of a [batch](Self::batch) the datagrams that were sent
/// are executed, and the rest is not. Calls that consist of several exchanges (`snapshot`, `ensure_…`, `modify_…`) end
/// between or within two.
///
/// The handle can be used again at once: answers that were not received are discarded by the next call, and so is the
/// rest of a list that the kernel was still making.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), ipvs_rs::Error> {
/// use ipvs_rs::AsyncHandle;
///
/// let handle = AsyncHandle::new().await?;
/// // Tasks share it.
/// let (services, config) = tokio::join!(handle.get_services(), handle.get_config());
/// println!("{} services, {:?}", services?.len(), config?);
/// # Ok(())
/// # }
/// ```
///
/// The same over the kernel in memory of the feature `testing`:
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
/// assert_eq!(handle.get_services().await?.len(), 1);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "testing"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct AsyncHandle {
    pub(super) operations: Arc<Operations<Yielding>>,
}

/// The mode that yields to other tasks.
pub(super) type Yielding = Mutex<Inner<Socket>>;

/// A transport in a type of its own, which names no lifetime: when the compiler finds out whether a future can be sent
/// to another thread, it no longer knows that the trait object is `'static`, and would require the bound for every
/// lifetime.
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

impl Mode for Yielding {
    type Link = Socket;
    type Guard<'a> = MutexGuard<'a, Inner<Socket>>;

    fn lock(&self) -> impl Future<Output = Self::Guard<'_>> {
        Mutex::lock(self)
    }
}

/// The options for opening an [`AsyncHandle`].
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

    /// The network namespace, as [`HandleBuilder::netns`]; that of the thread that opens the handle by default.
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

    /// The number of sockets for lists of destinations, as [`HandleBuilder::readers`]: 0 or 1; more than 1 counts as 1.
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
    /// As [`HandleBuilder::open`]; and [`Io`](crate::error::ErrorKind::Io) when this runs outside a tokio runtime.
    ///
    /// # Panics
    ///
    /// When the runtime was built without I/O or without time, which would otherwise only show when the first answer is
    /// lost.
    #[cfg(target_os = "linux")]
    pub async fn open(self) -> Result<AsyncHandle, Error> {
        use crate::error::{Call, Cause, Target};

        let settings = &self.0.settings;
        let (mut commands, readers) = settings.sockets()?;
        let waited = commands.arrival(Duration::ZERO).await;
        let failed = |error| Error::new(Call::Open, Target::Table, Cause::Io(error));
        waited.map_err(|error| failed(error).within(settings.namespace().as_ref()))?;
        self.reader_transports(readers).open_over(commands).await
    }

    /// Opens the handle over a transport of your own, which carries every request.
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
    /// Opens a handle to the network namespace of the thread that polls the future.
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
}

/// Writes the methods that differ from those of the blocking handle only in how they wait.
macro_rules! as_blocking {
    ($($name:ident($($argument:ident: $type:ty),*) -> $value:ty;)*) => {
        impl AsyncHandle {
            $(
                #[doc = concat!("As [`Handle::", stringify!($name), "`](crate::Handle::", stringify!($name), ").")]
                ///
                /// # Errors
                ///
                #[doc = concat!("As [`Handle::", stringify!($name), "`](crate::Handle::", stringify!($name), ").")]
                pub async fn $name(&self, $($argument: $type),*) -> Result<$value, Error> {
                    self.operations.$name($($argument),*).await
                }
            )*
        }
    };
}

as_blocking! {
    new_service(service: &Service) -> ();
    update_service(service: &Service) -> ();
    delete_service(id: &ServiceId) -> ();
    get_service(id: &ServiceId) -> Option<ServiceEntry>;
    new_destination(service: &ServiceId, destination: &Destination) -> ();
    update_destination(service: &ServiceId, destination: &Destination) -> ();
    delete_destination(service: &ServiceId, id: &DestinationId) -> ();
    flush() -> ();
    zero_service(id: &ServiceId) -> ();
    zero_all() -> ();
    get_config() -> Config;
    set_config(config: &Config) -> ();
    get_info() -> Info;
    start_sync(daemon: &SyncDaemon) -> ();
    stop_sync(role: SyncRole) -> ();
    get_sync_daemons() -> Vec<SyncDaemon>;
    get_services() -> Vec<ServiceEntry>;
    get_services_with(consistency: Consistency) -> Vec<ServiceEntry>;
    for_each_service(visit: impl FnMut(&ServiceEntry)) -> Reading;
    get_destinations(service: &ServiceId) -> Vec<DestinationEntry>;
    get_destinations_with(service: &ServiceId, consistency: Consistency) -> Vec<DestinationEntry>;
    for_each_destination(service: &ServiceId, visit: impl FnMut(&DestinationEntry)) -> Reading;
    find_destinations(service: &ServiceId) -> Option<Vec<DestinationEntry>>;
    get_destination(service: &ServiceId, id: &DestinationId) -> Option<DestinationEntry>;
}

impl AsyncHandle {
    /// As [`Handle::snapshot`](crate::Handle::snapshot).
    ///
    /// # Errors
    ///
    /// As [`Handle::snapshot`](crate::Handle::snapshot).
    pub async fn snapshot(&self) -> Result<Table, Error> {
        self.snapshot_with(Consistency::Once).await
    }

    /// As [`Handle::snapshot_with`](crate::Handle::snapshot_with).
    ///
    /// # Errors
    ///
    /// As [`Handle::snapshot_with`](crate::Handle::snapshot_with).
    pub async fn snapshot_with(&self, consistency: Consistency) -> Result<Table, Error> {
        let mut table = Table::default();
        self.operations.snapshot_into(&mut table, consistency).await?;
        Ok(table)
    }

    /// As [`Handle::snapshot_into`](crate::Handle::snapshot_into). If the future is dropped, the table is incomplete.
    ///
    /// # Errors
    ///
    /// As [`Handle::snapshot_into`](crate::Handle::snapshot_into).
    pub async fn snapshot_into(&self, table: &mut Table) -> Result<Reading, Error> {
        self.operations.snapshot_into(table, Consistency::Once).await
    }
}

as_blocking! {
    ensure_service(service: &Service) -> Outcome;
    ensure_destination(service: &ServiceId, destination: &Destination) -> Outcome;
    remove_service(id: &ServiceId) -> Outcome;
    remove_destination(service: &ServiceId, id: &DestinationId) -> Outcome;
    modify_service(id: &ServiceId, change: impl FnOnce(&mut Service)) -> Outcome;
    modify_destination(service: &ServiceId, id: &DestinationId, change: impl FnOnce(&mut Destination)) -> Outcome;
}

impl fmt::Debug for AsyncHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.operations.show("AsyncHandle", f)
    }
}
