//! The binary, as its users run it.
#![cfg(all(feature = "cli", feature = "awesomerpc"))]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Longer than anything takes, on a machine with too much to do.
const PATIENCE: Duration = Duration::from_secs(20);

fn metaproto(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metaproto"));
    command.args(arguments).env_remove("RUST_LOG");
    command
}

fn run(arguments: &[&str]) -> Output {
    metaproto(arguments).output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn file(folder: &Path, content: &str) -> PathBuf {
    let path = folder.join("proxy.yaml");
    std::fs::write(&path, content).expect("a file can be written");
    path
}

const FLAGS: [&str; 7] =
    ["proxy", "--protocol", "awesomerpc", "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:9"];

#[test]
fn a_good_file_is_summed_up_in_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run(&[&FLAGS[..], &["--print-config"]].concat());
    assert!(printed.status.success());
    let path = file(folder.path(), &text(&printed.stdout));
    let path = path.to_str().unwrap();
    let checked = run(&["check", path]);
    assert_eq!(checked.status.code(), Some(0));
    let summary = format!("{path} is good: 1 listener, 1 route, 1 cluster, 1 endpoint\n");
    assert_eq!(text(&checked.stdout), summary);
    let again = run(&["proxy", "-c", path, "--print-config"]);
    assert_eq!(text(&again.stdout), text(&printed.stdout));
}

#[test]
fn a_bad_file_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "listeners:\n- address: x\n  protocol: awesomerpc\n");
    let expected = format!(
        "metaproto: {}:2:12: listeners[0].address: \"x\" is not an address; \
         write it like 127.0.0.1:9000\n",
        path.display()
    );
    for arguments in [["check"].as_slice(), ["proxy", "-c"].as_slice()] {
        let refused = run(&[arguments, &[path.to_str().unwrap()]].concat());
        assert_eq!(refused.status.code(), Some(1));
        assert_eq!(text(&refused.stderr), expected);
    }
}

#[test]
fn flags_amount_to_a_file() {
    let more = [
        "--upstream",
        "127.0.0.1:8",
        "--upstream-mode",
        "exclusive",
        "--balance",
        "least_request",
        "--timeout",
        "1s",
        "--connect-timeout",
        "250ms",
        "--idle-timeout",
        "none",
        "--max-frame",
        "64KiB",
        "--drain-timeout",
        "5s",
        "--workers",
        "1",
        "--admin",
        "127.0.0.1:9901",
        "--print-config",
    ];
    let printed = run(&[&FLAGS[..], &more].concat());
    let expected = "\
workers: 1
drain_timeout: 5s
admin:
  address: 127.0.0.1:9901
listeners:
- address: 127.0.0.1:0
  protocol: awesomerpc
  routes:
  - cluster: upstream
    timeout: 1s
  max_frame: 64KiB
  idle_timeout: none
clusters:
  upstream:
    endpoints:
    - 127.0.0.1:9
    - 127.0.0.1:8
    balance: least_request
    upstream_mode: exclusive
    connect_timeout: 250ms
";
    assert_eq!(text(&printed.stdout), expected);
}

#[test]
fn a_wrong_command_line_ends_with_2_and_a_wrong_value_with_1() {
    for arguments in [
        ["proxy"].as_slice(),
        &["proxy", "--protocol", "awesomerpc"],
        &["proxy", "-c", "x", "--protocol", "awesomerpc"],
        &[&FLAGS[..], &["--timeout", "5"]].concat(),
        &[&FLAGS[..], &["--upstream-mode", "some"]].concat(),
        &[&FLAGS[..], &["--workers", "0"]].concat(),
        &["check"],
    ] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let unknown = run(&FLAGS.map(|word| if word == "awesomerpc" { "smoke" } else { word }));
    assert_eq!(unknown.status.code(), Some(1));
    let error = text(&unknown.stderr);
    assert!(error.starts_with("metaproto: --protocol: no protocol named \"smoke\""), "{error}");
}

#[test]
fn protocols_are_listed_with_what_they_can_do() {
    let listed = text(&run(&["protocols"]).stdout);
    assert!(listed.starts_with("awesomerpc\n"), "{listed}");
    assert!(listed.contains("  responses     by an id of 32 bits\n"), "{listed}");
    assert!(listed.contains("  property      cmd (set)\n"), "{listed}");
}

fn documentation() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    std::fs::read_to_string(path).expect("the documentation is there")
}

#[test]
fn the_files_in_the_documentation_are_good() {
    let folder = tempfile::tempdir().unwrap();
    let page = documentation();
    let examples: Vec<_> = page.split("```yaml\n").skip(1).collect();
    assert!(examples.len() >= 5);
    for example in examples {
        let path = file(folder.path(), example.split("```").next().unwrap());
        let checked = run(&["check", "--offline", path.to_str().unwrap()]);
        assert!(checked.status.success(), "{}\n{example}", text(&checked.stderr));
    }
}

