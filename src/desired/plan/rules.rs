use std::fmt;
use std::net::SocketAddr;

use super::{Operation, Plan};
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
    match operation {
        Operation::UpdateTimeouts { wanted, .. } => {
            let Config { tcp, tcp_fin, udp, .. } = wanted;
            let [tcp, tcp_fin, udp] = [tcp, tcp_fin, udp].map(|timeout| timeout.map_or(0, Timeout::as_secs));
            writeln!(f, "--set {tcp} {tcp_fin} {udp}")
        }
        Operation::AddService { service } => {
            writeln!(f, "{}", plain(&service.service).full_rule())?;
            let id = service.id();
            service.destinations.iter().try_for_each(|wanted| writeln!(f, "{}", wanted.created().full_rule(&id)))
        }
        Operation::UpdateService { wanted, .. } => {
            writeln!(f, "{}", edited(&plain(wanted).full_rule().to_string(), "-A ", "-E "))
        }
        Operation::DeleteService { live, .. } => writeln!(f, "-D {}", Selector(live.service.id())),
        Operation::AddDestination { service, destination } => {
            writeln!(f, "{}", destination.created().full_rule(service))
        }
        Operation::UpdateDestination { service, wanted, .. } => {
            writeln!(f, "{}", edited(&wanted.full_rule(service).to_string(), "-a ", "-e "))
        }
        Operation::DeleteDestination { service, live, .. } => {
            writeln!(f, "-d {} -r {}", Selector(*service), live.id())
        }
        Operation::StopSync { live } => writeln!(f, "--stop-daemon {}", live.role),
        Operation::StartSync { wanted } => start(wanted, f),
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
