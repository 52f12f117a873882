//! Words into options, as the library popt(3) does it for the original.

use std::env;

use crate::grammar::{self, Entry, OptionValue};

/// Takes one option after the other from the words of a command line.
pub struct Words<'a> {
    all: &'a [Vec<u8>],
    next: usize,
    /// Where in the word before `next` the next letter stands, while a bundle of letters is read.
    bundle: Option<usize>,
    left_over: Vec<&'a [u8]>,
    only_left_over: bool,
    stops_at_first: bool,
}

/// The reason that the words end too early. The message has the word in which it happened.
pub struct WordError<'a> {
    pub word: &'a [u8],
    pub problem: Problem,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    Unknown,
    Missing,
    Unwanted,
}

impl Problem {
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unknown => "unknown option",
            Self::Missing => "missing argument",
            Self::Unwanted => "option does not take an argument",
        }
    }
}

/// An option with its value.
pub type ParsedOption<'a> = (&'static Entry, Option<&'a [u8]>);

impl<'a> Words<'a> {
    /// The words behind the program's name.
    pub fn new(words: &'a [Vec<u8>]) -> Self {
        // Then the first word that is not an option ends the options.
        let stops_at_first = ["POSIXLY_CORRECT", "POSIX_ME_HARDER"].into_iter().any(|name| env::var_os(name).is_some());
        Self { all: words, next: 0, bundle: None, left_over: Vec::new(), only_left_over: false, stops_at_first }
    }

    /// The next option; `None` at the end.
    pub fn option(&mut self) -> Option<Result<ParsedOption<'a>, WordError<'a>>> {
        loop {
            if let Some(at) = self.bundle.take() {
                return Some(self.letter(self.last(), at));
            }
            let word = self.all.get(self.next)?;
            self.next += 1;
            match word.as_slice() {
                [b'-', first, ..] if !self.only_left_over => {
                    if *first != b'-' {
                        self.bundle = Some(1);
                    } else if word.len() == 2 {
                        self.only_left_over = true;
                    } else {
                        return Some(self.long(word.get(2..).unwrap_or_default()));
                    }
                }
                left_over => {
                    self.left_over.push(left_over);
                    self.only_left_over |= self.stops_at_first;
                }
            }
        }
    }

    /// The word that was read last, an option or the value of one.
    pub fn last(&self) -> &'a [u8] {
        self.next.checked_sub(1).and_then(|last| self.all.get(last)).map_or(&[], Vec::as_slice)
    }

    /// The words that are neither an option nor the value of one, once the options have ended.
    pub fn into_left_over(self) -> Vec<&'a [u8]> {
        self.left_over
    }

    fn long(&mut self, text: &'a [u8]) -> Result<ParsedOption<'a>, WordError<'a>> {
        let equals = text.iter().position(|byte| *byte == b'=');
        let (name, value) = match equals {
            Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
            None => (text, None),
        };
        let entry = grammar::long(name).ok_or_else(|| self.error(Problem::Unknown))?;
        self.with_value(entry, value)
    }

    fn letter(&mut self, word: &'a [u8], at: usize) -> Result<ParsedOption<'a>, WordError<'a>> {
        let letter = word.get(at).copied().unwrap_or_default();
        let entry = grammar::short(letter).ok_or_else(|| self.error(Problem::Unknown))?;
        let rest = word.get(at + 1..).unwrap_or_default();
        let attached = match (rest, entry.takes) {
            ([], _) => None,
            ([b'=', value @ ..], _) => Some(value),
            (_, OptionValue::Nothing) => {
                self.bundle = Some(at + 1);
                None
            }
            (value, _) => Some(value),
        };
        self.with_value(entry, attached)
    }

    fn with_value(
        &mut self,
        entry: &'static Entry,
        attached: Option<&'a [u8]>,
    ) -> Result<ParsedOption<'a>, WordError<'a>> {
        let following = self.all.get(self.next).map(Vec::as_slice);
        let value = match (entry.takes, attached, following) {
            (OptionValue::Nothing, Some(_), _) => return Err(self.error(Problem::Unwanted)),
            (_, Some(value), _) => Some(value),
            (OptionValue::Value(_), None, None) => return Err(self.error(Problem::Missing)),
            (OptionValue::Nothing, None, _) | (OptionValue::Optional(_), None, None | Some([b'-', ..])) => None,
            (_, None, Some(value)) => {
                self.next += 1;
                Some(value)
            }
        };
        Ok((entry, value))
    }

    fn error(&self, problem: Problem) -> WordError<'a> {
        WordError { word: self.last(), problem }
    }
}
