//! Secure connections, and those that are refused.

use crate::broker::{Broker, Build, certificate, program};
use crate::menu::{User, menu_at_a_telnet_port};
use crate::tools::{Finished, Running, openssl_server, run};
use std::fs;
use std::process::Command;

const BUILDS: [Build; 2] = [Build::Secure, Build::SecureSanitized];
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eFF";

/// What trusts our authority.
fn trusting() -> Vec<String> {
    vec!["--cafile".into(), certificate("ca.crt")]
}

/// The same with a client's certificate.
fn known(name: &str) -> Vec<String> {
    let more = ["--cert".into(), certificate(&format!("{name}.crt")), "--key".into(), certificate(&format!("{name}.key"))];
    [trusting(), more.to_vec()].concat()
}

fn sharing(identity: &str, key: &str) -> Vec<String> {
    ["--psk", key, "--psk-identity", identity].map(String::from).to_vec()
}

/// One of our programs and a broker, by its name.
fn ours(broker: &Broker, build: Build, name: &str, security: &[String]) -> Command {
    let mut command = broker.ours(build, name);
    command.args(["-h", "localhost"]).args(security);
    command
}

/// Publishes and subscribes at each QoS, messages of several sizes.
fn exchanges_messages(broker: &Broker, build: Build, security: &[String]) {
    let file = broker.directory.join("content");
    for qos in ["0", "1", "2"] {
        let mut reader = ours(broker, build, "subscribe", security);
        let reader = broker.subscriber(reader.args(["-t", "t", "-q", qos, "-N", "-C", "3"]), &format!("reader{qos}"), 1);
        let contents = [1, 1400, 100_000].map(|length| (0..length).map(|at| (at * 7 + at / 251) as u8).collect::<Vec<_>>());
        for content in &contents {
            fs::write(&file, content).unwrap();
            run(ours(broker, build, "publish", security).args(["-t", "t", "-q", qos, "-f"]).arg(&file)).well();
        }
        assert!(reader.finish().well().output == contents.concat(), "QoS {qos}");
    }
}

#[test]
fn a_broker_with_a_certificate() {
    let broker = Broker::secure("broker", "");
    BUILDS.iter().for_each(|&build| exchanges_messages(&broker, build, &trusting()));
    assert_ne!(broker.count("p2, c1"), 0, "the broker tells of connections");
}

#[test]
fn a_broker_that_wants_a_certificate() {
    let broker = Broker::secure("broker", "require_certificate true\nuse_identity_as_username true");
    BUILDS.iter().for_each(|&build| exchanges_messages(&broker, build, &known("client")));
    assert_ne!(broker.count("u'device'"), 0, "the broker knows the client by its certificate");
}

#[test]
fn a_broker_with_a_shared_key() {
    let broker = Broker::with_shared_key("me", KEY);
    BUILDS.iter().for_each(|&build| exchanges_messages(&broker, build, &sharing("me", KEY)));
}

#[test]
fn files_may_be_pem_or_der_and_an_authority_one_of_many() {
    let broker = Broker::secure("broker", "require_certificate true");
    let place = |name: &str| broker.directory.join(name).display().to_string();
    let openssl = |arguments: &[&str]| drop(run(Command::new("openssl").args(arguments)).well());
    let [ca, crt, key] = ["ca.crt", "client.crt", "client.key"].map(certificate);
    openssl(&["x509", "-in", &ca, "-outform", "DER", "-out", &place("ca.der")]);
    openssl(&["x509", "-in", &crt, "-outform", "DER", "-out", &place("client.der")]);
    openssl(&["pkcs8", "-topk8", "-nocrypt", "-in", &key, "-outform", "DER", "-out", &place("pkcs8.der")]);
    openssl(&["ec", "-in", &key, "-outform", "DER", "-out", &place("sec1.der")]);
    openssl(&["ec", "-in", &key, "-out", &place("sec1.pem")]);
    openssl(&["x509", "-in", &crt, "-text", "-out", &place("client-with-text.crt")]);
    let other = fs::read_to_string(certificate("other-ca.crt")).unwrap();
    let own = fs::read_to_string(&ca).unwrap();
    fs::write(place("many.crt"), [&*other, &own, &other].concat().replace('\n', "\r\n")).unwrap();
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    fs::write(place("parameters.pem"), [parameters, &fs::read_to_string(place("sec1.pem")).unwrap()].concat()).unwrap();
    openssl(&["x509", "-in", &certificate("other-ca.crt"), "-outform", "DER", "-out", &place("other.der")]);
    fs::write(place("many.der"), ["other.der", "ca.der"].map(|name| fs::read(place(name)).unwrap()).concat()).unwrap();
    let cases = [
        ["ca.der", "client.der", "sec1.der"],
        ["many.crt", "client-with-text.crt", "sec1.pem"],
        ["many.der", "client.der", "pkcs8.der"],
        ["ca.der", "client.der", "parameters.pem"],
    ];
    for build in BUILDS {
        for [ca, crt, key] in cases {
            let files = ["--cafile", &place(ca), "--cert", &place(crt), "--key", &place(key)].map(String::from);
            run(ours(&broker, build, "publish", &files).args(["-t", "t", "-m", "m", "-q", "1"])).well();
        }
    }
}

