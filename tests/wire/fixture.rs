//! The exchanges of `tests/golden`.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use ipvs_rs::codec::{Frame, Frames, Payload};

use crate::order;

/// A recorded exchange.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) name: String,
    pub(crate) kernel: String,
    pub(crate) request: Vec<u8>,
    pub(crate) replies: Vec<Vec<u8>>,
}

/// The number that a kernel gave to the family while it was recorded.
pub(crate) const FAMILIES: [(&str, u16); 4] = [("6.1.192", 31), ("6.12.107", 33), ("7.2.13", 35), ("derived", 31)];

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Every exchange, by name.
pub(crate) fn all() -> &'static [Exchange] {
    static ALL: OnceLock<Vec<Exchange>> = OnceLock::new();
    ALL.get_or_init(|| {
        let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "hex"));
        let exchanges =
            files.map(|path| parse(path.file_stem().unwrap().to_str().unwrap(), &fs::read_to_string(&path).unwrap()));
        let mut exchanges: Vec<Exchange> = exchanges.collect();
        exchanges.sort_by(|a, b| a.name.cmp(&b.name));
        exchanges
    })
}

pub(crate) fn load(name: &str) -> &'static Exchange {
    all().iter().find(|exchange| exchange.name == name).unwrap_or_else(|| panic!("no file of the name {name}"))
}

/// Comments go, hexadecimal stays; `request` and `reply` begin a datagram. The bytes are in the order of this machine.
pub(crate) fn parse(name: &str, text: &str) -> Exchange {
    let kernel = text.lines().find_map(|line| line.strip_prefix("# kernel: ")).unwrap_or_else(|| panic!("{name}"));
    let mut datagrams: Vec<Vec<u8>> = Vec::new();
    for line in text.lines() {
        match line.split('#').next().unwrap().trim() {
            "" => {}
            marker @ ("request" | "reply") => {
                assert_eq!(marker == "request", datagrams.is_empty(), "{name}: one request, then replies");
                datagrams.push(Vec::new());
            }
            hex => {
                let bytes = hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap());
                datagrams.last_mut().unwrap_or_else(|| panic!("{name}: bytes before the request")).extend(bytes);
            }
        }
    }
    let datagrams: Vec<Vec<u8>> = datagrams.iter().map(|bytes| order::native(bytes)).collect();
    let (request, replies) = datagrams.split_first().unwrap();
    Exchange { name: name.to_owned(), kernel: kernel.to_owned(), request: request.clone(), replies: replies.to_vec() }
}

/// The messages of a datagram.
pub(crate) fn frames(datagram: &[u8]) -> Vec<Frame<'_>> {
    Frames::new(datagram).map(|frame| frame.unwrap()).collect()
}

/// The only message of a datagram.
pub(crate) fn only(datagram: &[u8]) -> Frame<'_> {
    let frames = frames(datagram);
    assert_eq!(frames.len(), 1, "{datagram:02x?}");
    frames[0]
}

/// Command and attributes of a message.
pub(crate) fn data<'a>(frame: &Frame<'a>) -> (u8, &'a [u8]) {
    match frame.payload {
        Payload::Data { command, attributes } => (command, attributes),
        other => panic!("no data: {other:?}"),
    }
}

#[test]
fn loader_strips_comments_and_keeps_datagrams_apart() {
    let text = "# kernel: derived\n# meaning: nothing\n\nrequest\n14 00 00 00 1f 00 05 00 # header\n\
                00 00 00 00 00 00 00 00\n11 01 00 00\n\nreply\n\nreply\n14 00 00 00 03 00 00 00  # end\n\
                00 00 00 00 00 00 00 00 00 00 00 00\n";
    let exchange = parse("name", text);
    assert_eq!(exchange.kernel, "derived");
    assert_eq!(exchange.request.len(), 20);
    assert_eq!(exchange.replies.iter().map(Vec::len).collect::<Vec<_>>(), [0, 20]);
}

#[test]
fn every_exchange_was_answered_by_a_known_kernel_under_its_number() {
    for exchange in all() {
        let family = FAMILIES.iter().find(|(kernel, _)| *kernel == exchange.kernel);
        let (_, family) = family.unwrap_or_else(|| panic!("{}: kernel {}", exchange.name, exchange.kernel));
        let kind = only(&exchange.request).kind;
        assert!(kind == *family || kind == 16, "{}: {kind}", exchange.name);
        assert_eq!(exchange.replies.is_empty(), exchange.kernel == "derived", "{}", exchange.name);
    }
}
