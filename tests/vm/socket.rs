//! A socket with options that the library does not offer.

use std::io;
use std::time::Duration;

use ipvs_rs::transport::{Limits, Received, Transport};
use netlink_sys::protocols::NETLINK_GENERIC;
use netlink_sys::{Socket, SocketAddr};
use nix::sys::socket::MsgFlags;

use crate::conformance::Options;

/// A socket of the real kernel.
#[derive(Debug)]
pub struct BareSocket {
    socket: Socket,
    port: u32,
}

impl BareSocket {
    pub fn open(options: Options) -> Self {
        let mut socket = Socket::new(NETLINK_GENERIC).unwrap();
        let port = socket.bind_auto().unwrap().port_number();
        socket.set_cap_ack(options.capped).unwrap();
        socket.set_ext_ack(options.extended).unwrap();
        socket.set_netlink_get_strict_chk(options.strict).unwrap();
        Self { socket, port }
    }
}

impl Transport for BareSocket {
    fn port(&self) -> u32 {
        self.port
    }

    fn limits(&self) -> Limits {
        Limits::default()
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.socket.send_to(datagram, &SocketAddr::new(0, 0), 0).map(drop)
    }

    fn try_receive(&mut self, mut buffer: &mut [u8]) -> io::Result<Option<Received>> {
        let flags = (MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC).bits();
        match self.socket.recv_from(&mut buffer, flags) {
            Ok((len, sender)) => Ok(Some(Received { len, sender: sender.port_number() })),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn wait(&mut self, _timeout: Duration) -> io::Result<bool> {
        // The kernel answers within the sending.
        Ok(true)
    }
}
