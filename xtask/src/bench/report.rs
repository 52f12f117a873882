//! What is told of how costs grow: pictures, tables and what they come to.

use super::growth::{Growth, Kind, Line, find};
use super::picture::{Drawn, Panel, Picture, Stroke, grouped};

/// What is done with a table.
const WORKS: [&str; 4] = ["create", "list", "change", "delete"];

/// What happened before destinations were added, as the bench names it and as a table does; and as a legend does, if it
/// is in the picture.
const CASES: [(&str, &str, Option<&str>); 8] = [
    ("fresh", "nothing was deleted", Some("anything, nothing was deleted")),
    ("reversed", "the same, the last deleted first", Some("the same, the last deleted first")),
    ("same-order", "the same, in the same order", Some("the same, in the same order")),
    ("others", "others", Some("others")),
    ("flushed", "after a flush: the same, in the same order", Some("the same, after a flush")),
    ("flushed-reversed", "after a flush: the same, the last first", None),
    ("after-178-s", "after 178 s: the same, in the same order", None),
    ("after-185-s", "after 185 s: the same, in the same order", Some("the same, after 185 s")),
];

const ACROSS: &str = "destinations in the table";
const KINSN: &str = "thousand instructions";

/// How a kind of table is spoken of.
fn title(kind: Kind, growth: &Growth) -> String {
    match kind {
        Kind::Services => format!("{} destinations per service", growth.per_service().unwrap_or(0)),
        Kind::Destinations => "one service".to_owned(),
    }
}

/// The pictures of a kernel with names for their files.
pub fn pictures(growth: &Growth) -> Vec<(&'static str, Picture)> {
    let kernel = growth.kernel.split('-').next().unwrap_or_default();
    let mut pictures = vec![
        ("services", costs(Kind::Services, growth, kernel)),
        ("destinations", costs(Kind::Destinations, growth, kernel)),
        ("ratios", ratios(growth, kernel)),
        ("memory", memory(growth, kernel)),
        ("deleted", deleted(growth, kernel)),
    ];
    pictures.retain(|(_, picture)| !picture.is_empty());
    pictures
}

fn costs(kind: Kind, growth: &Growth, kernel: &str) -> Picture {
    let panels = WORKS.map(|work| Panel {
        title: work.to_owned(),
        across: ACROSS,
        up: KINSN,
        lines: vec![
            drawn("floor (the kernel)", growth.times(kind, work, "floor"), Stroke::Ground),
            drawn("ipvs-rs", growth.times(kind, work, "ipvs-rs"), Stroke::Colour(0)),
        ],
    });
    Picture {
        title: format!("Cost of one destination, {}, Linux {kernel}", title(kind, growth)),
        panels: panels.into(),
    }
}

fn ratios(growth: &Growth, kernel: &str) -> Picture {
    let panels = [Kind::Services, Kind::Destinations].map(|kind| Panel {
        title: title(kind, growth),
        across: ACROSS,
        up: "times the floor",
        lines: WORKS
            .iter()
            .enumerate()
            .map(|(number, work)| drawn(work, growth.ratios(kind, work), Stroke::Colour(number)))
            .collect(),
    });
    Picture { title: format!("What ipvs-rs costs beside the floor, Linux {kernel}"), panels: panels.into() }
}

fn memory(growth: &Growth, kernel: &str) -> Picture {
    let panels = [Kind::Services, Kind::Destinations].map(|kind| {
        let (held, peak) = growth.memory(kind);
        Panel {
            title: title(kind, growth),
            across: ACROSS,
            up: "bytes",
            lines: vec![
                drawn("at most, while it was read", peak, Stroke::Colour(1)),
                drawn("of the table that was read", held, Stroke::Colour(0)),
            ],
        }
    });
    Picture { title: format!("Memory of the process for one destination, Linux {kernel}"), panels: panels.into() }
}

fn deleted(growth: &Growth, kernel: &str) -> Picture {
    let cases = CASES.iter().filter_map(|(case, _, legend)| Some((case, (*legend)?)));
    let lines =
        cases.enumerate().map(|(number, (case, legend))| drawn(legend, growth.trash(case), Stroke::Colour(number)));
    Picture {
        title: format!("Adding one destination, Linux {kernel}"),
        panels: vec![Panel {
            title: "by what is added".to_owned(),
            across: "destinations that were deleted before",
            up: KINSN,
            lines: lines.collect(),
        }],
    }
}

