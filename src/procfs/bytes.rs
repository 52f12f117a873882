//! Feature `serde`: bytes that are mostly text, as a string in which the others are escaped.

use serde::{Deserializer, Serializer};

use super::word::{text_of, unescaped};
use crate::model::{ParseError, Text};

pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text_of(bytes))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let read = |text: &str| {
        let expected = "text with other bytes as \\x00 to \\xff";
        unescaped(text).ok_or_else(|| ParseError::new("data of a persistence engine", text, expected))
    };
    deserializer.deserialize_str(Text { expected: "data of a persistence engine", read })
}
