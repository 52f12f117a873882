//! A small network: a client, a director and servers, each in a namespace of its own.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_rs::model::Protocol;
use ipvs_rs::{DestinationId, ServiceId};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{self, AddressFamily, SockFlag, SockType, SockaddrStorage};

use crate::conformance;
use crate::namespaces::{Namespace, ip_batch};

/// The namespace of the calling thread is the director, which holds the virtual addresses.
///
/// ```text
/// client 10.1.0.2 ── 10.1.0.1 director 10.2.0.1 ── 10.2.0.2, 10.2.0.3 servers
///                      192.0.2.10
/// ```
///
/// The same with IPv6, where 10.1.0 is `2001:db8:1::`, 10.2.0 is `2001:db8:2::`, and 192.0.2.10 is `2001:db8::10`.
pub struct Network {
    client: Namespace,
    servers: Namespace,
    /// Servers that dialogues share. None is opened twice: while another test starts a program, that may still hold a
    /// socket that was closed here, and the address would be taken.
    listening: Mutex<BTreeMap<String, TcpListener>>,
    answering: Mutex<BTreeMap<String, Arc<UdpSocket>>>,
}

impl Network {
    pub fn new() -> Self {
        let (client, servers) = (Namespace::new(), Namespace::new());
        ip_batch(&["address add 192.0.2.10/32 dev lo", "address add 2001:db8::10/128 dev lo nodad"]);
        fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
        fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1").unwrap();
        for (net, other, hosts) in [(1, &client, 2..=2), (2, &servers, 2..=3)] {
            let here = [
                format!("link add net{net} type veth peer name eth0 netns {}", other.path().display()),
                format!("address add 10.{net}.0.1/24 dev net{net}"),
                format!("address add 2001:db8:{net}::1/64 dev net{net} nodad"),
                format!("link set net{net} up"),
            ];
            ip_batch(&here.each_ref().map(String::as_str));
            let hosts = hosts.flat_map(|host| {
                let v4 = format!("address add 10.{net}.0.{host}/24 dev eth0");
                [v4, format!("address add 2001:db8:{net}::{host}/64 dev eth0 nodad")]
            });
            let routes =
                [format!("route add default via 10.{net}.0.1"), format!("route add default via 2001:db8:{net}::1")];
            let there: Vec<String> = hosts.chain(["link set eth0 up".to_owned()]).chain(routes).collect();
            other.run(|| ip_batch(&there.iter().map(String::as_str).collect::<Vec<_>>()));
        }
        Self { client, servers, listening: Mutex::default(), answering: Mutex::default() }
    }

    pub fn listen(&self, address: &str) -> TcpListener {
        self.servers.run(|| TcpListener::bind(address)).unwrap()
    }

    pub fn udp_server(&self, address: &str) -> UdpSocket {
        with_timeouts(self.servers.run(|| UdpSocket::bind(address)).unwrap())
    }

    /// Runs something on the client.
    #[cfg(feature = "desired")]
    pub fn on_client<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        self.client.run(body)
    }

    pub fn connect(&self, address: &str) -> std::io::Result<TcpStream> {
        let address: SocketAddr = address.parse().unwrap();
        self.client.run(|| dial(address))
    }

    /// A socket of the client that talks to this address.
    pub fn udp_client(&self, address: &str) -> UdpSocket {
        let any = if address.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
        let socket = self.client.run(|| UdpSocket::bind(any)).unwrap();
        socket.connect(address).unwrap();
        with_timeouts(socket)
    }
}

