//! What every way of balancing must keep, over the whole choice: priorities, usability, policies.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::model::Balance;
use crate::worker::ClusterKey;

/// A cluster and its endpoints, as one worker has them.
struct Bench {
    model: model::Cluster,
    balancer: Balancer,
    endpoints: Endpoints,
    /// In the order of the model.
    keys: Vec<EndpointKey>,
    now: Instant,
}

fn address(n: usize) -> SocketAddr {
    let [.., a, b] = (n as u32).to_be_bytes();
    ([10, 0, a, b], 1000).into()
}

fn cluster(balance: Balance, weights: &[u32]) -> model::Cluster {
    let mut cluster = model::Cluster::new("c", []);
    let endpoint = |(n, weight): (usize, &u32)| model::Endpoint::new(address(n)).weight(*weight);
    cluster.endpoints = weights.iter().enumerate().map(endpoint).collect();
    cluster.balance = balance;
    cluster
}

impl Bench {
    fn new(model: model::Cluster) -> Self {
        fastrand::seed(7);
        let changed = Changed::default();
        let now = Instant::now();
        let mut endpoints = Endpoints::with_key();
        let mut insert = |e: &model::Endpoint| {
            let mut endpoint = Endpoint::new(ClusterKey::default(), e.address, changed.clone());
            if let Balance::PeakEwma { decay } = model.balance {
                endpoint.latency = Some(Latency::new(decay, now));
            }
            endpoints.insert(endpoint)
        };
        let keys: Vec<_> = model.endpoints.iter().map(&mut insert).collect();
        let all = keys.iter().copied().zip(&model.endpoints);
        let balancer = Balancer::new(Balancer::default(), &model, all, changed);
        Bench { balancer, endpoints, keys, now, model }
    }

    /// Takes the model on again.
    fn reload(&mut self) {
        let before = std::mem::take(&mut self.balancer);
        let changed = before.changed.clone();
        let all = self.keys.iter().copied().zip(&self.model.endpoints);
        self.balancer = Balancer::new(before, &self.model, all, changed);
    }

    fn try_pick(&mut self, hash: Option<u64>) -> Option<Pick> {
        self.balancer.pick(&mut self.endpoints, self.now, hash, None)
    }

    /// The place of the endpoint that is picked.
    fn pick(&mut self, hash: Option<u64>) -> usize {
        let pick = self.try_pick(hash).expect("an endpoint");
        self.keys.iter().position(|key| *key == pick.endpoint).expect("one of ours")
    }

    fn address_for(&mut self, hash: u64) -> SocketAddr {
        let n = self.pick(Some(hash));
        self.model.endpoints[n].address
    }

    /// How many of `count` calls each gets.
    fn tally(&mut self, count: usize, hash: impl Fn(usize) -> Option<u64>) -> Vec<usize> {
        let mut tally = vec![0; self.keys.len()];
        for n in 0..count {
            tally[self.pick(hash(n))] += 1;
        }
        tally
    }

    fn endpoint(&mut self, n: usize) -> &mut Endpoint {
        &mut self.endpoints[self.keys[n]]
    }

    fn fail(&mut self, n: usize) {
        let now = self.now;
        self.endpoint(n).failed(now);
    }
}

fn key_hash(n: usize) -> u64 {
    hash::of(&n.to_le_bytes(), Purpose::Endpoint)
}

fn keyed(n: usize) -> Option<u64> {
    Some(key_hash(n))
}

fn unkeyed(_: usize) -> Option<u64> {
    None
}

const RING: Balance = Balance::RingHash { ring_size: Balance::DEFAULT_RING_SIZE };
const MAGLEV: Balance = Balance::Maglev { table_size: Balance::DEFAULT_TABLE_SIZE };
const EWMA: Balance = Balance::PeakEwma { decay: Balance::DEFAULT_DECAY };
const BY_HASH: [Balance; 2] = [RING, MAGLEV];
const ALL: [Balance; 6] =
    [Balance::RoundRobin, Balance::Random, Balance::LeastRequest, EWMA, RING, MAGLEV];

