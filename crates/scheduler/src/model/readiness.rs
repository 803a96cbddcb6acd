//! Models of a descriptor's readiness, between the thread that polls the driver and those that try operations:
//! no edge is lost, so nobody waits for what is there.

use super::explore_within;
use crate::driver::{Mask, Source};
use crate::parker::Parker;
use glasshouse_pal::Interest as Direction;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::task::{Poll, Wake, Waker};

/// A task that waits on a thread of its own.
struct Sleeper(Parker);

impl Sleeper {
    fn waker() -> (std::sync::Arc<Sleeper>, Waker) {
        let sleeper = std::sync::Arc::new(Sleeper(Parker::new()));
        (sleeper.clone(), sleeper.into())
    }
}

impl Wake for Sleeper {
    fn wake(self: std::sync::Arc<Sleeper>) {
        self.0.unpark(|| unreachable!("nobody polls"));
    }
}

/// A descriptor, and what the kernel has for it in each direction.
struct Socket {
    source: Source,
    bytes: AtomicUsize,
    room: AtomicUsize,
}

impl Socket {
    fn new(fresh: bool) -> Arc<Socket> {
        Arc::new(Socket {
            source: Source::new(0, 0, fresh),
            bytes: AtomicUsize::new(0),
            room: AtomicUsize::new(0),
        })
    }

    fn of(&self, direction: Direction) -> &AtomicUsize {
        match direction {
            Direction::Read => &self.bytes,
            Direction::Write => &self.room,
        }
    }

    /// The kernel has one byte more, and the driver is told so.
    fn arrive(&self, directions: &[Direction]) {
        let mut mask = Mask::NONE;
        for &direction in directions {
            // Release, as the kernel's lock: who takes the byte sees what came before it.
            self.of(direction).fetch_add(1, Ordering::Release);
            let known = Mask::known(direction);
            let closed = Mask::READ_CLOSED.union(Mask::WRITE_CLOSED);
            mask = mask.union(known.without(closed));
        }
        let mut woken = Vec::new();
        self.source.became_ready(mask, &mut woken);
        woken.into_iter().for_each(Waker::wake);
    }

    /// Takes one byte, if there is one.
    fn take_one(&self, direction: Direction) -> usize {
        let take = |bytes: usize| bytes.checked_sub(1);
        match self
            .of(direction)
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, take)
        {
            Ok(_) => 1,
            Err(_) => 0,
        }
    }

    /// One byte, as a task waits for it that polls over and over. Loom reports a deadlock if it never comes.
    fn wait_for_one(&self, direction: Direction) {
        let (sleeper, waker) = Sleeper::waker();
        let mask = Mask::worth_a_try(direction);
        loop {
            match self.source.poll_stored(direction, mask, &waker) {
                Poll::Ready(_) if self.take_one(direction) > 0 => return,
                Poll::Ready(seen) => self.source.readiness().would_block(direction, seen),
                Poll::Pending => sleeper.0.park(None),
            }
        }
    }
}

/// A driver's thread, in which two bytes arrive one after the other.
fn two_bytes_arrive(socket: &Arc<Socket>) -> thread::JoinHandle<()> {
    let socket = socket.clone();
    thread::spawn(move || {
        socket.arrive(&[Direction::Read]);
        socket.arrive(&[Direction::Read]);
    })
}

#[test]
fn a_reader_gets_each_of_two_bytes_whenever_their_edges_come() {
    for fresh in [false, true] {
        explore_within(3, move || {
            let socket = Socket::new(fresh);
            let driver = two_bytes_arrive(&socket);
            socket.wait_for_one(Direction::Read);
            socket.wait_for_one(Direction::Read);
            driver.join().unwrap();
        });
    }
}

#[test]
fn a_reader_that_takes_all_there_is_and_forgets_it_gets_the_next_byte() {
    explore_within(3, || {
        let socket = Socket::new(true);
        let driver = two_bytes_arrive(&socket);
        let (sleeper, waker) = Sleeper::waker();
        let (source, mask) = (&socket.source, Mask::worth_a_try(Direction::Read));
        let mut left = 2;
        while left > 0 {
            match source.poll_stored(Direction::Read, mask, &waker) {
                Poll::Ready(seen) => match socket.bytes.swap(0, Ordering::AcqRel) {
                    0 => source.readiness().would_block(Direction::Read, seen),
                    // Fewer than it had room for.
                    taken => {
                        source.readiness().was_partial(Direction::Read, seen);
                        left -= taken;
                    }
                },
                Poll::Pending => sleeper.0.park(None),
            }
        }
        driver.join().unwrap();
    });
}

#[test]
fn a_reader_and_a_writer_that_forget_at_once_both_get_what_one_edge_brings() {
    explore_within(3, || {
        let socket = Socket::new(true);
        let writer = {
            let socket = socket.clone();
            thread::spawn(move || socket.wait_for_one(Direction::Write))
        };
        let driver = {
            let socket = socket.clone();
            thread::spawn(move || socket.arrive(&[Direction::Read, Direction::Write]))
        };
        socket.wait_for_one(Direction::Read);
        writer.join().unwrap();
        driver.join().unwrap();
    });
}

/// One byte, as one of many futures waits for it, each of which has a place on the list.
fn wait_on_the_list(socket: &Socket) {
    let (sleeper, waker) = Sleeper::waker();
    let mask = Mask::worth_a_try(Direction::Read);
    let mut place = None;
    loop {
        match socket.source.poll_listed(mask, &waker, &mut place) {
            Poll::Ready(_) if socket.take_one(Direction::Read) > 0 => break,
            Poll::Ready(seen) => {
                let readiness = socket.source.readiness();
                readiness.would_block(Direction::Read, seen);
            }
            Poll::Pending => sleeper.0.park(None),
        }
    }
    if let Some(place) = place {
        socket.source.forget(place);
    }
}

#[test]
fn two_on_the_list_get_a_byte_each_whoever_is_woken_for_it() {
    explore_within(2, || {
        let socket = Socket::new(false);
        let other = {
            let socket = socket.clone();
            thread::spawn(move || wait_on_the_list(&socket))
        };
        let driver = two_bytes_arrive(&socket);
        wait_on_the_list(&socket);
        other.join().unwrap();
        driver.join().unwrap();
    });
}
