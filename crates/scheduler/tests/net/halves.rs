//! Connections in two halves.

use crate::{tcp_pair, with_workers};
use futures::{AsyncReadExt, AsyncWriteExt, join};
use glasshouse_scheduler::net::{TcpStream, UnixStream};
use glasshouse_scheduler::spawn;

#[test]
fn one_task_reads_and_writes_at_once_through_borrowed_halves() {
    with_workers(|| async {
        let (mut near, mut far) = tcp_pair().await;
        let echo = spawn(async move {
            let mut buf = vec![0; 4 << 20];
            far.read_exact(&mut buf).await.unwrap();
            far.write_all(&buf).await.unwrap();
        });
        let (mut read, mut write) = TcpStream::split(&mut near);
        assert_eq!(read.local_addr().unwrap(), write.local_addr().unwrap());
        let sent = vec![7; 4 << 20];
        let mut back = Vec::new();
        let (wrote, got) = join!(write.write_all(&sent), read.read_to_end(&mut back));
        wrote.unwrap();
        got.unwrap();
        assert!(back == sent);
        echo.await.unwrap();
    });
}

#[test]
fn two_tasks_have_a_half_each_and_the_end_of_the_writing_half_is_seen() {
    with_workers(|| async {
        let (near, far) = tcp_pair().await;
        let (mut near_read, mut near_write) = near.into_split();
        let (mut far_read, mut far_write) = far.into_split();
        let writer = spawn(async move {
            for _ in 0..64 {
                near_write.write_all(&[1; 65536]).await.unwrap();
            }
        });
        let reader = spawn(async move {
            let mut all = Vec::new();
            near_read.read_to_end(&mut all).await.unwrap();
            all.len()
        });
        let mut all = Vec::new();
        far_read.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), 64 * 65536);
        far_write.write_all(b"thanks").await.unwrap();
        drop(far_write);
        writer.await.unwrap();
        assert_eq!(reader.await.unwrap(), 6);
    });
}

#[test]
fn halves_of_one_connection_become_one_again_and_others_do_not() {
    with_workers(|| async {
        let (near, mut far) = UnixStream::pair().unwrap();
        let (other, _) = UnixStream::pair().unwrap();
        let (read, write) = near.into_split();
        let (other_read, _other_write) = other.into_split();
        let error = write.reunite(other_read).unwrap_err();
        let mut near = read.reunite(error.1).unwrap();
        near.write_all(b"still open").await.unwrap();
        let mut buf = [0; 10];
        far.read_exact(&mut buf).await.unwrap();
        assert_eq!(&buf, b"still open");
    });
}

#[test]
fn a_writing_half_that_was_forgotten_does_not_end_the_stream() {
    with_workers(|| async {
        let (near, far) = UnixStream::pair().unwrap();
        let (_read, write) = near.into_split();
        write.forget();
        let error = far.try_read(&mut [0; 4]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    });
}

#[test]
fn each_half_has_its_direction_only() {
    with_workers(|| async {
        let (near, far) = UnixStream::pair().unwrap();
        let (mut read, write) = far.into_split();
        near.try_write(b"hello").unwrap();
        read.readable().await.unwrap();
        let mut buf = [0; 5];
        assert_eq!(read.peek(&mut buf).await.unwrap(), 5);
        assert_eq!(read.try_read(&mut buf).unwrap(), 5);
        write.writable().await.unwrap();
        assert_eq!(write.try_write(b"back").unwrap(), 4);
    });
}
