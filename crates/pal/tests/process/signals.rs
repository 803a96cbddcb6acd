//! Owns the proof that a signal handler which records spoils no record.

use crate::{run, tid};
use glasshouse_pal::{Emitted, Event, LossCause, Pal, RingOwner, TaskEvent, emit};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub fn signals() {
    let (_place, _path, status) = run("signals", |_| {});
    assert!(status.success(), "{status}");
}

/// What the signal handler did.
static RECORDED: AtomicU64 = AtomicU64::new(0);
static DROPPED: AtomicU64 = AtomicU64::new(0);

extern "C" fn on_alarm(_: libc::c_int) {
    let count = match emit(TaskEvent::ShutdownComplete { clean: true }) {
        Emitted::Recorded => &RECORDED,
        Emitted::Dropped => &DROPPED,
        // While the thread looks for its ring: the event has no log yet.
        Emitted::NoLog => return,
    };
    count.fetch_add(1, Ordering::Relaxed);
}

/// Records in a loop on a thread that a signal interrupts, again and again, to record, too.
pub fn record_among_signals() {
    /// Fewer than a ring holds, so that all can be counted afterwards.
    const AT_A_TIME: u64 = 50_000;
    /// Interruptions that met a record half-way, before the test has seen enough.
    const ENOUGH: u64 = 3;
    /// A bound on the work, should the machine be such that none ever does.
    const ROUNDS: u64 = 400;
    let interval = libc::timeval {
        tv_sec: 0,
        tv_usec: 50,
    };
    let timer = libc::itimerval {
        it_interval: interval,
        it_value: interval,
    };
    // SAFETY: the handler is a function of this program, and does what a handler may do: `emit`
    // touches this thread's memory and atomics.
    let handled =
        unsafe { libc::signal(libc::SIGALRM, on_alarm as *const () as libc::sighandler_t) };
    assert_ne!(handled, libc::SIG_ERR);
    for round in 0..ROUNDS {
        let pal = Pal::memory();
        let ring = pal.lease(RingOwner::Worker(0));
        let installed = ring.install();
        let before = (
            RECORDED.load(Ordering::Relaxed),
            DROPPED.load(Ordering::Relaxed),
        );
        // SAFETY: `timer` is a valid value, and no old one is asked for.
        unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, std::ptr::null_mut()) };
        let event = |n| TaskEvent::Stalled {
            tid: tid(n),
            worker: 1,
            busy: Duration::from_nanos(n),
            queued: 0,
            others: 1,
        };
        for n in 1..=AT_A_TIME {
            assert!(ring.write(n, 0, &event(n)));
        }
        // SAFETY: a timer of zeros stops.
        let stop: libc::itimerval = unsafe { std::mem::zeroed() };
        // SAFETY: as above.
        unsafe { libc::setitimer(libc::ITIMER_REAL, &stop, std::ptr::null_mut()) };
        drop(installed);
        let recorded = RECORDED.load(Ordering::Relaxed) - before.0;
        let dropped = DROPPED.load(Ordering::Relaxed) - before.1;
        let log = pal.log();
        let (own, others): (Vec<_>, Vec<_>) =
            log.records().partition(|entry| entry.event.tid().is_some());
        assert_eq!(others.len() as u64, recorded);
        let own: Vec<_> = own.into_iter().map(|entry| entry.event).collect();
        let expected: Vec<_> = (1..=AT_A_TIME).map(|n| Event::Task(event(n))).collect();
        assert!(own == expected, "a record was spoilt");
        assert_eq!(log.loss().unreadable, 0);
        assert_eq!(log.loss().unwritten(LossCause::Reentrant), dropped);
        if DROPPED.load(Ordering::Relaxed) >= ENOUGH && round > 2 {
            break;
        }
    }
    assert!(RECORDED.load(Ordering::Relaxed) > 0, "no signal came");
}
