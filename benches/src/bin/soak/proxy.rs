//! The proxy's process, its numbers, and its end.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::Failure;

/// How long it may take to be ready, or to answer a scrape.
const READY: Duration = Duration::from_secs(20);

/// A running proxy; it is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    child: Child,
    pid: Pid,
    admin: SocketAddr,
    file: PathBuf,
    log: PathBuf,
}

impl Proxy {
    /// Starts `program` with the configuration at `file`, and waits until its admin endpoint answers.
    pub(crate) async fn start(
        program: &Path,
        file: &Path,
        admin: SocketAddr,
    ) -> Result<Self, Failure> {
        let log = file.with_file_name("proxy.log");
        let output = File::create(&log)?;
        let child = Command::new(program)
            .arg("proxy")
            .arg("-c")
            .arg(file)
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let pid = id.and_then(Pid::from_raw).ok_or("the proxy ended at once")?;
        let mut proxy = Proxy { child, pid, admin, file: file.to_owned(), log };
        let deadline = Instant::now() + READY;
        while proxy.scrape().await.is_err() {
            if let Some(status) = proxy.ended()? {
                return Err(format!("the proxy ended with {status}:\n{}", proxy.words()).into());
            }
            if Instant::now() > deadline {
                return Err(format!("the proxy does not get ready:\n{}", proxy.words()).into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(proxy)
    }

    /// Replaces the configuration as a whole; `at_once` does not wait for the proxy to look.
    pub(crate) fn configure(&self, text: &str, at_once: bool) -> Result<(), Failure> {
        let next = self.file.with_extension("next");
        fs::write(&next, text)?;
        fs::rename(&next, &self.file)?;
        if at_once {
            self.signal(Signal::HUP)?;
        }
        Ok(())
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Failure> {
        Ok(kill_process(self.pid, signal)?)
    }

    /// Its status, if it has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>, Failure> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end.
    pub(crate) async fn wait(&mut self, most: Duration) -> Result<ExitStatus, Failure> {
        let ended = timeout(most, self.child.wait()).await;
        Ok(ended.map_err(|_| format!("the proxy has not ended after {most:?}"))??)
    }

    /// All its metrics now.
    pub(crate) async fn scrape(&self) -> Result<Metrics, Failure> {
        let text = timeout(READY, async {
            let mut stream = TcpStream::connect(self.admin).await?;
            let request = b"GET /metrics HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n";
            stream.write_all(request).await?;
            let mut text = String::new();
            stream.read_to_string(&mut text).await?;
            std::io::Result::Ok(text)
        })
        .await??;
        Ok(Metrics(text))
    }

    /// Resident memory in KiB.
    pub(crate) fn memory(&self) -> Option<u64> {
        let path = format!("/proc/{}/status", self.pid.as_raw_nonzero());
        let status = fs::read_to_string(path).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Open files, sockets included.
    pub(crate) fn open_files(&self) -> Option<usize> {
        Some(fs::read_dir(format!("/proc/{}/fd", self.pid.as_raw_nonzero())).ok()?.count())
    }

    /// Lines of its log that tell of a bug.
    pub(crate) fn panics(&self) -> Vec<String> {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines = text.lines().filter(|line| line.contains("panicked"));
        lines.map(str::to_owned).collect()
    }

    /// The end of its log.
    pub(crate) fn words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

/// A page of metrics.
#[derive(Debug)]
pub(crate) struct Metrics(String);

impl Metrics {
    /// The sum of what has this name behind `metaproto_`, and this text among its labels.
    pub(crate) fn sum(&self, name: &str, label: &str) -> u64 {
        let values = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix("metaproto_")?.strip_prefix(name)?;
            let (labels, value) = rest.strip_prefix('{')?.rsplit_once("} ")?;
            labels.contains(label).then(|| value.parse::<u64>().ok())?
        });
        values.sum()
    }

    /// How many requests were started but are neither completed nor active, or the other way round.
    pub(crate) fn lost(&self) -> i128 {
        let sum = |name| i128::from(self.sum(name, ""));
        sum("requests_started_total") - sum("requests_completed_total") - sum("requests_active")
    }

    /// Every number that is not zero, a line each.
    pub(crate) fn summary(&self) -> String {
        let lines = self.0.lines().filter(|line| line.starts_with("metaproto_"));
        let lines = lines.filter(|line| !line.ends_with(" 0"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP metaproto_requests_started_total Requests read.\n\
        metaproto_requests_started_total{listener=\"a\"} 5\n\
        metaproto_requests_started_total{listener=\"b\"} 6\n\
        metaproto_requests_completed_total{listener=\"a\",origin=\"proxy\",outcome=\"timeout\"} 3\n\
        metaproto_requests_completed_total{listener=\"b\",origin=\"upstream\",outcome=\"ok\"} 6\n\
        metaproto_requests_active{listener=\"a\"} 1\n";

    #[test]
    fn metrics_are_added_up_by_name_and_label() {
        let metrics = Metrics(PAGE.to_owned());
        assert_eq!(metrics.sum("requests_started_total", ""), 11);
        assert_eq!(metrics.sum("requests_completed_total", "outcome=\"ok\""), 6);
        assert_eq!(metrics.sum("requests", ""), 0);
        assert_eq!(metrics.lost(), 1);
    }
}
