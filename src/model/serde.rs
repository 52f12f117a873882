//! Feature `serde`: every value of the model as data.
