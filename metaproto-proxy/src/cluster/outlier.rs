//! Endpoints whose calls fail are left out for a while.

use std::time::Duration;

use metaproto_core::Status;
use tokio::time::Instant;

use crate::model::OutlierDetection;
use crate::worker::{EndpointKey, Worker};

/// How a call ended, as far as it tells of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It answered with this status.
    Response(Status),
    /// It could not be reached, or did not answer as it should.
    Fault,
}

/// What has been seen of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct Record {
    failures_in_row: u32,
    faults_in_row: u32,
    /// When the interval began that is being counted in.
    since: Option<Instant>,
    ended: u32,
    failed: u32,
    /// How often it was left out, less the intervals that have passed well since.
    ejections: u32,
    ejected_until: Option<Instant>,
}

impl Record {
    /// Until when it is left out.
    pub(crate) fn ejected_until(&self, now: Instant) -> Option<Instant> {
        self.ejected_until.filter(|until| now < *until)
    }

    /// Takes note of a call. Tells why the endpoint should be left out, if it should.
    fn note(
        &mut self,
        policy: &OutlierDetection,
        seen: Seen,
        now: Instant,
    ) -> Option<&'static str> {
        if self.since.is_none_or(|since| since + policy.interval <= now) {
            (self.since, self.ended, self.failed) = (Some(now), 0, 0);
        }
        let has_failed = match seen {
            Seen::Fault => true,
            Seen::Response(status) => policy.classes.contains(&status.class),
        };
        self.ended += 1;
        self.failed += u32::from(has_failed);
        self.failures_in_row = if has_failed { self.failures_in_row + 1 } else { 0 };
        self.faults_in_row = if seen == Seen::Fault { self.faults_in_row + 1 } else { 0 };
        if !has_failed {
            return None;
        }
        let reaches = |count: u32, most: Option<u32>| most.is_some_and(|most| count >= most);
        let share = |percent: u32| {
            u64::from(self.failed) * 100 >= u64::from(percent) * u64::from(self.ended)
        };
        match () {
            () if reaches(self.faults_in_row, policy.consecutive_local) => Some("faults in a row"),
            () if reaches(self.failures_in_row, policy.consecutive_failures) => {
                Some("failures in a row")
            }
            () if self.ended >= policy.min_requests && policy.failure_rate.is_some_and(share) => {
                Some("the share of failures")
            }
            () => None,
        }
    }

    /// Leaves the endpoint out, and begins to count anew. Tells for how long.
    fn eject(&mut self, policy: &OutlierDetection, now: Instant) -> Duration {
        if let Some(until) = self.ejected_until {
            let well = now.saturating_duration_since(until).as_millis();
            let intervals = well / policy.interval.as_millis().max(1);
            let fewer = u32::try_from(intervals).unwrap_or(u32::MAX);
            self.ejections = self.ejections.saturating_sub(fewer);
        }
        self.ejections += 1;
        let time = policy.ejection_time.saturating_mul(self.ejections);
        let time = time.min(policy.max_ejection_time);
        let ejections = self.ejections;
        *self = Record { ejections, ejected_until: Some(now + time), ..Record::default() };
        time
    }
}

/// Takes note of how a call to an endpoint has ended, and leaves the endpoint out if that is enough.
#[inline(always)]
pub(crate) fn observe(worker: &mut Worker, key: EndpointKey, seen: Seen) {
    let cluster = worker.endpoints.get(key).map(|endpoint| endpoint.cluster);
    let policy = cluster.and_then(|cluster| worker.clusters.get(cluster));
    if policy.is_some_and(|cluster| cluster.model.outlier_detection.is_some()) {
        judge(worker, key, seen);
    }
}

fn judge(worker: &mut Worker, key: EndpointKey, seen: Seen) {
    let now = worker.now;
    let Some(endpoint) = worker.endpoints.get_mut(key) else { return };
    let Some(cluster) = worker.clusters.get(endpoint.cluster) else { return };
    let model = cluster.model.clone();
    let Some(policy) = &model.outlier_detection else { return };
    // What was sent to it before says nothing new.
    if endpoint.record.ejected_until(now).is_some() {
        return;
    }
    let Some(reason) = endpoint.record.note(policy, seen, now) else { return };
    let (key_of_cluster, keys) = (endpoint.cluster, cluster.endpoints.clone());
    let is_ejected = |key: &&EndpointKey| {
        let endpoint = worker.endpoints.get(**key);
        endpoint.is_some_and(|endpoint| endpoint.record.ejected_until(now).is_some())
    };
    let ejected = keys.iter().filter(is_ejected).count();
    let allowed = (keys.len() * policy.max_ejected as usize / 100).max(1);
    let Some(cluster) = worker.clusters.get_mut(key_of_cluster) else { return };
    if keys.len() < 2 || ejected >= allowed {
        cluster.counters.ejections_refused += 1;
        return;
    }
    cluster.counters.ejections += 1;
    if let Some(endpoint) = worker.endpoints.get_mut(key) {
        let time = endpoint.eject(policy, now);
        tracing::warn!(address = %endpoint.address, cluster = model.name, reason, ?time, "an endpoint is ejected");
    }
}

impl crate::upstream::Endpoint {
    fn eject(&mut self, policy: &OutlierDetection, now: Instant) -> Duration {
        let time = self.record.eject(policy, now);
        self.note_change();
        time
    }
}
