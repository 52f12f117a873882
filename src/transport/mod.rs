//! How datagrams travel.
//!
//! The seam is the datagram: a [`Transport`] moves byte buffers and knows nothing of what they say. The kernel's socket
//! is [`KernelSocket`]; a test hands its own to [`HandleBuilder::open_over`](crate::handle::HandleBuilder::open_over).
//! [`Netns`] says in which network namespace a socket is opened. With the feature `tokio` there is `AsyncTransport` beside
//! it, which can also be waited for without a thread that stands still.
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

/// A way to the kernel: a datagram out, datagrams in.
///
/// Implement it to record a conversation, or to play the kernel in a test. What an implementation promises:
///
/// * one [`send`](Self::send) is one datagram, delivered whole or not at all;
/// * one [`try_receive`](Self::try_receive) takes one datagram and does not wait;
/// * answers come in the order in which the other side gave them;
/// * [`wait`](Self::wait) ends when something has arrived, and at the latest after the time that it is given.
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

    /// How much fits; asked once, when a handle is opened.
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
    /// With the error number `ENOBUFS` when answers were lost; what arrived before the loss can still be received.
    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>>;

    /// Waits until something has arrived, for no longer than this.
    ///
    /// `false` when nothing has and the time is over, which ends the call with a timeout. When waiting was interrupted,
    /// `true`: nothing is lost by another look.
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
/// A socket that takes its time, after which there still is nothing:
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
    /// What [`wait`](Transport::wait) does, as a future. One that is dropped leaves everything as it was.
    fn arrival(&mut self, timeout: Duration) -> Arrival<'_>;
}

/// Waiting for a datagram: `true` when there is one, `false` when the time is over.
///
/// The box costs nothing worth mentioning: the kernel answers within the sending, so that hardly anybody ever waits.
#[cfg(feature = "tokio")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
pub type Arrival<'a> = Pin<Box<dyn Future<Output = io::Result<bool>> + Send + 'a>>;

/// A datagram that has arrived.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_structs, reason = "made by implementors of the trait")]
pub struct Received {
    /// How long the datagram is: more than the buffer when it did not fit.
    pub len: usize,
    /// The port id of the sender: 0 is the kernel.
    pub sender: u32,
}

/// How much fits into one exchange.
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
    /// How many short answers can wait unread before one is lost.
    pub answers: usize,
}

impl Limits {
    /// What an answer costs in the receive buffer. Linux 6.1 counts 768 bytes for the shortest, 6.12 counts 896; the
    /// rest is reserve.
    const ANSWER: usize = 1064;

    /// The limits of a socket with these buffer sizes, as the kernel reports them.
    pub const fn of_buffers(send: usize, receive: usize) -> Self {
        let answers = receive / Self::ANSWER;
        Self { datagram: send.saturating_sub(32), answers: if answers == 0 { 1 } else { answers } }
    }
}

impl Default for Limits {
    /// Those of a socket with the kernel's default buffers of 212,992 bytes: 200 answers.
    fn default() -> Self {
        Self::of_buffers(212_992, 212_992)
    }
}
