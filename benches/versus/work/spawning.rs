//! Owns the rows whose work is to spawn.

use super::Size;
use super::countdown::Countdown;
use crate::versus::runtime::Runtime;
use futures::channel::oneshot;

/// Tasks in one burst of detached ones.
const BURST: u64 = 200_000;
/// Tasks that are spawned before the first is awaited, and the length of a chain.
const BATCH: u64 = 1000;

/// Spawns a task and awaits it, again and again.
pub async fn one<R: Runtime>(size: Size) -> u64 {
    let tasks = size.of(500_000);
    for _ in 0..tasks {
        R::spawn(async {}).await;
    }
    tasks
}

/// Spawns detached tasks in bursts and waits until all of a burst have run.
pub async fn detached<R: Runtime>(size: Size) -> u64 {
    let (bursts, tasks) = (2, size.of(BURST));
    for _ in 0..bursts {
        let countdown = Countdown::new(tasks);
        for _ in 0..tasks {
            R::detach(async { countdown.count_down() });
        }
        countdown.wait().await;
    }
    bursts * tasks
}

/// Spawns a batch, then awaits each of it in the order of the spawns.
pub async fn many<R: Runtime>(size: Size) -> u64 {
    let rounds = size.of(500);
    for _ in 0..rounds {
        let tasks: Vec<_> = (0..BATCH).map(|_| R::spawn(async {})).collect();
        for task in tasks {
            task.await;
        }
    }
    rounds * BATCH
}

/// Spawns a task that spawns the next, and so on; the last reports back.
pub async fn chained<R: Runtime>(size: Size) -> u64 {
    let rounds = size.of(700);
    for _ in 0..rounds {
        let (done, end) = oneshot::channel();
        link::<R>(done, BATCH);
        end.await.expect("the chain's last link reports back");
    }
    rounds * BATCH
}

fn link<R: Runtime>(done: oneshot::Sender<()>, left: u64) {
    R::detach(async move {
        if left > 1 {
            link::<R>(done, left - 1);
        } else {
            done.send(()).expect("the chain is waited for");
        }
    });
}

/// Spawns a task that spawns another; the two exchange a message each way over oneshot channels.
pub async fn oneshots<R: Runtime>(size: Size) -> u64 {
    let rounds = size.of(250);
    for _ in 0..rounds {
        let countdown = Countdown::new(BATCH);
        for _ in 0..BATCH {
            R::detach(async move {
                let (there, asked) = oneshot::channel();
                let (back, answered) = oneshot::channel();
                R::detach(async move {
                    asked.await.expect("the first task asks");
                    back.send(()).expect("the first task waits");
                });
                there.send(()).expect("the second task waits");
                answered.await.expect("the second task answers");
                countdown.count_down();
            });
        }
        countdown.wait().await;
    }
    rounds * BATCH
}
