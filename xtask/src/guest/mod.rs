//! A small virtual machine with a real kernel, in which a program runs as root with a fresh IPVS table.
//!
//! ```text
//! Guest::new(&workspace, Version::V6_1).command("ipvsadm", ["-Ln"]).run(&progress)
//! ```

mod apt;
mod clock;
mod cpio;
mod image;
mod kernel;
mod marker;
mod modules;
mod packages;
mod qemu;
mod session;
mod tree;

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};

pub use self::kernel::Version;
pub use self::packages::{Tool, is_root, provide};
pub use self::qemu::{Accelerator, Machine};

use self::image::Base;
use self::kernel::Kernel;
use self::session::{Ending, Start};
use self::tree::{Tree, utf8};
use crate::progress::Progress;
use crate::workspace::{Workspace, find_program, is_executable};

/// The destination of a program's output.
pub type Sink = Arc<Mutex<dyn Write + Send>>;

/// Makes something writable into a [`Sink`].
pub fn sink(writer: impl Write + Send + 'static) -> Sink {
    Arc::new(Mutex::new(writer))
}

/// A guest to be: what it consists of and what runs in it.
pub struct Guest {
    cache: PathBuf,
    kernel: Version,
    machine: Machine,
    timeout: Duration,
    commands: Vec<(OsString, Vec<OsString>)>,
    programs: Vec<PathBuf>,
    extras: Vec<Tool>,
    files: Vec<PathBuf>,
    modules: Vec<String>,
    environment: Vec<(String, String)>,
    without_ipvs: bool,
    forward_stdin: bool,
    stdout: Sink,
    stderr: Sink,
}

impl Guest {
    /// A guest without a command is a shell on this terminal.
    pub fn new(workspace: &Workspace, kernel: Version) -> Self {
        Self {
            cache: workspace.cache(),
            kernel,
            machine: Machine::default(),
            timeout: Duration::from_secs(600),
            commands: Vec::new(),
            programs: Vec::new(),
            extras: Vec::new(),
            files: Vec::new(),
            modules: Vec::new(),
            environment: handed_on(),
            without_ipvs: false,
            forward_stdin: false,
            stdout: sink(io::stdout()),
            stderr: sink(io::stderr()),
        }
    }

    pub fn machine(mut self, machine: Machine) -> Self {
        self.machine = machine;
        self
    }

    /// The longest run of the program, not counting the boot.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// A program to run: a path on this host, or a name that the guest or this host's `PATH` knows. Several run one after
    /// the other, also after one that fails.
    pub fn command<A: Into<OsString>>(
        mut self,
        program: impl Into<OsString>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        let arguments = arguments.into_iter().map(Into::into).collect();
        self.commands.push((program.into(), arguments));
        self
    }

