//! Sockets over the loopback: bytes arrive whole and in order, ends are seen, waits are in the log, and tasks
//! that give up or are aborted leave nothing behind.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail where it is"
)]

#[path = "../common/mod.rs"]
mod common;

#[cfg(feature = "telemetry")]
mod address;
mod descriptors;
mod halves;
#[cfg(feature = "telemetry")]
mod log;
mod readiness;
mod tcp;
#[cfg(feature = "tokio")]
mod tokio_traits;
mod udp;
mod unix;

use glasshouse_scheduler::net::{TcpListener, TcpStream};

/// Two connected ends.
async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    let (far, peer) = listener.accept().await.unwrap();
    assert_eq!(peer, near.local_addr().unwrap());
    (near, far)
}

/// Runs `test` with one and with two workers.
fn with_workers<F: Future>(test: impl Fn() -> F) {
    for workers in [1, 2] {
        let (scheduler, _pal) = common::threads(workers);
        scheduler.block_on(test());
    }
}
