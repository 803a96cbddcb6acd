//! Owns the kinds of record that sessions add to the log: 64 to 66.

use crate::exit_status::ExitStatus;
use glasshouse_pal::{DomainEvent, Field, FieldType, KindSpec, TextId, Value, emit};
use rustix::process::Pid;

/// A program was started in a terminal. Recorded by the task that started it.
pub static PTY_SPAWNED: KindSpec = KindSpec::new(
    64,
    "pty_spawned",
    &[
        Field::new("pid", FieldType::U64),
        Field::new("name", FieldType::Text),
    ],
);

/// A program has ended, and was reaped. Recorded by its pump, before anybody is told. `code` is -1
/// where a signal ended it, `signal` 0 where none did; both are so where the status was lost.
pub static PTY_EXITED: KindSpec = KindSpec::new(
    65,
    "pty_exited",
    &[
        Field::new("pid", FieldType::U64),
        Field::new("name", FieldType::Text),
        Field::new("code", FieldType::I64),
        Field::new("signal", FieldType::U64),
        Field::new("output_bytes", FieldType::U64),
        Field::new("dropped_bytes", FieldType::U64),
    ],
);

/// A session's output outgrew its ring for the first time. Recorded by its pump.
pub static PTY_DROPPED: KindSpec = KindSpec::new(
    66,
    "pty_dropped",
    &[
        Field::new("pid", FieldType::U64),
        Field::new("name", FieldType::Text),
        Field::new("ring_bytes", FieldType::U64),
    ],
);

/// Which program an event is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pub(crate) pid: Pid,
    pub(crate) name: TextId,
}

impl Subject {
    fn values(self) -> [Value; 2] {
        let pid = self.pid.as_raw_pid().unsigned_abs();
        [Value::U64(pid.into()), Value::Text(self.name)]
    }

    pub(crate) fn spawned(self) {
        emit(DomainEvent::new(&PTY_SPAWNED, &self.values()));
    }

    pub(crate) fn exited(self, status: ExitStatus, output_bytes: u64, dropped_bytes: u64) {
        let [pid, name] = self.values();
        let code = status.code().map_or(-1, i64::from);
        let signal = status.signal().unwrap_or(0).unsigned_abs();
        emit(DomainEvent::new(
            &PTY_EXITED,
            &[
                pid,
                name,
                Value::I64(code),
                Value::U64(signal.into()),
                Value::U64(output_bytes),
                Value::U64(dropped_bytes),
            ],
        ));
    }

    pub(crate) fn dropped(self, ring_bytes: usize) {
        let [pid, name] = self.values();
        let ring_bytes = Value::U64(ring_bytes as u64);
        emit(DomainEvent::new(&PTY_DROPPED, &[pid, name, ring_bytes]));
    }
}
