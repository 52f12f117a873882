use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;

use super::{ParamsError, Resolver};

/// The network interfaces of this host: `host.eth0` is the first address of `eth0`, `host.eth0_1` its second one.
///
/// Addresses of both families are counted together, from 0, in the order of the kernel, whether the interface is up or
/// down. They are what they were when this was made, in the network namespace of the thread that made it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HostResolver {
    addresses: BTreeMap<String, String>,
}

impl HostResolver {
    /// Reads the addresses.
    ///
    /// # Errors
    ///
    /// When the system does not tell them.
    pub fn new() -> Result<Self, ParamsError> {
        let interfaces = getifaddrs().map_err(|errno| ParamsError::Interfaces { source: io::Error::from(errno) })?;
        let addresses = interfaces.filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::from(v4.ip()));
            let ip = v4.or_else(|| address.as_sockaddr_in6().map(|v6| IpAddr::from(v6.ip())))?;
            Some((interface.interface_name, ip))
        });
        Ok(Self::from_addresses(addresses))
    }

    /// Interfaces with their addresses from elsewhere.
    pub fn from_addresses(pairs: impl IntoIterator<Item = (String, IpAddr)>) -> Self {
        let mut addresses = BTreeMap::new();
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (interface, address) in pairs {
            let count = counts.entry(interface.clone()).or_default();
            if *count == 0 {
                addresses.insert(format!("{PREFIX}{interface}"), address.to_string());
            }
            addresses.insert(format!("{PREFIX}{interface}_{count}"), address.to_string());
            *count += 1;
        }
        Self { addresses }
    }
}

impl Resolver for HostResolver {
    fn resolve(&self, key: &str) -> Option<String> {
        self.addresses.get(key).cloned()
    }

    fn keys(&self) -> Vec<String> {
        self.addresses.keys().cloned().collect()
    }

    fn describe(&self) -> String {
        "network interfaces (host.INTERFACE)".to_owned()
    }
}

const PREFIX: &str = "host.";
