//! A conversation about a [`Table`], with what a fault makes of each part of it.

use std::collections::VecDeque;
use std::time::Duration;

use ipvs_rs::Error;
use ipvs_rs::error::{Call, Errno, ErrorKind, Target};
use ipvs_rs::model::SyncRole;
use ipvs_rs::testing::Fault;

use super::table::{Command, Table};

/// How long an answer may take.
pub const DEADLINE: Duration = Duration::from_secs(3600);
/// How often a list is read when rows may be missing.
const LIST_ATTEMPTS: u32 = 5;
/// How many commands of a batch travel together.
pub const CHUNK: usize = 200;

/// The kind and the predicates of an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub call: Call,
    pub target: Target,
    pub kind: ErrorKind,
    pub errno: Option<Errno>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure =
            Self { call: error.call(), target: error.target().clone(), kind: error.kind(), errno: error.errno() };
        // The predicates that callers branch by agree.
        let unknown_end = matches!(failure.kind, ErrorKind::Timeout | ErrorKind::Lost);
        let comes_later = matches!(failure.kind, ErrorKind::NotSent | ErrorKind::Interrupted)
            || matches!(failure.errno, Some(Errno::ENOMEM | Errno::EBUSY));
        assert_eq!(error.is_timeout(), failure.kind == ErrorKind::Timeout, "{error}");
        assert_eq!(error.is_retryable(), unknown_end || comes_later, "{error}");
        assert_eq!(error.is_already_exists(), failure.errno == Some(Errno::EEXIST), "{error}");
        assert_eq!(error.is_permission_denied(), failure.errno == Some(Errno::EPERM), "{error}");
        assert_eq!(error.io_error().is_some(), failure.kind == ErrorKind::Io, "{error}");
        failure
    }
}

/// How a request is answered.
#[derive(Clone, Copy, Debug)]
enum AnswerShape {
    /// In one datagram.
    One,
    /// In a datagram of rows, if there are any, and one that ends the list.
    List { has_rows: bool },
    /// By a datagram for each of so many commands.
    Bulk { answers: usize },
}

/// The delivery of an answer.
#[derive(Clone, Copy, Debug)]
enum Delivery {
    /// It arrives.
    Complete,
    /// Its last datagram arrives first, which ends it.
    LastFirst,
    /// So many datagrams arrive, and the rest is known to be lost.
    Lost(usize),
    /// The list is marked as interrupted.
    Interrupted,
    /// The kernel refuses.
    Refused(Errno),
    /// The call ends like this.
    Failed(ErrorKind),
}

impl AnswerShape {
    /// Whether the request is executed, and what becomes of the answer.
    fn struck_by(self, fault: Option<&Fault>) -> (bool, Delivery) {
        let datagrams = match self {
            Self::One => 1,
            Self::List { has_rows } => 1 + usize::from(has_rows),
            Self::Bulk { answers } => answers,
        };
        let is_list = matches!(self, Self::List { .. });
        let Some(fault) = fault else { return (true, Delivery::Complete) };
        match fault {
            Fault::SendFails(_) => (false, Delivery::Failed(ErrorKind::Io)),
            Fault::Refuse(errno) => (false, Delivery::Refused(*errno)),
            Fault::Silence => (false, Delivery::Failed(ErrorKind::Timeout)),
            Fault::Lose(kept) if *kept < datagrams => (true, Delivery::Lost(*kept)),
            Fault::Reorder if datagrams > 1 => (true, Delivery::LastFirst),
            Fault::Interrupt if is_list => (true, Delivery::Interrupted),
            Fault::Delay(time) if *time < DEADLINE => (true, Delivery::Complete),
            // The end of a list is shorter than that.
            Fault::Cut(20..) if is_list && datagrams == 1 => (true, Delivery::Complete),
            // An empty datagram says nothing.
            Fault::Garbage(bytes) if bytes.is_empty() => (true, Delivery::Complete),
            Fault::Delay(_) | Fault::Drop | Fault::Cut(0) => (true, Delivery::Failed(ErrorKind::Timeout)),
            Fault::Truncate | Fault::Cut(_) | Fault::Garbage(_) => (true, Delivery::Failed(ErrorKind::Decode)),
            // An unexpected answer is skipped, and a fault without its object does no harm.
            Fault::Duplicate
            | Fault::Foreign(_)
            | Fault::Stale
            | Fault::SilentStop
            | Fault::Lose(_)
            | Fault::Reorder
            | Fault::Interrupt => (true, Delivery::Complete),
            other => panic!("what becomes of an answer by {other:?}?"),
        }
    }
}

