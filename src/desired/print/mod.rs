//! What is there, as a file that says just that.

mod address;
mod defaults;
mod options;
mod table;

pub use address::service_text;
pub(in crate::desired) use address::{family_word, service_address};
pub use options::{Order, PrintOptions};
pub(in crate::desired) use table::{
    destination_as_is, drain_as_is, scope_as_is, service_as_is, sync_as_is, timeouts_as_is,
};

use super::{Observed, spec};

impl spec::File {
    /// Writes down what is there: applied where it was read, it changes nothing.
    ///
    /// Settings that are the default are left out, and so is the version, unless version 1 cannot say what is there.
    ///
    /// # Example
    ///
    /// ```
    /// use ipvs_rs::desired::{Observed, PrintOptions, spec};
    ///
    /// let file = spec::File::from_observed(&Observed::default(), &PrintOptions::new());
    /// assert_eq!(file, spec::File::default());
    /// ```
    pub fn from_observed(live: &Observed, options: &PrintOptions) -> Self {
        table::file(live, *options)
    }
}
