//! A client of the virtual service, in its own namespace: request by request, with timeouts, and with a tally of the
//! results.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ipvs_rs::transport::Netns;
use nix::libc;
use nix::sys::socket::{setsockopt, sockopt};

use crate::DemoResult;

const TIMEOUT: Duration = Duration::from_secs(5);
/// Between two requests of the client that never stops: a client's port must not come round again while the director
/// still remembers its last connection.
const PACE: Duration = Duration::from_millis(20);

#[derive(Clone, Debug)]
pub(crate) struct Client {
    netns: Netns,
    target: SocketAddr,
    tally: Arc<Mutex<Tally>>,
}

/// The results of the requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Connections that were begun.
    pub(crate) begun: u64,
    /// Requests that were answered, each on a connection of its own unless [`more`](Self::more) counts it.
    pub(crate) answered: BTreeMap<String, u64>,
    /// Requests that were answered on a connection that had been used before.
    pub(crate) more: u64,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
}

impl Tally {
    pub(crate) fn by(&self, server: &str) -> u64 {
        self.answered.get(server).copied().unwrap_or(0)
    }

    /// Connections that were answered.
    pub(crate) fn done(&self) -> u64 {
        self.answered.values().sum()
    }
}

impl Client {
    pub(crate) fn new(netns: &Netns, target: SocketAddr) -> Self {
        Self { netns: netns.clone(), target, tally: Arc::default() }
    }

    pub(crate) fn tally(&self) -> Tally {
        self.lock().clone()
    }

    /// Sends this many requests, one after another, and returns how many each server answered.
    pub(crate) fn send(&self, requests: u64) -> DemoResult<BTreeMap<String, u64>> {
        self.netns.run(|| {
            let mut answered = BTreeMap::new();
            for _ in 0..requests {
                let (_, name) = self.open()?;
                *answered.entry(name).or_default() += 1;
            }
            Ok(answered)
        })?
    }

    /// Opens connections until one of them has got to this server, and keeps that one.
    pub(crate) fn hold(&self, server: &str) -> DemoResult<Connection> {
        const ATTEMPTS: u32 = 50;
        self.netns.run(|| {
            for _ in 0..ATTEMPTS {
                let (connection, name) = self.open()?;
                if name == server {
                    return Ok(connection);
                }
            }
            Err(format!("{ATTEMPTS} connections and none of them got to {server}").into())
        })?
    }

    /// Sends another request on a connection; the socket is of the client's namespace for good.
    pub(crate) fn again(&self, connection: &mut Connection) -> DemoResult<String> {
        let name = connection.request()?;
        self.lock().more += 1;
        Ok(name)
    }

    /// Sends requests until it is told to stop.
    pub(crate) fn keep_sending(&self) -> DemoResult<Background> {
        let stop = Arc::new(AtomicBool::new(false));
        let (client, stopped) = (self.clone(), Arc::clone(&stop));
        let work = move || {
            let netns = client.netns.clone();
            let sent = netns.run(|| {
                while !stopped.load(Ordering::SeqCst) {
                    // The tally has counted a failure.
                    let _ = client.open();
                    thread::sleep(PACE);
                }
            });
            if let Err(error) = sent {
                client.lock().fail(&error);
            }
        };
        let thread = thread::Builder::new().name("client".to_owned()).spawn(work)?;
        Ok(Background { stop, thread: Some(thread) })
    }

    /// Waits until requests that had been begun before this call are done with.
    pub(crate) fn let_pass(&self) -> DemoResult<()> {
        let (begin, begun) = (Instant::now(), self.tally().begun);
        loop {
            let tally = self.tally();
            if tally.done() + tally.failed > begun {
                return Ok(());
            }
            if begin.elapsed() > 2 * TIMEOUT {
                return Err("the client that never pauses sends nothing".into());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// A connection, and the server that answered the first request on it.
    fn open(&self) -> DemoResult<(Connection, String)> {
        self.lock().begun += 1;
        let opened = Connection::open(self.target).and_then(|mut connection| {
            let name = connection.request()?;
            Ok((connection, name))
        });
        let mut tally = self.lock();
        match &opened {
            Ok((_, name)) => *tally.answered.entry(name.clone()).or_default() += 1,
            Err(error) => tally.fail(error),
        }
        Ok(opened.map_err(|error| format!("a request to {} was not answered: {error}", self.target))?)
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn fail(&mut self, error: &dyn std::error::Error) {
        self.failed += 1;
        self.first_failure.get_or_insert_with(|| error.to_string());
    }
}

/// The client that never pauses; it stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Background {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Stops it and waits until its last request is done.
    pub(crate) fn stop(mut self) -> DemoResult<()> {
        self.stop.store(true, Ordering::SeqCst);
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(_)) => Err("the client panicked".into()),
            _ => Ok(()),
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

#[derive(Debug)]
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(target: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&target, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        // Closing resets: IPVS forgets a connection 10 s after that, but 120 s after an orderly end, and the scenario is to
        // be told in less.
        setsockopt(&stream, sockopt::Linger, &libc::linger { l_onoff: 1, l_linger: 0 })?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a request and returns the name of the server that answered it.
    fn request(&mut self) -> io::Result<String> {
        self.0.get_ref().write_all(b"GET / HTTP/1.1\r\nHost: demo.example\r\n\r\n")?;
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("unexpected answer: {what:?}"));
        let (mut status, mut length) = (String::new(), None);
        self.0.read_line(&mut status)?;
        if status != "HTTP/1.1 200 OK\r\n" {
            return Err(wrong(&status));
        }
        loop {
            let mut header = String::new();
            self.0.read_line(&mut header)?;
            match header.trim_end().split_once(": ") {
                Some(("Content-Length", value)) => length = value.parse().ok(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length.ok_or_else(|| wrong("no length"))?];
        self.0.read_exact(&mut body)?;
        String::from_utf8(body).map_err(|error| wrong(&error.to_string()))
    }
}
