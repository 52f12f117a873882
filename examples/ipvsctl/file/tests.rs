use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

use super::*;

/// A folder with a FIFO, a folder, links to a file of another folder and to nowhere, and a file.
fn folder() -> (TempDir, TempDir) {
    let (folder, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let path = |name: &str| folder.path().join(name);
    mkfifo(&path("fifo"), Mode::from_bits_truncate(0o600)).unwrap();
    fs::create_dir(path("folder")).unwrap();
    fs::write(other.path().join("victim"), "precious").unwrap();
    symlink(other.path().join("victim"), path("link")).unwrap();
    symlink(other.path().join("made"), path("dangling")).unwrap();
    fs::write(path("file"), "old").unwrap();
    (folder, other)
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into()).collect();
    names.sort();
    names
}

#[test]
fn only_regular_files_are_replaced() {
    let (folder, other) = folder();
    let before = names(folder.path());
    for (name, found) in [
        ("fifo", "a FIFO"),
        ("folder", "a directory"),
        ("link", "a symbolic link"),
        ("dangling", "a symbolic link"),
        ("/dev/null", "a device"),
    ] {
        let error = replace(&folder.path().join(name), b"new").unwrap_err().to_string();
        assert_eq!(error, format!("expected a regular file or a new name, found {found}"), "{name}");
    }
    for name in ["missing/file", "new/", "..", "file/x"] {
        replace(&folder.path().join(name), b"new").unwrap_err();
    }
    assert_eq!(names(folder.path()), before, "nothing is left");
    assert_eq!(names(other.path()), [PathBuf::from("victim")]);
    assert_eq!(fs::read_to_string(other.path().join("victim")).unwrap(), "precious");
    replace(&folder.path().join("file"), b"new").unwrap();
    replace(&folder.path().join("made"), b"new").unwrap();
    for name in ["file", "made"] {
        let path = folder.path().join(name);
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(names(folder.path()).len(), before.len() + 1);
}

#[test]
fn leftover_of_a_killed_process_is_neither_used_nor_in_the_way() {
    let (folder, other) = folder();
    let beside = folder.path().join(format!("plan.{}-0.tmp", std::process::id()));
    symlink(other.path().join("victim"), &beside).unwrap();
    replace(&folder.path().join("plan"), b"new").unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("plan")).unwrap(), "new");
    assert_eq!(fs::read_to_string(&beside).unwrap(), "precious", "it is still a link to that");
}

#[test]
fn only_regular_files_within_limits_are_read() {
    let (folder, _other) = folder();
    let read = |name: &str, longest| read(&folder.path().join(name), longest).map_err(|error| error.to_string());
    assert_eq!(read("file", 3), Ok(b"old".to_vec()));
    assert_eq!(read("link", 100), Ok(b"precious".to_vec()));
    assert_eq!(read("file", 2), Err("expected at most 2 bytes, found more".to_owned()));
    for (name, found) in [("fifo", "a FIFO"), ("folder", "a directory"), ("/dev/zero", "a device")] {
        assert_eq!(read(name, 100), Err(format!("expected a regular file, found {found}")));
    }
}

#[test]
fn file_that_is_there_is_not_created() {
    let (folder, other) = folder();
    for name in ["file", "link", "dangling", "fifo"] {
        let error = create(&folder.path().join(name), b"new").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists, "{name}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("file")).unwrap(), "old");
    assert_eq!(names(other.path()), [PathBuf::from("victim")]);
}
