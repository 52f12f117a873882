//! Feature `serde`: every value of the model as data.
//!
//! Types whose fields are valid in any combination derive the traits where they are defined. This module implements
//! them for the others, which must not be built without the checks of their constructors.

mod number;
mod record;
mod text;

pub(crate) use text::{Text, as_text};
