//! Owns the load on an HTTP server: a process of its own that keeps a request under way on each of its
//! connections, and is the same whatever runtime serves it.

use super::Size;
use crate::versus::statistics::quantile;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The first argument of a process that is the load.
pub const LOAD_SUBCOMMAND: &str = "load";
pub const CONNECTIONS: usize = 64;

const WARM_UP: Duration = Duration::from_millis(100);
const WINDOW: Duration = Duration::from_millis(400);
/// A shorter window may see no answer on a machine that others use.
const WINDOW_MIN: Duration = Duration::from_millis(200);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
const STATUS: &[u8] = b"HTTP/1.1 200 OK\r\n";
const BODY: &[u8] = b"\r\n\r\nhello, world";
const RESPONSE_BYTES_MAX: usize = 1024;

/// Starts the load on `address` and waits for its figures: nanoseconds per request, and the 99th
/// percentile of the time that a client waited.
pub fn ask_for_load(address: SocketAddr, size: Size) -> Vec<f64> {
    let program = std::env::current_exe().expect("a running program has a path");
    let window = size.of_time(WINDOW).max(WINDOW_MIN);
    let output = Command::new(program)
        .args([LOAD_SUBCOMMAND, &address.to_string()])
        .arg(window.as_millis().to_string())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("this program can be run again");
    assert!(
        output.status.success(),
        "the load ended with {}",
        output.status
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let figures = text.lines().map(|line| line.parse());
    figures
        .collect::<Result<_, _>>()
        .expect("the load prints its figures")
}

/// The process that is the load: prints one figure a line.
pub fn load_here(arguments: &[String]) -> Result<(), String> {
    let asked = match arguments {
        [address, window_ms] => address.parse().ok().zip(window_ms.parse().ok()),
        _ => None,
    };
    let (address, window_ms): (SocketAddr, u64) =
        asked.ok_or_else(|| format!("{LOAD_SUBCOMMAND} is for this program's own use"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let window = Duration::from_millis(window_ms);
    let waited_ns = runtime.block_on(load(address, window));
    println!("{}", window.as_nanos() as f64 / waited_ns.len() as f64);
    println!(
        "{}",
        quantile(&waited_ns, 0.99).ok_or("the server answered nothing")?
    );
    Ok(())
}

/// What each request that was answered in the window had to wait, in nanoseconds.
async fn load(address: SocketAddr, window: Duration) -> Vec<f64> {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address)
            .await
            .expect("the server listens");
        stream
            .set_nodelay(true)
            .expect("a TCP stream has the option");
        streams.push(stream);
    }
    let begin = Instant::now() + WARM_UP;
    let clients: Vec<_> = streams
        .into_iter()
        .map(|stream| tokio::spawn(ask(stream, begin, begin + window)))
        .collect();
    let mut waited_ns = Vec::new();
    for client in clients {
        waited_ns.extend(client.await.expect("a client ends by itself"));
    }
    waited_ns
}

async fn ask(mut stream: TcpStream, begin: Instant, end: Instant) -> Vec<f64> {
    let mut waited_ns = Vec::new();
    let mut response = [0; RESPONSE_BYTES_MAX];
    loop {
        let asked = Instant::now();
        stream.write_all(REQUEST).await.expect("the server reads");
        let mut len = 0;
        while !response[..len].ends_with(BODY) {
            let read = stream.read(&mut response[len..]).await;
            len += match read.expect("the server answers") {
                0 => panic!("the server sent no whole response: {len} bytes"),
                read => read,
            };
        }
        assert!(response.starts_with(STATUS), "the server refuses");
        let answered = Instant::now();
        if answered >= end {
            return waited_ns;
        }
        if answered >= begin {
            waited_ns.push((answered - asked).as_nanos() as f64);
        }
    }
}
