//! The folders of the project, and the builds of cargo.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The checkout that this xtask belongs to.
#[derive(Clone)]
pub struct Workspace {
    pub root: PathBuf,
    pub target: PathBuf,
    /// Cargo prints only what goes wrong: its progress is not that of the caller.
    pub is_quiet: bool,
}

impl Workspace {
    pub fn locate() -> Result<Self> {
        let output = cargo()
            .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit())
            .output()
            .context("running cargo metadata")?;
        if !output.status.success() {
            bail!("cargo metadata failed");
        }
        let metadata: Value = serde_json::from_slice(&output.stdout).context("reading cargo metadata")?;
        let path = |key: &str| {
            metadata[key].as_str().map(PathBuf::from).with_context(|| format!("cargo metadata names no {key}"))
        };
        Ok(Self { root: path("workspace_root")?, target: path("target_directory")?, is_quiet: false })
    }

    /// The folder of downloads, images and consoles of the guest.
    pub fn cache(&self) -> PathBuf {
        self.target.join("vm")
    }

    /// The oldest compiler that the manifest of the library names.
    pub fn rust_version(&self) -> Result<String> {
        let manifest = std::fs::read_to_string(self.root.join("Cargo.toml")).context("reading Cargo.toml")?;
        let line = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
        line.map(|version| version.trim_matches('"').to_owned()).context("Cargo.toml names no rust-version")
    }

    /// A cargo command in the root of the workspace.
    pub fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }

    /// Builds one target for a guest and returns its executable. Cargo's own messages go to standard error.
    pub fn build(&self, target: &Target, options: &BuildOptions) -> Result<PathBuf> {
        let mut command = self.cargo();
        command
            .args(target.arguments(options.release))
            .args(options.arguments())
            .arg("--message-format=json-render-diagnostics")
            .stdin(Stdio::null())
            .stderr(Stdio::inherit());
        if self.is_quiet {
            command.arg("--quiet");
        }
        if target.is_fixed(options.release) {
            command.arg("--").args(FIXED_ADDRESS);
        }
        let output = command.output().with_context(|| format!("building {target}"))?;
        if !output.status.success() {
            bail!("cargo could not build {target}");
        }
        executable(&String::from_utf8_lossy(&output.stdout), target)
            .with_context(|| format!("cargo built no executable for {target}"))
    }
}

/// The target of a build.
pub enum Target {
    Bench(String),
    Example(String),
    Test(String),
}

impl Target {
    fn arguments(&self, release: bool) -> Vec<&str> {
        match self {
            Self::Bench(name) => vec!["bench", "--no-run", "--bench", name],
            Self::Example(name) if release => vec!["build", "--example", name],
            Self::Test(name) if release => vec!["test", "--no-run", "--test", name],
            Self::Example(name) => vec!["rustc", "--example", name],
            Self::Test(name) => vec!["rustc", "--test", name],
        }
    }

    /// Whether the program is linked at a [fixed address](FIXED_ADDRESS).
    const fn is_fixed(&self, release: bool) -> bool {
        matches!(self, Self::Example(_) | Self::Test(_)) && !release
    }

    fn kind(&self) -> &str {
        match self {
            Self::Bench(_) => "bench",
            Self::Example(_) => "example",
            Self::Test(_) => "test",
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Bench(name) | Self::Example(name) | Self::Test(name) => name,
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind(), self.name())
    }
}

/// Linked at a fixed address and without its debugging information, a program of a hundred megabytes starts in an emulated
/// guest three times as fast: nothing is left to relocate, and there is less to unpack. Optimizing it gains a tenth more
/// and costs a second build of everything.
const FIXED_ADDRESS: [&str; 4] = ["-C", "relocation-model=static", "-C", "strip=debuginfo"];

/// The settings of a build.
#[derive(Default)]
pub struct BuildOptions {
    pub release: bool,
    /// `None`: all of them.
    pub features: Option<String>,
}

impl BuildOptions {
    fn arguments(&self) -> Vec<OsString> {
        let mut arguments = Vec::new();
        match &self.features {
            None => arguments.push("--all-features".into()),
            Some(features) => arguments.extend(["--features".into(), features.into()]),
        }
        if self.release {
            arguments.push("--release".into());
        }
        arguments
    }
}

fn cargo() -> Command {
    // Cargo says which cargo it is to the programs that it runs.
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The executable of `target` among cargo's JSON messages.
fn executable(messages: &str, target: &Target) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter(|message| message["target"]["name"] == target.name())
        .filter(|message| {
            message["target"]["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == target.kind()))
        })
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// A program on `PATH`, or in the folders of the administrator that an ordinary user's `PATH` lacks.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let administrator = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
    std::env::split_paths(&path)
        .chain(administrator.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| is_executable(candidate))
}

pub fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_found_among_cargos_messages() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"demo"},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["test"],"name":"demo"},"executable":"/t/debug/deps/demo-1"}
{"reason":"compiler-artifact","target":{"kind":["example"],"name":"demo"},"executable":"/t/debug/examples/demo"}
{"reason":"build-finished","success":true}
"#;
        let found = executable(messages, &Target::Example("demo".to_owned()));
        assert_eq!(found, Some(PathBuf::from("/t/debug/examples/demo")));
        assert_eq!(executable(messages, &Target::Example("other".to_owned())), None);
    }

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(find_program("sh").is_some());
        assert!(find_program("no-such-program-anywhere").is_none());
    }
}
