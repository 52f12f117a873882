use tempfile::TempDir;

use super::*;

/// Two limits in a folder, and the place where their old values are kept.
fn limits(values: [&str; 2]) -> (TempDir, Limits) {
    let folder = TempDir::new().unwrap();
    let paths = ["ipv4", "ipv6"].map(|name| folder.path().join(name));
    paths.iter().zip(values).for_each(|(path, value)| fs::write(path, format!("{value}\n")).unwrap());
    let limits = Limits { paths: paths.into(), state: folder.path().join("limits") };
    (folder, limits)
}

fn values(limits: &Limits) -> Vec<String> {
    limits.paths.iter().map(|path| read(path).unwrap()).collect()
}

#[test]
fn limits_are_as_they_were_afterwards() {
    let (_folder, limits) = limits(["500", "0"]);
    assert!(!limits.are_left());
    limits.begin().unwrap();
    assert_eq!(values(&limits), [SILENT, SILENT]);
    assert!(limits.are_left());
    limits.restore().unwrap();
    assert_eq!(values(&limits), ["500", "0"]);
    assert!(!limits.are_left());
}

#[test]
fn values_survive_a_run_that_was_killed() {
    let (folder, limits) = limits(["500", "250"]);
    limits.begin().unwrap();
    // Another process with the same files.
    let paths = limits.paths.clone();
    let next = || Limits { paths: paths.clone(), state: folder.path().join("limits") };
    next().begin().unwrap();
    next().begin().unwrap();
    assert_eq!(values(&limits), [SILENT, SILENT]);
    let said = next().restore().unwrap();
    assert_eq!(values(&limits), ["500", "250"]);
    assert!(said[0].ends_with("ipv4 is set back to 500, as before"), "{said:?}");
    assert_eq!((said.len(), next().restore().unwrap()), (2, vec![]));
}

#[test]
fn own_value_is_never_an_old_one() {
    let (_folder, limits) = limits([SILENT, "250"]);
    limits.begin().unwrap();
    let said = limits.restore().unwrap();
    assert_eq!(values(&limits), [DEFAULT, "250"]);
    assert!(said[1].ends_with("ipv6 is set back to 250, as before"), "{said:?}");

    for state in ["", "nonsense", &format!("{} {SILENT}\n", limits.paths[0].display()), "\u{0}\n \n"] {
        write(&limits.paths[0], SILENT).unwrap();
        fs::write(&limits.state, state).unwrap();
        let said = limits.restore().unwrap();
        assert_eq!(values(&limits), [DEFAULT, "250"], "{state:?}");
        assert!(said[0].ends_with("ipv4 is set back to 1000, the default of the kernel"), "{said:?}");
        assert_eq!((said.len(), limits.state.exists()), (1, false));
    }
}

#[test]
fn limit_that_was_changed_meanwhile_stays() {
    let (_folder, limits) = limits(["500", "250"]);
    limits.begin().unwrap();
    write(&limits.paths[1], "42").unwrap();
    limits.restore().unwrap();
    assert_eq!(values(&limits), ["500", "42"]);
}

#[test]
fn limits_are_left_where_old_values_cannot_be_kept() {
    let (folder, mut limits) = limits(["500", "250"]);
    limits.state = folder.path().join("missing/limits");
    assert!(limits.begin().unwrap_err().to_string().contains("missing/limits: "));
    assert_eq!(values(&limits), ["500", "250"]);
    limits.state = "/dev/null".into();
    limits.begin().unwrap_err();
    assert_eq!(values(&limits), ["500", "250"]);
}

#[test]
fn first_limit_is_set_back_where_the_second_cannot_be_set() {
    let (folder, mut limits) = limits(["500", "250"]);
    limits.paths[1] = folder.path().join("missing");
    limits.begin().unwrap_err();
    assert_eq!(read(&limits.paths[0]).unwrap(), "500");
}
