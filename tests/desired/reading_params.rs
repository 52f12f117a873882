//! Parameters: where values come from, and how they get into text.

use std::net::IpAddr;

use ipvs_rs::desired::params::{MapResolver, ParamsError, Resolver, ResolverChain, Syntax, substitute};

fn values() -> MapResolver {
    let values = [("a.b", "1"), ("a", "x"), ("stage", "test"), ("net.test", "192.0.2.7"), ("a{b}", "braces")];
    MapResolver::new("values", values.into_iter().chain([("nested", "${a}"), (" a ", "blanks"), ("empty", "")]))
}

fn replaced(text: &str, syntax: Syntax) -> Result<String, String> {
    substitute(text, &values(), syntax).map_err(|error| error.to_string())
}

#[test]
fn every_form_of_version_1_is_replaced() {
    let table = [
        ("", ""),
        ("plain", "plain"),
        ("${a.b}", "1"),
        ("tcp://${net.${stage}}:${a.b}", "tcp://192.0.2.7:1"),
        ("$a {a} $ } }", "$a {a} $ } }"),
        ("$${a}", "$x"),
        ("${ a }", "blanks"),
        ("${a{b}}", "braces"),
        ("${nested}", "${a}"),
        ("${empty}", ""),
        ("ä${a}ö", "äxö"),
    ];
    for (text, expected) in table {
        assert_eq!(replaced(text, Syntax::Version1), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn invalid_parameter_has_a_reason() {
    let unknown = |key: &str| format!("unable to look up parameter (for key={key}); searched: values");
    let table = [
        ("${a:-x}", unknown("a:-x")),
        ("${quite.different}", unknown("quite.different")),
        ("x${}", "empty params not allowed at pos 1 ()".to_owned()),
        ("${a", "invalid bracket balance at pos 0 (${a)".to_owned()),
        ("ä ${a.${b}", "invalid bracket balance at pos 2 (${a.${b})".to_owned()),
        ("${x.${}}", "empty params not allowed at pos 4 ()".to_owned()),
        ("${stag}", format!("{}; did you mean stage?", unknown("stag"))),
        ("${net.${stagf}}", format!("{}; did you mean stage?", unknown("stagf"))),
    ];
    for (text, expected) in table {
        assert_eq!(replaced(text, Syntax::Version1), Err(expected), "{text}");
    }
    let error = substitute("${a}", &ResolverChain::new(), Syntax::Version1).unwrap_err();
    assert!(error.is_unresolved());
    assert_eq!(error.to_string(), "unable to look up parameter (for key=a); no source of parameters is switched on");
}

#[test]
fn version_2_has_defaults_and_an_escape() {
    let table = [
        ("${a:-x}", "x"),
        ("${none:-text}", "text"),
        ("${none:-}", ""),
        ("${empty:-text}", ""),
        ("${none:-${stage}}", "test"),
        ("${none.${stage}:-${also.none:-a:-b}}", "a:-b"),
        ("$${a}", "${a}"),
        ("$${a", "${a"),
        ("$$${a}", "$${a}"),
        ("$ $$ ${a}", "$ $$ x"),
    ];
    for (text, expected) in table {
        assert_eq!(replaced(text, Syntax::Version2), Ok(expected.to_owned()), "{text}");
    }
    assert_eq!(replaced("${none:-${}}", Syntax::Version2), Err("empty params not allowed at pos 8 ()".to_owned()));
}

#[test]
fn keys_in_keys_have_an_end() {
    let deep = format!("{}a{}", "${".repeat(1000), "}".repeat(1000));
    assert_eq!(replaced(&deep, Syntax::Version1), Err("parameters stand more than 32 deep in each other".to_owned()));
    let open = "${".repeat(1_000_000);
    assert!(replaced(&open, Syntax::Version1).unwrap_err().starts_with("invalid bracket balance at pos 0 ("));
}

#[test]
fn documents_are_flattened() {
    let yaml = "\
a: {b: x}
l: [p, q]
o: [{k: v}]
ll: [[1], [2], [3], [4]]
yes: false
t: true
'no': 1
n1: 123456789
n2: 1.5e3
n3: 0777
n4: 0.25
n5: 12345678901234567890123
date: 2024-05-01
nothing: ~
quoted: \"0777\"
";
    let yaml = yaml.replace("yes: false\n", "f: false\n");
    let values = MapResolver::from_document("net.yaml", &yaml).unwrap();
    let table = [
        ("a.b", Some("x")),
        ("l.1", Some("q")),
        ("l", None),
        ("a", None),
        ("o.0.k", Some("v")),
        ("o.0", None),
        ("ll.3.0", Some("4")),
        ("f", Some("false")),
        ("t", Some("true")),
        ("no", Some("1")),
        ("n1", Some("123456789")),
        ("n2", Some("1500")),
        ("n3", Some("511")),
        ("n4", Some("0.25")),
        ("n5", Some("12345678901234567890123")),
        ("date", Some("2024-05-01")),
        ("nothing", None),
        ("quoted", Some("0777")),
    ];
    for (key, expected) in table {
        assert_eq!(values.resolve(key).as_deref(), expected, "{key}");
    }
    let json =
        MapResolver::from_document("net.json", "{\"a\": {\"b\": [1000000, 123456789]}, \"5\": \"five\"}").unwrap();
    assert_eq!(json.resolve("a.b.0").as_deref(), Some("1000000"));
    assert_eq!(json.resolve("5").as_deref(), Some("five"));
    assert_eq!(json.describe(), "parameters of net.json");
}

#[test]
fn other_value_than_a_mapping_is_not_a_document() {
    for text in ["", "# nothing", "~", "[1, 2]", "/* a comment */", "text", "a: [", "{\"a\": 1", "a: 1\n---\nb: 2\n"] {
        let error = MapResolver::from_document("p.yaml", text).unwrap_err();
        assert!(matches!(error, ParamsError::NoDocument { .. }), "{text}: {error}");
        assert!(error.to_string().starts_with("p.yaml must be JSON or YAML: "), "{text}: {error}");
    }
}

#[test]
fn keys_of_documents_are_text() {
    for key in ["5", "y", "No", "on", "true", "~", "1.5", "0x1f"] {
        let error = MapResolver::from_document("p.yaml", &format!("a:\n  {key}: 1\n")).unwrap_err();
        assert!(matches!(error, ParamsError::KeyIsNoText { .. }), "{key}: {error}");
        let expected =
            format!("unable to resolve params from yaml: Keys need to be strings ({key} in line 2 of p.yaml)");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn the_first_source_that_has_a_key_is_taken() {
    let first = MapResolver::from_document("1", "{a: 1, b: 2}").unwrap();
    let second = MapResolver::from_document("2", "{b: 3, c: 4}").unwrap();
    let chain = ResolverChain::new().with(first).with(second);
    let found: Vec<_> = ["a", "b", "c", "d"].iter().map(|key| chain.resolve(key)).collect();
    assert_eq!(found, [Some("1".to_owned()), Some("2".to_owned()), Some("4".to_owned()), None]);
    assert_eq!(chain.describe(), "parameters of 1, parameters of 2");
}

#[test]
fn variables_keep_their_equal_signs() {
    let variables = [("A", "x=y"), ("EMPTY", ""), ("B", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let environment = MapResolver::of_variables(variables);
    assert_eq!(environment.resolve("env.A").as_deref(), Some("x=y"));
    assert_eq!(environment.resolve("env.EMPTY").as_deref(), Some(""));
    assert_eq!(environment.resolve("A"), None);
    assert_eq!(environment.keys(), ["env.A", "env.B", "env.EMPTY"]);
    assert!(!format!("{environment:?}").contains("x=y"), "values of variables are not shown");
    assert!(MapResolver::environment().resolve("env.PATH").is_some());
}

#[test]
fn addresses_of_an_interface_are_counted() {
    let pairs =
        [("lo", "127.0.0.1"), ("eth0", "192.0.2.1"), ("lo", "::1"), ("eth0", "192.0.2.2"), ("tun0", "2001:db8::1")];
    let pairs = pairs.map(|(name, address)| (name.to_owned(), address.parse::<IpAddr>().unwrap()));
    let host = MapResolver::of_addresses(pairs);
    let table = [
        ("host.lo", Some("127.0.0.1")),
        ("host.lo_0", Some("127.0.0.1")),
        ("host.lo_1", Some("::1")),
        ("host.lo_2", None),
        ("host.eth0_1", Some("192.0.2.2")),
        ("host.tun0", Some("2001:db8::1")),
        ("net.lo", None),
    ];
    for (key, expected) in table {
        assert_eq!(host.resolve(key).as_deref(), expected, "{key}");
    }
    assert!(MapResolver::host().is_ok());
}

#[test]
fn an_error_of_a_source_says_which_one() {
    let error = MapResolver::from_document("p.yaml", "a: [").unwrap_err();
    assert!(matches!(&error, ParamsError::NoDocument { name, .. } if name == "p.yaml"), "{error:?}");
}
