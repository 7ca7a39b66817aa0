//! Against OpenSSL's own server, with keys and certificates that OpenSSL has made.

use crate::c;
use crate::client::{Client, Security};
use crate::tools::{self, installed, openssl_server, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An alert: the server found nothing in common.
const HANDSHAKE_FAILURE: u64 = 256 + 40;
const BAD_CERTIFICATE: u64 = 8;

fn openssl(arguments: &[&str]) -> Command {
    let mut command = Command::new(installed("openssl", "broker"));
    command.args(arguments);
    command
}

/// Makes a key: `RSA 2048`, or `EC P-256`.
fn make_key(kind: &str, file: &Path) {
    let (algorithm, size) = kind.split_once(' ').unwrap();
    let option = if algorithm == "RSA" { format!("rsa_keygen_bits:{size}") } else { format!("ec_paramgen_curve:{size}") };
    run(openssl(&["genpkey", "-algorithm", algorithm, "-pkeyopt", &option, "-out"]).arg(file)).well();
}

/// An authority's key and certificate, a server's, and the directory with both.
fn make(authority: &str, server: &str) -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let directory = tools::scratch(&format!("openssl-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    make_key(authority, &directory.join("authority.key"));
    make_key(server, &directory.join("server.key"));
    fs::write(directory.join("extensions"), "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth\n").unwrap();
    let steps: [&[&str]; 4] = [
        &["req", "-x509", "-new", "-key", "authority.key", "-sha256", "-days", "30", "-subj", "/CN=Authority", "-out", "authority.pem"],
        &["x509", "-in", "authority.pem", "-outform", "DER", "-out", "authority.der"],
        &["req", "-new", "-key", "server.key", "-subj", "/CN=localhost", "-out", "server.csr"],
        &[
            "x509", "-req", "-in", "server.csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-sha256", "-days", "30", "-extfile",
            "extensions", "-out", "server.pem",
        ],
    ];
    for step in steps {
        run(openssl(step).current_dir(&directory)).well();
    }
    directory
}

/// What becomes of a client that trusts its authority: `None`, it connects; else the reason of the refusal.
fn connect(directory: &Path, arguments: &[&str]) -> Option<u64> {
    let client = Client::closed();
    assert_eq!(Security::trusting(&fs::read(directory.join("authority.der")).unwrap()).choose(), 0);
    let mut command = openssl(&["s_server", "-cert", "server.pem", "-key", "server.key", "-tls1_3"]);
    let (mut server, port) = openssl_server(command.args(arguments).current_dir(directory));
    assert_eq!(client.connect(port), 0);
    client.poll_until(|_| server.has_written("MQTT")); // CONNECT
    server.write(b"\x20\x02\0\0"); // CONNACK
    let end = client.wait_for_any(&[c::CONNACK_RECEIVED, c::SECURITY]);
    (end.kind == c::SECURITY).then_some(end.number)
}

/// The same, where authority and server have such keys.
fn outcome(authority: &str, server: &str, arguments: &[&str]) -> Option<u64> {
    connect(&make(authority, server), arguments)
}

#[test]
fn p256_is_always_there() {
    assert_eq!(outcome("EC P-256", "EC P-256", &[]), None);
}

#[test]
fn rsa_is_a_feature() {
    let has = cfg!(feature = "rsa");
    assert_eq!(outcome("EC P-256", "RSA 2048", &[]), (!has).then_some(HANDSHAKE_FAILURE));
    assert_eq!(outcome("RSA 2048", "EC P-256", &[]), (!has).then_some(BAD_CERTIFICATE));
}

#[cfg(feature = "rsa")]
#[test]
fn rsa_keys_have_2048_to_4096_bits() {
    for (authority, server) in [("RSA 2048", "RSA 3072"), ("RSA 4096", "RSA 2048"), ("RSA 3072", "RSA 4096")] {
        assert_eq!(outcome(authority, server, &[]), None, "{authority}, {server}");
    }
}

#[test]
fn p384_is_a_feature() {
    for (authority, server) in [("EC P-384", "EC P-256"), ("EC P-256", "EC P-384"), ("EC P-384", "EC P-384")] {
        assert_eq!(outcome(authority, server, &[]), (!cfg!(feature = "p384")).then_some(BAD_CERTIFICATE), "{authority}, {server}");
    }
}

#[test]
fn other_suites_and_groups_are_not_there() {
    assert_eq!(outcome("EC P-256", "EC P-256", &["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"]), Some(HANDSHAKE_FAILURE));
    assert_eq!(outcome("EC P-256", "EC P-256", &["-groups", "X25519"]), Some(HANDSHAKE_FAILURE));
}

#[test]
fn mqtt_is_what_is_spoken() {
    let directory = make("EC P-256", "EC P-256");
    for (protocol, expected) in [("mqtt", None), ("http/1.1", Some(256 + 120))] {
        assert_eq!(connect(&directory, &["-alpn", protocol]), expected, "{protocol}");
    }
}
