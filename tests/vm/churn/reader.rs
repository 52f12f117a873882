//! A handle that counts its requests.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ipvs_rs::Handle;
use ipvs_rs::transport::{KernelSocket, Limits, Received, SocketOptions, Transport};

use super::object::List;
use crate::kernel;

pub struct Reader {
    pub handle: Handle,
    sent: Arc<AtomicU32>,
}

impl Reader {
    /// With so many sockets for lists of destinations, in the namespace of the calling thread.
    pub fn open(sockets: usize) -> Self {
        spare_the_estimator();
        let sent = Arc::new(AtomicU32::new(0));
        let counted =
            || Counted { socket: KernelSocket::open(SocketOptions::default()).unwrap(), sent: Arc::clone(&sent) };
        // A list is one exchange however long it is, and an emulated machine on a busy one takes its time.
        let builder = Handle::builder().deadline(Duration::from_secs(60));
        let handle = builder.reader_transports((0..sockets).map(|_| counted())).open_over(counted()).unwrap();
        Self { handle, sent }
    }

    /// How many requests there were so far. Each pass over a list is one.
    pub fn requests(&self) -> u32 {
        self.sent.load(Ordering::Relaxed)
    }

    /// How long it takes to read a list once.
    pub fn pass(&self, list: List) -> Duration {
        const TIMES: u32 = 4;
        let start = Instant::now();
        for _ in 0..TIMES {
            list.once(&self.handle);
        }
        start.elapsed() / TIMES
    }
}

/// Lets the kernel compute no rates in the namespace of the calling thread, where that may be its end: Linux 6.12 on a
/// slow machine runs out of places for hundreds of services that come and go, and takes the word behind the last one for
/// a place (`ip_vs_estimation_kthread`).
pub fn spare_the_estimator() {
    if (6, 2) <= kernel::version() && kernel::version() < (7, 0) {
        fs::write("/proc/sys/net/ipv4/vs/run_estimation", "0").unwrap();
    }
}

#[derive(Debug)]
struct Counted {
    socket: KernelSocket,
    sent: Arc<AtomicU32>,
}

impl Transport for Counted {
    fn port(&self) -> u32 {
        self.socket.port()
    }

    fn limits(&self) -> Limits {
        self.socket.limits()
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.socket.send(datagram)
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        self.socket.try_receive(buffer)
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        self.socket.wait(timeout)
    }
}
