//! The adapter for Glasshouse, through its public API.

use crate::versus::runtime::Runtime;
use std::future::Future;
use std::time::Duration;

/// A scheduler with worker threads.
pub struct Glasshouse(::glasshouse::Scheduler);

impl Runtime for Glasshouse {
    const YIELD_NOW: &'static str = "goes behind the tasks that are ready on its worker";

    fn start(workers: usize) -> Glasshouse {
        let scheduler = ::glasshouse::Builder::new()
            .workers(workers)
            .build()
            .expect("the benchmark's workers can be had");
        Glasshouse(scheduler)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }

    fn spawn<F>(future: F) -> impl Future<Output = F::Output> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = ::glasshouse::spawn(future);
        async move { task.await.expect("a measured task ends by itself") }
    }

    fn detach<F>(future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(::glasshouse::spawn(future));
    }

    fn yield_now() -> impl Future<Output = ()> + Send + 'static {
        ::glasshouse::task::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        ::glasshouse::time::sleep(duration)
    }
}
