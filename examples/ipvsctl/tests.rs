//! Command lines from one end to the other, without a kernel.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Write};
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::rc::Rc;

use tempfile::TempDir;

use crate::args::{self, Globals, Invocation};
use crate::columns::Columns;
use crate::console::Console;
use crate::run;

/// A console whose outputs are kept.
pub struct MemoryConsole {
    console: Console,
    out: Memory,
    err: Memory,
}

#[derive(Clone, Default)]
struct Memory(Rc<RefCell<Vec<u8>>>);

impl Console {
    /// Outputs that are kept.
    #[cfg(feature = "testing")]
    pub fn memory(verbose: u8) -> MemoryConsole {
        Self::memory_of(&Globals { verbose, color: Some(clap::ColorChoice::Never), ..Globals::default() })
    }

    /// The same, as a command line has them.
    pub fn memory_of(global: &Globals) -> MemoryConsole {
        let (mut console, out, err) = (Self::standard(global), Memory::default(), Memory::default());
        (console.out, console.err, console.has_progress) = (Box::new(out.clone()), Box::new(err.clone()), false);
        MemoryConsole { console, out, err }
    }
}

impl MemoryConsole {
    /// The text that was printed so far, on both outputs.
    pub fn taken(&mut self) -> (String, String) {
        let take = |memory: &Memory| String::from_utf8(memory.0.take()).unwrap();
        (take(&self.out), take(&self.err))
    }
}

impl Deref for MemoryConsole {
    type Target = Console;

    fn deref(&self) -> &Console {
        &self.console
    }
}

impl DerefMut for MemoryConsole {
    fn deref_mut(&mut self) -> &mut Console {
        &mut self.console
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection to a kernel in memory.
#[cfg(feature = "testing")]
pub fn session<'c>(kernel: &ipvs_rs::testing::FakeKernel, console: &'c mut Console) -> crate::session::Session<'c> {
    crate::session::Session { handle: kernel.handle().unwrap(), netns: ipvs_rs::transport::Netns::current(), console }
}

#[test]
fn columns_are_as_wide_as_their_longest_entry() {
    let mut columns = Columns::new("NAME >N WHAT");
    columns.row(vec!["a".into(), "1".into(), "x".into()]);
    columns.row(vec!["longer".into(), "200".into(), String::new()]);
    assert_eq!(columns.text(), "NAME      N  WHAT\na         1  x\nlonger  200\n");
}

/// A folder for files.
struct Folder(TempDir);

/// The exit status, data and messages of a command line.
#[derive(Debug, Eq, PartialEq)]
struct Output {
    status: u8,
    stdout: String,
    stderr: String,
}

