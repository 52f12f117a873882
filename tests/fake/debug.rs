//! `Debug` of every public type of floors 0 to 4: short, without a lock, without buffers.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::time::Duration;

use ipvs_rs::codec::{self, Family, FamilyRequest, Frames, IpvsCommand, Message, Payload, Reply, Request};
use ipvs_rs::engine::{
    Bulk, Deadline, Exchange, ExchangeFailure, ExchangeProgress, Expect, KernelError, Listing, Passes, Sequence,
};
use ipvs_rs::error::Errno;
use ipvs_rs::handle::{BatchCommand, Consistency, Outcome};
use ipvs_rs::model::notation::Rule;
use ipvs_rs::model::{
    AddressFamily, Config, EngineName, Granularity, Info, InterfaceName, MulticastGroup, Persistence,
    PersistenceEngine, Prefix, Protocol, Reading, SchedulerFlags, SchedulerName, ServiceFlags, Stats, SyncDaemon,
    SyncRole, TableService, Thresholds, Timeout, Tunnel, TunnelFlags, TunnelKind, Version, Weight,
};
use ipvs_rs::procfs::{self, Connections, CpuStats, Modules, Sysctl, SysctlValue};
use ipvs_rs::testing::{
    Ability, FakeKernel, Fault, FaultPlan, Interface, Recorder, Release, Replay, Traffic, Transcript,
};
use ipvs_rs::transport::{Limits, Received};
use ipvs_rs::{
    Destination, DestinationEntry, DestinationId, ForwardMethod, Handle, Scheduler, Service, ServiceEntry, ServiceId,
    Table,
};

/// No line is longer, whatever the value has behind it: this many objects, or as many bytes of text.
const SHORT: usize = 1500;
const MANY: u16 = 2000;

/// Where the public types of a floor are named.
const FLOORS: [&str; 10] = [
    include_str!("../../src/lib.rs"),
    include_str!("../../src/codec/mod.rs"),
    include_str!("../../src/engine/mod.rs"),
    include_str!("../../src/error/mod.rs"),
    include_str!("../../src/handle/mod.rs"),
    include_str!("../../src/model/mod.rs"),
    include_str!("../../src/model/notation/mod.rs"),
    include_str!("../../src/procfs/mod.rs"),
    include_str!("../../src/testing/mod.rs"),
    include_str!("../../src/transport/mod.rs"),
];
/// Public constants.
const CONSTANTS: [&str; 2] = ["FAMILY_NAME", "FAMILY_VERSION"];

/// The public types of floors 0 to 4, by their last name.
fn public_types() -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    for text in FLOORS {
        for item in text.split("\npub ").skip(1) {
            let item = item.strip_prefix("use ").and_then(|list| list.split(';').next()).or_else(|| {
                let item = item.strip_prefix("struct ").or_else(|| item.strip_prefix("enum "))?;
                item.split(|c: char| !c.is_alphanumeric()).next()
            });
            let names_of = |list: &'static str| list.split(|c: char| !c.is_alphanumeric() && c != '_');
            let is_type = |name: &&str| name.starts_with(|c: char| c.is_ascii_uppercase());
            names.extend(item.into_iter().flat_map(names_of).filter(is_type));
        }
    }
    for name in CONSTANTS {
        assert!(names.remove(name), "{name}");
    }
    names
}

/// The types that were shown.
#[derive(Default)]
struct PrintedTypes(BTreeSet<String>);

impl PrintedTypes {
    fn show<T: Debug>(&mut self, value: T) {
        let whole = std::any::type_name::<T>();
        let name = whole.split('<').next().unwrap().rsplit("::").next().unwrap();
        for text in [format!("{value:?}"), format!("{value:#?}").split_whitespace().collect::<String>()] {
            assert!(!text.is_empty() && text.len() <= SHORT, "{name} takes {} bytes: {text:.200}", text.len());
        }
        self.0.insert(name.to_owned());
    }
}

macro_rules! show {
    ($shown:ident: $($value:expr),* $(,)?) => { $($shown.show($value);)* };
}

