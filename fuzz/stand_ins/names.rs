//! A resolver that does not ask a server.

use std::net::Ipv4Addr;

use ipvs_rs::model::Protocol;

pub struct Names;

impl Names {
    pub fn ipv4(&self, host: &[u8]) -> Option<Ipv4Addr> {
        (host == b"localhost").then_some(Ipv4Addr::LOCALHOST)
    }

    pub fn port(&self, name: &[u8], protocol: Protocol) -> Option<u16> {
        (name == b"http" && protocol == Protocol::TCP).then_some(80)
    }
}
