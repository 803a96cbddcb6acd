//! A program written for tokio, with its paths: what both have is called the same and used the same way.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

use glasshouse_scheduler as tokio;
use std::collections::HashMap;
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::{self, AbortHandle, JoinError, JoinHandle, JoinSet};
use tokio::time::{self, Instant, MissedTickBehavior};

tokio::task_local! {
    static REQUEST: u64;
}

/// A store of words that counts who asked.
#[derive(Default)]
struct Store {
    words: Mutex<HashMap<String, String>>,
    asked: Mutex<Vec<u64>>,
}

impl Store {
    fn get(&self, key: &str) -> Option<String> {
        self.asked.lock().unwrap().push(REQUEST.get());
        self.words.lock().unwrap().get(key).cloned()
    }
}

async fn answer(store: Arc<Store>, request: u64) -> Option<String> {
    let get = async move {
        task::yield_now().await;
        store.get("colour")
    };
    REQUEST.scope(request, get).await
}

#[test]
fn tasks_sets_and_locals() {
    let runtime = tokio::Builder::new()
        .workers(2)
        .thread_name("ported")
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = Arc::new(Store::default());
        let word = store.clone();
        let blocking: JoinHandle<()> = task::spawn_blocking(move || {
            let mut words = word.words.lock().unwrap();
            words.insert("colour".to_owned(), "green".to_owned());
        });
        blocking.await.unwrap();
        let mut set = JoinSet::new();
        for request in 0..20 {
            set.spawn(answer(store.clone(), request));
        }
        let mut answers = 0;
        while let Some(answer) = set.join_next().await {
            assert_eq!(answer.unwrap().as_deref(), Some("green"));
            answers += 1;
        }
        assert_eq!(answers, 20);
        store.asked.lock().unwrap().sort();
        assert!(store.asked.lock().unwrap().iter().copied().eq(0..20));

        let waiting: JoinHandle<()> = tokio::spawn(pending());
        let abort: AbortHandle = waiting.abort_handle();
        assert_eq!(abort.id(), waiting.id());
        abort.abort();
        let error: JoinError = waiting.await.unwrap_err();
        assert!(error.is_cancelled() && !error.is_panic());
        let error = task::spawn(async { panic!("oh") }).await.unwrap_err();
        assert_eq!(*error.into_panic().downcast::<&str>().unwrap(), "oh");

        let outside = tokio::Handle::current();
        let here = task::id();
        let there = std::thread::spawn(move || outside.block_on(async { task::id() }));
        assert_ne!(there.join().unwrap(), here);
        task::consume_budget().await;
        assert_eq!(task::unconstrained(async { 1 }).await, 1);
    });
}

#[test]
fn time_that_is_stopped() {
    let runtime = tokio::Builder::deterministic(1).build().unwrap();
    runtime.block_on(async {
        let start = Instant::now();
        assert!(
            time::timeout(Duration::from_secs(5), pending::<()>())
                .await
                .is_err()
        );
        assert_eq!(start.elapsed(), Duration::from_secs(5));
        let deadline = start + Duration::from_secs(6);
        assert!(time::timeout_at(deadline, async { 1 }).await.is_ok());
        time::sleep_until(deadline).await;
        let mut interval = time::interval(Duration::from_millis(10));
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        interval.tick().await;
        time::advance(Duration::from_millis(35));
        assert_eq!(interval.tick().await, deadline + Duration::from_millis(10));
        assert_eq!(interval.tick().await, deadline + Duration::from_millis(40));
        let sleep = time::sleep(Duration::from_secs(1));
        let mut sleep = std::pin::pin!(sleep);
        let later = Instant::now() + Duration::from_secs(2);
        sleep.as_mut().reset(later);
        sleep.await;
        assert_eq!(Instant::now(), later);
    });
}

#[test]
fn sockets_that_are_tried_and_waited_for() {
    let runtime = tokio::Builder::new().workers(1).build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let echo = tokio::spawn(async move {
            let (stream, _) = listener.accept().await?;
            let mut data = [0; 64];
            loop {
                stream.readable().await?;
                let count = match stream.try_read(&mut data) {
                    Ok(0) => return Ok::<_, io::Error>(()),
                    Ok(count) => count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(error) => return Err(error),
                };
                stream.writable().await?;
                assert_eq!(stream.try_write(&data[..count])?, count);
            }
        });
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        for word in ["one", "two"] {
            stream.writable().await.unwrap();
            assert_eq!(stream.try_write(word.as_bytes()).unwrap(), 3);
            let mut data = [0; 8];
            let count = loop {
                stream.readable().await.unwrap();
                match stream.try_read(&mut data) {
                    Ok(count) => break count,
                    Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
                }
            };
            assert_eq!(&data[..count], word.as_bytes());
        }
        drop(stream);
        echo.await.unwrap().unwrap();

        let here = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let there = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        here.send_to(b"ping", there.local_addr().unwrap())
            .await
            .unwrap();
        let mut data = [0; 8];
        let (count, from) = there.recv_from(&mut data).await.unwrap();
        assert_eq!(
            (&data[..count], from),
            (&b"ping"[..], here.local_addr().unwrap())
        );
    });
}
