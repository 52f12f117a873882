//! Text from outside, as messages show it.

use std::fmt::Display;

/// Returns text from outside as a part of one line: escaped, and cut when it is long.
pub fn escaped(text: impl Display) -> String {
    ipvs_rs::desired::escaped(&text.to_string()).at_most(300).to_string()
}

/// Returns a message of several lines, each escaped by itself.
pub fn lines(text: &str) -> String {
    let line = |line| ipvs_rs::desired::escaped(line).at_most(4000).to_string();
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}
