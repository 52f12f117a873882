use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::{Call, Errno, Target};
use crate::codec::DecodeError;
use crate::engine::{KernelError, Unstable};
use crate::model::{InvalidValue, ParseError, PersistenceEngine, Scheduler, Service};
use crate::procfs::ProcfsError;
#[cfg(target_os = "linux")]
use crate::transport::{NetnsError, NetnsProblem};

/// Why a call of a handle failed.
///
/// It prints as one complete line, which includes the message of its cause; see
/// [how errors print](crate::error#how-errors-print):
///
/// ```text
/// new destination 10.0.0.2:8080 for TCP 192.0.2.10:80: already exists (EEXIST)
/// ```
///
/// A handle that was opened [in a namespace](crate::handle::HandleBuilder::netns) has it in the line: `new service TCP
/// 192.0.2.10:80 in network namespace /run/netns/blue: already exists (EEXIST)`.
///
/// Branch with the predicates: they know that the kernel uses one number for different things, depending on the
/// call.
///
/// ```no_run
/// use ipvs_rs::{Handle, Scheduler, Service};
///
/// let handle = Handle::new()?;
/// let service = Service::new("TCP 192.0.2.10:80".parse()?, Scheduler::Wlc);
/// match handle.new_service(&service) {
///     Err(error) if error.is_already_exists() => handle.update_service(&service)?,
///     other => other?,
/// }
/// # Ok::<(), ipvs_rs::Error>(())
/// ```
///
/// The other errors of floors 0 to 4 become this one, so that it is the only one that a function needs:
///
/// ```no_run
/// use ipvs_rs::procfs::{Procfs, Sysctl};
/// use ipvs_rs::transport::Netns;
/// use ipvs_rs::{Destination, Error, ForwardMethod, Handle};
///
/// fn add(service: &str, server: &str, weight: u32) -> Result<(), Error> {
///     let (service, server) = (service.parse()?, server.parse()?);
///     let server = Destination::new(server, ForwardMethod::Masquerade).weight(weight)?;
///     let blue = Netns::named("blue")?;
///     Procfs::of(blue.clone()).set_sysctl(Sysctl::ExpireNodestConn, true)?;
///     Handle::builder().netns(blue).open()?.new_destination(&service, &server)
/// }
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    call: Call,
    target: Target,
    /// The network namespace as it was given; `None` for that of the thread that opened the handle.
    namespace: Option<Arc<str>>,
    /// The scheduler and the engine that a service requires of the kernel.
    wanted: Option<Wanted>,
    cause: Cause,
}

#[derive(Debug)]
struct Wanted {
    scheduler: Scheduler,
    engine: Option<PersistenceEngine>,
}

/// The cause, without the call and its object.
#[derive(Debug)]
pub(crate) enum Cause {
    NotAvailable,
    Kernel {
        errno: Errno,
        message: Option<String>,
        attribute: Option<&'static str>,
    },
    Timeout {
        after: Duration,
    },
    Lost,
    NotSent,
    Stopped,
    Interrupted {
        attempts: u32,
    },
    Unstable(Unstable),
    Truncated {
        len: usize,
    },
    Decode(DecodeError),
    Invalid(InvalidValue),
    Parse(ParseError),
    Procfs(ProcfsError),
    #[cfg(target_os = "linux")]
    Namespace(NetnsError),
    Io(io::Error),
}

impl Cause {
    pub(crate) fn kernel(error: KernelError, request: &[u8]) -> Self {
        Self::Kernel {
            errno: Errno::from_raw(error.errno),
            attribute: error.attribute_in(request),
            message: error.message,
        }
    }

    pub(crate) const fn errno(&self) -> Option<Errno> {
        match self {
            Self::Kernel { errno, .. } => Some(*errno),
            _ => None,
        }
    }
}

