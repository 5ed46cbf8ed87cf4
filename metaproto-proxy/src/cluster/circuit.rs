//! What all workers use of a cluster together, and how much that may be.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use metaproto_core::{IntText, PropertyValue};

use crate::model::CircuitBreakers;

/// A number that several workers count together.
type Total = Arc<AtomicUsize>;

/// A number, and how large it may be.
type Bounded = (usize, Total);

type ByName<T> = HashMap<String, T>;

/// Adds one unless there are as many as may be.
fn add(total: &AtomicUsize, max: Option<usize>) -> bool {
    let max = max.unwrap_or(usize::MAX);
    let more = |count: usize| (count < max).then_some(count + 1);
    total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
}

/// A place among a limited number, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Slot(Total);

impl Slot {
    fn take(total: &Total, max: Option<usize>) -> Option<Self> {
        add(total, max).then(|| Slot(total.clone()))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What all workers use of one cluster.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    connections: AtomicUsize,
    requests: AtomicUsize,
    pending: Total,
    retries: Total,
    operations: Mutex<ByName<Total>>,
}

impl Usage {
    /// The number of calls of an operation. Those of operations that nobody limits any longer are
    /// forgotten.
    fn operation(&self, name: &str) -> Total {
        let mut all = self.operations.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known, total| known == name || Arc::strong_count(total) > 1);
        all.entry(name.to_owned()).or_default().clone()
    }
}

/// What all workers use of each cluster that has limits.
#[derive(Debug, Default)]
pub(crate) struct Usages(Mutex<ByName<Weak<Usage>>>);

impl Usages {
    /// What is used of the cluster `name`.
    fn of(&self, name: &str) -> Arc<Usage> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(name).and_then(Weak::upgrade) {
            return known;
        }
        all.retain(|_, usage| usage.strong_count() > 0);
        let usage = Arc::new(Usage::default());
        all.insert(name.to_owned(), Arc::downgrade(&usage));
        usage
    }
}

#[cfg(test)]
impl Usages {
    /// Whether nothing is in use of any cluster.
    pub(crate) fn is_empty(&self) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().filter_map(Weak::upgrade).all(|usage| {
            let operations = usage.operations.lock().unwrap_or_else(PoisonError::into_inner);
            let totals = [&usage.connections, &usage.requests, &usage.pending, &usage.retries];
            let mut totals = totals.into_iter().chain(operations.values().map(|total| &**total));
            totals.all(|total| total.load(Ordering::Relaxed) == 0)
        })
    }
}

/// The limits of a cluster as one worker keeps to them.
#[derive(Debug)]
pub(crate) struct Circuit {
    limits: CircuitBreakers,
    usage: Arc<Usage>,
    /// What this worker has added to the usage.
    connections: usize,
    requests: usize,
    operations: HashMap<Vec<u8>, Bounded>,
}

impl Circuit {
    /// The limits of the cluster `name`, of which this worker has that many connections and calls.
    pub(super) fn new(
        limits: CircuitBreakers,
        usages: &Usages,
        name: &str,
        (connections, requests): (usize, usize),
    ) -> Self {
        let usage = usages.of(name);
        usage.connections.fetch_add(connections, Ordering::Relaxed);
        usage.requests.fetch_add(requests, Ordering::Relaxed);
        let operation = |(name, max): (&String, &usize)| {
            (name.as_bytes().to_vec(), (*max, usage.operation(name)))
        };
        let operations = limits.operations.iter().map(operation).collect();
        Circuit { limits, usage, connections, requests, operations }
    }

    /// One more connection, unless there are as many as may be.
    pub(super) fn add_connection(&mut self) -> bool {
        let added = add(&self.usage.connections, self.limits.max_connections);
        self.connections += usize::from(added);
        added
    }

    /// Whether there are as many connections as may be.
    pub(super) fn is_full(&self) -> bool {
        let max = self.limits.max_connections.unwrap_or(usize::MAX);
        self.usage.connections.load(Ordering::Relaxed) >= max
    }

