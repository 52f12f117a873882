//! Files as they are read: forms, positions, everything at once.

use std::fmt::Write as _;
use std::fs;

use ipvs_rs::desired::files::{Loaded, Reader, Source, read_path};
use ipvs_rs::desired::params::MapResolver;
use ipvs_rs::desired::spec::FileSpec;
use ipvs_rs::desired::{Diagnostics, Stage, service_text};

fn read(text: &str) -> Result<Loaded, Diagnostics> {
    Reader::new().read(&[Source::new("f", text)])
}

fn errors(text: &str) -> Vec<String> {
    match read(text) {
        Ok(_) => Vec::new(),
        Err(found) => found.errors().map(ToString::to_string).collect(),
    }
}

fn warnings(text: &str) -> Vec<String> {
    match read(text) {
        Ok(loaded) => loaded.warnings.iter().map(ToString::to_string).collect(),
        Err(found) => panic!("{found}"),
    }
}

fn stage(text: &str) -> Option<Stage> {
    read(text).err().and_then(|found| found.failed_stage())
}

#[test]
fn empty_file_is_the_empty_state() {
    for text in
        ["", "{}", "# nothing\n", "---\n", "~", "services:", "services: []", "services: null", "{\"services\": null}"]
    {
        let loaded = read(text).unwrap();
        assert_eq!(loaded.state.services, [], "{text}");
        assert_eq!(loaded.warnings.to_string(), "", "{text}");
        assert_eq!(loaded.version, 1, "{text}");
    }
}

#[test]
fn a_file_that_says_nothing_is_told_from_the_empty_table() {
    let silent = |texts: &[&str]| {
        let sources: Vec<_> = texts.iter().map(|text| Source::new("f", *text)).collect();
        Reader::new().read(&sources).unwrap().is_silent
    };
    for text in [
        "",
        " \n",
        "# nothing\n",
        "---\n",
        "~",
        "servces: [{address: fwmark:1}]",
        "version: 2\ntimeouts: {tcp: 9}",
        "x-note: {}",
    ] {
        assert!(silent(&[text]), "{text}");
    }
    for text in
        ["{}", "services: []", "services:", "services: ~", "{\"services\": null}", "services: [{address: fwmark:1}]"]
    {
        assert!(!silent(&[text]), "{text}");
    }
    assert!(silent(&[]));
    assert!(silent(&["# one", "version: 1\n---\n"]));
    assert!(!silent(&["# one", "x-note: 1\n---\n{}\n"]), "one document is enough");
}

#[test]
fn text_from_outside_reaches_no_terminal_as_it_is() {
    let evil = "\\e[31m\\r\\u202e".to_owned() + &"x".repeat(1000);
    for (key, what) in [
        ("sched", "sched: \"EVIL\""),
        ("forward", "destinations: [{address: 10.0.0.1, forward: \"EVIL\"}]"),
        ("address", "destinations: [{address: \"EVIL\"}]"),
        ("key", "\"EVIL\": 1"),
        ("flag", "sched-flags: [\"EVIL\"]"),
        ("name", "name: \"EVIL\""),
        ("number", "destinations: [{address: 10.0.0.1, weight: \"EVIL\"}]"),
    ] {
        let text = format!("version: 2\nservices:\n- address: fwmark:1\n  {}\n", what.replace("EVIL", &evil));
        let found = Reader::new().read(&[Source::new("f\u{1b}[2J", text)]).unwrap_err().to_string();
        assert!(found.starts_with("f\\u{1b}[2J:"), "{key}: {found}");
        assert!(found.contains("\\u{1b}[31m\\r\\u{202e}xxx"), "{key}: {found}");
        assert!(!found.replace('\n', "").contains(char::is_control) && found.len() < 1200, "{key}: {found}");
    }
}

#[test]
fn other_value_than_a_mapping_is_not_read() {
    let table = [
        ("[]", "f:1:1: error: expected a mapping with the key services, found a list"),
        ("text", "f:1:1: error: expected a mapping with the key services, found \"text\""),
        ("5", "f:1:1: error: expected a mapping with the key services, found \"5\""),
        ("services: {}", "f:1:11: error: services: expected a list, each with a service, found a mapping"),
        ("services: x", "f:1:11: error: services: expected a list, each with a service, found \"x\""),
        ("defaults: []", "f:1:11: error: defaults: expected a mapping for defaults, found a list"),
        ("services: [x]", "f:1:12: error: services[0]: expected a mapping for a service, found \"x\""),
    ];
    for (text, expected) in table {
        assert_eq!(errors(text), [expected], "{text}");
        assert_eq!(stage(text), Some(Stage::Reading), "{text}");
    }
}

