//! Unix sockets.

use crate::with_workers;
use futures::{AsyncReadExt, AsyncWriteExt};
use glasshouse_scheduler::net::{UnixListener, UnixStream};
use glasshouse_scheduler::spawn;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

#[test]
fn a_connection_through_a_path_carries_bytes_both_ways() {
    with_workers(|| async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(
            listener.local_addr().unwrap().as_pathname(),
            Some(path.as_path())
        );
        let echo = spawn(async move {
            let (mut far, peer) = listener.accept().await.unwrap();
            assert!(peer.is_unnamed());
            let mut buf = [0; 5];
            far.read_exact(&mut buf).await.unwrap();
            far.write_all(&buf).await.unwrap();
        });
        let mut near = UnixStream::connect(&path).await.unwrap();
        near.write_all(b"hello").await.unwrap();
        let mut text = String::new();
        near.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello");
        echo.await.unwrap();
    });
}

/// A blocking connection from a socket that has a name of its own.
fn connect_from(name: &SocketAddrUnix, to: &Path) -> OwnedFd {
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&socket, name).unwrap();
    rustix::net::connect(&socket, &SocketAddrUnix::new(to).unwrap()).unwrap();
    socket
}

#[test]
fn a_peer_that_has_a_name_is_accepted_by_it() {
    with_workers(|| async {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().join("listener");
        let listener = UnixListener::bind(&at).unwrap();

        let path = directory.path().join("peer");
        let _near = connect_from(&SocketAddrUnix::new(&path).unwrap(), &at);
        let (far, peer) = listener.accept().await.unwrap();
        assert_eq!(peer.as_pathname(), Some(path.as_path()));
        assert_eq!(far.peer_addr().unwrap().as_pathname(), Some(path.as_path()));

        let name = directory.path().as_os_str().as_bytes();
        let _near = connect_from(&SocketAddrUnix::new_abstract_name(name).unwrap(), &at);
        let (_far, peer) = listener.accept().await.unwrap();
        assert_eq!(peer.as_abstract_name(), Some(name));
    });
}

#[test]
fn nobody_at_the_path_is_an_error_and_so_is_a_path_in_use() {
    with_workers(|| async {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let error = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let listener = UnixListener::bind(&path).unwrap();
        let error = UnixListener::bind(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        drop(listener);
        let error = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_pair_knows_who_is_at_the_other_end() {
    with_workers(|| async {
        let (near, _far) = UnixStream::pair().unwrap();
        let peer = near.peer_cred().unwrap();
        assert_eq!(peer.uid(), rustix::process::getuid().as_raw());
        assert_eq!(peer.gid(), rustix::process::getgid().as_raw());
    });
}
