//! The files in the documentation say what they are meant to say.

use ipvs_rs::desired::files::{Reader, Source};
use ipvs_rs::desired::params::MapResolver;

const PAGES: [(&str, &str); 3] = [
    ("docs/guide.md", include_str!("../../docs/guide.md")),
    ("docs/keys.md", include_str!("../../docs/keys.md")),
    ("docs/coming.md", include_str!("../../docs/coming.md")),
];

/// The YAML of a page, each with the line that it begins in.
fn files(page: &str) -> Vec<(usize, String)> {
    let mut files = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line) {
            (None, "```yaml") => open = Some((number + 2, String::new())),
            (Some(_), "```") => files.extend(open.take()),
            (Some((_, text)), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    files
}

#[test]
fn every_file_in_the_documentation_is_right() {
    let known = MapResolver::new("example", [("host.eth0", "192.0.2.10"), ("env.APP_PORT", "8080")]);
    let mut count = 0;
    for (page, text) in PAGES {
        for (line, file) in files(text) {
            let name = format!("{page}, line {line}");
            let read = Reader::new().resolver(&known).read(&[Source::new(name, file)]);
            assert!(read.is_ok(), "{}", read.unwrap_err());
            count += 1;
        }
    }
    assert!(count >= 8, "{count} files");
}
