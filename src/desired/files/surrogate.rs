//! Characters that JSON writes as two escapes: `\ud83d\ude00` is one character. YAML has one escape for it.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::tree::Position;

/// Where text has become shorter than it was.
#[derive(Debug, Default)]
pub(super) struct Shifts(HashMap<u32, Vec<u32>>);

/// How much shorter one escape is than two.
const SHIFT: u32 = 2;

impl Shifts {
    /// A place in the shorter text, as a place in the text as it was.
    pub(super) fn undo(&self, position: Position) -> Position {
        let columns = self.0.get(&position.line).map(Vec::as_slice).unwrap_or_default();
        let before = columns.iter().filter(|column| **column < position.column).count();
        let shift = u32::try_from(before).unwrap_or_default().saturating_mul(SHIFT);
        Position { column: position.column.saturating_add(shift), ..position }
    }
}

/// Writes pairs of escapes as one; nothing if there is none.
pub(super) fn join(text: &str) -> Option<(String, Shifts)> {
    let mut joined = String::with_capacity(text.len());
    let mut shifts: HashMap<u32, Vec<u32>> = HashMap::new();
    let (mut line, mut column) = (1, 1);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..)?;
        if let Some(pair) = (c == '\\').then(|| pair(rest)).flatten() {
            write!(joined, "\\U{:08x}", u32::from(pair)).ok()?;
            shifts.entry(line).or_default().push(column);
            column += 10;
            rest = rest.get(12..)?;
            continue;
        }
        joined.push(c);
        column += 1;
        rest = tail;
        match c {
            '\n' => (line, column) = (line + 1, 1),
            // What follows a backslash starts no escape of its own.
            '\\' => {
                if let Some(next) = rest.chars().next().filter(|next| *next != '\n') {
                    joined.push(next);
                    column += 1;
                    rest = rest.get(next.len_utf8()..)?;
                }
            }
            _ => {}
        }
    }
    (!shifts.is_empty()).then_some((joined, Shifts(shifts)))
}

/// The character that two escapes at the start of a text stand for.
fn pair(text: &str) -> Option<char> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let units = [unit(0)?, unit(6)?];
    // One unit by itself is no pair, even where it is a character.
    let is_high = (0xd800..0xdc00).contains(units.first()?);
    char::decode_utf16(units).next()?.ok().filter(|_| is_high)
}
