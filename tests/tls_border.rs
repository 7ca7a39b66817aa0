//! Secure connections through the C border, over real sockets, against Mosquitto and OpenSSL.
#![cfg(feature = "secure-mqtt")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

// Links the library.
use utasker_mqtt as _;

#[path = "mosquitto/mod.rs"]
mod broker;
#[path = "abi/c.rs"]
#[allow(dead_code, reason = "not every test needs all of it")]
mod c;
#[path = "tls/certificates.rs"]
mod certificates;
#[path = "tls_border/client.rs"]
mod client;
#[path = "tls_border/choosing.rs"]
mod choosing;
#[path = "tls_border/deadlines.rs"]
mod deadlines;
#[path = "tls_border/mosquitto.rs"]
mod mosquitto;
#[path = "tls_border/openssl.rs"]
mod openssl;
#[path = "tls/server.rs"]
#[allow(dead_code, reason = "not every test needs all of it")]
mod server;
mod tools;
