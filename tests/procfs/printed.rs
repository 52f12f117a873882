//! Rows the way that the kernel prints them, written down once more.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipvs_rs::procfs::{Connection, ConnectionOrigin};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// The first line of `/proc/net/ip_vs_conn`.
pub(crate) const HEADER: &str = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n";
/// The first line of `/proc/net/ip_vs_conn_sync`.
pub(crate) const HEADER_WITH_ORIGIN: &str =
    "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n";

/// The kernel's data about a connection.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    pub(crate) protocol: String,
    pub(crate) client: SocketAddr,
    pub(crate) service: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) state: String,
    pub(crate) expires: u64,
    pub(crate) engine: Option<(String, Vec<u8>)>,
    pub(crate) origin: Option<&'static str>,
}

impl Known {
    pub(crate) fn of(connection: &Connection) -> Self {
        let engine = connection.engine.as_ref();
        Self {
            protocol: connection.protocol.to_string(),
            client: connection.client,
            service: connection.service,
            destination: connection.destination,
            state: connection.state.to_string(),
            expires: connection.expires_secs,
            engine: engine.map(|engine| (engine.name.to_string(), engine.data.clone())),
            origin: connection.origin.map(|origin| match origin {
                ConnectionOrigin::Local => "LOCAL",
                ConnectionOrigin::Sync => "SYNC",
                other => panic!("{other}"),
            }),
        }
    }

    /// The row, without the end of the line.
    pub(crate) fn row(&self) -> Vec<u8> {
        let [client, service, destination] = [self.client, self.service, self.destination].map(endpoint);
        let (protocol, state, expires) = (&self.protocol, &self.state, self.expires);
        let mut row = format!("{protocol:<3} {client} {service} {destination} {state:<11} ").into_bytes();
        match self.origin {
            Some(origin) => row.extend(format!("{origin:<6} {expires:>7}").bytes()),
            None => row.extend(format!("{expires:>7}").bytes()),
        }
        if let Some((name, data)) = &self.engine {
            row.extend(format!(" {name} ").bytes());
            row.extend(data);
        }
        row
    }
}

fn endpoint(address: SocketAddr) -> String {
    let port = address.port();
    match address.ip() {
        IpAddr::V4(address) => format!("{:08X} {port:04X}", u32::from(address)),
        IpAddr::V6(address) => {
            let groups = address.segments().map(|group| format!("{group:04x}"));
            format!("{} {port:04X}", groups.join(":"))
        }
    }
}

/// Connections that a kernel could have, with the words that it has for them, and words that it may have one day.
pub(crate) fn arb_known() -> impl Strategy<Value = Known> {
    let protocol = select(&["TCP", "UDP", "SCTP", "IP", "ICMP", "ICMPv6", "IP_50", "IP_255", "QUIC"][..]);
    let state = select(&["ESTABLISHED", "TIME_WAIT", "NONE", "ASSURED", "UDP", "S-ACK-SENT", "ERR!", "?", "NEW"][..]);
    // A NUL ends what the kernel prints, the end of a line ends the row.
    let data = vec(any::<u8>().prop_filter("not in a row", |byte| !matches!(byte, 0 | b'\n')), 0..=255);
    let engine = option::of(("[a-z0-9_]{1,16}", data));
    (protocol, arb_pair(), arb_endpoint(), state, any::<u32>(), engine).prop_map(
        |(protocol, (client, service), destination, state, expires, engine)| Known {
            protocol: protocol.to_owned(),
            client,
            service,
            destination,
            state: state.to_owned(),
            expires: expires.into(),
            engine,
            origin: None,
        },
    )
}

/// The same as the other table shows it.
pub(crate) fn arb_known_with_origin() -> impl Strategy<Value = Known> {
    (arb_known(), select(&["LOCAL", "SYNC"][..])).prop_map(|(known, origin)| Known {
        engine: None,
        origin: Some(origin),
        ..known
    })
}

/// Two ends of one family.
fn arb_pair() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
    let pair = |address: BoxedStrategy<IpAddr>| {
        (address.clone(), any::<u16>(), address, any::<u16>())
            .prop_map(|(a, b, c, d)| (SocketAddr::new(a, b), SocketAddr::new(c, d)))
    };
    prop_oneof![pair(arb_ipv4().boxed()), pair(arb_ipv6().boxed())]
}

fn arb_endpoint() -> impl Strategy<Value = SocketAddr> {
    (prop_oneof![arb_ipv4(), arb_ipv6()], any::<u16>()).prop_map(|(address, port)| SocketAddr::new(address, port))
}

fn arb_ipv4() -> impl Strategy<Value = IpAddr> + Clone {
    any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).into())
}

fn arb_ipv6() -> impl Strategy<Value = IpAddr> + Clone {
    any::<u128>().prop_map(|bits| Ipv6Addr::from(bits).into())
}
