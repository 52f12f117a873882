//! One run of a guest: from starting the emulator to the program's verdict.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Sink;
use super::clock;
use super::marker::MarkerReader;
use super::qemu::{Files, Machine};
use crate::progress::Progress;

/// The parameters of a run.
pub struct Start<'a> {
    pub machine: &'a Machine,
    pub kernel: &'a Path,
    pub initrd: &'a Path,
    pub console: &'a Path,
    pub marker: &'a [u8],
    pub stdout: Sink,
    pub stderr: Sink,
    pub forward_stdin: bool,
    pub interactive: bool,
    /// The longest run of the program, not counting the boot.
    pub timeout: Duration,
}

/// The end of a run.
pub enum Ending {
    /// The program ended with this status.
    Exit(u8),
    /// Our output was closed, so the guest was stopped.
    OutputClosed,
    /// The guest could not prepare itself for the program.
    Refused(String),
    /// The guest or the emulator ended before the program did.
    Died {
        emulator: ExitStatus,
        /// The program had been started.
        started: bool,
    },
    /// The guest did not come up as it should; nothing of the program has run.
    NoBoot(String),
    /// The program did not end in time.
    TimedOut,
}

enum Event {
    Line(String),
    /// A stream is complete.
    StreamEnded,
    OutputFailed(io::Error),
}

/// Runs a guest to its end. No process is left behind.
pub fn run(start: &Start<'_>, progress: &Progress) -> Result<Ending> {
    let mut ports = Ports::bind(start)?;
    let words = start.machine.command(&Files {
        kernel: start.kernel,
        initrd: start.initrd,
        console: start.console,
        ports: &ports.names,
        interactive: start.interactive,
        counter_khz: clock::counter_khz(),
    });
    let emulator_errors = start.console.with_extension("qemu");
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stderr(fs::File::create(&emulator_errors)?);
    if !start.interactive {
        command.stdin(Stdio::null()).stdout(Stdio::null());
    }
    let mut emulator = Emulator(command.spawn().context("starting the emulator")?);
    let ending = ports.attend(start, &mut emulator.0, progress);
    drop(emulator);
    let said = fs::read_to_string(&emulator_errors).unwrap_or_default();
    if let Ok(Ending::Died { .. }) = ending
        && !said.trim().is_empty()
    {
        // The output of the emulator belongs to the end of the console.
        let mut console = fs::File::options().append(true).open(start.console)?;
        writeln!(console, "{}", said.trim_end())?;
    }
    let _ = fs::remove_file(emulator_errors);
    ending
}

/// Ends the emulator when dropped.
struct Emulator(Child);

