//! Numbers as the C library reads them.

/// A decimal number within bounds: leading white space, a sign and leading zeros are allowed, anything else is not.
pub fn decimal(text: &[u8], range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let start = text.iter().position(|byte| !is_space(*byte))?;
    let digits = text.get(start..)?;
    // `str::parse` takes both signs as well; white space between sign and digits is refused by both.
    let number: i64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    range.contains(&number).then_some(number)
}

/// The number that a text begins with, like `atoi`; 0 where it does not begin with one.
pub fn leading(text: &[u8]) -> i64 {
    let start = text.iter().position(|byte| !is_space(*byte)).unwrap_or(text.len());
    let text = text.get(start..).unwrap_or_default();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let mut number: i64 = 0;
    for digit in digits.iter().take_while(|byte| byte.is_ascii_digit()) {
        number = number.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    }
    if negative { -number } else { number }
}

/// The number that a text begins with, with C's prefixes for octal and hexadecimal, and the text after it.
///
/// The text begins with a digit; `None` where the number does not fit 32 bits.
pub fn prefixed(text: &[u8]) -> Option<(u32, &[u8])> {
    let (radix, digits) = match text {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => (16, text.get(2..)?),
        [b'0', ..] => (8, text),
        _ => (10, text),
    };
    let end = digits.iter().position(|byte| !char::from(*byte).is_digit(radix)).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    let mut number: u32 = 0;
    for digit in digits {
        number = number.checked_mul(radix)?.checked_add(char::from(*digit).to_digit(radix)?)?;
    }
    Some((number, rest))
}

/// White space in C's sense.
pub const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_is_what_the_c_library_takes() {
        for text in ["80", "080", "+80", " 80", "\t\n\x0b\x0c\r80", "00000000000000000000000000080"] {
            assert_eq!(decimal(text.as_bytes(), 0..=65535), Some(80), "{text:?}");
        }
        for text in
            ["", " ", "80 ", "0x50", "8 0", "- 80", "+-80", "--80", "65536", "-1", "99999999999999999999", "\u{661}"]
        {
            assert_eq!(decimal(text.as_bytes(), 0..=65535), None, "{text:?}");
        }
        assert_eq!(decimal(b"-0", 0..=9), Some(0));
        assert_eq!(decimal(b"\xff", 0..=9), None);
    }

    #[test]
    fn leading_number_ignores_the_rest() {
        let table = [("64", 64), ("64x", 64), (" +7", 7), ("-3", -3), ("x", 0), ("", 0), ("ffff::", 0)];
        for (text, number) in table {
            assert_eq!(leading(text.as_bytes()), number, "{text:?}");
        }
        assert_eq!(leading(b"99999999999999999999"), i64::MAX);
    }

    #[test]
    fn prefix_chooses_the_radix() {
        assert_eq!(prefixed(b"10.1"), Some((10, &b".1"[..])));
        assert_eq!(prefixed(b"010"), Some((8, &b""[..])));
        assert_eq!(prefixed(b"0x0A.1"), Some((10, &b".1"[..])));
        assert_eq!(prefixed(b"0xg"), Some((0, &b"xg"[..])));
        assert_eq!(prefixed(b"08"), Some((0, &b"8"[..])));
        assert_eq!(prefixed(b"4294967295"), Some((u32::MAX, &b""[..])));
        assert_eq!(prefixed(b"4294967296"), None);
    }
}
