//! Files of the guest, collected before they are written into an archive.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::cpio::Archive;
use crate::workspace::find_program;

/// Paths without a leading slash; parents are implied.
#[derive(Default)]
pub struct Tree {
    nodes: BTreeMap<String, Node>,
}

enum Node {
    Directory(u32),
    Symlink(String),
    Text { content: String, mode: u32 },
    Copy(PathBuf),
}

impl Tree {
    pub fn directory(&mut self, path: &str, mode: u32) {
        self.insert(path, Node::Directory(mode));
    }

    pub fn symlink(&mut self, path: &str, target: &str) {
        self.insert(path, Node::Symlink(target.to_owned()));
    }

    pub fn text(&mut self, path: &str, content: impl Into<String>, mode: u32) {
        let content = content.into();
        self.insert(path, Node::Text { content, mode });
    }

    /// A file of the host, with its permissions.
    pub fn copy(&mut self, host: &Path, guest: &str) -> Result<()> {
        let meta = fs::metadata(host).with_context(|| format!("reading {}", host.display()))?;
        if !meta.is_file() {
            bail!("{} is not a file", host.display());
        }
        self.insert(guest, Node::Copy(host.to_owned()));
        Ok(())
    }

    /// A file of the host, or everything in a folder of the host, under the same path.
    pub fn copy_as_is(&mut self, host: &Path) -> Result<()> {
        let host = std::path::absolute(host)?;
        if !host.is_dir() {
            let guest = utf8(&host)?.to_owned();
            return self.copy(&host, &guest);
        }
        self.directory(utf8(&host)?, 0o755);
        for entry in fs::read_dir(&host).with_context(|| format!("reading {}", host.display()))? {
            self.copy_as_is(&entry?.path())?;
        }
        Ok(())
    }

    /// A program of the host with all it needs to start: the shared libraries, or the interpreter of a script.
    pub fn program(&mut self, host: &Path, guest: &str) -> Result<()> {
        self.copy(host, guest)?;
        if let Some(interpreters) = shebang(host)? {
            for interpreter in interpreters {
                if self.contains(&interpreter) || interpreter.ends_with("/sh") {
                    continue;
                }
                let found = if interpreter.starts_with('/') {
                    Some(PathBuf::from(&interpreter))
                } else {
                    find_program(&interpreter)
                };
                let path = found
                    .filter(|path| path.exists())
                    .with_context(|| format!("{} needs {interpreter}, which is not here", host.display()))?;
                let guest = utf8(&path)?.to_owned();
                self.program(&path, &guest)?;
            }
        }
        for library in libraries(host)? {
            let guest = utf8(&library)?.to_owned();
            self.copy(&library, &guest)?;
        }
        Ok(())
    }

    pub fn contains(&self, path: &str) -> bool {
        self.nodes.contains_key(&guest_path(path))
    }

    /// The path of a program: its own, or that of its name on the guest's `PATH`.
    pub fn find_program(&self, name: &str) -> Option<String> {
        let candidates = match name.starts_with('/') {
            true => vec![name.to_owned()],
            false if name.contains('/') => vec![],
            false => ["local/bin", "sbin", "bin"].iter().map(|folder| format!("/usr/{folder}/{name}")).collect(),
        };
        candidates.into_iter().find(|path| self.contains(path))
    }

    /// One line per entry that changes whenever its content does.
    pub fn manifest(&self) -> Result<String> {
        use std::fmt::Write;
        let mut manifest = String::new();
        for (path, node) in &self.nodes {
            match node {
                Node::Directory(mode) => writeln!(manifest, "d {path} {mode:o}")?,
                Node::Symlink(target) => writeln!(manifest, "l {path} {target}")?,
                Node::Text { content, mode } => {
                    writeln!(manifest, "t {path} {mode:o} {content:?}")?;
                }
                Node::Copy(host) => {
                    let meta = fs::metadata(host).with_context(|| format!("reading {}", host.display()))?;
                    writeln!(
                        manifest,
                        "c {path} {} {} {}.{}",
                        host.display(),
                        meta.len(),
                        meta.mtime(),
                        meta.mtime_nsec()
                    )?;
                }
            }
        }
        Ok(manifest)
    }

    pub fn write_to<W: Write>(&self, archive: &mut Archive<W>) -> Result<()> {
        for (path, node) in &self.nodes {
            match node {
                Node::Directory(mode) => archive.directory(path, *mode)?,
                Node::Symlink(target) => archive.symlink(path, target)?,
                Node::Text { content, mode } => {
                    archive.file(path, *mode, 0, content.len() as u64, content.as_bytes())?;
                }
                Node::Copy(host) => {
                    let file = File::open(host).with_context(|| format!("reading {}", host.display()))?;
                    let meta = file.metadata()?;
                    archive.file(
                        path,
                        meta.permissions().mode() & 0o7777,
                        u32::try_from(meta.mtime()).unwrap_or(0),
                        meta.len(),
                        file,
                    )?;
                }
            }
        }
        Ok(())
    }

    fn insert(&mut self, path: &str, node: Node) {
        let path = guest_path(path);
        // The kernel creates nothing below a folder that it has not seen.
        for (at, _) in path.match_indices('/') {
            self.nodes.entry(path[..at].to_owned()).or_insert(Node::Directory(0o755));
        }
        match (&node, self.nodes.get(&path)) {
            // Implied folders keep the mode that was asked for.
            (Node::Directory(0o755), Some(Node::Directory(_))) => {}
            _ => {
                self.nodes.insert(path, node);
            }
        }
    }
}

