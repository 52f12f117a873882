use std::fmt;

use crate::codec::{Acknowledgement, DecodeError, attribute_at};

/// Why an exchange has no answer. It prints as [every error](crate::error#how-errors-print).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ExchangeFailure {
    /// The kernel refused.
    Kernel(KernelError),
    /// The answer could not be read, or did not answer the request.
    Decode(DecodeError),
    /// The kernel marked the list as interrupted: retry.
    Interrupted,
    /// The kernel reported that messages were lost: retry.
    Overrun,
}

/// A refusal by the kernel.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KernelError {
    /// The error number, positive.
    pub errno: u32,
    /// The kernel's message, if it sent one. IPVS itself does not; generic netlink has some about attributes.
    pub message: Option<String>,
    /// The offset of the refused attribute in the request.
    pub offset: Option<u32>,
    /// The type of a missing attribute.
    pub missing: Option<u32>,
}

impl KernelError {
    /// `None` for an acknowledgement of success.
    pub(super) fn of(acknowledgement: &Acknowledgement<'_>) -> Option<Self> {
        let Acknowledgement { code, extended } = acknowledgement;
        (*code != 0).then(|| Self {
            errno: code.unsigned_abs(),
            message: extended.message.map(str::to_owned),
            offset: extended.offset,
            missing: extended.missing,
        })
    }

    /// The kernel's name of the attribute that it refused, found in the request.
    pub fn attribute_in(&self, request: &[u8]) -> Option<&'static str> {
        self.offset.and_then(|offset| attribute_at(request, offset))
    }
}

impl fmt::Display for ExchangeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(error) => match &error.message {
                Some(message) => write!(f, "the kernel refused with error {}: {message}", error.errno),
                None => write!(f, "the kernel refused with error {}", error.errno),
            },
            Self::Decode(error) => write!(f, "the answer of the kernel cannot be read: {error}"),
            Self::Interrupted => f.write_str("the list changed while it was read"),
            Self::Overrun => f.write_str("the kernel lost messages"),
        }
    }
}

impl std::error::Error for ExchangeFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Decode(error) => Some(error),
            _ => None,
        }
    }
}

impl From<DecodeError> for ExchangeFailure {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}
