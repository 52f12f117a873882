//! The traits of every public type of the model, checked when this file compiles.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::str::FromStr;

use ipvs_rs::model::notation::{DestinationRule, Rule, ServiceRule, TableRules};
use ipvs_rs::model::*;
use ipvs_rs::*;

/// Whatever can be stored in a map, sent to another thread and shown.
fn value<T: Clone + Debug + Eq + Hash + Send + Sync + Unpin + 'static>() {}
fn ordered<T: Ord>() {}
fn copy<T: Copy>() {}
fn text<T: Display + FromStr<Err = ParseError>>() {}
fn display<T: Display>() {}
fn error<T: Error + Clone + Eq + Send + Sync + 'static>() {}
fn adapter<T: Copy + Debug + Display + Send + Sync>() {}

macro_rules! assert_all {
    ($($check:ident: $($type:ty),+;)*) => { $( $( $check::<$type>(); )+ )* };
}

#[test]
fn types_of_the_model_have_their_traits() {
    assert_all! {
        value: AddressFamily, Config, Destination, DestinationEntry, DestinationId, EngineName, ForwardMethod,
            Granularity, Info, InterfaceName, InvalidValue, MulticastGroup, ParseError, Persistence, PersistenceEngine,
            Prefix, Protocol, Rule, Scheduler, SchedulerFlags, SchedulerName, Service, ServiceEntry, ServiceFlags,
            ServiceId, ServiceKind, Stats, SyncDaemon, SyncRole, Table, TableService, Thresholds, Timeout, Tunnel,
            TunnelFlags, TunnelKind, UnknownForwardMethod, UnknownTunnelKind, Version, Weight;
        ordered: AddressFamily, Config, Destination, DestinationId, EngineName, ForwardMethod, Granularity,
            InterfaceName, MulticastGroup, Persistence, PersistenceEngine, Prefix, Protocol, Rule, Scheduler,
            SchedulerFlags, SchedulerName, Service, ServiceFlags, ServiceId, ServiceKind, SyncDaemon, SyncRole,
            Thresholds, Timeout, Tunnel, TunnelFlags, TunnelKind, UnknownForwardMethod, UnknownTunnelKind, Version,
            Weight;
        copy: AddressFamily, Config, DestinationId, EngineName, ForwardMethod, Granularity, Info, InterfaceName,
            MulticastGroup, Persistence, PersistenceEngine, Prefix, Protocol, Scheduler, SchedulerFlags, SchedulerName,
            ServiceFlags, ServiceId, ServiceKind, Stats, SyncDaemon, SyncRole, Thresholds, Timeout, Tunnel, TunnelFlags,
            TunnelKind, UnknownForwardMethod, UnknownTunnelKind, Version, Weight;
        text: AddressFamily, Config, DestinationId, EngineName, ForwardMethod, Granularity, InterfaceName,
            MulticastGroup, Persistence, PersistenceEngine, Prefix, Protocol, Rule, Scheduler, SchedulerFlags,
            SchedulerName, ServiceFlags, ServiceId, SyncDaemon, SyncRole, Thresholds, Timeout, Tunnel, TunnelFlags,
            TunnelKind, Version, Weight;
        display: DestinationEntry, ServiceEntry;
        error: InvalidValue, ParseError;
        adapter: ServiceRule<'static>, DestinationRule<'static>, TableRules<'static>;
    }
}

#[cfg(feature = "serde")]
#[test]
fn types_of_the_model_are_data() {
    fn data<T: serde::Serialize + serde::de::DeserializeOwned>() {}
    assert_all! {
        data: AddressFamily, Config, Destination, DestinationEntry, DestinationId, EngineName, ForwardMethod,
            Granularity, Info, InterfaceName, MulticastGroup, Persistence, PersistenceEngine, Prefix, Protocol, Rule,
            Scheduler, SchedulerFlags, SchedulerName, Service, ServiceEntry, ServiceFlags, ServiceId, ServiceKind,
            Stats, SyncDaemon, SyncRole, Table, TableService, Thresholds, Timeout, Tunnel, TunnelFlags, TunnelKind,
            UnknownForwardMethod, UnknownTunnelKind, Version, Weight;
    }
}

#[test]
fn identities_are_small() {
    assert!(size_of::<ServiceId>() <= 24, "{}", size_of::<ServiceId>());
    assert!(size_of::<DestinationId>() <= 24, "{}", size_of::<DestinationId>());
    assert!(size_of::<Scheduler>() <= 24, "{}", size_of::<Scheduler>());
}
