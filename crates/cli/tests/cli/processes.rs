//! `ps` over the place where this user's processes leave their logs. What a test leaves there it removes.

use crate::place::{Ended, Place, is_there, number_in, overwrite, until};
use glasshouse_pal::Pal;
use glasshouse_pal::dir::LogDir;
use serde_json::Value;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::process::Stdio;

/// A log where processes leave theirs, removed in the end.
struct Leaving(PathBuf);

impl Leaving {
    fn arg(&self) -> String {
        self.0.to_string_lossy().into_owned()
    }

    /// What `ps` says of it.
    fn row(&self, place: &Place) -> Value {
        let listed = place.json(&["ps", "--json"]);
        let row = listed.into_iter().find(|row| row["log"] == self.arg());
        row.expect("listed")
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).expect("removed");
    }
}

/// The log that a process of this number left.
fn log_of(pid: u32) -> Leaving {
    let logs = LogDir::default_place().list();
    let log = logs.into_iter().find(|log| log.process.pid == pid);
    Leaving(log.expect("it has a log").path)
}

#[test]
fn a_living_process_is_listed_and_found_by_its_number() {
    let made = LogDir::default_place().create_log(1);
    let pal = made.expect("a log where this user's processes leave theirs");
    let own = Leaving(pal.path().expect("a file").to_owned());
    let pid = std::process::id();
    let place = Place::new();
    let row = own.row(&place);
    assert_eq!((&row["pid"], &row["state"]), (&pid.into(), &"alive".into()));
    assert!(row["size_bytes"].as_u64().expect("a size") > 0);
    let started: jiff::Timestamp = row["started"]
        .as_str()
        .expect("a date")
        .parse()
        .expect("RFC 3339");
    assert!(started <= jiff::Timestamp::now());
    let comm = std::fs::read_to_string("/proc/self/comm").expect("a name");
    assert_eq!(row["command"], comm.trim_end());

    let plain = place.run(&["ps"]);
    let heading: Vec<&str> = plain
        .out
        .lines()
        .next()
        .expect("a heading")
        .split_whitespace()
        .collect();
    assert_eq!(
        heading,
        [
            "PID", "STATE", "AGE", "SIZE", "RETAINED", "COMMAND", "LOG", "LOST"
        ]
    );
    let line = plain
        .out
        .lines()
        .find(|line| line.contains(&own.arg()))
        .expect("listed");
    assert!(line.trim_start().starts_with(&pid.to_string()), "{line}");

    let stats = place.run(&["stats", &pid.to_string()]);
    assert!(stats.out.starts_with(&own.arg()), "{stats:?}");
    assert_eq!(place.run(&["verify", "last"]).err, "");
}

#[test]
fn a_process_that_has_ended_and_one_that_was_killed_are_told_apart() {
    let place = Place::new();
    place.write("brief.toml", "[[node]]\nname = \"a\"\nrun = \"true\"\n");
    place.write(
        "long.toml",
        "[[node]]\nname = \"a\"\nrun = \"echo $$ > pid; exec sleep 1000\"\n",
    );
    let run = |flow: &str| {
        let mut command = place.command(&["run", flow]);
        command.env_remove("GLASSHOUSE_PAL").stdout(Stdio::null());
        command.spawn().expect("run")
    };
    let mut brief = run("brief.toml");
    assert!(brief.wait().expect("ended").success());
    let ended = log_of(brief.id());

    let mut long = run("long.toml");
    let node = number_in(&place.path("pid"));
    long.kill().expect("killed");
    long.wait().expect("reaped");
    let killed = log_of(long.id());

    // By number and by file, whichever way they ended.
    for (pid, log) in [
        (brief.id().to_string(), &ended),
        (long.id().to_string(), &killed),
    ] {
        let file = log.arg();
        for argument in [&pid, &file] {
            let verified = place.run(&["verify", argument]);
            assert!(
                verified.out.starts_with(&format!("{file}: holds\n")),
                "{verified:?}"
            );
        }
    }

    let [ended, killed] = [ended, killed].map(|log| log.row(&place));
    assert_eq!(
        (&ended["state"], &ended["command"]),
        (&"exited".into(), &"glasshouse".into())
    );
    assert_eq!(
        (&killed["state"], &killed["command"]),
        (&"crashed".into(), &"glasshouse".into())
    );
    until("the end of the node", || !is_there(node));
}

