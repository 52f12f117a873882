//! `ipvsadm`: the classic tool, option for option and byte for byte, over this library.
//!
//! `cargo install ipvs-rs --example ipvsadm`. What it adds to the original, and where it knowingly differs, is in the
//! README beside this file. `ipvsadm --help-all` has every option, `ipvsadm --man` the man page.

#![allow(unreachable_pub, reason = "a program has no callers")]

mod address;
mod counter;
mod fault;
mod generate;
mod grammar;
mod invocation;
mod json;
mod list;
mod matrix;
mod names;
mod number;
mod order;
mod output;
mod restore;
mod run;
mod save;
mod watch;
mod words;

use std::env;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::process::{Command as Process, ExitCode};

use ipvs_rs::Handle;
use ipvs_rs::error::Error;
use ipvs_rs::model::{Info, Version};
use ipvs_rs::transport::{Netns, NetnsError};

use crate::fault::Fault;
use crate::grammar::{Means, Opt};
use crate::invocation::{Invocation, Origin};
use crate::names::Names;
use crate::output::Output;
use crate::run::{DEADLINE, Session};
use crate::words::Words;

fn main() -> ExitCode {
    // A reader that has gone ends the program by the signal, as it does the original.
    sigpipe::reset();
    let mut words: Vec<Vec<u8>> = env::args_os().map(OsStringExt::into_vec).collect();
    let program = if words.is_empty() { b"ipvsadm".to_vec() } else { words.remove(0) };
    ExitCode::from(run(program, &words))
}

fn run(program: Vec<u8>, words: &[Vec<u8>]) -> u8 {
    let ahead = look_ahead(words);
    if ahead.about_the_program {
        return about_the_program(&program, words);
    }
    let mut session = match open(program, ahead.netns) {
        Ok(session) => session,
        Err(fault) => {
            restore::say(&fault.message);
            return fault.status;
        }
    };
    let list = [b"-L".to_vec()];
    let words = if words.is_empty() { &list } else { words };
    let program = session.program.clone();
    let status = match invocation::read(&program, words, Origin::CommandLine, &mut session.names) {
        Ok(Invocation::Restore) => restore::run(&mut session, io::stdin()),
        Ok(invocation) => match session.run(&invocation) {
            Ok(_) => 0,
            Err(fault) => {
                restore::say(&fault.message);
                fault.status
            }
        },
        Err(fault) => {
            restore::say(&fault.message);
            fault.status
        }
    };
    session.out.flush();
    status
}

/// What has to be known of a command line before the kernel is asked anything.
struct Ahead {
    about_the_program: bool,
    netns: Option<Vec<u8>>,
}

fn look_ahead(words: &[Vec<u8>]) -> Ahead {
    let mut words = Words::new(words, false);
    let mut ahead = Ahead { about_the_program: false, netns: None };
    let mut is_first = true;
    while let Some(Ok((entry, value))) = words.option() {
        match entry.means {
            Means::Command(command) if is_first => ahead.about_the_program = command.is_about_the_program(),
            Means::Option(Opt::Netns) => ahead.netns = value.map(<[u8]>::to_vec),
            _ => {}
        }
        is_first = false;
    }
    ahead
}

fn about_the_program(program: &[u8], words: &[Vec<u8>]) -> u8 {
    let mut out = Output::standard();
    let read = invocation::read(program, words, Origin::CommandLine, &mut Names::default());
    let ended = read.and_then(|invocation| generate::print(&invocation, program, &mut out));
    out.flush();
    match ended {
        Ok(()) => 0,
        Err(fault) => {
            restore::say(&fault.message);
            fault.status
        }
    }
}

/// Connects, and asks for what the listings begin with. Without IPVS in the kernel, its module is asked for once.
fn open(program: Vec<u8>, netns: Option<Vec<u8>>) -> Result<Session, Fault> {
    let netns = match netns {
        None => Netns::current(),
        Some(name) => namespace(name).map_err(|error| Fault::usage(error.to_string()))?,
    };
    let connect = || -> Result<(Handle, Info), Error> {
        let handle = Handle::builder().netns(netns.clone()).deadline(DEADLINE).open()?;
        let info = handle.get_info()?;
        Ok((handle, info))
    };
    let connected = connect().or_else(|error| {
        if error.namespace_error().is_some() {
            return Err(error);
        }
        // Whatever it has to say, it says itself.
        let _ = Process::new("/sbin/modprobe").args(["--", "ip_vs"]).status();
        connect()
    });
    let (handle, info) = connected.map_err(|error| match error.namespace_error() {
        Some(error) => Fault::usage(error.to_string()),
        None => Fault::usage(format!(
            "Can't initialize ipvs: {}\nAre you sure that IP Virtual Server is built in the kernel or as module?",
            run::text(&error)
        )),
    })?;
    if info.version < OLDEST {
        let warning = format!("the kernel's IPVS has version {}, at least {OLDEST} is expected\n", info.version);
        let _ = io::stderr().write_all(warning.as_bytes());
    }
    Ok(Session { program, handle, info, netns, names: Names::default(), out: Output::standard() })
}

/// The version that the original was made for.
const OLDEST: Version = Version::from_number(0x01_01_04);

/// A process by its number, a file by a path, else a name.
fn namespace(name: Vec<u8>) -> Result<Netns, NetnsError> {
    let name = String::from_utf8_lossy(&name).into_owned();
    match name.parse() {
        Ok(pid) => Ok(Netns::pid(pid)),
        Err(_) if name.contains('/') => Ok(Netns::path(name)),
        Err(_) => Netns::named(&name),
    }
}
