//! The names of a proxy, looked up again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::{Arc, PoisonError};

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::lookup::{Answer, Resolver};
use super::{Answered, Ask, Counted, PATIENCE, Resolved};
use crate::model::{self, Dns, Snapshot, Target};
use crate::proxy::WeakHandle;

/// What is done on the thread that looks names up.
pub(super) struct Follower {
    inbox: mpsc::UnboundedReceiver<Ask>,
    counted: Counted,
    /// The proxy, when it runs.
    proxy: Option<WeakHandle>,
    dns: Dns,
    resolver: Option<Arc<Resolver>>,
    known: BTreeMap<Target, Known>,
    lookups: JoinSet<Lookup>,
    waiting: Vec<Waiting>,
}

type Lookup = (Target, Result<Answer, String>);

/// A name, and what is known of it.
struct Known {
    clusters: BTreeSet<String>,
    /// The last addresses; none if it could never be looked up.
    found: Option<Vec<model::Found>>,
    /// Whether some of them are missing.
    is_part: bool,
    /// Why it can't be looked up now.
    fault: Option<String>,
    /// How often in a row it could not be.
    failures: u32,
    /// When it is looked up next; `None` while it is.
    due: Option<Instant>,
}

/// Somebody who waits until something is known of each name.
struct Waiting {
    snapshot: Box<Snapshot>,
    until: Instant,
    answer: Answered,
}

impl Follower {
    pub(super) fn new(inbox: mpsc::UnboundedReceiver<Ask>, counted: Counted) -> Self {
        Follower {
            inbox,
            counted,
            proxy: None,
            dns: Dns::default(),
            resolver: None,
            known: BTreeMap::new(),
            lookups: JoinSet::new(),
            waiting: Vec::new(),
        }
    }

    /// Looks up, until nobody can ask for anything any more.
    pub(super) async fn run(mut self) {
        loop {
            self.start_lookups();
            self.answer();
            let wake = self.wake();
            let due = pin!(async {
                match wake {
                    Some(time) => tokio::time::sleep_until(time).await,
                    None => std::future::pending().await,
                }
            });
            tokio::select! {
                ask = self.inbox.recv() => match ask {
                    Some(Ask::Find { snapshot, answer }) => self.find(snapshot, answer),
                    Some(Ask::Follow(proxy)) => self.follow(proxy),
                    None => return,
                },
                Some(lookup) = self.lookups.join_next() => self.ended(lookup),
                () = due => {}
            }
        }
    }

    fn find(&mut self, snapshot: Box<Snapshot>, answer: Answered) {
        self.set_dns(&snapshot.dns);
        self.add(snapshot.targets());
        let now = Instant::now();
        // Whoever applies a configuration wants to have it as things are now.
        for known in self.known.values_mut() {
            known.due = known.due.map(|_| now);
            if known.found.is_none() {
                known.fault = None;
            }
        }
        self.waiting.push(Waiting { snapshot, until: now + PATIENCE, answer });
    }

    fn follow(&mut self, proxy: WeakHandle) {
        if let Some(running) = proxy.snapshot() {
            self.set_dns(&running.dns);
            let mut targets = running.targets();
            self.known.retain(|target, known| {
                let clusters = targets.get(target);
                known.clusters.clone_from(clusters.unwrap_or(&BTreeSet::new()));
                clusters.is_some() || self.waiting.iter().any(|w| w.snapshot.has(target))
            });
            targets.retain(|target, _| !self.known.contains_key(target));
            self.add(targets);
        }
        self.proxy = Some(proxy);
        self.apply();
    }

    /// Looks names up in this way from now on. What others were asked does not count any more.
    fn set_dns(&mut self, dns: &Dns) {
        if self.dns != *dns {
            self.dns = dns.clone();
            self.resolver = None;
            self.lookups = JoinSet::new();
            let now = Instant::now();
            for known in self.known.values_mut() {
                known.due = Some(now);
            }
        }
    }

    fn add(&mut self, targets: BTreeMap<Target, BTreeSet<String>>) {
        let due = Some(Instant::now());
        for (target, clusters) in targets {
            let new = || Known {
                clusters: BTreeSet::new(),
                found: None,
                is_part: false,
                fault: None,
                failures: 0,
                due,
            };
            self.known.entry(target).or_insert_with(new).clusters.extend(clusters);
        }
    }

    /// When something is to be done, if nothing happens before.
    fn wake(&self) -> Option<Instant> {
        let due = self.known.values().filter_map(|known| known.due);
        due.chain(self.waiting.iter().map(|waiting| waiting.until)).min()
    }

    fn start_lookups(&mut self) {
        let now = Instant::now();
        let is_due = |known: &Known| known.due.is_some_and(|due| due <= now);
        if !self.known.values().any(is_due) {
            return;
        }
        let resolver = self.resolver.take().filter(|resolver| !resolver.is_stale());
        let resolver = resolver.unwrap_or_else(|| Arc::new(Resolver::new(&self.dns)));
        for (target, known) in &mut self.known {
            if is_due(known) {
                known.due = None;
                let (target, resolver) = (target.clone(), resolver.clone());
                self.lookups.spawn(async move {
                    let answer = resolver.look_up(&target).await;
                    (target, answer)
                });
            }
        }
        self.resolver = Some(resolver);
    }

