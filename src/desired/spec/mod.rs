//! A file as it was written: the keys, and nothing that was derived from them.
//!
//! These types are what a document of YAML or JSON says. They can hold what no table can: a weight of -5, an address that
//! is none. Lowering them to a [`DesiredState`](super::DesiredState) finds all of that at once.
//!
//! They serialize with the keys of the file, in the order in which `get` prints them, and leave out what is not set.

mod duration;
#[cfg(feature = "schema")]
mod schema;

pub use duration::{Duration, DurationError};
#[cfg(feature = "schema")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "schema")))]
pub use schema::schema;
use serde::{Deserialize, Serialize};

/// A document: what the table of a network namespace should be.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false, "patternProperties" = schema::notes())))]
#[serde(default, rename_all = "kebab-case")]
#[allow(clippy::exhaustive_structs, reason = "serde is its constructor, and `..Default::default()` its growth")]
pub struct File {
    /// The version of the format, 1 or 2; 1 if it is not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = [1, 2, null])))]
    pub version: Option<i64>,
    /// The time-outs of connections; those that are not written stay as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Timeouts>,
    /// The synchronization daemons; not written, they are left alone; an empty list stops them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(max = 2)))]
    pub sync: Option<Vec<Sync>>,
    /// What of the table is managed; not written, all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// How destinations are drained before they are deleted; not written, they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain: Option<Drain>,
    /// What services and destinations of this file have that do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Defaults>,
    /// The services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<Service>>,
}

/// `defaults`: what services and destinations of this file have that do not say.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false, "patternProperties" = schema::notes())))]
#[serde(default, rename_all = "kebab-case")]
#[allow(clippy::exhaustive_structs, reason = "serde is its constructor, and `..Default::default()` its growth")]
pub struct Defaults {
    /// The port of addresses without one, 1 to 65535; firewall marks have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 65535)))]
    pub port: Option<i64>,
    /// The weight of destinations without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 2_147_483_647)))]
    pub weight: Option<i64>,
    /// The scheduler of services without one; not written, `rr`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[a-z0-9_-]{1,15}$")))]
    pub sched: Option<String>,
    /// The forwarding method of destinations without one; not written, `direct`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = schema::FORWARDS)))]
    pub forward: Option<String>,
}

/// `services[]`: a virtual service.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false, "patternProperties" = schema::notes(), "required" = ["address"])))]
#[serde(default, rename_all = "kebab-case")]
#[allow(clippy::exhaustive_structs, reason = "serde is its constructor, and `..Default::default()` its growth")]
pub struct Service {
    /// What people call it: letters, digits, `.`, `_` and `-`, up to 63 of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[A-Za-z0-9._-]{1,63}$")))]
    pub name: Option<String>,
    /// `tcp://192.0.2.10:80`, `udp://[2001:db8::1]:53`, `sctp://…`, `fwmark:7`, `fwmark6:7`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `ipv4` or `ipv6`, for a firewall mark only; not written, `ipv4`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["ipv4", "ipv6", null])))]
    pub family: Option<String>,
    /// The scheduler.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[a-z0-9_-]{1,15}$")))]
    pub sched: Option<String>,
    /// Flags of the scheduler: `flag-1` to `flag-3`, or `fallback` and `port` for `sh` and `mh`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sched_flags: Option<Vec<String>>,
    /// Whether each packet is scheduled for itself; UDP and firewall marks only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_packet: Option<bool>,
    /// Whether, and for how long, a client stays with its destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<Persistence>,
    /// How its destinations are drained, instead of the way of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain: Option<Drain>,
    /// Its counters, as they are printed; not read.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub stats: Option<Stats>,
    /// Its destinations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destinations: Option<Vec<Destination>>,
}

/// `services[].destinations[]`: a destination (real server).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false, "patternProperties" = schema::notes(), "required" = ["address"])))]
#[serde(default, rename_all = "kebab-case")]
#[allow(clippy::exhaustive_structs, reason = "serde is its constructor, and `..Default::default()` its growth")]
pub struct Destination {
    /// `10.0.0.2:8080` or `[2001:db8::2]:8080`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Its share of the connections, relative to the others; 0 takes no new ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 2_147_483_647)))]
    pub weight: Option<i64>,
    /// `direct`, `nat` or `tunnel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = schema::FORWARDS)))]
    pub forward: Option<String>,
    /// The tunnel, with `forward: tunnel` only; not written, IP in IP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnel: Option<Tunnel>,
    /// The numbers of connections between which it takes new ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<Thresholds>,
    /// `active`, or `drain` for weight 0 in the kernel; not written, `active`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["active", "drain", null])))]
    pub state: Option<String>,
    /// Its counters, as they are printed; not read.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub stats: Option<Stats>,
}

/// `persistence`: `false`, `true` for 360 seconds, a time, or the whole.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
#[allow(clippy::exhaustive_enums, reason = "the forms of a key")]
pub enum Persistence {
    /// On for 360 seconds, or off.
    Switch(bool),
    /// On for this time.
    Timeout(Duration),
    /// On, with settings.
    Settings(PersistenceSettings),
}

