//! Tests that need a process of their own: one that may do less, that is watched, or whose resources are counted.

use std::process::{Command, Output};

/// Runs one test of this program again, in a process of its own that is started by another program (`setpriv`,
/// `strace` and the like, with its arguments; nothing for none), in the network namespace of the calling thread.
///
/// There [`is_again`] is true. It must pass; returns what it printed.
pub fn again(test: &str, under: &[&str]) -> String {
    let output = run(test, under);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // A name that is not that of a test would run nothing and succeed.
    assert!(output.status.success() && text.contains("1 passed"), "{test} {under:?}: {}\n{text}", output.status);
    text
}

/// Whether this process was started by [`again`].
pub fn is_again() -> bool {
    std::env::var_os(AGAIN).is_some()
}

/// Starts one test of this program again, in a process of its own, and does not wait for it.
#[cfg(feature = "desired")]
pub fn start_again(test: &str) -> std::process::Child {
    command(test, &[]).stdout(std::process::Stdio::piped()).spawn().unwrap()
}

fn run(test: &str, under: &[&str]) -> Output {
    command(test, under).output().unwrap_or_else(|error| panic!("{under:?}: {error}"))
}

fn command(test: &str, under: &[&str]) -> Command {
    let this = std::env::current_exe().unwrap();
    let mut command = match under {
        [] => Command::new(this),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(this);
            command
        }
    };
    command.args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"]).env(AGAIN, "1");
    command
}

const AGAIN: &str = "IPVS_RS_TEST_AGAIN";
