#![allow(clippy::panic, clippy::unwrap_used, reason = "test code")]

use std::fmt::Write as _;

use proptest::prelude::*;
use serde::Serialize as _;
use serde_json::{Value, json};

use super::super::{Parsed, Problem, parse};
use crate::desired::diagnostic::Position;
use crate::desired::tree::{Node, Number};
use crate::desired::yaml;

/// The same as data.
fn value(node: Node<'_>) -> Value {
    if let Some(items) = node.as_list() {
        return items.map(value).collect();
    }
    if let Some(entries) = node.as_mapping() {
        return Value::Object(entries.map(|entry| (entry.key.text.to_owned(), value(entry.value))).collect());
    }
    let scalar = node.as_scalar().unwrap();
    match (scalar.as_bool(), scalar.as_number()) {
        _ if scalar.is_null() => Value::Null,
        (Some(switch), _) => json!(switch),
        (None, Some(Number::Whole(number))) => {
            i64::try_from(number).map_or_else(|_| json!(u64::try_from(number).unwrap()), Value::from)
        }
        (None, Some(Number::Fraction(number))) => json!(number),
        (None, None) => json!(scalar.text),
    }
}

fn one(text: &str) -> Value {
    let parsed = parse(text);
    assert_eq!(parsed.problems, [], "{text}");
    assert!(parsed.tree.documents().len() <= 1, "{text}");
    parsed.tree.documents().next().map_or(Value::Null, value)
}

/// The position of the value of a path such as `services[2].address`.
fn place(parsed: &Parsed, path: &str) -> (u32, u32) {
    let mut node = parsed.tree.documents().next().unwrap();
    for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
        node = match step.strip_suffix(']') {
            Some(place) => node.as_list().unwrap().nth(place.parse().unwrap()).unwrap(),
            None => node.as_mapping().unwrap().find(|entry| entry.key.text == step).unwrap().value,
        };
    }
    let Position { line, column } = node.position();
    (line, column)
}

fn problems(text: &str) -> Vec<(u32, u32, String)> {
    let Parsed { problems, .. } = parse(text);
    problems.into_iter().map(|Problem { position, message }| (position.line, position.column, message)).collect()
}

fn any_value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![any::<i64>().prop_map(Value::from), any::<u64>().prop_map(Value::from)];
    let text = prop_oneof![
        any::<String>(),
        "[ -~]{0,12}",
        "[0-9a-fxob_.:eE+-]{1,10}",
        "(true|no|On|y|null|~|<<|=|-|\\?|:|#|&a|\\*a|!!str|\\||>|%|@|`|---|\\.\\.\\.)( .*)?",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    ];
    let leaf =
        prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), number, text.clone().prop_map(Value::from)];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn printed_text_reads_back(value in any_value()) {
        let text = yaml::to_string(&value).unwrap();
        prop_assert_eq!(one(&text), value, "{}", text);
    }

    #[test]
    fn json_is_read(value in any_value()) {
        let mut text = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter)).unwrap();
        let text = String::from_utf8(text).unwrap();
        // Characters that a text should not have are read as escapes only.
        prop_assume!(!text.contains(|c: char| c.is_control() && c > '~' && c != '\u{85}' || matches!(c, '\u{fffe}' | '\u{ffff}')));
        prop_assert_eq!(one(&text), value, "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[ -~\n\t]{0,200}") {
        let parsed = parse(&text);
        prop_assert!(parsed.tree.documents().len() == 0 || parsed.tree.documents().all(|one| one.position().line > 0));
    }
}

#[test]
fn a_character_of_two_escapes_is_one() {
    assert_eq!(one("{\"a\": \"x\\ud83d\\ude00y\", \"b\": \"\\\\ud83d\"}"), json!({"a": "x\u{1f600}y", "b": "\\ud83d"}));
    let parsed = parse("{\"a\": \"\\ud83d\\ude00\", \"b\": 1}");
    assert_eq!(place(&parsed, "b"), (1, 28));
    assert_eq!(problems("{\"a\": \"\\ud83d\"}").len(), 1);
    assert_eq!(problems("{\"a\": \"\\ude00\\ud83d\"}").len(), 1);
}

#[test]
fn tabs_between_the_pieces_of_json_are_blanks() {
    assert_eq!(one("{\n\t\"a\":\t[\n\t\t1,\n\t\t{\"b\": null}\n\t]\n}\n"), json!({"a": [1, {"b": null}]}));
}

#[test]
fn lines_end_as_they_like() {
    assert_eq!(one("a: 1\r\nb:\r\n- x\r\n"), json!({"a": 1, "b": ["x"]}));
    assert_eq!(one("\u{feff}a: 1\n"), json!({"a": 1}));
}

#[test]
fn a_bomb_of_aliases_is_one_error() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        let before = level - 1;
        writeln!(text, "a{level}: &a{level} [{}]", vec![format!("*a{before}"); 10].join(", ")).unwrap();
    }
    let found = problems(&text);
    assert_eq!(found.len(), 1);
    assert_eq!(found.first().unwrap().2, "the aliases of the file stand for more than 1000000 values");
}

#[test]
fn a_bomb_of_merged_mappings_is_one_error() {
    let mut text = "a: &a {".to_owned();
    (0..2000).for_each(|key| write!(text, "k{key}: 1, ").unwrap());
    text.push_str("}\nl:\n");
    text.push_str(&"- {<<: *a}\n".repeat(2000));
    let found = problems(&text);
    assert_eq!(found.len(), 1);
    assert_eq!(found.first().unwrap().2, "the aliases of the file stand for more than 1000000 values");
}

