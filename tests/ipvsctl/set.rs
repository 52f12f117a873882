//! `set` and `zero`.

use std::time::Instant;

use crate::world::{World, scene};

const SERVICE: &str = "tcp://192.0.2.1:80";
const SERVER: &str = "10.0.0.2:80";

fn prepare(world: &World) {
    world.rules(
        "-A -t 192.0.2.1:80 -s sh -b sh-port -p 300\n\
         -a -t 192.0.2.1:80 -r 10.0.0.2:80 -i -w 7 -x 20 -y 10 --tun-type gue --tun-port 6080\n",
    );
}

fn rules(world: &World) -> String {
    world.ok(&["get", "-o", "ipvsadm"])
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn one_thing_changes_and_the_rest_stays() {
    scene(|world| {
        prepare(world);
        let before = rules(world);
        assert!(before.contains("-w 7 -x 20 -y 10 --tun-type gue --tun-port 6080"), "{before}");

        assert_eq!(world.ok(&["set", "weight", "9", "-s", SERVICE, "-d", SERVER]), "");
        assert_eq!(rules(world), before.replace("-w 7", "-w 9"));
        world.ok(&["set", "weight", "--service=-t 192.0.2.1:80", "--destination=10.0.0.2", "0"]);
        assert_eq!(rules(world), before.replace("-w 7", "-w 0"), "any notation");
        world.ok(&["set", "weight", "7", "-s", SERVICE, "-d", SERVER]);

        world.ok(&["set", "thresholds", "--upper=50", "--lower=40", "-s", SERVICE, "-d", SERVER]);
        assert_eq!(rules(world), before.replace("-x 20 -y 10", "-x 50 -y 40"));
        world.ok(&["set", "thresholds", "--upper=20", "--lower=10", "-s", SERVICE, "-d", SERVER]);

        world.ok(&["set", "sched", "mh", "--flags=fallback,port", "-s", SERVICE]);
        assert_eq!(rules(world), before.replace("-s sh", "-s mh").replace("sh-port", "mh-fallback,mh-port"));
        world.ok(&["set", "sched", "sh", "--flags=port", "-s", SERVICE]);

        world.ok(&["set", "state", "drain", "-s", SERVICE, "-d", SERVER]);
        assert_eq!(rules(world), before.replace("-w 7", "-w 0"));
        world.ok(&["set", "state", "active", "--weight=7", "-s", SERVICE, "-d", SERVER]);
        assert_eq!(rules(world), before);

        world.ipvsadm(&["--set", "100", "20", "30"]);
        world.ok(&["set", "timeouts", "--tcp=15m"]);
        assert_eq!(world.ipvsadm(&["-L", "--timeout"]), "Timeout (tcp tcpfin udp): 900 20 30\n");
        world.ok(&["zero"]);
        world.ok(&["zero", "-s", SERVICE]);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn weight_changes_slowly() {
    scene(|world| {
        prepare(world);
        let before = rules(world);
        let start = Instant::now();
        let said = world.ctl(&["-v", "set", "weight", "0", "-s", SERVICE, "-d", SERVER, "-t", "3"]);
        assert!(start.elapsed().as_secs() >= 3, "it takes its time");
        assert_eq!(said.status, 0, "{}", said.stderr);
        let weights: Vec<_> = said.stderr.lines().filter_map(|line| line.split(' ').nth(3)).collect();
        assert_eq!(weights.last(), Some(&"0"), "{}", said.stderr);
        assert_eq!(rules(world), before.replace("-w 7", "-w 0"));
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn wrong_values_and_missing_objects_have_their_own_endings() {
    scene(|world| {
        prepare(world);
        let before = rules(world);
        for (status, words, said) in [
            (33, &["weight", "65536", "-s", SERVICE, "-d", SERVER][..], "Invalid weight"),
            (33, &["weight", "x", "-s", SERVICE, "-d", SERVER], "Invalid weight"),
            (2, &["weight", "-1", "-s", SERVICE, "-d", SERVER], "unexpected argument"),
            (33, &["weight", "1", "-s", "", "-d", SERVER], "Must specify a service"),
            (33, &["weight", "1", "-s", SERVICE, "-d", ""], "Must specify a destination"),
            (33, &["weight", "1", "-s", "web", "-d", SERVER], "Invalid service: \"web\""),
            (34, &["weight", "1", "-s", "tcp://192.0.2.9:80", "-d", SERVER], "Service tcp://192.0.2.9:80 not found"),
            (34, &["weight", "1", "-s", SERVICE, "-d", "10.0.0.9:80"], "Destination 10.0.0.9:80"),
            (34, &["weight", "1", "-t5", "-s", SERVICE, "-d", "10.0.0.9:80"], "Try ipvsctl get"),
            (34, &["sched", "nosuchsched", "-s", SERVICE], "not available (ENOENT)"),
            (33, &["thresholds", "--upper=5", "--lower=6", "-s", SERVICE, "-d", SERVER], "Invalid thresholds"),
        ] {
            let stderr = world.fails(status, &[&["set"], words].concat());
            assert!(stderr.contains(said), "{words:?}: {stderr}");
        }
        assert_eq!(rules(world), before);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn services_go_by_their_names_in_a_file() {
    scene(|world| {
        world.apply(
            "version: 2\nservices:\n- name: web\n  address: tcp://192.0.2.1:80\n  destinations:\n\
            \x20 - {address: 10.0.0.2, weight: 5}\n",
        );
        world.ok(&["set", "weight", "0", "-s", "web", "-d", "10.0.0.2", "-f", "apply.yaml"]);
        assert!(world.saved().contains("-w 0"), "{}", world.saved());
        world.ok(&["undrain", "-s", "web", "-d", "10.0.0.2", "-f", "apply.yaml"]);
        assert!(world.saved().contains("-w 5"), "the weight of the file");
        let said = world.fails(33, &["set", "weight", "0", "-s", "wob", "-d", "10.0.0.2", "-f=apply.yaml"]);
        assert!(said.contains("names are web"), "{said}");
        let said = world.fails(33, &["undrain", "-s", "tcp://192.0.2.1:80", "-d", "10.0.0.2"]);
        assert!(said.contains("--weight"), "{said}");
    });
}
