use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_GENERIC};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, getsockopt, setsockopt, sockopt};

#[cfg(feature = "tokio")]
use tokio::{io::Interest, io::unix::AsyncFd, runtime, time};

#[cfg(feature = "tokio")]
use super::{Arrival, AsyncTransport};
use super::{Limits, Received, Transport};

/// A generic-netlink socket.
///
/// It stays in the network namespace of the thread that opened it. It is closed on exec. It is connected to the kernel,
/// so that no other program can send to it and fill its buffer.
#[derive(Debug)]
pub struct KernelSocket {
    socket: Socket,
    port: u32,
    limits: Limits,
}

/// The options of a [`KernelSocket`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct SocketOptions {
    /// The size of the receive buffer in bytes as the kernel counts them; `None` leaves the system's default
    /// (`net.core.rmem_default`). It decides how many commands of a batch fit into one datagram.
    pub receive_buffer: Option<usize>,
}

impl KernelSocket {
    /// Opens a socket in the network namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// When the system does not have generic netlink, or is out of descriptors.
    pub fn open(options: SocketOptions) -> io::Result<Self> {
        let socket = Socket::new(NETLINK_GENERIC)?;
        // Connects instead of binding first, so that the socket accepts messages of the kernel only, from the moment
        // that it has an address.
        socket.connect(&SocketAddr::new(0, 0))?;
        let mut name = SocketAddr::new(0, 0);
        socket.get_address(&mut name)?;
        let port = name.port_number();
        // A kernel before 4.12 does not have extended acks, one before 4.3 cannot cap them; neither is required.
        accept_missing(socket.set_ext_ack(true))?;
        accept_missing(socket.set_cap_ack(true))?;
        if let Some(bytes) = options.receive_buffer {
            // The kernel doubles the requested size. Only a privileged process may exceed the system's limit.
            let asked = bytes / 2;
            setsockopt(&socket, sockopt::RcvBufForce, &asked)
                .or_else(|_unprivileged| setsockopt(&socket, sockopt::RcvBuf, &asked))?;
        }
        let limits = Limits::of_buffers(getsockopt(&socket, sockopt::SndBuf)?, getsockopt(&socket, sockopt::RcvBuf)?);
        Ok(Self { socket, port, limits })
    }
}

fn accept_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.raw_os_error() == Some(Errno::ENOPROTOOPT as i32) => Ok(()),
        other => other,
    }
}

impl Transport for KernelSocket {
    fn port(&self) -> u32 {
        self.port
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        loop {
            match self.socket.send(datagram, 0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(sent) if sent != datagram.len() => return Err(io::ErrorKind::WriteZero.into()),
                other => return other.map(drop),
            }
        }
    }

    fn try_receive(&mut self, mut buffer: &mut [u8]) -> io::Result<Option<Received>> {
        // Does not wait: the kernel has answered before the send returned. The true length shows what was cut off.
        let flags = (MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC).bits();
        loop {
            match self.socket.recv_from(&mut buffer, flags) {
                Ok((len, sender)) => return Ok(Some(Received { len, sender: sender.port_number() })),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        // Rounded up, so that the last fraction of a millisecond is not spent spinning.
        let timeout = timeout.saturating_add(Duration::from_micros(999));
        let timeout = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
        let mut descriptors = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, timeout) {
            Ok(ready) => Ok(ready > 0),
            // The caller knows how much time is left.
            Err(Errno::EINTR) => Ok(true),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// The socket is registered with the runtime only while it is waited for. Otherwise every answer would wake up the
/// runtime, although it has been received by then; and a handle could be used only in the runtime that it was opened
/// in.
#[cfg(feature = "tokio")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
impl AsyncTransport for KernelSocket {
    /// # Panics
    ///
    /// When the runtime was built without I/O or without time. Without a runtime the future returns an error.
    fn arrival(&mut self, timeout: Duration) -> Arrival<'_> {
        Box::pin(async move {
            runtime::Handle::try_current().map_err(io::Error::other)?;
            // Lost answers are reported as an error of the socket, not as data to read.
            let interest = Interest::READABLE | Interest::ERROR;
            #[allow(deprecated, reason = "the descriptor is borrowed: it stays open, which is all that the other asks")]
            let socket = AsyncFd::with_interest(self.socket.as_fd(), interest)?;
            let ready = time::timeout(timeout, socket.ready(interest)).await;
            ready.map_or(Ok(false), |ready| ready.map(|_guard| true))
        })
    }
}

impl AsFd for KernelSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
