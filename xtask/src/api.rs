//! `cargo xtask api`: the public API of the library, as a list that reviews can see change.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;
use public_api::{MINIMUM_NIGHTLY_RUST_VERSION, PublicApi};

use crate::progress::Progress;
use crate::workspace::Workspace;

/// Write the list of all public items of the library, with all features
///
/// `cargo xtask test` fails if the list in tests/api.txt is not that of the code, so that no item is added, removed or
/// changed unseen.
#[derive(Args)]
pub struct Arguments {
    /// Write nothing, and fail if the list is not that of the code
    #[arg(long)]
    check: bool,
}

/// The list in the repository.
const LIST: &str = "tests/api.txt";

/// Lines of a difference that are shown.
const SHOWN: usize = 40;

pub fn main(arguments: &Arguments) -> ExitCode {
    let progress = Progress::new();
    let run = || -> Result<bool> {
        let workspace = Workspace::locate()?;
        progress.passing("public API");
        if arguments.check {
            let mut output = Vec::new();
            let is_same = check(&workspace, &mut output)?;
            progress.clear();
            io::stdout().write_all(&output)?;
            return Ok(is_same);
        }
        let found = items(&workspace)?;
        progress.clear();
        fs::write(workspace.root.join(LIST), text(&found)).with_context(|| format!("writing {LIST}"))?;
        println!("{LIST}: {} items", found.len());
        Ok(true)
    };
    let result = run();
    progress.clear();
    progress.verdict(result)
}

/// Whether the list in the repository is that of the code.
pub fn check(workspace: &Workspace, output: &mut Vec<u8>) -> Result<bool> {
    let kept = fs::read_to_string(workspace.root.join(LIST)).with_context(|| format!("reading {LIST}"))?;
    let found = items(workspace)?;
    let kept: Vec<&str> = kept.lines().collect();
    let difference = difference(&kept, &found);
    if difference.is_empty() {
        writeln!(output, "note: {} public items", found.len())?;
    } else {
        writeln!(output, "{LIST} is not the public API; if the change is meant: cargo xtask api\n{difference}")?;
    }
    Ok(difference.is_empty())
}

/// Lines that only one of two lists has, each with its sign.
fn difference(kept: &[&str], found: &[String]) -> String {
    let gone = kept.iter().filter(|line| !found.iter().any(|item| item == *line)).map(|line| format!("- {line}"));
    let new = found.iter().filter(|item| !kept.contains(&item.as_str())).map(|item| format!("+ {item}"));
    let lines: Vec<String> = gone.chain(new).collect();
    let mut text = lines.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n");
    if lines.len() > SHOWN {
        let _ = write!(text, "\nand {} more", lines.len() - SHOWN);
    }
    text
}

fn text(items: &[String]) -> String {
    let mut text = items.join("\n");
    text.push('\n');
    text
}

/// All public items, a line each.
fn items(workspace: &Workspace) -> Result<Vec<String>> {
    let api = public_api::Builder::from_rustdoc_json(describe(workspace)?)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .with_context(|| {
            format!("reading what rustdoc says; the reader is made for that of {MINIMUM_NIGHTLY_RUST_VERSION}")
        })?;
    Ok(lines(&api))
}

fn lines(api: &PublicApi) -> Vec<String> {
    let mut seen = HashSet::new();
    api.items().map(ToString::to_string).filter(|line| seen.insert(line.clone())).collect()
}

/// Has rustdoc describe the library as data, and returns the file.
///
/// Only rustdoc itself is asked for something unstable: this program [stands in for it](rustdoc), so that what cargo has built
/// is used.
fn describe(workspace: &Workspace) -> Result<PathBuf> {
    let output = workspace
        .cargo()
        .env("RUSTDOC", std::env::current_exe().context("finding this program")?)
        .env(REAL, std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into()))
        .args(["rustdoc", "--quiet", "--lib", "--all-features"])
        .args(["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"])
        .stdin(Stdio::null())
        .output()
        .context("running rustdoc")?;
    if !output.status.success() {
        bail!("rustdoc failed:\n{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(workspace.target.join("doc").join("ipvs_rs.json"))
}

/// The variable with the path of the real rustdoc.
const REAL: &str = "IPVS_RS_RUSTDOC";

/// Runs rustdoc, if this program was called in its place. The compiler of every day describes as data, too, if it is told to.
pub fn rustdoc() -> Option<ExitCode> {
    let mut command = Command::new(std::env::var_os(REAL)?);
    command.args(std::env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").env_remove(REAL);
    let ended = command.status().ok().and_then(|status| u8::try_from(status.code()?).ok());
    Some(ended.map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_that_come_and_go_have_their_signs() {
        let found = ["a".to_owned(), "c".to_owned()];
        assert_eq!(difference(&["a", "b"], &found), "- b\n+ c");
        assert_eq!(difference(&["a", "c"], &found), "");
    }

    #[test]
    fn long_differences_are_cut() {
        let found: Vec<String> = (100..150).map(|number: u32| number.to_string()).collect();
        let difference = difference(&[], &found);
        assert_eq!(difference.lines().count(), SHOWN + 1);
        assert!(difference.ends_with("and 10 more"));
    }
}
