use std::time::Duration;

use ipvs_rs::model::{
    AddressFamily, Config, Granularity, Persistence, Prefix, SchedulerFlags, SyncDaemon, SyncRole, Thresholds, Tunnel,
    TunnelFlags,
};
use ipvs_rs::{
    Destination, DestinationEntry, Error, ForwardMethod, Handle, Scheduler, Service, ServiceEntry, ServiceId,
};

use super::{Client, INTERFACE};

pub fn services_of_ipv4(client: &mut Client<'_>) {
    let id = service_id("TCP 192.0.2.10:80");
    let mask = Granularity::Mask([255, 255, 255, 0].into());
    let rich = Service::new(id, Scheduler::Sh)
        .scheduler_flags(SchedulerFlags::PORT)
        .persistence(Persistence::for_secs(300).unwrap().granularity(mask));
    services(client, &Service::new(id, Scheduler::Rr), &rich);
    let id = service_id("UDP 192.0.2.10:5060");
    let sip = Persistence::for_secs(60).unwrap().engine("sip".parse().unwrap());
    services(
        client,
        &Service::new(id, Scheduler::Rr).persistence(sip),
        &Service::new(id, Scheduler::Rr).one_packet(true),
    );
}

pub fn services_of_ipv6(client: &mut Client<'_>) {
    let id = service_id("TCP [2001:db8::10]:443");
    let prefix = Granularity::Prefix(Prefix::new(64).unwrap());
    let rich = Service::new(id, Scheduler::Wrr).persistence(Persistence::for_secs(300).unwrap().granularity(prefix));
    services(client, &Service::new(id, Scheduler::Mh), &rich);
}

pub fn services_of_marks(client: &mut Client<'_>) {
    for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
        let id = ServiceId::fwmark(7, family).unwrap();
        let rich = Service::new(id, Scheduler::Wlc).persistence(Persistence::for_secs(10).unwrap());
        services(client, &Service::new(id, Scheduler::None), &rich);
    }
}

/// The life of a service.
fn services(client: &mut Client<'_>, first: &Service, second: &Service) {
    let id = &first.id;
    let get = |client: &mut Client<'_>| {
        client.call(
            &format!("get service {id}"),
            |handle| handle.get_service(id),
            |entry| entry.as_ref().map_or_else(|| "none".to_owned(), text),
        );
    };
    get(client);
    client.command(format!("new service {id}"), |handle| handle.new_service(first));
    client.refused(|handle| handle.new_service(first));
    get(client);
    client.command(format!("update service {id}"), |handle| handle.update_service(second));
    let unknown = Service::new(*id, "nobody".parse().unwrap());
    client.refused(|handle| handle.update_service(&unknown));
    client.call("get services", Handle::get_services, |all| lines(all.iter().map(text)));
    client.command(format!("zero {id}"), |handle| handle.zero_service(id));
    client.command(format!("delete service {id}"), |handle| handle.delete_service(id));
    client.refused(|handle| handle.delete_service(id));
    client.refused(|handle| handle.update_service(second));
    client.refused(|handle| handle.zero_service(id));
    client.refused(|handle| handle.new_service(&unknown));
}

pub fn destinations_of_ipv4(client: &mut Client<'_>) {
    let full = Thresholds::with_upper(1000).unwrap().with_lower(800).unwrap();
    let gue = Tunnel::gue(6080).unwrap().flags(TunnelFlags::CHECKSUM);
    let servers = [
        server("10.0.0.2:8080", ForwardMethod::Masquerade).weight(5).unwrap().thresholds(full),
        server("10.0.0.3:80", ForwardMethod::Tunnel(gue)),
        server("[2001:db8::3]:80", ForwardMethod::Tunnel(Tunnel::ipip())),
    ];
    destinations(client, service_id("TCP 192.0.2.10:80"), &servers, "[2001:db8::4]:80", "224.0.0.9:80");
}

pub fn destinations_of_ipv6(client: &mut Client<'_>) {
    let servers = [
        server("[2001:db8::2]:8080", ForwardMethod::Masquerade),
        server("[2001:db8::3]:80", ForwardMethod::DirectRoute).weight(0).unwrap(),
        server("10.0.0.3:80", ForwardMethod::Tunnel(Tunnel::gre())),
    ];
    destinations(client, service_id("UDP [2001:db8::10]:53"), &servers, "10.0.0.4:53", "[ff02::1]:53");
}

