use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};

use super::*;
use crate::OpenSockets;
use crate::sockets::Origin;

fn some(names: &[&str]) -> OpenSockets {
    let mut open = OpenSockets::new();
    for name in names {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let requested = SocketAddr::from(([127, 0, 0, 1], 0));
        open.add_own(*name, requested, socket).unwrap();
    }
    open
}

fn addresses(open: &OpenSockets) -> Vec<(String, SocketAddr)> {
    open.0.iter().map(|o| (o.name.clone(), o.socket.local_addr().unwrap())).collect()
}

#[test]
fn any_number_of_sockets_arrives_with_names_and_addresses() {
    for names in [vec![], vec!["front"], vec!["a name"; 300]] {
        let (old, new) = UnixStream::pair().unwrap();
        let given = some(&names);
        let expected = addresses(&given);
        let sender = std::thread::spawn(move || wire::send(&old, &given));
        let got = wire::receive(&new).unwrap();
        sender.join().unwrap().unwrap();
        assert_eq!(addresses(&got), expected);
        assert!(got.0.iter().all(|o| matches!(o.origin, Origin::Proxy(at) if at.port() == 0)));
    }
}

#[test]
fn what_is_not_a_handover_is_refused() {
    for (bytes, expected) in [
        (b"HTTP/1.1 400 Bad Request".as_slice(), "it hands over in another way"),
        (b"metaproto-1\n", "failed to fill"),
        (b"metaproto-1\n\x00\x04abcd\x00\x00", "a socket is missing"),
        (b"metaproto-1\n\x00\x04ab", "failed to fill"),
    ] {
        let (mut old, new) = UnixStream::pair().unwrap();
        old.write_all(bytes).unwrap();
        drop(old);
        let error = wire::receive(&new).unwrap_err().to_string();
        assert!(error.contains(expected) || error.contains("end of file"), "{error}");
    }
}

#[tokio::test]
async fn a_successor_takes_over_and_can_be_succeeded_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handover.sock");
    let first = Succession::open(&path, None).unwrap();
    let given = some(&["front"]);
    let expected = addresses(&given);
    let mut given = Some(given);
    let new = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || Predecessor::take_over(&path).unwrap())
    };
    let second = async {
        let (sockets, predecessor) = new.await.unwrap();
        assert_eq!(addresses(&sockets), expected);
        let path = path.clone();
        let runtime = tokio::runtime::Handle::current();
        let open = move || {
            let _entered = runtime.enter();
            Succession::open(&path, Some(predecessor)).unwrap()
        };
        tokio::task::spawn_blocking(open).await.unwrap()
    };
    let (successor, second) = tokio::join!(first.done(|| Ok(given.take().unwrap())), second);
    assert_eq!(successor.process, Some(std::process::id()));
    drop(first);
    assert!(path.exists(), "it belongs to the second");
    drop(second);
    assert!(!path.exists());
}

#[tokio::test]
async fn a_successor_that_ends_before_it_serves_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handover.sock");
    let succession = Succession::open(&path, None).unwrap();
    let clients = async {
        for _ in 0..3 {
            let path = path.clone();
            tokio::task::spawn_blocking(move || drop(Predecessor::take_over(&path).unwrap()))
                .await
                .unwrap();
        }
    };
    tokio::select! {
        _ = succession.done(|| Ok(some(&["front"]))) => panic!("nobody serves"),
        () = clients => {}
    }
}

#[tokio::test]
async fn a_path_that_is_in_use_or_is_no_socket_is_refused_and_a_dead_one_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handover.sock");
    drop(UnixListener::bind(&path).unwrap());
    let error = Predecessor::take_over(&path).unwrap_err();
    assert!(matches!(error, HandoverError::Nobody { .. }), "{error}");
    let first = Succession::open(&path, None).unwrap();
    let error = Succession::open(&path, None).unwrap_err();
    assert!(matches!(error, HandoverError::Taken { .. }), "{error}");
    drop(first);
    std::fs::write(&path, "precious").unwrap();
    let error = Succession::open(&path, None).unwrap_err();
    assert!(error.to_string().ends_with("there is another file"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_process_that_is_silent_or_hangs_up_is_not_waited_for_in_vain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("handover.sock");
    let old = UnixListener::bind(&path).unwrap();
    // Nobody accepts: the connection waits in the queue.
    let error = Predecessor::take_over(&path).unwrap_err().to_string();
    assert!(error.ends_with("does not hand over its sockets: it does not answer in time"));
    let hangs_up = std::thread::spawn(move || {
        for _ in 0..2 {
            old.accept().unwrap().0.read_exact(&mut []).unwrap();
        }
    });
    let error = Predecessor::take_over(&path).unwrap_err().to_string();
    hangs_up.join().unwrap();
    assert!(error.ends_with("it has ended or hung up"), "{error}");
}
