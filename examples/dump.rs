//! What is my process doing now? A dump says it: every task with its state, where it was spawned, what it waits
//! for and for how long. It is taken here while the only worker is stuck in a task that computes.
//!
//! ```text
//! cargo run --example dump
//! ```

use glasshouse::net::TcpListener;
use glasshouse::{Builder, task, time};
use std::sync::mpsc;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scheduler = Builder::new().workers(1).name("dump").build()?;
    let (release, released) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel();

    let named = |name| task::Builder::new().name(name);
    let all = scheduler.handle().enter(|| {
        named("parent").spawn(async move {
            let server = named("server").spawn(async {
                let listener = TcpListener::bind("127.0.0.1:0").await?;
                listener.accept().await.map(drop)
            });
            let cleaner = named("cleaner").spawn(time::sleep(Duration::from_secs(3600)));
            let report = named("report").spawn(cleaner);
            let stuck = named("stuck").spawn(async move {
                // Behind the others, so that each of them waits for something by now.
                time::sleep(Duration::from_millis(20)).await;
                let _ = begin.send(());
                let _ = released.recv();
            });
            stuck.await?;
            server.abort();
            report.abort();
            Ok::<(), task::JoinError>(())
        })
    });

    begun.recv()?;
    print!("{}", scheduler.handle().dump());
    release.send(())?;
    scheduler.block_on(all)??;
    Ok(())
}
