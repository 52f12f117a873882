//! The coverage of the library by the inputs of the fuzzers.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{found, succeeds};
use crate::progress::Progress;
use crate::workspace::Workspace;

/// Runs every input of these targets once, and says for each part of the library how much of it they reach.
pub fn measure(workspace: &Workspace, targets: &[String], progress: &Progress) -> Result<Vec<(String, Coverage)>> {
    let tools = tools(progress)?;
    let mut programs = Vec::new();
    let mut profiles = Vec::new();
    for name in targets {
        progress.step(&format!("running the inputs of {name}"));
        let mut command = workspace.cargo();
        command.args(["fuzz", "coverage", "--sanitizer", "none", name]);
        command.arg(workspace.root.join("fuzz/corpus").join(name));
        let found = found(workspace, name);
        command.args(found.is_dir().then_some(found));
        let output = command.stdin(Stdio::null()).output().context("running cargo fuzz coverage")?;
        if !output.status.success() {
            bail!("cargo fuzz coverage {name} failed:\n{}", String::from_utf8_lossy(&output.stderr));
        }
        let machine = machine()?;
        programs.push(workspace.target.join(&machine).join("coverage").join(&machine).join("release").join(name));
        profiles.push(workspace.root.join("fuzz/coverage").join(name).join("coverage.profdata"));
    }
    progress.step("adding up what was reached");
    let folder = tempfile::tempdir().context("making a folder")?;
    let merged = folder.path().join("all.profdata");
    output(Command::new(tools.join("llvm-profdata")).arg("merge").args(&profiles).arg("-o").arg(&merged))?;
    let [first, others @ ..] = &programs[..] else { bail!("no target was named") };
    let mut export = Command::new(tools.join("llvm-cov"));
    export.arg("export").arg("--summary-only").arg("--instr-profile").arg(&merged).arg(first);
    for other in others {
        export.arg("--object").arg(other);
    }
    parts(&output(&mut export)?, &workspace.root.join("src"))
}

/// The coverage of the source.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Coverage {
    lines: Ratio,
    regions: Ratio,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Ratio {
    covered: u64,
    count: u64,
}

impl Ratio {
    fn add(&mut self, summary: &Value) -> Option<()> {
        self.covered += summary["covered"].as_u64()?;
        self.count += summary["count"].as_u64()?;
        Some(())
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.covered * 1000).checked_div(self.count).unwrap_or(0);
        write!(f, "{:>3}.{} % of {:>4}", tenths / 10, tenths % 10, self.count)
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines, {} regions", self.lines, self.regions)
    }
}

/// Adds the files of a report up to the modules below this folder.
fn parts(report: &[u8], source: &Path) -> Result<Vec<(String, Coverage)>> {
    let report: Value = serde_json::from_slice(report).context("reading the report of llvm-cov")?;
    let files = report["data"][0]["files"].as_array().context("the report of llvm-cov names no files")?;
    let mut parts = BTreeMap::<String, Coverage>::new();
    for file in files {
        let Some(path) = file["filename"].as_str() else { continue };
        let Ok(inside) = Path::new(path).strip_prefix(source) else { continue };
        let Some(module) = inside.components().next() else { continue };
        let part = parts.entry(module.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()).or_default();
        let summary = &file["summary"];
        part.lines.add(&summary["lines"]).with_context(|| format!("the report of llvm-cov has no lines of {path}"))?;
        part.regions.add(&summary["regions"]).with_context(|| format!("the report has no regions of {path}"))?;
    }
    Ok(parts.into_iter().collect())
}

/// The folder with the compiler's own tools of LLVM: others cannot read what its programs write.
fn tools(progress: &Progress) -> Result<PathBuf> {
    let sysroot = String::from_utf8(output(Command::new("rustc").args(["--print", "sysroot"]))?)?;
    let folder = Path::new(sysroot.trim()).join("lib/rustlib").join(machine()?).join("bin");
    if !folder.join("llvm-cov").is_file() {
        progress.step("installing llvm-tools");
        if !succeeds(Command::new("rustup").args(["component", "add", "llvm-tools"])) {
            bail!("llvm-tools could not be installed; `rustup component add llvm-tools` says why");
        }
    }
    Ok(folder)
}

/// The compiler's name for this machine, such as `x86_64-unknown-linux-gnu`.
fn machine() -> Result<String> {
    let version = String::from_utf8(output(Command::new("rustc").arg("-vV"))?)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what machine this is")?.to_owned())
}

fn output(command: &mut Command) -> Result<Vec<u8>> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("running {name}"))?;
    if !output.status.success() {
        bail!("{name} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_library_are_added_up_by_module() {
        let report = r#"{"data": [{"files": [
            {"filename": "/p/src/codec/frame.rs", "summary": {"lines": {"count": 30, "covered": 20}, "regions": {"count": 9, "covered": 9}}},
            {"filename": "/p/src/codec/attr.rs", "summary": {"lines": {"count": 10, "covered": 10}, "regions": {"count": 2, "covered": 0}}},
            {"filename": "/p/src/error.rs", "summary": {"lines": {"count": 0, "covered": 0}, "regions": {"count": 1, "covered": 1}}},
            {"filename": "/other/src/codec/attr.rs", "summary": {"lines": {"count": 1, "covered": 0}, "regions": {"count": 1, "covered": 0}}}
        ]}]}"#;
        let parts = parts(report.as_bytes(), Path::new("/p/src")).unwrap();
        let told: Vec<String> = parts.iter().map(|(name, reached)| format!("{name}: {reached}")).collect();
        assert_eq!(
            told,
            [
                "codec:  75.0 % of   40 lines,  81.8 % of   11 regions",
                "error:   0.0 % of    0 lines, 100.0 % of    1 regions",
            ]
        );
    }

    #[test]
    fn report_without_numbers_is_refused() {
        let report = r#"{"data": [{"files": [{"filename": "/p/src/error.rs", "summary": {}}]}]}"#;
        assert!(parts(report.as_bytes(), Path::new("/p/src")).is_err());
        assert!(parts(b"{}", Path::new("/p/src")).is_err());
    }
}