/// The kind of an error.
///
/// ```no_run
/// use ipvs_rs::Handle;
/// use ipvs_rs::error::ErrorKind;
///
/// match Handle::new().map_err(|error| (error.kind(), error)) {
///     Ok(_) => println!("IPVS is there"),
///     Err((ErrorKind::NotAvailable, _)) => println!("IPVS is not there"),
///     Err((_, error)) => eprintln!("{error}"),
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// This kernel has no IPVS, or its module is not loaded and could not be.
    NotAvailable,
    /// The kernel refused; see [`Error::errno`].
    Kernel,
    /// The timeout passed without an answer. Whether the command was executed is not known.
    Timeout,
    /// The answer was lost. Whether the command was executed is not known.
    Lost,
    /// A command of a batch was not sent, because an earlier one failed such that the batch could not continue, or
    /// because the batch was [stopped](crate::handle::Batch::send_with_progress).
    NotSent,
    /// A list changed each time that it was read.
    Interrupted,
    /// No two passes over a list in a row were the same, so that the list may be inconsistent.
    Unstable,
    /// The answer could not be read.
    Decode,
    /// A value was refused before anything was sent.
    Invalid,
    /// Text is not in the notation of the value that it was read as.
    Parse,
    /// A file of [`procfs`](crate::procfs) could not be read or changed; see [`Error::procfs_error`].
    Procfs,
    /// The network namespace could not be entered.
    Namespace,
    /// The system refused a socket, or to send or receive.
    Io,
}

impl Error {
    pub(crate) fn new(call: Call, target: Target, cause: Cause) -> Self {
        Self(Arc::new(Inner { call, target, namespace: None, wanted: None, cause }))
    }

    /// The same error, of a handle to this namespace.
    pub(crate) fn within(mut self, namespace: Option<&Arc<str>>) -> Self {
        if let (Some(inner), Some(namespace)) = (Arc::get_mut(&mut self.0), namespace) {
            inner.namespace = Some(Arc::clone(namespace));
        }
        self
    }

