//! Values of a file and what is wrong with them, with the places where they stand.

mod findings;
mod spot;
#[cfg(test)]
mod tests;

#[cfg(feature = "yaml")]
mod decode;

#[cfg(feature = "yaml")]
pub(in crate::desired) use decode::Decoder;
pub(in crate::desired) use findings::Findings;
pub(in crate::desired) use spot::Spot;
