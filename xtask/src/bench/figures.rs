//! The output of a bench in the guest, put in order.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

/// The measurements, in the order in which they came.
#[derive(Debug, Default)]
pub struct Figures {
    /// The release of the kernel.
    pub kernel: String,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    workload: String,
    client: String,
    /// Nanoseconds for one operation, as often as it was measured.
    times: Vec<f64>,
    calls: Option<f64>,
}

/// One workload of one client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Microseconds for one operation, which is thousands of instructions where the clock counts those.
    pub thousands: f64,
    /// The multiple of the floor's.
    pub ratio: f64,
    pub calls: Option<f64>,
}

impl Figures {
    /// Reads lines of JSON.
    pub fn read(text: &str) -> Result<Self> {
        let mut figures = Self::default();
        for line in text.lines() {
            let value: Value = serde_json::from_str(line).with_context(|| format!("reading {line:?}"))?;
            if let Some(kernel) = value["kernel"].as_str() {
                kernel.clone_into(&mut figures.kernel);
                continue;
            }
            let (Some(workload), Some(client)) = (value["workload"].as_str(), value["client"].as_str()) else {
                bail!("{line:?} names no workload or no client");
            };
            let row = figures.row(workload, client);
            row.times.extend(value["ns_per_op"].as_f64());
            row.calls = value["syscalls_per_op"].as_f64().or(row.calls);
        }
        Ok(figures)
    }

    fn row(&mut self, workload: &str, client: &str) -> &mut Row {
        let place = self.rows.iter().position(|row| row.workload == workload && row.client == client);
        let place = place.unwrap_or_else(|| {
            let (workload, client) = (workload.to_owned(), client.to_owned());
            self.rows.push(Row { workload, client, times: Vec::new(), calls: None });
            self.rows.len() - 1
        });
        &mut self.rows[place]
    }

    /// The names of the workloads, in order.
    pub fn workloads(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.rows.iter().map(|row| &*row.workload).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    pub fn get(&self, workload: &str, client: &str) -> Option<Figure> {
        let find = |client: &str| self.rows.iter().find(|row| row.workload == workload && row.client == client);
        let (row, floor) = (find(client)?, find("floor")?);
        let time = median(&row.times)?;
        Some(Figure { thousands: time / 1000.0, ratio: time / median(&floor.times)?, calls: row.calls })
    }

    /// By how much the measurements of a workload and client differ, where that is most; and which that is.
    pub fn spread(&self) -> Option<(f64, &str, &str)> {
        let spread = |row: &Row| {
            let least = row.times.iter().copied().reduce(f64::min)?;
            let most = row.times.iter().copied().reduce(f64::max)?;
            Some(most / least - 1.0)
        };
        let all = self.rows.iter().filter_map(|row| Some((spread(row)?, &*row.client, &*row.workload)));
        all.max_by(|(one, ..), (other, ..)| one.total_cmp(other))
    }

    /// An object for each figure, for scripts.
    pub fn json(&self) -> Value {
        let mut all = Vec::new();
        for workload in self.workloads() {
            for client in CLIENTS {
                if let Some(Figure { thousands, ratio, calls }) = self.get(workload, client) {
                    all.push(json!({
                        "workload": workload,
                        "client": client,
                        "kinsn_per_op": rounded(thousands),
                        "ratio_to_floor": rounded(ratio),
                        "syscalls_per_op": calls.map(rounded),
                    }));
                }
            }
        }
        all.into()
    }

    /// The same as a table in Markdown; `unit` is what the times are thousands of.
    pub fn table(&self, unit: &str) -> String {
        let clients: Vec<&str> =
            CLIENTS.into_iter().filter(|client| self.rows.iter().any(|row| row.client == *client)).collect();
        let mut table = format!("| {unit:<26} |");
        for client in &clients {
            table.push_str(&format!(" {client:>16} |"));
        }
        table.push_str(&format!("\n|:{:-<26}-|", ""));
        for _ in &clients {
            table.push_str(&format!("-{:-<16}:|", ""));
        }
        table.push('\n');
        for workload in self.workloads() {
            table.push_str(&format!("| {workload:<26} |"));
            for client in &clients {
                let cell = self.get(workload, client).map_or_else(String::new, |figure| {
                    let Figure { thousands, ratio, .. } = figure;
                    let number = if thousands < 1000.0 { format!("{thousands:.2}") } else { format!("{thousands:.0}") };
                    if *client == "floor" { number } else { format!("{number} ({ratio:.2})") }
                });
                table.push_str(&format!(" {cell:>16} |"));
            }
            table.push('\n');
        }
        table
    }
}

/// The clients, in the order of the columns.
const CLIENTS: [&str; 5] = ["floor", "ipvs-rs", "ipvs-rs-async", "ipvs-rs-desired", "ipvsadm"];

fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len().is_multiple_of(2) { f64::midpoint(values[middle - 1], upper) } else { upper })
}

pub fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = r#"{"kernel":"6.1.0-cloud"}
{"workload":"W3-update","client":"ipvs-rs","ns_per_op":10000.0}
{"workload":"W3-update","client":"floor","ns_per_op":8000.0}
{"workload":"W3-update","client":"ipvs-rs","ns_per_op":9000.0}
{"workload":"W3-update","client":"ipvs-rs","syscalls_per_op":2.0}
{"workload":"W1-add-service","client":"floor","ns_per_op":2000000.5}
"#;

    #[test]
    fn figures_are_medians_and_ratios_to_the_floor() {
        let figures = Figures::read(PRINTED).unwrap();
        assert_eq!(figures.kernel, "6.1.0-cloud");
        let ours = Figure { thousands: 9.5, ratio: 1.1875, calls: Some(2.0) };
        assert_eq!(figures.get("W3-update", "ipvs-rs"), Some(ours));
        assert_eq!(figures.get("W3-update", "ipvsadm"), None);
        let (spread, client, workload) = figures.spread().unwrap();
        assert_eq!((rounded(spread), client, workload), (0.111, "ipvs-rs", "W3-update"));
    }

    #[test]
    fn table_has_a_column_for_each_client() {
        let expected = "\
| kinsn                      |            floor |          ipvs-rs |
|:---------------------------|-----------------:|-----------------:|
| W1-add-service             |             2000 |                  |
| W3-update                  |             8.00 |      9.50 (1.19) |
";
        assert_eq!(Figures::read(PRINTED).unwrap().table("kinsn"), expected);
    }

    #[test]
    fn scripts_get_an_array_of_objects() {
        let json = Figures::read(PRINTED).unwrap().json();
        assert_eq!(
            json[2],
            json!({"workload": "W3-update", "client": "ipvs-rs", "kinsn_per_op": 9.5, "ratio_to_floor": 1.188, "syscalls_per_op": 2.0})
        );
        assert_eq!(json.as_array().unwrap().len(), 3);
    }

    #[test]
    fn invalid_figure_is_refused() {
        assert!(Figures::read("hello").is_err());
        assert!(Figures::read("{}").is_err());
    }
}
