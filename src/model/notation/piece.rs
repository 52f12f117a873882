//! The building blocks of the notations.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::model::ParseError;
use crate::model::service_id::SCOPELESS;

/// Writes several pieces as one, so that a table may ask for a width; without one nothing is allocated.
pub(super) fn pad(f: &mut fmt::Formatter<'_>, text: fmt::Arguments<'_>) -> fmt::Result {
    if f.width().is_none() && f.precision().is_none() { f.write_fmt(text) } else { f.pad(&text.to_string()) }
}

/// A decimal number of digits only: the parsers of the standard library accept a sign as well.
pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A hexadecimal number after `0x`, the form of bits without a name.
pub(super) fn bits(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

/// The rest of the text after a prefix that may be written in any case.
pub(super) fn after<'a>(prefix: &str, text: &'a str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The value of a word, in any case; options are case-sensitive, because `-m` and `-M` are different options.
pub(super) fn named<T>(table: impl IntoIterator<Item = (&'static str, T)>, word: &str) -> Option<T> {
    let is = |name: &str| if word.starts_with('-') { name == word } else { name.eq_ignore_ascii_case(word) };
    table.into_iter().find(|(name, _)| is(name)).map(|(_, value)| value)
}

/// The first word for a value.
pub(super) fn name_of<T: PartialEq>(
    table: impl IntoIterator<Item = (&'static str, T)>,
    value: &T,
) -> Option<&'static str> {
    table.into_iter().find(|(_, known)| known == value).map(|(name, _)| name)
}

/// An address and an optional port: `10.0.0.1`, `10.0.0.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`. An
/// IPv4-mapped address is taken as it is written, because the kernel may hold it.
pub(super) fn endpoint(what: &'static str, text: &str) -> Result<(IpAddr, Option<u16>), ParseError> {
    let (address, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or_else(|| ParseError::new(what, text, ADDRESS))?;
            let port = after.strip_prefix(':');
            if port.is_none() && !after.is_empty() {
                return Err(ParseError::new(what, after, "a colon and a port after the address"));
            }
            (ipv6(what, address)?, port)
        }
        None => match text.split_once(':') {
            Some((_, rest)) if rest.contains(':') => (ipv6(what, text)?, None),
            Some((address, port)) => (ipv4(what, address)?, Some(port)),
            None => (ipv4(what, text)?, None),
        },
    };
    let port = match port {
        Some(port) => Some(number(port).ok_or_else(|| ParseError::new(what, port, "a port of 0 to 65535"))?),
        None => None,
    };
    Ok((address, port))
}

/// The address and optional port of a destination: an [`endpoint`] that is not ambiguous.
pub(super) fn clear_endpoint(what: &'static str, text: &str) -> Result<(IpAddr, Option<u16>), ParseError> {
    match with_port(text) {
        Some((address, port)) => Err(ParseError::new(what, text, bracketed(format_args!("[{address}]:{port}")))),
        None => endpoint(what, text),
    }
}

/// The address and optional port of a URL, where an IPv6 address stands in brackets.
pub(super) fn url_endpoint(what: &'static str, text: &str) -> Result<(IpAddr, Option<u16>), ParseError> {
    match clear_endpoint(what, text)? {
        (IpAddr::V6(_), _) if !text.starts_with('[') => {
            Err(ParseError::new(what, text, bracketed(format_args!("[{text}]"))))
        }
        endpoint => Ok(endpoint),
    }
}

/// An IPv6 address without brackets and a possible port after it.
fn with_port(text: &str) -> Option<(Ipv6Addr, u16)> {
    let (address, port) = text.rsplit_once(':')?;
    Some((address.parse().ok()?, number(port)?))
}

fn bracketed(form: fmt::Arguments<'_>) -> String {
    format!("an IPv6 address in brackets: {form}")
}

/// The next word, or an error that names the missing part.
pub(super) fn next<'a>(
    what: &'static str,
    words: &mut impl Iterator<Item = &'a str>,
    expected: &str,
) -> Result<&'a str, ParseError> {
    words.next().ok_or_else(|| ParseError::new(what, "", expected))
}

/// Checks that no words are left.
pub(super) fn end<'a>(what: &'static str, mut words: impl Iterator<Item = &'a str>) -> Result<(), ParseError> {
    words.next().map_or(Ok(()), |word| Err(ParseError::new(what, word, "nothing more")))
}

fn ipv4(what: &'static str, text: &str) -> Result<IpAddr, ParseError> {
    let address: Option<Ipv4Addr> = text.parse().ok();
    address.map(IpAddr::V4).ok_or_else(|| ParseError::new(what, text, ADDRESS))
}

fn ipv6(what: &'static str, text: &str) -> Result<IpAddr, ParseError> {
    if text.contains('%') {
        return Err(ParseError::new(what, text, SCOPELESS));
    }
    let address: Option<Ipv6Addr> = text.parse().ok();
    address.map(IpAddr::V6).ok_or_else(|| ParseError::new(what, text, ADDRESS))
}

/// The expected text where an address is missing or wrong.
pub(super) const ADDRESS: &str = "an address such as 192.0.2.1:80 or [2001:db8::1]:80; names are not looked up";