fn drawn(label: &str, points: Line, stroke: Stroke) -> Drawn {
    Drawn { label: label.to_owned(), points, stroke }
}

/// What it comes to, and the tables.
pub fn text(growth: &Growth) -> String {
    let mut text = String::new();
    for kind in [Kind::Services, Kind::Destinations] {
        if let Some(summary) = summary(kind, growth) {
            text.push_str(&format!("{summary}\n{}\n", table(kind, growth)));
        }
    }
    let fresh = growth.trash("fresh");
    if !fresh.is_empty() {
        let mut table = Table::new("deleted before; then added", CASES.iter().map(|(_, name, _)| *name));
        for (size, base) in &fresh {
            let cells = CASES.iter().map(|(case, ..)| {
                let time = find(&growth.trash(case), *size);
                cost(time, time.map(|time| time / base))
            });
            table.column(&grouped(*size), cells);
        }
        text.push_str("In parentheses, how often it is what adding costs where nothing was deleted.\n\n");
        text.push_str(&table.text());
    }
    text
}

/// One or two sentences about one kind of table.
fn summary(kind: Kind, growth: &Growth) -> Option<String> {
    let sizes = growth.times(kind, WORKS[0], "ipvs-rs");
    let (smallest, largest) = (sizes.first()?.0, sizes.last()?.0);
    let mut ratios = Vec::new();
    for work in WORKS {
        let (least, most) = range(&growth.ratios(kind, work))?;
        ratios.push(format!("{work} {least:.2} to {most:.2}"));
    }
    let (held, _) = range(&growth.memory(kind).0)?;
    Some(format!(
        "**{}**, {} to {} destinations. Times the floor: {}. A destination takes {held:.0} bytes or more, {:.0} of them\n\
         as a value. In parentheses, how often it is the floor's.\n",
        title(kind, growth),
        grouped(smallest),
        grouped(largest),
        ratios.join(", "),
        growth.value()?,
    ))
}

fn range(line: &Line) -> Option<(f64, f64)> {
    let values = || line.iter().map(|(_, value)| *value);
    Some((values().reduce(f64::min)?, values().reduce(f64::max)?))
}

fn table(kind: Kind, growth: &Growth) -> String {
    let sizes: Vec<f64> = growth.times(kind, WORKS[0], "ipvs-rs").iter().map(|(size, _)| *size).collect();
    let names: Vec<String> = sizes.iter().map(|size| grouped(*size)).collect();
    let mut table = Table::new("destinations", names.iter().map(|name| &**name));
    for work in WORKS {
        let (times, ratios) = (growth.times(kind, work, "ipvs-rs"), growth.ratios(kind, work));
        table.column(work, sizes.iter().map(|size| cost(find(&times, *size), find(&ratios, *size))));
    }
    let (held, peak) = growth.memory(kind);
    for (name, line) in [("bytes held", held), ("at most", peak)] {
        let bytes = |size: &f64| find(&line, *size).map_or_else(String::new, |bytes| format!("{bytes:.0}"));
        table.column(name, sizes.iter().map(bytes));
    }
    table.text()
}

/// A cost, and how often it is another.
fn cost(time: Option<f64>, ratio: Option<f64>) -> String {
    match (time, ratio) {
        (Some(time), Some(ratio)) => format!("{time:.2} ({ratio:.2})"),
        _ => String::new(),
    }
}

/// A table in Markdown, made column by column.
struct Table {
    lines: Vec<String>,
}

impl Table {
    fn new<'a>(heading: &'a str, names: impl Iterator<Item = &'a str> + Clone) -> Self {
        let width = names.clone().chain([heading]).map(str::len).max().unwrap_or(0);
        let mut lines = vec![format!("| {heading:<width$} |"), format!("|:{:-<width$}-|", "")];
        lines.extend(names.map(|name| format!("| {name:<width$} |")));
        Self { lines }
    }

    fn column(&mut self, heading: &str, cells: impl Iterator<Item = String>) {
        let cells: Vec<String> = cells.collect();
        let width = cells.iter().map(String::len).chain([heading.len()]).max().unwrap_or(0);
        let rule = format!("-{:-<width$}:|", "");
        let cells = cells.iter().map(|cell| format!(" {cell:>width$} |"));
        let parts = [format!(" {heading:>width$} |"), rule].into_iter().chain(cells);
        for (line, part) in self.lines.iter_mut().zip(parts) {
            line.push_str(&part);
        }
    }

    fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }
}
