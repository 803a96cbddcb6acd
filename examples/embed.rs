//! An application with Glasshouse as its runtime: tasks, a deadline, metrics to scrape, and a log that
//! another process reads while this one runs, and after it was killed.
//!
//! ```text
//! cargo run --release --example embed
//! ```

use glasshouse::telemetry::prometheus::Exporter;
use glasshouse::{Builder, Shutdown, spawn, task, time};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // One line per spawn would drown the rest.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("info,glasshouse::spawn=off"))
        .init();
    let exporter = Exporter::install()?;
    let scheduler = Builder::new().name("embed").build()?;

    let sum = scheduler.block_on(async {
        let (send, receive) = async_channel::bounded(8);
        let producer = task::Builder::new().name("producer").spawn(async move {
            for n in 1..=100_u64 {
                time::sleep(Duration::from_millis(1)).await;
                if send.send(n).await.is_err() {
                    task::fail("the consumer has gone");
                    return;
                }
            }
        });
        let consumer = spawn(async move {
            let mut sum = 0;
            while let Ok(n) = receive.recv().await {
                sum += n;
            }
            sum
        });
        time::timeout(Duration::from_secs(10), producer).await??;
        Ok::<u64, Box<dyn std::error::Error>>(consumer.await?)
    })?;
    tracing::info!(sum, "the consumer has seen everything");

    if let Some(path) = scheduler.handle().pal().path() {
        println!("glasshouse stats {}", path.display());
    }
    let clean = scheduler.shutdown(Duration::from_secs(5)) == Shutdown::Clean;
    let scrape = exporter.render();
    for line in scrape
        .lines()
        .filter(|line| line.starts_with("tasks_running_total"))
    {
        println!("{line}");
    }
    assert!(clean, "every task has ended by itself");
    Ok(())
}
