//! Laws of every table, every state and every moment at which something goes wrong.

use ipvs_rs::desired::apply::{ApplyOptions, Cause, Interrupt, OnError};
use ipvs_rs::desired::plan::{Actions, Change, Object, PlanOptions, plan};
use ipvs_rs::desired::{DesiredState, DestinationAttributes, Observed, ServiceAttributes};
use ipvs_rs::error::Errno;
use ipvs_rs::testing::{Fault, FaultPlan as Mishaps};
use proptest::collection::vec;
use proptest::prelude::*;

use super::state::{State, assert_untouched};
use super::universe::{Case, Dice};
use super::world::{Driver, Interrupter, World};

fn arb_case() -> impl Strategy<Value = Case> {
    vec(any::<u8>(), 0..400).prop_map(|bytes| Dice(&bytes).case())
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// More steps than any of these plans has.
const MANY: usize = 400;

/// The state after a plan that does not leave anything as it is found.
fn goal(before: &State, desired: &DesiredState) -> State {
    let mut goal = before.clone();
    goal.services.retain(|id, _| !desired.scope.covers(id));
    for service in &desired.services {
        let destinations = service.destinations.iter().map(|it| (it.id(), it.created())).collect();
        goal.services.insert(service.id(), (service.service.clone(), destinations));
    }
    goal.config.tcp = desired.timeouts.tcp.or(goal.config.tcp);
    goal.config.tcp_fin = desired.timeouts.tcp_fin.or(goal.config.tcp_fin);
    goal.config.udp = desired.timeouts.udp.or(goal.config.udp);
    goal
}

fn leaves_nothing_alone(mut desired: DesiredState) -> DesiredState {
    for service in &mut desired.services {
        service.left_alone = ServiceAttributes::empty();
        service.destinations.iter_mut().for_each(|destination| destination.left_alone = DestinationAttributes::empty());
    }
    desired
}

/// The table is the desired state, and objects that are not managed are as they were.
fn assert_reached(world: &World, before: &State, desired: &DesiredState) {
    let plan = world.plan(desired);
    assert!(plan.is_empty(), "left to do: {plan}");
    assert_untouched(before, &world.state(), desired);
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn plan_of_what_is_there_is_empty(case in arb_case()) {
        let mut live = Observed::new(case.table.clone());
        live.timeouts = Some(case.config);
        live.sync = Some(case.daemons.clone());
        let desired = DesiredState::from(&case.table).timeouts(case.config).sync(case.daemons);
        prop_assert!(plan(&live, &desired, &PlanOptions::new().prune(true)).is_empty());
    }

    #[test]
    fn goal_is_reached_from_anywhere_and_the_second_time_nothing_is_written(case in arb_case()) {
        let world = World::new().hold(&case);
        let before = world.state();
        let plan = world.plan(&case.desired);
        prop_assume!(plan.conflicts().is_empty());
        let report = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap();
        prop_assert!(report.is_complete(), "{report:?}");
        prop_assert_eq!((report.done, report.failed, report.changed), (plan.len(), 0, plan.len()));
        assert_reached(&world, &before, &case.desired);

        world.forget();
        let plan = ipvs_rs::desired::plan::plan(&world.live(&case.desired), &case.desired, &PlanOptions::new().prune(true));
        prop_assert!(world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap().is_complete());
        prop_assert_eq!(world.requests(), 0);
    }

    #[test]
    fn where_nothing_is_left_alone_the_table_is_the_state(case in arb_case()) {
        let world = World::new().hold(&case);
        let desired = leaves_nothing_alone(case.desired);
        let before = world.state();
        let plan = world.plan(&desired);
        prop_assume!(plan.conflicts().is_empty());
        let _report = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap();
        let (goal, after) = (goal(&before, &desired), world.state());
        prop_assert_eq!((goal.services, goal.config), (after.services, after.config));
        if let Some(daemons) = &desired.sync {
            prop_assert_eq!(daemons.len(), after.daemons.len());
        }
    }

    #[test]
    fn kept_weights_do_not_change(case in arb_case()) {
        let world = World::new().hold(&case);
        let before = world.state();
        let plan = plan(&world.live(&case.desired), &case.desired, &PlanOptions::new().prune(true).keep_weights(true));
        prop_assume!(plan.conflicts().is_empty());
        let _report = world.apply(&plan, ApplyOptions::new(), &mut ()).unwrap();
        for (id, (_, destinations)) in world.state().services {
            for (destination, now) in destinations {
                let was = before.services.get(&id).and_then(|(_, all)| all.get(&destination));
                prop_assert!(was.is_none_or(|was| was.weight == now.weight), "{} of {}", destination, id);
            }
        }
    }

    #[test]
    fn forbidden_action_means_that_nothing_is_sent(case in arb_case(), bits in 0..512u16) {
        let world = World::new().hold(&case);
        let plan = world.plan(&case.desired);
        let allowed = Actions::from_bits_truncate(bits);
        let is_forbidden = plan.forbidden(allowed).count() > 0;
        let applied = world.apply(&plan, ApplyOptions::new().allowed(allowed), &mut ());
        if !plan.conflicts().is_empty() {
            prop_assert!(applied.unwrap_err().is_conflict());
            prop_assert_eq!(world.requests(), 0);
        } else if is_forbidden {
            let error = applied.unwrap_err();
            prop_assert!(matches!(error.cause(), Cause::Forbidden(_)) && error.is_refused() && error.is_rolled_back());
            prop_assert_eq!(world.requests(), 0);
        } else {
            prop_assert!(applied.unwrap().is_complete());
        }
    }
}

/// Does something for every moment at which something can go wrong, with each driver: each time a kernel as at the
/// beginning. Ends when the function says that the moment was too late.
fn at_every_step(
    case: &Case,
    make: fn() -> World,
    mut body: impl FnMut(&World, &ipvs_rs::desired::plan::Plan, usize) -> bool,
) {
    for driver in Driver::ALL {
        let ends = |step| {
            let world = make().driven_by(*driver).hold(case);
            let plan = world.plan(&case.desired);
            !plan.conflicts().is_empty() || body(&world, &plan, step)
        };
        assert!((0..MANY).any(ends), "it never came to an end with {driver:?}");
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn after_a_failure_at_any_step_the_table_is_as_it_was(case in arb_case(), one_by_one in any::<bool>()) {
        let make = if one_by_one { World::one_by_one } else { World::new };
        at_every_step(&case, make, |world, plan, step| {
            let before = world.state();
            world.kernel.misbehave(Mishaps::new().well(step).then(Fault::Refuse(Errno::EPERM)));
            let applied = world.apply(plan, ApplyOptions::new(), &mut ());
            world.kernel.behave();
            match applied {
                Err(error) => {
                    assert!(error.is_rolled_back(), "{error}");
                    assert_eq!(error.report().changed, error.report().rolled_back);
                    assert_eq!(world.state(), before, "{error}");
                    false
                }
                Ok(report) => {
                    assert!(report.is_complete());
                    assert_reached(world, &before, &case.desired);
                    // Reading counters is tried again.
                    world.writes().len() <= step
                }
            }
        });
    }

    #[test]
    fn answers_that_get_lost_at_any_step_change_nothing(
        case in arb_case(),
        kind in 0..4usize,
        one_by_one in any::<bool>(),
    ) {
        let make = if one_by_one { World::one_by_one } else { World::new };
        let fault = [Fault::Silence, Fault::Drop, Fault::Lose(1), Fault::Refuse(Errno::ENOBUFS)][kind].clone();
        at_every_step(&case, make, |world, plan, step| {
            let before = world.state();
            world.kernel.misbehave(Mishaps::new().well(step).then(fault.clone()));
            let report = world.apply(plan, ApplyOptions::new(), &mut ()).unwrap();
            world.kernel.behave();
            assert!(report.is_complete() && report.warnings.is_empty(), "{report:?}");
            assert_reached(world, &before, &case.desired);
            world.writes().len() <= step
        });
    }

    #[test]
    fn after_it_stopped_at_any_step_the_rest_can_be_done(case in arb_case(), goes_on in any::<bool>()) {
        let on_error = if goes_on { OnError::Continue } else { OnError::Stop };
        at_every_step(&case, World::one_by_one, |world, plan, step| {
            let before = world.state();
            world.kernel.misbehave(Mishaps::new().well(step).then(Fault::Refuse(Errno::EINVAL)));
            let applied = world.apply(plan, ApplyOptions::new().on_error(on_error), &mut ());
            world.kernel.behave();
            assert_untouched(&before, &world.state(), &case.desired);
            let Err(error) = applied else {
                assert_reached(world, &before, &case.desired);
                return world.writes().len() <= step;
            };
            assert_eq!(error.failures().len(), 1, "{error:#?}");
            // A daemon that could not be stopped keeps the next one from starting, if that is tried at all.
            let stayed = match error.operation().map(|operation| &operation.object) {
                Some(Object::SyncDaemon(Change { before: Some(stopped), after: None })) if goes_on => {
                    let starts = |object: &Object| match object {
                        Object::SyncDaemon(Change { after: Some(daemon), .. }) => daemon.role == stopped.role,
                        _ => false,
                    };
                    plan.operations().iter().any(|operation| starts(&operation.object))
                }
                _ => false,
            };
            assert_eq!((error.report().failed, error.report().rolled_back), (1 + usize::from(stayed), 0));
            if goes_on {
                assert_eq!(error.report().done + error.report().failed, plan.len(), "{error}");
            }
            let rest = world.plan(&case.desired);
            assert!(!rest.is_empty());
            let _report = world.apply(&rest, ApplyOptions::new(), &mut ()).unwrap();
            assert_reached(world, &before, &case.desired);
            false
        });
    }

    #[test]
    fn interrupt_at_any_step_leaves_the_old_table_or_one_that_can_be_completed(case in arb_case(), now in any::<bool>()) {
        let with = if now { Interrupt::Now } else { Interrupt::Stop };
        at_every_step(&case, World::one_by_one, |world, plan, step| {
            let before = world.state();
            let mut observer = Interrupter::new(step, with);
            let applied = world.apply(plan, ApplyOptions::new(), &mut observer);
            match &applied {
                Ok(report) => assert_eq!(report.is_interrupted, observer.asked > step),
                Err(error) => {
                    assert!(matches!(error.cause(), Cause::Interrupted), "{error:?}");
                    assert_eq!(error.is_rolled_back(), !now || error.report().changed == 0);
                    if error.is_rolled_back() {
                        assert_eq!(world.state(), before);
                    }
                }
            }
            assert_untouched(&before, &world.state(), &case.desired);
            let rest = world.plan(&case.desired);
            let _report = world.apply(&rest, ApplyOptions::new(), &mut ()).unwrap();
            assert_reached(world, &before, &case.desired);
            observer.asked <= step
        });
    }
}
