//! Files that are printed are read back.

use std::time;

use proptest::option::of;
use proptest::prelude::*;

use super::super::{Decoder, Findings, Spot};
use crate::desired::params::Lookup;
use crate::desired::spec::{
    DefaultsSpec, DestinationSpec, DrainSpec, DurationSpec, FileSpec, PersistenceSettingsSpec, PersistenceSpec,
    ScopeSpec, ServiceSpec, SyncSpec, ThresholdsSpec, TimeoutsSpec, TunnelSpec,
};
use crate::desired::yaml;
use crate::desired::yaml::parse;

/// Any text at all, except for the syntax of parameters, which would be replaced.
fn text() -> impl Strategy<Value = String> {
    let any = any::<String>().prop_map(|text| text.replace('$', ""));
    prop_oneof![any, "[a-z]{1,6}", "[0-9a-fx.:_-]{0,10}", "(yes|No|null|~|true|<<|0x1f|1_0|12:30|1e3|)"]
}

fn duration() -> impl Strategy<Value = DurationSpec> {
    let milliseconds = (0..1_000_000_u64).prop_map(time::Duration::from_millis);
    prop_oneof![any::<u64>().prop_map(time::Duration::from_secs), milliseconds].prop_map(Into::into)
}

fn list<T: std::fmt::Debug>(item: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(item, 0..4)
}

fn drain() -> impl Strategy<Value = DrainSpec> {
    let parts = (of(duration()), of(duration()), of(text()), of(text()));
    parts.prop_map(|(timeout, poll, wait, on_timeout)| DrainSpec { timeout, poll, wait, on_timeout })
}

fn persistence() -> impl Strategy<Value = PersistenceSpec> {
    let settings = (of(duration()), of(text()), of(any::<i64>()), of(text()));
    let settings = settings.prop_map(|(timeout, netmask, prefix, engine)| {
        PersistenceSpec::Settings(Box::new(PersistenceSettingsSpec { timeout, netmask, prefix, engine }))
    });
    prop_oneof![
        any::<bool>().prop_map(PersistenceSpec::Switch),
        duration().prop_map(PersistenceSpec::Timeout),
        settings
    ]
}

fn destination() -> impl Strategy<Value = DestinationSpec> {
    let tunnel = (of(text()), of(any::<i64>()), of(text()));
    let tunnel = tunnel.prop_map(|(kind, port, checksum)| TunnelSpec { kind, port, checksum });
    let thresholds = (of(any::<i64>()), of(any::<i64>()));
    let thresholds = thresholds.prop_map(|(upper, lower)| ThresholdsSpec { upper, lower });
    let parts = (of(text()), of(any::<i64>()), of(text()), of(tunnel), of(thresholds), of(text()));
    parts.prop_map(|(address, weight, forward, tunnel, thresholds, state)| DestinationSpec {
        address,
        weight,
        forward,
        tunnel,
        thresholds,
        state,
        stats: None,
    })
}

fn service() -> impl Strategy<Value = ServiceSpec> {
    let names = (of(text()), of(text()), of(text()), of(text()));
    let settings = (of(list(text())), of(any::<bool>()), of(persistence()), of(drain()), of(list(destination())));
    (names, settings).prop_map(|((name, address, family, sched), settings)| {
        let (sched_flags, one_packet, persistence, drain, destinations) = settings;
        let stats = None;
        ServiceSpec { name, address, family, sched, sched_flags, one_packet, persistence, drain, stats, destinations }
    })
}

fn sync() -> impl Strategy<Value = SyncSpec> {
    let numbers = (of(any::<i64>()), of(any::<i64>()), of(any::<i64>()), of(any::<i64>()));
    let parts = ((of(text()), of(text()), of(text())), numbers);
    parts.prop_map(|((role, interface, group), (id, port, ttl, maxlen))| SyncSpec {
        role,
        interface,
        id,
        group,
        port,
        ttl,
        maxlen,
    })
}

fn file() -> impl Strategy<Value = FileSpec> {
    let timeouts = (of(duration()), of(duration()), of(duration()));
    let timeouts = timeouts.prop_map(|(tcp, tcpfin, udp)| TimeoutsSpec { tcp, tcpfin, udp });
    let scope = (of(list(text())), of(list(text()))).prop_map(|(manage, ignore)| ScopeSpec { manage, ignore });
    let defaults = (of(any::<i64>()), of(any::<i64>()), of(text()), of(text()));
    let defaults = defaults.prop_map(|(port, weight, sched, forward)| DefaultsSpec { port, weight, sched, forward });
    let version = prop_oneof![Just(None), Just(Some(1)), Just(Some(2))];
    let parts = (version, of(timeouts), of(list(sync())), of(scope), of(drain()), of(defaults), of(list(service())));
    parts.prop_map(|(version, timeouts, sync, scope, drain, defaults, services)| FileSpec {
        version,
        timeouts,
        sync,
        scope,
        drain,
        defaults,
        services,
    })
}

fn read(text: &str) -> FileSpec {
    let parsed = parse(text);
    assert_eq!(parsed.problems, [], "{text}");
    let lookup = Lookup::new(None);
    let findings = Findings::default();
    let root = parsed.tree.documents().next().unwrap();
    let file = Decoder::decode(root, &lookup, &Spot::file(&findings, Some(root)));
    let found = findings.into_found();
    assert!(found.is_empty(), "{found:?} in {text}");
    file
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_file_is_the_same_in_yaml(file in file()) {
        let text = yaml::to_string(&file).unwrap();
        prop_assert_eq!(read(&text), file, "{}", text);
    }

    #[test]
    fn a_file_is_the_same_in_json(file in file()) {
        let text = serde_json::to_string_pretty(&file).unwrap();
        prop_assert_eq!(read(&text), file, "{}", text);
    }
}
