//! The dates that who follows is told are those that a whole reading tells.

use super::super::program::{Dice, Program};
use super::super::{entries, place};
use super::{Follower, at_once};
use crate::Pal;
use crate::reader::{Entry, Log};
use crate::spill::Spiller;
use std::collections::HashMap;

#[test]
fn who_follows_is_told_the_dates_that_a_whole_reading_tells() {
    let (_place, dir) = place();
    let pal = Pal::memory();
    let mut spiller = Spiller::new(&pal, at_once(&dir)).expect("made");
    let (mut program, mut dice) = (Program::new(&pal, 4, 3), Dice(3));
    program.run(100);
    let _ = (spiller.step(), spiller.step());
    // One looks each time, the other late.
    let mut followers = [Follower::of(&dir), Follower::of(&dir)];
    let mut told = [HashMap::new(), HashMap::new()];
    let place_of = |entry: &Entry| (entry.ring, entry.seq);
    let mut look = |index: usize| {
        let known = followers[index].given.len();
        let goes_on = followers[index].look();
        let Follower { log, given, .. } = &followers[index];
        let dated = given[known..].iter();
        told[index].extend(dated.map(|entry| (place_of(entry), log.wall_ns(entry.stamp))));
        goes_on
    };
    for _ in 0..60 {
        program.run(1 + dice.below(500));
        let _ = spiller.step();
        assert!(look(0));
        if dice.below(9) == 0 {
            assert!(look(1));
        }
    }
    let _ = spiller.finish();
    // The end is noticed by what the spiller wrote.
    for index in [0, 1, 0, 1] {
        look(index);
    }
    let whole = Log::open(&dir).expect("readable");
    let dated = entries(&dir).into_iter();
    let dates: HashMap<_, _> = dated
        .map(|entry| (place_of(&entry), whole.wall_ns(entry.stamp)))
        .collect();
    assert_eq!(told[0], dates);
    assert_eq!(told[1], dates);
}
