//! Values as YAML, the way `get` prints them.
//!
//! Block style, two spaces a step, the dashes of a list under the first letter of its key. Text stands without quotes
//! where every reader, of YAML 1.1 or 1.2, takes it for the same text; otherwise in double quotes.

mod parse;
mod scalar;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::Value;

pub(in crate::desired) use parse::{MAX_BYTES, parse};
#[cfg(test)]
use parse::{Parsed, Problem};

/// A value that cannot be written. It prints as [every error](crate::error#how-errors-print).
#[derive(Debug, thiserror::Error)]
#[error("the value cannot be written as YAML: {source}")]
pub struct YamlError {
    source: serde_json::Error,
}

/// Writes a value as a document.
///
/// A mapping or list without entries is `{}` or `[]`, at the top as well. The text ends with the end of a line.
///
/// # Errors
///
/// When the value cannot be serialized, or has a mapping with a key that is not text.
///
/// # Example
///
/// ```
/// use ipvs_rs::desired::spec::{FileSpec, ServiceSpec};
/// use ipvs_rs::desired::yaml;
///
/// let web = ServiceSpec {
///     address: Some("tcp://192.0.2.10:80".to_owned()),
///     sched: Some("wlc".to_owned()),
///     ..ServiceSpec::default()
/// };
/// let file = FileSpec { services: Some(vec![web]), ..FileSpec::default() };
/// assert_eq!(yaml::to_string(&file)?, "services:\n- address: tcp://192.0.2.10:80\n  sched: wlc\n");
/// # Ok::<(), yaml::YamlError>(())
/// ```
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, YamlError> {
    let value = serde_json::to_value(value).map_err(|source| YamlError { source })?;
    let mut printer = Printer { text: String::new() };
    printer.value(&value, 0);
    Ok(printer.text)
}

/// Longer keys than this need an explicit `?`: readers do not look for the colon any further.
const KEY_LENGTH: usize = 1000;

struct Printer {
    text: String,
}

impl Printer {
    /// A value with the end of its last line; it starts at the end of the text so far.
    fn value(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(entries) if !entries.is_empty() => {
                for (place, (key, value)) in entries.iter().enumerate() {
                    self.indent(if place > 0 { indent } else { 0 });
                    self.key(key, indent);
                    match value {
                        Value::Object(entries) if !entries.is_empty() => self.below(value, indent + STEP),
                        Value::Array(items) if !items.is_empty() => self.below(value, indent),
                        scalar => {
                            self.text.push(' ');
                            self.value(scalar, indent);
                        }
                    }
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (place, item) in items.iter().enumerate() {
                    self.indent(if place > 0 { indent } else { 0 });
                    self.text.push_str("- ");
                    self.value(item, indent + STEP);
                }
            }
            scalar => {
                self.scalar(scalar);
                self.text.push('\n');
            }
        }
    }

    /// A value on lines of its own.
    fn below(&mut self, value: &Value, indent: usize) {
        self.text.push('\n');
        self.indent(indent);
        self.value(value, indent);
    }

    fn key(&mut self, key: &str, indent: usize) {
        let key = scalar::text(key);
        if key.chars().count() > KEY_LENGTH {
            self.text.push_str("? ");
            self.text.push_str(&key);
            self.text.push('\n');
            self.indent(indent);
        } else {
            self.text.push_str(&key);
        }
        self.text.push(':');
    }

    /// A value that fits on a line.
    fn scalar(&mut self, value: &Value) {
        match value {
            Value::Null => self.text.push_str("null"),
            Value::Bool(true) => self.text.push_str("true"),
            Value::Bool(false) => self.text.push_str("false"),
            Value::Number(number) => self.text.push_str(&scalar::number(number)),
            Value::String(text) => self.text.push_str(&scalar::text(text)),
            Value::Array(_) => self.text.push_str("[]"),
            Value::Object(_) => self.text.push_str("{}"),
        }
    }

    fn indent(&mut self, spaces: usize) {
        self.text.extend(std::iter::repeat_n(' ', spaces));
    }
}

const STEP: usize = 2;
