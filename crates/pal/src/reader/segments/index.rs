//! Owns what is known of a log's segments before any record is decoded: which blocks there are and where, and what
//! the files note beside them.
//!
//! Made in one pass over the files, in which every checksum is compared. It takes some hundred bytes a block, and the notes.

use super::gather::Gathered;
use super::home::Home;
use super::notes::Notes;
use super::scan::{Refused, Scan};
use super::shelf::Shelf;
use super::tail::Tail;
use super::unread::{Hearer, Unread};
use crate::clock::ClockPair;
use crate::reader::OpenError;
use crate::reader::wall::WallClock;
use crate::segment::{HeaderFault, SegmentHeader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) struct Index {
    /// What the files hold; their blocks, pairs and files are elsewhere.
    pub(super) gathered: Gathered,
    pub(super) notes: Notes,
    pub(super) wall: WallClock,
    /// The end of the last segment, while there may be more behind it.
    pub(super) tail: Option<Tail>,
    pub(super) home: Home,
    /// What of it could not be read.
    pub(super) unread: Arc<Unread>,
}

impl Index {
    /// Reads the files, which are in the order of their names; `path` is what the user called them. Where their blocks
    /// are is for the stream.
    pub(super) fn of(path: &Path, files: Vec<PathBuf>) -> Result<(Index, Shelf), OpenError> {
        let home = Home::of(path, &files);
        let mut building: Option<Building> = None;
        let mut damaged = Vec::new();
        let mut is_last_damaged = false;
        let mut removed = None;
        for file in files {
            let opened = Scan::open(&file);
            is_last_damaged = opened.as_ref().is_err_and(|refused| !refused.is_removed());
            match opened {
                Ok((scan, header)) => {
                    let begun = building.get_or_insert_with(|| Building {
                        // Asked first: what was spilled before it ended is there once it has ended, and so is all of
                        // a segment that has a next one.
                        is_growing: home.is_spilled_to_by(&header.process)
                            && !home.is_one_with_next(&file, header.number),
                        gathered: Gathered::new(header.clone()),
                        notes: Notes::default(),
                        tail: None,
                    });
                    if begun.gathered.header.is_of_same_log(&header) {
                        begun.end_segment();
                        begun.read(file, &header, scan);
                    } else {
                        // Somebody copied another log's segment here.
                        begun.gathered.damaged_segments += 1;
                    }
                }
                // Its spiller has removed it since it was listed: that it is missing tells what follows it.
                Err(refused) if refused.is_removed() => removed = Some(refusal(file, refused)),
                Err(refused) => damaged.push(refusal(file, refused)),
            }
        }
        let Some(mut building) = building else {
            let first = damaged.into_iter().next().or(removed);
            return Err(first.unwrap_or(OpenError::NoSegments {
                path: path.to_owned(),
            }));
        };
        // A later release's segments must not look like a small loss.
        if let Some(later) = damaged.iter().position(is_later_version) {
            return Err(damaged.swap_remove(later));
        }
        // One that was just begun has no header yet.
        let is_begun = is_last_damaged && building.is_growing;
        building.gathered.damaged_segments += damaged.len() as u64 - u64::from(is_begun);
        Ok(building.finish(home))
    }
}

fn is_later_version(error: &OpenError) -> bool {
    matches!(error, OpenError::Version { .. })
}

fn refusal(path: PathBuf, refused: Refused) -> OpenError {
    match refused {
        Refused::Io(source) => OpenError::Io { path, source },
        Refused::Header(fault) => match fault {
            HeaderFault::NotASegment => OpenError::NotALog { path },
            HeaderFault::CutShort => OpenError::Damaged {
                path,
                offset: 0,
                what: "its header is cut short",
            },
            HeaderFault::Version { major, minor } => OpenError::Version { path, major, minor },
            HeaderFault::Damaged(what) => OpenError::Damaged {
                path,
                offset: 0,
                what,
            },
        },
    }
}

/// Takes out what the clocks showed, now and then and at the end.
pub(super) fn take_pairs(gathered: &mut Gathered, notes: &Notes) -> Vec<ClockPair> {
    let mut pairs = std::mem::take(&mut gathered.pairs);
    pairs.extend(notes.status.as_ref().map(|status| status.pair));
    // A clock that nobody moved shows zeros, as does a status that tells no time.
    pairs.retain(|pair| *pair != ClockPair::default());
    pairs
}

/// An index in the making.
struct Building {
    gathered: Gathered,
    notes: Notes,
    /// The end of the segment that was read last.
    tail: Option<Tail>,
    is_growing: bool,
}

impl Building {
    fn read(&mut self, path: PathBuf, header: &SegmentHeader, mut scan: Scan) {
        self.gathered.begin(&path, header, &scan);
        self.gathered.read(&mut scan, &mut self.notes);
        self.tail = Some(Tail::of(path, header.number, &scan));
    }

    /// No more comes behind what was read last.
    fn end_segment(&mut self) {
        if let Some(tail) = self.tail.take() {
            tail.end(&mut self.gathered);
        }
    }

    fn finish(mut self, home: Home) -> (Index, Shelf) {
        let has_ended = (self.notes.status.as_ref()).is_some_and(|status| status.is_final);
        if !self.is_growing || has_ended {
            self.end_segment();
        }
        let mut pairs = take_pairs(&mut self.gathered, &self.notes);
        pairs.sort_unstable_by_key(|pair| pair.ticks);
        pairs.dedup();
        let unread = Arc::default();
        let shelf = Shelf {
            files: std::mem::take(&mut self.gathered.files),
            blocks: std::mem::take(&mut self.gathered.blocks),
            kinds: self.notes.field_counts(),
            hearer: Hearer::Log(Arc::clone(&unread)),
        };
        let index = Index {
            wall: WallClock::new(pairs, self.gathered.header.rate),
            gathered: self.gathered,
            notes: self.notes,
            tail: self.tail,
            home,
            unread,
        };
        (index, shelf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Pal;
    use crate::reader::segments::find;
    use crate::spill::{Settings, Spiller};

    #[test]
    fn a_segment_that_was_removed_since_it_was_listed_is_not_damaged() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let settings = Settings::new(place.path().join("spill"));
        let mut spiller = Spiller::new(&Pal::memory(), settings).expect("made");
        let _ = spiller.finish();
        let path = spiller.path();
        let mut files = find::files(path).expect("readable").expect("segments");
        let removed = path.join("00000000.seg");
        files.insert(0, removed.clone());
        let (index, _) = Index::of(path, files).expect("one is there");
        assert_eq!(index.gathered.damaged_segments, 0);
        let Err(error) = Index::of(path, vec![removed]) else {
            panic!("none is there");
        };
        assert!(matches!(error, OpenError::Io { .. }), "{error}");
    }
}
