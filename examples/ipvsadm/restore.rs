//! Rules from standard input: each line is a command line of its own.
//!
//! Lines that change the table are sent together, as many as have been read; anything that prints, and anything else
//! that is not such a change, waits until those before it are done. So the order of effects and messages is that of the
//! lines.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::fault::Fault;
use crate::invocation::{self, Change, Invocation, Origin};
use crate::lines;
use crate::run::{self, AfterLine};
use crate::session::Session;

/// Reads and executes until the end of the input, or until a line that ends it. Returns the exit status.
pub fn run<R: Read + AsFd>(session: &mut Session, input: R) -> u8 {
    let mut input = BufReader::with_capacity(1 << 16, input);
    let mut restore = Restore { pending: Vec::new(), status: 0 };
    let mut line = Vec::new();
    loop {
        // A program that writes the next line only after this one has had its effect must not wait forever.
        if !input.buffer().contains(&b'\n') && !is_ready(input.get_ref()) {
            restore.send(session);
        }
        line.clear();
        let is_end = match input.read_until(b'\n', &mut line) {
            Ok(0) => true,
            Ok(_) => false,
            Err(error) => {
                restore.send(session);
                say(format!("standard input: {error}").as_bytes());
                return 1;
            }
        };
        if is_end {
            restore.send(session);
            return restore.status;
        }
        if let Some(status) = restore.line(session, &lines::words(&line)) {
            return status;
        }
    }
}

/// Whether there is something to read, the end included.
fn is_ready(input: &impl AsFd) -> bool {
    let mut fds = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
    // Input that cannot be polled does not wait either.
    poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

struct Restore {
    pending: Vec<Change>,
    /// The exit status of the last line.
    status: u8,
}

impl Restore {
    /// Executes a line, now or with those after it. Returns the exit status where it ends everything.
    fn line(&mut self, session: &mut Session, words: &[Vec<u8>]) -> Option<u8> {
        if words.is_empty() {
            return None;
        }
        let program = session.program.clone();
        let read = invocation::read(&program, words, Origin::Restore, &session.names);
        if let Ok(Invocation::Change(change)) = read {
            self.pending.push(change);
            if self.pending.len() >= MOST_PENDING {
                self.send(session);
            }
            return None;
        }
        self.send(session);
        match read.and_then(|invocation| session.run(&invocation)) {
            Ok(AfterLine::Continue) => self.status = 0,
            Ok(AfterLine::End) => return Some(0),
            Err(fault) => {
                say(&fault.message);
                self.status = fault.status;
                if fault.ends_restore {
                    return Some(fault.status);
                }
            }
        }
        None
    }

    /// Executes the changes that were read so far.
    fn send(&mut self, session: &mut Session) {
        let changes = std::mem::take(&mut self.pending);
        if changes.is_empty() {
            return;
        }
        let batch = changes.iter().fold(session.handle.batch(), run::add);
        match batch.send() {
            Ok(report) => {
                for result in report.results() {
                    self.status = 0;
                    if let Err(error) = result {
                        let Fault { message, status, .. } = run::refusal(error);
                        say(&message);
                        self.status = status;
                    }
                }
            }
            // One of them cannot be, and nothing was sent.
            Err(error) => {
                let Fault { message, status, .. } = run::refusal(&error);
                say(&message);
                self.status = status;
            }
        }
    }
}

/// The most changes that are collected before they are sent.
const MOST_PENDING: usize = 4000;

/// A line for standard error.
pub fn say(message: &[u8]) {
    let mut line = message.to_vec();
    if !line.is_empty() {
        line.push(b'\n');
    }
    let _ = io::stderr().write_all(&line);
}
