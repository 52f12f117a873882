use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Number;

use crate::desired::tree::is_old_bool;

/// A number in a form that is a number in YAML 1.1 as well: a power of ten needs a point before it and a sign.
pub(super) fn number(number: &Number) -> String {
    let text = number.to_string();
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let point = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['+', '-']) { "" } else { "+" };
    format!("{digits}{point}e{sign}{exponent}")
}

/// Text, in quotes where it needs them.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if is_plain(text) { Cow::Borrowed(text) } else { Cow::Owned(quoted(text)) }
}

/// Whether every reader takes this text, without quotes, for the same text.
fn is_plain(text: &str) -> bool {
    let starts_well = text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '/' | '_' | '$' | '('));
    let is_printable = text.chars().all(|c| c.is_alphanumeric() || matches!(c, ' '..='~'));
    starts_well
        && is_printable
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !is_word(text)
        && !is_number(text)
}

/// Whether some version of YAML has another meaning for this word.
fn is_word(text: &str) -> bool {
    is_old_bool(text) || ["null", "true", "false"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether some version of YAML takes it for a number, a time of day or a date.
fn is_number(text: &str) -> bool {
    let is_digit = |c: char| c.is_ascii_digit() || c == '_';
    let digits = text.trim_end_matches(|c: char| is_digit(c) || matches!(c, '.' | ':' | 'e' | 'E' | '+' | '-'));
    if digits.is_empty() {
        // IPv4 addresses look like numbers here, but are not: they have three points.
        return text.chars().filter(|c| *c == '.').count() != 3;
    }
    let rest = text.strip_prefix('0').unwrap_or_default();
    let is_based = rest.starts_with(['x', 'X', 'o', 'O', 'b', 'B'])
        && rest.chars().skip(1).all(|c| c.is_ascii_hexdigit() || c == '_');
    // 2001-12-14t21:59:43.10-05:00
    let is_date = text.bytes().take(4).filter(u8::is_ascii_digit).count() == 4 && text.as_bytes().get(4) == Some(&b'-');
    is_based || is_date
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            ' '..='~' => quoted.push(c),
            _ if c.is_alphanumeric() => quoted.push(c),
            _ => {
                // Writing to a string does not fail.
                let _ = match u32::from(c) {
                    code @ ..=0xff => write!(quoted, "\\x{code:02x}"),
                    code @ ..=0xffff => write!(quoted, "\\u{code:04x}"),
                    code => write!(quoted, "\\U{code:08x}"),
                };
            }
        }
    }
    quoted.push('"');
    quoted
}
