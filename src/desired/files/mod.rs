//! Files of YAML or JSON, and what they say.

mod parse;
mod scalar;
mod surrogate;
#[cfg(test)]
mod tests;
mod tree;

pub(in crate::desired) use parse::{Parsed, Problem, parse};
pub(in crate::desired) use scalar::Number;
pub(in crate::desired) use tree::{Content, Entry, Node, Position, Scalar};
