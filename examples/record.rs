//! Records how the table of this network namespace is read, for a bug report: every byte in both directions, with its
//! meaning beside it. Nothing is changed.
//!
//! `cargo run --features testing --example record -- FILE`, as root.
//!
//! **The file has your table in it**: addresses, ports, marks and counters. Look through it before you publish it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ipvs_rs::testing::Recorder;
use ipvs_rs::transport::{KernelSocket, SocketOptions, Transport};
use ipvs_rs::{Error, Handle};

fn main() -> ExitCode {
    let path = match path(env::args_os().skip(1)) {
        Ok(path) => path,
        Err(problem) => {
            eprintln!("error: {problem}");
            return ExitCode::from(2);
        }
    };
    let socket = KernelSocket::open(SocketOptions::default());
    let status = match socket.and_then(|socket| record(socket, &path)) {
        Ok(Ok(summary)) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        // The report may be about this very error, which has been recorded as well.
        Ok(Err(error)) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    };
    println!("{} has all of it, addresses and counters included: look through it first.", path.display());
    status
}

fn path(words: impl Iterator<Item = OsString>) -> Result<PathBuf, String> {
    let words: Vec<OsString> = words.collect();
    match words.as_slice() {
        [word] if word.is_empty() => Err("FILE: a file needs a name".to_owned()),
        [word] if word.as_encoded_bytes().starts_with(b"-") => {
            Err(format!("FILE: unknown option {}; write ./{0} if it is a file", word.display()))
        }
        [word] => Ok(word.into()),
        words => Err(format!("expected FILE, which will be made, and got {} arguments", words.len())),
    }
}

/// Reads the table over a transport and writes the conversation into a new file. Returns the result of the reading.
fn record(transport: impl Transport + 'static, path: &Path) -> io::Result<Result<String, Error>> {
    // The file is created before anything else, and never replaces another one.
    let mut file = File::create_new(path)?;
    let (recorder, recording) = Recorder::new(transport);
    let result = Handle::builder().open_over(recorder).and_then(|handle| read(&handle));
    file.write_all(recording.transcript().to_string().as_bytes())?;
    Ok(result)
}

fn read(handle: &Handle) -> Result<String, Error> {
    let info = handle.get_info()?;
    let table = handle.snapshot()?;
    Ok(format!("IPVS {}, {} services, {} destinations", info.version, table.len(), table.destination_count()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use ipvs_rs::testing::{FakeKernel, Fault, Replay, Transcript};
    use ipvs_rs::{Scheduler, Service};

    use super::*;

    #[test]
    fn one_file_is_expected() {
        let said = |words: &[&str]| path(words.iter().map(OsString::from));
        assert_eq!(said(&["table.txt"]), Ok("table.txt".into()));
        assert_eq!(said(&[]).unwrap_err(), "expected FILE, which will be made, and got 0 arguments");
        assert_eq!(said(&["a", "b"]).unwrap_err(), "expected FILE, which will be made, and got 2 arguments");
        assert_eq!(said(&[""]).unwrap_err(), "FILE: a file needs a name");
        assert_eq!(said(&["--help"]).unwrap_err(), "FILE: unknown option --help; write ./--help if it is a file");
    }

    #[test]
    fn recording_replays_without_the_kernel() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.txt");
        let kernel = FakeKernel::new();
        kernel.handle().unwrap().new_service(&Service::new("FWM 7".parse().unwrap(), Scheduler::Rr)).unwrap();
        let summary = record(kernel.transport(), &path).unwrap().unwrap();
        assert_eq!(summary, "IPVS 1.2.1, 1 services, 0 destinations");
        let transcript: Transcript = fs::read_to_string(&path).unwrap().parse().unwrap();
        let handle = Handle::builder().open_over(Replay::new(transcript)).unwrap();
        assert_eq!(read(&handle).unwrap(), summary);
    }

    #[test]
    fn failure_is_written_down_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.txt");
        let kernel = FakeKernel::new();
        kernel.misbehave(Fault::Silence);
        assert!(record(kernel.transport(), &path).unwrap().unwrap_err().is_timeout());
        assert!(fs::read_to_string(&path).unwrap().ends_with("\nsilence\n"));
    }

    #[test]
    fn file_that_is_there_stays_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table.txt");
        fs::write(&path, "mine").unwrap();
        let error = record(FakeKernel::new().transport(), &path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}
