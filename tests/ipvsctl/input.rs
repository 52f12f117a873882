//! Where files and parameters come from, and how broken ones end.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use crate::kernel;
use crate::world::scene;

const MODEL: &str = "services:\n- address: tcp://192.0.2.1:80\n  sched: wlc\n";

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn standard_input_is_a_file_in_every_form() {
    scene(|world| {
        for words in [&["apply", "-f", "-"][..], &["apply", "-f=-"], &["apply", "-f-"], &["apply", "--file=-"]] {
            world.clear();
            let said = world.run(words, MODEL, &[]);
            assert_eq!(
                (said.status, &*said.stdout),
                (0, "Applied configuration from -\n"),
                "{words:?}: {}",
                said.stderr
            );
            assert_eq!(world.saved(), "-A -t 192.0.2.1:80 -s wlc\n", "{words:?}");
        }
        assert_eq!(world.run(&["changeset", "-f", "-"], MODEL, &[]).stdout, "{}\n");
        assert_eq!(world.run(&["validate", "-f", "-"], MODEL, &[]).stdout, "Configuration valid.\n");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn parameters_come_from_interfaces_variables_and_files() {
    scene(|world| {
        world.write("a.yaml", "net: {port: 80}\nshared: 1\n");
        world.write("b.json", "{\"net\": {\"port\": 81, \"last\": 7}, \"shared\": 2}");
        world.write(
            "model.yaml",
            "services:\n- address: tcp://${host.lo}:${net.port}\n- address: udp://10.0.${shared}.${net.${env.KEY}}:53\n",
        );
        let words = ["--params-network", "--params-env", "--params-file=a.yaml", "--params-file=b.json"];
        let words = [&words[..], &["apply", "-f", "model.yaml"]].concat();
        let said = world.run(&words, "", &[("KEY", "last")]);
        assert_eq!(said.status, 0, "{}", said.stderr);
        let mut saved: Vec<_> = world.saved().lines().map(str::to_owned).collect();
        saved.sort();
        assert_eq!(saved, ["-A -t 127.0.0.1:80 -s rr", "-A -u 10.0.1.7:53 -s rr"]);

        let variables = [
            ("KEY", "last"),
            ("IPVSCTL_PARAMS_HOST_NETWORK", "true"),
            ("IPVSCTL_PARAMS_HOST_ENV", "true"),
            ("IPVSCTL_PARAMS_FILE", "a.yaml,b.json"),
        ];
        let said = world.run(&["changeset", "-f", "model.yaml"], "", &variables);
        assert_eq!((said.status, &*said.stdout), (0, "{}\n"), "{}", said.stderr);
        let said = world.run(&["changeset", "-f", "model.yaml"], "", &variables[..2]);
        assert_eq!(said.status, 35, "each switch has its own variable: {}", said.stderr);
        assert!(said.stderr.contains("unable to look up parameter (for key="), "{}", said.stderr);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn parameters_come_from_a_web_server() {
    scene(|world| {
        let listener = world.network.run(|| TcpListener::bind("127.0.0.1:0").unwrap());
        let url = format!("--params-url=http://{}/params", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            for answer in ["200 OK", "404 Not Found"] {
                let (mut stream, _) = listener.accept().unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                lines.map_while(Result::ok).take_while(|line| !line.is_empty()).for_each(drop);
                let body = "{\"port\": 80}";
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {answer}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        world.write("model.yaml", "services:\n- address: tcp://192.0.2.1:${port}\n");
        world.ok_but_warned(&["apply", "-f", "model.yaml", &url]);
        assert_eq!(world.saved(), "-A -t 192.0.2.1:80 -s rr\n");
        let said = world.fails(50, &["apply", "-f", "model.yaml", &url]);
        assert!(said.contains("404"), "{said}");
        server.join().unwrap();
        world.fails(50, &["apply", "-f", "model.yaml", &url]);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn broken_input_changes_nothing() {
    scene(|world| {
        world.rules("-A -t 192.0.2.9:80 -s rr -p 300\n");
        let before = world.saved();
        world.write("yaml.yaml", "services: [\n");
        world.write("list.yaml", "- a\n");
        world.write("colon.yaml", "services:\n- address: tcp://10.0.0.1:\n");
        world.write("invalid.yaml", "services:\n- address: tcp://192.0.2.1:99999\n");
        world.write("twice.yaml", "services:\n- address: tcp://192.0.2.1:80\n- address: tcp://192.0.2.1:080\n");
        world.write("null.yaml", "services:\n- null\n");
        world.write("parameter.yaml", "services:\n- address: tcp://${a}:80\n");
        world.write("good.yaml", MODEL);
        world.shell("mkdir -p folder; printf '\\377\\376' > bytes.yaml");
        let mut bomb = "x: &a0 [y]\n".to_owned();
        for level in 1..40 {
            let below = level - 1;
            writeln!(bomb, "a{level}: &a{level} [*a{below}, *a{below}]").unwrap();
        }
        world.write("bomb.yaml", &(bomb + "services:\n"));
        for (status, words) in [
            (30, &["-f", "missing.yaml"][..]),
            (30, &["-f", ""]),
            (30, &["-f", "yaml.yaml"]),
            (30, &["-f", "list.yaml"]),
            (30, &["-f", "colon.yaml"]),
            (30, &["-f", "bytes.yaml"]),
            (30, &["-f", "bomb.yaml"]),
            (32, &["-f", "invalid.yaml"]),
            (32, &["-f", "twice.yaml"]),
            (32, &["-f", "null.yaml"]),
            (35, &["-f", "parameter.yaml"]),
            (51, &["-f", "good.yaml", "--params-file=missing.yaml"]),
            (51, &["-f", "good.yaml", "--params-file=folder"]),
            (30, &["-f", "good.yaml", "--params-file=list.yaml"]),
            (2, &["-f"]),
        ] {
            for command in ["apply", "changeset", "validate", "plan"] {
                let said = world.ctl(&[&[command], words].concat());
                assert_eq!((said.status, &*said.stdout), (status, ""), "{command} {words:?}: {}", said.stderr);
                assert!(
                    !said.stderr.trim().is_empty() && said.stderr.len() < 4000,
                    "{command} {words:?}: {}",
                    said.stderr
                );
            }
        }
        assert_eq!(world.saved(), before);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn folder_is_all_of_its_files() {
    scene(|world| {
        world.write("conf/10-a.yaml", "defaults: {sched: wlc}\nservices:\n- address: tcp://192.0.2.1:80\n");
        world.write("conf/20-b.json", "{\"services\": [{\"address\": \"tcp://192.0.2.2:80\"}]}");
        world.write("conf/.hidden.yaml", "broken: [");
        world.write("conf/30-c.yaml~", "broken: [");
        world.ok_but_warned(&["apply", "-f", "conf"]);
        let mut saved: Vec<_> = world.saved().lines().map(str::to_owned).collect();
        saved.sort();
        assert_eq!(
            saved,
            ["-A -t 192.0.2.1:80 -s wlc", "-A -t 192.0.2.2:80 -s rr"],
            "defaults are those of their file"
        );
        world.write("more.yaml", "services:\n- address: tcp://192.0.2.1:80\n  sched: wlc\n  destinations: [{address: 10.0.0.2, weight: 1}]\n");
        let said = world.fails(32, &["plan", "-f", "conf", "-f", "more.yaml"]);
        assert!(said.contains("10-a.yaml") && said.contains("more.yaml"), "both places: {said}");
        let said = world.ok_but_warned(&["plan", "-f", "conf", "-f", "more.yaml", "--merge"]);
        assert!(said.contains("+ destination 10.0.0.2:80"), "{said}");
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsctl"]
fn default_file_counts_before_the_default_folder() {
    if !kernel::is_ours() {
        // The files of another machine are not ours.
        return kernel::note("default files are looked at in the virtual machine only");
    }
    scene(|world| {
        let said = world.fails(30, &["apply"]);
        assert!(said.starts_with("Error reading from input file /etc/ipvsctl.yaml: "), "{said}");
        assert!(said.trim_end().ends_with("name another file or a directory with -f"), "{said}");
        std::fs::create_dir_all("/etc/ipvsctl.d").unwrap();
        std::fs::write("/etc/ipvsctl.d/a.yaml", MODEL).unwrap();
        assert_eq!(world.ok_but_warned(&["apply"]), "Applied configuration from /etc/ipvsctl.d\n");
        assert_eq!(world.saved(), "-A -t 192.0.2.1:80 -s wlc\n");
        std::fs::write("/etc/ipvsctl.yaml", "{}").unwrap();
        assert_eq!(world.ok_but_warned(&["apply"]), "Applied configuration from /etc/ipvsctl.yaml\n");
        assert_eq!(world.saved(), "");
        std::fs::remove_file("/etc/ipvsctl.yaml").unwrap();
        std::fs::remove_dir_all("/etc/ipvsctl.d").unwrap();
    });
}
