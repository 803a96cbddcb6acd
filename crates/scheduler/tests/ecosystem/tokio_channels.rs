//! Channels of `tokio::sync`, without a runtime of tokio.

use crate::{everywhere, on_workers};
use glasshouse_scheduler::task::JoinSet;
use glasshouse_scheduler::{spawn, task, time};
use std::thread;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

#[test]
fn mpsc_keeps_each_senders_order_and_holds_senders_at_its_bound() {
    everywhere(|| async {
        let (send, mut receive) = mpsc::channel(3);
        for sender in 0..8 {
            let send = send.clone();
            drop(spawn(async move {
                for n in 0..60 {
                    send.send((sender, n)).await.unwrap();
                }
            }));
        }
        drop(send);
        let mut next = [0; 8];
        while let Some((sender, n)) = receive.recv().await {
            assert!(receive.len() <= 3);
            assert_eq!(n, next[sender]);
            next[sender] += 1;
        }
        assert_eq!(next, [60; 8]);
    });
}

#[test]
fn mpsc_takes_many_at_once_reserves_room_and_ends_when_closed() {
    everywhere(|| async {
        let (send, mut receive) = mpsc::unbounded_channel();
        (0..100).for_each(|n| send.send(n).unwrap());
        let mut taken = Vec::new();
        while taken.len() < 100 {
            receive.recv_many(&mut taken, 64).await;
        }
        assert!(taken.iter().copied().eq(0..100));
        let closing = spawn(async move { send.closed().await });
        task::yield_now().await;
        receive.close();
        closing.await.unwrap();
        assert_eq!(receive.recv().await, None);

        let (send, mut receive) = mpsc::channel(1);
        let permit = send.reserve().await.unwrap();
        assert!(send.try_send(2).is_err(), "the room is reserved");
        permit.send(1);
        let behind = spawn(async move { send.send(2).await.unwrap() });
        assert_eq!(
            (receive.recv().await, receive.recv().await),
            (Some(1), Some(2))
        );
        behind.await.unwrap();
    });
}

#[test]
fn mpsc_reaches_threads_outside_and_back() {
    on_workers(|| async {
        let (ask, mut asked) = mpsc::channel::<u32>(1);
        let (answer, mut answers) = mpsc::channel(1);
        let thread = thread::spawn(move || {
            while let Some(n) = asked.blocking_recv() {
                answer.blocking_send(n + 1).unwrap();
            }
        });
        for n in 0..200 {
            ask.send(n).await.unwrap();
            assert_eq!(answers.recv().await, Some(n + 1));
        }
        drop(ask);
        assert_eq!(answers.recv().await, None);
        thread.join().unwrap();
    });
}

#[test]
fn oneshot_carries_one_value_and_tells_each_end_that_the_other_has_gone() {
    everywhere(|| async {
        let mut chain = Vec::new();
        let (first, mut before) = oneshot::channel();
        for _ in 0..200 {
            let (send, receive) = oneshot::channel();
            let take = std::mem::replace(&mut before, receive);
            chain.push(spawn(
                async move { send.send(take.await.unwrap() + 1).unwrap() },
            ));
        }
        first.send(0).unwrap();
        assert_eq!(before.await, Ok(200));
        for link in chain {
            link.await.unwrap();
        }
        let (mut send, receive) = oneshot::channel::<u8>();
        let waiting = spawn(async move {
            send.closed().await;
            send.send(1).is_err()
        });
        task::yield_now().await;
        drop(receive);
        assert!(waiting.await.unwrap());
        let (send, receive) = oneshot::channel::<u8>();
        let waiting = spawn(receive);
        task::yield_now().await;
        drop(send);
        assert!(waiting.await.unwrap().is_err());
    });
}

#[test]
fn watch_shows_the_latest_value_to_all_who_look() {
    everywhere(|| async {
        let (send, receive) = watch::channel(0);
        let mut watchers = JoinSet::new();
        for _ in 0..10 {
            let mut receive = receive.clone();
            watchers.spawn(async move {
                let mut seen = vec![*receive.borrow_and_update()];
                while receive.changed().await.is_ok() {
                    seen.push(*receive.borrow_and_update());
                }
                seen
            });
        }
        let mut exact = receive;
        let waits_for_40 = spawn(async move { *exact.wait_for(|n| *n >= 40).await.unwrap() });
        for n in 1..=50 {
            send.send(n).unwrap();
            task::yield_now().await;
        }
        assert!(waits_for_40.await.unwrap() >= 40);
        drop(send);
        for seen in watchers.join_all().await {
            assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
            assert_eq!(seen.last(), Some(&50));
        }
    });
}

#[test]
fn broadcast_gives_everything_to_everybody_and_says_what_was_missed() {
    everywhere(|| async {
        let (send, _) = broadcast::channel(16);
        let mut receivers = JoinSet::new();
        for _ in 0..5 {
            let mut receive = send.subscribe();
            receivers.spawn(async move {
                let mut got: u64 = 0;
                loop {
                    match receive.recv().await {
                        Ok(_) => got += 1,
                        Err(RecvError::Lagged(missed)) => got += missed,
                        Err(RecvError::Closed) => return got,
                    }
                }
            });
        }
        for n in 0..300 {
            send.send(n).unwrap();
            if n % 20 == 0 {
                task::yield_now().await;
            }
        }
        drop(send);
        assert_eq!(receivers.join_all().await, [300; 5]);
    });
}

#[test]
fn select_of_tokio_takes_one_branch_and_keeps_the_others() {
    everywhere(|| async {
        let (send, mut receive) = mpsc::channel(1);
        let (stop, mut stopped) = oneshot::channel::<()>();
        let sender = spawn(async move {
            for n in 0..20 {
                time::sleep(Duration::from_micros(300)).await;
                send.send(n).await.unwrap();
            }
            stop.send(()).unwrap();
            send.closed().await;
        });
        let (mut got, mut ticks) = (Vec::new(), 0);
        let mut interval = time::interval(Duration::from_micros(700));
        loop {
            tokio::select! {
                biased;
                message = receive.recv() => got.push(message.unwrap()),
                _ = &mut stopped => break,
                _ = interval.tick() => ticks += 1,
            }
        }
        assert_eq!(got, (0..20).collect::<Vec<_>>());
        assert!(ticks >= 1);
        drop(receive);
        sender.await.unwrap();
        let (one, two) = tokio::join!(spawn(async { 1 }), async { 2 });
        assert_eq!((one.unwrap(), two), (1, 2));
    });
}
