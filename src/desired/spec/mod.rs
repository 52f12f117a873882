//! A file as it was written: its keys, without anything derived from them.
//!
//! These types hold the content of a document of YAML or JSON, including values that a table cannot have: an address
//! that is not valid, a weight of -5. Lowering them to a [`DesiredState`](super::DesiredState) finds all of that at
//! once.
//!
//! They serialize with the keys of the file, in the order in which `get` prints them, and leave out what is not set.

mod duration;
mod keys;
#[cfg(feature = "schema")]
mod schema;

pub use duration::{DurationError, DurationSpec};
pub(in crate::desired) use keys::keys;
#[cfg(feature = "schema")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "schema")))]
pub use schema::schema;
use serde::{Deserialize, Serialize};

use super::ConnectionCounts;

/// Makes the types of a file.
macro_rules! types {
    ($($(#[$about:meta])* $name:ident $what:literal $([$($schema:tt)*])? {
        $($(#[$meta:meta])* $field:ident $key:tt: $type:ty as $form:ty $([$($of_key:tt)*])?,)*
    })*) => { $(
        #[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false, "patternProperties" = schema::notes())))]
        $(#[cfg_attr(feature = "schema", schemars($($schema)*))])?
        $(#[$about])*
        #[serde(default)]
        #[allow(clippy::exhaustive_structs, reason = "serde is its constructor, and `..Default::default()` its growth")]
        pub struct $name {
            $(
                $(#[$meta])*
                #[serde(rename = $key, skip_serializing_if = "Option::is_none")]
                $(#[cfg_attr(feature = "schema", schemars($($of_key)*))])?
                pub $field: Option<$type>,
            )*
        }
    )*

        /// Every key, with the mapping that it belongs to.
        #[cfg(test)]
        pub(in crate::desired) const KEYS: &[(&str, &[&str])] = &[$((stringify!($name), &[$($key),*])),*];
    };
}

keys!(types);

/// `persistence`: `false`, `true` for 360 seconds, a time, or the whole.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename = "Persistence", untagged, expecting = "data did not match any variant of untagged enum Persistence")]
#[allow(clippy::exhaustive_enums, reason = "the forms of a key")]
pub enum PersistenceSpec {
    /// On for 360 seconds, or off.
    Switch(bool),
    /// On for this time.
    Timeout(DurationSpec),
    /// On, with settings.
    Settings(Box<PersistenceSettingsSpec>),
}

/// `stats`: counters, as they are printed; ignored when a file is read.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::exhaustive_structs, reason = "the counters of the kernel")]
pub struct StatsSpec {
    /// The connections of a destination.
    #[serde(flatten)]
    pub held: Option<ConnectionCounts>,
    /// Connections that were scheduled.
    pub connections: u64,
    /// Packets from clients.
    pub packets_in: u64,
    /// Packets to clients.
    pub packets_out: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
}