impl Folder {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = PathBuf::from(self.path(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Validates a text; the folder is cut off from the messages.
    fn validate(&self, text: &str, options: &[&str]) -> Output {
        let path = self.write("model.yaml", text);
        let mut said = ipvsctl(&[&["validate", "-f", &path], options].concat());
        said.stderr = said.stderr.replace(&self.path(""), "");
        said.stdout = said.stdout.replace(&self.path(""), "");
        said
    }
}

fn ipvsctl(words: &[&str]) -> Output {
    match args::read([&["ipvsctl"], words].concat()) {
        Ok(Invocation { global, command }) => {
            let mut console = Console::memory_of(&global);
            let done = run::run(&global, command, &mut console);
            let status = console.end(done);
            let (stdout, stderr) = console.taken();
            Output { status, stdout, stderr }
        }
        Err(error) if error.use_stderr() => {
            Output { status: 2, stdout: String::new(), stderr: error.render().to_string() }
        }
        Err(error) => Output { status: 0, stdout: error.render().to_string(), stderr: String::new() },
    }
}

/// A service with a destination, around which mistakes are made.
fn service(address: &str) -> String {
    format!(
        "services:\n- address: {address}\n  destinations:\n  - {{address: '10.0.0.2:80', weight: 1, forward: nat}}\n"
    )
}

#[test]
fn correct_models_are_valid() {
    let folder = Folder::new();
    for text in [
        "",
        "# nothing\n",
        "{}",
        "services:\n",
        "services: []\n",
        &service("tcp://192.0.2.1:80"),
        &service("udp://192.0.2.1:80///"),
        &service("sctp://192.0.2.1:80"),
        &service("fwmark:65535"),
        &service("tcp://[2001:db8::1]:80").replace("10.0.0.2", "[2001:db8::2]"),
        &service("tcp://192.0.2.1:80")
            .replace("services", "defaults: {port: 80, sched: wrr, forward: direct, weight: 9}\nservices"),
        "{\"services\": [{\"address\": \"tcp://192.0.2.1:80\", \"sched\": \"mh\"}]}",
        "services:\n- address: tcp://192.0.2.1:80\n  destinations:\n",
    ] {
        let said = folder.validate(text, &[]);
        assert_eq!((said.status, &*said.stdout), (0, "Configuration valid.\n"), "{text}\n{}", said.stderr);
        assert!(said.stderr.lines().all(|line| line.starts_with("Warning: ")), "{text}\n{}", said.stderr);
    }
}

#[test]
fn each_mistake_is_named_with_its_place() {
    let with = |key: &str| format!("services:\n- address: tcp://192.0.2.1:80\n  {key}\n");
    let to = |keys: &str| format!("services:\n- address: tcp://192.0.2.1:80\n  destinations:\n  - {{{keys}}}\n");
    let table = [
        (service("icmp://192.0.2.1:80"), "model.yaml:2:12: ", "unable to parse address (icmp://192.0.2.1:80). Must be of format"),
        (service("tcp:/192.0.2.1:80"), "model.yaml:2:12: ", "unable to parse address (tcp:/192.0.2.1:80). Must be of format"),
        (service("tcp://what.ever:80"), "model.yaml:2:12: ", "unable to parse address (what.ever). Not an IP address."),
        (service("fwmark:a"), "model.yaml:2:12: ", "unable to parse address"),
        (service("fwmark:89647"), "model.yaml:2:12: ", "Invalid fwmark number."),
        (service("'udp://[fe80:::1]:89/'"), "model.yaml:2:12: ", "unable to parse address"),
        (service("tcp://192.0.2.1:99999"), "model.yaml:2:12: ", "invalid port (99999)"),
        ("services:\n- sched: rr\n".to_owned(), "model.yaml:2:3: ", "Service address may not be empty"),
        ("defaults: {weight: 1.5}\n".to_owned(), "model.yaml:1:20: ", "expected a whole number, found 1.5"),
        ("services:\n- null\n".to_owned(), "model.yaml:2:3: ", ""),
        (with("sched: nosuchsched"), "model.yaml:3:10: ", "invalid scheduler (nosuchsched) for service (tcp://192.0.2.1:80)."),
        (to("weight: 1"), "model.yaml:4:5: ", "Destination address may not be empty for service tcp://192.0.2.1:80"),
        (to("address: web1"), "model.yaml:4:15: ", "for service tcp://192.0.2.1:80"),
        (to("address: '10.0.0.2:abc'"), "model.yaml:4:15: ", "unable to parse address (10.0.0.2:abc) for service"),
        (to("address: '10.0.0.2:89647'"), "model.yaml:4:15: ", "invalid port (89647) for destination"),
        (to("address: 10.0.0.2, forward: pigeon"), "model.yaml:4:34: ", "invalid forward (pigeon) for destination 10.0.0.2"),
        (to("address: 10.0.0.2, weight: 89647"), "model.yaml:4:33: ", "invalid weight (89647) for destination 10.0.0.2"),
        ("defaults: {port: 8374284}\n".to_owned(), "model.yaml:1:18: ", "Default port out of range: 8374284"),
        ("defaults: {sched: xrr}\n".to_owned(), "model.yaml:1:19: ", "invalid default scheduler: xrr"),
        ("defaults: {forward: xrr}\n".to_owned(), "model.yaml:1:21: ", "invalid default forward: xrr. Allowed"),
        ("defaults: {weight: 7462943}\n".to_owned(), "model.yaml:1:20: ", "Default weight out of range: 7462943"),
        (
            "services:\n- address: tcp://192.0.2.1:80\n- address: tcp://192.0.2.1:080/\n".to_owned(),
            "model.yaml:3:12: ",
            "Service addresses must be unique: tcp://192.0.2.1:080/",
        ),
        (
            "services:\n- address: tcp://192.0.2.1:80\n  destinations:\n  - address: 10.0.0.2\n  - address: 10.0.0.2:80\n".to_owned(),
            "model.yaml:5:14: ",
            "Destination addresses must be unique per service: 10.0.0.2:80 in service tcp://192.0.2.1:80",
        ),
    ];
    let folder = Folder::new();
    for (text, place, message) in table {
        let said = folder.validate(&text, &[]);
        assert_eq!((said.status, &*said.stdout), (32, ""), "{text}\n{}", said.stderr);
        let prefix = format!("{place}Validation error: Configuration not valid: ");
        let found = said.stderr.lines().any(|line| line.starts_with(&prefix) && line.contains(message));
        assert!(found, "{prefix}{message}\n{text}\n{}", said.stderr);
    }
}

#[test]
fn all_mistakes_are_named_at_once() {
    let text = "defaults: {port: 0}\nservices:\n- address: tcp://x:80\n- address: tcp://192.0.2.1:80\n  sched: y\n";
    let said = Folder::new().validate(text, &[]);
    assert_eq!((said.status, said.stderr.lines().count()), (32, 3), "{}", said.stderr);
}

#[test]
fn invalid_model_has_its_own_exit_status() {
    let folder = Folder::new();
    for text in [
        "services: [\n",
        "- a\n",
        "text\n",
        "services:\n- address: tcp://10.0.0.1:\n",
        "defaults: {weight: '5'}\n",
        "defaults: {weight: NaN}\n",
        "defaults: {weight: 1}\ndefaults: {weight: 2}\n",
        "\u{1}",
    ] {
        let said = folder.validate(text, &[]);
        assert_eq!((said.status, &*said.stdout), (30, ""), "{text}\n{}", said.stderr);
        assert!(said.stderr.contains("Error parsing yaml from model.yaml: "), "{text}\n{}", said.stderr);
    }
    for (words, message) in [
        (&["validate", "-f", "/no/such/file"][..], "Error reading from input file /no/such/file: "),
        (&["validate", "-f", "/dev"], "Error reading from input file /dev"),
        (&["validate", "-f", ""], "Must specify an input file\n"),
        (&["apply", "-f", ""], "Must specify an input file or - for stdin\n"),
        (&["apply", "-f", "/no/such/file"], "Error reading from input file /no/such/file: "),
    ] {
        let said = ipvsctl(words);
        assert_eq!((said.status, &*said.stdout), (30, ""), "{words:?}: {}", said.stderr);
        assert!(said.stderr.starts_with(message), "{words:?}: {}", said.stderr);
    }
}

#[test]
fn warnings_are_words_and_errors_where_that_is_wanted() {
    let folder = Folder::new();
    let text = "services:\n- address: tcp://192.0.2.1:80\n  note: x\n  vendor.note: x\n  x-note: x\n  sched: rr\n";
    let said = folder.validate(text, &[]);
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert!(said.stderr.contains("note") && !said.stderr.contains("x-note"), "{}", said.stderr);
    let quiet = folder.validate(text, &["-q"]);
    assert_eq!(quiet, Output { status: 0, stdout: String::new(), stderr: String::new() });
    let strict = folder.validate(text, &["--strict"]);
    assert_eq!((strict.status, &*strict.stdout), (32, ""), "{}", strict.stderr);
    assert!(strict.stderr.starts_with("model.yaml:"), "{}", strict.stderr);
}

#[test]
fn findings_are_a_document_on_request() {
    let folder = Folder::new();
    let said = folder.validate("services:\n- address: tcp://x:80\n", &["-o", "json"]);
    assert_eq!((said.status, &*said.stderr), (32, ""));
    let document: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(document["valid"], false);
    let first = &document["diagnostics"][0];
    assert_eq!((first["line"].as_u64(), first["column"].as_u64()), (Some(2), Some(12)), "{document}");
    assert_eq!((first["severity"].as_str(), first["stage"].as_str()), (Some("error"), Some("validation")));
    let said = folder.validate("{}", &["-o=json"]);
    assert_eq!(said.status, 0);
    let document: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(document, serde_json::json!({"valid": true, "diagnostics": []}));
}

#[test]
fn a_parameter_of_a_source_that_is_off_names_its_flag() {
    let folder = Folder::new();
    for (key, flag) in [
        ("host.lo", "--params-network switches the source of host.… on"),
        ("env.NO_SUCH", "--params-env switches the source of env.… on"),
    ] {
        let said = folder.validate(&service(&format!("tcp://${{{key}}}:80")), &[]);
        let expected = format!("(for key={key}); no source of parameters is switched on; {flag}");
        assert!(said.stderr.contains(&expected), "{}", said.stderr);
    }
    let said = folder.validate(&service("tcp://${env.NO_SUCH}:80"), &["--params-env"]);
    assert!(said.status == 35 && !said.stderr.contains("--params"), "{}", said.stderr);
}

#[test]
fn parameters_have_their_own_endings() {
    let folder = Folder::new();
    let yaml = folder.write("a.yaml", "net: {port: 80}\nonly: {here: 1}\n");
    let json = folder.write("b.json", "{\"net\": {\"port\": 99999, \"octet\": 7}, \"big\": 123456789}");
    let comment = folder.write("c.txt", "/* no parameters */\n");
    let keys = folder.write("keys.yaml", "y: 1\n");
    let (yaml, json) = (format!("--params-file={yaml}"), format!("--params-file={json}"));
    let comment = format!("--params-file={comment}");
    let keys = format!("--params-file={keys}");
    let missing = format!("--params-file={}", folder.path("missing"));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("--params-url=http://{closed}/");
    let plain = service("tcp://192.0.2.1:80");
    let both = service("tcp://192.0.2.${net.octet}:${net.port}");
    let table: [(&str, &[&str], u8); 16] = [
        (&service("tcp://${host.lo}:80"), &[], 35),
        (&service("tcp://${host.lo}:80"), &["--params-network"], 0),
        (&service("tcp://192.0.2.1:${env.PATH}"), &[], 35),
        (&service("tcp://192.0.2.1:${env.PATH}"), &["--params-env"], 32),
        (&plain, &[&missing], 51),
        (&plain, &[&comment], 30),
        (&plain, &[&keys], 51),
        (&service("tcp://192.0.2.1:${net.port}"), &[&yaml], 0),
        (&service("tcp://192.0.2.1:${net.port}"), &[&json], 32),
        (&both, &[&yaml, &json], 0),
        (&both, &[&yaml], 35),
        (&both, &[&json, &yaml], 32),
        (&service("tcp://${}:80"), &[&yaml], 35),
        (&service("'tcp://${a:80'"), &[&yaml], 35),
        (&plain, &[&url], 50),
        (&plain, &["--params-url=ftp://127.0.0.1/"], 50),
    ];
    for (text, options, status) in table {
        let said = folder.validate(text, options);
        assert_eq!(said.status, status, "{text} {options:?}: {}", said.stderr);
    }
    let said = folder.validate(&both, &[&yaml]);
    assert!(
        said.stderr.contains("Unable to resolve params: unable to look up parameter (for key=net.octet)"),
        "{}",
        said.stderr
    );
    let said = folder.validate(&plain, &[&comment]);
    assert!(said.stderr.contains("must be JSON or YAML"), "{}", said.stderr);
    let said = folder.validate(&plain, &[&missing]);
    assert!(said.stderr.starts_with("Unable to read from parameter file: "), "{}", said.stderr);
}

#[test]
fn handles_that_mean_nothing_are_refused_before_the_kernel_is_asked() {
    let folder = Folder::new();
    let model = folder.write("model.yaml", "version: 2\nservices:\n- {name: web, address: 'tcp://192.0.2.1:80'}\n");
    for (words, message) in [
        (&["zero", "-s", "web", "-f", "/no/such/file"][..], "Error reading from input file"),
        (&["zero", "-s", "wob", "-f", &model], "is called \"wob\"; names are web"),
        (&["zero", "-s", "tcp://web:80"], "Invalid service: \"tcp://web:80\" is not an address"),
        (&["get", "-s", ""], "Must specify a service"),
        (&["conns", "-d", "x"], "Invalid destination \"x\""),
        (&["set", "weight", "70000", "-s", "fwmark:1", "-d", "10.0.0.2"], "Invalid weight: \"70000\""),
        (&["drain", "-s", "fwmark:1", "-d", "nowhere"], "Invalid destination \"nowhere\""),
        (
            &["apply", "-f", &model, "--allowed-actions=as,xx"],
            "unable to process allowed actions: invalid action: xx\n",
        ),
        (&["plan", "-f", &model, "--allowed-actions=*,as"], "unable to process allowed actions: invalid action: *\n"),
    ] {
        let said = ipvsctl(words);
        let status = if message.starts_with("Error reading") { 30 } else { 33 };
        assert_eq!((said.status, &*said.stdout), (status, ""), "{words:?}: {}", said.stderr);
        assert!(said.stderr.contains(message), "{words:?}: {}", said.stderr);
    }
}

#[test]
fn schema_is_the_one_of_the_library() {
    let said = ipvsctl(&["schema"]);
    assert_eq!((said.status, &*said.stderr), (0, ""));
    let printed: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(printed, ipvs_rs::desired::spec::schema());
}

#[test]
fn messages_are_json_on_request() {
    let said = ipvsctl(&["--log-format=json", "validate", "-f", "/no/such/file"]);
    let record: serde_json::Value = serde_json::from_str(&said.stderr).unwrap();
    assert_eq!((record["level"].as_str(), record["exit"].as_u64()), (Some("error"), Some(30)));
    assert!(record["message"].as_str().unwrap().starts_with("Error reading from input file /no/such/file"));
}

#[test]
fn text_from_outside_cannot_move_the_cursor_or_make_lines() {
    let evil = "/no/\u{1b}[2J\u{202e}\nWarning: all is well";
    let quoted = "\\u{1b}[2J\\u{202e}\\nWarning: all is well";
    for words in [&["validate", "-f", evil][..], &["zero", "-s", evil], &["conns", "-d", evil]] {
        let said = ipvsctl(words);
        assert_ne!(said.status, 0);
        assert!(said.stderr.contains(quoted) && said.stderr.lines().count() == 1, "{words:?}: {}", said.stderr);
    }
    let said = ipvsctl(&["get", "--netns", "\u{1b}[2J\u{9b}x/../y"]);
    assert!(said.stderr.contains("\\u{1b}[2J"), "{}", said.stderr);
    assert!(!said.stderr.contains(['\u{1b}', '\u{9b}']), "{}", said.stderr);
    let said = ipvsctl(&["validate", "-f", &"x".repeat(100_000)]);
    assert!(said.stderr.len() < 1000, "{}", said.stderr);
}
