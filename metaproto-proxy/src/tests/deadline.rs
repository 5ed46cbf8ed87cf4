//! The time that is left for a request, as it is written into it.

use metaproto_core::{Mutation, Options};
use tokio::time::sleep;

use super::*;
use crate::model::{Retry, RetryOn};

/// The timeout stands in the header.
const IN_HEADER: Toy = Toy { deadline_at: 7, ..Toy::DEFAULT };

/// The same in the body: behind its second byte.
const IN_BODY: Toy = Toy { deadline_at: 10, ..Toy::DEFAULT };

/// A body with a timeout in tens of milliseconds, and the byte that can be set in front.
fn body(to: u8, tens: u8, len: usize) -> Vec<u8> {
    let mut body = vec![b'.'; len];
    (body[0], body[2]) = (to, tens);
    body
}

fn with(toy: Toy, sharing: Sharing, route: Route) -> Snapshot {
    let mut listener = listener_of(toy);
    listener.routes = vec![Arc::new(route)];
    Snapshot::new().listener(listener).cluster(cluster(sharing, 1))
}

/// A route that tries again at once.
fn trying_again(timeout: u64, per_try: Option<u64>) -> Route {
    let mut retry = Retry::on([RetryOn::Reset, RetryOn::Timeout]);
    (retry.attempts, retry.backoff) = (2, Duration::ZERO);
    retry.per_try_timeout = per_try.map(ms);
    let mut route = Route::to("c").timeout(ms(timeout));
    route.retry = Some(retry);
    route
}

#[test]
fn the_time_is_that_of_the_client_or_of_the_route_whichever_is_less() {
    for mode in MODES {
        run(with(IN_HEADER, mode, Route::to("c").timeout(ms(500))), async |world| {
            let mut client = world.client().await;
            client.send(&Frame { code: 20, ..request(1, "a") }).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            assert_eq!(got.code, 20, "{mode}");
            server.send(&response(got.id, "A")).await;
            client.expect(&response(1, "A")).await;
            for (code, id) in [(0, 2), (80, 3)] {
                client.send(&Frame { code, ..request(id, "b") }).await;
                let got = server.recv().await;
                assert_eq!((got.code, &got.body[..]), (50, &b"b"[..]), "{mode}, {code}");
                server.send(&response(got.id, "B")).await;
                client.expect(&response(id, "B")).await;
            }
            client.send(&Frame { code: 33, ..oneway(4, "c") }).await;
            assert_eq!(server.recv().await.code, 33);
        });
    }
}

#[test]
fn a_request_stays_as_it_is_where_it_has_no_field_or_no_limit() {
    let mut unlimited = Route::to("c");
    unlimited.timeout = None;
    let cases = [(Toy::DEFAULT, Route::to("c").timeout(ms(100))), (IN_HEADER, unlimited)];
    for (toy, route) in cases {
        let code = if toy.deadline_at == 0 { 200 } else { 0 };
        run(with(toy, Sharing::Shared, route), async |world| {
            let mut client = world.client().await;
            client.send(&Frame { code, ..request(1, "a") }).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            assert_eq!((got.code, &got.body[..]), (code, &b"a"[..]));
            server.send(&response(got.id, "A")).await;
            client.expect(&response(1, "A")).await;
        });
    }
}

#[test]
fn the_field_may_stand_in_the_body_of_a_request_of_any_size() {
    for by_order in [false, true] {
        for len in [3, 100, 4087, 4088, 4089, 20_000] {
            let toy = Toy { by_order, ..IN_BODY };
            let mode = if by_order { Sharing::Exclusive } else { Sharing::Shared };
            run(with(toy, mode, Route::to("c").timeout(ms(300))), async |world| {
                let mut client = world.client().await;
                client.send(&request(1, body(7, 90, len))).await;
                let mut server = world.accept(1).await;
                let got = server.recv().await;
                assert_eq!(got.body, body(7, 30, len), "{len}");
                server.send(&response(got.id, "A")).await;
                client.expect(&response(1, "A")).await;
            });
        }
    }
}

