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
    let mut entries = entries(path)?;
    let here: Vec<PathBuf> = entries
        .iter()
        .filter(|path| is_named_as_segment(path))
        .cloned()
        .collect();
    if !here.is_empty() {
        return Ok(Some(here));
    }
    // Names begin with the time at which their process's log began.
    while let Some(newest) = entries.pop() {
        if newest.is_symlink() || !newest.is_dir() {
            continue;
        }
        let mut within = self::entries(&newest)?;
        within.retain(|path| is_named_as_segment(path));
        if !within.is_empty() {
            return Ok(Some(within));
        }
    }
    Err(OpenError::NoSegments {
        path: path.to_owned(),
    })
}

/// The segments in a directory that are named as spillers name them, with their numbers.
pub(super) fn numbered(dir: &Path) -> Vec<(u64, PathBuf)> {
    let paths = entries(dir).unwrap_or_default().into_iter();
    let numbered = |path: PathBuf| Some((segment_number(&path)?, path));
    paths.filter_map(numbered).collect()
}

/// What is in a directory, by name.
fn entries(path: &Path) -> Result<Vec<PathBuf>, OpenError> {
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

fn is_named_as_segment(path: &Path) -> bool {
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
