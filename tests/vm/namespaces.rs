//! Network namespaces of tests, and who may use the kernel at the same time.

use std::fs::File;
use std::io::Write;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError, RwLock};
use std::thread;

use ipvs_rs::{Handle, Scheduler, Service};
use nix::sched::{CloneFlags, setns, unshare};

use crate::kernel;

/// Held for reading by tests that run beside others, for writing by those that must be alone.
static KERNEL: RwLock<()> = RwLock::new(());

/// Does something in a new network namespace with `lo` up, on a thread of its own. Others do the same meanwhile.
pub fn fresh<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    let _shared = KERNEL.read().unwrap_or_else(PoisonError::into_inner);
    keep_hooks();
    Namespace::new().run(body)
}

/// The same while no other test of this program runs.
///
/// For those that read lists of more than one datagram: before Linux 7 all namespaces share one table, and the kernel
/// continues a list by position in it, so that changes anywhere make rows come twice or be left out. And for those that
/// look at the process as a whole.
pub fn alone<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    let _exclusive = KERNEL.write().unwrap_or_else(PoisonError::into_inner);
    keep_hooks();
    Namespace::new().run(body)
}

/// The same while this program has no service anywhere: the modules of IPVS can be unloaded.
pub fn exclusive<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    let _exclusive = KERNEL.write().unwrap_or_else(PoisonError::into_inner);
    HOOKS.lock().unwrap_or_else(PoisonError::into_inner).take();
    let done = Namespace::new().run(body);
    if kernel::is_ours() {
        kernel::load_locality_schedulers();
    }
    done
}

/// A namespace with one service of each family.
///
/// With the first service of all the kernel hooks itself into the path of packets, and unhooks with the last. Each
/// rewrites its code, which costs an emulated machine 20 ms.
static HOOKS: Mutex<Option<Namespace>> = Mutex::new(None);

fn keep_hooks() {
    HOOKS.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| {
        let namespace = Namespace::new();
        namespace.run(|| {
            let handle = Handle::new().unwrap();
            for mark in ["FWM 1", "FWM 1 IPv6"] {
                handle.new_service(&Service::new(mark.parse().unwrap(), Scheduler::None)).unwrap();
            }
        });
        namespace
    });
}

/// A network namespace without a name; it goes when this and everything in it has gone.
pub struct Namespace(File);

impl Namespace {
    /// A new one with `lo` up. Without it there is no route to anywhere, and the kernel refuses every destination.
    pub fn new() -> Self {
        kernel::prepare();
        let made = thread::spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("a new network namespace takes root");
            ip("link set lo up");
            File::open("/proc/thread-self/ns/net").unwrap()
        });
        Self(made.join().unwrap_or_else(|panic| resume_unwind(panic)))
    }

    /// Does something in it, on a thread of its own. Processes that are started there belong to it.
    pub fn run<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let worker = scope.spawn(|| {
                setns(&self.0, CloneFlags::CLONE_NEWNET).unwrap();
                body()
            });
            worker.join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// A path to it that any thread of this process, and the programs that it starts, can use.
    pub fn path(&self) -> PathBuf {
        use std::os::fd::AsRawFd;
        PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd()))
    }

    /// The open file of the namespace.
    pub fn file(&self) -> &File {
        &self.0
    }
}

/// The namespace that the calling thread is in.
pub fn current() -> PathBuf {
    std::fs::read_link("/proc/thread-self/ns/net").unwrap()
}

/// `ip` with these words; it must succeed.
pub fn ip(words: &str) -> String {
    program("ip", words)
}

/// The same many times, by one process.
pub fn ip_batch(lines: &[&str]) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut child = Command::new("ip").args(["-batch", "-"]).stdin(reader).spawn().expect("ip is needed");
    // Less than a pipe holds, so that neither side waits for the other.
    writer.write_all(lines.join("\n").as_bytes()).unwrap();
    drop(writer);
    assert!(child.wait().unwrap().success(), "{lines:#?}");
}

/// A program with these words, in the namespace of the calling thread; it must succeed. Returns what it printed.
pub fn program(name: &str, words: &str) -> String {
    let output = Command::new(name).args(words.split_whitespace()).output();
    let output = output.unwrap_or_else(|error| panic!("{name} is needed: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {words}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
