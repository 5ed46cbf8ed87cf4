//! The admin endpoint: metrics and state over HTTP, for scrapers, probes and people.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::{metrics, process};
use crate::Handle;
use crate::counters::Counters;

/// The most connections at a time; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 64;
/// How long a client may take to send a request, and be silent between two.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long one connection may live, so that a client that does not read frees its place.
const MAX_AGE: Duration = Duration::from_secs(300);
/// How long to wait when the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const TEXT: &str = "text/plain; charset=utf-8";
const INDEX: &str = "\
metaproto admin

/metrics  counters, in the text format of Prometheus
/ready    200 while clients are accepted, 503 while draining
/live     200 while the process runs
/config   the running configuration, as YAML
";

/// What the admin endpoint shows.
pub trait Observed: Send + Sync + 'static {
    /// What has been counted; see [`Handle::counters`].
    fn counters(&self) -> impl Future<Output = Counters> + Send;

    /// Whether clients are accepted; see [`Handle::ready`].
    fn ready(&self) -> impl Future<Output = bool> + Send;

    /// The running configuration as YAML; by default there is none to show.
    fn config(&self) -> Option<String> {
        None
    }
}

/// For programs without a configuration file: `admin.serve(proxy.handle())`.
impl Observed for Handle {
    async fn counters(&self) -> Counters {
        Handle::counters(self).await
    }

    async fn ready(&self) -> bool {
        Handle::ready(self).await
    }
}

/// The admin endpoint, bound but not yet serving.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    started: Instant,
}

impl Admin {
    /// Binds `address`; port 0 takes a free port. Needs a tokio runtime.
    ///
    /// # Errors
    /// An address that can't be bound.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Admin { listener, started: Instant::now() })
    }

    /// Serves on a socket that is open already. Needs a tokio runtime.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn on(socket: std::net::TcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Admin { listener: TcpListener::from_std(socket)?, started: Instant::now() })
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    /// Whatever the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves for ever. Dropping the future closes the endpoint; connections that are open end
    /// with the runtime.
    pub async fn serve(self, observed: impl Observed) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let shown = Arc::new((observed, self.started));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            let connection = match self.listener.accept().await {
                Ok((connection, _)) => connection,
                Err(error) => {
                    tracing::warn!("admin: can't accept: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let shown = shown.clone();
            tokio::spawn(async move {
                let _place = place;
                if tokio::time::timeout(MAX_AGE, serve_connection(connection, shown)).await.is_err()
                {
                    tracing::debug!("admin: closed an old connection");
                }
            });
        }
    }
}

async fn serve_connection<O: Observed>(connection: TcpStream, shown: Arc<(O, Instant)>) {
    let service = service_fn(move |request| {
        let shown = shown.clone();
        async move { Ok::<_, Infallible>(answer(&request, &shown.0, shown.1).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(connection), service);
    let mut connection = std::pin::pin!(connection);
    let mut served = tokio::time::timeout(MAX_AGE, connection.as_mut()).await;
    if served.is_err() {
        connection.as_mut().graceful_shutdown();
        served = tokio::time::timeout(HEADER_TIMEOUT, connection).await;
    }
    if let Ok(Err(error)) = served {
        tracing::debug!("admin: {error}");
    }
}

async fn answer<O: Observed>(
    request: &Request<Incoming>,
    observed: &O,
    started: Instant,
) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    if !matches!(path, "/" | "/metrics" | "/ready" | "/live" | "/config") {
        return page(StatusCode::NOT_FOUND, TEXT, format!("there is no {path} here\n\n{INDEX}"));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal =
            page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD are possible\n");
        refusal.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    match path {
        "/metrics" => {
            let mut text = metrics::render(&observed.counters().await, started.elapsed());
            text += &process::render();
            page(StatusCode::OK, metrics::CONTENT_TYPE, text)
        }
        "/ready" if observed.ready().await => page(StatusCode::OK, TEXT, "ready\n"),
        "/ready" => page(StatusCode::SERVICE_UNAVAILABLE, TEXT, "draining\n"),
        "/live" => page(StatusCode::OK, TEXT, "live\n"),
        "/config" => match observed.config() {
            Some(yaml) => page(StatusCode::OK, "application/yaml", yaml),
            None => page(StatusCode::NOT_FOUND, TEXT, "this proxy has no configuration to show\n"),
        },
        _ => page(StatusCode::OK, TEXT, INDEX),
    }
}

fn page(
    status: StatusCode,
    content_type: &'static str,
    text: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    let content_type = hyper::header::HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[derive(Clone)]
    struct Fake(Arc<AtomicBool>);

    impl Observed for Fake {
        async fn counters(&self) -> Counters {
            let mut counters = Counters::default();
            counters.listeners.entry("front".to_owned()).or_default().started = 3;
            counters
        }

        async fn ready(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }

        fn config(&self) -> Option<String> {
            Some("listeners: []\n".to_owned())
        }
    }

    async fn start() -> (SocketAddr, Fake) {
        let fake = Fake(Arc::new(AtomicBool::new(true)));
        let admin = Admin::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = admin.address().unwrap();
        tokio::spawn(admin.serve(fake.clone()));
        (address, fake)
    }

    /// The whole answer to one request, headers in lower case.
    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut client = TcpStream::connect(address).await.unwrap();
        let head = format!("{request} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn every_page_answers() {
        let (address, _) = start().await;
        for (path, content_type, holds) in [
            ("/", TEXT, "/metrics"),
            ("/metrics", metrics::CONTENT_TYPE, "requests_started_total{listener=\"front\"} 3\n"),
            ("/ready", TEXT, "ready\n"),
            ("/live", TEXT, "live\n"),
            ("/config", "application/yaml", "listeners: []\n"),
            ("/live?x=1", TEXT, "live\n"),
        ] {
            let answer = ask(address, &format!("GET {path}")).await;
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
            assert!(answer.contains(&format!("content-type: {content_type}\r\n")), "{answer}");
            assert!(answer.contains(holds), "{path}: {answer}");
        }
    }

    #[tokio::test]
    async fn draining_is_not_ready_but_live() {
        let (address, fake) = start().await;
        fake.0.store(false, Ordering::Relaxed);
        assert!(ask(address, "GET /ready").await.starts_with("HTTP/1.1 503 "));
        assert!(ask(address, "GET /live").await.starts_with("HTTP/1.1 200 "));
    }

    #[tokio::test]
    async fn what_is_not_there_and_what_is_not_possible_are_refused() {
        let (address, _) = start().await;
        let absent = ask(address, "GET /nope").await;
        assert!(absent.starts_with("HTTP/1.1 404 "), "{absent}");
        assert!(absent.contains("there is no /nope here"), "{absent}");
        let refused = ask(address, "POST /metrics").await;
        assert!(refused.starts_with("HTTP/1.1 405 "), "{refused}");
        assert!(refused.contains("allow: GET, HEAD\r\n"), "{refused}");
        let head = ask(address, "HEAD /live").await;
        assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
    }

    #[tokio::test(start_paused = true)]
    async fn silent_clients_do_not_keep_the_others_out() {
        let (address, _) = start().await;
        let mut silent = Vec::new();
        for _ in 0..MAX_CONNECTIONS {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        // Answered when the silent ones have been closed; the paused clock jumps there.
        assert!(ask(address, "GET /live").await.starts_with("HTTP/1.1 200 "));
    }
}