/// Whether every count is its share of the total, but for this part of the share.
fn in_proportion(tally: &[usize], weights: &[u32], tolerance: f64) -> bool {
    let (calls, total) = (tally.iter().sum::<usize>(), weights.iter().sum::<u32>());
    tally.iter().zip(weights).all(|(got, weight)| {
        let share = calls as f64 * f64::from(*weight) / f64::from(total);
        (*got as f64 - share).abs() <= share * tolerance
    })
}

#[test]
fn calls_are_shared_in_proportion_to_the_weights() {
    let weights = [1, 2, 3, 4, 10];
    for balance in ALL.into_iter().filter(|balance| *balance != EWMA) {
        let hash = if balance.is_by_hash() { keyed } else { unkeyed };
        let tolerance = match balance {
            Balance::RoundRobin => 0.0,
            RING => 0.3,
            _ => 0.06,
        };
        let tally = Bench::new(cluster(balance, &weights)).tally(40_000, hash);
        assert!(in_proportion(&tally, &weights, tolerance), "{balance:?}: {tally:?}");
    }
}

#[test]
fn without_a_key_a_choice_by_hash_is_a_random_one() {
    for balance in BY_HASH {
        let tally = Bench::new(cluster(balance, &[1, 3])).tally(20_000, unkeyed);
        assert!(in_proportion(&tally, &[1, 3], 0.06), "{balance:?}: {tally:?}");
    }
}

#[test]
fn maglev_is_more_even_than_the_ring() {
    let weights = [1; 20];
    let ring = Bench::new(cluster(RING, &weights)).tally(200_000, keyed);
    let maglev = Bench::new(cluster(MAGLEV, &weights)).tally(200_000, keyed);
    assert!(in_proportion(&ring, &weights, 0.3), "{ring:?}");
    assert!(in_proportion(&maglev, &weights, 0.04), "{maglev:?}");
}

/// Calls in flight come to be in proportion to the weights, and so do calls of equal length.
#[test]
fn least_request_keeps_the_load_in_proportion_to_the_weights() {
    for weights in [[1, 1, 1], [1, 2, 5]] {
        let mut bench = Bench::new(cluster(Balance::LeastRequest, &weights));
        let mut calls = std::collections::VecDeque::new();
        let mut tally = vec![0; 3];
        for _ in 0..20_000 {
            let n = bench.pick(None);
            bench.endpoint(n).active += 1;
            tally[n] += 1;
            calls.push_back(n);
            if calls.len() > 100 {
                let done = calls.pop_front().expect("a call");
                bench.endpoint(done).active -= 1;
            }
        }
        assert!(in_proportion(&tally, &weights, 0.06), "{tally:?}");
        let active: Vec<_> = (0..3).map(|n| bench.endpoint(n).active).collect();
        assert!(in_proportion(&active, &weights, 0.35), "{active:?}");
    }
}

/// Plays calls one after the other, each of which takes as long as its endpoint does.
fn play(bench: &mut Bench, count: usize, took: impl Fn(usize) -> Duration) -> Vec<usize> {
    let mut tally = vec![0; bench.keys.len()];
    for _ in 0..count {
        let n = bench.pick(None);
        tally[n] += 1;
        bench.now += took(n);
        let now = bench.now;
        bench.endpoint(n).latency.as_mut().expect("it is timed").answered(took(n), now);
    }
    tally
}

#[test]
fn peak_ewma_goes_where_answers_come_fast() {
    let ms = Duration::from_millis;
    let mut bench = Bench::new(cluster(EWMA, &[1, 1, 1]));
    let tally = play(&mut bench, 3000, |n| ms([1, 1, 50][n]));
    assert!(tally[2] < 100 && tally[2] > 0, "{tally:?}");
    // What has become fast is found out.
    bench.now += ms(100_000);
    let tally = play(&mut bench, 30_000, |_| ms(1));
    assert!(in_proportion(&tally, &[1, 1, 1], 0.5), "{tally:?}");
}

