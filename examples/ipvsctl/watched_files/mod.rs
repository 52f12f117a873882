//! Files under watch: their last usable content counts until there is new usable content.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ipvs_rs::desired::Diagnostics;
use ipvs_rs::desired::files::{FileEvent, FileWatcher, Loaded, Reader, Source};

use crate::clock::Clock;
use crate::console::Console;
use crate::escape::escaped;
use crate::failure::{Exit, Failure};
use crate::params;
use crate::source::Input;

/// The time between two checks of the files: they have to stand still this long before they are read.
pub const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The longest time that files may keep changing at the beginning.
const LONGEST: Duration = Duration::from_secs(60);

/// Files of services and of parameters under watch.
pub struct WatchedFiles<'a> {
    input: Input<'a>,
    watcher: FileWatcher,
    /// The number of paths that are not of parameters.
    count: usize,
    /// The last state that the files described, and the names of those that have services.
    loaded: Loaded,
    with_services: HashSet<Arc<str>>,
    /// The time between two comparisons of the content, and the time of the next one.
    interval: Duration,
    content_due: Duration,
    poll_due: Duration,
    /// The reason that they could not be used, so that it is reported once.
    problem: Option<Failure>,
}

impl<'a> WatchedFiles<'a> {
    /// Reads files as soon as they stand still; `None` if a signal asks for the end before that.
    ///
    /// # Errors
    ///
    /// When something is wrong with them: there is no earlier state to use instead.
    pub fn begin(
        input: Input<'a>,
        interval: Duration,
        console: &mut Console,
        clock: &mut impl Clock,
    ) -> Result<Option<Self>, Failure> {
        let files: Vec<_> = input.paths().into_iter().map(PathBuf::from).collect();
        let count = files.len();
        let watcher = FileWatcher::new(files.into_iter().chain(input.global.params_file.iter().cloned()));
        let (loaded, with_services) = <_>::default();
        let (content_due, poll_due, problem) = <_>::default();
        let mut files = Self { input, watcher, count, loaded, with_services, interval, content_due, poll_due, problem };
        let begin = clock.elapsed();
        loop {
            let event = files.watcher.poll();
            if let Some(read) = files.read(console, event) {
                files.loaded = read?;
                files.content_due = clock.elapsed() + interval;
                return Ok(Some(files));
            }
            let now = clock.elapsed();
            if now >= begin + LONGEST {
                let message = format!("{} did not stand still for {LONGEST:?}: it is still written to", input.name());
                return Err(Failure::new(Exit::Input, message));
            }
            if !clock.wait_until(now + POLL_INTERVAL) {
                return Ok(None);
            }
        }
    }

    /// Returns the state that the files describe.
    pub const fn loaded(&self) -> &Loaded {
        &self.loaded
    }

    /// Checks the files, if it is time to, and reports errors. Returns whether their content has changed.
    ///
    /// With a reload they are read even if they do not differ, once they stand still.
    pub fn poll(&mut self, console: &mut Console, now: Duration, is_reload: bool) -> bool {
        if is_reload {
            self.problem = None;
            self.watcher.reload();
        } else if now < self.poll_due {
            return false;
        }
        self.poll_due = now + POLL_INTERVAL;
        let event = if now >= self.content_due {
            self.content_due = now + self.interval;
            // A web server that did not answer may answer now.
            if self.problem.as_ref().is_some_and(|failure| failure.exit == Exit::Network) {
                self.watcher.reload();
            }
            self.watcher.poll_content()
        } else {
            self.watcher.poll()
        };
        match self.read(console, event) {
            None => false,
            Some(Ok(loaded)) => {
                console.info(&format!("Read {}", self.input.name()));
                self.problem = None;
                self.loaded = loaded;
                true
            }
            Some(Err(failure)) => {
                if self.problem.as_ref() != Some(&failure) {
                    console.failure(&failure);
                    console.warning("The files cannot be used: the table is kept as they were before");
                }
                self.problem = Some(failure);
                false
            }
        }
    }

    /// Reads files that have changed and stood still.
    fn read(&mut self, console: &mut Console, event: FileEvent) -> Option<Result<Loaded, Failure>> {
        match event {
            FileEvent::Changed(mut files) => {
                let params = files.split_off(self.count.min(files.len()));
                Some(self.understand(console, &files.concat(), &params.concat()))
            }
            FileEvent::Unusable { path, found } => Some(Err(self.unusable(&path, &found))),
            _ => None,
        }
    }

    fn understand(&mut self, console: &mut Console, sources: &[Source], params: &[Source]) -> Result<Loaded, Failure> {
        let loaded = self.input.tell(console, self.input.understand(sources, params))?;
        let has_none = |loaded: &Loaded| loaded.state.services.is_empty();
        // One of several files that cannot be read alone counts as having services: it may only lack parameters.
        let has_services = |source: &&Source| match sources {
            [_] => !has_none(&loaded),
            _ => !Reader::new().read(std::slice::from_ref(source)).is_ok_and(|loaded| has_none(&loaded)),
        };
        let with_services: HashSet<_> =
            sources.iter().filter(has_services).map(|source| Arc::clone(&source.name)).collect();
        // A single file of a folder must not lose its services either, as when a writer stopped after the key.
        let mut lost = self.with_services.difference(&with_services);
        let lost =
            lost.find(|name| sources.iter().any(|source| source.name == **name && !is_written_empty(&source.text)));
        let is_unwritten = has_none(&loaded) && !sources.iter().any(|source| is_written_empty(&source.text));
        let silent = self.input.silent(&loaded).or_else(|| is_unwritten.then(|| self.input.name()));
        if let Some(name) = silent.or(lost.map(escaped)) {
            let message =
                format!("{name} says nothing of services: write {{}} or services: [] if there should be none");
            return Err(Failure::new(Exit::Invalid, message));
        }
        self.with_services = with_services;
        Ok(loaded)
    }

    fn unusable(&self, path: &Path, found: &Diagnostics) -> Failure {
        let is_params = self.input.global.params_file.iter().any(|params| params == path);
        match found.errors().next().filter(|_| is_params) {
            Some(error) => params::unreadable(path, &error.message),
            None => self.input.unreadable(path, found),
        }
    }
}

/// Whether there is an empty list or mapping in a text: a key without a value may be one that is not written yet.
fn is_written_empty(text: &str) -> bool {
    let text: String = text.split_whitespace().collect();
    text.contains("[]") || text.contains("{}")
}

#[cfg(feature = "testing")]
#[cfg(test)]
mod tests;
