//! The operations of a plan, and their order.

use std::time::Duration;

use ipvs_rs::desired::plan::{Actions, Conflict, Draining, Plan, PlanOptions, Verb, plan};
use ipvs_rs::desired::{
    Activity, DesiredDestination, DesiredService, DesiredState, DestinationAttributes, Drain, Observed, Scope,
    ServiceAttributes,
};
use ipvs_rs::model::{Config, SyncDaemon};

use super::given::{WEB, WEB_1, WEB_2, WEB_3, desired, destination, live, service, wanted};

fn rules(plan: &Plan) -> Vec<String> {
    plan.rules().to_string().lines().map(str::to_owned).collect()
}

fn planned(live: &Observed, desired: &DesiredState) -> Vec<String> {
    rules(&plan(live, desired, &PlanOptions::new().prune(true)))
}

#[test]
fn existing_objects_need_nothing() {
    let all = [WEB, WEB_1, WEB_2, "-A -f 7 -s wlc -p 300", "-A -u [2001:db8::1]:53 -s rr -o"];
    assert_eq!(planned(&live(&all), &desired(&all)), Vec::<String>::new());
}

#[test]
fn order_of_a_list_does_not_matter() {
    assert!(
        plan(&live(&[WEB, WEB_1, WEB_2]), &desired(&[WEB, WEB_2, WEB_1]), &PlanOptions::new().prune(true)).is_empty()
    );
}

#[test]
fn additions_come_before_deletions() {
    let live = live(&["-A -t 192.0.2.1:80 -s rr", "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1", WEB, WEB_1, WEB_2]);
    let desired = desired(&[
        "-A -t 192.0.2.80:80 -s wlc",
        "-a -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 5",
        WEB_3,
        "-A -t 192.0.2.2:80 -s rr",
        "-a -t 192.0.2.2:80 -r 10.0.0.1:80 -m -w 1",
    ])
    .timeouts(Config::new().tcp(Duration::from_secs(60)).unwrap())
    .sync(vec![SyncDaemon::master("eth1").unwrap()]);
    let mut live = live;
    live.timeouts = Some(Config::new().tcp(Duration::from_secs(900)).unwrap().udp(Duration::from_secs(300)).unwrap());
    live.sync = Some(vec![SyncDaemon::master("eth0").unwrap()]);
    assert_eq!(
        planned(&live, &desired),
        [
            "--set 60 0 0",
            "-A -t 192.0.2.2:80 -s rr",
            "-a -t 192.0.2.2:80 -r 10.0.0.1:80 -m -w 1",
            "-E -t 192.0.2.80:80 -s wlc",
            "-a -t 192.0.2.80:80 -r 198.51.100.13:80 -g -w 100",
            "-e -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 5",
            "-d -t 192.0.2.80:80 -r 198.51.100.12:80",
            "-D -t 192.0.2.1:80",
            "--stop-daemon master",
            "--start-daemon master --mcast-interface eth1",
        ]
    );
}

#[test]
fn weight_0_and_weight_1_are_different() {
    let live = live(&["-A -t 192.0.2.1:80 -s rr", "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 1"]);
    let desired = desired(&["-A -t 192.0.2.1:80 -s rr", "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 0"]);
    assert_eq!(planned(&live, &desired), ["-e -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 0"]);
}

#[test]
fn settings_that_are_left_alone_survive_a_change_of_the_scheduler() {
    let live = live(&["-A -t 192.0.2.1:80 -s sh -p 300 -b sh-port"]);
    let left_alone = wanted("-A -t 192.0.2.1:80 -s mh", &[]).left_alone(ServiceAttributes::all());
    assert_eq!(
        planned(&live, &DesiredState::new().service(left_alone)),
        ["-E -t 192.0.2.1:80 -s mh -p 300 -b mh-port"]
    );
    let managed = wanted("-A -t 192.0.2.1:80 -s mh", &[]);
    assert_eq!(planned(&live, &DesiredState::new().service(managed)), ["-E -t 192.0.2.1:80 -s mh"]);
}