    pub(super) fn remove_connection(&mut self) {
        self.connections -= 1;
        self.usage.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// One more call, unless there are as many as may be.
    pub(super) fn add_request(&mut self) -> bool {
        let added = add(&self.usage.requests, self.limits.max_requests);
        self.requests += usize::from(added);
        added
    }

    pub(super) fn remove_request(&mut self) {
        self.requests -= 1;
        self.usage.requests.fetch_sub(1, Ordering::Relaxed);
    }

    /// A place among the calls that wait for a connection.
    pub(super) fn pending(&self) -> Option<Slot> {
        Slot::take(&self.usage.pending, self.limits.max_pending)
    }

    /// A place among the calls that are being tried again.
    pub(super) fn retry(&self) -> Option<Slot> {
        Slot::take(&self.usage.retries, self.limits.max_retries)
    }

    /// A place among the calls of an operation, if these are limited; an error if there is none.
    pub(super) fn operation(&self, name: PropertyValue) -> Result<Option<Slot>, ()> {
        if self.operations.is_empty() {
            return Ok(None);
        }
        match self.operations.get(name.as_bytes(&mut IntText::default())) {
            None => Ok(None),
            Some((max, total)) => Slot::take(total, Some(*max)).map(Some).ok_or(()),
        }
    }
}

impl Drop for Circuit {
    fn drop(&mut self) {
        self.usage.connections.fetch_sub(self.connections, Ordering::Relaxed);
        self.usage.requests.fetch_sub(self.requests, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max: usize) -> CircuitBreakers {
        CircuitBreakers {
            max_requests: Some(max),
            max_connections: Some(max),
            operations: [("echo".to_owned(), 1)].into(),
            ..CircuitBreakers::default()
        }
    }

    #[test]
    fn workers_count_together_and_a_worker_that_ends_gives_back_its_part() {
        let usages = Usages::default();
        let mut one = Circuit::new(limits(3), &usages, "c", (0, 1));
        let mut other = Circuit::new(limits(3), &usages, "c", (0, 0));
        assert!(one.add_request() && other.add_request());
        assert!(!one.add_request() && !other.add_request());
        drop(one);
        assert!(other.add_request() && other.add_request());
        assert!(!other.add_request());
        other.remove_request();
        assert!(other.add_request());
    }

    #[test]
    fn a_limit_holds_to_the_number_with_many_threads() {
        let usages = Usages::default();
        let most = AtomicUsize::new(0);
        let work = || {
            let mut circuit = Circuit::new(limits(3), &usages, "c", (0, 0));
            for _ in 0..10_000 {
                if circuit.add_connection() {
                    let now = circuit.usage.connections.load(Ordering::Relaxed);
                    most.fetch_max(now, Ordering::Relaxed);
                    circuit.remove_connection();
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(work);
            }
        });
        assert!((1..=3).contains(&most.load(Ordering::Relaxed)));
        assert_eq!(usages.of("c").connections.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn operations_are_limited_by_name_and_what_nobody_limits_is_forgotten() {
        let usages = Usages::default();
        let circuit = Circuit::new(limits(1), &usages, "c", (0, 0));
        let echo = PropertyValue::Text(b"echo");
        let first = circuit.operation(echo);
        assert!(matches!(first, Ok(Some(_))));
        assert!(circuit.operation(echo).is_err());
        assert!(matches!(circuit.operation(PropertyValue::Int(1)), Ok(None)));
        let same = Circuit::new(limits(1), &usages, "c", (0, 0));
        drop(circuit);
        assert!(same.operation(echo).is_err());
        drop(first);
        assert!(matches!(same.operation(echo), Ok(Some(_))));
        same.usage.operation("other");
        assert_eq!(same.usage.operations.lock().expect("a lock").len(), 2);
        same.usage.operation("echo");
        assert_eq!(same.usage.operations.lock().expect("a lock").len(), 1);
        drop(same);
        usages.of("d");
        assert_eq!(usages.0.lock().expect("a lock").len(), 1, "c has gone");
    }
}