/// The guest has `/bin`, `/sbin`, `/lib` and `/lib64` as links into `/usr`. An entry below such a link, with its parent
/// as a folder, would make the kernel replace the link, so the path is spelled out.
fn guest_path(path: &str) -> String {
    let mut clean: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    let merged = clean.len() > 1 && MERGED.contains(&clean[0]);
    let prefix = if merged { "usr/" } else { "" };
    format!("{prefix}{}", clean.join("/"))
}

/// Top folders of the guest that are links into `/usr`.
pub const MERGED: &[&str] = &["bin", "sbin", "lib", "lib64"];

pub fn utf8(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}

/// The programs that a script's first line names: the interpreter, and what `env` is to look for.
fn shebang(program: &Path) -> Result<Option<Vec<String>>> {
    let file = File::open(program).with_context(|| format!("reading {}", program.display()))?;
    let mut first = Vec::new();
    BufReader::new(file).take(256).read_until(b'\n', &mut first)?;
    let Some(line) = first.strip_prefix(b"#!") else {
        return Ok(None);
    };
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    let interpreter = words.next().unwrap_or("/bin/sh").to_owned();
    if interpreter.ends_with("/env") {
        let wanted = words.find(|word| !word.starts_with('-')).unwrap_or("sh").to_owned();
        // `env` itself is one of busybox's programs.
        return Ok(Some(if wanted == "sh" { vec![] } else { vec![wanted] }));
    }
    Ok(Some(vec![interpreter]))
}

/// The shared libraries and the loader of a program, as `ldd` resolves them on this host.
fn libraries(program: &Path) -> Result<Vec<PathBuf>> {
    let mut magic = [0; 4];
    let read = File::open(program)?.read(&mut magic)?;
    if read < 4 || magic != *b"\x7fELF" {
        return Ok(Vec::new());
    }
    let output = Command::new("ldd").arg(program).env("LC_ALL", "C").output().context("running ldd")?;
    // A static program makes ldd fail with a sentence on standard error; it simply needs nothing.
    parse_ldd(&String::from_utf8_lossy(&output.stdout)).with_context(|| format!("libraries of {}", program.display()))
}

fn parse_ldd(output: &str) -> Result<Vec<PathBuf>> {
    let mut libraries = Vec::new();
    for line in output.lines() {
        let line = line.trim();
        if line.ends_with("=> not found") {
            bail!("{line}");
        }
        let target = line.split_once("=> ").map_or(line, |(_, target)| target);
        if target.starts_with('/') {
            let path = target.split_once(" (").map_or(target, |(path, _)| path);
            libraries.push(PathBuf::from(path));
        }
    }
    Ok(libraries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ldd_names_libraries_and_the_loader() {
        let output = "\tlinux-vdso.so.1 (0x00007ffd)\n\
            \tlibnl-3.so.200 => /lib/x86_64-linux-gnu/libnl-3.so.200 (0x00007f)\n\
            \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        assert_eq!(
            parse_ldd(output).unwrap(),
            [PathBuf::from("/lib/x86_64-linux-gnu/libnl-3.so.200"), PathBuf::from("/lib64/ld-linux-x86-64.so.2"),]
        );
        assert!(parse_ldd("\tstatically linked\n").unwrap().is_empty());
        assert!(parse_ldd("\tlibx.so => not found\n").is_err());
    }

    #[test]
    fn paths_below_merged_folders_are_spelled_out() {
        assert_eq!(guest_path("/lib64/ld.so"), "usr/lib64/ld.so");
        assert_eq!(guest_path("/sbin/ip"), "usr/sbin/ip");
        assert_eq!(guest_path("/lib"), "lib");
        assert_eq!(guest_path("/usr/bin/../lib/x"), "usr/lib/x");
        assert_eq!(guest_path("/etc/hosts"), "etc/hosts");
    }

    #[test]
    fn parents_are_implied_and_keep_their_mode() {
        let mut tree = Tree::default();
        tree.directory("tmp", 0o1777);
        tree.text("/tmp/a/b", "x", 0o644);
        assert_eq!(tree.manifest().unwrap(), "d tmp 1777\nd tmp/a 755\nt tmp/a/b 644 \"x\"\n");
    }

    #[test]
    fn programs_are_found_by_name_and_by_path() {
        let mut tree = Tree::default();
        tree.symlink("usr/bin/ip", "busybox");
        tree.symlink("usr/sbin/ip", "iproute2");
        assert_eq!(tree.find_program("ip").as_deref(), Some("/usr/sbin/ip"));
        assert_eq!(tree.find_program("/bin/ip").as_deref(), Some("/bin/ip"));
        assert_eq!(tree.find_program("./ip"), None);
        assert_eq!(tree.find_program("ls"), None);
    }

    #[test]
    fn scripts_bring_their_interpreter() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("script");
        fs::write(&script, "#!/usr/bin/env -S bash -e\ntrue\n").unwrap();
        assert_eq!(shebang(&script).unwrap(), Some(vec!["bash".to_owned()]));
        fs::write(&script, "#!/bin/sh\ntrue\n").unwrap();
        assert_eq!(shebang(&script).unwrap(), Some(vec!["/bin/sh".to_owned()]));
        fs::write(&script, "no script").unwrap();
        assert_eq!(shebang(&script).unwrap(), None);
    }
}
