//! Files and folders that import each other in a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::paths::{Path, paths};

/// A source file: its name in messages, its place below `src`, and its text.
pub struct File {
    pub name: String,
    pub place: Vec<String>,
    pub text: String,
}

/// The uses of each module, with the first place of each.
type Edges<'f> = BTreeMap<(&'f str, &'f str), String>;

/// The circles among the files and folders directly in each folder: for each knot of them the shortest one.
///
/// Files of different folders are compared where these meet, so that no circle of files is missed.
pub fn circles(files: &[File]) -> Vec<String> {
    let folders: BTreeSet<&[String]> =
        files.iter().flat_map(|file| (1..file.place.len()).filter_map(|length| file.place.get(..length))).collect();
    folders.into_iter().flat_map(|folder| circles_in(files, folder)).collect()
}

fn circles_in(files: &[File], folder: &[String]) -> Vec<String> {
    let files: Vec<_> = files.iter().filter(|file| file.place.starts_with(folder)).collect();
    let units: BTreeSet<&str> = files.iter().filter_map(|file| unit_of(file, folder)).collect();
    let edges = edges(&files, &units, folder);
    let mut found = Vec::new();
    let mut left = units.clone();
    while let Some(unit) = left.pop_first() {
        let knot: BTreeSet<&str> = units
            .iter()
            .copied()
            .filter(|other| {
                *other == unit || (way(&edges, unit, other).is_some() && way(&edges, other, unit).is_some())
            })
            .collect();
        left.retain(|other| !knot.contains(other));
        let circles = knot.iter().filter_map(|unit| way(&edges, unit, unit));
        let Some(circle) = circles.min_by_key(Vec::len) else { continue };
        let uses = circle.windows(2).filter_map(|pair| {
            let (from, to) = (pair.first()?, pair.last()?);
            Some(format!("{from} uses {to} ({})", edges.get(&(*from, *to))?))
        });
        let uses = uses.collect::<Vec<_>>().join(", ");
        let knot = knot.into_iter().collect::<Vec<_>>().join(", ");
        found.push(format!("src/{}: a circle: {uses}; all that import each other: {knot}", folder.join("/")));
    }
    found
}

/// The file or folder directly in a folder that a file belongs to; the folder's own `mod.rs` belongs to none, and tests
/// are not asked.
fn unit_of<'f>(file: &'f File, folder: &[String]) -> Option<&'f str> {
    let unit = file.place.get(folder.len()).map(|name| name.trim_end_matches(".rs"));
    let is_test = file.place.iter().any(|part| matches!(part.as_str(), "tests" | "tests.rs"));
    unit.filter(|unit| *unit != "mod" && !is_test)
}

fn edges<'f>(files: &[&'f File], units: &BTreeSet<&'f str>, folder: &[String]) -> Edges<'f> {
    let handed_on = handed_on(files, units, folder);
    let mut edges = Edges::new();
    for file in files {
        let Some(from) = unit_of(file, folder) else { continue };
        let mut here: Vec<&str> = file.place.iter().map(|part| part.trim_end_matches(".rs")).collect();
        here.retain(|part| *part != "mod");
        for path in paths(without_tests(&file.text)) {
            let Some(path_from_root) = absolute(&here, &path) else { continue };
            let Some((above, [name, ..])) = path_from_root.split_at_checked(folder.len()) else { continue };
            let to = units.get(*name).copied().or_else(|| handed_on.get(*name).copied());
            if let Some(to) = to.filter(|to| above == folder && *to != from) {
                edges.entry((from, to)).or_insert_with(|| format!("{}:{}", file.name, path.line));
            }
        }
    }
    edges
}

/// The names that a folder hands on, with the file or folder in it that each comes from.
fn handed_on<'f>(files: &[&'f File], units: &BTreeSet<&'f str>, folder: &[String]) -> BTreeMap<String, &'f str> {
    let is_root = |file: &&&File| matches!(file.place.strip_prefix(folder), Some([name]) if name == "mod.rs");
    let named = |path: &Path| {
        let unit = path.segments.iter().find(|segment| *segment != "self")?;
        Some((path.name()?.to_owned(), *units.get(unit.as_str())?))
    };
    files.iter().find(is_root).into_iter().flat_map(|file| paths(&file.text)).filter_map(|path| named(&path)).collect()
}

/// A path from the root of the crate on; nothing if it is of another crate.
fn absolute<'p>(here: &[&'p str], path: &'p Path) -> Option<Vec<&'p str>> {
    let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
    let (first, rest) = segments.split_first()?;
    match *first {
        "crate" => Some(rest.to_vec()),
        "self" => Some([here, rest].concat()),
        "super" => {
            let above = segments.iter().take_while(|segment| **segment == "super").count();
            Some([&here[..here.len().checked_sub(above)?], &segments[above..]].concat())
        }
        _ => None,
    }
}

