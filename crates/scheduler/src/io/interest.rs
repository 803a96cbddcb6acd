//! Owns which readiness one waits for, and which one got.

use crate::driver::Mask;
use glasshouse_pal::Interest as Direction;
use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Sub};

/// Which directions of a descriptor one waits for.
///
/// ```
/// use glasshouse_scheduler::io::Interest;
/// let both = Interest::READABLE | Interest::WRITABLE;
/// assert!(both.is_readable() && both.is_writable());
/// assert_eq!(both.remove(Interest::READABLE), Some(Interest::WRITABLE));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interest {
    read: bool,
    write: bool,
}

impl Interest {
    /// There is something to read, or the end of it.
    pub const READABLE: Interest = Interest {
        read: true,
        write: false,
    };
    /// There is room to write, or nobody reads any more.
    pub const WRITABLE: Interest = Interest {
        read: false,
        write: true,
    };

    /// Whether reading is of interest.
    pub const fn is_readable(self) -> bool {
        self.read
    }

    /// Whether writing is of interest.
    pub const fn is_writable(self) -> bool {
        self.write
    }

    /// Both interests.
    #[must_use]
    pub const fn add(self, other: Interest) -> Interest {
        Interest {
            read: self.read || other.read,
            write: self.write || other.write,
        }
    }

    /// This interest without the other; nothing if nothing is left.
    pub fn remove(self, other: Interest) -> Option<Interest> {
        let left = Interest {
            read: self.read && !other.read,
            write: self.write && !other.write,
        };
        (left.read || left.write).then_some(left)
    }

    /// The bits that end a wait for it.
    pub(crate) fn mask(self) -> Mask {
        let mask = |wanted, direction| match wanted {
            true => Mask::known(direction),
            false => Mask::NONE,
        };
        mask(self.read, Direction::Read).union(mask(self.write, Direction::Write))
    }

    /// Its directions.
    pub(crate) fn directions(self) -> impl Iterator<Item = Direction> {
        let read = self.read.then_some(Direction::Read);
        read.into_iter()
            .chain(self.write.then_some(Direction::Write))
    }

    /// Its directions as the poll takes them.
    pub(crate) fn events(self) -> mio::Interest {
        match (self.read, self.write) {
            (true, true) => mio::Interest::READABLE | mio::Interest::WRITABLE,
            (true, false) => mio::Interest::READABLE,
            (false, _) => mio::Interest::WRITABLE,
        }
    }

    /// The direction that the log shows for a wait.
    pub(crate) fn direction(self) -> Direction {
        if self.read {
            Direction::Read
        } else {
            Direction::Write
        }
    }
}

impl BitOr for Interest {
    type Output = Interest;
    fn bitor(self, other: Interest) -> Interest {
        self.add(other)
    }
}

impl BitOrAssign for Interest {
    fn bitor_assign(&mut self, other: Interest) {
        *self = self.add(other);
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.read, self.write) {
            (true, true) => "READABLE | WRITABLE",
            (true, false) => "READABLE",
            (false, _) => "WRITABLE",
        })
    }
}

/// What is known of a descriptor's readiness.
///
/// ```
/// use glasshouse_scheduler::io::Ready;
/// assert!(Ready::READ_CLOSED.is_readable(), "a read would find the end at once");
/// assert!((Ready::ALL - Ready::WRITABLE).is_write_closed());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ready(Mask);

impl Ready {
    /// Nothing.
    pub const EMPTY: Ready = Ready(Mask::NONE);
    /// There is something to read.
    pub const READABLE: Ready = Ready(Mask::READABLE);
    /// There is room to write.
    pub const WRITABLE: Ready = Ready(Mask::WRITABLE);
    /// The other side writes no more: what is left can be read, and then the end.
    pub const READ_CLOSED: Ready = Ready(Mask::READ_CLOSED);
    /// The other side reads no more.
    pub const WRITE_CLOSED: Ready = Ready(Mask::WRITE_CLOSED);
    /// All of these.
    pub const ALL: Ready = Ready(
        Mask::READABLE
            .union(Mask::WRITABLE)
            .union(Mask::READ_CLOSED)
            .union(Mask::WRITE_CLOSED),
    );

    /// The part of what was seen that answers an interest.
    pub(crate) fn of(seen: Mask, interest: Interest) -> Ready {
        Ready(seen.intersection(interest.mask()))
    }

    /// Whether nothing is ready.
    pub const fn is_empty(self) -> bool {
        !self.0.meets(Ready::ALL.0)
    }

    /// Whether a read would not wait.
    pub const fn is_readable(self) -> bool {
        self.0.meets(Mask::known(Direction::Read))
    }

    /// Whether a write would not wait.
    pub const fn is_writable(self) -> bool {
        self.0.meets(Mask::known(Direction::Write))
    }

    /// Whether the other side writes no more.
    pub const fn is_read_closed(self) -> bool {
        self.0.meets(Mask::READ_CLOSED)
    }

    /// Whether the other side reads no more.
    pub const fn is_write_closed(self) -> bool {
        self.0.meets(Mask::WRITE_CLOSED)
    }
}

impl BitOr for Ready {
    type Output = Ready;
    fn bitor(self, other: Ready) -> Ready {
        Ready(self.0.union(other.0))
    }
}

impl BitOrAssign for Ready {
    fn bitor_assign(&mut self, other: Ready) {
        *self = *self | other;
    }
}

impl BitAnd for Ready {
    type Output = Ready;
    fn bitand(self, other: Ready) -> Ready {
        Ready(self.0.intersection(other.0))
    }
}

impl Sub for Ready {
    type Output = Ready;
    fn sub(self, other: Ready) -> Ready {
        Ready(self.0.without(other.0))
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready")
            .field("readable", &self.0.meets(Mask::READABLE))
            .field("writable", &self.0.meets(Mask::WRITABLE))
            .field("read_closed", &self.is_read_closed())
            .field("write_closed", &self.is_write_closed())
            .finish()
    }
}
