use clap::error::ErrorKind;

use super::*;
use crate::failure::{Exit, Failure};

fn invocation(words: &[&str]) -> Invocation {
    read([&["ipvsctl"], words].concat()).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

fn refusal(words: &[&str]) -> ErrorKind {
    read([&["ipvsctl"], words].concat()).map_or_else(|error| error.kind(), |_| panic!("{words:?}"))
}

fn files(words: &[&str]) -> Vec<OsString> {
    match invocation(words).command {
        Command::Validate { files, .. }
        | Command::Changeset { files, .. }
        | Command::Apply(Apply { files, .. })
        | Command::Watch(Watch { files, .. })
        | Command::Plan(Plan { files, .. }) => files.file,
        other => panic!("{other:?}"),
    }
}

#[test]
fn grammar_is_sound() {
    grammar().debug_assert();
}

#[test]
fn every_command_says_what_it_does() {
    let mut seen = std::collections::HashSet::new();
    let mut level = vec![grammar()];
    while let Some(command) = level.pop() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(!about.is_empty() && seen.insert(about.clone()), "{}: {about}", command.get_name());
        level.extend(command.get_subcommands().cloned());
    }
    assert!(seen.contains("Print the table") && seen.contains("The weight of a destination"), "{seen:?}");
}

#[test]
fn every_form_of_a_file_is_the_same() {
    for command in ["validate", "changeset", "apply", "plan", "diff", "watch"] {
        for form in [&["-f", "a.yaml"][..], &["-f=a.yaml"], &["-fa.yaml"], &["--file", "a.yaml"], &["--file=a.yaml"]] {
            assert_eq!(files(&[&[command], form].concat()), ["a.yaml"], "{command} {form:?}");
        }
        for form in [&["-f", "-"][..], &["-f=-"], &["-f-"], &["--file", "-"], &["--file=-"]] {
            assert_eq!(files(&[&[command], form].concat()), ["-"], "{command} {form:?}");
        }
        assert_eq!(files(&[command]), [""; 0]);
        assert_eq!(files(&[command, "-f", "a", "-f=b"]), ["a", "b"]);
        assert_eq!(files(&[command, "-f", ""]), [""], "what it means is said later");
    }
}

#[test]
fn global_options_stand_anywhere_and_add_up() {
    for words in [
        &["-v", "--params-env", "--params-file=a", "--params-file", "b", "--netns", "blue", "validate"][..],
        &["validate", "-v", "--params-env", "--params-file=a", "--params-file", "b", "--netns=blue"],
        &["-v", "--params-file=a", "validate", "--params-env", "--netns=blue", "--params-file=b"],
    ] {
        let global = invocation(words).global;
        assert_eq!((global.verbose, global.params_env, global.params_network), (1, Some(true), None), "{words:?}");
        assert_eq!(global.params_file, [PathBuf::from("a"), PathBuf::from("b")], "{words:?}");
        assert_eq!(global.netns.as_deref(), Some("blue"), "{words:?}");
    }
    assert_eq!(invocation(&["-v", "set", "-v", "weight", "5", "-s", "x", "-d", "y", "-v"]).global.verbose, 3);
    assert_eq!(invocation(&["--netns", "a", "get", "--netns", "b"]).global.netns.as_deref(), Some("b"));
    assert_eq!(invocation(&["--color=always", "--color=never", "get"]).global.color, Some(clap::ColorChoice::Never));
}

#[test]
fn short_options_can_be_bundled() {
    let Invocation { global, command } = invocation(&["validate", "-qvvf", "a.yaml"]);
    assert_eq!((global.quiet, global.verbose), (true, 2));
    let Command::Validate { files, .. } = command else { panic!("{command:?}") };
    assert_eq!(files.file, ["a.yaml"]);
    let Command::Set(Set::Weight { weight, target, time }) =
        invocation(&["set", "weight", "-vt3", "-s=fwmark:7", "-d10.0.0.2", "--", "5"]).command
    else {
        panic!("no weight")
    };
    assert_eq!((&*weight, &*target.service, &*target.destination, time), ("5", "fwmark:7", "10.0.0.2", 3));
}