/// A service with one destination that has this line.
fn with_destination(line: &str) -> String {
    format!("services:\n- address: tcp://192.0.2.1:80\n  destinations:\n  - address: 10.0.0.1:80\n    {line}\n")
}

#[test]
fn numbers_are_whole_and_stand_without_quotes() {
    let reading = [
        ("weight: \"5\"", "expected a whole number, found \"5\" in quotes"),
        ("weight: NaN", "expected a whole number, found \"NaN\""),
        ("weight: abc", "expected a whole number, found \"abc\""),
        ("weight: [5]", "expected a whole number, found a list"),
        ("weight: {a: 5}", "expected a whole number, found a mapping"),
        ("weight: true", "expected a whole number, found \"true\""),
    ];
    for (line, message) in reading {
        let expected = format!("f:5:13: error: services[0].destinations[0].weight: {message}");
        assert_eq!(errors(&with_destination(line)), [expected], "{line}");
        assert_eq!(stage(&with_destination(line)), Some(Stage::Reading), "{line}");
    }
    let validation = [
        ("weight: 1.5", "services[0].destinations[0].weight: expected a whole number, found 1.5"),
        (
            "weight: 99999999999999999999",
            "services[0].destinations[0].weight: the number 99999999999999999999 is too large",
        ),
        ("weight: 70000", "invalid weight (70000) for destination 10.0.0.1:80 in service tcp://192.0.2.1:80."),
    ];
    for (line, message) in validation {
        assert_eq!(errors(&with_destination(line)), [format!("f:5:13: error: {message}")], "{line}");
        assert_eq!(stage(&with_destination(line)), Some(Stage::Validation), "{line}");
    }
    for (line, weight) in
        [("weight: 5.0", 5), ("weight: 0x10", 16), ("weight: 1_0", 10), ("weight: ~", 0), ("weight: 017", 15)]
    {
        let loaded = read(&with_destination(line)).unwrap();
        assert_eq!(loaded.state.services[0].destinations[0].destination.weight.get(), weight, "{line}");
    }
    let octal = "f:5:13: warning: services[0].destinations[0].weight: 017 is 15: a number that starts with 0 is read with base 8";
    assert!(warnings(&with_destination("weight: 017")).contains(&octal.to_owned()));
}

#[test]
fn items_of_a_list_are_not_nothing() {
    let text = "services:\n- ~\n- address: tcp://192.0.2.1:80\n  destinations:\n  -\n  - address: nonsense\n";
    assert_eq!(
        errors(text),
        [
            "f:2:3: error: services[0] is empty: expected a service",
            "f:5:4: error: services[1].destinations[0] is empty: expected a destination",
            "f:6:14: error: unable to parse address (nonsense) for service tcp://192.0.2.1:80. Not an IP address.",
        ]
    );
    assert_eq!(stage("services: [~]"), Some(Stage::Validation));
    assert_eq!(
        read("services:\n- address: tcp://192.0.2.1:80\n  destinations:\n").unwrap().state.destination_count(),
        0
    );
}

#[test]
fn unknown_keys_are_reported() {
    let text = "adress: 1\nservices:\n- address: tcp://192.0.2.1:80\n  shed: rr\n  vendor.name: x\n  x-note: {a: [1]}\n  destinations:\n  - {address: 10.0.0.1:80, wieght: 5, weight: 1}\n";
    assert_eq!(
        warnings(text),
        [
            "f:1:1: warning: unknown key \"adress\" in the file",
            "f:4:3: warning: unknown key \"shed\" in a service; did you mean sched?",
            "f:8:28: warning: unknown key \"wieght\" in a destination; did you mean weight?",
        ]
    );
    let text = format!("version: 2\n{text}");
    assert_eq!(
        errors(&text),
        [
            "f:2:1: error: unknown key \"adress\" in the file",
            "f:5:3: error: unknown key \"shed\" in a service; did you mean sched?",
            "f:9:28: error: unknown key \"wieght\" in a destination; did you mean weight?",
        ]
    );
    assert_eq!(stage(&text), Some(Stage::Validation));
    assert_eq!(errors("version: 2\nservices:\n- adress: tcp://192.0.2.1:80\n").len(), 1, "what follows is not said");
    assert_eq!(errors("version: 2\nservices:\n- {address: fwmark:1, stats: {connections: 1}}\n"), [""; 0]);
}

