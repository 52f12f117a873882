//! Where everything goes: data to standard output, words to standard error.

use std::io::{self, IsTerminal, Write};
use std::time::SystemTime;

use serde::Serialize;

use crate::args::{Colour, Globals, LogFormat};
use crate::failure::{Exit, Failure};
use crate::shown;

/// The two outputs, and how talkative they are.
pub struct Console {
    out: Stream,
    err: Stream,
    format: LogFormat,
    loudness: Loudness,
    is_coloured: bool,
    has_progress: bool,
    progress: bool,
    failed: Option<io::Error>,
}

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Loudness {
    Quiet,
    Normal,
    Verbose,
    Debug,
}

enum Stream {
    Standard(Box<dyn Write>),
    #[cfg(test)]
    Memory(Vec<u8>),
}

/// A message as a JSON object.
#[derive(Serialize)]
struct Record<'a> {
    time: f64,
    level: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u8>,
}

impl Console {
    /// The outputs of the process.
    pub fn standard(global: &Globals) -> Self {
        let loudness = match global.verbose {
            _ if global.quiet => Loudness::Quiet,
            0 => Loudness::Normal,
            1 => Loudness::Verbose,
            _ => Loudness::Debug,
        };
        let format = global.log_format.unwrap_or_default();
        let is_plain = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_coloured = match global.color.unwrap_or_default() {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                io::stdout().is_terminal() && !is_plain("NO_COLOR") && !is_dumb
            }
        };
        Self {
            out: Stream::Standard(Box::new(io::BufWriter::new(io::stdout()))),
            err: Stream::Standard(Box::new(io::stderr())),
            format,
            loudness,
            is_coloured,
            has_progress: io::stderr().is_terminal() && !global.quiet && format == LogFormat::Text,
            progress: false,
            failed: None,
        }
    }

    /// Outputs that are kept.
    #[cfg(test)]
    pub fn memory(verbose: u8) -> Self {
        Self::memory_of(&Globals { verbose, color: Some(Colour::Never), ..Globals::default() })
    }

    /// The same, as a command line has them.
    #[cfg(test)]
    pub fn memory_of(global: &Globals) -> Self {
        let mut console = Self::standard(global);
        (console.out, console.err) = (Stream::Memory(Vec::new()), Stream::Memory(Vec::new()));
        console.has_progress = false;
        console
    }

    /// What was printed so far, on both outputs.
    #[cfg(test)]
    pub fn taken(&mut self) -> (String, String) {
        let take = |stream: &mut Stream| match stream {
            Stream::Memory(bytes) => String::from_utf8(std::mem::take(bytes)).unwrap(),
            Stream::Standard(_) => String::new(),
        };
        (take(&mut self.out), take(&mut self.err))
    }

    /// Whether data is coloured.
    pub const fn is_coloured(&self) -> bool {
        self.is_coloured
    }

    /// Whether messages go to a terminal.
    pub const fn has_progress(&self) -> bool {
        self.has_progress
    }

    /// Data.
    pub fn print(&mut self, text: &str) {
        let written = self.out.write(text.as_bytes());
        self.note(written);
    }

    /// A sentence that says that all is well.
    pub fn done(&mut self, text: &str) {
        if self.loudness > Loudness::Quiet {
            self.print(&format!("{text}\n"));
        }
    }

    /// Hands data over to its reader.
    pub fn flush(&mut self) {
        let flushed = self.out.flush();
        self.note(flushed);
    }

    /// Whether the reader of the data has gone.
    pub fn is_closed(&self) -> bool {
        self.failed.is_some()
    }

    /// Something that was done.
    pub fn info(&mut self, text: &str) {
        if self.loudness >= Loudness::Verbose {
            self.say("info", text, None);
        }
    }

    /// How it was done.
    pub fn debug(&mut self, text: impl FnOnce() -> String) {
        if self.loudness >= Loudness::Debug {
            self.say("debug", &text(), None);
        }
    }

    /// Something that is probably not meant.
    pub fn warning(&mut self, text: &str) {
        if self.loudness > Loudness::Quiet {
            self.say("warning", text, None);
        }
    }

    /// Why it failed.
    pub fn failure(&mut self, failure: &Failure) {
        if !failure.message.is_empty() {
            self.say("error", &failure.message, Some(failure.exit as u8));
        }
    }

    /// A line on a terminal that the next one replaces.
    pub fn progress(&mut self, text: &str) {
        if self.has_progress {
            let _ = self.err.write(format!("\r\x1b[K{text}").as_bytes());
            let _ = self.err.flush();
            self.progress = !text.is_empty();
        }
    }

    /// A question on a terminal.
    pub fn ask(&mut self, text: &str) {
        let _ = self.err.write(text.as_bytes());
        let _ = self.err.flush();
    }

    /// Ends the output: data that could not be written is a failure, unless its reader has simply gone.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.flush();
        match self.failed {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::new(Exit::Output, format!("Unable to write to standard output: {error}")))
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
        let text = shown::lines(text);
        let text = text.as_str();
        let line = match self.format {
            LogFormat::Text if level == "error" => format!("{text}\n"),
            LogFormat::Text if level == "warning" => format!("Warning: {text}\n"),
            LogFormat::Text => format!("{} {text}\n", level.to_uppercase()),
            LogFormat::Json => {
                let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
                let record = serde_json::to_string(&Record { time, level, message: text, exit });
                // Text and numbers can always be written.
                record.unwrap_or_default() + "\n"
            }
        };
        // In one piece, so that lines of several processes stay whole. If it fails, there is no place left to say so.
        let _ = self.err.write(line.as_bytes());
    }
}

impl Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Standard(stream) => stream.write_all(bytes),
            #[cfg(test)]
            Self::Memory(memory) => memory.write_all(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(stream) => stream.flush(),
            #[cfg(test)]
            Self::Memory(_) => Ok(()),
        }
    }
}
