//! The fake kernel answers every recorded question as the recorded kernels did, byte for byte.

use std::time::Duration;

use ipvs_rs::testing::{FakeKernel, FakeSocket, Interface, Release, Traffic, Transcript};
use ipvs_rs::transport::Transport;

use crate::fixture::{Exchange, all, folder, load};

/// The exchanges in the order in which they were made, in one namespace.
const SCRIPT: [&str; 74] = [
    "ctrl-getfamily",
    "ctrl-getfamily-missing",
    "get-info-empty",
    "get-config-default",
    "set-config",
    "get-config-changed",
    "dump-services-empty",
    "dump-dests-missing-service",
    "new-service-tcp4",
    "new-service-duplicate",
    "new-service-bad-scheduler",
    "get-service-missing",
    "get-service-tcp4",
    "get-service-tcp4-ack",
    "new-service-tcp6-persistent",
    "get-service-tcp6-persistent",
    "new-service-udp-sip",
    "get-service-udp-sip",
    "new-service-sctp",
    "get-service-sctp",
    "new-service-udp-ops",
    "new-service-fwm4",
    "new-service-fwm6",
    "get-service-fwm4",
    "get-service-fwm6",
    "set-service",
    "get-service-after-set",
    "dump-services",
    "new-dest-masq",
    "new-dest-local",
    "new-dest-tunnel-ipip",
    "new-dest-tunnel-gue",
    "new-dest-tunnel-gre",
    "new-dest-droute",
    "new-dest-bypass",
    "new-dest-mixed-family",
    "new-dest-no-family",
    "new-dest-duplicate",
    "new-dest-negative-weight",
    "new-dest-bad-thresholds",
    "new-dest-gue-port0",
    "set-dest",
    "set-dest-missing",
    "del-dest",
    "del-dest-missing",
    "dump-dests",
    "new-dest-missing-service",
    "new-daemon-with-mixed",
    "del-dest-mixed",
    "new-daemon-master",
    "new-daemon-backup",
    "dump-daemons",
    "del-daemon-master",
    "del-daemon-master-again",
    "del-daemon-backup",
    "zero-service",
    "zero-all",
    "get-dest-without-dump",
    "dump-get-info",
    "new-service-no-attrs",
    "new-service-bad-family",
    "set-config-short-attr",
    "capped-error",
    "extack-error",
    "extack-uncapped-error",
    "new-dest-for-sip",
    "new-dest-for-ops",
    "get-service-with-traffic",
    "dump-dests-with-traffic",
    "get-info",
    "del-service",
    "del-service-missing",
    "flush",
    "unprivileged",
];

#[test]
fn fake_kernel_answers_every_recorded_question_as_it_was_answered() {
    for release in Release::ALL {
        let kernel = FakeKernel::of(release);
        kernel.add_interface(Interface::new("d0").address("10.8.8.8".parse().unwrap(), 24));
        let mut usual = kernel.transport().whole_errors().bare_errors();
        let mut others = [
            ("capped-error", kernel.transport().bare_errors()),
            ("extack-error", kernel.transport()),
            ("extack-uncapped-error", kernel.transport().whole_errors()),
            ("unprivileged", kernel.transport().unprivileged().whole_errors().bare_errors()),
        ];
        for name in SCRIPT {
            if name == "get-service-with-traffic" {
                pass_datagrams(&kernel);
            }
            let other = others.iter_mut().find(|(label, _)| *label == name).map(|(_, socket)| socket);
            let exchange = recorded(name, release);
            let mut answers = ask(other.unwrap_or(&mut usual), &exchange.request, release);
            let mut expected = exchange.replies.clone();
            for datagram in answers.iter_mut().chain(&mut expected) {
                forget(datagram, exchange, release);
            }
            if name == "dump-services" {
                // The one order that is not known.
                answers[0] = sorted(&answers[0]);
                expected[0] = sorted(&expected[0]);
            }
            assert_eq!(answers, expected, "{name}, {release}");
        }
    }
}