#[test]
fn the_certificate_may_bear_an_address_or_the_name_that_is_given() {
    let broker = Broker::secure("broker", "");
    let publish = |more: &[&str]| run(broker.ours(Build::Secure, "publish").args(["-t", "t", "-m", "m"]).args(trusting()).args(more));
    publish(&[]).well(); // 127.0.0.1
    publish(&["--servername", "localhost"]).well();
    publish(&["--servername", "10.0.2.2"]).well();
    drop(broker);
    let broker = Broker::secure("wrong-name", "");
    run(ours(&broker, Build::Secure, "publish", &trusting()).args(["-t", "t", "-m", "m", "--servername", "another.test"])).well();
}

/// A program that publishes, and one that subscribes, are refused for a reason.
#[track_caller]
fn refused(broker: &Broker, security: &[String], words: &str) {
    for build in BUILDS {
        for (name, own) in [("publish", ["-m", "m", "-q", "1"]), ("subscribe", ["-W", "60", "-q", "1"])] {
            let Finished { code, output, errors } = run(ours(broker, build, name, security).args(["-t", "t"]).args(own));
            assert_eq!(code, Some(1), "{errors}");
            assert!(output.is_empty());
            assert!(errors.contains(&format!("{name}: ERROR_MQTT_SECURITY (a security check failed): {words}")), "{words}: {errors}");
            assert!(errors.contains(&format!("{name}: no connection to localhost, port {}\n", broker.port)), "{errors}");
        }
    }
    assert_eq!(broker.count("Sending CONNACK"), 0);
    assert_eq!(broker.count("New client connected"), 0);
}

#[test]
fn a_broker_whose_certificate_is_wrong_is_refused() {
    let other = vec!["--cafile".into(), certificate("other-ca.crt")];
    let cases = [
        ("broker", other, "no trusted authority stands for the broker's certificate (1)"),
        ("untrusted", trusting(), "no trusted authority stands for the broker's certificate (1)"),
        ("wrong-name", trusting(), "the broker's certificate is for another name (2)"),
        ("common-name", trusting(), "the broker's certificate is for another name (2)"),
        ("expired", trusting(), "the broker's certificate has expired (3)"),
        ("early", trusting(), "the broker's certificate is not valid yet, or the clock is not set (4)"),
        ("wrong-usage", trusting(), "the broker's certificate is not one of a server, or one of its authorities is none (5)"),
    ];
    for (name, security, words) in cases {
        refused(&Broker::secure(name, ""), &security, words);
    }
}

#[test]
fn a_client_without_the_right_certificate_is_refused() {
    let broker = Broker::secure("broker", "require_certificate true");
    refused(&broker, &trusting(), "the broker wants a client certificate (372)");
    refused(&broker, &known("stranger"), "the broker does not know the authority of our certificate (304)");
}

#[test]
fn a_client_without_the_right_key_is_refused() {
    let broker = Broker::with_shared_key("me", KEY);
    refused(&broker, &sharing("me", &KEY.replace('0', "1")), "the broker does not accept our handshake: a pre-shared key may be another than its own (303)");
    let nothing_in_common = "the broker has no pre-shared key, or no cryptography, in common with us (296)";
    refused(&broker, &sharing("you", KEY), nothing_in_common);
    refused(&broker, &trusting(), nothing_in_common);
}

