//! The time to plan, and to carry out a plan with a kernel in memory.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a bench")]

use std::hint::black_box;
use std::net::Ipv4Addr;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ipvs_rs::desired::apply::{ApplyOptions, apply};
use ipvs_rs::desired::plan::{PlanOptions, plan};
use ipvs_rs::desired::{DesiredState, Observed};
use ipvs_rs::model::{TableService, Weight};
use ipvs_rs::testing::FakeKernel;
use ipvs_rs::{
    Destination, DestinationEntry, DestinationId, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId, Table,
};

/// The number of destinations of each service.
const PER_SERVICE: u32 = 10;

fn table(destinations: u32, weight: u16) -> Table {
    let address = |network: u8, number: u32| {
        let [_, a, b, c] = number.to_be_bytes();
        Ipv4Addr::new(network, a, b, c)
    };
    let service = |number: u32| {
        let id = ServiceId::tcp((address(10, number + 1), 80).into()).unwrap();
        let destinations = (1..=PER_SERVICE).map(|place| {
            let id = DestinationId::new((address(11, number * PER_SERVICE + place), 8080).into()).unwrap();
            let mut destination = Destination::new(id, ForwardMethod::Masquerade);
            destination.weight = Weight::from(weight);
            DestinationEntry::new(destination)
        });
        let destinations = destinations.collect();
        TableService::new(ServiceEntry::new(Service::new(id, Scheduler::Wlc)), destinations)
    };
    Table::new((0..destinations / PER_SERVICE).map(service).collect())
}

fn bench_plan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("desired");
    group.sample_size(10);
    let options = PlanOptions::new().prune(true);
    for count in [10_000, 100_000, 400_000] {
        group.throughput(Throughput::Elements(count.into()));
        let (is, other) = (table(count, 1), table(count, 2));
        let desired = DesiredState::from(&is);
        let mut bench = |name: &str, live: Observed, operations: u32| {
            assert_eq!(plan(&live, &desired, &options).len(), operations as usize);
            group.bench_function(BenchmarkId::new(name, count), |bencher| {
                bencher.iter(|| plan(black_box(&live), black_box(&desired), &options));
            });
        };
        bench("plan", Observed::new(is.clone()), 0);
        bench("plan-updates", Observed::new(other), count);
        bench("plan-additions", Observed::default(), count / PER_SERVICE);
    }
}

fn bench_apply(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("desired");
    group.sample_size(10);
    let count = 10_000;
    group.throughput(Throughput::Elements(count.into()));
    let (is, other) = (table(count, 1), table(count, 2));
    let kernel = FakeKernel::new();
    let handle = kernel.handle().unwrap();
    let to = |table: &Table, live: &Observed| plan(live, &DesiredState::from(table), &PlanOptions::new().prune(true));
    let first = to(&is, &Observed::default());
    let _report = apply(&handle, &first, &ApplyOptions::new(), &mut ()).unwrap();
    // Each plan undoes the other.
    let plans = [to(&other, &Observed::new(is.clone())), to(&is, &Observed::new(other.clone()))];
    group.bench_function(BenchmarkId::new("apply-updates-twice", count), |bencher| {
        bencher.iter_batched(
            || (),
            |()| plans.iter().for_each(|plan| drop(apply(&handle, plan, &ApplyOptions::new(), &mut ()).unwrap())),
            BatchSize::PerIteration,
        );
    });
    let desired = DesiredState::from(&is);
    group.bench_function(BenchmarkId::new("apply-nothing", count), |bencher| {
        bencher.iter(|| {
            let plan = plan(&Observed::read(&handle, &desired).unwrap(), &desired, &PlanOptions::new().prune(true));
            apply(&handle, &plan, &ApplyOptions::new(), &mut ()).unwrap()
        });
    });
    group.bench_function(BenchmarkId::new("snapshot", count), |bencher| bencher.iter(|| handle.snapshot().unwrap()));
}

criterion_group!(benches, bench_plan, bench_apply);
criterion_main!(benches);
