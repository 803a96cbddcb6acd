//! What the log says of waits for sockets.

use crate::common::{life, threads, yield_until};
use crate::tcp_pair;
use futures::{AsyncReadExt, AsyncWriteExt};
use glasshouse_pal::verify::verify;
use glasshouse_pal::{Interest, TaskEvent, TaskState};
use glasshouse_scheduler::net::UnixStream;
use glasshouse_scheduler::spawn;
use std::os::fd::AsRawFd;

#[test]
fn a_wait_names_the_descriptor_and_the_direction_and_io_wakes_it() {
    let (scheduler, pal) = threads(1);
    let (reader, fd) = scheduler.block_on(async {
        let (mut near, mut far) = tcp_pair().await;
        let fd = far.as_raw_fd();
        let reader = spawn(async move { far.read(&mut [0; 8]).await.unwrap() });
        yield_until(&pal, reader.id(), TaskState::IoWait).await;
        near.write_all(b"hello").await.unwrap();
        let id = reader.id();
        assert_eq!(reader.await.unwrap(), 5);
        (id, fd)
    });
    let waits: Vec<_> = pal
        .events()
        .into_iter()
        .filter_map(|event| match event {
            TaskEvent::IoWait { tid, io } if tid == reader => Some(io),
            _ => None,
        })
        .collect();
    assert_eq!(waits.len(), 1);
    assert_eq!((waits[0].fd, waits[0].interest), (fd, Interest::Read));
    let root = crate::common::parent_of(&pal, reader);
    assert_eq!(
        life(&pal, reader),
        [
            &format!("spawned by {root}"),
            "running",
            "io_wait Read",
            "wake by io",
            "running",
            "done"
        ]
    );
}

#[test]
fn a_writer_whose_peer_does_not_read_waits_to_write() {
    let (scheduler, pal) = threads(1);
    let writer = scheduler.block_on(async {
        let (mut near, mut far) = UnixStream::pair().unwrap();
        let writer = spawn(async move { near.write_all(&[0; 1 << 20]).await.unwrap() });
        yield_until(&pal, writer.id(), TaskState::IoWait).await;
        let id = writer.id();
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), 1 << 20);
        writer.await.unwrap();
        id
    });
    let life = life(&pal, writer);
    assert!(life.contains(&"io_wait Write".to_owned()), "{life:?}");
    assert!(!life.contains(&"io_wait Read".to_owned()), "{life:?}");
}

#[test]
fn echoes_on_many_connections_leave_a_record_that_holds() {
    for workers in [1, 2] {
        let (scheduler, pal) = threads(workers);
        scheduler.block_on(async {
            let mut tasks = Vec::new();
            for _ in 0..32 {
                let (mut near, mut far) = tcp_pair().await;
                tasks.push(spawn(async move {
                    let mut buf = [0; 64];
                    while far.read_exact(&mut buf).await.is_ok() {
                        far.write_all(&buf).await.unwrap();
                    }
                }));
                tasks.push(spawn(async move {
                    let mut buf = [0; 64];
                    for _ in 0..50 {
                        near.write_all(&buf).await.unwrap();
                        near.read_exact(&mut buf).await.unwrap();
                    }
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
        });
        drop(scheduler);
        let report = verify(&pal.log());
        assert!(report.holds(), "{workers} workers: {report:#?}");
    }
}