#[test]
fn settings_that_are_left_alone_survive_a_change_of_the_weight() {
    let tunnel = "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -i -w 1 -x 50 -y 40 --tun-type gue --tun-port 6080";
    let live = live(&["-A -t 192.0.2.1:80 -s rr", tunnel]);
    let (_, plain) = destination("-a -t 192.0.2.1:80 -r 10.0.0.1:80 -i -w 9");
    let with = |left_alone| {
        let destination = DesiredDestination::new(plain.clone()).left_alone(left_alone);
        let service = DesiredService::new(service("-A -t 192.0.2.1:80 -s rr")).destination(destination);
        planned(&live, &DesiredState::new().service(service))
    };
    let gue = "--tun-type gue --tun-port 6080 --tun-nocsum";
    assert_eq!(
        with(DestinationAttributes::TUNNEL | DestinationAttributes::THRESHOLDS),
        [format!("-e -t 192.0.2.1:80 -r 10.0.0.1:80 -i -w 9 -x 50 -y 40 {gue}")]
    );
    assert_eq!(
        with(DestinationAttributes::THRESHOLDS),
        ["-e -t 192.0.2.1:80 -r 10.0.0.1:80 -i -w 9 -x 50 -y 40 --tun-type ipip"]
    );
    assert_eq!(
        with(DestinationAttributes::WEIGHT | DestinationAttributes::TUNNEL),
        [format!("-e -t 192.0.2.1:80 -r 10.0.0.1:80 -i -w 1 {gue}")]
    );
}

#[test]
fn destination_that_leaves_tunneling_does_not_keep_its_tunnel() {
    let live = live(&["-A -t 192.0.2.1:80 -s rr", "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -i -w 1"]);
    let (_, direct) = destination("-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1");
    let direct = DesiredDestination::new(direct).left_alone(DestinationAttributes::TUNNEL);
    let service = DesiredService::new(service("-A -t 192.0.2.1:80 -s rr")).destination(direct);
    assert_eq!(planned(&live, &DesiredState::new().service(service)), ["-e -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1"]);
}

#[test]
fn weights_can_be_kept_where_destinations_are_there() {
    let live = live(&[WEB, "-a -t 192.0.2.80:80 -r 198.51.100.11:80 -m -w 0"]);
    let desired = desired(&[WEB, WEB_1, WEB_2]);
    let plan = plan(&live, &desired, &PlanOptions::new().prune(true).keep_weights(true));
    assert_eq!(
        rules(&plan),
        ["-a -t 192.0.2.80:80 -r 198.51.100.12:80 -g -w 100", "-e -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 0",]
    );
}

#[test]
fn a_destination_that_drains_has_weight_0_and_gets_its_own_back() {
    let (_, ten) = destination("-a -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 10");
    let with = |activity| {
        let destination = DesiredDestination::new(ten.clone()).activity(activity);
        DesiredState::new().service(DesiredService::new(service(WEB)).destination(destination))
    };
    let at = |weight| live(&[WEB, &format!("-a -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w {weight}")]);
    assert_eq!(planned(&at(10), &with(Activity::Drain)), ["-e -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 0"]);
    assert_eq!(planned(&at(0), &with(Activity::Drain)), Vec::<String>::new());
    assert_eq!(planned(&at(0), &with(Activity::Active)), ["-e -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 10"]);
    assert_eq!(planned(&live(&[WEB]), &with(Activity::Drain)), ["-a -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 0"]);
}

#[test]
fn objects_outside_of_the_scope_are_left_alone() {
    let live = live(&[WEB, WEB_1, "-A -t 203.0.113.1:80 -s rr", "-A -f 7 -s rr"]);
    let scope = Scope::all().manage("tcp://192.0.2.0/24".parse().unwrap()).ignore("*://192.0.2.9".parse().unwrap());
    let plan = plan(&live, &DesiredState::new().scope(scope), &PlanOptions::new().prune(true));
    assert_eq!(rules(&plan), ["-D -t 192.0.2.80:80"]);
    assert_eq!(plan.outside(), 2);
}

