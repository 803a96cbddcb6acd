//! Owns the following of segments while their spiller goes on.
//!
//! ```text
//! look: is there a next segment? ──► read this one, as far as its sections are whole
//!              ▲                         │ there was                     │ there was none
//!              └──── go on in the next ◄─┘ (what is not whole is torn)   └─► wait (what is not whole is not there yet)
//! ```
//!
//! It is asked first whether there is a next one: a spiller begins it when it has written the last byte of the one
//! before. What a look takes in is proportional to what is new, and so is its time.

use super::gather::Gathered;
use super::home::{Home, Listed};
use super::index::{Index, take_pairs};
use super::notes::Notes;
use super::shelf::New;
use super::tail::Tail;
use super::unread::Vanished;
use crate::clock::ClockPair;

/// What a look found.
pub(super) struct Found {
    pub(super) new: New,
    pub(super) notes: Notes,
    pub(super) pairs: Vec<ClockPair>,
}

/// How far segments were followed.
#[derive(Clone, Debug)]
pub(crate) struct Following {
    gathered: Gathered,
    /// `None` when no more comes.
    tail: Option<Tail>,
    listed: Listed,
    pub(super) vanished: Vanished,
    /// How many of those were told.
    vanished_told: u64,
    /// Whether what was noted last are rows, which the next belong to.
    is_in_rows: bool,
}

impl Following {
    /// What comes behind the records that are in the index.
    pub(super) fn behind(index: &Index) -> Following {
        let mut gathered = index.gathered.clone();
        gathered.forget_loss();
        Following {
            gathered,
            tail: index.tail.clone(),
            listed: Listed::default(),
            vanished: Vanished::default(),
            vanished_told: 0,
            is_in_rows: false,
        }
    }

    /// Takes in what is new, and what is noted there. Once it is over, no more comes.
    pub(super) fn look(&mut self, home: &Home, is_over: bool) -> Found {
        let mut notes = Notes::going_on(self.is_in_rows);
        let file = self.tail.as_ref().and_then(Tail::file);
        self.gathered.files.extend(file);
        while let Some(tail) = &mut self.tail {
            let listed = &mut self.listed;
            let next = home.next(tail.number, || {
                is_over || tail.is_removed() || listed.is_stale(home)
            });
            tail.read(&mut self.gathered, &mut notes);
            match next {
                None if !is_over => break,
                next => {
                    tail.end(&mut self.gathered);
                    let next = next.filter(|_| !home.is_one);
                    self.tail = next.map(|(number, path)| Tail::before(number, path));
                }
            }
        }
        self.gathered.settle(self.tail.is_none());
        self.gathered.gaps.clear();
        self.is_in_rows = notes.is_in_rows;
        let files = std::mem::take(&mut self.gathered.files);
        let blocks = std::mem::take(&mut self.gathered.blocks);
        Found {
            new: (files, blocks),
            pairs: take_pairs(&mut self.gathered, &notes),
            notes,
        }
    }

    /// What was lost since this was asked last.
    pub(super) fn take_lost(&mut self) -> u64 {
        let vanished = self.vanished.count();
        let told = std::mem::replace(&mut self.vanished_told, vanished);
        let new = vanished.saturating_sub(told);
        std::mem::take(&mut self.gathered.lost).saturating_add(new)
    }

    /// Records that are there and make no sense.
    pub(crate) fn senseless(&self) -> u64 {
        self.vanished.senseless()
    }

    /// What was lost by now and was not told.
    pub(crate) fn untold(&self) -> u64 {
        let vanished = self.vanished.count().saturating_sub(self.vanished_told);
        let lost = self.gathered.lost.saturating_add(vanished);
        lost.saturating_add(self.gathered.unsettled())
    }
}
