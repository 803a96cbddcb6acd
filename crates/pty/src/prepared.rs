//! Owns the way from a command to a started child: looks everything up beforehand, starts it, and
//! says which of its parts was at fault when that fails.

use crate::command::Command;
use crate::program;
use crate::spawn::Launch;
use crate::spawn_error::SpawnError;
use rustix::io::Errno;
use rustix::process::Pid;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A command whose program and directory were there, in the form that the system takes.
#[derive(Debug)]
pub(crate) struct Prepared {
    program: PathBuf,
    path: CString,
    argv: Vec<CString>,
    env: Vec<CString>,
    cwd: Option<(PathBuf, CString)>,
}

impl Prepared {
    /// Looks up the command's program and directory.
    pub(crate) fn new(command: &Command) -> Result<Prepared, SpawnError> {
        let cwd = match &command.cwd {
            Some(cwd) => {
                check_directory(cwd)?;
                Some((cwd.clone(), text("directory", cwd.as_os_str())?))
            }
            None => None,
        };
        let environment = command.environment();
        let path_var = environment.get(OsStr::new("PATH")).map(OsString::as_os_str);
        let program = program::find(&command.program, path_var, command.cwd.as_deref())?;
        let mut argv = vec![text("program", &command.program)?];
        for arg in &command.args {
            argv.push(text("argument", arg)?);
        }
        let mut env = Vec::with_capacity(environment.len());
        for (key, value) in environment {
            env.push(variable(key, &value)?);
        }
        Ok(Prepared {
            path: text("program", program.as_os_str())?,
            program,
            argv,
            env,
            cwd,
        })
    }

    /// Starts the child in the terminal of this path.
    pub(crate) fn start(&self, terminal: &CStr) -> Result<Pid, SpawnError> {
        let launch = Launch {
            path: &self.path,
            argv: &self.argv,
            env: &self.env,
            cwd: self.cwd.as_ref().map(|(_, text)| text.as_c_str()),
            terminal,
        };
        launch.start().map_err(|source| self.blame(source))
    }

    /// The call reports one error for all of the child's steps. What was there before it and is not
    /// now tells which step it was.
    fn blame(&self, source: io::Error) -> SpawnError {
        let program = self.program.clone();
        let cwd = self.cwd.as_ref().map(|(path, _)| path.as_path());
        if let Some(Err(error)) = cwd.map(check_directory) {
            return error;
        }
        let seen = cwd.map_or_else(|| program.clone(), |cwd| cwd.join(&program));
        match Errno::from_io_error(&source) {
            Some(Errno::NOENT) if seen.exists() => SpawnError::NoInterpreter { program },
            Some(Errno::NOENT) => SpawnError::NotFound { program },
            Some(Errno::ACCESS) => SpawnError::NotExecutable { program },
            _ => SpawnError::Start { program, source },
        }
    }
}

fn check_directory(cwd: &Path) -> Result<(), SpawnError> {
    let checked = std::fs::metadata(cwd).and_then(|meta| match meta.is_dir() {
        true => Ok(rustix::fs::access(cwd, rustix::fs::Access::EXEC_OK)?),
        false => Err(io::ErrorKind::NotADirectory.into()),
    });
    checked.map_err(|source| SpawnError::BadDirectory {
        cwd: cwd.into(),
        source,
    })
}

fn text(what: &'static str, text: &OsStr) -> Result<CString, SpawnError> {
    CString::new(text.as_bytes()).map_err(|_| SpawnError::BadText { what })
}

