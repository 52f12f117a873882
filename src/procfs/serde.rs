//! Feature `serde`: connections as data, with the names that the kernel prints.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{ConnectionOrigin, ConnectionProtocol, ConnectionState};
use crate::model::ParseError;

macro_rules! as_word {
    ($($type:ident $expected:literal,)*) => { $(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Text { expected: $expected, read: str::parse, value: PhantomData })
            }
        }
    )* };
}

as_word! {
    ConnectionOrigin "LOCAL or SYNC",
    ConnectionProtocol "the protocol of a connection, such as TCP",
    ConnectionState "the state of a connection, such as ESTABLISHED",
}

/// Bytes that are mostly text, as a string in which the others are escaped.
pub(super) mod bytes {
    use std::marker::PhantomData;

    use serde::de::Deserializer;
    use serde::ser::Serializer;

    use super::Text;
    use crate::model::ParseError;
    use crate::procfs::word::{text_of, unescaped};

    pub(in crate::procfs) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&text_of(bytes))
    }

    pub(in crate::procfs) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let read = |text: &str| {
            let expected = "text with other bytes as \\x00 to \\xff";
            unescaped(text).ok_or_else(|| ParseError::new("data of a persistence engine", text, expected))
        };
        deserializer.deserialize_str(Text { expected: "data of a persistence engine", read, value: PhantomData })
    }
}

/// A visitor that hands a string to a parser.
struct Text<T, F> {
    expected: &'static str,
    read: F,
    value: PhantomData<T>,
}

impl<T, F: Fn(&str) -> Result<T, ParseError>> Visitor<'_> for Text<T, F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.read)(text).map_err(E::custom)
    }
}
