//! The functions behind the fuzz targets. Each takes any bytes and returns; its assertions hold for all of them.
//! The corpus of each is replayed by the tests of this module.

#[cfg(all(feature = "desired", feature = "testing"))]
mod desired;
#[cfg(all(feature = "desired", feature = "testing"))]
mod drains;
#[cfg(feature = "yaml")]
mod files;
#[cfg(feature = "testing")]
mod scenario;
#[cfg(all(feature = "desired", feature = "testing"))]
mod universe;

use std::fmt::{Debug, Display};
use std::io;
use std::str::FromStr;
use std::time::Duration;

use netlink_packet_core::{Emitable, ParseableParametrized};
use netlink_packet_generic::GenlHeader;

use crate::codec::{DecodeError, Family, Frames, Message, Reply, Request, attribute_at};
use crate::engine::{Bulk, Exchange, ExchangeProgress, Expect};
use crate::handle::{Consistency, Handle};
use crate::model::notation::Rule;
use crate::model::{
    AddressFamily, Config, Destination, DestinationId, ForwardMethod, Granularity, MulticastGroup, Persistence,
    PersistenceEngine, Prefix, Protocol, Scheduler, SchedulerFlags, Service, ServiceFlags, ServiceId, SyncDaemon,
    SyncRole, Thresholds, Tunnel, TunnelFlags, TunnelKind, Weight,
};
use crate::procfs::{Connection, Connections, CpuStats, Modules, Sysctl, stats_from_reader};
use crate::transport::{Received, Transport};

#[cfg(all(feature = "desired", feature = "testing"))]
pub use desired::plans;
#[cfg(all(feature = "desired", feature = "testing"))]
pub use drains::drains;
#[cfg(feature = "yaml")]
pub use files::{parameters, spec_files};
#[cfg(feature = "testing")]
pub use scenario::{fake_kernel, transcript};

/// The library, for what the tests share.
#[cfg(all(feature = "desired", feature = "testing"))]
mod library {
    pub(super) use crate::model::{
        Destination, DestinationEntry, DestinationId, ForwardMethod, Scheduler, Service, ServiceEntry, ServiceId, Table,
    };
    pub(super) use crate::{desired, model};
}

/// Reads bytes as datagrams, requests, replies and family records. What can be read is written and read again, and is
/// the same.
pub fn codec(bytes: &[u8]) {
    let frames = Frames::new(bytes).count();
    assert!(frames <= bytes.len() / 16 + 1, "{frames} messages in {} bytes", bytes.len());
    let Some((command, attributes)) = bytes.split_first() else { return };
    // Each look goes over everything, so that looking for all of them would take most of the time.
    for offset in (0..=attributes.len()).step_by(attributes.len() / 64 + 1).chain([usize::MAX]) {
        let _any = attribute_at(attributes, u32::try_from(offset).unwrap_or(u32::MAX));
    }
    explain(Family::decode(*command, attributes, "IPVS"));
    for dump in [false, true] {
        if let Some(request) = explain(Request::decode(*command, dump, attributes)) {
            let mut again = Vec::new();
            request.encode(&mut again);
            assert_eq!(Request::decode(*command, dump, &again).as_ref(), Ok(&request));
            emitted_alike(&request.into(), &again);
        }
    }
    for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
        if let Some(reply) = explain(Reply::decode_for(*command, attributes, family)) {
            let mut again = Vec::new();
            reply.encode(&mut again);
            assert_eq!(Reply::decode_for(*command, &again, family).as_ref(), Ok(&reply));
            emitted_alike(&reply.into(), &again);
        }
    }
    let _any = Message::parse_with_param(attributes, GenlHeader { cmd: *command, version: 1 });
}

/// A file that cannot be read has errors with messages and places.
fn explain<T>(decoded: Result<T, DecodeError>) -> Option<T> {
    decoded.map_err(|error| assert!(error.to_string().contains(error.attribute()), "{error:?}")).ok()
}

/// The traits of rust-netlink write the same bytes as we do.
fn emitted_alike(message: &Message, bytes: &[u8]) {
    let mut emitted = vec![0; message.buffer_len()];
    message.emit(&mut emitted);
    assert_eq!(emitted, bytes, "{message:?}");
}

/// Feeds datagrams to exchanges of every kind, and to a bulk.
pub fn engine(bytes: &[u8]) {
    for expect in [Expect::Acknowledgement, Expect::Reply, Expect::List] {
        let mut exchange = Exchange::new(expect, FAMILY, PORT, 1);
        for mut datagram in datagrams(bytes) {
            address(&mut datagram, 1);
            match exchange.feed(&datagram, |command, attributes| Reply::decode(command, attributes).map(drop)) {
                Ok(ExchangeProgress::Pending) => {}
                Ok(ExchangeProgress::Done) => break,
                Err(failure) => {
                    assert!(!failure.to_string().is_empty());
                    break;
                }
            }
        }
    }
    let bulk = Bulk::new(Expect::Acknowledgement, PORT, 1, COMMANDS);
    for mut datagram in datagrams(bytes) {
        address(&mut datagram, 1);
        let told = bulk.feed(&datagram, |place, _| assert!(place < COMMANDS, "command {place} was not sent"));
        match told {
            Ok(ExchangeProgress::Pending) => {}
            Ok(ExchangeProgress::Done) | Err(_) => break,
        }
    }
}

