use std::ffi::OsString;
use std::fs;
use std::io::Write;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

use super::*;
use crate::args::Globals;
use crate::signals::TestClock;
use crate::source::MessageStyle;

const INTERVAL: Duration = Duration::from_secs(10);

/// A file with this many services, a line each.
fn model(services: usize) -> String {
    let line = |number: usize| format!("- address: tcp://192.0.2.{}:80\n", number + 1);
    format!("services:\n{}", (0..services).map(line).collect::<String>())
}

/// A file and the settings to follow it.
struct World {
    folder: TempDir,
    global: Globals,
    file: Vec<OsString>,
}

impl World {
    fn new(text: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let world = Self { file: vec![folder.path().join("file").into()], folder, global: Globals::default() };
        world.write(text);
        world
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("file")
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }

    fn input(&self) -> Input<'_> {
        Input { global: &self.global, file: &self.file, merge: false, style: MessageStyle::Table }
    }

    fn begin(&self, clock: &mut TestClock<'_>) -> Result<Option<WatchedFiles<'_>>, Failure> {
        WatchedFiles::begin(self.input(), INTERVAL, &mut Console::memory(0), clock)
    }

    fn files(&self) -> WatchedFiles<'_> {
        self.begin(&mut TestClock::new()).unwrap_or_else(|failure| panic!("{}", failure.message)).unwrap()
    }
}

/// Checks the files for this long. Returns the number of changes, and the messages except for warnings about services.
fn polls(files: &mut WatchedFiles<'_>, from: u64, seconds: u64) -> (usize, String) {
    let mut console = Console::memory(1);
    let times = (from * 2..(from + seconds) * 2).map(|half| Duration::from_millis(half * 500));
    let changes = times.filter(|now| files.poll(&mut console, *now, false)).count();
    let said = console.taken().1;
    let lines = said.split_inclusive('\n').filter(|line| !line.contains("has no destinations"));
    (changes, lines.collect())
}

fn services(files: &WatchedFiles<'_>) -> usize {
    files.loaded().state.services.len()
}

#[test]
fn file_that_is_written_at_the_beginning_is_waited_for() {
    let world = World::new("");
    let (text, mut lines) = (model(100), 0);
    let mut clock = TestClock::new().meanwhile(|_| {
        if lines < 101 {
            lines += 20;
            world.write(&text.split_inclusive('\n').take(lines).collect::<String>());
        }
    });
    let files = world.begin(&mut clock).unwrap_or_else(|failure| panic!("{}", failure.message)).unwrap();
    assert_eq!(services(&files), 100);
    assert!(clock.elapsed >= 6 * POLL_INTERVAL, "{:?}", clock.elapsed);

    let mut clock = TestClock::new();
    clock.ends_at = Some(Duration::ZERO);
    assert!(world.begin(&mut clock).is_ok_and(|files| files.is_none()), "a signal ends it");

    let mut length = 0;
    let mut clock = TestClock::new().meanwhile(|_| {
        length += 1;
        world.write(&"#".repeat(length));
    });
    let failure = world.begin(&mut clock).err().unwrap();
    assert!(failure.message.ends_with("did not stand still for 60s: it is still written to"), "{}", failure.message);
    assert_eq!((failure.exit, clock.elapsed), (Exit::Input, LONGEST));
}

#[test]
fn files_that_cannot_be_used_end_it_at_the_beginning() {
    for (text, exit) in [
        ("", Exit::Invalid),
        ("# nothing\n", Exit::Invalid),
        ("version: 2\ntimeouts: {tcp: 15m}\n", Exit::Invalid),
        ("services:\n", Exit::Invalid),
        ("services: [", Exit::Input),
    ] {
        let failure = World::new(text).begin(&mut TestClock::new()).err().unwrap();
        assert_eq!(failure.exit, exit, "{text:?}: {}", failure.message);
    }
    let mut world = World::new("{}");
    world.global.params_file = vec![world.folder.path().join("missing")];
    let failure = world.begin(&mut TestClock::new()).err().unwrap();
    assert_eq!(failure.exit, Exit::ParameterFile);
    assert!(failure.message.starts_with("Unable to read from parameter file: "), "{}", failure.message);
    world.global.params_file.clear();
    fs::remove_file(world.path()).unwrap();
    assert_eq!(world.begin(&mut TestClock::new()).err().unwrap().exit, Exit::Input);
    mkfifo(&world.path(), Mode::from_bits_truncate(0o600)).unwrap();
    let failure = world.begin(&mut TestClock::new()).err().unwrap();
    assert!(failure.message.ends_with("which alone can be watched; found a FIFO"), "{}", failure.message);
}

