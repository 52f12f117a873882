use crate::desired::setters::setters;
use crate::desired::words::words;

/// The options for writing the observed state.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct PrintOptions {
    /// The order of services and destinations.
    pub order: Order,
    /// Whether counters are written, too. They are ignored when the file is read.
    pub stats: bool,
    /// Whether timeouts and synchronization daemons are written, too, if they were read.
    pub all: bool,
    /// Whether values that most objects have in common are written once, as `defaults`.
    pub factor_defaults: bool,
}

/// The order of services and destinations.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Order {
    /// By family, protocol, address and port; firewall marks last, by number.
    #[default]
    Sorted,
    /// As the kernel lists them: services as they are hashed, destinations newest first.
    Kernel,
}

words! {
    Order: Sorted "sorted", Kernel "kernel";
}

impl PrintOptions {
    /// Services with their destinations, sorted.
    pub const fn new() -> Self {
        Self { order: Order::Sorted, stats: false, all: false, factor_defaults: false }
    }

    setters! {
        /// Sets the order of services and destinations.
        order(order: Order) |it| it.order = order;
        /// Sets whether counters are written, too.
        stats(stats: bool) |it| it.stats = stats;
        /// Sets whether timeouts and synchronization daemons are written, too.
        all(all: bool) |it| it.all = all;
        /// Sets whether values that most objects have in common are written once.
        factor_defaults(factor: bool) |it| it.factor_defaults = factor;
    }
}
