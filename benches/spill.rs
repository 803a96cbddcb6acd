//! Prints what the spiller costs: bytes a record on disk for several mixes, and how much slower each mix gets with it:
//! `scripts/spill-cost`.
//!
//! Each run is a process of its own, as there is one log a process. Runs with the spiller and without alternate; figures
//! are medians.

use futures::channel::mpsc;
use futures::{AsyncReadExt, AsyncWriteExt};
use futures::{SinkExt, StreamExt};
use glasshouse::net::{TcpListener, TcpStream};
use glasshouse::{Builder, spawn, task, time};
use std::time::{Duration, Instant};

/// What is run.
const MIXES: [(&str, fn(u64) -> Work); 3] =
    [("tour-like", tour_like), ("yields", yields), ("io", io)];

type Work = std::pin::Pin<Box<dyn Future<Output = u64> + Send>>;

/// A hundred tasks that yield.
fn yields(rounds: u64) -> Work {
    Box::pin(async move {
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                spawn(async move {
                    for _ in 0..rounds * 200 {
                        task::yield_now().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("ends");
        }
        rounds * 200 * 100
    })
}

/// Eight connections over which a kilobyte goes back and forth.
fn io(rounds: u64) -> Work {
    Box::pin(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let addr = listener.local_addr().expect("an address");
        let server = spawn(async move {
            let mut all = Vec::new();
            for _ in 0..8 {
                let (mut stream, _) = listener.accept().await.expect("accepted");
                all.push(spawn(async move {
                    let mut bytes = [0; 1024];
                    while stream.read_exact(&mut bytes).await.is_ok() {
                        stream.write_all(&bytes).await.expect("written");
                    }
                }));
            }
            for one in all {
                one.await.expect("ends");
            }
        });
        let clients: Vec<_> = (0..8)
            .map(|_| {
                spawn(async move {
                    let mut stream = TcpStream::connect(addr).await.expect("connected");
                    let mut bytes = [7; 1024];
                    for _ in 0..rounds * 200 {
                        stream.write_all(&bytes).await.expect("written");
                        stream.read_exact(&mut bytes).await.expect("read");
                    }
                })
            })
            .collect();
        for client in clients {
            client.await.expect("ends");
        }
        server.await.expect("ends");
        rounds * 200 * 8
    })
}

/// Tasks that sleep, talk over channels, spawn others and wait for them, as a flow's do.
fn tour_like(rounds: u64) -> Work {
    Box::pin(async move {
        let tasks: Vec<_> = (0..16_u64)
            .map(|n| {
                spawn(async move {
                    let (mut send, mut receive) = mpsc::channel::<u64>(4);
                    let pump = task::Builder::new().name("pump").spawn(async move {
                        let mut sum = 0;
                        while let Some(value) = receive.next().await {
                            sum += value;
                        }
                        sum
                    });
                    for round in 0..rounds {
                        time::sleep(Duration::from_micros(50 + 37 * n)).await;
                        for value in 0..4 {
                            send.send(value).await.expect("received");
                        }
                        if round % 8 == 0 {
                            let node = task::Builder::new()
                                .name("node")
                                .spawn(async { task::yield_now().await });
                            node.await.expect("ends");
                        }
                    }
                    drop(send);
                    pump.await.expect("ends")
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("ends");
        }
        rounds * 16
    })
}

fn main() {
    let args: Vec<String> = std::env::args().filter(|arg| arg != "--bench").collect();
    let mix = MIXES.iter().find(|mix| mix.0 == args[1]).expect("a mix");
    let rounds = args[2].parse().expect("a number");
    let scheduler = Builder::new().workers(2).build().expect("built");
    let begun = Instant::now();
    let n = scheduler.block_on(mix.1(rounds));
    println!("{} {} {}", mix.0, n, begun.elapsed().as_nanos());
}
