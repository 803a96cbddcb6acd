//! Owns the ways in which the program ends.

use crate::program;
use glasshouse::time;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::Duration;

/// How the program is to end, and how long after it is in full swing.
pub const ENDING: &str = "SURVIVE_ENDING";
pub const AFTER_US: &str = "SURVIVE_AFTER_US";

/// A way to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Somebody else ends it.
    Killed,
    /// It calls `abort`.
    Abort,
    /// A task panics, and a panic aborts.
    Panic,
    /// Its address space is used up.
    Memory,
}

impl Ending {
    const ALL: [Ending; 4] = [Ending::Killed, Ending::Abort, Ending::Panic, Ending::Memory];

    /// What it is called in the environment, and in what is printed.
    pub fn name(self) -> &'static str {
        match self {
            Ending::Killed => "killed",
            Ending::Abort => "abort",
            Ending::Panic => "panic",
            Ending::Memory => "memory",
        }
    }
}

/// Runs the program to the end that the environment asks for.
pub fn play() {
    let set = |name| std::env::var(name).expect("the test sets it");
    let ending = set(ENDING);
    let ending = Ending::ALL.into_iter().find(|known| known.name() == ending);
    let ending = ending.expect("a known ending");
    let after = Duration::from_micros(set(AFTER_US).parse().expect("a number"));
    if ending == Ending::Panic {
        // As under `panic = "abort"`, and in programs that will not go on after one.
        std::panic::set_hook(Box::new(|_| std::process::abort()));
    }
    program::run(async move {
        time::sleep(after).await;
        end(ending);
    });
}

fn end(ending: Ending) {
    match ending {
        Ending::Killed => {}
        Ending::Abort => std::process::abort(),
        Ending::Panic => panic!("on purpose"),
        Ending::Memory => exhaust(),
    }
}

/// Allocates until there is no more: that aborts.
fn exhaust() {
    /// More than the heap has at hand without asking for address space.
    const PIECE_BYTES: usize = 1 << 20;
    let limit = Rlimit {
        current: Some(64 << 20),
        ..getrlimit(Resource::As)
    };
    // What is mapped stays; nothing is added.
    setrlimit(Resource::As, limit).expect("a lower limit is always granted");
    let mut pieces = Vec::new();
    loop {
        pieces.push(vec![1u8; PIECE_BYTES]);
    }
}
