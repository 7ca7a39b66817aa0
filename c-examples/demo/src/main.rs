//! Plays the session of the μTasker MQTT document: starts an MQTT broker and the `cli` example, types
//! the document's commands and insists on the document's answers.
//!
//! ```text
//! make -C c-examples                       the library and the C programs
//! cd c-examples/demo && cargo run          against a broker inside the demo
//! BROKER=host:port cargo run               against a running one
//! ```

mod broker;
mod session;
mod terminal;

use std::env;
use std::error::Error;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use terminal::Terminal;

const CLI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/c-examples/cli");

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\ndemo: FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let cli = PathBuf::from(env::args_os().nth(1).unwrap_or(CLI.into()));
    if !cli.is_file() {
        return Err(format!(
            "{} is missing: `make -C c-examples` builds it",
            cli.display()
        )
        .into());
    }

    let broker = match env::var("BROKER") {
        Ok(name) => {
            let address = resolve(&name)?;
            println!("== Using the MQTT broker at {address}");
            address
        }
        Err(_) => {
            let address = broker::start()?;
            println!("== Started an MQTT broker at {address}");
            address
        }
    };

    println!("== Starting the cli example");
    let mut terminal = Terminal::open(&cli, &["-p", &broker.port().to_string()])?;
    terminal.wait_for_prompt()?;

    let steps = session::steps(&broker.ip().to_string());
    for step in &steps {
        if let Some(title) = step.title {
            terminal.show_title(title);
        }
        terminal.play(step)?;
    }
    terminal.leave("quit")?;

    println!(
        "\n== All {} commands were answered as in the document ({} ms)",
        steps.len(),
        started.elapsed().as_millis()
    );
    Ok(())
}

/// The menu takes an address, not a name: the broker's first IPv4 address, else its first one.
fn resolve(name: &str) -> Result<SocketAddr, String> {
    let mut addresses: Vec<SocketAddr> = name
        .to_socket_addrs()
        .map_err(|error| format!("BROKER={name} is not host:port: {error}"))?
        .collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses
        .first()
        .copied()
        .ok_or(format!("BROKER={name} has no address"))
}