fn web() -> ServiceId {
    "TCP 192.0.2.10:80".parse().unwrap()
}

fn server(number: u16) -> Destination {
    Destination::new(DestinationId::from((Ipv4Addr::new(10, 0, 0, 2), number)), ForwardMethod::Masquerade)
}

#[test]
fn every_public_type_prints_briefly() {
    let mut shown = PrintedTypes::default();
    model(&mut shown);
    codec_and_engine(&mut shown);
    procfs(&mut shown);
    handle(&mut shown);
    let shown: BTreeSet<&str> = shown.0.iter().map(String::as_str).collect();
    let missing: Vec<_> = public_types().into_iter().filter(|name| !shown.contains(name)).collect();
    // These two want a descriptor or a kernel; the lint `missing_debug_implementations` asks for theirs.
    let expected: &[&str] = if cfg!(feature = "tokio") {
        &["KernelSocket"]
    } else {
        &["AsyncHandle", "AsyncHandleBuilder", "KernelSocket"]
    };
    assert_eq!(missing, expected);
}

fn model(shown: &mut PrintedTypes) {
    let service = Service::new(web(), Scheduler::Wlc).persistence(Persistence::for_secs(300).unwrap());
    let row = TableService::new(ServiceEntry::new(service.clone()), vec![DestinationEntry::new(server(80))]);
    let unknown_kind = match "tunnel-9".parse().unwrap() {
        TunnelKind::Unknown(kind) => kind,
        other => panic!("{other:?}"),
    };
    let unknown_method = match ForwardMethod::try_from(5).unwrap() {
        ForwardMethod::Unknown(method) => method,
        other => panic!("{other:?}"),
    };
    let table = Table::new(vec![row.clone()]);
    show!(shown:
        AddressFamily::Ipv4, Config::new(), Timeout::from_secs(9).unwrap(), web().selector(), server(80),
        row.destinations[0].clone(),
        server(80).id, Thresholds::NONE, Weight::MAX, Weight::new(u32::MAX).unwrap_err(),
        "x".parse::<ServiceId>().unwrap_err(), SchedulerFlags::all(), ServiceFlags::all(), server(80).forward,
        Tunnel::default(), TunnelFlags::all(), Tunnel::default().kind(), unknown_method, unknown_kind,
        Version::from_number(66_049), EngineName::new("x").unwrap(), InterfaceName::new("eth0").unwrap(),
        SchedulerName::new("x").unwrap(), Granularity::Client, service.persistence.unwrap(), PersistenceEngine::Sip,
        Prefix::new(64).unwrap(), Reading::Whole, Scheduler::Mh, service.clone(), row.service.clone(), info(),
        web(), web().kind(), Protocol::TCP, Stats::default(), SyncDaemon::master("eth0").unwrap(), SyncRole::Backup,
        MulticastGroup::new([224, 0, 0, 81].into()).unwrap(), service.rule(), server(80).rule(&web()),
        table.rules(), Rule::Service(service), row, table,
    );
}

fn info() -> Info {
    FakeKernel::new().handle().unwrap().get_info().unwrap()
}

/// Many rows of anything, as bytes.
fn rows(row: &str) -> Vec<u8> {
    row.repeat(usize::from(MANY)).into_bytes()
}

