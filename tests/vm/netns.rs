//! Handles to other network namespaces, from a thread that stays where it is.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ipvs_rs::error::ErrorKind;
use ipvs_rs::transport::{Netns, NetnsProblem};
use ipvs_rs::{Error, Handle, Scheduler, Service, ServiceId};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::namespaces::{Namespace, current, fresh, ip};

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn handle_reaches_a_namespace_by_path_name_descriptor_and_process() {
    fresh(|| {
        let named = NamedNamespace::new();
        let inside = named.netns().run(SleepingProcess::start).unwrap();
        let file = File::open(named.path()).unwrap();
        let ways = [
            ("name", named.netns()),
            ("path", Netns::path(named.path())),
            ("descriptor", Netns::fd(&file).unwrap()),
            ("process", Netns::pid(inside.0.id())),
        ];
        drop(file);

        let (before, here) = (current(), Handle::new().unwrap());
        let mut count = 0;
        for (mark, (label, netns)) in (1..).zip(ways) {
            let there = Handle::builder().netns(netns).open().unwrap();
            assert_eq!(current(), before, "by {label}");
            let id: ServiceId = format!("fwmark:{mark}").parse().unwrap();
            there.new_service(&Service::new(id, Scheduler::Rr)).unwrap();
            count += 1;
            assert_eq!(there.get_services().unwrap().len(), count, "by {label}: all ways lead to one table");
            assert_eq!(here.get_services().unwrap(), [], "by {label}");
        }
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn other_files_are_refused_by_their_kind_and_the_thread_stays() {
    fresh(|| {
        let folder = Folder::new();
        let pipe = folder.0.join("pipe");
        mkfifo(&pipe, Mode::S_IRUSR).unwrap();
        let plain = folder.0.join("file");
        fs::write(&plain, "").unwrap();
        let gone = folder.0.join("gone");

        let before = current();
        for (path, expected) in [
            (gone.as_path(), "missing"),
            (Path::new("/proc/4294967295/ns/net"), "missing"),
            (Path::new(""), "missing"),
            (plain.as_path(), "not a namespace"),
            (pipe.as_path(), "not a namespace"),
            (Path::new("/dev/null"), "not a namespace"),
            (Path::new("/proc/self/status"), "not a namespace"),
            (Path::new("/"), "not a namespace"),
            (Path::new("/proc/self/ns/mnt"), "not of network"),
            (Path::new("/proc/self/ns/uts"), "not of network"),
            (Path::new("/proc/self/ns/pid"), "not of network"),
            (Path::new("/proc/self/ns/user"), "not of network"),
        ] {
            let error = open_in_time(path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Namespace, "{error}");
            let problem = match error.namespace_error().unwrap().problem() {
                NetnsProblem::Missing => "missing",
                NetnsProblem::NotANamespace => "not a namespace",
                NetnsProblem::NotOfNetwork => "not of network",
                other => panic!("{other:?}"),
            };
            assert_eq!(problem, expected, "{error}");
            assert_eq!(current(), before, "{error}");
        }
        let file = File::open("/proc/self/ns/mnt").unwrap();
        let error = Handle::builder().netns(Netns::fd(&file).unwrap()).open().unwrap_err();
        assert!(matches!(error.namespace_error().unwrap().problem(), NetnsProblem::NotOfNetwork), "{error}");
        assert_eq!(current(), before);
        assert_eq!(
            open_in_time(&plain).unwrap_err().to_string(),
            format!("open handle: network namespace {}: this is not the file of a namespace", plain.display())
        );
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn handle_outlives_the_name_of_its_namespace() {
    fresh(|| {
        let named = NamedNamespace::new();
        let netns = named.netns();
        let there = Handle::builder().netns(netns.clone()).open().unwrap();
        let service = Service::new("TCP 192.0.2.10:80".parse().unwrap(), Scheduler::Rr);
        there.new_service(&service).unwrap();
        drop(named);

        let error = Handle::builder().netns(netns).open().unwrap_err();
        assert!(matches!(error.namespace_error().unwrap().problem(), NetnsProblem::Missing), "{error}");
        assert_eq!(there.get_services().unwrap().len(), 1, "the socket keeps the namespace");
        there.update_service(&Service::new(service.id, Scheduler::Wlc)).unwrap();
        assert_eq!(there.get_service(&service.id).unwrap().unwrap().service.scheduler, Scheduler::Wlc);
        there.flush().unwrap();
        assert_eq!(there.get_services().unwrap(), []);
    });
}

#[test]
#[ignore = "needs root and ip_vs: cargo xtask vm"]
fn work_is_done_in_the_namespace_and_a_panic_leaves_the_caller_at_home() {
    fresh(|| {
        let other = Namespace::new();
        let netns = Netns::fd(other.file()).unwrap();
        let (before, there) = (current(), other.run(current));
        assert_eq!(netns.run(current).unwrap(), there);
        assert_eq!(current(), before);

        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| netns.run(|| panic!("on purpose"))));
        let message = panicked.unwrap_err();
        assert_eq!(message.downcast_ref::<&str>(), Some(&"on purpose"));
        assert_eq!(current(), before);
        assert_eq!(Netns::current().run(current).unwrap(), before);
    });
}

/// Opens a handle and gives up when that hangs.
fn open_in_time(path: &Path) -> Result<Handle, Error> {
    let (sender, receiver) = mpsc::channel();
    let path = path.to_owned();
    let netns = Netns::path(path.clone());
    // Where the caller would be moved, it is this thread that is.
    thread::spawn(move || {
        let before = current();
        let opened = Handle::builder().netns(netns).open();
        let _ = sender.send((opened, current() == before));
    });
    let (opened, stayed) =
        receiver.recv_timeout(Duration::from_secs(10)).unwrap_or_else(|_| panic!("{} hangs", path.display()));
    assert!(stayed, "{} moved the caller", path.display());
    opened
}

/// A namespace of `ip netns`, deleted in the end.
struct NamedNamespace(String);

impl NamedNamespace {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ipvs-rs-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        ip(&format!("netns add {name}"));
        Self(name)
    }

    fn netns(&self) -> Netns {
        Netns::named(&self.0).unwrap()
    }

    fn path(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.0)
    }
}

impl Drop for NamedNamespace {
    fn drop(&mut self) {
        ip(&format!("netns delete {}", self.0));
    }
}

/// A process that waits, ended in the end.
struct SleepingProcess(Child);

impl SleepingProcess {
    fn start() -> Self {
        Self(Command::new("sleep").arg("1000").spawn().unwrap())
    }
}

impl Drop for SleepingProcess {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A folder for files of a test, removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("ipvs-rs-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}
