//! What the log says of tasks that are joined in sets.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]
#![cfg(feature = "telemetry")]

mod common;

use common::{deterministic, life};
use glasshouse_scheduler::{spawn, task, task::JoinSet, time};
use std::time::Duration;

#[test]
fn a_task_that_waits_for_a_set_waits_for_a_member_and_is_woken_by_the_one_that_ends() {
    let (scheduler, pal) = deterministic();
    let (own, slow, quick) = scheduler.block_on(async {
        spawn(async {
            let mut set = JoinSet::new();
            let slow = set.spawn(time::sleep(Duration::from_secs(2))).id();
            let quick = set.spawn(time::sleep(Duration::from_secs(1))).id();
            set.join_next().await.unwrap().unwrap();
            (task::id(), slow, quick)
        })
        .await
        .unwrap()
    });
    assert_eq!(
        life(&pal, own),
        [
            "spawned by 1".to_owned(),
            "running".to_owned(),
            format!("join_wait {slow}"),
            format!("wake by task {quick}"),
            "running".to_owned(),
            "done".to_owned(),
        ]
    );
}
