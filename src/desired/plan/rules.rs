use std::fmt;

use super::Plan;

/// A [`Plan`] as arguments of ipvsadm(8), one command a line, in order.
///
/// Waiting for connections cannot be expressed in this form: a destination that would be drained is deleted.
#[derive(Clone, Copy, Debug)]
pub struct PlanRules<'a>(&'a Plan);

impl Plan {
    /// The plan as arguments of ipvsadm(8).
    pub const fn rules(&self) -> PlanRules<'_> {
        PlanRules(self)
    }
}

impl fmt::Display for PlanRules<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.operations().iter().try_for_each(|operation| {
            writeln!(f, "{}", operation.object.subject().rule())?;
            operation.additions().try_for_each(|object| writeln!(f, "{}", object.subject().rule()))
        })
    }
}
