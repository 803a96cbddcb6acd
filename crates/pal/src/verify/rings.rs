//! Owns the comparison of rings with their headers.

use super::{Finding, Judge, Rest};
use crate::domain::{Event, FIELDS_MAX};
use crate::format::codec::encode;
use crate::reader::{Entry, Loss, RingId, RingInfo, RingLoss};
use foldhash::HashMap;

/// The records that one event can take: word 3 holds a field, a continuation three.
const EVENT_RECORDS_MAX: u64 = 1 + (FIELDS_MAX as u64 - 1).div_ceil(3);

/// How many events of each kind are in each ring.
#[derive(Default)]
pub(super) struct Counts {
    rings: HashMap<RingId, Box<[u64; 256]>>,
}

impl Counts {
    pub(super) fn add(&mut self, entry: &Entry) {
        let kind = match &entry.event {
            Event::Task(event) => encode(event).kind,
            Event::Domain(event) => event.kind(),
        };
        let kinds = self.rings.entry(entry.ring);
        kinds.or_insert_with(|| Box::new([0; 256]))[usize::from(kind)] += 1;
    }
}

pub(super) fn judge(judge: &mut Judge, counts: &Counts, loss: &Loss, rings: &[RingInfo]) {
    if loss.damaged_rings > 0 {
        let rings = loss.damaged_rings;
        judge.report.find(Finding::Rings { rings });
    }
    // Of a process that was killed, each worker may have been writing one.
    if loss.unreadable > judge.report.rest.half_done_max(rings) {
        let records = loss.unreadable;
        judge.report.find(Finding::Unreadable { records });
    }
    for of in &loss.unread {
        let (segment, records) = (of.segment, of.records);
        judge.report.find(Finding::Unread { segment, records });
    }
    match judge.report.rest {
        Rest::Live => return,
        Rest::Spilled => return judge_spilled(judge, loss),
        Rest::AtRest | Rest::Stopped => {}
    }
    for ring in rings {
        judge.report.rings += 1;
        let lost = loss.rings.iter().find(|lost| lost.ring == ring.id);
        let found = counts
            .rings
            .get(&ring.id)
            .map_or(&[0; 256], |kinds| &**kinds);
        judge_one(judge, ring, lost, found);
    }
}

/// Segments that begin with the log hold every record, but for those that their gaps tell of, and those that made no sense
/// to their spiller: of these it noted how many there were, in all rings. What segments hold is not lacking, whether it
/// makes sense or not.
fn judge_spilled(judge: &mut Judge, loss: &Loss) {
    // Of a segment that is not there nobody knows what it held.
    let is_known = loss.gaps.iter().all(|gap| gap.records > 0);
    if judge.report.horizon.is_some() || !is_known {
        return;
    }
    let mut left_out = loss.unreadable.saturating_sub(loss.senseless);
    for ring in &loss.rings {
        judge.report.rings += 1;
        let (ring, records) = (ring.ring, ring.overwritten);
        match left_out.checked_sub(records) {
            Some(left) => left_out = left,
            None => judge.report.find(Finding::Hole { ring, records }),
        }
    }
}

fn judge_one(judge: &mut Judge, ring: &RingInfo, lost: Option<&RingLoss>, found: &[u64; 256]) {
    let (newest, gone) = lost.map_or((0, 0), |lost| (lost.newest_seq, lost.overwritten));
    // While an event is written, the records of it that are there already are ahead of the header,
    // and those that it replaces are gone.
    let slack = match judge.report.rest {
        Rest::AtRest | Rest::Spilled => 0,
        Rest::Stopped | Rest::Live => EVENT_RECORDS_MAX,
    };
    let id = ring.id;
    if newest.abs_diff(ring.head) > slack {
        judge.report.find(Finding::Head {
            ring: id,
            head: ring.head,
            newest,
        });
    }
    let is_wrapped = newest.saturating_add(slack) > ring.capacity;
    let holes = gone.saturating_sub(newest.saturating_sub(ring.capacity));
    if holes > slack {
        let records = holes;
        judge.report.find(Finding::Hole { ring: id, records });
    }
    let mut uncounted = 0;
    for (kind, (&counted, &found)) in ring.events.iter().zip(found).enumerate() {
        let is_agreed = if is_wrapped {
            counted >= found
        } else {
            counted == found
        };
        // The event that was being written is in the ring and not yet counted.
        let is_last = slack > 0 && counted.checked_add(1) == Some(found) && uncounted == 0;
        if is_last {
            uncounted = 1;
        } else if !is_agreed {
            judge.report.find(Finding::Count {
                ring: id,
                kind: kind as u8,
                counted,
                found,
            });
        }
    }
}
