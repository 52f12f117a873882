//! `ipvsadm-restore`: replaces the table by the rules on standard input; lines that begin with `#` are left out.
//!
//! `cargo install ipvs-rs --example ipvsadm-restore`. It runs the `ipvsadm` beside it, or else the one in `PATH`. All of
//! the input is read before the table is touched.

use std::env;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

fn main() -> ExitCode {
    let ipvsadm = ipvsadm();
    restore(&ipvsadm).unwrap_or_else(|error| {
        // An error on standard error cannot be reported anywhere else.
        let _ = io::stderr().write_all(format!("{}: {error}\n", ipvsadm.display()).as_bytes());
        ExitCode::from(127)
    })
}

fn restore(ipvsadm: &Path) -> io::Result<ExitCode> {
    let mut input = Vec::new();
    io::stdin().read_to_end(&mut input)?;
    // It reports its errors itself; the rules are tried in any case.
    Command::new(ipvsadm).arg("-C").stdin(Stdio::null()).status()?;
    let mut child = Command::new(ipvsadm).arg("-R").stdin(Stdio::piped()).spawn()?;
    if let Some(mut rules) = child.stdin.take() {
        // It may end before it has read everything.
        let _ = rules.write_all(&without_comments(&input));
    }
    let status = child.wait()?.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(status.unwrap_or(u8::MAX)))
}

/// The lines that do not begin with `#`, each with its end.
fn without_comments(input: &[u8]) -> Vec<u8> {
    let lines = input.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#"));
    lines.flat_map(|line| [line, b"\n"]).flatten().copied().collect()
}

/// The program that does the work.
fn ipvsadm() -> PathBuf {
    let beside = env::current_exe().ok().map(|this| this.with_file_name("ipvsadm"));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| "ipvsadm".into())
}
