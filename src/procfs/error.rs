use std::fmt;
use std::io;

use super::lines::LineError;
use crate::model::ParseError;
#[cfg(target_os = "linux")]
use crate::transport::{NetnsError, NetnsProblem};

/// Why what the kernel shows as a file could not be read or changed.
///
/// It prints as one line that says what was attempted, on which file, in which line, and what was wrong:
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
pub struct ProcfsError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    operation: ProcfsOperation,
    place: Place,
    cause: Cause,
}

/// Which file, and of which network namespace.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: String,
    /// As it was given; `None` for the one that the calling thread is in.
    pub(super) namespace: Option<String>,
}

/// What went wrong, without where.
#[derive(Debug)]
pub(super) enum Cause {
    NotAvailable,
    Line {
        number: u64,
        error: ParseError,
    },
    LineTooLong {
        number: u64,
        limit: usize,
    },
    #[cfg(target_os = "linux")]
    Namespace(NetnsError),
    Io(io::Error),
}

/// What was attempted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProcfsOperation {
    /// Reading the connection table.
    GetConnections,
}

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ProcfsErrorKind {
    /// There is no such file, because this kernel has no IPVS, or its module is not loaded.
    NotAvailable,
    /// A line does not have the form that it should.
    Line,
    /// The network namespace could not be entered.
    Namespace,
    /// The system refused to open, read or write the file.
    Io,
}

impl ProcfsError {
    pub(super) fn new(operation: ProcfsOperation, place: Place, cause: Cause) -> Self {
        Self(Box::new(Inner { operation, place, cause }))
    }

    /// The kind of thing that went wrong.
    pub fn kind(&self) -> ProcfsErrorKind {
        match self.0.cause {
            Cause::NotAvailable => ProcfsErrorKind::NotAvailable,
            Cause::Line { .. } | Cause::LineTooLong { .. } => ProcfsErrorKind::Line,
            #[cfg(target_os = "linux")]
            Cause::Namespace(_) => ProcfsErrorKind::Namespace,
            Cause::Io(_) => ProcfsErrorKind::Io,
        }
    }

    /// What was attempted.
    pub fn operation(&self) -> ProcfsOperation {
        self.0.operation
    }

    /// The file, as it was opened; the bare name of the file for what came from a reader.
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

    /// What does not fit in the line.
    pub fn parse_error(&self) -> Option<&ParseError> {
        match &self.0.cause {
            Cause::Line { error, .. } => Some(error),
            _ => None,
        }
    }

    /// Why the network namespace could not be entered.
    #[cfg(target_os = "linux")]
    pub fn namespace_error(&self) -> Option<&NetnsError> {
        match &self.0.cause {
            Cause::Namespace(error) => Some(error),
            _ => None,
        }
    }

    /// The error of the system call, when it was one that failed.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &self.0.cause {
            Cause::Io(error) => Some(error),
            _ => None,
        }
    }

    /// Whether there is no such file, because this kernel has no IPVS or its module is not loaded.
    pub fn is_not_available(&self) -> bool {
        self.kind() == ProcfsErrorKind::NotAvailable
    }

    /// Whether the caller may not open or change the file, or enter the namespace.
    pub fn is_permission_denied(&self) -> bool {
        match &self.0.cause {
            Cause::Io(error) => error.kind() == io::ErrorKind::PermissionDenied,
            #[cfg(target_os = "linux")]
            Cause::Namespace(error) => matches!(error.problem(), NetnsProblem::PermissionDenied),
            _ => false,
        }
    }

    /// Whether the file is there and could be read, but a line of it does not have the form that it should.
    pub fn is_malformed(&self) -> bool {
        self.kind() == ProcfsErrorKind::Line
    }

    /// What to do about it, where there is something to say.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.0.cause {
            Cause::NotAvailable => Some(
                "load the module with `modprobe ip_vs`, or open a handle, which makes the kernel load it; /proc must \
                 be mounted",
            ),
            _ => None,
        }
    }
}

impl fmt::Display for ProcfsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { operation, place, cause } = &*self.0;
        write!(f, "{operation}: ")?;
        // The error of a namespace names it.
        #[cfg(target_os = "linux")]
        if let Cause::Namespace(error) = cause {
            return write!(f, "{error}");
        }
        write!(f, "{}", place.file)?;
        if let Some(namespace) = &place.namespace {
            write!(f, " of network namespace {namespace}")?;
        }
        match cause {
            Cause::NotAvailable => f.write_str(": there is no such file, so IPVS is not loaded")?,
            Cause::Line { number, error } => write!(f, ": line {number}: {error}")?,
            Cause::LineTooLong { number, limit } => write!(f, ": line {number}: it is longer than {limit} bytes")?,
            #[cfg(target_os = "linux")]
            Cause::Namespace(_) => {}
            Cause::Io(error) => write!(f, ": {error}")?,
        }
        match self.hint() {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// The line of [`Display`](fmt::Display), because that is what `main` and `unwrap` show; `{:#?}` shows the parts.
impl fmt::Debug for ProcfsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return fmt::Display::fmt(self, f);
        }
        let Inner { operation, place, cause } = &*self.0;
        f.debug_struct("ProcfsError").field("operation", operation).field("place", place).field("cause", cause).finish()
    }
}

impl std::error::Error for ProcfsError {}

impl fmt::Display for ProcfsOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GetConnections => "get connections",
        })
    }
}

impl Cause {
    /// Why a line could not be had.
    pub(super) fn of_line(error: LineError, number: u64, limit: usize) -> Self {
        match error {
            LineError::Io(error) => Self::Io(error),
            LineError::TooLong => Self::LineTooLong { number, limit },
        }
    }
}