/// Calls every operation of a handle whose kernel answers with these bytes. Every call returns.
pub fn hostile_kernel(bytes: &[u8]) {
    let kernel = || HostileKernel { datagrams: datagrams(bytes).collect(), next: 0, sequence: 0 };
    let builder = Handle::builder().deadline(Duration::from_millis(50));
    let Ok(handle) = builder.reader_transports([kernel()]).open_over(kernel()) else { return };
    call_everything(&handle);
}

/// Calls every operation of a handle; what comes of it is not looked at.
fn call_everything(handle: &Handle) {
    let web = ServiceId::verbatim(Protocol::TCP, [192, 0, 2, 10].into(), 80);
    let server = DestinationId::verbatim([10, 0, 0, 2].into(), 8080);
    let (service, destination) =
        (Service::new(web, Scheduler::Wlc), Destination::new(server, ForwardMethod::Masquerade));
    let _ = handle.get_info();
    let _ = handle.snapshot();
    let _ = handle.snapshot_with(Consistency::Stable { attempts: 2 });
    let _ = handle.for_each_service(|_| ());
    let _ = handle.for_each_destination(&web, |_| ());
    let _ = handle.ensure_service(&service);
    let _ = handle.ensure_destination(&web, &destination);
    let _ = handle.get_services();
    let _ = handle.get_service(&web);
    let _ = handle.find_destinations(&web);
    let _ = handle.get_destination(&web, &server);
    let _ = handle.modify_service(&web, |service| service.scheduler = Scheduler::Rr);
    let _ = handle.modify_destination(&web, &server, |destination| destination.weight = Weight::ZERO);
    let _ = handle.update_service(&service);
    let _ = handle.update_destination(&web, &destination);
    let _ = handle.get_config();
    let _ = handle.set_config(&Config::new());
    if let Ok(daemon) = SyncDaemon::master("eth0") {
        let _ = handle.start_sync(&daemon);
    }
    let _ = handle.get_sync_daemons();
    let _ = handle.stop_sync(SyncRole::Master);
    if let Ok(report) = handle.batch().new_service(&service).new_destination(&web, &destination).flush().send() {
        assert_eq!(report.results().len(), 3, "one result for each command");
    }
    let _ = handle.new_service(&service);
    let _ = handle.new_destination(&web, &destination);
    let _ = handle.zero_service(&web);
    let _ = handle.zero_all();
    let _ = handle.delete_destination(&web, &server);
    let _ = handle.remove_destination(&web, &server);
    let _ = handle.delete_service(&web);
    let _ = handle.remove_service(&web);
    let _ = handle.flush();
}

/// Reads text as everything that has a notation. What can be read is printed and read again, and is the same.
pub fn notation(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    same::<ServiceId>(text);
    same::<DestinationId>(text);
    same::<Protocol>(text);
    same::<ForwardMethod>(text);
    same::<Tunnel>(text);
    same::<TunnelKind>(text);
    same::<TunnelFlags>(text);
    same::<Weight>(text);
    same::<Thresholds>(text);
    same::<Scheduler>(text);
    same::<SchedulerFlags>(text);
    same::<ServiceFlags>(text);
    same::<Persistence>(text);
    same::<PersistenceEngine>(text);
    same::<Granularity>(text);
    same::<Prefix>(text);
    same::<SyncRole>(text);
    same::<MulticastGroup>(text);
    same::<SyncDaemon>(text);
    same::<Config>(text);
    same::<Rule>(text);
}

fn same<T: Debug + Display + FromStr<Err: Debug> + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let printed = value.to_string();
        let again = printed.parse::<T>();
        assert!(again.as_ref().is_ok_and(|again| *again == value), "{printed:?} from {text:?}: {again:?}");
    }
}