#[test]
fn deep_nesting_is_one_error() {
    let message = "lists and mappings stand more than 64 deep in each other";
    for text in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(1000)] {
        let found = problems(&text);
        assert_eq!(found.len(), 1);
        assert_eq!(found.first().unwrap().2, message);
    }
    assert_eq!(problems(&format!("{}{}", "[".repeat(64), "]".repeat(64))), []);
    // An alias counts with what it stands for.
    let half = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let found = problems(&format!("a: &a {half}\nb: {}*a{}\n", "[".repeat(40), "]".repeat(40)));
    assert_eq!(found.first().unwrap().2, message);
}

#[test]
fn an_alias_of_itself_is_refused() {
    assert_eq!(
        problems("a: &a [*a]"),
        [(1, 8, "the alias stands in what it stands for, or in another document".to_owned())]
    );
    assert_eq!(problems("&a x\n---\n*a\n").first().unwrap().0, 3);
}

#[test]
fn a_key_stands_once() {
    assert_eq!(
        problems("a: 1\nb:\n  c: 2\n  d: 3\n  c: 4\na: 5\n"),
        [
            (5, 3, "the key \"c\" stands in line 3 already".to_owned()),
            (6, 1, "the key \"a\" stands in line 1 already".to_owned())
        ]
    );
    assert_eq!(problems("{a: 1, \"a\": 2}"), [(1, 8, "the key \"a\" stands in line 1 already".to_owned())]);
    assert_eq!(problems("[a]: 1\nb: 2\n"), [(1, 1, "a list cannot be a key".to_owned())]);
}

#[test]
fn merged_mappings_give_what_is_not_there() {
    let text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  y: 5\n  <<: [*a, *b]\nd:\n  <<: *a\n";
    let json =
        json!({"a": {"x": 1, "y": 2}, "b": {"y": 3, "z": 4}, "c": {"y": 5, "x": 1, "z": 4}, "d": {"x": 1, "y": 2}});
    assert_eq!(one(text), json);
    assert_eq!(
        problems("a:\n  <<: 5\n"),
        [(2, 7, "<< takes a mapping, or a list of them; this is a single value".to_owned())]
    );
    assert_eq!(one("\"<<\": 5"), json!({"<<": 5}));
}

#[test]
fn words_and_numbers_mean_what_they_mean_in_both_versions() {
    let table = [
        ("", json!(null)),
        ("~", json!(null)),
        ("Null", json!(null)),
        ("True", json!(true)),
        ("FALSE", json!(false)),
        ("yes", json!("yes")),
        ("on", json!("on")),
        ("y", json!("y")),
        ("7", json!(7)),
        ("-7", json!(-7)),
        ("+7", json!(7)),
        ("0777", json!(511)),
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        ("0b11", json!(3)),
        ("1_000", json!(1000)),
        ("089", json!(89)),
        ("1.5", json!(1.5)),
        ("1.5e3", json!(1500)),
        ("2.0", json!(2)),
        ("0x", json!("0x")),
        ("_1", json!("_1")),
        ("inf", json!("inf")),
        ("NaN", json!("NaN")),
        (".inf", json!(".inf")),
        ("12:30", json!("12:30")),
        ("'5'", json!("5")),
        ("\"~\"", json!("~")),
        ("!!str 5", json!("5")),
        ("!!int '5'", json!(5)),
        ("2001-12-14", json!("2001-12-14")),
        ("|-\n 5", json!("5")),
        ("10.0.0.1", json!("10.0.0.1")),
        ("-", json!([null])),
        ("1e", json!("1e")),
    ];
    for (text, value) in table {
        assert_eq!(one(&format!("k: {text}\n").replace("k: -\n", "k:\n-\n")), json!({"k": value}), "{text}");
    }
}

#[test]
fn places_are_exact() {
    let text = "# first\nservices:\n- address: tcp://192.0.2.1:80\n  sched:\n  destinations:\n  - {address: \"ä\", weight: 5}\n  -   weight: 7\n";
    let parsed = parse(text);
    let table = [
        ("", 2, 1),
        ("services", 3, 3),
        ("services[0]", 3, 3),
        ("services[0].address", 3, 12),
        ("services[0].destinations[0].weight", 6, 28),
        ("services[0].destinations[1].weight", 7, 15),
    ];
    for (path, line, column) in table {
        assert_eq!(place(&parsed, path), (line, column), "{path}");
    }
}

#[test]
fn several_documents_are_several() {
    assert_eq!(parse("a: 1\n---\nb: 2\n...\n---\n").tree.documents().len(), 3);
    assert_eq!(parse("").tree.documents().len(), 0);
    assert_eq!(parse("# nothing\n").tree.documents().len(), 0);
}

#[test]
fn invalid_yaml_has_a_position() {
    assert_eq!(problems("a: tcp://10.0.0.1:\n").len(), 1);
    assert_eq!(problems("a: [1\nb: 2\n"), [(2, 2, "not valid YAML: illegal placement of ':' indicator".to_owned())]);
    assert_eq!(
        problems("a: b\nc: d\u{0}e\n"),
        [(2, 5, "not valid YAML: the character \\u{0} cannot stand in it".to_owned())]
    );
    assert_eq!(
        problems("{\"a\": \"\u{7f}\"}"),
        [(1, 8, "not valid YAML: the character \\u{7f} cannot stand in it".to_owned())]
    );
}
