//! Starts, lists and stops the daemons that tell a second director which connections this one has.
//!
//! `cargo run --example sync_daemon -- [list | start master|backup INTERFACE [SYNC_ID] | stop master|backup]`, as root.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::env;
use std::error::Error;
use std::process::ExitCode;

use ipvs_rs::Handle;
use ipvs_rs::model::{InterfaceName, SyncDaemon, SyncRole};

enum Task {
    List,
    Start(SyncDaemon),
    Stop(SyncRole),
}

fn main() -> ExitCode {
    let (error, status) = match arguments() {
        Err(error) => (error, 2),
        Ok(task) => match run(&task) {
            Err(error) => (error.into(), 1),
            Ok(()) => return ExitCode::SUCCESS,
        },
    };
    eprintln!("error: {error}");
    ExitCode::from(status)
}

fn arguments() -> Result<Task, Box<dyn Error>> {
    let words: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Ok(match words.as_slice() {
        [] | ["list"] => Task::List,
        ["stop", role] => Task::Stop(role.parse()?),
        ["start", role, interface] => Task::Start(daemon(role, interface)?),
        ["start", role, interface, id] => {
            let id = id.parse().map_err(|_not_a_number| format!("sync id: \"{id}\" is not a number of 0 to 255"))?;
            Task::Start(daemon(role, interface)?.sync_id(id))
        }
        _ => return Err("expected list, start master|backup INTERFACE [SYNC_ID], or stop master|backup".into()),
    })
}

fn daemon(role: &str, interface: &str) -> Result<SyncDaemon, Box<dyn Error>> {
    Ok(SyncDaemon::new(role.parse()?, interface.parse::<InterfaceName>()?))
}

fn run(task: &Task) -> Result<(), ipvs_rs::Error> {
    let handle = Handle::new()?;
    match task {
        Task::List => {}
        Task::Start(daemon) => handle.start_sync(daemon)?,
        Task::Stop(role) => handle.stop_sync(*role)?,
    }
    let daemons = handle.get_sync_daemons()?;
    if daemons.is_empty() {
        println!("no sync daemon runs");
    }
    for daemon in daemons {
        println!("{daemon}");
    }
    Ok(())
}
