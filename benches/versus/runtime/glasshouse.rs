//! The adapter for Glasshouse, through its public API.

use crate::versus::runtime::Runtime;
use crate::versus::runtime::futures_io::FuturesIo;
use ::glasshouse::net::{TcpListener, TcpStream};
use futures::io::{AsyncReadExt, AsyncWriteExt};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// A scheduler with worker threads.
pub struct Glasshouse(::glasshouse::Scheduler);

impl Runtime for Glasshouse {
    const YIELD_NOW: &'static str = "goes behind the tasks that are ready on its worker";

    type Listener = TcpListener;
    type Stream = TcpStream;

    fn start(workers: usize) -> Glasshouse {
        let scheduler = ::glasshouse::Builder::new()
            .workers(workers)
            .build()
            .expect("the benchmark's workers can be had");
        Glasshouse(scheduler)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }

    fn spawn<F>(future: F) -> impl Future<Output = F::Output> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = ::glasshouse::spawn(future);
        async move { task.await.expect("a measured task ends by itself") }
    }

    fn detach<F>(future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(::glasshouse::spawn(future));
    }

    fn yield_now() -> impl Future<Output = ()> + Send + 'static {
        ::glasshouse::task::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        ::glasshouse::time::sleep(duration)
    }

    async fn listen() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has one");
        (listener, address)
    }

    async fn accept(listener: &TcpListener) -> TcpStream {
        let (stream, _) = listener.accept().await.expect("a client connects");
        without_delay(stream)
    }

    async fn connect(address: SocketAddr) -> TcpStream {
        without_delay(
            TcpStream::connect(address)
                .await
                .expect("the server listens"),
        )
    }

    async fn read_exact(stream: &mut TcpStream, buf: &mut [u8]) {
        stream.read_exact(buf).await.expect("the peer sends");
    }

    async fn write_all(stream: &mut TcpStream, buf: &[u8]) {
        stream.write_all(buf).await.expect("the peer reads");
    }

    fn hyper_io(
        stream: TcpStream,
    ) -> impl hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static {
        FuturesIo::new(stream)
    }
}

fn without_delay(stream: TcpStream) -> TcpStream {
    stream
        .set_nodelay(true)
        .expect("a TCP stream has the option");
    stream
}
