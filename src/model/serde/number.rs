use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::model::{InvalidValue, Prefix, Timeout, TunnelKind, UnknownForwardMethod, UnknownTunnelKind, Weight};

macro_rules! as_number {
    ($($type:ident $get:ident $what:literal $expected:literal $new:expr,)*) => { $(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.$get().serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let number = Number::deserialize(deserializer)?;
                let value = number.narrow($what, $expected).map_err(de::Error::custom)?;
                let new: fn(_) -> Option<Self> = $new;
                new(value).ok_or_else(|| de::Error::custom(InvalidValue::range($what, value, $expected)))
            }
        }
    )* };
}

as_number! {
    Weight get "weight" "0 to 2147483647" |weight: u32| Self::new(weight).ok(),
    Timeout as_secs "timeout" "1 to 21474836 seconds" |seconds: u32| Self::from_secs(seconds).ok(),
    Prefix bits "IPv6 prefix length" "1 to 128" |bits: u8| Self::new(bits).ok(),
    UnknownForwardMethod number "unknown forwarding method" "5 to 7" Self::new,
    UnknownTunnelKind number "unknown tunnel kind" "3 to 255" |number: u8| match TunnelKind::from_number(number) {
        TunnelKind::Unknown(unknown) => Some(unknown),
        _ => None,
    },
}

/// Any whole number of the input, so that the error about one that is out of range can name it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Number(i128);

impl Number {
    pub(super) fn narrow<T: TryFrom<i128>>(
        self,
        what: &'static str,
        expected: &'static str,
    ) -> Result<T, InvalidValue> {
        T::try_from(self.0).ok().ok_or_else(|| InvalidValue::range(what, self.0, expected))
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u32(WholeNumber)
    }
}

struct WholeNumber;

impl Visitor<'_> for WholeNumber {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
        Ok(Number(number.into()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
        Ok(Number(number.into()))
    }
}
