//! Values as documents.

use ipvs_rs::desired::yaml;
use serde::Serialize;
use serde_json::Value;

use crate::args::Format;
use crate::failure::{Failure, failure};

/// Any value as YAML, or as JSON over several lines.
pub fn text<T: Serialize>(format: Format, value: &T) -> Result<String, Failure> {
    let text = match format {
        Format::Yaml => yaml::to_string(value).map_err(|error| error.to_string()),
        _ => serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(|error| error.to_string()),
    };
    text.map_err(|error| failure!(Output, "Unable to format output: {error}"))
}

/// Leaves the keys out that have no value.
pub fn without_nulls(mut record: Value) -> Value {
    if let Some(record) = record.as_object_mut() {
        record.retain(|_, value| !value.is_null());
    }
    record
}
