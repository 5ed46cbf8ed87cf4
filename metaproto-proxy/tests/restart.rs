//! Processes that replace each other while clients come and call, and sockets of a service manager.
#![cfg(all(feature = "cli", feature = "awesomerpc"))]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longer than anything takes, on a machine with too much to do.
const PATIENCE: Duration = Duration::from_secs(20);

/// A message of thirteen bytes, which the backend sends back.
const MESSAGE: [u8; 13] = [1, 0, 0, 0, 9, 0, 0, 0, 13, 0, 7, 0, 0];

fn backend() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            std::thread::spawn(move || {
                let mut message = [0; 13];
                while stream.read_exact(&mut message).is_ok() {
                    stream.write_all(&message).ok();
                }
            });
        }
    });
    address
}

/// A process whose log is read.
struct Process {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Process {
    fn spawn(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("the binary runs");
        let log = BufReader::new(child.stderr.take().expect("a log"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                sender.send(line).ok();
            }
        });
        Process { child, lines }
    }

    fn proxy(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metaproto"));
        command.arg("proxy").args(arguments).env_remove("RUST_LOG").stdin(Stdio::null());
        Process::spawn(command)
    }

    /// Waits for a line of the log with this text; tells the rest of the line.
    fn line(&self, text: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {text:?}"));
            if let Some((_, rest)) = line.split_once(text) {
                return rest.to_owned();
            }
        }
    }

    /// The address in a line such as `listening on 127.0.0.1:1 (awesomerpc)`.
    fn address(&self) -> SocketAddr {
        let line = self.line("listening on ");
        let address = line.split(' ').next().and_then(|text| text.parse().ok());
        address.unwrap_or_else(|| panic!("no address in {line}"))
    }

    fn wait(&mut self) -> ExitStatus {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a process") {
                return status;
            }
            assert!(since.elapsed() < PATIENCE, "the process does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn call(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(&MESSAGE)?;
    let mut answer = [0; 13];
    stream.read_exact(&mut answer)?;
    if answer == MESSAGE { Ok(()) } else { Err(io::Error::other(format!("{answer:?}"))) }
}

/// What the clients of a test have in common with it.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    calls: AtomicU64,
    /// How many processes have been told to drain. A protocol such as this one can't tell its clients,
    /// and a request that is sent while the connection is closed is lost, so they are told here.
    drained: AtomicU64,
}

/// Calls until it is stopped, on one connection if it `stays`: until the process drains, which then
/// closes it.
fn client(at: SocketAddr, stays: bool, shared: &Shared) -> io::Result<()> {
    let mut stream = connect(at)?;
    let mut left = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        let drained = shared.drained.load(Ordering::Relaxed);
        if stays && left < drained {
            let rest = stream.read(&mut [0])?;
            assert_eq!(rest, 0, "more than was asked for");
        }
        if !stays || left < drained {
            stream = connect(at)?;
        }
        left = drained;
        call(&mut stream)?;
        shared.calls.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// Clients that come and go, and clients that stay, until they are stopped.
struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<io::Result<()>>>,
}

impl Load {
    fn start(at: SocketAddr) -> Self {
        let shared = Arc::new(Shared::default());
        let mut clients = Vec::new();
        for stays in [false, false, true, true] {
            let shared = shared.clone();
            clients.push(std::thread::spawn(move || client(at, stays, &shared)));
        }
        Load { shared, clients }
    }

    /// Waits for a good many more calls.
    fn go_on(&self) {
        let (since, calls) = (Instant::now(), &self.shared.calls);
        let before = calls.load(Ordering::Relaxed);
        while calls.load(Ordering::Relaxed) < before + 100 {
            assert!(since.elapsed() < PATIENCE, "no calls");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn end(self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().expect("a client").expect("a call was lost");
        }
    }
}

fn flags<'a>(at: &'a str, upstream: &'a str, path: &'a str) -> Vec<&'a str> {
    let flags = ["--protocol", "awesomerpc", "--listen", at, "--upstream", upstream];
    let more = ["--workers", "2", "--handover", path];
    [&flags[..], &more].concat()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

#[test]
fn a_process_takes_over_under_load_and_no_call_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("handover.sock");
    let upstream = backend().to_string();
    let any = "127.0.0.1:0";
    let start = [&flags(any, &upstream, text(&path))[..], &["--admin", any]].concat();
    let mut old = Process::proxy(&start);
    let at = old.address();
    old.line("(admin)");
    let load = Load::start(at);
    load.go_on();
    for _ in 0..3 {
        let new = Process::proxy(&[&start[..], &["--takeover"]].concat());
        // Port 0 does not mean another port: it is the listener that counts.
        assert_eq!(new.address(), at);
        old.line("another process has taken over");
        load.shared.drained.fetch_add(1, Ordering::Relaxed);
        assert!(old.wait().success());
        old.line("drained");
        load.go_on();
        old = new;
    }
    load.end();
}

#[test]
fn a_successor_that_cannot_start_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("handover.sock");
    let upstream = backend().to_string();
    let old = Process::proxy(&flags("127.0.0.1:0", &upstream, text(&path)));
    let at = old.address();
    let load = Load::start(at);
    load.go_on();
    // The admin endpoint can't have this address.
    let taken = backend().to_string();
    let bad = flags("127.0.0.1:0", &upstream, text(&path));
    let mut new = Process::proxy(&[&bad[..], &["--takeover", "--admin", &taken]].concat());
    assert_eq!(new.wait().code(), Some(1));
    new.line("for admin");
    old.line("a successor does not take over; this process goes on");
    load.go_on();
    // Nor can two processes wait for successors at the same place.
    let mut second = Process::proxy(&flags("127.0.0.1:0", &upstream, text(&path)));
    assert_eq!(second.wait().code(), Some(1));
    second.line("another process serves");
    load.go_on();
    load.end();
}

#[test]
fn there_must_be_somebody_to_take_over_from() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("handover.sock");
    let start = flags("127.0.0.1:0", "127.0.0.1:9", text(&path));
    let mut alone = Process::proxy(&[&start[..], &["--takeover"]].concat());
    assert_eq!(alone.wait().code(), Some(1));
    alone.line("nobody hands over sockets");
}

#[test]
fn a_socket_of_a_service_manager_is_served_and_stays_when_the_process_ends() {
    let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let at = socket.local_addr().expect("an address");
    let upstream = backend().to_string();
    for _ in 0..2 {
        // Who connects before there is a process waits.
        let mut client = connect(at).expect("a connection");
        let inherited: OwnedFd = socket.try_clone().expect("a descriptor").into();
        let mut command = Command::new("sh");
        // The variables name the process, which keeps its id.
        let script = "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=front exec \"$@\" 3<&0 </dev/null";
        let binary = env!("CARGO_BIN_EXE_metaproto");
        let address = at.to_string();
        command.args(["-c", script, "sh", binary, "proxy", "--protocol", "awesomerpc"]);
        command.args(["--listen", &address, "--upstream", &upstream, "--workers", "2"]);
        command.stdin(Stdio::from(inherited)).env_remove("RUST_LOG");
        let mut process = Process::spawn(command);
        assert_eq!(process.address(), at);
        call(&mut client).expect("an answer");
        let id = process.child.id().to_string();
        Command::new("kill").arg(id).status().expect("a signal");
        assert!(process.wait().success());
    }
}
