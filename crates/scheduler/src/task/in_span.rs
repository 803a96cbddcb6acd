//! Owns a future that runs in the span of who spawned it.
//!
//! The span lies beside the future, not in the task's header: a task that did not ask pays nothing.

use glasshouse_telemetry::SpanContext;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

pin_project_lite::pin_project! {
    /// Enters its span at every poll, and while the future is dropped.
    pub(super) struct InSpan<F> {
        span: SpanContext,
        // None once it has ended, so that it is dropped in its span.
        #[pin]
        future: Option<F>,
    }

    impl<F> PinnedDrop for InSpan<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if mem::needs_drop::<F>() && this.future.is_some() {
                this.span.scope(|| this.future.set(None));
            }
        }
    }
}

impl<F> InSpan<F> {
    pub(super) fn new(span: SpanContext, future: F) -> InSpan<F> {
        InSpan {
            span,
            future: Some(future),
        }
    }

    /// What was to run, where it never began.
    pub(super) fn into_future(mut self) -> F {
        let future = self.future.take();
        future.expect("a future that was not polled has not ended")
    }
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        this.span.scope(|| {
            let Some(future) = this.future.as_mut().as_pin_mut() else {
                unreachable!("a task is not polled after its end");
            };
            let polled = future.poll(cx);
            if polled.is_ready() {
                this.future.set(None);
            }
            polled
        })
    }
}
