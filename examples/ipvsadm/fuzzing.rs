//! The entry point of this program's fuzzer. Its corpus is replayed by the test of this module.

use crate::invocation::{self, Origin};
use crate::lines;
use crate::names::Names;

/// Reads bytes as lines of a restore and as command lines, up to where the kernel would be asked. Every refusal has a
/// message.
pub fn command_line(bytes: &[u8], names: &Names) {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let words = lines::words(line);
        for origin in [Origin::CommandLine, Origin::Restore] {
            if let Err(fault) = invocation::read(b"ipvsadm", &words, origin, names) {
                assert!(fault.status != 0 && !fault.message.is_empty(), "{fault:?}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Runs the whole corpus of the fuzzer.
    #[test]
    fn corpus_of_the_command_line() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/command_line");
        let names = Names::alone("http 80/tcp\n");
        let mut count = 0;
        for file in fs::read_dir(&folder).unwrap() {
            command_line(&fs::read(file.unwrap().path()).unwrap(), &names);
            count += 1;
        }
        assert!(count > 0, "{} is empty", folder.display());
    }
}
