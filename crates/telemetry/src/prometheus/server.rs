//! Owns the HTTP server that a Prometheus scrapes.
//!
//! One thread, one request at a time, one response a connection: what a scrape needs, and no more. The
//! request is parsed by `httparse`; what a library would add beside it (a runtime, keep-alive, TLS,
//! routing) a scrape of one page does not use, and whoever wants it serves [`Exporter::render`] from
//! the server he has. A client has a second to send its request and five to take the response, so
//! that a stalled one delays the next by no more than that.

use super::Exporter;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The most bytes of a request's head.
const REQUEST_LEN: usize = 8 * 1024;
/// The most header fields of a request.
const HEADER_FIELDS: usize = 64;
/// How long a client may take to send its request.
const REQUEST_TIME: Duration = Duration::from_secs(1);
/// How long a client may take to receive the response.
const RESPONSE_TIME: Duration = Duration::from_secs(5);
/// How long a read waits before it looks whether the server is to stop.
const STOP_CHECK: Duration = Duration::from_millis(100);
/// How long to wait after an accept that failed, as it does while descriptors are used up.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// A running server. Dropping it finishes the response under way and frees the address.
///
/// ```
/// use std::io::{Read, Write};
/// let exporter = glasshouse_telemetry::prometheus::Exporter::new();
/// let server = exporter.serve("127.0.0.1:0")?;
/// let mut client = std::net::TcpStream::connect(server.addr())?;
/// client.write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n")?;
/// let mut response = String::new();
/// client.read_to_string(&mut response)?;
/// assert!(response.starts_with("HTTP/1.1 200 OK\r\n"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(exporter: Exporter, addr: impl ToSocketAddrs) -> io::Result<Server> {
        let listener = TcpListener::bind(addr)?;
        let addr = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let thread = thread::Builder::new()
            .name("glasshouse-metrics".to_owned())
            .spawn({
                let stop = stop.clone();
                move || accept(&listener, &exporter, &stop)
            })?;
        Ok(Server {
            addr,
            stop,
            thread: Some(thread),
        })
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Wakes the accept. Should the connection fail because the backlog is full, the accept has
        // somebody to wake for anyway.
        let _ = TcpStream::connect_timeout(&reachable(self.addr), STOP_CHECK);
        if let Some(thread) = self.thread.take() {
            // It returns an error only if it panicked, which the panic hook has reported already.
            let _ = thread.join();
        }
    }
}

/// An address at which this machine reaches a listener on `addr`.
fn reachable(addr: SocketAddr) -> SocketAddr {
    match addr {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => (Ipv4Addr::LOCALHOST, v4.port()).into(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => (Ipv6Addr::LOCALHOST, v6.port()).into(),
        addr => addr,
    }
}

fn accept(listener: &TcpListener, exporter: &Exporter, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        match listener.accept() {
            Ok(_) if stop.load(Ordering::Acquire) => return,
            // What goes wrong on one connection is between it and its client.
            Ok((client, _)) => drop(answer(client, exporter, stop)),
            Err(_) => thread::sleep(ACCEPT_RETRY),
        }
    }
}

fn answer(mut client: TcpStream, exporter: &Exporter, stop: &AtomicBool) -> io::Result<()> {
    let (request, is_head) = match read_request(&mut client, stop)? {
        Some(request) => request,
        None => return Ok(()),
    };
    let response = match request {
        Request::Metrics => Response::ok(exporter.render()),
        Request::ElsewhereThanMetrics => {
            Response::error("404 Not Found", "The metrics are at /metrics.\n")
        }
        Request::OtherMethod => Response::error("405 Method Not Allowed", "Use GET or HEAD.\n"),
        Request::Malformed => Response::error("400 Bad Request", "This is no HTTP request.\n"),
        Request::TooLong => Response::error(
            "431 Request Header Fields Too Large",
            "Send a shorter request.\n",
        ),
        Request::TooSlow => Response::error("408 Request Timeout", "Send the request at once.\n"),
    };
    response.send(&mut client, is_head)?;
    // Closing over unread bytes would reset the connection and may cost the client its response.
    client.shutdown(Shutdown::Write)?;
    client.set_read_timeout(Some(STOP_CHECK))?;
    let _ = client.read(&mut [0; REQUEST_LEN])?;
    Ok(())
}

/// What a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Metrics,
    ElsewhereThanMetrics,
    OtherMethod,
    Malformed,
    TooLong,
    TooSlow,
}

/// The request, and whether it asks for the head of the response alone; `None` when the client closed
/// the connection, or the server is to stop.
fn read_request(client: &mut TcpStream, stop: &AtomicBool) -> io::Result<Option<(Request, bool)>> {
    let deadline = Instant::now() + REQUEST_TIME;
    let mut head = [0; REQUEST_LEN];
    let mut len = 0;
    client.set_read_timeout(Some(STOP_CHECK))?;
    loop {
        match client.read(&mut head[len..]) {
            Ok(0) => return Ok(None),
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                if stop.load(Ordering::Acquire) {
                    return Ok(None);
                }
            }
            Err(error) => return Err(error),
        }
        if let Some(request) = parse(&head[..len]) {
            return Ok(Some(request));
        }
        if len == head.len() {
            return Ok(Some((Request::TooLong, false)));
        }
        if Instant::now() >= deadline {
            return Ok(Some((Request::TooSlow, false)));
        }
    }
}

