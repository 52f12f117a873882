//! Names of hosts and services, both ways, from the system's resolver and services database.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dns_lookup::{AddrFamily, AddrInfoHints};
use ipvs_rs::model::Protocol;

/// Looks names up, each only once.
#[derive(Debug)]
pub struct Names {
    hosts: HashMap<IpAddr, String>,
    services: OnceCell<Services>,
    /// The function that resolves the addresses of hosts.
    resolver: fn(&[u8]) -> Option<Ipv4Addr>,
}

impl Default for Names {
    fn default() -> Self {
        Self { hosts: HashMap::new(), services: OnceCell::new(), resolver: resolve }
    }
}

impl Names {
    /// With the text of a services database instead of the system's.
    #[cfg(test)]
    pub fn with_services(database: &str) -> Self {
        Self { services: OnceCell::from(Services::read(database)), ..Self::default() }
    }

    /// The same without the system's resolver: the only host is `localhost`.
    #[cfg(test)]
    pub fn alone(database: &str) -> Self {
        Self { resolver: |host| (host == b"localhost").then_some(Ipv4Addr::LOCALHOST), ..Self::with_services(database) }
    }

    /// The first IPv4 address of a host.
    pub fn ipv4(&self, host: &[u8]) -> Option<Ipv4Addr> {
        (self.resolver)(host)
    }

    /// The port of a service.
    pub fn port(&self, name: &[u8], protocol: Protocol) -> Option<u16> {
        let name = std::str::from_utf8(name).ok()?;
        self.services().ports.get(&(name.to_owned(), word(protocol)?)).copied()
    }

    /// `ADDRESS:PORT` as numbers, IPv6 in brackets.
    pub fn numeric(address: IpAddr, port: u16) -> String {
        match address {
            IpAddr::V4(address) => format!("{address}:{port}"),
            IpAddr::V6(address) => format!("[{}]:{port}", ipv6(address)),
        }
    }

    /// The same with names where there are any, as far as the original's buffer goes.
    pub fn named(&mut self, address: IpAddr, port: u16, protocol: Option<Protocol>) -> Vec<u8> {
        let service = protocol.and_then(|protocol| self.service(port, protocol)).unwrap_or_else(|| port.to_string());
        let host = self.host(address);
        let mut text = match address {
            IpAddr::V4(_) => format!("{host}:{service}"),
            IpAddr::V6(_) => format!("[{host}]:{service}"),
        }
        .into_bytes();
        text.truncate(LONGEST);
        text
    }

    fn host(&mut self, address: IpAddr) -> &str {
        self.hosts.entry(address).or_insert_with(|| {
            let number = match address {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => ipv6(address),
            };
            // A host without a name is given back as its number.
            let found = dns_lookup::lookup_addr(&address).ok();
            found.filter(|name| name.parse::<IpAddr>().is_err()).unwrap_or(number)
        })
    }

    fn service(&self, port: u16, protocol: Protocol) -> Option<String> {
        self.services().names.get(&(port, word(protocol)?)).cloned()
    }

    fn services(&self) -> &Services {
        self.services.get_or_init(|| Services::read(&fs::read_to_string("/etc/services").unwrap_or_default()))
    }
}

/// Asks the system. The C library takes 127.0.0.1 for a host that has only `::1` in its file of hosts; that is why it has
/// to be asked for IPv4.
fn resolve(host: &[u8]) -> Option<Ipv4Addr> {
    let host = std::str::from_utf8(host).ok().filter(|host| !host.is_empty())?;
    let only = AddrInfoHints { address: AddrFamily::Inet.into(), ..AddrInfoHints::default() };
    let found = dns_lookup::getaddrinfo(Some(host), None, Some(only)).ok()?;
    found.filter_map(Result::ok).find_map(|found| match found.sockaddr.ip() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    })
}

/// Bytes of a named address with its port.
const LONGEST: usize = 59;

/// An IPv6 address as `inet_ntop` prints it, which shows the last two groups of a compatible address like IPv4.
fn ipv6(address: Ipv6Addr) -> String {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
            let [a, b, c, d] = ((u32::from(high) << 16) | u32::from(low)).to_be_bytes();
            format!("::{a}.{b}.{c}.{d}")
        }
        _ => address.to_string(),
    }
}

/// The services database, services(5).
#[derive(Debug, Default)]
struct Services {
    ports: HashMap<(String, &'static str), u16>,
    names: HashMap<(u16, &'static str), String>,
}

impl Services {
    /// Of several that match, the first counts.
    fn read(text: &str) -> Self {
        let mut services = Self::default();
        for line in text.lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let (Some(name), Some((port, protocol))) =
                (words.next(), words.next().and_then(|word| word.split_once('/')))
            else {
                continue;
            };
            let known = WORDS.into_iter().find(|(_, word)| *word == protocol);
            let (Ok(port), Some((_, protocol))) = (port.parse(), known) else { continue };
            services.names.entry((port, protocol)).or_insert_with(|| name.to_owned());
            for name in [name].into_iter().chain(words) {
                services.ports.entry((name.to_owned(), protocol)).or_insert(port);
            }
        }
        services
    }
}

const WORDS: [(Protocol, &str); 3] = [(Protocol::TCP, "tcp"), (Protocol::UDP, "udp"), (Protocol::SCTP, "sctp")];

fn word(protocol: Protocol) -> Option<&'static str> {
    WORDS.into_iter().find(|(known, _)| *known == protocol).map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: &str = "\
# comment
http\t\t80/tcp\t\twww www-http # WorldWideWeb
domain 53/tcp
domain 53/udp
first 7000/tcp
second 7000/tcp alias
first 7001/tcp
broken
broken x/tcp
other 9/dccp
";

    #[test]
    fn services_are_found_both_ways() {
        let names = Names::with_services(DATABASE);
        let port = |name: &str, protocol| names.port(name.as_bytes(), protocol);
        assert_eq!(port("http", Protocol::TCP), Some(80));
        assert_eq!(port("www-http", Protocol::TCP), Some(80));
        assert_eq!(port("HTTP", Protocol::TCP), None);
        assert_eq!(port("http", Protocol::UDP), None);
        assert_eq!(port("domain", Protocol::UDP), Some(53));
        assert_eq!(port("first", Protocol::TCP), Some(7000));
        assert_eq!(port("alias", Protocol::TCP), Some(7000));
        assert_eq!(port("broken", Protocol::TCP), None);
        assert_eq!(port("http", Protocol::ESP), None);
        assert_eq!(names.service(7000, Protocol::TCP).as_deref(), Some("first"));
        assert_eq!(names.service(80, Protocol::UDP), None);
    }

    #[test]
    fn numbers_are_printed_like_the_c_library_does() {
        let table = [
            ("10.0.0.1", "10.0.0.1:80"),
            ("2001:db8::1", "[2001:db8::1]:80"),
            ("::1", "[::1]:80"),
            ("::1:2", "[::0.1.0.2]:80"),
            ("::ffff:10.0.0.1", "[::ffff:10.0.0.1]:80"),
            ("::", "[::]:80"),
        ];
        for (address, text) in table {
            assert_eq!(Names::numeric(address.parse().unwrap(), 80), text);
        }
    }
}
