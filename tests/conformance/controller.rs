//! The look-up of the family, right and wrong.

use super::World;
use super::raw::{
    ACK, Answer, BUFFER, CONTROLLER, DUMP, OK, REQUEST, RawSocket, attribute, error, message, name, number8, number16,
    said,
};

const NEWFAMILY: u8 = 1;
const GETFAMILY: u8 = 3;

const ENOENT: i32 = -2;
const EINVAL: i32 = -22;
const ERANGE: i32 = -34;
const EOPNOTSUPP: i32 = -95;

const VIOLATION: &str = "Attribute failed policy validation";

fn ask(line: &mut RawSocket, command: u8, flags: u16, attributes: &[u8]) -> Vec<Answer> {
    line.ask(&message(CONTROLLER, flags, 7, &[&[command, 1, 0, 0], attributes].concat()))
}

pub fn family_is_found_by_name_and_by_number(world: &dyn World) {
    let mut line = RawSocket::open(world);
    let family = line.family;
    let by_name = ask(&mut line, GETFAMILY, REQUEST, &name(2, "IPVS"));
    let [Answer::Data(NEWFAMILY, 0, attributes)] = &by_name[..] else { panic!("{by_name:?}") };
    // The name, the number, the version, no header, six attributes; then what each command can do.
    let start = [
        name(2, "IPVS"),
        number16(1, family),
        attribute(3, &1_u32.to_ne_bytes()),
        attribute(4, &0_u32.to_ne_bytes()),
        attribute(5, &6_u32.to_ne_bytes()),
    ];
    assert!(attributes.starts_with(&start.concat()), "{attributes:?}");
    assert_eq!(ask(&mut line, GETFAMILY, REQUEST, &number16(1, family)), by_name, "by its number");
    let both = [number16(1, family), name(2, "IPVS")].concat();
    assert_eq!(ask(&mut line, GETFAMILY, REQUEST, &both), by_name, "by both");
    let acknowledged = [&by_name[..], &[OK]].concat();
    assert_eq!(ask(&mut line, GETFAMILY, REQUEST | ACK, &name(2, "IPVS")), acknowledged);

    let listed = ask(&mut line, GETFAMILY, REQUEST | DUMP, &[]);
    assert!(listed.iter().any(|answer| matches!(answer, Answer::Data(NEWFAMILY, _, row) if row == attributes)));
    assert_eq!(listed.last(), Some(&Answer::Done(0, None)));
}

pub fn look_up_that_is_wrong_is_refused(world: &dyn World) {
    let mut line = RawSocket::open(world);
    for (label, attributes, expected) in [
        ("nothing", Vec::new(), error(EINVAL)),
        ("another case", name(2, "ipvs"), error(ENOENT)),
        ("unknown name", name(2, "NOPE"), error(ENOENT)),
        ("unknown number", number16(1, 999), error(ENOENT)),
        ("no NUL", attribute(2, b"IPVS"), said(EINVAL, VIOLATION)),
        ("too long", name(2, "sixteen-letters-"), said(EINVAL, VIOLATION)),
        ("half a number", number8(1, 16), said(ERANGE, VIOLATION)),
    ] {
        assert_eq!(ask(&mut line, GETFAMILY, REQUEST, &attributes), [expected], "{label}");
    }
    assert_eq!(ask(&mut line, 2, REQUEST, &[]), [error(EOPNOTSUPP)], "another command");
}

pub fn list_of_families_that_is_asked_for_with_something_wrong_is_refused_by_newer_kernels(world: &dyn World) {
    let mut line = RawSocket::open(world);
    let is_strict = world.version() >= (6, 12);
    if !is_strict {
        world.note("this kernel does not look at what it is asked for a list of families with");
    }
    let right = [number16(1, 999), name(2, "unknown")].concat();
    let lists = |answers: &[Answer]| {
        matches!(answers, [Answer::Data(NEWFAMILY, ..), .., Answer::Done(0, None)])
            && answers[..answers.len() - 1].iter().all(|answer| matches!(answer, Answer::Data(NEWFAMILY, ..)))
    };
    assert!(lists(&ask(&mut line, GETFAMILY, REQUEST | DUMP, &right)), "what is right says nothing");
    for (label, attributes, sentence) in [
        ("no NUL", attribute(2, b"IPVS"), VIOLATION),
        ("too long", name(2, "sixteen-letters-"), VIOLATION),
        ("half a number", number8(1, 16), "invalid attribute length"),
        ("twice a number", attribute(1, &[0; 4]), "invalid attribute length"),
        ("marked as a nest", attribute(2 | 0x8000, b"IPVS\0"), "NLA_F_NESTED not expected"),
        ("half a number marked as a nest", attribute(1 | 0x8000, &[0]), "invalid attribute length"),
        ("unknown number", number16(9, 0), "Unknown attribute type"),
        ("no number", number16(0, 0), "Unknown attribute type"),
        ("junk behind", vec![0; 3], "bytes leftover after parsing attributes"),
        (
            "an attribute that is too long for the message",
            vec![200, 0, 1, 0],
            "bytes leftover after parsing attributes",
        ),
    ] {
        let attributes = [&right[..], &attributes].concat();
        let answers = ask(&mut line, GETFAMILY, REQUEST | DUMP, &attributes);
        if is_strict {
            assert_eq!(answers, [said(EINVAL, sentence)], "{label}");
        } else {
            assert!(lists(&answers), "{label}: {answers:?}");
        }
    }
}

pub fn list_of_families_ends_at_once_in_newer_kernels(world: &dyn World) {
    const EBUSY: i32 = -16;
    let mut line = RawSocket::open(world);
    let list = |sequence| message(CONTROLLER, REQUEST | DUMP, sequence, &[GETFAMILY, 1, 0, 0]);
    line.socket.send(&[list(1), list(2)].concat()).unwrap();
    let datagrams: Vec<Vec<Answer>> = std::iter::from_fn(|| line.receive(BUFFER)).map(|(answers, _)| answers).collect();
    let rows = |answers: &[Answer]| {
        answers.iter().filter(|answer| matches!(answer, Answer::Data(NEWFAMILY, ..))).count() == answers.len()
    };
    let end = Answer::Done(0, None);
    if world.version() >= (6, 12) {
        let [first, second] = <[_; 2]>::try_from(datagrams).unwrap();
        assert_eq!(first, second, "the second one finds the first at its end");
        assert_eq!(first.last(), Some(&end));
        assert!(first.len() > 1 && rows(&first[..first.len() - 1]), "{first:?}");
    } else {
        world.note("a list of families ends in a datagram of its own");
        let [first, second, third] = <[_; 3]>::try_from(datagrams).unwrap();
        assert!(rows(&first) && !first.is_empty(), "{first:?}");
        assert_eq!((second, third), (vec![error(EBUSY)], vec![end]));
    }
}
