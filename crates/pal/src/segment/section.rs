//! Owns the frame of a section: what it is, how long, and a checksum of it all.
//!
//! ```text
//! kind: 4 bytes │ length of the payload: 4 │ CRC-32 of these eight and the payload: 4 │ payload
//! ```

/// The bytes before a section's payload.
pub(crate) const SECTION_HEAD_BYTES: usize = 12;
/// The longest payload: several times that of the largest block there can be without compression.
pub(crate) const SECTION_BYTES_MAX: usize = 4 << 20;

/// What a section holds. Readers skip kinds that they do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum SectionKind {
    /// Records: see [`super::block`].
    Block = 1,
    /// Texts that later records of the segment name.
    Texts = 2,
    /// Spawn sites that they name.
    Sites = 3,
    /// Descriptions of record kinds.
    Kinds = 4,
    /// The tasks that live: rows of the task table.
    Tasks = 5,
    /// A window that is missing.
    Gap = 6,
    /// What the log said of itself: its losses, its end.
    Status = 7,
}

impl SectionKind {
    const ALL: [SectionKind; 7] = [
        SectionKind::Block,
        SectionKind::Texts,
        SectionKind::Sites,
        SectionKind::Kinds,
        SectionKind::Tasks,
        SectionKind::Gap,
        SectionKind::Status,
    ];

    pub(crate) fn from_number(number: u32) -> Option<SectionKind> {
        SectionKind::ALL
            .into_iter()
            .find(|kind| *kind as u32 == number)
    }
}

/// A section without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SectionHead {
    /// The kind; this version may not know it.
    pub(crate) number: u32,
    /// The payload's bytes.
    pub(crate) length: usize,
    crc: u32,
}

impl SectionHead {
    /// Appends a whole section.
    pub(crate) fn put(bytes: &mut Vec<u8>, kind: SectionKind, payload: &[u8]) {
        debug_assert!(payload.len() <= SECTION_BYTES_MAX);
        let number = kind as u32;
        let length = payload.len() as u32;
        bytes.extend_from_slice(&number.to_le_bytes());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&checksum(number, length, payload).to_le_bytes());
        bytes.extend_from_slice(payload);
    }

    /// The head that stands in these bytes; `None` for a length that no section has.
    pub(crate) fn take(bytes: &[u8; SECTION_HEAD_BYTES]) -> Option<SectionHead> {
        let word = |at: usize| {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let length = word(4) as usize;
        (length <= SECTION_BYTES_MAX).then(|| SectionHead {
            number: word(0),
            length,
            crc: word(8),
        })
    }

    /// Whether this payload is the one that was written.
    pub(crate) fn holds(&self, payload: &[u8]) -> bool {
        payload.len() == self.length
            && checksum(self.number, self.length as u32, payload) == self.crc
    }
}

fn checksum(number: u32, length: u32, payload: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&number.to_le_bytes());
    crc.update(&length.to_le_bytes());
    crc.update(payload);
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_of_a_section_is_found() {
        let mut bytes = Vec::new();
        SectionHead::put(&mut bytes, SectionKind::Gap, b"a payload");
        let holds = |bytes: &[u8]| {
            let (head, payload) = bytes.split_first_chunk().expect("long enough");
            SectionHead::take(head).is_some_and(|head| head.holds(payload))
        };
        assert!(holds(&bytes));
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!holds(&bytes), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
