//! Owns the search for a program: from the name in a command to the path that is executed.
//!
//! The search runs in this process, so that "not there" and "not executable" are told apart and do
//! not depend on which of the child's first steps failed.

use crate::spawn_error::SpawnError;
use rustix::fs::{Access, access};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Where programs are searched when the environment holds no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/bin:/bin:/usr/bin";

/// The path to execute for `program`, seen from the directory `cwd` (this process's own if `None`).
///
/// A program with a slash in its name is that file; others are searched in `path_var`, the value of
/// `PATH` that the program will see.
pub(crate) fn find(
    program: &OsStr,
    path_var: Option<&OsStr>,
    cwd: Option<&Path>,
) -> Result<PathBuf, SpawnError> {
    let not_found = || SpawnError::NotFound {
        program: program.into(),
    };
    if program.is_empty() {
        return Err(not_found());
    }
    if program.as_encoded_bytes().contains(&b'/') {
        return match judge(Path::new(program), cwd) {
            Found::Executable => Ok(program.into()),
            Found::Other => Err(SpawnError::NotExecutable {
                program: program.into(),
            }),
            Found::Nothing => Err(not_found()),
        };
    }
    let mut refused = None;
    for directory in std::env::split_paths(path_var.unwrap_or(DEFAULT_PATH.as_ref())) {
        // An empty entry means the current directory.
        let candidate = Path::new(".").join(directory).join(program);
        match judge(&candidate, cwd) {
            Found::Executable => return Ok(candidate),
            Found::Other => refused = refused.or(Some(candidate)),
            Found::Nothing => {}
        }
    }
    Err(refused.map_or_else(not_found, |program| SpawnError::NotExecutable { program }))
}

/// What lies at a path.
enum Found {
    Executable,
    Other,
    Nothing,
}

fn judge(path: &Path, cwd: Option<&Path>) -> Found {
    let seen = cwd.map_or_else(|| path.to_owned(), |cwd| cwd.join(path));
    match std::fs::metadata(&seen) {
        Err(_) => Found::Nothing,
        Ok(meta) if meta.is_file() && access(&seen, Access::EXEC_OK).is_ok() => Found::Executable,
        Ok(_) => Found::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    /// A directory with a program `runs`, a file `lies`, and a directory `sub`.
    fn directory() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::write(dir.path().join("runs"), "#!/bin/sh\n").expect("writable");
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(dir.path().join("runs"), executable).expect("own file");
        fs::write(dir.path().join("lies"), "").expect("writable");
        fs::create_dir(dir.path().join("sub")).expect("writable");
        dir
    }

    #[test]
    fn a_bare_name_is_searched_in_the_path_given() {
        let dir = directory();
        let path = std::env::join_paths([Path::new("/nowhere"), dir.path()]).expect("no colon");
        let found = find("runs".as_ref(), Some(&path), None).expect("it is there");
        assert_eq!(found, dir.path().join("runs"));
        assert!(matches!(
            find("runs".as_ref(), Some("/nowhere".as_ref()), None),
            Err(SpawnError::NotFound { program }) if program == Path::new("runs")
        ));
    }

    #[test]
    fn an_empty_entry_of_the_path_is_the_directory_to_start_in() {
        let dir = directory();
        let found = find("runs".as_ref(), Some("".as_ref()), Some(dir.path()));
        assert_eq!(found.expect("it is there"), Path::new("./runs"));
    }

    #[test]
    fn a_relative_path_counts_from_the_directory_to_start_in() {
        let dir = directory();
        let found = find("sub/../runs".as_ref(), None, Some(dir.path()));
        assert_eq!(found.expect("it is there"), Path::new("sub/../runs"));
        let elsewhere = find("sub/../runs".as_ref(), None, Some(&dir.path().join("sub")));
        assert!(matches!(elsewhere, Err(SpawnError::NotFound { .. })));
    }

    #[test]
    fn what_is_no_executable_file_is_refused() {
        let dir = directory();
        for name in ["lies", "sub"] {
            let path = dir.path().join(name);
            let direct = find(path.as_os_str(), None, None);
            assert!(
                matches!(direct, Err(SpawnError::NotExecutable { .. })),
                "{name}"
            );
            let searched = find(name.as_ref(), Some(dir.path().as_os_str()), None);
            assert!(
                matches!(searched, Err(SpawnError::NotExecutable { .. })),
                "{name}"
            );
        }
    }

    #[test]
    fn an_empty_name_is_not_found() {
        assert!(matches!(
            find("".as_ref(), None, None),
            Err(SpawnError::NotFound { .. })
        ));
    }
}
