//! The words that keys take, and what they are in a table.

use crate::model::{Scheduler, SchedulerFlags, TunnelFlags, TunnelKind};

/// How packets get to a destination, without the tunnel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Forward {
    Direct,
    Nat,
    Tunnel,
    Local,
    Bypass,
}

/// A scheduler that is known, or, in version 2, one that may be.
pub(super) fn scheduler(word: &str, is_version_2: bool) -> Option<Scheduler> {
    let known = Scheduler::KNOWN.into_iter().find(|scheduler| scheduler.name() == word);
    known.or_else(|| {
        let is_name = word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        word.parse().ok().filter(|_| is_version_2 && is_name)
    })
}

/// Whether a scheduler takes every weight but 0 for the same.
pub(super) const fn ignores_weights(scheduler: Scheduler) -> bool {
    matches!(scheduler, Scheduler::Rr | Scheduler::Lc | Scheduler::Dh)
}

pub(super) fn scheduler_flag(word: &str, scheduler: Scheduler) -> Option<SchedulerFlags> {
    let (owner, flag) = match word {
        "flag-1" => return Some(SchedulerFlags::FALLBACK),
        "flag-2" => return Some(SchedulerFlags::PORT),
        "flag-3" => return Some(SchedulerFlags::FLAG_3),
        "fallback" => (scheduler, SchedulerFlags::FALLBACK),
        "port" => (scheduler, SchedulerFlags::PORT),
        "sh-fallback" => (Scheduler::Sh, SchedulerFlags::FALLBACK),
        "sh-port" => (Scheduler::Sh, SchedulerFlags::PORT),
        "mh-fallback" => (Scheduler::Mh, SchedulerFlags::FALLBACK),
        "mh-port" => (Scheduler::Mh, SchedulerFlags::PORT),
        _ => return None,
    };
    (owner == scheduler && matches!(scheduler, Scheduler::Sh | Scheduler::Mh)).then_some(flag)
}

/// The first three are for everybody; the last two are what a table may hold that somebody else made.
pub(super) fn forward(word: &str, is_version_2: bool) -> Option<Forward> {
    Some(match word {
        "direct" => Forward::Direct,
        "nat" => Forward::Nat,
        "tunnel" => Forward::Tunnel,
        "local" => Forward::Local,
        "bypass" => Forward::Bypass,
        "gate" if is_version_2 => Forward::Direct,
        "masq" if is_version_2 => Forward::Nat,
        "ipip" if is_version_2 => Forward::Tunnel,
        _ => return None,
    })
}

pub(super) fn tunnel_kind(word: &str) -> Option<TunnelKind> {
    Some(match word {
        "ipip" => TunnelKind::Ipip,
        "gue" => TunnelKind::Gue,
        "gre" => TunnelKind::Gre,
        _ => return None,
    })
}

pub(super) fn checksum(word: &str) -> Option<TunnelFlags> {
    Some(match word {
        "off" => TunnelFlags::empty(),
        "on" => TunnelFlags::CHECKSUM,
        "remote" => TunnelFlags::REMOTE_CHECKSUM,
        _ => return None,
    })
}
