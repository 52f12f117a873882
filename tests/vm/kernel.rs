//! Which kernel this is and what it cannot do.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::sync::Once;
use std::thread;
use std::time::{Duration, Instant};

/// The version of the kernel.
pub fn version() -> (u32, u32) {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// Whether this is the virtual machine, which is ours to change.
pub fn is_ours() -> bool {
    std::env::var_os("IPVS_RS_VM").is_some()
}

/// Prepares the virtual machine for what the tests do to it.
pub fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if is_ours() {
            // Deleting a service and changing a scheduler take a grace period each, of up to 30 ms.
            fs::write("/sys/kernel/rcu_expedited", "1").unwrap();
            load_locality_schedulers();
        }
    });
}

/// Loads the two schedulers that no service should make the kernel load.
///
/// If one does while a namespace goes away, everything stops for ever: its command holds the lock of IPVS and waits for
/// modprobe, which waits for the namespace, which waits for the lock.
pub fn load_locality_schedulers() {
    // There may be no IPVS at all.
    let _ = Command::new("modprobe").args(["-q", "-a", "ip_vs_lblc", "ip_vs_lblcr"]).status();
}

/// Says something that is printed for tests that pass as well.
pub fn note(text: &str) {
    // In one piece: the runner writes to the other stream meanwhile.
    let _ = std::io::stderr().write_all(format!("note: {text}\n").as_bytes());
}

/// Whether the module of IPVS is loaded.
pub fn is_loaded() -> bool {
    modules().iter().any(|name| name == "ip_vs")
}

/// Unloads IPVS with everything that belongs to it.
pub fn unload() {
    assert!(is_ours(), "this test unloads kernel modules: it runs in the virtual machine only");
    let start = Instant::now();
    loop {
        let modules = modules();
        if modules.is_empty() {
            return;
        }
        // Modules in use by a namespace that is going away cannot be removed yet.
        let _ = Command::new("rmmod").args(&modules).output().unwrap();
        assert!(start.elapsed() < Duration::from_secs(30), "cannot be unloaded: {modules:?}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Does something while the kernel loads no module by itself.
pub fn without_loading(body: impl FnOnce()) {
    struct Restore(String);
    impl Drop for Restore {
        fn drop(&mut self) {
            fs::write(LOADER, &self.0).unwrap();
        }
    }
    assert!(is_ours(), "this test keeps the kernel from loading modules: it runs in the virtual machine only");
    let _restore = Restore(fs::read_to_string(LOADER).unwrap());
    fs::write(LOADER, "/bin/false").unwrap();
    body();
}

fn modules() -> Vec<String> {
    let text = fs::read_to_string("/proc/modules").unwrap();
    let names = text.lines().filter_map(|line| line.split(' ').next());
    names.filter(|name| name.starts_with("ip_vs")).map(str::to_owned).collect()
}

/// The program that the kernel loads modules by.
const LOADER: &str = "/proc/sys/kernel/modprobe";
