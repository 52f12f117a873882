//! The transport of datagrams to the kernel and back.
//!
//! The interface is the datagram: a [`Transport`] moves byte buffers and does not look at their content. The kernel's
//! socket is [`KernelSocket`]; a test passes its own transport to
//! [`HandleBuilder::open_over`](crate::handle::HandleBuilder::open_over). [`Netns`] selects the network namespace in
//! which a socket is opened. The feature `tokio` adds `AsyncTransport`, which can also be waited for without blocking
//! the thread.
//!
//! ```no_run
//! use ipvs_rs::Handle;
//! use ipvs_rs::transport::{KernelSocket, SocketOptions};
//!
//! // What `Handle::new()` does.
//! let socket = KernelSocket::open(SocketOptions::default())?;
//! let handle = Handle::builder().open_over(socket)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(target_os = "linux")]
mod netns;
#[cfg(target_os = "linux")]
mod socket;

use std::io;
#[cfg(feature = "tokio")]
use std::pin::Pin;
use std::time::Duration;

#[cfg(target_os = "linux")]
pub use netns::{Netns, NetnsError, NetnsProblem};
#[cfg(target_os = "linux")]
pub use socket::{KernelSocket, SocketOptions};

/// A connection to the kernel: a datagram out, datagrams in.
///
/// Implement it to record the exchanged datagrams, or to simulate the kernel in a test. An implementation guarantees:
///
/// * one [`send`](Self::send) is one datagram, delivered whole or not at all;
/// * one [`try_receive`](Self::try_receive) takes one datagram and does not wait;
/// * answers come in the order in which the other side sent them;
/// * [`wait`](Self::wait) returns when a datagram has arrived, and at the latest after the timeout.
///
/// # Example
///
/// A kernel that never answers:
///
/// ```
/// use std::io;
/// use std::time::Duration;
/// use ipvs_rs::Handle;
/// use ipvs_rs::transport::{Received, Transport};
///
/// #[derive(Debug)]
/// struct Silence;
///
/// impl Transport for Silence {
///     fn port(&self) -> u32 {
///         1
///     }
///     fn send(&mut self, _datagram: &[u8]) -> io::Result<()> {
///         Ok(())
///     }
///     fn try_receive(&mut self, _buffer: &mut [u8]) -> io::Result<Option<Received>> {
///         Ok(None)
///     }
///     fn wait(&mut self, _timeout: Duration) -> io::Result<bool> {
///         Ok(false)
///     }
/// }
///
/// let error = Handle::builder().open_over(Silence).unwrap_err();
/// assert!(error.is_timeout());
/// ```
pub trait Transport: std::fmt::Debug + Send {
    /// The port id of this end, which every answer carries.
    fn port(&self) -> u32;

    /// The sizes that the transport can carry; read once, when a handle is opened.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// Sends one datagram to the kernel.
    ///
    /// # Errors
    ///
    /// When it was not delivered.
    fn send(&mut self, datagram: &[u8]) -> io::Result<()>;

    /// Takes one datagram that has arrived; `None` when there is none.
    ///
    /// # Errors
    ///
    /// With the error number `ENOBUFS` when answers were lost; those that arrived before can still be received.
    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>>;

    /// Waits until a datagram has arrived, for no longer than this.
    ///
    /// `false` when none has arrived by then, which ends the call with a timeout. When waiting was interrupted, `true`:
    /// an additional attempt to receive does no harm.
    ///
    /// # Errors
    ///
    /// When waiting is not possible.
    fn wait(&mut self, timeout: Duration) -> io::Result<bool>;
}

/// A [`Transport`] that can be waited for without blocking the thread, for an
/// [`AsyncHandle`](crate::AsyncHandle), which never calls [`wait`](Transport::wait).
///
/// # Example
///
/// A socket that waits asynchronously and never receives an answer:
///
/// ```
/// use std::io;
/// use std::time::Duration;
/// use ipvs_rs::AsyncHandle;
/// use ipvs_rs::transport::{Arrival, AsyncTransport, Received, Transport};
///
/// #[derive(Debug)]
/// struct Silence;
///
/// impl Transport for Silence {
///     // …
/// #   fn port(&self) -> u32 {
/// #       1
/// #   }
/// #   fn send(&mut self, _datagram: &[u8]) -> io::Result<()> {
/// #       Ok(())
/// #   }
/// #   fn try_receive(&mut self, _buffer: &mut [u8]) -> io::Result<Option<Received>> {
/// #       Ok(None)
/// #   }
/// #   fn wait(&mut self, _timeout: Duration) -> io::Result<bool> {
/// #       Ok(false)
/// #   }
/// }
///
/// impl AsyncTransport for Silence {
///     fn arrival(&mut self, timeout: Duration) -> Arrival<'_> {
///         Box::pin(async move {
///             tokio::time::sleep(timeout).await;
///             Ok(false)
///         })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let builder = AsyncHandle::builder().deadline(Duration::from_millis(10));
/// assert!(builder.open_over(Silence).await.unwrap_err().is_timeout());
/// # }
/// ```
#[cfg(feature = "tokio")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
pub trait AsyncTransport: Transport {
    /// [`wait`](Transport::wait) as a future. Dropping the future has no effect on the transport.
    fn arrival(&mut self, timeout: Duration) -> Arrival<'_>;
}

/// The future of a datagram: `true` when one has arrived, `false` after the timeout.
///
/// The cost of the box is negligible: the kernel answers before the send returns, so that waiting is rare.
#[cfg(feature = "tokio")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
pub type Arrival<'a> = Pin<Box<dyn Future<Output = io::Result<bool>> + Send + 'a>>;

/// A datagram that has arrived.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_structs, reason = "made by implementors of the trait")]
pub struct Received {
    /// The length of the datagram: more than that of the buffer when it did not fit.
    pub len: usize,
    /// The port id of the sender: 0 is the kernel.
    pub sender: u32,
}

/// The sizes that one exchange can have.
///
/// ```
/// use ipvs_rs::transport::Limits;
///
/// assert_eq!(Limits::default().answers, 200);
/// assert_eq!(Limits::of_buffers(212_992, 1_000_000).answers, 939);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_structs, reason = "made by implementors of the trait")]
pub struct Limits {
    /// The longest datagram that can be sent, in bytes.
    pub datagram: usize,
    /// The number of short answers that can wait unread before one is lost.
    pub answers: usize,
}

impl Limits {
    /// The space that an answer takes in the receive buffer. Linux 6.1 counts 768 bytes for the shortest, 6.12 counts
    /// 896; the rest is reserve.
    const ANSWER: usize = 1064;

    /// The limits of a socket with these buffer sizes, as the kernel reports them.
    pub const fn of_buffers(send: usize, receive: usize) -> Self {
        let answers = receive / Self::ANSWER;
        Self { datagram: send.saturating_sub(32), answers: if answers == 0 { 1 } else { answers } }
    }
}

impl Default for Limits {
    /// The limits of a socket with the kernel's default buffers of 212,992 bytes: 200 answers.
    fn default() -> Self {
        Self::of_buffers(212_992, 212_992)
    }
}
