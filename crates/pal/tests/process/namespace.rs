//! Owns the proof that a log is read as what it is where its process's number means another process, or none.

use crate::{record, role};
use glasshouse_pal::Pal;
use glasshouse_pal::reader::Log;
use std::io::{Read, Write};
use std::process::{Command, Stdio};

/// What this program does in a role; `false` for one that is not of this file.
pub fn play(role: &str) -> bool {
    if role != "elsewhere" {
        return false;
    }
    record(&Pal::process(1), 7);
    println!("{}", std::process::id());
    let mut answer = [0];
    std::io::stdin().read_exact(&mut answer).expect("an answer");
    true
}

pub fn another() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let path = place.path().join("elsewhere.pal");
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new("unshare");
    command
        .args(["-rp", "--fork", "--kill-child", "--mount-proc"])
        .arg(program);
    let elsewhere = role("elsewhere", &path);
    let set = elsewhere
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    let child = command
        .envs(set)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return println!("left out: unshare(1) cannot be run: {error}"),
    };
    let mut said = [0; 2];
    let out = child.stdout.as_mut().expect("piped");
    if out.read_exact(&mut said).is_err() {
        let status = child.wait().expect("a child");
        return println!("left out: no namespace of processes can be had here: {status}");
    }
    assert_eq!(&said, b"1\n", "the first process of its namespace");
    let log = Log::open(&path).expect("a log");
    assert_eq!(log.process().pid, 1);
    assert!(log.is_alive(), "its lock says so, not its number");
    assert_eq!(log.records().count(), 7);
    let answer = child.stdin.as_mut().expect("piped");
    answer.write_all(b".").expect("it listens");
    assert!(child.wait().expect("a child").success());
    // Process 1 runs here, too: it is another one.
    assert!(!log.is_alive());
    assert!(!Log::open(&path).expect("a log").is_alive());
    assert_eq!(Pal::create(&path, 1).expect("replaced").events(), []);
}
