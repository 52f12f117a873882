use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{DurationSpec, FileSpec};
use crate::desired::words::{CHECKSUMS, FAMILIES, FORWARDS};
use crate::desired::{Activity, OnTimeout, WaitFor};
use crate::model::{SyncRole, TunnelKind};

/// The JSON schema (draft 2020-12) of a file, from the types of this module.
///
/// Editors that support schemas complete keys and show their meaning. The schema checks single values; their meaning in
/// combination is checked by [`DesiredState::from_spec`](crate::desired::DesiredState::from_spec).
///
/// ```
/// let schema = ipvs_rs::desired::spec::schema();
/// assert_eq!(schema["properties"]["services"]["type"], serde_json::json!(["array", "null"]));
/// ```
pub fn schema() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<FileSpec>().to_value()
}

/// The values of `forward`, those of version 2 and those that are only printed among them.
pub(super) fn forwards() -> Value {
    let (renamed, same): (Vec<_>, Vec<_>) = FORWARDS.into_iter().partition(|(own, other, _)| own != other);
    let own = renamed.iter().map(|(own, ..)| *own);
    let words = own.chain(renamed.iter().map(|(_, other, _)| *other)).chain(same.iter().map(|(own, ..)| *own));
    words_or(words, "^unknown-[5-7]$")
}

/// The values of `tunnel.type`.
pub(super) fn tunnels() -> Value {
    let known = [TunnelKind::Ipip, TunnelKind::Gue, TunnelKind::Gre];
    words_or(known.map(|kind| kind.to_string()), "^tunnel-[0-9]{1,3}$")
}

/// The values of `tunnel.checksum`.
pub(super) fn checksums() -> Value {
    words_or(CHECKSUMS.map(|(word, _)| word), "^(csum|remcsum|0x[0-9a-f]+)(,(remcsum|0x[0-9a-f]+))*$")
}

/// The values of `sync[].role`.
pub(super) fn roles() -> Value {
    words(SyncRole::ALL.map(SyncRole::name))
}

/// The values of `drain.wait`.
pub(super) fn waits() -> Value {
    words(WaitFor::ALL.map(WaitFor::name))
}

/// The values of `drain.on-timeout`.
pub(super) fn outcomes() -> Value {
    words(OnTimeout::ALL.map(OnTimeout::name))
}

/// The values of `family`.
pub(super) fn families() -> Value {
    words(FAMILIES.map(|(word, _)| word))
}

/// The values of `state`.
pub(super) fn states() -> Value {
    words(Activity::ALL.map(Activity::name))
}

/// One of some words, or nothing.
fn words(known: impl IntoIterator<Item = impl Into<Value>>) -> Value {
    known.into_iter().map(Into::into).chain([Value::Null]).collect()
}

/// One of some words, or of those without a name that a kernel may hold.
fn words_or(known: impl IntoIterator<Item = impl Into<Value>>, others: &str) -> Value {
    json!([{"enum": words(known)}, {"type": "string", "pattern": others}])
}

/// Keys that are ignored when a file is read: notes, and counters that were printed.
pub(super) fn notes() -> Value {
    json!({"^x-|\\.": true, "^stats$": true})
}

impl JsonSchema for DurationSpec {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A time: whole seconds, or numbers with the units d, h, m, s and ms.",
            "oneOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": "^([0-9]+|([0-9]+(d|h|m|s|ms))+)$"}
            ]
        })
    }
}
