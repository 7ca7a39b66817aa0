//! Secure connections through the C border, over real sockets, against Mosquitto and OpenSSL.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]
#![cfg_attr(not(feature = "secure-mqtt"), allow(dead_code, reason = "without certificates less is needed"))]

// Links the library.
use utasker_mqtt as _;

#[path = "tls_border/archive.rs"]
mod archive;
#[path = "mosquitto/mod.rs"]
mod broker;
#[path = "abi/c.rs"]
#[allow(dead_code, reason = "not every test needs all of it")]
mod c;
#[path = "tls/certificates.rs"]
mod certificates;
#[cfg(feature = "secure-mqtt")]
#[path = "tls_border/choosing.rs"]
mod choosing;
#[path = "tls_border/client.rs"]
mod client;
#[cfg(feature = "secure-mqtt")]
#[path = "tls_border/deadlines.rs"]
mod deadlines;
#[cfg(feature = "secure-mqtt")]
#[path = "tls_border/mosquitto.rs"]
mod mosquitto;
#[cfg(feature = "secure-mqtt")]
#[path = "tls_border/openssl.rs"]
mod openssl;
#[cfg(feature = "psk")]
#[path = "tls_border/pre_shared_key.rs"]
mod pre_shared_key;
#[path = "tls/server.rs"]
#[allow(dead_code, reason = "not every test needs all of it")]
mod server;
mod tools;
