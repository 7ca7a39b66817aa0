//! The C programs against Mosquitto, with Mosquitto's own clients on the other side.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

#[path = "mosquitto/mod.rs"]
mod broker;
#[path = "mosquitto/capture.rs"]
mod capture;
#[path = "mosquitto/endings.rs"]
mod endings;
#[path = "mosquitto/menu.rs"]
mod menu;
#[path = "mosquitto/messages.rs"]
mod messages;
#[path = "mosquitto/options.rs"]
mod options;
#[path = "support/random.rs"]
#[allow(dead_code, reason = "not every test needs all of it")]
mod random;
#[path = "mosquitto/refusals.rs"]
mod refusals;
#[path = "mosquitto/secure.rs"]
mod secure;
#[path = "mosquitto/security_options.rs"]
mod security_options;
#[path = "mosquitto/sessions.rs"]
mod sessions;
mod tools;
