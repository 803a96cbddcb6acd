//! Owns a future that carries a task's own value.

use crate::task::LocalKey;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project_lite::pin_project! {
    /// The future of [`LocalKey::scope`].
    ///
    /// ```
    /// glasshouse_scheduler::task_local! { static HITS: std::cell::Cell<u32>; }
    /// let scheduler = glasshouse_scheduler::Builder::deterministic(1).build().unwrap();
    /// let mut counted = Box::pin(HITS.scope(0.into(), async { HITS.with(|hits| hits.set(3)) }));
    /// scheduler.block_on(counted.as_mut());
    /// assert_eq!(counted.as_mut().take_value().unwrap().get(), 3);
    /// ```
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct TaskLocalFuture<T: 'static, F> {
        key: &'static LocalKey<T>,
        value: Option<T>,
        // None once it has ended, so that it is dropped with its value.
        #[pin]
        future: Option<F>,
    }

    impl<T, F> PinnedDrop for TaskLocalFuture<T, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if mem::needs_drop::<F>() && this.future.is_some() {
                // Where the key cannot be set, the future is dropped without, with its field.
                let _ = this.key.hold(this.value, || this.future.set(None));
            }
        }
    }
}

impl<T: 'static, F> TaskLocalFuture<T, F> {
    pub(super) fn new(key: &'static LocalKey<T>, value: T, future: F) -> TaskLocalFuture<T, F> {
        TaskLocalFuture {
            key,
            value: Some(value),
            future: Some(future),
        }
    }

    /// Takes the value out, also before the future has ended: the key has none in its scope then. `None` when
    /// it was taken before.
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        self.project().value.take()
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    /// # Panics
    /// When it is polled again after its end, and inside of [`LocalKey::with`] of the same key.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let polled = this.key.hold(this.value, || {
            let polled = this.future.as_mut().as_pin_mut()?.poll(cx);
            if polled.is_ready() {
                this.future.set(None);
            }
            Some(polled)
        });
        match polled {
            Ok(Some(polled)) => polled,
            Ok(None) => {
                panic!("a TaskLocalFuture was polled again after its end; keep its output instead")
            }
            Err(error) => panic!("{error}"),
        }
    }
}

impl<T: fmt::Debug + 'static, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocalFuture")
            .field("value", &self.value)
            .finish_non_exhaustive()
    }
}
