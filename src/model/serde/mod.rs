//! Feature `serde`: every value of the model as data.
//!
//! Types whose fields carry no rule of their own derive the traits where they are defined. Here are the others, which
//! must not come into being past their constructors.

mod number;
mod record;
mod text;
