use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::transcript::{Event, Transcript};
#[cfg(feature = "tokio")]
use crate::transport::{Arrival, AsyncTransport};
use crate::transport::{Limits, Received, Transport};

/// A transport that records the datagrams of another one, for a bug report or a test.
///
/// The other one may be the socket of a real kernel. The transcript grows with the conversation and contains everything
/// that went over the wire: addresses, marks and counters of the table.
///
/// ```
/// use ipvs_rs::Handle;
/// use ipvs_rs::testing::{FakeKernel, Recorder, Replay, Transcript};
///
/// let (recorder, recording) = Recorder::new(FakeKernel::new().transport());
/// let handle = Handle::builder().open_over(recorder)?;
/// let info = handle.get_info()?;
///
/// // This is what goes into a file, and comes out of one.
/// let text = recording.transcript().to_string();
/// assert!(text.contains("# CONN_TAB_SIZE = 4096"));
/// let transcript: Transcript = text.parse()?;
///
/// // The same calls get the same answers, without any kernel.
/// let handle = Handle::builder().open_over(Replay::new(transcript))?;
/// assert_eq!(handle.get_info()?, info);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// With the real kernel the first line is
/// `Recorder::new(KernelSocket::open(SocketOptions::default())?)`. The example `record` does that and records how a
/// table is read.
#[derive(Debug)]
pub struct Recorder<T> {
    inner: T,
    recording: Recording,
}

/// Access to the transcript of a [`Recorder`], which a handle may own by now. A clone is the same recording.
#[derive(Clone)]
pub struct Recording(Arc<Mutex<Transcript>>);

impl<T: Transport> Recorder<T> {
    /// Begins to record the datagrams of a transport.
    pub fn new(inner: T) -> (Self, Recording) {
        let transcript = Transcript { port: inner.port(), limits: inner.limits(), events: Vec::new() };
        let recording = Recording(Arc::new(Mutex::new(transcript)));
        (Self { inner, recording: recording.clone() }, recording)
    }
}

/// Shows nothing of the transcript, because reading it takes a lock, and it may be long.
impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").finish_non_exhaustive()
    }
}

impl Recording {
    /// The conversation until now.
    pub fn transcript(&self) -> Transcript {
        self.lock().clone()
    }

    fn note(&self, event: Event) {
        self.lock().events.push(event);
    }

    fn note_waiting(&self, result: &io::Result<bool>) {
        match result {
            Ok(true) => {}
            Ok(false) => self.note(Event::Silence),
            Err(error) => self.note(Event::Failure(number_of(error))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Transcript> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Transport> Transport for Recorder<T> {
    fn port(&self) -> u32 {
        self.inner.port()
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        self.recording.note(Event::Request(datagram.to_vec()));
        let result = self.inner.send(datagram);
        if let Err(error) = &result {
            self.recording.note(Event::Refused(number_of(error)));
        }
        result
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        let result = self.inner.try_receive(buffer);
        match &result {
            Ok(None) => {}
            Ok(Some(Received { len, sender })) => {
                let bytes = buffer.get(..*len).unwrap_or(buffer).to_vec();
                self.recording.note(Event::Reply { bytes, sender: *sender, len: *len });
            }
            Err(error) => self.recording.note(Event::Failure(number_of(error))),
        }
        result
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        let result = self.inner.wait(timeout);
        self.recording.note_waiting(&result);
        result
    }
}

#[cfg(feature = "tokio")]
#[cfg_attr(ipvs_rs_docs, doc(cfg(feature = "tokio")))]
impl<T: AsyncTransport> AsyncTransport for Recorder<T> {
    fn arrival(&mut self, timeout: Duration) -> Arrival<'_> {
        Box::pin(async move {
            let result = self.inner.arrival(timeout).await;
            self.recording.note_waiting(&result);
            result
        })
    }
}

/// The number of a failure; that of `EIO` when the system gave none.
fn number_of(error: &io::Error) -> i32 {
    const EIO: i32 = 5;
    error.raw_os_error().unwrap_or(EIO)
}

/// A transport that replays the answers of a [`Transcript`].
///
/// Every request must be the recorded one, byte for byte, in the recorded order; another one is refused with
/// [`InvalidData`](io::ErrorKind::InvalidData). A handle that makes the same calls makes the same requests. Waiting
/// takes no time, even if it did during the recording.
pub struct Replay {
    port: u32,
    limits: Limits,
    events: VecDeque<Event>,
}

/// Shows the port id, and the number of events that are left.
impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = self.events.len();
        f.debug_struct("Replay").field("port", &self.port).field("events", &events).finish_non_exhaustive()
    }
}

impl Replay {
    /// Replays a conversation.
    pub fn new(transcript: Transcript) -> Self {
        Self { port: transcript.port, limits: transcript.limits, events: transcript.events.into() }
    }
}

impl Transport for Replay {
    fn port(&self) -> u32 {
        self.port
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        // Skips the events that were recorded and never received here.
        while self.events.front().is_some_and(|event| !matches!(event, Event::Request(_))) {
            self.events.pop_front();
        }
        match self.events.front() {
            Some(Event::Request(recorded)) if recorded == datagram => {}
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "the recording has another request here")),
        }
        self.events.pop_front();
        match self.events.front() {
            Some(Event::Refused(errno)) => {
                let error = io::Error::from_raw_os_error(*errno);
                self.events.pop_front();
                Err(error)
            }
            _ => Ok(()),
        }
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        match self.events.front() {
            Some(Event::Reply { bytes, sender, len }) => {
                for (to, from) in buffer.iter_mut().zip(bytes) {
                    *to = *from;
                }
                let received = Received { len: *len, sender: *sender };
                self.events.pop_front();
                Ok(Some(received))
            }
            Some(Event::Failure(errno)) => {
                let error = io::Error::from_raw_os_error(*errno);
                self.events.pop_front();
                Err(error)
            }
            _ => Ok(None),
        }
    }

    fn wait(&mut self, _timeout: Duration) -> io::Result<bool> {
        let is_silent = matches!(self.events.front(), Some(Event::Silence));
        if is_silent {
            self.events.pop_front();
        }
        Ok(!is_silent && matches!(self.events.front(), Some(Event::Reply { .. } | Event::Failure(_))))
    }
}
