//! Clients without privilege.

use ipvs_rs::testing::Release;

use crate::conformance::privilege;
use crate::world::World;

#[test]
fn unprivileged_may_look_the_family_up_and_nothing_else() {
    for world in Release::ALL.map(|release| World::of(release).unprivileged()) {
        privilege::every_call_is_refused_and_says_what_it_takes(&world);
        privilege::command_that_cannot_be_done_is_refused_for_that_or_for_privilege(&world);
    }
}
