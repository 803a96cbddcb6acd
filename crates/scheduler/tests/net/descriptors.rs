//! Very many descriptors at once.

use crate::common::threads;
use futures::{AsyncReadExt, AsyncWriteExt};
use glasshouse_scheduler::net::UnixStream;
use glasshouse_scheduler::spawn;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Watched descriptors: both ends of half as many pairs.
const DESCRIPTORS: usize = 10_000;
/// What the other tests of this process and the process itself may have open meanwhile.
const OTHERS: u64 = 1_000;

/// Whether the process may open that many; raises its own limit as far as it is allowed to.
fn may_open(descriptors: u64) -> bool {
    let limit = getrlimit(Resource::Nofile);
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= descriptors);
    if enough(limit.current) {
        return true;
    }
    enough(limit.maximum)
        && setrlimit(
            Resource::Nofile,
            Rlimit {
                current: limit.maximum,
                maximum: limit.maximum,
            },
        )
        .is_ok()
}

#[test]
fn ten_thousand_descriptors_are_watched_at_once_and_each_is_served() {
    if !may_open(DESCRIPTORS as u64 + OTHERS) {
        eprintln!(
            "skipped: this process may not open {DESCRIPTORS} descriptors; raise its hard limit (ulimit -Hn)"
        );
        return;
    }
    for workers in [1, 2] {
        let (scheduler, _pal) = threads(workers);
        scheduler.block_on(async {
            let pairs: Vec<_> = (0..DESCRIPTORS / 2)
                .map(|_| UnixStream::pair().unwrap())
                .collect();
            let mut nears = Vec::new();
            let mut tasks = Vec::new();
            for (near, mut far) in pairs {
                nears.push(near);
                tasks.push(spawn(async move {
                    let mut number = [0; 4];
                    far.read_exact(&mut number).await.unwrap();
                    far.write_all(&number).await.unwrap();
                    // The end comes when the near side is dropped.
                    assert_eq!(far.read(&mut number).await.unwrap(), 0);
                }));
            }
            for (number, near) in nears.iter_mut().enumerate() {
                near.write_all(&(number as u32).to_le_bytes())
                    .await
                    .unwrap();
            }
            for (number, near) in nears.iter_mut().enumerate() {
                let mut back = [0; 4];
                near.read_exact(&mut back).await.unwrap();
                assert_eq!(u32::from_le_bytes(back), number as u32);
            }
            drop(nears);
            for task in tasks {
                task.await.unwrap();
            }
        });
    }
}
