//! A transport between the library and the kernel that shows what is said, and changes it on the way.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ipvs_rs::transport::{Limits, Received, Transport};

use super::World;
use super::client::Handle;

/// Opens a handle whose requests are changed by a function before the kernel gets them. The look-up of the family is
/// left alone.
pub fn editing(world: &dyn World, edit: impl FnMut(&mut [u8]) + Send + 'static) -> Handle {
    open(world, edit, Datagrams::default())
}

/// Opens a handle whose received datagrams are kept.
pub fn recording(world: &dyn World) -> (Handle, Datagrams) {
    let received = Datagrams::default();
    (open(world, |_| {}, received.clone()), received)
}

/// Datagrams as the kernel sent them.
pub type Datagrams = Arc<Mutex<Vec<Vec<u8>>>>;

fn open(world: &dyn World, edit: impl FnMut(&mut [u8]) + Send + 'static, received: Datagrams) -> Handle {
    let socket = world.transport();
    Handle::builder().open_over(Wire { socket, edit: Box::new(edit), received }).unwrap()
}

type Edit = Box<dyn FnMut(&mut [u8]) + Send>;

struct Wire {
    socket: Box<dyn Transport>,
    edit: Edit,
    received: Datagrams,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl Transport for Wire {
    fn port(&self) -> u32 {
        self.socket.port()
    }

    fn limits(&self) -> Limits {
        self.socket.limits()
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let mut datagram = datagram.to_vec();
        let kind = u16::from_ne_bytes([datagram[4], datagram[5]]);
        if kind != FAMILY_LOOKUP {
            (self.edit)(&mut datagram);
        }
        self.socket.send(&datagram)
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        let received = self.socket.try_receive(buffer)?;
        if let Some(Received { len, .. }) = received {
            self.received.lock().unwrap().push(buffer[..len].to_vec());
        }
        Ok(received)
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        self.socket.wait(timeout)
    }
}

/// Where the value of an attribute of the first message stands; the path leads through nests.
pub fn attribute(datagram: &[u8], path: &[u16]) -> Option<Range<usize>> {
    let mut range = HEADERS..usize::try_from(u32::from_ne_bytes(datagram[..4].try_into().unwrap())).unwrap();
    for wanted in path {
        range = attributes(datagram, range).find(|(kind, _)| kind == wanted)?.1;
    }
    Some(range)
}

/// The attributes in a range, as type and range of the value.
fn attributes(datagram: &[u8], range: Range<usize>) -> impl Iterator<Item = (u16, Range<usize>)> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        let header = datagram.get(at..at + 4).filter(|_| at < range.end)?;
        let len = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]) & !NESTED;
        let value = at + 4..at + len;
        at += len.next_multiple_of(4);
        Some((kind, value))
    })
}

/// Writes over the value of an attribute, which must be as long.
pub fn overwrite(datagram: &mut [u8], path: &[u16], value: &[u8]) {
    let range = attribute(datagram, path).unwrap_or_else(|| panic!("the request has no attribute {path:?}"));
    datagram[range].copy_from_slice(value);
}

/// The command of the first message.
pub const COMMAND: usize = 16;
const FAMILY_LOOKUP: u16 = 16;
const HEADERS: usize = 20;
const NESTED: u16 = 0x8000;
