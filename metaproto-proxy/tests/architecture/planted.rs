//! The checker itself, on files that break the rules.

use super::source::File;
use super::*;

fn complaints(rule: Rule, path: &str, text: &str) -> Vec<String> {
    rule(&[File { path: path.to_owned(), text: text.to_owned() }])
}

fn found(rule: Rule, path: &str, text: &str) -> usize {
    let complaints = complaints(rule, path, text);
    let place = format!("{path}:");
    assert!(complaints.iter().all(|c| c.starts_with(&place)), "{complaints:?}");
    complaints.len()
}

#[test]
fn a_forbidden_arrow_is_found_however_it_is_written() {
    for (path, line, expected) in [
        ("codecs/x/Cargo.toml", "metaproto-core.workspace = true", 0),
        ("codecs/x/Cargo.toml", "metaproto-proxy.workspace = true", 1),
        ("codecs/x/Cargo.toml", "p = { package = \"metaproto-proxy\" }", 1),
        ("codecs/x/Cargo.toml", "# metaproto-proxy", 0),
        ("metaproto-core/Cargo.toml", "metaproto-derive = { workspace = true }", 1),
        ("metaproto-core/Cargo.toml", "metaproto-derive = { optional = true }", 0),
        ("metaproto-derive/Cargo.toml", "metaproto-core.workspace = true", 1),
        ("metaproto-proxy/Cargo.toml", "metaproto-x = { optional = true }", 0),
        ("metaproto-proxy/Cargo.toml", "metaproto-x.workspace = true", 1),
        ("benches/Cargo.toml", "metaproto-proxy.workspace = true", 0),
    ] {
        for section in ["dependencies", "dev-dependencies", "target.'cfg(unix)'.dependencies"] {
            let text = format!("[package]\nname = \"metaproto-y\"\n[{section}]\n{line}\n");
            assert_eq!(found(arrows, path, &text), expected, "{path}: {text}");
        }
    }
    let text = "[dependencies.metaproto-proxy]\nworkspace = true\n";
    assert_eq!(found(arrows, "codecs/x/Cargo.toml", text), 1);
    assert_eq!(found(arrows, "metaproto-new/Cargo.toml", ""), 1);
}

#[test]
fn a_forbidden_import_is_found_however_it_is_written() {
    let engine = "metaproto-proxy/src/route/mod.rs";
    for (path, text, expected) in [
        (engine, "use crate::config::Config;", 1),
        (engine, "use crate::{\n    model,\n    config::{Config, Error},\n};", 2),
        (engine, "use super::config;", 1),
        (engine, "fn f(c: &crate::telemetry::X) {}", 1),
        (engine, "#[derive(serde::Serialize)]\nstruct S;", 1),
        (engine, "use hyper_util::rt;", 1),
        (engine, "use crate::model; // not crate::config", 0),
        (engine, "const S: &str = \"crate::config\"; const C: char = '\"';", 0),
        (engine, "let config = configure::<'_, serder::X>(r#\"\"serde::\"#);", 0),
        ("metaproto-proxy/src/config/mod.rs", "use serde::Deserialize;", 0),
        ("metaproto-proxy/src/config/mod.rs", "use crate::worker::Worker;", 1),
        ("metaproto-proxy/src/model/mod.rs", "use crate::{model::X, cluster};", 1),
        ("metaproto-proxy/src/telemetry/mod.rs", "use crate::counters::Counters;", 0),
        ("metaproto-proxy/src/telemetry/mod.rs", "use crate::exchange::Call;", 1),
        ("metaproto-core/src/codec.rs", "use tokio::net::TcpStream;", 1),
        ("codecs/x/src/lib.rs", "use ::metaproto_proxy::Proxy;", 1),
    ] {
        assert_eq!(found(imports, path, text), expected, "{path}: {text}");
    }
    let all = complaints(imports, engine, "\nuse crate::config;\n");
    let why = IMPORTS[0].why;
    assert_eq!(all, [format!("{engine}:2: mentions crate::config: {why}")]);
}

#[test]
fn a_protocol_is_found_by_its_name() {
    let codec = || File { path: "codecs/smoke/Cargo.toml".into(), text: String::new() };
    for (path, expected) in [("route/mod.rs", 2), ("bin/metaproto/codecs.rs", 0)] {
        let text = "// As Dubbo does.\n\nuse metaproto_smoke::X;\n".into();
        let file = File { path: format!("metaproto-proxy/src/{path}"), text };
        assert_eq!(protocol_names(&[codec(), file]).len(), expected);
    }
}

#[test]
fn a_long_file_is_found_and_its_tests_do_not_count() {
    let tests = "#[cfg(test)]\nmod tests {\n\n    fn f() {\n    }\n}\n#[cfg(test)]\nmod t;\n";
    for (lines, expected) in [(MAX_LINES, 0), (MAX_LINES + 1, 1)] {
        let text = format!("{}{tests}", "\n".repeat(lines));
        assert_eq!(found(lengths, "benches/src/a.rs", &text), expected);
        let text = format!("{tests}{}", "//\n".repeat(lines));
        assert_eq!(found(lengths, "benches/src/a.rs", &text), expected);
        assert_eq!(found(lengths, "benches/tests/a.rs", &text), 0);
    }
}

#[test]
fn unsafe_code_is_found_and_the_word_alone_is_not() {
    let text = "#![forbid(unsafe_code)]\n// unsafe\nconst S: &str = \"unsafe\";\n";
    assert_eq!(found(unsafe_code, "fuzz/x.rs", text), 0);
    assert_eq!(found(unsafe_code, "fuzz/x.rs", "fn f() {\n    unsafe { g() }\n}\n"), 1);
}

#[test]
fn a_path_of_a_machine_is_found_in_any_file() {
    let text = format!("one\nsee {}me/x\n", "/ho");
    assert_eq!(found(machine_paths, "docs/a.md", &text), 1);
    assert_eq!(found(machine_paths, "docs/a.md", "https://example.org/homepage\n"), 0);
}
