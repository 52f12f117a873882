//! The growth of costs: the output of a bench in the guest about tables of several sizes, put in order.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::figures::rounded;

/// The measurements on one kernel.
#[derive(Debug, Default, PartialEq)]
pub struct Growth {
    /// The release of the kernel.
    pub kernel: String,
    times: Vec<Time>,
    memory: Vec<Memory>,
    trash: Vec<Trash>,
}

/// The growth of a table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// More and more services, with as many destinations each.
    Services,
    /// One service with more and more destinations.
    Destinations,
}

/// Services, and destinations of each.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shape {
    services: u32,
    destinations: u32,
}

/// Thousands of instructions for one destination.
#[derive(Debug, PartialEq)]
struct Time {
    shape: Shape,
    work: String,
    client: String,
    thousands: f64,
}

/// The memory of a table in a process, in bytes.
#[derive(Debug, PartialEq)]
struct Memory {
    shape: Shape,
    held: f64,
    peak: f64,
    /// A destination as a value, without what surrounds it.
    value: f64,
}

/// Thousands of instructions for adding one destination when so many were deleted before.
#[derive(Debug, PartialEq)]
struct Trash {
    case: String,
    destinations: u32,
    thousands: f64,
}

/// Something over a number of destinations, in the order of that number.
pub type Line = Vec<(f64, f64)>;

impl Shape {
    fn read(row: &Value) -> Result<Self> {
        Ok(Self { services: count(row, "services")?, destinations: count(row, "destinations")? })
    }

    fn is(self, kind: Kind) -> bool {
        (self.services == 1) == (kind == Kind::Destinations)
    }

    fn rows(self) -> f64 {
        f64::from(self.services) * f64::from(self.destinations)
    }
}

impl Growth {
    /// Reads lines of JSON.
    pub fn read(text: &str) -> Result<Self> {
        let rows = text.lines().map(|line| serde_json::from_str(line).with_context(|| format!("reading {line:?}")));
        Self::collect(&rows.collect::<Result<Vec<Value>>>()?)
    }

    /// Reads what [`json`](Self::json) made.
    pub fn read_json(text: &str) -> Result<Self> {
        Self::collect(&serde_json::from_str::<Vec<Value>>(text)?)
    }

    fn collect(rows: &[Value]) -> Result<Self> {
        let mut growth = Self::default();
        for row in rows {
            growth.add(row).with_context(|| format!("in {row}"))?;
        }
        Ok(growth)
    }

    fn add(&mut self, row: &Value) -> Result<()> {
        if row["kernel"].is_string() {
            self.kernel = text(row, "kernel")?;
        } else if row["work"].is_string() {
            self.times.push(Time {
                shape: Shape::read(row)?,
                work: text(row, "work")?,
                client: text(row, "client")?,
                thousands: number(row, "kinsn_per_row")?,
            });
        } else if row["trash"].is_string() {
            self.trash.push(Trash {
                case: text(row, "trash")?,
                destinations: count(row, "destinations")?,
                thousands: number(row, "kinsn_per_row")?,
            });
        } else {
            self.memory.push(Memory {
                shape: Shape::read(row)?,
                held: number(row, "held_bytes")?,
                peak: number(row, "peak_bytes")?,
                value: number(row, "bytes_of_a_value")?,
            });
        }
        Ok(())
    }

    /// Destinations of each service where it is services that become more.
    pub fn per_service(&self) -> Option<u32> {
        self.times.iter().map(|row| row.shape).find(|shape| shape.is(Kind::Services)).map(|shape| shape.destinations)
    }

    /// Thousands of instructions for one destination.
    pub fn times(&self, kind: Kind, work: &str, client: &str) -> Line {
        let rows = self.times.iter().filter(|row| row.shape.is(kind) && row.work == work && row.client == client);
        in_order(rows.map(|row| (row.shape.rows(), row.thousands)))
    }

    /// The library's time as a multiple of the floor's.
    pub fn ratios(&self, kind: Kind, work: &str) -> Line {
        let floor = self.times(kind, work, "floor");
        let ours = self.times(kind, work, "ipvs-rs").into_iter();
        ours.filter_map(|(size, time)| Some((size, time / find(&floor, size)?))).collect()
    }

    /// Bytes of one destination in a table that was read, and while it was being read.
    pub fn memory(&self, kind: Kind) -> (Line, Line) {
        let of = |bytes: fn(&Memory) -> f64| {
            let rows = self.memory.iter().filter(|row| row.shape.is(kind));
            in_order(rows.map(|row| (row.shape.rows(), bytes(row) / row.shape.rows())))
        };
        (of(|row| row.held), of(|row| row.peak))
    }

    /// Bytes of a destination as a value.
    pub fn value(&self) -> Option<f64> {
        self.memory.first().map(|row| row.value)
    }

    /// Thousands of instructions for adding one destination, over how many were deleted before.
    pub fn trash(&self, case: &str) -> Line {
        let rows = self.trash.iter().filter(|row| row.case == case);
        in_order(rows.map(|row| (f64::from(row.destinations), row.thousands)))
    }

