//! Owns what the measured work may ask of a runtime; one adapter per runtime answers, and nothing else differs.

mod futures_io;
pub mod glasshouse;
pub mod smol;
pub mod tokio;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

/// A runtime that is running. Its functions without `self` are for code that runs inside it.
pub trait Runtime: Sized + 'static {
    /// What its own `yield_now` promises.
    const YIELD_NOW: &'static str;

    /// Its TCP sockets. The functions on them panic where the system refuses, which loopback does not.
    type Listener: Send + Sync + 'static;
    type Stream: Send + 'static;

    /// Starts it with that many threads that run tasks.
    fn start(workers: usize) -> Self;

    /// Runs a future on the calling thread.
    fn block_on<F: Future>(&self, future: F) -> F::Output;

    /// Spawns a task; what it returns is its join handle, which panics if the task did.
    fn spawn<F>(future: F) -> impl Future<Output = F::Output> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static;

    /// Spawns a task that nobody awaits.
    fn detach<F>(future: F)
    where
        F: Future<Output = ()> + Send + 'static;

    /// The runtime's own way to let other tasks run.
    fn yield_now() -> impl Future<Output = ()> + Send + 'static;

    /// The runtime's own timer.
    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static;

    /// Listens on a free port of loopback.
    fn listen() -> impl Future<Output = (Self::Listener, SocketAddr)> + Send;

    /// The next connection, without Nagle's delay.
    fn accept(listener: &Self::Listener) -> impl Future<Output = Self::Stream> + Send;

    /// A connection, without Nagle's delay.
    fn connect(address: SocketAddr) -> impl Future<Output = Self::Stream> + Send;

    /// Fills the buffer.
    fn read_exact(stream: &mut Self::Stream, buf: &mut [u8]) -> impl Future<Output = ()> + Send;

    /// Sends all of the buffer.
    fn write_all(stream: &mut Self::Stream, buf: &[u8]) -> impl Future<Output = ()> + Send;

    /// The connection as hyper wants it.
    fn hyper_io(
        stream: Self::Stream,
    ) -> impl hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static;
}
