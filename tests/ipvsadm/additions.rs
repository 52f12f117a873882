//! The additions of our program to the original.

use ipvs_rs::Handle;
use ipvs_rs::model::notation::Rule;
use serde_json::{Value, json};

use crate::namespaces::{Namespace, alone};
use crate::root::{Program, Root};

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn json_of_the_table_holds_every_setting() {
    with_ours(|ours, network| {
        let rules = "-A -t 192.0.2.10:80 -s sh -b sh-port,flag-3 -p 300 -M 255.255.255.0\n\
                     -a -t 192.0.2.10:80 -r 10.0.0.3:8080 -m -w 0 -x 20 -y 10\n\
                     -a -t 192.0.2.10:80 -r 2001:db8::2 -i --tun-type gue --tun-port 6080 --tun-remcsum\n\
                     -A -u [2001:db8::10]:53 -s rr -o\n\
                     -A -f 4294967295 -6 -p 60 -M 64\n";
        assert_eq!(ours.ipvsadm(network, &["-R"], rules.as_bytes()).status, 0);
        let zero = json!({"connections": 0, "packets_in": 0, "packets_out": 0, "bytes_in": 0, "bytes_out": 0});
        let gauges = |mut destination: Value| {
            for name in ["active_connections", "inactive_connections", "persistent_connections"] {
                destination[name] = json!(0);
            }
            (destination["stats"], destination["rates"]) = (zero.clone(), zero.clone());
            destination
        };
        let web = json!({
            "protocol": "tcp", "address": "192.0.2.10", "port": 80, "firewall_mark": null, "family": "ipv4",
            "scheduler": "sh", "scheduler_flags": ["sh-port"],
            "persistence": {"timeout": 300, "mask": "255.255.255.0", "engine": null}, "one_packet": false,
            "stats": zero, "rates": zero,
            "destinations": [
                gauges(json!({
                    "address": "10.0.0.3", "port": 8080, "forward": "masquerade", "tunnel": null,
                    "weight": 0, "upper_threshold": 20, "lower_threshold": 10,
                })),
                gauges(json!({
                    "address": "2001:db8::2", "port": 80,
                    "forward": "tunnel", "tunnel": {"type": "gue", "port": 6080, "checksum": "remote"},
                    "weight": 1, "upper_threshold": 0, "lower_threshold": 0,
                })),
            ],
        });
        let dns = json!({
            "protocol": "udp", "address": "2001:db8::10", "port": 53, "firewall_mark": null, "family": "ipv6",
            "scheduler": "rr", "scheduler_flags": [], "persistence": null, "one_packet": true,
            "stats": zero, "rates": zero, "destinations": [],
        });
        let mark = json!({
            "protocol": null, "address": null, "port": null, "firewall_mark": 4_294_967_295_u32, "family": "ipv6",
            "scheduler": "wlc", "scheduler_flags": [],
            "persistence": {"timeout": 60, "mask": "64", "engine": null}, "one_packet": false,
            "stats": zero, "rates": zero, "destinations": [],
        });

        let mut table = json(ours, network, &["-L", "--json"]);
        assert!(table["connection_table_size"].take().as_u64().is_some());
        let services = json!([mark, web, dns]);
        assert_eq!(table, json!({"version": "1.2.1", "connection_table_size": null, "services": services}));
        let one = json(ours, network, &["-Ln", "-t", "192.0.2.10:80", "--stats", "--json"]);
        assert_eq!(one, json!({"services": [web]}));
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn json_of_everything_else_that_is_listed() {
    with_ours(|ours, network| {
        ours.prepare(
            network,
            "ip link add dummy0 type dummy; ip addr add 192.0.2.1/24 dev dummy0; ip link set dummy0 up
             ip addr add 10.9.9.9/32 dev lo
             ipvsadm --set 100 20 30
             ipvsadm --start-daemon backup --mcast-interface dummy0 --syncid 7 --mcast-ttl 5
             ipvsadm -A -u 10.9.9.9:53 -s rr -p 100
             ipvsadm -a -u 10.9.9.9:53 -r 192.0.2.99:5300 -m
             bash -c 'printf hello > /dev/udp/10.9.9.9/53'",
        );
        assert_eq!(json(ours, network, &["-L", "--timeout", "--json"]), json!({"tcp": 100, "tcp_fin": 20, "udp": 30}));

        let mut daemons = json(ours, network, &["-L", "--daemon", "--json"]);
        assert!(daemons["daemons"][0]["maxlen"].take().as_u64().is_some());
        let backup = json!({
            "state": "backup", "interface": "dummy0", "syncid": 7, "maxlen": null,
            "group": "224.0.0.81", "port": 8848, "ttl": 5,
        });
        assert_eq!(daemons, json!({"daemons": [backup]}));

        let mut connections = json(ours, network, &["-Lc", "--json"]);
        let rows = connections["connections"].as_array_mut().unwrap();
        rows.sort_by_key(|row| row["template"].as_bool());
        assert_eq!(rows.len(), 2);
        for row in &mut *rows {
            assert!(row["expires"].take().as_u64().is_some_and(|seconds| seconds <= 300));
        }
        let port = rows[0]["client"]["port"].take();
        assert!(port.as_u64().is_some_and(|port| port > 0), "{port}");
        let row = |port: Option<u16>, state: &str, template: bool| {
            json!({
                "protocol": "udp", "client": {"address": "10.9.9.9", "port": port},
                "service": {"address": "10.9.9.9", "port": 53},
                "destination": {"address": "192.0.2.99", "port": 5300},
                "state": state, "expires": null, "template": template, "engine": null,
            })
        };
        assert_eq!(connections, json!({"connections": [row(None, "UDP", false), row(Some(0), "NONE", true)]}));
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn table_that_another_program_made_is_saved_and_restored() {
    let rules = "-A --ip_0-service 192.0.2.10:80 -s rr
-a --ip_0-service 192.0.2.10:80 -r 10.0.0.2:80 -m -w 1
-A -t 192.0.2.10:0 -s rr
-A -t 192.0.2.10:80 -s rr -p 0
-a -t 192.0.2.10:80 -r 10.0.0.2:81 -m -w 2147483647
-a -t 192.0.2.10:80 -r [2001:db8::2]:80 -i -w 1 --tun-type gue --tun-port 9 --tun-csum
-A -t 192.0.2.10:81 -s rr -p 17179869 -M 0.0.0.24 --pe sip
-A -t 192.0.2.10:82 -s sh -p 5 -M 0.0.0.0 -o -b sh-fallback,sh-port
-A --esp-service 192.0.2.10:0 -s rr
-A --ah-service [2001:db8::10]:0 -s rr
-A --ip_300-service 192.0.2.10:80 -s rr
-A -t [::ffff:192.0.2.10]:80 -s rr
-A -f 2147483648 -s rr
-A -f 4294967295 -6 -s rr -p 0 -M 1
";
    with_ours(|ours, network| {
        let lines = || {
            let table = network.run(|| Handle::new().unwrap().snapshot().unwrap());
            let mut lines: Vec<String> = table.full_rules().to_string().lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        network.run(|| {
            let handle = Handle::new().unwrap();
            for line in rules.lines() {
                match line.parse().unwrap() {
                    Rule::Service(service) => handle.new_service(&service).unwrap(),
                    Rule::Destination { service, destination } => {
                        handle.new_destination(&service, &destination).unwrap();
                    }
                    other => panic!("{other:?}"),
                }
            }
        });
        let before = lines();
        let save = ours.ipvsadm(network, &["-S", "-n"], b"");
        assert_eq!((save.stderr.as_slice(), save.status), (&b""[..], 0));
        assert_eq!(ours.ipvsadm(network, &["-C"], b"").status, 0);
        let restored = ours.ipvsadm(network, &["-R"], &save.stdout);
        assert_eq!((restored.stderr.as_slice(), restored.status), (&b""[..], 0));
        assert_eq!(lines(), before, "{}", String::from_utf8_lossy(&save.stdout));
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn other_namespace_is_found_by_name_path_and_process() {
    with_ours(|ours, network| {
        let text = ours.prepare(
            network,
            "mkdir -p /run/netns; ip netns add blue; ip netns exec blue ip link set lo up
             ipvsadm -A -t 192.0.2.10:80 --netns blue
             ipvsadm -Sn --netns /run/netns/blue
             ip netns exec blue sleep 60 & process=$!
             until [ \"$(readlink /proc/$process/ns/net)\" != \"$(readlink /proc/self/ns/net)\" ]; do sleep 0.1; done
             ipvsadm --save -n --netns=$process
             ipvsadm -Lcn --netns blue
             kill $process
             echo '-C' | ipvsadm -R --netns blue
             ipvsadm -Sn --netns blue
             echo here; ipvsadm -Sn",
        );
        let rule = "-A -t 192.0.2.10:80 -s wlc\n";
        let connections = "IPVS connection entries\n\
                           pro expire state       source             virtual            destination\n";
        assert_eq!(text, format!("{rule}{rule}{connections}here\n"));

        let output = ours.ipvsadm(network, &["-A", "-t", "192.0.2.10:80", "--netns", "red"], b"");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("network namespace /run/netns/red: the file or process does not exist"), "{said}");
        assert_eq!(output.status, 2);
        assert_eq!(ours.prepare(network, "ipvsadm -Sn; ip netns del blue"), "");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn watching_goes_on_until_a_signal() {
    with_ours(|ours, network| {
        let text = ours.prepare(
            network,
            "ipvsadm -A -t 192.0.2.10:80
             for signal in INT TERM; do
               for format in '' --json; do
                 : > /tmp/shown
                 ipvsadm -Ln --rate --watch 0.2 $format > /tmp/shown & process=$!
                 until [ $(wc -l < /tmp/shown) -gt 8 ]; do sleep 0.1; done
                 kill -$signal $process; wait $process; echo $signal $? $(sort -u /tmp/shown | wc -l)
               done
             done",
        );
        // Version, two titles, the service, and the line between two listings; or one line that comes again and again.
        assert_eq!(text, "INT 0 5\nINT 0 1\nTERM 0 5\nTERM 0 1\n");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn watching_on_a_terminal_ends_by_a_key() {
    with_ours(|ours, network| {
        for key in ["q", "\\003"] {
            let line = format!(
                "(until grep -q RemoteAddress /tmp/shown; do sleep 0.1; done; printf '{key}'; \
                 until grep -q '1049l' /tmp/shown; do sleep 0.1; done) | \
                 script --quiet --return --flush --command 'stty rows 10 cols 40; ipvsadm -Ln --watch 60' /tmp/shown \
                 > /dev/null"
            );
            let output = ours.shell(network, format!(": > /tmp/shown; {line}"));
            let shown = ours.prepare(network, "cat /tmp/shown");
            assert_eq!(output.status, 0, "{shown}");
            // The other screen is entered and left, and no line is wider than the terminal.
            let (enter, leave) = ("\u{1b}[?1049h", "\u{1b}[?1049l");
            let inside = shown.split_once(enter).and_then(|(_, rest)| rest.split_once(leave)).unwrap().0;
            assert!(inside.contains("every 60 s, q ends it\r\n"), "{inside:?}");
            assert!(inside.contains("IP Virtual Server version 1.2.1 (size="), "{inside:?}");
            assert!(inside.contains("\r\nProt LocalAddress:Port Scheduler Flags\r\n"), "{inside:?}");
            assert!(inside.contains("  -> RemoteAddress:Port           Forwar"), "{inside:?}");
            assert!(!inside.contains("Forward"), "cut at 40 columns: {inside:?}");
        }
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn additions_stay_out_of_other_commands() {
    with_ours(|ours, network| {
        let table = [
            (&["-S", "--json"][..], "Illegal 'json' option with the 'save' command\n"),
            (&["-C", "--watch", "1"], "Illegal 'watch' option with the 'flush' command\n"),
            (&["-L", "--watch", "0"], "invalid watch interval `0' specified: expected 0.1 to 86400 seconds\n"),
            (&["-L", "--watch", "nan"], "invalid watch interval `nan' specified: expected 0.1 to 86400 seconds\n"),
            (&["-L", "--json", "--json"], "multiple 'json' options specified\n"),
        ];
        for (words, said) in table {
            let output = ours.ipvsadm(network, words, b"");
            assert_eq!(
                (output.stdout, String::from_utf8(output.stderr).unwrap(), output.status),
                (vec![], said.into(), 2)
            );
        }
        for line in ["-L --watch 1\n", "-A -t 192.0.2.10:80 --netns 1\n"] {
            let output = ours.ipvsadm(network, &["-R"], format!("{line}-A -f 1\n").as_bytes());
            let said = "the options 'netns' and 'watch' cannot stand in a line of a restore\n";
            assert_eq!((String::from_utf8(output.stderr).unwrap().as_str(), output.status), (said, 2));
        }
        assert_eq!(ours.prepare(network, "ipvsadm -Sn"), "", "nothing was done");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn help_and_version_do_not_need_privilege() {
    with_ours(|ours, network| {
        for (words, inside) in
            [("--help-all", "--sctp-service"), ("--man", ".SH SYNOPSIS"), ("--completions bash", "complete -F")]
        {
            let text =
                ours.prepare(network, &format!("setpriv --reuid=65534 --regid=65534 --clear-groups ipvsadm {words}"));
            assert!(text.contains(inside), "{words}: {text}");
        }
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn restored_line_has_its_effect_before_the_next_one_is_there() {
    with_ours(|ours, network| {
        let text = ours.prepare(
            network,
            "mkfifo /tmp/rules; ipvsadm -R < /tmp/rules & restore=$!
             exec 3> /tmp/rules; echo '-A -f 1' >&3
             until [ -n \"$(ipvsadm -Sn)\" ]; do sleep 0.1; done
             ipvsadm -Sn; echo '-A -f 2' >&3; exec 3>&-; wait $restore; echo $?; ipvsadm -Sn",
        );
        assert_eq!(text, "-A -f 1 -s wlc\n0\n-A -f 1 -s wlc\n-A -f 2 -s wlc\n");
    });
}

fn with_ours(body: impl FnOnce(&Root, &Namespace) + Send) {
    alone(|| body(&Root::new(Program::Ours), &Namespace::new()));
}

fn json(ours: &Root, network: &Namespace, words: &[&str]) -> Value {
    let output = ours.ipvsadm(network, words, b"");
    assert_eq!((String::from_utf8(output.stderr).unwrap().as_str(), output.status), ("", 0), "{words:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "one line, for those who read line by line: {text}");
    text.parse().unwrap_or_else(|error| panic!("{words:?}: {error}: {text}"))
}
