//! The output of a guest, in memory instead of on the screen.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use anyhow::Result;

use crate::guest::{Sink, sink};

/// Collects what a guest prints.
pub fn into<T>(output: &mut Vec<u8>, run: impl FnOnce(&Sink) -> Result<T>) -> Result<T> {
    let collected = Arc::new(Mutex::new(Vec::new()));
    let result = run(&sink(Collector(collected.clone())));
    if let Ok(bytes) = collected.lock() {
        output.extend_from_slice(&bytes);
    }
    result
}

struct Collector(Arc<Mutex<Vec<u8>>>);

impl Write for Collector {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().map_err(|_| io::Error::other("another writer panicked"))?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