/// A conversation about a table.
#[derive(Clone, Debug)]
pub struct Reference {
    pub table: Table,
    /// The faults for the next datagrams.
    pub plan: VecDeque<Option<Fault>>,
    /// How many datagrams were struck.
    pub struck: u32,
}

impl Reference {
    pub fn new() -> Self {
        Self { table: Table::new(), plan: VecDeque::new(), struck: 0 }
    }

    fn next_fault(&mut self) -> Option<Fault> {
        let fault = self.plan.pop_front().flatten();
        self.struck += u32::from(fault.is_some());
        fault
    }

    /// A command that is acknowledged.
    pub fn command(&mut self, command: &Command) -> Result<(), Failure> {
        if let Command::StopSync(role) = command {
            return self.stop_sync(*role);
        }
        let (call, target) = (command.call(), command.target());
        self.one(call, target, |table| table.follow(command))
    }

    /// A request that is answered by one datagram.
    pub fn one<T>(
        &mut self,
        call: Call,
        target: Target,
        follow: impl FnOnce(&mut Table) -> Result<T, Errno>,
    ) -> Result<T, Failure> {
        let fault = self.next_fault();
        let (is_executed, end) = AnswerShape::One.struck_by(fault.as_ref());
        let result = is_executed.then(|| follow(&mut self.table));
        let (kind, errno) = match (end, result) {
            (Delivery::Complete | Delivery::LastFirst | Delivery::Interrupted, Some(Ok(value))) => return Ok(value),
            (Delivery::Complete | Delivery::LastFirst | Delivery::Interrupted, Some(Err(errno)))
            | (Delivery::Refused(errno), _) => (ErrorKind::Kernel, Some(errno)),
            (Delivery::Lost(_), _) => (ErrorKind::Lost, None),
            (Delivery::Failed(kind), _) => (kind, None),
            (end, None) => panic!("{end:?} without an answer"),
        };
        Err(Failure { call, target, kind, errno })
    }

    /// A list, which is read again when rows may be missing.
    pub fn list<T>(&mut self, call: Call, target: Target, rows: impl Fn(&Table) -> Vec<T>) -> Result<Vec<T>, Failure> {
        let (mut attempts, mut was_busy) = (1, false);
        let (kind, errno) = loop {
            let rows = rows(&self.table);
            let fault = self.next_fault();
            let (_, end) = AnswerShape::List { has_rows: !rows.is_empty() }.struck_by(fault.as_ref());
            match end {
                Delivery::Complete => return Ok(rows),
                Delivery::LastFirst => return Ok(Vec::new()),
                Delivery::Lost(_) | Delivery::Interrupted if attempts < LIST_ATTEMPTS => attempts += 1,
                Delivery::Refused(Errno::EBUSY) if !was_busy => was_busy = true,
                Delivery::Lost(_) => break (ErrorKind::Lost, None),
                Delivery::Interrupted => break (ErrorKind::Interrupted, None),
                Delivery::Refused(errno) => break (ErrorKind::Kernel, Some(errno)),
                Delivery::Failed(kind) => break (kind, None),
            }
        };
        Err(Failure { call, target, kind, errno })
    }

