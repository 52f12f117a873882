//! Plans that are kept and carried out later.

use std::time::Duration;

use ipvs_rs::desired::plan::{Plan, PlanOptions, SavedPlan, SavedPlanError, plan};
use ipvs_rs::desired::{DesiredState, Drain, Observed, Scope};
use ipvs_rs::model::{AddressFamily, Config, Protocol, SyncDaemon, TableService};
use ipvs_rs::{Scheduler, Service, ServiceEntry, ServiceId};
use serde_json::{Value, json};

use super::given::{WEB, WEB_1, WEB_2, live, wanted};

fn whole() -> (Observed, Plan) {
    let mut live = live(&[
        "-A -t 192.0.2.80:80 -s rr -p 300",
        WEB_1,
        WEB_2,
        "-A -f 77 -s rr",
        "-a -f 77 -r 10.0.0.1:0 -m -w 1",
        "-A -t 203.0.113.1:80 -s rr",
    ]);
    live.timeouts = Some(Config::new().tcp(Duration::from_secs(900)).unwrap());
    live.sync = Some(vec![SyncDaemon::master("eth0").unwrap()]);
    let web = wanted(
        "-A -t 192.0.2.80:80 -s wlc",
        &[
            "-a -t 192.0.2.80:80 -r 198.51.100.13:80 -i -w 0 --tun-type gue --tun-port 6080",
            "-a -t 192.0.2.80:80 -r 198.51.100.11:80 -m -w 0 -x 5 -y 4",
        ],
    );
    let new =
        wanted("-A -u [2001:db8::1]:53 -s mh -b mh-port -o", &["-a -u [2001:db8::1]:53 -r [2001:db8::2]:53 -g -w 3"]);
    let desired = DesiredState::new()
        .service(web.named("web"))
        .service(new)
        .timeouts(Config::new().tcp(Duration::from_secs(60)).unwrap())
        .sync(vec![SyncDaemon::backup("eth1").unwrap().sync_id(7)])
        .drain(Drain::new(Duration::from_secs(60)))
        .scope(Scope::all().ignore("*://203.0.113.0/24".parse().unwrap()));
    let plan = plan(&live, &desired, &PlanOptions::new().prune(true));
    (live, plan)
}

fn through_text(saved: &SavedPlan) -> SavedPlan {
    serde_json::from_str(&serde_json::to_string(saved).unwrap()).unwrap()
}

#[test]
fn a_plan_is_the_same_after_it_was_saved() {
    let (live, plan) = whole();
    let again = through_text(&plan.saved(&live)).plan(&live).unwrap();
    assert_eq!(again.rules().to_string(), plan.rules().to_string());
    assert_eq!(again.to_string(), plan.to_string());
}

#[test]
fn a_plan_is_not_carried_out_on_another_table() {
    let (live, plan) = whole();
    let saved = plan.saved(&live);
    let mut other = live.clone();
    other.table.services[0].destinations.pop();
    assert!(matches!(saved.plan(&other), Err(SavedPlanError::Stale { .. })));
    let mut outside = live.clone();
    outside.table.services.pop();
    assert!(saved.plan(&outside).is_ok());
    let mut busy = live;
    busy.table.services[0].service.stats.connections = 99;
    assert!(saved.plan(&busy).is_ok());
}

#[test]
fn objects_outside_of_a_plan_may_have_changed() {
    let before = live(&[WEB]);
    let plan = plan(&before, &DesiredState::new(), &PlanOptions::new().prune(true));
    let saved = plan.saved(&before);
    let mut now = before;
    now.timeouts = Some(Config::new().udp(Duration::from_secs(1)).unwrap());
    now.sync = Some(vec![SyncDaemon::master("eth0").unwrap()]);
    assert!(saved.plan(&now).is_ok());
}

