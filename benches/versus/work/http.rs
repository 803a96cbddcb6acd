//! Owns the row that serves HTTP with hyper to a load from another process.

use super::Setting;
use super::load::{CONNECTIONS, ask_for_load};
use crate::versus::runtime::Runtime;
use bytes::Bytes;
use futures::channel::oneshot;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use std::convert::Infallible;
use std::thread;

/// Nanoseconds per request, and the 99th percentile of the time that a client waits for a response.
pub async fn hello<R: Runtime>(setting: Setting) -> Vec<f64> {
    let (listener, address) = R::listen().await;
    let (send, figures) = oneshot::channel();
    let load = thread::spawn(move || {
        let sent = send.send(ask_for_load(address, setting.size));
        sent.expect("the figures are waited for");
    });
    for _ in 0..CONNECTIONS {
        let io = R::hyper_io(R::accept(&listener).await);
        let service = service_fn(respond);
        R::detach(async move {
            // The load ends by closing its connections, in the midst of a request or not.
            let _ = http1::Builder::new().serve_connection(io, service).await;
        });
    }
    let figures = figures.await.expect("the load's thread reports back");
    load.join().expect("the load's thread has reported back");
    figures
}

async fn respond(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from("hello, world")))
}
