//! The exporter as the process's global recorder. A test file of its own: a process has one.
#![cfg(feature = "record")]

mod drive;

use drive::{Drive, every_life, workers};
use glasshouse_telemetry::prometheus::{Exporter, InstallError};
use glasshouse_telemetry::testing::Registry;
use glasshouse_telemetry::{READY_QUEUE_DEPTH, RUN_LATENCY_SECONDS};

#[test]
fn an_installed_exporter_hears_the_application_and_pulls_from_every_scheduler() {
    let exporter = Exporter::install().expect("the first recorder of this process");
    let second = Exporter::install();
    assert_eq!(second.err(), Some(InstallError::AlreadyInstalled));

    let drive = std::thread::scope(|scope| {
        let elsewhere = scope.spawn(|| {
            metrics::gauge!("sessions").set(3.0);
            Drive::new(workers(1))
        });
        elsewhere.join().expect("it builds")
    });
    let worker = every_life(&drive);
    drive.hub.pushed();
    let text = exporter.render();
    assert!(text.contains("sessions 3\n"), "{text}");
    assert!(text.contains(&format!("{READY_QUEUE_DEPTH} 1\n")), "{text}");
    let ticks = format!("{RUN_LATENCY_SECONDS}_count 11\n");
    assert!(text.contains(&ticks), "{text}");

    // A recorder of this thread alone comes before the global one.
    let registry = Registry::new();
    let local = metrics::with_local_recorder(&registry, || Drive::new(workers(1)));
    let _worker = every_life(&local);
    assert_eq!(registry.histogram(RUN_LATENCY_SECONDS).len(), 11);
    assert!(exporter.render().contains(&ticks));
    drop(worker);
}
