//! Owns an event as the words of its record, for who knows the event before the moment to record it.

use crate::event::TaskEvent;
use crate::format::codec::{Encoded, decode, encode};

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