pub fn destinations_of_marks(client: &mut Client<'_>) {
    let mark = |family| ServiceId::fwmark(7, family).unwrap();
    let servers = [server("10.0.0.2:0", ForwardMethod::DirectRoute), server("10.0.0.3:80", ForwardMethod::Local)];
    destinations(client, mark(AddressFamily::Ipv4), &servers, "[2001:db8::4]:80", "255.255.255.255:80");
    let servers = [server("[2001:db8::2]:0", ForwardMethod::Bypass)];
    destinations(client, mark(AddressFamily::Ipv6), &servers, "10.0.0.4:80", "[::]:80");
}

/// The life of the servers of a service.
fn destinations(client: &mut Client<'_>, id: ServiceId, servers: &[Destination], other: &str, unknown: &str) {
    let list = |client: &mut Client<'_>| {
        client.call(
            &format!("get destinations of {id}"),
            |handle| handle.get_destinations(&id),
            |all| lines(all.iter().map(|entry| text_of_server(&id, entry))),
        );
    };
    let first = &servers[0];
    list(client);
    client.refused(|handle| handle.new_destination(&id, first));
    client.command(format!("new service {id}"), |handle| handle.new_service(&Service::new(id, Scheduler::Wlc)));
    for server in servers {
        client.command(format!("new destination {} for {id}", server.id), |handle| handle.new_destination(&id, server));
    }
    list(client);
    client.refused(|handle| handle.new_destination(&id, first));
    client.refused(|handle| handle.new_destination(&id, &server(other, ForwardMethod::Masquerade)));
    let unknown = Destination::new(unknown.parse().unwrap(), ForwardMethod::Masquerade);
    client.refused(|handle| handle.new_destination(&id, &unknown));
    client.refused(|handle| handle.update_destination(&id, &unknown));
    let drained = server(&first.id.to_string(), ForwardMethod::DirectRoute).drained();
    client.command(format!("update destination {} for {id}", first.id), |handle| {
        handle.update_destination(&id, &drained)
    });
    for server in servers.iter().skip(1) {
        let what = format!("delete destination {} for {id}", server.id);
        client.command(what, |handle| handle.delete_destination(&id, &server.id));
    }
    client.refused(|handle| handle.delete_destination(&id, &unknown.id));
    list(client);
    client.command(format!("delete service {id}"), |handle| handle.delete_service(&id));
    client.refused(|handle| handle.delete_destination(&id, &first.id));
}

pub fn table(client: &mut Client<'_>) {
    let ids = ["TCP 192.0.2.10:80", "SCTP [2001:db8::10]:80", "FWM 7"].map(service_id);
    for id in ids {
        let service = Service::new(id, Scheduler::Lc);
        for settings in [&service, &service, &Service::new(id, Scheduler::Sed)] {
            client.call(
                &format!("ensure service {id}"),
                |handle| handle.ensure_service(settings),
                |done| done.to_string(),
            );
        }
    }
    let id = ids[0];
    let first = server("10.0.0.2:80", ForwardMethod::Masquerade);
    for settings in [&first, &first, &first.clone().drained()] {
        let what = format!("ensure destination {} for {id}", first.id);
        client.call(&what, |handle| handle.ensure_destination(&id, settings), |done| done.to_string());
    }
    client.call("get info", Handle::get_info, |info| format!("{} {}", info.version, info.connection_table_size));
    client.call("snapshot", Handle::snapshot, |table| format!("{} services\n{}", table.len(), table.full_rules()));
    client.command("zero", Handle::zero_all);
    for _ in 0..2 {
        let what = format!("remove service {id}");
        client.call(&what, |handle| handle.remove_service(&id), |done| done.to_string());
    }
    client.command("flush", Handle::flush);
    client.command("flush", Handle::flush);
    client.call("snapshot", Handle::snapshot, |table| format!("{} services", table.len()));
}

