//! Owns the rows whose work is to pass messages between tasks, over channels that know no runtime.

use super::Size;
use crate::versus::runtime::Runtime;

const PAIRS: u64 = 200;

/// Pairs of tasks that throw a ball to and fro; an operation is one round trip.
pub async fn ping_pong<R: Runtime>(size: Size) -> u64 {
    let trips = size.of(3000);
    let tasks: Vec<_> = (0..PAIRS)
        .flat_map(|_| {
            let (ping, pinged) = async_channel::bounded(1);
            let (pong, ponged) = async_channel::bounded(1);
            let server = R::spawn(async move {
                for _ in 0..trips {
                    ping.send(()).await.expect("the other side is there");
                    ponged.recv().await.expect("the other side is there");
                }
            });
            let returner = R::spawn(async move {
                for _ in 0..trips {
                    pinged.recv().await.expect("the other side is there");
                    pong.send(()).await.expect("the other side is there");
                }
            });
            // One type for both ends of the vector.
            [boxed(server), boxed(returner)]
        })
        .collect();
    for task in tasks {
        task.await;
    }
    PAIRS * trips
}

fn boxed(
    task: impl Future<Output = ()> + Send + 'static,
) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(task)
}
