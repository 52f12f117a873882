//! The outputs: data to standard output, messages to standard error.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::SystemTime;

use clap::ColorChoice;
use serde_json::json;

use crate::args::{Format, Globals};
use crate::failure::{Exit, Failure, failure};
use crate::{document, escape, output};

/// The two outputs, and their verbosity.
pub struct Console {
    pub out: Box<dyn Write>,
    pub err: Box<dyn Write>,
    format: Format,
    /// The number of `--verbose`; `None` with `--quiet`.
    verbosity: Option<u8>,
    /// Whether data is colored.
    pub is_colored: bool,
    /// Whether messages go to a terminal.
    pub has_progress: bool,
    progress: bool,
    failed: Option<io::Error>,
}

impl Console {
    /// The outputs of the process.
    pub fn standard(global: &Globals) -> Self {
        let format = global.log_format.unwrap_or(Format::Text);
        let is_colored = match global.color.unwrap_or_default() {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                let is_plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
                io::stdout().is_terminal() && !is_plain && !is_dumb
            }
        };
        Self {
            out: output::standard(),
            err: Box::new(io::stderr()),
            format,
            verbosity: (!global.quiet).then_some(global.verbose),
            is_colored,
            has_progress: io::stderr().is_terminal() && !global.quiet && format == Format::Text,
            progress: false,
            failed: None,
        }
    }

    /// Data.
    pub fn print(&mut self, text: &str) {
        let written = self.out.write_all(text.as_bytes());
        self.note(written);
    }

    /// A message of success.
    pub fn done(&mut self, text: &str) {
        if self.verbosity.is_some() {
            self.print(&format!("{text}\n"));
        }
    }

    /// Hands data over to its reader.
    pub fn flush(&mut self) {
        let flushed = self.out.flush();
        self.note(flushed);
    }

    /// Whether writing data has failed, usually because the reader has closed its end.
    pub fn is_closed(&self) -> bool {
        self.failed.is_some()
    }

    /// A message about a finished action.
    pub fn info(&mut self, text: &str) {
        if self.verbosity >= Some(1) {
            self.say("info", text, None);
        }
    }

    /// A message with details of an action.
    pub fn debug(&mut self, text: impl FnOnce() -> String) {
        if self.verbosity >= Some(2) {
            self.say("debug", &text(), None);
        }
    }

    /// A warning of something that is probably not intended.
    pub fn warning(&mut self, text: &str) {
        if self.verbosity.is_some() {
            self.say("warning", text, None);
        }
    }

    /// An error.
    pub fn failure(&mut self, failure: &Failure) {
        if !failure.message.is_empty() {
            self.say("error", &failure.message, Some(failure.exit as u8));
        }
    }

    /// A line on a terminal that the next one replaces.
    pub fn progress(&mut self, text: &str) {
        if self.has_progress {
            self.write(&format!("\r\x1b[K{text}"));
            self.progress = !text.is_empty();
        }
    }

    /// A question on a terminal.
    pub fn ask(&mut self, text: &str) {
        self.write(text);
    }

    /// Ends the output of a command with this result, and reports its error. Returns the exit status.
    pub fn end(&mut self, done: Result<(), Failure>) -> u8 {
        let written = self.finish();
        let failures = [done.err(), written.err()];
        failures.iter().flatten().for_each(|failure| self.failure(failure));
        let exits = failures.map(|failure| failure.map(|failure| failure.exit));
        match exits {
            // Changes that could not be shown do not count as a result.
            [Some(Exit::Changes) | None, Some(exit)] | [Some(exit), _] => exit as u8,
            [None, None] => 0,
        }
    }

    /// Data that could not be written is a failure, unless its reader has simply closed its end.
    fn finish(&mut self) -> Result<(), Failure> {
        self.flush();
        match &self.failed {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(failure!(Output, "Unable to write to standard output: {error}"))
            }
            _ => Ok(()),
        }
    }

    fn note(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }

    fn say(&mut self, level: &str, text: &str, exit: Option<u8>) {
        if self.progress {
            self.progress("");
        }
        let text = escape::lines(text);
        let text = text.as_str();
        let line = match self.format {
            Format::Json => {
                let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
                let record = json!({"time": time, "level": level, "message": text, "exit": exit});
                format!("{}\n", document::without_nulls(record))
            }
            _ if level == "error" => format!("{text}\n"),
            _ if level == "warning" => format!("Warning: {text}\n"),
            _ => format!("{} {text}\n", level.to_uppercase()),
        };
        self.write(&line);
    }

    /// In one piece, so that lines of several processes stay whole. An error here cannot be reported anywhere else.
    fn write(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }
}
