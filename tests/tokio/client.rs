//! The async handle in the clothes of the blocking one, so that what is true of one is asked of the other, too.

use std::ops::ControlFlow;
use std::time::Duration;

use ipvs_rs::handle::{self, BatchCommand, BatchProgress, BatchReport, Consistency, Outcome};
use ipvs_rs::model::{Config, Info, Reading, SyncDaemon, SyncRole};
use ipvs_rs::transport::{Arrival, AsyncTransport, Limits, Received, Transport};
use ipvs_rs::{
    AsyncHandle, Destination, DestinationEntry, DestinationId, Error, Service, ServiceEntry, ServiceId, Table,
};
use tokio::runtime::{Builder, Runtime};
use tokio::task;

thread_local! {
    /// Each thread has a runtime of its own, so that it stays in its namespace, and handles go from one to the other.
    static RUNTIME: Runtime = Builder::new_current_thread().enable_all().build().unwrap();
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.with(|runtime| runtime.block_on(work))
}

#[derive(Debug)]
pub struct Handle {
    inner: AsyncHandle,
}

pub struct HandleBuilder(handle::AsyncHandleBuilder);

pub struct Batch<'h>(handle::Batch<'h, AsyncHandle>);

impl Handle {
    pub fn builder() -> HandleBuilder {
        HandleBuilder(AsyncHandle::builder())
    }

    pub fn batch(&self) -> Batch<'_> {
        Batch(self.inner.batch())
    }

    pub fn modify_service(&self, id: &ServiceId, change: impl FnOnce(&mut Service)) -> Result<Outcome, Error> {
        block_on(self.inner.modify_service(id, change))
    }

    pub fn modify_destination(
        &self,
        service: &ServiceId,
        id: &DestinationId,
        change: impl FnOnce(&mut Destination),
    ) -> Result<Outcome, Error> {
        block_on(self.inner.modify_destination(service, id, change))
    }
}

impl HandleBuilder {
    pub fn deadline(self, deadline: Duration) -> Self {
        Self(self.0.deadline(deadline))
    }

    #[cfg(target_os = "linux")]
    #[allow(dead_code, reason = "for the real kernel only")]
    pub fn receive_buffer(self, bytes: usize) -> Self {
        Self(self.0.receive_buffer(bytes))
    }

    #[cfg(target_os = "linux")]
    #[allow(dead_code, reason = "for the real kernel only")]
    pub fn open(self) -> Result<Handle, Error> {
        block_on(self.0.open()).map(|inner| Handle { inner })
    }

    pub fn open_over(self, transport: impl Transport + 'static) -> Result<Handle, Error> {
        block_on(self.0.open_over(YieldingSocket(transport))).map(|inner| Handle { inner })
    }
}

/// The methods that differ in nothing but the waiting.
macro_rules! methods {
    ($($name:ident($($argument:ident: $type:ty),*) -> $value:ty;)*) => {
        impl Handle {
            $(pub fn $name(&self, $($argument: $type),*) -> Result<$value, Error> {
                block_on(self.inner.$name($($argument),*))
            })*
        }
    };
}
methods! {
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
    get_destinations(service: &ServiceId) -> Vec<DestinationEntry>;
    find_destinations(service: &ServiceId) -> Option<Vec<DestinationEntry>>;
    get_destination(service: &ServiceId, id: &DestinationId) -> Option<DestinationEntry>;
    get_services_with(consistency: Consistency) -> Vec<ServiceEntry>;
    for_each_service(visit: impl FnMut(&ServiceEntry)) -> Reading;
    get_destinations_with(service: &ServiceId, consistency: Consistency) -> Vec<DestinationEntry>;
    for_each_destination(service: &ServiceId, visit: impl FnMut(&DestinationEntry)) -> Reading;
    snapshot() -> Table;
    snapshot_into(table: &mut Table) -> Reading;
    snapshot_with(consistency: Consistency) -> Table;
    ensure_service(service: &Service) -> Outcome;
    ensure_destination(service: &ServiceId, destination: &Destination) -> Outcome;
    remove_service(id: &ServiceId) -> Outcome;
    remove_destination(service: &ServiceId, id: &DestinationId) -> Outcome;
}

/// The commands of a batch.
macro_rules! commands {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        impl Batch<'_> {
            $(pub fn $name(self, $($argument: $type),*) -> Self {
                Self(self.0.$name($($argument),*))
            })*
        }
    };
}
commands! {
    new_service(service: &Service);
    update_service(service: &Service);
    delete_service(id: &ServiceId);
    ensure_service(service: &Service);
    remove_service(id: &ServiceId);
    new_destination(service: &ServiceId, destination: &Destination);
    update_destination(service: &ServiceId, destination: &Destination);
    delete_destination(service: &ServiceId, id: &DestinationId);
    ensure_destination(service: &ServiceId, destination: &Destination);
    remove_destination(service: &ServiceId, id: &DestinationId);
    zero_service(id: &ServiceId);
    zero_all();
    flush();
    set_config(config: &Config);
}

impl Batch<'_> {
    pub fn push(&mut self, command: BatchCommand) -> &mut Self {
        self.0.push(command);
        self
    }

    pub fn extend(&mut self, commands: impl IntoIterator<Item = BatchCommand>) {
        self.0.extend(commands);
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[allow(dead_code, reason = "not in every suite")]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[allow(dead_code, reason = "not in every suite")]
    pub fn send_with_progress(self, watch: impl FnMut(BatchProgress) -> ControlFlow<()>) -> Result<BatchReport, Error> {
        block_on(self.0.send_with_progress(watch))
    }

    pub fn send(self) -> Result<BatchReport, Error> {
        block_on(self.0.send())
    }
}

/// A transport that lets others have their turn before it waits.
#[derive(Debug)]
struct YieldingSocket<T>(T);

impl<T: Transport> Transport for YieldingSocket<T> {
    fn port(&self) -> u32 {
        self.0.port()
    }

    fn limits(&self) -> Limits {
        self.0.limits()
    }

    fn send(&mut self, datagram: &[u8]) -> std::io::Result<()> {
        self.0.send(datagram)
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> std::io::Result<Option<Received>> {
        self.0.try_receive(buffer)
    }

    fn wait(&mut self, _timeout: Duration) -> std::io::Result<bool> {
        panic!("an async handle never blocks")
    }
}

impl<T: Transport> AsyncTransport for YieldingSocket<T> {
    fn arrival(&mut self, timeout: Duration) -> Arrival<'_> {
        Box::pin(async move {
            task::yield_now().await;
            self.0.wait(timeout)
        })
    }
}
