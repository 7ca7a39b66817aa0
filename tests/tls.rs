//! TLS against a server of the tests' own, in this process: every way to break the rules, at every step.
#![cfg(feature = "secure-mqtt")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

#[path = "tls/certificates.rs"]
mod certificates;
#[cfg(feature = "client-certificate")]
#[path = "tls/client_certificate.rs"]
mod client_certificate;
#[path = "tls/credentials.rs"]
mod credentials;
#[path = "tls/fuzz.rs"]
mod fuzz;
#[path = "tls/handshakes.rs"]
mod handshakes;
#[path = "tls/hostile.rs"]
mod hostile;
#[cfg(feature = "psk")]
#[path = "tls/pre_shared_key.rs"]
mod pre_shared_key;
#[path = "support/random.rs"]
mod random;
#[path = "tls/recording.rs"]
mod recording;
#[path = "tls/server.rs"]
mod server;
#[path = "tls/traffic.rs"]
mod traffic;
#[path = "tls/trust.rs"]
mod trust;
#[path = "tls/wiping.rs"]
mod wiping;
#[path = "tls/wire.rs"]
mod wire;
