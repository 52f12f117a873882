use std::collections::BTreeMap;
use std::fmt;

/// A source of values for parameters.
///
/// Implement it to give files values from elsewhere. It is asked for one key after the other and may be asked for the same
/// one again.
pub trait Resolver: fmt::Debug {
    /// The value of a key, if there is one. An empty value is a value.
    fn resolve(&self, key: &str) -> Option<String>;

    /// Every key that has a value, for hints in messages.
    fn keys(&self) -> Vec<String>;

    /// What this source is, as a message names it: `parameter file net.yaml`.
    fn describe(&self) -> String;

    /// Returns how a source that would have a key is switched on, for the message about a key that no source has.
    ///
    /// A source that is switched off stands in a [`Chain`] as one without keys and without a description, to say so.
    fn hint(&self, _key: &str) -> Option<String> {
        None
    }
}

impl<R: Resolver + ?Sized> Resolver for &R {
    fn resolve(&self, key: &str) -> Option<String> {
        (**self).resolve(key)
    }

    fn keys(&self) -> Vec<String> {
        (**self).keys()
    }

    fn describe(&self) -> String {
        (**self).describe()
    }

    fn hint(&self, key: &str) -> Option<String> {
        (**self).hint(key)
    }
}

/// Values that are known beforehand.
///
/// ```
/// use ipvs_rs::desired::params::{MapResolver, Resolver};
///
/// let values = MapResolver::new("values", [("site", "berlin"), ("rack", "7")]);
/// assert_eq!(values.resolve("rack"), Some("7".to_owned()));
/// assert_eq!(values.resolve("room"), None);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MapResolver {
    name: String,
    values: BTreeMap<String, String>,
}

impl MapResolver {
    /// Takes keys and values, the last one if a key comes up twice.
    pub fn new<K, V>(name: impl Into<String>, values: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let values = values.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self { name: name.into(), values }
    }
}

impl Resolver for MapResolver {
    fn resolve(&self, key: &str) -> Option<String> {
        self.values.get(key).cloned()
    }

    fn keys(&self) -> Vec<String> {
        self.values.keys().cloned().collect()
    }

    fn describe(&self) -> String {
        self.name.clone()
    }
}

/// Several sources, of which the first that has a key is taken.
///
/// ```
/// use ipvs_rs::desired::params::{Chain, MapResolver, Resolver};
///
/// let here = MapResolver::new("here", [("rack", "7")]);
/// let all = MapResolver::new("all", [("rack", "0"), ("site", "berlin")]);
/// let values = Chain::new().with(&here).with(&all);
/// assert_eq!(values.resolve("rack").as_deref(), Some("7"));
/// assert_eq!(values.resolve("site").as_deref(), Some("berlin"));
/// assert_eq!(values.describe(), "here, all");
/// ```
#[derive(Debug, Default)]
pub struct Chain<'r> {
    sources: Vec<Box<dyn Resolver + 'r>>,
}

impl<'r> Chain<'r> {
    /// No source at all.
    pub const fn new() -> Self {
        Self { sources: Vec::new() }
    }

    /// Adds a source, to be asked after those that are there.
    #[must_use]
    pub fn with(mut self, source: impl Resolver + 'r) -> Self {
        self.sources.push(Box::new(source));
        self
    }
}

impl Resolver for Chain<'_> {
    fn resolve(&self, key: &str) -> Option<String> {
        self.sources.iter().find_map(|source| source.resolve(key))
    }

    fn keys(&self) -> Vec<String> {
        self.sources.iter().flat_map(|source| source.keys()).collect()
    }

    fn describe(&self) -> String {
        let names = self.sources.iter().map(|source| source.describe()).filter(|name| !name.is_empty());
        names.collect::<Vec<_>>().join(", ")
    }

    fn hint(&self, key: &str) -> Option<String> {
        self.sources.iter().find_map(|source| source.hint(key))
    }
}
