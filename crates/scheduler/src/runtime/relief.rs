//! Owns what a busy worker takes over from siblings whose ticks are long.
//!
//! A worker steals when it has nothing to do. Where all have something to do, tasks that lie behind one that
//! computes would get a tick for each of its ticks, and those of a sibling thousands. So a busy worker looks now
//! and then which task each sibling is at, and takes half of what lies behind a tick that has been long: the
//! more often, the longer the tick. The watchdog does as much for ticks that last beyond all measure, and
//! also where nobody is busy enough to look.

use crate::runtime::context::Worker;
use crate::task::Class;

/// The least time between two looks at the siblings, and how long a tick is left alone. A guess:
/// a look costs each side a fetch of the other's cache line, and a tick of this length many wake-ups.
const LONG_TICK_NS: u64 = 50_000;
/// Tasks that are taken over at once, at most: each is taken by an exchange of its own.
const RELIEF_MAX: u32 = 128;

impl Worker {
    /// To be called between two ticks, now and then.
    pub(crate) fn relieve_siblings(&self) {
        let Some(me) = self.index else {
            return;
        };
        let now = self.seam.now();
        if now < self.next_relief.get() {
            return;
        }
        let long = self.shared.hub.clock().ticks(LONG_TICK_NS);
        self.next_relief.set(now + long);
        for sibling in (0..self.shared.remotes.len()).filter(|&index| index != me) {
            let tick = self.shared.hub.busy(sibling);
            // A reading that was torn makes a short tick long at worst: then tasks change workers in vain.
            if tick.is_some_and(|tick| now.saturating_sub(tick.since) >= long) {
                self.take_over_from(sibling);
            }
        }
    }

    fn take_over_from(&self, sibling: usize) {
        let theirs = &self.shared.remotes[sibling];
        let next = theirs.default.next().take();
        let halves = [Class::System, Class::Default]
            .into_iter()
            .flat_map(|class| {
                let queue = theirs.queue(class);
                let half = queue.len().div_ceil(2);
                (0..half.min(RELIEF_MAX)).map_while(|_| queue.pop())
            });
        let mut is_first = true;
        for task in next.into_iter().chain(halves) {
            if std::mem::take(&mut is_first) {
                // It was made ready on another thread: its stamps may be later than our boundary.
                self.seam.refresh();
            }
            self.push_taken(task);
        }
    }
}
