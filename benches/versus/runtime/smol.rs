//! The adapter for async-executor with async-io, put together as smol's global executor is.

use crate::versus::runtime::Runtime;
use crate::versus::runtime::futures_io::FuturesIo;
use async_executor::Executor;
use async_io::Async;
use futures::io::{AsyncReadExt, AsyncWriteExt};
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// The executor of this process.
static EXECUTOR: Executor<'static> = Executor::new();

/// Threads that run the executor; each polls the reactor where it would otherwise sleep.
pub struct Smol(());

impl Runtime for Smol {
    const YIELD_NOW: &'static str = "goes to the end of the queue that all threads share";

    type Listener = Async<TcpListener>;
    type Stream = Async<TcpStream>;

    fn start(workers: usize) -> Smol {
        for index in 0..workers {
            thread::Builder::new()
                .name(format!("smol-{index}"))
                .spawn(|| async_io::block_on(EXECUTOR.run(std::future::pending::<()>())))
                .expect("the benchmark's workers can be had");
        }
        Smol(())
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        async_io::block_on(future)
    }

    fn spawn<F>(future: F) -> impl Future<Output = F::Output> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        EXECUTOR.spawn(future)
    }

    fn detach<F>(future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        EXECUTOR.spawn(future).detach();
    }

    fn yield_now() -> impl Future<Output = ()> + Send + 'static {
        futures_lite::future::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        let timer = async_io::Timer::after(duration);
        async move {
            timer.await;
        }
    }

    async fn listen() -> (Async<TcpListener>, SocketAddr) {
        let listener = Async::<TcpListener>::bind((Ipv4Addr::LOCALHOST, 0));
        let listener = listener.expect("loopback has a free port");
        let address = listener.get_ref().local_addr();
        (listener, address.expect("a bound listener has one"))
    }

    async fn accept(listener: &Async<TcpListener>) -> Async<TcpStream> {
        let (stream, _) = listener.accept().await.expect("a client connects");
        without_delay(stream)
    }

    async fn connect(address: SocketAddr) -> Async<TcpStream> {
        let stream = Async::<TcpStream>::connect(address).await;
        without_delay(stream.expect("the server listens"))
    }

    async fn read_exact(stream: &mut Async<TcpStream>, buf: &mut [u8]) {
        stream.read_exact(buf).await.expect("the peer sends");
    }

    async fn write_all(stream: &mut Async<TcpStream>, buf: &[u8]) {
        stream.write_all(buf).await.expect("the peer reads");
    }

    fn hyper_io(
        stream: Async<TcpStream>,
    ) -> impl hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static {
        FuturesIo::new(stream)
    }
}

fn without_delay(stream: Async<TcpStream>) -> Async<TcpStream> {
    let set = stream.get_ref().set_nodelay(true);
    set.expect("a TCP stream has the option");
    stream
}
