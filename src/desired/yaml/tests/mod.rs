#![allow(clippy::unwrap_used, reason = "test code")]

mod parse;

use serde_json::{Value, json};

use super::to_string;

#[test]
fn the_empty_mapping_is_two_characters_and_the_end_of_the_line() {
    assert_eq!(to_string(&json!({})).unwrap(), "{}\n");
    assert_eq!(to_string(&json!([])).unwrap(), "[]\n");
    assert_eq!(to_string(&json!(null)).unwrap(), "null\n");
}

#[test]
fn lists_stand_under_their_key() {
    let value = json!({
        "services": [
            {"address": "udp://192.0.2.53:53", "sched": "wlc"},
            {"address": "tcp://192.0.2.80:80", "sched": "rr", "destinations": [
                {"address": "198.51.100.11:8080", "weight": 5, "tunnel": {"type": "gue", "port": 6080}},
                {"address": "[2001:db8::1]:80", "forward": "?"},
            ], "sched-flags": []},
            {},
            [["a"], []],
        ],
        "scope": {"manage": ["*://*"]},
    });
    let text = "\
services:
- address: udp://192.0.2.53:53
  sched: wlc
- address: tcp://192.0.2.80:80
  sched: rr
  destinations:
  - address: 198.51.100.11:8080
    weight: 5
    tunnel:
      type: gue
      port: 6080
  - address: \"[2001:db8::1]:80\"
    forward: \"?\"
  sched-flags: []
- {}
- - - a
  - []
scope:
  manage:
  - \"*://*\"
";
    assert_eq!(to_string(&value).unwrap(), text);
}

#[test]
fn text_that_some_reader_takes_for_something_else_is_quoted() {
    let quoted = [
        "",
        " ",
        "~",
        "null",
        "Null",
        "true",
        "YES",
        "y",
        "N",
        "on",
        "Off",
        "5",
        "-5",
        "+5",
        "0x1f",
        "0o17",
        "0b11",
        "1_000",
        "1.5",
        "1e3",
        ".5",
        ".inf",
        "-.INF",
        ".nan",
        "12:30",
        "190:20:30.15",
        "2001-12-14",
        "a: b",
        "a #b",
        "a:",
        "a ",
        " a",
        "- a",
        "-",
        "? a",
        "?",
        ": a",
        "#a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "'a'",
        "\"a\"",
        "[a]",
        "{a}",
        "<<",
        "=",
        "---",
        "...",
        "a\nb",
        "a\tb",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "\u{0}",
        "\u{1f600}",
    ];
    for text in quoted {
        let printed = to_string(text).unwrap();
        assert!(printed.starts_with('"') && printed.ends_with("\"\n"), "{text:?} is printed as {printed}");
    }
    let plain = [
        "rr",
        "tcp://192.0.2.80:80",
        "tcp://[2001:db8::1]:80",
        "fwmark:7",
        "10.0.0.1:80",
        "10.0.0.1",
        "a b",
        "a:b",
        "a#b",
        "60s",
        "1h30m",
        "web-1",
        "500ms",
        "${host.eth0}",
        "größe",
        "eth0.100",
        "255.255.255.0",
        "Adding new service tcp://192.0.2.1:80 because it does not yet exist",
    ];
    for text in plain {
        assert_eq!(to_string(text).unwrap(), format!("{text}\n"));
    }
    assert_eq!(
        to_string("a\u{1}\u{1f600}\u{2028}\\\"\r\n\t").unwrap(),
        "\"a\\x01\\U0001f600\\u2028\\\\\\\"\\r\\n\\t\"\n"
    );
}

#[test]
fn numbers_are_numbers_in_every_version() {
    let value: Vec<Value> = vec![json!(0), json!(-7), json!(u64::MAX), json!(1.5), json!(1e100), json!(2.5e-30)];
    assert_eq!(to_string(&value).unwrap(), "- 0\n- -7\n- 18446744073709551615\n- 1.5\n- 1.0e+100\n- 2.5e-30\n");
}

#[test]
fn a_key_that_is_too_long_for_its_colon_is_announced() {
    let key = "k".repeat(1001);
    assert_eq!(to_string(&json!({&*key: 1, "l": 2})).unwrap(), format!("? {key}\n: 1\nl: 2\n"));
}
