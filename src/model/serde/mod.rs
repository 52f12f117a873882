//! Feature `serde`: every value of the model as data. What has a notation is text, what is a number is a number, the
//! rest are maps with the names of the fields. Reading goes through the same checks as building a value by hand.

mod number;
mod record;
mod text;
