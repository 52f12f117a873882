//! Refusals of the kernel, and the table that is left then.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::kernel;
use crate::world::{ours, said, scene};

/// Three services, the second with a scheduler that is not there.
const BROKEN: &str = "\
version: 2
services:
- address: tcp://192.0.2.1:80
  destinations:
  - {address: 10.0.0.2, weight: 1}
- address: tcp://192.0.2.2:80
  sched: nosuchsched
- address: tcp://192.0.2.3:80
";

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn failure_is_rolled_back_by_default() {
    scene(|world| {
        world.rules("-A -t 192.0.2.9:80 -s rr -p 300\n-a -t 192.0.2.9:80 -r 10.0.0.9:80 -m -w 3\n");
        let before = world.saved();
        world.write("broken.yaml", BROKEN);
        let said = world.ctl(&["apply", "-f", "broken.yaml"]);
        assert_eq!((said.status, &*said.stdout), (38, ""), "{}", said.stderr);
        for line in [
            "Error applying updates: Unable to apply new config: unable to add ipvs service tcp://192.0.2.2:80",
            "Reason: new service TCP 192.0.2.2:80: scheduler nosuchsched not available (ENOENT)",
            "Result: cannot ",
        ] {
            assert!(said.stderr.lines().any(|shown| shown.starts_with(line)), "{line} is missing in\n{}", said.stderr);
        }
        assert!(said.stderr.contains("rolled back"), "{}", said.stderr);
        assert_eq!(world.saved(), before);

        let said = world.ctl(&["apply", "-f", "broken.yaml", "--on-error=continue"]);
        assert_eq!(said.status, 31, "{}", said.stderr);
        assert_eq!(
            world.saved(),
            "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 1\n-A -t 192.0.2.3:80 -s rr\n"
        );
        world.clear();
        let said = world.ctl(&["apply", "-f", "broken.yaml", "--on-error=stop"]);
        assert_eq!(said.status, 31, "{}", said.stderr);
        assert!(!world.saved().contains("192.0.2.2"), "{}", world.saved());
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn one_changes_the_table_at_a_time() {
    scene(|world| {
        world.write("model.yaml", "services:\n- address: tcp://192.0.2.1:80\n");
        let inode = world.shell("stat -L -c %i /proc/self/ns/net");
        let path = format!("/run/ipvsctl-{}.lock", inode.trim());
        let file = File::options().create(true).truncate(false).write(true).open(&path).unwrap();
        let lock = nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusive).unwrap();
        let said = world.fails(36, &["apply", "-f", "model.yaml", "--lock-timeout=0s"]);
        assert!(said.contains("another process is changing the table"), "{said}");
        assert_eq!(world.saved(), "");
        world.ok_but_warned(&["plan", "-f", "model.yaml"]);
        drop(lock);
        world.ok_but_warned(&["apply", "-f", "model.yaml", "--lock-timeout=0s"]);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn without_privilege_the_table_cannot_be_read() {
    scene(|world| {
        world.rules("-A -t 192.0.2.1:80 -s rr\n");
        world.shell("chmod 755 .");
        world.write("model.yaml", "{}");
        for words in [
            &["get"][..],
            &["apply", "-f", "model.yaml"],
            &["changeset", "-f", "model.yaml"],
            &["stats"],
            &["zero"],
            &["set", "weight", "1", "-s", "tcp://192.0.2.1:80", "-d", "10.0.0.2"],
        ] {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(ours()).args(words);
            command.current_dir(world.path("model.yaml").parent().unwrap());
            let said = world.network.run(|| said(command, ""));
            assert_eq!((said.status, &*said.stdout), (21, ""), "{words:?}: {}", said.stderr);
            assert!(said.stderr.contains("permission denied, needs CAP_NET_ADMIN"), "{words:?}: {}", said.stderr);
        }
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(ours());
        command.args(["validate", "-f", "model.yaml"]).current_dir(world.path("model.yaml").parent().unwrap());
        let said = world.network.run(|| said(command, ""));
        assert_eq!((said.status, &*said.stdout), (0, "Configuration valid.\n"), "{}", said.stderr);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn broken_pipe_has_no_message() {
    scene(|world| {
        world.rules("-A -t 192.0.2.1:80 -s rr\n");
        let program = ours();
        let said =
            world.shell(&format!("({} get; echo $? >status) 2>errors | true; cat errors status", program.display()));
        assert!(["0\n", "141\n"].contains(&&*said), "{said}");
        let mut command = world.command(&["get"]);
        command.arg0("ipvsctl").stdout(File::options().write(true).open("/dev/full").unwrap());
        let status = world.network.run(|| command.stderr(std::process::Stdio::null()).status().unwrap());
        assert_eq!(status.code(), Some(100), "a full disk is one");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn output_that_cannot_be_written_is_a_failure() {
    scene(|world| {
        world.rules("-A -t 192.0.2.1:80 -s rr\n");
        world.write(
            "model.yaml",
            "services:\n- address: tcp://192.0.2.2:80\n  destinations: [{address: 10.0.0.2, weight: 1}]\n",
        );
        let (program, before) = (ours(), world.saved());
        let ended = |words: &str, output: &str| {
            let program = program.display();
            let text = world.shell(&format!("{program} {words} {output} 2>errors; echo $?; cat errors"));
            let (status, said) = text.split_once('\n').unwrap();
            (status.parse::<i32>().unwrap(), said.to_owned())
        };
        for words in [
            "get",
            "get -o table",
            "get -o ipvsadm",
            "get --all -o json",
            "stats",
            "stats -o json",
            "stats --watch=1s",
            "conns",
            "conns -o json",
            "plan -f model.yaml",
            "plan -f model.yaml --exit-code",
            "plan -f model.yaml -o ipvsadm",
            "changeset -f model.yaml",
            "apply -f model.yaml --dry-run",
            "validate -f model.yaml",
            "validate -f model.yaml -o json",
            "schema",
            "completions bash",
            "man",
            "help",
            "--version",
        ] {
            for (output, error) in [
                (">&-", "Bad file descriptor (os error 9)"),
                ("1</dev/null", "Bad file descriptor (os error 9)"),
                (">/dev/full", "No space left on device (os error 28)"),
            ] {
                let (status, said) = ended(words, output);
                assert_eq!(status, 100, "{words} {output}: {said}");
                let line = format!("Unable to write to standard output: {error}\n");
                assert!(said.ends_with(&line), "{words} {output}: {said}");
            }
        }
        assert_eq!(world.saved(), before);
        for words in ["get", "stats", "conns", "validate -f model.yaml", "schema"] {
            assert_eq!(ended(words, ">/dev/null"), (0, String::new()), "{words}");
            assert_eq!(ended(words, ">/dev/null <&-"), (0, String::new()), "{words}");
        }
        for words in ["set timeouts --udp 200s", "zero", "-q validate -f model.yaml"] {
            assert_eq!(ended(words, ">&-"), (0, String::new()), "{words} prints nothing");
        }
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn missing_module_is_looked_for_only_when_it_is_missing() {
    scene(|world| {
        // It would be the first thing to fail.
        let said = world.run(&["get"], "", &[("PATH", "/nowhere")]);
        assert_eq!((said.status, &*said.stdout), (0, "{}\n"), "{}", said.stderr);
        assert!(kernel::is_loaded());
    });
}