/// `persistence` as a mapping.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false, "patternProperties" = schema::notes())))]
#[serde(default, rename_all = "kebab-case")]
#[allow(clippy::exhaustive_structs, reason = "serde is its constructor, and `..Default::default()` its growth")]
pub struct PersistenceSettings {
    /// How long after its last connection a client comes back to its destination; 360 seconds if not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// The bits that clients have in common which count as one, for an IPv4 service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub netmask: Option<String>,
    /// The same as a number of bits: 0 to 32, for an IPv6 service 1 to 128.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 128)))]
    pub prefix: Option<i64>,
    /// The persistence engine: `sip`, for UDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
}

/// `tunnel`: how packets travel to a destination.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false, "patternProperties" = schema::notes())))]
#[serde(default, rename_all = "kebab-case")]
#[allow(clippy::exhaustive_structs, reason = "serde is its constructor, and `..Default::default()` its growth")]
pub struct Tunnel {
    /// `ipip`, `gue` or `gre`; not written, `ipip`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["ipip", "gue", "gre", null])))]
    pub kind: Option<String>,
    /// The UDP port of GUE, 1 to 65535.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 65535)))]
    pub port: Option<i64>,
    /// `off`, `on`, or for GUE `remote`; not written, `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["off", "on", "remote", null])))]
    pub checksum: Option<String>,
}

/// `thresholds`: the numbers of connections between which a destination takes new ones.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false, "patternProperties" = schema::notes())))]
#[serde(default, rename_all = "kebab-case")]
#[allow(clippy::exhaustive_structs, reason = "serde is its constructor, and `..Default::default()` its growth")]
pub struct Thresholds {
    /// With this many it takes no new ones; 0 is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 2_147_483_647)))]
    pub upper: Option<i64>,
    /// Below this many it takes new ones again; 0 is three quarters of the upper one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 2_147_483_647)))]
    pub lower: Option<i64>,
}

/// `timeouts`: how long the kernel keeps connections that are silent.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false, "patternProperties" = schema::notes())))]
#[serde(default, rename_all = "kebab-case")]
#[allow(clippy::exhaustive_structs, reason = "serde is its constructor, and `..Default::default()` its growth")]
pub struct Timeouts {
    /// Of established TCP connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<Duration>,
    /// Of TCP connections after a FIN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcpfin: Option<Duration>,
    /// Of UDP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp: Option<Duration>,
}

/// `sync[]`: a synchronization daemon.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false, "patternProperties" = schema::notes(), "required" = ["role", "interface"])))]
#[serde(default, rename_all = "kebab-case")]
#[allow(clippy::exhaustive_structs, reason = "serde is its constructor, and `..Default::default()` its growth")]
pub struct Sync {
    /// `master` or `backup`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["master", "backup", null])))]
    pub role: Option<String>,
    /// The network interface of the multicast.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Who belongs together, 0 to 255; on a backup 0 is everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 255)))]
    pub id: Option<i64>,
    /// The multicast group; the kernel's own is 224.0.0.81.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The UDP port; the kernel's own is 8848.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 65535)))]
    pub port: Option<i64>,
    /// How many routers messages pass; the kernel's own is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 255)))]
    pub ttl: Option<i64>,
    /// The longest message in bytes, 1024 at least; the kernel's own is what fits the interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1024, max = 65535)))]
    pub maxlen: Option<i64>,
}

/// `scope`: what of the table is managed.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false, "patternProperties" = schema::notes())))]
#[serde(default, rename_all = "kebab-case")]
#[allow(clippy::exhaustive_structs, reason = "serde is its constructor, and `..Default::default()` its growth")]
pub struct Scope {
    /// Patterns of services that are managed; not written, all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manage: Option<Vec<String>>,
    /// Patterns of services that are not, after all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore: Option<Vec<String>>,
}

/// `drain`: how the connections of a destination are given time before it is deleted.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(extend("additionalProperties" = false, "patternProperties" = schema::notes())))]
#[serde(default, rename_all = "kebab-case")]
#[allow(clippy::exhaustive_structs, reason = "serde is its constructor, and `..Default::default()` its growth")]
pub struct Drain {
    /// The longest wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// The time between two looks at the counters; 500 milliseconds if not written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll: Option<Duration>,
    /// `active` connections are waited for, or `all`; not written, `active`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["active", "all", null])))]
    pub wait: Option<String>,
    /// `delete`, `keep` or `fail`; not written, `delete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = ["delete", "keep", "fail", null])))]
    pub on_timeout: Option<String>,
}

/// `stats`: counters, as they are printed; a file that has them is read as if it had not.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::exhaustive_structs, reason = "the counters of the kernel")]
pub struct Stats {
    /// Active connections, of a destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<u32>,
    /// Inactive connections, of a destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inactive: Option<u32>,
    /// Persistence templates, of a destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent: Option<u32>,
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
