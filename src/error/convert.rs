//! Conversions of the errors of floors 0 to 4 into the one error, and of that into `io::Error`.

use std::io;

use super::{Call, Cause, Errno, Error, Target};
use crate::model::{InvalidValue, ParseError};
use crate::procfs::ProcfsError;
#[cfg(target_os = "linux")]
use crate::transport::{NetnsError, NetnsProblem};

/// An error of a lower floor: it prints as that one does.
impl From<InvalidValue> for Error {
    fn from(error: InvalidValue) -> Self {
        Self::new(Call::MakeValue, Target::Table, Cause::Invalid(error))
    }
}

/// An error of a lower floor: it prints as that one does.
impl From<ParseError> for Error {
    fn from(error: ParseError) -> Self {
        Self::new(Call::ParseText, Target::Table, Cause::Parse(error))
    }
}

/// An error of a lower floor: it prints as that one does.
#[cfg(target_os = "linux")]
impl From<NetnsError> for Error {
    fn from(error: NetnsError) -> Self {
        Self::new(Call::EnterNetns, Target::Table, Cause::Namespace(error))
    }
}

/// An error of a lower floor: it prints as that one does.
impl From<ProcfsError> for Error {
    fn from(error: ProcfsError) -> Self {
        Self::new(Call::Procfs, Target::Table, Cause::Procfs(error))
    }
}

impl From<Error> for io::Error {
    /// For functions that return `io::Result`: it prints as before, and the error can be recovered from it.
    ///
    /// ```
    /// use std::io;
    /// use ipvs_rs::Error;
    /// use ipvs_rs::model::Weight;
    ///
    /// let error = io::Error::from(Error::from(Weight::new(u32::MAX).unwrap_err()));
    /// assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    /// assert_eq!(error.to_string(), "weight 4294967295 is out of range: expected 0 to 2147483647");
    /// assert!(error.downcast::<Error>().is_ok_and(|error| error.is_invalid()));
    /// ```
    fn from(error: Error) -> Self {
        use io::ErrorKind as Kind;
        let kind = match error.cause() {
            Cause::Io(error) => error.kind(),
            Cause::Procfs(procfs) => match procfs.io_error() {
                Some(error) => error.kind(),
                None if procfs.is_malformed() => Kind::InvalidData,
                None => kind_of(&error),
            },
            #[cfg(target_os = "linux")]
            Cause::Namespace(namespace) => match namespace.problem() {
                NetnsProblem::Missing => Kind::NotFound,
                NetnsProblem::PermissionDenied => Kind::PermissionDenied,
                NetnsProblem::Io(error) => error.kind(),
                _ => Kind::InvalidInput,
            },
            Cause::Timeout { .. } => Kind::TimedOut,
            Cause::Decode(_) | Cause::Truncated { .. } => Kind::InvalidData,
            Cause::Unstable(_) | Cause::Interrupted { .. } => Kind::ResourceBusy,
            Cause::Kernel { errno: Errno::EBUSY | Errno::EAGAIN, .. } => Kind::ResourceBusy,
            Cause::Kernel { errno: Errno::ENOMEM | Errno::ENOBUFS, .. } => Kind::OutOfMemory,
            _ => kind_of(&error),
        };
        Self::new(kind, error)
    }
}

/// The kind of the `io::Error`, by the predicates.
fn kind_of(error: &Error) -> io::ErrorKind {
    if error.is_not_found() {
        io::ErrorKind::NotFound
    } else if error.is_already_exists() {
        io::ErrorKind::AlreadyExists
    } else if error.is_permission_denied() {
        io::ErrorKind::PermissionDenied
    } else if error.is_invalid() {
        io::ErrorKind::InvalidInput
    } else if error.is_unsupported() || error.is_not_available() || error.is_scheduler_unavailable() {
        io::ErrorKind::Unsupported
    } else {
        io::ErrorKind::Other
    }
}