    /// A program of this host, copied to `/usr/local/bin` with its libraries.
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.programs.push(path.into());
        self
    }

    /// An installed program of this host, from its Debian package if it is not installed.
    pub fn with(mut self, tool: Tool) -> Self {
        self.extras.push(tool);
        self
    }

    /// A file or folder of this host, copied to the same absolute path.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// A kernel module to load before the program starts.
    pub fn module(mut self, name: impl Into<String>) -> Self {
        self.modules.push(name.into());
        self
    }

    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Leaves IPVS out of the guest's reach, as on a system whose kernel lacks it.
    pub fn without_ipvs(mut self, without: bool) -> Self {
        self.without_ipvs = without;
        self
    }

    /// Passes this process's standard input on to the program.
    pub fn forward_stdin(mut self, forward: bool) -> Self {
        self.forward_stdin = forward;
        self
    }

    /// The destinations of the program's output and error output, instead of our own.
    pub fn output(mut self, stdout: Sink, stderr: Sink) -> Self {
        self.stdout = stdout;
        self.stderr = stderr;
        self
    }

    /// Boots the guest, runs the programs and returns the exit status (128 + n if signal n ended it) of the first that
    /// failed, or 0.
    ///
    /// Everything that keeps a program from running to its end is an error.
    pub fn run(&self, progress: &Progress) -> Result<u8> {
        let marker = marker()?;
        let (kernel, base, layer) = self.prepare(&marker, progress)?;
        remove_abandoned(&self.cache);
        let folder = tempfile::Builder::new()
            .prefix(&format!("run-{}-", std::process::id()))
            .tempdir_in(&self.cache)
            .context("creating a folder for the run")?;
        let initrd = folder.path().join("initrd");
        base.write_with(&layer, &initrd)?;

        let mut first_death = true;
        let mut boots = 1;
        loop {
            progress.passing(&format!("booting Linux {}", kernel.release));
            let console = folder.path().join("console");
            let ending = session::run(
                &Start {
                    machine: &self.machine,
                    kernel: &kernel.image(),
                    initrd: &initrd,
                    console: &console,
                    marker: format!("\0{marker}").as_bytes(),
                    stdout: self.stdout.clone(),
                    stderr: self.stderr.clone(),
                    forward_stdin: self.forward_stdin,
                    interactive: self.commands.is_empty(),
                    timeout: self.timeout,
                },
                progress,
            );
            progress.clear();
            let ending = ending?;
            let text = fs::read(&console).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let story = match ending {
                Ending::Exit(status) => return Ok(status),
                Ending::OutputClosed => return Ok(SIGPIPE_STATUS),
                Ending::Refused(message) => bail!("the guest: {message}"),
                Ending::Died { emulator, started } => {
                    let emulation = text.contains("Oops") || session::crashed(emulator);
                    // Input that has been read cannot be given to a second guest.
                    let again = first_death && emulation && !(started && self.forward_stdin);
                    if again {
                        first_death = false;
                        let kept = self.keep(&console, "first-console")?;
                        progress
                            .note(&format!("the guest crashed; trying once more (its console: {})", kept.display()));
                        continue;
                    }
                    let what = if started { "before the program did" } else { "while booting" };
                    format!("the guest ended {what} (emulator: {emulator})")
                }
                Ending::NoBoot(reason) => {
                    // On a busy host the emulated timers sometimes stand still.
                    if boots < MAXIMAL_BOOTS && self.machine.accelerator == Accelerator::Tcg {
                        boots += 1;
                        let kept = self.keep(&console, "boot-console")?;
                        progress.note(&format!("starting the guest again: {reason} (its console: {})", kept.display()));
                        continue;
                    }
                    let hint = match self.machine.accelerator {
                        Accelerator::Kvm => "; where KVM does not work, --accel tcg does",
                        Accelerator::Tcg => "",
                    };
                    format!("the guest did not come up: {reason}{hint}")
                }
                Ending::TimedOut => format!("the program did not end within {} s (--timeout)", self.timeout.as_secs()),
            };
            let kept = self.keep(&console, "console")?;
            bail!("{story}\nthe end of its console, kept as {}:\n{}", kept.display(), last_lines(&text, 30));
        }
    }

    /// Gets everything that a run needs, one guest of this process after the other: two cannot install packages at once.
    fn prepare(&self, marker: &str, progress: &Progress) -> Result<(Kernel, Base, Tree)> {
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let (kernel, base) = self.provide(progress)?;
        let layer = self.layer(&kernel, &base, marker, progress)?;
        Ok((kernel, base, layer))
    }

    fn provide(&self, progress: &Progress) -> Result<(Kernel, Base)> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            bail!("the guest runs this host's programs, so it needs an x86-64 Linux host");
        }
        provide(&packages::host_tools(), progress)?;
        fs::create_dir_all(&self.cache).with_context(|| format!("creating {}", self.cache.display()))?;
        let kernel = Kernel::provide(self.kernel, &self.cache, progress)?;
        let base = Base::provide(&kernel, &self.cache, progress)?;
        Ok((kernel, base))
    }

    /// The files that this run adds to the base.
    fn layer(&self, kernel: &Kernel, base: &Base, marker: &str, progress: &Progress) -> Result<Tree> {
        let mut tree = Tree::default();
        for tool in &self.extras {
            image::add_extra(&mut tree, tool, progress)?;
        }
        for program in &self.programs {
            add_program(&mut tree, program)?;
        }
        for file in &self.files {
            tree.copy_as_is(file)?;
        }
        let mut script = String::new();
        let own = [("IPVS_RS_VM".to_owned(), "1".to_owned()), ("IPVS_RS_KERNEL".to_owned(), kernel.release.clone())];
        for (name, value) in self.environment.iter().chain(&own) {
            script.push_str(&format!("export {name}={}\n", quoted(value)));
        }
        // A session of its own: a program that signals its group does not reach ours.
        script.push_str("status=0\nrun() {\n\tsetsid \"$@\"\n\tcode=$?\n\t[ $status -ne 0 ] || status=$code\n}\n");
        for (program, arguments) in &self.commands {
            let program = place_command(&mut tree, program, base)?;
            script.push_str(&format!("run {}", quoted(&program)));
            for argument in arguments {
                let argument =
                    argument.to_str().with_context(|| format!("the argument {} is not UTF-8", argument.display()))?;
                script.push(' ');
                script.push_str(&quoted(argument));
            }
            script.push('\n');
        }
        script.push_str("exit $status\n");
        tree.text("vm/command", script, 0o644);
        let interactive = self.commands.is_empty();
        let flag = |name: &str, set: bool| format!("{name}={}\n", if set { "yes" } else { "" });
        let mut settings = format!("marker={marker}\n");
        settings.push_str(&flag("stdin", self.forward_stdin));
        settings.push_str(&flag("interactive", interactive));
        settings.push_str(&flag("without_ipvs", self.without_ipvs));
        settings.push_str(&format!("modules={}\n", quoted(&self.modules.join(" "))));
        if interactive {
            settings.push_str(&format!("size={}\n", quoted(&terminal_size())));
            settings.push_str("export TERM=");
            settings.push_str(&quoted(&std::env::var("TERM").unwrap_or_default()));
            settings.push('\n');
        }
        tree.text("vm/settings", settings, 0o644);
        Ok(tree)
    }

    /// Moves a console out of the folder of the run.
    fn keep(&self, console: &Path, name: &str) -> Result<PathBuf> {
        let kept = self.cache.join(format!("{name}-{}.log", self.kernel));
        fs::copy(console, &kept).context("keeping the console")?;
        Ok(kept)
    }
}