#[test]
fn every_mistake_is_reported_at_once() {
    let text = "\
defaults: {port: 0, sched: xrr}
services:
- address: tcp://192.0.2.1:80
  sched: [rr]
  destinations:
  - address: 10.0.0.1:70000
  - address: 10.0.0.2:80
    weight: many
    forward: mail
- address: ${nowhere}
  destinations:
  - address: web1:80
- address: tcp://192.0.2.2:80
  sched: nosuchsched
- address: tcp://192.0.2.2:80
services: twice
";
    assert_eq!(
        errors(text),
        [
            "f:1:18: error: Default port out of range: 0",
            "f:1:28: error: invalid default scheduler: xrr",
            "f:4:10: error: services[0].sched: expected text, found a list",
            "f:6:14: error: invalid port (70000) for destination 10.0.0.1:70000 in service tcp://192.0.2.1:80.",
            "f:8:13: error: services[0].destinations[1].weight: expected a whole number, found \"many\"",
            "f:9:14: error: invalid forward (mail) for destination 10.0.0.2:80 in service tcp://192.0.2.1:80. Allowed are direct,nat,tunnel",
            "f:10:12: error: unable to look up parameter (for key=nowhere); no source of parameters is switched on",
            "f:12:14: error: unable to parse address (web1) for service services[1]. Not an IP address.",
            "f:14:10: error: invalid scheduler (nosuchsched) for service (tcp://192.0.2.2:80).",
            "f:15:12: error: Service addresses must be unique: tcp://192.0.2.2:80 (first at f:13:12)",
            "f:16:1: error: the key \"services\" stands in line 2 already",
        ]
    );
    assert_eq!(stage(text), Some(Stage::Reading));
}

#[test]
fn parameters_stand_in_addresses_only_with_version_1() {
    let values = MapResolver::new("values", [("ip", "192.0.2.7"), ("n", "80"), ("s", "wlc"), ("w", "5")]);
    let reader = Reader::new().resolver(&values);
    let text = "services:\n- address: tcp://${ip}:${n}\n  destinations:\n  - address: ${ip}\n";
    let loaded = reader.read(&[Source::new("f", text)]).unwrap();
    assert_eq!(service_text(&loaded.state.services[0].id()), "tcp://192.0.2.7:80");
    assert_eq!(loaded.state.services[0].destinations[0].id().to_string(), "192.0.2.7:80");
    assert_eq!(loaded.files[0].services.as_ref().unwrap()[0].address.as_deref(), Some("tcp://192.0.2.7:80"));

    let text = "services:\n- address: fwmark:1\n  sched: ${s}\n";
    let found = reader.read(&[Source::new("f", text)]).unwrap_err();
    assert_eq!(found.errors().next().unwrap().message, "invalid scheduler (${s}) for service (fwmark:1).");

    let text =
        format!("version: 2\n{text}  name: web-${{n}}\n  drain: {{timeout: \"${{w}}m\"}}\n  x-note: ${{none}}\n");
    let loaded = reader.read(&[Source::new("f", text)]).unwrap();
    assert_eq!(loaded.state.services[0].service.scheduler.name(), "wlc");
    assert_eq!(loaded.state.services[0].name.as_deref(), Some("web-80"));
    assert_eq!(loaded.state.services[0].drain.unwrap().timeout.as_secs(), 300);

    let text = "version: 2\nservices:\n- address: fwmark:1\n  destinations:\n  - address: ${ip}\n    weight: ${w}\n";
    let found = reader.read(&[Source::new("f", text)]).unwrap_err();
    assert_eq!(
        found.to_string(),
        "f:6:13: error: services[0].destinations[0].weight: expected a whole number, found \"${w}\""
    );
}

#[test]
fn an_unknown_parameter_names_the_nearest() {
    let values = MapResolver::new("values", [("host.eth0", "192.0.2.7")]);
    let text = "services:\n- address: tcp://${host.eth1}:80\n";
    let found = Reader::new().resolver(&values).read(&[Source::new("f", text)]).unwrap_err();
    assert_eq!(
        found.to_string(),
        "f:2:12: error: unable to look up parameter (for key=host.eth1); searched: values; did you mean host.eth0?"
    );
    assert_eq!(found.failed_stage(), Some(Stage::Parameters));
}

