//! TCP connections.

use crate::{tcp_pair, with_workers};
use futures::{AsyncReadExt, AsyncWriteExt, future::join_all};
use glasshouse_scheduler::net::{TcpListener, TcpStream};
use glasshouse_scheduler::{Builder, spawn, time};
use std::io::{ErrorKind, IoSlice, IoSliceMut};
use std::time::Duration;

/// More than both buffers of a connection hold, so that writers wait.
const MUCH: usize = 8 << 20;

/// Bytes that a shift or a loss changes.
fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 + at / 251) as u8).collect()
}

#[test]
fn many_bytes_arrive_whole_and_in_order_in_both_directions_at_once() {
    with_workers(|| async {
        let (mut near, mut far) = tcp_pair().await;
        let echo = spawn(async move {
            let mut received = vec![0; MUCH];
            far.read_exact(&mut received).await.unwrap();
            far.write_all(&received).await.unwrap();
            far.close().await.unwrap();
        });
        let sent = pattern(MUCH);
        near.write_all(&sent).await.unwrap();
        let mut back = Vec::new();
        near.read_to_end(&mut back).await.unwrap();
        assert!(back == sent);
        echo.await.unwrap();
    });
}

#[test]
fn many_buffers_are_written_and_read_in_one_call() {
    with_workers(|| async {
        let (mut near, mut far) = tcp_pair().await;
        let parts = [
            IoSlice::new(b"one "),
            IoSlice::new(b"two "),
            IoSlice::new(b"three"),
        ];
        assert_eq!(near.write_vectored(&parts).await.unwrap(), 13);
        let (mut first, mut second) = ([0; 4], [0; 9]);
        let mut bufs = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        assert_eq!(far.read_vectored(&mut bufs).await.unwrap(), 13);
        assert_eq!((&first, &second), (b"one ", b"two three"));
    });
}

#[test]
fn the_end_that_came_with_the_last_bytes_is_found_after_them() {
    with_workers(|| async {
        let (mut near, mut far) = tcp_pair().await;
        // One event for the bytes and the end; then a read that is not filled must not forget the end.
        near.write_all(b"last").await.unwrap();
        drop(near);
        let mut buf = [0; 64];
        assert_eq!(far.read(&mut buf).await.unwrap(), 4);
        assert_eq!(far.read(&mut buf).await.unwrap(), 0);
        assert_eq!(far.read(&mut buf).await.unwrap(), 0, "the end stays");
    });
}

#[test]
fn a_read_that_was_not_filled_waits_for_the_next_bytes() {
    with_workers(|| async {
        let (mut near, mut far) = tcp_pair().await;
        let reader = spawn(async move {
            let mut got = Vec::new();
            let mut buf = [0; 64];
            loop {
                match far.read(&mut buf).await.unwrap() {
                    0 => return got,
                    len => got.extend_from_slice(&buf[..len]),
                }
            }
        });
        for byte in 0..200 {
            near.write_all(&[byte]).await.unwrap();
            glasshouse_scheduler::task::yield_now().await;
        }
        drop(near);
        assert_eq!(reader.await.unwrap(), (0..200).collect::<Vec<u8>>());
    });
}

#[test]
fn a_closed_port_refuses() {
    with_workers(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn each_of_many_acceptors_gets_a_connection() {
    with_workers(|| async {
        let listener = std::sync::Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        let acceptors: Vec<_> = (0..8)
            .map(|_| {
                let listener = listener.clone();
                spawn(async move { listener.accept().await.unwrap().1 })
            })
            .collect();
        let connections = join_all((0..8).map(|_| TcpStream::connect(address))).await;
        let mut near: Vec<_> = connections
            .iter()
            .map(|stream| stream.as_ref().unwrap().local_addr().unwrap())
            .collect();
        let mut peers: Vec<_> = join_all(acceptors)
            .await
            .into_iter()
            .map(|peer| peer.unwrap())
            .collect();
        near.sort();
        peers.sort();
        assert_eq!(near, peers);
    });
}

#[test]
fn writing_to_one_who_has_gone_is_an_error_and_no_signal() {
    with_workers(|| async {
        let (mut near, far) = tcp_pair().await;
        drop(far);
        let error = loop {
            if let Err(error) = near.write_all(&[0; 1024]).await {
                break error;
            }
        };
        assert!(
            matches!(
                error.kind(),
                ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
            ),
            "{error}"
        );
    });
}

#[test]
fn an_aborted_reader_closes_its_connection() {
    with_workers(|| async {
        let (mut near, mut far) = tcp_pair().await;
        let reader = spawn(async move { far.read(&mut [0; 8]).await.unwrap() });
        glasshouse_scheduler::task::yield_now().await;
        reader.abort();
        assert!(reader.await.unwrap_err().is_cancelled());
        assert_eq!(near.read(&mut [0; 8]).await.unwrap(), 0);
    });
}

#[test]
fn a_read_that_was_given_up_takes_nothing_with_it() {
    with_workers(|| async {
        let (mut near, mut far) = tcp_pair().await;
        let mut buf = [0; 8];
        time::timeout(Duration::from_millis(1), far.read(&mut buf))
            .await
            .unwrap_err();
        near.write_all(b"late").await.unwrap();
        assert_eq!(far.read(&mut buf).await.unwrap(), 4);
    });
}

#[test]
fn the_options_of_a_connection_are_as_they_were_set() {
    with_workers(|| async {
        let (near, _far) = tcp_pair().await;
        for on in [true, false] {
            near.set_nodelay(on).unwrap();
            assert_eq!(near.nodelay().unwrap(), on);
        }
        near.set_ttl(42).unwrap();
        assert_eq!(near.ttl().unwrap(), 42);
        assert_eq!(near.linger().unwrap(), None);
        near.set_zero_linger().unwrap();
        assert_eq!(near.linger().unwrap(), Some(Duration::ZERO));
        assert!(near.take_error().unwrap().is_none());
    });
}

#[test]
fn a_connection_comes_from_the_standard_library_and_goes_back() {
    with_workers(|| async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let mut near = TcpStream::from_std(near).unwrap();
        let (far, _) = listener.accept().await.unwrap();
        near.write_all(b"hello").await.unwrap();
        far.readable().await.unwrap();
        let mut far = far.into_std().unwrap();
        far.set_nonblocking(false).unwrap();
        let mut buf = [0; 5];
        std::io::Read::read_exact(&mut far, &mut buf).unwrap();
        assert_eq!(&buf, b"hello");
        // Its number is free for others to watch again.
        far.set_nonblocking(true).unwrap();
        let mut far = TcpStream::from_std(far).unwrap();
        near.write_all(b"again").await.unwrap();
        far.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"again");
    });
}

#[test]
fn a_deterministic_scheduler_refuses_sockets_unless_it_allows_io() {
    let scheduler = Builder::deterministic(1).build().unwrap();
    let refused = scheduler.block_on(TcpListener::bind("127.0.0.1:0"));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);

    let scheduler = Builder::deterministic(1).allow_io().build().unwrap();
    scheduler.block_on(async {
        let (mut near, mut far) = tcp_pair().await;
        let reader = spawn(async move {
            let mut text = String::new();
            far.read_to_string(&mut text).await.unwrap();
            text
        });
        near.write_all(b"hello").await.unwrap();
        near.close().await.unwrap();
        assert_eq!(reader.await.unwrap(), "hello");
    });
}