/// Runs a program on this host instead, in a network namespace of its own with `lo` up.
pub fn run_on_host(program: &OsString, arguments: &[OsString], environment: &[(String, String)]) -> Result<u8> {
    if !is_root() {
        bail!("--host needs root: it makes a network namespace and changes the IPVS table in it");
    }
    if !Path::new("/proc/net/ip_vs").exists() {
        let loaded = Command::new("modprobe").arg("ip_vs").output();
        if !loaded.is_ok_and(|output| output.status.success()) {
            bail!(
                "--host needs IPVS in this host's kernel, and `modprobe ip_vs` does not bring it. \
                 Without --host the program runs in a guest that has it"
            );
        }
    }
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let status = Command::new("unshare")
        .args(["--net", "--", "sh", "-c"])
        .arg("ip link set lo up && exec \"$@\"")
        .arg("sh")
        .arg(program)
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("IPVS_RS_KERNEL", release.trim())
        .status()
        .context("running unshare")?;
    Ok(exit_status(status))
}

/// A process's status in one byte, as shells report it.
fn exit_status(status: std::process::ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(255)
}

/// Finds out what the command means and puts it into the guest if it is not there; returns how the guest calls it.
fn place_command(tree: &mut Tree, command: &OsString, base: &Base) -> Result<String> {
    let name = command.to_str().with_context(|| format!("the command {} is not UTF-8", command.display()))?;
    // As a path, because busybox's setsid takes a name for one of its applets first.
    if let Some(path) = tree.find_program(name).or_else(|| base.find_program(name)) {
        return Ok(path);
    }
    let path = if name.contains('/') {
        PathBuf::from(name)
    } else {
        find_program(name)
            .with_context(|| format!("no program {name}: it is neither in the guest nor on this host's PATH"))?
    };
    add_program(tree, &path)
}

/// Copies a program of the host to `/usr/local/bin`.
fn add_program(tree: &mut Tree, path: &Path) -> Result<String> {
    if !path.exists() {
        bail!("there is no program {}", path.display());
    }
    if !is_executable(path) {
        bail!("{} is not an executable file", path.display());
    }
    let name = path.file_name().map(Path::new).context("a nameless file")?;
    let guest = format!("/usr/local/bin/{}", utf8(name)?);
    tree.program(path, &guest)?;
    Ok(guest)
}

/// Variables that programs in the guest see as on the host.
fn handed_on() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| is_handed_on(name))
        .collect()
}

fn is_handed_on(name: &str) -> bool {
    let word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    word && (["RUST_BACKTRACE", "RUST_TEST_THREADS", "RUST_LOG"].contains(&name)
        || name.starts_with("PROPTEST_")
        || name.starts_with("IPVS_RS_"))
}

/// A word for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Something that no program writes by accident.
fn marker() -> Result<String> {
    let uuid = fs::read_to_string("/proc/sys/kernel/random/uuid").context("drawing a number")?;
    Ok(uuid.trim().to_owned())
}

/// The arguments for `stty` that give another terminal the size of this one.
fn terminal_size() -> String {
    let output = Command::new("stty").arg("size").stdin(std::process::Stdio::inherit()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    match text.split_whitespace().collect::<Vec<_>>()[..] {
        [rows, columns] if rows != "0" => format!("rows {rows} cols {columns}"),
        _ => "rows 24 cols 80".to_owned(),
    }
}

/// Removes folders of runs that were interrupted.
fn remove_abandoned(cache: &Path) {
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix("run-")).and_then(|rest| rest.split('-').next());
        if let Some(pid) = pid
            && !Path::new("/proc").join(pid).exists()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> =
        text.lines().map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        return "(it printed nothing)".to_owned();
    }
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The number of attempts to start a guest.
const MAXIMAL_BOOTS: u32 = 4;

/// The status that shells report for a program that wrote into a closed pipe.
const SIGPIPE_STATUS: u8 = 128 + 13;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $x"), r"'it'\''s $x'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn only_known_variables_travel() {
        assert!(is_handed_on("RUST_BACKTRACE"));
        assert!(is_handed_on("PROPTEST_CASES"));
        assert!(is_handed_on("IPVS_RS_ANYTHING"));
        assert!(!is_handed_on("PATH"));
        assert!(!is_handed_on("IPVS_RS_BAD;NAME"));
    }

    #[test]
    fn the_end_of_a_console_is_readable() {
        assert_eq!(last_lines("a\r\nb\r\n\r\nc\r\n", 2), "b\nc");
        assert_eq!(last_lines("", 30), "(it printed nothing)");
    }

    #[test]
    fn statuses_are_those_of_a_shell() {
        use std::os::unix::process::ExitStatusExt;
        let status = std::process::ExitStatus::from_raw;
        assert_eq!(exit_status(status(42 << 8)), 42);
        assert_eq!(exit_status(status(9)), 137);
    }
}
