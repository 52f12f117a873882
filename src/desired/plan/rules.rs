use std::fmt;
use std::net::SocketAddr;

use super::{Object, Operation, Plan};
use crate::model::{AddressFamily, Config, Protocol, Service, ServiceId, ServiceKind, SyncDaemon, Timeout};

/// A [`Plan`] as arguments of ipvsadm(8), one command a line, in order.
///
/// Waiting for connections has no such form: a destination that would be drained is deleted.
#[derive(Clone, Copy, Debug)]
pub struct PlanRules<'a>(&'a Plan);

impl Plan {
    /// The plan as arguments of ipvsadm(8).
    pub const fn rules(&self) -> PlanRules<'_> {
        PlanRules(self)
    }
}

impl fmt::Display for PlanRules<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.operations().iter().try_for_each(|operation| rule(operation, f))
    }
}

fn rule(operation: &Operation, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match &operation.object {
        Object::Timeouts(change) => {
            let Config { tcp, tcp_fin, udp, .. } = change.after.unwrap_or_default();
            let [tcp, tcp_fin, udp] = [tcp, tcp_fin, udp].map(|timeout| timeout.map_or(0, Timeout::as_secs));
            writeln!(f, "--set {tcp} {tcp_fin} {udp}")
        }
        Object::Service(change) => match (&change.before, &change.after) {
            (None, Some(row)) => {
                writeln!(f, "{}", plain(&row.service.service).full_rule())?;
                let id = row.service.id();
                row.destinations.iter().try_for_each(|entry| writeln!(f, "{}", entry.destination.full_rule(&id)))
            }
            (_, Some(row)) => {
                writeln!(f, "{}", edited(&plain(&row.service.service).full_rule().to_string(), "-A ", "-E "))
            }
            (before, None) => before.iter().try_for_each(|row| writeln!(f, "-D {}", Selector(row.service.id()))),
        },
        Object::Destination(service, change) => match (&change.before, &change.after) {
            (None, Some(after)) => writeln!(f, "{}", after.full_rule(service)),
            (_, Some(after)) => writeln!(f, "{}", edited(&after.full_rule(service).to_string(), "-a ", "-e ")),
            (before, None) => {
                before.iter().try_for_each(|before| writeln!(f, "-d {} -r {}", Selector(*service), before.id))
            }
        },
        Object::SyncDaemon(change) => match (&change.before, &change.after) {
            (_, Some(after)) => start(after, f),
            (before, None) => before.iter().try_for_each(|daemon| writeln!(f, "--stop-daemon {}", daemon.role)),
        },
    }
}

/// A service without what the kernel stores and does not use.
fn plain(service: &Service) -> Service {
    let plain = Service::new(service.id, service.scheduler)
        .scheduler_flags(service.scheduler_flags)
        .one_packet(service.one_packet);
    service.persistence.into_iter().fold(plain, Service::persistence)
}

/// The same settings for something that is there already.
fn edited(rule: &str, add: &str, edit: &str) -> String {
    rule.strip_prefix(add).map_or_else(|| rule.to_owned(), |rest| format!("{edit}{rest}"))
}

fn start(daemon: &SyncDaemon, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "--start-daemon {} --mcast-interface {}", daemon.role, daemon.interface)?;
    if daemon.sync_id != 0 {
        write!(f, " --syncid {}", daemon.sync_id)?;
    }
    if let Some(bytes) = daemon.max_len {
        write!(f, " --sync-maxlen {bytes}")?;
    }
    if let Some(group) = daemon.group {
        write!(f, " --mcast-group {}", group.address())?;
    }
    if let Some(port) = daemon.port {
        write!(f, " --mcast-port {port}")?;
    }
    if let Some(ttl) = daemon.ttl {
        write!(f, " --mcast-ttl {ttl}")?;
    }
    writeln!(f)
}

/// The options of ipvsadm that name a service.
struct Selector(ServiceId);

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind() {
            ServiceKind::Mark { mark, family: AddressFamily::Ipv4 } => write!(f, "-f {mark}"),
            ServiceKind::Mark { mark, family: AddressFamily::Ipv6 } => write!(f, "-f {mark} -6"),
            ServiceKind::Address { protocol, address, port } => {
                let address = SocketAddr::new(address, port);
                match protocol {
                    Protocol::TCP => write!(f, "-t {address}"),
                    Protocol::UDP => write!(f, "-u {address}"),
                    other => write!(f, "--{}-service {address}", other.to_string().to_ascii_lowercase()),
                }
            }
        }
    }
}
