use std::fmt;
use std::io;
use std::sync::Arc;

use super::lines::LineError;
use super::{Sysctl, SysctlValue};
use crate::model::ParseError;
#[cfg(target_os = "linux")]
use crate::transport::{NetnsError, NetnsProblem};

/// The error of reading or changing a file of the kernel.
///
/// It prints as one line with the operation, the file, the line in it, and the cause:
///
/// It prints as [every error](crate::error#how-errors-print).
///
/// ```
/// use ipvs_rs::procfs::Connections;
///
/// let text = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\nTCP 0A02\n";
/// let error = Connections::from_reader(text.as_bytes()).next().unwrap().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "get connections: ip_vs_conn: line 2: client: \"0A02\" does not fit: \
///      expected an address of 8 hexadecimal digits, or of 8 groups of 4"
/// );
/// assert_eq!(error.line(), Some(2));
/// ```
#[derive(Clone)]
pub struct ProcfsError(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    operation: ProcfsOperation,
    /// The value that a sysctl was to be set to.
    value: Option<SysctlValue>,
    place: Place,
    cause: Cause,
}

/// A file and its network namespace.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: String,
    /// The namespace as it was given; `None` for the one that the calling thread is in.
    pub(super) namespace: Option<String>,
}

impl Place {
    /// A file that does not depend on the namespace. Data from a reader has the name of the file that it should be.
    pub(super) fn of_reader(file: &str) -> Self {
        Self { file: file.to_owned(), namespace: None }
    }
}

/// The cause of an error, without its place.
#[derive(Debug)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "what only opening a file can meet"))]
pub(super) enum Cause {
    NotAvailable,
    NoSuchSysctl,
    NoSysctls,
    Line {
        number: u64,
        error: ParseError,
    },
    LineTooLong {
        number: u64,
        limit: usize,
    },
    Value(ParseError),
    NotTaken {
        read: SysctlValue,
    },
    #[cfg(target_os = "linux")]
    Namespace(NetnsError),
    Io(io::Error),
}

/// The operation that was attempted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProcfsOperation {
    /// Reading the connection table.
    GetConnections,
    /// Reading the totals.
    GetStats,
    /// Reading the counters of each processor.
    GetCpuStats,
    /// Reading the list of modules.
    GetModules,
    /// Reading a sysctl.
    GetSysctl(Sysctl),
    /// Setting a sysctl.
    SetSysctl(Sysctl),
}

/// The kind of an error.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProcfsErrorKind {
    /// The file does not exist, because this kernel has no IPVS, or its module is not loaded.
    NotAvailable,
    /// IPVS is there, but this kernel does not have the sysctl.
    NoSuchSysctl,
    /// A line is malformed.
    Line,
    /// The value is not of the kind that the sysctl has.
    Value,
    /// The kernel reported no error when the sysctl was written, but it reads as another value.
    NotTaken,
    /// The network namespace could not be entered.
    Namespace,
    /// The system refused to open, read or write the file.
    Io,
}

impl ProcfsError {
    pub(super) fn new(operation: ProcfsOperation, place: Place, cause: Cause) -> Self {
        Self(Arc::new(Inner { operation, value: None, place, cause }))
    }

    /// Adds the value that a sysctl was to be set to.
    #[cfg(target_os = "linux")]
    pub(super) fn with_value(mut self, value: SysctlValue) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.value = Some(value);
        }
        self
    }

    /// The kind of the error.
    pub fn kind(&self) -> ProcfsErrorKind {
        match self.0.cause {
            Cause::NotAvailable => ProcfsErrorKind::NotAvailable,
            Cause::NoSuchSysctl | Cause::NoSysctls => ProcfsErrorKind::NoSuchSysctl,
            Cause::Line { .. } | Cause::LineTooLong { .. } => ProcfsErrorKind::Line,
            Cause::Value(_) => ProcfsErrorKind::Value,
            Cause::NotTaken { .. } => ProcfsErrorKind::NotTaken,
            #[cfg(target_os = "linux")]
            Cause::Namespace(_) => ProcfsErrorKind::Namespace,
            Cause::Io(_) => ProcfsErrorKind::Io,
        }
    }

    /// The operation that was attempted.
    pub fn operation(&self) -> ProcfsOperation {
        self.0.operation
    }

    /// The value that a sysctl was to be set to.
    pub fn value(&self) -> Option<&SysctlValue> {
        self.0.value.as_ref()
    }

    /// The value that a sysctl reads as after it was set, when that is another one.
    pub fn read_back(&self) -> Option<&SysctlValue> {
        match &self.0.cause {
            Cause::NotTaken { read } => Some(read),
            _ => None,
        }
    }

    /// The file, as it was opened; the bare name of the file for data from a reader.
    pub fn file(&self) -> &str {
        &self.0.place.file
    }

    /// The network namespace as it was given; `None` for that of the calling thread.
    pub fn namespace(&self) -> Option<&str> {
        self.0.place.namespace.as_deref()
    }

    /// The number of the line that could not be read, from 1.
    pub fn line(&self) -> Option<u64> {
        match self.0.cause {
            Cause::Line { number, .. } | Cause::LineTooLong { number, .. } => Some(number),
            _ => None,
        }
    }

    /// The part of the line, or of the value, that could not be parsed.
    pub fn parse_error(&self) -> Option<&ParseError> {
        match &self.0.cause {
            Cause::Line { error, .. } | Cause::Value(error) => Some(error),
            _ => None,
        }
    }

    /// The reason why the network namespace could not be entered.
    #[cfg(target_os = "linux")]
    pub fn namespace_error(&self) -> Option<&NetnsError> {
        match &self.0.cause {
            Cause::Namespace(error) => Some(error),
            _ => None,
        }
    }

    /// The error of the system call, if one failed.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &self.0.cause {
            Cause::Io(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the file does not exist, because this kernel has no IPVS or its module is not loaded.
    pub fn is_not_available(&self) -> bool {
        self.kind() == ProcfsErrorKind::NotAvailable
    }

    /// Whether IPVS is there, but the kernel does not have the sysctl.
    pub fn is_unsupported(&self) -> bool {
        self.kind() == ProcfsErrorKind::NoSuchSysctl
    }

    /// Whether the caller may not open or change the file, or enter the namespace.
    pub fn is_permission_denied(&self) -> bool {
        match &self.0.cause {
            Cause::Io(error) => {
                matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
            }
            #[cfg(target_os = "linux")]
            Cause::Namespace(error) => matches!(error.problem(), NetnsProblem::PermissionDenied),
            _ => false,
        }
    }

    /// Whether the file exists and could be read, but a line of it is malformed.
    pub fn is_malformed(&self) -> bool {
        self.kind() == ProcfsErrorKind::Line
    }

    /// Whether a value was refused, by this library or by the kernel.
    pub fn is_invalid(&self) -> bool {
        match &self.0.cause {
            Cause::Value(_) => true,
            Cause::Io(error) => error.kind() == io::ErrorKind::InvalidInput,
            _ => false,
        }
    }

    /// A hint for the user how to solve the problem, if there is one.
    pub fn hint(&self) -> Option<&'static str> {
        let is_setting = matches!(self.0.operation, ProcfsOperation::SetSysctl(_));
        match &self.0.cause {
            Cause::NotAvailable => Some(
                "load the module with `modprobe ip_vs`, or open a handle, which makes the kernel load it; /proc must \
                 be mounted",
            ),
            Cause::NoSysctls => Some("an old kernel shows none in the namespace of a rootless container"),
            Cause::Io(_) if is_setting && self.is_permission_denied() => {
                Some("setting takes root, and a /proc/sys that is mounted for writing")
            }
            _ => None,
        }
    }
}

