//! Bodies that the codec could not read, in messages that can be forwarded.

use super::toy::SEALED;
use super::*;

#[test]
fn what_the_codec_could_not_read_is_forwarded_as_it_is_and_counted() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            let sealed = [SEALED, 1, 2, 3];
            client.send(&request(1, sealed)).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            assert_eq!(got.body, sealed);
            server.send(&response(got.id, "clear")).await;
            client.expect(&response(1, "clear")).await;
            assert_eq!((world.listener().unread_bodies, world.cluster().unread_bodies), (1, 0));

            client.send(&request(2, "clear")).await;
            let got = server.recv().await;
            server.send(&response(got.id, sealed)).await;
            client.expect(&response(2, sealed)).await;
            assert_eq!((world.listener().unread_bodies, world.cluster().unread_bodies), (1, 1));

            client.send(&oneway(3, sealed)).await;
            assert_eq!(server.recv().await.body, sealed);
            assert_eq!((world.listener().unread_bodies, world.cluster().unread_bodies), (2, 1));
        });
    }
}

#[test]
fn what_is_neither_request_nor_response_is_not_counted() {
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&Frame::new(toy::PING, 1, 0, [SEALED])).await;
        client.expect(&Frame::new(toy::PONG, 1, 0, "")).await;
        client.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        server.send(&Frame::new(toy::PING, 1, 0, [SEALED])).await;
        server.echo().await;
        client.expect(&response(1, "a")).await;
        assert_eq!((world.listener().unread_bodies, world.cluster().unread_bodies), (0, 0));
    });
}
