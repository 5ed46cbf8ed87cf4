//! A client and a server of Dubbo to play with: calls that take texts and answer with a text, in
//! Hessian 2.
//!
//! ```text
//! cargo run --release --example dubbo -- serve --listen 127.0.0.1:20881 --tag v1
//! cargo run --release --example dubbo -- call 127.0.0.1:20881 org.example.Users/find anna
//! ```

mod messages;

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use metaproto_dubbo::Message;
use metaproto_examples::{Frames, Server, send};
use tokio::net::TcpStream;

use self::messages::{Called, answer, describe, request};

/// A client and a server of Dubbo to play with.
#[derive(Debug, Parser)]
#[command(name = "dubbo")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer every call with a tag and what was called
    Serve(Serve),
    /// Call a method and print what comes back; exits with 1 if the call failed
    Call(Call),
}

#[derive(Debug, Args)]
struct Serve {
    /// Address to listen on
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:20881")]
    listen: String,

    /// Text that the answers begin with
    #[arg(long, default_value = "v1")]
    tag: String,
}

#[derive(Debug, Args)]
struct Call {
    /// Server or proxy to call
    #[arg(value_name = "HOST:PORT")]
    address: String,

    /// What to call
    #[arg(value_name = "INTERFACE/METHOD", value_parser = operation)]
    operation: (String, String),

    /// The texts that it is called with
    arguments: Vec<String>,

    /// The version of the service
    #[arg(long, default_value = "1.0.0")]
    version: String,

    /// An attachment of the call; may be given again
    #[arg(long = "attach", value_name = "NAME=VALUE", value_parser = attachment)]
    attachments: Vec<(String, String)>,

    /// How many calls to make
    #[arg(long, value_name = "N", default_value_t = 1)]
    count: u64,
}

fn operation(text: &str) -> Result<(String, String), &'static str> {
    let parts = text.rsplit_once('/').ok_or("write it as org.example.Users/find")?;
    Ok((parts.0.to_owned(), parts.1.to_owned()))
}

fn attachment(text: &str) -> Result<(String, String), &'static str> {
    let parts = text.split_once('=').ok_or("write it as tag=canary")?;
    Ok((parts.0.to_owned(), parts.1.to_owned()))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve(arguments) => serve(arguments).await.map(|()| ExitCode::SUCCESS),
        Command::Call(arguments) => call(&arguments).await,
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("dubbo: {error}");
        ExitCode::FAILURE
    })
}

async fn serve(arguments: Serve) -> Result<(), Box<dyn Error>> {
    let Serve { listen, tag } = arguments;
    let shown = tag.clone();
    let server = Server::start(&listen, move |request: Message| {
        let response = answer(&tag, &request);
        async move { response }
    });
    let server = server.await.map_err(|e| format!("{listen}: {e}"))?;
    println!("{shown} serves dubbo on {}; Ctrl-C ends it", server.address());
    tokio::select! {
        () = server.run() => Err("can't accept any longer".into()),
        stopped = metaproto_proxy::stop_signal() => Ok(stopped?),
    }
}

async fn call(call: &Call) -> Result<ExitCode, Box<dyn Error>> {
    let address = &call.address;
    let stream = TcpStream::connect(address).await.map_err(|e| format!("{address}: {e}"))?;
    let (read, mut write) = stream.into_split();
    let mut responses = Frames::new(read);
    let called = Called {
        interface: &call.operation.0,
        method: &call.operation.1,
        version: &call.version,
        arguments: call.arguments.iter().map(String::as_str).collect(),
        attachments: call.attachments.iter().map(|(name, value)| (&**name, &**value)).collect(),
    };
    let mut answers = BTreeMap::new();
    let mut failed = false;
    for id in 1..=call.count {
        send(&mut write, &request(id, &called)).await?;
        let response: Message =
            responses.next().await?.ok_or("the server closed the connection")?;
        failed |= response.status != 20;
        *answers.entry(describe(&response)).or_insert(0) += 1;
    }
    for (answer, count) in answers {
        println!("{count} x {answer}");
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
