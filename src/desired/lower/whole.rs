use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16};
use std::time::Duration;

use super::Lowering;
use crate::desired::settings::{TIMEOUTS, name_bytes};
use crate::desired::taste::oddities_of_sync;
use crate::desired::written::{self, Field, Findings, Item, Spot, Text};
use crate::desired::{Drain, OnTimeout, Pattern, Scope, WaitFor, shown, spec};
use crate::model::{Config, InterfaceName, SyncDaemon, SyncRole, Timeout};

impl Lowering {
    /// Lowers everything of a file besides services.
    pub(super) fn settings(&mut self, file: &written::File, spot: &Spot<'_>, findings: &mut Findings) {
        let at = spot.key("timeouts", &file.timeouts);
        if let Some(written) = file.timeouts.get()
            && self.is_first("timeouts", &at, findings)
        {
            self.state.timeouts = timeouts(written, &at, findings);
        }
        let at = spot.key("sync", &file.sync);
        if let Some(daemons) = file.sync.get()
            && self.is_first("sync", &at, findings)
        {
            self.state.sync = Some(daemons_of(daemons, &at, findings));
        }
        let at = spot.key("scope", &file.scope);
        if let Some(written) = file.scope.get()
            && self.is_first("scope", &at, findings)
        {
            let before = findings.errors();
            self.state.scope = scope(written, &at, findings);
            self.is_scope_wrong = findings.errors() != before || written.is_damaged;
        }
        let at = spot.key("drain", &file.drain);
        if let Some(written) = file.drain.get()
            && self.is_first("drain", &at, findings)
        {
            self.state.drain = drain(written, None, &at, findings);
        }
    }
}

pub(super) fn timeouts(written: &written::Timeouts, spot: &Spot<'_>, findings: &mut Findings) -> Config {
    let mut config = Config::new();
    for row in &TIMEOUTS {
        let Some(value) = (row.written)(written).get() else { continue };
        let timeout = Timeout::new(value.get()).ok();
        if timeout.is_none() {
            let key = row.key;
            let message = format_args!("invalid time-out ({value}) for {key}: expected whole seconds, 1 to 21474836");
            findings.error_at(spot, (key, written), message);
        }
        *(row.set)(&mut config) = timeout;
    }
    config
}

pub(super) fn scope(written: &written::Scope, spot: &Spot<'_>, findings: &mut Findings) -> Scope {
    let mut patterns = |key: &str, field: &Field<Vec<Item<written::Pattern>>>| {
        let list = spot.key(key, field);
        let mut patterns: Vec<Pattern> = Vec::new();
        for item in field.items() {
            match item.value.as_ref().parse() {
                Ok(pattern) => patterns.push(pattern),
                Err(error) => findings.error(&list.item(item.place, item.position), error),
            }
        }
        patterns
    };
    let scope = Scope { manage: patterns("manage", &written.manage), ignore: patterns("ignore", &written.ignore) };
    if written.manage.get().is_some_and(Vec::is_empty) && !written.is_damaged {
        let message = "an empty list would manage nothing; without the key it is everything";
        findings.error_at(spot, ("manage", written), message);
    }
    scope
}

/// How to drain, where nothing is said in the way of the file; nothing if there is no time for it.
pub(super) fn drain(
    own: &written::Drain,
    file: Option<&written::Drain>,
    spot: &Spot<'_>,
    findings: &mut Findings,
) -> Option<Drain> {
    let waits = [WaitFor::Active, WaitFor::All].map(|it| (it.name(), it));
    let wait = choice(("wait", &own.wait), file.map(|file| &file.wait), &waits, spot, findings);
    let ends = [OnTimeout::Delete, OnTimeout::Keep, OnTimeout::Fail].map(|it| (it.name(), it));
    let on_timeout = choice(("on-timeout", &own.on_timeout), file.map(|file| &file.on_timeout), &ends, spot, findings);
    let poll = own.poll.get().or_else(|| file?.poll.get()).map_or(Drain::DEFAULT_POLL, |poll| poll.get());
    let is_short = poll < Duration::from_millis(1);
    if is_short && own.poll.is_said() {
        findings.error_at(spot, ("poll", own), "invalid poll (0): expected a millisecond at least");
    }
    let timeout: spec::Duration = *own.timeout.get().or_else(|| file?.timeout.get())?;
    let drain = Drain::new(timeout.get()).poll(poll).wait(wait?).on_timeout(on_timeout?);
    (!is_short).then_some(drain)
}

