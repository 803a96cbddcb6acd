//! Owns the rows whose work is to let others run.

use super::Size;
use crate::versus::runtime::Runtime;
use std::future::{Future, poll_fn};
use std::task::Poll;

/// Tasks that yield in turn.
const TASKS: u64 = 1000;

/// Tasks that yield by the runtime's own means.
pub async fn own<R: Runtime>(size: Size) -> u64 {
    in_turn::<R, _>(size, R::yield_now).await
}

/// Tasks that wake themselves and return Pending, which any runtime must serve.
pub async fn plain<R: Runtime>(size: Size) -> u64 {
    in_turn::<R, _>(size, wake_and_wait).await
}

/// One task that yields by the runtime's own means, while nothing else is ready.
pub async fn alone<R: Runtime>(size: Size) -> u64 {
    let yields = size.of(800_000);
    for _ in 0..yields {
        R::yield_now().await;
    }
    yields
}

async fn in_turn<R: Runtime, F>(size: Size, pause: impl Fn() -> F + Copy + Send + 'static) -> u64
where
    F: Future<Output = ()> + Send + 'static,
{
    let yields = size.of(4000);
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            R::spawn(async move {
                for _ in 0..yields {
                    pause().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
    TASKS * yields
}

fn wake_and_wait() -> impl Future<Output = ()> + Send + 'static {
    let mut has_waited = false;
    poll_fn(move |cx| {
        if has_waited {
            return Poll::Ready(());
        }
        has_waited = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}
