//! The adapter for async-executor with async-io, put together as smol's global executor is.

use crate::versus::runtime::Runtime;
use async_executor::Executor;
use std::future::Future;
use std::thread;
use std::time::Duration;

/// The executor of this process.
static EXECUTOR: Executor<'static> = Executor::new();

/// Threads that run the executor; each polls the reactor where it would otherwise sleep.
pub struct Smol(());

impl Runtime for Smol {
    const YIELD_NOW: &'static str = "goes to the end of the queue that all threads share";

    fn start(workers: usize) -> Smol {
        for index in 0..workers {
            thread::Builder::new()
                .name(format!("smol-{index}"))
                .spawn(|| async_io::block_on(EXECUTOR.run(std::future::pending::<()>())))
                .expect("the benchmark's workers can be had");
        }
        Smol(())
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        async_io::block_on(future)
    }

    fn spawn<F>(future: F) -> impl Future<Output = F::Output> + Send + 'static
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        EXECUTOR.spawn(future)
    }

    fn detach<F>(future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        EXECUTOR.spawn(future).detach();
    }

    fn yield_now() -> impl Future<Output = ()> + Send + 'static {
        futures_lite::future::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
        let timer = async_io::Timer::after(duration);
        async move {
            timer.await;
        }
    }
}