pub fn batch(client: &mut Client<'_>) {
    let (web, mark) = (service_id("TCP 192.0.2.10:80"), service_id("FWM 7 IPv6"));
    let (first, second) =
        (server("10.0.0.2:80", ForwardMethod::Masquerade), server("[2001:db8::2]:80", ForwardMethod::DirectRoute));
    let service = Service::new(web, Scheduler::Wlc);
    for _ in 0..2 {
        let send = |handle: &Handle| {
            let batch = handle.batch().new_service(&service).new_destination(&web, &first);
            let batch = batch.new_service(&Service::new(mark, Scheduler::Rr)).new_destination(&mark, &second);
            batch.delete_destination(&web, &second.id).zero_service(&mark).set_config(&Config::new()).send()
        };
        client.call("batch", send, |report| {
            let results =
                |result: &Result<(), Error>| result.as_ref().map_or_else(ToString::to_string, |()| "ok".into());
            lines(report.results().iter().map(results))
        });
    }
    let send = |handle: &Handle| handle.batch().delete_service(&web).flush().send();
    client.call("batch", send, |report| format!("{} of {} failed", report.failures().count(), report.results().len()));
}

pub fn config(client: &mut Client<'_>) {
    let get = |client: &mut Client<'_>| client.call("get config", Handle::get_config, |config| config.to_string());
    client.call("get info", Handle::get_info, |info| format!("{} {}", info.version, info.connection_table_size));
    get(client);
    let secs = Duration::from_secs;
    let some = Config::new().tcp(secs(1000)).unwrap();
    let others = Config::new().tcp_fin(secs(30)).unwrap().udp(secs(20)).unwrap();
    // More than fits into the ticks of 250 a second.
    let endless = Config::new().tcp(secs(1)).unwrap().udp(secs(8_589_935)).unwrap();
    for config in [some, others, endless, Config::new()] {
        client.command(format!("set config {config}"), |handle| handle.set_config(&config));
        get(client);
    }
}

pub fn sync(client: &mut Client<'_>) {
    let list = |client: &mut Client<'_>| {
        client.call("get sync daemons", Handle::get_sync_daemons, |all| lines(all.iter().map(ToString::to_string)));
    };
    let master = SyncDaemon::master(INTERFACE).unwrap().sync_id(7);
    let backup = SyncDaemon::backup(INTERFACE).unwrap().sync_id(8).group("ff02::5".parse().unwrap()).unwrap();
    let backup = backup.port(9000).unwrap().ttl(3).unwrap().max_len(1400).unwrap();
    list(client);
    client.refused(|handle| handle.start_sync(&SyncDaemon::master("nowhere").unwrap()));
    client.refused(|handle| handle.stop_sync(SyncRole::Master));
    client.command(format!("start sync {master}"), |handle| handle.start_sync(&master));
    client.refused(|handle| handle.start_sync(&master));
    client.command(format!("start sync {backup}"), |handle| handle.start_sync(&backup));
    list(client);

    // No destination may be of another family than its service meanwhile.
    let web = service_id("TCP 192.0.2.10:80");
    let mixed = server("[2001:db8::2]:80", ForwardMethod::Tunnel(Tunnel::ipip()));
    client.command(format!("new service {web}"), |handle| handle.new_service(&Service::new(web, Scheduler::Rr)));
    client.refused(|handle| handle.new_destination(&web, &mixed));
    (client.pause)();
    client.command("stop sync master", |handle| handle.stop_sync(SyncRole::Master));
    client.command("stop sync backup", |handle| handle.stop_sync(SyncRole::Backup));
    list(client);
    client.command(format!("new destination {} for {web}", mixed.id), |handle| handle.new_destination(&web, &mixed));
    client.refused(|handle| handle.start_sync(&master));
}

fn service_id(text: &str) -> ServiceId {
    text.parse().unwrap()
}

fn server(id: &str, forward: ForwardMethod) -> Destination {
    Destination::new(id.parse().unwrap(), forward)
}

fn text(entry: &ServiceEntry) -> String {
    let ServiceEntry { service, stats, flags, .. } = entry;
    format!("{}, flags {flags}, {} connections", service.full_rule(), stats.connections)
}

fn text_of_server(service: &ServiceId, entry: &DestinationEntry) -> String {
    let DestinationEntry { destination, active_connections, inactive_connections, persistent_connections, .. } = entry;
    let connections = [active_connections, inactive_connections, persistent_connections].map(ToString::to_string);
    format!("{}, connections {}", destination.full_rule(service), connections.join(" "))
}

/// Each in a line of its own, below the call.
fn lines(rows: impl Iterator<Item = String>) -> String {
    let rows: Vec<String> = rows.map(|row| format!("\n{row}")).collect();
    format!("{}{}", rows.len(), rows.concat())
}
