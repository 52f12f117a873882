use std::io;
use std::time::Duration;

use ipvs_rs::transport::{Limits, Received, Transport};

use crate::netlink::{CONTROLLER, ERROR, NEW_SERVICE};

/// A transport over which all kernels say the same in the same way: the family always has one number, every socket one
/// port, and services come in the order of their bytes.
#[derive(Debug)]
pub struct Canonical<T> {
    inner: T,
    /// The number that the family really has.
    family: u16,
}

/// The number of the family.
const FAMILY: u16 = 31;
const PORT: u32 = 1000;

const HEADER: usize = 16;
const FAMILY_ID: u16 = 1;

impl<T> Canonical<T> {
    pub fn new(inner: T) -> Self {
        Self { inner, family: FAMILY }
    }

    /// Rewrites a message from the kernel.
    fn rewrite(&mut self, message: &mut [u8]) {
        put(message, 12, &PORT.to_ne_bytes());
        match kind(message) {
            CONTROLLER => {
                let mut place = HEADER + 4;
                while place + 4 < message.len() {
                    let length = usize::from(u16::from_ne_bytes(get(message, place)));
                    if u16::from_ne_bytes(get(message, place + 2)) == FAMILY_ID {
                        self.family = u16::from_ne_bytes(get(message, place + 4));
                        put(message, place + 4, &FAMILY.to_ne_bytes());
                    }
                    place += length.next_multiple_of(4);
                }
            }
            // Behind the error number is the header of the request.
            ERROR => exchange(&mut message[HEADER + 4..], self.family, FAMILY),
            _ => exchange(message, self.family, FAMILY),
        }
    }
}

impl<T: Transport> Transport for Canonical<T> {
    fn port(&self) -> u32 {
        PORT
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        let mut messages = messages(datagram);
        for message in &mut messages {
            exchange(message, FAMILY, self.family);
        }
        self.inner.send(&messages.concat())
    }

    fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        let received = self.inner.try_receive(buffer)?;
        if let Some(Received { len, .. }) = received {
            let mut messages = messages(&buffer[..len]);
            for message in &mut messages {
                self.rewrite(message);
            }
            if messages.iter().all(|message| kind(message) == FAMILY && message[HEADER] == NEW_SERVICE) {
                messages.sort_unstable();
            }
            put(buffer, 0, &messages.concat());
        }
        Ok(received)
    }

    fn wait(&mut self, timeout: Duration) -> io::Result<bool> {
        self.inner.wait(timeout)
    }
}

/// Takes a datagram apart. All messages here are of a multiple of four bytes, or the last.
fn messages(mut datagram: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while !datagram.is_empty() {
        let length = usize::try_from(u32::from_ne_bytes(get(datagram, 0))).unwrap().next_multiple_of(4);
        let (message, rest) = datagram.split_at(length.min(datagram.len()));
        messages.push(message.to_vec());
        datagram = rest;
    }
    messages
}

fn kind(message: &[u8]) -> u16 {
    u16::from_ne_bytes(get(message, 4))
}

/// Exchanges the number of the family in a header.
fn exchange(header: &mut [u8], from: u16, to: u16) {
    if kind(header) == from {
        put(header, 4, &to.to_ne_bytes());
    }
}

fn get<const N: usize>(bytes: &[u8], place: usize) -> [u8; N] {
    bytes[place..place + N].try_into().unwrap()
}

fn put(bytes: &mut [u8], place: usize, value: &[u8]) {
    bytes[place..place + value.len()].copy_from_slice(value);
}