#[test]
fn peak_ewma_counts_calls_in_flight_relative_to_the_weights() {
    let mut bench = Bench::new(cluster(EWMA, &[1, 3]));
    play(&mut bench, 100, |_| Duration::from_millis(1));
    let now = bench.now;
    for n in 0..2 {
        bench
            .endpoint(n)
            .latency
            .as_mut()
            .expect("it is timed")
            .answered(Duration::from_secs(1), now);
    }
    for _ in 0..400 {
        let n = bench.pick(None);
        bench.endpoint(n).active += 1;
    }
    let active: Vec<_> = (0..2).map(|n| bench.endpoint(n).active).collect();
    assert!(in_proportion(&active, &[1, 3], 0.05), "{active:?}");
}

#[test]
fn nobody_starves() {
    let mut weights = vec![1; 19];
    weights.push(1000);
    for balance in ALL {
        let hash = if balance.is_by_hash() { keyed } else { unkeyed };
        let mut bench = Bench::new(cluster(balance, &weights));
        let tally = match balance {
            Balance::PeakEwma { .. } => play(&mut bench, 50_000, |_| Duration::from_millis(10)),
            _ => bench.tally(50_000, hash),
        };
        assert!(tally.iter().all(|got| *got > 0), "{balance:?}: {tally:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Workers, and whole proxies, agree: whatever the order of their endpoints and of their calls.
    #[test]
    fn equal_keys_go_to_the_same_endpoint_in_every_worker(
        weights in proptest::collection::vec(1_u32..20, 2..12),
        ring in any::<bool>(),
        down in 0_usize..12,
    ) {
        let model = cluster(if ring { RING } else { MAGLEV }, &weights);
        let mut other = model.clone();
        other.endpoints.reverse();
        let (mut one, mut two) = (Bench::new(model), Bench::new(other));
        let count = weights.len();
        if count > 2 {
            one.fail(down % count);
            two.fail(count - 1 - down % count);
        }
        for n in (0..500).rev() {
            two.pick(None);
            let expected = one.address_for(key_hash(n));
            prop_assert_eq!(one.address_for(key_hash(n)), expected);
            prop_assert_eq!(two.address_for(key_hash(n)), expected);
        }
    }

    /// The keys of the one that goes have to move; of the others few do.
    #[test]
    fn an_endpoint_that_goes_moves_few_keys_of_others(
        count in 2_usize..40,
        gone in 0_usize..40,
        ring in any::<bool>(),
    ) {
        let balance = if ring { RING } else { MAGLEV };
        let model = cluster(balance, &vec![1; count]);
        let mut fewer = model.clone();
        let gone = fewer.endpoints.remove(gone % count).address;
        let (mut before, mut after) = (Bench::new(model), Bench::new(fewer));
        let keys = 4000;
        let moved = (0..keys)
            .filter(|n| {
                let was = before.address_for(key_hash(*n));
                was != gone && was != after.address_for(key_hash(*n))
            })
            .count();
        // A ring of a few endpoints has more points for each; else nobody moves without need.
        let bound = match balance {
            RING if count > 7 => 0,
            RING => keys / count,
            _ => keys / 16,
        };
        prop_assert!(moved <= bound, "{balance:?} {count}: {moved} of {keys}");
    }

    /// The keys of one that is not usable move, and come back; those of others stay.
    #[test]
    fn one_that_is_not_usable_moves_its_own_keys_only(
        count in 3_usize..20,
        ring in any::<bool>(),
    ) {
        let mut bench = Bench::new(cluster(if ring { RING } else { MAGLEV }, &vec![1; count]));
        let before: Vec<_> = (0..1000).map(|n| bench.pick(keyed(n))).collect();
        bench.fail(1);
        let during: Vec<_> = (0..1000).map(|n| bench.pick(keyed(n))).collect();
        for (before, during) in before.iter().zip(&during) {
            prop_assert!(*during != 1 && (before == during || *before == 1));
        }
        let heirs: std::collections::HashSet<_> =
            before.iter().zip(&during).filter(|(b, _)| **b == 1).map(|(_, d)| *d).collect();
        prop_assert!(heirs.len() > 1, "all go to {heirs:?}");
        bench.now += Duration::from_secs(60);
        let after: Vec<_> = (0..1000).map(|n| bench.pick(keyed(n))).collect();
        prop_assert_eq!(before, after);
    }

    /// Whatever is down, a call goes to what is usable, unless too little is.
    #[test]
    fn only_usable_endpoints_are_picked(
        down in proptest::collection::vec(any::<bool>(), 1..10),
        priorities in proptest::collection::vec(0_u32..3, 10),
        threshold in prop_oneof![Just(0_u8), Just(50), 1_u8..=100],
        policy in 0_usize..6,
    ) {
        let mut model = cluster(ALL[policy], &vec![1; down.len()]);
        for (endpoint, priority) in model.endpoints.iter_mut().zip(priorities) {
            endpoint.priority = priority;
        }
        model.panic_threshold = threshold;
        let mut bench = Bench::new(model);
        for n in (0..down.len()).filter(|n| down[*n]) {
            bench.fail(n);
        }
        let none = down.iter().all(|down| *down);
        for n in 0..50 {
            let hash = (n % 2 == 0).then(|| key_hash(n));
            let Some(pick) = bench.try_pick(hash) else {
                prop_assert!(none && threshold == 0);
                continue;
            };
            let usable = bench.endpoints[pick.endpoint].is_usable(bench.now);
            prop_assert!(usable || pick.panicked);
            prop_assert!(threshold > 0 || !pick.panicked);
            prop_assert!(!none || pick.panicked);
        }
    }
}

#[test]
fn an_endpoint_is_avoided_if_there_is_another() {
    for balance in ALL {
        for count in 1..4 {
            let mut bench = Bench::new(cluster(balance, &vec![1; count]));
            let avoid = bench.keys[0];
            for n in 0..100 {
                let pick =
                    bench.balancer.pick(&mut bench.endpoints, bench.now, keyed(n), Some(avoid));
                let picked = pick.expect("an endpoint").endpoint;
                assert_eq!(picked == avoid, count == 1, "{balance:?}");
            }
        }
    }
}

#[test]
fn the_avoided_one_may_be_the_only_usable_one() {
    let mut bench = Bench::new(cluster(Balance::RoundRobin, &[1, 1]));
    bench.fail(1);
    let avoid = bench.keys[0];
    let pick = bench.balancer.pick(&mut bench.endpoints, bench.now, None, Some(avoid));
    assert_eq!(pick.map(|pick| pick.endpoint), Some(avoid), "the other is known to be down");
    // In a panic that is not known.
    bench.fail(0);
    let pick = bench.balancer.pick(&mut bench.endpoints, bench.now, None, Some(avoid));
    assert_eq!(pick.map(|pick| pick.endpoint), Some(bench.keys[1]));
}

#[test]
fn calls_go_to_the_first_priority_and_spill_over() {
    for balance in ALL {
        let mut model = cluster(balance, &[1; 4]);
        model.endpoints[2].priority = 1;
        model.endpoints[3].priority = 1;
        let hash = if balance.is_by_hash() { keyed } else { unkeyed };
        let mut bench = Bench::new(model);
        let spilled = |tally: &[usize]| tally[2] + tally[3];
        assert_eq!(spilled(&bench.tally(1000, hash)), 0, "{balance:?}");
        // Half of the first level carries 70 percent.
        bench.fail(0);
        let tally = bench.tally(10_000, hash);
        assert!(tally[0] == 0 && (2700..3300).contains(&spilled(&tally)), "{balance:?} {tally:?}");
        bench.fail(1);
        assert_eq!(spilled(&bench.tally(1000, hash)), 1000, "{balance:?}");
        bench.now += Duration::from_secs(60);
        assert_eq!(spilled(&bench.tally(1000, hash)), 0, "{balance:?}");
    }
}

#[test]
fn a_key_stays_on_its_level() {
    let mut model = cluster(RING, &[1; 4]);
    model.endpoints[2].priority = 1;
    model.endpoints[3].priority = 1;
    let mut bench = Bench::new(model);
    bench.fail(0);
    for n in 0..200 {
        let first = bench.pick(keyed(n));
        assert!((0..5).all(|_| bench.pick(keyed(n)) == first));
    }
}

#[test]
fn one_that_comes_back_gets_more_and_more() {
    let second = Duration::from_secs(1);
    for balance in [Balance::RoundRobin, Balance::Random, Balance::LeastRequest] {
        let mut model = cluster(balance, &[1, 1]);
        model.slow_start = Some(30 * second);
        let mut bench = Bench::new(model);
        // Two that begin together share alike at once.
        let tally = bench.tally(2000, unkeyed);
        assert!(in_proportion(&tally, &[1, 1], 0.1), "{balance:?}: {tally:?}");
        bench.now += 60 * second;
        bench.pick(None);
        bench.fail(0);
        assert_eq!(bench.tally(100, unkeyed)[0], 0);
        bench.now += 2 * second;
        let share = |bench: &mut Bench| bench.tally(5000, unkeyed)[0] as f64 / 5000.0;
        for (after, part) in [(0, 0.1), (15, 0.5), (15, 1.0)] {
            bench.now += after * second;
            let (share, expected) = (share(&mut bench), part / (1.0 + part));
            assert!((share - expected).abs() < 0.05, "{balance:?} {after}: {share} {expected}");
        }
    }
}

#[test]
fn nothing_is_prepared_anew_while_nothing_changes() {
    let mut bench = Bench::new(cluster(Balance::LeastRequest, &[1, 2, 3]));
    bench.pick(None);
    assert!(!bench.balancer.changed.get() && bench.balancer.next_change.is_none());
    bench.fail(0);
    bench.pick(None);
    let back = bench.balancer.next_change.expect("it comes back");
    assert_eq!(back, bench.now + Duration::from_secs(1));
    bench.now = back;
    let tally = bench.tally(1000, unkeyed);
    assert!(tally[0] > 0);
    assert_eq!(bench.balancer.next_change, None);
}

/// What a pick looks at does not grow with the number of endpoints: counted, not timed.
#[test]
fn a_ring_or_table_is_entered_near_the_end_of_the_search() {
    for count in [10, 100, 1000] {
        let members: Vec<_> = (0..count).map(|n| (address(n), 1)).collect();
        let ring = ring::Ring::new(&members, 1024);
        let maglev = maglev::Maglev::new(&members, 65_537);
        let asked = Cell::new(0);
        let mut owners = HashMap::new();
        for n in 0..1000 {
            let usable = |_| {
                asked.set(asked.get() + 1);
                true
            };
            *owners.entry(ring.find(key_hash(n), usable)).or_insert(0) += 1;
            maglev.find(key_hash(n), usable);
        }
        assert_eq!(asked.get(), 2000);
        assert!(owners.len() > count / 4);
        assert!(ring.longest_search() <= 16, "{count}: {}", ring.longest_search());
    }
}

#[test]
fn a_configuration_that_changes_nothing_leaves_turns_and_tables_as_they_are() {
    for balance in ALL {
        let mut bench = Bench::new(cluster(balance, &[1, 1, 1]));
        let hash = if balance.is_by_hash() { keyed } else { unkeyed };
        let table = |bench: &Bench| bench.balancer.levels[0].table();
        let (mut tally, before) = (vec![0; 3], table(&bench));
        for n in 0..300 {
            bench.reload();
            tally[bench.pick(hash(n))] += 1;
        }
        assert_eq!(table(&bench), before, "{balance:?}: the table has been made anew");
        assert!(in_proportion(&tally, &[1, 1, 1], 0.4), "{balance:?}: {tally:?}");
        bench.model.endpoints[0].weight = 2;
        bench.reload();
        assert!(before.is_none() || table(&bench) != before, "{balance:?}");
    }
}

#[test]
fn a_cluster_without_endpoints_has_none_to_pick() {
    for balance in ALL {
        assert!(Bench::new(cluster(balance, &[])).try_pick(keyed(1)).is_none(), "{balance:?}");
    }
}