#[test]
fn a_service_that_is_wanted_outside_of_the_scope_is_a_conflict() {
    let scope = Scope::all().manage("tcp://203.0.113.0/24".parse().unwrap());
    let plan = plan(&Observed::default(), &desired(&[WEB, WEB_1]).scope(scope), &PlanOptions::new().prune(true));
    assert!(plan.is_empty());
    assert_eq!(
        plan.conflicts().iter().map(Conflict::to_string).collect::<Vec<_>>(),
        ["service TCP 192.0.2.80:80 is outside of the scope"]
    );
}

#[test]
fn services_are_not_deleted_without_pruning_but_destinations_are() {
    let live = live(&[WEB, WEB_1, WEB_2, "-A -f 7 -s rr"]);
    let plan = plan(&live, &desired(&[WEB, WEB_1]), &PlanOptions::new().prune(true).prune(false));
    assert_eq!(rules(&plan), ["-d -t 192.0.2.80:80 -r 198.51.100.12:80"]);
}

#[test]
fn the_last_of_an_identity_counts() {
    let desired = desired(&[WEB, WEB_1, "-A -t 192.0.2.80:80 -s wlc"]);
    assert_eq!(planned(&Observed::default(), &desired), ["-A -t 192.0.2.80:80 -s wlc"]);
    let twice = wanted(WEB, &[WEB_1, "-a -t 192.0.2.80:80 -r 198.51.100.11:80 -m -w 3"]);
    assert_eq!(
        planned(&live(&[WEB]), &DesiredState::new().service(twice)),
        ["-a -t 192.0.2.80:80 -r 198.51.100.11:80 -m -w 3"]
    );
}

#[test]
fn families_of_the_same_mark_are_two_services() {
    assert_eq!(planned(&live(&["-A -f 7 -s rr"]), &desired(&["-A -f 7 -6 -s rr"])), ["-A -f 7 -6 -s rr", "-D -f 7"]);
}

#[test]
fn only_timeouts_that_are_desired_and_differ_are_set() {
    let mut live = live(&[]);
    let secs = Duration::from_secs;
    live.timeouts = Some(Config::new().tcp(secs(900)).unwrap().tcp_fin(secs(120)).unwrap().udp(secs(300)).unwrap());
    let same = DesiredState::new().timeouts(Config::new().tcp(secs(900)).unwrap());
    assert_eq!(planned(&live, &same), Vec::<String>::new());
    let other = DesiredState::new().timeouts(Config::new().tcp(secs(900)).unwrap().udp(secs(60)).unwrap());
    assert_eq!(planned(&live, &other), ["--set 0 0 60"]);
}

#[test]
fn daemon_is_compared_by_its_given_settings() {
    let mut live = live(&[]);
    let runs = SyncDaemon::master("eth1").unwrap().sync_id(7).port(8848).unwrap().ttl(1).unwrap();
    live.sync = Some(vec![runs]);
    let with = |daemons| planned(&live, &DesiredState::new().sync(daemons));
    assert_eq!(with(vec![SyncDaemon::master("eth1").unwrap().sync_id(7)]), Vec::<String>::new());
    assert_eq!(
        with(vec![SyncDaemon::master("eth1").unwrap().sync_id(7).ttl(2).unwrap()]),
        ["--stop-daemon master", "--start-daemon master --mcast-interface eth1 --syncid 7 --mcast-ttl 2"]
    );
    assert_eq!(with(vec![]), ["--stop-daemon master"]);
    assert_eq!(
        with(vec![SyncDaemon::backup("eth1").unwrap()]),
        ["--stop-daemon master", "--start-daemon backup --mcast-interface eth1"]
    );
    assert_eq!(planned(&live, &DesiredState::new()), Vec::<String>::new());
}

#[test]
fn a_daemon_that_is_in_the_way_of_a_mixed_service_stops_first() {
    let mixed = desired(&["-A -t 192.0.2.1:80 -s rr", "-a -t 192.0.2.1:80 -r [2001:db8::1]:80 -i -w 1"]);
    let mut live = live(&["-A -f 7 -s rr"]);
    live.sync = Some(vec![SyncDaemon::master("eth1").unwrap()]);
    assert_eq!(
        planned(&live, &mixed.clone().sync(vec![])),
        [
            "--stop-daemon master",
            "-A -t 192.0.2.1:80 -s rr",
            "-a -t 192.0.2.1:80 -r [2001:db8::1]:80 -i -w 1 --tun-type ipip",
            "-D -f 7",
        ]
    );
    let conflicts = plan(&live, &mixed, &PlanOptions::new().prune(true));
    assert_eq!(
        conflicts.conflicts().iter().map(Conflict::to_string).collect::<Vec<_>>(),
        ["destination [2001:db8::1]:80 of service TCP 192.0.2.1:80 is of the other address family, which the kernel \
          refuses while the master synchronization daemon runs"]
    );
}

