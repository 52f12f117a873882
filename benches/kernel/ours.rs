//! The library.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ipvs_rs::handle::Batch;
use ipvs_rs::transport::{KernelSocket, Limits, Received, SocketOptions, Transport};
use ipvs_rs::{Handle, Service};

use crate::client::{BATCH, Client, Single, Work, timed};
use crate::load::Load;

pub struct Ours {
    handle: Handle,
    calls: Option<Arc<AtomicU64>>,
}

impl Ours {
    pub fn open() -> Self {
        Self { handle: Handle::new().unwrap(), calls: None }
    }

    /// The same with its system calls counted.
    pub fn counted() -> Self {
        let calls = Arc::new(AtomicU64::new(0));
        let open = || Counted { socket: KernelSocket::open(SocketOptions::default()).unwrap(), calls: calls.clone() };
        let handle = Handle::builder().reader_transports([open()]).open_over(open()).unwrap();
        Self { handle, calls: Some(calls) }
    }
}

impl Client for Ours {
    fn work(&mut self, work: Work, load: &Load) -> Option<Duration> {
        let handle = &self.handle;
        Some(match work {
            Work::AddServices => timed(|| load.services.iter().for_each(|it| handle.new_service(it).unwrap())),
            Work::AddDestinations => {
                timed(|| load.destinations.iter().for_each(|(id, it)| handle.new_destination(id, it).unwrap()))
            }
            Work::AddDestinationsInBatches => {
                in_batches(handle, &load.destinations, |batch, (id, it)| batch.new_destination(id, it))
            }
            Work::Update => {
                timed(|| load.changed.iter().for_each(|(id, it)| handle.update_destination(id, it).unwrap()))
            }
            Work::UpdateInBatches => {
                in_batches(handle, &load.changed, |batch, (id, it)| batch.update_destination(id, it))
            }
            Work::Snapshot => timed(|| handle.snapshot().unwrap()),
            Work::DeleteDestinations => {
                timed(|| load.destinations.iter().for_each(|(id, it)| handle.delete_destination(id, &it.id).unwrap()))
            }
            Work::Flush => timed(|| handle.flush().unwrap()),
            Work::Create => {
                add_services(handle, &load.services)
                    + in_batches(handle, &load.destinations, |batch, (id, it)| batch.new_destination(id, it))
            }
            Work::Delete => {
                in_batches(handle, &load.destinations, |batch, (id, it)| batch.delete_destination(id, &it.id))
                    + in_batches(handle, &load.services, |batch, it| batch.delete_service(&it.id))
            }
            // This is for `ipvsadm -R`.
            Work::Restore => return None,
        })
    }

    fn singles(&mut self, single: Single, load: &Load, samples: usize) -> Vec<Duration> {
        (0..samples)
            .map(|sample| match single {
                Single::Get => {
                    let id = load.services[sample % load.services.len()].id;
                    timed(|| self.handle.get_service(&id).unwrap().unwrap())
                }
                Single::Update => {
                    let (id, destination) = &load.changed[sample % load.changed.len()];
                    timed(|| self.handle.update_destination(id, destination).unwrap())
                }
            })
            .collect()
    }

    fn calls(&self) -> Option<u64> {
        Some(self.calls.as_ref()?.load(Ordering::Relaxed))
    }
}

#[expect(clippy::redundant_closure_for_method_calls, reason = "the method alone is not for every lifetime")]
pub fn add_services(handle: &Handle, services: &[Service]) -> Duration {
    in_batches(handle, services, |batch, it| batch.new_service(it))
}

/// Batches of the same size as those of the floor.
pub fn in_batches<T>(handle: &Handle, items: &[T], add: impl for<'h> Fn(Batch<'h>, &T) -> Batch<'h>) -> Duration {
    timed(|| {
        for chunk in items.chunks(BATCH) {
            chunk.iter().fold(handle.batch(), &add).send().unwrap().into_result().unwrap();
        }
    })
}

/// A socket that counts its system calls; each function makes one.
#[derive(Debug)]
struct Counted {
    socket: KernelSocket,
    calls: Arc<AtomicU64>,
}

impl Counted {
    fn count(&mut self) -> &mut KernelSocket {
        self.calls.fetch_add(1, Ordering::Relaxed);
        &mut self.socket
    }
}

impl Transport for Counted {
    fn port(&self) -> u32 {
        self.socket.port()
    }

    fn limits(&self) -> Limits {
        self.socket.limits()
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.count().send(datagram)
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        self.count().try_receive(buffer)
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        self.count().wait(timeout)
    }
}
