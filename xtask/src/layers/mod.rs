//! `cargo xtask layers`: the floors of the library know only those below, and no files import in a circle.

mod circles;
mod paths;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use self::circles::File;
use self::paths::Path;
use crate::workspace::Workspace;

/// The modules of the library with their floors. What stands on a floor may use what stands lower.
const FLOORS: [(&str, u8); 13] = [
    ("model", 0),
    ("codec", 1),
    ("engine", 2),
    ("transport", 3),
    ("procfs", 3),
    ("error", 4),
    ("handle", 4),
    ("testing", 5),
    ("desired", 5),
    ("health", 6),
    ("agent", 7),
    ("cluster", 8),
    ("fuzzing", 9),
];

/// The uses that are allowed beside a floor: the files of the kernel are those of a network namespace.
const BESIDE: [(&str, &str); 1] = [("procfs", "transport")];

/// The re-exports of the crate root, by the module that they come from.
const REEXPORTS: [(&str, &str); 12] = [
    ("AsyncHandle", "handle"),
    ("Handle", "handle"),
    ("Error", "error"),
    ("Destination", "model"),
    ("DestinationEntry", "model"),
    ("DestinationId", "model"),
    ("ForwardMethod", "model"),
    ("Scheduler", "model"),
    ("Service", "model"),
    ("ServiceEntry", "model"),
    ("ServiceId", "model"),
    ("Table", "model"),
];

/// Features of the upper floors, which the lower ones must not know.
const UPPER_FEATURES: [&str; 6] = ["testing", "desired", "yaml", "health", "agent", "cluster"];
/// The highest floor that must not know them.
const CLIENT: u8 = 4;

/// A file with more code than this needs a reason.
const CODE_LINES: usize = 600;
/// No file is longer than this.
const ALL_LINES: usize = 1000;

