//! The meaning of single values without quotes.
//!
//! The words are those of YAML 1.2, the numbers those of YAML 1.1, so that a file keeps the meaning that it has for
//! readers of either:
//!
//! | written | means |
//! |---|---|
//! | nothing, `~`, `null`, `Null`, `NULL` | as if the key were not there |
//! | `true`, `True`, `TRUE`, `false`, … | a truth value; `y`, `yes`, `on`, `n`, `no`, `off` are text |
//! | `7`, `-7`, `+7`, `1_000` | a whole number |
//! | `0x1f`, `0o17`, `017`, `0b11` | a whole number of base 16, 8, 8, 2 |
//! | `1.5`, `1e3`, `.5` | a number; `1e3` and `2.0` are whole |
//! | anything else, and anything in quotes | text; so are dates, and numbers with colons |

use super::Scalar;

/// A number that is whole, or is not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::desired) enum Number {
    Whole(i128),
    Fraction(f64),
}

impl Scalar<'_> {
    pub(in crate::desired) fn is_null(self) -> bool {
        !self.is_quoted && matches!(self.text, "" | "~" | "null" | "Null" | "NULL")
    }

    pub(in crate::desired) fn as_bool(self) -> Option<bool> {
        match self.text {
            _ if self.is_quoted => None,
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        }
    }

    pub(in crate::desired) fn as_number(self) -> Option<Number> {
        if self.is_quoted {
            return None;
        }
        whole(self.text).map(Number::Whole).or_else(|| fraction(self.text))
    }

    /// Whether it is a whole number of base 8 by a leading 0 only, such as `017`, and not the same in base 10.
    pub(in crate::desired) fn is_secret_octal(self) -> bool {
        let digits = self.text.trim_start_matches(['+', '-']);
        digits.len() > 1
            && digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
            && whole(self.text).is_some_and(|number| number > 7)
    }
}

/// Whether YAML 1.1 takes a word for a truth value that YAML 1.2 takes for text.
pub(in crate::desired) fn is_old_bool(text: &str) -> bool {
    ["y", "n", "yes", "no", "on", "off"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn whole(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (radix, digits) = match digits.strip_prefix('0').filter(|rest| !rest.is_empty()) {
        None => (10, digits),
        Some(rest) => match rest.as_bytes().first()? {
            b'x' | b'X' => (16, rest.get(1..)?),
            b'o' | b'O' => (8, rest.get(1..)?),
            b'b' | b'B' => (2, rest.get(1..)?),
            _ => (8, rest),
        },
    };
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    let number = i128::from_str_radix(&digits, radix).ok().filter(|_| !digits.starts_with(['+', '-']))?;
    Some(number * sign)
}

fn fraction(text: &str) -> Option<Number> {
    let looks_like_one = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
        && text.bytes().any(|byte| byte.is_ascii_digit());
    let number: f64 = text.parse().ok().filter(|_| looks_like_one)?;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[allow(clippy::cast_possible_truncation, reason = "whole and in range")]
        return Some(Number::Whole(number as i128));
    }
    Some(Number::Fraction(number))
}

/// Up to here every whole number has a float of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;
