//! Prints what the spiller costs: bytes a record on disk for several mixes, and how many times longer each mix takes
//! with it: `scripts/spill-cost`. With `fill DIR RECORDS` it makes a directory of so many records instead.
//!
//! Each run is a process of its own, as there is one log a process. Runs with the spiller and without alternate, and
//! figures are medians.

use futures::channel::mpsc;
use futures::{AsyncReadExt, AsyncWriteExt, SinkExt, StreamExt};
use glasshouse::net::{TcpListener, TcpStream};
use glasshouse::pal::reader::Log;
use glasshouse::pal::spill::Settings;
use glasshouse::{Builder, Shutdown, spawn, task, time};
use std::path::Path;
use std::pin::Pin;
use std::process::Command;
use std::time::{Duration, Instant};

/// Runs of each mix, with the spiller and without.
const RUNS: usize = 7;
const PATIENCE: Duration = Duration::from_secs(120);

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A mix of tasks: its name, how long it is made for a measurement, and what makes it.
struct Mix {
    name: &'static str,
    rounds: u64,
    work: fn(u64) -> Work,
}

const MIXES: [Mix; 4] = [
    Mix {
        name: "tour-like",
        rounds: 1500,
        work: tour_like,
    },
    Mix {
        name: "io",
        rounds: 100,
        work: io,
    },
    Mix {
        name: "yields, with pauses",
        rounds: 200,
        work: paused_yields,
    },
    Mix {
        name: "yields, without a pause",
        rounds: 2000,
        work: yields,
    },
];

fn main() {
    let args: Vec<String> = std::env::args().filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    match args[..] {
        ["run", mix, rounds] => run(mix, rounds, None),
        ["run", mix, rounds, dir] => run(mix, rounds, Some(dir)),
        ["fill", dir, records] => fill(Path::new(dir), records.parse().expect("a number")),
        _ => compare(),
    }
}

/// One run of a mix, in this process; prints how long it took.
fn run(mix: &str, rounds: &str, dir: Option<&str>) {
    let mix = MIXES.iter().find(|known| known.name == mix);
    let mix = mix.expect("a mix");
    let mut builder = Builder::new().workers(2);
    if let Some(dir) = dir {
        builder = builder.spill(Settings::new(dir));
    }
    let scheduler = builder.build().expect("built");
    let begun = Instant::now();
    scheduler.block_on((mix.work)(rounds.parse().expect("a number")));
    println!("{}", begun.elapsed().as_nanos());
    assert_eq!(scheduler.shutdown(PATIENCE), Shutdown::Clean);
}

/// Runs every mix with the spiller and without, in turn.
fn compare() {
    println!(
        "{:<24} {:>10} {:>14} {:>12} {:>8}",
        "MIX", "RECORDS", "BYTES/RECORD", "LEFT OUT", "TIME"
    );
    for mix in &MIXES {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        let (mut bytes, mut records, mut left_out) = (0, 0, 0);
        for _ in 0..RUNS {
            let place = tempfile::tempdir().expect("a temporary directory");
            let dir = place.path().join("spill");
            without.push(process(mix, None));
            with.push(process(mix, Some(&dir)));
            let log = Log::open(&dir).expect("segments");
            let loss = log.loss();
            let newest = loss.rings.iter().map(|ring| ring.newest_seq);
            let (all, lost) = (newest.sum::<u64>(), loss.in_gaps());
            records += all - lost;
            left_out += lost;
            bytes += bytes_in(&dir);
        }
        println!(
            "{:<24} {:>10} {:>14.2} {:>10.1} % {:>8.3}",
            mix.name,
            records / RUNS as u64,
            bytes as f64 / records as f64,
            left_out as f64 * 100.0 / (records + left_out) as f64,
            median(&mut with) / median(&mut without),
        );
    }
}

