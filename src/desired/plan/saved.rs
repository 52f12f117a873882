use std::collections::BTreeMap;

use serde::de::{self, Deserialize, Deserializer};

use super::{Item, Labels, OperationKind, Plan, Summary};
use crate::desired::globals::{self, scope_as_is};
use crate::desired::object::There;
use crate::desired::observed::Rest;
use crate::desired::spec::ScopeSpec;
use crate::desired::{Observed, lower};

/// A [`Plan`] that can be written to a file and carried out later, if the table is still the same.
///
/// It serializes as JSON with the keys `format`, `fingerprint`, `summary` and `operations`.
///
/// # Example
///
/// ```
/// use ipvs_rs::desired::plan::{PlanOptions, SavedPlan, plan};
/// use ipvs_rs::desired::{DesiredService, DesiredState, Observed};
/// use ipvs_rs::{Scheduler, Service};
///
/// let live = Observed::default();
/// let web = DesiredService::new(Service::new("tcp://192.0.2.10:80".parse()?, Scheduler::Wlc));
/// let plan = plan(&live, &DesiredState::new().service(web), &PlanOptions::new());
///
/// let saved: SavedPlan = serde_json::from_str(&serde_json::to_string(&plan.saved(&live))?)?;
/// assert_eq!(saved.plan(&live)?, plan);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct SavedPlan {
    format: u32,
    fingerprint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<ScopeSpec>,
    /// The parts besides services that the plan compared.
    #[serde(flatten)]
    rest: Rest,
    #[serde(default, skip_serializing_if = "is_zero")]
    outside: usize,
    summary: Summary,
    operations: Vec<Item>,
    #[serde(flatten, skip_serializing, deserialize_with = "nothing")]
    unknown: (),
}

/// The reason that a saved plan is not carried out.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SavedPlanError {
    /// It was written by another version of the library.
    #[error("the plan has format {format}, this program knows format {known}", known = SavedPlan::FORMAT)]
    #[non_exhaustive]
    Format {
        /// The format that it has.
        format: u32,
    },
    /// The table has changed since.
    #[error("the table has changed since the plan was made: make a new plan")]
    #[non_exhaustive]
    Stale {
        /// The fingerprint of the table that the plan was made for.
        planned: String,
        /// The fingerprint of the current table.
        found: String,
    },
    /// Its scope is not one that a file can have.
    #[error("the scope of the plan is broken: {reason}")]
    #[non_exhaustive]
    Scope {
        /// The reason.
        reason: String,
    },
    /// An operation is not one that a plan can have.
    #[error("operation {number} of the plan ({kind}) is broken: {reason}")]
    #[non_exhaustive]
    Broken {
        /// Its number, counted from 1.
        number: usize,
        /// Its kind.
        kind: OperationKind,
        /// The reason.
        reason: String,
    },
}

impl Plan {
    /// The plan for a file, together with the fingerprint of the table that it was made for.
    pub fn saved(&self, live: &Observed) -> SavedPlan {
        let operations = self.operations().iter().map(|operation| {
            let mut item = Item::new(operation, &Labels::default());
            if let Some(service) = &mut item.service {
                service.name = operation.service().and_then(|id| self.name(&id)).map(str::to_owned);
            }
            item
        });
        SavedPlan {
            format: SavedPlan::FORMAT,
            fingerprint: live.fingerprint(self.scope()),
            scope: Some(scope_as_is(self.scope())).filter(|scope| *scope != ScopeSpec::default()),
            rest: live.rest(),
            outside: self.outside(),
            summary: self.summary(),
            operations: operations.collect(),
            unknown: (),
        }
    }
}

impl SavedPlan {
    /// The format that this version of the library writes and reads.
    pub const FORMAT: u32 = 1;

    /// The plan again, if the table that it was made for is unchanged.
    ///
    /// `live` is best read with [`Observed::read_all`]: parts that the plan did not compare are ignored.
    ///
    /// # Errors
    ///
    /// [`SavedPlanError::Stale`] when the table has changed; others when the file is not one that was saved.
    pub fn plan(&self, live: &Observed) -> Result<Plan, SavedPlanError> {
        if self.format != Self::FORMAT {
            return Err(SavedPlanError::Format { format: self.format });
        }
        let scope = self.scope.clone().unwrap_or_default();
        let scope = lower::alone(|spot| Some(globals::scope(&scope, spot)));
        let scope = scope.map_err(|reason| SavedPlanError::Scope { reason })?;
        let live = Observed { table: live.table.clone(), ..live.only_rest(self.rest) };
        let found = live.fingerprint(&scope);
        if found != self.fingerprint {
            return Err(SavedPlanError::Stale { planned: self.fingerprint.clone(), found });
        }
        let there = There::new(&live);
        let mut plan = Plan { outside: self.outside, scope, ..Plan::default() };
        for (place, item) in self.operations.iter().enumerate() {
            let broken = |reason| SavedPlanError::Broken { number: place + 1, kind: item.kind, reason };
            let operation = item.operation(&there).map_err(broken)?;
            let name = item.service.as_ref().and_then(|service| service.name.clone());
            plan.labels.names.extend(operation.service().zip(name));
            plan.operations.push(operation);
        }
        Ok(plan)
    }
}

/// Refuses keys that a saved plan does not have.
fn nothing<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    match BTreeMap::<String, serde_json::Value>::deserialize(deserializer)?.first_key_value() {
        Some((key, _)) => Err(de::Error::custom(format_args!("unknown field `{}`", key.escape_debug()))),
        None => Ok(()),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}
