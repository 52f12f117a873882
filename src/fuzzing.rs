//! What the fuzzers do with their bytes. Each function takes any bytes and returns; what it asserts holds for all of
//! them. The corpus of each is replayed by the tests of this module.

use std::fmt::{Debug, Display};
use std::io;
use std::str::FromStr;
use std::time::Duration;

use crate::codec::{Family, Frames, Reply, Request, attribute_at};
use crate::engine::{Bulk, Exchange, Expect, Progress};
use crate::handle::Handle;
use crate::model::notation::Rule;
use crate::model::{
    AddressFamily, Config, Destination, DestinationId, ForwardMethod, Granularity, Persistence, PersistenceEngine,
    Protocol, Scheduler, SchedulerFlags, Service, ServiceFlags, ServiceId, SyncDaemon, SyncRole, Thresholds, Tunnel,
    TunnelFlags, Weight,
};
use crate::procfs::{Connections, Modules, Sysctl, stats_from_reader};
#[cfg(feature = "testing")]
use crate::testing::{FakeKernel, Release};
use crate::transport::{Received, Transport};

/// Reads bytes as datagrams, requests, replies and family records. What can be read is written and read again, and is
/// the same.
pub fn codec(bytes: &[u8]) {
    let frames = Frames::new(bytes).count();
    assert!(frames <= bytes.len() / 16 + 1, "{frames} messages in {} bytes", bytes.len());
    let Some((command, attributes)) = bytes.split_first() else { return };
    for offset in (0..=attributes.len()).chain([usize::MAX]) {
        let _any = attribute_at(attributes, u32::try_from(offset).unwrap_or(u32::MAX));
    }
    let _any = Family::decode(*command, attributes, "IPVS");
    for dump in [false, true] {
        if let Ok(request) = Request::decode(*command, dump, attributes) {
            let mut again = Vec::new();
            request.encode(&mut again);
            assert_eq!(Request::decode(*command, dump, &again).as_ref(), Ok(&request));
        }
    }
    for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
        if let Ok(reply) = Reply::decode_for(*command, attributes, family) {
            let mut again = Vec::new();
            reply.encode(&mut again);
            assert_eq!(Reply::decode_for(*command, &again, family).as_ref(), Ok(&reply));
        }
    }
}

/// Feeds datagrams to exchanges of every kind, and to a bulk.
pub fn engine(bytes: &[u8]) {
    for expect in [Expect::Acknowledgement, Expect::Reply, Expect::List] {
        let mut exchange = Exchange::new(expect, FAMILY, PORT, 1);
        for datagram in datagrams(bytes) {
            match exchange
                .feed(&datagram, |_, attributes| Frames::new(attributes).try_for_each(|frame| frame.map(drop)))
            {
                Ok(Progress::Pending) => {}
                Ok(Progress::Done) | Err(_) => break,
            }
        }
    }
    let bulk = Bulk::new(Expect::Acknowledgement, PORT, 1, COMMANDS);
    for datagram in datagrams(bytes) {
        let told = bulk.feed(&datagram, |place, _| assert!(place < COMMANDS, "command {place} was not sent"));
        match told {
            Ok(Progress::Pending) => {}
            Ok(Progress::Done) | Err(_) => break,
        }
    }
}

