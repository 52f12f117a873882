//! The columns of a row.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::model::ParseError;

/// The unread rest of a row. Columns are separated by blanks, as many as it takes to align them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a>(&'a [u8]);

impl<'a> Row<'a> {
    pub(super) const fn new(row: &'a [u8]) -> Self {
        Self(row)
    }

    /// The next word; empty at the end of the row.
    pub(super) fn word(&mut self) -> &'a [u8] {
        let blanks = self.0.iter().take_while(|byte| **byte == b' ').count();
        let (_, rest) = self.0.split_at(blanks);
        let len = rest.iter().take_while(|byte| **byte != b' ').count();
        let (word, rest) = rest.split_at(len);
        self.0 = rest;
        word
    }

    /// The part that has not been read, blanks included.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// Makes sure that nothing but blanks is left.
    pub(super) fn end(mut self, what: &'static str) -> Result<(), ParseError> {
        match self.word() {
            [] => Ok(()),
            word => Err(unfit(what, word, "nothing more")),
        }
    }

    /// Reads an address and the port in the next column.
    pub(super) fn endpoint(&mut self, what: &'static str) -> Result<SocketAddr, ParseError> {
        let word = self.word();
        let address = address(word).ok_or_else(|| unfit(what, word, ADDRESS))?;
        let word = self.word();
        let port = hexadecimal::<4>(word).and_then(|port| u16::try_from(port).ok());
        let port = port.ok_or_else(|| unfit(what, word, "a port of 4 hexadecimal digits"))?;
        Ok(SocketAddr::new(address, port))
    }
}

/// The error of a part that does not fit; a long part is cut.
pub(super) fn unfit(what: &'static str, piece: &[u8], expected: &'static str) -> ParseError {
    let shown = piece.get(..SHOWN).unwrap_or(piece);
    ParseError::new(what, String::from_utf8_lossy(shown), expected)
}

/// Parses a number of digits only: the parsers of the standard library accept a sign as well.
pub(super) fn number(word: &[u8], radix: u32) -> Option<u64> {
    let digits = std::str::from_utf8(word).ok().filter(|word| word.chars().all(|digit| digit.is_digit(radix)))?;
    u64::from_str_radix(digits, radix).ok()
}

/// Parses a hexadecimal number of exactly `DIGITS` digits, which are at most eight.
fn hexadecimal<const DIGITS: usize>(word: &[u8]) -> Option<u32> {
    let digits: &[u8; DIGITS] = word.try_into().ok()?;
    digits.iter().try_fold(0, |number: u32, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))
}

/// Parses an address: IPv4 is one number of eight digits, IPv6 eight groups of four.
fn address(word: &[u8]) -> Option<IpAddr> {
    if let Some(address) = hexadecimal::<8>(word) {
        return Some(IpAddr::V4(Ipv4Addr::from_bits(address)));
    }
    let mut groups = word.split(|byte| *byte == b':');
    let mut address = 0;
    for _ in 0..8 {
        address = address << 16 | u128::from(hexadecimal::<4>(groups.next()?)?);
    }
    groups.next().is_none().then_some(IpAddr::V6(Ipv6Addr::from_bits(address)))
}

const ADDRESS: &str = "an address of 8 hexadecimal digits, or of 8 groups of 4";
/// The number of bytes of a part that an error shows, at most.
const SHOWN: usize = 64;
