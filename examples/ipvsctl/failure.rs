//! The failures of a command: message and exit status.

use clap::ValueEnum;
use ipvs_rs::Error;
use ipvs_rs::error::ErrorKind;

/// Exit statuses. Scripts rely on them; the man page lists them with the descriptions here.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
#[repr(u8)]
pub enum Exit {
    /// The kernel has no IPVS, and its module could not be loaded.
    Modprobe = 1,
    /// The command line is wrong.
    Usage = 2,
    /// There is something to change; with plan --exit-code only.
    Changes = 10,
    /// The kernel has no IPVS.
    NotAvailable = 20,
    /// The table could not be read: usually for lack of privilege.
    Query = 21,
    /// A file could not be read, or is not YAML or JSON of the right shape.
    Input = 30,
    /// The table could not be changed, or a change was not allowed; what was done is not, or not fully, taken back.
    Apply = 31,
    /// A file says something that no table can be, or nothing where that would delete services.
    Invalid = 32,
    /// A value of the command line is wrong.
    Value = 33,
    /// A single setting could not be changed.
    Set = 34,
    /// A parameter could not be resolved.
    Parameter = 35,
    /// Another ipvsctl is changing the table.
    Locked = 36,
    /// The table has changed since the plan was made.
    Stale = 37,
    /// The table could not be changed; everything is as it was.
    RolledBack = 38,
    /// Connections had not ended when the time was over.
    Drain = 41,
    /// Parameters could not be had from a web server or from the interfaces of this host.
    Network = 50,
    /// A file of parameters could not be read or converted.
    ParameterFile = 51,
    /// Output could not be formatted or written.
    Output = 100,
}

impl Exit {
    /// Returns all of them, each with its meaning.
    pub fn all() -> impl Iterator<Item = (u8, String)> {
        Self::value_variants().iter().filter_map(|exit| {
            let meaning = exit.to_possible_value()?.get_help()?.to_string();
            Some((*exit as u8, meaning + "."))
        })
    }
}

/// The reason that a command failed.
#[derive(Debug, Eq, PartialEq)]
pub struct Failure {
    pub exit: Exit,
    /// Lines for standard error, without the last line end; empty where everything has been reported.
    pub message: String,
}

/// Returns a [`Failure`] with an exit status and a message, which is formatted.
macro_rules! failure {
    ($exit:ident, $($message:tt)+) => {
        $crate::failure::Failure::new($crate::failure::Exit::$exit, format!($($message)+))
    };
}
pub(crate) use failure;

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// A line for each reason.
    pub fn of_lines(exit: Exit, lines: impl IntoIterator<Item = String>) -> Self {
        Self::new(exit, lines.into_iter().collect::<Vec<_>>().join("\n"))
    }

    /// Everything has been reported; only the exit status is left.
    pub const fn silent(exit: Exit) -> Self {
        Self { exit, message: String::new() }
    }

    /// The table, or a part of it, could not be read.
    pub fn query(what: &str, error: &Error) -> Self {
        let is_open = matches!(error.kind(), ErrorKind::NotAvailable | ErrorKind::Namespace | ErrorKind::Io);
        let hint = match error.kind() {
            _ if error.is_permission_denied() => ": permission denied, needs CAP_NET_ADMIN.",
            _ if is_open => return Self::open(error),
            // The module is loaded; the error has another reason.
            ErrorKind::Timeout | ErrorKind::Unstable | ErrorKind::Interrupted | ErrorKind::Decode => ".",
            _ => ". Is the kernel module installed and active?",
        };
        Self::unreadable(Exit::Query, &format!("Unable to query IPVS ({what}){hint}\nReason: {error}"))
    }

    /// IPVS cannot be reached.
    pub fn open(error: &Error) -> Self {
        let exit = if error.is_permission_denied() { Exit::Query } else { Exit::NotAvailable };
        let sentence = match error.kind() {
            ErrorKind::Namespace => "Unable to enter the network namespace.",
            _ => "Unable to create IPVS handle. Is the kernel module installed and active?",
        };
        Self::unreadable(exit, &format!("{sentence}\nReason: {error}"))
    }

    /// The table could not be read.
    pub fn unreadable(exit: Exit, sentence: &str) -> Self {
        Self::new(exit, format!("Unable to get current ipvs config: {sentence}"))
    }

    /// A single change was refused.
    pub fn set(what: &str, error: &Error) -> Self {
        match error.kind() {
            _ if error.is_permission_denied() => Self::query("services", error),
            ErrorKind::NotAvailable => Self::open(error),
            _ => failure!(Set, "{what}: {error}"),
        }
    }
}
