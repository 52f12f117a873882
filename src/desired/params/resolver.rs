use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

#[cfg(target_os = "linux")]
use nix::ifaddrs::getifaddrs;

use super::ParamsError;
use crate::desired::setters::setters;

/// A source of values for parameters.
///
/// Implement it to take values from elsewhere. It is asked for one key after the other, and may be asked for the same
/// one again.
pub trait Resolver: fmt::Debug {
    /// The value of a key, if there is one. An empty value is a value.
    fn resolve(&self, key: &str) -> Option<String>;

    /// Every key that has a value, for hints in messages; none by default.
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }

    /// A description of this source for messages: `parameter file net.yaml`. A source without a description is not
    /// named.
    fn describe(&self) -> String {
        String::new()
    }

    /// Returns how to enable a source that would have a key, for the message about a key that no source has.
    ///
    /// A disabled source stands in a [`ResolverChain`] as one without keys and without a description, only for this hint.
    fn hint(&self, _key: &str) -> Option<String> {
        None
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
#[derive(Clone, Default, Eq, PartialEq)]
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

    /// Takes the environment of this process: `env.NAME` is the variable `NAME`.
    ///
    /// It is read when this is called. A value may be empty and may contain `=`; one that is not UTF-8 is left out.
    pub fn environment() -> Self {
        let variables = std::env::vars_os();
        Self::of_variables(
            variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// The same for variables from elsewhere.
    pub fn of_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let values = variables.into_iter().map(|(name, value)| (format!("env.{name}"), value));
        Self::new("environment (env.NAME)", values)
    }

    /// Reads the addresses of the network interfaces of this host: `host.eth0` is the first address of `eth0`,
    /// `host.eth0_1` its second one.
    ///
    /// Addresses of both families are counted together, from 0, in the order of the kernel, whether the interface is up
    /// or down. They are read when this is called, in the network namespace of the calling thread.
    ///
    /// # Errors
    ///
    /// When the system does not return them.
    #[cfg(target_os = "linux")]
    pub fn host() -> Result<Self, ParamsError> {
        let interfaces = getifaddrs().map_err(|errno| ParamsError::Interfaces { source: errno.into() })?;
        Ok(Self::of_addresses(interfaces.filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::from(v4.ip()));
            let ip = v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::from(v6.ip())))?;
            Some((interface.interface_name, ip))
        })))
    }

    /// The same for interfaces with their addresses from elsewhere.
    pub fn of_addresses(pairs: impl IntoIterator<Item = (String, IpAddr)>) -> Self {
        let mut values = BTreeMap::new();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (interface, address) in pairs {
            let count = counts.entry(interface.clone()).or_default();
            if *count == 0 {
                values.insert(format!("host.{interface}"), address.to_string());
            }
            values.insert(format!("host.{interface}_{count}"), address.to_string());
            *count += 1;
        }
        Self::new("network interfaces (host.INTERFACE)", values)
    }
}

// The values are left out: a token may be among them.
impl fmt::Debug for MapResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapResolver").field("name", &self.name).field("values", &self.values.len()).finish()
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

/// Several sources: a key has the value of the first source that has it.
///
/// ```
/// use ipvs_rs::desired::params::{MapResolver, Resolver, ResolverChain};
///
/// let here = MapResolver::new("here", [("rack", "7")]);
/// let all = MapResolver::new("all", [("rack", "0"), ("site", "berlin")]);
/// let values = ResolverChain::new().with(here).with(all);
/// assert_eq!(values.resolve("rack").as_deref(), Some("7"));
/// assert_eq!(values.resolve("site").as_deref(), Some("berlin"));
/// assert_eq!(values.describe(), "here, all");
/// ```
#[derive(Debug, Default)]
pub struct ResolverChain {
    sources: Vec<Box<dyn Resolver>>,
}

impl ResolverChain {
    /// No source at all.
    pub const fn new() -> Self {
        Self { sources: Vec::new() }
    }

    setters! {
        /// Adds a source, which is asked after the present ones.
        with(source: impl Resolver + 'static) |it| it.sources.push(Box::new(source));
    }
}

impl Resolver for ResolverChain {
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
