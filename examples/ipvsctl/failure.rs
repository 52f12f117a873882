//! How a command fails: what is said, and the exit status.

use ipvs_rs::error::{Error, ErrorKind};

/// Exit statuses. Scripts rely on them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Exit {
    /// The kernel's module could not be loaded.
    Modprobe = 1,
    /// The command line is wrong.
    Usage = 2,
    /// `plan --exit-code`: there is something to change. No failure.
    Changes = 10,
    /// There is no IPVS.
    NotAvailable = 20,
    /// The table could not be read.
    Query = 21,
    /// A file could not be read, or is no YAML.
    Input = 30,
    /// The table could not be changed.
    Apply = 31,
    /// A file says what no table can be, or nothing where that would delete services.
    Invalid = 32,
    /// A value of the command line is wrong.
    Value = 33,
    /// `set`, `drain`, `undrain` or `zero` failed.
    Set = 34,
    /// A parameter could not be resolved.
    Parameter = 35,
    /// Another process is changing the table.
    Locked = 36,
    /// The table is not what it was when the plan was made.
    Stale = 37,
    /// The table could not be changed, and is what it was.
    RolledBack = 38,
    /// Connections did not end in time.
    Drain = 41,
    /// A web server, or the interfaces of this host, gave no parameters.
    Network = 50,
    /// A file of parameters could not be read.
    ParameterFile = 51,
    /// Output could not be written.
    Output = 100,
}

/// All of them, with what they mean to people.
pub const EXITS: [(Exit, &str); 18] = [
    (Exit::Modprobe, "The kernel has no IPVS, and its module could not be loaded."),
    (Exit::Usage, "The command line is wrong."),
    (Exit::Changes, "There is something to change; with plan --exit-code only."),
    (Exit::NotAvailable, "The kernel has no IPVS."),
    (Exit::Query, "The table could not be read: usually for lack of privilege."),
    (Exit::Input, "A file could not be read, or is not YAML or JSON of the right shape."),
    (
        Exit::Apply,
        "The table could not be changed, or a change was not allowed; what was done is not, or not fully, taken \
        back.",
    ),
    (Exit::Invalid, "A file says something that no table can be, or nothing where that would delete services."),
    (Exit::Value, "A value of the command line is wrong."),
    (Exit::Set, "A single setting could not be changed."),
    (Exit::Parameter, "A parameter could not be resolved."),
    (Exit::Locked, "Another ipvsctl is changing the table."),
    (Exit::Stale, "The table has changed since the plan was made."),
    (Exit::RolledBack, "The table could not be changed; everything is as it was."),
    (Exit::Drain, "Connections had not ended when the time was over."),
    (Exit::Network, "Parameters could not be had from a web server or from the interfaces of this host."),
    (Exit::ParameterFile, "A file of parameters could not be read or converted."),
    (Exit::Output, "Output could not be formatted or written."),
];

/// Why a command did not do what it should.
#[derive(Debug, Eq, PartialEq)]
pub struct Failure {
    pub exit: Exit,
    /// Lines for standard error, without the last line end; empty where everything is said.
    pub message: String,
}

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// Everything was said before; only the exit status is left.
    pub const fn silent(exit: Exit) -> Self {
        Self { exit, message: String::new() }
    }

    /// The table, or a part of it, could not be read.
    pub fn query(what: &str, error: &Error) -> Self {
        let (exit, sentence) = match error.kind() {
            ErrorKind::NotAvailable | ErrorKind::Namespace | ErrorKind::Io if !error.is_permission_denied() => {
                return Self::open(error);
            }
            _ if error.is_permission_denied() => {
                (Exit::Query, format!("Unable to query IPVS ({what}): permission denied, needs CAP_NET_ADMIN."))
            }
            // The module is there; something else is the matter.
            ErrorKind::Timeout | ErrorKind::Unstable | ErrorKind::Interrupted | ErrorKind::Decode => {
                (Exit::Query, format!("Unable to query IPVS ({what})."))
            }
            _ => (Exit::Query, format!("Unable to query IPVS ({what}). Is the kernel module installed and active?")),
        };
        Self::new(exit, format!("Unable to get current ipvs config: {sentence}\nReason: {error}"))
    }

    /// There is no way to IPVS.
    pub fn open(error: &Error) -> Self {
        let exit = if error.is_permission_denied() { Exit::Query } else { Exit::NotAvailable };
        let sentence = match error.kind() {
            ErrorKind::Namespace => "Unable to enter the network namespace.",
            _ => "Unable to create IPVS handle. Is the kernel module installed and active?",
        };
        Self::new(exit, format!("Unable to get current ipvs config: {sentence}\nReason: {error}"))
    }

    /// A single change was refused.
    pub fn set(what: &str, error: &Error) -> Self {
        if error.kind() == ErrorKind::NotAvailable {
            return Self::open(error);
        }
        Self::new(Exit::Set, format!("{what}: {error}"))
    }
}
