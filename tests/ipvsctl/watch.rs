//! `watch`: files and table are kept the same.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::drain::until;
use crate::kernel;
use crate::world::{World, scene};

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn files_and_drift_are_followed() {
    scene(|world| {
        let model = |scheduler: &str| format!("services:\n- {{address: 'tcp://192.0.2.1:80', sched: {scheduler}}}\n");
        let rule = |scheduler: &str| format!("-A -t 192.0.2.1:80 -s {scheduler}\n");
        world.write("conf/a.yaml", &model("rr"));
        let mut child = world.start(&["watch", "-f", "conf", "--interval=1s"]);
        let pid = Pid::from_raw(child.id().try_into().unwrap());
        until(|| world.saved() == rule("rr"));
        world.write("conf/a.yaml", &model("wlc"));
        until(|| world.saved() == rule("wlc"));
        world.ipvsadm(&["-E", "-t", "192.0.2.1:80", "-s", "sed"]);
        until(|| world.saved() == rule("wlc"));
        world.clear();
        until(|| world.saved() == rule("wlc"));
        // A broken file is ignored; its last good content stays in force.
        world.write("conf/a.yaml", "services: [");
        world.clear();
        until(|| world.saved() == rule("wlc"));
        world.write("conf/a.yaml", &model("lc"));
        kill(pid, Signal::SIGHUP).unwrap();
        until(|| world.saved() == rule("lc"));
        kill(pid, Signal::SIGTERM).unwrap();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{stderr}");
        assert!(stdout.starts_with("Applied configuration from conf (1 added, 0 changed, 0 deleted)\n"), "{stdout}");
        assert!(stderr.contains("conf/a.yaml:"), "{stderr}");
        assert_eq!(world.saved(), rule("lc"), "it stays");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn error_at_the_start_ends_it() {
    scene(|world| {
        world.write("broken.yaml", "services: [");
        world.write("empty.yaml", "");
        world.fails(32, &["watch", "-f", "empty.yaml"]);
        world.shell("mkfifo fifo");
        world.fails(30, &["watch", "-f", "fifo"]);
        world.fails(2, &["watch", "-f", "broken.yaml", "--interval=0"]);
        world.fails(30, &["watch", "-f", "broken.yaml"]);
        world.fails(2, &["watch", "-f", "-"]);
        world.fails(33, &["watch", "-f", "broken.yaml", "--allowed-actions=xx"]);
    });
}

/// So many services, a line each.
fn model(services: usize) -> String {
    let line = |number: usize| format!("- {{address: 'tcp://192.0.2.{}:80', sched: rr}}\n", number + 1);
    format!("services:\n{}", (0..services).map(line).collect::<String>())
}

/// `watch` over 100 services in `disk/file`, which has little room.
struct WatchProcess<'a> {
    world: &'a World,
    child: Child,
}

impl WatchProcess<'_> {
    fn start(world: &World) -> WatchProcess<'_> {
        world.shell("mkdir disk; mount -t tmpfs -o size=16k none disk");
        world.write("disk/file", &model(100));
        let child = world.start(&["watch", "-f", "disk/file", "--interval=1s"]);
        let watching = WatchProcess { world, child };
        until(|| watching.services() == 100);
        watching
    }

    fn services(&self) -> usize {
        self.world.saved().lines().count()
    }

    /// The table stays for longer than two looks, and is made again.
    fn keeps(&self, services: usize) {
        for _ in 0..10 {
            assert_eq!(self.services(), services);
            thread::sleep(Duration::from_millis(300));
        }
        self.world.clear();
        until(|| self.services() == services);
    }

    /// Ends it. Returns what it did, and what it said of files.
    fn end(mut self) -> (Vec<String>, Vec<String>) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        let (mut done, mut said) = (String::new(), String::new());
        self.child.stdout.take().unwrap().read_to_string(&mut done).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{said}");
        self.world.shell("umount disk");
        let lines = |text: &str| {
            let lines = text.lines().filter(|line| !line.contains("has no destinations"));
            lines.map(str::to_owned).collect()
        };
        (lines(&done), lines(&said))
    }
}

const KEPT: &str = "Warning: The files cannot be used: the table is kept as they were before";

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn file_that_is_not_whole_deletes_nothing() {
    scene(|world| {
        let watching = WatchProcess::start(world);
        let damages = [
            (": > disk/file", "emptied"),
            // No room for all of it: the rest of the disk is full.
            ("head -c 8192 /dev/zero > disk/rest; cat new > disk/file || true", "cut off"),
            ("rm disk/file", "No such file or directory"),
            ("rm -f disk/rest; mkfifo disk/file", "found a FIFO"),
            ("rm disk/file; echo 'version: 2' > disk/file", "says nothing of services"),
            ("echo 'services: [' > disk/file", "not valid YAML"),
        ];
        world.write("new", &model(240));
        for (damage, _) in damages {
            world.shell(damage);
            watching.keeps(100);
        }
        world.write("disk/file", &model(3));
        until(|| watching.services() == 3);
        world.write("disk/file", "{}");
        until(|| watching.services() == 0);
        let (_, said) = watching.end();
        assert_eq!(said.len(), 2 * damages.len(), "each is said once: {said:#?}");
        for (lines, (_, expected)) in said.chunks(2).zip(damages) {
            assert!(lines[0].contains(expected) && lines[1] == KEPT, "{expected}: {lines:?}");
        }
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn file_is_taken_when_its_writer_is_through() {
    scene(|world| {
        let watching = WatchProcess::start(world);
        world.write("new", &model(90));
        world.shell("cat new > disk/file");
        until(|| watching.services() == 90);
        // Line by line, with a pause after each.
        let mut file = File::create(world.path("disk/file")).unwrap();
        let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
        for line in model(99).split_inclusive('\n') {
            file.write_all(line.as_bytes()).unwrap();
            longest = longest.max(last.elapsed());
            last = Instant::now();
            thread::sleep(Duration::from_millis(50));
        }
        drop(file);
        until(|| watching.services() == 99);
        // In the place of the old one.
        world.shell("cp new disk/.new && mv disk/.new disk/file");
        until(|| watching.services() == 90);
        let (done, said) = watching.end();
        assert_eq!(said, [""; 0]);
        if longest > Duration::from_millis(400) {
            return kernel::note("the machine was too busy to write without a break");
        }
        let counts = ["100 added, 0 changed, 0 deleted", "0 added, 0 changed, 10 deleted"];
        let counts = [&counts[..], &["9 added, 0 changed, 0 deleted", "0 added, 0 changed, 9 deleted"]].concat();
        let lines = counts.iter().map(|counts| format!("Applied configuration from disk/file ({counts})"));
        assert_eq!(done, lines.collect::<Vec<_>>());
    });
}
