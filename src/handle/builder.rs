#[cfg(target_os = "linux")]
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::Inner;
use super::mode::Mode;
use super::operations::Operations;
use crate::error::Error;
#[cfg(target_os = "linux")]
use crate::error::{Call, Cause, Target};
use crate::transport::Transport;
#[cfg(target_os = "linux")]
use crate::transport::{KernelSocket, Netns, SocketOptions};

/// The options for opening a [`Handle`](crate::Handle).
///
/// `R` is the type of [transports for readers](Self::reader_transports), if there are any.
///
/// ```no_run
/// use std::time::Duration;
/// use ipvs_rs::Handle;
/// use ipvs_rs::transport::Netns;
///
/// let handle = Handle::builder()
///     .netns(Netns::named("blue")?)
///     .deadline(Duration::from_secs(2))
///     .open()?;
/// # Ok::<(), ipvs_rs::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct HandleBuilder<R = ()> {
    pub(super) settings: Settings,
    pub(super) reader_transports: R,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    deadline: Duration,
    #[cfg(target_os = "linux")]
    readers: usize,
    #[cfg(target_os = "linux")]
    netns: Netns,
    #[cfg(target_os = "linux")]
    options: SocketOptions,
}

impl<R> HandleBuilder<R> {
    /// The time that one exchange with the kernel may wait for its answer; 5 seconds by default.
    ///
    /// A list counts as one exchange however long it is, a snapshot as one for each service. The kernel executes a
    /// request within the system call that sends it, and its answer is there when that returns: usually there is no
    /// waiting at all. For the same reason the deadline does not cut short a call during which the kernel loads a
    /// module.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// The network namespace; that of the calling thread by default.
    ///
    /// The handle stays in it, wherever its users go. The socket is opened by a thread of its own that ends at once.
    ///
    /// An open handle keeps its namespace alive, devices and table included, also after `ip netns del`: drop it to let
    /// the namespace go. A child process that was forked must open a handle of its own: two processes on one socket
    /// take each other's answers.
    ///
    /// Errors of the handle name the namespace. With a transport of your own, this is the only effect.
    #[cfg(target_os = "linux")]
    pub fn netns(mut self, netns: Netns) -> Self {
        self.settings.netns = netns;
        self
    }
}

impl HandleBuilder {
    pub(super) fn new() -> Self {
        let settings = Settings {
            deadline: Duration::from_secs(5),
            #[cfg(target_os = "linux")]
            readers: 1,
            #[cfg(target_os = "linux")]
            netns: Netns::current(),
            #[cfg(target_os = "linux")]
            options: SocketOptions::default(),
        };
        Self { settings, reader_transports: () }
    }

    /// The size of the socket's receive buffer in bytes; the system's default unless set.
    ///
    /// With it grows the number of commands that a batch sends in one datagram, 200 by default. There is little to be
    /// gained above that.
    #[cfg(target_os = "linux")]
    pub fn receive_buffer(mut self, bytes: usize) -> Self {
        self.settings.options.receive_buffer = Some(bytes);
        self
    }

    /// The number of sockets for lists of destinations, beside the one for commands; 1 by default.
    ///
    /// The kernel makes the pieces of a list as long as the longest buffer that the socket has received with: short
    /// ones are best for the short lists of most services, long ones for everything else, so that a handle has one
    /// socket for each. 0 saves the descriptor where there are many handles, and makes a [snapshot](crate::Handle::snapshot)
    /// of many small services slower by some 15 %. [`Consistency::Stable`](super::Consistency::Stable) compares the
    /// lists of the two sockets, which differ in where they cut a list; with one socket, a writer that removes
    /// something in every pass can hide the same entry in two.
    ///
    /// With 2 or more, as many threads make a snapshot of a blocking handle: worth it from Linux 7 on and where
    /// snapshots of thousands of services are awaited, because before that the kernel makes one list at a time.
    #[cfg(target_os = "linux")]
    pub fn readers(mut self, sockets: usize) -> Self {
        self.settings.readers = sockets;
        self
    }

    /// Adds transports of your own for lists of destinations that are expected to be short, where a kernel's handle
    /// has its [`readers`](Self::readers).
    ///
    /// [`open_over`](HandleBuilder::open_over) takes the one for commands and long lists.
    ///
    /// ```
    /// # #[cfg(feature = "testing")]
    /// # {
    /// use ipvs_rs::Handle;
    /// use ipvs_rs::testing::FakeKernel;
    ///
    /// let kernel = FakeKernel::new();
    /// let handle = Handle::builder().reader_transports([kernel.transport()]).open_over(kernel.transport())?;
    /// assert!(handle.get_services()?.is_empty());
    /// # }
    /// # Ok::<(), ipvs_rs::Error>(())
    /// ```
    pub fn reader_transports<T: Transport + 'static>(
        self,
        readers: impl IntoIterator<Item = T>,
    ) -> HandleBuilder<Vec<T>> {
        self.with_readers(readers)
    }

    pub(super) fn with_readers<T>(self, readers: impl IntoIterator<Item = T>) -> HandleBuilder<Vec<T>> {
        HandleBuilder { settings: self.settings, reader_transports: readers.into_iter().collect() }
    }
}

impl Settings {
    /// Opens the operations below a handle, blocking or asynchronous.
    pub(super) async fn open_over<S: Mode>(
        self,
        commands: S::Link,
        readers: impl IntoIterator<Item = S::Link>,
        guard: fn(Inner<S::Link>) -> S,
    ) -> Result<Arc<Operations<S>>, Error> {
        let namespace = self.namespace();
        let opened = Inner::open(commands, readers, self.deadline).await;
        let (commands, readers) = opened.map_err(|error| error.within(namespace.as_ref()))?;
        let readers = readers.into_iter().map(guard);
        Ok(Arc::new(Operations::new(namespace, self.deadline, guard(commands), readers)))
    }

    /// The name of the namespace in errors.
    pub(super) fn namespace(&self) -> Option<Arc<str>> {
        #[cfg(target_os = "linux")]
        let namespace = (!self.netns.is_current()).then(|| self.netns.to_string().into());
        #[cfg(not(target_os = "linux"))]
        let namespace = None;
        namespace
    }

    /// The kernel's sockets, in the namespace: one for commands, and the readers.
    #[cfg(target_os = "linux")]
    pub(super) fn sockets(&self) -> Result<(KernelSocket, Vec<KernelSocket>), Error> {
        let failed = |cause| Error::new(Call::Open, Target::Table, cause);
        let (options, readers) = (self.options, self.readers);
        let open = move || {
            let commands = KernelSocket::open(options)?;
            let readers = (0..readers).map(|_| KernelSocket::open(options)).collect::<io::Result<_>>()?;
            Ok((commands, readers))
        };
        let sockets = if self.netns.is_current() {
            open()
        } else {
            self.netns.run(open).map_err(|error| failed(Cause::Namespace(error)))?
        };
        sockets.map_err(|error| failed(Cause::Io(error)).within(self.namespace().as_ref()))
    }
}
