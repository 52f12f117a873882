use crate::desired::Drain;
use crate::desired::setters::setters;

/// The options of a plan.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct PlanOptions {
    /// Whether present destinations keep their weight; new ones have that of the desired state.
    pub keep_weights: bool,
    /// Whether services are deleted that are not in the state. Off, unless it is asked for.
    pub prune: bool,
    /// The drain of destinations.
    pub draining: Draining,
}

/// The drain of destinations before they are deleted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Draining {
    /// As the desired state says.
    #[default]
    AsDesired,
    /// Not at all, whatever the state says.
    Never,
    /// Like this, whatever the state says.
    Always(Drain),
}

impl PlanOptions {
    /// Weights are changed, services that are not in the state stay, and destinations are drained as the state says.
    ///
    /// A destination that its service should not have is deleted: the state says which a service has.
    pub const fn new() -> Self {
        Self { keep_weights: false, prune: false, draining: Draining::AsDesired }
    }

    setters! {
        /// Sets whether present destinations keep their weight.
        keep_weights(keep: bool) |it| it.keep_weights = keep;
        /// Sets whether services that should not be there are deleted.
        prune(prune: bool) |it| it.prune = prune;
        /// Sets how destinations are drained.
        draining(draining: Draining) |it| it.draining = draining;
    }

    pub(super) const fn drain_of(&self, desired: Option<Drain>) -> Option<Drain> {
        match self.draining {
            Draining::AsDesired => desired,
            Draining::Never => None,
            Draining::Always(drain) => Some(drain),
        }
    }
}