    /// The same error, of a command that was to give a service these settings.
    pub(crate) fn wanting(mut self, service: &Service) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            let engine = service.stored_persistence().and_then(|persistence| persistence.engine);
            inner.wanted = Some(Wanted { scheduler: service.scheduler, engine });
        }
        self
    }

    /// The kind of the error.
    pub fn kind(&self) -> ErrorKind {
        match self.0.cause {
            Cause::NotAvailable => ErrorKind::NotAvailable,
            Cause::Kernel { .. } => ErrorKind::Kernel,
            Cause::Timeout { .. } => ErrorKind::Timeout,
            Cause::Lost => ErrorKind::Lost,
            Cause::NotSent | Cause::Stopped => ErrorKind::NotSent,
            Cause::Interrupted { .. } => ErrorKind::Interrupted,
            Cause::Unstable(_) => ErrorKind::Unstable,
            Cause::Truncated { .. } | Cause::Decode(_) => ErrorKind::Decode,
            Cause::Invalid(_) => ErrorKind::Invalid,
            Cause::Parse(_) => ErrorKind::Parse,
            Cause::Procfs(_) => ErrorKind::Procfs,
            #[cfg(target_os = "linux")]
            Cause::Namespace(_) => ErrorKind::Namespace,
            Cause::Io(_) => ErrorKind::Io,
        }
    }

    /// The call that failed.
    pub fn call(&self) -> Call {
        self.0.call
    }

    /// The object of the call.
    pub fn target(&self) -> &Target {
        &self.0.target
    }

    /// The network namespace of the handle, as it was given; `None` for that of the thread that opened the handle.
    pub fn namespace(&self) -> Option<&str> {
        match &self.0.cause {
            Cause::Procfs(error) => error.namespace(),
            _ => self.0.namespace.as_deref(),
        }
    }

    /// The requested scheduler, when the scheduler or the persistence engine
    /// [is not available](Self::is_scheduler_unavailable).
    ///
    /// ```no_run
    /// use ipvs_rs::{Handle, Scheduler, Service};
    ///
    /// let service = Service::new("TCP 192.0.2.10:80".parse()?, Scheduler::Mh);
    /// if let Err(error) = Handle::new()?.new_service(&service) {
    ///     match error.scheduler() {
    ///         Some(scheduler) => eprintln!("try `modprobe ip_vs_{scheduler}`"),
    ///         None => eprintln!("{error}"),
    ///     }
    /// }
    /// # Ok::<(), ipvs_rs::Error>(())
    /// ```
    pub fn scheduler(&self) -> Option<&Scheduler> {
        self.missing_part().map(|wanted| &wanted.scheduler)
    }

    /// The requested persistence engine, when the scheduler or the engine
    /// [is not available](Self::is_scheduler_unavailable); the kernel does not report which of the two is missing.
    pub fn engine(&self) -> Option<&PersistenceEngine> {
        self.missing_part().and_then(|wanted| wanted.engine.as_ref())
    }

    pub(super) fn cause(&self) -> &Cause {
        &self.0.cause
    }

    fn missing_part(&self) -> Option<&Wanted> {
        self.0.wanted.as_ref().filter(|_| self.is_scheduler_unavailable())
    }

    /// The kernel's error number, when the kernel refused.
    pub fn errno(&self) -> Option<Errno> {
        self.0.cause.errno()
    }

    /// The kernel's message about it (extended ack). IPVS itself does not send any; generic netlink has some.
    pub fn kernel_message(&self) -> Option<&str> {
        match &self.0.cause {
            Cause::Kernel { message, .. } => message.as_deref(),
            _ => None,
        }
    }

    /// The kernel's name of the attribute that it refused, when it reported one.
    pub fn attribute(&self) -> Option<&'static str> {
        match &self.0.cause {
            Cause::Kernel { attribute, .. } => *attribute,
            _ => None,
        }
    }

    /// The value that was refused before anything was sent.
    pub fn invalid_value(&self) -> Option<&InvalidValue> {
        match &self.0.cause {
            Cause::Invalid(value) => Some(value),
            _ => None,
        }
    }

    /// The text that was refused.
    pub fn parse_error(&self) -> Option<&ParseError> {
        match &self.0.cause {
            Cause::Parse(error) => Some(error),
            Cause::Procfs(error) => error.parse_error(),
            _ => None,
        }
    }

    /// Why a file of [`procfs`](crate::procfs) could not be read or changed.
    pub fn procfs_error(&self) -> Option<&ProcfsError> {
        match &self.0.cause {
            Cause::Procfs(error) => Some(error),
            _ => None,
        }
    }

    /// The error of decoding the kernel's answer.
    pub fn decode_error(&self) -> Option<&DecodeError> {
        match &self.0.cause {
            Cause::Decode(error) => Some(error),
            _ => None,
        }
    }

    /// Why the network namespace could not be entered.
    #[cfg(target_os = "linux")]
    pub fn namespace_error(&self) -> Option<&NetnsError> {
        match &self.0.cause {
            Cause::Namespace(error) => Some(error),
            Cause::Procfs(error) => error.namespace_error(),
            _ => None,
        }
    }

    /// The error of the system call, when one failed.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &self.0.cause {
            Cause::Io(error) => Some(error),
            Cause::Procfs(error) => error.io_error(),
            _ => None,
        }
    }

    /// Whether the service, destination or daemon does not exist. A missing scheduler is a different error:
    /// [`is_scheduler_unavailable`](Self::is_scheduler_unavailable).
    pub fn is_not_found(&self) -> bool {
        match self.errno() {
            Some(Errno::ESRCH) => true,
            Some(Errno::ENOENT) => {
                matches!(self.0.call, Call::UpdateDestination | Call::DeleteDestination)
            }
            _ => false,
        }
    }

    /// Whether the service, destination or daemon already exists.
    pub fn is_already_exists(&self) -> bool {
        self.errno() == Some(Errno::EEXIST)
    }

    /// Whether the caller lacks the permission: every call, including reading, requires `CAP_NET_ADMIN` in the
    /// initial user namespace.
    pub fn is_permission_denied(&self) -> bool {
        match &self.0.cause {
            Cause::Kernel { errno, .. } => matches!(*errno, Errno::EPERM | Errno::EACCES),
            Cause::Io(error) => error.kind() == io::ErrorKind::PermissionDenied,
            #[cfg(target_os = "linux")]
            Cause::Namespace(error) => {
                matches!(error.problem(), NetnsProblem::PermissionDenied)
            }
            Cause::Procfs(error) => error.is_permission_denied(),
            _ => false,
        }
    }

    /// Whether the scheduler or the persistence engine is not available, and its module could not be loaded.
    pub fn is_scheduler_unavailable(&self) -> bool {
        self.errno() == Some(Errno::ENOENT) && matches!(self.0.call, Call::NewService | Call::UpdateService)
    }

    /// Whether the timeout passed without an answer.
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// Whether this kernel has no IPVS.
    pub fn is_not_available(&self) -> bool {
        self.kind() == ErrorKind::NotAvailable || self.procfs_error().is_some_and(ProcfsError::is_not_available)
    }

    /// Whether this kernel does not know the command, the address family or the sysctl.
    pub fn is_unsupported(&self) -> bool {
        matches!(self.errno(), Some(Errno::EOPNOTSUPP | Errno::EAFNOSUPPORT))
            || self.procfs_error().is_some_and(ProcfsError::is_unsupported)
    }

    /// Whether a value or a text was refused, by this library or by the kernel.
    pub fn is_invalid(&self) -> bool {
        matches!(self.kind(), ErrorKind::Invalid | ErrorKind::Parse)
            || matches!(self.errno(), Some(Errno::EINVAL | Errno::ERANGE))
            || self.procfs_error().is_some_and(ProcfsError::is_invalid)
    }

    /// Whether the same call may succeed later. After a [timeout](ErrorKind::Timeout) or a [loss](ErrorKind::Lost) the
    /// command may have been executed already: use the idempotent forms, or read the object first.
    pub fn is_retryable(&self) -> bool {
        match self.kind() {
            ErrorKind::Timeout
            | ErrorKind::Lost
            | ErrorKind::NotSent
            | ErrorKind::Interrupted
            | ErrorKind::Unstable => true,
            ErrorKind::Kernel => {
                matches!(self.errno(), Some(Errno::EBUSY | Errno::ENOMEM | Errno::ENOBUFS | Errno::EAGAIN))
            }
            _ => false,
        }
    }

    /// The meaning of the kernel's number for this call.
    fn meaning(&self, errno: Errno) -> Option<&'static str> {
        Some(match (errno, self.0.call) {
            (Errno::EPERM, _) => "permission denied",
            (Errno::EEXIST, Call::StartSync) => "already running",
            (Errno::EEXIST, _) => "already exists",
            (Errno::ESRCH, Call::StopSync) => "not running",
            (Errno::ESRCH, _) => "no such service",
            (Errno::ENOENT, Call::NewService | Call::UpdateService) => "scheduler or persistence engine not available",
            (Errno::ENOENT, Call::UpdateDestination | Call::DeleteDestination) => "no such destination",
            (Errno::ENODEV, Call::StartSync) => "no such interface",
            (Errno::ENETUNREACH, Call::StartSync) => "the multicast group cannot be reached by this interface",
            (Errno::ERANGE, Call::NewDestination | Call::UpdateDestination) => "weight or threshold out of range",
            (Errno::EAFNOSUPPORT, _) => "address family not supported",
            (Errno::EOPNOTSUPP, _) => "not supported by this kernel",
            (Errno::EINVAL, _) => "refused as invalid",
            (Errno::ENOMEM, _) => "the kernel is out of memory",
            (Errno::EBUSY, _) => "busy",
            _ => return None,
        })
    }

    /// A hint on how to resolve the error, for those that have one.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.0.cause {
            Cause::NotAvailable => Some(
                "load the module with `modprobe ip_vs`, or install the kernel's modules; a container needs it loaded \
                 on the host",
            ),
            Cause::Kernel { errno, .. } => match (*errno, self.0.call) {
                (Errno::EPERM, _) => Some(
                    "every IPVS command takes CAP_NET_ADMIN in the initial user namespace: run as root, outside of a \
                     rootless container",
                ),
                (Errno::ENOENT, Call::NewService | Call::UpdateService) => {
                    Some("check the name, or load the module ip_vs_NAME or ip_vs_pe_NAME")
                }
                (Errno::EINVAL, Call::NewDestination | Call::UpdateDestination) => Some(
                    "the address must be unicast with `lo` up, only a tunnel may lead to the other address family \
                     (and only while no sync daemon runs), GUE needs a port, and newer kernels take an upper threshold \
                     of at most 2147483647",
                ),
                (Errno::EINVAL, Call::StartSync) => {
                    Some("no destination may be of another address family than its service while a daemon runs")
                }
                (Errno::EINVAL, Call::SetConfig) => Some("the timeout is more than this kernel's clock can count"),
                _ => None,
            },
            Cause::Timeout { .. } | Cause::Lost => match self.0.call {
                Call::Open
                | Call::GetService
                | Call::GetServices
                | Call::GetDestinations
                | Call::GetSyncDaemons
                | Call::GetConfig
                | Call::GetInfo => Some("nothing was changed: try again"),
                _ => Some("whether it was executed is not known: read the table again"),
            },
            Cause::NotSent => Some("send it again"),
            Cause::Procfs(error) => error.hint(),
            Cause::Interrupted { .. } | Cause::Unstable(_) => Some("another program is changing the table: try again"),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { call, target, namespace, cause, .. } = &*self.0;
        match cause {
            // These errors name their call and object themselves.
            Cause::Procfs(error) => return error.fmt(f),
            Cause::Parse(error) => return error.fmt(f),
            Cause::Invalid(error) if *call == Call::MakeValue => return error.fmt(f),
            #[cfg(target_os = "linux")]
            Cause::Namespace(error) if *call == Call::EnterNetns => return error.fmt(f),
            #[cfg(target_os = "linux")]
            Cause::Namespace(_) => write!(f, "{call}{target}: ")?,
            _ => match namespace {
                Some(namespace) => write!(f, "{call}{target} in network namespace {namespace}: ")?,
                None => write!(f, "{call}{target}: ")?,
            },
        }
        match cause {
            Cause::NotAvailable => f.write_str("this kernel has no IPVS")?,
            Cause::Kernel { errno, message, attribute } => {
                match (self.missing_part(), self.meaning(*errno)) {
                    (Some(Wanted { scheduler, engine: Some(engine) }), _) => {
                        write!(f, "scheduler {scheduler} or persistence engine {engine} not available ({errno})")?;
                    }
                    (Some(Wanted { scheduler, engine: None }), _) => {
                        write!(f, "scheduler {scheduler} not available ({errno})")?;
                    }
                    (None, Some(meaning)) => write!(f, "{meaning} ({errno})")?,
                    (None, None) => write!(f, "the kernel refused ({errno})")?,
                }
                if let Some(message) = message {
                    write!(f, ": {message}")?;
                }
                if let Some(attribute) = attribute {
                    write!(f, " [{attribute}]")?;
                }
            }
            Cause::Timeout { after } => write!(f, "no answer within {after:?}")?,
            Cause::Lost => f.write_str("the answer was lost")?,
            Cause::NotSent => f.write_str("not sent, because an earlier command of the batch had no answer")?,
            Cause::Stopped => f.write_str("not sent, because the batch was stopped")?,
            Cause::Interrupted { attempts } => write!(f, "the list changed {attempts} times while it was read")?,
            Cause::Unstable(unstable) => write!(f, "{unstable}")?,
            Cause::Truncated { len } => write!(f, "the answer of {len} bytes does not fit the receive buffer")?,
            Cause::Decode(error) => write!(f, "the kernel's answer cannot be read: {error}")?,
            Cause::Invalid(value) => write!(f, "{value}")?,
            Cause::Parse(error) => write!(f, "{error}")?,
            Cause::Procfs(error) => write!(f, "{error}")?,
            #[cfg(target_os = "linux")]
            Cause::Namespace(error) => write!(f, "{error}")?,
            Cause::Io(error) => write!(f, "{error}")?,
        }
        match self.hint() {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// The line of [`Display`](fmt::Display), because `main` and `unwrap` print with `Debug`; `{:#?}` prints the parts.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        let Inner { call, target, namespace, wanted, cause } = &*self.0;
        f.debug_struct("Error")
            .field("call", call)
            .field("target", target)
            .field("namespace", namespace)
            .field("wanted", wanted)
            .field("cause", cause)
            .finish()
    }
}

impl std::error::Error for Error {
    /// The error of a lower floor or of the system, where there is one.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.cause {
            Cause::Unstable(error) => Some(error),
            Cause::Decode(error) => Some(error),
            Cause::Invalid(error) => Some(error),
            Cause::Parse(error) => Some(error),
            Cause::Procfs(error) => Some(error),
            #[cfg(target_os = "linux")]
            Cause::Namespace(error) => Some(error),
            Cause::Io(error) => Some(error),
            Cause::NotAvailable
            | Cause::Kernel { .. }
            | Cause::Timeout { .. }
            | Cause::Lost
            | Cause::NotSent
            | Cause::Stopped
            | Cause::Interrupted { .. }
            | Cause::Truncated { .. } => None,
        }
    }
}