/// Returns a message about a file after something was done to it.
type Damage<'a> = (&'a str, &'a dyn Fn(&World));

#[test]
fn last_good_files_count_until_there_are_good_ones_again() {
    let folder_of = |world: &World| world.folder.path().join("new");
    let damages: [Damage<'_>; 9] = [
        ("emptied", &|world| world.write("")),
        ("emptied", &|world| world.write("# services:\n")),
        ("says nothing of services", &|world| world.write("version: 2\ntimeouts: {tcp: 15m}\n")),
        ("says nothing of services", &|world| world.write("services:\n")),
        ("cut off", &|world| world.write(&model(200)[..4096])),
        ("No such file", &|world| fs::remove_file(world.path()).unwrap()),
        ("found a FIFO", &|world| {
            mkfifo(&folder_of(world), Mode::from_bits_truncate(0o600)).unwrap();
            fs::rename(folder_of(world), world.path()).unwrap();
        }),
        ("not valid YAML", &|world| world.write("services: [\n")),
        ("Must be of format", &|world| world.write("services:\n- address: tcp:192.0.2.1\n")),
    ];
    for (expected, damage) in damages {
        let world = World::new(&model(100));
        let mut files = world.files();
        damage(&world);
        let (changes, said) = polls(&mut files, 1, 30);
        assert_eq!((changes, services(&files)), (0, 100), "{said}");
        let [problem, warning] = said.lines().collect::<Vec<_>>()[..] else { panic!("it is said once: {said}") };
        assert!(problem.contains(expected), "{said}");
        assert_eq!(warning, "Warning: The files cannot be used: the table is kept as they were before");

        let _ = fs::remove_file(world.path());
        world.write(&model(3));
        let (changes, said) = polls(&mut files, 31, 3);
        assert_eq!((changes, services(&files)), (1, 3), "{expected}: {said}");
        assert_eq!(said, format!("INFO Read {}\n", world.path().display()));
    }
}

#[test]
fn one_file_of_a_folder_does_not_lose_its_services() {
    let mut world = World::new("");
    let conf = world.folder.path().join("conf");
    let write = |name: &str, text: &str| fs::write(conf.join(name), text).unwrap();
    fs::create_dir(&conf).unwrap();
    write("a.yaml", "services:\n- address: tcp://192.0.2.101:80\n");
    write("b.yaml", &model(2));
    write("c.yaml", "version: 2\n");
    world.file = vec![conf.clone().into()];
    let mut files = world.files();
    assert_eq!(services(&files), 3);
    write("b.yaml", "version: 2\n");
    let (changes, said) = polls(&mut files, 1, 20);
    assert_eq!((changes, services(&files), said.lines().count()), (0, 3, 2), "{said}");
    assert!(said.contains("conf/b.yaml says nothing of services: write {} or services: []"), "{said}");
    for (second, text, count) in [(21, "{}", 1), (24, &*model(1), 2), (27, "version: 2\nservices: []\n", 1)] {
        write("b.yaml", text);
        assert_eq!((polls(&mut files, second, 3).0, services(&files)), (1, count), "{text}");
    }
    fs::remove_file(conf.join("b.yaml")).unwrap();
    assert_eq!((polls(&mut files, 30, 3).0, services(&files)), (1, 1), "a file that is gone says so");
}

