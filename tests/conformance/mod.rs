//! The behavior of IPVS as seen through a handle: one suite for every kernel.
//!
//! A case is a function over a [`World`], which is a kernel and a fresh network namespace of it. `tests/fake` runs all of
//! them on the kernel in memory, `tests/vm` on the real one; where the two differ, the one in memory is wrong. What a
//! kernel cannot do is printed as a note and left out.
//!
//! The handle is that of the module `client` beside this one: the blocking one, or the async one in its clothes.

pub mod batch;
pub mod concurrency;
pub mod config;
pub mod controller;
pub mod datagrams;
pub mod destinations;
pub mod errors;
pub mod idempotent;
pub mod isolation;
pub mod privilege;
pub mod raw;
pub mod requests;
pub mod scale;
pub mod services;
pub mod sync;
pub mod traffic;
pub mod values;
pub mod wire;
mod world;

use super::client;
pub use world::{Interface, Network, Options, TestConnection, World};

/// Hands all cases to a macro, but for those of [`privilege`], which want a world without privilege. Those that are
/// `alone` read lists of more than one datagram, or state that all namespaces share: with a real kernel before Linux 7,
/// where one table holds the services of all namespaces, no other test must change anything meanwhile.
macro_rules! cases {
    ($run:ident) => {
        $run! {
            services {
                fresh service_of_every_kind_with_every_scheduler_is_made_found_changed_and_deleted;
                fresh service_is_absent_then_present_then_absent;
                fresh flush_leaves_nothing_of_none_one_and_many;
                fresh flush_reaches_no_other_namespace;
                fresh one_mark_names_a_service_in_each_family;
                fresh service_on_any_address_port_and_protocol_is_kept_as_written;
                fresh services_that_differ_in_one_part_of_the_name_are_several;
            }
            values {
                fresh persistence_is_read_as_written;
                fresh without_persistence_the_whole_address_is_stored;
                fresh mask_of_the_other_family_is_refused_before_it_is_sent;
                fresh flags_are_read_as_written_changed_and_cleared;
                fresh one_packet_is_stored_where_it_has_no_use;
                fresh persistence_engine_survives_the_change_of_another_setting_and_goes_when_told;
                fresh changing_one_setting_changes_only_that_one;
                fresh persistence_without_its_flag_is_stored_and_survives_an_update;
                fresh unnamed_values_survive_an_update;
            }
            destinations {
                fresh destinations_of_every_kind_of_service_and_method_are_made_listed_changed_and_deleted;
                fresh weights_are_read_as_written;
                fresh thresholds_are_read_as_written;
                fresh tunnels_are_read_as_written;
                fresh server_of_the_other_family_is_reached_by_a_tunnel_only;
                fresh addresses_that_look_like_another_family_stay_what_they_are;
                fresh addresses_that_are_not_of_one_machine_are_refused;
                fresh addresses_of_this_machine_are_taken_even_if_no_other_could_have_them;
                fresh unknown_service_has_no_destinations_and_can_be_told_from_an_empty_one;
                fresh destinations_go_with_their_service_and_survive_its_update;
                fresh update_keeps_the_place_in_the_list;
                fresh unnamed_values_survive_an_update;
            }
            errors {
                fresh every_refusal_says_what_was_attempted_on_what_and_why;
                fresh words_and_attribute_of_the_kernel_are_passed_on;
                fresh refusal_changes_nothing_and_leaves_the_handle_usable;
            }
            batch {
                fresh failures_in_any_place_stop_nothing;
                fresh empty_batch_succeeds_and_batch_of_one_equals_the_call;
                alone more_than_a_datagram_holds_is_split;
                fresh no_answer_is_lost_when_every_command_fails;
                fresh larger_receive_buffer_sends_more_at_once_and_loses_nothing;
                fresh value_that_cannot_be_refuses_the_whole_batch;
                fresh every_kind_of_command_travels_in_one_batch;
                fresh batch_makes_it_so_whatever_was_there;
                fresh batch_takes_commands_in_a_loop;
                alone every_other_failure_of_thousand_leaves_the_rest_done;
                alone more_than_the_send_buffer_holds_is_split_where_every_answer_would_fit;
                fresh answers_that_do_not_fit_the_receive_buffer_are_reported_as_lost;
                fresh nothing_is_called_missing_when_the_number_of_the_family_is_in_doubt;
            }
            config {
                fresh timeouts_are_read_as_written_and_those_left_out_are_kept;
                fresh timeout_that_is_too_long_for_the_clock_changes_nothing;
                fresh timeouts_belong_to_the_namespace;
                fresh kernel_tells_its_version_and_the_size_of_its_table;
            }
            idempotent {
                fresh service_is_made_then_left_alone_then_changed_then_removed_once;
                fresh destination_is_made_then_left_alone_then_changed_then_removed_once;
                fresh one_setting_of_a_destination_is_changed_and_the_rest_kept;
            }
            sync {
                fresh daemon_is_started_with_each_attribute_listed_and_stopped;
                fresh ipv6_group_alone_leaves_room_for_the_longer_header;
                fresh master_and_backup_run_together_each_in_its_own_way;
                fresh stop_right_after_the_start_neither_hangs_nor_lies;
                fresh daemon_and_server_of_another_family_exclude_each_other;
                fresh flush_leaves_daemons_alone;
                fresh list_that_is_being_read_tells_of_each_daemon_once_whenever_it_starts;
                fresh master_needs_a_way_to_its_group_and_a_backup_none;
            }
            isolation {
                fresh handles_in_two_namespaces_do_not_see_each_other;
                fresh handle_stays_in_its_namespace_wherever_it_is_used;
            }
            scale {
                alone ten_thousand_services_are_all_listed_once;
                alone ten_thousand_destinations_of_one_service_are_listed_newest_first;
                alone thousand_services_with_ten_destinations_each_are_read_whole;
                alone destinations_that_change_while_they_are_listed_come_once;
            }
            traffic {
                fresh datagrams_are_counted_in_both_blocks_of_service_and_destination;
                fresh each_client_is_a_connection_and_the_service_has_the_sum;
                fresh rates_rise_with_traffic_and_are_gone_when_they_are_zeroed;
                fresh zero_resets_one_service_or_all;
                fresh connection_is_active_then_inactive;
                fresh persistent_service_remembers_its_client;
                fresh update_keeps_counters_and_connections;
                fresh drained_server_keeps_its_connections;
                fresh server_that_comes_back_has_its_connections_and_counters;
                fresh server_comes_back_only_to_the_service_that_it_was_of;
            }
            controller {
                fresh family_is_found_by_name_and_by_number;
                fresh look_up_that_is_wrong_is_refused;
                fresh list_of_families_ends_at_once_in_newer_kernels;
                fresh list_of_families_that_is_asked_for_with_something_wrong_is_refused_by_newer_kernels;
            }
            concurrency {
                alone eight_threads_on_one_handle_make_the_right_table;
                alone readers_and_writers_never_get_the_answers_of_others;
                alone list_that_changes_while_it_is_read_has_nothing_twice;
                fresh handles_of_several_threads_do_not_disturb_each_other;
                alone list_that_was_given_up_leaves_the_handle_usable;
            }
            datagrams {
                fresh messages_of_a_datagram_are_followed_in_order_and_apart;
                fresh broken_length_ends_a_datagram_without_a_word;
                fresh other_messages_than_requests_are_acknowledged_and_ignored;
                fresh refusals_are_as_long_as_the_socket_asked_for;
                fresh reply_and_its_acknowledgement_are_two_datagrams;
                fresh list_is_cut_by_the_longest_buffer_that_was_handed_in;
                alone list_of_services_is_cut_in_the_same_way;
                fresh list_continues_where_it_was_whatever_happened_meanwhile;
                fresh only_one_list_at_a_time_is_read_on_a_socket;
                fresh answers_that_do_not_fit_are_lost_and_the_loss_is_told_once;
                fresh datagram_that_is_too_long_or_empty_is_not_sent;
            }
            requests {
                fresh service_that_is_not_described_well_is_refused;
                fresh service_that_is_described_oddly_is_taken;
                fresh mark_stands_for_itself_unless_it_is_zero;
                fresh commands_that_name_a_service_look_for_it_in_the_same_order;
                fresh destination_that_is_not_described_well_is_refused;
                fresh upper_threshold_with_the_highest_bit_is_refused_by_newer_kernels;
                fresh destination_that_is_described_oddly_is_taken;
                fresh configuration_is_all_or_nothing;
                fresh daemon_that_is_not_described_well_is_refused;
                fresh refusal_says_where_it_is_and_what_there_should_be;
                fresh commands_that_are_not_there_or_cannot_do_that;
                fresh list_never_fails_for_what_it_was_asked_with;
            }
        }
    };
}
pub(crate) use cases;
