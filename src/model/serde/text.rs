use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::model::notation::Rule;
use crate::model::{
    AddressFamily, DestinationId, EngineName, ForwardMethod, Granularity, InterfaceName, MulticastGroup,
    PersistenceEngine, Protocol, Scheduler, SchedulerFlags, SchedulerName, ServiceFlags, ServiceId, SyncRole, Tunnel,
    TunnelFlags, TunnelKind, Version,
};

macro_rules! as_text {
    ($($type:ident $expected:literal,)*) => { $(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(Notation { expected: $expected, value: PhantomData })
            }
        }
    )* };
}

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

/// Passes text to the parser of the notation.
struct Notation<T> {
    expected: &'static str,
    value: PhantomData<T>,
}

impl<T: FromStr<Err: Display>> Visitor<'_> for Notation<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}
