//! Owns the row that sends bytes over loopback and back.

use super::Size;
use crate::versus::runtime::Runtime;

const CONNECTIONS: u64 = 64;
const MESSAGE_BYTES: usize = 64;

/// Connections with a task at each end, in one runtime; an operation is a round trip.
pub async fn echo<R: Runtime>(size: Size) -> u64 {
    let trips = size.of(320);
    let (listener, address) = R::listen().await;
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let client = R::connect(address).await;
        let server = R::accept(&listener).await;
        R::detach(answer::<R>(server, trips));
        tasks.push(R::spawn(ask::<R>(client, trips)));
    }
    for task in tasks {
        task.await;
    }
    CONNECTIONS * trips
}

async fn ask<R: Runtime>(mut stream: R::Stream, trips: u64) {
    let (question, mut answer) = ([7; MESSAGE_BYTES], [0; MESSAGE_BYTES]);
    for _ in 0..trips {
        R::write_all(&mut stream, &question).await;
        R::read_exact(&mut stream, &mut answer).await;
    }
    assert_eq!(answer, question, "what was sent comes back");
}

async fn answer<R: Runtime>(mut stream: R::Stream, trips: u64) {
    let mut message = [0; MESSAGE_BYTES];
    for _ in 0..trips {
        R::read_exact(&mut stream, &mut message).await;
        R::write_all(&mut stream, &message).await;
    }
}
