//! tokio's reading and writing traits.

use crate::{tcp_pair, with_workers};
use glasshouse_scheduler::net::{TcpStream, UnixStream};
use glasshouse_scheduler::spawn;
use tokio::io::{
    AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy, copy_bidirectional,
};

#[test]
fn tokios_helpers_read_and_write_connections_and_halves() {
    with_workers(|| async {
        let (mut near, far) = tcp_pair().await;
        let echo = spawn(async move {
            let (mut read, mut write) = far.into_split();
            let copied = copy(&mut read, &mut write).await.unwrap();
            write.shutdown().await.unwrap();
            copied
        });
        let (read, mut write) = near.split();
        let sent: Vec<u8> = (0..1u32 << 20).map(|at| at as u8).collect();
        let mut back = Vec::new();
        let mut read = BufReader::new(read);
        let write_all = async {
            write.write_all(&sent).await.unwrap();
            write.shutdown().await.unwrap();
        };
        let (got, ()) = futures::join!(read.read_to_end(&mut back), write_all);
        got.unwrap();
        assert!(back == sent);
        assert_eq!(echo.await.unwrap(), 1 << 20);
    });
}

#[test]
fn lines_are_read_through_a_buffer_of_tokios() {
    with_workers(|| async {
        let (mut near, far) = UnixStream::pair().unwrap();
        near.write_all(b"one\ntwo\nthree").await.unwrap();
        near.shutdown().await.unwrap();
        let mut lines = BufReader::new(far).lines();
        let mut read = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            read.push(line);
        }
        assert_eq!(read, ["one", "two", "three"]);
    });
}

#[test]
fn a_proxy_of_tokios_copies_both_ways_until_both_ends_have_ended() {
    with_workers(|| async {
        let (mut client, mut front) = tcp_pair().await;
        let (mut back, mut server) = tcp_pair().await;
        let proxy = spawn(async move { copy_bidirectional(&mut front, &mut back).await.unwrap() });
        let answer = spawn(async move {
            let mut text = String::new();
            server.read_to_string(&mut text).await.unwrap();
            server
                .write_all(text.to_uppercase().as_bytes())
                .await
                .unwrap();
        });
        client.write_all(b"hello").await.unwrap();
        client.shutdown().await.unwrap();
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "HELLO");
        answer.await.unwrap();
        assert_eq!(proxy.await.unwrap(), (5, 5));
    });
}

#[test]
fn what_a_buffer_holds_already_stays() {
    with_workers(|| async {
        let (mut near, mut far): (TcpStream, TcpStream) = tcp_pair().await;
        near.write_all(b" world").await.unwrap();
        let mut buf = b"hello".to_vec();
        buf.reserve(64);
        while buf.len() < 11 {
            far.read_buf(&mut buf).await.unwrap();
        }
        assert_eq!(buf, b"hello world");
    });
}