/// Calls every operation of a handle whose kernel answers with these bytes. Every call returns.
pub fn hostile_kernel(bytes: &[u8]) {
    let kernel = Hostile { datagrams: datagrams(bytes).collect(), next: 0, sequence: 0 };
    let Ok(handle) = Handle::builder().deadline(Duration::from_millis(50)).open_over(kernel) else { return };
    let web = ServiceId::verbatim(Protocol::TCP, [192, 0, 2, 10].into(), 80);
    let server = DestinationId::verbatim([10, 0, 0, 2].into(), 8080);
    let (service, destination) =
        (Service::new(web, Scheduler::Wlc), Destination::new(server, ForwardMethod::Masquerade));
    let _ = handle.get_info();
    let _ = handle.snapshot();
    let _ = handle.ensure_service(&service);
    let _ = handle.ensure_destination(&web, &destination);
    let _ = handle.get_service(&web);
    let _ = handle.get_destinations_of_existing(&web);
    let _ = handle.get_config();
    let _ = handle.set_config(&Config::new());
    let _ = handle.get_sync_daemons();
    let _ = handle.stop_sync(SyncRole::Master);
    if let Ok(report) = handle.batch().new_service(&service).new_destination(&web, &destination).flush().send() {
        assert_eq!(report.results().len(), 3, "one result for each command");
    }
    let _ = handle.remove_destination(&web, &server);
    let _ = handle.zero(None);
}

/// Reads text as everything that has a notation. What can be read is printed and read again, and is the same.
pub fn notation(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    same::<ServiceId>(text);
    same::<DestinationId>(text);
    same::<Protocol>(text);
    same::<ForwardMethod>(text);
    same::<Tunnel>(text);
    same::<TunnelFlags>(text);
    same::<Weight>(text);
    same::<Thresholds>(text);
    same::<Scheduler>(text);
    same::<SchedulerFlags>(text);
    same::<ServiceFlags>(text);
    same::<Persistence>(text);
    same::<PersistenceEngine>(text);
    same::<Granularity>(text);
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

/// Reads bytes as the files of `/proc`. A row that can be read is printed by nobody, but ends.
pub fn procfs(bytes: &[u8]) {
    let rows = Connections::from_reader(bytes).count();
    assert!(rows <= bytes.len() + 1, "{rows} rows in {} bytes", bytes.len());
    let _any = stats_from_reader(bytes);
    let _any = Modules::from_reader(bytes);
    let text = String::from_utf8_lossy(bytes);
    for sysctl in Sysctl::ALL {
        let _any = sysctl.value(&text);
    }
}

/// Sends datagrams to a kernel in memory, of each release. It answers with messages that can be read, to the socket that
/// asked, and comes to an end.
#[cfg(feature = "testing")]
pub fn fake_kernel(bytes: &[u8]) {
    for release in [Release::V6_1, Release::V6_12, Release::V7] {
        let kernel = FakeKernel::of(release);
        let mut socket = kernel.transport();
        let mut buffer = vec![0; 32 * 1024];
        for datagram in datagrams(bytes) {
            if socket.send(&datagram).is_err() {
                continue;
            }
            // A message of 16 bytes has one answer, or is the request for a list.
            for _ in 0..datagram.len() {
                match socket.try_receive(&mut buffer) {
                    Ok(Some(Received { len, sender })) => {
                        assert_eq!(sender, 0, "it is the kernel");
                        let answer = buffer.get(..len).unwrap_or(&buffer);
                        for frame in Frames::new(answer) {
                            assert!(frame.is_ok_and(|frame| frame.port == socket.port()), "{answer:02x?}");
                        }
                    }
                    Ok(None) => break,
                    // Answers were lost, as they would be.
                    Err(_) => {}
                }
            }
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

/// A kernel that says what it was given, once.
#[derive(Debug)]
struct Hostile {
    datagrams: Vec<Vec<u8>>,
    next: usize,
    sequence: u32,
}

impl Transport for Hostile {
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
        // Bytes would hardly guess the number that is asked for: a small one is counted from it, and 0 is the port.
        if let Some([_, _, number, port]) = datagram.as_chunks_mut::<4>().0.get_mut(..4) {
            let given = u32::from_ne_bytes(*number);
            if given < 256 {
                *number = self.sequence.wrapping_add(given).to_ne_bytes();
            }
            if *port == [0; 4] {
                *port = PORT.to_ne_bytes();
            }
        }
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
    fn corpus_of_the_files() {
        replay("procfs", procfs);
    }
}
