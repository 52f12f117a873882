//! Running a program to its end, what came of it, and how two such results differ.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use similar::{ChangeTag, TextDiff};

/// The output and the exit status of a program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Output {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// As a shell shows it: 128 + n after signal n.
    pub status: i32,
}

/// Runs a program in a process group of its own. One that has not ended by the deadline is killed, and the test fails.
pub fn run(mut command: Command, stdin: &[u8]) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command.stdin(if stdin.is_empty() { Stdio::null() } else { Stdio::piped() });
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let group = Pid::from_raw(child.id().try_into().unwrap());
    let deadline = Instant::now() + TIMEOUT;
    let kill = || {
        let _ = killpg(group, Signal::SIGKILL);
        panic!("not within {TIMEOUT:?}: {command:?}");
    };
    let (input, stdout, stderr) = (child.stdin.take(), child.stdout.take().unwrap(), child.stderr.take().unwrap());
    thread::scope(|scope| {
        // A program that does not read all of its input closes the pipe.
        scope.spawn(|| input.map(|mut input| input.write_all(stdin)));
        let (sender, receiver) = mpsc::channel();
        let errors = sender.clone();
        scope.spawn(move || sender.send((1, read(stdout))));
        scope.spawn(move || errors.send((2, read(stderr))));
        let mut output = Output { stdout: Vec::new(), stderr: Vec::new(), status: 0 };
        for _ in 0..2 {
            match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok((1, bytes)) => output.stdout = bytes,
                Ok((_, bytes)) => output.stderr = bytes,
                Err(RecvTimeoutError::Timeout) => kill(),
                Err(RecvTimeoutError::Disconnected) => unreachable!("both readers send once"),
            }
        }
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None if Instant::now() > deadline => kill(),
                None => thread::sleep(Duration::from_millis(1)),
            }
        };
        output.status = status.code().unwrap_or_else(|| 128 + status.signal().unwrap());
        output
    })
}

fn read(mut from: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Longer than anything takes on an emulated machine, ten megabytes of rules among it.
pub const TIMEOUT: Duration = Duration::from_secs(240);

impl Output {
    /// The differences of `actual` for people; empty if there are none.
    pub fn difference(&self, actual: &Self) -> Option<String> {
        let mut text = String::new();
        if self.status != actual.status {
            let _ = writeln!(text, "    exit status {} instead of {}", actual.status, self.status);
        }
        for (name, expected, actual) in
            [("stdout", &self.stdout, &actual.stdout), ("stderr", &self.stderr, &actual.stderr)]
        {
            if expected != actual {
                let _ = writeln!(text, "    {name} (- expected, + printed):");
                let (expected, actual) = (shown(expected), shown(actual));
                for change in TextDiff::from_lines(&expected, &actual).iter_all_changes() {
                    let sign = match change.tag() {
                        ChangeTag::Delete => '-',
                        ChangeTag::Insert => '+',
                        ChangeTag::Equal => ' ',
                    };
                    let _ = write!(text, "    {sign} {change}");
                }
            }
        }
        (!text.is_empty()).then_some(text)
    }
}

/// Text whose every byte can be seen: trailing blanks, control characters, a missing last line end.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let (line, end) = match line {
            [line @ .., b'\n'] => (line, ""),
            line => (line, " (no line end)"),
        };
        let _ = writeln!(text, "|{}|{end}", line.escape_ascii());
    }
    text
}

#[test]
fn difference_names_what_differs_and_nothing_else() {
    let output = |stdout: &str, stderr: &str, status| Output {
        stdout: stdout.as_bytes().to_owned(),
        stderr: stderr.as_bytes().to_owned(),
        status,
    };
    let expected = output("a\nb \n", "", 0);
    assert_eq!(expected.difference(&expected), None);
    assert_eq!(
        expected.difference(&output("a\nb", "", 255)).unwrap(),
        "    exit status 255 instead of 0\n    \
         stdout (- expected, + printed):\n      |a|\n    - |b |\n    + |b| (no line end)\n"
    );
}
