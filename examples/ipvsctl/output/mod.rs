//! Standard output with the errors of writing to it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the output was closed when the program was started.
static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Runs before `main`, because by then the runtime has replaced every closed descriptor by `/dev/null`.
#[ctor::ctor]
fn look_at_start() {
    WAS_CLOSED.store(io::stdout().as_fd().try_clone_to_owned().is_err(), Ordering::Relaxed);
}

/// Returns standard output in blocks. The one of the standard library ignores the error of writing to a descriptor that
/// is closed, or is open for reading only.
pub fn standard() -> Box<dyn Write> {
    let output = if WAS_CLOSED.load(Ordering::Relaxed) {
        closed()
    } else {
        io::stdout().as_fd().try_clone_to_owned().map(File::from)
    };
    output.map_or_else(|_| Box::new(io::stdout()) as Box<dyn Write>, |output| Box::new(BufWriter::new(output)))
}

/// Returns an output that fails as a closed one does: it is open for reading only.
fn closed() -> io::Result<File> {
    File::open("/dev/null")
}

#[cfg(test)]
mod tests;
