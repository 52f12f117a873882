//! Everything in a file but services: reads the keys into values, and writes values as keys.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::{NonZeroU8, NonZeroU16};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::oddity::oddities_of_sync;
use super::settings::{name_bytes, name_text};
use super::spec::{DrainSpec, DurationSpec, FileSpec, ScopeSpec, SyncSpec, TimeoutsSpec};
use super::written::{Spot, text};
use super::{DesiredState, Drain, Observed, OnTimeout, Pattern, Place, Scope, WaitFor, escaped};
use crate::model::{Config, InterfaceName, SyncDaemon, SyncRole, Timeout};

/// The keys that only one of several files may have, with where they stand.
#[derive(Debug, Default)]
pub(super) struct Singles {
    places: HashMap<&'static str, Place>,
    /// Whether the scope had errors, so that the managed part is not known.
    pub(super) is_scope_wrong: bool,
}

impl Singles {
    /// Reads everything of a file but services into a state.
    pub(super) fn read(&mut self, file: &FileSpec, spot: &Spot<'_>, state: &mut DesiredState) {
        let at = spot.at("timeouts");
        if let Some(spec) = self.first("timeouts", file.timeouts.as_ref(), &at) {
            state.timeouts = timeouts(spec, &at);
        }
        let at = spot.at("sync");
        if let Some(specs) = self.first("sync", file.sync.as_ref(), &at) {
            state.sync = Some(daemons(specs, &at));
        }
        let at = spot.at("scope");
        if let Some(spec) = self.first("scope", file.scope.as_ref(), &at) {
            let before = spot.findings.errors();
            state.scope = scope(spec, &at);
            self.is_scope_wrong = spot.findings.errors() != before || at.is_damaged();
        }
        let at = spot.at("drain");
        if let Some(spec) = self.first("drain", file.drain.as_ref(), &at) {
            state.drain = drain(spec, None, &at);
        }
    }

    /// The value of a key, if this is the first file that has it; otherwise reports an error.
    fn first<'v, T>(&mut self, key: &'static str, value: Option<&'v T>, spot: &Spot<'_>) -> Option<&'v T> {
        let value = value?;
        if let Some(first) = self.places.get(key) {
            spot.error(format_args!("{key} stands in another file as well ({first}): only one may have it"));
            return None;
        }
        self.places.insert(key, spot.place());
        Some(value)
    }
}

/// Writes everything that was observed but services.
pub(super) fn as_is(live: &Observed) -> FileSpec {
    FileSpec {
        timeouts: live.timeouts.as_ref().map(timeouts_as_is),
        sync: live.sync.as_ref().map(|daemons| daemons.iter().map(sync_as_is).collect()),
        ..FileSpec::default()
    }
}

pub(super) fn timeouts(spec: &TimeoutsSpec, spot: &Spot<'_>) -> Config {
    let read = |key, time: Option<DurationSpec>| {
        let time = time?;
        let timeout = Timeout::new(time.get()).ok();
        if timeout.is_none() {
            let message = format!("invalid timeout ({time}) for {key}: expected whole seconds, 1 to 21474836");
            spot.at(key).error(message);
        }
        timeout
    };
    let mut config = Config::new();
    config.tcp = read("tcp", spec.tcp);
    config.tcp_fin = read("tcpfin", spec.tcpfin);
    config.udp = read("udp", spec.udp);
    config
}

/// Timeouts as they stand in a file.
pub(super) fn timeouts_as_is(config: &Config) -> TimeoutsSpec {
    let time = |timeout: Timeout| DurationSpec::from_secs(timeout.as_secs().into());
    TimeoutsSpec { tcp: config.tcp.map(time), tcpfin: config.tcp_fin.map(time), udp: config.udp.map(time) }
}

pub(super) fn scope(spec: &ScopeSpec, spot: &Spot<'_>) -> Scope {
    let patterns = |list: &Spot<'_>, texts: Option<&Vec<String>>| -> Vec<Pattern> {
        let parsed = list.items(texts).filter_map(|(spot, text)| text.parse().map_err(|error| spot.error(error)).ok());
        parsed.collect()
    };
    let (manage, ignore) = (spot.at("manage"), spot.at("ignore"));
    let scope =
        Scope { manage: patterns(&manage, spec.manage.as_ref()), ignore: patterns(&ignore, spec.ignore.as_ref()) };
    if spec.manage.as_ref().is_some_and(Vec::is_empty) && !spot.is_damaged() {
        manage.error("an empty list would manage nothing; without the key it is everything");
    }
    scope
}

/// A scope as it stands in a file.
pub(super) fn scope_as_is(scope: &Scope) -> ScopeSpec {
    let texts = |patterns: &[Pattern]| {
        let texts: Vec<_> = patterns.iter().map(Pattern::to_string).collect();
        (!texts.is_empty()).then_some(texts)
    };
    ScopeSpec { manage: texts(&scope.manage), ignore: texts(&scope.ignore) }
}

/// The drain of a key, with the settings of the file as defaults; `None` without a timeout.
pub(super) fn drain(own: &DrainSpec, file: Option<&DrainSpec>, spot: &Spot<'_>) -> Option<Drain> {
    let nothing = DrainSpec::default();
    let file = file.unwrap_or(&nothing);
    let waits = WaitFor::ALL.map(|wait| (wait.name(), wait));
    let wait = choice("wait", [&own.wait, &file.wait], &waits, "active or all", spot);
    let outcomes = OnTimeout::ALL.map(|outcome| (outcome.name(), outcome));
    let on_timeout = choice("on-timeout", [&own.on_timeout, &file.on_timeout], &outcomes, "delete, keep or fail", spot);
    let poll = own.poll.or(file.poll).map_or(Drain::DEFAULT_POLL, DurationSpec::get);
    let is_short = poll < Duration::from_millis(1);
    if is_short && own.poll.is_some() {
        spot.at("poll").invalid("poll", 0, "a millisecond at least");
    }
    let timeout = own.timeout.or(file.timeout)?;
    let drain = Drain::new(timeout.get()).poll(poll).wait(wait?).on_timeout(on_timeout?);
    (!is_short).then_some(drain)
}

