use std::io::ErrorKind;

use super::*;
use crate::args::Globals;
use crate::console::Console;
use crate::failure::{Exit, Failure, failure};

/// A disk without room, or a pipe without a reader.
#[derive(Clone, Copy)]
struct Broken(ErrorKind);

impl Write for Broken {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The exit status of a command that prints and then ends with this result, and its messages.
fn ended(out: impl Write + 'static, text: &str, done: Result<(), Failure>) -> (u8, String) {
    let mut console = Console::memory_of(&Globals::default());
    console.out = Box::new(out);
    console.print(text);
    let status = console.end(done);
    (status, console.taken().1)
}

const FULL: &str = "Unable to write to standard output: no storage space\n";

#[test]
fn output_that_cannot_be_written_is_a_failure() {
    let full = Broken(ErrorKind::StorageFull);
    assert_eq!(ended(full, "x", Ok(())), (100, FULL.to_owned()));
    assert_eq!(ended(BufWriter::new(full), "x", Ok(())), (100, FULL.to_owned()), "found out at the end");
    let closed = "Unable to write to standard output: Bad file descriptor (os error 9)\n";
    assert_eq!(ended(super::closed().unwrap(), "x", Ok(())), (100, closed.to_owned()));
    assert_eq!(ended(BufWriter::new(super::closed().unwrap()), "x", Ok(())), (100, closed.to_owned()));
}

#[test]
fn output_that_is_not_needed_may_be_closed() {
    assert_eq!(ended(closed().unwrap(), "", Ok(())), (0, String::new()));
}

#[test]
fn reader_that_has_gone_is_a_quiet_end() {
    let gone = Broken(ErrorKind::BrokenPipe);
    assert_eq!(ended(gone, "x", Ok(())), (0, String::new()));
    assert_eq!(ended(BufWriter::new(gone), "x", Ok(())), (0, String::new()));
    assert_eq!(ended(gone, "x", Err(Failure::silent(Exit::Changes))), (10, String::new()));
}

#[test]
fn output_that_is_lost_is_told_behind_another_failure() {
    let full = Broken(ErrorKind::StorageFull);
    assert_eq!(ended(full, "x", Err(failure!(Query, "It failed"))), (21, format!("It failed\n{FULL}")));
    assert_eq!(ended(full, "x", Err(Failure::silent(Exit::Invalid))), (32, FULL.to_owned()));
    let changes = Err(Failure::silent(Exit::Changes));
    assert_eq!(ended(full, "x", changes), (100, FULL.to_owned()), "a plan that was not shown is not a result");
}
