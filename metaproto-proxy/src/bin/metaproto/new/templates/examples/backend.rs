//! A server to stand behind the proxy: answers what it is asked with its address and the same body.
//!
//! `cargo run --example backend -- 127.0.0.1:9001 127.0.0.1:9002`

mod wire;

use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;

use {{crate}}::{{type}};
use {{crate}}::{kind, status};

fn main() -> ExitCode {
    if let Err(error) = run() {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Serves at the addresses of the command line.
fn run() -> Result<(), Box<dyn Error>> {
    let addresses: Vec<_> = std::env::args().skip(1).collect();
    if addresses.is_empty() {
        return Err("usage: backend ADDRESS..., such as 127.0.0.1:9001".into());
    }
    let mut servers = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(&address).map_err(|e| format!("{address}: {e}"))?;
        println!("listening on {}", listener.local_addr()?);
        servers.push(thread::spawn(|| accept(listener)));
    }
    for server in servers {
        server.join().map_err(|_| "a server has panicked")??;
    }
    Ok(())
}

fn accept(listener: TcpListener) -> io::Result<()> {
    let address = listener.local_addr()?;
    loop {
        let (stream, _) = listener.accept()?;
        thread::spawn(move || {
            if let Err(error) = serve(stream, address) {
                eprintln!("{address}: {error}");
            }
        });
    }
}

fn serve(mut stream: TcpStream, address: SocketAddr) -> io::Result<()> {
    stream.set_nodelay(true)?;
    while let Some(request) = wire::receive(&mut stream)? {
        let {{type}} {
            kind, method, body, ..
        } = &request;
        println!("{address}: kind {kind}, method {method}, {body:?}");
        match *kind {
            kind::REQUEST => {
                let text = format!("{address} says: {}", String::from_utf8_lossy(body));
                wire::send(&mut stream, &request.response(status::OK, text))?;
            }
            kind::PING => {
                let pong = {{type}} {
                    kind: kind::PONG,
                    ..request
                };
                wire::send(&mut stream, &pong)?;
            }
            _ => {}
        }
    }
    Ok(())
}
