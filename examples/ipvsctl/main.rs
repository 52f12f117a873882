//! `ipvsctl`: brings the table of IPVS to the state that files describe.
//!
//! `cargo install ipvs-rs --example ipvsctl --features yaml,schema`, with `params-url` as well for parameters from web
//! servers. `ipvsctl help` has every command and option, `ipvsctl man` the man page.

#![allow(unreachable_pub, reason = "a program has no callers")]

mod args;
#[path = "../shared/clock.rs"]
mod clock;
mod columns;
mod command;
mod console;
mod document;
mod escape;
mod failure;
mod file;
mod generate;
#[path = "../shared/kernel.rs"]
mod kernel;
#[path = "../shared/manual.rs"]
mod manual;
mod output;
mod params;
mod place;
mod run;
mod session;
mod signals;
mod source;
#[cfg(test)]
mod tests;
#[path = "../shared/unreadable.rs"]
mod unreadable;
mod watched_files;

use std::env;
use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::args::{Globals, Invocation};
use crate::console::Console;
use crate::failure::Exit;

fn main() -> ExitCode {
    let Invocation { mut global, command } = match args::read(env::args_os()) {
        Ok(invocation) => invocation,
        Err(error) => return about(&error),
    };
    if command.only_prints() {
        // A closed pipe ends the program by the signal. Commands that change the table are not ended half-way.
        sigpipe::reset();
    }
    let from_environment = global.add_environment(|name| env::var(name).ok());
    let mut console = Console::standard(&global);
    let done = from_environment.and_then(|()| run::run(&global, command, &mut console));
    ExitCode::from(console.end(done))
}

/// Help and version are data. Anything else is an error in the command line.
fn about(error: &clap::Error) -> ExitCode {
    let text = match error.kind() {
        ErrorKind::DisplayVersion => concat!(env!("CARGO_PKG_VERSION"), "\n").to_owned(),
        _ => escape::lines(&error.render().to_string()),
    };
    if error.use_stderr() {
        let _ = std::io::stderr().write_all(text.as_bytes());
        return ExitCode::from(Exit::Usage as u8);
    }
    let mut console = Console::standard(&Globals::default());
    console.print(&text);
    ExitCode::from(console.end(Ok(())))
}