    /// Takes note of a look-up that has ended, and of all others that have.
    fn ended(&mut self, lookup: Result<Lookup, JoinError>) {
        let mut next = Some(lookup);
        let mut changed = false;
        while let Some(lookup) = next {
            match lookup {
                Ok((target, answer)) => changed |= self.learn(&target, answer),
                Err(error) => self.broke(&error),
            }
            next = self.lookups.try_join_next();
        }
        if changed {
            self.apply();
        }
    }

    /// Whether something is known now that was not known before.
    fn learn(&mut self, target: &Target, answer: Result<Answer, String>) -> bool {
        // It may have been dropped while it was looked up.
        let Some(known) = self.known.get_mut(target) else { return false };
        let now = Instant::now();
        let (answer, fault) = match answer {
            // A part is better than nothing, and worse than all that was there before.
            Ok(answer) => match answer.missing.clone() {
                Some(why) if known.found.is_some() && !known.is_part => (None, Some(why)),
                missing => (Some(answer), missing),
            },
            Err(why) => (None, Some(why)),
        };
        count(&self.counted, known, fault.is_some());
        let ttl = answer.as_ref().map_or(self.dns.refresh, |answer| answer.ttl);
        let changed = answer.as_ref().is_some_and(|new| known.found.as_ref() != Some(&new.found));
        if let Some(answer) = answer {
            known.found = Some(answer.found);
            known.is_part = answer.missing.is_some();
        }
        match &fault {
            Some(_) => {
                known.failures = known.failures.saturating_add(1);
                known.due = Some(now + self.dns.retry(known.failures));
            }
            None => known.due = Some(now + self.dns.next(ttl)),
        }
        tell(target, known, fault.as_deref(), changed);
        if fault.is_none() {
            known.failures = 0;
        }
        known.fault = fault;
        changed
    }

    /// A look-up that has panicked does not tell its name: all that are under way are begun again.
    fn broke(&mut self, error: &JoinError) {
        tracing::error!("a look-up of a name broke off: {error}");
        let due = Instant::now() + self.dns.refresh;
        for known in self.known.values_mut() {
            known.due.get_or_insert(due);
        }
    }

    /// Has the proxy run on what is known.
    fn apply(&self) {
        let Some(proxy) = &self.proxy else { return };
        if let Err(error) = proxy.amend(|running| running.found(|target| self.found(target))) {
            tracing::error!("can't use what the DNS says: {error}; the endpoints stay");
        }
    }

    fn found(&self, target: &Target) -> Option<&[model::Found]> {
        self.known.get(target)?.found.as_deref()
    }

    /// Answers those who have waited long enough.
    fn answer(&mut self) {
        let now = Instant::now();
        let is_settled = |target: &Target| {
            let known = self.known.get(target);
            known.is_none_or(|known| known.found.is_some() || known.fault.is_some())
        };
        let is_done = |waiting: &mut Waiting| {
            waiting.until <= now || waiting.snapshot.targets().keys().all(is_settled)
        };
        let done: Vec<_> = self.waiting.extract_if(.., is_done).collect();
        for Waiting { snapshot, answer, .. } in done {
            let failures = snapshot.targets().into_keys().filter_map(|target| {
                let known = self.known.get(&target)?;
                let late = || format!("no answer within {PATIENCE:?}");
                let why = known.fault.clone().unwrap_or_else(late);
                known.found.is_none().then_some((target, why))
            });
            let failures: BTreeMap<_, _> = failures.collect();
            for target in failures.keys() {
                let known = self.known.get(target).filter(|known| known.fault.is_none());
                if let Some(known) = known {
                    tell(target, known, Some("no answer yet"), false);
                }
            }
            let found = snapshot.found(|target| self.found(target));
            answer(Resolved { snapshot: found.unwrap_or(*snapshot), failures });
        }
    }
}

fn count(counted: &Counted, known: &Known, failed: bool) {
    let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
    for cluster in &known.clusters {
        let counters = counted.clusters.entry(cluster.clone()).or_default();
        counters.dns_lookups += 1;
        counters.dns_failures += u64::from(failed);
    }
}

/// Says in the log what is new: a failure, its end, other addresses.
fn tell(target: &Target, known: &Known, fault: Option<&str>, changed: bool) {
    let clusters: Vec<_> = known.clusters.iter().map(String::as_str).collect();
    let clusters = clusters.join(", ");
    let addresses = || {
        let found = known.found.iter().flatten();
        found.map(|found| found.address.to_string()).collect::<Vec<_>>().join(", ")
    };
    match fault {
        Some(why) if known.failures <= 1 && known.found.is_some() => {
            tracing::warn!("{target} ({clusters}) can't be looked up: {why}; its addresses stay");
        }
        Some(why) if known.failures <= 1 => {
            tracing::warn!("{target} ({clusters}) can't be looked up: {why}; it has no endpoints");
        }
        None if changed => tracing::info!("{target} ({clusters}) is {}", addresses()),
        None if known.failures > 0 => {
            tracing::info!("{target} ({clusters}) can be looked up again");
        }
        _ => {}
    }
}