/// Opens a TCP connection, or returns the error that the kernel keeps for the socket.
///
/// `TcpStream::connect_timeout` takes a socket that hangs up without an error for a failure of its own. On a busy machine
/// the error of a refused connection can follow the hang-up by a moment, so this one waits until the socket has either.
fn dial(address: SocketAddr) -> std::io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket::socket(family, SockType::Stream, flags, None)?;
    match socket::connect(socket.as_raw_fd(), &SockaddrStorage::from(address)) {
        Ok(()) | Err(Errno::EINPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    let stream = TcpStream::from(socket);
    let deadline = Instant::now() + TIMEOUT;
    while let Some(rest) = deadline.checked_duration_since(Instant::now()) {
        let timeout = PollTimeout::try_from(rest).unwrap();
        poll(&mut [PollFd::new(stream.as_fd(), PollFlags::POLLOUT)], timeout)?;
        if let Some(error) = stream.take_error()? {
            return Err(error);
        }
        if stream.peer_addr().is_ok() {
            stream.set_nonblocking(false)?;
            return Ok(stream);
        }
        thread::sleep(Duration::from_millis(5));
    }
    Err(ErrorKind::TimedOut.into())
}

impl conformance::Network for Network {
    fn dial(&self, service: &ServiceId, server: &DestinationId) -> Box<dyn conformance::TestConnection + '_> {
        let service_address = SocketAddr::new(service.address().unwrap(), service.port().unwrap()).to_string();
        let server = SocketAddr::new(server.address(), server.port()).to_string();
        if service.protocol() == Some(Protocol::TCP) {
            let mut listening = self.listening.lock().unwrap();
            let listener = listening.entry(server).or_insert_with_key(|server| self.listen(server));
            let client = self.connect(&service_address).unwrap();
            let (accepted, _) = listener.accept().unwrap();
            return Box::new(Stream { client, accepted });
        }
        let mut answering = self.answering.lock().unwrap();
        let server = answering.entry(server).or_insert_with_key(|server| Arc::new(self.udp_server(server)));
        Box::new(Datagrams { client: self.udp_client(&service_address), server: Arc::clone(server) })
    }

    fn wait_until(&self, what: &str, is: &mut dyn FnMut() -> bool) {
        wait_until(what, is);
    }
}

struct Stream {
    client: TcpStream,
    accepted: TcpStream,
}

impl conformance::TestConnection for Stream {
    fn ask(&self, questions: u64) {
        for _ in 0..questions {
            pass(&"?".repeat(100), &self.client, &self.accepted);
            pass(&"!".repeat(300), &self.accepted, &self.client);
        }
    }

    fn hang_up(self: Box<Self>) {
        drop(self.client);
        assert_eq!((&self.accepted).read(&mut [0]).unwrap(), 0, "the end of it");
    }
}

struct Datagrams {
    client: UdpSocket,
    server: Arc<UdpSocket>,
}

impl conformance::TestConnection for Datagrams {
    fn ask(&self, questions: u64) {
        exchange(&self.client, &self.server, questions);
    }

    fn hang_up(self: Box<Self>) {}
}

/// Questions of 100 bytes, each answered with 300.
pub fn exchange(client: &UdpSocket, server: &UdpSocket, count: u64) {
    let mut buffer = [0; 400];
    for _ in 0..count {
        client.send(&[1; 100]).unwrap();
        let (len, from) = server.recv_from(&mut buffer).unwrap();
        assert_eq!(len, 100);
        server.send_to(&[2; 300], from).unwrap();
        assert_eq!(client.recv(&mut buffer).unwrap(), 300);
    }
}

/// Sends a text and expects it at the other end.
pub fn pass(text: &str, mut from: &TcpStream, mut to: &TcpStream) {
    from.write_all(text.as_bytes()).unwrap();
    to.set_read_timeout(Some(TIMEOUT)).unwrap();
    let mut read = vec![0; text.len()];
    to.read_exact(&mut read).unwrap();
    assert_eq!(String::from_utf8(read).unwrap(), text);
}

/// Waits until something is so.
pub fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < TIMEOUT, "not within {TIMEOUT:?}: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn with_timeouts(socket: UdpSocket) -> UdpSocket {
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket
}

/// Longer than any of this takes: the kernel counts every two seconds.
const TIMEOUT: Duration = Duration::from_secs(20);
