//! Values of a file and the problems with them, with the places where they stand.

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

/// Text; an empty one counts as missing, unlike in the defaults of a file.
pub(in crate::desired) fn text(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}