    /// An object for each figure, for scripts.
    pub fn json(&self) -> Value {
        let mut rows = vec![json!({ "kernel": self.kernel })];
        for Time { shape, work, client, thousands } in &self.times {
            let Shape { services, destinations } = *shape;
            let kind = if shape.is(Kind::Services) { Kind::Services } else { Kind::Destinations };
            let floor = find(&self.times(kind, work, "floor"), shape.rows());
            rows.push(json!({
                "services": services,
                "destinations": destinations,
                "work": work,
                "client": client,
                "kinsn_per_row": rounded(*thousands),
                "ratio_to_floor": floor.map(|floor| rounded(thousands / floor)),
            }));
        }
        for Memory { shape, held, peak, value } in &self.memory {
            let Shape { services, destinations } = *shape;
            rows.push(json!({
                "services": services,
                "destinations": destinations,
                "held_bytes": held,
                "peak_bytes": peak,
                "bytes_of_a_value": value,
                "held_bytes_per_row": rounded(held / shape.rows()),
                "peak_bytes_per_row": rounded(peak / shape.rows()),
            }));
        }
        for Trash { case, destinations, thousands } in &self.trash {
            let fresh = find(&self.trash("fresh"), f64::from(*destinations));
            rows.push(json!({
                "trash": case,
                "destinations": destinations,
                "kinsn_per_row": rounded(*thousands),
                "ratio_to_fresh": fresh.map(|fresh| rounded(thousands / fresh)),
            }));
        }
        rows.into()
    }
}

fn in_order(points: impl Iterator<Item = (f64, f64)>) -> Line {
    let mut points: Line = points.collect();
    points.sort_unstable_by(|(one, _), (other, _)| one.total_cmp(other));
    points
}

/// The words of a line for this size.
pub fn find(line: &Line, size: f64) -> Option<f64> {
    line.iter().find(|(other, _)| other.total_cmp(&size).is_eq()).map(|(_, value)| *value)
}

fn text(row: &Value, name: &str) -> Result<String> {
    row[name].as_str().map(str::to_owned).with_context(|| format!("no {name}"))
}

fn number(row: &Value, name: &str) -> Result<f64> {
    row[name].as_f64().with_context(|| format!("no {name}"))
}

fn count(row: &Value, name: &str) -> Result<u32> {
    match row[name].as_u64().map(u32::try_from) {
        Some(Ok(number)) if number > 0 => Ok(number),
        _ => bail!("no {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the bench prints it, sizes out of order.
    const PRINTED: &str = r#"{"kernel":"6.1.0-50-cloud"}
{"services":2000,"destinations":10,"work":"list","client":"floor","kinsn_per_row":6.0}
{"services":2000,"destinations":10,"work":"list","client":"ipvs-rs","kinsn_per_row":7.5}
{"services":1000,"destinations":10,"work":"list","client":"floor","kinsn_per_row":5.0}
{"services":1000,"destinations":10,"work":"list","client":"ipvs-rs","kinsn_per_row":6.0}
{"services":1,"destinations":1000,"work":"list","client":"ipvs-rs","kinsn_per_row":4.0}
{"services":1000,"destinations":10,"rows":10000,"held_bytes":1500000,"peak_bytes":2000000,"bytes_of_a_value":144}
{"trash":"fresh","destinations":1000,"kinsn_per_row":10.0}
{"trash":"others","destinations":1000,"kinsn_per_row":25.0}
"#;

    #[test]
    fn figures_become_lines_in_the_order_of_size() {
        let growth = Growth::read(PRINTED).unwrap();
        assert_eq!(growth.kernel, "6.1.0-50-cloud");
        assert_eq!(growth.per_service(), Some(10));
        assert_eq!(growth.times(Kind::Services, "list", "floor"), [(10_000.0, 5.0), (20_000.0, 6.0)]);
        assert_eq!(growth.times(Kind::Destinations, "list", "ipvs-rs"), [(1000.0, 4.0)]);
        assert_eq!(growth.ratios(Kind::Services, "list"), [(10_000.0, 1.2), (20_000.0, 1.25)]);
        assert_eq!(growth.ratios(Kind::Destinations, "list"), [], "there is no floor");
        assert_eq!(growth.memory(Kind::Services), (vec![(10_000.0, 150.0)], vec![(10_000.0, 200.0)]));
        assert_eq!(growth.memory(Kind::Destinations), (vec![], vec![]));
        assert_eq!(growth.value(), Some(144.0));
        assert_eq!(growth.trash("others"), [(1000.0, 25.0)]);
    }

    #[test]
    fn scripts_get_figures_with_their_ratios_and_nothing_is_lost() {
        let growth = Growth::read(PRINTED).unwrap();
        let json = growth.json();
        assert_eq!(
            json[2],
            json!({"services": 2000, "destinations": 10, "work": "list", "client": "ipvs-rs", "kinsn_per_row": 7.5, "ratio_to_floor": 1.25})
        );
        assert_eq!(json[5]["ratio_to_floor"], Value::Null);
        assert_eq!(json[6]["held_bytes_per_row"], 150.0);
        assert_eq!(json[8]["ratio_to_fresh"], 2.5);
        assert_eq!(Growth::read_json(&json.to_string()).unwrap(), growth);
    }

    #[test]
    fn invalid_figure_is_refused_with_its_name() {
        let refusal = |text| Growth::read(text).unwrap_err().root_cause().to_string();
        assert_eq!(refusal(r#"{"trash":"fresh","destinations":10}"#), "no kinsn_per_row");
        assert_eq!(refusal(r#"{"services":0,"destinations":10,"held_bytes":1}"#), "no services");
        assert_eq!(refusal("{}"), "no services");
        assert!(Growth::read("hello").is_err());
        assert!(Growth::read_json("{}").is_err());
    }
}
