use super::nearest::nearest;
use super::{ParamsError, Resolver};

/// What `${…}` can say.
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
    let lookup = |key: &str| resolver.resolve(key);
    Substitution { lookup: &lookup, syntax }.text(text).map_err(|error| {
        let keys = || resolver.keys();
        error.explain(Some(resolver), |key| nearest(key, keys().iter().map(String::as_str)).map(str::to_owned))
    })
}

/// Text with parameters becomes text without.
pub(in crate::desired) struct Substitution<'r> {
    pub(in crate::desired) lookup: &'r dyn Fn(&str) -> Option<String>,
    pub(in crate::desired) syntax: Syntax,
}

/// What is wrong with a parameter, before anybody looked for what would be right.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::desired) enum TemplateError {
    Unknown(String),
    Empty(usize),
    Unbalanced(usize, String),
    TooDeep,
}

/// Keys that are made of keys.
const MAX_DEPTH: usize = 32;

impl Substitution<'_> {
    pub(in crate::desired) fn text(&self, text: &str) -> Result<String, TemplateError> {
        self.at_depth(text, 0, 0)
    }

    /// `before` characters stand before this text.
    fn at_depth(&self, text: &str, before: usize, depth: usize) -> Result<String, TemplateError> {
        if depth > MAX_DEPTH {
            return Err(TemplateError::TooDeep);
        }
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((literal, tail)) = rest.split_once("${") {
            let is_escaped = self.syntax == Syntax::Version2 && literal.ends_with('$');
            if is_escaped {
                result.push_str(literal.strip_suffix('$').unwrap_or(literal));
                result.push_str("${");
                rest = tail;
                continue;
            }
            result.push_str(literal);
            let start = text.len() - tail.len() - "${".len();
            let position = before + text.get(..start).unwrap_or_default().chars().count();
            let Some((inner, after)) = split_at_closing(tail) else {
                let text = text.get(start..).unwrap_or_default().to_owned();
                return Err(TemplateError::Unbalanced(position, text));
            };
            if inner.is_empty() {
                return Err(TemplateError::Empty(position));
            }
            result.push_str(&self.value(inner, position + "${".len(), depth)?);
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }

    /// The value of what stands between the brackets.
    fn value(&self, inner: &str, before: usize, depth: usize) -> Result<String, TemplateError> {
        let (key, default) = match self.syntax {
            Syntax::Version1 => (inner, None),
            Syntax::Version2 => split_at_default(inner),
        };
        let key = self.at_depth(key, before, depth + 1)?;
        let value = (self.lookup)(&key);
        match (value, default) {
            (Some(value), _) => Ok(value),
            (None, None) => Err(TemplateError::Unknown(key)),
            (None, Some(default)) => {
                let start = inner.get(..inner.len() - default.len()).unwrap_or_default().chars().count();
                self.at_depth(default, before + start, depth + 1)
            }
        }
    }
}

/// Cuts at the bracket that closes the one before the text.
fn split_at_closing(text: &str) -> Option<(&str, &str)> {
    let mut open = 1_usize;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some((text.get(..place)?, text.get(place + 1..)?));
        }
    }
    None
}

/// Cuts at a `:-` that stands in no brackets.
fn split_at_default(inner: &str) -> (&str, Option<&str>) {
    let mut open = 0_usize;
    for (place, byte) in inner.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open = open.saturating_sub(1),
            b':' if open == 0 => {
                let parts = inner.get(..place).zip(inner.get(place..).and_then(|rest| rest.strip_prefix(":-")));
                if let Some((key, default)) = parts {
                    return (key, Some(default));
                }
            }
            _ => {}
        }
    }
    (inner, None)
}

impl TemplateError {
    /// Adds what was searched, the nearest key, and which source would have it.
    pub(in crate::desired) fn explain(
        self,
        resolver: Option<&dyn Resolver>,
        nearest: impl FnOnce(&str) -> Option<String>,
    ) -> ParamsError {
        match self {
            Self::Unknown(key) => {
                let searched = resolver.map(Resolver::describe).unwrap_or_default();
                let hint = resolver.and_then(|resolver| resolver.hint(&key));
                ParamsError::Unknown { nearest: nearest(&key), key, searched, hint }
            }
            Self::Empty(position) => ParamsError::Empty { position },
            Self::Unbalanced(position, text) => ParamsError::Unbalanced { position, text },
            Self::TooDeep => ParamsError::TooDeep { limit: MAX_DEPTH },
        }
    }
}
