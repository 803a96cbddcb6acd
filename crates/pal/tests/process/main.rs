//! What happens to a log when its process is killed, exits, panics, forks, is short of room, or lives elsewhere.
//!
//! Each test runs this same program again in a role, as what it does ends or spoils a process. `--skip NAME` leaves
//! one out.

mod begin;
mod calls;
mod child;
mod ends;
mod fork;
mod namespace;
mod places;
mod room;
mod signals;

use glasshouse_pal::reader::Log;
use glasshouse_pal::{PAL_VARIABLE, Pal, RingOwner, TaskEvent, TaskId};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// The variable that names the role.
const ROLE: &str = "ROLE";

fn main() {
    if let Ok(role) = std::env::var(ROLE) {
        return play(&role);
    }
    let tests: [(&str, fn()); 30] = [
        (
            "recording_calls_the_kernel_for_nothing",
            calls::recording_calls_nothing,
        ),
        ("a_killed_process_leaves_what_it_recorded", ends::killed),
        ("a_process_that_exits_says_so", ends::exits),
        ("a_process_that_panics_says_so", ends::panics),
        ("a_panic_that_was_got_over_is_no_end", ends::got_over),
        (
            "a_panic_that_ends_a_thread_does_not_end_the_process",
            ends::thread_panics,
        ),
        ("a_panic_that_aborts_says_so", ends::panic_aborts),
        ("a_panic_under_way_shows_in_the_log", ends::panic_shows),
        (
            "the_panic_hook_that_was_there_is_called_too",
            ends::hook_stays,
        ),
        (
            "a_forked_child_does_not_write_into_its_parent_s_log",
            fork::forks,
        ),
        ("a_forked_child_may_have_a_log_of_its_own", begin::forks_on),
        (
            "a_forked_child_does_not_make_its_dead_parent_look_alive",
            fork::outlived,
        ),
        (
            "a_forked_child_does_not_keep_its_dead_parent_s_segments_in_use",
            fork::outlived_by_its_segments,
        ),
        (
            "what_a_forked_child_opens_itself_its_own_child_has_too",
            fork::forks_twice,
        ),
        (
            "panics_of_a_parent_are_not_those_of_its_forked_child",
            begin::forks_after_panics,
        ),
        (
            "a_panic_in_which_a_process_forks_ends_its_child_too",
            begin::forks_in_a_panic,
        ),
        (
            "a_forked_child_begins_without_its_parent_s_log_in_private_memory",
            begin::forks_from_memory,
        ),
        (
            "a_forked_child_of_a_process_that_is_to_have_no_log_has_none",
            begin::forks_without_a_log,
        ),
        (
            "a_log_keeps_to_the_limit_on_file_sizes",
            room::file_size_limited,
        ),
        (
            "a_log_in_memory_needs_little_address_space",
            room::address_space_limited,
        ),
        (
            "a_process_with_little_address_space_has_a_log_that_survives_it",
            room::log_in_little_address_space,
        ),
        (
            "a_process_on_a_full_file_system_goes_on_and_says_so",
            room::file_system_full,
        ),
        (
            "tasks_that_find_no_room_in_the_table_are_counted_and_held_against_nobody",
            room::table_without_room,
        ),
        (
            "a_signal_handler_never_spoils_the_record_that_it_interrupts",
            signals::signals,
        ),
        ("off_is_off", places::off),
        (
            "off_from_outside_comes_before_what_the_program_asks_for",
            places::off_from_outside,
        ),
        (
            "a_file_from_outside_comes_before_what_the_program_asks_for",
            places::file_from_outside,
        ),
        (
            "an_installed_log_takes_what_any_thread_emits",
            places::installed,
        ),
        (
            "a_process_has_one_log_and_a_second_is_refused",
            places::second_refused,
        ),
        (
            "a_log_of_another_namespace_of_processes_is_read_and_told_alive_or_not",
            namespace::another,
        ),
    ];
    let skipped: Vec<String> = std::env::args().skip_while(|it| it != "--skip").collect();
    for (name, test) in tests {
        if skipped.iter().any(|skipped| skipped == name) {
            continue;
        }
        test();
        println!("test {name} ... ok");
    }
}

/// What this program does when a test starts it.
fn play(role: &str) {
    match role {
        "signals" => signals::record_among_signals(),
        role => {
            let is_known = calls::play(role)
                || begin::play(role)
                || fork::play(role)
                || ends::play(role)
                || room::play(role)
                || places::play(role)
                || namespace::play(role);
            assert!(is_known, "no such role: {role}");
        }
    }
}

fn tid(number: u64) -> TaskId {
    TaskId::new(number).expect("in range")
}

/// Records `count` events into a ring of the log.
fn record(pal: &Pal, count: u64) {
    let ring = pal.lease(RingOwner::Worker(0));
    for n in 1..=count {
        let event = TaskEvent::Running { tid: tid(n) };
        assert!(ring.write(pal.clock().now(), n as u8, &event));
    }
}

/// This program in a role, with its log in a place of its own.
fn role(role: &str, path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .env(ROLE, role)
        .env(PAL_VARIABLE, path)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Runs a role with its log in a directory of its own; returns the log's path, too.
fn run(name: &str, prepare: impl FnOnce(&mut Command)) -> (tempfile::TempDir, PathBuf, ExitStatus) {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("role.pal");
    let mut command = role(name, &path);
    prepare(&mut command);
    let status = command.status().expect("started");
    (place, path, status)
}

fn open(path: &Path) -> Log {
    let log = Log::open(path).expect("a log");
    assert!(!log.is_alive());
    log
}
