//! Plans that are carried out on a kernel in memory, which misbehaves once.

use std::time::{Duration, Instant};

use super::universe::{Case, Dice, INTERFACE};
use crate::desired::apply::{Applier, ApplyError, ApplyOptions, Interrupt, Observer, OnError, Report, apply, drive};
use crate::desired::plan::{Plan, PlanOptions, plan};
use crate::desired::{DesiredState, Observed};
use crate::error::Errno;
use crate::handle::Handle;
use crate::model::{Config, SyncDaemon, Table};
use crate::testing::{FakeKernel, Fault, FaultPlan as Mishaps, Interface};

/// Makes one table out of another, with a mishap, and then without. Whatever happens, what is not managed stays as it
/// is; what was undone is as it was; and in the end everything is as it should be.
pub fn plans(bytes: &[u8]) {
    let mut dice = Dice(bytes);
    let (step, kind, on_error, asked) = (dice.below(255), dice.below(6), dice.below(3), dice.below(255));
    let case = dice.case();
    let kernel = FakeKernel::new();
    kernel.add_interface(Interface::new(INTERFACE));
    let Ok(handle) = kernel.handle() else { return };
    put(&handle, &case);
    let plan = planned(&handle, &case.desired);
    if !plan.conflicts().is_empty() {
        assert!(apply(&handle, &plan, &ApplyOptions::new(), &mut ()).is_err_and(|error| error.is_refused()));
        return;
    }
    let before = observe(&handle);
    let fault = match kind {
        0 => Fault::Refuse(Errno::EPERM),
        1 => Fault::Refuse(Errno::ENOBUFS),
        2 => Fault::Silence,
        3 => Fault::Drop,
        4 => Fault::Lose(usize::from(asked) % 4),
        _ => Fault::SendFails(Errno::ENOBUFS),
    };
    kernel.misbehave(Mishaps::new().well(step.into()).then(fault));
    let on_error = OnError::ALL.get(usize::from(on_error)).copied().unwrap_or_default();
    let options = ApplyOptions::new().on_error(on_error);
    let result = apply_at_once(&handle, &plan, options, &mut Interrupter(asked));
    kernel.behave();
    let after = observe(&handle);
    match result {
        Ok(report) => assert_eq!(report.is_complete(), report.undrained().next().is_none(), "{report:?}"),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            if error.is_rolled_back() {
                assert_eq!(before.sorted(), after.sorted(), "{error}");
            }
        }
    }
    assert_eq!(before.outside(&case.desired), after.outside(&case.desired));
    // There are no connections here, so that nothing is drained for long.
    let rest = planned(&handle, &case.desired);
    let report = apply(&handle, &rest, &ApplyOptions::new(), &mut ());
    assert!(report.as_ref().is_ok_and(Report::is_complete), "{report:?}");
    let nothing = planned(&handle, &case.desired);
    assert!(nothing.is_empty(), "{nothing}");
    assert_eq!(before.outside(&case.desired), observe(&handle).outside(&case.desired));
}

pub(super) fn put(handle: &Handle, case: &Case) {
    let mut batch = handle.batch().set_config(&case.config);
    for row in &case.table.services {
        batch = batch.new_service(&row.service.service);
        for entry in &row.destinations {
            batch = batch.new_destination(&row.id(), &entry.destination);
        }
    }
    assert!(batch.send().is_ok_and(|report| report.is_ok()));
    for daemon in &case.daemons {
        assert!(handle.start_sync(daemon).is_ok());
    }
}

pub(super) fn planned(handle: &Handle, desired: &DesiredState) -> Plan {
    let live = Observed::read(handle, desired).unwrap_or_default();
    plan(&live, desired, &PlanOptions::new().prune(true))
}

fn observe(handle: &Handle) -> KernelState {
    let live = Observed::read_all(handle).unwrap_or_default();
    KernelState { table: live.table, config: live.timeouts, daemons: live.sync }
}

/// The state of a kernel.
#[derive(Debug, Eq, PartialEq)]
struct KernelState {
    table: Table,
    config: Option<Config>,
    daemons: Option<Vec<SyncDaemon>>,
}

impl KernelState {
    /// Everything, in an order that does not tell in which it was made.
    fn sorted(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.table.full_rules().to_string().lines().map(str::to_owned).collect();
        lines.extend(self.config.map(|config| config.to_string()));
        lines.extend(self.daemons.iter().flatten().map(ToString::to_string));
        lines.sort_unstable();
        lines
    }

    /// The part that is not managed.
    fn outside(&self, desired: &DesiredState) -> Vec<String> {
        let mut table = Table::new(self.table.services.clone());
        table.services.retain(|row| !desired.scope.covers(&row.id()));
        let daemons = self.daemons.clone().filter(|_| desired.sync.is_none());
        Self { table, config: None, daemons }.sorted()
    }
}

/// Carries a plan out in a time that passes as soon as it is waited for.
pub(super) fn apply_at_once(
    handle: &Handle,
    plan: &Plan,
    options: ApplyOptions,
    observer: &mut dyn Observer,
) -> Result<Report, ApplyError> {
    let mut now = Instant::now();
    let mut wait = |time: Duration| {
        now += time;
        now
    };
    drive(&mut Applier::new(plan, &options), handle, observer, &mut wait)
}

/// Interrupts when it was asked so often.
struct Interrupter(u8);

impl Observer for Interrupter {
    fn interrupt(&mut self) -> Interrupt {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 1 { Interrupt::Stop } else { Interrupt::None }
    }
}
