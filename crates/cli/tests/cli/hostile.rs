//! Whatever a log says, no command panics, hangs, or ends otherwise than well, with a verdict, or with a refusal. What
//! the library makes of such logs is tested in `fuzz`, with many more of them.

use crate::edit::Tampered;
use crate::place::{Place, until};
use crate::seeds::seeded;
use crate::segments::TamperedSegments;
use crate::terminal::terminal;
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

/// How many logs are made by chance, of each kind.
const SEEDS: u64 = 24;
/// Of those with one or two words changed, one of so many: a prime number, so that word and value differ each time.
const SPARSE: usize = 17;
/// Of so many logs one is looked at through `top`: a terminal takes long.
const SHOWN_EACH: usize = 5;

/// What is asked of each log. All speak of task 1, as far as they are read.
const ASKED: [&[&str]; 11] = [
    &["log", "hostile"],
    &["log", "hostile", "--json"],
    &["stats", "hostile"],
    &["stats", "hostile", "--json"],
    &["task", "hostile", "1"],
    &["task", "hostile", "1", "--json"],
    &["why", "hostile"],
    &["why", "hostile", "1"],
    &["why", "hostile", "1", "--json"],
    &["verify", "hostile"],
    &["export", "hostile", "--format", "chrome"],
];
/// Through the pages of `top`, through time and to the end of that, into a task's page, and out.
const KEYS: &[u8] = b"lt?osr[\x1b[5~\x1b[H]\x1b[6~\x1b[F\rq";

/// A command that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command to its end.
fn run(place: &Place, mut command: Command) {
    let said = File::create(place.path("said")).expect("made");
    let mut run = Running(command.stderr(said).spawn().expect("run"));
    let told = format!("{:?}", command.get_args());
    // It holds the terminal's other end as long as it is not dropped.
    drop(command);
    let mut ended = None;
    until(&told, || {
        ended = run.0.try_wait().expect("a child");
        ended.is_some()
    });
    let code = ended.and_then(|status| status.code());
    let said = std::fs::read_to_string(place.path("said")).expect("text");
    assert!(matches!(code, Some(0..=2)), "{told}: {code:?}, {said}");
}

/// Looks at the log through `top`.
fn show(place: &Place) {
    let (mut ours, theirs) = terminal();
    let mut command = place.command(&["top", "hostile"]);
    command
        .env("TERM", "xterm")
        .stdin(theirs.try_clone().expect("a descriptor"))
        .stdout(theirs);
    let keys = std::thread::spawn(move || {
        let mut screen = [0; 4096];
        // It begins to draw, and takes keys one by one from then on; or it has ended.
        if ours.read(&mut screen).is_ok() {
            let _ = ours.write_all(KEYS);
        }
        while ours.read(&mut screen).is_ok_and(|bytes| bytes > 0) {}
    });
    run(place, command);
    keys.join().expect("typed");
}

/// Asks each log for everything, which `put` puts where it is asked for.
fn ask<T: std::fmt::Debug>(inputs: impl Iterator<Item = T>, put: impl Fn(&Place, &T)) {
    let place = Place::new();
    for (number, input) in inputs.enumerate() {
        // Shown when it fails: the last one did it.
        println!("{input:?}");
        put(&place, &input);
        for args in ASKED {
            let mut command = place.command(args);
            command.stdout(Stdio::null());
            run(&place, command);
        }
        if number % SHOWN_EACH == 0 {
            show(&place);
        }
    }
}

fn put_log(place: &Place, log: &Tampered) {
    std::fs::write(place.path("hostile"), log.bytes()).expect("written");
}

fn put_segments(place: &Place, segments: &TamperedSegments) {
    let dir = place.path("hostile");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir(&dir).expect("made");
    for (number, bytes) in (1..).zip(segments.bytes()) {
        std::fs::write(dir.join(format!("{number:08}.seg")), bytes).expect("written");
    }
}

#[test]
fn no_command_panics_or_hangs_whatever_a_log_says() {
    ask(seeded(SEEDS), put_log);
}

#[test]
fn no_command_panics_or_hangs_whichever_word_of_a_log_is_wrong() {
    ask(Tampered::each_word().step_by(SPARSE), put_log);
}

#[test]
fn no_command_panics_or_hangs_whichever_two_words_of_a_log_are_wrong() {
    ask(Tampered::each_two_words().step_by(SPARSE), put_log);
}

#[test]
fn no_command_panics_or_hangs_whatever_segments_say() {
    ask(seeded(SEEDS), put_segments);
}

#[test]
fn no_command_panics_or_hangs_whichever_number_of_segments_is_wrong() {
    ask(
        TamperedSegments::each_number().step_by(SPARSE),
        put_segments,
    );
}