/// How long one run takes in a process of its own, in nanoseconds.
fn process(mix: &Mix, dir: Option<&Path>) -> f64 {
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .args(["run", mix.name, &mix.rounds.to_string()])
        .args(dir)
        .output()
        .expect("it runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    printed.trim().parse().expect("a time")
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn bytes_in(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).expect("a directory");
    let sized = |path: &Path| match path.is_dir() {
        true => bytes_in(path),
        false => path.metadata().expect("a file").len(),
    };
    entries
        .map(|entry| sized(&entry.expect("readable").path()))
        .sum()
}

/// Makes a directory of at least so many records, by the mix that is like the tour.
fn fill(dir: &Path, records: u64) {
    let settings = Settings {
        total_bytes: 8 << 30,
        ..Settings::new(dir)
    };
    let scheduler = Builder::new().workers(2).spill(settings).build();
    let scheduler = scheduler.expect("built");
    // By the least that a round of it records.
    let rounds = records / 16 / 7 + 1;
    scheduler.block_on(tour_like(rounds));
    assert_eq!(scheduler.shutdown(PATIENCE), Shutdown::Clean);
    let log = Log::open(dir).expect("segments");
    let loss = log.loss();
    let newest = loss.rings.iter().map(|ring| ring.newest_seq);
    println!(
        "{} records, {} of them left out; {} bytes",
        newest.sum::<u64>(),
        loss.in_gaps(),
        bytes_in(dir)
    );
}

/// Tasks that sleep, talk over channels, spawn others and wait for them, as a flow's do.
fn tour_like(rounds: u64) -> Work {
    Box::pin(async move {
        let tasks: Vec<_> = (0..16).map(|n| spawn(one_of_a_tour(n, rounds))).collect();
        for task in tasks {
            task.await.expect("ends");
        }
    })
}

async fn one_of_a_tour(n: u64, rounds: u64) {
    let (mut send, mut receive) = mpsc::channel::<u64>(4);
    let pump = task::Builder::new()
        .name("pump")
        .spawn(async move { while receive.next().await.is_some() {} });
    for round in 0..rounds {
        time::sleep(Duration::from_micros(50 + 37 * n)).await;
        for value in 0..4 {
            send.send(value).await.expect("received");
        }
        if round.is_multiple_of(8) {
            let node = task::Builder::new().name("node");
            node.spawn(task::yield_now()).await.expect("ends");
        }
    }
    drop(send);
    pump.await.expect("ends");
}

/// Eight connections over which a kilobyte goes back and forth.
fn io(rounds: u64) -> Work {
    Box::pin(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let addr = listener.local_addr().expect("an address");
        let mut all = Vec::new();
        for _ in 0..8 {
            let client = TcpStream::connect(addr).await.expect("connected");
            let (server, _) = listener.accept().await.expect("accepted");
            all.push(spawn(ask(client, rounds * 200)));
            all.push(spawn(answer(server, rounds * 200)));
        }
        for one in all {
            one.await.expect("ends");
        }
    })
}

async fn ask(mut stream: TcpStream, times: u64) {
    let mut bytes = [7; 1024];
    for _ in 0..times {
        stream.write_all(&bytes).await.expect("written");
        stream.read_exact(&mut bytes).await.expect("read");
    }
}

async fn answer(mut stream: TcpStream, times: u64) {
    let mut bytes = [0; 1024];
    for _ in 0..times {
        stream.read_exact(&mut bytes).await.expect("read");
        stream.write_all(&bytes).await.expect("written");
    }
}

/// A hundred tasks that do nothing but yield: more records than any disk takes.
fn yields(rounds: u64) -> Work {
    Box::pin(async move {
        let one = move || async move {
            for _ in 0..rounds * 10 {
                task::yield_now().await;
            }
        };
        let tasks: Vec<_> = (0..100).map(|_| spawn(one())).collect();
        for task in tasks {
            task.await.expect("ends");
        }
    })
}

/// The same with a millisecond's rest after every tenth.
fn paused_yields(rounds: u64) -> Work {
    Box::pin(async move {
        for _ in 0..rounds {
            yields(1).await;
            time::sleep(Duration::from_millis(1)).await;
        }
    })
}
