//! UDP sockets.

use crate::with_workers;
use glasshouse_scheduler::net::UdpSocket;
use glasshouse_scheduler::{spawn, time};
use std::io::ErrorKind;
use std::time::Duration;

async fn socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").await.unwrap()
}

#[test]
fn datagrams_keep_their_borders_and_their_senders() {
    with_workers(|| async {
        let (near, far) = (socket().await, socket().await);
        let to = far.local_addr().unwrap();
        for datagram in [&b"one"[..], b"", b"three"] {
            near.send_to(datagram, to).await.unwrap();
        }
        let mut buf = [0; 16];
        for datagram in [&b"one"[..], b"", b"three"] {
            assert_eq!(far.peek(&mut buf).await.unwrap(), datagram.len());
            let (len, from) = far.recv_from(&mut buf).await.unwrap();
            assert_eq!(&buf[..len], datagram);
            assert_eq!(from, near.local_addr().unwrap());
        }
    });
}

#[test]
fn connected_sockets_send_and_receive_without_addresses() {
    with_workers(|| async {
        let (near, far) = (socket().await, socket().await);
        near.connect(far.local_addr().unwrap()).await.unwrap();
        far.connect(near.local_addr().unwrap()).await.unwrap();
        let echo = spawn(async move {
            let mut buf = [0; 16];
            for _ in 0..100 {
                let len = far.recv(&mut buf).await.unwrap();
                far.send(&buf[..len]).await.unwrap();
            }
        });
        let mut buf = [0; 16];
        for number in 0..100u8 {
            near.send(&[number; 3]).await.unwrap();
            assert_eq!(near.recv(&mut buf).await.unwrap(), 3);
            assert_eq!(&buf[..3], [number; 3]);
        }
        echo.await.unwrap();
    });
}

#[test]
fn nothing_to_receive_would_block_and_is_worth_a_wait() {
    with_workers(|| async {
        let (near, far) = (socket().await, socket().await);
        let mut buf = [0; 4];
        assert_eq!(
            far.try_recv_from(&mut buf).unwrap_err().kind(),
            ErrorKind::WouldBlock
        );
        time::timeout(Duration::from_millis(1), far.recv_from(&mut buf))
            .await
            .unwrap_err();
        near.try_send_to(b"now", far.local_addr().unwrap()).unwrap();
        far.readable().await.unwrap();
        assert_eq!(far.try_recv_from(&mut buf).unwrap().0, 3);
    });
}

#[test]
fn a_port_that_nobody_listens_at_is_heard_of_by_the_receiver() {
    with_workers(|| async {
        let (near, gone) = (socket().await, socket().await);
        near.connect(gone.local_addr().unwrap()).await.unwrap();
        drop(gone);
        near.send(b"anyone?").await.unwrap();
        // An error event, without anything to read.
        let error = near.recv(&mut [0; 4]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn many_tasks_receive_through_one_socket() {
    with_workers(|| async {
        let (near, far) = (socket().await, std::sync::Arc::new(socket().await));
        let receivers: Vec<_> = (0..4)
            .map(|_| {
                let far = far.clone();
                spawn(async move { far.recv(&mut [0; 4]).await.unwrap() })
            })
            .collect();
        for _ in 0..4 {
            near.send_to(b"one", far.local_addr().unwrap())
                .await
                .unwrap();
        }
        for receiver in receivers {
            assert_eq!(receiver.await.unwrap(), 3);
        }
    });
}
