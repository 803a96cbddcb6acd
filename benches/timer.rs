//! What timers cost beside tokio's: both in this process, run in turn, on one worker each, with telemetry on.
//!
//! Each figure is the least of many short runs, since a busy machine only ever adds; the ratio is the median of
//! those of neighbours, tokio's time over ours, so that 2 is twice as fast.

use futures_lite::future::poll_once;
use glasshouse::telemetry::prometheus::Exporter;
use std::future::Future;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

/// Pairs of runs of a row.
const PAIRS: usize = 101;
/// What one run repeats: a millisecond or so, so that most runs are not interrupted.
const REPEATS: u32 = 20_000;
/// A deadline that is armed and, as most are, never reached.
const NEVER_REACHED: Duration = Duration::from_secs(10);

/// The peers' timers behind the names that both have.
trait Timers {
    type Sleep: Future<Output = ()> + Send;
    type Timeout<F: Future + Send>: Future + Send;

    fn sleep(duration: Duration) -> Self::Sleep;
    fn timeout<F: Future + Send>(duration: Duration, future: F) -> Self::Timeout<F>;
    /// The sleep waits as long again, from now.
    fn reset(sleep: Pin<&mut Self::Sleep>);
}

struct Ours;

impl Timers for Ours {
    type Sleep = glasshouse::time::Sleep;
    type Timeout<F: Future + Send> = glasshouse::time::Timeout<F>;

    fn sleep(duration: Duration) -> Self::Sleep {
        glasshouse::time::sleep(duration)
    }

    fn timeout<F: Future + Send>(duration: Duration, future: F) -> Self::Timeout<F> {
        glasshouse::time::timeout(duration, future)
    }

    fn reset(sleep: Pin<&mut Self::Sleep>) {
        sleep.reset(glasshouse::time::Instant::now() + NEVER_REACHED);
    }
}

struct Tokios;

impl Timers for Tokios {
    type Sleep = tokio::time::Sleep;
    type Timeout<F: Future + Send> = tokio::time::Timeout<F>;

    fn sleep(duration: Duration) -> Self::Sleep {
        tokio::time::sleep(duration)
    }

    fn timeout<F: Future + Send>(duration: Duration, future: F) -> Self::Timeout<F> {
        tokio::time::timeout(duration, future)
    }

    fn reset(sleep: Pin<&mut Self::Sleep>) {
        sleep.reset(tokio::time::Instant::now() + NEVER_REACHED);
    }
}

#[derive(Clone, Copy)]
enum Row {
    Made,
    Dropped,
    Timeout,
    Yield,
    Bounded,
    Reset,
}

impl Row {
    const ALL: [Row; 6] = [
        Row::Made,
        Row::Dropped,
        Row::Timeout,
        Row::Yield,
        Row::Bounded,
        Row::Reset,
    ];

    fn name(self) -> &'static str {
        match self {
            Row::Made => "sleep made and dropped",
            Row::Dropped => "timer armed and dropped",
            Row::Timeout => "timeout armed and dropped",
            Row::Yield => "yield alone",
            Row::Bounded => "timeout around a yield",
            Row::Reset => "armed timer reset",
        }
    }

    /// Nanoseconds per repetition of one run.
    async fn run<T: Timers>(self) -> f64 {
        let begun = Instant::now();
        match self {
            Row::Made => {
                for _ in 0..REPEATS {
                    drop(std::hint::black_box(T::sleep(NEVER_REACHED)));
                }
            }
            Row::Dropped => {
                for _ in 0..REPEATS {
                    assert!(poll_once(T::sleep(NEVER_REACHED)).await.is_none());
                }
            }
            Row::Timeout => {
                for _ in 0..REPEATS {
                    let bounded = T::timeout(NEVER_REACHED, std::future::pending::<()>());
                    assert!(poll_once(bounded).await.is_none());
                }
            }
            Row::Yield => {
                for _ in 0..REPEATS {
                    futures_lite::future::yield_now().await;
                }
            }
            Row::Bounded => {
                for _ in 0..REPEATS {
                    T::timeout(NEVER_REACHED, futures_lite::future::yield_now()).await;
                }
            }
            Row::Reset => {
                let mut sleep = pin!(T::sleep(NEVER_REACHED));
                for _ in 0..REPEATS {
                    assert!(poll_once(sleep.as_mut()).await.is_none());
                    T::reset(sleep.as_mut());
                }
            }
        }
        begun.elapsed().as_nanos() as f64 / f64::from(REPEATS)
    }
}

fn sorted(mut figures: Vec<f64>) -> Vec<f64> {
    figures.sort_by(f64::total_cmp);
    figures
}

fn main() {
    let ours = glasshouse::Builder::new()
        .workers(1)
        .exporter(Exporter::new())
        .build()
        .expect("one worker can be had");
    let tokios = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .expect("one worker can be had");
    println!(
        "{:26} {:>10} {:>10} {:>7}",
        "ns", "glasshouse", "tokio", "ratio"
    );
    for row in Row::ALL {
        let (mut our_ns, mut tokio_ns) = (Vec::new(), Vec::new());
        for _ in 0..PAIRS {
            let run = ours.block_on(async { glasshouse::spawn(row.run::<Ours>()).await });
            our_ns.push(run.expect("a measuring task ends by itself"));
            let run = tokios.block_on(async { tokio::spawn(row.run::<Tokios>()).await });
            tokio_ns.push(run.expect("a measuring task ends by itself"));
        }
        let ratios = our_ns
            .iter()
            .zip(&tokio_ns)
            .map(|(ours, tokios)| tokios / ours);
        let ratio = sorted(ratios.collect())[PAIRS / 2];
        let (our_ns, tokio_ns) = (sorted(our_ns)[0], sorted(tokio_ns)[0]);
        println!(
            "{:26} {our_ns:10.1} {tokio_ns:10.1} {ratio:7.2}",
            row.name()
        );
    }
}
