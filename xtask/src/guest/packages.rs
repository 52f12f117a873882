//! Programs of this host that the guest is made with, and how to get the missing ones.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::progress::Progress;
use crate::workspace::find_program;

/// A program and the Debian package that brings it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tool {
    pub program: String,
    pub package: String,
}

impl Tool {
    pub fn new(program: &str, package: &str) -> Self {
        Self { program: program.to_owned(), package: package.to_owned() }
    }

    /// `PROGRAM`, or `PACKAGE:PROGRAM` where the names differ.
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some((package, program)) => Self::new(program, package),
            None => Self::new(text, text),
        }
    }
}

/// The programs of the host that make and boot a guest.
pub fn host_tools() -> Vec<Tool> {
    [
        ("qemu-system-x86_64", "qemu-system-x86"),
        ("depmod", "kmod"),
        ("setpriv", "util-linux"),
        ("ldd", "libc-bin"),
        ("dpkg", "dpkg"),
        ("xz", "xz-utils"),
        ("zstd", "zstd"),
    ]
    .map(|(program, package)| Tool::new(program, package))
    .to_vec()
}

/// The packages of every guest.
pub fn guest_tools() -> Vec<Tool> {
    [
        ("busybox", "busybox-static"),
        // Busybox's own shell prefers its applets to real programs of the same name.
        ("dash", "dash"),
        ("bash", "bash"),
        ("kmod", "kmod"),
        ("ip", "iproute2"),
        ("ipvsadm", "ipvsadm"),
        ("setpriv", "util-linux"),
        ("strace", "strace"),
    ]
    .map(|(program, package)| Tool::new(program, package))
    .to_vec()
}

/// Finds every tool on this host; installs what is missing where that is possible (apt, root), otherwise says what to
/// install and how.
pub fn provide(tools: &[Tool], progress: &Progress) -> Result<Vec<PathBuf>> {
    let mut missing: Vec<&Tool> = tools.iter().filter(|tool| find_program(&tool.program).is_none()).collect();
    if !missing.is_empty() {
        let mut packages: Vec<&str> = missing.iter().map(|tool| tool.package.as_str()).collect();
        packages.sort_unstable();
        packages.dedup();
        if find_program("apt-get").is_none() {
            bail!(
                "not installed: {}. These are programs of the Debian packages {}; install your system's equivalents and try again",
                names(&missing),
                packages.join(", ")
            );
        }
        if !is_root() {
            bail!(
                "not installed: {}. Install them once, as root, and run this again as you are:\n    apt-get install --no-install-recommends {}",
                names(&missing),
                packages.join(" ")
            );
        }
        install(&packages, progress)?;
        missing.retain(|tool| find_program(&tool.program).is_none());
        if !missing.is_empty() {
            bail!("installed {}, but still no {}", packages.join(" "), names(&missing));
        }
    }
    Ok(tools.iter().filter_map(|tool| find_program(&tool.program)).collect())
}

pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // The owner of a process's folder in /proc is its effective user.
    Path::new("/proc/self").metadata().is_ok_and(|meta| meta.uid() == 0)
}

fn install(packages: &[&str], progress: &Progress) -> Result<()> {
    progress.step(&format!("installing {}", packages.join(" ")));
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(packages);
    let first = apt_get(&arguments)?;
    if first.is_ok() {
        return Ok(());
    }
    // Either there are no lists yet, as in a fresh container, or they name versions that the mirror has replaced.
    progress.step("reading the package lists");
    if let Err(message) = apt_get(&["update"])? {
        bail!("apt-get update failed:\n{message}");
    }
    progress.step(&format!("installing {}", packages.join(" ")));
    if let Err(message) = apt_get(&arguments)? {
        bail!("apt-get install {} failed:\n{message}", packages.join(" "));
    }
    Ok(())
}

/// Runs apt-get as root; the inner error is what it printed.
fn apt_get(arguments: &[&str]) -> Result<Result<(), String>> {
    let output = Command::new("apt-get")
        .args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("LC_ALL", "C")
        .stdin(std::process::Stdio::null())
        .output()
        .context("running apt-get")?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = text.lines().collect();
    Ok(Err(lines[lines.len().saturating_sub(15)..].join("\n")))
}

fn names(tools: &[&Tool]) -> String {
    tools.iter().map(|tool| tool.program.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_names_its_package_where_they_differ() {
        assert_eq!(Tool::parse("curl"), Tool::new("curl", "curl"));
        assert_eq!(Tool::parse("netcat-openbsd:nc.openbsd"), Tool::new("nc.openbsd", "netcat-openbsd"));
    }
}
