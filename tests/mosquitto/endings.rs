//! How the programs end: interrupted, without a reader, with everything done.

use crate::broker::{Broker, Build, program};
use crate::tools::{Running, run, run_with, signal};
use std::fs::File;
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

#[test]
fn publish_fails_where_a_signal_ends_it_and_subscribe_does_not() {
    let broker = Broker::open();
    for (signal, client) in [("INT", "one"), ("TERM", "two")] {
        let mut publish = Running::start(broker.ours(Build::Plain, "publish").args(["-t", "t", "-l", "-i", client]));
        publish.write(b"line\n");
        broker.wait_for(&format!("Received PUBLISH from {client}"), 1);
        publish.signal(signal);
        broker.wait_for(&format!("Received DISCONNECT from {client}"), 1); // before its input ends
        publish.finish().with_code(1);
        let subscribe = broker.subscriber(broker.ours(Build::Plain, "subscribe").args(["-t", "t"]), client, 1);
        subscribe.signal(signal);
        subscribe.finish().well();
    }
}

#[test]
fn publish_fails_where_it_is_ended_before_the_broker_has_answered() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    let publish = Running::start(program(Build::Plain, "publish").args(["-h", "127.0.0.1", "-p", &port, "-t", "t", "-m", "x"]));
    let _link = silent.accept().unwrap();
    publish.signal("INT");
    publish.finish().with_code(1);
}

#[test]
fn subscribe_disconnects_where_its_reader_has_gone() {
    let broker = Broker::open();
    for build in [Build::Plain, Build::Sanitized] {
        let client = format!("{build:?}");
        let mut subscribe = broker.ours(build, "subscribe");
        subscribe.args(["-t", "t", "-i", &client]).stdout(Stdio::piped());
        let mut child = subscribe.spawn().unwrap();
        drop(child.stdout.take());
        broker.wait_for(&format!("Sending SUBACK to {client}"), 1);
        run(broker.theirs("pub").args(["-t", "t", "-m", "x"])).well();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        broker.wait_for(&format!("Received DISCONNECT from {client}"), 1);
    }
}

#[test]
fn subscribe_disconnects_at_a_signal_though_its_reader_does_not_read() {
    let broker = Broker::open();
    for build in [Build::Plain, Build::Sanitized] {
        let client = format!("{build:?}");
        let mut subscribe = broker.ours(build, "subscribe");
        subscribe.args(["-t", "t", "-i", &client]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = subscribe.spawn().unwrap();
        broker.wait_for(&format!("Sending SUBACK to {client}"), 1);
        let line = "x".repeat(200_000); // more than a pipe holds
        run_with(broker.theirs("pub").args(["-t", "t", "-s"]), line.as_bytes()).well();
        broker.wait_for(&format!("Sending PUBLISH to {client}"), 1);
        thread::sleep(Duration::from_millis(500)); // until the pipe is full
        signal(&child, "TERM");
        broker.wait_for(&format!("Received DISCONNECT from {client}"), 1);
        let result = child.wait_with_output().unwrap();
        assert_eq!((result.status.code(), String::from_utf8_lossy(&result.stderr).as_ref()), (Some(0), ""));
    }
}

#[test]
fn subscribe_fails_where_the_messages_cannot_be_written() {
    let broker = Broker::open();
    for message in [&b"x"[..], &[b'x'; 20_000]] {
        run_with(broker.theirs("pub").args(["-t", "t", "-r", "-s"]), message).well();
        let mut subscribe = broker.ours(Build::Plain, "subscribe");
        subscribe.args(["-t", "t", "-C", "1"]).stdout(File::create("/dev/full").unwrap()).stderr(Stdio::piped());
        let result = subscribe.output().unwrap();
        assert_eq!(result.status.code(), Some(1), "{}", message.len());
        assert_eq!(String::from_utf8_lossy(&result.stderr), "subscribe: cannot write the messages: No space left on device\n");
    }
}

#[test]
fn an_empty_message_is_counted_and_printed_as_by_mosquitto() {
    let broker = Broker::open();
    for (number, options) in [&["-C", "2"][..], &["-C", "2", "-v"], &["-C", "2", "-N"], &["-C", "2", "-v", "-N"]].into_iter().enumerate() {
        let printed = ["theirs", "ours"].map(|whose| {
            let mut command = if whose == "ours" { broker.ours(Build::Plain, "subscribe") } else { broker.theirs("sub") };
            let reader = broker.subscriber(command.args(["-t", "t"]).args(options), &format!("{whose}{number}"), 1);
            run(broker.theirs("pub").args(["-t", "t", "-n"])).well();
            run(broker.theirs("pub").args(["-t", "t", "-m", "text"])).well();
            reader.finish().well().text()
        });
        assert_eq!(printed[0], printed[1], "{options:?}");
    }
}

#[test]
fn publish_may_keep_its_session() {
    let broker = Broker::open();
    let reader = broker.subscriber(broker.theirs("sub").args(["-t", "t", "-q", "2", "-C", "2"]), "reader", 1);
    for text in ["one", "two"] {
        run(broker.ours(Build::Plain, "publish").args(["-t", "t", "-q", "2", "-c", "-i", "writer", "-m", text])).well();
    }
    assert_eq!(reader.finish().well().text(), "one\ntwo\n");
    assert_eq!(broker.count("as writer (p2, c0,"), 2);
}