#[test]
fn a_parameter_brings_no_other_services() {
    let values = MapResolver::new("values", [("a", "tcp://192.0.2.1:80\n- address: tcp://192.0.2.2:80")]);
    let text = "services:\n- address: ${a}\n";
    let found = Reader::new().resolver(&values).read(&[Source::new("f", text)]).unwrap_err();
    assert_eq!(found.len(), 1);
}

#[test]
fn a_version_is_1_or_2() {
    for text in ["version: 3\nservices: 7\nfuture: [x]\n", "version: 0", "version: -1"] {
        let found = errors(text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(": expected 1 or 2"), "{found:?}");
    }
    assert_eq!(errors("version: two"), ["f:1:10: error: version: expected a whole number, found \"two\""]);
    assert_eq!(read("version: 2").unwrap().version, 2);
    assert_eq!(read("version: 1\n---\nversion: 2\n---\n{}").unwrap().version, 2);
}

#[test]
fn several_files_and_documents_are_one_table() {
    let one = Source::new(
        "a",
        "defaults: {sched: wlc}\nservices: [{address: fwmark:1}]\n---\nservices: [{address: fwmark:2}]\n",
    );
    let two = Source::new("b", "{\"services\": [{\"address\": \"fwmark:3\", \"sched\": \"sh\"}]}");
    let loaded = Reader::new().read(&[one.clone(), two]).unwrap();
    let schedulers: Vec<_> = loaded.state.services.iter().map(|service| service.service.scheduler.name()).collect();
    assert_eq!(schedulers, ["wlc", "rr", "sh"], "defaults hold for their own file");
    assert_eq!(loaded.files.len(), 3);

    let again = Source::new("c", "services:\n- address: fwmark:4\n- address: fwmark:01\n");
    let found = Reader::new().read(&[one, again]).unwrap_err();
    let errors: Vec<_> = found.errors().map(ToString::to_string).collect();
    assert_eq!(errors, ["c:3:12: error: Service addresses must be unique: fwmark:01 (first at a:2:22)"]);
}

#[test]
fn services_in_several_files_can_be_merged() {
    let one =
        Source::new("a", "services: [{name: n, address: fwmark:1, sched: wlc, destinations: [{address: 10.0.0.1}]}]");
    let two = Source::new(
        "b",
        "services: [{name: n, address: fwmark:1, one-packet: true, destinations: [{address: 10.0.0.2}, {address: 10.0.0.1}]}]",
    );
    let reader = Reader::new().merge(true);
    let loaded = reader.read(&[one.clone(), two.clone()]).unwrap();
    let [service] = loaded.state.services.as_slice() else { panic!("{:?}", loaded.state) };
    assert_eq!((service.service.scheduler.name(), service.service.one_packet), ("wlc", true));
    let addresses: Vec<_> = service.destinations.iter().map(|row| row.id().to_string()).collect();
    assert_eq!(addresses, ["10.0.0.1:0", "10.0.0.2:0"]);

    let errors = |text: &str| {
        let found = reader.read(&[one.clone(), two.clone(), Source::new("c", text)]).unwrap_err();
        found.errors().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        errors("services: [{name: m, address: fwmark:1, sched: rr, one-packet: false}]"),
        [
            "c:1:19: error: service fwmark:1 has another name than at a:1:31",
            "c:1:48: error: service fwmark:1 has another sched than at a:1:31",
            "c:1:64: error: service fwmark:1 has another one-packet than at a:1:31",
        ]
    );
    assert_eq!(
        errors("services: [{address: fwmark:1, destinations: [{address: 10.0.0.1, weight: 5}]}]"),
        [
            "c:1:22: error: destination 10.0.0.1:0 of service fwmark:1 has other settings than with the service at a:1:31"
        ]
    );
    assert_eq!(
        errors("services: [{name: n, address: fwmark:2}]"),
        ["c:1:19: error: Service names must be unique: n (first at a:1:19)"]
    );
}

#[test]
fn text_may_look_like_a_number() {
    let text = "version: 2\nservices:\n- {name: 123, address: fwmark:1, sched: 5}\n";
    let loaded = read(text).unwrap();
    assert_eq!(loaded.state.services[0].name.as_deref(), Some("123"));
    assert_eq!(loaded.state.services[0].service.scheduler.name(), "5");
}

