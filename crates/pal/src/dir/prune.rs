//! Owns the decision which left-over logs are let go: never one whose process lives.

use super::{LogDir, LogFile};
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::time::{Duration, SystemTime};

/// How long the log of a process that has ended is kept. A guess: long enough to come back to it
/// after a week's end.
const AGE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// What the logs of processes that have ended may take together, in memory: a dozen logs of a
/// machine with a few processors. A guess.
const TOTAL_BYTES_MAX: u64 = 256 << 20;

impl LogDir {
    /// Removes logs of processes that have ended: those older than a week, then the oldest until
    /// the others take at most 256 MiB. Logs that cannot be removed are left.
    pub fn prune(&self) {
        self.prune_to(SystemTime::now(), AGE_MAX, TOTAL_BYTES_MAX);
    }

    pub(crate) fn prune_to(&self, now: SystemTime, age_max: Duration, total_bytes_max: u64) {
        let ended: Vec<LogFile> = self
            .list()
            .into_iter()
            .filter(|log| !log.is_alive)
            .collect();
        for log in doomed(&ended, now, age_max, total_bytes_max) {
            remove(log);
        }
    }
}

/// The logs to remove, of those given newest first.
fn doomed(
    ended: &[LogFile],
    now: SystemTime,
    age_max: Duration,
    total_bytes_max: u64,
) -> impl Iterator<Item = &LogFile> {
    let mut total = 0u64;
    ended.iter().filter(move |log| {
        total = total.saturating_add(log.used_bytes);
        // A file from the future is as young as can be.
        let age = now.duration_since(log.modified).unwrap_or(Duration::ZERO);
        age > age_max || total > total_bytes_max
    })
}

/// Removes a log, unless its process lives after all.
fn remove(log: &LogFile) {
    let Ok(file) = File::open(&log.path) else {
        return;
    };
    // The writer holds a lock for as long as it lives. A process in another container that shares
    // this directory looks dead from here, as its number means nothing here; its lock does not.
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return;
    }
    // Another process may have removed it first, or may not allow it: either way it is not ours.
    let _ = std::fs::remove_file(&log.path);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ProcessId;
    use std::path::{Path, PathBuf};

    const HOUR: Duration = Duration::from_secs(3600);

    /// A directory with logs of processes that have ended, by the hours since they were written.
    fn with_dead_logs(ages: &[u32]) -> (tempfile::TempDir, LogDir, Vec<PathBuf>) {
        let place = tempfile::tempdir().expect("a temporary directory");
        let dir = LogDir::at(place.path().join("logs"));
        let mut paths = Vec::new();
        for age in ages {
            let path = dir.path().join(format!("{age}-1.pal"));
            let pal = dir.create_log(1).expect("made");
            let made = pal.path().expect("a file").to_owned();
            drop(pal);
            std::fs::rename(made, &path).expect("renamed");
            bury(&path, *age);
            paths.push(path);
        }
        (place, dir, paths)
    }

    /// Makes a log that of a process that ended hours ago.
    fn bury(path: &Path, hours: u32) {
        use crate::format::header::Header;
        use std::os::unix::fs::FileExt;
        let file = File::options().write(true).open(path).expect("opened");
        let at = std::mem::offset_of!(Header, start_time) as u64;
        file.write_all_at(&u64::MAX.to_ne_bytes(), at)
            .expect("written");
        // The time of the start pair decides which is newer.
        let started = u64::from(1_000 - hours);
        let at = std::mem::offset_of!(Header, pairs) as u64 + 24;
        file.write_all_at(&started.to_ne_bytes(), at)
            .expect("written");
        file.set_modified(SystemTime::now() - hours * HOUR)
            .expect("aged");
    }

    fn left(dir: &LogDir) -> Vec<PathBuf> {
        dir.list().into_iter().map(|log| log.path).collect()
    }

    #[test]
    fn logs_that_are_too_old_go() {
        let (_place, dir, paths) = with_dead_logs(&[1, 10, 30]);
        dir.prune_to(SystemTime::now(), 20 * HOUR, u64::MAX);
        assert_eq!(left(&dir), [paths[0].clone(), paths[1].clone()]);
    }

    #[test]
    fn the_oldest_go_when_all_take_too_much() {
        let (_place, dir, paths) = with_dead_logs(&[1, 2, 3]);
        let one = dir.list()[0].used_bytes;
        assert!(one > 1 << 20, "a log takes {one} bytes");
        dir.prune_to(SystemTime::now(), 20 * HOUR, one + one / 2);
        assert_eq!(left(&dir), [paths[0].clone()]);
    }

    #[test]
    fn the_log_of_a_living_process_stays_however_old_and_large() {
        let (_place, dir, _) = with_dead_logs(&[]);
        let pal = dir.create_log(1).expect("made");
        let path = pal.path().expect("a file");
        File::options()
            .write(true)
            .open(path)
            .expect("opened")
            .set_modified(SystemTime::now() - 9_999 * HOUR)
            .expect("aged");
        dir.prune_to(SystemTime::now(), HOUR, 0);
        assert_eq!(left(&dir), [path.to_owned()]);
    }

    #[test]
    fn a_log_whose_writer_holds_its_lock_stays_though_its_number_names_nobody() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let dir = LogDir::at(place.path().join("logs"));
        let pal = dir.create_log(1).expect("made");
        let path = pal.path().expect("a file").to_owned();
        bury(&path, 500);
        assert!(!dir.list()[0].is_alive);
        dir.prune_to(SystemTime::now(), HOUR, 0);
        assert_eq!(left(&dir), [path]);
        drop(pal);
        dir.prune_to(SystemTime::now(), HOUR, 0);
        assert!(left(&dir).is_empty());
    }

    #[test]
    fn another_file_is_no_log_and_stays() {
        let (_place, dir, _) = with_dead_logs(&[30]);
        let other = dir.path().join("notes.pal");
        std::fs::write(&other, "not a log").expect("written");
        dir.prune_to(SystemTime::now(), HOUR, 0);
        assert!(left(&dir).is_empty());
        assert!(other.exists());
        assert_ne!(ProcessId::current().pid, 0);
    }
}
