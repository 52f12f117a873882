//! The report on how costs grow: pictures, tables and conclusions.

use super::growth::{Growth, Kind, Line, find};
use super::picture::{Panel, Picture, PlotLine, Stroke, grouped};

/// The operations on a table.
const WORKS: [&str; 4] = ["create", "list", "change", "delete"];

/// The history before destinations were added, as the bench names it, as a table does, and as a legend does if it is in
/// the picture.
const CASES: [(&str, &str, Option<&str>); 9] = [
    ("fresh", "nothing was deleted", Some("anything, nothing was deleted")),
    ("reversed", "the same, the last deleted first", Some("the same, the last deleted first")),
    ("same-order", "the same, in the same order", Some("the same, in the same order")),
    ("others", "others", Some("others")),
    ("others-first", "others, before deleting", None),
    ("flushed", "after a flush: the same, in the same order", Some("the same, after a flush")),
    ("flushed-reversed", "after a flush: the same, the last first", None),
    ("after-178-s", "after 178 s: the same, in the same order", None),
    ("after-185-s", "after 185 s: the same, in the same order", Some("the same, after 185 s")),
];

const ACROSS: &str = "destinations in the table";
const KINSN: &str = "thousand instructions";

/// The words for a kind of table.
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
            drawn("ipvs-rs", growth.times(kind, work, "ipvs-rs"), Stroke::Color(0)),
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
            .map(|(number, work)| drawn(work, growth.ratios(kind, work), Stroke::Color(number)))
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
                drawn("at most, while it was read", peak, Stroke::Color(1)),
                drawn("of the table that was read", held, Stroke::Color(0)),
            ],
        }
    });
    Picture { title: format!("Memory of the process for one destination, Linux {kernel}"), panels: panels.into() }
}

fn deleted(growth: &Growth, kernel: &str) -> Picture {
    let cases = CASES.iter().filter_map(|(case, _, legend)| Some((*case, (*legend)?)));
    let lines = cases.enumerate().map(|(number, (case, legend))| {
        let stroke = if case == "fresh" { Stroke::Ground } else { Stroke::Color(number) };
        drawn(legend, growth.trash(case), stroke)
    });
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

fn drawn(label: &str, points: Line, stroke: Stroke) -> PlotLine {
    PlotLine { label: label.to_owned(), points, stroke }
}

/// The conclusions and the tables.
pub fn text(growth: &Growth) -> String {
    let kinds = [Kind::Services, Kind::Destinations].into_iter();
    let mut parts: Vec<String> = kinds.filter_map(|kind| about(kind, growth)).collect();
    parts.extend(about_deleted(growth));
    parts.join("\n")
}

/// One kind of table.
fn about(kind: Kind, growth: &Growth) -> Option<String> {
    let sizes = growth.times(kind, WORKS[0], "ipvs-rs");
    let (smallest, largest) = (sizes.first()?.0, sizes.last()?.0);
    let mut ratios = Vec::new();
    for work in WORKS {
        let (least, most) = range(&growth.ratios(kind, work))?;
        ratios.push(format!("{work} {least:.2} to {most:.2}"));
    }
    let (least, most) = range(&growth.memory(kind).0)?;
    Some(format!(
        "\
### {}

From {} to {} destinations the library costs so many times what the floor does:
{}. In a table that was read, a destination
takes {least:.0} to {most:.0} bytes; its value alone has {:.0}.

{}",
        capitalized(&title(kind, growth)),
        grouped(smallest),
        grouped(largest),
        ratios.join(", "),
        growth.value()?,
        table(kind, growth)
    ))
}

/// The cost of adding after deleting.
fn about_deleted(growth: &Growth) -> Option<String> {
    let fresh = growth.trash("fresh");
    let (most, _) = *fresh.last()?;
    let cases = CASES.iter().filter(|(case, ..)| !growth.trash(case).is_empty());
    let mut table = Table::new("added, after so many were deleted", cases.clone().map(|(_, name, _)| *name));
    for (size, base) in &fresh {
        let cells = cases.clone().map(|(case, ..)| {
            let time = find(&growth.trash(case), *size);
            cost(time, time.map(|time| time / base))
        });
        table.column(&grouped(*size), cells);
    }
    let times = |case| Some(find(&growth.trash(case), most)? / find(&fresh, most)?);
    let mut examples = Vec::new();
    for (case, name, _) in CASES {
        if let (Some(times), true) = (times(case), ["others", "same-order", "reversed"].contains(&case)) {
            examples.push(format!("{name}: {times:.1}"));
        }
    }
    Some(format!(
        "\
### After deleting

Adding destinations after {} were deleted, times what it costs where nothing was:
{}.

{}",
        grouped(most),
        examples.join("; "),
        table.text()
    ))
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Figures of tables with ten destinations per service, two sizes, and of deleted destinations.
    fn growth() -> Growth {
        let mut text = String::from("{\"kernel\":\"6.1.0-50-cloud\"}\n");
        for (services, kinsn) in [(1000, 5.0), (10_000, 6.0)] {
            for work in WORKS {
                for (client, times) in [("floor", 1.0), ("ipvs-rs", 1.1)] {
                    text.push_str(&format!(
                        r#"{{"services":{services},"destinations":10,"work":"{work}","client":"{client}","kinsn_per_row":{}}}"#,
                        kinsn * times
                    ));
                    text.push('\n');
                }
            }
            let (held, peak) = (services * 1500, services * 2000);
            text.push_str(&format!(
                r#"{{"services":{services},"destinations":10,"held_bytes":{held},"peak_bytes":{peak},"bytes_of_a_value":144}}"#
            ));
            text.push('\n');
        }
        for (case, kinsn) in [("fresh", 8.0), ("others", 20.0)] {
            text.push_str(&format!(r#"{{"trash":"{case}","destinations":1000,"kinsn_per_row":{kinsn}}}"#));
            text.push('\n');
        }
        Growth::read(&text).unwrap()
    }

    #[test]
    fn tables_have_costs_and_how_often_they_are_others() {
        let expected = "\
### 10 destinations per service

From 10,000 to 100,000 destinations the library costs so many times what the floor does:
create 1.10 to 1.10, list 1.10 to 1.10, change 1.10 to 1.10, delete 1.10 to 1.10. In a table that was read, a destination
takes 150 to 150 bytes; its value alone has 144.

| destinations |      create |        list |      change |      delete | bytes held | at most |
|:-------------|------------:|------------:|------------:|------------:|-----------:|--------:|
| 10,000       | 5.50 (1.10) | 5.50 (1.10) | 5.50 (1.10) | 5.50 (1.10) |        150 |     200 |
| 100,000      | 6.60 (1.10) | 6.60 (1.10) | 6.60 (1.10) | 6.60 (1.10) |        150 |     200 |

### After deleting

Adding destinations after 1,000 were deleted, times what it costs where nothing was:
others: 2.5.

| added, after so many were deleted |        1,000 |
|:----------------------------------|-------------:|
| nothing was deleted               |  8.00 (1.00) |
| others                            | 20.00 (2.50) |
";
        assert_eq!(text(&growth()), expected);
    }

    #[test]
    fn there_is_a_picture_of_everything_that_was_measured() {
        let names = |growth: &Growth| pictures(growth).iter().map(|(name, _)| *name).collect::<Vec<_>>();
        assert_eq!(names(&growth()), ["services", "ratios", "memory", "deleted"]);
        assert_eq!(names(&Growth::default()), [""; 0]);
        assert_eq!(pictures(&growth())[0].1.title, "Cost of one destination, 10 destinations per service, Linux 6.1.0");
    }
}
