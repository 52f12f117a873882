//! What a file says besides its services.

use super::findings::{Findings, Path, Setting};
use super::words::{self, Forward};
use crate::desired::{Drain, OnTimeout, Pattern, Scope, WaitFor, spec};
use crate::model::{Config, InterfaceName, Scheduler, SyncDaemon, SyncRole, Timeout};

/// What services and destinations of a file have that do not say.
pub(super) struct Defaults {
    pub(super) port: Setting<u16>,
    pub(super) weight: Setting<u32>,
    pub(super) scheduler: Setting<Scheduler>,
    pub(super) forward: Setting<Forward>,
}

impl Findings<'_> {
    pub(super) fn defaults(&mut self, defaults: Option<&spec::Defaults>) -> Defaults {
        let path = Path::File.key("defaults");
        let Some(defaults) = defaults else {
            return if self.is_broken(&path) {
                Defaults {
                    port: Setting::Broken,
                    weight: Setting::Broken,
                    scheduler: Setting::Broken,
                    forward: Setting::Broken,
                }
            } else {
                Defaults {
                    port: Setting::Absent,
                    weight: Setting::Absent,
                    scheduler: Setting::Absent,
                    forward: Setting::Absent,
                }
            };
        };
        let is_version_2 = self.is_version_2;
        let port = self.number(&path.key("port"), defaults.port, 1..=65_535, |number| {
            format!("Default port out of range: {number}")
        });
        let max_weight = self.max_weight();
        let weight = self.number(&path.key("weight"), defaults.weight, 0..=max_weight, |number| {
            format!("Default weight out of range: {number}")
        });
        let sched = path.key("sched");
        let scheduler = self.setting(&sched, defaults.sched.as_ref()).and_then(|word| {
            let scheduler = words::scheduler(word, is_version_2);
            match scheduler {
                None => self.error(&sched, format!("invalid default scheduler: {word}")),
                Some(Scheduler::Other(_)) => {
                    self.warning(
                        &sched,
                        format!("the default scheduler {word} is not known here: the kernel has to have it"),
                    );
                }
                Some(_) => {}
            }
            scheduler
        });
        let forward_path = path.key("forward");
        let forward = self.setting(&forward_path, defaults.forward.as_ref()).and_then(|word| {
            let forward = words::forward(word, is_version_2);
            if forward.is_none() {
                let message = format!("invalid default forward: {word}. Allowed forwards are direct,nat,tunnel");
                self.error(&forward_path, message);
            }
            forward
        });
        let port = port.and_then(|port| u16::try_from(port).ok());
        Defaults { port, weight, scheduler, forward }
    }

    pub(super) fn timeouts(&mut self, timeouts: Option<&spec::Timeouts>) -> Config {
        let mut config = Config::new();
        let Some(timeouts) = timeouts else { return config };
        let path = Path::File.key("timeouts");
        let mut timeout = |key: &'static str, duration: Option<spec::Duration>| {
            let timeout = Timeout::new(duration?.get());
            timeout.map_err(|reason| self.error(&path.key(key), format!("invalid timeouts.{key}: {reason}"))).ok()
        };
        config.tcp = timeout("tcp", timeouts.tcp);
        config.tcp_fin = timeout("tcpfin", timeouts.tcpfin);
        config.udp = timeout("udp", timeouts.udp);
        config
    }

    pub(super) fn scope(&mut self, scope: &spec::Scope) -> Scope {
        let path = Path::File.key("scope");
        let mut patterns = |key: &'static str, texts: Option<&Vec<String>>| {
            let mut patterns = Vec::new();
            for (place, text) in texts.into_iter().flatten().enumerate() {
                match text.parse::<Pattern>() {
                    Ok(pattern) => patterns.push(pattern),
                    Err(error) => self.error(&path.key(key).item(place), error.to_string()),
                }
            }
            patterns
        };
        let manage = patterns("manage", scope.manage.as_ref());
        Scope { manage, ignore: patterns("ignore", scope.ignore.as_ref()) }
    }

    /// A way to drain; `base` is what counts for keys that are not written.
    pub(super) fn drain(&mut self, path: &Path<'_>, drain: &spec::Drain, base: Option<Drain>) -> Option<Drain> {
        let wait = path.key("wait");
        let wait = self.setting(&wait, drain.wait.as_ref()).and_then(|word| {
            let known = [WaitFor::Active, WaitFor::All].into_iter().find(|known| known.name() == word);
            if known.is_none() {
                self.error(&wait, format!("invalid wait ({word}) of drain. Allowed are active,all"));
            }
            known
        });
        let on_timeout = path.key("on-timeout");
        let on_timeout = self.setting(&on_timeout, drain.on_timeout.as_ref()).and_then(|word| {
            let known = [OnTimeout::Delete, OnTimeout::Keep, OnTimeout::Fail];
            let known = known.into_iter().find(|known| known.name() == word);
            if known.is_none() {
                self.error(&on_timeout, format!("invalid on-timeout ({word}) of drain. Allowed are delete,keep,fail"));
            }
            known
        });
        let poll = path.key("poll");
        let poll = self.setting(&poll, drain.poll.as_ref()).and_then(|duration| {
            if duration.get().is_zero() {
                self.error(&poll, "invalid poll (0) of drain. It takes some time between two looks");
            }
            Some(duration.get()).filter(|duration| !duration.is_zero())
        });
        let timeout =
            self.setting(&path.key("timeout"), drain.timeout.as_ref()).and_then(|timeout| Some(timeout.get()));
        let timeout = timeout.or_else(|| base.map_or(Setting::Absent, |base| Setting::Is(base.timeout)));
        let timeout = match timeout {
            Setting::Is(timeout) => timeout,
            Setting::Broken => return None,
            Setting::Absent => {
                self.warning(path, "drain has no timeout, and without one nothing is drained");
                return None;
            }
        };
        let base = base.unwrap_or(Drain::new(timeout));
        Some(
            Drain::new(timeout)
                .poll(poll.or(base.poll)?)
                .wait(wait.or(base.wait)?)
                .on_timeout(on_timeout.or(base.on_timeout)?),
        )
    }

    pub(super) fn sync(&mut self, daemons: &[spec::Sync]) -> Vec<SyncDaemon> {
        let mut lowered = Vec::new();
        let mut roles = Vec::new();
        for (place, daemon) in daemons.iter().enumerate() {
            let list = Path::File.key("sync");
            let path = list.item(place);
            let role = self.role(&path, daemon);
            if let Some(role) = role {
                if roles.contains(&role) {
                    self.error(&path.key("role"), format!("there is at most one {role} in sync"));
                }
                roles.push(role);
            }
            lowered.extend(self.daemon(&path, daemon, role));
        }
        lowered
    }

    fn role(&mut self, path: &Path<'_>, daemon: &spec::Sync) -> Option<SyncRole> {
        let path = path.key("role");
        let role = match self.setting(&path, daemon.role.as_ref()) {
            Setting::Absent => {
                self.error(&path, "a synchronization daemon takes a role: master or backup");
                return None;
            }
            Setting::Broken => return None,
            Setting::Is(role) => role,
        };
        match role.as_str() {
            "master" => Some(SyncRole::Master),
            "backup" => Some(SyncRole::Backup),
            _ => {
                self.error(
                    &path,
                    format!("invalid role ({role}) of a synchronization daemon. Allowed are master,backup"),
                );
                None
            }
        }
    }

    fn daemon(&mut self, path: &Path<'_>, daemon: &spec::Sync, role: Option<SyncRole>) -> Option<SyncDaemon> {
        let interface = path.key("interface");
        let interface = match self.setting(&interface, daemon.interface.as_ref()) {
            Setting::Absent => {
                self.error(&interface, "a synchronization daemon takes an interface");
                None
            }
            Setting::Broken => None,
            Setting::Is(name) => {
                InterfaceName::new(name).map_err(|reason| self.error(&interface, format!("{reason}."))).ok()
            }
        };
        let wrong = |key: &'static str, range: &'static str| {
            move |number: i64| format!("invalid {key} ({number}) of a synchronization daemon. Allowed are {range}")
        };
        let id = self.number(&path.key("id"), daemon.id, 0..=255, wrong("id", "0 to 255"));
        let port = self.number(&path.key("port"), daemon.port, 1..=65_535, wrong("port", "1 to 65535"));
        let ttl = self.number(&path.key("ttl"), daemon.ttl, 1..=255, wrong("ttl", "1 to 255"));
        // The kernel stores less as 1024, which no plan would ever reach.
        let maxlen = self.number(&path.key("maxlen"), daemon.maxlen, 1024..=65_535, wrong("maxlen", "1024 to 65535"));
        let group_path = path.key("group");
        let group = self.setting(&group_path, daemon.group.as_ref()).and_then(|text| {
            let group = text.parse().ok().filter(std::net::IpAddr::is_multicast);
            if group.is_none() {
                let message =
                    format!("invalid group ({text}) of a synchronization daemon. Allowed are multicast addresses");
                self.error(&group_path, message);
            }
            group
        });
        let mut lowered = SyncDaemon::new(role?, interface?).sync_id(u8::try_from(id.or(0)?).ok()?);
        if let Setting::Is(port) = port {
            lowered = lowered.port(u16::try_from(port).ok()?).ok()?;
        }
        if let Setting::Is(ttl) = ttl {
            lowered = lowered.ttl(u8::try_from(ttl).ok()?).ok()?;
        }
        if let Setting::Is(bytes) = maxlen {
            lowered = lowered.max_len(u16::try_from(bytes).ok()?).ok()?;
        }
        if let Setting::Is(group) = group {
            lowered = lowered.group(group).ok()?;
        }
        Some(lowered)
    }
}
