//! Owns what a block's writer and reader expect of the next record, from those before it in the block.
//!
//! Both sides keep the same model and feed it the same records, so that a record which comes as expected is a few zeros,
//! and these compress to nearly nothing:
//!
//! - a record other than a run or a wake is about the task that last began to run on that ring;
//! - after a task runs the one that ran after it the last time on any ring, and it wakes the one that it woke last;
//! - a task's count of transitions grows by one; so do a ring's sequence numbers;
//! - a transition's argument is what the task's last one of that kind had, or else anybody's last one of that kind.

use crate::domain::FIELDS_MAX;
use crate::format::kind;

/// Stands for no task in the places below.
pub(crate) const NOBODY: u32 = u32::MAX;
/// The words of the longest continuation, in whole records.
pub(crate) const WORDS_MAX: usize = FIELDS_MAX.div_ceil(3) * 3;
/// Kinds below this count in `aux`, and have arguments that are the task's own.
const TRANSITIONS: usize = kind::LAST_TRANSITION as usize + 1;

/// What is expected next.
pub(crate) struct Model {
    tasks: Vec<TaskModel>,
    rings: Vec<RingModel>,
    args: [u64; 256],
    words: Box<[[u64; WORDS_MAX]; 256]>,
}

#[derive(Clone, Copy)]
struct TaskModel {
    /// The last count of transitions.
    aux: u8,
    /// Which of `args` are there, a bit a kind.
    seen: u16,
    /// Who ran after it.
    then: u32,
    /// Whom it woke.
    woke: u32,
    args: [u64; TRANSITIONS],
}

#[derive(Clone, Copy)]
struct RingModel {
    /// The task that began to run last.
    current: u32,
    /// The next sequence number.
    seq: u64,
}

impl Model {
    pub(crate) fn new() -> Model {
        Model {
            tasks: Vec::new(),
            rings: Vec::new(),
            args: [0; 256],
            words: Box::new([[0; WORDS_MAX]; 256]),
        }
    }

    /// Forgets the block before, and begins one over rings with these first sequence numbers.
    pub(crate) fn begin(&mut self, seqs: impl Iterator<Item = u64>) {
        self.tasks.clear();
        self.rings.clear();
        let current = NOBODY;
        self.rings
            .extend(seqs.map(|seq| RingModel { current, seq }));
        self.args = [0; 256];
        self.words.fill([0; WORDS_MAX]);
    }

    /// A task appears for the first time; its number is how many appeared before.
    pub(crate) fn add_task(&mut self) -> u32 {
        let number = self.tasks.len() as u32;
        self.tasks.push(TaskModel {
            aux: u8::MAX,
            seen: 0,
            then: NOBODY,
            woke: NOBODY,
            args: [0; TRANSITIONS],
        });
        number
    }

    pub(crate) fn task_count(&self) -> usize {
        self.tasks.len()
    }

    /// The task that a record of this kind is about.
    #[inline]
    pub(crate) fn task(&self, ring: usize, kind: u8) -> u32 {
        let current = self.rings[ring].current;
        match self.tasks.get(current as usize) {
            None => NOBODY,
            Some(task) => match kind {
                kind::RUNNING => task.then,
                kind::WAKE => task.woke,
                _ => current,
            },
        }
    }

    /// A record of this kind is about this task.
    #[inline]
    pub(crate) fn saw_task(&mut self, ring: usize, kind: u8, task: u32) {
        let current = self.rings[ring].current;
        match kind {
            kind::RUNNING => {
                if let Some(before) = self.tasks.get_mut(current as usize) {
                    before.then = task;
                }
                self.rings[ring].current = task;
            }
            kind::WAKE => {
                if let Some(waker) = self.tasks.get_mut(current as usize) {
                    waker.woke = task;
                }
            }
            _ => {}
        }
    }

    /// The sequence number that the ring's next record has, which takes so many records. What is given is how far it is
    /// from that.
    #[inline]
    pub(crate) fn seq(&mut self, ring: usize, off: u64, records: u64) -> u64 {
        let ring = &mut self.rings[ring];
        let seq = ring.seq.wrapping_add(off);
        ring.seq = seq.wrapping_add(records);
        seq
    }

    /// How far a sequence number is from the one expected.
    #[inline]
    pub(crate) fn seq_off(&self, ring: usize, seq: u64) -> u64 {
        seq.wrapping_sub(self.rings[ring].seq)
    }

    /// The count of transitions that is expected; zero for what is none.
    #[inline]
    pub(crate) fn aux(&self, kind: u8, task: u32) -> u8 {
        match usize::from(kind) < TRANSITIONS {
            true => self.tasks[task as usize].aux.wrapping_add(1),
            false => 0,
        }
    }

    #[inline]
    pub(crate) fn saw_aux(&mut self, kind: u8, task: u32, aux: u8) {
        if usize::from(kind) < TRANSITIONS {
            self.tasks[task as usize].aux = aux;
        }
    }

    /// The argument that is expected.
    #[inline]
    pub(crate) fn arg(&self, kind: u8, task: u32) -> u64 {
        let place = usize::from(kind);
        if place < TRANSITIONS {
            let task = &self.tasks[task as usize];
            if task.seen & 1 << place != 0 {
                return task.args[place];
            }
        }
        self.args[place]
    }

    #[inline]
    pub(crate) fn saw_arg(&mut self, kind: u8, task: u32, arg: u64) {
        let place = usize::from(kind);
        if place < TRANSITIONS {
            let task = &mut self.tasks[task as usize];
            task.seen |= 1 << place;
            task.args[place] = arg;
        }
        self.args[place] = arg;
    }

    /// The words that the kind's last continuation had.
    pub(crate) fn words(&mut self, kind: u8) -> &mut [u64; WORDS_MAX] {
        &mut self.words[usize::from(kind)]
    }
}
