//! The behavior of both programs when their output is not read, cannot be written, or their input is broken.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;

use fastrand::Rng;

use crate::listings::programs;
use crate::namespaces::{Namespace, alone};
use crate::output::Output;
use crate::root::Root;

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn closed_or_full_streams_are_handled() {
    alone(|| {
        let both = BothPrograms::new();
        both.restore(RULES);
        both.assert_same(&[
            "ipvsadm -Ln >&-",
            "ipvsadm -Ln >/dev/full",
            "ipvsadm -L --stats <&- >/dev/full",
            "ipvsadm -Sn >&-",
            "ipvsadm -Sn >/dev/full",
            "ipvsadm -Lcn >/dev/full",
            "ipvsadm -h >/dev/full",
            "ipvsadm -v >&-",
            "ipvsadm -Q 2>&-",
            "ipvsadm -Q 2>/dev/full",
            "ipvsadm -L -Q 2>&-",
            "ipvsadm -A -t nowhere:80 2>/dev/full",
            "ipvsadm -D -t 10.9.9.9:80 2>&-",
            "ipvsadm -L -t 10.9.9.9:80 >&- 2>&-",
            "ipvsadm -R <&-",
            "ipvsadm -R <&- >&- 2>&-",
            "echo '-A -t 10.0.1.1:80' | ipvsadm -R >&- 2>&-",
            "echo '-L -n' | ipvsadm -R >/dev/full",
            "ipvsadm -A -t 10.0.1.2:80 <&- >&- 2>&-",
            "ipvsadm-save -n >/dev/full",
        ]);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn reader_that_goes_away_ends_long_lists_and_not_short_ones() {
    alone(|| {
        let both = BothPrograms::new();
        let piped = |list: &str| format!("bash -c 'ipvsadm {list} | head -1; echo ${{PIPESTATUS[*]}}'");
        let lists = ["-Ln", "-Ln --stats", "-Sn"].map(piped);
        let lists = lists.each_ref().map(String::as_str);
        both.restore(RULES);
        for output in both.assert_same(&lists) {
            assert!(output.stdout.ends_with(b"\n0 0\n"), "a short list is in the pipe before the reader leaves");
        }

        // More than a pipe holds and `head` takes.
        let mut rules = String::new();
        for service in 0..1000 {
            let address = format!("-t 10.1.{}.{}:80", service / 200, service % 200);
            let _ = writeln!(rules, "-A {address} -s rr");
            for server in 1..=4 {
                let _ = writeln!(rules, "-a {address} -r 10.2.0.{server}:80 -m -w 1");
            }
        }
        both.restore(&rules);
        for output in both.assert_same(&lists) {
            assert!(output.stdout.ends_with(b"\n141 0\n"), "a long one ends by the signal");
        }
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn ten_megabytes_of_rules_are_restored() {
    alone(|| {
        let both = BothPrograms::new();
        // Blanks make the lines long: the kernel's work is not what this is about.
        let blanks = " ".repeat(4000);
        let mut rules = String::new();
        for service in 0..125 {
            let address = format!("-t 10.1.{}.{}:80", service / 200, service % 200);
            let _ = writeln!(rules, "-A {blanks}{address} -s rr");
            for server in 1..=20 {
                let _ = writeln!(rules, "{blanks}-a {address} -r 10.2.0.{server}:80 -m -w {server}");
            }
        }
        assert!(rules.len() > 10_000_000);
        both.restore(&rules);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn ten_megabytes_of_anything_end() {
    alone(|| {
        let both = BothPrograms::new();
        let mut random = Rng::with_seed(1);
        let noise: Vec<u8> = (0..10_000_000).map(|_| random.u8(..)).collect();
        both.assert_same_input(&noise);
        // An input that a parser refuses does not end the run, so that this is read to its end.
        let mut lines = Vec::new();
        for chunk in noise.chunks(10_000) {
            lines.extend_from_slice(b"-A -Q ");
            lines.extend(chunk.iter().filter(|byte| **byte != b'\n'));
            lines.push(b'\n');
        }
        both.assert_same_input(&lines);
        both.assert_same_input(&[&lines[..], b"-A -t 10.0.0.1:80 -s rr"].concat());
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn lines_of_a_megabyte_are_taken_as_they_are() {
    const MEGABYTE: usize = 1 << 20;
    alone(|| {
        let both = BothPrograms::new();
        let input = |parts: &[(&str, usize)]| {
            let bytes: String = parts.iter().map(|(text, count)| text.repeat(*count)).collect();
            both.assert_same_input(bytes.as_bytes())
        };
        input(&[("-A -t 10.0.0.1:80", 1), (" ", MEGABYTE), ("-s rr", 1)]);
        input(&[("-A -t 10.0.0.2:80", 1), ("\t", MEGABYTE), ("\n-L -n\n", 1)]);
        input(&[("-L ", 1), ("x", MEGABYTE)]);
        input(&[("-L ", 1), ("a-word-of-thirty-one-characters ", MEGABYTE / 32)]);
        input(&[("-A -w ", 1), ("1", MEGABYTE), ("\n-L -n\n", 1)]);
        input(&[("-A -", 1), ("Q", MEGABYTE), ("\n-L -n\n", 1)]);
        input(&[("ipvsadm ", MEGABYTE / 8), ("-L -n\n", 1)]);
        input(&[("-L", 1), (" ", MEGABYTE), ("-X -X", 1)]);
        input(&[
            ("-A -s ", 1),
            ("s", 4095),
            (" -Q\n-A -s ", 1),
            ("s", 4096),
            (" -Q\n-A -s ", 1),
            ("s", 4097),
            (" -Q", 1),
        ]);
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn invalid_utf8_is_passed_on_unchanged() {
    alone(|| {
        let both = BothPrograms::new();
        for input in [
            &b"-A -t 10.0.0.1:80\0x -s rr\n"[..],
            b"-A -t 10.0.0.2:80 -s rr\0wlc\n",
            b"\0-A -t 10.0.0.3:80 -s rr\n",
            b"-A\0 -t 10.0.0.4:80 -s rr\n",
            b"\0\n-A -t 10.0.0.5:80 -s rr\n",
            b"-A -t 10.0.0.6:80 \0\n",
            b"-L -n\0\0\n",
            b"-A -t \xff\xfe:80\n",
            b"\xef\xbb\xbf-A -t 10.0.0.7:80\n",
            b"-L -\xc3\xa9\n-L --\xff\n-L\xa0-n\n",
            b"-A -t 10.0.0.8:80\x0b-s\x0crr\n",
            b"-A -t 10.0.0.9:80\r-s\rrr\r\r\n",
            b"-A -t 10.0.0.10:80 -s rr\x1a\n",
        ] {
            both.assert_same_input(input);
        }
        for words in [
            &[&b"\xff"[..]][..],
            &[b"-L", b"\xff\xfe"],
            &[b"-L", b"-\xff"],
            &[b"-L", b"--\xc3\x28"],
            &[b"-A", b"-t", b"\xc3\x28:80"],
            &[b"-A", b"-t", b"10.0.1.1:\xff"],
            &[b"-A", b"-t", b"10.0.1.1:80", b"-s", b"\xff"],
            &[b"-A", b"-t", b"10.0.1.1:80", b"-p", b"\xb2"],
            &[b"-A", b"-t", b"10.0.1.1:80", b"-b", b"\xff,flag-1"],
            &[b"-A", b"-t", b"10.0.1.1:80", b"-p", b"9", b"--pe", b"\xff"],
            &[b"-A", b"-f", b"\xd9\xa3"],
            &[b"--start-daemon", b"\xff"],
            &[b"--start-daemon", b"master", b"--mcast-interface", b"\xff"],
            &[b"--start-daemon", b"master", b"--mcast-group", b"\xff:"],
            &[b"--set", b"\xff", b"1", b"1"],
            &[b"-A=\xff"],
        ] {
            let words: Vec<&OsStr> = words.iter().map(|word| OsStr::from_bytes(word)).collect();
            both.assert_same_call(&words, b"");
        }
        both.assert_same_rules("all of this");
        // As long as the kernel lets a word be.
        let long = "1".repeat(128 * 1024 - 1);
        for before in [&["-L"][..], &["-A", "-s"], &["-A", "-f"], &["-A", "-w"], &["--set", "1", "1"], &["-A", "-b"]] {
            let words: Vec<&OsStr> = before.iter().copied().chain([&*long]).map(OsStr::new).collect();
            both.assert_same_call(&words, b"");
        }
        for service in ["-t", "-u", "--sctp-service", "-r"] {
            let words = ["-A", service, &long];
            let output = both.programs[1].ipvsadm(&both.networks[1], &words, b"");
            let which = if service == "-r" { "real" } else { "virtual" };
            let expected = format!("illegal {which} server address[:port] specified\n");
            // The original copies it into a buffer of fixed length.
            assert_eq!((String::from_utf8(output.stderr).unwrap(), output.status), (expected, 2), "{service}");
        }
    });
}

#[test]
#[ignore = "needs root, ip_vs and both programs: cargo xtask test --only ipvsadm"]
fn command_that_fails_changes_nothing() {
    alone(|| {
        let both = BothPrograms::new();
        both.restore(RULES);
        let quick = || both.programs[0].ipvsadm(&both.networks[1], &["-Ln", "--thresholds"], b"");
        let (before, before_quick) = (both.table(1), quick());
        for line in [
            "-A -t 10.0.9.9:80 -s rr -w 5",
            "-A -t 10.0.9.9:80 -s nothing",
            "-A -t 10.0.9.9:80 -s rr -p 300 --pe nothing",
            "-A -t 10.0.9.9:80 -s rr extra",
            "-A -t 10.0.9.9:80 -s rr -s wlc",
            "-A -t 10.0.9.9:80 -s rr -o",
            "-A -t 10.0.9.9:80 -b sh-port",
            "-A -t 10.0.9.9:80 -C",
            "-A -t 10.0.9.9:80 -L",
            "-A -t 10.0.0.1:80 -s wlc",
            "-E -t 10.0.0.1:80 -s nothing",
            "-E -t 10.0.0.1:80 -s wlc -p 0",
            "-E -t 10.0.0.1:80 -s wlc -M 255.0.0.0 -Q",
            "-D -t 10.0.0.1:80 -n",
            "-D -t 10.0.0.1:80 -t 10.0.0.2:80",
            "-a -t 10.0.0.1:80 -r 10.0.0.2:8080 -m -w 9",
            "-a -t 10.0.0.1:80 -r 10.0.0.9:80 -m -x 1 -y 2",
            "-a -t 10.0.0.1:80 -r 224.0.0.1:80",
            "-a -t 10.0.0.1:80 -r [2001:db8::2]:80",
            "-a -t 10.0.0.1:80 -r 10.0.0.9:80 -i --tun-type gue",
            "-e -t 10.0.0.1:80 -r 10.0.0.2:8080 -m -w 9 -x 1 -y 2",
            "-e -t 10.0.0.1:80 -r 10.0.0.2:8080 -w 9",
            "-e -t 10.0.0.1:80 -r 10.0.0.2:8080 -m -w -1",
            "-d -t 10.0.0.1:80 -r 10.0.0.2:8081",
            "-d -t 10.0.0.1:80 -r 10.0.0.2:8080 -w 1",
            "--set 10 20 2678401",
            "--set 10 20",
            "--set 10 20 x",
            "--set 10 20 30 40",
            "--set 10 20 30 -L",
            "-C extra",
            "-C -n",
            "-C -Z",
            "-Z -t 10.0.9.9:80",
            "-R -n",
            "--start-daemon master --mcast-interface nothing",
            "--start-daemon master --mcast-interface lo --syncid 256",
            "--stop-daemon master",
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let output = both.assert_same_call(&words, b"-A -t 10.0.9.9:80 -s rr\n");
            assert_ne!(output.status, 0, "{line}");
            assert_eq!(before_quick.difference(&quick()), None, "{line}");
        }
        assert_eq!(before.difference(&both.table(1)), None);
    });
}

/// Both programs, each with a network namespace of its own.
struct BothPrograms {
    programs: [Root; 2],
    networks: [Namespace; 2],
}

impl BothPrograms {
    fn new() -> Self {
        Self { programs: programs(), networks: [Namespace::new(), Namespace::new()] }
    }

    /// Restores the same rules with each, which must succeed and lead to the same table.
    fn restore(&self, rules: &str) {
        let output = self.assert_same_input(rules.as_bytes());
        assert_eq!((String::from_utf8_lossy(&output.stderr).as_ref(), output.status), ("", 0));
    }

    /// Runs lines of a shell, with the same outcome.
    fn assert_same(&self, lines: &[&str]) -> Vec<Output> {
        let mut differences = String::new();
        let mut outputs = Vec::new();
        for line in lines {
            let [expected, actual] = [0, 1].map(|side: usize| self.programs[side].shell(&self.networks[side], line));
            if let Some(difference) = expected.difference(&actual) {
                let _ = writeln!(differences, "{line}\n{difference}");
            }
            outputs.push(expected);
        }
        assert!(differences.is_empty(), "{differences}");
        self.assert_same_rules("all of this");
        outputs
    }

    fn assert_same_input(&self, input: &[u8]) -> Output {
        let output = self.assert_same_call(&["-R"], input);
        self.assert_same_rules(&format!("ipvsadm -R < {}", shown(input)));
        output
    }

    fn assert_same_call<A: AsRef<OsStr>>(&self, words: &[A], stdin: &[u8]) -> Output {
        let [expected, actual] =
            [0, 1].map(|side: usize| self.programs[side].ipvsadm(&self.networks[side], words, stdin));
        if let Some(difference) = expected.difference(&actual) {
            let words: Vec<String> = words.iter().map(|word| shown(word.as_ref().as_bytes())).collect();
            panic!("ipvsadm {} < {}\n{}", words.join(" "), shown(stdin), start(&difference));
        }
        actual
    }

    fn assert_same_rules(&self, after: &str) {
        let [expected, actual] =
            [0, 1].map(|side: usize| self.programs[0].ipvsadm(&self.networks[side], &["-Sn"], b""));
        if let Some(difference) = expected.difference(&actual) {
            panic!("{after} led to another table:\n{}", start(&difference));
        }
    }

    /// All that can be told apart from outside, in the words of the original.
    fn table(&self, side: usize) -> Output {
        let lists = "ipvsadm -Sn; ipvsadm -Ln --thresholds; ipvsadm -L --timeout; ipvsadm -L --daemon";
        self.programs[0].shell(&self.networks[side], lists)
    }
}

/// The first bytes of something, for people.
fn shown(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(200)].escape_ascii().to_string()
}

/// The first lines of a difference that may be very long.
fn start(difference: &str) -> String {
    let cut = |line: &str| line.chars().take(400).collect::<String>();
    difference.lines().take(40).map(cut).collect::<Vec<_>>().join("\n")
}

const RULES: &str = "\
-A -t 10.0.0.1:80 -s rr -p 300 -M 255.255.255.0
-a -t 10.0.0.1:80 -r 10.0.0.2:8080 -m -w 5 -x 10 -y 5
-A -f 7 -6 -s sh -b sh-port
-a -f 7 -6 -r [2001:db8::2]:80 -i -w 1
";
