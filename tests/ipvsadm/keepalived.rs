//! A table that keepalived has made, read by both programs.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::listings::{ALL, assert_same, programs};
use crate::namespaces::{Namespace, alone};
use crate::output::TIMEOUT;

#[test]
#[ignore = "needs root, ip_vs, keepalived and both programs: cargo xtask test --only ipvsadm"]
fn table_of_keepalived_is_shown_alike() {
    alone(|| {
        let (network, programs) = (Namespace::new(), programs());
        let keepalived = network.run(Keepalived::start);
        let saved = || String::from_utf8(programs[0].ipvsadm(&network, &["-Sn"], b"").stdout).unwrap();
        wait_until(|| saved() == RULES, || format!("keepalived made\n{}instead of\n{RULES}", saved()));
        assert_same(&network, &programs, ALL);
        for service in ["-t 192.0.2.1:80", "-u 192.0.2.1:53", "-t [2001:db8::10]:443", "-f 7", "-f 8 -6"] {
            let words: Vec<&str> = ["-Ln"].into_iter().chain(service.split(' ')).collect();
            assert_same(&network, &programs, &[&words]);
        }

        drop(keepalived);
        wait_until(|| saved().is_empty(), || "keepalived has not cleaned up".to_owned());
        assert_same(&network, &programs, ALL);
    });
}

fn wait_until(mut is: impl FnMut() -> bool, otherwise: impl FnOnce() -> String) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < TIMEOUT, "{}", otherwise());
        thread::sleep(Duration::from_millis(200));
    }
}

/// It runs until this is dropped.
struct Keepalived {
    process: Child,
    _folder: tempfile::TempDir,
}

impl Keepalived {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("conf"), CONFIGURATION).unwrap();
        let mut command = Command::new("keepalived");
        command.args(["--dont-fork", "--check", "--log-console"]);
        command.arg("--use-file").arg(file("conf"));
        command.arg("--pid").arg(file("pid")).arg("--checkers_pid").arg(file("checkers"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let process = command.spawn().expect("keepalived is needed");
        Self { process, _folder: folder }
    }
}

impl Drop for Keepalived {
    /// Lets it remove what it has made; kills it if that takes too long.
    fn drop(&mut self) {
        let process = Pid::from_raw(self.process.id().try_into().unwrap());
        let _ = kill(process, Signal::SIGTERM);
        let start = Instant::now();
        while let Ok(None) = self.process.try_wait() {
            if start.elapsed() > TIMEOUT {
                let _ = killpg(process, Signal::SIGKILL);
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Every protocol and family, marks, every way of forwarding, and a service whose only server is down.
const CONFIGURATION: &str = "\
global_defs {
    router_id director
}
virtual_server 192.0.2.1 80 {
    lvs_sched wrr
    lvs_method NAT
    protocol TCP
    persistence_timeout 300
    persistence_granularity 255.255.255.0
    real_server 10.0.0.2 8080 {
        weight 5
        uthreshold 100
        lthreshold 50
    }
    real_server 10.0.0.3 8081 {
        weight 0
    }
}
virtual_server 192.0.2.1 53 {
    lvs_sched rr
    lvs_method DR
    protocol UDP
    ops
    real_server 10.0.0.2 53 {
    }
    real_server 10.0.0.3 53 {
        weight 100
    }
}
virtual_server 192.0.2.2 443 {
    lvs_sched sh
    sh-port
    sh-fallback
    protocol TCP
    real_server 10.0.0.2 443 {
        lvs_method TUN
    }
    real_server 10.0.0.3 443 {
        lvs_method TUN type gue port 6080 csum
    }
    real_server 10.0.0.4 443 {
        lvs_method TUN type gre
    }
    real_server 10.0.0.5 443 {
        lvs_method DR
    }
}
virtual_server 192.0.2.3 81 {
    lvs_sched wlc
    lvs_method NAT
    protocol TCP
    alpha
    sorry_server 10.0.0.9 8080
    real_server 127.0.0.1 9 {
        TCP_CHECK {
            connect_timeout 1
        }
    }
}
virtual_server 2001:db8::10 443 {
    lvs_sched wlc
    lvs_method NAT
    protocol TCP
    persistence_timeout 60
    persistence_granularity 64
    real_server 2001:db8::2 8443 {
        weight 3
    }
    real_server 2001:db8::3 443 {
    }
}
virtual_server 2001:db8::10 5060 {
    lvs_sched mh
    mh-port
    lvs_method DR
    protocol UDP
    real_server 2001:db8::2 5060 {
    }
}
virtual_server 192.0.2.4 5000 {
    lvs_sched lc
    lvs_method NAT
    protocol SCTP
    real_server 10.0.0.2 5000 {
    }
}
virtual_server fwmark 7 {
    lvs_sched fo
    lvs_method DR
    protocol TCP
    persistence_timeout 600
    real_server 10.0.0.2 0 {
        weight 2
    }
    real_server 10.0.0.3 0 {
    }
}
virtual_server fwmark 8 {
    lvs_sched rr
    lvs_method NAT
    protocol TCP
    ip_family inet6
    real_server 2001:db8::2 80 {
    }
}
";

const RULES: &str = "\
-A -t 192.0.2.1:80 -s wrr -p 300 -M 255.255.255.0
-a -t 192.0.2.1:80 -r 10.0.0.2:8080 -m -w 5
-a -t 192.0.2.1:80 -r 10.0.0.3:8081 -m -w 0
-A -t 192.0.2.2:443 -s sh -b sh-fallback,sh-port
-a -t 192.0.2.2:443 -r 10.0.0.2:443 -i -w 1 --tun-type ipip
-a -t 192.0.2.2:443 -r 10.0.0.3:443 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum
-a -t 192.0.2.2:443 -r 10.0.0.4:443 -i -w 1 --tun-type gre --tun-nocsum
-a -t 192.0.2.2:443 -r 10.0.0.5:443 -g -w 1
-A -t 192.0.2.3:81 -s wlc
-a -t 192.0.2.3:81 -r 10.0.0.9:8080 -m -w 1
-A -u 192.0.2.1:53 -s rr -o
-a -u 192.0.2.1:53 -r 10.0.0.2:53 -g -w 1
-a -u 192.0.2.1:53 -r 10.0.0.3:53 -g -w 100
-A --sctp-service 192.0.2.4:5000 -s lc
-a --sctp-service 192.0.2.4:5000 -r 10.0.0.2:5000 -m -w 1
-A -t [2001:db8::10]:443 -s wlc -p 60 -M 64
-a -t [2001:db8::10]:443 -r [2001:db8::2]:8443 -m -w 3
-a -t [2001:db8::10]:443 -r [2001:db8::3]:443 -m -w 1
-A -u [2001:db8::10]:5060 -s mh -b mh-port
-a -u [2001:db8::10]:5060 -r [2001:db8::2]:5060 -g -w 1
-A -f 7 -s fo -p 600
-a -f 7 -r 10.0.0.2:0 -g -w 2
-a -f 7 -r 10.0.0.3:0 -g -w 1
-A -f 8 -6 -s rr
-a -f 8 -6 -r [2001:db8::2]:80 -m -w 1
";