/// The choice of a key, or that of the file, or the first one; what is wrong with that of the file is said there.
fn choice<T: Copy>(
    (key, own): (&str, &Field<Text>),
    file: Option<&Field<Text>>,
    choices: &[(&str, T)],
    spot: &Spot<'_>,
    findings: &mut Findings,
) -> Option<T> {
    let Some(word) = own.get().or_else(|| file?.get()) else { return choices.first().map(|(_, choice)| *choice) };
    let found = choices.iter().find(|(name, _)| *name == word.as_ref());
    if found.is_none() && own.is_said() {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        let (last, others) = names.split_last()?;
        let (word, others) = (shown(word.as_ref()), others.join(", "));
        findings.error(&spot.key(key, own), format_args!("invalid {key} ({word}): expected {others} or {last}"));
    }
    found.map(|(_, choice)| *choice)
}

fn daemons_of(daemons: &[Item<written::Sync>], spot: &Spot<'_>, findings: &mut Findings) -> Vec<SyncDaemon> {
    let mut list: Vec<SyncDaemon> = Vec::new();
    for item in daemons {
        let spot = spot.item(item.place, item.position);
        let before = findings.errors();
        let daemon = sync(&item.value, &spot, findings);
        let Some(daemon) = daemon.filter(|_| findings.errors() == before) else { continue };
        if list.iter().any(|other| other.role == daemon.role) {
            let role = daemon.role;
            findings.error(&spot, format_args!("there is one {role} daemon already: at most one of each role runs"));
        } else {
            list.push(daemon);
        }
    }
    list
}

pub(super) fn sync(written: &written::Sync, spot: &Spot<'_>, findings: &mut Findings) -> Option<SyncDaemon> {
    let role = match written.role.get().map(AsRef::as_ref) {
        Some("master") => Some(SyncRole::Master),
        Some("backup") => Some(SyncRole::Backup),
        Some(other) => {
            let message = format_args!("invalid role ({}): expected master or backup", shown(other));
            findings.error_at(spot, ("role", written), message);
            None
        }
        None => {
            if !written.role.is_broken() {
                findings.error(spot, "a daemon needs a role: master or backup");
            }
            None
        }
    };
    let Some(interface) = written.interface.text() else {
        if !written.interface.is_broken() {
            findings.error(spot, "a daemon needs an interface");
        }
        return None;
    };
    let interface = InterfaceName::verbatim(&name_bytes(interface));
    let interface =
        interface.map_err(|reason| findings.error_at(spot, ("interface", written), shown(&reason.to_string()))).ok()?;
    let mut daemon = SyncDaemon::new(role?, interface);
    let mut number = |key: &str, field: &Field<i64>, (least, most): (i64, i64), expected: &str| {
        let value = *field.get()?;
        let fitting = u32::try_from(value).ok().filter(|_| (least..=most).contains(&value));
        if fitting.is_none() {
            let message = format_args!("invalid {key} ({value}): expected {expected}");
            findings.error_at(spot, (key, written), message);
        }
        fitting
    };
    // The kernel makes 1024 of anything less for a backup, so that a plan would never come to an end.
    let shortest = if daemon.role == SyncRole::Backup { 1024 } else { 1 };
    daemon.sync_id = number("id", &written.id, (0, u32::MAX.into()), "0 to 255").unwrap_or(0);
    let port = number("port", &written.port, (1, 65_535), "1 to 65535");
    let ttl = number("ttl", &written.ttl, (1, 255), "1 to 255");
    let bytes = number("maxlen", &written.maxlen, (shortest, 65_535), "1024 to 65535");
    daemon.port = port.and_then(|port| NonZeroU16::new(port.try_into().ok()?));
    daemon.ttl = ttl.and_then(|ttl| NonZeroU8::new(ttl.try_into().ok()?));
    daemon.max_len = bytes.and_then(|bytes| NonZeroU16::new(bytes.try_into().ok()?));
    if let Some(text) = written.group.get() {
        let group = text.as_ref().parse().ok().and_then(|group: IpAddr| daemon.group(group).ok());
        daemon = group.unwrap_or_else(|| {
            let message = format_args!("invalid group ({}): expected a multicast address", shown(text.as_ref()));
            findings.error_at(spot, ("group", written), message);
            daemon
        });
    }
    for oddity in oddities_of_sync(&daemon) {
        let message = format_args!("the {} daemon has {}", daemon.role, oddity.problem);
        findings.warning_at(spot, (oddity.key, written), message);
    }
    Some(daemon)
}
