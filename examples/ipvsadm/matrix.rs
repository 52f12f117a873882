//! The options that are valid with each command, and with each kind of tunnel.

use ipvs_rs::model::TunnelKind;

use crate::fault::Fault;
use crate::grammar::{Command, Slot};

/// The rule for an option.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Rule {
    Required,
    Allowed,
    /// At most one of those that have this.
    Alone,
    Illegal,
}

/// The options that were given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slots(u64);

impl Slots {
    pub const fn has(self, slot: Slot) -> bool {
        self.0 & (1 << slot as u64) != 0
    }

    /// Notes an option.
    pub fn add(&mut self, slot: Slot) -> Result<(), Fault> {
        if self.has(slot) {
            return Err(Fault::usage(format!("multiple '{}' options specified", slot.name())));
        }
        self.0 |= 1 << slot as u64;
        Ok(())
    }

    pub fn has_any(self, slots: &[Slot]) -> bool {
        slots.iter().any(|slot| self.has(*slot))
    }
}

/// Checks the options of a command.
pub fn check_command(command: Command, given: Slots) -> Result<(), Fault> {
    check(Slot::ALL, given, |slot| of_command(command, slot), &format!("the '{}' command", command.name()))
}

/// The kinds of tunnels that have options.
pub const TUNNELS: [&str; 3] = ["ipip", "gue", "gre"];

/// Checks the options of a tunnel.
pub fn check_tunnel(kind: TunnelKind, given: Slots) -> Result<(), Fault> {
    let slots = [Slot::TunnelPort, Slot::TunnelNoChecksum, Slot::TunnelChecksum, Slot::TunnelRemoteChecksum];
    check(&slots, given, |slot| of_tunnel(kind, slot), &format!("the '{kind}' tunnel type"))
}

fn check(slots: &[Slot], given: Slots, rule: impl Fn(Slot) -> Rule, whose: &str) -> Result<(), Fault> {
    let mut earlier: Option<Slot> = None;
    for slot in slots {
        let name = slot.name();
        match (rule(*slot), given.has(*slot)) {
            (Rule::Required, false) => {
                return Err(Fault::usage(format!("You need to supply the '{name}' option for {whose}")));
            }
            (Rule::Illegal, true) => return Err(Fault::usage(format!("Illegal '{name}' option with {whose}"))),
            (Rule::Alone, true) => match earlier {
                Some(other) => {
                    let other = other.name();
                    let text = format!("The option '{name}' conflicts with the '{other}' option in {whose}");
                    return Err(Fault::usage(text));
                }
                None => earlier = Some(*slot),
            },
            _ => {}
        }
    }
    Ok(())
}

fn of_command(command: Command, slot: Slot) -> Rule {
    use Slot as S;
    match (command, slot) {
        (_, S::Netns)
        | (
            Command::AddService | Command::EditService,
            S::Scheduler | S::Persistent | S::Netmask | S::OnePacket | S::Engine | S::SchedulerFlags,
        )
        | (
            Command::AddServer | Command::EditServer,
            S::ForwardingMethod
            | S::Weight
            | S::UpperThreshold
            | S::LowerThreshold
            | S::TunnelType
            | S::TunnelPort
            | S::TunnelNoChecksum
            | S::TunnelChecksum
            | S::TunnelRemoteChecksum,
        )
        | (
            Command::List,
            S::Numeric
            | S::Stats
            | S::Rate
            | S::Thresholds
            | S::PersistentConnections
            | S::NoSort
            | S::SyncId
            | S::Exact
            | S::TunnelInfo
            | S::Json
            | S::Watch,
        )
        | (
            Command::StartDaemon,
            S::MulticastInterface | S::SyncId | S::MulticastGroup | S::MulticastPort | S::MulticastTtl | S::SyncMaxLen,
        )
        | (Command::StopDaemon, S::SyncId)
        | (Command::Save, S::Numeric)
        | (Command::Zero, S::ServiceAddress) => Rule::Allowed,
        (
            Command::AddService
            | Command::EditService
            | Command::DeleteService
            | Command::AddServer
            | Command::EditServer
            | Command::DeleteServer,
            S::ServiceAddress,
        )
        | (Command::AddServer | Command::EditServer | Command::DeleteServer, S::RealServer) => Rule::Required,
        (Command::List, S::Connection | S::ServiceAddress | S::Timeout | S::Daemon) => Rule::Alone,
        _ => Rule::Illegal,
    }
}

fn of_tunnel(kind: TunnelKind, slot: Slot) -> Rule {
    match (kind, slot) {
        (TunnelKind::Gue, Slot::TunnelPort) => Rule::Required,
        (TunnelKind::Gue, _) | (TunnelKind::Gre, Slot::TunnelNoChecksum | Slot::TunnelChecksum) => Rule::Alone,
        _ => Rule::Illegal,
    }
}