/// The request at the head of a connection, and whether it asks for a head alone; `None` until it is
/// complete.
fn parse(head: &[u8]) -> Option<(Request, bool)> {
    let mut fields = [httparse::EMPTY_HEADER; HEADER_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(head) {
        Ok(httparse::Status::Partial) => None,
        Ok(httparse::Status::Complete(_)) => {
            let path = request.path.unwrap_or_default();
            let path = path.split_once('?').map_or(path, |(path, _)| path);
            let is_head = request.method == Some("HEAD");
            let request = match (request.method, path) {
                (Some("GET" | "HEAD"), "/metrics") => Request::Metrics,
                (Some("GET" | "HEAD"), _) => Request::ElsewhereThanMetrics,
                _ => Request::OtherMethod,
            };
            Some((request, is_head))
        }
        Err(httparse::Error::TooManyHeaders) => Some((Request::TooLong, false)),
        Err(_) => Some((Request::Malformed, false)),
    }
}

#[derive(Debug)]
struct Response {
    status: &'static str,
    content_type: &'static str,
    body: String,
}

impl Response {
    fn ok(body: String) -> Response {
        Response {
            status: "200 OK",
            content_type: "text/plain; version=0.0.4; charset=utf-8",
            body,
        }
    }

    fn error(status: &'static str, body: &str) -> Response {
        Response {
            status,
            content_type: "text/plain; charset=utf-8",
            body: body.to_owned(),
        }
    }

    fn send(&self, client: &mut TcpStream, is_head: bool) -> io::Result<()> {
        let Response {
            status,
            content_type,
            body,
        } = self;
        let allow = if status.starts_with("405") {
            "Allow: GET, HEAD\r\n"
        } else {
            ""
        };
        let len = body.len();
        let mut message = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len}\r\n{allow}Connection: close\r\n\r\n"
        );
        // A head announces the body that it leaves out.
        if !is_head {
            message.push_str(body);
        }
        send_within(client, message.as_bytes(), RESPONSE_TIME)
    }
}

/// Sends everything, or gives up: a timeout alone starts anew with each byte that the client takes.
fn send_within(client: &mut TcpStream, mut bytes: &[u8], time: Duration) -> io::Result<()> {
    let deadline = Instant::now() + time;
    while !bytes.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        client.set_write_timeout(Some(left))?;
        match client.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(sent) => bytes = &bytes[sent..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(server: &Server, request: &str) -> String {
        let mut client = TcpStream::connect(server.addr()).expect("the server listens");
        client.write_all(request.as_bytes()).expect("it reads");
        let mut response = String::new();
        client.read_to_string(&mut response).expect("it answers");
        response
    }

    #[test]
    fn each_request_gets_the_status_it_deserves() {
        let exporter = Exporter::new();
        metrics::with_local_recorder(&exporter.recorder(), || {
            metrics::counter!("requests").increment(1);
        });
        let server = exporter.serve("127.0.0.1:0").expect("a free port");
        let cases = [
            ("GET /metrics HTTP/1.1\r\n\r\n", "200 OK"),
            ("GET /metrics?x=1 HTTP/1.0\r\nHost: a\r\n\r\n", "200 OK"),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK"),
            ("GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
            ("HEAD / HTTP/1.1\r\n\r\n", "404 Not Found"),
            ("POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
            ("\u{1}\u{2}\r\n\r\n", "400 Bad Request"),
        ];
        for (request, status) in cases {
            let response = ask(&server, request);
            assert!(
                response.starts_with(&format!("HTTP/1.1 {status}\r\n")),
                "{request}: {response}"
            );
            let is_head = request.starts_with("HEAD");
            assert_eq!(
                response.ends_with("\r\n\r\n"),
                is_head,
                "{request}: {response}"
            );
        }
    }

    #[test]
    fn a_request_without_end_is_refused_at_the_bound() {
        let server = Exporter::new().serve("127.0.0.1:0").expect("a free port");
        let request = format!("GET /metrics HTTP/1.1\r\nX: {}", "x".repeat(REQUEST_LEN));
        let request = &request[..REQUEST_LEN];
        assert!(ask(&server, request).starts_with("HTTP/1.1 431 "));
    }

    #[test]
    fn a_request_that_does_not_come_is_given_up() {
        let server = Exporter::new().serve("127.0.0.1:0").expect("a free port");
        // Real time, since the server's patience is; only that it ends is asserted.
        assert!(ask(&server, "GET /metrics").starts_with("HTTP/1.1 408 "));
    }

    #[test]
    fn the_page_is_what_the_exporter_renders() {
        let exporter = Exporter::new();
        metrics::with_local_recorder(&exporter.recorder(), || {
            metrics::counter!("requests").increment(7);
        });
        let server = exporter.serve("127.0.0.1:0").expect("a free port");
        let response = ask(&server, "GET /metrics HTTP/1.1\r\n\r\n");
        let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
        assert_eq!(body, exporter.render());
        assert!(body.contains("requests 7"));
    }

    #[test]
    fn dropping_the_server_frees_its_address_even_while_a_client_stalls() {
        let server = Exporter::new().serve("127.0.0.1:0").expect("a free port");
        let addr = server.addr();
        let stalled = TcpStream::connect(addr).expect("the server listens");
        drop(server);
        assert!(TcpStream::connect(addr).is_err());
        drop(stalled);
    }
}
