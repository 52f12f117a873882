//! Old files and single changes destroy nothing that they cannot say.

use crate::world::scene;

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn version_1_leaves_what_it_cannot_say() {
    scene(|world| {
        world.rules(
            "-A -t 192.0.2.1:80 -s wlc -p 300 -M 255.255.255.0\n\
             -a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1 -x 20 -y 10\n\
             -a -t 192.0.2.1:80 -r 10.0.0.3:80 -i -w 1 --tun-type gue --tun-port 6080\n\
             -A -u 192.0.2.1:53 -s rr -o\n",
        );
        world.apply(
            "services:\n- address: tcp://192.0.2.1:80\n  sched: sed\n  destinations:\n\
            \x20 - {address: '10.0.0.2:80', weight: 5, forward: nat}\n\
            \x20 - {address: '10.0.0.3:80', weight: 6, forward: tunnel}\n- address: udp://192.0.2.1:53\n  sched: wrr\n",
        );
        assert_eq!(
            world.saved(),
            "-A -t 192.0.2.1:80 -s sed -p 300 -M 255.255.255.0\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 5\n\
             -a -t 192.0.2.1:80 -r 10.0.0.3:80 -i -w 6 --tun-type gue --tun-port 6080 --tun-nocsum\n\
             -A -u 192.0.2.1:53 -s wrr -o\n"
        );
        let thresholds = world.ipvsadm(&["-L", "-n", "--thresholds"]);
        assert!(
            thresholds.lines().any(|line| line.contains("10.0.0.2:80") && line.contains("20") && line.contains("10"))
        );
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn version_2_sets_what_it_does_not_say_to_its_default() {
    scene(|world| {
        world.rules("-A -t 192.0.2.1:80 -s wlc -p 300\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1 -x 20 -y 10\n");
        world.apply(
            "version: 2\nservices:\n- address: tcp://192.0.2.1:80\n  sched: wlc\n  destinations:\n\
            \x20 - {address: '10.0.0.2:80', weight: 1, forward: nat}\n",
        );
        assert_eq!(world.saved(), "-A -t 192.0.2.1:80 -s wlc\n-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1\n");
        assert!(world.ok(&["get", "-o", "ipvsadm"]).ends_with("-m -w 1\n"), "no thresholds");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn services_of_ipv6_are_kept() {
    scene(|world| {
        world.rules("-A -t [2001:db8::1]:80 -s rr\n-a -t [2001:db8::1]:80 -r [2001:db8::2]:80 -m\n-A -f 9 -6 -s rr\n");
        world.apply(
            "services:\n- address: tcp://192.0.2.1:80\n- address: tcp://[2001:db8::1]:80\n  destinations:\n\
            \x20 - {address: '[2001:db8::2]', forward: nat, weight: 1}\n- {address: 'fwmark6:9'}\n",
        );
        assert_eq!(
            world.saved(),
            "-A -t 192.0.2.1:80 -s rr\n-A -t [2001:db8::1]:80 -s rr\n-a -t [2001:db8::1]:80 -r [2001:db8::2]:80 -m -w 1\n\
             -A -f 9 -6 -s rr\n"
        );
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn connections_and_counters_survive_changes() {
    scene(|world| {
        world.shell("ip link add dummy0 type dummy; ip addr add 192.0.2.1/24 dev dummy0; ip link set dummy0 up");
        world.shell("ip addr add 10.9.9.9/32 dev lo");
        world.rules("-A -u 10.9.9.9:53 -s rr\n-a -u 10.9.9.9:53 -r 192.0.2.99:5300 -m\n");
        world.network.run(|| {
            let socket = std::net::UdpSocket::bind("10.9.9.9:0").unwrap();
            socket.send_to(b"hello", "10.9.9.9:53").unwrap();
        });
        let connections = || world.ok(&["conns"]).lines().filter(|line| line.starts_with("UDP")).count();
        assert_eq!(connections(), 1);
        world.apply(
            "services:\n- address: udp://10.9.9.9:53\n  sched: wlc\n  destinations:\n\
            \x20 - {address: '192.0.2.99:5300', forward: nat, weight: 9}\n\
            \x20 - {address: '192.0.2.98:5300', forward: nat, weight: 9}\n",
        );
        assert_eq!(connections(), 1);
        let document: serde_json::Value =
            serde_json::from_str(&world.ok(&["conns", "-o", "json", "-s", "udp://10.9.9.9:53"])).unwrap();
        assert_eq!(document["connections"][0]["destination"], "192.0.2.99:5300");
        assert_eq!(world.ok(&["conns", "-s", "tcp://10.9.9.9:53"]).lines().count(), 1, "only the titles");
        let document: serde_json::Value = serde_json::from_str(&world.ok(&["stats", "-ojson"])).unwrap();
        assert_eq!(document["services"][0]["destinations"][1]["inactive"], 1, "{document}");
    });
}
