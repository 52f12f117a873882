#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

#[cfg(feature = "yaml")]
mod printed;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::desired::spec::KEYS;

#[test]
fn every_key_is_in_the_schema_and_no_other() {
    let schema: Value = serde_json::from_str(include_str!("../../../../schema/ipvsctl.schema.json")).unwrap();
    for (name, keys) in KEYS {
        let name = name.strip_suffix("Spec").unwrap();
        let mapping = if name == "File" { &schema } else { &schema["$defs"][name] };
        let described: BTreeSet<_> = mapping["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        // Counters are only printed.
        let read: BTreeSet<_> = keys.iter().copied().filter(|key| *key != "stats").collect();
        assert_eq!(read, described, "{name}");
    }
}

#[test]
fn every_key_is_on_the_page_of_keys_and_no_other() {
    let mut described = BTreeSet::new();
    let mut section = "";
    for line in include_str!("../../../../docs/keys.md").lines() {
        section = line.strip_prefix("## ").unwrap_or(section);
        let key = line.strip_prefix("| `").and_then(|row| row.split_once("` |"));
        described.extend(key.map(|(key, _)| format!("{section} {key}")));
    }
    let mut read = BTreeSet::new();
    for (name, keys) in KEYS {
        let (section, prefix) = match name.strip_suffix("Spec").unwrap() {
            "File" => ("The file", ""),
            "Sync" => ("`sync[]`", ""),
            "Service" => ("`services[]`", ""),
            "PersistenceSettings" => ("`services[]`", "persistence."),
            "Destination" => ("`services[].destinations[]`", ""),
            "Tunnel" => ("`services[].destinations[]`", "tunnel."),
            "Thresholds" => ("`services[].destinations[]`", "thresholds."),
            "Timeouts" => ("`timeouts`", ""),
            "Scope" => ("`scope`", ""),
            "Drain" => ("`drain`", ""),
            "Defaults" => ("`defaults`", ""),
            other => panic!("{other} has no section"),
        };
        let own = keys.iter().filter(|key| !["stats", "tunnel", "thresholds"].contains(key));
        read.extend(own.map(|key| format!("{section} {prefix}{key}")));
    }
    assert_eq!(read, described);
}
