//! HAProxy.

use super::{BACKLOG, Place};

/// One thread, no logs, no checks; buffers and splicing as HAProxy has them by default.
pub(crate) fn config(place: Place) -> String {
    let Place { listen, upstream, connections, .. } = place;
    let most = connections + 64;
    format!(
        "\
global
    nbthread 1
    maxconn {most}

defaults
    mode tcp
    timeout connect 10s
    timeout client 10m
    timeout server 10m

listen bench
    bind {listen} backlog {BACKLOG}
    maxconn {most}
    server backend {upstream}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Protocol;

    #[test]
    fn there_is_room_for_every_connection() {
        let config = config(Place::example(Protocol::Dubbo));
        assert_eq!(config.matches("maxconn 1064\n").count(), 2, "{config}");
    }
}