/// Writes a log where processes leave theirs as if a process of this number had. It is removed with what is returned.
fn forge(pid: u32, words: &[(u64, u64)], end: impl FnOnce(&Pal)) -> Leaving {
    let dir = LogDir::default_place();
    // It is there as soon as any process had a log.
    let _ = std::fs::DirBuilder::new().mode(0o700).create(dir.path());
    let path = dir.path().join(format!("{pid}-forged"));
    let pal = Pal::create(&path, 1).expect("room for a log");
    end(&pal);
    for (offset, word) in [&[(PID_AT, pid.into())], words].concat() {
        overwrite(&path, offset, &word.to_ne_bytes());
    }
    // Nobody has seen it as this process's.
    let log = Leaving(path.with_extension("pal"));
    std::fs::rename(&path, &log.0).expect("renamed");
    log
}

/// Where a log's first page has the process's id, and the namespace of it.
const PID_AT: u64 = 48;
const NAMESPACE_AT: u64 = 120;

#[test]
fn a_process_of_another_namespace_is_marked_and_its_number_is_not_taken_for_one_of_this() {
    let place = Place::new();
    // No process has such a number.
    let pid = u32::MAX - 1;
    let log = forge(pid, &[(NAMESPACE_AT, 1)], |_| {});
    assert_eq!(log.row(&place)["is_elsewhere"], true);
    let plain = place.run(&["ps"]).out;
    let row = plain.lines().find(|line| line.contains(&log.arg()));
    let row = row.expect(&plain).trim_start();
    assert!(row.starts_with(&format!("{pid}* ")), "{row}");
    let note = "* counted in another PID namespace; to look into it, name its log";
    assert_eq!(plain.lines().last(), Some(note));
    let refused = place.run(&["verify", &pid.to_string()]);
    assert!(refused.refusal().ends_with(&log.arg()), "{refused:?}");
    let stats = place.run(&["stats", &log.arg()]);
    assert!(stats.out.starts_with(&log.arg()), "{stats:?}");
}

#[test]
fn a_process_that_panicked_is_told_apart_from_one_that_was_killed() {
    let place = Place::new();
    let panicked = forge(u32::MAX - 2, &[], Pal::panicking);
    let killed = forge(u32::MAX - 3, &[], |_| {});
    let state = |log: &Leaving| log.row(&place)["state"].clone();
    assert_eq!(
        (state(&panicked), state(&killed)),
        ("panicked".into(), "crashed".into())
    );
    assert_eq!(killed.row(&place)["is_elsewhere"], false);
}

#[test]
fn a_directory_of_logs_that_another_could_have_made_is_refused() {
    let place = Place::new();
    // A link where this user's logs are, in a file system and as a user that nobody else sees.
    let script = "mount -t tmpfs small /dev/shm || exit 77
        ln -s \"$1\" /dev/shm/glasshouse-0
        shift; exec \"$@\"";
    for arguments in [&["ps"][..], &["verify", "last"], &["log", "1"]] {
        let binary = place.command(arguments);
        let mut command = std::process::Command::new("unshare");
        command
            .args(["-rm", "sh", "-c", script, "sh"])
            .arg(place.path("."));
        command
            .arg(binary.get_program())
            .args(binary.get_args())
            .env_remove("RUST_LOG");
        let output = match command.output() {
            Ok(output) => output,
            Err(error) => return println!("left out: unshare(1) cannot be run: {error}"),
        };
        let is_refused = output.stderr.starts_with(b"unshare:");
        if is_refused || output.status.code() == Some(77) {
            return println!("left out: no file system can be mounted here: {output:?}");
        }
        assert_eq!(
            Ended::from(output).refusal(),
            "will not keep or look for logs in /dev/shm/glasshouse-0: it is a symbolic link; make it a directory of \
             your own of mode 0700, or name another"
        );
    }
}
