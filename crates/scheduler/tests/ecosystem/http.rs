//! HTTP/1 and HTTP/2 over the loopback: hyper's server and client, through the adapter that hyper-util has for
//! the traits of tokio, and with tasks and timers of this scheduler.

use crate::on_workers;
use bytes::Bytes;
use futures::future::join_all;
use futures::{StreamExt, stream};
use glasshouse_scheduler::net::{TcpListener, TcpStream};
use glasshouse_scheduler::task::JoinSet;
use glasshouse_scheduler::{spawn, time};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::{http1 as client1, http2 as client2};
use hyper::rt::{Executor, Sleep, Timer};
use hyper::server::conn::{http1 as server1, http2 as server2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What hyper spawns are tasks of the current scheduler.
#[derive(Clone)]
struct Tasks;

impl<F> Executor<F> for Tasks
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        drop(spawn(future));
    }
}

/// What hyper waits for are timers of the current scheduler.
struct Timers;

struct Slept(Pin<Box<time::Sleep>>);

impl Future for Slept {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl Sleep for Slept {}

impl Timer for Timers {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(Slept(Box::pin(time::sleep(duration))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let deadline = time::Instant::from_std(deadline);
        Box::pin(Slept(Box::pin(time::sleep_until(deadline))))
    }
}

/// Gives the body back in capitals, as it comes, or tells the path.
async fn serve(request: Request<Incoming>) -> Result<Response<Reply>, Infallible> {
    let reply = match (request.method(), request.uri().path()) {
        (&Method::POST, "/shout") => {
            let frames = request.into_body().into_data_stream().map(|data| {
                let shouted = data.unwrap().to_ascii_uppercase();
                Ok(Frame::data(Bytes::from(shouted)))
            });
            StreamBody::new(Box::pin(frames)).boxed_unsync()
        }
        (&Method::GET, path) => Full::new(Bytes::from(path.to_owned())).boxed_unsync(),
        _ => {
            let mut refused = Response::new(Full::new(Bytes::new()).boxed_unsync());
            *refused.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            return Ok(refused);
        }
    };
    Ok(Response::new(reply))
}

type Reply = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

/// Serves HTTP/1 until it is dropped with its scheduler.
async fn server1() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let connection =
                server1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(serve));
            drop(spawn(connection));
        }
    }));
    address
}

type Sender1 = client1::SendRequest<Full<Bytes>>;

async fn connect1(address: SocketAddr) -> Sender1 {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = client1::handshake(TokioIo::new(stream)).await.unwrap();
    drop(spawn(connection));
    sender
}

fn get(path: &str) -> Request<Full<Bytes>> {
    let builder = Request::get(path).header("host", "loopback");
    builder.body(Full::default()).unwrap()
}

fn shout(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let builder = Request::post("http://loopback/shout").header("host", "loopback");
    builder.body(Full::new(body.into())).unwrap()
}

async fn text(response: Response<Incoming>) -> Bytes {
    assert_eq!(response.status(), StatusCode::OK);
    response.into_body().collect().await.unwrap().to_bytes()
}

#[test]
fn one_connection_serves_many_requests_one_after_the_other() {
    on_workers(|| async {
        let mut sender = connect1(server1().await).await;
        for n in 0..100 {
            let path = format!("/page/{n}");
            sender.ready().await.unwrap();
            let response = sender.send_request(get(&path)).await.unwrap();
            assert_eq!(text(response).await, path);
        }
        sender.ready().await.unwrap();
        let put = Request::put("/").body(Full::default()).unwrap();
        let refused = sender.send_request(put).await.unwrap();
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    });
}

#[test]
fn many_connections_are_served_at_once() {
    on_workers(|| async {
        let address = server1().await;
        let mut clients = JoinSet::new();
        for client in 0..32 {
            clients.spawn(async move {
                let mut sender = connect1(address).await;
                for n in 0..10 {
                    let body = format!("client {client} says {n}");
                    sender.ready().await.unwrap();
                    let response = sender.send_request(shout(body.clone())).await.unwrap();
                    assert_eq!(text(response).await, body.to_ascii_uppercase());
                }
            });
        }
        clients.join_all().await;
    });
}

