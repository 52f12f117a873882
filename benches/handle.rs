//! The time of a call of a handle in this process, with a kernel in memory.
//!
//! The figures include the time of that kernel, which is not that of the real one: they serve to find the cost of a
//! change of the library. The cost of a call in all is measured by `cargo xtask bench`.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "a bench")]

#[allow(dead_code, reason = "shared with the bench of the codec, which uses more of it")]
mod messages;

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ipvs_rs::testing::FakeKernel;
use ipvs_rs::{Destination, Handle, Service, Table};

/// A kernel with this many services, each with this many destinations.
fn kernel(services: u32, destinations: u32) -> FakeKernel {
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    for service in (1..=services).map(service) {
        handle.new_service(&service).unwrap();
        let batch = (1..=destinations)
            .fold(handle.batch(), |batch, number| batch.new_destination(&service.id, &destination(number)));
        batch.send().unwrap().into_result().unwrap();
    }
    kernel
}

fn service(number: u32) -> Service {
    messages::service(number).service
}

fn destination(number: u32) -> Destination {
    messages::destination(number).destination
}

fn bench_single(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("single");
    let (service, destination) = (service(1), destination(1));
    let id = service.id;
    let handle = kernel(1, 1).handle().unwrap();
    let mut same = |name, call: &dyn Fn(&Handle)| {
        group.bench_function(name, |bencher| bencher.iter(|| call(&handle)));
    };
    same("get service", &|handle| assert!(handle.get_service(black_box(&id)).unwrap().is_some()));
    same("get config", &|handle| assert!(handle.get_config().unwrap().tcp.is_some()));
    same("update service", &|handle| handle.update_service(black_box(&service)).unwrap());
    same("update destination", &|handle| handle.update_destination(&id, black_box(&destination)).unwrap());
    // Each undoes the other.
    same("delete and new destination", &|handle| {
        handle.delete_destination(&id, black_box(&destination.id)).unwrap();
        handle.new_destination(&id, black_box(&destination)).unwrap();
    });
    same("delete and new service", &|handle| {
        handle.delete_service(black_box(&id)).unwrap();
        handle.new_service(black_box(&service)).unwrap();
    });
}

fn bench_lists(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("list");
    let id = service(1).id;
    for count in [1, 100, 1_000] {
        group.throughput(Throughput::Elements(count.into()));
        let handle = kernel(count, 0).handle().unwrap();
        group.bench_function(BenchmarkId::new("services", count), |bencher| {
            bencher.iter(|| handle.get_services().unwrap().len());
        });
        let handle = kernel(1, count).handle().unwrap();
        group.bench_function(BenchmarkId::new("destinations", count), |bencher| {
            bencher.iter(|| handle.get_destinations(black_box(&id)).unwrap().len());
        });
    }
    let handle = kernel(100, 10).handle().unwrap();
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("snapshot/100x10", |bencher| bencher.iter(|| handle.snapshot().unwrap().len()));
    let mut table = Table::default();
    group.bench_function("snapshot into/100x10", |bencher| {
        bencher.iter(|| handle.snapshot_into(&mut table).unwrap());
    });
    assert_eq!(table.destination_count(), 1_000);
}

fn bench_batches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("batch");
    let id = service(1).id;
    for count in [64, 200] {
        group.throughput(Throughput::Elements(count.into()));
        let destinations: Vec<Destination> = (1..=count).map(destination).collect();
        let handle = kernel(1, count).handle().unwrap();
        let make = || destinations.iter().fold(handle.batch(), |batch, row| batch.update_destination(&id, row));
        group.bench_function(BenchmarkId::new("make", count), |bencher| bencher.iter(|| make().len()));
        group.bench_function(BenchmarkId::new("send", count), |bencher| {
            bencher.iter_batched(make, |batch| assert!(batch.send().unwrap().is_ok()), BatchSize::SmallInput);
        });
    }
}

#[cfg(feature = "tokio")]
fn bench_async(criterion: &mut Criterion) {
    use ipvs_rs::AsyncHandle;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let kernel = kernel(1, 1);
    let handle = runtime.block_on(AsyncHandle::builder().open_over(kernel.transport())).unwrap();
    let (id, destination) = (service(1).id, destination(1));
    criterion.bench_function("async/update destination", |bencher| {
        // The runtime is entered once, so that only the call is measured.
        bencher.iter_custom(|count| {
            runtime.block_on(async {
                let start = std::time::Instant::now();
                for _ in 0..count {
                    handle.update_destination(&id, black_box(&destination)).await.unwrap();
                }
                start.elapsed()
            })
        });
    });
}

#[cfg(not(feature = "tokio"))]
fn bench_async(_criterion: &mut Criterion) {}

criterion_group!(benches, bench_single, bench_lists, bench_batches, bench_async);
criterion_main!(benches);
