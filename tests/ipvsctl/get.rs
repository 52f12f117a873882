//! The output of `get` for a table that ipvsadm made.

use crate::world::scene;

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn empty_table_is_an_empty_mapping() {
    scene(|world| assert_eq!(world.ok(&["get"]), "{}\n"));
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn one_service_of_each_kind() {
    scene(|world| {
        for (rule, address, scheduler) in [
            ("-A -t 192.0.2.1:80 -s rr", "tcp://192.0.2.1:80", "rr"),
            ("-A -t 192.0.2.2:8080 -s wrr", "tcp://192.0.2.2:8080", "wrr"),
            ("-A -u 192.0.2.3:53 -s rr", "udp://192.0.2.3:53", "rr"),
            ("-A --sctp-service 192.0.2.4:9 -s lc", "sctp://192.0.2.4:9", "lc"),
            ("-A -f 7 -s rr", "fwmark:7", "rr"),
        ] {
            world.clear();
            world.rules(&format!("{rule}\n"));
            let expected = format!("services:\n- address: {address}\n  sched: {scheduler}\n");
            assert_eq!(world.ok(&["get"]), expected, "{rule}");
        }
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn destinations_of_two_services_are_not_mixed() {
    scene(|world| {
        world.rules(
            "-A -t 192.0.2.2:80 -s rr\n-a -t 192.0.2.2:80 -r 10.0.0.3:80 -m\n-a -t 192.0.2.2:80 -r 10.0.0.2:8080 -m\n\
             -A -t 192.0.2.1:80 -s wlc\n-a -t 192.0.2.1:80 -r 10.0.0.9:80 -g -w 0\n",
        );
        let expected = "services:\n\
                        - address: tcp://192.0.2.1:80\n\
                       \x20 sched: wlc\n\
                       \x20 destinations:\n\
                       \x20 - address: 10.0.0.9:80\n\
                       \x20   forward: direct\n\
                        - address: tcp://192.0.2.2:80\n\
                       \x20 sched: rr\n\
                       \x20 destinations:\n\
                       \x20 - address: 10.0.0.2:8080\n\
                       \x20   weight: 1\n\
                       \x20   forward: nat\n\
                       \x20 - address: 10.0.0.3:80\n\
                       \x20   weight: 1\n\
                       \x20   forward: nat\n";
        assert_eq!(world.ok(&["get"]), expected);
    });
}

/// A table with everything that a table can have.
pub const RICH: &str = "\
-A -t 192.0.2.10:80 -s sh -b sh-fallback,sh-port -p 300 -M 255.255.255.0
-a -t 192.0.2.10:80 -r 10.0.0.3:8080 -m -w 0 -x 20 -y 10
-a -t 192.0.2.10:80 -r 10.0.0.4:80 -i -w 70000 --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 192.0.2.10:80 -r 10.0.0.5:80 -i -w 3 --tun-type gre --tun-csum
-a -t 192.0.2.10:80 -r [2001:db8::2]:80 -i -w 1
-A -t 192.0.2.10:0 -s mh -p 60
-a -t 192.0.2.10:0 -r 10.0.0.3:0 -g -w 1
-A -t [2001:db8::10]:443 -s wlc -p 3600 -M 64
-a -t [2001:db8::10]:443 -r [2001:db8::11]:443 -m -w 65535
-A -u 192.0.2.10:53 -s rr -o
-A -u 192.0.2.10:5060 -s wlc -p 120 --pe sip
-A -f 4000000000 -6 -s mh
-a -f 4000000000 -6 -r [2001:db8::3]:0 -g -w 1
-A -f 150 -s fo
";

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn output_of_get_changes_nothing_when_applied() {
    scene(|world| {
        world.rules(RICH);
        let before = (world.saved(), world.ipvsadm(&["-L", "-n", "--thresholds"]));
        for options in [&[][..], &["--factor-defaults"], &["--order", "kernel"], &["--all"], &["--stats"], &["-ojson"]]
        {
            let text = world.ok(&[&["get"], options].concat());
            world.write("table.yaml", &text);
            let plan = world.ok_but_warned(&["plan", "-f", "table.yaml", "-o", "ipvsadm"]);
            assert_eq!(plan, "", "{options:?}\n{text}");
            world.ok_but_warned(&["apply", "-f", "table.yaml", "--allowed-actions=as"]);
            assert_eq!(world.ok_but_warned(&["changeset", "-f", "table.yaml"]), "{}\n", "{options:?}");
        }
        assert_eq!((world.saved(), world.ipvsadm(&["-L", "-n", "--thresholds"])), before);

        // And from nothing: all of it comes back.
        let text = world.ok(&["get"]);
        world.clear();
        world.apply(&text);
        assert_eq!((world.saved(), world.ipvsadm(&["-L", "-n", "--thresholds"])), before);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn rules_that_get_prints_are_taken_by_ipvsadm() {
    scene(|world| {
        world.rules(RICH);
        let saved = (world.saved(), world.ipvsadm(&["-L", "-n", "--thresholds"]));
        let rules = world.ok(&["get", "-o", "ipvsadm"]);
        world.clear();
        world.rules(&rules);
        assert_eq!((world.saved(), world.ipvsadm(&["-L", "-n", "--thresholds"])), saved);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn weights_beyond_16_bits_are_whole() {
    scene(|world| {
        world.rules("-A -t 192.0.2.1:80 -s wrr\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 70000\n");
        let text = world.ok(&["get"]);
        assert!(text.starts_with("version: 2\nservices:\n"), "{text}");
        assert!(text.contains("    weight: 70000\n"), "{text}");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn one_service_and_its_counters() {
    scene(|world| {
        world.rules(RICH);
        let text = world.ok(&["get", "--service", "UDP 192.0.2.10:53", "--stats"]);
        assert!(
            text.starts_with("services:\n- address: udp://192.0.2.10:53\n  sched: rr\n  one-packet: true\n"),
            "{text}"
        );
        assert!(text.contains("  stats:\n    connections: 0\n"), "{text}");
        assert_eq!(text.matches("address:").count(), 1);
        let said = world.fails(21, &["get", "--service=fwmark:9"]);
        assert!(said.contains("Service fwmark:9 not found"), "{said}");
        let said = world.fails(33, &["get", "--service=no:such"]);
        assert!(said.contains("Invalid service: \"no:such\""), "{said}");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn namespace_is_named_by_path_and_process() {
    scene(|world| {
        world.rules("-A -t 192.0.2.1:80 -s rr\n");
        let path = world.network.path();
        let there = world.ok(&["get"]);
        let mut command = world.command(&["get", "--netns", path.to_str().unwrap()]);
        // From the namespace of the test itself.
        let said = crate::world::said(std::mem::replace(&mut command, std::process::Command::new("true")), "");
        assert_eq!((said.status, said.stdout, &*said.stderr), (0, there, ""));
        let said = world.fails(20, &["get", "--netns", "red"]);
        assert!(said.contains("/run/netns/red"), "{said}");
    });
}
