//! Owns the description of what a session runs: program, arguments, environment, directory, size.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The output bytes that a session keeps where its command says nothing else. A guess: some
/// thousands of lines.
pub const DEFAULT_RING_BYTES: usize = 256 * 1024;

/// The size of a terminal in characters.
///
/// ```
/// use glasshouse_pty::Size;
/// assert_eq!(Size::default(), Size { rows: 24, cols: 80 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Characters a line.
    pub cols: u16,
}

impl Default for Size {
    /// 24 lines of 80 characters, what a terminal has that says nothing else.
    fn default() -> Size {
        Size { rows: 24, cols: 80 }
    }
}

/// What to run in a pseudo-terminal, and how.
///
/// ```
/// use glasshouse_pty::{Command, Size};
/// let mut exec = Command::new("sort");
/// exec.args(["-r", "words.txt"]).cwd("/tmp").size(Size { rows: 50, cols: 132 });
/// assert_eq!(exec.display_name(), "sort");
///
/// let mut shell = Command::shell("sort -r words.txt | head -3");
/// shell.env("LC_ALL", "C").name("top words");
/// assert_eq!(shell.display_name(), "top words");
/// ```
#[derive(Clone, Debug)]
pub struct Command {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) size: Size,
    pub(crate) ring_bytes: usize,
    env: BTreeMap<OsString, Option<OsString>>,
    inherits_env: bool,
    name: Option<String>,
}

impl Command {
    /// A program to execute directly. A name without a slash is searched in the `PATH` that the
    /// program will see; a relative path counts from the directory that it will start in.
    pub fn new(program: impl AsRef<OsStr>) -> Command {
        Command {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            cwd: None,
            size: Size::default(),
            ring_bytes: DEFAULT_RING_BYTES,
            env: BTreeMap::new(),
            inherits_env: true,
            name: None,
        }
    }

    /// A text for `/bin/sh -c`.
    pub fn shell(text: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args([OsStr::new("-c"), text.as_ref()]);
        command
    }

    /// Adds one argument.
    pub fn arg(&mut self, arg: impl AsRef<OsStr>) -> &mut Command {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args(&mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Command {
        for arg in args {
            self.arg(arg);
        }
        self
    }

    /// Sets one variable of the program's environment; the others are this process's own.
    pub fn env(&mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Command {
        let value = Some(value.as_ref().to_owned());
        self.env.insert(key.as_ref().to_owned(), value);
        self
    }

    /// Keeps one variable out of the program's environment.
    pub fn env_remove(&mut self, key: impl AsRef<OsStr>) -> &mut Command {
        self.env.insert(key.as_ref().to_owned(), None);
        self
    }

    /// Starts from an empty environment: forgets what was set, and takes over nothing of this
    /// process's own.
    pub fn env_clear(&mut self) -> &mut Command {
        self.env.clear();
        self.inherits_env = false;
        self
    }

    /// The directory to start in; without one it is this process's own.
    pub fn cwd(&mut self, directory: impl AsRef<Path>) -> &mut Command {
        self.cwd = Some(directory.as_ref().to_owned());
        self
    }

    /// The terminal's size; 24 by 80 without one.
    pub fn size(&mut self, size: Size) -> &mut Command {
        self.size = size;
        self
    }

    /// The name in listings and in the log; the program's file name without one.
    pub fn name(&mut self, name: impl Into<String>) -> &mut Command {
        self.name = Some(name.into());
        self
    }

    /// The newest output bytes to keep; [`DEFAULT_RING_BYTES`] where nothing is said.
    pub fn ring_bytes(&mut self, bytes: usize) -> &mut Command {
        self.ring_bytes = bytes;
        self
    }

    /// The name that listings and the log will show.
    pub fn display_name(&self) -> String {
        match (&self.name, Path::new(&self.program).file_name()) {
            (Some(name), _) => name.clone(),
            (None, Some(file)) => file.to_string_lossy().into_owned(),
            (None, None) => self.program.to_string_lossy().into_owned(),
        }
    }

    /// The environment that the program will see.
    pub fn environment(&self) -> BTreeMap<OsString, OsString> {
        let mut environment = BTreeMap::new();
        if self.inherits_env {
            environment.extend(std::env::vars_os());
        }
        for (key, change) in &self.env {
            match change {
                Some(value) => environment.insert(key.clone(), value.clone()),
                None => environment.remove(key),
            };
        }
        environment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cleared_environment_holds_only_what_is_set_afterwards() {
        let mut command = Command::new("env");
        command.env("LOST", "1").env_clear().env("KEPT", "2");
        let environment = command.environment();
        assert_eq!(environment, BTreeMap::from([("KEPT".into(), "2".into())]));
    }

    #[test]
    fn a_removed_variable_is_not_inherited() {
        let inherited = Command::new("env").environment();
        let (key, _) = inherited.first_key_value().expect("cargo sets variables");
        let mut command = Command::new("env");
        command.env_remove(key);
        assert!(!command.environment().contains_key(key));
        assert_eq!(command.environment().len(), inherited.len() - 1);
    }

    #[test]
    fn the_name_falls_back_to_the_program() {
        assert_eq!(Command::new("/usr/bin/sort").display_name(), "sort");
        assert_eq!(Command::shell("sort").display_name(), "sh");
        assert_eq!(Command::new("/").display_name(), "/");
        assert_eq!(Command::new("sort").name("mine").display_name(), "mine");
    }
}
