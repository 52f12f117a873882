//! The table as ipvsadm(8) prints it: `-Ln`, then `-Ln --stats`.

use ipvs_rs::ServiceId;
use ipvs_rs::model::{Info, ServiceKind, Stats, TableService};

use crate::report::say;

pub(crate) fn print(info: Info, row: &TableService) {
    let id = name(&row.id());
    line(&format!("IP Virtual Server version {} (size={})", info.version, info.connection_table_size));
    line("Prot LocalAddress:Port Scheduler Flags");
    line("  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn");
    line(&format!("{id} {}", row.service.service.scheduler));
    for entry in &row.destinations {
        let destination = &entry.destination;
        line(&format!(
            "  -> {:<28} {:<7} {:<6} {:<10} {:<10}",
            entry.id(),
            destination.forward,
            destination.weight,
            entry.active_connections,
            entry.inactive_connections
        ));
    }
    line("");
    line("Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes");
    line("  -> RemoteAddress:Port");
    line(&format!("{id:<33}{}", numbers(&row.service.stats)));
    for entry in &row.destinations {
        line(&format!("  -> {:<28}{}", entry.id(), numbers(&entry.stats)));
    }
    line("");
}

fn name(id: &ServiceId) -> String {
    match id.kind() {
        ServiceKind::Address { protocol, address, port } => {
            format!("{protocol:<4} {}", std::net::SocketAddr::new(address, port))
        }
        ServiceKind::Mark { .. } => id.to_string(),
    }
}

fn numbers(stats: &Stats) -> String {
    let numbers = [stats.connections, stats.packets_in, stats.packets_out, stats.bytes_in, stats.bytes_out];
    numbers.map(|number| format!(" {number:>8}")).concat()
}

fn line(text: &str) {
    say(format!("  {text}").trim_end());
}
