//! What the broker refuses is told.

use crate::broker::{Broker, Build, program};
use crate::tools::{Finished, LIMIT, Running, run};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

/// Programs that connect to a broker at this port.
fn connecting(build: Build, port: u16, more: &[&str]) -> [Finished; 2] {
    let port = port.to_string();
    [("publish", ["-m", "x"]), ("subscribe", ["-W", "60"])].map(|(name, own)| {
        run(program(build, name).args(["-h", "127.0.0.1", "-p", &port, "-t", "allowed/a"]).args(own).args(more))
    })
}

#[test]
fn each_return_code_of_connack_is_told_and_is_the_exit_code() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let texts = ["unacceptable protocol version", "client identifier rejected", "server unavailable", "bad user name or password", "not authorised"];
    thread::scope(|scope| {
        scope.spawn(|| {
            for code in [1, 1, 2, 2, 3, 3, 4, 4, 5, 5] {
                let mut link = listener.accept().unwrap().0;
                assert_ne!(link.read(&mut [0; 1000]).unwrap(), 0);
                link.write_all(&[0x20, 2, 0, code]).unwrap();
            }
        });
        for (code, text) in (1..).zip(texts) {
            for result in connecting(Build::Plain, port, &[]) {
                assert!(result.with_code(code).errors.contains(&format!("connection refused: {text}\n")));
            }
        }
    });
}

#[test]
fn a_wrong_user_or_password_is_refused_as_the_broker_says() {
    let broker = Broker::locked();
    for user in [&[][..], &["-u", "anna"], &["-u", "anna", "-P", "wrong"], &["-u", "nobody", "-P", "secret"]] {
        for build in [Build::Plain, Build::Sanitized] {
            for result in connecting(build, broker.port, user) {
                let result = result.with_code(5);
                assert!(result.errors.contains("not authorised"), "{}", result.errors);
            }
        }
    }
    assert_eq!(broker.count("Sending CONNACK to 127.0.0.1 (0, 5)"), 16);
}

#[test]
fn a_refused_client_identifier_is_told_with_its_code() {
    let broker = Broker::with("allow_zero_length_clientid false");
    let result = run(broker.ours(Build::Plain, "publish").args(["-t", "a", "-m", "x", "-i", ""])).with_code(2);
    assert!(result.errors.contains("client identifier rejected"), "{}", result.errors);
}

#[test]
fn the_right_user_name_and_password_are_accepted() {
    let broker = Broker::locked();
    let user = ["-u", "anna", "-P", "secret"];
    for build in [Build::Plain, Build::Sanitized] {
        let mut ours = broker.ours(build, "subscribe");
        let reader = broker.subscriber(ours.args(["-t", "#", "-C", "1", "-v"]).args(user), "reader", 1);
        let publish = |topic: &str| run(broker.ours(build, "publish").args(["-t", topic, "-m", "x"]).args(user));
        publish("refused/a"); // this Mosquitto may close the link then
        broker.wait_for("Denied PUBLISH", 1);
        publish("allowed/a").well();
        assert_eq!(reader.finish().well().text(), "allowed/a x\n");
    }
}

#[test]
fn a_refused_subscription_is_told() {
    let broker = Broker::refusing_subscriptions();
    let user = ["-u", "admin", "-P", "secret"];
    for build in [Build::Plain, Build::Sanitized] {
        let result = run(broker.ours(build, "subscribe").args(["-t", "refused", "-W", "60"]).args(user)).with_code(1);
        assert!(result.errors.contains("no subscription to 'refused': refused by the broker"), "{}", result.errors);
    }
    let mut ours = broker.ours(Build::Plain, "subscribe");
    let mut subscribe = broker.subscriber(ours.args(["-t", "refused", "-t", "allowed/a"]).args(user), "ours", 2);
    subscribe.wait_for_error("'refused'");
    subscribe.signal("TERM"); // it goes on until then
    let result = subscribe.finish().well();
    assert!(result.errors.contains("'refused'") && !result.errors.contains("'allowed/a'"), "{}", result.errors);
}

#[test]
fn more_messages_of_qos_2_than_are_kept_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let subscribe = Running::start(program(Build::Plain, "subscribe").args(["-h", "127.0.0.1", "-p", &port, "-t", "a"]));
    let mut link = listener.accept().unwrap().0;
    assert_ne!(link.read(&mut [0; 1000]).unwrap(), 0);
    let messages = (1..=33).flat_map(|identifier| [0x34, 6, 0, 1, b'a', 0, identifier, b'x']);
    link.write_all(&[0x20, 2, 0, 0].into_iter().chain(messages).collect::<Vec<u8>>()).unwrap();
    drop(listener);
    link.set_read_timeout(Some(LIMIT)).unwrap();
    let _ = link.read_to_end(&mut Vec::new()); // until it gives the connection up
    subscribe.signal("TERM"); // it would go on
    let result = subscribe.finish().well();
    assert_eq!(result.text(), "x\n".repeat(32));
    assert!(result.errors.contains("more than 32 messages of QoS 2 at once"), "{}", result.errors);
}

#[test]
fn a_broker_that_is_not_there_is_told() {
    for (name, arguments) in [("publish", ["-t", "a", "-m", "b"]), ("subscribe", ["-t", "a", "-W", "60"])] {
        for host in ["127.0.0.1", "::1", "name.invalid"] {
            // Nobody serves port 1.
            let result = run(program(Build::Plain, name).args(["-h", host, "-p", "1"]).args(arguments)).with_code(1);
            assert!(result.errors.contains(&format!("no connection to {host}, port 1")), "{}", result.errors);
            assert!(result.output.is_empty());
        }
    }
}

#[test]
fn what_is_no_text_or_does_not_fit_is_refused_with_one_sentence() {
    use std::os::unix::ffi::OsStrExt;
    let broker = Broker::open();
    let refusals: [(&[u8], _); 2] = [
        (b"a\xff", "the client identifier, the will's topic or the user name is not valid"),
        (&[b'a'; 2000], "identifier, will, user name and password do not fit into MQTT_RX_BUFFER_LENGTH, where CONNECT is made"),
    ];
    for option in ["-i", "-u", "--will-topic"] {
        for (name, own) in [("publish", ["-m", "x"]), ("subscribe", ["-W", "60"])] {
            for (text, sentence) in refusals {
                let mut command = broker.ours(Build::Sanitized, name);
                command.args(["-t", "t"]).args(own).arg(option).arg(std::ffi::OsStr::from_bytes(text));
                let result = run(&mut command).with_code(1);
                assert_eq!(result.errors, format!("{name}: {sentence}\n"));
            }
        }
    }
}

#[test]
fn one_filter_that_is_none_refuses_all() {
    let broker = Broker::open();
    let result = run(broker.ours(Build::Sanitized, "subscribe").args(["-t", "a/#/b", "-t", "c", "-W", "60"])).with_code(1);
    assert!(result.errors.contains("no subscription to 'a/#/b': not a valid topic"), "{}", result.errors);
}

#[test]
fn what_connect_has_no_room_for_is_refused_without_telling_it() {
    let broker = Broker::open();
    let result = run(broker.ours(Build::Sanitized, "publish").args(["-t", "t", "-m", "x", "-u", "user", "-P", &"secret".repeat(300)])).with_code(1);
    assert!(result.errors.contains("MQTT_RX_BUFFER_LENGTH") && !result.errors.contains("secret"), "{}", result.errors);
}
