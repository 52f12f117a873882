use crate::desired::Drain;

/// How a plan is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PlanOptions {
    /// Whether destinations that are there keep their weight; new ones have that of the desired state.
    pub keep_weights: bool,
    /// Whether services are deleted that are not in the state. Off, unless it is asked for.
    pub prune: bool,
    /// How destinations are drained.
    pub draining: Draining,
}

/// How destinations are drained before they are deleted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Draining {
    /// As the desired state says.
    #[default]
    AsDesired,
    /// Not at all, whatever it says.
    Never,
    /// Like this, whatever it says.
    Always(Drain),
}

impl PlanOptions {
    /// Weights are changed, services that are not in the state stay, and destinations are drained as the state says.
    ///
    /// A destination that its service should not have is deleted: the state says which a service has.
    pub const fn new() -> Self {
        Self { keep_weights: false, prune: false, draining: Draining::AsDesired }
    }

    /// Sets whether destinations that are there keep their weight.
    #[must_use]
    pub const fn keep_weights(mut self, keep: bool) -> Self {
        self.keep_weights = keep;
        self
    }

    /// Sets whether services that should not be there are deleted.
    #[must_use]
    pub const fn prune(mut self, prune: bool) -> Self {
        self.prune = prune;
        self
    }

    /// Sets how destinations are drained.
    #[must_use]
    pub const fn draining(mut self, draining: Draining) -> Self {
        self.draining = draining;
        self
    }

    pub(super) const fn drain_of(&self, desired: Option<Drain>) -> Option<Drain> {
        match self.draining {
            Draining::AsDesired => desired,
            Draining::Never => None,
            Draining::Always(drain) => Some(drain),
        }
    }
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self::new()
    }
}
