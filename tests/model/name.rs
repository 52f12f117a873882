//! The names that the kernel knows schedulers, engines and interfaces by.

use ipvs_rs::Scheduler;
use ipvs_rs::model::{EngineName, InterfaceName, PersistenceEngine, SchedulerName, SyncDaemon};

#[test]
fn scheduler_has_1_to_15_printable_characters() {
    for name in ["x", "hrw", "a-name-of-15-by", "\"", "flag,1"] {
        let scheduler = Scheduler::from_name(name).unwrap();
        assert_eq!((scheduler.name(), scheduler.to_string().as_str()), (name, name));
        assert_eq!(scheduler, Scheduler::Other(SchedulerName::new(name).unwrap()));
    }
    let table = [
        ("", r#""""#),
        ("a-name-of-16-byt", r#""a-name-of-16-byt""#),
        ("a-name-of-17-byte", r#""a-name-of-17-byte""#),
        ("rr\0", r#""rr\x00""#),
        ("r r", r#""r r""#),
        ("rr\n", r#""rr\n""#),
        ("rü", r#""r\xc3\xbc""#),
    ];
    for (name, value) in table {
        let error = Scheduler::from_name(name).unwrap_err();
        assert_eq!((error.what(), error.value()), ("scheduler", value));
        assert_eq!(error.expected(), "1 to 15 printable characters without blanks");
        assert!(error.to_string().contains("is not a valid name"), "{error}");

        let error = name.parse::<Scheduler>().unwrap_err();
        assert_eq!((error.what(), error.piece()), ("scheduler", name));
        assert_eq!(error.expected(), "1 to 15 printable characters without blanks");
    }
}

#[test]
fn known_scheduler_reads_in_any_case() {
    for scheduler in Scheduler::KNOWN {
        assert!(!matches!(scheduler, Scheduler::Other(_)));
        assert_eq!(scheduler.name().parse(), Ok(scheduler));
        assert_eq!(scheduler.name().to_ascii_uppercase().parse(), Ok(scheduler));
    }
}

#[test]
fn unknown_scheduler_keeps_its_case() {
    assert_ne!("hrw".parse::<Scheduler>().unwrap(), "HRW".parse::<Scheduler>().unwrap());
}

#[test]
fn verbatim_name_may_hold_any_bytes_but_nul() {
    let name = SchedulerName::verbatim(b"WLC").unwrap();
    assert_ne!(Scheduler::Other(name), Scheduler::Wlc, "the kernel minds the case");
    assert_eq!(SchedulerName::verbatim(b"r \xff").unwrap().as_bytes(), b"r \xff");
    for name in [&b""[..], b"rr\0", b"a-name-of-16-byt"] {
        assert_eq!(SchedulerName::verbatim(name).unwrap_err().expected(), "1 to 15 bytes without a NUL");
    }
    assert_eq!(EngineName::verbatim(b"").unwrap_err().expected(), "1 to 16 bytes without a NUL");
}

#[test]
fn engine_has_1_to_16_printable_characters() {
    assert_eq!("SIP".parse(), Ok(PersistenceEngine::Sip));
    for name in ["x", "a-name-of-16-byt"] {
        let engine: PersistenceEngine = name.parse().unwrap();
        assert_eq!((engine.name(), engine), (name, PersistenceEngine::Other(EngineName::new(name).unwrap())));
    }
    for name in ["", "a-name-of-17-byte", "si p", "sip\0"] {
        let error = name.parse::<PersistenceEngine>().unwrap_err();
        assert_eq!((error.what(), error.piece()), ("persistence engine", name));
        assert_eq!(error.expected(), "1 to 16 printable characters without blanks");
    }
}

#[test]
fn interface_has_1_to_15_bytes() {
    for name in ["lo", "eth0.100@x", "a-name-of-15-by", "fünfzehn-bytes"] {
        let interface = InterfaceName::new(name).unwrap();
        assert_eq!((interface.to_string().as_str(), interface.as_bytes()), (name, name.as_bytes()));
        assert_eq!(format!("{interface:<16}|"), format!("{name:<16}|"));
    }
    for name in
        ["", "a-name-of-16-byt", "fünfzehn--bytes!", "eth 0", "eth/0", "eth0:1", "eth0\0", "eth0\n", "eth\u{a0}0"]
    {
        let error = InterfaceName::new(name).unwrap_err();
        assert_eq!(error.expected(), "1 to 15 characters without blanks, slashes and colons", "{name:?}");
        assert!(SyncDaemon::master(name).is_err() && SyncDaemon::backup(name).is_err());
        assert_eq!(name.parse::<InterfaceName>().unwrap_err().piece(), name);
    }
}

#[test]
fn bytes_that_are_not_printable_are_written_and_read_as_numbers() {
    let table: [(&[u8], &str); 8] = [
        (b"eth\x01", "eth\\x01"),
        (b"d\xff", "d\\xff"),
        (b"d\x7f", "d\\x7f"),
        (b"eth0/1", "eth0\\x2f1"),
        ("\u{e9}".as_bytes(), "\u{e9}"),
        ("\u{e9}\n".as_bytes(), "\\xc3\\xa9\\x0a"),
        (b"a\\b", "a\\x5cb"),
        (b"d\\x41", "d\\x5cx41"),
    ];
    for (bytes, text) in table {
        let name = InterfaceName::verbatim(bytes).unwrap();
        assert_eq!((name.to_string().as_str(), text.parse()), (text, Ok(name)));
    }
    assert_eq!("a\\b\\xg\\".parse(), Ok(InterfaceName::new("a\\b\\xg\\").unwrap()));
    assert_eq!("a\\x00".parse::<InterfaceName>().unwrap_err().expected(), "1 to 15 bytes without a NUL");
    assert_eq!("hr\\xff".parse(), Ok(Scheduler::Other(SchedulerName::verbatim(b"hr\xff").unwrap())));
    assert_eq!("pe\\x07".parse(), Ok(PersistenceEngine::Other(EngineName::verbatim(b"pe\x07").unwrap())));
}

#[test]
fn name_shows_itself_quoted_for_debugging() {
    assert_eq!(format!("{:?}", InterfaceName::new("eth1").unwrap()), "\"eth1\"");
    assert_eq!(format!("{:?}", SchedulerName::new("hrw").unwrap()), "\"hrw\"");
    assert_eq!([SchedulerName::MAX_LEN, EngineName::MAX_LEN, InterfaceName::MAX_LEN], [15, 16, 15]);
}