    /// A daemon may stop without a word: the question behind the command has an answer then, and the list of daemons
    /// decides.
    fn stop_sync(&mut self, role: SyncRole) -> Result<(), Failure> {
        let fault = self.next_fault();
        let (is_executed, end) = AnswerShape::Bulk { answers: 2 }.struck_by(fault.as_ref());
        let stopped = is_executed.then(|| self.table.follow(&Command::StopSync(role)));
        let failed = |kind, errno| Err(Failure { call: Call::StopSync, target: Target::Daemon(role), kind, errno });
        let is_silent = matches!(fault, Some(Fault::SilentStop));
        match (end, stopped) {
            (Delivery::Complete | Delivery::Interrupted, Some(Ok(()))) if !is_silent => return Ok(()),
            (Delivery::Complete | Delivery::Interrupted, Some(Err(errno))) | (Delivery::Refused(errno), _) => {
                return failed(ErrorKind::Kernel, Some(errno));
            }
            (Delivery::Lost(_), _) => return failed(ErrorKind::Lost, None),
            (Delivery::Failed(kind), _) => return failed(kind, None),
            (Delivery::Complete | Delivery::Interrupted | Delivery::LastFirst, _) => {}
        }
        let daemons =
            self.list(Call::GetSyncDaemons, Target::Table, |table| table.daemons.keys().copied().collect())?;
        if daemons.contains(&role) { failed(ErrorKind::Lost, None) } else { Ok(()) }
    }

    /// Commands of which only the last is acknowledged, and those that fail.
    pub fn batch(&mut self, commands: &[Command]) -> Vec<Result<(), Failure>> {
        let mut results = Vec::new();
        let mut goes_on = true;
        for chunk in commands.chunks(CHUNK) {
            let told = if goes_on {
                self.chunk(chunk)
            } else {
                chunk.iter().map(|_| Err((ErrorKind::NotSent, None))).collect()
            };
            goes_on &= told.iter().all(|result| !matches!(result, Err((kind, _)) if *kind != ErrorKind::Kernel));
            results.extend(told.into_iter().zip(chunk).map(|(result, command)| {
                let (call, target) = (command.call(), command.target());
                result.map_err(|(kind, errno)| Failure { call, target, kind, errno })
            }));
        }
        results
    }

    fn chunk(&mut self, commands: &[Command]) -> Vec<Result<(), (ErrorKind, Option<Errno>)>> {
        let fault = self.next_fault();
        // Whether it is executed does not depend on how many answers it has.
        let (is_executed, _) = AnswerShape::Bulk { answers: 1 }.struck_by(fault.as_ref());
        let last = commands.len() - 1;
        let mut results: Vec<Result<(), (ErrorKind, Option<Errno>)>> = commands
            .iter()
            .map(|command| if is_executed { self.table.follow(command) } else { Ok(()) })
            .map(|result| result.map_err(|errno| (ErrorKind::Kernel, Some(errno))))
            .collect();
        let answered: Vec<usize> = (0..=last).filter(|place| *place == last || results[*place].is_err()).collect();
        // Of all that share an unknown end, the first says why.
        let unknown = |results: &mut [Result<_, _>], first, rest, arrived: &[usize]| {
            let mut kind = first;
            for (place, result) in results.iter_mut().enumerate() {
                if !arrived.contains(&place) {
                    *result = Err((kind, None));
                    kind = rest;
                }
            }
        };
        let (_, end) = AnswerShape::Bulk { answers: answered.len() }.struck_by(fault.as_ref());
        match end {
            Delivery::Complete | Delivery::Interrupted => {}
            Delivery::LastFirst => results[..last].fill(Ok(())),
            Delivery::Lost(kept) => unknown(&mut results, ErrorKind::Lost, ErrorKind::Lost, &answered[..kept]),
            Delivery::Refused(errno) => results.fill(Err((ErrorKind::Kernel, Some(errno)))),
            Delivery::Failed(kind) => {
                let rest = match kind {
                    ErrorKind::Timeout => ErrorKind::Timeout,
                    ErrorKind::Io => ErrorKind::NotSent,
                    _ => ErrorKind::Lost,
                };
                unknown(&mut results, kind, rest, &[]);
            }
        }
        results
    }
}
