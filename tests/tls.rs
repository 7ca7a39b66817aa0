//! TLS against a server of the tests' own, in this process: every way to break the rules, at every step.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]
#![cfg_attr(not(feature = "secure-mqtt"), allow(dead_code, reason = "without certificates less is needed"))]

#[path = "tls/certificates.rs"]
mod certificates;
#[cfg(feature = "secure-mqtt")]
#[path = "tls/choices.rs"]
mod choices;
#[cfg(feature = "client-certificate")]
#[path = "tls/client_certificate.rs"]
mod client_certificate;
#[path = "tls/credentials.rs"]
mod credentials;
#[path = "tls/encounter.rs"]
mod encounter;
#[cfg(feature = "secure-mqtt")]
#[path = "tls/fuzz.rs"]
mod fuzz;
#[cfg(feature = "secure-mqtt")]
#[path = "tls/handshakes.rs"]
mod handshakes;
#[cfg(feature = "secure-mqtt")]
#[path = "tls/hostile.rs"]
mod hostile;
#[cfg(feature = "secure-mqtt")]
#[path = "tls/keys.rs"]
mod keys;
#[cfg(feature = "secure-mqtt")]
#[path = "tls/lies.rs"]
mod lies;
#[cfg(feature = "secure-mqtt")]
#[path = "tls/messages.rs"]
mod messages;
#[cfg(feature = "psk")]
#[path = "tls/pre_shared_key.rs"]
mod pre_shared_key;
#[path = "support/random.rs"]
mod random;
#[cfg(any(feature = "secure-mqtt", feature = "psk"))]
#[path = "tls/recording.rs"]
mod recording;
#[path = "tls/server.rs"]
mod server;
#[cfg(feature = "secure-mqtt")]
#[path = "tls/traffic.rs"]
mod traffic;
#[cfg(feature = "secure-mqtt")]
#[path = "tls/trust.rs"]
mod trust;
#[cfg(feature = "secure-mqtt")]
#[path = "tls/wiping.rs"]
mod wiping;
#[path = "tls/wire.rs"]
mod wire;
