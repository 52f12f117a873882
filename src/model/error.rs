use std::fmt::{self, Display};

/// A value that IPVS cannot hold, refused before anything was sent.
///
/// The message names the value and the accepted range:
///
/// ```
/// use ipvs_rs::model::Weight;
///
/// let error = Weight::new(4_294_967_295).unwrap_err();
/// assert_eq!(error.to_string(), "weight 4294967295 is out of range: expected 0 to 2147483647");
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[error("{what} {value} {problem}: expected {expected}")]
pub struct InvalidValue {
    what: &'static str,
    value: String,
    problem: &'static str,
    expected: &'static str,
}

impl InvalidValue {
    /// The name of the refused setting, for example `weight`.
    pub fn what(&self) -> &str {
        self.what
    }

    /// The refused value, as text.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The accepted values, as text.
    pub fn expected(&self) -> &str {
        self.expected
    }

    pub(crate) fn range(what: &'static str, value: impl Display, expected: &'static str) -> Self {
        Self { what, value: value.to_string(), problem: "is out of range", expected }
    }

    pub(crate) fn unfit(what: &'static str, value: impl Display, expected: &'static str) -> Self {
        Self { what, value: value.to_string(), problem: "is not usable", expected }
    }

    /// Names are quoted, so that an empty one or one with blanks is visible.
    pub(crate) fn name(what: &'static str, value: &[u8], expected: &'static str) -> Self {
        Self { what, value: format!("\"{}\"", value.escape_ascii()), problem: "is not a valid name", expected }
    }
}

/// Text that is not the notation of the value it was read as.
///
/// The message carries the offending piece and the expected text in its place:
///
/// ```
/// use ipvs_rs::ServiceId;
///
/// let error = "TCP 10.0.0.1:http".parse::<ServiceId>().unwrap_err();
/// assert_eq!(error.what(), "service");
/// assert_eq!(error.piece(), "http");
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ParseError {
    what: &'static str,
    piece: String,
    expected: String,
}

impl ParseError {
    pub(crate) fn new(what: &'static str, piece: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { what, piece: piece.into(), expected: expected.into() }
    }

    /// A piece of the right form whose value is not valid.
    pub(crate) fn invalid(what: &'static str, piece: impl Into<String>, reason: &InvalidValue) -> Self {
        Self { what, piece: piece.into(), expected: reason.expected.to_owned() }
    }

    /// The kind of value that the text was read as, for example `service`.
    pub fn what(&self) -> &str {
        self.what
    }

    /// The piece of the text that does not fit; empty where something is missing.
    pub fn piece(&self) -> &str {
        &self.piece
    }

    /// The text that was expected in place of [`piece`](Self::piece).
    pub fn expected(&self) -> &str {
        &self.expected
    }
}

impl Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.piece.is_empty() {
            write!(f, "{}: something is missing: expected {}", self.what, self.expected)
        } else {
            write!(f, "{}: \"{}\" does not fit: expected {}", self.what, self.piece.escape_debug(), self.expected)
        }
    }
}

impl std::error::Error for ParseError {}
