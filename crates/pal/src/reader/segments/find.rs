//! Owns the question which files are the segments of one log.

use crate::reader::OpenError;
use crate::segment::{SEGMENT_EXTENSION, begins_as_segment, segment_number};
use rustix::fs::OFlags;
use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The segments that a path means, in the order of their names: the file itself, those in the directory, or those in the
/// one of its directories whose process began last. `None` for a file that is no segment.
pub(super) fn files(path: &Path) -> Result<Option<Vec<PathBuf>>, OpenError> {
    if !path.is_dir() {
        return Ok(is_segment(path).then(|| vec![path.to_owned()]));
    }
    let entries = entries(path)?;
    let here: Vec<PathBuf> = entries
        .iter()
        .filter(|path| is_named_as_segment(path))
        .cloned()
        .collect();
    if !here.is_empty() {
        return Ok(Some(here));
    }
    match newest(entries, self::entries)? {
        Some(within) => Ok(Some(within)),
        None => Err(OpenError::NoSegments {
            path: path.to_owned(),
        }),
    }
}

/// The segments in the last of these directories that has any. One that cannot be listed, for it is another user's or was
/// removed since, is passed over, and told where none has segments.
fn newest(
    mut directories: Vec<PathBuf>,
    list: impl Fn(&Path) -> Result<Vec<PathBuf>, OpenError>,
) -> Result<Option<Vec<PathBuf>>, OpenError> {
    let mut refused = None;
    // Names begin with the time at which their process's log began.
    while let Some(newest) = directories.pop() {
        if newest.is_symlink() || !newest.is_dir() {
            continue;
        }
        match list(&newest) {
            Ok(mut within) => {
                within.retain(|path| is_named_as_segment(path));
                if !within.is_empty() {
                    return Ok(Some(within));
                }
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    refused.map_or(Ok(None), Err)
}

/// The segments in a directory that are named as spillers name them, with their numbers.
pub(super) fn numbered(dir: &Path) -> Vec<(u64, PathBuf)> {
    let paths = entries(dir).unwrap_or_default().into_iter();
    let numbered = |path: PathBuf| Some((segment_number(&path)?, path));
    paths.filter_map(numbered).collect()
}

/// What is in a directory, by name.
pub(super) fn entries(path: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let io = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    let entries = std::fs::read_dir(path).map_err(io)?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    Ok(paths)
}

pub(super) fn is_named_as_segment(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == SEGMENT_EXTENSION)
}

/// Whether a file begins as a segment does. One that cannot be read is left to who says so.
fn is_segment(path: &Path) -> bool {
    // Without waiting, should it be a pipe.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits() as i32)
        .open(path);
    let Ok(mut file) = file else { return false };
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return false;
    }
    let mut first = [0; 8];
    file.read_exact(&mut first).is_ok() && begins_as_segment(&first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn a_directory_that_cannot_be_listed_is_passed_over_and_told_where_none_has_segments() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let dirs = ["1-1-1", "2-2-2"].map(|name| place.path().join(name));
        for dir in &dirs {
            std::fs::create_dir(dir).expect("made");
        }
        let list = |dir: &Path| match dir == dirs[1] {
            true => Err(OpenError::Io {
                path: dir.to_owned(),
                source: io::ErrorKind::PermissionDenied.into(),
            }),
            false => entries(dir),
        };
        let refused = newest(dirs.to_vec(), list).expect_err("there is nothing else");
        assert!(refused.to_string().contains("2-2-2"), "{refused}");
        let segment = dirs[0].join("00000001.seg");
        std::fs::write(&segment, b"").expect("written");
        let found = newest(dirs.to_vec(), list).expect("passed over");
        assert_eq!(found, Some(vec![segment]));
    }
}
