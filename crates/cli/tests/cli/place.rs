//! Owns the stage: a directory of its own for each test, and the binary run in it.

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take before a test gives up. Far beyond what it takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A directory for one test.
pub struct Place(TempDir);

/// How a run of the binary ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Place {
        Place(tempfile::tempdir().expect("a temporary directory"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file's path as an argument.
    pub fn arg(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    pub fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The log that the binary writes here unless it is told otherwise.
    pub fn log(&self) -> String {
        self.arg("run.pal")
    }

    /// The binary, to be run in this directory.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_glasshouse"));
        command.args(args);
        command
    }

    /// Any program, to be run in this directory, with what the binary would have around it.
    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.0.path())
            .env("GLASSHOUSE_PAL", self.log())
            .env_remove("RUST_LOG")
            .env_remove("TERM")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        Ended::from(self.command(args).output().expect("the binary runs"))
    }

    /// Writes `flow` to a file and runs it to its end.
    pub fn run_flow(&self, flow: &str, args: &[&str]) -> Ended {
        self.write("flow.toml", flow);
        self.run(&[&["run", "flow.toml"], args].concat())
    }

    /// The lines of JSON that the binary prints, run to a good end.
    pub fn json(&self, args: &[&str]) -> Vec<Value> {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.json()
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Ended {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is text");
        Ended {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl Ended {
    /// Each line of the output as a value.
    pub fn json(&self) -> Vec<Value> {
        let lines = self.out.lines();
        let parsed = lines.map(|line| serde_json::from_str(line).expect(line));
        parsed.collect()
    }

    /// The one line that says why the input could not be used.
    pub fn refusal(&self) -> &str {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        let line = self.err.strip_suffix('\n').expect("a whole line");
        assert!(!line.contains('\n'), "more than one line: {line}");
        line.strip_prefix("glasshouse: ")
            .expect("it says who speaks")
    }
}

/// Waits until something is the case.
pub fn until(what: &str, is_so: impl FnMut() -> bool) {
    assert!(comes_true(is_so), "in vain: {what}");
}

/// Whether something is the case before all patience is at its end.
pub fn comes_true(mut is_so: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !is_so() {
        if started.elapsed() >= PATIENCE {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Waits for a file with a number in it, written whole.
pub fn number_in(path: &Path) -> i32 {
    let mut number = None;
    until(&format!("a number in {}", path.display()), || {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        number = text.strip_suffix('\n').and_then(|text| text.parse().ok());
        number.is_some()
    });
    number.expect("just seen")
}

/// Overwrites bytes of a file.
pub fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    use std::io::{Seek, SeekFrom};
    let mut file = std::fs::File::options()
        .write(true)
        .open(path)
        .expect("opened");
    file.seek(SeekFrom::Start(offset)).expect("there");
    file.write_all(bytes).expect("written");
}

/// Whether a process of this number is there and runs.
pub fn is_there(pid: i32) -> bool {
    // A zombie has ended; whoever inherits it has not looked yet.
    state(pid).is_some_and(|state| state != 'Z')
}

/// The letter that the kernel has for what a process does; `None` where there is none of this number.
pub fn state(pid: impl std::fmt::Display) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.chars().next()
}

/// Sends a signal to a process that this test has started.
pub fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("a process"), signal).expect("it is there");
}
