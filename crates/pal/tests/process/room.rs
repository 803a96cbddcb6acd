//! Owns the proof that a process that is short of room goes on, and says what it does not record.

use crate::{ROLE, open, record, run, tid};
use glasshouse_pal::reader::Log;
use glasshouse_pal::verify::verify;
use glasshouse_pal::{
    CreateError, Lifecycle, LossCause, PAL_VARIABLE, Pal, RingOwner, SiteId, TaskEvent,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::path::PathBuf;
use std::process::Command;

/// The variable by which a role is told how many bytes it may have.
const LIMIT: &str = "LIMIT";
/// What a role ends with when it found no room.
const NO_ROOM: i32 = 3;
/// Too little for the task table of ten million slots, and enough for the rest.
const ADDRESS_SPACE: u64 = 300 << 20;

/// What this program does in a role; `false` for one that is not of this file.
pub fn play(role: &str) -> bool {
    match role {
        "limited file" => {
            limit(Resource::Fsize);
            let path = PathBuf::from(std::env::var_os(PAL_VARIABLE).expect("set"));
            match Pal::create(&path, 1) {
                Ok(pal) => record(&pal, 100),
                Err(CreateError::NoRoom { .. }) => std::process::exit(NO_ROOM),
                Err(other) => panic!("{other}"),
            }
        }
        "limited memory" => {
            limit(Resource::As);
            let pal = Pal::memory();
            record(&pal, 100);
            assert_eq!(pal.log().records().count(), 100);
            assert!(pal.table().take_shared().is_some());
        }
        "little address space" => {
            limit(Resource::As);
            let pal = Pal::process(2);
            record(&pal, 100);
            assert!(pal.table().take_shared().is_some());
        }
        "full" => go_on_without_room(),
        "full table" => go_on_without_rows(),
        _ => return false,
    }
    true
}

fn limit(resource: Resource) {
    let bytes = std::env::var(LIMIT).expect("the test sets it");
    let limit = Rlimit {
        current: Some(bytes.parse().expect("a number")),
        ..getrlimit(resource)
    };
    setrlimit(resource, limit).expect("a lower limit is always granted");
}

fn limited(bytes: u64) -> impl FnOnce(&mut Command) {
    move |command| {
        command.env(LIMIT, bytes.to_string());
    }
}

pub fn file_size_limited() {
    // Room for the rings and some of the task table.
    let (_place, path, status) = run("limited file", limited(64 << 20));
    assert!(status.success(), "{status}");
    assert_eq!(open(&path).records().count(), 100);
    let length = std::fs::metadata(&path).expect("there").len();
    assert!(length <= 64 << 20, "{length}");
    // Room for nothing: an error, and not the signal that kills.
    let (_place, path, status) = run("limited file", limited(100_000));
    assert_eq!(status.code(), Some(NO_ROOM), "{status}");
    assert!(!path.exists(), "half a log is no help");
}

pub fn address_space_limited() {
    let (_place, _path, status) = run("limited memory", limited(ADDRESS_SPACE));
    assert!(status.success(), "{status}");
}

pub fn log_in_little_address_space() {
    let (_place, path, status) = run("little address space", limited(ADDRESS_SPACE));
    assert!(status.success(), "{status}");
    let log = open(&path);
    assert!(log.is_crash_safe());
    assert_eq!(log.records().count(), 100);
}

/// Goes on where there is little room or none; prints whether the log outlives the process, and how many events
/// it could not record.
fn go_on_without_room() {
    let pal = Pal::process(1);
    println!("{}", pal.is_crash_safe());
    // A ring whose pages cannot be had is no ring: what would go there is counted.
    let rings: Vec<_> = (0..20).map(|_| pal.lease(RingOwner::External)).collect();
    let event = TaskEvent::ShutdownComplete { clean: true };
    let unwritten = rings
        .iter()
        .filter(|ring| !ring.write(1, 0, &event))
        .count();
    assert_eq!(
        pal.log().loss().unwritten(LossCause::NoRing),
        unwritten as u64
    );
    println!("{unwritten}");
}

/// Fifty tasks are spawned where the task table has no room to grow, and twenty of them end; prints how many have
/// a row.
fn go_on_without_rows() {
    let pal = Pal::process(1);
    let ring = pal.lease(RingOwner::Worker(0));
    let (parent, site) = (None, SiteId::UNKNOWN);
    let mut with_row = 0;
    for number in 1..=50 {
        let tid = tid(number);
        with_row += u64::from(pal.table().take_shared().is_some());
        let stamp = pal.clock().now();
        ring.write(stamp, 0, &TaskEvent::Spawned { tid, parent, site });
        if number <= 20 {
            ring.write(stamp, 1, &TaskEvent::Running { tid });
            ring.write(stamp, 2, &TaskEvent::Done { tid });
        }
    }
    println!("{with_row}");
}

/// Runs a role with a memory file system of so many bytes on `/dev/shm`, in namespaces of its own. Returns what
/// it printed, and its log, copied to where the test can read it, if it left one there. `None` where such
/// namespaces cannot be had.
fn on_small_dev_shm(role: &str, size: &str) -> Option<(String, Option<Log>)> {
    let place = tempfile::tempdir().expect("a temporary directory");
    let kept = place.path().join("kept.pal");
    let script = "mount -t tmpfs -o \"size=$1\" small /dev/shm || exit 77
        \"$2\" || exit 1
        for log in /dev/shm/*/*.pal; do
            test ! -e \"$log\" || cp --sparse=always \"$log\" \"$3\"
        done";
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, "sh", size]);
    command.args([&program, &kept]);
    command.env(ROLE, role).env_remove(PAL_VARIABLE);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            println!("left out: unshare(1) cannot be run: {error}");
            return None;
        }
    };
    let is_refused = String::from_utf8_lossy(&output.stderr).starts_with("unshare:");
    if is_refused || output.status.code() == Some(77) {
        println!("left out: no file system can be mounted here: {output:?}");
        return None;
    }
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).expect("text");
    let log = kept.exists().then(|| Log::open(&kept).expect("a log"));
    Some((told, log))
}

pub fn file_system_full() {
    // Sixteen rings for twenty threads, wherever the log is.
    let Some((told, log)) = on_small_dev_shm("full", "256k") else {
        return;
    };
    assert_eq!(
        told, "false\n4\n",
        "not crash-safe, and four are not recorded"
    );
    assert!(log.is_none(), "half a log is no help");
    let Some((told, log)) = on_small_dev_shm("full", "4m") else {
        return;
    };
    assert_eq!(told, "true\n4\n");
    let log = log.expect("there is room for the smallest rings");
    assert_eq!(log.loss().unwritten(LossCause::NoRing), 4);
    assert_eq!(log.lifecycle(), Lifecycle::CleanExit);
    assert!(log.rings().iter().all(|ring| ring.capacity == 2048));
}

pub fn table_without_room() {
    // Room for the smallest rings, and not for a chunk of the task table.
    let Some((told, log)) = on_small_dev_shm("full table", "2m") else {
        return;
    };
    assert_eq!(told, "0\n", "none has a row");
    let log = log.expect("there is room for the smallest rings");
    assert_eq!(log.loss().unwritten(LossCause::TableFull), 50);
    let report = verify(&log);
    assert_eq!((report.tasks, report.ended, report.rows), (50, 20, 0));
    assert!(report.holds(), "{:?}", report.findings);
}
