//! What the derives say about mistakes: every message is reviewed like a user interface.
//!
//! After a change, `TRYBUILD=overwrite cargo test --test derive_ui` writes the messages anew; read
//! the difference.

#[test]
fn mistakes_are_reported_where_they_are_and_with_a_remedy() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}