pub fn main() -> ExitCode {
    match Workspace::locate().and_then(|workspace| check(&workspace)) {
        Ok(report) => {
            print!("{}", report.text());
            ExitCode::from(u8::from(!report.violations.is_empty()))
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The findings.
#[derive(Default)]
pub struct Report {
    pub violations: Vec<String>,
    remarks: Vec<String>,
    files: usize,
}

impl Report {
    pub fn text(&self) -> String {
        let mut text = String::new();
        for line in self.violations.iter().chain(&self.remarks) {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(&format!("layers: {} files, {} violations\n", self.files, self.violations.len()));
        text
    }
}

/// Reads every source file of the library.
pub fn check(workspace: &Workspace) -> Result<Report> {
    let source = workspace.root.join("src");
    let mut files = Vec::new();
    collect(&source, &mut files)?;
    files.sort();
    let mut report = Report::default();
    let mut read = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let name = path.strip_prefix(&workspace.root).unwrap_or(&path).display().to_string();
        let inner = path.strip_prefix(&source).unwrap_or(&path);
        let place: Vec<_> = inner.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        check_file(&name, place.first().map_or("", |first| first.trim_end_matches(".rs")), &text, &mut report);
        read.push(File { name, place, text });
    }
    report.violations.extend(circles::circles(&read));
    Ok(report)
}

fn collect(folder: &std::path::Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn check_file(name: &str, module: &str, text: &str, report: &mut Report) {
    report.files += 1;
    let lines = text.lines().count();
    if lines > ALL_LINES {
        report.violations.push(format!("{name}: {lines} lines, of which {ALL_LINES} are allowed"));
    }
    let code = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count();
    if code > CODE_LINES {
        report.remarks.push(format!("{name}: {code} lines of code; more than {CODE_LINES} need a reason"));
    }
    if module == "lib" {
        return;
    }
    let Some(floor) = floor_of(module) else {
        report.violations.push(format!("{name}: the module {module} has no floor"));
        return;
    };
    for (line, used) in uses(text) {
        match floor_of(&used) {
            _ if used == module => {}
            Some(other) if other < floor || (other == floor && other == CLIENT) => {}
            _ if BESIDE.contains(&(module, used.as_str())) => {}
            Some(other) => {
                report.violations.push(format!("{name}:{line}: {module} (floor {floor}) uses {used} (floor {other})"));
            }
            None => report.violations.push(format!("{name}:{line}: {used} has no floor")),
        }
    }
    if floor > CLIENT {
        return;
    }
    for (line, content) in paths::code_lines(text) {
        for feature in UPPER_FEATURES {
            if content.contains(&format!("feature = \"{feature}\"")) {
                report.violations.push(format!("{name}:{line}: {module} (floor {floor}) knows the feature {feature}"));
            }
        }
    }
}

fn floor_of(module: &str) -> Option<u8> {
    let module = REEXPORTS.iter().find(|(item, _)| *item == module).map_or(module, |(_, from)| from);
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// The top-level names behind `crate::`, with the lines that they stand on.
fn uses(text: &str) -> BTreeSet<(usize, String)> {
    let named = |path: Path| match &path.segments[..] {
        [first, name, ..] if first == "crate" => Some((path.line, name.clone())),
        _ => None,
    };
    paths::paths(text).into_iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(module: &str, text: &str) -> Vec<String> {
        let mut report = Report::default();
        check_file("f.rs", module, text, &mut report);
        report.violations
    }

    #[test]
    fn lower_floors_may_be_used() {
        assert_eq!(violations("engine", "use crate::codec::Frames;\nuse crate::{model::Service, codec};\n"), [""; 0]);
        assert_eq!(violations("handle", "use crate::error::Error;\nlet x = crate::Service::new();\n"), [""; 0]);
    }

    #[test]
    fn a_higher_floor_is_a_violation_with_its_line() {
        assert_eq!(
            violations("codec", "use std::fmt;\nuse crate::handle::Handle;\n"),
            ["f.rs:2: codec (floor 1) uses handle (floor 4)"]
        );
        assert_eq!(violations("model", "fn f(_: crate::Error) {}\n"), ["f.rs:1: model (floor 0) uses Error (floor 4)"]);
    }

    #[test]
    fn use_of_a_sibling_floor_is_a_violation_except_for_namespaces() {
        assert_eq!(violations("procfs", "use crate::transport::Netns;\n"), [""; 0]);
        assert_eq!(
            violations("transport", "use crate::procfs::Procfs;\n"),
            ["f.rs:1: transport (floor 3) uses procfs (floor 3)"]
        );
    }

    #[test]
    fn groups_over_several_lines_are_read() {
        let text = "use crate::{\n    model::{Service, Table},\n    transport::Netns,\n};\n";
        assert_eq!(violations("engine", text), ["f.rs:3: engine (floor 2) uses transport (floor 3)"]);
    }

    #[test]
    fn comments_and_own_module_do_not_count() {
        assert_eq!(violations("model", "//! [`Handle`](crate::Handle)\nuse crate::model::Service;\n"), [""; 0]);
    }

    #[test]
    fn modules_without_a_floor_are_a_violation() {
        assert_eq!(violations("util", ""), ["f.rs: the module util has no floor"]);
        assert_eq!(violations("engine", "use crate::util::x;\n"), ["f.rs:1: util has no floor"]);
    }

    #[test]
    fn features_of_upper_floors_stay_above() {
        assert_eq!(
            violations("transport", "#[cfg(feature = \"agent\")]\nfn f() {}\n"),
            ["f.rs:1: transport (floor 3) knows the feature agent"]
        );
        assert_eq!(violations("agent", "#[cfg(feature = \"agent\")]\nfn f() {}\n"), [""; 0]);
    }

    #[test]
    fn files_that_are_too_long_are_a_violation() {
        assert_eq!(violations("model", &"\n".repeat(1001)), ["f.rs: 1001 lines, of which 1000 are allowed"]);
    }
}