#[test]
fn script_has_every_exchange_that_was_recorded() {
    let of_script = |exchange: &&Exchange| exchange.kernel == "6.1.192" && !SCRIPT.contains(&exchange.name.as_str());
    let left_out: Vec<&str> = all().iter().filter(of_script).map(|exchange| exchange.name.as_str()).collect();
    assert_eq!(left_out, Vec::<&str>::new());
}

/// Five datagrams to one service and three to another, and what an estimator makes of them in two rounds.
fn pass_datagrams(kernel: &FakeKernel) {
    let (sip, dns) = ("UDP 10.0.0.1:5060".parse().unwrap(), "UDP 10.0.0.1:53".parse().unwrap());
    let traffic = Traffic::new().opened(5).packets_in(5, 555).packets_out(5, 695).closed(5).held(2);
    kernel.carry(&sip, &"10.0.0.2:5060".parse().unwrap(), traffic).unwrap();
    let traffic = Traffic::new().opened(3).packets_in(3, 180).closed(3).expired(3);
    kernel.carry(&dns, &"10.0.0.2:53".parse().unwrap(), traffic).unwrap();
    kernel.advance(Duration::from_secs(4));
}

/// The exchange with this kernel, or with the oldest where the bytes were the same.
fn recorded(name: &str, release: Release) -> &'static Exchange {
    let own = match release {
        Release::V6_12 => format!("{name}.6.12"),
        Release::V7 => format!("{name}.7.2"),
        _ => name.to_owned(),
    };
    all().iter().find(|exchange| exchange.name == own).unwrap_or_else(|| load(name))
}

/// All datagrams that come back upon a request.
fn ask(socket: &mut FakeSocket, request: &[u8], release: Release) -> Vec<Vec<u8>> {
    let mut request = request.to_vec();
    if request[4..6] != CONTROLLER {
        request[4..6].copy_from_slice(&family(release).to_ne_bytes());
    }
    socket.send(&request).unwrap();
    let mut buffer = vec![0; 1 << 16];
    let mut answers = Vec::new();
    while let Some(received) = socket.try_receive(&mut buffer).unwrap() {
        assert_eq!(received.sender, 0);
        answers.push(buffer[..received.len].to_vec());
    }
    answers
}

/// Writes zeros over what differs from one run to the next: the port id, and the number of the family.
fn forget(datagram: &mut [u8], exchange: &Exchange, release: Release) {
    let numbers = [family(release), u16::from_ne_bytes([exchange.request[4], exchange.request[5]])];
    let mut start = 0;
    while start < datagram.len() {
        let len = u32::from_ne_bytes(datagram[start..start + 4].try_into().unwrap());
        let kind = u16::from_ne_bytes([datagram[start + 4], datagram[start + 5]]);
        datagram[start + 12..start + 16].fill(0);
        if numbers.contains(&kind) {
            datagram[start + 4..start + 6].fill(0);
        }
        // The header of the request that an error is about.
        if kind == 2 && datagram[start + 24..start + 26] != CONTROLLER {
            datagram[start + 24..start + 26].fill(0);
        }
        start += usize::try_from(len).unwrap().next_multiple_of(4);
    }
}

/// The messages of a datagram, in the order of their bytes.
fn sorted(datagram: &[u8]) -> Vec<u8> {
    let mut rest = datagram;
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let len = usize::try_from(u32::from_ne_bytes(rest[..4].try_into().unwrap())).unwrap();
        messages.push(&rest[..len]);
        rest = &rest[len..];
    }
    messages.sort_unstable();
    messages.concat()
}

fn family(release: Release) -> u16 {
    match release {
        Release::V6_1 => 31,
        Release::V6_12 => 33,
        _ => 35,
    }
}

const CONTROLLER: [u8; 2] = 16_u16.to_ne_bytes();

#[test]
#[cfg(target_endian = "little")]
fn transcript_is_annotated_as_the_recorded_exchanges_are() {
    for exchange in all() {
        let recorded = std::fs::read_to_string(folder().join(format!("{}.hex", exchange.name))).unwrap();
        let transcript: Transcript = recorded.parse().unwrap();
        let text = transcript.to_string();
        let behind_the_head = |text: &str| text.split_once("\n\n").unwrap().1.to_owned();
        assert_eq!(behind_the_head(&text), behind_the_head(&recorded), "{}", exchange.name);
    }
}