fn variable(key: OsString, value: &OsStr) -> Result<CString, SpawnError> {
    const WHAT: &str = "environment";
    if key.is_empty() || key.as_bytes().contains(&b'=') {
        return Err(SpawnError::BadText { what: WHAT });
    }
    let mut entry = key.into_vec();
    entry.push(b'=');
    entry.extend_from_slice(value.as_bytes());
    CString::new(entry).map_err(|_| SpawnError::BadText { what: WHAT })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Size;
    use crate::terminal::Terminal;
    use rustix::process::{WaitOptions, waitpid};
    use std::os::unix::fs::PermissionsExt;

    /// Starts the command and waits for it; these tests run no scheduler, so that they may block.
    fn exit_code(command: &Command) -> Result<Option<i32>, SpawnError> {
        let terminal = Terminal::open(Size::default()).map_err(SpawnError::NoTerminal)?;
        let pid = Prepared::new(command)?.start(&terminal.slave)?;
        let waited = waitpid(Some(pid), WaitOptions::empty()).expect("it is our child");
        let (_, status) = waited.expect("it blocks until there is one");
        Ok(status.exit_status())
    }

    fn script(dir: &Path, first_line: &str) -> PathBuf {
        let path = dir.join("script");
        std::fs::write(&path, first_line).expect("writable");
        let executable = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, executable).expect("own file");
        path
    }

    #[test]
    fn a_missing_program_and_a_missing_directory_are_told_apart() {
        let missing = Prepared::new(&Command::new("no-such-program-here"));
        assert!(matches!(missing, Err(SpawnError::NotFound { .. })));
        let mut command = Command::new("true");
        let nowhere = Prepared::new(command.cwd("/no/such/directory"));
        assert!(matches!(nowhere, Err(SpawnError::BadDirectory { .. })));
        let file = Prepared::new(command.cwd("/proc/self/stat"));
        assert!(matches!(
            file,
            Err(SpawnError::BadDirectory { source, .. })
                if source.kind() == io::ErrorKind::NotADirectory
        ));
    }

    #[test]
    fn what_vanishes_before_the_start_is_named() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let terminal = Terminal::open(Size::default()).expect("a pseudo-terminal");
        let path = script(dir.path(), "#!/bin/sh\n");
        let prepared = Prepared::new(&Command::new(&path)).expect("it is there");
        std::fs::remove_file(&path).expect("own file");
        let error = prepared.start(&terminal.slave).expect_err("it is gone");
        assert!(matches!(error, SpawnError::NotFound { program } if program == path));

        let sub = dir.path().join("sub");
        std::fs::create_dir(&sub).expect("writable");
        let prepared = Prepared::new(Command::new("true").cwd(&sub)).expect("both are there");
        std::fs::remove_dir(&sub).expect("own directory");
        let error = prepared.start(&terminal.slave).expect_err("it is gone");
        assert!(matches!(error, SpawnError::BadDirectory { cwd, .. } if cwd == sub));
    }

    #[test]
    fn a_script_without_its_interpreter_is_named_as_such() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = script(dir.path(), "#!/no/such/interpreter\n");
        let error = exit_code(&Command::new(&path)).expect_err("it cannot run");
        assert!(matches!(error, SpawnError::NoInterpreter { program } if program == path));
        let path = script(dir.path(), "neither binary nor script\n");
        let error = exit_code(&Command::new(&path)).expect_err("it cannot run");
        assert!(matches!(error, SpawnError::Start { program, .. } if program == path));
    }

    #[test]
    fn arguments_environment_and_directory_arrive() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let dir = dir.path().canonicalize().expect("it exists");
        let mut command =
            Command::shell(r#"[ "$1" = "two words" ] && [ "$V" = x=y ] && [ "$PWD" = "$2" ]"#);
        command
            .args(["name", "two words"])
            .arg(&dir)
            .env("V", "x=y")
            .cwd(&dir);
        assert_eq!(exit_code(&command).expect("sh is there"), Some(0));
    }

    #[test]
    fn texts_that_no_program_can_be_given_are_refused() {
        let mut bad = [
            Command::new("true"),
            Command::new("true"),
            Command::new("true"),
        ];
        bad[0].arg("a\0b");
        bad[1].env("A=B", "c");
        bad[2].env("", "c");
        for command in bad {
            let error = Prepared::new(&command).expect_err("a bad text");
            assert!(matches!(error, SpawnError::BadText { .. }), "{error}");
        }
    }
}
