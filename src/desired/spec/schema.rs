use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{DurationSpec, FileSpec};

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

/// The words of `forward`, those of version 2 and those that are only printed among them.
pub(super) const FORWARDS: [&str; 8] = ["direct", "nat", "tunnel", "gate", "masq", "ipip", "local", "bypass"];

/// One of some words, or of those without a name that a kernel may hold.
pub(super) fn words(known: &[&str], others: &str) -> Value {
    let known: Vec<_> = known.iter().copied().map(Some).chain([None]).collect();
    json!([{"enum": known}, {"type": "string", "pattern": others}])
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
