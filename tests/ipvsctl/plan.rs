//! `plan`, saved plans, and `apply --dry-run`.

use crate::world::scene;

const BASE: &str = "\
version: 2
services:
- name: web
  address: tcp://192.0.2.80:80
  sched: rr
  destinations:
  - {address: '198.51.100.11:80', weight: 100}
  - {address: '198.51.100.12:80', weight: 100}
- address: fwmark:77
  destinations:
  - {address: 10.0.0.2, weight: 1}
";

const NEXT: &str = "\
version: 2
drain: {timeout: 60s}
services:
- name: web
  address: tcp://192.0.2.80:80
  sched: wlc
  destinations:
  - {address: '198.51.100.11:80', weight: 200}
  - {address: '198.51.100.13:80', weight: 200}
";

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn plan_shows_every_change_and_changes_nothing() {
    scene(|world| {
        world.apply(BASE);
        let before = world.saved();
        world.write("next.yaml", NEXT);
        let said = world.ctl(&["plan", "-f", "next.yaml", "--exit-code"]);
        assert_eq!((said.status, &*said.stderr), (10, ""));
        for line in [
            "~ service tcp://192.0.2.80:80 (web)",
            "    sched         rr -> wlc",
            "  + destination 198.51.100.13:80",
            "  ~ destination 198.51.100.11:80",
            "      weight      100 -> 200",
            "  - destination 198.51.100.12:80",
            "- service fwmark:77",
            "Plan: 1 to add, 2 to change, 2 to delete.",
        ] {
            assert!(said.stdout.lines().any(|shown| shown.starts_with(line)), "{line} is missing in\n{}", said.stdout);
        }
        assert!(!said.stdout.contains('\x1b'), "no color in a pipe");
        let colored = world.ok(&["--color=always", "diff", "-f", "next.yaml"]);
        assert!(colored.contains("\x1b[32m") && colored.contains("\x1b[31m"), "{colored}");
        assert_eq!(world.ok(&["apply", "--dry-run", "-f", "next.yaml"]), said.stdout);
        assert_eq!(world.saved(), before);
        assert_eq!(world.ctl(&["plan", "-f", "apply.yaml", "--exit-code"]).status, 0);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn rules_of_a_plan_do_what_apply_does() {
    scene(|world| {
        world.apply(BASE);
        world.write("next.yaml", NEXT);
        let rules = world.ok(&["plan", "-f", "next.yaml", "-o", "ipvsadm"]);
        world.rules(&rules);
        assert_eq!(world.ok(&["changeset", "-f", "next.yaml"]), "{}\n", "{rules}");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn saved_plan_is_carried_out_as_it_was_shown() {
    scene(|world| {
        world.apply(BASE);
        world.write("next.yaml", NEXT);
        world.ok(&["plan", "-f", "next.yaml", "--out", "plan.json"]);
        let plan: serde_json::Value = serde_json::from_str(&world.read("plan.json")).unwrap();
        assert_eq!(plan["format"], 1);
        assert_eq!(plan["summary"], serde_json::json!({"add": 1, "change": 2, "delete": 2}));
        assert_eq!(world.ok(&["plan", "-f", "next.yaml", "-o", "json"]), world.read("plan.json"));
        assert_eq!(world.ok(&["apply", "plan.json"]), "Applied configuration from plan.json\n");
        assert_eq!(world.ok(&["changeset", "-f", "next.yaml"]), "{}\n");
        let said = world.fails(37, &["apply", "plan.json"]);
        assert!(said.contains("has changed since the plan was made"), "{said}");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn saved_plan_is_refused_by_another_table() {
    scene(|world| {
        world.apply(BASE);
        world.write("next.yaml", NEXT);
        world.ok(&["plan", "-f", "next.yaml", "--out", "plan.json"]);
        world.ipvsadm(&["-e", "-t", "192.0.2.80:80", "-r", "198.51.100.11:80", "-g", "-w", "101"]);
        let before = world.saved();
        world.fails(37, &["apply", "plan.json"]);
        assert_eq!(world.saved(), before);
        world.write("broken.json", "{\"format\": 1}");
        for (file, status) in [("broken.json", 30), ("next.yaml", 30), ("missing.json", 30)] {
            world.fails(status, &["apply", file]);
        }
        assert_eq!(world.saved(), before);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn deletions_are_confirmed_on_a_terminal() {
    scene(|world| {
        world.apply(BASE);
        let before = world.saved();
        world.write("none.yaml", "{}");
        let said = world.fails(31, &["apply", "-f", "none.yaml", "--confirm"]);
        assert!(said.contains("not a terminal to confirm it"), "{said}");
        assert_eq!(world.saved(), before);
        let asked = |answer: &str| {
            let program = crate::world::ours();
            let program = program.display();
            world.shell(&format!(
                "echo {answer} | script -qec '{program} apply -f none.yaml --confirm' /dev/null || true"
            ))
        };
        let said = asked("n");
        assert!(said.contains("Apply this plan? [y/N]") && said.contains("not confirmed"), "{said}");
        assert_eq!(world.saved(), before);
        let said = asked("y");
        assert!(said.contains("Applied configuration from none.yaml"), "{said}");
        assert_eq!(world.saved(), "");

        world.apply(BASE);
        world.ok(&["apply", "-f", "none.yaml", "--confirm", "--yes"]);
        assert_eq!(world.saved(), "");
        world.ok(&["apply", "-f", "none.yaml", "--confirm"]);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn plan_is_saved_over_regular_files_only() {
    scene(|world| {
        world.write("next.yaml", NEXT);
        world.shell(
            "mkdir other; echo precious > other/victim; ln -s other/victim link; ln -s other/new dangling; mkfifo fifo",
        );
        let names = world.shell("ls");
        for (target, found) in [
            ("/dev/null", "a device"),
            ("/dev/stdout", "a symbolic link"),
            ("link", "a symbolic link"),
            ("dangling", "a symbolic link"),
            ("fifo", "a FIFO"),
            ("other", "a directory"),
        ] {
            let said = world.fails(100, &["plan", "-f", "next.yaml", "--out", target]);
            let reason = format!("expected a regular file or a new name, found {found}\n");
            assert_eq!(
                said.lines().last().unwrap(),
                format!("Unable to save the plan to {target}: {}", reason.trim_end())
            );
        }
        world.fails(100, &["plan", "-f", "next.yaml", "--out", "missing/plan.json"]);
        assert_eq!(world.shell("ls; ls other; cat other/victim"), format!("{names}victim\nprecious\n"));
        assert_eq!(world.shell("test -c /dev/null && echo still"), "still\n");

        world.shell("touch plan.json; chmod 644 plan.json");
        world.ok_but_warned(&["plan", "-f", "next.yaml", "--out", "plan.json"]);
        assert_eq!(world.shell("ls -l plan.json | cut -c1-10"), "-rw-------\n");

        // On a disk that is full the old plan stays, and nothing beside it.
        world.shell("mkdir full; mount -t tmpfs -o size=8k none full; echo old > full/plan.json; head -c 4096 /dev/zero > full/rest");
        let said = world.fails(100, &["plan", "-f", "next.yaml", "--out", "full/plan.json"]);
        assert!(said.contains("No space left on device"), "{said}");
        assert_eq!(world.shell("ls full; cat full/plan.json; umount full"), "plan.json\nrest\nold\n");
    });
}
