use std::fmt::{self, Display};

use serde::de::{self, Visitor};

use crate::model::notation::Rule;
use crate::model::{
    AddressFamily, DestinationId, EngineName, ForwardMethod, Granularity, InterfaceName, MulticastGroup,
    PersistenceEngine, Protocol, Scheduler, SchedulerFlags, SchedulerName, ServiceFlags, ServiceId, SyncRole, Tunnel,
    TunnelFlags, TunnelKind, Version,
};

/// Writes types as they print themselves, and reads them with their parser.
macro_rules! as_text {
    ($($type:ident $expected:literal,)*) => { $(
        impl ::serde::Serialize for $type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $type {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::model::Text { expected: $expected, read: str::parse::<Self> })
            }
        }
    )* };
}

pub(crate) use as_text;

as_text! {
    AddressFamily "an address family",
    DestinationId "the address and port of a destination",
    EngineName "the name of a persistence engine",
    ForwardMethod "a forwarding method",
    Granularity "a mask, a prefix length, or client",
    InterfaceName "the name of an interface",
    MulticastGroup "a multicast address",
    PersistenceEngine "the name of a persistence engine",
    Protocol "a protocol",
    Rule "a rule line",
    Scheduler "the name of a scheduler",
    SchedulerFlags "a list of scheduler flags",
    SchedulerName "the name of a scheduler",
    ServiceFlags "a list of service flags",
    ServiceId "a service such as TCP 192.0.2.10:80",
    SyncRole "master or backup",
    Tunnel "a tunnel",
    TunnelFlags "a list of tunnel flags",
    TunnelKind "a kind of tunnel",
    Version "a version",
}

/// A visitor that passes a string to a parser.
pub(crate) struct Text<F> {
    pub(crate) expected: &'static str,
    pub(crate) read: F,
}

impl<T, E: Display, F: Fn(&str) -> Result<T, E>> Visitor<'_> for Text<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<V: de::Error>(self, text: &str) -> Result<T, V> {
        (self.read)(text).map_err(V::custom)
    }
}
