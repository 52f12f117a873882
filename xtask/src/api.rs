//! `cargo xtask api`: the public API of the library, as a list that reviews can see change.

use std::collections::{BTreeMap, BTreeSet, HashSet};
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
/// changed unseen. Both fail if an item is public by two paths, or if a name stands for two types.
#[derive(Args)]
pub struct Arguments {
    /// Write nothing, and fail if the list is not that of the code
    #[arg(long)]
    check: bool,
}

/// The list in the repository.
const LIST: &str = "tests/api.txt";

/// Names of the standard library that programs import beside ours. `Error` and `ErrorKind` are not among them: every crate
/// has its own, and code says them with the crate in front.
const STD_NAMES: [&str; 24] = [
    "Arc",
    "Box",
    "Chain",
    "Child",
    "Command",
    "Duration",
    "File",
    "Hash",
    "HashMap",
    "Instant",
    "Iter",
    "Mutex",
    "Option",
    "Ordering",
    "Path",
    "PathBuf",
    "Rc",
    "Result",
    "Send",
    "String",
    "Sync",
    "SystemTime",
    "Thread",
    "Vec",
];

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
        let clashes = clashes(&found);
        for clash in &clashes {
            println!("{clash}");
        }
        Ok(clashes.is_empty())
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
    let clashes = clashes(&found);
    for clash in &clashes {
        writeln!(output, "{clash}")?;
    }
    if difference.is_empty() {
        writeln!(output, "note: {} public items", found.len())?;
    } else {
        writeln!(output, "{LIST} is not the public API; if the change is meant: cargo xtask api\n{difference}")?;
    }
    Ok(difference.is_empty() && clashes.is_empty())
}

/// Sentences about names that stand for two public types, items with two paths, and types with a name of the standard
/// library.
fn clashes(items: &[String]) -> Vec<String> {
    let mut paths: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for item in items.iter().filter_map(|item| Item::read(item)) {
        paths.entry(item.key).or_default().insert(item.path);
    }
    let mut clashes = Vec::new();
    for (key, paths) in paths {
        let name = key.split(|c: char| !is_of_path(c)).next().unwrap_or(key);
        let listed = paths.iter().copied().collect::<Vec<_>>().join(", ");
        if paths.len() > 1 {
            clashes.push(format!("{name} is one item with several public paths, or a name of several types: {listed}"));
        }
        if STD_NAMES.contains(&name) {
            clashes.push(format!("{name} is a name of the standard library: {listed}"));
        }
    }
    clashes
}

/// A type, trait or free function of the list.
struct Item<'a> {
    /// The part that no other item may share: the name of a type, the name and the signature of a function.
    key: &'a str,
    path: &'a str,
}

impl<'a> Item<'a> {
    /// Reads a line of the list; `None` for fields, methods, implementations, and what belongs to a type otherwise.
    fn read(line: &'a str) -> Option<Self> {
        let mut rest = line;
        while rest.starts_with("#[") {
            rest = rest.split_once("] ")?.1;
        }
        rest = rest.strip_prefix("pub ")?;
        for qualifier in ["const ", "async ", "unsafe ", "auto "] {
            rest = rest.strip_prefix(qualifier).unwrap_or(rest);
        }
        let (kind, rest) = rest.split_once(' ')?;
        let path = rest.split(|c: char| !is_of_path(c)).next()?.trim_end_matches(':');
        let (module, name) = path.rsplit_once("::")?;
        let is_in_module = !module.rsplit("::").next()?.starts_with(|c: char| c.is_ascii_uppercase());
        let key = match kind {
            "struct" | "enum" | "union" | "trait" | "type" => name,
            "fn" => rest.get(module.len() + "::".len()..)?,
            _ => return None,
        };
        is_in_module.then_some(Self { key, path })
    }
}

fn is_of_path(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == ':'
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

    fn clashes_of(items: &[&str]) -> Vec<String> {
        clashes(&items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn item_with_two_paths_and_name_of_two_types_are_named() {
        let found = clashes_of(&[
            "#[non_exhaustive] pub struct c::Plan",
            "pub struct c::plan::Plan<'a>",
            "pub fn c::plan(&c::Plan) -> u8",
            "pub fn c::plan::plan(&c::Plan) -> u8",
            "pub trait c::Watch: core::fmt::Debug",
            "pub enum c::plan::Watch",
        ]);
        assert_eq!(
            found,
            [
                "Plan is one item with several public paths, or a name of several types: c::Plan, c::plan::Plan",
                "Watch is one item with several public paths, or a name of several types: c::Watch, c::plan::Watch",
                "plan is one item with several public paths, or a name of several types: c::plan, c::plan::plan",
            ]
        );
        assert_eq!(
            clashes_of(&["pub struct c::Duration(_)"]),
            ["Duration is a name of the standard library: c::Duration"]
        );
    }

    #[test]
    fn parts_of_types_and_different_functions_may_share_a_name() {
        let found = clashes_of(&[
            "pub mod c::plan",
            "pub fn c::plan(u8)",
            "pub fn c::desired::plan(u16)",
            "pub struct c::A",
            "pub type c::A::Item = u8",
            "pub const fn c::A::get(u8)",
            "pub struct c::B",
            "pub type c::B::Item = u8",
            "pub const fn c::B::get(u8)",
            "pub type &'a c::B::Item = u8",
            "pub c::B::item: u8",
            "impl core::fmt::Display for c::B",
        ]);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn long_differences_are_cut() {
        let found: Vec<String> = (100..150).map(|number: u32| number.to_string()).collect();
        let difference = difference(&[], &found);
        assert_eq!(difference.lines().count(), SHOWN + 1);
        assert!(difference.ends_with("and 10 more"));
    }
}