#[test]
fn times_are_seconds_or_have_units() {
    let of = |value: &str| {
        let text = format!("version: 2\nservices:\n- {{address: fwmark:1, persistence: {value}}}\n");
        read(&text).map(|loaded| loaded.state.services[0].service.persistence.map(|one| one.timeout_secs()))
    };
    let table = [
        ("true", Some(360)),
        ("false", None),
        ("300", Some(300)),
        ("300s", Some(300)),
        ("1h30m", Some(5400)),
        ("\"1d\"", Some(86_400)),
        ("\"90\"", Some(90)),
        ("{}", Some(360)),
        ("{timeout: 5m}", Some(300)),
        ("~", None),
    ];
    for (value, seconds) in table {
        assert_eq!(of(value).unwrap(), seconds, "{value}");
    }
    for value in ["5x", "-5", "1.5", "yes", "[]", "\"\"", "{timeout: soon}"] {
        let found = of(value).unwrap_err();
        assert_eq!(found.failed_stage(), Some(Stage::Reading), "{value}: {found}");
    }
}

#[test]
fn wrong_types_are_reported_with_their_position() {
    let table = [
        ("one-packet: yes", "3:15: error: services[0].one-packet: expected true or false, found \"yes\""),
        ("one-packet: 1", "3:15: error: services[0].one-packet: expected true or false, found \"1\""),
        (
            "sched-flags: port",
            "3:16: error: services[0].sched-flags: expected a list, each with a flag, found \"port\"",
        ),
        ("sched-flags: [~]", "3:17: error: services[0].sched-flags[0] is empty: expected a flag"),
        ("drain: 60s", "3:10: error: services[0].drain: expected a mapping for drain, found \"60s\""),
        (
            "drain: {timeout: soon}",
            "3:20: error: services[0].drain.timeout: expected a time, such as 90 (seconds), 90s or 1h30m, found \"soon\"",
        ),
        ("persistence: []", "3:16: error: services[0].persistence: expected a mapping for persistence, found a list"),
        ("name: {a: b}", "3:9: error: services[0].name: expected text, found a mapping"),
        (
            "destinations: [[]]",
            "3:18: error: services[0].destinations[0]: expected a mapping for a destination, found a list",
        ),
    ];
    for (line, expected) in table {
        let text = format!("services:\n- address: fwmark:1\n  {line}\n");
        assert_eq!(errors(&text), [format!("f:{expected}")], "{line}");
    }
}

#[test]
fn a_file_of_ten_megabytes_is_read() {
    let mut text = "services:\n".to_owned();
    let mut count = 0;
    while text.len() < 10 << 20 {
        writeln!(text, "- address: fwmark:{}\n  x-note: {}\n  destinations:", count + 1, "note ".repeat(800)).unwrap();
        for place in 0..20 {
            writeln!(text, "  - address: 10.{}.{}.{place}:80\n    weight: 1", count >> 8, count & 255).unwrap();
        }
        count += 1;
    }
    let loaded = read(&text).unwrap();
    assert_eq!(loaded.state.services.len(), count);
    assert_eq!(loaded.state.destination_count(), count * 20);
}

#[test]
fn very_many_errors_are_not_all_told() {
    let found = read(&format!("services:\n{}", "- 5\n".repeat(20_000))).unwrap_err();
    assert_eq!(found.len(), 1001);
    let last = "f:1002:3: error: there are more: at least 9000 errors and 0 warnings";
    assert_eq!(found.iter().last().unwrap().to_string(), last);
    let found = read(&format!("services:\n{}", "- address: ${x}\n".repeat(20_000))).unwrap_err();
    assert_eq!((found.len(), found.failed_stage()), (1001, Some(Stage::Parameters)));
    let found = read(&format!("services:\n{}", "- address: x\n".repeat(20_000))).unwrap_err();
    assert_eq!((found.len(), found.failed_stage()), (1001, Some(Stage::Validation)));
}

#[test]
fn very_many_wrong_elements_take_memory_in_proportion() {
    for (start, element) in [
        ("services: [", "5,"),
        ("services: [", "{},"),
        ("services:\n", "- address: x\n"),
        ("services:\n- address: fwmark:1\n  destinations:\n", "  - address: x\n"),
        ("services: [{address: fwmark:1, sched-flags: [", "x,"),
        ("services: [{", "a: 1,"),
    ] {
        let end = start.chars().rev().filter_map(|c| "]}".chars().nth("[{".find(c)?)).collect::<String>();
        let text = format!("{start}{}{end}", element.repeat((1 << 20) / element.len()));
        let memory = allocation_counter::measure(|| assert!(read(&text).is_err(), "{element}"));
        let times = memory.bytes_max / (1 << 20);
        assert!(times < 64, "{element}: {times} times the file");
    }
}

