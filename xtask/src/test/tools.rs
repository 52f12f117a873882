//! Programs of the host that check the project.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::workspace::{Workspace, find_program};

/// A checker that not every machine has.
pub struct Checker {
    /// Its name on `PATH`.
    program: &'static str,
    arguments: &'static [&'static str],
    /// The command that installs it.
    install: &'static str,
}

/// Spelling, as `_typos.toml` has it.
pub const TYPOS: Checker = Checker { program: "typos", arguments: &["--color", "never"], install: "pip install typos" };

/// Licenses, sources and duplicates of dependencies, as `deny.toml` has them; advisories would need a network.
pub const CARGO_DENY: Checker = Checker {
    program: "cargo-deny",
    arguments: &[
        "--offline",
        "--all-features",
        "--color",
        "never",
        "--log-level",
        "error",
        "check",
        "bans",
        "licenses",
        "sources",
    ],
    install: "cargo install --locked cargo-deny",
};

/// A run with this variable takes a checker that is missing for a failure.
const REQUIRED: &str = "IPVS_RS_REQUIRE_CHECKERS";

impl Checker {
    /// Runs the checker, or says how to install it.
    pub fn run(&self, workspace: &Workspace, output: &mut Vec<u8>) -> Result<bool> {
        let Some(path) = find_program(self.program) else {
            if std::env::var_os(REQUIRED).is_some() {
                bail!("{} is not installed: {}", self.program, self.install);
            }
            writeln!(output, "note: not checked: {} is not installed ({})", self.program, self.install)?;
            return Ok(true);
        };
        let mut command = Command::new(path);
        command.args(self.arguments).current_dir(&workspace.root);
        run_command(command, output)
    }
}

/// Checks the library and its tools with the oldest compiler that the manifest names, where rustup has it or gets it.
pub fn oldest(workspace: &Workspace, output: &mut Vec<u8>) -> Result<bool> {
    let version = workspace.rust_version()?;
    let mut install = Command::new("rustup");
    install.args(["toolchain", "install", &version, "--profile", "minimal", "--no-self-update"]);
    let mut said = Vec::new();
    if !matches!(run_command(install, &mut said), Ok(true)) {
        writeln!(output, "note: Rust {version} is not there and rustup cannot get it: not checked")?;
        return Ok(true);
    }
    let mut check = Command::new("rustup");
    check
        .current_dir(&workspace.root)
        .args(["run", &version, "cargo", "check", "--quiet", "--all-features", "--lib", "--examples", "--target-dir"])
        .arg(workspace.target.join("oldest"));
    // The compiler that runs this program has left its marks.
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        check.env_remove(name);
    }
    run_command(check, output)
}

/// Runs a command with both of its outputs in one place.
pub fn run_command(mut command: Command, output: &mut Vec<u8>) -> Result<bool> {
    let (mut reader, writer) = io::pipe().context("making a pipe")?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().with_context(|| format!("starting {}", command.get_program().display()))?;
    // The command holds the ends that are written to; ours must go, or the reading would never end.
    drop(command);
    io::copy(&mut reader, output).context("reading output")?;
    Ok(child.wait()?.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_outputs_of_a_command_are_kept() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        let mut output = Vec::new();
        assert!(!run_command(command, &mut output).unwrap());
        assert_eq!(String::from_utf8(output).unwrap(), "out\nerr\n");
    }

    #[test]
    fn checker_that_is_not_installed_is_a_note() {
        let checker = Checker { program: "no-such-program-anywhere", arguments: &[], install: "make it" };
        let workspace = Workspace { root: ".".into(), target: "target".into(), is_quiet: true };
        let mut output = Vec::new();
        let result = checker.run(&workspace, &mut output);
        if std::env::var_os(REQUIRED).is_some() {
            assert_eq!(result.unwrap_err().to_string(), "no-such-program-anywhere is not installed: make it");
        } else {
            assert!(result.unwrap());
            let text = "note: not checked: no-such-program-anywhere is not installed (make it)\n";
            assert_eq!(String::from_utf8(output).unwrap(), text);
        }
    }
}