#[test]
fn option_like_text_is_not_a_weight() {
    let target = ["-s", "tcp://192.0.2.10:80", "-d", "10.0.0.2:80"];
    assert_eq!(refusal(&[&["set", "weight", "-5"][..], &target].concat()), ErrorKind::UnknownArgument);
    let Command::Set(Set::Weight { weight, .. }) =
        invocation(&[&["set", "weight"][..], &target, &["--", "-5"]].concat()).command
    else {
        panic!("no weight")
    };
    assert_eq!(weight, "-5", "what it means is said later");
}

#[test]
fn wrong_command_lines_are_refused() {
    for (words, kind) in [
        (&["frobnicate"][..], ErrorKind::InvalidSubcommand),
        (&["get", "--frobnicate"], ErrorKind::UnknownArgument),
        (&["get", "extra"], ErrorKind::UnknownArgument),
        (&["validate", "-f"], ErrorKind::InvalidValue),
        (&["apply", "--allowed-actions="], ErrorKind::InvalidValue),
        (&["apply", "--on-error=explode"], ErrorKind::InvalidValue),
        (&["apply", "--drain=soon"], ErrorKind::ValueValidation),
        (&["apply", "--drain", "--no-drain"], ErrorKind::ArgumentConflict),
        (&["apply", "plan.json", "-f", "a.yaml"], ErrorKind::ArgumentConflict),
        (&["apply", "plan.json", "--prune=false"], ErrorKind::ArgumentConflict),
        (&["apply", "plan.json", "--allow-empty"], ErrorKind::ArgumentConflict),
        (&["set", "weight", "5", "-s", "x"], ErrorKind::MissingRequiredArgument),
        (&["set", "weight", "-s", "x", "-d", "y"], ErrorKind::MissingRequiredArgument),
        (&["set", "timeouts"], ErrorKind::MissingRequiredArgument),
        (&["drain", "-s", "x"], ErrorKind::MissingRequiredArgument),
        (&["completions", "tcsh"], ErrorKind::InvalidValue),
        (&[], ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
        (&["set"], ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand),
    ] {
        assert_eq!(refusal(words), kind, "{words:?}");
    }
}

#[test]
fn pauses_of_no_length_are_refused() {
    for words in [
        &["watch", "--interval=0"][..],
        &["watch", "--interval", "0ms"],
        &["drain", "-s", "x", "-d", "y", "--poll=0s"],
        &["stats", "--watch=0"],
    ] {
        let error = read([&["ipvsctl"], words].concat()).unwrap_err();
        assert_eq!((error.kind(), error.exit_code()), (ErrorKind::ValueValidation, 2), "{words:?}");
        assert!(error.to_string().contains("expected a time longer than 0, such as 500ms or 10s"), "{error}");
    }
    assert!(matches!(invocation(&["watch", "--interval=1ms"]).command, Command::Watch(_)));
    assert!(matches!(invocation(&["apply", "--lock-timeout=0"]).command, Command::Apply(_)), "not to wait is a wish");
}

#[test]
fn help_and_version_are_answers() {
    for words in [&["-h"][..], &["--help"], &["help"], &["get", "--help"], &["help", "set", "weight"]] {
        let error = read([&["ipvsctl"], words].concat()).unwrap_err();
        assert_eq!((error.kind(), error.use_stderr()), (ErrorKind::DisplayHelp, false), "{words:?}");
    }
    assert_eq!(refusal(&["--version"]), ErrorKind::DisplayVersion);
}

#[test]
fn planning_has_its_defaults() {
    let planning = |words: &[&str]| match invocation(words).command {
        Command::Apply(Apply { planning, .. }) => planning,
        other => panic!("{other:?}"),
    };
    let plain = planning(&["apply"]);
    assert_eq!((plain.keep_weights, plain.prune, plain.no_drain), (false, true, false));
    assert_eq!((plain.drain, &*plain.allowed_actions), (None, "*"));
    assert_eq!(planning(&["apply", "--drain"]).drain, Some(DurationSpec::from_secs(60)));
    assert_eq!(planning(&["apply", "--drain=2m"]).drain, Some(DurationSpec::from_secs(120)));
    assert!(!planning(&["apply", "--prune=false"]).prune);
    assert!(planning(&["apply", "--keep-weights"]).keep_weights);
    assert!(planning(&["apply", "--keep-weights=true"]).keep_weights);
    assert!(!planning(&["apply", "--keep-weights=false"]).keep_weights);
    assert_eq!(planning(&["apply", "--allowed-actions", "as,us"]).allowed_actions, "as,us");
}

#[test]
fn plan_file_is_not_an_option() {
    let Command::Apply(apply) = invocation(&["apply", "plan.json", "--yes", "--allowed-actions=as"]).command else {
        panic!("no apply")
    };
    assert_eq!(apply.saved, Some(PathBuf::from("plan.json")));
}

fn environment(words: &[&str], variables: &[(&str, &str)]) -> Result<Globals, Failure> {
    let mut global = invocation(words).global;
    let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    global.add_environment(find).map(|()| global)
}

#[test]
fn each_switch_has_its_own_variable() {
    let global = environment(&["get"], &[("IPVSCTL_PARAMS_HOST_NETWORK", "true")]).unwrap();
    assert_eq!((global.params_network, global.params_env, global.verbose), (Some(true), Some(false), 0));
    let global = environment(&["get"], &[("IPVSCTL_PARAMS_HOST_ENV", "1")]).unwrap();
    assert_eq!((global.params_network, global.params_env, global.verbose), (Some(false), Some(true), 0));
    let global = environment(&["get"], &[("IPVSCTL_LOG_VERBOSE", "T")]).unwrap();
    assert_eq!((global.params_network, global.params_env, global.verbose), (Some(false), Some(false), 1));
    let off = ["get", "--params-network=false", "--params-env=true"];
    let global = environment(&off, &[("IPVSCTL_PARAMS_HOST_NETWORK", "true")]).unwrap();
    assert_eq!((global.params_network, global.params_env), (Some(false), Some(true)), "an option counts more");
    let global = environment(&["get", "-vv"], &[("IPVSCTL_LOG_VERBOSE", "true")]).unwrap();
    assert_eq!(global.verbose, 2);
    let global = environment(&["get"], &[("IPVSCTL_LOG_VERBOSE", ""), ("IPVSCTL_PARAMS_HOST_ENV", "False")]).unwrap();
    assert_eq!((global.verbose, global.params_env), (0, Some(false)));
}

#[test]
fn invalid_switch_variable_is_a_usage_error() {
    for name in ["IPVSCTL_LOG_VERBOSE", "IPVSCTL_PARAMS_HOST_NETWORK", "IPVSCTL_PARAMS_HOST_ENV"] {
        let failure = environment(&["get"], &[(name, "maybe")]).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(failure.message, format!("{name}=\"maybe\" is neither true nor false"));
    }
}

#[test]
fn options_take_the_place_of_lists_in_the_environment() {
    let variables = [("IPVSCTL_PARAMS_FILE", "a.yaml, b.yaml,"), ("IPVSCTL_PARAMS_URLS", "http://x/1,http://x/2")];
    let global = environment(&["get"], &variables).unwrap();
    assert_eq!(global.params_file, [PathBuf::from("a.yaml"), PathBuf::from("b.yaml")]);
    assert_eq!(global.params_url, ["http://x/1", "http://x/2"]);
    let global = environment(&["get", "--params-file=c", "--params-url=http://x/3"], &variables).unwrap();
    assert_eq!(global.params_file, [PathBuf::from("c")]);
    assert_eq!(global.params_url, ["http://x/3"]);
}
