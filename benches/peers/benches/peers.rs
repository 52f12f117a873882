//! The time of each library for the same bytes. `cargo bench --manifest-path benches/peers/Cargo.toml`

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ipvs_rs::codec::Reply;
use ipvs_rs_peers::{ipvs_rs_codec, messages, netlink_packet_ipvs_codec, nlrs_codec, request};

const ROWS: u32 = 1_000;

/// A name and the function that is measured under it.
type Peer<'a> = (&'a str, &'a dyn Fn(&[u8]) -> usize);

fn decode(criterion: &mut Criterion, name: &str, list: &[u8], peers: [Peer<'_>; 3]) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(ROWS.into()));
    for (peer, read) in peers {
        assert_eq!(read(list), usize::try_from(ROWS).unwrap(), "{peer}");
        group.bench_function(peer, |bencher| bencher.iter(|| read(black_box(list))));
    }
}

fn bench_decode(criterion: &mut Criterion) {
    let services = messages::list((1..=ROWS).map(|number| Reply::Service(messages::service(number))));
    decode(
        criterion,
        "decode services",
        &services,
        [
            ("ipvs-rs", &|list| ipvs_rs_codec::services(list).len()),
            ("netlink-packet-ipvs", &|list| netlink_packet_ipvs_codec::services(list).len()),
            ("nlrs", &|list| nlrs_codec::services(list).len()),
        ],
    );
    let destinations = messages::list((1..=ROWS).map(|number| Reply::Destination(messages::destination(number))));
    decode(
        criterion,
        "decode destinations",
        &destinations,
        [
            ("ipvs-rs", &|list| ipvs_rs_codec::destinations(list).len()),
            ("netlink-packet-ipvs", &|list| netlink_packet_ipvs_codec::destinations(list).len()),
            ("nlrs", &|list| nlrs_codec::destinations(list).len()),
        ],
    );
}

fn bench_encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode new destination");
    let (request, mut buffer) = (request(), Vec::new());
    group.bench_function("ipvs-rs", |bencher| {
        bencher.iter(|| ipvs_rs_codec::encode(black_box(&request), &mut buffer));
    });
    group.bench_function("netlink-packet-ipvs", |bencher| {
        bencher.iter_batched(
            netlink_packet_ipvs_codec::request,
            netlink_packet_ipvs_codec::encode,
            BatchSize::SmallInput,
        );
    });
    group.bench_function("nlrs", |bencher| bencher.iter(|| nlrs_codec::encode(black_box(&mut buffer))));
}

criterion_group!(benches, bench_decode, bench_encode);
criterion_main!(benches);
