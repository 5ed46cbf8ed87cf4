//! What the proxy says of itself, against what its clients know.

use std::cell::Cell;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::Stage;
use crate::Failure;
use crate::proxy::{Metrics, Proxy};

/// How often the metrics are looked at.
const LOOK: Duration = Duration::from_millis(300);
/// How soon all must have come to rest when the clients have gone.
const REST: Duration = Duration::from_secs(5);
/// KiB that resident memory may be above its level after the warm-up, besides half of that level.
const ROOM: u64 = 32 << 10;

impl Stage {
    /// Scrapes for ever; notes the highest memory of the first part of the `time`.
    pub(super) async fn watch(
        &self,
        proxy: &Proxy,
        time: Duration,
        memory: &Cell<u64>,
    ) -> Result<(), Failure> {
        let began = Instant::now();
        loop {
            let metrics = proxy.scrape().await?;
            self.conserved(&metrics);
            if began.elapsed() < time / 3 {
                memory.set(memory.get().max(proxy.memory().unwrap_or(0)));
            }
            sleep(LOOK).await;
        }
    }

    fn conserved(&self, metrics: &Metrics) {
        let lost = metrics.lost();
        if lost != 0 {
            let what = "started is not completed and active";
            self.book.borrow_mut().violation_with(what, None, format!("by {lost}"));
        }
    }

    pub(super) fn judge_memory(&self, proxy: &Proxy, warm: u64) {
        let now = proxy.memory().unwrap_or(0);
        println!("memory: {warm} KiB at most in the first third, {now} KiB behind the chaos");
        if now > warm + warm / 2 + ROOM {
            let what = "memory grows";
            self.book.borrow_mut().violation_with(what, None, format!("{warm} to {now} KiB"));
        }
    }

    /// When the clients have gone nothing may be left of them.
    pub(super) async fn settle(&self, proxy: &Proxy) -> Result<(), Failure> {
        let began = Instant::now();
        let metrics = loop {
            let metrics = proxy.scrape().await?;
            let gauges =
                ["requests_active", "downstream_connections_active", "upstream_requests_active"];
            let left: Vec<String> = gauges
                .into_iter()
                .map(|name| (name, metrics.sum(name, "")))
                .filter(|(_, value)| *value > 0)
                .map(|(name, value)| format!("{name} {value}"))
                .collect();
            if left.is_empty() {
                break metrics;
            }
            if began.elapsed() > REST {
                let what = "something is left when all clients have gone";
                self.book.borrow_mut().violation_with(what, None, left.join(", "));
                break metrics;
            }
            sleep(LOOK).await;
        };
        self.conserved(&metrics);
        self.compare(&metrics);
        if self.arguments.metrics {
            println!("{}", metrics.summary());
        }
        let files = proxy.open_files().unwrap_or(0);
        println!(
            "{} changes of configuration, {files} files open in the proxy",
            self.reloads.get()
        );
        Ok(())
    }

    /// Whatever a client knows of a call the proxy has counted, and it has counted no others. A call
    /// whose connection was lost may have ended either way.
    fn compare(&self, metrics: &Metrics) {
        let mut ledger = self.book.borrow_mut();
        let totals = ledger.totals.clone();
        let started = metrics.sum("requests_started_total", "");
        let completed = |label: &str| metrics.sum("requests_completed_total", label);
        let (ok, oneway) = (completed("outcome=\"ok\""), completed("outcome=\"oneway\""));
        let errors = started.saturating_sub(ok + oneway + completed("outcome=\"abandoned\""));
        println!(
            "the proxy: {started} started = {ok} ok + {errors} errors + {} abandoned + {oneway} one-way; \
             backends saw {} requests, {} calls more than once",
            completed("outcome=\"abandoned\""),
            ledger.sightings,
            ledger.repeated(),
        );
        let refused = ["downstream_connections_refused_total", "downstream_overload_closed_total"];
        let refused: u64 = refused.iter().map(|name| metrics.sum(name, "")).sum();
        let shed = metrics.sum("requests_shed_total", "");
        println!(
            "the proxy has refused or closed {refused} connections and {shed} requests in overload; {} \
             connections were closed for no other reason; {} calls were copied",
            ledger.let_go,
            ledger.copies(),
        );
        if ledger.let_go > refused {
            let more = format!("{} of {refused}", ledger.let_go);
            ledger.violation_with("more clients were let go than are counted", None, more);
        }
        let copied = metrics.sum("upstream_mirrored_total", "");
        if ledger.copies() as u64 > copied {
            let more = format!("{} of {copied}", ledger.copies());
            ledger.violation_with("more copies were made than are counted", None, more);
        }
        let known = totals.answered + totals.errors();
        let columns = [
            ("started", started, known, totals.sent + totals.garbage),
            ("ok", ok, totals.answered, totals.answered + totals.closed),
            ("one-way", oneway, 0, totals.oneway),
        ];
        for (name, value, least, most) in columns {
            if !(least..=most).contains(&value) {
                let more = format!("{name}: {value} is not in {least}..={most}; {totals}");
                ledger.violation_with("the proxy has counted other calls", None, more);
            }
        }
    }
}
