//! `watch`: files and table are kept the same.

use std::io::Read;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::drain::until;
use crate::world::scene;

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
        // What is broken counts for nothing; what was right before goes on to count.
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
fn what_is_wrong_at_the_start_ends_it() {
    scene(|world| {
        world.write("broken.yaml", "services: [");
        world.fails(30, &["watch", "-f", "broken.yaml"]);
        world.fails(2, &["watch", "-f", "-"]);
        world.fails(33, &["watch", "-f", "broken.yaml", "--allowed-actions=xx"]);
    });
}
