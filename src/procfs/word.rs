use std::borrow::Cow;
use std::fmt;

/// A name that the kernel prints and that this library has no constant for, of at most 15 bytes.
///
/// It can only be obtained by parsing, so that a name that has a constant is never one of these.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Word {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

impl Word {
    /// The greatest length in bytes. The longest word of any kernel so far has 11.
    pub const MAX_LEN: usize = 15;

    /// `None` where the word is empty or longer than [`MAX_LEN`](Self::MAX_LEN).
    pub(super) fn from_bytes(word: &[u8]) -> Option<Self> {
        let len = u8::try_from(word.len()).ok().filter(|len| *len > 0)?;
        let mut bytes = [0; Self::MAX_LEN];
        bytes.get_mut(..word.len())?.copy_from_slice(word);
        Some(Self { bytes, len })
    }

    /// The bytes of the word.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// The word as the kernel prints it; it is escaped when it is not UTF-8 or contains a backslash.
impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&text_of(self.as_bytes()))
    }
}

/// Converts bytes to text from which [`unescaped`] restores them.
pub(super) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\\') => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.escape_ascii().to_string()),
    }
}

/// The bytes that a text stands for; `None` when it contains an invalid escape.
pub(super) fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend(before.bytes());
        let (letter, after) = after.split_at_checked(1)?;
        let (byte, after) = match letter {
            "t" => (b'\t', after),
            "r" => (b'\r', after),
            "n" => (b'\n', after),
            "'" => (b'\'', after),
            "\"" => (b'"', after),
            "\\" => (b'\\', after),
            "x" => {
                let (digits, after) = after.split_at_checked(2)?;
                let digits = Some(digits).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
                (u8::from_str_radix(digits, 16).ok()?, after)
            }
            _ => return None,
        };
        bytes.push(byte);
        rest = after;
    }
    bytes.extend(rest.bytes());
    Some(bytes)
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}
