//! Files under watch: each is a whole or it is nothing.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use ipvs_rs::desired::files::{FileEvent, FileWatcher};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

/// So many services, a line each.
fn model(services: usize) -> String {
    let line = |number: usize| format!("- address: tcp://192.0.2.{}:80\n", number + 1);
    format!("services:\n{}", (0..services).map(line).collect::<String>())
}

struct WatchedFolder {
    folder: TempDir,
    watcher: FileWatcher,
}

impl WatchedFolder {
    /// A file of 100 services that was read.
    fn file() -> Self {
        Self::over("file", &[("file", &model(100))])
    }

    fn over(watched: &str, files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
            fs::write(folder.path().join(name), text).unwrap();
        }
        let mut watched = Self { watcher: FileWatcher::new([folder.path().join(watched)]), folder };
        assert_eq!(watched.watcher.poll(), FileEvent::Settling);
        assert_eq!(watched.changed(), files.iter().map(|(_, text)| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(watched.watcher.poll(), FileEvent::Unchanged);
        watched
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The texts of files that stood still.
    fn changed(&mut self) -> Vec<String> {
        match self.watcher.poll() {
            FileEvent::Changed(sources) => sources.concat().into_iter().map(|source| source.text).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// The problem with files that stood still; it is reported once.
    fn unusable(&mut self) -> String {
        assert_eq!(self.watcher.poll(), FileEvent::Settling);
        match self.watcher.poll() {
            FileEvent::Unusable { path, found } => {
                assert_eq!(self.watcher.poll(), FileEvent::Unchanged);
                assert_eq!(self.watcher.poll_content(), FileEvent::Unchanged);
                found.to_string().replace(&format!("{}", path.display()), "PATH")
            }
            other => panic!("{other:?}"),
        }
    }

    fn settles(&mut self) {
        assert_eq!(self.watcher.poll(), FileEvent::Settling);
    }

    /// A good file is taken again.
    fn recovers(&mut self) {
        self.write("file", &model(3));
        self.settles();
        assert_eq!(self.changed(), [model(3)]);
    }
}

#[test]
fn emptied_file_is_not_taken() {
    for text in ["", "\n\n", "# nothing\n", " \n---\n# nothing\n...\n", "\u{feff}\n"] {
        let mut watched = WatchedFolder::file();
        watched.write("file", text);
        let expected =
            "PATH: error: the file was emptied: only blanks and comments are left in it; write {} if that is meant";
        assert_eq!(watched.unusable(), expected, "{text:?}");
        watched.recovers();
    }
    for text in ["{}", "services: []\n"] {
        let mut watched = WatchedFolder::file();
        watched.write("file", text);
        watched.settles();
        assert_eq!(watched.changed(), [text], "the empty model, written out");
    }
}

#[test]
fn file_that_was_empty_before_may_be_empty() {
    let mut watched = WatchedFolder::over("conf", &[("conf/a.yaml", "{}\n"), ("conf/b.yaml", "")]);
    watched.write("conf/b.yaml", "# nothing\n");
    watched.settles();
    assert_eq!(watched.changed(), ["{}\n", "# nothing\n"]);
    watched.write("conf/a.yaml", "");
    assert!(watched.unusable().contains("a.yaml: error: the file was emptied"));
}

#[test]
fn half_of_a_file_is_not_taken() {
    // As `cat new > file` writes it.
    let mut watched = WatchedFolder::file();
    let (old, new) = (watched.path("file"), model(50));
    let mut file = File::create(&old).unwrap();
    watched.settles();
    for part in new.as_bytes().chunks(100) {
        file.write_all(part).unwrap();
        watched.settles();
    }
    drop(file);
    assert_eq!(watched.changed(), [new]);
}

#[test]
fn writer_that_goes_line_by_line_is_waited_for() {
    let mut watched = WatchedFolder::file();
    let mut file = File::create(watched.path("file")).unwrap();
    for line in model(100).split_inclusive('\n') {
        file.write_all(line.as_bytes()).unwrap();
        watched.settles();
    }
    // The same content as before is no change.
    assert_eq!(watched.watcher.poll(), FileEvent::Unchanged);
}

#[test]
fn file_that_a_full_disk_cut_off_is_not_taken() {
    let cut = &model(200)[..4096];
    assert!(!cut.ends_with('\n'));
    let mut watched = WatchedFolder::file();
    watched.write("file", cut);
    assert_eq!(
        watched.unusable(),
        "PATH: error: the file is cut off: it was written over and ends within a line, at the end of a disk block"
    );
    watched.write("file", "");
    assert!(watched.unusable().contains("emptied"));
    watched.recovers();
    for other in [&cut[..4095], "{}"] {
        let mut watched = WatchedFolder::file();
        watched.write("file", other);
        watched.settles();
        assert_eq!(watched.changed(), [other], "a line end is not asked for");
    }
    // A file that was put in the place of another one was finished before.
    watched.write("new", cut);
    fs::rename(watched.path("new"), watched.path("file")).unwrap();
    watched.settles();
    assert_eq!(watched.changed(), [cut]);
    watched.write("file", &cut[..2048]);
    watched.settles();
    assert_eq!(watched.changed(), [&cut[..2048]], "it had no line end before");
}

#[test]
fn special_files_are_not_opened() {
    let folder = TempDir::new().unwrap();
    let fifo = folder.path().join("fifo");
    mkfifo(&fifo, Mode::from_bits_truncate(0o600)).unwrap();
    for (other, found) in [(&*fifo, "a FIFO"), (Path::new("/dev/zero"), "a device")] {
        let expected = format!("PATH: error: expected a regular file, which alone can be watched; found {found}");
        let mut watched = WatchedFolder::file();
        fs::remove_file(watched.path("file")).unwrap();
        symlink(other, watched.path("file")).unwrap();
        assert_eq!(watched.unusable(), expected);
        fs::remove_file(watched.path("file")).unwrap();
        watched.recovers();

        let mut watcher = FileWatcher::new([other.to_owned()]);
        assert_eq!(watcher.poll(), FileEvent::Settling);
        assert!(matches!(watcher.poll(), FileEvent::Unusable { .. }), "{found} from the beginning");
    }
    let mut watched = WatchedFolder::over("conf", &[("conf/a.yaml", "{}\n")]);
    symlink(&fifo, watched.path("conf/b.yaml")).unwrap();
    assert!(watched.unusable().contains("b.yaml: error: expected a regular file"));
}

#[test]
fn file_that_vanished_is_told_once_and_taken_when_it_is_back() {
    let mut watched = WatchedFolder::file();
    fs::remove_file(watched.path("file")).unwrap();
    assert_eq!(watched.unusable(), "PATH: error: No such file or directory (os error 2)");
    watched.write("file", &model(100));
    watched.settles();
    assert_eq!(watched.changed(), [model(100)], "what is back is told");
    fs::write(watched.path("file"), b"\xff\xfe").unwrap();
    assert_eq!(watched.unusable(), "PATH:1: error: the file is not valid UTF-8");
}

#[test]
fn file_in_the_place_of_another_one_is_taken() {
    let mut watched = WatchedFolder::file();
    watched.write("new", &model(2));
    fs::rename(watched.path("new"), watched.path("file")).unwrap();
    watched.settles();
    assert_eq!(watched.changed(), [model(2)]);
}

#[test]
fn names_in_a_folder_count() {
    let mut watched = WatchedFolder::over("conf", &[("conf/a.yaml", &model(1)), ("conf/b.yml", &model(2))]);
    watched.write("conf/c.txt", "other");
    watched.write("conf/.d.yaml", "hidden");
    assert_eq!(watched.watcher.poll(), FileEvent::Unchanged);
    watched.write("conf/c.json", "{}");
    watched.settles();
    assert_eq!(watched.changed(), [model(1), model(2), "{}".to_owned()]);
    fs::remove_file(watched.path("conf/a.yaml")).unwrap();
    watched.settles();
    assert_eq!(watched.changed(), [model(2), "{}".to_owned()]);
    fs::rename(watched.path("conf/b.yml"), watched.path("conf/e.yml")).unwrap();
    watched.settles();
    assert_eq!(watched.changed(), ["{}".to_owned(), model(2)], "under another name, in another order");
    fs::remove_file(watched.path("conf/c.json")).unwrap();
    fs::remove_file(watched.path("conf/e.yml")).unwrap();
    assert_eq!(watched.unusable(), "PATH: error: no file of this folder ends in .yaml, .yml or .json");
    fs::remove_dir_all(watched.path("conf")).unwrap();
    assert!(watched.unusable().contains("No such file or directory"));
}

#[test]
fn swapped_link_is_a_change() {
    // As a ConfigMap is mounted.
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (version, services) in [("..1", 1), ("..2", 2)] {
        fs::create_dir(path(version)).unwrap();
        fs::write(path(version).join("a.yaml"), model(services)).unwrap();
    }
    symlink("..1", path("..data")).unwrap();
    symlink("..data/a.yaml", path("a.yaml")).unwrap();
    let watcher = FileWatcher::new([folder.path().to_owned()]);
    let mut watched = WatchedFolder { folder, watcher };
    watched.settles();
    assert_eq!(watched.changed(), [model(1)]);
    symlink("..2", watched.path("..new")).unwrap();
    fs::rename(watched.path("..new"), watched.path("..data")).unwrap();
    watched.settles();
    assert_eq!(watched.changed(), [model(2)]);
}

#[test]
fn several_paths_are_told_apart_and_settle_together() {
    let mut watched = WatchedFolder::file();
    watched.write("params", "a: 1\n");
    watched.watcher = FileWatcher::new([watched.path("file"), watched.path("params")]);
    watched.settles();
    assert_eq!(watched.changed(), [model(100), "a: 1\n".to_owned()]);
    watched.write("params", "a: 22\n");
    watched.settles();
    watched.write("file", &model(2));
    watched.settles();
    let FileEvent::Changed(sources) = watched.watcher.poll() else { panic!("it stood still") };
    assert_eq!((&*sources[0][0].text, &*sources[1][0].text), (&*model(2), "a: 22\n"));
    fs::remove_file(watched.path("params")).unwrap();
    watched.settles();
    let FileEvent::Unusable { path, .. } = watched.watcher.poll() else { panic!("it is gone") };
    assert_eq!(path, watched.path("params"));
}

#[test]
fn reload_tells_what_is_the_same() {
    let mut watched = WatchedFolder::file();
    watched.watcher.reload();
    assert_eq!(watched.changed(), [model(100)]);
    assert_eq!(watched.watcher.poll(), FileEvent::Unchanged);
    fs::remove_file(watched.path("file")).unwrap();
    watched.unusable();
    watched.watcher.reload();
    assert!(matches!(watched.watcher.poll(), FileEvent::Unusable { .. }), "a reload is answered in any case");
}
