//! A web server that answers everything with its name, and counts.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use ipvs_rs::DestinationId;
use ipvs_rs::transport::Netns;

use crate::DemoResult;

#[derive(Clone, Debug)]
pub(crate) struct WebServer {
    name: &'static str,
    address: SocketAddr,
    connections: Arc<AtomicU64>,
}

impl WebServer {
    /// Listens in the namespace. A socket belongs to the namespace in which it was opened, and so do the sockets that
    /// it accepts: the threads that serve need not be there.
    pub(crate) fn start(name: &'static str, address: SocketAddr, netns: &Netns) -> DemoResult<Self> {
        let listener = netns.run(|| TcpListener::bind(address))?.map_err(|error| format!("{name}: {error}"))?;
        let server = Self { name, address, connections: Arc::default() };
        let accepting = server.clone();
        // It ends with the process, as do the threads that it starts.
        thread::Builder::new().name(name.to_owned()).spawn(move || accepting.accept(&listener))?;
        Ok(server)
    }

    pub(crate) fn id(&self) -> DestinationId {
        DestinationId::verbatim(self.address.ip(), self.address.port())
    }

    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }

    /// How many connections it has accepted.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    fn accept(&self, listener: &TcpListener) {
        for stream in listener.incoming() {
            let Ok(stream) = stream else {
                thread::sleep(Duration::from_millis(10));
                continue;
            };
            self.connections.fetch_add(1, Ordering::SeqCst);
            let name = self.name;
            // The client reports if it got no answer, and resets its connections when it has.
            let _ = thread::Builder::new().spawn(move || serve(name, stream));
        }
    }
}

/// Answers request after request until the client closes the connection.
fn serve(name: &str, stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.set_nodelay(true)?;
    let mut answers = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    while let Some(line) = lines.next().transpose()? {
        // The empty line that ends a request without a body.
        if line.is_empty() {
            let length = name.len();
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{name}");
            answers.write_all(answer.as_bytes())?;
        }
    }
    Ok(())
}
