//! Plays the session of the μTasker MQTT document: starts an MQTT broker and the `cli` example, types
//! the document's commands and insists on the document's answers.
//!
//! ```text
//! make -C c-examples                       the library and the C programs
//! cd c-examples/demo && cargo run          against a broker inside the demo
//! BROKER=host:port cargo run               against a running one
//! SECURE=1 cargo run                       over a secure connection, after `make -C c-examples SECURE=1`
//! ```

mod broker;
mod certificates;
mod session;
mod terminal;

use std::env;
use std::error::Error;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use terminal::Terminal;

const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target");

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
    // As make has it: a variable that is empty is not set.
    let secure = env::var_os("SECURE").is_some_and(|value| !value.is_empty());
    let target = Path::new(TARGET);
    let cli = target.join(if secure {
        "c-examples-secure/cli"
    } else {
        "c-examples/cli"
    });
    let cli = env::args_os().nth(1).map_or(cli, PathBuf::from);
    if !cli.is_file() {
        return Err(format!(
            "{} is missing: `make -C c-examples` builds it",
            cli.display()
        )
        .into());
    }

    let mut options = Vec::new();
    let broker = match env::var("BROKER") {
        Ok(_) if secure => return Err("of BROKER and SECURE only one can be set".into()),
        Ok(name) => {
            let address = resolve(&name)?;
            println!("== Using the MQTT broker at {address}");
            address
        }
        Err(_) if secure => {
            let certificates = certificates::make(&target.join("demo-certificates"))?;
            let address = broker::start(Some(&certificates))?;
            println!(
                "== Started an MQTT broker at {address}, for secure connections of clients with a certificate"
            );
            options = certificates.options();
            address
        }
        Err(_) => {
            let address = broker::start(None)?;
            println!("== Started an MQTT broker at {address}");
            address
        }
    };
    options.extend(["-p".into(), broker.port().to_string().into()]);

    println!("== Starting the cli example");
    let mut terminal = Terminal::open(&cli, &options)?;
    terminal.wait_for_prompt()?;

    let connect = if secure { "mqtts_con" } else { "mqtt_con" };
    let steps = session::steps(connect, &broker.ip().to_string());
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
