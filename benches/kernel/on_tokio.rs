//! The async handle, on a runtime with one thread.

use std::future::Future;
use std::time::{Duration, Instant};

use ipvs_rs::AsyncHandle;
use ipvs_rs::handle::Batch;
use tokio::runtime::{Builder, Runtime};

use crate::client::{BATCH, Client, Single, Work};
use crate::load::Load;

pub struct OnTokio {
    runtime: Runtime,
    handle: AsyncHandle,
}

impl OnTokio {
    pub fn open() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.block_on(AsyncHandle::new()).unwrap();
        Self { runtime, handle }
    }

    /// Measures the time that something takes within the runtime. Its result is dropped afterwards.
    fn timed<T>(&self, work: impl Future<Output = T>) -> Duration {
        self.runtime.block_on(timed(work))
    }
}

async fn timed<T>(work: impl Future<Output = T>) -> Duration {
    let start = Instant::now();
    let made = work.await;
    let taken = start.elapsed();
    drop(made);
    taken
}

impl Client for OnTokio {
    fn work(&mut self, work: Work, load: &Load) -> Option<Duration> {
        let handle = &self.handle;
        Some(match work {
            Work::AddServices => self.timed(async {
                for service in &load.services {
                    handle.new_service(service).await.unwrap();
                }
            }),
            Work::AddDestinations => self.timed(async {
                for (id, destination) in &load.destinations {
                    handle.new_destination(id, destination).await.unwrap();
                }
            }),
            Work::AddDestinationsInBatches => {
                self.timed(in_batches(handle, &load.destinations, |batch, (id, it)| batch.new_destination(id, it)))
            }
            Work::Update => self.timed(async {
                for (id, destination) in &load.changed {
                    handle.update_destination(id, destination).await.unwrap();
                }
            }),
            Work::UpdateInBatches => {
                self.timed(in_batches(handle, &load.changed, |batch, (id, it)| batch.update_destination(id, it)))
            }
            Work::Snapshot => self.timed(async { handle.snapshot().await.unwrap() }),
            Work::DeleteDestinations => self.timed(async {
                for (id, destination) in &load.destinations {
                    handle.delete_destination(id, &destination.id).await.unwrap();
                }
            }),
            Work::Flush => self.timed(async { handle.flush().await.unwrap() }),
            Work::Restore | Work::Create | Work::Delete => return None,
        })
    }

    fn singles(&mut self, single: Single, load: &Load, samples: usize) -> Vec<Duration> {
        let handle = &self.handle;
        self.runtime.block_on(async {
            let mut taken = Vec::with_capacity(samples);
            for sample in 0..samples {
                taken.push(match single {
                    Single::Get => {
                        let id = load.services[sample % load.services.len()].id;
                        timed(async { handle.get_service(&id).await.unwrap().unwrap() }).await
                    }
                    Single::Update => {
                        let (id, destination) = &load.changed[sample % load.changed.len()];
                        timed(async { handle.update_destination(id, destination).await.unwrap() }).await
                    }
                });
            }
            taken
        })
    }

    fn calls(&self) -> Option<u64> {
        None
    }
}

/// Batches of the same size as those of the floor.
async fn in_batches<T>(
    handle: &AsyncHandle,
    items: &[T],
    add: impl for<'h> Fn(Batch<'h, AsyncHandle>, &T) -> Batch<'h, AsyncHandle>,
) {
    for chunk in items.chunks(BATCH) {
        chunk.iter().fold(handle.batch(), &add).send().await.unwrap().into_result().unwrap();
    }
}
