//! How a command fails.

/// A failure: its message, and the exit status of the program.
#[derive(Debug, Eq, PartialEq)]
pub struct Fault {
    /// Lines for standard error, without the last end; empty where there is no message.
    pub message: Vec<u8>,
    pub status: u8,
    /// Whether the lines after it in a restore are left out.
    pub ends_restore: bool,
    /// Whether the rest of the listing was printed.
    pub is_partial: bool,
}

impl Fault {
    /// The command line is wrong.
    pub fn usage(message: impl Into<Vec<u8>>) -> Self {
        Self { message: message.into(), status: 2, ends_restore: true, is_partial: false }
    }

    /// The same, about a value that is shown as it was typed.
    pub fn value(before: &str, value: &[u8], after: &str) -> Self {
        Self::usage([before.as_bytes(), b"`", value, b"'", after.as_bytes()].concat())
    }

    /// The words cannot be parsed, or the kernel refused: the next line of a restore may succeed.
    pub fn refused(message: impl Into<Vec<u8>>) -> Self {
        Self { message: message.into(), status: 255, ends_restore: false, is_partial: false }
    }

    /// No command was found at all.
    pub fn try_help(program: &[u8]) -> Self {
        let message = [b"Try `", program, b" -h' or '", program, b" --help' for more information."].concat();
        Self { message, status: 255, ends_restore: true, is_partial: false }
    }

    /// A list could not be read.
    pub fn list(message: impl Into<Vec<u8>>) -> Self {
        Self { message: message.into(), status: 1, ends_restore: true, is_partial: false }
    }

    /// Lines of a list could not be read; the others were printed.
    pub fn partial(lines: &[String]) -> Self {
        Self { is_partial: true, ..Self::list(lines.join("\n")) }
    }
}
