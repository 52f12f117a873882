//! The steps of a run, one after the other, those that use one processor beside each other.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::outcome::{Outcome, count, line, notes, summarize};
use super::steps::Step;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// Runs the steps and prints how each ended. Returns whether all passed.
pub fn run(workspace: &Workspace, steps: Vec<Step>) -> bool {
    let start = Instant::now();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let board = Board { progress: Progress::new(), steps: steps.len(), state: Mutex::default() };
    let (light, heavy): (Vec<_>, Vec<_>) = steps.into_iter().partition(Step::is_light);
    let lanes = processors.min(light.len());
    let queue = Mutex::new(VecDeque::from(light));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    thread::scope(|scope| {
        let (ended, end) = mpsc::channel::<()>();
        let board = &board;
        scope.spawn(move || {
            while end.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                board.show();
            }
        });
        for step in heavy {
            board.step(workspace, step);
        }
        thread::scope(|scope| {
            for _ in 0..lanes {
                scope.spawn(|| {
                    while let Some(step) = next() {
                        board.step(workspace, step);
                    }
                });
            }
        });
        drop(ended);
    });
    let state = board.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    summarize(&state.outcomes, start.elapsed())
}

/// The progress of the steps of a run.
struct Board {
    progress: Progress,
    /// The number of steps of the run.
    steps: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Vec<(String, Instant)>,
    outcomes: Vec<Outcome>,
}

/// The interval in which a terminal shows the progress of a run.
const TICK: Duration = Duration::from_secs(1);

impl Board {
    /// Runs a step, and prints its outcome in one piece.
    fn step(&self, workspace: &Workspace, step: Step) {
        let begin = Instant::now();
        self.state().running.push((step.name.clone(), begin));
        self.show();
        let mut output = Vec::new();
        let ended = step.work.run(workspace, &mut output, &self.progress);
        let text = String::from_utf8_lossy(&output);
        let counts = count(&text);
        let ok = matches!(ended, Ok(true)) && counts.failed == 0;
        let mut state = self.state();
        state.running.retain(|(name, _)| *name != step.name);
        let outcome = Outcome { name: step.name, ok, took: begin.elapsed(), counts };
        self.progress.clear();
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{}", line(&outcome));
        if ok {
            for note in notes(&text) {
                let _ = writeln!(out, "    {note}");
            }
        } else {
            let _ = out.write_all(&output);
            if let Err(error) = ended {
                let _ = writeln!(out, "error: {error:#}");
            }
        }
        let _ = out.flush();
        state.outcomes.push(outcome);
    }

    /// Shows on a terminal how far the run is.
    fn show(&self) {
        let state = self.state();
        let running = state.running.iter().map(|(name, begin)| format!("{name} ({} s)", begin.elapsed().as_secs()));
        let running = running.collect::<Vec<_>>().join(", ");
        if !running.is_empty() {
            self.progress.passing(&format!("{} of {} steps done: {running}", state.outcomes.len(), self.steps));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
