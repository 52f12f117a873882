use super::*;

/// The state of one file with that length and time of change.
fn seen(length: u64, time: i64) -> Vec<Vec<PathState>> {
    vec![vec![PathState { path: "file".into(), what: Ok(((1, 2), length, (time, 0), (time, 0))) }]]
}

/// A file that stood still with the digest 1.
fn taken() -> StabilityCheck {
    let mut check = StabilityCheck::default();
    assert_eq!(check.observe(&seen(1, 1), false), Err(FileEvent::Settling));
    assert_eq!(check.observe(&seen(1, 1), false), Ok(()));
    assert_eq!(check.read(&seen(1, 1), 1), Ok(()));
    check
}

#[test]
fn two_equal_polls_and_a_third_after_reading_are_needed() {
    let mut check = taken();
    assert_eq!(check.observe(&seen(1, 1), false), Err(FileEvent::Unchanged));
    for length in [2, 3, 4] {
        assert_eq!(check.observe(&seen(length, 2), false), Err(FileEvent::Settling));
    }
    assert_eq!(check.observe(&seen(4, 2), false), Ok(()));
    assert_eq!(check.read(&seen(4, 3), 2), Err(FileEvent::Settling), "it changed while it was read");
    assert_eq!(check.observe(&seen(4, 3), false), Ok(()));
    assert_eq!(check.read(&seen(4, 3), 3), Ok(()));
    assert_eq!(check.observe(&seen(4, 3), false), Err(FileEvent::Unchanged));
}

#[test]
fn reverted_change_is_ignored() {
    let mut check = taken();
    assert_eq!(check.observe(&seen(2, 2), false), Err(FileEvent::Settling));
    assert_eq!(check.observe(&seen(1, 1), false), Err(FileEvent::Unchanged));
    assert_eq!(check.observe(&seen(1, 2), false), Err(FileEvent::Settling));
    assert_eq!(check.observe(&seen(1, 2), false), Ok(()));
    assert_eq!(check.read(&seen(1, 2), 1), Err(FileEvent::Unchanged), "the same content at another time");
    assert_eq!(check.observe(&seen(1, 2), false), Err(FileEvent::Unchanged));
}

#[test]
fn content_that_changed_without_a_trace_is_read_twice() {
    let mut check = taken();
    assert_eq!(check.observe(&seen(1, 1), true), Ok(()));
    assert_eq!(check.read(&seen(1, 1), 1), Err(FileEvent::Unchanged));
    assert_eq!(check.observe(&seen(1, 1), false), Err(FileEvent::Unchanged));
    assert_eq!(check.observe(&seen(1, 1), true), Ok(()));
    assert_eq!(check.read(&seen(1, 1), 2), Err(FileEvent::Settling));
    assert_eq!(check.observe(&seen(1, 1), false), Ok(()));
    assert_eq!(check.read(&seen(1, 1), 3), Err(FileEvent::Settling), "it is still written to");
    assert_eq!(check.observe(&seen(1, 1), false), Ok(()));
    assert_eq!(check.read(&seen(1, 1), 3), Ok(()));
    assert_eq!(check.observe(&seen(1, 1), false), Err(FileEvent::Unchanged));
}

#[test]
fn reload_takes_what_is_the_same_once() {
    let mut check = taken();
    check.reload = true;
    assert_eq!(check.observe(&seen(2, 2), false), Err(FileEvent::Settling), "it does not take what moves");
    assert_eq!(check.observe(&seen(1, 1), false), Err(FileEvent::Settling));
    assert_eq!(check.observe(&seen(1, 1), false), Ok(()));
    assert_eq!(check.read(&seen(1, 1), 1), Ok(()));
    assert_eq!(check.observe(&seen(1, 1), false), Err(FileEvent::Unchanged));
}

#[test]
fn digest_tells_names_paths_and_problems_apart() {
    let source = |name: &str, text: &str| Source::new(name, text);
    let problem = |text: &str| Err(failed(&"a".into(), None, text.to_owned()));
    let all: [Vec<Result<Vec<Source>, Diagnostics>>; 7] = [
        vec![],
        vec![Ok(vec![])],
        vec![Ok(vec![source("a", "bc")])],
        vec![Ok(vec![source("ab", "c")])],
        vec![Ok(vec![source("a", "bc"), source("d", "")])],
        vec![Ok(vec![source("a", "bc")]), Ok(vec![source("d", "")])],
        vec![problem("x")],
    ];
    let digests: std::collections::HashSet<_> = all.iter().map(|read| digest(read)).collect();
    assert_eq!(digests.len(), all.len());
    assert_eq!(digest(&[problem("x")]), digest(&all[6]));
}
