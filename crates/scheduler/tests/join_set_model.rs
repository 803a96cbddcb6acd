//! A set of tasks under random operations, beside a model of it in plain collections.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_scheduler::task::{AbortHandle, Id, JoinSet};
use glasshouse_scheduler::{Builder, time};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// A multiplicative congruential generator (L'Ecuyer, "Tables of linear congruential generators", 1999):
/// good enough to pick operations.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(0xf135_7aea_2e62_a9c5) | 1;
        ((self.0 >> 33) as usize) % bound
    }
}

/// How a member is going to be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Value(u64),
    Cancelled,
    Panicked,
}

struct Live {
    id: Id,
    order: async_channel::Sender<End>,
    abort: AbortHandle,
}

async fn obey(orders: async_channel::Receiver<End>) -> u64 {
    match orders.recv().await {
        Ok(End::Value(value)) => value,
        Ok(End::Panicked) => panic!("as ordered"),
        Ok(End::Cancelled) | Err(_) => std::future::pending().await,
    }
}

/// Lets everything that is ready run: the members end here, and nowhere else.
async fn settle() {
    time::sleep(Duration::from_nanos(1)).await;
}

#[test]
fn a_set_agrees_with_its_model_under_random_operations() {
    for seed in 0..40 {
        Builder::deterministic(seed)
            .build()
            .unwrap()
            .block_on(run(Random(seed * 2 + 1)));
    }
}

async fn run(mut random: Random) {
    let mut set = JoinSet::new();
    let mut live: Vec<Live> = Vec::new();
    let mut ended: VecDeque<(Id, End)> = VecDeque::new();
    for step in 0..400 {
        match random.below(8) {
            0..3 => {
                let (order, orders) = async_channel::bounded(1);
                let abort = set.spawn(obey(orders));
                let id = abort.id();
                live.push(Live { id, order, abort });
            }
            3 | 4 if !live.is_empty() => {
                let member = live.swap_remove(random.below(live.len()));
                let end = [End::Value(step), End::Cancelled, End::Panicked][random.below(3)];
                match end {
                    End::Cancelled => member.abort.abort(),
                    end => member.order.try_send(end).unwrap(),
                }
                settle().await;
                assert!(member.abort.is_finished());
                ended.push_back((member.id, end));
            }
            5 if random.below(12) == 0 => {
                set.detach_all();
                live.clear();
                ended.clear();
                settle().await;
            }
            _ => {
                let joined = set.try_join_next_with_id().map(|joined| match joined {
                    Ok((id, value)) => (id, End::Value(value)),
                    Err(error) if error.is_cancelled() => (error.id(), End::Cancelled),
                    Err(error) => (error.id(), End::Panicked),
                });
                assert_eq!(joined, ended.pop_front());
            }
        }
        assert_eq!(set.len(), live.len() + ended.len());
    }
    // What is left ends by the abort, after what had ended before it.
    let aborted: HashMap<Id, End> = live.iter().map(|live| (live.id, End::Cancelled)).collect();
    set.abort_all();
    let mut rest = HashMap::new();
    while let Some(joined) = set.join_next_with_id().await {
        match joined {
            Ok((id, value)) => assert_eq!(ended.pop_front(), Some((id, End::Value(value)))),
            Err(error) if error.is_panic() => {
                assert_eq!(ended.pop_front(), Some((error.id(), End::Panicked)));
            }
            Err(error) if ended.front() == Some(&(error.id(), End::Cancelled)) => {
                ended.pop_front();
            }
            Err(error) => {
                rest.insert(error.id(), End::Cancelled);
            }
        }
    }
    assert_eq!(rest, aborted);
    assert!(ended.is_empty());
}
