//! Owns the access to a log's words, wherever they are.

use crate::map::{Mapping, View};
use crate::sync::Word;
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// Where a log's words are.
pub(crate) enum Source {
    File(File),
    /// The memory of a log of this process.
    Memory(View<AtomicU64>),
    /// A copy of a log.
    Words(Box<[u64]>),
}

/// The bytes that are read from a file at once.
const CHUNK_BYTES: usize = 64 << 10;

impl Source {
    pub(crate) fn memory(mapping: &Arc<Mapping>) -> Source {
        Source::Memory(mapping.view(0, mapping.bytes() / 8))
    }

    /// The words of a copy, without what is left of the last one.
    pub(crate) fn copy(bytes: &[u8]) -> Source {
        let (words, _) = bytes.as_chunks();
        Source::Words(words.iter().map(|word| u64::from_ne_bytes(*word)).collect())
    }

    pub(crate) fn bytes(&self) -> io::Result<u64> {
        match self {
            Source::File(file) => Ok(file.metadata()?.len()),
            Source::Memory(words) => Ok(words.len() as u64 * 8),
            Source::Words(words) => Ok(words.len() as u64 * 8),
        }
    }

    /// Fills `words` from the byte `offset` on; an error when the log ends before. What was read by
    /// an earlier call was read before anything that this call reads.
    pub(crate) fn read(&self, offset: u64, words: &mut [u64]) -> io::Result<()> {
        match self {
            Source::File(file) => {
                // As in `read_memory`.
                fence(Ordering::Acquire);
                read_file(file, offset, words)
            }
            Source::Memory(memory) => read_memory(&memory[..], offset, words),
            Source::Words(all) => read_words(all, offset, words),
        }
    }

    /// The words themselves, where they are this process's own.
    pub(crate) fn memory_words(&self) -> Option<&[AtomicU64]> {
        match self {
            Source::File(_) | Source::Words(_) => None,
            Source::Memory(words) => Some(words),
        }
    }

    /// Whether another process holds a lock on the file.
    pub(crate) fn is_locked(&self) -> bool {
        let Source::File(file) = self else {
            return false;
        };
        is_locked(file)
    }

    /// One word.
    pub(crate) fn word(&self, offset: u64) -> io::Result<u64> {
        let mut word = [0];
        self.read(offset, &mut word)?;
        Ok(word[0])
    }
}

/// Whether somebody else holds a lock on the file.
pub(crate) fn is_locked(file: &File) -> bool {
    let is_free = flock(file, FlockOperation::NonBlockingLockShared).is_ok();
    if is_free {
        // Were it kept, what is read could not be let go meanwhile.
        let _ = flock(file, FlockOperation::Unlock);
    }
    !is_free
}

fn read_file(file: &File, offset: u64, words: &mut [u64]) -> io::Result<()> {
    let mut bytes = vec![0; CHUNK_BYTES.min(words.len() * 8)];
    let mut at = offset;
    for chunk in words.chunks_mut(CHUNK_BYTES / 8) {
        let bytes = &mut bytes[..chunk.len() * 8];
        file.read_exact_at(bytes, at)?;
        for (word, bytes) in chunk.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_ne_bytes(*bytes);
        }
        at += bytes.len() as u64;
    }
    Ok(())
}

/// As [`Source::read`], from a copy, which nobody writes.
fn read_words(all: &[u64], offset: u64, words: &mut [u64]) -> io::Result<()> {
    let first = usize::try_from(offset / 8).unwrap_or(usize::MAX);
    let end = first.checked_add(words.len());
    let range = end.and_then(|end| all.get(first..end));
    words.copy_from_slice(range.ok_or(io::ErrorKind::UnexpectedEof)?);
    Ok(())
}

/// As [`Source::read`], from memory.
pub(crate) fn read_memory<W: Word>(memory: &[W], offset: u64, words: &mut [u64]) -> io::Result<()> {
    // Pairs with the writer's release fence and release stores: if the call before saw a word
    // of a later record or task, this one sees that one's first step. See `record` and `slot`.
    W::fence(Ordering::Acquire);
    let first = usize::try_from(offset / 8).unwrap_or(usize::MAX);
    let end = first.checked_add(words.len());
    let range = end.and_then(|end| memory.get(first..end));
    let range = range.ok_or(io::ErrorKind::UnexpectedEof)?;
    for (word, shared) in words.iter_mut().zip(range) {
        *word = shared.load(Ordering::Acquire);
    }
    Ok(())
}
