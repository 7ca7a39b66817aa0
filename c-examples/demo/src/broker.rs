//! The MQTT broker inside the demo: a thread of this process on a free loopback port.
//!
//! mqtt5 answers every packet of this session as Mosquitto 2.0 does. rumqttd 0.20 does not: messages
//! come back at the subscription's QoS even if published with less [MQTT-3.8.4-6], a repeated QoS 2
//! publication is delivered twice, and unsubscribing an unknown filter gets no UNSUBACK.

use mqtt5::broker::config::{AuthConfig, StorageBackend, StorageConfig};
use mqtt5::broker::{BrokerConfig, MqttBroker};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use tokio::runtime;

/// Starts the broker and returns where it listens. It ends with the process.
pub fn start() -> Result<SocketAddr, Box<dyn Error>> {
    let config = BrokerConfig::new()
        .with_bind_address((Ipv4Addr::LOCALHOST, 0))
        .with_auth(AuthConfig::new().with_allow_anonymous(true))
        .with_storage(StorageConfig::new().with_backend(StorageBackend::Memory));

    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut broker = runtime.block_on(MqttBroker::with_config(config))?;
    let address = broker.local_addr().ok_or("the broker does not listen")?;

    // The port is bound: who connects before the thread runs waits in the listener's queue.
    thread::spawn(move || {
        if let Err(error) = runtime.block_on(broker.run()) {
            eprintln!("demo: the broker stopped: {error}");
        }
    });
    Ok(address)
}
