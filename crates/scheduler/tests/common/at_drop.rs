//! A value whose drop is the test's to say.

/// Does its work as it is dropped.
pub struct AtDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> AtDrop<F> {
    pub fn new(work: F) -> AtDrop<F> {
        AtDrop(Some(work))
    }
}

impl<F: FnOnce()> Drop for AtDrop<F> {
    fn drop(&mut self) {
        self.0.take().unwrap()();
    }
}