/// Reads bytes as the files of `/proc`. What can be read can be printed, and a value of a sysctl is read again and is the
/// same; what cannot be read says why.
pub fn procfs(bytes: &[u8]) {
    let mut rows = 0;
    for row in Connections::from_reader(bytes) {
        rows += 1;
        match row {
            Ok(row) => {
                let _any = (row.is_template(), row.mark(), row.protocol.to_string(), row.state.to_string());
            }
            Err(error) => assert!(error.is_malformed() && !error.to_string().is_empty()),
        }
    }
    assert!(rows <= bytes.len() + 1, "{rows} rows in {} bytes", bytes.len());
    if let Err(error) = stats_from_reader(bytes) {
        assert!(error.is_malformed() && !error.to_string().is_empty());
    }
    let _any = CpuStats::from_reader(bytes);
    let _any = Modules::from_reader(bytes).and_then(|modules| modules.with_builtin(bytes));
    let _any = bytes.split(|byte| *byte == b'\n').flat_map(Connection::from_row).count();
    let text = String::from_utf8_lossy(bytes);
    let _any = text.parse::<Sysctl>();
    for sysctl in Sysctl::ALL {
        if let Ok(value) = sysctl.value(&text) {
            let printed = value.to_string();
            assert_eq!(sysctl.value(&printed).as_ref(), Ok(&value), "{sysctl}: {printed:?} from {text:?}");
        }
    }
}

const FAMILY: u16 = 31;
const PORT: u32 = 4321;
const COMMANDS: u32 = 3;

/// Cuts bytes into datagrams: two bytes of length in front of each.
fn datagrams(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_le_bytes(*length)).min(after.len());
        let (datagram, after) = after.split_at(length);
        rest = after;
        Some(datagram.to_vec())
    })
}

/// Addresses the messages of a datagram. Bytes would hardly guess the number that is asked for: a small one is counted
/// from it, and 0 is the port.
fn address(datagram: &mut [u8], sequence: u32) {
    each_message(datagram, |header| {
        let [_, _, number, port] = header;
        let given = u32::from_ne_bytes(*number);
        if given < 256 {
            *number = sequence.wrapping_add(given).to_ne_bytes();
        }
        if *port == [0; 4] {
            *port = PORT.to_ne_bytes();
        }
    });
}

/// Hands over the header of each message: length, kind and flags, number, port.
fn each_message(datagram: &mut [u8], mut change: impl FnMut(&mut [[u8; 4]; 4])) {
    let mut rest = datagram.as_chunks_mut::<4>().0;
    while let Some((header, after)) = rest.split_first_chunk_mut::<4>() {
        change(header);
        let words = usize::try_from(u32::from_ne_bytes(header[0])).unwrap_or(usize::MAX).div_ceil(4);
        rest = after.get_mut(words.saturating_sub(4)..).unwrap_or_default();
    }
}

/// A kernel that says what it was given, once.
#[derive(Debug)]
struct HostileKernel {
    datagrams: Vec<Vec<u8>>,
    next: usize,
    sequence: u32,
}

impl Transport for HostileKernel {
    fn port(&self) -> u32 {
        PORT
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.sequence = match Frames::new(datagram).next() {
            Some(Ok(frame)) => frame.sequence,
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        };
        Ok(())
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        let Some(datagram) = self.datagrams.get_mut(self.next) else { return Ok(None) };
        self.next += 1;
        address(datagram, self.sequence);
        let length = datagram.len().min(buffer.len());
        buffer[..length].copy_from_slice(&datagram[..length]);
        Ok(Some(Received { len: datagram.len(), sender: 0 }))
    }

    fn wait(&mut self, _timeout: Duration) -> io::Result<bool> {
        Ok(self.next < self.datagrams.len())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Runs everything that a fuzzer found worth keeping.
    fn replay(target: &str, body: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let mut count = 0;
        for file in fs::read_dir(&folder).unwrap() {
            body(&fs::read(file.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "{} is empty", folder.display());
    }

    #[test]
    fn corpus_of_the_codec() {
        replay("codec", codec);
    }

    #[test]
    fn corpus_of_the_engine() {
        replay("engine", engine);
    }

    #[test]
    fn corpus_of_the_hostile_kernel() {
        replay("hostile_kernel", hostile_kernel);
    }

    #[test]
    fn corpus_of_the_notation() {
        replay("notation", notation);
    }

    #[test]
    #[cfg(feature = "testing")]
    fn corpus_of_the_kernel_in_memory() {
        replay("fake_kernel", fake_kernel);
    }

    #[test]
    #[cfg(feature = "testing")]
    fn corpus_of_the_transcripts() {
        replay("transcript", transcript);
    }

    #[test]
    #[cfg(all(feature = "desired", feature = "testing"))]
    fn corpus_of_the_plans() {
        replay("plans", plans);
    }

    #[test]
    #[cfg(all(feature = "desired", feature = "testing"))]
    fn corpus_of_the_drains() {
        replay("drains", drains);
    }

    #[test]
    #[cfg(feature = "yaml")]
    fn corpus_of_the_spec_files() {
        replay("spec_files", spec_files);
    }

    #[test]
    #[cfg(feature = "yaml")]
    fn corpus_of_the_parameters() {
        replay("parameters", parameters);
    }

    #[test]
    fn corpus_of_the_files() {
        replay("procfs", procfs);
    }
}
