//! The MQTT broker inside the demo: a thread of this process on a free loopback port.
//!
//! mqtt5 answers every packet of this session as Mosquitto 2.0 does. rumqttd 0.20 does not: messages
//! come back at the subscription's QoS even if published with less [MQTT-3.8.4-6], a repeated QoS 2
//! publication is delivered twice, and unsubscribing an unknown filter gets no UNSUBACK.

use crate::certificates::{Certificates, Identity};
use mqtt5::broker::config::{AuthConfig, StorageBackend, StorageConfig, TlsConfig};
use mqtt5::broker::{BrokerConfig, MqttBroker};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use tokio::runtime;

/// Starts the broker and returns where it listens; with certificates, for secure connections of
/// clients that have one. It ends with the process.
pub fn start(certificates: Option<&Certificates>) -> Result<SocketAddr, Box<dyn Error>> {
    let config = BrokerConfig::new()
        .with_auth(AuthConfig::new().with_allow_anonymous(true))
        .with_storage(StorageConfig::new().with_backend(StorageBackend::Memory));
    let mut address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let config = match certificates {
        None => config.with_bind_address(address),
        Some(certificates) => {
            // The broker would not tell which port it was given: it gets one that is free.
            address = TcpListener::bind(address)?.local_addr()?;
            let Identity { certificate, key } = &certificates.broker;
            let tls = TlsConfig::new(certificate.clone(), key.clone())
                .with_ca_file(certificates.authority.clone())
                .with_require_client_cert(true)
                .with_bind_address(address);
            config.with_bind_addresses(Vec::new()).with_tls(tls)
        }
    };

    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut broker = runtime.block_on(MqttBroker::with_config(config))?;
    let address = broker.local_addr().unwrap_or(address);

    // The port is bound: who connects before the thread runs waits in the listener's queue.
    thread::spawn(move || {
        if let Err(error) = runtime.block_on(broker.run()) {
            eprintln!("demo: the broker stopped: {error}");
        }
    });
    Ok(address)
}