impl fmt::Display for ProcfsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { operation, value, place, cause } = &*self.0;
        write!(f, "{operation}")?;
        if let Some(value) = value {
            write!(f, " to {}", value.to_string().escape_debug())?;
        }
        f.write_str(": ")?;
        // The error of a namespace contains its name.
        #[cfg(target_os = "linux")]
        if let Cause::Namespace(error) = cause {
            return write!(f, "{error}");
        }
        write!(f, "{}", place.file)?;
        if let Some(namespace) = &place.namespace {
            write!(f, " of network namespace {namespace}")?;
        }
        match cause {
            Cause::NotAvailable => f.write_str(": the file does not exist, so IPVS is not loaded")?,
            Cause::NoSuchSysctl => f.write_str(": this kernel has no such sysctl")?,
            Cause::NoSysctls => f.write_str(": this namespace has no sysctls of IPVS")?,
            Cause::Line { number, error } => write!(f, ": line {number}: {error}")?,
            Cause::LineTooLong { number, limit } => write!(f, ": line {number}: it is longer than {limit} bytes")?,
            Cause::Value(error) => write!(f, ": {error}")?,
            Cause::NotTaken { read } => write!(f, ": the kernel reported no error, but it reads as {read}")?,
            #[cfg(target_os = "linux")]
            Cause::Namespace(_) => {}
            Cause::Io(error) => write!(f, ": {error}")?,
        }
        if let Some(info) = operation.sysctl().map(Sysctl::info) {
            match cause {
                Cause::NoSuchSysctl => {
                    write!(f, "; it is there since Linux {}", info.since)?;
                    if let Some(condition) = info.condition {
                        write!(f, ", {condition}")?;
                    }
                }
                Cause::Io(_) if self.is_invalid() => write!(f, "; it takes {}", info.kind)?,
                _ => {}
            }
        }
        match self.hint() {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// The line of [`Display`](fmt::Display), because `main` and `unwrap` print this form; `{:#?}` shows the parts.
impl fmt::Debug for ProcfsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        let Inner { operation, value, place, cause } = &*self.0;
        f.debug_struct("ProcfsError")
            .field("operation", operation)
            .field("value", value)
            .field("place", place)
            .field("cause", cause)
            .finish()
    }
}

impl std::error::Error for ProcfsError {
    /// The error of a lower floor or of the system, if there is one.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.cause {
            Cause::Line { error, .. } | Cause::Value(error) => Some(error),
            #[cfg(target_os = "linux")]
            Cause::Namespace(error) => Some(error),
            Cause::Io(error) => Some(error),
            Cause::NotAvailable
            | Cause::NoSuchSysctl
            | Cause::NoSysctls
            | Cause::LineTooLong { .. }
            | Cause::NotTaken { .. } => None,
        }
    }
}

impl ProcfsOperation {
    /// The sysctl that is read or set.
    pub const fn sysctl(self) -> Option<Sysctl> {
        match self {
            Self::GetSysctl(sysctl) | Self::SetSysctl(sysctl) => Some(sysctl),
            _ => None,
        }
    }
}

impl fmt::Display for ProcfsOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GetConnections => f.write_str("get connections"),
            Self::GetStats => f.write_str("get stats"),
            Self::GetCpuStats => f.write_str("get stats of processors"),
            Self::GetModules => f.write_str("get modules"),
            Self::GetSysctl(sysctl) => write!(f, "get sysctl {sysctl}"),
            Self::SetSysctl(sysctl) => write!(f, "set sysctl {sysctl}"),
        }
    }
}

impl Cause {
    /// The cause when a line could not be read.
    pub(super) fn of_line(error: LineError, number: u64, limit: usize) -> Self {
        match error {
            LineError::Io(error) => Self::Io(error),
            LineError::TooLong => Self::LineTooLong { number, limit },
        }
    }
}