/// A file up to its tests, which may use what they like.
fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

/// The shortest way from one to the other, both included.
fn way<'f>(edges: &Edges<'f>, from: &'f str, to: &str) -> Option<Vec<&'f str>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([from]);
    while let Some(unit) = queue.pop_front() {
        for (_, next) in edges.keys().filter(|(user, _)| *user == unit) {
            if *next == to {
                let mut way = vec![*next, unit];
                while let Some(unit) = way.last().filter(|unit| **unit != from).and_then(|unit| before.get(unit)) {
                    way.push(unit);
                }
                way.reverse();
                return Some(way);
            }
            if *next != from && !before.contains_key(next) {
                before.insert(next, unit);
                queue.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let file = |(place, text): &(&str, &str)| File {
            name: format!("src/{place}"),
            place: place.split('/').map(str::to_owned).collect(),
            text: (*text).to_owned(),
        };
        circles(&files.iter().map(file).collect::<Vec<_>>())
    }

    #[test]
    fn folders_in_a_row_are_not_a_circle() {
        let files = [
            ("m/mod.rs", "mod a;\nmod b;\nmod c;\npub use a::A;\n"),
            ("m/a.rs", "use super::a::A;\nuse crate::m::A as B;\nuse crate::m::b;\n"),
            ("m/b/mod.rs", "mod x;\nuse super::c::{D, E};\nuse self::x::X;\nuse crate::other::a;\n"),
            ("m/b/x.rs", "use super::super::c;\nuse super::B;\n"),
            ("m/c.rs", "use std::fmt;\n"),
            ("n/a.rs", "use crate::m::c;\n"),
        ];
        assert_eq!(found(&files), [""; 0]);
    }

    #[test]
    fn circles_are_found_at_every_depth() {
        let files = [
            ("m/a/x.rs", "use super::y::Y;\n"),
            ("m/a/y.rs", "use crate::m::a::x;\n"),
            ("m/b/c/x.rs", "use super::super::Y;\n"),
            ("m/b/mod.rs", "mod c;\nmod y;\npub use y::Y;\n"),
            ("m/b/y.rs", "use super::c::x::X;\n"),
        ];
        assert_eq!(
            found(&files),
            [
                "src/m/a: a circle: x uses y (src/m/a/x.rs:1), y uses x (src/m/a/y.rs:1); all that import each other: x, y",
                "src/m/b: a circle: c uses y (src/m/b/c/x.rs:1), y uses c (src/m/b/y.rs:1); all that import each other: \
                 c, y",
            ]
        );
    }

    #[test]
    fn circle_is_shown_with_a_line_for_each_step() {
        let files = [
            ("m/mod.rs", "mod a;\nmod b;\nmod c;\npub use c::{C, D as E};\npub(in crate::m) use b::*;\n"),
            ("m/a/mod.rs", "mod x;\n"),
            ("m/a/x.rs", "use std::fmt;\nuse super::super::b::B;\n"),
            ("m/b.rs", "fn f() -> crate::m::E {}\n"),
            ("m/c.rs", "\n\nuse crate::{\n    n,\n    m::{a::x, C},\n};\n"),
        ];
        assert_eq!(
            found(&files),
            ["src/m: a circle: a uses b (src/m/a/x.rs:2), b uses c (src/m/b.rs:1), c uses a (src/m/c.rs:5); \
              all that import each other: a, b, c"]
        );
    }

    #[test]
    fn each_knot_has_its_shortest_circle() {
        let files = [
            ("m/a.rs", "use super::b;\nuse super::d;\n"),
            ("m/b.rs", "use super::c;\n"),
            ("m/c.rs", "use super::a;\nuse super::b;\n"),
            ("m/d.rs", "use super::e;\n"),
            ("m/e.rs", "use super::d;\n"),
        ];
        assert_eq!(
            found(&files),
            [
                "src/m: a circle: b uses c (src/m/b.rs:1), c uses b (src/m/c.rs:2); all that import each other: \
                 a, b, c",
                "src/m: a circle: d uses e (src/m/d.rs:1), e uses d (src/m/e.rs:1); all that import each other: \
                 d, e",
            ]
        );
    }

    #[test]
    fn tests_may_use_what_they_like() {
        let files = [
            ("m/a.rs", "use super::b;\n"),
            ("m/b/mod.rs", "fn f() {}\n\n#[cfg(test)]\nmod tests {\n    use crate::m::a;\n}\n"),
            ("m/b/tests.rs", "use crate::m::a;\n"),
            ("m/b/tests/x.rs", "use crate::m::a;\n"),
        ];
        assert_eq!(found(&files), [""; 0]);
    }
}
