//! `ipvsadm-save`: prints the table as rules for `ipvsadm-restore`; with `-n`, addresses and ports as numbers.
//!
//! `cargo install ipvs-rs --example ipvsadm-save`. It runs the `ipvsadm` beside it, or else the one in `PATH`.

use std::env;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let mut words = env::args_os();
    let name = words.next().unwrap_or_default();
    let mut rules = Command::new(ipvsadm());
    rules.arg("-S");
    for word in words {
        if word == "-n" {
            rules.arg("-n");
        } else if word.as_bytes().starts_with(b"-") {
            let name = Path::new(&name).file_name().unwrap_or(OsStr::new("ipvsadm-save")).display();
            let text = format!(
                "{name}: Script to save the IPVS table to stdout.\n   With the -n option, prints out the table in numeric \
                 format.\n"
            );
            return fail(&text, 1);
        }
    }
    let error = rules.exec();
    fail(&format!("{}: {error}\n", rules.get_program().display()), 127)
}

/// The program that does the work.
fn ipvsadm() -> PathBuf {
    let beside = env::current_exe().ok().map(|this| this.with_file_name("ipvsadm"));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| "ipvsadm".into())
}

fn fail(text: &str, status: u8) -> ExitCode {
    // An error on standard error cannot be reported anywhere else.
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::from(status)
}
