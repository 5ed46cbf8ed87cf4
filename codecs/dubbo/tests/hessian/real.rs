//! Bodies of real peers.

use metaproto_core::Side;
use metaproto_dubbo::hessian::{Cursor, Tables};

#[path = "../dubbo/captures.rs"]
#[expect(dead_code, reason = "the other tests need more of it")]
mod captures;

/// Some servers write what is no value behind what they should.
const ODD: [&str; 1] = ["apache-dubbo-service/"];

#[test]
fn every_body_of_a_real_peer_is_a_row_of_values() {
    let mut tables = Tables::default();
    let mut values = 0;
    for captured in captures::frames() {
        let is_odd = ODD.iter().any(|odd| captured.name.contains(odd));
        if captured.serialization() != 2 || is_odd && captured.side == Side::Upstream {
            continue;
        }
        let mut cursor = Cursor::new(&captured.bytes, 16, &mut tables);
        while !cursor.is_at_end() {
            let skipped = cursor.skip();
            assert!(skipped.is_ok(), "{} at {}: {skipped:?}", captured.name, cursor.position());
            values += 1;
        }
    }
    assert!(values > 2000, "{values}");
}
