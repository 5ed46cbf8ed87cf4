//! A client to call the proxy, or a server without one.
//!
//! `cargo run --example client -- 127.0.0.1:9000 1 hello`

mod wire;

use std::error::Error;
use std::net::TcpStream;
use std::process::ExitCode;

use {{crate}}::{{type}};

fn main() -> ExitCode {
    match call() {
        Ok(answer) => {
            println!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the call of the command line, and tells what came back.
fn call() -> Result<String, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [address, method, body] = arguments.as_slice() else {
        return Err("usage: client ADDRESS METHOD BODY, such as 127.0.0.1:9000 1 hello".into());
    };
    let method = method.parse().map_err(|e| format!("METHOD: {e}"))?;
    let mut stream = TcpStream::connect(address).map_err(|e| format!("{address}: {e}"))?;
    let request = {{type}}::request(1, method, body.clone());
    wire::send(&mut stream, &request)?;
    let response = wire::receive(&mut stream)?.ok_or("the connection was closed")?;
    let text = String::from_utf8_lossy(&response.body);
    Ok(format!("status {}: {text}", response.status))
}
