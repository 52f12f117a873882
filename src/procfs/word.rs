use std::fmt;

/// A word of the kernel that this library has no constant for, of at most 15 bytes.
///
/// It comes from reading only, so that a word that has a constant is never one of these.
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

/// The word as the kernel has it; what is not text is escaped.
impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(self.as_bytes()) {
            Ok(word) => f.pad(word),
            Err(_) => f.pad(&self.as_bytes().escape_ascii().to_string()),
        }
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}
