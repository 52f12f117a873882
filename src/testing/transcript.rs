use std::fmt;
use std::str::FromStr;

use super::annotation::annotate;
use crate::transport::Limits;

/// A conversation with a kernel, as annotated text.
///
/// It prints the messages of both directions, with a line for each attribute, in hexadecimal on the left and with its
/// meaning on the right; and it is parsed from that text. A [`Recorder`](super::Recorder) writes it, and a
/// [`Replay`](super::Replay) replays it.
///
/// ```text
/// port 1000
/// limits 212960 200
///
/// request
/// 14 00 00 00 1f 00 01 00 02 00 00 00 00 00 00 00  # nlmsghdr: 20 bytes, family 31, flags 0x1 (REQUEST), …
/// 0f 01 00 00                                      # genlmsghdr: GET_INFO, version 1
///
/// reply
/// 24 00 00 00 1f 00 00 00 02 00 00 00 e8 03 00 00  # nlmsghdr: 36 bytes, family 31, flags 0, …
/// 0e 01 00 00                                      # genlmsghdr: SET_INFO, version 1
/// 08 00 01 00 01 02 01 00                          # VERSION = 1.2.1
/// 08 00 02 00 00 10 00 00                          # CONN_TAB_SIZE = 4096
/// ```
///
/// The text after a `#` is a comment for human readers and is skipped when the text is parsed. Besides `request` and
/// `reply`:
///
/// | line | meaning |
/// |---|---|
/// | `port N` | the port id of this end |
/// | `limits N M` | the longest datagram, and the number of answers that fit |
/// | `reply from N` | the port N sent this, not the kernel |
/// | `reply of N` | it was N bytes long and did not fit the buffer |
/// | `refused N` | the request above it could not be sent, with this error number |
/// | `failure N` | receiving or waiting failed, with this error number |
/// | `silence` | a wait ended, and nothing had come in time |
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Transcript {
    pub(super) port: u32,
    pub(super) limits: Limits,
    pub(super) events: Vec<Event>,
}

/// One event of a conversation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Event {
    Request(Vec<u8>),
    Refused(i32),
    Reply { bytes: Vec<u8>, sender: u32, len: usize },
    Failure(i32),
    Silence,
}

/// Shows the port id and the number of events; [`Display`](fmt::Display) prints them all.
impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = self.events.len();
        f.debug_struct("Transcript").field("port", &self.port).field("events", &events).finish_non_exhaustive()
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "port {}", self.port)?;
        writeln!(f, "limits {} {}", self.limits.datagram, self.limits.answers)?;
        for event in &self.events {
            match event {
                Event::Request(bytes) => write!(f, "\nrequest\n{}", annotate(bytes))?,
                Event::Reply { bytes, sender, len } => {
                    f.write_str("\nreply")?;
                    if *sender != 0 {
                        write!(f, " from {sender}")?;
                    }
                    if *len != bytes.len() {
                        write!(f, " of {len}")?;
                    }
                    write!(f, "\n{}", annotate(bytes))?;
                }
                Event::Refused(errno) => writeln!(f, "\nrefused {errno}")?,
                Event::Failure(errno) => writeln!(f, "\nfailure {errno}")?,
                Event::Silence => writeln!(f, "\nsilence")?,
            }
        }
        Ok(())
    }
}

/// The error of a text that is not a valid [`Transcript`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TranscriptError {
    line: usize,
    text: String,
}

impl TranscriptError {
    /// The number of the line that cannot be parsed, from 1.
    pub const fn line(&self) -> usize {
        self.line
    }
}

impl fmt::Display for TranscriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the transcript cannot be read: `{}`", self.line, self.text)
    }
}

impl std::error::Error for TranscriptError {}

impl FromStr for Transcript {
    type Err = TranscriptError;

    fn from_str(text: &str) -> Result<Self, TranscriptError> {
        let mut transcript = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
            transcript.read(&words).ok_or_else(|| TranscriptError { line: number, text: line.to_owned() })?;
        }
        for event in &mut transcript.events {
            if let Event::Reply { bytes, len, .. } = event {
                *len = (*len).max(bytes.len());
            }
        }
        Ok(transcript)
    }
}

impl Transcript {
    /// Adds a line to the transcript; `None` when it cannot be parsed.
    fn read(&mut self, words: &[&str]) -> Option<()> {
        match words {
            [] => {}
            ["port", port] => self.port = port.parse().ok()?,
            ["limits", datagram, answers] => {
                self.limits = Limits { datagram: datagram.parse().ok()?, answers: answers.parse().ok()? };
            }
            ["request"] => self.events.push(Event::Request(Vec::new())),
            ["reply", rest @ ..] => {
                let (sender, len) = match rest {
                    [] => (0, 0),
                    ["from", sender] => (sender.parse().ok()?, 0),
                    ["of", len] => (0, len.parse().ok()?),
                    ["from", sender, "of", len] => (sender.parse().ok()?, len.parse().ok()?),
                    _ => return None,
                };
                self.events.push(Event::Reply { bytes: Vec::new(), sender, len });
            }
            ["refused", errno] => self.events.push(Event::Refused(errno.parse().ok()?)),
            ["failure", errno] => self.events.push(Event::Failure(errno.parse().ok()?)),
            ["silence"] => self.events.push(Event::Silence),
            hex => {
                let (Event::Request(bytes) | Event::Reply { bytes, .. }) = self.events.last_mut()? else { return None };
                for word in hex {
                    bytes.push(u8::from_str_radix(word, 16).ok().filter(|_| word.len() == 2)?);
                }
            }
        }
        Some(())
    }
}
