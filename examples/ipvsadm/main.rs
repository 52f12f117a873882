//! `ipvsadm`: the classic tool, option for option and byte for byte, over this library.
//!
//! `cargo install ipvs-rs --example ipvsadm`. Its additions to the original, and the known differences, are in the
//! README beside this file. `ipvsadm --help-all` has every option, `ipvsadm --man` the man page.

#![allow(unreachable_pub, reason = "a program has no callers")]

mod address;
#[allow(dead_code, reason = "shared with ipvsctl, which reads files again")]
#[path = "../shared/clock.rs"]
mod clock;
mod counter;
mod fault;
#[cfg(test)]
mod fuzzing;
mod generate;
mod grammar;
mod invocation;
mod json;
#[path = "../shared/kernel.rs"]
mod kernel;
mod lines;
mod list;
#[path = "../shared/manual.rs"]
mod manual;
mod matrix;
mod names;
mod number;
mod order;
mod output;
mod restore;
mod run;
mod save;
mod session;
#[path = "../shared/unreadable.rs"]
mod unreadable;
mod watch;
mod words;

use std::env;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

use crate::fault::Fault;
use crate::grammar::{Meaning, Opt};
use crate::invocation::{Invocation, Origin};
use crate::names::Names;
use crate::output::Output;
use crate::session::Session;
use crate::words::Words;

fn main() -> ExitCode {
    // A closed pipe ends the program by the signal, as it does the original.
    sigpipe::reset();
    let mut words: Vec<Vec<u8>> = env::args_os().map(OsStringExt::into_vec).collect();
    let program = if words.is_empty() { b"ipvsadm".to_vec() } else { words.remove(0) };
    let status = run(&program, &words).unwrap_or_else(|fault| {
        restore::say(&fault.message);
        fault.status
    });
    ExitCode::from(status)
}

fn run(program: &[u8], words: &[Vec<u8>]) -> Result<u8, Fault> {
    let early = early_options(words);
    if early.is_about_the_program {
        let invocation = invocation::read(program, words, Origin::CommandLine, &Names::default())?;
        let mut out = Output::standard();
        let printed = generate::print(&invocation, program, &mut out);
        out.flush();
        return printed.map(|()| 0);
    }
    let mut session = Session::open(program, early.netns)?;
    let list = [b"-L".to_vec()];
    let words = if words.is_empty() { &list } else { words };
    let status = match invocation::read(program, words, Origin::CommandLine, &session.names)? {
        Invocation::Restore => Ok(restore::run(&mut session, io::stdin())),
        invocation => session.run(&invocation).map(|_| 0),
    };
    session.out.flush();
    status
}

/// The parts of a command line that are needed before the kernel is asked anything.
#[derive(Default)]
struct EarlyOptions<'a> {
    is_about_the_program: bool,
    netns: Option<&'a [u8]>,
}

fn early_options(words: &[Vec<u8>]) -> EarlyOptions<'_> {
    let mut words = Words::new(words);
    let mut early = EarlyOptions::default();
    let mut is_first = true;
    while let Some(Ok((entry, value))) = words.option() {
        match entry.means {
            Meaning::Command(command) if is_first => early.is_about_the_program = command.is_about_the_program(),
            Meaning::Option(Opt::Netns) => early.netns = value,
            _ => {}
        }
        is_first = false;
    }
    early
}