#[test]
fn empty_model_written_out_is_taken() {
    for text in ["{}", "services: []\n", "{\"services\": [ ]}", "version: 2\nservices: [\n  ]\n"] {
        let world = World::new(&model(100));
        let mut files = world.files();
        world.write(text);
        assert!(!files.poll(&mut Console::memory(0), Duration::from_secs(1), false));
        assert_eq!(polls(&mut files, 2, 1), (1, format!("INFO Read {}\n", world.path().display())), "{text}");
        assert_eq!(services(&files), 0, "{text}");
    }
}

#[test]
fn writer_is_waited_for() {
    let world = World::new(&model(100));
    let mut files = world.files();
    let text = model(99);
    let mut file = fs::File::create(world.path()).unwrap();
    for (second, line) in (1..).zip(text.split_inclusive('\n')) {
        file.write_all(line.as_bytes()).unwrap();
        let is_changed = files.poll(&mut Console::memory(0), Duration::from_secs(second), false);
        assert_eq!((is_changed, services(&files)), (false, 100), "{line}");
    }
    assert_eq!((polls(&mut files, 200, 1).0, services(&files)), (1, 99));
}

#[test]
fn reload_says_again_what_is_wrong_and_reads_what_is_the_same() {
    let world = World::new(&model(1));
    let mut files = world.files();
    let mut console = Console::memory(0);
    assert!(files.poll(&mut console, Duration::from_secs(1), true));
    assert_eq!(polls(&mut files, 2, 3), (0, String::new()));
    world.write("services: [");
    assert!(polls(&mut files, 5, 3).1.contains("not valid YAML"));
    assert!(!files.poll(&mut console, Duration::from_secs(8), true));
    assert!(console.taken().1.contains("not valid YAML"));
    assert_eq!(polls(&mut files, 9, 3), (0, String::new()));
}

#[test]
fn parameters_are_followed() {
    let mut world = World::new("services:\n- address: tcp://${host}:80\n");
    let params = world.folder.path().join("params");
    world.global.params_file = vec![params.clone()];
    fs::write(&params, "host: 192.0.2.1\n").unwrap();
    let mut files = world.files();
    let address = |files: &WatchedFiles<'_>| files.loaded().state.services[0].id().to_string();
    assert_eq!(address(&files), "TCP 192.0.2.1:80");
    fs::write(&params, "host: 192.0.2.20\n").unwrap();
    assert_eq!((polls(&mut files, 1, 1).0, address(&files)), (1, "TCP 192.0.2.20:80".to_owned()));
    fs::remove_file(&params).unwrap();
    let (changes, said) = polls(&mut files, 2, 20);
    assert!(said.starts_with("Unable to read from parameter file: "), "{said}");
    assert_eq!((changes, said.lines().count()), (0, 2), "{said}");
    fs::create_dir(&params).unwrap();
    let (changes, said) = polls(&mut files, 22, 20);
    assert_eq!((changes, said.lines().count(), address(&files)), (0, 2, "TCP 192.0.2.20:80".to_owned()), "{said}");
}

#[cfg(feature = "params-url")]
#[test]
fn web_server_is_asked_again_until_it_answers() {
    use std::net::TcpListener;
    use std::thread;

    let mut world = World::new("services:\n- address: tcp://${host}:80\n");
    let serve = |listener: TcpListener| {
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let body = "{\"host\": \"192.0.2.1\"}";
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            stream.write_all((head + body).as_bytes()).unwrap();
        })
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    world.global.params_url = vec![format!("http://{address}/")];
    let server = serve(listener);
    let mut files = world.files();
    server.join().unwrap();
    world.write("services:\n- address: tcp://${host}:8080\n");
    let (changes, said) = polls(&mut files, 1, 30);
    assert_eq!((changes, said.lines().count()), (0, 2), "once: {said}");
    let server = serve(TcpListener::bind(address).unwrap());
    let (changes, said) = polls(&mut files, 31, 11);
    server.join().unwrap();
    assert_eq!(
        (changes, files.loaded().state.services[0].id().to_string()),
        (1, "TCP 192.0.2.1:8080".to_owned()),
        "{said}"
    );
}
