//! Conversations that are written down, and said again.

use std::io;
use std::time::Duration;

use ipvs_rs::error::{Errno, ErrorKind};
use ipvs_rs::testing::{FakeKernel, Fault, FaultPlan, Recorder, Replay, Transcript};
use ipvs_rs::transport::{Received, Transport};
use ipvs_rs::{Destination, DestinationEntry, Error, ForwardMethod, Handle, Scheduler, Service};

use crate::netlink::message;

/// Some calls, with what came of them.
fn calls(handle: &Handle) -> Vec<String> {
    let web = Service::new("TCP 192.0.2.10:80".parse().unwrap(), Scheduler::Wlc);
    let server =
        Destination::new("[2001:db8::2]:80".parse().unwrap(), ForwardMethod::Tunnel(ipvs_rs::model::Tunnel::ipip()));
    let text = |result: Result<String, Error>| result.unwrap_or_else(|error| error.to_string());
    vec![
        text(handle.new_service(&web).map(|()| String::new())),
        text(handle.new_service(&web).map(|()| String::new())),
        text(handle.new_destination(&web.id, &server).map(|()| String::new())),
        text(handle.get_destinations(&web.id).map(|all| format!("{:?}", all.iter().map(DestinationEntry::id)))),
        text(handle.snapshot().map(|table| format!("{table:?}"))),
        text(handle.batch().zero_all().new_service(&web).send().map(|report| format!("{report:?}"))),
        text(handle.get_config().map(|config| format!("{config:?}"))),
    ]
}

#[test]
fn conversation_replays_from_its_text() {
    let (recorder, recording) = Recorder::new(FakeKernel::new().transport());
    let said = calls(&Handle::builder().open_over(recorder).unwrap());
    let text = recording.transcript().to_string();
    let transcript: Transcript = text.parse().unwrap();
    assert_eq!(transcript, recording.transcript());
    assert_eq!(transcript.to_string(), text);
    assert_eq!(calls(&Handle::builder().open_over(Replay::new(transcript)).unwrap()), said);
}

#[test]
fn every_fault_replays() {
    let faults = [
        Fault::Delay(Duration::from_secs(1)),
        Fault::Delay(Duration::from_secs(7)),
        Fault::Silence,
        Fault::Drop,
        Fault::Lose(0),
        Fault::Refuse(Errno::ENOMEM),
        Fault::SendFails(Errno::ENOBUFS),
        Fault::Duplicate,
        Fault::Truncate,
        Fault::Cut(30),
        Fault::Interrupt,
        Fault::Foreign(4711),
        Fault::Stale,
        Fault::Garbage(vec![0xff; 40]),
    ];
    for fault in faults {
        let kernel = FakeKernel::new();
        let (recorder, recording) = Recorder::new(kernel.transport());
        let handle = Handle::builder().open_over(recorder).unwrap();
        kernel.misbehave(FaultPlan::new().well(2).then(fault.clone()).well(2).then(fault.clone()));
        let said = calls(&handle);
        let transcript: Transcript = recording.transcript().to_string().parse().unwrap();
        assert_eq!(transcript, recording.transcript(), "{fault:?}");
        assert_eq!(calls(&Handle::builder().open_over(Replay::new(transcript)).unwrap()), said, "{fault:?}");
    }
}

#[test]
fn text_says_what_happened_beside_requests_and_replies() {
    let kernel = FakeKernel::new();
    let (mut recorder, recording) = Recorder::new(kernel.transport());
    let request = message(31, 1, 9, &[15, 1, 0, 0]);
    let mut buffer = [0; 24];
    let mut ask = |fault| {
        kernel.misbehave(fault);
        if recorder.send(&request).is_ok() {
            while let Ok(Some(_)) = recorder.try_receive(&mut buffer) {}
            recorder.wait(Duration::from_secs(1)).unwrap();
        }
    };
    ask(Fault::SendFails(Errno::EMSGSIZE));
    ask(Fault::Lose(0));
    ask(Fault::Foreign(4711));
    let text = recording.transcript().to_string();
    let is_about_bytes = |line: &&str| line.contains('#') || line.split(' ').all(|word| word.len() == 2);
    let events: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !is_about_bytes(line)).collect();
    assert_eq!(
        events,
        [
            "port 1000",
            "limits 212960 200",
            "request",
            "refused 90",
            "request",
            "failure 105",
            "silence",
            "request",
            "reply from 4711 of 36",
            "reply of 36",
            "silence",
        ]
    );
}

#[test]
fn replay_refuses_what_was_not_asked() {
    let (recorder, recording) = Recorder::new(FakeKernel::new().transport());
    let handle = Handle::builder().open_over(recorder).unwrap();
    handle.flush().unwrap();
    let replayed = Handle::builder().open_over(Replay::new(recording.transcript())).unwrap();
    assert_eq!(replayed.get_info().unwrap_err().kind(), ErrorKind::Io);

    let mut replay = Replay::new(Transcript::default());
    assert_eq!(replay.send(&[0; 20]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    assert_eq!(replay.try_receive(&mut [0; 20]).unwrap(), None::<Received>);
    assert!(!replay.wait(Duration::from_secs(1)).unwrap());
}

#[test]
fn invalid_transcript_is_refused_with_its_line() {
    for (text, line) in [
        ("port", 1),
        ("port x", 1),
        ("limits 5", 1),
        ("# a remark\n\n00", 3),
        ("request\n00 0", 2),
        ("request\n0g", 2),
        ("request\n001", 2),
        ("silence\n00", 2),
        ("reply by 7", 1),
        ("failure ENOBUFS", 1),
        ("nothing", 1),
    ] {
        let error = text.parse::<Transcript>().unwrap_err();
        assert_eq!(error.line(), line, "{text:?}");
    }
    let error = "request\n00 zz # bytes".parse::<Transcript>().unwrap_err();
    assert_eq!(error.to_string(), "line 2 of the transcript cannot be read: `00 zz # bytes`");
}

#[test]
fn any_bytes_can_be_written_down() {
    let whole = [36_u32.to_ne_bytes(), [2, 0, 0, 0], [0; 4], [0; 4]].concat();
    for bytes in [
        vec![],
        vec![0],
        vec![0xff; 100],
        whole.clone(),
        [whole.clone(), vec![0; 20]].concat(),
        [whole, vec![0xff; 20]].concat(),
        [17_u32.to_ne_bytes().to_vec(), vec![3; 13]].concat(),
        [24_u32.to_ne_bytes().to_vec(), vec![16, 0], vec![1; 18]].concat(),
    ] {
        let words: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let transcript: Transcript = format!("request\n{}\nreply of 7\n", words.join(" ")).parse().unwrap();
        assert_eq!(transcript.to_string().parse::<Transcript>().unwrap(), transcript, "{bytes:?}");
    }
}
