use std::fmt;
use std::str::FromStr;

use super::{InvalidValue, ParseError};

/// Up to `N` bytes without a NUL, kept in place so that decoding a row allocates nothing.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
struct Name<const N: usize> {
    bytes: [u8; N],
    len: u8,
}

impl<const N: usize> Name<N> {
    /// `None` where the name is longer than `N` or holds a NUL.
    fn from_bytes(name: &[u8]) -> Option<Self> {
        let len = u8::try_from(name.len()).ok()?;
        let mut bytes = [0; N];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        (!name.contains(&0)).then_some(Self { bytes, len })
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// The name as text: bytes other than the printable ASCII characters that such a name can have are written as `\x01`.
fn escaped(name: &[u8], allowed: fn(char) -> bool) -> String {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\' && allowed(byte.into());
    let piece = |byte: &u8| if is_plain(*byte) { char::from(*byte).into() } else { format!("\\x{byte:02x}") };
    name.iter().map(piece).collect()
}

/// The bytes of a name that has an escaped byte; `None` for any other.
fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        bytes.extend(before.bytes());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(b"\\x"),
        }
        rest = after.get(digits.map_or(0, str::len)..).unwrap_or_default();
    }
    bytes.extend(rest.bytes());
    (bytes != text.as_bytes()).then_some(bytes)
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $max:literal, $what:literal, $expected:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Name<$max>);

        impl $name {
            /// The greatest length in bytes.
            pub const MAX_LEN: usize = $max;

            /// Checks a name.
            ///
            /// # Errors
            ///
            /// When it is empty, too long, or has a character that is not valid in such a name.
            pub fn new(name: &str) -> Result<Self, InvalidValue> {
                let allowed: fn(char) -> bool = $allowed;
                if name.is_empty() || !name.chars().all(allowed) {
                    return Err(InvalidValue::name($what, name.as_bytes(), $expected));
                }
                Name::from_bytes(name.as_bytes())
                    .map(Self)
                    .ok_or_else(|| InvalidValue::name($what, name.as_bytes(), $expected))
            }

            /// Takes a name exactly as given, whatever its bytes: the kernel decides whether it names anything.
            ///
            /// # Errors
            ///
            /// When it is empty, too long, or has a NUL, which would end the name in the kernel.
            pub fn verbatim(name: &[u8]) -> Result<Self, InvalidValue> {
                let name_or_nothing = Some(name).filter(|name| !name.is_empty());
                name_or_nothing
                    .and_then(Self::from_kernel)
                    .ok_or_else(|| InvalidValue::name($what, name, concat!("1 to ", $max, " bytes without a NUL")))
            }

            /// A name from the kernel, taken as it is: only its length is certain.
            pub(crate) fn from_kernel(name: &[u8]) -> Option<Self> {
                Name::from_bytes(name).map(Self)
            }

            /// The bytes of the name, without a terminating NUL.
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let plain = std::str::from_utf8(self.as_bytes()).ok();
                match plain.filter(|name| !name.contains('\\') && Self::new(name).is_ok()) {
                    Some(name) => f.pad(name),
                    None => f.pad(&escaped(self.as_bytes(), $allowed)),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "\"{}\"", self.as_bytes().escape_ascii())
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            /// As `Display` writes it: `\x01` is the byte 1.
            fn from_str(text: &str) -> Result<Self, ParseError> {
                let name = match unescaped(text) {
                    Some(bytes) => Self::verbatim(&bytes),
                    None => Self::new(text),
                };
                name.map_err(|reason| ParseError::invalid($what, text, &reason))
            }
        }
    };
}

name_type!(
    /// The name of a scheduler that this library has no constant for; see [`Scheduler`](super::Scheduler).
    SchedulerName,
    15,
    "scheduler",
    "1 to 15 printable characters without blanks",
    |c| c.is_ascii_graphic()
);

name_type!(
    /// The name of a persistence engine that this library has no constant for; see
    /// [`PersistenceEngine`](super::PersistenceEngine).
    EngineName,
    16,
    "persistence engine",
    "1 to 16 printable characters without blanks",
    |c| c.is_ascii_graphic()
);

name_type!(
    /// The name of a network interface, such as `eth1`.
    InterfaceName,
    15,
    "interface",
    "1 to 15 characters without blanks, slashes and colons",
    |c| !c.is_whitespace() && !c.is_control() && c != '/' && c != ':'
);
