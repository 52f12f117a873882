use std::fmt;
use std::net::SocketAddr;

use super::Rule;
use crate::model::{
    AddressFamily, Destination, ForwardMethod, Granularity, Protocol, Scheduler, SchedulerFlags, Service, ServiceId,
    ServiceKind, Table, Tunnel, TunnelFlags, TunnelKind,
};

/// The rule line of a service, to print; see [`Service::rule`] and [`Service::full_rule`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a rule is there to be printed"]
pub struct ServiceRule<'a> {
    service: &'a Service,
    form: Form,
}

impl<'a> ServiceRule<'a> {
    pub(super) fn ipvsadm(service: &'a Service) -> Self {
        Self { service, form: Form::Ipvsadm }
    }

    pub(super) fn full(service: &'a Service) -> Self {
        Self { service, form: Form::Full }
    }
}

impl fmt::Display for ServiceRule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Service { id, scheduler, scheduler_flags, persistence, one_packet, .. } = self.service;
        write!(f, "-A ")?;
        write_id(f, id, self.form)?;
        write!(f, " -s {scheduler}")?;
        if let Some(persistence) = persistence {
            write!(f, " -p {}", persistence.timeout_secs())?;
        }
        if let Some(stored) = self.service.stored_persistence() {
            let granularity = match self.form {
                Form::Ipvsadm if persistence.is_none() => Granularity::Client,
                Form::Ipvsadm => stored.granularity.normalized(),
                Form::Full => stored.granularity,
            };
            if granularity != Granularity::Client {
                write!(f, " -M {granularity}")?;
            }
            if let Some(engine) = stored.engine {
                write!(f, " --pe {engine}")?;
            }
        }
        if *one_packet {
            f.write_str(" -o")?;
        }
        if !scheduler_flags.is_empty() {
            let mut flags = *scheduler_flags;
            if self.form == Form::Ipvsadm && matches!(scheduler, Scheduler::Sh | Scheduler::Mh) {
                // ipvsadm has no name for the third flag of these two: it prints the option and nothing after it.
                flags.remove(SchedulerFlags::FLAG_3);
            }
            write!(f, " -b {}", flags.notation(scheduler))?;
        }
        Ok(())
    }
}

/// The rule line of a destination, to print; see [`Destination::rule`] and [`Destination::full_rule`].
#[derive(Clone, Copy, Debug)]
#[must_use = "a rule is there to be printed"]
pub struct DestinationRule<'a> {
    service: &'a ServiceId,
    destination: &'a Destination,
    form: Form,
}

impl<'a> DestinationRule<'a> {
    pub(super) fn ipvsadm(service: &'a ServiceId, destination: &'a Destination) -> Self {
        Self { service, destination, form: Form::Ipvsadm }
    }

    pub(super) fn full(service: &'a ServiceId, destination: &'a Destination) -> Self {
        Self { service, destination, form: Form::Full }
    }
}

impl fmt::Display for DestinationRule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Destination { id, forward, weight, thresholds, .. } = self.destination;
        f.write_str("-a ")?;
        write_id(f, self.service, self.form)?;
        write!(f, " -r {id}")?;
        match (forward, self.form) {
            (ForwardMethod::Masquerade, _) => f.write_str(" -m")?,
            (ForwardMethod::Tunnel(_), _) => f.write_str(" -i")?,
            (ForwardMethod::DirectRoute, _) | (_, Form::Ipvsadm) => f.write_str(" -g")?,
            (other, Form::Full) => write!(f, " --forward {other}")?,
        }
        write!(f, " -w {weight}")?;
        if self.form == Form::Full {
            if let Some(upper) = thresholds.upper() {
                write!(f, " -x {upper}")?;
            }
            if let Some(lower) = thresholds.lower() {
                write!(f, " -y {lower}")?;
            }
        }
        match (forward, self.form) {
            (ForwardMethod::Tunnel(tunnel), Form::Ipvsadm) => write_tunnel(f, *tunnel),
            (ForwardMethod::Tunnel(tunnel), Form::Full) => write_full_tunnel(f, *tunnel),
            _ => Ok(()),
        }
    }
}

/// The rule lines of a table, to print; see [`Table::rules`] and [`Table::full_rules`].
#[derive(Clone, Copy)]
#[must_use = "rules are there to be printed"]
pub struct TableRules<'a> {
    table: &'a Table,
    form: Form,
}

