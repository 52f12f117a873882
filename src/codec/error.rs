use std::fmt;

/// Bytes that could not be decoded: which attribute, where, and why.
///
/// ```
/// use ipvs_rs::codec::{IpvsCommand, Reply};
///
/// let error = Reply::decode(IpvsCommand::SetInfo.number(), &[]).unwrap_err();
/// assert_eq!(error.to_string(), "IPVS_INFO_ATTR_VERSION is missing");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct DecodeError {
    attribute: &'static str,
    offset: usize,
    problem: DecodeProblem,
}

/// The problem of a [`DecodeError`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DecodeProblem {
    /// Fewer bytes than the type needs.
    TooShort {
        /// Bytes needed.
        expected: usize,
        /// Bytes present.
        actual: usize,
    },
    /// A length field that is less than a header or more than the remaining bytes.
    BadLength {
        /// The value of the field.
        claimed: usize,
        /// Bytes present.
        actual: usize,
    },
    /// A mandatory attribute that is absent.
    Missing,
    /// A number outside of its range.
    OutOfRange {
        /// The number.
        value: u64,
    },
    /// A name that is empty, too long or not terminated.
    BadName,
    /// A message that does not answer the request.
    Unexpected,
}

impl DecodeError {
    pub(crate) const fn new(attribute: &'static str, offset: usize, problem: DecodeProblem) -> Self {
        Self { attribute, offset, problem }
    }

    pub(crate) const fn missing(attribute: &'static str, offset: usize) -> Self {
        Self::new(attribute, offset, DecodeProblem::Missing)
    }

    pub(crate) const fn out_of_range(attribute: &'static str, offset: usize, value: u64) -> Self {
        Self::new(attribute, offset, DecodeProblem::OutOfRange { value })
    }

    /// The kernel's name of the attribute or field that could not be decoded.
    pub const fn attribute(&self) -> &'static str {
        self.attribute
    }

    /// Its offset in bytes from the start of the decoder's input.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The problem.
    pub const fn problem(&self) -> DecodeProblem {
        self.problem
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attribute, offset, problem } = self;
        match problem {
            DecodeProblem::TooShort { expected, actual } => {
                write!(f, "{attribute} at byte {offset} has {actual} bytes where {expected} are needed")
            }
            DecodeProblem::BadLength { claimed, actual } => {
                write!(f, "{attribute} at byte {offset} claims {claimed} bytes where {actual} are left")
            }
            DecodeProblem::Missing => write!(f, "{attribute} is missing"),
            DecodeProblem::OutOfRange { value } => {
                write!(f, "{attribute} at byte {offset} has the impossible value {value}")
            }
            DecodeProblem::BadName => write!(f, "{attribute} at byte {offset} is not a name"),
            DecodeProblem::Unexpected => write!(f, "{attribute} at byte {offset} does not answer what was asked"),
        }
    }
}

impl std::error::Error for DecodeError {}