#[test]
fn very_many_warnings_hide_no_error() {
    let unknown = "- {address: fwmark:1, destinations: [{address: 10.0.0.1, weight: 1, port: 1}]}\n";
    let many: String = (1..=12_000).map(|mark| unknown.replace(":1,", &format!(":{mark},"))).collect();
    let loaded = read(&format!("services:\n{many}")).unwrap();
    assert_eq!((loaded.state.services.len(), loaded.warnings.len()), (12_000, 1001));
    let found = read(&format!("services:\n{many}- address: x\n")).unwrap_err();
    assert_eq!((found.len(), found.failed_stage()), (1001, Some(Stage::Validation)));

    let mut lonely = String::new();
    (1..=12_000).for_each(|mark| writeln!(lonely, "- address: fwmark:{mark}").unwrap());
    assert_eq!(read(&format!("services:\n{lonely}")).unwrap().state.services.len(), 12_000);
    let found = read(&format!("services:\n{lonely}- address: x\n")).unwrap_err();
    assert_eq!(found.failed_stage(), Some(Stage::Validation));
}

#[test]
fn aliases_and_merge_keys_are_what_they_stand_for() {
    let text = "\
x-server: &server {forward: nat, weight: 5}
services:
- address: fwmark:1
  destinations: &both
  - {<<: *server, address: 10.0.0.1}
  - {<<: *server, address: 10.0.0.2, weight: 7}
- address: fwmark:2
  destinations: *both
";
    let loaded = read(text).unwrap();
    let weights: Vec<_> =
        loaded.state.services[1].destinations.iter().map(|row| row.destination.weight.get()).collect();
    assert_eq!(weights, [5, 7]);
}

#[test]
fn files_of_a_folder_are_read_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("b.yaml", "services: [{address: fwmark:2}]"),
        ("B.yml", "services: [{address: fwmark:1}]"),
        ("c.json", "{\"services\": [{\"address\": \"fwmark:3\"}]}"),
        (".hidden.yaml", "["),
        ("d.yaml~", "["),
        ("#e.yaml#", "["),
        ("notes.txt", "["),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    fs::create_dir(folder.path().join("f.yaml")).unwrap();
    let sources = read_path(folder.path()).unwrap();
    let names: Vec<_> = sources.iter().map(|source| source.name.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["B.yml", "b.yaml", "c.json"]);
    assert_eq!(Reader::new().read(&sources).unwrap().state.services.len(), 3);
    assert_eq!(read_path(&folder.path().join("c.json")).unwrap().len(), 1);
}

#[test]
fn unreadable_files_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.yaml");
    let found = read_path(&path).unwrap_err();
    assert_eq!(found.to_string(), format!("{}: error: No such file or directory (os error 2)", path.display()));
    assert_eq!(found.failed_stage(), Some(Stage::Reading));
    let found = read_path(folder.path()).unwrap_err();
    let message = "no file of this folder ends in .yaml, .yml or .json";
    assert_eq!(found.to_string(), format!("{}: error: {message}", folder.path().display()));

    fs::write(&path, b"a: 1\nb: \xff\n").unwrap();
    let found = read_path(&path).unwrap_err();
    assert_eq!(found.to_string(), format!("{}:2: error: the file is not valid UTF-8", path.display()));

    std::os::unix::fs::symlink("nowhere", folder.path().join("a.yaml")).unwrap();
    assert_eq!(read_path(folder.path()).unwrap_err().len(), 2, "every file is looked at");
}

#[test]
fn more_than_64_mebibytes_are_not_read() {
    let endless = std::io::repeat(b'#');
    let found = Source::from_reader("endless", endless).unwrap_err();
    assert_eq!(found.to_string(), "endless: error: the file is longer than 67108864 bytes");
}

#[test]
fn printed_state_is_read() {
    let file = FileSpec { version: Some(2), ..FileSpec::default() };
    let text = ipvs_rs::desired::yaml::to_string(&file).unwrap();
    assert_eq!(read(&text).unwrap().files, [file]);
}
