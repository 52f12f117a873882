use super::{Change, Facts, Item, Labels, Object, Operation, OperationKind, Question, State, Subject, There, Verb};
use crate::desired::globals::{self, sync_as_is};
use crate::desired::{DesiredState, Observed, ServiceAttributes, lower};
use crate::model::{SyncDaemon, SyncRole};

/// Returns the operations that stop and start daemons. A daemon cannot be changed: it is stopped, and another one
/// started.
pub(super) fn plan(live: &Observed, desired: &DesiredState) -> Vec<Operation> {
    let Some(desired) = &desired.sync else { return Vec::new() };
    let live = live.sync.as_deref().unwrap_or_default();
    let of_role = |role, daemons: &[SyncDaemon]| daemons.iter().rev().find(|daemon| daemon.role == role).copied();
    let mut changes = Vec::new();
    for role in [SyncRole::Master, SyncRole::Backup] {
        let (runs, should) = (of_role(role, live), of_role(role, desired));
        if !runs.zip(should).is_some_and(|(runs, should)| is_like(&runs, &should)) {
            changes.extend(runs.map(Change::delete));
            changes.extend(should.map(Change::add));
        }
    }
    changes.into_iter().map(Object::SyncDaemon).map(Operation::new).collect()
}

/// Whether a running daemon is as desired, as far as its settings are given.
fn is_like(runs: &SyncDaemon, should: &SyncDaemon) -> bool {
    runs.interface == should.interface
        && runs.sync_id == should.sync_id
        && (should.max_len.is_none() || runs.max_len == should.max_len)
        && (should.group.is_none() || runs.group == should.group)
        && (should.port.is_none() || runs.port == should.port)
        && (should.ttl.is_none() || runs.ttl == should.ttl)
}

pub(super) fn of_item(item: &Item, _: &There<'_>) -> Result<Operation, String> {
    let spec = item.sync.as_ref().ok_or("it has no daemon")?;
    let daemon = lower::alone(|spot| globals::sync(spec, spot))?;
    Ok(Operation::new(Object::SyncDaemon(match item.kind.verb() {
        Verb::Delete => Change::delete(daemon),
        Verb::Add | Verb::Update => Change::add(daemon),
    })))
}

impl Subject for Change<SyncDaemon> {
    fn kind(&self) -> OperationKind {
        self.verb().of([OperationKind::StartSync, OperationKind::StartSync, OperationKind::StopSync])
    }

    fn role(&self) -> Option<SyncRole> {
        self.latest().map(|daemon| daemon.role)
    }

    fn name(&self) -> String {
        self.latest().map(SyncDaemon::to_string).unwrap_or_default()
    }

    fn action(&self) -> String {
        format!("{} {}", if self.after.is_some() { "start" } else { "stop" }, self.name())
    }

    fn rule(&self) -> String {
        let Some(daemon) = self.after else {
            return format!("--stop-daemon {}", self.role().map(|role| role.to_string()).unwrap_or_default());
        };
        let id = Some(daemon.sync_id).filter(|id| *id != 0);
        let options = [
            id.map(|id| format!(" --syncid {id}")),
            daemon.max_len.map(|bytes| format!(" --sync-maxlen {bytes}")),
            daemon.group.map(|group| format!(" --mcast-group {}", group.address())),
            daemon.port.map(|port| format!(" --mcast-port {port}")),
            daemon.ttl.map(|ttl| format!(" --mcast-ttl {ttl}")),
        ];
        let options: String = options.into_iter().flatten().collect();
        format!("--start-daemon {} --mcast-interface {}{options}", daemon.role, daemon.interface)
    }

    fn line(&self, _: &Operation) -> (String, String) {
        let line = |daemon: &SyncDaemon| {
            (format!("sync {}", daemon.role), format!("interface {}, id {}", daemon.interface, daemon.sync_id))
        };
        self.latest().map(line).unwrap_or_default()
    }

    fn description(&self, _: &Labels) -> String {
        let role = self.role().map(|role| role.to_string()).unwrap_or_default();
        match self.verb() {
            Verb::Delete => format!("Stopping the {role} daemon because it is not as it should be"),
            Verb::Add | Verb::Update => format!("Starting the {role} daemon because it does not run"),
        }
    }

    fn fill(&self, item: &mut Item, _: &Operation, _: &Labels) {
        item.sync = self.latest().map(sync_as_is);
    }

    fn question(&self, facts: &Facts) -> Option<Question> {
        facts.question_of_rest()
    }

    fn state(&self, facts: &Facts, _: ServiceAttributes) -> State {
        let of_role = |rest: &'_ Observed| {
            let mut daemons = rest.sync.iter().flatten().copied();
            daemons.find(|daemon| Some(daemon.role) == self.role())
        };
        let live = facts.rest().map(of_role);
        State::of(live.as_ref().map(Option::as_ref).map_err(|unknown| *unknown), self.after.as_ref(), is_like)
    }
}
