//! One writer at a time.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ipvs_rs::desired::{Lock, LockError};

#[test]
fn second_one_is_told_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let lock = Lock::acquire(folder.path(), Duration::ZERO).unwrap();
    let error = Lock::acquire(folder.path(), Duration::ZERO).unwrap_err();
    assert!(error.is_held());
    assert!(matches!(error, LockError::Held { process: Some(holder), .. } if holder == std::process::id()));
    assert_eq!(
        error.to_string(),
        format!(
            "{}: another process ({}) is changing the table of this network namespace, and did not end within 0ns",
            lock.path().display(),
            std::process::id()
        )
    );
}

#[test]
fn file_is_named_after_the_namespace_and_stays() {
    let folder = tempfile::tempdir().unwrap().keep().join("made");
    let inode = fs::metadata("/proc/self/ns/net").unwrap().ino();
    let lock = Lock::acquire(&folder, Duration::ZERO).unwrap();
    let path = folder.join(format!("ipvsctl-{inode}.lock"));
    assert_eq!(lock.path(), path);
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    drop(lock);
    assert_eq!(fs::read_to_string(&path).unwrap(), "");
    fs::remove_dir_all(folder.parent().unwrap()).unwrap();
}

#[test]
fn waiting_process_gets_the_lock_when_it_is_released() {
    let folder = tempfile::tempdir().unwrap();
    let lock = Lock::acquire(folder.path(), Duration::ZERO).unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            let second = Lock::acquire(folder.path(), Duration::from_secs(600));
            sender.send(second.is_ok()).unwrap();
        });
        assert!(receiver.try_recv().is_err());
        drop(lock);
        assert!(receiver.recv().unwrap());
    });
}

#[test]
fn link_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = Lock::acquire(folder.path(), Duration::ZERO).unwrap().path().to_owned();
    let victim = folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    fs::remove_file(&path).unwrap();
    symlink(&victim, &path).unwrap();
    let error = Lock::acquire(folder.path(), Duration::ZERO).unwrap_err();
    assert!(matches!(error, LockError::Io { .. }), "{error}");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

#[test]
fn file_with_another_name_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = Lock::acquire(folder.path(), Duration::ZERO).unwrap().path().to_owned();
    let victim = folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    fs::remove_file(&path).unwrap();
    fs::hard_link(&victim, &path).unwrap();
    let error = Lock::acquire(folder.path(), Duration::ZERO).unwrap_err();
    assert!(matches!(error, LockError::Io { .. }), "{error}");
    let expected = "expected a lock file, found a file with 2 names (hard links); remove it";
    assert_eq!(error.to_string(), format!("{}: {expected}", path.display()));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    fs::remove_file(&victim).unwrap();
    assert!(Lock::acquire(folder.path(), Duration::ZERO).is_ok(), "it has one name again");
}

#[test]
fn fifo_is_neither_waited_for_nor_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = Lock::acquire(folder.path(), Duration::ZERO).unwrap().path().to_owned();
    fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
    let error = Lock::acquire(folder.path(), Duration::ZERO).unwrap_err();
    assert!(error.to_string().ends_with("found something that is not a regular file; remove it"), "{error}");
}

#[test]
fn file_of_another_user_that_others_can_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = Lock::acquire(folder.path(), Duration::ZERO).unwrap().path().to_owned();
    if std::os::unix::fs::chown(&path, Some(65534), None).is_err() {
        // Only root can give files away.
        return;
    }
    for (mode, is_taken) in [(0o600, true), (0o620, false), (0o602, false), (0o644, true)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let lock = Lock::acquire(folder.path(), Duration::ZERO);
        assert_eq!(lock.is_ok(), is_taken, "{mode:o}");
        let said = lock.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(is_taken || said.contains("a file of user 65534 that others can write to"), "{said}");
    }
}

#[test]
fn folder_that_cannot_be_made_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Lock::acquire(&file, Duration::ZERO).unwrap_err();
    assert!(!error.is_held());
    assert!(error.to_string().starts_with(&file.display().to_string()), "{error}");
}