#[test]
fn a_server_that_speaks_tls_in_another_way_is_refused_with_the_reason() {
    let nothing_in_common = "the broker has no pre-shared key, or no cryptography, in common with us (296)";
    let cases: [(&[&str], &str); 4] = [
        (&["-tls1_2"], "the broker does not speak TLS 1.3 (326)"),
        (&["-groups", "X25519"], nothing_in_common),
        (&["-ciphersuites", "TLS_AES_256_GCM_SHA384"], nothing_in_common),
        (&["-alpn", "http/1.1"], "the broker does not speak MQTT at this port (376)"),
    ];
    for (options, words) in cases {
        let mut command = Command::new("openssl");
        command.args(["s_server", "-cert", &certificate("broker.crt"), "-key", &certificate("broker.key")]);
        let (_server, port) = openssl_server(command.args(options));
        let result = run(program(Build::Secure, "publish").args(["-h", "127.0.0.1", "-p", &port.to_string(), "-t", "t", "-m", "m"]).args(trusting())).with_code(1);
        assert!(result.errors.contains(words), "{options:?}: {}", result.errors);
    }
}

#[test]
fn a_broker_that_speaks_no_tls_is_refused_and_one_that_wants_it_is_told_of() {
    let plain = Broker::open();
    for security in [trusting(), sharing("me", KEY)] {
        let result = run(ours(&plain, Build::Secure, "publish", &security).args(["-t", "t", "-m", "m"])).with_code(1);
        assert!(result.errors.contains("no connection to localhost"), "{}", result.errors);
    }
    assert_eq!(plain.count("New client connected"), 0);
    let secure = Broker::secure("broker", "");
    let result = run(ours(&secure, Build::Secure, "publish", &[]).args(["-t", "t", "-m", "m"])).with_code(1);
    assert!(result.errors.contains("no connection to localhost"), "{}", result.errors);
}

#[test]
fn the_usual_port_is_8883() {
    let result = run(program(Build::Secure, "publish").args(["-h", "name.invalid", "-t", "t", "-m", "m"]).args(trusting())).with_code(1);
    assert!(result.errors.contains("no connection to name.invalid, port 8883"), "{}", result.errors);
}

#[test]
fn subscribe_outlives_a_restart_of_the_broker() {
    for build in BUILDS {
        let mut broker = Broker::secure("broker", "require_certificate true");
        let mut command = ours(&broker, build, "subscribe", &known("client"));
        let client = broker.subscriber(command.args(["-t", "t", "-q", "1", "-C", "2"]), "ours", 1);
        let publish = |broker: &Broker, text: &str| run(ours(broker, build, "publish", &known("client")).args(["-t", "t", "-q", "1", "-m", text])).well();
        publish(&broker, "before");
        broker.wait_for("Received PUBACK from ours", 1);
        broker.stop();
        assert!(broker.start());
        broker.wait_for("Sending SUBACK to ours", 2);
        publish(&broker, "after");
        assert_eq!(client.finish().well().text(), "before\nafter\n");
    }
}

#[test]
fn the_menu_connects_securely() {
    let broker = Broker::secure("broker", "require_certificate true");
    for build in BUILDS {
        for command in ["mqtts_con 127.0.0.1", "mqttps_con"] {
            let identifier = format!("{build:?}-{}", &command[..6]);
            let mut menu = Running::start(ours(&broker, build, "cli", &known("client")).args(["-i", &identifier]));
            menu.write(format!("{command}\n").as_bytes());
            broker.wait_for(&format!("Sending CONNACK to {identifier}"), 1);
            menu.write(b"mqtt_sub a/b 1\n");
            broker.wait_for(&format!("Sending SUBACK to {identifier}"), 1);
            let printed = menu.finish().well().text();
            assert!(printed.contains("MQTT connected\n") && printed.contains("MQTT subscribed [1]\n"), "{printed}");
            assert!(printed.contains("mqttps_con       Secure con. to MQTT broker [ip]"), "{printed}");
            broker.wait_for(&format!("Received DISCONNECT from {identifier}"), 1);
        }
    }
}

#[test]
fn the_menu_tells_what_it_needs_and_what_was_wrong() {
    for build in BUILDS {
        let broker = Broker::secure("expired", "");
        let answers = |security: &[String]| {
            let (menu, port) = menu_at_a_telnet_port(&mut ours(&broker, build, "cli", security));
            let mut user = User::of(port);
            user.types(b"mqtts_con 127.0.0.1\r\n");
            (menu, user)
        };
        let (_menu, mut user) = answers(&[]);
        user.sees("#MQTT error! ERROR_MQTT_NOT_READY");
        let (_menu, mut user) = answers(&trusting());
        user.sees("\r\n#MQTT error! ERROR_MQTT_SECURITY (a security check failed): the broker's certificate has expired (3)\r\nMQTT closed\r\n");
    }
}
