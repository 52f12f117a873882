//! Mount namespaces in which `ipvsadm` is one program or the other.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

use crate::namespaces::Namespace;
use crate::output::{self, Output};

/// The two programs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Program {
    Ours,
    Debians,
}

impl Program {
    pub fn path(self) -> PathBuf {
        let (variable, default) = match self {
            Self::Ours => ("IPVS_RS_IPVSADM", "/usr/local/bin/ipvsadm"),
            Self::Debians => ("IPVS_RS_IPVSADM_ORIGINAL", "/usr/sbin/ipvsadm"),
        };
        std::env::var_os(variable).map_or_else(|| default.into(), PathBuf::from)
    }
}

/// A mount namespace: a program as `/usr/sbin/ipvsadm`, its scripts beside it, an empty `/tmp`, and the names of
/// hosts and services that tests rely on.
pub struct Root(File);

impl Root {
    pub fn new(program: Program) -> Self {
        Self::with_files(program, &[])
    }

    /// The same with other content in these files.
    pub fn with_files(program: Program, files: &[(&str, &str)]) -> Self {
        let own = |path: &str| files.iter().any(|(name, _)| *name == path);
        let standard = [("/etc/hosts", HOSTS), ("/etc/services", SERVICES), ("/etc/nsswitch.conf", SWITCH)];
        let files: Vec<_> = standard.into_iter().filter(|(path, _)| !own(path)).chain(files.iter().copied()).collect();
        thread::scope(|scope| {
            let worker = scope.spawn(|| {
                unshare(CloneFlags::CLONE_NEWNS).expect("a new mount namespace takes root");
                attach(Path::new("none"), "/", None, MsFlags::MS_REC | MsFlags::MS_PRIVATE);
                let path = program.path();
                for suffix in ["", "-save", "-restore"] {
                    let mut from = path.clone().into_os_string();
                    from.push(suffix);
                    attach(Path::new(&from), &format!("/usr/sbin/ipvsadm{suffix}"), None, MsFlags::MS_BIND);
                }
                attach(Path::new("tmpfs"), "/tmp", Some("tmpfs"), MsFlags::empty());
                for (place, (path, content)) in files.iter().enumerate() {
                    let file = PathBuf::from(format!("/tmp/.file-{place}"));
                    fs::write(&file, content).unwrap();
                    attach(&file, path, None, MsFlags::MS_BIND);
                    fs::remove_file(&file).unwrap();
                }
                File::open("/proc/thread-self/ns/mnt").unwrap()
            });
            Self(worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
        })
    }

    /// Runs `ipvsadm` with these arguments in a network namespace.
    pub fn ipvsadm<A: AsRef<OsStr>>(&self, network: &Namespace, arguments: &[A], stdin: &[u8]) -> Output {
        let arguments: Vec<OsString> = arguments.iter().map(|argument| argument.as_ref().to_owned()).collect();
        self.run(network, "/usr/sbin/ipvsadm", &arguments, stdin)
    }

    /// Runs a line of a POSIX shell in a network namespace.
    pub fn shell(&self, network: &Namespace, line: impl AsRef<[u8]>) -> Output {
        let line = OsStr::from_bytes(line.as_ref()).to_owned();
        self.run(network, "/bin/sh", &["-c".into(), line], b"")
    }

    /// The same, for what must succeed. Returns what it printed.
    pub fn prepare(&self, network: &Namespace, line: &str) -> String {
        let output = self.shell(network, line);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status == 0, "{line}: {}, {errors}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a program, under its bare name. It is started from its path: a look-up in another `PATH` than ours would
    /// have to copy this process first, which takes an emulated machine longer than most programs.
    fn run(&self, network: &Namespace, program: &str, arguments: &[OsString], stdin: &[u8]) -> Output {
        let (_, name) = program.rsplit_once('/').unwrap();
        network.run(|| {
            // A thread that shares its root and working directory with others cannot change the mount namespace.
            unshare(CloneFlags::CLONE_FS).unwrap();
            setns(&self.0, CloneFlags::CLONE_NEWNS).unwrap();
            let mut command = Command::new(program);
            command.arg0(name).args(arguments).env_clear().env("PATH", PATH).env("HOME", "/root").env("LC_ALL", "C");
            output::run(command, stdin)
        })
    }
}

fn attach(from: &Path, to: &str, kind: Option<&str>, flags: MsFlags) {
    mount(Some(from), to, kind, flags, None::<&str>)
        .unwrap_or_else(|error| panic!("{} at {to}: {error}", from.display()));
}

/// Without the place where ours is installed: in a [`Root`] it is where Debian's would be.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

const HOSTS: &str = "127.0.0.1 localhost\n::1 localhost ip6-localhost\n";

/// Files only: nothing asks a name server.
const SWITCH: &str = "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n";

const SERVICES: &str = "\
tcpmux 1/tcp
smtp 25/tcp mail
domain 53/tcp
domain 53/udp
http 80/tcp www
https 443/tcp
https 443/udp
sip 5060/tcp
sip 5060/udp
http-alt 8080/tcp webcache
http-alt 8080/udp
";
