//! Carries out plans: in batches, with progress, and with a rollback on failure.
//!
//! IPVS has no transactions. The closest substitute: everything that can be checked is checked before the first write,
//! commands are sent in the [order of the plan](super::plan::Plan), many to a datagram, and for each that the kernel has
//! confirmed, its inverse is known. When one fails, the operations so far are [undone](OnError::Rollback), the last
//! first.
//!
//! ```no_run
//! use ipvs_rs::Handle;
//! use ipvs_rs::desired::apply::{ApplyOptions, apply};
//! use ipvs_rs::desired::plan::{PlanOptions, plan};
//! use ipvs_rs::desired::{DesiredState, Observed};
//!
//! # fn desired() -> DesiredState { DesiredState::new() }
//! let handle = Handle::new()?;
//! let desired = desired();
//! let plan = plan(&Observed::read(&handle, &desired)?, &desired, &PlanOptions::new());
//! let report = apply(&handle, &plan, &ApplyOptions::new(), &mut ())?;
//! println!("{} operations done", report.done);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Changes by other programs
//!
//! | answer of the kernel | to a command for | reaction |
//! |---|---|---|
//! | it exists | something to make | it is read: as it should be is success, with a [warning](Warning), otherwise it is [planned again](OnRace) as a change |
//! | it does not exist | something to delete | success, with a [warning](Warning) |
//! | it does not exist | something to change | it is [planned again](OnRace) as something to make |
//! | its service does not exist | a destination | it is left out, and the plan ends as [raced](ApplyError::is_raced) |
//! | not now | anything | it is tried three times |
//! | none | anything | the current state is read, and commands that were not executed are tried three times |
//!
//! In the end the table is read once more: success means that it is as the plan promised.
//!
//! # What cannot be undone
//!
//! Counters of deleted objects, connections of deleted destinations, and the internal state of a scheduler.

mod applier;
mod command;
mod drain;
mod driver;
mod error;
mod group;
mod observer;
mod options;
mod report;
mod round;
mod settle;
mod step;
mod verify;

pub use super::object::Question;
pub use applier::Applier;
pub use drain::Drains;
pub use driver::{apply, apply_beside, drive};
#[cfg(feature = "tokio")]
pub use driver::{apply_async, apply_beside_async, drive_async};
pub use error::{ApplyError, Cause, Failure, Unrestored};
pub use group::held_by_persistence;
pub use observer::{Interrupt, Observer, Phase, Progress};
pub use options::{ApplyOptions, OnError, OnRace};
pub use report::{DrainOutcome, Drained, Finding, Report, Warning};
pub use step::{Answer, Commands, Step};

use super::plan::{Operation, Plan};

/// Checks everything that can be checked before anything is sent.
fn check(plan: &Plan, options: ApplyOptions) -> Result<(), Cause> {
    if !plan.conflicts().is_empty() {
        return Err(Cause::Conflicts(plan.conflicts().to_vec()));
    }
    let forbidden: Vec<Operation> = plan.forbidden(options.allowed).cloned().collect();
    if !forbidden.is_empty() {
        return Err(Cause::Forbidden(forbidden));
    }
    plan.operations().iter().try_for_each(|operation| {
        let valid = operation.object.subject().validate();
        valid.map_err(|value| Cause::Invalid(Box::new(operation.clone()), value))
    })
}
