//! Counters in columns.

use std::fmt::Write as _;

/// Appends a counter in nine columns, cut to five digits and a letter where it would not fit, never rounded; with
/// `exact`, all of its digits behind a blank.
pub fn push(line: &mut String, value: u64, exact: bool) {
    const UNITS: [(u64, u64, char); 4] = [
        (1_000_000_000, 1_000, 'K'),
        (100_000_000_000, 1_000_000, 'M'),
        (100_000_000_000_000, 1_000_000_000, 'G'),
        (u64::MAX, 1_000_000_000_000, 'T'),
    ];
    if exact && value >= 100_000_000 {
        let _ = write!(line, " {value}");
    } else if value < 100_000_000 {
        let _ = write!(line, "{value:>9}");
    } else {
        let (_, unit, letter) = UNITS.into_iter().find(|(bound, ..)| value < *bound).unwrap_or(UNITS[3]);
        let _ = write!(line, "{:>8}{letter}", value / unit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: u64, exact: bool) -> String {
        let mut line = String::new();
        push(&mut line, value, exact);
        line
    }

    #[test]
    fn counters_are_cut_and_never_rounded() {
        let table = [
            (0, "        0"),
            (99_999_999, " 99999999"),
            (100_000_000, "  100000K"),
            (999_999_999, "  999999K"),
            (1_000_000_000, "    1000M"),
            (99_999_999_999, "   99999M"),
            (100_000_000_000, "     100G"),
            (99_999_999_999_999, "   99999G"),
            (100_000_000_000_000, "     100T"),
            (u64::MAX, "18446744T"),
        ];
        for (value, expected) in table {
            assert_eq!(text(value, false), expected);
        }
    }

    #[test]
    fn exact_counters_keep_all_digits() {
        let table = [(0, "        0"), (99_999_999, " 99999999"), (100_000_000, " 100000000")];
        for (value, expected) in table {
            assert_eq!(text(value, true), expected);
        }
        assert_eq!(text(u64::MAX, true), " 18446744073709551615");
    }
}
