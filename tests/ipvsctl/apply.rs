//! Tables that `apply` makes, as seen by ipvsadm.

use crate::world::{World, scene};

/// A service with two destinations.
const BASE: &str = "\
services:
- address: tcp://192.0.2.1:80
  sched: wrr
  destinations:
  - {address: '10.0.0.2:80', weight: 1, forward: direct}
";

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn empty_model_empties_the_table() {
    scene(|world| {
        world.rules("-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m\n-A -f 9 -6 -s rr\n");
        world.write("empty.yaml", "{}");
        assert_eq!(world.ok(&["apply", "-f", "empty.yaml"]), "Applied configuration from empty.yaml\n");
        assert_eq!(world.saved(), "");
        assert_eq!(world.ok(&["apply", "-f", "empty.yaml"]), "Applied configuration from empty.yaml\n", "again");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn services_come_change_and_go() {
    scene(|world| {
        world.rules("-A -t 192.0.2.9:80 -s rr\n-A -u 192.0.2.1:53 -s wrr\n-A -t 192.0.2.2:80 -s sed\n");
        world.apply(
            "services:\n- address: udp://192.0.2.1:53\n- {address: 'tcp://192.0.2.2:80', sched: rr}\n\
             - {address: 'sctp://192.0.2.3:9', sched: lc}\n- {address: 'fwmark:5', sched: nq}\n",
        );
        let expected = "-A -u 192.0.2.1:53 -s rr\n-A -t 192.0.2.2:80 -s rr\n-A --sctp-service 192.0.2.3:9 -s lc\n\
                        -A -f 5 -s nq\n";
        let sorted = |text: &str| {
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&world.saved()), sorted(expected));
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn destination_without_a_weight_has_none() {
    scene(|world| {
        world.apply("services:\n- address: tcp://192.0.2.1:80\n  destinations:\n  - address: 10.0.0.2\n");
        assert_eq!(world.saved(), "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 0\n");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn ports_of_direct_and_tunnel_destinations_are_stored_as_given() {
    scene(|world| {
        world.apply(
            "defaults: {weight: 1}\nservices:\n- address: tcp://192.0.2.1:80\n  destinations:\n\
            \x20 - {address: '10.0.0.2:80', forward: direct}\n  - {address: '10.0.0.3:90', forward: nat, weight: 2}\n\
            \x20 - {address: '10.0.0.4:100', forward: tunnel, weight: 3}\n",
        );
        assert_eq!(
            world.saved(),
            "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 1\n\
             -a -t 192.0.2.1:80 -r 10.0.0.3:90 -m -w 2\n-a -t 192.0.2.1:80 -r 10.0.0.4:100 -i -w 3 --tun-type ipip\n"
        );
        world.apply(
            "defaults: {weight: 1}\nservices:\n- address: tcp://192.0.2.1:80\n  destinations:\n\
            \x20 - {address: '10.0.0.2:80', forward: tunnel}\n  - {address: '10.0.0.4:100', forward: direct, weight: 3}\n",
        );
        assert_eq!(
            world.saved(),
            "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -i -w 1 --tun-type ipip\n\
             -a -t 192.0.2.1:80 -r 10.0.0.4:100 -g -w 3\n"
        );
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn defaults_count_where_nothing_else_is_said() {
    scene(|world| {
        world.apply(
            "defaults: {port: 80, sched: wrr, forward: nat, weight: 9}\nservices:\n- address: tcp://192.0.2.1\n\
            \x20 destinations:\n  - address: 10.0.0.2\n  - {address: '10.0.0.3:90', forward: direct, weight: 0}\n\
             - {address: 'fwmark:7', sched: rr}\n",
        );
        assert_eq!(
            world.saved(),
            "-A -t 192.0.2.1:80 -s wrr\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 9\n\
             -a -t 192.0.2.1:80 -r 10.0.0.3:90 -g -w 0\n-A -f 7 -s rr\n"
        );
        assert_eq!(world.ok_but_warned(&["changeset", "-f", "apply.yaml"]), "{}\n", "a mark has no port");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn weights_are_kept_on_request_and_0_is_one() {
    scene(|world| {
        let model = |weight: u32| BASE.replace("weight: 1", &format!("weight: {weight}"));
        world.apply(&model(100));
        world.write("new.yaml", &model(200));
        world.ok(&["apply", "-f", "new.yaml", "--keep-weights"]);
        assert!(world.ok(&["get"]).contains("weight: 100\n"));
        world.ok(&["apply", "-f", "new.yaml"]);
        assert!(world.ok(&["get"]).contains("weight: 200\n"));
        world.apply(&model(1));
        world.apply(&model(0));
        assert!(world.saved().contains("-w 0"), "1 becomes 0");

        // Another change of the destination writes the live weight, even where a default stands against it.
        world.write("nat.yaml", &format!("defaults: {{weight: 7}}\n{}", model(200).replace("direct", "nat")));
        world.ok(&["apply", "-f", "nat.yaml", "--keep-weights"]);
        assert!(world.saved().contains("-m -w 0"), "{}", world.saved());
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn each_kind_of_change_takes_its_own_permission() {
    let second = "  - {address: '10.0.0.3:80', weight: 1, forward: direct}\n";
    let service = "- {address: 'tcp://192.0.2.2:80'}\n";
    let table = [
        ("new service", format!("{BASE}{service}"), "as", "us,ds,ad,ud,dd", "not allowed to add a service"),
        (
            "new service with a destination",
            format!("{BASE}{}", BASE.replace("services:\n", "").replace("192.0.2.1", "192.0.2.2")),
            "as,ad",
            "as,us,ds,ud,dd",
            "not allowed to add a destinations",
        ),
        ("scheduler", BASE.replace("wrr", "rr"), "us", "as,ds,ad,ud,dd", "not allowed to update a service"),
        ("service gone", "{}".to_owned(), "ds", "as,us,ad,ud,dd", "not allowed to delete a service"),
        (
            "weight",
            BASE.replace("weight: 1", "weight: 2"),
            "ud",
            "as,us,ds,ad,dd",
            "not allowed to update a destination",
        ),
        ("new destination", format!("{BASE}{second}"), "ad", "as,us,ds,ud,dd", "not allowed to add a destination"),
        (
            "destination gone",
            "services:\n- {address: 'tcp://192.0.2.1:80', sched: wrr}\n".to_owned(),
            "dd",
            "as,us,ds,ad,ud",
            "not allowed to delete a destination",
        ),
    ];
    scene(|world| {
        for (name, model, needed, others, said) in &table {
            world.apply(BASE);
            let before = world.saved();
            world.write("model.yaml", model);
            for list in [others, &"ut"] {
                let refused = world.ctl(&["apply", "-f", "model.yaml", "--allowed-actions", list]);
                assert_eq!((refused.status, &*refused.stdout), (31, ""), "{name}: {}", refused.stderr);
                assert_eq!(world.saved(), before, "{name}: nothing at all is done");
            }
            let refused = world.ctl(&["apply", "-f", "model.yaml", "--allowed-actions", others]);
            let first = format!("Error applying updates: {said}");
            assert!(refused.stderr.lines().any(|line| line == first), "{name}: {}", refused.stderr);
            world.ok_but_warned(&["apply", "-f", "model.yaml", &format!("--allowed-actions={needed}")]);
            assert_eq!(world.ok_but_warned(&["changeset", "-f", "model.yaml"]), "{}\n", "{name}");
        }
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn lists_of_permissions_are_checked() {
    scene(|world| {
        world.write("base.yaml", BASE);
        for list in ["xx", "as,", "as, us", "*,as", "AS", " "] {
            let said = world.fails(33, &["apply", "-f", "base.yaml", "--allowed-actions", list]);
            assert!(said.starts_with("unable to process allowed actions: invalid action: "), "{said}");
        }
        world.fails(2, &["apply", "-f", "base.yaml", "--allowed-actions="]);
        assert_eq!(world.saved(), "");
        world.ok(&["apply", "-f", "base.yaml", "--allowed-actions", "*"]);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn services_outside_of_the_scope_stay() {
    scene(|world| {
        world.rules("-A -t 192.0.2.9:80 -s rr\n-A -t 198.51.100.1:80 -s rr\n-A -f 5 -s rr\n");
        world.apply(
            "version: 2\nscope: {manage: ['tcp://192.0.2.0/24'], ignore: ['tcp://192.0.2.254:*']}\nservices: []\n",
        );
        assert_eq!(world.saved(), "-A -t 198.51.100.1:80 -s rr\n-A -f 5 -s rr\n");
        world.write("all.yaml", "{}");
        world.ok(&["apply", "-f", "all.yaml", "--prune=false"]);
        assert_eq!(world.saved(), "-A -t 198.51.100.1:80 -s rr\n-A -f 5 -s rr\n");
        world.write(
            "outside.yaml",
            "version: 2\nscope: {manage: ['fwmark:*']}\nservices:\n- address: tcp://192.0.2.1:80\n",
        );
        world.fails(32, &["apply", "-f", "outside.yaml"]);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn timeouts_and_daemons_are_set_and_left_alone() {
    scene(|world| {
        world.shell("ip link add dummy0 type dummy; ip addr add 192.0.2.1/24 dev dummy0; ip link set dummy0 up");
        world.ipvsadm(&["--set", "100", "20", "30"]);
        world.apply("version: 2\ntimeouts: {tcp: 15m, udp: 5m}\nsync:\n- {role: backup, interface: dummy0, id: 7}\n");
        assert_eq!(world.ipvsadm(&["-L", "--timeout"]), "Timeout (tcp tcpfin udp): 900 20 300\n");
        let daemons = world.ipvsadm(&["-L", "--daemon"]);
        assert!(daemons.starts_with("backup sync daemon (mcast=dummy0, syncid=7"), "{daemons}");
        assert_eq!(world.ok(&["changeset", "-f", "apply.yaml"]), "{}\n");
        let all = world.ok(&["get", "--all"]);
        assert!(all.contains("timeouts:\n  tcp: 900\n  tcpfin: 20\n  udp: 300\n"), "{all}");
        assert!(all.contains("- role: backup\n  interface: dummy0\n  id: 7\n"), "{all}");
        world.apply("{}");
        assert_eq!(world.ipvsadm(&["-L", "--daemon"]), daemons, "not a word of them");
        world.apply("version: 2\nsync: []\n");
        assert_eq!(world.ipvsadm(&["-L", "--daemon"]), "");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn executed_operations_are_told_on_request() {
    scene(|world| {
        world.apply(BASE);
        let lines = |world: &World, words: &[&str]| {
            let said = world.ctl(words);
            assert_eq!(said.status, 0, "{}", said.stderr);
            said.stderr.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        world.write("more.yaml", &BASE.replace("weight: 1", "weight: 100"));
        assert_eq!(
            lines(world, &["apply", "-v", "-f", "more.yaml"]),
            ["INFO Updated weight to 100 for service tcp://192.0.2.1:80/10.0.0.2:80"]
        );
        world.write("none.yaml", "{}");
        let said = lines(world, &["--log-format=json", "-v", "apply", "-f", "none.yaml"]);
        let record: serde_json::Value = serde_json::from_str(&said[0]).unwrap();
        assert_eq!(record["level"], "info");
        assert_eq!(record["message"], "Removing service from current config, addr=tcp://192.0.2.1:80");
        assert_eq!(world.ok(&["-q", "apply", "-f", "none.yaml"]), "", "quiet");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn limits_that_keep_the_director_silent_are_set_back() {
    scene(|world| {
        // Whole ticks of the clock, however many a second has: the kernel rounds up to them.
        let limits = "cat /proc/sys/net/ipv4/icmp_ratelimit /proc/sys/net/ipv6/icmp/ratelimit";
        world.shell("echo 1200 > /proc/sys/net/ipv4/icmp_ratelimit; echo 2400 > /proc/sys/net/ipv6/icmp/ratelimit");
        world.apply(BASE);
        world.write("changed.yaml", &BASE.replace("wrr", "wlc"));
        let said = world.ctl(&["-vv", "apply", "--no-refusals", "-f", "changed.yaml"]);
        assert_eq!(said.status, 0, "{}", said.stderr);
        assert!(said.stderr.contains("not told that they are refused"), "{}", said.stderr);
        assert_eq!(world.shell(limits), "1200\n2400\n");
        assert!(world.saved().starts_with("-A -t 192.0.2.1:80 -s wlc\n"));

        let again = world.ctl(&["-vv", "apply", "--no-refusals", "-f", "changed.yaml"]);
        assert!(!again.stderr.contains("not told"), "no scheduler changes: {}", again.stderr);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn limits_that_a_killed_run_has_left_are_set_back() {
    use std::os::unix::fs::MetadataExt;

    scene(|world| {
        let (v4, v6) = ("/proc/sys/net/ipv4/icmp_ratelimit", "/proc/sys/net/ipv6/icmp/ratelimit");
        let limits = format!("cat {v4} {v6}");
        let namespace = world.network.run(|| std::fs::metadata("/proc/thread-self/ns/net").unwrap().ino());
        let (lock, state) = (format!("/run/ipvsctl-{namespace}.lock"), format!("/run/ipvsctl-{namespace}.limits"));
        // The state that a run leaves when it is killed while a scheduler changes.
        let killed = |old: Option<&str>| {
            world.shell(&format!("echo 86400000 > {v4}; echo 86400000 > {v6}"));
            if let Some(old) = old {
                std::fs::write(&state, old).unwrap();
            }
        };
        let kept = format!("{v4} 1200\n{v6} 2400\n");
        world.apply(BASE);
        world.write("changed.yaml", &BASE.replace("wrr", "wlc"));
        world.write("base.yaml", BASE);
        let place = ["-s=tcp://192.0.2.1:80", "-d=10.0.0.2:80"];
        for words in [
            &["zero"][..],
            &[&["set", "weight", "3"][..], &place].concat(),
            &[&["drain"][..], &place].concat(),
            &[&["undrain", "--weight=1"][..], &place].concat(),
            &["apply", "-f", "base.yaml"],
            &["apply", "--no-refusals", "-f", "changed.yaml"],
        ] {
            killed(Some(&kept));
            let said = world.ctl(words);
            assert_eq!(said.status, 0, "{words:?}: {}", said.stderr);
            assert!(
                said.stderr.contains(&format!("{v4} is set back to 1200, as before")),
                "{words:?}: {}",
                said.stderr
            );
            assert_eq!(world.shell(&limits), "1200\n2400\n", "{words:?}");
            assert!(!std::fs::exists(&state).unwrap(), "{words:?}");
        }
        killed(None);
        let said = world.ctl(&["zero"]);
        assert!(said.stderr.contains("is set back to 1000, the default of the kernel"), "{}", said.stderr);
        assert_eq!(world.shell(&limits), "1000\n1000\n");

        // While another process has the lock, they are in use.
        killed(Some(&kept));
        let file = std::fs::File::open(&lock).unwrap();
        let held = nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusive).unwrap();
        assert_eq!(world.ctl(&["zero"]).stderr, "");
        assert_eq!(world.shell(&limits), "86400000\n86400000\n");
        drop(held);
        world.ctl(&["zero"]);
        assert_eq!(world.shell(&limits), "1200\n2400\n");
        for printing in ["get", "stats"] {
            killed(Some(&kept));
            world.ok(&[printing]);
            assert_eq!(world.shell(&limits), "86400000\n86400000\n", "{printing} changes nothing");
        }
        world.ctl(&["zero"]);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn input_that_says_nothing_does_not_empty_the_table() {
    scene(|world| {
        for text in ["", "\n \n", "# nothing\n", "version: 2\ntimeouts: {tcp: 15m}\n", "defaults: {port: 80}\n"] {
            world.apply(BASE);
            let before = world.saved();
            world.write("silent.yaml", text);
            let said = world.fails(32, &["apply", "-f", "silent.yaml"]);
            assert_eq!(
                said,
                "Error applying updates: silent.yaml says nothing of services, and the table has 1: write {} or \
                 services: [] to delete them all, or add --allow-empty\n",
                "{text:?}"
            );
            let said = world.ctl(&["apply", "--dry-run", "-f", "silent.yaml"]);
            assert!(said.status == 32 && said.stdout.contains("- service tcp://192.0.2.1:80"), "{said:?}");
            for command in ["plan", "changeset"] {
                let said = world.ctl(&[command, "-f", "silent.yaml"]);
                assert_eq!(said.status, 0, "{command}: {said:?}");
                assert!(said.stdout.contains("192.0.2.1:80") && said.stderr.contains("apply refuses"), "{said:?}");
            }
            assert_eq!(world.run(&["apply", "-f", "-"], text, &[]).status, 32, "{text:?}");
            // Where nothing is deleted, there is nothing to refuse.
            world.ok_but_warned(&["apply", "--prune=false", "-f", "silent.yaml"]);
            assert_eq!(world.saved(), before, "{text:?}");
            world.ok_but_warned(&["apply", "--allow-empty", "-f", "silent.yaml"]);
            assert_eq!(world.saved(), "", "{text:?}");
            world.ok_but_warned(&["apply", "-f", "silent.yaml"]);
        }
        // A key that is misspelt is a warning in version 1, and not a wish to delete everything.
        world.apply(BASE);
        world.write("misspelt.yaml", "service:\n- address: tcp://192.0.2.9:80\n");
        let said = world.fails(32, &["apply", "-f", "misspelt.yaml"]);
        assert!(said.contains("did you mean services?") && said.contains("says nothing of services"), "{said}");
        for text in ["{}", "services: []\n", "services:\n", "version: 2\nservices: []\n"] {
            world.apply(BASE);
            world.apply(text);
            assert_eq!(world.saved(), "", "{text:?}");
        }
    });
}
