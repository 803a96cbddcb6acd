//! Names and addresses.

use crate::common::{threads, wait_until};
use glasshouse_pal::{Pal, TaskEvent, TaskState};
use glasshouse_scheduler::net::{TcpListener, TcpStream, lookup_host};
use glasshouse_scheduler::{Builder, Scheduler, task};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;

/// A scheduler in which no look-up begins before something is sent.
fn with_look_ups_held() -> (Scheduler, Pal, mpsc::Sender<()>) {
    let pal = Pal::memory();
    let scheduler = Builder::new()
        .workers(1)
        .max_blocking_threads(1)
        .pal(pal.clone())
        .build()
        .unwrap();
    let (release, held) = mpsc::channel();
    scheduler.handle().spawn_blocking(move || held.recv());
    (scheduler, pal, release)
}

#[test]
fn a_name_is_looked_up_by_a_task_that_the_log_shows() {
    let (scheduler, pal, release) = with_look_ups_held();
    let log = pal.clone();
    let (tell, told) = mpsc::channel();
    let releasing = thread::spawn(move || {
        let root = told.recv().unwrap();
        wait_until(&log, root, TaskState::JoinWait);
        release.send(()).unwrap();
    });
    let root = scheduler.block_on(async {
        tell.send(task::id()).unwrap();
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("localhost", port)).await.unwrap();
        TcpStream::connect(("localhost".to_owned(), port))
            .await
            .unwrap();
        task::id()
    });
    releasing.join().unwrap();
    let events = pal.events();
    let waited_for = events.iter().find_map(|event| match *event {
        TaskEvent::JoinWait { tid, on } if tid == root => Some(on),
        _ => None,
    });
    let done = TaskEvent::Done {
        tid: waited_for.expect("the root waited for a look-up"),
    };
    assert!(events.contains(&done));
}

#[test]
fn an_address_needs_no_look_up_in_whatever_form_it_comes() {
    let (scheduler, pal) = threads(1);
    scheduler.block_on(async {
        let loopback = Ipv4Addr::LOCALHOST;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let port = address.port();
        TcpStream::connect(address).await.unwrap();
        TcpStream::connect(&address).await.unwrap();
        TcpStream::connect((loopback, port)).await.unwrap();
        TcpStream::connect((IpAddr::V4(loopback), port))
            .await
            .unwrap();
        TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        TcpStream::connect(address.to_string()).await.unwrap();
        TcpStream::connect(&[address][..]).await.unwrap();
    });
    let spawned = pal
        .events()
        .into_iter()
        .filter(|event| matches!(event, TaskEvent::Spawned { .. }));
    assert_eq!(spawned.count(), 1, "the root alone");
}

#[test]
fn the_next_address_is_tried_when_one_refuses() {
    let (scheduler, _pal) = threads(1);
    scheduler.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = gone.local_addr().unwrap();
        drop(gone);
        let open = listener.local_addr().unwrap();
        let stream = TcpStream::connect(&[closed, open][..]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open);
        let error = TcpStream::connect(&[open, closed][1..]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn what_is_no_address_is_an_error_and_not_a_panic() {
    let (scheduler, _pal) = threads(1);
    scheduler.block_on(async {
        let none: [SocketAddr; 0] = [];
        let error = TcpStream::connect(&none[..]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = lookup_host("no port here").await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let addresses: Vec<_> = lookup_host("[::1]:80").await.unwrap().collect();
        assert_eq!(addresses, ["[::1]:80".parse().unwrap()]);
    });
}

#[test]
fn a_dropped_look_up_leaves_the_scheduler_in_order() {
    let (scheduler, pal, release) = with_look_ups_held();
    scheduler.block_on(async {
        let mut look_up = Box::pin(lookup_host("localhost:1"));
        let polled = futures::poll!(&mut look_up);
        assert!(polled.is_pending());
        drop(look_up);
    });
    release.send(()).unwrap();
    let end = scheduler.shutdown(std::time::Duration::from_secs(60));
    assert_eq!(end, glasshouse_scheduler::Shutdown::Clean);
    assert!(glasshouse_pal::verify::verify(&pal.log()).holds());
}
