//! A client and a server of AwesomeRPC to play with.
//!
//! ```text
//! cargo run --release --example awesomerpc -- serve --listen 127.0.0.1:9001 --name v1
//! cargo run --release --example awesomerpc -- call 127.0.0.1:9001 --cmd 100 hello
//! ```

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use metaproto_awesomerpc::AwesomeRpc;
use metaproto_examples::{Client, Server, describe, reply};
use tokio::task::JoinSet;

/// A client and a server of AwesomeRPC to play with.
#[derive(Debug, Parser)]
#[command(name = "awesomerpc")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer every request with a name and what it carries
    Serve(Serve),
    /// Send requests and print the responses; exits with 1 if a call failed
    Call(Call),
}

#[derive(Debug, Args)]
struct Serve {
    /// Address to listen on
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9001")]
    listen: String,

    /// Name that the responses begin with
    #[arg(long, default_value = "v1")]
    name: String,

    /// How long an answer takes, such as 10ms
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = humantime::parse_duration)]
    delay: Duration,

    /// Answer every Nth request with the application's error 1
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    fail_every: u64,
}

#[derive(Debug, Args)]
struct Call {
    /// Server or proxy to call
    #[arg(value_name = "HOST:PORT")]
    address: String,

    /// What to call
    #[arg(long, default_value_t = 1, allow_negative_numbers = true)]
    cmd: i16,

    /// How many calls to make
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,

    /// How many of them at a time, on one connection
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: u32,

    /// What the requests carry
    #[arg(default_value = "hello")]
    body: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve(arguments) => serve(arguments).await.map(|()| ExitCode::SUCCESS),
        Command::Call(arguments) => call(arguments).await,
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("awesomerpc: {error}");
        ExitCode::FAILURE
    })
}

async fn serve(arguments: Serve) -> Result<(), Box<dyn Error>> {
    let Serve { listen, name, delay, fail_every } = arguments;
    let (shown, served) = (name.clone(), AtomicU64::new(0));
    let answer = move |request: AwesomeRpc| {
        let count = served.fetch_add(1, Ordering::Relaxed) + 1;
        let fails = fail_every > 0 && count.is_multiple_of(fail_every);
        let response = if fails {
            reply(&request, 1, format!("{name} fails"))
        } else {
            reply(&request, 0, [name.as_bytes(), b": ", &request.body].concat())
        };
        async move {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            Some(response)
        }
    };
    let server = Server::start(&listen, answer).await.map_err(|e| format!("{listen}: {e}"))?;
    println!("{shown} serves awesomerpc on {}; Ctrl-C ends it", server.address());
    tokio::select! {
        () = server.run() => Err("can't accept any longer".into()),
        stopped = metaproto_proxy::stop_signal() => Ok(stopped?),
    }
}

/// How calls ended.
#[derive(Debug, Default)]
struct Tally {
    /// What came back, and how often.
    answers: BTreeMap<String, u32>,
    times: Vec<Duration>,
    failed: u32,
}

async fn call(arguments: Call) -> Result<ExitCode, Box<dyn Error>> {
    let address = &arguments.address;
    let client = Client::connect(address).await.map_err(|e| format!("{address}: {e}"))?;
    let (tally, made) = (Arc::new(Mutex::new(Tally::default())), Arc::new(AtomicU32::new(0)));
    let (arguments, began) = (Arc::new(arguments), Instant::now());
    let mut callers = JoinSet::new();
    for _ in 0..arguments.concurrency.min(arguments.count) {
        let (client, arguments) = (client.clone(), arguments.clone());
        let (tally, made) = (tally.clone(), made.clone());
        callers.spawn(async move {
            while made.fetch_add(1, Ordering::Relaxed) < arguments.count {
                let sent = Instant::now();
                let response = client.call(arguments.cmd, arguments.body.clone()).await;
                let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                tally.add(&response, sent.elapsed());
            }
        });
    }
    callers.join_all().await;
    let tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
    tally.print(began.elapsed());
    Ok(if tally.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Tally {
    fn add(&mut self, response: &io::Result<AwesomeRpc>, time: Duration) {
        let answer = match response {
            Ok(response) => describe(response),
            Err(error) => format!("no response: {error}"),
        };
        self.failed += u32::from(!response.as_ref().is_ok_and(|response| response.rsp_code == 0));
        *self.answers.entry(answer).or_default() += 1;
        self.times.push(time);
    }

    /// One call is one line. Of several, equal answers are one line, and a summary follows.
    fn print(&self, took: Duration) {
        let one = self.times.len() == 1;
        let mut answers: Vec<_> = self.answers.iter().collect();
        answers.sort_by_key(|(_, count)| Reverse(**count));
        for (answer, count) in answers {
            let times = if one { String::new() } else { format!("{count:6} x ") };
            println!("{times}{answer}");
        }
        if one {
            return;
        }
        let mut times = self.times.clone();
        times.sort_unstable();
        let at = |percent: usize| times.get(times.len() * percent / 100);
        let (median, p99) =
            (at(50).copied().unwrap_or_default(), at(99).copied().unwrap_or_default());
        let (calls, failed) = (times.len(), self.failed);
        println!(
            "{calls} calls, {failed} failed, in {took:.1?}; median {median:.1?}, 99 % within {p99:.1?}"
        );
    }
}