/// The keys are those that a file with an unknown one is told.
#[test]
fn every_key_is_in_the_documentation() {
    let folder = tempfile::tempdir().unwrap();
    let page = documentation();
    for content in [
        "x: 1",
        "admin: {x: 1}",
        "listeners: [{x: 1}]",
        "listeners: [{protocol: {x: 1}}]",
        "listeners: [{routes: [{x: 1}]}]",
        "listeners: [{routes: [{clusters: [{x: 1}]}]}]",
        "listeners: [{routes: [{match: [{x: 1}]}]}]",
        "listeners: [{routes: [{match: [{range: {x: 1}}]}]}]",
        "listeners: [{routes: [{request: {x: 1}}]}]",
        "clusters: {c: {x: 1}}",
        "clusters: {c: [{x: 1}]}",
        "clusters: {c: {keepalive: {x: 1}}}",
        "clusters: {c: {balance: x}}",
        "clusters: {c: {balance: {x: 1}}}",
        "clusters: {c: {hash: {x: 1}}}",
        "clusters: {c: {subset_fallback: x}}",
        "clusters: {c: {upstream_mode: x}}",
    ] {
        let path = file(folder.path(), content);
        let error = text(&run(&["check", path.to_str().unwrap()]).stderr);
        let (_, known) = error.split_once("known are: ").unwrap_or_else(|| panic!("{error}"));
        for key in known.trim().split(", ") {
            let told = page.contains(&format!("`{key}`")) || page.contains(&format!("{key}: "));
            assert!(told, "{key} of {content} is missing");
        }
    }
}

/// A proxy that runs, with what it logs. Killed when it is dropped.
struct Running {
    process: Child,
    lines: mpsc::Receiver<String>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut process =
            metaproto(arguments).stderr(Stdio::piped()).spawn().expect("the binary runs");
        let log = BufReader::new(process.stderr.take().expect("a pipe"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            log.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Running { process, lines }
    }

    /// The next line that holds this text.
    fn line(&self, holds: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|e| panic!("{holds}: {e}"));
            if line.contains(holds) {
                return line;
            }
        }
    }

    fn admin(&self) -> String {
        let line = self.line("(admin)");
        line.split_whitespace().rev().nth(1).expect("an address").to_owned()
    }

    fn signal(&self, name: &str) {
        let process = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status();
        assert!(sent.expect("kill is there").success());
    }

    fn ended(&mut self) -> Option<i32> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(status) = self.process.try_wait().expect("it is a child") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn fetch(address: &str, path: &str) -> String {
    let mut client = TcpStream::connect(address).expect("it listens");
    write!(client, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .expect("it reads");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn a_running_proxy_says_where_and_ends_cleanly_when_asked() {
    for signal in ["TERM", "INT"] {
        let mut proxy = Running::start(&[&FLAGS[..], &["--admin", "127.0.0.1:0"]].concat());
        let line = proxy.line("listening on 127.0.0.1:");
        assert!(line.ends_with(" (awesomerpc)"), "{line}");
        let admin = proxy.admin();
        assert!(fetch(&admin, "/ready").starts_with("HTTP/1.1 200 "));
        assert!(fetch(&admin, "/metrics").contains("metaproto_build_info{"));
        proxy.signal(signal);
        assert_eq!(proxy.ended(), Some(0));
    }
}

#[test]
fn a_good_change_is_applied_and_a_bad_one_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let content = |timeout: &str| {
        format!(
            "admin: {{address: 127.0.0.1:0}}\nlisteners:\n- address: 127.0.0.1:0\n  \
             protocol: awesomerpc\n  idle_timeout: {timeout}\n  upstream: [127.0.0.1:9]\n"
        )
    };
    let path = file(folder.path(), &content("1s"));
    let proxy = Running::start(&["proxy", "-c", path.to_str().unwrap()]);
    let admin = proxy.admin();
    assert!(fetch(&admin, "/config").contains("idle_timeout: 1s\n"));
    file(folder.path(), &content("2s"));
    proxy.line("is applied");
    assert!(fetch(&admin, "/config").contains("idle_timeout: 2s\n"));
    file(folder.path(), &content("soon"));
    let error = proxy.line("listeners[0].idle_timeout: \"soon\" is not a duration");
    assert!(error.ends_with("; the running configuration stays"), "{error}");
    assert!(fetch(&admin, "/config").contains("idle_timeout: 2s\n"));
    file(folder.path(), &content("2s"));
    proxy.signal("HUP");
    proxy.line("is applied");
    assert!(fetch(&admin, "/ready").starts_with("HTTP/1.1 200 "));
}

#[test]
fn an_admin_address_that_is_taken_ends_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut proxy = Running::start(&[&FLAGS[..], &["--admin", &address]].concat());
    proxy.line(&format!("can't listen on {address} for admin"));
    assert_eq!(proxy.ended(), Some(1));
}

#[test]
fn a_new_crate_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let new = |name: &str| {
        let mut command = metaproto(&["new", name]);
        command.current_dir(folder.path()).output().expect("the binary runs")
    };
    let written = new("pelican");
    assert!(written.status.success(), "{}", text(&written.stderr));
    assert!(text(&written.stdout).starts_with("pelican is written to pelican:\n"));
    assert!(folder.path().join("pelican/Cargo.toml").is_file());
    let again = new("pelican");
    assert_eq!(again.status.code(), Some(1));
    let error = "metaproto: pelican exists already and stays as it is; \
                 name another folder with --path\n";
    assert_eq!(text(&again.stderr), error);
    let wrong = new("Pelican");
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("; try pelican\n"), "{}", text(&wrong.stderr));
}
