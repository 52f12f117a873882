//! The front page of the crate names everything that there is.

use std::fs;

fn text(file: &str) -> String {
    fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The lines between a line and the next one that is empty.
fn section<'t>(text: &'t str, title: &str) -> impl Iterator<Item = &'t str> {
    text.lines().skip_while(move |line| *line != title).skip(1).take_while(|line| !line.is_empty())
}

#[test]
fn front_page_and_readme_name_every_feature() {
    let (manifest, page, readme) = (text("Cargo.toml"), text("src/lib.rs"), text("README.md"));
    let lines = section(&manifest, "[features]").filter(|line| !line.starts_with('#'));
    let features: Vec<&str> = lines.filter_map(|line| Some(line.split_once(" = ")?.0)).collect();
    assert!(features.contains(&"desired") && features.len() > 5, "{features:?}");
    for feature in features.into_iter().filter(|feature| *feature != "default") {
        assert!(page.contains(&format!("//! | `{feature}` | ")), "{feature}");
        assert!(readme.contains(&format!("| `{feature}` | no | ")), "{feature}");
    }
}

#[test]
fn tables_of_pages_are_in_one_piece() {
    for file in ["README.md", "DESIGN.md", "docs/guide.md", "docs/keys.md", "docs/coming.md"] {
        let text = text(file);
        let lines: Vec<&str> = text.lines().collect();
        for (number, three) in lines.windows(3).enumerate() {
            let begins = three[0].is_empty() && three[1].starts_with('|');
            assert!(!begins || three[2].starts_with("|-") || three[2].starts_with("|:"), "{file}:{}", number + 2);
        }
    }
}

#[test]
fn front_page_names_every_floor() {
    let page = text("src/lib.rs");
    let modules = page.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let modules: Vec<&str> = modules.collect();
    assert!(modules.contains(&"codec") && modules.len() > 6, "{modules:?}");
    for module in modules.into_iter().filter(|module| !["_documentation", "fuzzing"].contains(module)) {
        let is_named = [format!("[`{module}`]"), format!("| `{module}` |")].iter().any(|name| page.contains(name));
        assert!(is_named, "{module}");
    }
}
