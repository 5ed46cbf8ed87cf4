//! Copies of calls, as users write them.

use super::mistakes::{listener, route};
use super::{assert_round_trip, parse, refused};
use crate::model::Mirror;

#[test]
fn mirrors_are_one_or_a_list() {
    let file = |mirror: &str| route(&format!("{{cluster: v1, mirror: {mirror}}}"));
    let mut part = Mirror::to("v2").share(1000).compare();
    part.subset = [("zone".to_owned(), "a".to_owned())].into();
    let text = "{cluster: v2, subset: {zone: a}, percent: 0.1, compare: true}";
    for (mirror, expected) in [
        ("{cluster: v2}".to_owned(), vec![Mirror::to("v2")]),
        (text.to_owned(), vec![part.clone()]),
        (format!("[{text}, {{cluster: v1, percent: 0}}]"), vec![part, Mirror::to("v1").share(0)]),
        ("[]".to_owned(), vec![]),
    ] {
        let config = parse(&file(&mirror));
        assert_eq!(config.snapshot.listeners[0].routes[0].mirrors, expected, "{mirror}");
        assert_round_trip(&config);
    }
    let cluster = listener("upstream: {endpoints: [127.0.0.1:9], max_mirrored: 7}");
    assert_eq!(parse(&cluster).snapshot.clusters["fake"].max_mirrored, 7);
    assert_round_trip(&parse(&cluster));
}

#[test]
fn mistakes_in_mirrors_are_told() {
    let table = [
        ("v2", "mirror: expected a map with a cluster, or a list of these, not string \"v2\""),
        ("{cluster: v3}", "mirror.cluster: no cluster named \"v3\"; there are: v1, v2"),
        (
            "[{cluster: v2}, {cluster: v3}]",
            "mirror[1].cluster: no cluster named \"v3\"; there are: v1, v2",
        ),
        (
            "{cluster: v2, percent: 101}",
            "mirror.percent: \"101\" is not a percentage; write it like 10 or 0.1, at most 100, with up to 4 decimals",
        ),
        (
            "{cluster: v2, share: 1}",
            "mirror.share: unknown key \"share\"; known are: cluster, subset, percent, compare",
        ),
    ];
    for (mirror, error) in table {
        let refused = refused(&route(&format!("{{cluster: v1, mirror: {mirror}}}")));
        let told = refused.split_once("routes[0].").map_or(&*refused, |(_, told)| told);
        assert_eq!(told, error, "{mirror}");
    }
    let bound = route("{cluster: v1, mirror: {cluster: v2}}")
        .replace("v2: [127.0.0.1:2]", "v2: {endpoints: [127.0.0.1:2], upstream_mode: bound}");
    assert_eq!(
        refused(&bound),
        "line 5, column 37: listeners[0].routes[0].mirror.cluster: v2 has upstream_mode bound, and a copy belongs to no client; use shared or exclusive"
    );
    assert_eq!(
        refused(&listener("upstream: {endpoints: [127.0.0.1:1], max_mirrored: 0}")),
        "line 2, column 96: listeners[0].upstream.max_mirrored: must be at least 1"
    );
}
