//! The model as data: what is written, what is read, what is refused.

use std::fmt::Debug;

use ::serde::Serialize;
use ::serde::de::DeserializeOwned;
use ipvs_rs::model::notation::Rule;
use ipvs_rs::model::*;
use ipvs_rs::*;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::strategy::*;

fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) -> Result<(), TestCaseError> {
    let text = serde_json::to_string(value).unwrap();
    let read: T = serde_json::from_str(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
    prop_assert_eq!(&read, value, "{}", text);
    prop_assert_eq!(serde_json::to_string(&read).unwrap(), text);
    let tree: T = serde_json::from_value(serde_json::to_value(value).unwrap()).unwrap();
    prop_assert_eq!(&tree, value);
    Ok(())
}

macro_rules! data {
    ($($name:ident: $strategy:expr;)*) => {
        proptest! {
            #![proptest_config(crate::law::config())]
            $(
            #[test]
            fn $name(value in $strategy) {
                survives(&value)?;
            }
            )*
        }
    };
}

data! {
    service_survives: arb_service();
    destination_survives: arb_destination();
    table_survives: arb_table();
    config_survives: arb_config();
    sync_daemon_survives: arb_sync_daemon();
    stats_survive: arb_stats();
    service_id_survives: arb_service_id();
    service_kind_survives: arb_service_id().prop_map(|id| id.kind());
    destination_id_survives: arb_destination_id();
    forward_method_survives: arb_forward_method();
    tunnel_survives: arb_tunnel();
    tunnel_kind_survives: arb_tunnel_kind();
    tunnel_flags_survive: arb_tunnel_flags();
    scheduler_survives: arb_scheduler();
    scheduler_flags_survive: arb_scheduler_flags();
    service_flags_survive: arb_service_flags();
    persistence_survives: arb_family().prop_flat_map(arb_persistence);
    granularity_survives: arb_family().prop_flat_map(arb_granularity);
    thresholds_survive: arb_thresholds();
    weight_survives: arb_weight();
    timeout_survives: arb_timeout();
    prefix_survives: arb_prefix();
    protocol_survives: arb_protocol();
    rule_survives: (arb_service_id(), arb_destination())
        .prop_map(|(service, destination)| format!("{}", destination.full_rule(&service)).parse::<Rule>().unwrap());
}

#[test]
fn values_are_written_in_their_notation() {
    written::<ServiceId>("TCP 192.0.2.10:80", json!("TCP 192.0.2.10:80"));
    written::<ServiceId>("fwmark:7:ipv6", json!("FWM 7 IPv6"));
    written::<DestinationId>("[2001:db8::2]:80", json!("[2001:db8::2]:80"));
    written::<Protocol>("tcp", json!("TCP"));
    written::<AddressFamily>("ipv6", json!("IPv6"));
    written::<ForwardMethod>("nat", json!("Masq"));
    written::<ForwardMethod>("gue:6080+csum", json!("Tunnel gue:6080+csum"));
    written::<Scheduler>("WLC", json!("wlc"));
    written::<SchedulerName>("hrw", json!("hrw"));
    written::<EngineName>("x", json!("x"));
    written::<InterfaceName>("eth1", json!("eth1"));
    written::<PersistenceEngine>("SIP", json!("sip"));
    written::<Granularity>("255.255.255.0", json!("255.255.255.0"));
    written::<Granularity>("64", json!("64"));
    written::<SchedulerFlags>("sh-port", json!("flag-2"));
    written::<ServiceFlags>("hashed,ops", json!("hashed,ops"));
    written::<TunnelFlags>("csum", json!("csum"));
    written::<Version>("1.2.1", json!("1.2.1"));
    written::<SyncRole>("master", json!("master"));
    written::<MulticastGroup>("224.0.0.81", json!("224.0.0.81"));
    written::<Rule>("-A -t 10.0.0.1:80", json!("-A -t 10.0.0.1:80 -s wlc"));
    written::<Weight>("10", json!(10));
    written::<Timeout>("900s", json!(900));
    written::<Prefix>("64", json!(64));
    written::<Thresholds>("10/5", json!({"upper": 10, "lower": 5}));
    written::<Thresholds>("0/0", json!({}));
    written::<Persistence>("300", json!({"timeout_secs": 300}));
    written::<Persistence>("300 mask 64 pe sip", json!({"timeout_secs": 300, "granularity": "64", "engine": "sip"}));
    written::<Config>("tcp 900, udp 30", json!({"tcp": 900, "udp": 30}));
    written::<SyncDaemon>(
        "master sync daemon (mcast=eth1, syncid=7, ttl=3)",
        json!({"role": "master", "interface": "eth1", "sync_id": 7, "ttl": 3}),
    );
}

#[test]
fn service_is_a_map_of_what_is_set() {
    let bare = json!({"id": "TCP 192.0.2.10:80", "scheduler": "wlc"});
    assert_eq!(again::<Service>(&bare), bare);
    let full = json!({
        "id": "UDP 192.0.2.10:53",
        "scheduler": "sh",
        "scheduler_flags": "sh-fallback,sh-port",
        "persistence": {"timeout_secs": 300, "granularity": "255.255.255.0"},
        "one_packet": true,
        "unnamed_flags": 0x40,
    });
    assert_eq!(again::<Service>(&full), full);
    let service: Service = serde_json::from_value(full).unwrap();
    assert_eq!(service.flags().bits(), 0x40 | 0x1 | 0x4 | 0x8 | 0x10);
    let asleep = json!({
        "id": "FWM 7 IPv6",
        "scheduler": "rr",
        "dormant_persistence": {"timeout_secs": 0, "granularity": "64"},
    });
    assert_eq!(again::<Service>(&asleep), asleep);
}

#[test]
fn destination_is_a_map_of_what_is_set() {
    let bare = json!({"id": "10.0.0.2:80", "forward": "Masq", "weight": 1});
    assert_eq!(again::<Destination>(&bare), bare);
    assert_eq!(again::<Destination>(&json!({"id": "10.0.0.2:80", "forward": "masq"})), bare);
    let full = json!({
        "id": "10.0.0.2:80",
        "forward": "Route",
        "weight": 0,
        "thresholds": {"upper": 10},
        "dormant_tunnel": "gue:6080+csum",
    });
    assert_eq!(again::<Destination>(&full), full);
    let read: Destination = serde_json::from_value(full.clone()).unwrap();
    let awake = Destination::new(read.id, ForwardMethod::DirectRoute).weight(0).unwrap().thresholds(read.thresholds);
    assert_ne!(read, awake, "what the kernel stores counts, in effect or not");
}

#[test]
fn observation_holds_the_settings() {
    let entry = json!({
        "service": {"id": "TCP 192.0.2.10:80", "scheduler": "wlc"},
        "flags": "hashed",
    });
    let read: ServiceEntry = serde_json::from_value(entry).unwrap();
    assert_eq!(read, ServiceEntry::new(read.service.clone()));

    let entry = json!({
        "destination": {"id": "10.0.0.2:80", "forward": "Masq"},
        "stats": {"connections": 18_446_744_073_709_551_615_u64},
        "active_connections": 1,
        "inactive_connections": 2,
        "persistent_connections": 3,
    });
    let read: DestinationEntry = serde_json::from_value(entry).unwrap();
    assert_eq!((read.stats.connections, read.stats.bytes_in, read.inactive_connections), (u64::MAX, 0, 2));

    let table = json!({"services": [{"service": {"service": {"id": "FWM 1", "scheduler": "rr"}, "flags": ""}}]});
    let read: Table = serde_json::from_value(table).unwrap();
    assert_eq!((read.len(), read.destination_count()), (1, 0));

    let info = json!({"version": "1.2.1", "connection_table_size": 4096});
    assert_eq!(again::<Info>(&info), info);
    let kind = json!({"mark": {"mark": 7, "family": "IPv6"}});
    assert_eq!(again::<ServiceKind>(&kind), kind);
}

#[test]
fn numbers_that_cannot_be_are_refused_with_their_range() {
    let table = [
        (error::<Weight>(json!(2_147_483_648_u32)), "weight 2147483648 is out of range: expected 0 to 2147483647"),
        (error::<Weight>(json!(-1)), "weight -1 is out of range: expected 0 to 2147483647"),
        (error::<Weight>(json!(1_u64 << 40)), "weight 1099511627776 is out of range: expected 0 to 2147483647"),
        (error::<Weight>(json!(1.5)), "invalid type: floating point `1.5`, expected a whole number"),
        (error::<Weight>(json!("1")), "invalid type: string \"1\", expected a whole number"),
        (error::<Timeout>(json!(0)), "timeout 0 is out of range: expected 1 to 21474836 seconds"),
        (error::<Timeout>(json!(21_474_837)), "timeout 21474837 is out of range: expected 1 to 21474836 seconds"),
        (error::<Prefix>(json!(0)), "IPv6 prefix length 0 is out of range: expected 1 to 128"),
        (error::<Prefix>(json!(256)), "IPv6 prefix length 256 is out of range: expected 1 to 128"),
        (error::<UnknownForwardMethod>(json!(4)), "unknown forwarding method 4 is out of range: expected 5 to 7"),
        (error::<UnknownTunnelKind>(json!(2)), "unknown tunnel kind 2 is out of range: expected 3 to 255"),
        (
            error::<Thresholds>(json!({"upper": 4_294_967_296_u64})),
            "upper threshold 4294967296 is out of range: expected 0 to 4294967295 connections",
        ),
        (
            error::<Thresholds>(json!({"upper": -1})),
            "upper threshold -1 is out of range: expected 0 to 4294967295 connections",
        ),
        (
            error::<Thresholds>(json!({"lower": 5})),
            "lower threshold 5 is out of range: expected 0 to the upper threshold",
        ),
        (
            error::<Persistence>(json!({"timeout_secs": 4_294_967_296_u64})),
            "persistence timeout 4294967296 is out of range: expected 0 to 4294967295 seconds",
        ),
        (
            error::<Persistence>(json!({"timeout_secs": -1})),
            "persistence timeout -1 is out of range: expected 0 to 4294967295 seconds",
        ),
    ];
    for (message, expected) in table {
        assert_eq!(message, expected);
    }
    assert_eq!(serde_json::from_value::<UnknownTunnelKind>(json!(255)).unwrap().number(), 255);
    assert_eq!(serde_json::from_value::<UnknownForwardMethod>(json!(5)).unwrap().number(), 5);
}

#[test]
fn invalid_notation_is_refused_with_its_token() {
    let table = [
        (
            error::<ServiceId>(json!("TCP 10.0.0.1:http")),
            "service: \"http\" does not fit: expected a port of 0 to 65535",
        ),
        (error::<ServiceId>(json!(7)), "invalid type: integer `7`, expected a service such as TCP 192.0.2.10:80"),
        (
            error::<Scheduler>(json!("a-name-of-16-byt")),
            "scheduler: \"a-name-of-16-byt\" does not fit: expected 1 to 15 printable characters without blanks",
        ),
        (
            error::<MulticastGroup>(json!("10.0.0.1")),
            "multicast group: \"10.0.0.1\" does not fit: expected an address of 224.0.0.0/4 or ff00::/8",
        ),
    ];
    for (message, expected) in table {
        assert_eq!(message, expected);
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let service = |more: Value| {
        let mut map = json!({"id": "TCP 192.0.2.10:80", "scheduler": "wlc"});
        map.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        error::<Service>(map)
    };
    let destination = |more: Value| {
        let mut map = json!({"id": "10.0.0.2:80", "forward": "Tunnel gre"});
        map.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        error::<Destination>(map)
    };
    let table = [
        (
            service(json!({"scheduler_flags": "sh-port"})),
            "scheduler flags: \"sh-port\" does not fit: expected flag-1, flag-2 or flag-3",
        ),
        (
            service(json!({"persistence": {"timeout_secs": 1, "granularity": "64"}})),
            "persistence granularity 64 is not usable: expected a mask for an IPv4 service, a prefix length for an \
             IPv6 one",
        ),
        (
            service(json!({"persistence": {"timeout_secs": 1}, "dormant_persistence": {"timeout_secs": 2}})),
            "dormant persistence \"persistent 2\" is not usable: expected nothing where persistence is in effect",
        ),
        (service(json!({"unnamed_flags": 0x41})), "unnamed flags 0x41 is not usable: expected bits that have no name"),
        (
            service(json!({"weight": 5})),
            "unknown field `weight`, expected one of `id`, `scheduler`, `scheduler_flags`, `persistence`, `one_packet`, `unnamed_flags`, `dormant_persistence`",
        ),
        (
            destination(json!({"dormant_tunnel": "ipip"})),
            "dormant tunnel ipip is not usable: expected nothing where a tunnel is in effect",
        ),
        (destination(json!({"weight": -5})), "weight -5 is out of range: expected 0 to 2147483647"),
    ];
    for (message, expected) in table {
        assert_eq!(message, expected);
    }
}

#[test]
fn maps_refuse_fields_that_they_do_not_have_and_want_those_that_they_need() {
    let table = [
        (error::<Service>(json!({"id": "FWM 1"})), "missing field `scheduler`"),
        (error::<Destination>(json!({"id": "10.0.0.2:80"})), "missing field `forward`"),
        (error::<Persistence>(json!({})), "missing field `timeout_secs`"),
        (error::<Thresholds>(json!({"up": 1})), "unknown field `up`, expected `upper` or `lower`"),
        (error::<Config>(json!({"sctp": 1})), "unknown field `sctp`, expected one of `tcp`, `tcp_fin`, `udp`"),
        (error::<SyncDaemon>(json!({"role": "master"})), "missing field `interface`"),
        (
            error::<SyncDaemon>(json!({"role": "master", "interface": "eth1", "port": 0})),
            "invalid value: integer `0`, expected a nonzero u16",
        ),
        (error::<Table>(json!({})), "missing field `services`"),
        (
            error::<ServiceKind>(json!({"mark": {"mark": 0, "family": "IPv4"}})),
            "invalid value: integer `0`, expected a nonzero u32",
        ),
    ];
    for (message, expected) in table {
        assert_eq!(message, expected);
    }
    assert!(error::<Stats>(json!({"conns": 1})).starts_with("unknown field `conns`"));
    assert!(
        error::<Info>(json!({"version": "1.2.1", "connection_table_size": 1, "x": 1})).starts_with("unknown field")
    );
}

#[track_caller]
fn written<T: Serialize + DeserializeOwned + std::str::FromStr<Err: Debug> + PartialEq + Debug>(
    text: &str,
    data: Value,
) {
    let value: T = text.parse().unwrap();
    assert_eq!(serde_json::to_value(&value).unwrap(), data);
    assert_eq!(serde_json::from_value::<T>(data).unwrap(), value);
}

/// Reads data and writes it again.
#[track_caller]
fn again<T: Serialize + DeserializeOwned>(data: &Value) -> Value {
    serde_json::to_value(serde_json::from_value::<T>(data.clone()).unwrap()).unwrap()
}

#[track_caller]
fn error<T: DeserializeOwned + Debug>(data: Value) -> String {
    serde_json::from_value::<T>(data).unwrap_err().to_string()
}
