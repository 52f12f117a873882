//! The observed state as a file.

mod address;
mod defaults;
mod options;
mod table;

pub use address::service_text;
pub(in crate::desired) use address::{family_word, service_address};
pub use options::{Order, PrintOptions};
pub(in crate::desired) use table::{destination_as_is, service_as_is};
