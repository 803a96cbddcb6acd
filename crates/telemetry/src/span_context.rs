//! Owns the span that travels with a task: taken where the task is spawned, entered wherever it is polled.
//!
//! It is the application's span, not one of ours: it travels with the feature `record` off too. What it costs
//! is paid by the tasks that asked for it.

use crate::spans::{Inside, Kept, SPAN_TARGET};
use std::fmt;
use tracing::Span;

/// A span of the application, to be entered elsewhere. It stays open as long as this lives.
///
/// ```
/// use glasshouse_telemetry::SpanContext;
/// // Nobody listens here, so there is no span.
/// assert!(SpanContext::current().is_none());
/// ```
#[derive(Clone)]
pub struct SpanContext(Kept);

impl SpanContext {
    /// The span that the application is in on this thread. `None` outside of any span, where nobody listens,
    /// and directly inside of a tick's span: that one ends with its tick.
    pub fn current() -> Option<SpanContext> {
        let kept = Kept::make(Span::current);
        let metadata = kept.span().and_then(Span::metadata);
        let is_of_application = metadata.is_some_and(|metadata| metadata.target() != SPAN_TARGET);
        is_of_application.then(|| SpanContext(kept))
    }

    /// Runs `f` inside the span.
    pub fn scope<R>(&self, f: impl FnOnce() -> R) -> R {
        let _inside = self.0.span().map(Inside::enter);
        f()
    }
}

impl fmt::Debug for SpanContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metadata = self.0.span().and_then(Span::metadata);
        let name = metadata.map(|metadata| metadata.name());
        f.debug_tuple("SpanContext").field(&name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tracing::Id;
    use tracing::level_filters::LevelFilter;
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    fn listening(f: impl FnOnce()) {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_writer(std::io::sink)
            .finish();
        tracing::subscriber::with_default(subscriber, f);
    }

    #[test]
    fn a_span_is_taken_in_one_place_and_entered_in_another() {
        listening(|| {
            let span = tracing::info_span!("request");
            let context = span.in_scope(SpanContext::current).expect("in a span");
            assert!(Span::current().is_none());
            assert_eq!(context.scope(|| Span::current().id()), span.id());
            assert_eq!(format!("{context:?}"), "SpanContext(Some(\"request\"))");
        });
    }

    #[test]
    fn there_is_none_outside_of_spans_and_directly_in_a_tick() {
        listening(|| {
            assert!(SpanContext::current().is_none());
            let tick = tracing::trace_span!(target: SPAN_TARGET, "sched.tick");
            tick.in_scope(|| {
                assert!(SpanContext::current().is_none());
                let inner = tracing::info_span!("request");
                assert!(inner.in_scope(SpanContext::current).is_some());
            });
        });
    }

    /// Panics whenever a thread leaves a span, and counts that.
    struct PanicsAtExit(Arc<AtomicUsize>);

    impl<S: tracing::Subscriber> Layer<S> for PanicsAtExit {
        fn on_exit(&self, _: &Id, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("the subscriber's own fault");
        }
    }

    #[test]
    fn a_panic_inside_reaches_the_caller_although_the_subscriber_panics_as_it_passes() {
        let exits = Arc::new(AtomicUsize::new(0));
        let subscriber = tracing_subscriber::registry().with(PanicsAtExit(exits.clone()));
        tracing::subscriber::with_default(subscriber, || {
            // Entered by the context alone: whoever else leaves the span is not protected.
            let context = SpanContext(Kept::make(|| tracing::info_span!("request")));
            assert_eq!(context.scope(|| 3), 3);
            // A second panic that got out of the first one's unwinding would abort the process.
            let inside = AssertUnwindSafe(|| context.scope(|| panic!("what it ran")));
            let panic = catch_unwind(inside)
                .map(|()| "an end")
                .expect_err("it panics");
            assert_eq!(panic.downcast_ref(), Some(&"what it ran"));
        });
        assert_eq!(exits.load(Ordering::Relaxed), 2);
    }

    /// Panics whenever a span ends, and counts that.
    struct PanicsAtClose(Arc<AtomicUsize>);

    impl<S: tracing::Subscriber> Layer<S> for PanicsAtClose {
        fn on_close(&self, _: Id, _: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("the subscriber's own fault");
        }
    }

    #[test]
    fn who_drops_the_last_context_of_a_span_hears_of_no_panic_of_the_subscriber() {
        let closes = Arc::new(AtomicUsize::new(0));
        let subscriber = tracing_subscriber::registry().with(PanicsAtClose(closes.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let context = SpanContext(Kept::make(|| tracing::info_span!("request")));
            drop(context.clone());
            assert_eq!(closes.load(Ordering::Relaxed), 0, "it is still kept");
            drop(context);
        });
        assert_eq!(closes.load(Ordering::Relaxed), 1);
    }
}
