//! Owns what Ctrl-C and the other requests to end do to a run: the first ends it gently, the second at
//! once.

use super::watch::Teller;
use glasshouse_flow::Cancel;
use glasshouse_scheduler::JoinHandle;
use glasshouse_scheduler::signal::unix::{Signal, SignalKind, signal};
use glasshouse_scheduler::task;
use std::io;

/// Listens until it is dropped.
pub struct Listening(Vec<JoinHandle<()>>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Listens for Ctrl-C, for the request to end that a service manager sends, and for the terminal's end.
/// From here on none of them ends the process by itself.
///
/// # Errors
///
/// When the handlers cannot be installed.
pub fn listen(cancel: &Cancel, teller: &Teller) -> io::Result<Listening> {
    let mut tasks = Vec::new();
    for kind in [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ] {
        let obeying = obey(signal(kind)?, cancel.clone(), teller.clone());
        tasks.push(task::Builder::new().name("signals").spawn_system(obeying));
    }
    Ok(Listening(tasks))
}

async fn obey(mut signal: Signal, cancel: Cancel, teller: Teller) {
    while signal.recv().await.is_ok() {
        if cancel.is_cancelled() {
            cancel.kill();
        } else {
            cancel.cancel();
            teller.say("ending what runs; Ctrl-C again kills it at once".to_owned());
        }
    }
}