#[test]
fn a_saved_plan_is_json_for_scripts() {
    let live = live(&[WEB, WEB_1, WEB_2]);
    let desired =
        DesiredState::new().service(wanted(WEB, &["-a -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 200"]).named("web"));
    let saved = plan(&live, &desired, &PlanOptions::new().prune(true)).saved(&live);
    assert_eq!(
        serde_json::to_value(&saved).unwrap(),
        json!({
            "format": 1,
            "fingerprint": live.fingerprint(&Scope::all()),
            "summary": {"add": 0, "change": 1, "delete": 1},
            "operations": [
                {
                    "type": "update-destination",
                    "service": {"name": "web", "address": "tcp://192.0.2.80:80"},
                    "destination": {"address": "198.51.100.11:80", "weight": 200, "forward": "direct"},
                    "changes": [{"field": "weight", "from": 100, "to": 200}]
                },
                {
                    "type": "delete-destination",
                    "service": {"name": "web", "address": "tcp://192.0.2.80:80"},
                    "destination": {"address": "198.51.100.12:80"}
                }
            ]
        })
    );
}

#[test]
fn other_file_than_a_plan_is_refused() {
    let (live, plan) = whole();
    let good = serde_json::to_value(plan.saved(&live)).unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value = good.clone();
        change(&mut value);
        serde_json::from_value::<SavedPlan>(value)
    };
    assert_eq!(
        changed(&|plan| plan["format"] = json!(2)).unwrap().plan(&live).unwrap_err().to_string(),
        "the plan has format 2, this program knows format 1"
    );
    assert!(changed(&|plan| plan["operations"][0]["type"] = json!("drop-table")).is_err());
    assert_eq!(changed(&|plan| plan["more"] = json!(1)).unwrap_err().to_string(), "unknown field `more`");
    let at = |kind: &str| good["operations"].as_array().unwrap().iter().position(|item| item["type"] == kind).unwrap();
    let place = at("add-service");
    let broken = changed(&|plan| plan["operations"][place]["service"]["sched"] = json!("a-long-scheduler")).unwrap();
    assert_eq!(
        broken.plan(&live).unwrap_err().to_string(),
        format!(
            "operation {} of the plan (add-service) is broken: invalid scheduler (a-long-scheduler) for service \
             (udp://[2001:db8::1]:53).",
            place + 1
        )
    );
    let place = at("delete-destination");
    let gone = changed(&|plan| plan["operations"][place]["destination"]["address"] = json!("10.9.9.9:1")).unwrap();
    assert_eq!(
        gone.plan(&live).unwrap_err().to_string(),
        format!("operation {} of the plan (delete-destination) is broken: its destination is not there", place + 1)
    );
}

#[test]
fn a_saved_plan_deletes_what_no_file_would_make() {
    let mut live = live(&["-A -t 192.0.2.1:80 -s rr", "-a -t 192.0.2.1:80 -r [2001:db8::1]:80 -i -w 1"]);
    let ids = [
        ServiceId::verbatim(Protocol::from_number(300), [192, 0, 2, 1].into(), 80),
        ServiceId::verbatim(Protocol::TCP, "::ffff:192.0.2.1".parse().unwrap(), 80),
        ServiceId::fwmark(7, AddressFamily::Ipv6).unwrap(),
    ];
    let rows = ids.map(|id| TableService::new(ServiceEntry::new(Service::new(id, Scheduler::Rr)), Vec::new()));
    live.table.services.extend(rows);
    let lonely = DesiredState::new().service(Service::new(live.table.services[0].id(), Scheduler::Rr).into());
    for desired in [DesiredState::new(), lonely] {
        let plan = plan(&live, &desired, &PlanOptions::new().prune(true));
        assert_eq!(plan.summary().delete, 4);
        let saved: SavedPlan = serde_json::from_str(&serde_json::to_string(&plan.saved(&live)).unwrap()).unwrap();
        assert_eq!(saved.plan(&live), Ok(plan));
    }
}

#[test]
fn a_plan_that_an_earlier_version_has_saved_is_loaded() {
    let (live, plan) = whole();
    let saved: SavedPlan = serde_json::from_str(include_str!("saved_format_1.json")).unwrap();
    let again = saved.plan(&live).unwrap();
    assert_eq!(again.rules().to_string(), plan.rules().to_string());
    assert_eq!(again.to_string(), plan.to_string());
}