/// The settings of a drain as they stand in a file.
pub(super) fn drain_as_is(drain: &Drain) -> DrainSpec {
    DrainSpec {
        timeout: Some(drain.timeout.into()),
        poll: Some(drain.poll.into()).filter(|_| drain.poll != Drain::DEFAULT_POLL),
        wait: Some(drain.wait.name().to_owned()).filter(|_| drain.wait != WaitFor::default()),
        on_timeout: Some(drain.on_timeout.name().to_owned()).filter(|_| drain.on_timeout != OnTimeout::default()),
    }
}

/// The choice of a key, or that of the file, or the first one; a mistake in that of the file is reported there.
fn choice<T: Copy>(
    key: &str,
    [own, file]: [&Option<String>; 2],
    choices: &[(&str, T)],
    expected: &str,
    spot: &Spot<'_>,
) -> Option<T> {
    let Some(word) = own.as_ref().or(file.as_ref()) else { return choices.first().map(|(_, choice)| *choice) };
    let found = choices.iter().find(|(name, _)| name == word);
    if found.is_none() && own.is_some() {
        spot.at(key).invalid(key, escaped(word), expected);
    }
    found.map(|(_, choice)| *choice)
}

fn daemons(specs: &Vec<SyncSpec>, spot: &Spot<'_>) -> Vec<SyncDaemon> {
    let mut list: Vec<SyncDaemon> = Vec::new();
    for (spot, spec) in spot.items(Some(specs)) {
        let before = spot.findings.errors();
        let daemon = sync(spec, &spot);
        let Some(daemon) = daemon.filter(|_| spot.findings.errors() == before) else { continue };
        if list.iter().any(|other| other.role == daemon.role) {
            let role = daemon.role;
            spot.error(format_args!("there is one {role} daemon already: at most one of each role runs"));
        } else {
            list.push(daemon);
        }
    }
    list
}

pub(super) fn sync(spec: &SyncSpec, spot: &Spot<'_>) -> Option<SyncDaemon> {
    if spec.role.is_none() && !spot.at("role").is_broken() {
        spot.error("a daemon needs a role: master or backup");
    }
    let roles = SyncRole::ALL.map(|role| (role.name(), role));
    let role = choice("role", [&spec.role, &None], &roles, "master or backup", spot).filter(|_| spec.role.is_some());
    let Some(interface) = text(spec.interface.as_ref()) else {
        if !spot.at("interface").is_broken() {
            spot.error("a daemon needs an interface");
        }
        return None;
    };
    let interface = InterfaceName::verbatim(&name_bytes(interface));
    let interface = interface.map_err(|reason| spot.at("interface").error(escaped(&reason.to_string()))).ok()?;
    let mut daemon = SyncDaemon::new(role?, interface);
    let number = |key: &str, value: Option<i64>, range: RangeInclusive<i64>, expected: &str| {
        let fitting = value.filter(|value| range.contains(value)).and_then(|value| u32::try_from(value).ok());
        if let (Some(value), None) = (value, fitting) {
            spot.at(key).invalid(key, value, expected);
        }
        fitting
    };
    // The kernel uses 1024 instead of anything less for a backup, so that a plan would never come to an end.
    let shortest = if daemon.role == SyncRole::Backup { 1024 } else { 1 };
    daemon.sync_id = number("id", spec.id, 0..=u32::MAX.into(), "0 to 255").unwrap_or(0);
    let port = number("port", spec.port, 1..=65_535, "1 to 65535");
    daemon.port = port.and_then(|port| NonZeroU16::new(port.try_into().ok()?));
    let ttl = number("ttl", spec.ttl, 1..=255, "1 to 255");
    daemon.ttl = ttl.and_then(|ttl| NonZeroU8::new(ttl.try_into().ok()?));
    let bytes = number("maxlen", spec.maxlen, shortest..=65_535, "1024 to 65535");
    daemon.max_len = bytes.and_then(|bytes| NonZeroU16::new(bytes.try_into().ok()?));
    if let Some(text) = &spec.group {
        let group = text.parse().ok().and_then(|group: IpAddr| daemon.group(group).ok());
        daemon = group.unwrap_or_else(|| {
            spot.at("group").invalid("group", escaped(text), "a multicast address");
            daemon
        });
    }
    for oddity in oddities_of_sync(&daemon) {
        spot.at(oddity.key).warning(format_args!("the {} daemon has {}", daemon.role, oddity.problem));
    }
    Some(daemon)
}

/// A synchronization daemon as it stands in a file.
pub(super) fn sync_as_is(daemon: &SyncDaemon) -> SyncSpec {
    SyncSpec {
        role: Some(daemon.role.to_string()),
        interface: Some(name_text(daemon.interface.as_bytes())),
        id: Some(daemon.sync_id.into()),
        group: daemon.group.map(|group| group.address().to_string()),
        port: daemon.port.map(|port| port.get().into()),
        ttl: daemon.ttl.map(|ttl| ttl.get().into()),
        maxlen: daemon.max_len.map(|bytes| bytes.get().into()),
    }
}
