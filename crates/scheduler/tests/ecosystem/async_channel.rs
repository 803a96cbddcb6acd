//! Channels of async-channel.

use crate::{common, everywhere, on_workers};
use async_channel::{RecvError, TryRecvError, TrySendError, bounded, unbounded};
use futures::StreamExt;
use glasshouse_scheduler::task::JoinSet;
use glasshouse_scheduler::{spawn, time};
use std::collections::HashSet;
use std::thread;
use std::time::Duration;

#[test]
fn every_message_of_many_senders_reaches_one_of_many_receivers() {
    everywhere(|| async {
        for capacity in [1, 7, 1000] {
            let (send, receive) = bounded(capacity);
            let mut senders = JoinSet::new();
            for sender in 0..10 {
                let send = send.clone();
                senders.spawn(async move {
                    for n in 0..50 {
                        send.send((sender, n)).await.unwrap();
                    }
                });
            }
            drop(send);
            let mut receivers = JoinSet::new();
            for _ in 0..4 {
                receivers.spawn(receive.clone().collect::<Vec<_>>());
            }
            drop(receive);
            senders.join_all().await;
            let received = receivers.join_all().await;
            for of_one in &received {
                for sender in 0..10 {
                    let of_sender = of_one.iter().filter(|message| message.0 == sender);
                    assert!(of_sender.is_sorted(), "{capacity}: {of_one:?}");
                }
            }
            let all: HashSet<_> = received.iter().flatten().copied().collect();
            assert_eq!((all.len(), received.iter().flatten().count()), (500, 500));
        }
    });
}

#[test]
fn a_full_channel_holds_its_sender_until_there_is_room() {
    everywhere(|| async {
        let (send, receive) = bounded(2);
        send.try_send(1).unwrap();
        send.try_send(2).unwrap();
        assert!(matches!(send.try_send(3), Err(TrySendError::Full(3))));
        let sender = spawn(async move { send.send(3).await });
        time::sleep(Duration::from_millis(1)).await;
        assert!(!sender.is_finished());
        assert_eq!(receive.recv().await, Ok(1));
        sender.await.unwrap().unwrap();
        assert_eq!(receive.collect::<Vec<_>>().await, [2, 3]);
    });
}

#[test]
fn a_closed_channel_is_emptied_and_then_ends() {
    everywhere(|| async {
        let (send, receive) = unbounded();
        let waiting = spawn({
            let receive = receive.clone();
            async move {
                let first = receive.recv().await;
                (first, receive.recv().await)
            }
        });
        send.send('a').await.unwrap();
        while !receive.is_empty() {
            time::sleep(Duration::from_millis(1)).await;
        }
        receive.close();
        assert_eq!(waiting.await.unwrap(), (Ok('a'), Err(RecvError)));
        assert!(send.send('b').await.is_err());
        assert_eq!(receive.try_recv(), Err(TryRecvError::Closed));
    });
}

#[test]
fn an_aborted_receiver_takes_no_message_with_it() {
    everywhere(|| async {
        let (send, receive) = bounded(1);
        let receivers: Vec<_> = (0..5)
            .map(|_| {
                let receive = receive.clone();
                spawn(async move { receive.recv().await })
            })
            .collect();
        time::sleep(Duration::from_millis(1)).await;
        for receiver in &receivers {
            receiver.abort();
        }
        send.send(8).await.unwrap();
        let mut taken = None;
        for receiver in receivers {
            // One that was told of the message before it was aborted hands the word on, or has it.
            if let Ok(message) = receiver.await {
                assert_eq!(taken.replace(message), None);
            }
        }
        let message = match taken {
            Some(message) => message,
            None => receive.recv().await,
        };
        assert_eq!(message, Ok(8));
    });
}

#[test]
fn a_thread_outside_sends_and_receives_without_a_scheduler() {
    on_workers(|| async {
        let (ask, asked) = bounded::<u32>(1);
        let (answer, answers) = bounded(1);
        let thread = thread::spawn(move || {
            while let Ok(n) = asked.recv_blocking() {
                answer.send_blocking(n * 2).unwrap();
            }
        });
        for n in 0..200 {
            ask.send(n).await.unwrap();
            assert_eq!(answers.recv().await, Ok(n * 2));
        }
        ask.close();
        thread.join().unwrap();
    });
}

#[test]
fn a_receiver_is_woken_by_its_sender_and_the_log_says_so() {
    let (scheduler, pal) = common::deterministic();
    let [receiver, sender] = scheduler.block_on(async {
        let (send, receive) = bounded(1);
        let receiver = spawn(async move { receive.recv().await.unwrap() });
        time::sleep(Duration::from_millis(1)).await;
        let sender = spawn(async move { send.send(()).await.unwrap() });
        let ids = [receiver.id(), sender.id()];
        receiver.await.unwrap();
        sender.await.unwrap();
        ids
    });
    if cfg!(feature = "telemetry") {
        let life = common::life(&pal, receiver);
        assert!(life.contains(&format!("wake by task {sender}")), "{life:?}");
    }
}