fn codec_and_engine(shown: &mut PrintedTypes) {
    let mut datagram = Vec::new();
    let request = Request::NewDestination(web(), server(80));
    for number in 0..u32::from(MANY) {
        codec::put_request(&mut datagram, 31, 5, number, &request);
    }
    let frame = Frames::new(&datagram).next().unwrap().unwrap();
    let kind = [2_u16, 0].map(u16::to_ne_bytes).concat();
    let [len, sequence, port] = [u32::from(MANY) + 20, 9, 1].map(u32::to_ne_bytes);
    let code = (-17_i32).to_ne_bytes();
    let failure = [&len, &kind[..], &sequence, &port, &code, &rows("x")].concat();
    let failure_frame = Frames::new(&failure).next().unwrap().unwrap();
    let Payload::Error(acknowledgement) = failure_frame.payload else { panic!("{failure_frame:?}") };
    let error = Reply::decode(IpvsCommand::SetInfo.number(), &[]).unwrap_err();
    let family = Family::decode(1, &[6_u16, 1, 31, 0].map(u16::to_ne_bytes).concat(), "IPVS");
    let mut listing = Listing::default();
    let mut passes = Passes::new(3);
    listing.begin(4096);
    let mut listed = Vec::new();
    (0..MANY).for_each(|number| listing.push(&mut listed, number, |number| *number));
    listing.end_datagram(4096);
    assert_eq!(passes.next(listing.pass(), listed.into_iter()), Ok(None));
    let unstable = Passes::new(1).next(listing.pass(), [1, 2].into_iter()).unwrap_err();
    let kernel_error: KernelError = {
        let mut refused = None;
        let bulk = Bulk::new(Expect::Acknowledgement, 1, 9, 1);
        let _ = bulk.feed(&failure, |_, result| refused = result.err());
        refused.unwrap()
    };
    show!(shown:
        IpvsCommand::Flush, error, error.problem(), family.unwrap(), FamilyRequest::new("IPVS"), acknowledgement,
        acknowledgement.extended, frame, frame.payload, failure_frame, Frames::new(&datagram),
        Message::from(request.clone()), Reply::Info(info()), request, Bulk::new(Expect::Reply, 1, 1, 3),
        Deadline::new(Duration::MAX), Exchange::new(Expect::List, 31, 1, 1), ExchangeProgress::Done, Expect::List,
        ExchangeFailure::Kernel(kernel_error.clone()), kernel_error, listing.pass(), listing, passes, unstable,
        Sequence::default(),
    );
}

fn procfs(shown: &mut PrintedTypes) {
    let header = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n";
    let row = "UDP 0A090909 0000 0A090909 13C4 C0000263 14B4 ODD             59 sip 12345@10.2.0.2\n";
    let table = [header.as_bytes(), &rows(row)].concat();
    let mut connections = Connections::from_reader(&table[..]);
    let connection = connections.next().unwrap().unwrap();
    let error = Connections::from_reader(&b"TCP"[..]).next().unwrap().unwrap_err();
    let word = match connection.state {
        procfs::ConnectionState::Other(word) => word,
        other => panic!("{other:?}"),
    };
    let modules = Modules::from_reader(&rows("ip_vs_wlc 16384 3 - Live 0x0000000000000000\n")[..]).unwrap();
    let origin: procfs::ConnectionOrigin = "LOCAL".parse().unwrap();
    let sysctl = Sysctl::ExpireNodestConn;
    show!(shown:
        connection.protocol, connection.state, connection.engine.clone().unwrap(), connection, connections, origin,
        error.kind(), error.operation(), error, word, modules, procfs::CpuCounters::default(), CpuStats::default(),
        sysctl, sysctl.info(), sysctl.info().kind, sysctl.info().access, sysctl.info().since,
        SysctlValue::from(true),
    );
    #[cfg(target_os = "linux")]
    show!(shown: procfs::Procfs::current());
}

