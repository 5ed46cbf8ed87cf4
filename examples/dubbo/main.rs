//! A client and a server of Dubbo to play with: calls that take texts and answer with a text, in
//! Hessian 2.
//!
//! ```text
//! cargo run --release --example dubbo -- serve --listen 127.0.0.1:20881 --tag v1
//! cargo run --release --example dubbo -- call 127.0.0.1:20881 org.example.Users/find anna
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use metaproto_core::{
    Auto, Bytes, BytesMut, CodecContext, Frame, Limits, MessageKind, Metadata, Side,
};
use metaproto_dubbo::hessian::{Cursor, Tables, Value, write_int, write_text};
use metaproto_dubbo::{Dubbo, Message};
use metaproto_examples::{Frames, Server, send};
use tokio::net::TcpStream;

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

/// The answer to a message, if it wants one.
fn answer(tag: &str, message: &Message) -> Option<Message> {
    let mut wire = BytesMut::new();
    message.write(&mut wire).ok()?;
    let context = CodecContext::new(Side::Downstream, Limits::default());
    let mut codec = Dubbo::protocol().codec(&context);
    let mut metadata = Metadata::new();
    codec.decode(wire.freeze(), &mut metadata).ok()?;
    let mut out = BytesMut::new();
    match metadata.kind {
        MessageKind::Ping => {
            codec.pong(&metadata, &mut out).ok()?;
            return Message::read(out.freeze()).ok();
        }
        MessageKind::Request => {}
        _ => return None,
    }
    let told = |name: &str| metadata.property(name).map(|value| value.to_text().into_owned());
    let arguments = (0..).map_while(|number| told(&format!("argument.{number}")));
    let called = metadata.operation().map(|operation| operation.to_text().into_owned());
    let text = format!(
        "{tag}: {}({}) version {}",
        called.unwrap_or_default(),
        arguments.collect::<Vec<_>>().join(", "),
        told("version").unwrap_or_default(),
    );
    write_int(1, &mut out); // a value, without attachments
    write_text(&text, &mut out);
    Some(Message { flags: 2, status: 20, length: Auto::new(), body: out.freeze(), ..*message })
}

/// What is said to a server.
fn request(id: u64, call: &Call) -> Message {
    let (interface, method) = &call.operation;
    let types = "Ljava/lang/String;".repeat(call.arguments.len());
    let mut body = BytesMut::new();
    for text in ["2.0.2", interface, &call.version, method, &types] {
        write_text(text, &mut body);
    }
    call.arguments.iter().for_each(|argument| write_text(argument, &mut body));
    body.extend_from_slice(b"H");
    for (name, value) in &call.attachments {
        write_text(name, &mut body);
        write_text(value, &mut body);
    }
    body.extend_from_slice(b"Z");
    Message { flags: 0xc2, status: 0, id, length: Auto::new(), body: body.freeze() }
}

async fn call(call: &Call) -> Result<ExitCode, Box<dyn Error>> {
    let address = &call.address;
    let stream = TcpStream::connect(address).await.map_err(|e| format!("{address}: {e}"))?;
    let (read, mut write) = stream.into_split();
    let mut responses = Frames::new(read);
    let mut answers = BTreeMap::new();
    let mut failed = false;
    for id in 1..=call.count {
        send(&mut write, &request(id, call)).await?;
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

/// The text of a response, which is behind the type of the result or is all that an error says.
fn describe(response: &Message) -> String {
    let body: &Bytes = &response.body;
    let mut tables = Tables::default();
    let mut values = Cursor::new(body, 0, &mut tables);
    let first = values.value();
    let text = if response.status == 20 { values.value() } else { first };
    match text {
        Ok(Value::Text(text)) => format!("status {}: {}", response.status, text.to_text()),
        _ => format!("status {}: {} bytes", response.status, body.len()),
    }
}
