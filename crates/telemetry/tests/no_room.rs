//! What is told of tasks that find no room in the log's task table.
#![cfg(feature = "record")]

mod drive;
mod output;

use drive::{here, workers};
use glasshouse_telemetry::Hub;
use glasshouse_telemetry::pal::LossCause;
use output::Output;
use std::process::Command;

/// Set where this program runs with little room in `/dev/shm`.
const IN_SMALL_ROOM: &str = "IN_SMALL_ROOM";

#[test]
fn of_tasks_without_a_row_the_log_counts_each_and_subscribers_hear_once() {
    if std::env::var_os(IN_SMALL_ROOM).is_some() {
        return spawn_without_room();
    }
    let script = "mount -t tmpfs -o size=2m small /dev/shm || exit 77; exec \"$1\" --nocapture";
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, "sh"]);
    command.arg(std::env::current_exe().expect("this program"));
    command.env(IN_SMALL_ROOM, "1").env_remove("GLASSHOUSE_PAL");
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => return println!("left out: unshare(1) cannot be run: {error}"),
    };
    let is_refused = String::from_utf8_lossy(&output.stderr).starts_with("unshare:");
    if is_refused || output.status.code() == Some(77) {
        return println!("left out: no file system can be mounted here: {output:?}");
    }
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(printed.contains("without a row: 20"), "{printed}");
}

/// Twenty tasks are spawned, ten by a worker, where the table has no room.
fn spawn_without_room() {
    let output = Output::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter("warn")
        .with_ansi(false)
        .with_writer({
            let output = output.clone();
            move || output.clone()
        })
        .finish();
    let mut tasks = Vec::new();
    let log = tracing::subscriber::with_default(subscriber, || {
        let hub = Hub::new(workers(1));
        let worker = hub.worker(0);
        tasks.extend((0..10).map(|_| worker.spawned(&here(), None)));
        tasks.extend((0..10).map(|_| hub.spawned(&here())));
        hub.pal().log()
    });
    let without = tasks.iter().filter(|task| task.slot().is_none()).count();
    println!("without a row: {without}");
    assert_eq!(log.loss().unwritten(LossCause::TableFull), without as u64);
    let told = output.text();
    assert_eq!(told.matches("WARN").count(), 1, "{told}");
    assert!(told.contains("no room for more tasks"), "{told}");
    assert!(told.contains("/dev/shm/glasshouse-"), "which log: {told}");
}