fn handle(shown: &mut PrintedTypes) {
    let kernel = FakeKernel::of(Release::default());
    let (recorder, recording) = Recorder::new(kernel.transport());
    let handle = Handle::builder().open_over(recorder).unwrap();
    let many = || {
        let first = handle.batch().new_service(&Service::new(web(), Scheduler::Rr));
        (1..MANY).fold(first, |batch, number| batch.new_destination(&web(), &server(number)))
    };
    let batch = many();
    let made = many().send().unwrap();
    let mut progress = None;
    let again = batch.send_with_progress(|now| {
        progress = Some(now);
        ControlFlow::Continue(())
    });
    let again = again.unwrap();
    assert_eq!(again.failures().count(), usize::from(MANY));
    let error = handle.delete_destination(&web(), &server(MANY).id).unwrap_err();
    let transcript = recording.transcript();
    assert!(transcript.to_string().len() > 1_000_000);
    let plan = FaultPlan::new().then(Fault::Silence).then_always(Fault::Interrupt);
    let lost = kernel.carry(&web(), &server(MANY).id, Traffic::new().opened(3)).unwrap_err();
    show!(shown:
        error.kind(), error.call(), error.target().clone(), Errno::EEXIST, error, Handle::builder(), many(),
        progress.unwrap(), made, again, BatchCommand::Flush, Consistency::Once, Outcome::Created, handle,
        Replay::new(transcript.clone()), recording, "nonsense".parse::<Transcript>().unwrap_err(), transcript,
        Recorder::new(kernel.transport()).0, kernel.transport(), Ability::Ipvs, Interface::new("eth0"),
        Fault::Silence, plan, kernel.release(), Traffic::new(), lost, Limits::default(),
        Received { len: 1, sender: 0 }, kernel,
    );
    #[cfg(target_os = "linux")]
    {
        use ipvs_rs::transport::{Netns, SocketOptions};
        let blue = Netns::named("blue").unwrap();
        let error = Netns::path("/no/such/file").run(|| ()).unwrap_err();
        let problem = Netns::named("").unwrap_err();
        shown.0.insert(format!("{:?}", problem.problem()).replace("BadName", "NetnsProblem"));
        show!(shown: Handle::builder().netns(blue.clone()), blue, error, problem, SocketOptions::default());
    }
    #[cfg(feature = "tokio")]
    {
        use ipvs_rs::AsyncHandle;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let opening = AsyncHandle::builder().open_over(FakeKernel::new().transport());
        show!(shown: AsyncHandle::builder(), runtime.block_on(opening).unwrap());
    }
}

#[test]
fn handle_says_what_it_was_opened_with() {
    let handle = FakeKernel::new().handle().unwrap();
    assert_eq!(format!("{handle:?}"), "Handle { deadline: 5s, readers: 0, .. }");
    assert_eq!(format!("{:?}", handle.batch().flush()), "Batch { commands: 1, bytes: 20, .. }");
    let report = handle.batch().flush().delete_service(&web()).send().unwrap();
    assert_eq!(
        format!("{report:?}"),
        "BatchReport { commands: 2, failed: 1, first: Some((1, delete service TCP 192.0.2.10:80: no such service \
         (ESRCH))), .. }"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn handle_says_which_namespace_it_was_opened_for() {
    let builder = Handle::builder().netns(ipvs_rs::transport::Netns::named("blue").unwrap());
    let builder = builder.deadline(Duration::from_secs(2));
    let kernel = FakeKernel::new();
    let handle = builder.reader_transports([kernel.transport()]).open_over(kernel.transport()).unwrap();
    let expected = "Handle { namespace: \"/run/netns/blue\", deadline: 2s, readers: 1, .. }";
    assert_eq!(format!("{handle:?}"), expected);
}

/// The function that is told how far a batch has come is called under the lock.
#[test]
fn handle_prints_while_its_lock_is_held() {
    let handle = FakeKernel::new().handle().unwrap();
    let mut lines = Vec::new();
    let watch = |_| {
        lines.push(format!("{handle:?} {:?}", handle.clone()));
        ControlFlow::Continue(())
    };
    assert!(handle.batch().flush().send_with_progress(watch).unwrap().is_ok());
    let line = "Handle { deadline: 5s, readers: 0, .. }";
    assert_eq!(lines, [format!("{line} {line}")]);
}

#[cfg(feature = "tokio")]
#[test]
fn async_handle_prints_while_its_lock_is_held() {
    use ipvs_rs::AsyncHandle;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let line = runtime.block_on(async {
        let handle = AsyncHandle::builder().open_over(FakeKernel::new().transport()).await.unwrap();
        let mut line = String::new();
        let watch = |_| {
            line = format!("{handle:?}");
            ControlFlow::Continue(())
        };
        assert!(handle.batch().flush().send_with_progress(watch).await.unwrap().is_ok());
        line
    });
    assert_eq!(line, "AsyncHandle { deadline: 5s, readers: 0, .. }");
}
