//! Owns the search for the process groups of a session, beside the one of its leader: a shell with
//! job control gives each job its own.
//!
//! Only descendants are looked at, so that the price does not grow with the number of processes on
//! the machine. Who has left the session (setsid) meant to outlive it and is let go. Two kinds in
//! groups of their own escape: one whose parent has died, which /proc does not show as a descendant
//! any more, and one that is forked between the look and the kill.

use rustix::process::{Pid, Signal, getpgid, getsid, kill_process_group};
use std::collections::HashSet;
use std::fs;

/// The most processes that are looked at, against a program that forks faster than we look.
const KIN_MAX: usize = 4096;

/// Kills every group of the session that this process leads.
///
/// The leader must be a child of this process that has not been reaped: its number then cannot have
/// come to mean another process.
pub(crate) fn kill_session(leader: Pid) {
    // The groups are looked up first: what loses its parent is found no more.
    let groups = other_groups(leader);
    // A group that is gone already, or that runs as another user, cannot be killed; there is no
    // stronger means, and the end of the terminal will still hang it up.
    let _ = kill_process_group(leader, Signal::KILL);
    for group in groups {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn other_groups(leader: Pid) -> HashSet<Pid> {
    let mut groups = HashSet::new();
    let mut to_visit = vec![leader];
    for _ in 0..KIN_MAX {
        let Some(pid) = to_visit.pop() else { break };
        to_visit.extend(children(pid));
        if pid != leader && getsid(Some(pid)) == Ok(leader) {
            groups.extend(getpgid(Some(pid)).ok().filter(|&group| group != leader));
        }
    }
    groups
}

/// The children of all threads of a process; none where the kernel does not tell.
fn children(pid: Pid) -> Vec<Pid> {
    let threads = fs::read_dir(format!("/proc/{}/task", pid.as_raw_pid()));
    let threads = threads.into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let numbers = lists.flat_map(|list| {
        let numbers = list.split_ascii_whitespace().map(str::parse);
        numbers.flatten().collect::<Vec<i32>>()
    });
    numbers.filter_map(Pid::from_raw).collect()
}
