use clap::ValueEnum;

use super::*;

/// The names of all commands and the long names of all options.
fn words(command: &clap::Command, found: &mut Vec<String>) {
    found.extend(command.get_arguments().filter_map(|argument| argument.get_long()).map(str::to_owned));
    for command in command.get_subcommands() {
        found.push(command.get_name().to_owned());
        words(command, found);
    }
}

#[test]
fn every_command_and_option_is_in_what_is_generated() {
    let mut found = Vec::new();
    words(&args::grammar(), &mut found);
    assert!(found.len() > 100, "{found:?}");
    let scripts = Shell::value_variants().iter().map(|shell| completions(*shell));
    for text in scripts.chain([man().replace("\\-", "-")]) {
        for word in &found {
            assert!(text.contains(word), "{word} is missing in:\n{text}");
        }
    }
}

#[test]
fn signals_empty_input_and_watched_files_are_in_the_man_page() {
    let page = man().replace("\\-", "-");
    for text in ["SIGINT, SIGTERM and SIGHUP end apply", "--allow-empty is given", "has stood still for two looks"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn every_exit_status_is_in_the_man_page() {
    let page = man();
    assert_eq!(Exit::all().count(), 18);
    for (exit, meaning) in Exit::all() {
        let row = format!(".TP\n{exit}\n{}", meaning.split(':').next().unwrap().replace('-', "\\-"));
        assert!(page.contains(&row), "{row}");
    }
}