#[test]
fn a_daemon_cannot_start_while_a_mixed_service_stays() {
    let mut live = live(&["-A -t 192.0.2.1:80 -s rr", "-a -t 192.0.2.1:80 -r [2001:db8::1]:80 -i -w 1"]);
    live.sync = Some(vec![]);
    let start = DesiredState::new().sync(vec![SyncDaemon::master("eth1").unwrap()]);
    assert_eq!(plan(&live, &start, &PlanOptions::new().prune(true)).conflicts(), []);
    assert_eq!(plan(&live, &start, &PlanOptions::new().prune(true).prune(false)).conflicts().len(), 1);
}

#[test]
fn destinations_are_drained_as_their_service_says_or_else_as_the_state_or_the_caller() {
    let (minute, second) = (Drain::new(Duration::from_secs(60)), Drain::new(Duration::from_secs(1)));
    let live = live(&[WEB, WEB_1, "-A -f 7 -s rr", "-a -f 7 -r 10.0.0.1:0 -m -w 1", "-A -f 8 -s rr"]);
    let state =
        DesiredState::new().drain(minute).service(wanted(WEB, &[]).drain(second)).service(wanted("-A -f 7 -s rr", &[]));
    let drains = |state: &DesiredState, draining| -> Vec<Option<Drain>> {
        let plan = plan(&live, state, &PlanOptions::new().prune(true).draining(draining));
        plan.operations()
            .iter()
            .map(|operation| {
                assert_eq!(operation.verb(), Verb::Delete, "{operation:?}");
                operation.drain
            })
            .collect()
    };
    assert_eq!(drains(&state, Draining::AsDesired), [Some(second), Some(minute), Some(minute)]);
    assert_eq!(drains(&state, Draining::Never), [None, None, None]);
    assert_eq!(drains(&state, Draining::Always(second)), [Some(second), Some(second), Some(second)]);
}

#[test]
fn each_operation_needs_exactly_its_actions() {
    let live = live(&[WEB, WEB_1, WEB_2, "-A -f 7 -s rr"]);
    let desired = desired(&[
        "-A -t 192.0.2.80:80 -s wlc",
        "-a -t 192.0.2.80:80 -r 198.51.100.11:80 -g -w 5",
        WEB_3,
        "-A -t 192.0.2.2:80 -s rr",
        "-a -t 192.0.2.2:80 -r 10.0.0.1:80 -m -w 1",
        "-A -t 192.0.2.3:80 -s rr",
    ]);
    let plan = plan(&live, &desired, &PlanOptions::new().prune(true));
    let needed: Vec<_> = plan.operations().iter().map(|operation| Actions::needed_by(operation).to_string()).collect();
    assert_eq!(needed, ["as,ad", "as", "us", "ad", "ud", "dd", "ds"]);
    let without: Actions = "as,us,ds,ud,dd".parse().unwrap();
    assert_eq!(plan.forbidden(without).count(), 2);
    assert_eq!(plan.forbidden("*".parse().unwrap()).count(), 0);
}

#[test]
fn unknown_actions_are_refused() {
    for (text, error) in [
        ("", "invalid action: "),
        ("xs", "invalid action: xs"),
        ("as,*", "invalid action: *"),
        ("as, us", "invalid action:  us"),
        ("as,,us", "invalid action: "),
        ("AS", "invalid action: AS"),
    ] {
        assert_eq!(text.parse::<Actions>().unwrap_err().to_string(), error, "{text:?}");
    }
    assert_eq!("as,us,ds,ad,ud,dd,ut,ay,dy".parse::<Actions>().unwrap(), Actions::all());
}
