use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::str::FromStr;

use super::piece::{named, number};
use crate::model::{InterfaceName, MulticastGroup, ParseError, SyncDaemon, SyncRole};

impl fmt::Display for SyncRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for SyncRole {
    type Err = ParseError;

    /// `master` or `backup`, in any case.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let role = named(Self::ALL.map(|role| (role.name(), role)), text);
        role.ok_or_else(|| ParseError::new("sync role", text, "master or backup"))
    }
}

impl fmt::Display for MulticastGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address().fmt(f)
    }
}

impl FromStr for MulticastGroup {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let group = text.parse::<IpAddr>().ok().and_then(|address| Self::new(address).ok());
        group.ok_or_else(|| ParseError::new("multicast group", text, "an address of 224.0.0.0/4 or ff00::/8"))
    }
}

impl fmt::Display for SyncDaemon {
    /// As `ipvsadm -L --daemon` prints it; settings that are left to the kernel are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{} sync daemon (mcast={}, syncid={}", self.role, self.interface, self.sync_id);
        if let Some(max_len) = self.max_len {
            write!(text, ", maxlen={max_len}")?;
        }
        if let Some(group) = self.group {
            write!(text, ", group={group}")?;
        }
        if let Some(port) = self.port {
            write!(text, ", port={port}")?;
        }
        if let Some(ttl) = self.ttl {
            write!(text, ", ttl={ttl}")?;
        }
        text.push(')');
        f.pad(&text)
    }
}

impl FromStr for SyncDaemon {
    type Err = ParseError;

    /// As [`Display`](fmt::Display) writes it; the parts between the parentheses may come in any order.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let form = || ParseError::new(DAEMON, text, "master or backup, then sync daemon (mcast=…, syncid=…)");
        let (role, list) = text.split_once(" sync daemon (").ok_or_else(form)?;
        let list = list.strip_suffix(')').ok_or_else(form)?;

        let mut parts = Parts::default();
        // Interface names cannot have blanks, so that a comma before a blank is never part of a name.
        for part in list.split(", ") {
            let (name, value) = part.split_once('=').ok_or_else(|| ParseError::new(DAEMON, part, PARTS))?;
            let slot = match name {
                "mcast" => &mut parts.interface,
                "syncid" => &mut parts.sync_id,
                "maxlen" => &mut parts.max_len,
                "group" => &mut parts.group,
                "port" => &mut parts.port,
                "ttl" => &mut parts.ttl,
                _ => return Err(ParseError::new(DAEMON, name, PARTS)),
            };
            if slot.replace(value).is_some() {
                return Err(ParseError::new(DAEMON, name, "each part once"));
            }
        }

        let interface: InterfaceName =
            parts.interface.ok_or_else(|| ParseError::new(DAEMON, "", "mcast= and an interface"))?.parse()?;
        let mut daemon = Self::new(role.parse()?, interface);
        daemon.sync_id = part(parts.sync_id, "0 to 4294967295")?.unwrap_or(0);
        daemon.max_len = part(parts.max_len, "1 to 65535 bytes")?;
        daemon.group = parts.group.map(str::parse).transpose()?;
        daemon.port = part(parts.port, "1 to 65535")?;
        daemon.ttl = part(parts.ttl, "1 to 255")?;
        Ok(daemon)
    }
}

#[derive(Debug, Default)]
struct Parts<'a> {
    interface: Option<&'a str>,
    sync_id: Option<&'a str>,
    max_len: Option<&'a str>,
    group: Option<&'a str>,
    port: Option<&'a str>,
    ttl: Option<&'a str>,
}

fn part<T: FromStr>(value: Option<&str>, expected: &str) -> Result<Option<T>, ParseError> {
    value.map(|value| number(value).ok_or_else(|| ParseError::new(DAEMON, value, expected))).transpose()
}

const DAEMON: &str = "sync daemon";
const PARTS: &str = "mcast=, syncid=, maxlen=, group=, port= or ttl=";