/// The number of services in place of their lines.
impl fmt::Debug for TableRules<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services = self.table.len();
        f.debug_struct("TableRules").field("services", &services).field("form", &self.form).finish()
    }
}

impl<'a> TableRules<'a> {
    pub(super) fn ipvsadm(table: &'a Table) -> Self {
        Self { table, form: Form::Ipvsadm }
    }

    pub(super) fn full(table: &'a Table) -> Self {
        Self { table, form: Form::Full }
    }
}

impl fmt::Display for TableRules<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = self.form;
        for row in &self.table.services {
            let service = &row.service.service;
            writeln!(f, "{}", ServiceRule { service, form })?;
            for entry in &row.destinations {
                writeln!(f, "{}", DestinationRule { service: &service.id, destination: &entry.destination, form })?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(service) => service.full_rule().fmt(f),
            Self::Destination { service, destination } => destination.full_rule(service).fmt(f),
        }
    }
}

/// The options of ipvsadm(8) that select a service.
#[derive(Clone, Copy, Debug)]
pub struct ServiceSelector<'a>(pub(super) &'a ServiceId);

impl fmt::Display for ServiceSelector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_id(f, self.0, Form::Full)
    }
}

/// The completeness of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    /// The line that ipvsadm prints.
    Ipvsadm,
    /// A line from which the same object is read again.
    Full,
}

fn write_id(f: &mut fmt::Formatter<'_>, id: &ServiceId, form: Form) -> fmt::Result {
    match id.kind() {
        ServiceKind::Address { protocol, address, port } => {
            match (protocol, form) {
                (Protocol::TCP, _) => f.write_str("-t"),
                (Protocol::UDP, _) => f.write_str("-u"),
                (Protocol::SCTP, _) => f.write_str("--sctp-service"),
                (_, Form::Ipvsadm) => f.write_str("--xxx-service"),
                (other, Form::Full) => write!(f, "--{}-service", other.to_string().to_ascii_lowercase()),
            }?;
            write!(f, " {}", SocketAddr::new(address, port))
        }
        ServiceKind::Mark { mark, family } => {
            match form {
                // ipvsadm prints the mark as a signed number, which it does not read again.
                Form::Ipvsadm => write!(f, "-f {}", mark.get().cast_signed()),
                Form::Full => write!(f, "-f {mark}"),
            }?;
            if family == AddressFamily::Ipv6 { f.write_str(" -6") } else { Ok(()) }
        }
    }
}

fn write_tunnel(f: &mut fmt::Formatter<'_>, tunnel: Tunnel) -> fmt::Result {
    let kind = tunnel.kind();
    match kind {
        TunnelKind::Ipip => return write!(f, " --tun-type {kind}"),
        TunnelKind::Gue => write!(f, " --tun-type {kind} --tun-port {}", tunnel.port().map_or(0, Into::into))?,
        TunnelKind::Gre => write!(f, " --tun-type {kind}")?,
        // ipvsadm cannot express the type and leaves out all options of the tunnel.
        TunnelKind::Unknown(_) => return Ok(()),
    }
    f.write_str(if tunnel.tunnel_flags().contains(TunnelFlags::CHECKSUM) {
        " --tun-csum"
    } else if tunnel.tunnel_flags().contains(TunnelFlags::REMOTE_CHECKSUM) {
        " --tun-remcsum"
    } else {
        " --tun-nocsum"
    })
}

fn write_full_tunnel(f: &mut fmt::Formatter<'_>, tunnel: Tunnel) -> fmt::Result {
    let flags = tunnel.tunnel_flags();
    write!(f, " --tun-type {}", tunnel.kind())?;
    if let Some(port) = tunnel.port() {
        write!(f, " --tun-port {port}")?;
    }
    if flags.is_empty() && matches!(tunnel.kind(), TunnelKind::Gue | TunnelKind::Gre) {
        f.write_str(" --tun-nocsum")?;
    }
    if flags.contains(TunnelFlags::CHECKSUM) {
        f.write_str(" --tun-csum")?;
    }
    if flags.contains(TunnelFlags::REMOTE_CHECKSUM) {
        f.write_str(" --tun-remcsum")?;
    }
    let unnamed = flags - TunnelFlags::CHECKSUM - TunnelFlags::REMOTE_CHECKSUM;
    if unnamed.is_empty() { Ok(()) } else { write!(f, " --tun-flags {:#x}", unnamed.bits()) }
}
