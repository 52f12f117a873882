use std::net::IpAddr;
use std::time;

use super::Lowering;
use super::findings::Findings;
use crate::desired::{Drain, OnTimeout, Pattern, WaitFor, spec};
use crate::model::{Config, SyncDaemon, SyncRole, Timeout};

impl Lowering {
    /// What a file says besides services.
    pub(super) fn settings(&mut self, file: &spec::File, findings: &mut Findings<'_>) {
        if let Some(timeouts) = &file.timeouts
            && self.is_first("timeouts", findings)
            && !findings.is_broken("timeouts")
        {
            self.state.timeouts = config(timeouts, findings);
        }
        if let Some(daemons) = &file.sync
            && self.is_first("sync", findings)
            && !findings.is_broken("sync")
        {
            self.state.sync = Some(sync(daemons, findings));
        }
        if let Some(scope) = &file.scope
            && self.is_first("scope", findings)
            && !findings.is_broken("scope")
        {
            let before = findings.errors();
            self.state.scope.manage = patterns(scope.manage.as_deref(), "scope.manage", findings);
            self.state.scope.ignore = patterns(scope.ignore.as_deref(), "scope.ignore", findings);
            if scope.manage.as_ref().is_some_and(Vec::is_empty) {
                findings.error("scope.manage", "an empty list would manage nothing; without the key it is everything");
            }
            self.is_scope_wrong = findings.errors() != before || findings.has_broken() && findings.is_damaged("scope.");
        }
        if let Some(spec) = &file.drain
            && self.is_first("drain", findings)
            && !findings.is_broken("drain")
        {
            self.state.drain = drain(spec, "drain", findings);
        }
    }
}

fn config(timeouts: &spec::Timeouts, findings: &mut Findings<'_>) -> Config {
    let mut timeout = |key: &str, value: Option<spec::Duration>| {
        let value = value?;
        let timeout = Timeout::new(value.get()).ok();
        if timeout.is_none() {
            let message = format!("invalid time-out ({value}) for {key}: expected whole seconds, 1 to 21474836");
            findings.error(&format!("timeouts.{key}"), message);
        }
        timeout
    };
    let mut config = Config::new();
    config.tcp = timeout("tcp", timeouts.tcp);
    config.tcp_fin = timeout("tcpfin", timeouts.tcpfin);
    config.udp = timeout("udp", timeouts.udp);
    config
}

fn patterns(texts: Option<&[String]>, path: &str, findings: &mut Findings<'_>) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for (place, text) in texts.unwrap_or_default().iter().enumerate() {
        match text.parse() {
            Ok(pattern) => patterns.push(pattern),
            Err(_) if findings.is_broken(&format!("{path}[{place}]")) => {}
            Err(error) => findings.error(&format!("{path}[{place}]"), format!("{error}")),
        }
    }
    patterns
}

/// How to drain, or nothing if there is no time for it.
pub(super) fn drain(spec: &spec::Drain, path: &str, findings: &mut Findings<'_>) -> Option<Drain> {
    let wait = match spec.wait.as_deref() {
        None | Some("active") => WaitFor::Active,
        Some("all") => WaitFor::All,
        Some(other) => {
            findings.error(&format!("{path}.wait"), format!("invalid wait ({other}): expected active or all"));
            return None;
        }
    };
    let on_timeout = match spec.on_timeout.as_deref() {
        None | Some("delete") => OnTimeout::Delete,
        Some("keep") => OnTimeout::Keep,
        Some("fail") => OnTimeout::Fail,
        Some(other) => {
            let message = format!("invalid on-timeout ({other}): expected delete, keep or fail");
            findings.error(&format!("{path}.on-timeout"), message);
            return None;
        }
    };
    let poll = spec.poll.map_or(Drain::DEFAULT_POLL, spec::Duration::get);
    if poll < time::Duration::from_millis(1) {
        findings.error(&format!("{path}.poll"), "invalid poll (0): expected a millisecond at least");
        return None;
    }
    let timeout = spec.timeout?.get();
    Some(Drain::new(timeout).poll(poll).wait(wait).on_timeout(on_timeout))
}

fn sync(daemons: &[spec::Sync], findings: &mut Findings<'_>) -> Vec<SyncDaemon> {
    let mut list: Vec<SyncDaemon> = Vec::new();
    for (place, spec) in daemons.iter().enumerate() {
        let path = format!("sync[{place}]");
        if findings.is_broken(&path) {
            continue;
        }
        let before = findings.errors();
        let Some(daemon) = sync_daemon(spec, &path, findings).filter(|_| findings.errors() == before) else { continue };
        if list.iter().any(|other| other.role == daemon.role) {
            findings
                .error(&path, format!("there is one {} daemon already: at most one of each role runs", daemon.role));
        } else {
            list.push(daemon);
        }
    }
    list
}

fn sync_daemon(spec: &spec::Sync, path: &str, findings: &mut Findings<'_>) -> Option<SyncDaemon> {
    let at = |key: &str| format!("{path}.{key}");
    let role = match spec.role.as_deref() {
        Some("master") => Some(SyncRole::Master),
        Some("backup") => Some(SyncRole::Backup),
        Some(other) => {
            findings.error(&at("role"), format!("invalid role ({other}): expected master or backup"));
            None
        }
        None if findings.is_key_broken(path, "role") => None,
        None => {
            findings.error(path, "a daemon needs a role: master or backup");
            None
        }
    };
    let Some(interface) = spec.interface.as_deref().filter(|name| !name.is_empty()) else {
        if !findings.is_key_broken(path, "interface") {
            findings.error(path, "a daemon needs an interface");
        }
        return None;
    };
    let mut daemon = match SyncDaemon::master(interface) {
        Ok(daemon) => daemon,
        Err(reason) => {
            findings.error(&at("interface"), reason.to_string());
            return None;
        }
    };
    daemon.role = role?;
    if let Some(id) = spec.id {
        match u8::try_from(id) {
            Ok(id) => daemon = daemon.sync_id(id),
            Err(_) => findings.error(&at("id"), format!("invalid id ({id}): expected 0 to 255")),
        }
    }
    if let Some(text) = &spec.group {
        let group = text.parse().ok().and_then(|group: IpAddr| daemon.group(group).ok());
        match group {
            Some(with) => daemon = with,
            None => findings.error(&at("group"), format!("invalid group ({text}): expected a multicast address")),
        }
    }
    if let Some(port) = spec.port {
        match u16::try_from(port).ok().and_then(|port| daemon.port(port).ok()) {
            Some(with) => daemon = with,
            None => findings.error(&at("port"), format!("invalid port ({port}): expected 1 to 65535")),
        }
    }
    if let Some(ttl) = spec.ttl {
        match u8::try_from(ttl).ok().and_then(|ttl| daemon.ttl(ttl).ok()) {
            Some(with) => daemon = with,
            None => findings.error(&at("ttl"), format!("invalid ttl ({ttl}): expected 1 to 255")),
        }
    }
    if let Some(bytes) = spec.maxlen {
        let with = u16::try_from(bytes).ok().filter(|bytes| *bytes >= SHORTEST_SYNC);
        match with.and_then(|bytes| daemon.max_len(bytes).ok()) {
            Some(with) => daemon = with,
            None => findings.error(&at("maxlen"), format!("invalid maxlen ({bytes}): expected 1024 to 65535")),
        }
    }
    Some(daemon)
}

/// The kernel makes 1024 of anything less, so that a plan would never come to an end.
const SHORTEST_SYNC: u16 = 1024;
