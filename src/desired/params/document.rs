use std::collections::BTreeMap;

use super::{MapResolver, ParamsError};
use crate::desired::tree::{Node, Number, Scalar, is_old_bool};
use crate::desired::yaml::parse;

impl MapResolver {
    /// The values of a document of YAML or JSON.
    ///
    /// The key of a value is the path to it, with dots: `net.hosts.0.address`. Lists count from 0. Nulls, lists and
    /// mappings are not values themselves. Numbers are decimal, however they were written.
    ///
    /// # Errors
    ///
    /// When it is not YAML, or not a mapping at the top, and when a key is not text: `5`, or a word that YAML 1.1 takes
    /// for yes or no, needs quotes.
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
        let mut documents = parsed.tree.documents();
        let document = match (documents.next(), documents.next()) {
            (Some(document), None) if !document.is_null() => document,
            (_, None) => return Err(fault("there is nothing in it".to_owned())),
            _ => return Err(fault("it has several documents".to_owned())),
        };
        if document.as_mapping().is_none() {
            return Err(fault(format!("expected a mapping, found {}", document.kind())));
        }
        let mut values = BTreeMap::new();
        flatten(&name, "", document, &mut values)?;
        Ok(Self::new(format!("parameters of {name}"), values))
    }
}

/// Adds the values of a node at this path.
fn flatten(name: &str, path: &str, node: Node<'_>, values: &mut BTreeMap<String, String>) -> Result<(), ParamsError> {
    let below = |step: &str| if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") };
    for (place, item) in node.as_list().into_iter().flatten().enumerate() {
        flatten(name, &below(&place.to_string()), item, values)?;
    }
    for entry in node.as_mapping().into_iter().flatten() {
        let key = entry.key.text;
        if !entry.key.is_quoted && is_no_text(key) {
            let (name, line) = (name.to_owned(), entry.node.position().line);
            return Err(ParamsError::KeyIsNoText { name, key: key.to_owned(), line });
        }
        flatten(name, &below(key), entry.value, values)?;
    }
    values.extend(node.as_scalar().and_then(text).map(|text| (path.to_owned(), text)));
    Ok(())
}

/// Whether some version of YAML has another meaning for a key.
fn is_no_text(key: &str) -> bool {
    let scalar = Scalar { text: key, is_quoted: false };
    scalar.is_null() || scalar.as_bool().is_some() || scalar.as_number().is_some() || is_old_bool(key)
}

/// A single value as text; `None` if it is null.
fn text(scalar: Scalar<'_>) -> Option<String> {
    if scalar.is_null() {
        return None;
    }
    Some(match (scalar.as_bool(), scalar.as_number()) {
        (Some(switch), _) => switch.to_string(),
        (None, Some(Number::Whole(number))) => number.to_string(),
        (None, Some(Number::Fraction(number))) => number.to_string(),
        (None, None) => scalar.text.to_owned(),
    })
}
