//! What the notations are put together from.

use std::fmt;

/// Writes several pieces as one, so that a table may ask for a width; without one nothing is allocated.
pub(super) fn pad(f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>) -> fmt::Result {
    if f.width().is_none() && f.precision().is_none() { f.write_fmt(text) } else { f.pad(&text.to_string()) }
}
