use std::collections::BTreeMap;

use super::{MapResolver, ParamsError};
use crate::desired::files::{Content, Node, Number, Scalar, parse};

impl MapResolver {
    /// The values of a document of YAML or JSON.
    ///
    /// The key of a value is the way to it, with dots: `net.hosts.0.address`. Lists count from 0. A value that is null is
    /// none, and neither is a list or a mapping. Numbers are decimal, however they were written.
    ///
    /// # Errors
    ///
    /// When it is no YAML, or no mapping at the top, and when a key is no text: `5`, or a word that YAML 1.1 takes for
    /// yes or no, takes quotes.
    ///
    /// # Example
    ///
    /// ```
    /// use ipvs_rs::desired::params::{MapResolver, Resolver};
    ///
    /// let values = MapResolver::from_document("net.yaml", "hosts:\n- {name: one, port: 0x50}\n")?;
    /// assert_eq!(values.resolve("hosts.0.port").as_deref(), Some("80"));
    /// # Ok::<(), ipvs_rs::desired::params::ParamsError>(())
    /// ```
    pub fn from_document(name: impl Into<String>, text: &str) -> Result<Self, ParamsError> {
        let name = name.into();
        let fault = |problem: String| ParamsError::NoDocument { name: name.clone(), problem };
        let parsed = parse(text);
        if let Some(problem) = parsed.problems.first() {
            let line = problem.position.line;
            return Err(fault(format!("line {line}: {}", problem.message)));
        }
        let document = match parsed.documents.as_slice() {
            [document] if !document.is_null() => document,
            [] | [_] => return Err(fault("there is nothing in it".to_owned())),
            [..] => return Err(fault("it has several documents".to_owned())),
        };
        if !matches!(document.content, Content::Mapping(_)) {
            return Err(fault(format!("expected a mapping, found {}", document.kind())));
        }
        let mut flat = Flat { name: &name, path: String::new(), values: BTreeMap::new() };
        flat.add(document)?;
        let values = flat.values;
        Ok(Self::new(format!("parameters of {name}"), values))
    }
}

struct Flat<'n> {
    name: &'n str,
    path: String,
    values: BTreeMap<String, String>,
}

impl Flat<'_> {
    fn add(&mut self, node: &Node) -> Result<(), ParamsError> {
        match &node.content {
            Content::Scalar(scalar) => {
                if let Some(text) = text(scalar) {
                    self.values.insert(self.path.clone(), text);
                }
                Ok(())
            }
            Content::List(items) => {
                items.iter().enumerate().try_for_each(|(place, item)| self.add_below(&place.to_string(), item))
            }
            Content::Mapping(entries) => entries.iter().try_for_each(|entry| {
                if !entry.key.is_quoted && is_no_text(&entry.key.text) {
                    return Err(ParamsError::KeyIsNoText {
                        name: self.name.to_owned(),
                        key: entry.key.text.clone(),
                        line: entry.key.position.line,
                    });
                }
                self.add_below(&entry.key.text, &entry.value)
            }),
        }
    }

    fn add_below(&mut self, step: &str, node: &Node) -> Result<(), ParamsError> {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(step);
        self.add(node)?;
        self.path.truncate(length);
        Ok(())
    }
}

/// Whether some version of YAML has another meaning for a key.
fn is_no_text(key: &str) -> bool {
    let scalar = Scalar { text: key.to_owned(), is_quoted: false };
    scalar.is_null()
        || scalar.as_bool().is_some()
        || scalar.as_number().is_some()
        || WORDS_OF_1_1.iter().any(|word| key.eq_ignore_ascii_case(word))
}

/// A single value as text; nothing if it is null.
fn text(scalar: &Scalar) -> Option<String> {
    if scalar.is_null() {
        return None;
    }
    Some(match (scalar.as_bool(), scalar.as_number()) {
        (Some(switch), _) => switch.to_string(),
        (None, Some(Number::Whole(number))) => number.to_string(),
        (None, Some(Number::Fraction(number))) => number.to_string(),
        (None, None) => scalar.text.clone(),
    })
}

/// What YAML 1.1 takes for true and false besides those.
const WORDS_OF_1_1: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
