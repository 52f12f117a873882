//! Telling what goes on: one changing line on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// Speaks on standard error only: standard output belongs to the program that runs in the guest.
pub struct Progress {
    terminal: bool,
    /// A line without an end stands on the terminal.
    open: AtomicBool,
}

impl Progress {
    pub fn new() -> Self {
        Self { terminal: io::stderr().is_terminal(), open: AtomicBool::new(false) }
    }

    /// Something that takes long enough to be reported even in a log: an installation, a download.
    pub fn step(&self, text: &str) {
        if self.terminal {
            self.passing(text);
        } else {
            eprintln!("xtask: {text}");
        }
    }

    /// Something short that every run does: shown while it lasts, kept out of logs.
    pub fn passing(&self, text: &str) {
        if self.terminal {
            eprint!("\r\x1b[K\x1b[2m{text} …\x1b[0m");
            let _ = io::stderr().flush();
            self.open.store(true, Ordering::Relaxed);
        }
    }

    /// Removes the changing line, before anything else is printed.
    pub fn clear(&self) {
        if self.open.swap(false, Ordering::Relaxed) {
            eprint!("\r\x1b[K");
            let _ = io::stderr().flush();
        }
    }

    /// Ends a task that has found all well or not; what kept it from finding out is told.
    pub fn verdict(&self, result: anyhow::Result<bool>) -> ExitCode {
        match result {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                self.clear();
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        }
    }

    /// A remark that stays.
    pub fn note(&self, text: &str) {
        self.clear();
        eprintln!("xtask: {text}");
    }
}