impl Drop for Emulator {
    fn drop(&mut self) {
        // A terminal in raw mode is put back by the emulator itself, so it gets the chance to end by itself first.
        let deadline = Instant::now() + Duration::from_secs(2);
        let _ = Command::new("kill").arg(self.0.id().to_string()).stderr(Stdio::null()).status();
        while let Ok(None) = self.0.try_wait() {
            if Instant::now() > deadline {
                let _ = self.0.kill();
                let _ = self.0.wait();
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Sockets that the emulator connects the guest's ports to. Their names are abstract, so that nothing is left of them
/// however the run ends.
struct Ports {
    names: Vec<String>,
    events: Receiver<Event>,
    /// The destination of our input, once the guest is connected.
    input: Receiver<UnixStream>,
}

impl Ports {
    fn bind(start: &Start<'_>) -> Result<Self> {
        let (event_sender, events) = mpsc::channel();
        let (input_sender, input) = mpsc::channel();
        let count = if start.interactive { 1 } else { 4 };
        let (process, random) = (std::process::id(), RandomState::new().build_hasher().finish());
        let mut names = Vec::new();
        for number in 1..=count {
            let name = format!("ipvs-vm-{process}-{random:016x}-{number}");
            let listener = SocketAddr::from_abstract_name(&name).and_then(|name| UnixListener::bind_addr(&name));
            let listener = listener.with_context(|| format!("listening on the abstract socket {name}"))?;
            names.push(name);
            let events = event_sender.clone();
            match number {
                1 => drop(thread::spawn(move || control(&listener, &events))),
                2 | 3 => {
                    let sink = if number == 2 { &start.stdout } else { &start.stderr };
                    let (sink, marker) = (sink.clone(), start.marker.to_vec());
                    thread::spawn(move || output(&listener, &marker, &sink, &events));
                }
                _ => {
                    let input = input_sender.clone();
                    thread::spawn(move || {
                        if let Ok((stream, _)) = listener.accept() {
                            let _ = input.send(stream);
                        }
                    });
                }
            }
        }
        Ok(Self { names, events, input })
    }

    /// Follows what the guest says until there is a verdict.
    fn attend(&mut self, start: &Start<'_>, emulator: &mut Child, progress: &Progress) -> Result<Ending> {
        let mut deadline = Instant::now() + BOOT_TIMEOUT;
        let mut boot = Boot::default();
        let mut started = false;
        let mut exit = None;
        let mut ended_streams = if start.interactive { 2 } else { 0 };
        loop {
            if let (Some(status), 2) = (exit, ended_streams) {
                return Ok(Ending::Exit(status));
            }
            match self.events.recv_timeout(POLL) {
                Ok(Event::Line(line)) => match line.split_once(' ') {
                    Some(("ready", cpus)) => {
                        let expected = start.machine.cpus.to_string();
                        if cpus != expected {
                            // On a busy host a processor may be too slow to answer the first one's call.
                            return Ok(Ending::NoBoot(format!("it has {cpus} processors instead of {expected}")));
                        }
                        started = true;
                        deadline = Instant::now() + start.timeout;
                        progress.clear();
                        if start.forward_stdin
                            && let Ok(stream) = self.input.recv_timeout(INPUT_TIMEOUT)
                        {
                            thread::spawn(move || forward_input(stream));
                        }
                    }
                    Some(("exit", status)) => {
                        exit = Some(status.parse().context("reading the guest's verdict")?);
                        // All output has been written before the verdict; reading it may take us a while.
                        deadline = Instant::now() + start.timeout;
                    }
                    Some(("error", message)) => return Ok(Ending::Refused(message.to_owned())),
                    _ => bail!("the guest said {line:?}, which means nothing"),
                },
                Ok(Event::StreamEnded) => ended_streams += 1,
                Ok(Event::OutputFailed(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Ok(Ending::OutputClosed);
                }
                Ok(Event::OutputFailed(error)) => {
                    return Err(error).context("passing the program's output on");
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(status) = emulator.try_wait().context("watching the emulator")? {
                        self.drain(start);
                        return Ok(Ending::Died { emulator: status, started });
                    }
                    if !started && boot.stands_still(start.console) {
                        return Ok(Ending::NoBoot("it stood still while booting".to_owned()));
                    }
                    if Instant::now() > deadline {
                        let slow = "it did not boot in time".to_owned();
                        return Ok(if started { Ending::TimedOut } else { Ending::NoBoot(slow) });
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = emulator.wait().context("waiting for the emulator")?;
                    return Ok(Ending::Died { emulator: status, started });
                }
            }
        }
    }

    /// Lets the readers finish with what a dead guest had still sent.
    fn drain(&self, start: &Start<'_>) {
        if start.interactive {
            return;
        }
        let deadline = Instant::now() + Duration::from_secs(2);
        while Instant::now() < deadline {
            if let Err(RecvTimeoutError::Disconnected) = self.events.recv_timeout(POLL) {
                return;
            }
        }
    }
}

/// Watches whether a booting kernel still has something to say.
struct Boot {
    said: u64,
    last: Instant,
}

impl Default for Boot {
    fn default() -> Self {
        Self { said: 0, last: Instant::now() }
    }
}

impl Boot {
    fn stands_still(&mut self, console: &Path) -> bool {
        let said = fs::metadata(console).map_or(0, |meta| meta.len());
        if said != self.said {
            (self.said, self.last) = (said, Instant::now());
        }
        self.last.elapsed() > STANDSTILL
    }
}

fn control(listener: &UnixListener, events: &Sender<Event>) {
    let Ok((stream, _)) = listener.accept() else {
        return;
    };
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        if events.send(Event::Line(line)).is_err() {
            return;
        }
    }
}

fn output(listener: &UnixListener, marker: &[u8], sink: &Sink, events: &Sender<Event>) {
    let Ok((mut stream, _)) = listener.accept() else {
        return;
    };
    let mut reader = MarkerReader::new(marker);
    let mut buffer = vec![0; 64 * 1024];
    let written = loop {
        let read = match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break write_to(sink, |out| reader.release(out)),
            Ok(read) => read,
        };
        if let Err(error) = write_to(sink, |out| reader.pass(&buffer[..read], out)) {
            break Err(error);
        }
        if reader.is_complete() {
            break events.send(Event::StreamEnded).map_err(io::Error::other);
        }
    };
    if let Err(error) = written {
        let _ = events.send(Event::OutputFailed(error));
    }
}

fn write_to(sink: &Sink, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = sink.lock().map_err(|_| io::Error::other("another writer panicked"))?;
    write(&mut *out)
}

fn forward_input(mut stream: UnixStream) {
    let _ = io::copy(&mut io::stdin().lock(), &mut stream);
    // Only this half: the emulator drops what it has not read yet when a socket is closed as a whole.
    let _ = stream.shutdown(Shutdown::Write);
    // Kept until the process ends or the guest goes away.
    let _ = stream.read(&mut [0]);
}

/// The meaning of an emulator's status.
pub fn crashed(status: ExitStatus) -> bool {
    status.signal().is_some() || status.code() == Some(134) || status.code() == Some(139)
}

const POLL: Duration = Duration::from_millis(20);

/// A guest boots in seconds, on a very busy machine in a minute.
const BOOT_TIMEOUT: Duration = Duration::from_secs(180);

/// The longest silence of a booting kernel, unpacking its root, is a second or two, and ten times that on a busy host.
const STANDSTILL: Duration = Duration::from_secs(25);

/// The longest wait for the guest's end of our input.
const INPUT_TIMEOUT: Duration = Duration::from_secs(60);