#[test]
fn a_long_body_streams_both_ways_at_once() {
    on_workers(|| async {
        let address = server1().await;
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) = client1::handshake(TokioIo::new(stream)).await.unwrap();
        drop(spawn(connection));
        // Far more than the sockets' buffers hold: without reading, writing would come to a stop.
        const CHUNKS: usize = 128;
        const CHUNK: usize = 64 * 1024;
        let frames = stream::iter(0..CHUNKS).map(|n| {
            let letter = b'a' + (n % 26) as u8;
            Ok::<_, Infallible>(Frame::data(Bytes::from(vec![letter; CHUNK])))
        });
        let request = Request::post("/shout").header("host", "loopback");
        let request = request.body(StreamBody::new(frames)).unwrap();
        let response = sender.send_request(request).await.unwrap();
        let mut data = response.into_body().into_data_stream();
        let mut at = 0;
        while let Some(piece) = data.next().await {
            for byte in piece.unwrap() {
                assert_eq!(byte, b'A' + (at / CHUNK % 26) as u8);
                at += 1;
            }
        }
        assert_eq!(at, CHUNKS * CHUNK);
    });
}

#[test]
fn requests_share_one_connection_of_http_2() {
    on_workers(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let builder = server2::Builder::new(Tasks);
            let serving = builder.serve_connection(TokioIo::new(stream), service_fn(serve));
            serving.await
        });
        let stream = TcpStream::connect(address).await.unwrap();
        let handshake = client2::Builder::new(Tasks).handshake(TokioIo::new(stream));
        let (sender, connection) = handshake.await.unwrap();
        let connection = spawn(connection);
        let requests = (0..100).map(|n| {
            let mut sender: client2::SendRequest<Full<Bytes>> = sender.clone();
            async move {
                let body = format!("stream {n} ").repeat(n * 10);
                let response = sender.send_request(shout(body.clone())).await.unwrap();
                assert_eq!(text(response).await, body.to_ascii_uppercase());
            }
        });
        join_all(requests).await;
        drop(sender);
        connection.await.unwrap().unwrap();
        server.await.unwrap().unwrap();
    });
}

#[test]
fn a_server_that_is_asked_to_stop_ends_the_request_that_it_has_begun() {
    on_workers(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (begin, begun) = async_channel::bounded(1);
        let (stop, stopped) = async_channel::bounded::<()>(1);
        let (go_on, may_go_on) = async_channel::bounded::<()>(1);
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let slow = service_fn(async |_| {
                begin.send(()).await.unwrap();
                may_go_on.recv().await.unwrap();
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("the end"))))
            });
            let mut serving =
                Box::pin(server1::Builder::new().serve_connection(TokioIo::new(stream), slow));
            tokio::select! {
                ended = &mut serving => return ended,
                _ = stopped.recv() => serving.as_mut().graceful_shutdown(),
            }
            go_on.send(()).await.unwrap();
            serving.await
        });
        let mut sender = connect1(address).await;
        let response = spawn(async move {
            let response = sender.send_request(get("/")).await.unwrap();
            text(response).await
        });
        begun.recv().await.unwrap();
        stop.send(()).await.unwrap();
        assert_eq!(response.await.unwrap(), "the end");
        server.await.unwrap().unwrap();
    });
}

#[test]
fn a_client_that_sends_no_request_is_given_up_after_the_servers_timeout() {
    on_workers(|| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut builder = server1::Builder::new();
            builder
                .timer(Timers)
                .header_read_timeout(Duration::from_millis(20));
            let serving = builder.serve_connection(TokioIo::new(stream), service_fn(serve));
            serving.await
        });
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
        let mut left = Vec::new();
        // Ends when the server closes; what it says before is its matter.
        let _ = stream.read_to_end(&mut left).await;
        assert!(server.await.unwrap().unwrap_err().is_timeout());
    });
}

#[test]
fn a_client_that_goes_away_ends_its_servers_task_alone() {
    on_workers(|| async {
        let address = server1().await;
        for _ in 0..20 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"POST /shout HTTP/1.1\r\n").await.unwrap();
            drop(stream);
        }
        let mut sender = connect1(address).await;
        let response = sender.send_request(get("/still/there")).await.unwrap();
        assert_eq!(text(response).await, "/still/there");
    });
}
