//! `cargo xtask vm`: any program in a guest.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use crate::guest::{self, Accelerator, Guest, Machine, Tool, Version};
use crate::progress::Progress;
use crate::workspace::{BuildOptions, Target, Workspace};

/// Run a program as root in a small virtual machine with a real kernel and a fresh IPVS table
///
/// Output, error output, input and exit status are the program's own; 125 means that it could not run to its end.
/// Without a program, and on a terminal, there is a shell.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Arguments {
    /// The kernel to boot
    #[arg(long, value_enum, default_value = "6.1")]
    kernel: Version,
    /// Processors of the guest
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    cpus: u32,
    /// Memory of the guest
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(128..))]
    memory: u32,
    /// The accelerator that executes the guest
    #[arg(long, value_enum, default_value = "tcg")]
    accel: Accelerator,
    /// Longest run of the program
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timeout: u64,
    /// One processor whose clock advances one nanosecond per instruction: counts instead of times
    #[arg(long, conflicts_with = "host")]
    icount: bool,
    /// Build and run this example of the repository, with the arguments that follow
    #[arg(long, value_name = "NAME", conflicts_with = "test")]
    example: Option<String>,
    /// Build and run this integration test of the repository, with the arguments that follow
    #[arg(long, value_name = "NAME")]
    test: Option<String>,
    /// Features to build with, instead of all
    #[arg(long, value_name = "FEATURES")]
    features: Option<String>,
    /// Build with optimizations
    #[arg(long)]
    release: bool,
    /// Take an installed program along, PACKAGE:PROGRAM if its Debian package has another name
    #[arg(long, value_name = "PROGRAM")]
    with: Vec<String>,
    /// Copy a program to the guest's /usr/local/bin, with its libraries
    #[arg(long, value_name = "PATH")]
    program: Vec<PathBuf>,
    /// Copy a file or folder to the same absolute path in the guest
    #[arg(long, value_name = "PATH")]
    file: Vec<PathBuf>,
    /// Load a kernel module first; `ip_vs` is otherwise loaded when it is first used
    #[arg(long, value_name = "NAME")]
    module: Vec<String>,
    /// Leave IPVS out of the guest's reach
    #[arg(long, conflicts_with = "host")]
    without_ipvs: bool,
    /// Set an environment variable in the guest
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    env: Vec<(String, String)>,
    /// Run on this host, in a network namespace of its own, instead of in a guest
    #[arg(long)]
    host: bool,
    /// The program (a path, or a name that the guest or this host knows) and its arguments
    #[arg(value_name = "CMD", trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

pub fn main(arguments: Arguments) -> ExitCode {
    let progress = Progress::new();
    match run(arguments, &progress) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            progress.clear();
            eprintln!("error: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn run(arguments: Arguments, progress: &Progress) -> Result<u8> {
    let workspace = Workspace::locate()?;
    let options = BuildOptions { release: arguments.release, features: arguments.features };
    let target = match (arguments.example, arguments.test) {
        (Some(name), _) => Some(Target::Example(name)),
        (None, Some(name)) => Some(Target::Test(name)),
        (None, None) => None,
    };
    let mut words = arguments.command;
    if let Some(target) = target {
        words.insert(0, workspace.build(&target, &options)?.into());
    }
    let interactive = words.is_empty();
    if interactive && (arguments.host || !io::stdin().is_terminal() || !io::stdout().is_terminal()) {
        bail!("nothing to run: name a program after `--`, as in `cargo xtask vm -- ipvsadm -Ln`");
    }
    if arguments.host {
        return guest::run_on_host(&words[0], &words[1..], &arguments.env);
    }

    let machine = Machine {
        cpus: if arguments.icount { 1 } else { arguments.cpus },
        memory_mib: arguments.memory,
        accelerator: arguments.accel,
        icount: arguments.icount,
    };
    let mut guest = Guest::new(&workspace, arguments.kernel)
        .machine(machine)
        .timeout(Duration::from_secs(arguments.timeout))
        .without_ipvs(arguments.without_ipvs)
        .forward_stdin(!interactive);
    if !interactive {
        let command = words.remove(0);
        guest = guest.command(command, words);
    }
    for text in &arguments.with {
        guest = guest.with(Tool::parse(text));
    }
    for path in arguments.program {
        guest = guest.program(path);
    }
    for path in arguments.file {
        guest = guest.file(path);
    }
    for name in arguments.module {
        guest = guest.module(name);
    }
    for (name, value) in arguments.env {
        guest = guest.env(name, value);
    }
    guest.run(progress)
}

/// `NAME=VALUE`, with a name that a shell accepts.
fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if name.is_empty() || !word || name.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(format!("{name:?} is not the name of a variable"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// The status of a run that did not get as far as the program's own.
const FAILED: u8 = 125;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_checked() {
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(assignment("A=b=c"), pair("A", "b=c"));
        assert_eq!(assignment("A="), pair("A", ""));
        assert!(assignment("A").is_err());
        assert!(assignment("1A=x").is_err());
        assert!(assignment("a b=x").is_err());
    }
}