#[test]
fn a_request_that_is_changed_tells_the_time_all_the_same() {
    for by_order in [false, true] {
        for len in [3, 20_000] {
            let toy = Toy { by_order, ..IN_BODY };
            let mode = if by_order { Sharing::Exclusive } else { Sharing::Shared };
            let mut route = Route::to("c").timeout(ms(300));
            route.request = Mutation::new().set("to", "9");
            run(with(toy, mode, route), async |world| {
                let mut client = world.client().await;
                client.send(&request(1, body(7, 90, len))).await;
                let mut server = world.accept(1).await;
                let got = server.recv().await;
                assert_eq!(got.body, body(9, 30, len), "{len}");
                server.send(&response(got.id, "A")).await;
                client.expect(&response(1, "A")).await;
            });
        }
    }
}

#[test]
fn a_request_that_is_written_anew_tells_the_time_all_the_same() {
    let toy = Toy { in_order: true, translates: true, ..IN_HEADER };
    let mut snapshot = with(toy, Sharing::Shared, Route::to("c").timeout(ms(300)));
    let mut cluster = cluster(Sharing::Shared, 1);
    cluster.options = Options::from([("reversed".to_owned(), "yes".to_owned())]);
    snapshot = snapshot.cluster(cluster);
    run(snapshot, async |world| {
        let mut client = world.client().await;
        client.send(&Frame { code: 90, ..request(1, "ab") }).await;
        let mut server = world.accept(1).await;
        let got = server.recv().await;
        assert_eq!((got.code, &got.body[..]), (30, &b"<ba"[..]));
        server.send(&response(got.id, "<A")).await;
        client.expect(&response(1, "A")).await;
    });
}

#[test]
fn a_further_try_tells_what_is_left_by_then() {
    for mode in MODES {
        run(
            with(IN_HEADER, mode, trying_again(1000, None)).cluster(cluster(mode, 2)),
            async |world| {
                let mut client = world.client().await;
                client.send(&Frame { code: 60, ..request(7, "a") }).await;
                let mut first = world.accept(1).await;
                assert_eq!(first.recv().await.code, 60);
                sleep(ms(250)).await;
                drop(first);
                let mut second = world.accept(2).await;
                let got = second.recv().await;
                // Times are looked at every few milliseconds.
                assert!((30..=35).contains(&got.code), "{}", got.code);
                second.send(&response(got.id, "done")).await;
                client.expect(&response(7, "done")).await;
            },
        );
    }
}

#[test]
fn a_try_with_a_limit_of_its_own_tells_that_or_what_is_left_of_all() {
    let snapshot = with(IN_HEADER, Sharing::Shared, trying_again(500, Some(200)));
    run(snapshot.cluster(cluster(Sharing::Shared, 2)), async |world| {
        let mut client = world.client().await;
        client.send(&request(7, "a")).await;
        let (mut one, mut two) = (world.accept(1).await, None);
        let mut told = vec![one.recv().await.code];
        for n in 0..2 {
            let server = match n {
                0 => two.insert(world.accept(2).await),
                _ => &mut one,
            };
            let got = server.recv().await;
            told.push(got.code);
            if n == 1 {
                server.send(&response(got.id, "done")).await;
            }
        }
        client.expect(&response(7, "done")).await;
        assert_eq!(told[..2], [20, 20]);
        assert!((5..=10).contains(&told[2]), "{told:?}");
    });
}

#[test]
fn a_request_that_has_waited_for_a_connection_tells_what_is_left_when_it_is_written() {
    let mut snapshot = with(IN_HEADER, Sharing::Exclusive, Route::to("c").timeout(ms(1000)));
    let mut cluster = cluster(Sharing::Exclusive, 1);
    cluster.max_connections = 1;
    snapshot = snapshot.cluster(cluster);
    run(snapshot, async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(1, "a"), Frame { code: 60, ..request(2, "b") }]).await;
        let mut server = world.accept(1).await;
        let first = server.recv().await;
        assert_eq!(first.code, 100);
        sleep(ms(400)).await;
        server.send(&response(first.id, "A")).await;
        let second = server.recv().await;
        assert_eq!((second.code, &second.body[..]), (20, &b"b"[..]));
        server.send(&response(second.id, "B")).await;
        client.expect(&response(1, "A")).await;
        client.expect(&response(2, "B")).await;
    });
}
