use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use super::nearest::nearest;
use super::{ParamsError, Resolver};

/// The forms of `${…}`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Syntax {
    /// `${key}` only.
    #[default]
    Version1,
    /// `${key:-text}` and `$${` as well.
    Version2,
}

/// Replaces the parameters of a text by their values.
///
/// # Errors
///
/// A key that the resolver does not have, `${}`, and a `${` without its `}`.
///
/// # Example
///
/// ```
/// use ipvs_rs::desired::params::{MapResolver, Syntax, substitute};
///
/// let values = MapResolver::new("values", [("stage", "test"), ("net.test", "192.0.2.7")]);
/// assert_eq!(substitute("tcp://${net.${stage}}:80", &values, Syntax::Version1)?, "tcp://192.0.2.7:80");
/// assert_eq!(substitute("tcp://192.0.2.7:${port:-80}", &values, Syntax::Version2)?, "tcp://192.0.2.7:80");
/// # Ok::<(), ipvs_rs::desired::params::ParamsError>(())
/// ```
pub fn substitute(text: &str, resolver: &dyn Resolver, syntax: Syntax) -> Result<String, ParamsError> {
    Lookup::new(Some(resolver)).substitute(text, syntax)
}

/// Values of parameters for one reading, and hints for keys without a value.
pub(in crate::desired) struct Lookup<'r> {
    resolver: Option<&'r dyn Resolver>,
    keys: OnceCell<Vec<String>>,
    hints: RefCell<HashMap<String, Option<String>>>,
}

/// The maximum depth of keys that contain keys.
const MAX_DEPTH: usize = 32;
/// Looking for the nearest of very many keys very often would take longer than everything else.
const MAX_KEYS: usize = 10_000;
const MAX_HINTS: usize = 100;

impl<'r> Lookup<'r> {
    pub(in crate::desired) fn new(resolver: Option<&'r dyn Resolver>) -> Self {
        Self { resolver, keys: OnceCell::new(), hints: RefCell::default() }
    }

    /// Replaces the parameters in a text.
    pub(in crate::desired) fn substitute(&self, text: &str, syntax: Syntax) -> Result<String, ParamsError> {
        self.at_depth(text, syntax, 0, 0)
    }

    /// `before` characters stand before this text.
    fn at_depth(&self, text: &str, syntax: Syntax, before: usize, depth: usize) -> Result<String, ParamsError> {
        if depth > MAX_DEPTH {
            return Err(ParamsError::TooDeep { limit: MAX_DEPTH });
        }
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((literal, tail)) = rest.split_once("${") {
            if let Some(literal) = literal.strip_suffix('$').filter(|_| syntax == Syntax::Version2) {
                result.push_str(literal);
                result.push_str("${");
                rest = tail;
                continue;
            }
            result.push_str(literal);
            let start = text.len() - tail.len() - "${".len();
            let position = before + text.get(..start).unwrap_or_default().chars().count();
            let Some((inner, default, after)) = split(tail) else {
                let text = text.get(start..).unwrap_or_default().to_owned();
                return Err(ParamsError::Unbalanced { position, text });
            };
            if inner.is_empty() {
                return Err(ParamsError::Empty { position });
            }
            let (key, default) = match default.filter(|_| syntax == Syntax::Version2) {
                Some(place) => (inner.get(..place).unwrap_or_default(), inner.get(place + ":-".len()..)),
                None => (inner, None),
            };
            let inside = position + "${".len();
            let key = self.at_depth(key, syntax, inside, depth + 1)?;
            match (self.resolver.and_then(|resolver| resolver.resolve(&key)), default) {
                (Some(value), _) => result.push_str(&value),
                (None, None) => return Err(self.unknown(key)),
                (None, Some(default)) => {
                    let start = inner.get(..inner.len() - default.len()).unwrap_or_default().chars().count();
                    result.push_str(&self.at_depth(default, syntax, inside + start, depth + 1)?);
                }
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }

    fn unknown(&self, key: String) -> ParamsError {
        let searched = self.resolver.map(Resolver::describe).unwrap_or_default();
        let hint = self.resolver.and_then(|resolver| resolver.hint(&key));
        ParamsError::Unknown { nearest: self.nearest(&key), key, searched, hint }
    }

    fn nearest(&self, key: &str) -> Option<String> {
        let mut hints = self.hints.borrow_mut();
        if hints.len() >= MAX_HINTS && !hints.contains_key(key) {
            return None;
        }
        let keys = self.keys.get_or_init(|| self.resolver.map(Resolver::keys).unwrap_or_default());
        let keys = keys.iter().take(MAX_KEYS).map(String::as_str);
        hints.entry(key.to_owned()).or_insert_with(|| nearest(key, keys).map(str::to_owned)).clone()
    }
}

/// Cuts at the bracket that closes the one before the text, and finds the place of a `:-` outside any inner brackets.
fn split(text: &str) -> Option<(&str, Option<usize>, &str)> {
    let mut open = 1_usize;
    let mut default = None;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            b':' if open == 1 && text.as_bytes().get(place + 1) == Some(&b'-') => default = default.or(Some(place)),
            _ => {}
        }
        if open == 0 {
            return Some((text.get(..place)?, default, text.get(place + 1..)?));
        }
    }
    None
}
