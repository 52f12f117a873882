//! A network namespace, a folder, and the two programs.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::namespaces::{Namespace, alone};
use crate::output;

/// The output and the exit status of a program.
#[derive(Debug)]
pub struct ProgramOutput {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A network namespace with an empty table, and a folder for files.
pub struct World {
    pub network: Namespace,
    folder: TempDir,
}

/// Does something in a new world, while no other test runs.
pub fn scene(body: impl FnOnce(&World) + Send) {
    alone(|| body(&World { network: Namespace::new(), folder: TempDir::new().unwrap() }));
}

impl World {
    /// Runs our program.
    pub fn ctl(&self, words: &[&str]) -> ProgramOutput {
        self.run(words, "", &[])
    }

    /// Runs our program with standard input and variables.
    pub fn run(&self, words: &[&str], stdin: &str, variables: &[(&str, &str)]) -> ProgramOutput {
        let mut command = self.command(words);
        command.envs(variables.iter().copied());
        self.network.run(|| said(command, stdin))
    }

    /// Our program, ready to be started in the namespace.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(ours());
        command.args(words).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir(self.folder.path());
        command
    }

    /// Starts our program and leaves it running.
    pub fn start(&self, words: &[&str]) -> std::process::Child {
        let mut command = self.command(words);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.network.run(|| command.spawn().unwrap())
    }

    /// Runs our program, which must succeed without a word on standard error. Returns what it printed.
    pub fn ok(&self, words: &[&str]) -> String {
        let said = self.ctl(words);
        assert_eq!((said.status, &*said.stderr), (0, ""), "{words:?}: {}", said.stdout);
        said.stdout
    }

    /// Runs our program, which must fail like this and print no data. Returns what it said.
    pub fn fails(&self, status: i32, words: &[&str]) -> String {
        let said = self.ctl(words);
        assert_eq!((said.status, &*said.stdout), (status, ""), "{words:?}: {}", said.stderr);
        assert!(!said.stderr.is_empty(), "{words:?}");
        said.stderr
    }

    /// Applies a file, which must succeed.
    pub fn apply(&self, text: &str) {
        self.write("apply.yaml", text);
        assert_eq!(self.ok_but_warned(&["apply", "-f", "apply.yaml"]), "Applied configuration from apply.yaml\n");
    }

    /// Runs our program, which must succeed; it may warn. Returns what it printed.
    pub fn ok_but_warned(&self, words: &[&str]) -> String {
        let said = self.ctl(words);
        assert_eq!(said.status, 0, "{words:?}: {}", said.stderr);
        assert!(said.stderr.lines().all(|line| line.starts_with("Warning: ")), "{words:?}: {}", said.stderr);
        said.stdout
    }

    /// Makes Debian's ipvsadm execute rules.
    pub fn rules(&self, rules: &str) {
        let said = self.debians(&["-R"], rules);
        assert_eq!((said.status, &*said.stderr), (0, ""), "{rules}");
    }

    /// Empties the table.
    pub fn clear(&self) {
        assert_eq!(self.debians(&["-C"], "").status, 0);
    }

    /// The table as Debian's ipvsadm saves it.
    pub fn saved(&self) -> String {
        self.debians(&["-S", "-n"], "").stdout
    }

    /// The output of Debian's ipvsadm.
    pub fn ipvsadm(&self, words: &[&str]) -> String {
        let said = self.debians(words, "");
        assert_eq!((said.status, &*said.stderr), (0, ""), "{words:?}");
        said.stdout
    }

    fn debians(&self, words: &[&str], stdin: &str) -> ProgramOutput {
        let program = std::env::var_os("IPVS_RS_IPVSADM_ORIGINAL").unwrap_or_else(|| "/usr/sbin/ipvsadm".into());
        let mut command = Command::new(program);
        command.args(words);
        self.network.run(|| said(command, stdin))
    }

    /// Runs a line of a shell, which must succeed. Returns what it printed.
    pub fn shell(&self, line: &str) -> String {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]).current_dir(self.folder.path());
        let said = self.network.run(|| said(command, ""));
        assert_eq!(said.status, 0, "{line}: {}", said.stderr);
        said.stdout
    }

    /// Writes a file of the folder that programs run in.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Reads a file of that folder.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// The path of a file of that folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Our program.
pub fn ours() -> PathBuf {
    std::env::var_os("IPVS_RS_IPVSCTL").map_or_else(|| "/usr/local/bin/ipvsctl".into(), PathBuf::from)
}

/// Runs a command to its end.
pub fn said(command: Command, stdin: impl AsRef<OsStr>) -> ProgramOutput {
    use std::os::unix::ffi::OsStrExt;
    let output = output::run(command, stdin.as_ref().as_bytes());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    ProgramOutput { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) }
}
