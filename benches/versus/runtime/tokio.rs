//! The adapters for tokio: its multi-threaded runtime, and its single-threaded one for information.

use crate::versus::runtime::Runtime;
use ::tokio::io::{AsyncReadExt, AsyncWriteExt};
use ::tokio::net::{TcpListener, TcpStream};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The multi-threaded runtime with everything enabled, as `#[tokio::main]` makes it.
pub struct Tokio(::tokio::runtime::Runtime);

/// The single-threaded runtime: tasks run on the thread in `block_on`.
pub struct TokioCurrentThread(::tokio::runtime::Runtime);

fn without_delay(stream: TcpStream) -> TcpStream {
    stream
        .set_nodelay(true)
        .expect("a TCP stream has the option");
    stream
}

fn spawn<F>(future: F) -> impl Future<Output = F::Output> + Send + 'static
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let task = ::tokio::spawn(future);
    async move { task.await.expect("a measured task ends by itself") }
}

macro_rules! tokio_runtime {
    ($name:ident, $workers:ident, $builder:expr) => {
        impl Runtime for $name {
            const YIELD_NOW: &'static str =
                "goes behind the tasks that are ready, and lets the I/O driver be polled first";

            type Listener = TcpListener;
            type Stream = TcpStream;

            fn start($workers: usize) -> $name {
                let runtime = $builder.enable_all().build();
                $name(runtime.expect("the benchmark's workers can be had"))
            }

            fn block_on<F: Future>(&self, future: F) -> F::Output {
                self.0.block_on(future)
            }

            fn spawn<F>(future: F) -> impl Future<Output = F::Output> + Send + 'static
            where
                F: Future + Send + 'static,
                F::Output: Send + 'static,
            {
                spawn(future)
            }

            fn detach<F>(future: F)
            where
                F: Future<Output = ()> + Send + 'static,
            {
                drop(::tokio::spawn(future));
            }

            fn yield_now() -> impl Future<Output = ()> + Send + 'static {
                ::tokio::task::yield_now()
            }

            fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
                ::tokio::time::sleep(duration)
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
                let stream = TcpStream::connect(address).await;
                without_delay(stream.expect("the server listens"))
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
                TokioIo::new(stream)
            }
        }
    };
}

tokio_runtime!(
    Tokio,
    workers,
    ::tokio::runtime::Builder::new_multi_thread().worker_threads(workers)
);
tokio_runtime!(
    TokioCurrentThread,
    _workers,
    ::tokio::runtime::Builder::new_current_thread()
);
