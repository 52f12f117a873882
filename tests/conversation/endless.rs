//! Other sides that never stop, or never do what they should. The deadline ends every call.

use std::io;
use std::time::Duration;

use ipvs_rs::codec::{FAMILY_NAME, Frames, Reply};
use ipvs_rs::error::{Errno, ErrorKind};
use ipvs_rs::transport::{Received, Transport};
use ipvs_rs::{Scheduler, Service, ServiceEntry};

use crate::client::Handle;
use crate::message::{self, Asked, Message, PORT};
use crate::netlink::CONTROLLER;
use crate::value::*;

/// Answers the look-up of the family, and everything else with the same for ever.
#[derive(Debug)]
struct EndlessPeer {
    flood: Flood,
    asked: Option<Asked>,
    looked_up: bool,
    datagrams: u32,
}

#[derive(Clone, Debug)]
enum Flood {
    /// From this sender.
    Messages(u32, Vec<Message>),
    /// A row that was not there yet.
    Rows,
    Empty,
    Loss,
    /// Waiting ends at once, and nothing is there.
    FalseAlarm,
}

impl Transport for EndlessPeer {
    fn port(&self) -> u32 {
        PORT
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let frame = Frames::new(datagram).next().unwrap().unwrap();
        self.asked = Some(Asked { family: frame.kind, sequence: frame.sequence });
        self.looked_up = frame.kind == CONTROLLER;
        Ok(())
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        let asked = self.asked.unwrap();
        let flood = if self.looked_up {
            Flood::Messages(0, vec![message::family(FAMILY_NAME, 31)])
        } else {
            self.flood.clone()
        };
        let (sender, messages) = match flood {
            Flood::Messages(sender, messages) => (sender, messages),
            Flood::Rows => {
                self.datagrams += 1;
                let id = ipvs_rs::ServiceId::fwmark(self.datagrams, ipvs_rs::model::AddressFamily::Ipv4).unwrap();
                let reply = Reply::Service(ServiceEntry::new(Service::new(id, Scheduler::Rr)));
                (0, vec![message::row(&reply)])
            }
            Flood::Empty => (0, vec![]),
            Flood::Loss => {
                return Err(io::Error::from_raw_os_error(i32::try_from(Errno::ENOBUFS.raw()).unwrap()));
            }
            Flood::FalseAlarm => return Ok(None),
        };
        let bytes: Vec<u8> = messages.iter().flat_map(|message| message.bytes(&[asked])).collect();
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(Some(Received { len: bytes.len(), sender }))
    }

    fn wait(&mut self, _timeout: Duration) -> io::Result<bool> {
        Ok(true)
    }
}

fn open(flood: Flood) -> Handle {
    let transport = EndlessPeer { flood, asked: None, looked_up: false, datagrams: 0 };
    Handle::builder().deadline(Duration::from_millis(2)).open_over(transport).unwrap()
}

fn floods() -> [(&'static str, Flood); 8] {
    let from_kernel = |message| Flood::Messages(0, vec![message]);
    [
        ("answers to an earlier question", from_kernel(message::ack().late())),
        ("answers to another socket", from_kernel(message::ack().for_port(1))),
        ("messages without meaning", from_kernel(message::noop())),
        ("answers of another sender", Flood::Messages(4711, vec![message::ack()])),
        ("rows without an end", Flood::Rows),
        ("empty datagrams", Flood::Empty),
        ("losses", Flood::Loss),
        ("false alarms", Flood::FalseAlarm),
    ]
}

#[test]
fn endless_answers_end_in_a_timeout() {
    for (label, flood) in floods() {
        let handle = open(flood);
        let error = handle.get_services().unwrap_err();
        assert!(error.is_timeout(), "{label}: {error}");
        // Datagrams that still come do not keep the next call from ending either.
        let error = handle.get_services().unwrap_err();
        assert!(error.is_timeout(), "{label}, again: {error}");
    }
}

#[test]
fn endless_answers_to_a_command_end_in_a_timeout_or_as_none() {
    for (label, flood) in floods() {
        let is_data = matches!(flood, Flood::Rows);
        let kind = open(flood).flush().unwrap_err().kind();
        assert_eq!(kind, if is_data { ErrorKind::Decode } else { ErrorKind::Timeout }, "{label}");
    }
}

#[test]
fn endless_answers_to_a_batch_end_in_a_timeout_or_as_none() {
    for (label, flood) in floods() {
        let is_data = matches!(flood, Flood::Rows);
        let handle = open(flood);
        let report = handle.batch().flush().new_service(&service()).send().unwrap();
        let kinds: Vec<ErrorKind> = report.failures().map(|(_, error)| error.kind()).collect();
        let expected =
            if is_data { [ErrorKind::Decode, ErrorKind::Lost] } else { [ErrorKind::Timeout, ErrorKind::Timeout] };
        assert_eq!(kinds, expected, "{label}");
    }
}
