//! Two backends, a proxy before them, a few calls, and what became of them.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener};

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_examples::{Client, describe};
use metaproto_proxy::config::{Config, Protocols};
use metaproto_proxy::counters::{Counters, Outcome as Ending};
use metaproto_proxy::telemetry::admin::Admin;
use metaproto_proxy::{Proxy, stop_signal};

use crate::Outcome;
use crate::backend::Backend;
use crate::report::{heading, row, say};

/// What the proxy runs on, if all its ports are free.
const FILE: &str = include_str!("tour.yaml");

/// How long calls in flight may take to end when the program is asked to stop.
const DRAIN_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// Shows what the proxy does, then stays up until the process is asked to stop.
pub(crate) async fn run() -> Outcome {
    let (v1, mut v2) = (Backend::start("v1", 9001).await?, Backend::start("v2", 9002).await?);
    let file = FILE
        .replace("127.0.0.1:9001", &v1.address().to_string())
        .replace("127.0.0.1:9002", &v2.address().to_string())
        .replace("127.0.0.1:9000", &free(9000)?.to_string())
        .replace("127.0.0.1:9901", &free(9901)?.to_string());
    let config = Config::parse(&file, &Protocols::new().with(AwesomeRpc::protocol()))?;
    let admin_address = config.admin.ok_or("the file has no admin address")?;
    let proxy = Proxy::builder().snapshot(config.snapshot).start()?;
    let address = proxy.addresses().first().ok_or("the file has no listener")?.1;
    let handle = proxy.handle();
    tokio::spawn(Admin::bind(admin_address).await?.serve(handle.clone()));

    let show = async {
        heading("The proxy runs on this file; two backends and a client are in this program, too.");
        file.lines().for_each(say);
        if file != FILE {
            say("# Some of the usual ports are taken; these were free.");
        }
        calls(&Client::connect(address).await?, &mut v2).await?;
        balance(&handle.counters().await);
        invite(address, admin_address);
        std::future::pending::<Outcome>().await
    };
    tokio::select! {
        stopped = stop_signal() => stopped?,
        failed = show => failed?,
    }
    println!("\nDraining: no further clients, and calls in flight have {DRAIN_TIMEOUT:?} to end.");
    handle.drain(DRAIN_TIMEOUT).await;
    println!("Drained.");
    Ok(())
}

/// All calls are made on one connection of one client.
async fn calls(client: &Client, v2: &mut Backend) -> io::Result<()> {
    heading("A call goes where a field of its header says.");
    call(client, 100, "The first route: cmd 100 is for v1.").await?;
    call(client, 200, "The second route: cmd 200 is for v2.").await?;

    heading("Calls are split by weight.");
    hundred(client, "The third route: of ten calls, nine are for v1 and one is for v2.").await?;

    heading("A call that nobody can answer is answered by the proxy, in the protocol.");
    call(client, 7, "No route is for cmd 7. The answer has the call's id, a code and a text.")
        .await?;

    heading("A backend dies.");
    let (in_flight, ()) = tokio::join!(client.call(200, "wait"), async {
        v2.working().await;
        v2.die().await;
    });
    row(
        "cmd 200 \"wait\"",
        &describe(&in_flight?),
        "v2 died with the call. It may have done half of it, so nobody else gets it.",
    );
    call(client, 200, "Nobody listens at v2's address now.").await?;
    call(client, 100, "v1 and the client's connection are as they were.").await?;
    hundred(client, "v2's share of the split fails, v1's does not.").await?;

    heading("The backend comes back.");
    v2.come_back().await?;
    call(client, 200, "The next call connects to it.").await?;
    Ok(())
}

/// Makes one call and tells what came back.
async fn call(client: &Client, cmd: i16, why: &str) -> io::Result<()> {
    let response = client.call(cmd, "hello").await?;
    row(&format!("cmd {cmd} \"hello\""), &describe(&response), why);
    Ok(())
}

/// Makes a hundred calls that are split, and tells how often what came back.
async fn hundred(client: &Client, why: &str) -> io::Result<()> {
    let mut answers: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..100 {
        let response = client.call(300, "hello").await?;
        *answers.entry(describe(&response)).or_default() += 1;
    }
    let mut sent = "100 x cmd 300 \"hello\"";
    let mut answers: Vec<_> = answers.into_iter().collect();
    answers.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let last = answers.len().saturating_sub(1);
    for (at, (answer, count)) in answers.iter().enumerate() {
        row(sent, &format!("{count:>2} x {answer}"), if at == last { why } else { "" });
        sent = "";
    }
    Ok(())
}

fn balance(counters: &Counters) {
    heading("The books balance: each call that was started has ended in one way, or is active.");
    for (name, listener) in &counters.listeners {
        let (started, active) = (listener.started, listener.active);
        let completed = listener.completed.total();
        say(&format!("{name}: {started} started  =  {completed} completed  +  {active} active"));
        for ending in Ending::all().filter(|ending| listener.completed.of(*ending) > 0) {
            let count = listener.completed.of(ending);
            say(&format!("{count:>6}  {:<20}  by the {}", ending.as_str(), ending.origin()));
        }
    }
}

fn invite(address: SocketAddr, admin: SocketAddr) {
    heading("Your turn. Everything stays up until Ctrl-C; from another terminal:");
    say(&format!("cargo run --release --example awesomerpc -- call {address} --cmd 100 hello"));
    say(&format!("curl http://{admin}/metrics"));
}

/// An address on loopback with this port, or with any that is free if it is taken.
fn free(port: u16) -> io::Result<SocketAddr> {
    let bound =
        TcpListener::bind(("127.0.0.1", port)).or_else(|_| TcpListener::bind("127.0.0.1:0"));
    bound?.local_addr()
}
