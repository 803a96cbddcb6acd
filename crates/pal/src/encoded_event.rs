//! Owns an event as the words of its record, for who knows the event before the moment to record it; and the
//! source of a wake as a word, for who writes it more than once.

use crate::cause::WakeSource;
use crate::event::TaskEvent;
use crate::format::codec::{Encoded, decode, encode};
use crate::format::kind;
use crate::id::TaskId;
use crate::ways_out::{WaysOut, has_room};

/// An event that only its stamp is missing from. Encoding folds into constants where the event's variant is
/// known, which is seldom where it is recorded.
///
/// ```
/// use glasshouse_pal::{EncodedEvent, TaskEvent, TaskId};
/// let event = TaskEvent::Wait { tid: TaskId::new(7).expect("in range") };
/// assert_eq!(EncodedEvent::of(&event).event(), event);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodedEvent(pub(crate) Encoded);

impl EncodedEvent {
    /// The words of this event.
    #[inline(always)]
    pub fn of(event: &TaskEvent) -> EncodedEvent {
        EncodedEvent(encode(event))
    }

    /// The words of [`TaskEvent::Wake`].
    #[inline(always)]
    pub fn wake(tid: TaskId, by: EncodedSource) -> EncodedEvent {
        EncodedEvent(Encoded {
            kind: kind::WAKE,
            task: tid.number(),
            arg: by.0,
            more: None,
        })
    }

    /// The same, of a wait that may also end so: one without a name, for a task's end, or for a lane. Others stay as they
    /// are.
    #[inline(always)]
    pub fn with_ways_out(self, ways_out: WaysOut) -> EncodedEvent {
        let EncodedEvent(mut words) = self;
        if has_room(words.kind) {
            words.arg |= ways_out.to_bits();
        }
        EncodedEvent(words)
    }

    /// The event of these words.
    pub fn event(&self) -> TaskEvent {
        let Encoded {
            kind,
            task,
            arg,
            more,
        } = self.0;
        decode(kind, task, arg, more.unwrap_or_default())
            .expect("words that an event made decode to it")
    }
}

/// [`WakeSource::to_word`], made once: where the source is not known beforehand, it takes a jump by its variant.
///
/// ```
/// use glasshouse_pal::{EncodedEvent, EncodedSource, TaskEvent, TaskId, WakeSource};
/// let tid = TaskId::new(7).expect("in range");
/// let by = WakeSource::Timer;
/// let wake = EncodedEvent::wake(tid, EncodedSource::of(by));
/// assert_eq!(wake, EncodedEvent::of(&TaskEvent::Wake { tid, by }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodedSource(pub(crate) u64);

impl EncodedSource {
    /// The word of this source.
    #[inline]
    pub fn of(by: WakeSource) -> EncodedSource {
        EncodedSource(by.to_word())
    }
}
