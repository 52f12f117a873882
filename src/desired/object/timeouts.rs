use super::{Change, Facts, Item, Labels, Object, Operation, OperationKind, Question, State, Subject, There};
use crate::desired::globals::{self, timeouts_as_is};
use crate::desired::settings::{SettingChange, changes_of_config};
use crate::desired::{DesiredState, Observed, ServiceAttributes, lower};
use crate::handle::Batch;
use crate::model::{Config, Timeout};

/// Returns the change of the timeouts that are not as desired.
pub(super) fn plan(live: &Observed, desired: &DesiredState) -> Option<Operation> {
    let (live, desired) = (live.timeouts.unwrap_or_default(), desired.timeouts);
    let mut wanted = Config::new();
    wanted.tcp = desired.tcp.filter(|_| desired.tcp != live.tcp);
    wanted.tcp_fin = desired.tcp_fin.filter(|_| desired.tcp_fin != live.tcp_fin);
    wanted.udp = desired.udp.filter(|_| desired.udp != live.udp);
    let change = Change::update(both_set(&live, &wanted), wanted);
    (wanted != Config::new()).then(|| Operation::new(Object::Timeouts(change)))
}

/// Returns these timeouts, as far as the others are set as well.
fn both_set(config: &Config, other: &Config) -> Config {
    let mut both = Config::new();
    both.tcp = config.tcp.filter(|_| other.tcp.is_some());
    both.tcp_fin = config.tcp_fin.filter(|_| other.tcp_fin.is_some());
    both.udp = config.udp.filter(|_| other.udp.is_some());
    both
}

pub(super) fn of_item(item: &Item, live: &There<'_>) -> Result<Operation, String> {
    let spec = item.timeouts.as_ref().ok_or("it has no timeouts")?;
    let wanted = lower::alone(|spot| Some(globals::timeouts(spec, spot)))?;
    if wanted == Config::new() {
        return Err("it has no timeouts".to_owned());
    }
    let before = both_set(&live.observed.timeouts.unwrap_or_default(), &wanted);
    Ok(Operation::new(Object::Timeouts(Change::update(before, wanted))))
}

pub(super) fn add_to<'h, H>(change: &Change<Config>, batch: Batch<'h, H>) -> Batch<'h, H> {
    change.after.iter().fold(batch, Batch::set_config)
}

impl Subject for Change<Config> {
    fn kind(&self) -> OperationKind {
        OperationKind::UpdateTimeouts
    }

    fn changes(&self) -> Vec<SettingChange> {
        changes_of_config(&self.before.unwrap_or_default(), &self.after.unwrap_or_default())
    }

    fn name(&self) -> String {
        self.after.unwrap_or_default().to_string()
    }

    fn action(&self) -> String {
        format!("change timeouts ({})", self.name())
    }

    fn rule(&self) -> String {
        let Config { tcp, tcp_fin, udp, .. } = self.after.unwrap_or_default();
        let [tcp, tcp_fin, udp] = [tcp, tcp_fin, udp].map(|timeout| timeout.map_or(0, Timeout::as_secs));
        format!("--set {tcp} {tcp_fin} {udp}")
    }

    fn line(&self, _: &Operation) -> (String, String) {
        ("timeouts".to_owned(), String::new())
    }

    fn description(&self, _: &Labels) -> String {
        "Changing timeouts because they differ".to_owned()
    }

    fn fill(&self, item: &mut Item, _: &Operation, _: &Labels) {
        item.timeouts = self.after.as_ref().map(timeouts_as_is);
    }

    fn question(&self, facts: &Facts) -> Option<Question> {
        facts.question_of_rest()
    }

    fn state(&self, facts: &Facts, _: ServiceAttributes) -> State {
        let live = facts.rest().map(|rest| rest.timeouts.as_ref());
        State::of(live, Some(&self.after.unwrap_or_default()), |live, after| both_set(live, after) == *after)
    }
}
