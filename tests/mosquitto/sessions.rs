//! Wills, kept sessions, restarts.

use crate::broker::{Broker, Build};
use crate::tools::{Running, run};

fn will_of_a_killed_client(build: Build) {
    let broker = Broker::open_to(build);
    let mut theirs = broker.theirs("sub");
    let watcher = broker.subscriber(theirs.args(["-t", "will", "-q", "2", "-C", "1", "-F", "%q %r %p"]), "watcher", 1);
    let mut ours = broker.ours(build, "subscribe");
    ours.args(["-t", "unused", "--will-topic", "will", "--will-payload", "gone", "--will-qos", "1", "--will-retain"]);
    let client = broker.subscriber(&mut ours, "client", 1);
    client.signal("KILL");
    assert_eq!(client.finish().code, None);
    assert_eq!(watcher.finish().well().text(), "1 0 gone\n");
    assert_eq!(run(broker.theirs("sub").args(["-t", "will", "-C", "1", "-F", "%r %p"])).well().text(), "1 gone\n");
}

#[test]
fn the_will_of_a_killed_client_is_published() {
    will_of_a_killed_client(Build::Plain);
}

#[test]
fn the_will_of_a_killed_client_is_published_under_sanitizers() {
    will_of_a_killed_client(Build::Sanitized);
}

#[test]
fn the_will_of_a_killed_client_is_published_over_secure_connections() {
    will_of_a_killed_client(Build::Secure);
}

#[test]
fn the_will_of_a_client_that_disconnects_is_not_published() {
    let broker = Broker::open();
    let mut ours = broker.ours(Build::Plain, "subscribe");
    ours.args(["-t", "unused", "--will-topic", "will", "--will-payload", "gone", "--will-retain"]);
    for signal in ["TERM", "INT"] {
        let client = broker.subscriber(&mut ours, "client", 1);
        client.signal(signal);
        client.finish().well();
        broker.wait_for("Received DISCONNECT from client", 1);
    }
    run(broker.theirs("sub").args(["-t", "will", "-W", "1"])).with_code(27);
}

#[test]
fn a_kept_session_brings_what_came_while_client_or_broker_were_away() {
    let mut broker = Broker::persistent();
    let kept = ["-t", "k", "-q", "2", "-c"];
    let client = broker.subscriber(broker.ours(Build::Plain, "subscribe").args(kept), "ours", 1);
    client.signal("TERM");
    assert_eq!(client.finish().well().text(), "");
    let publish = |broker: &Broker, qos: &str, text: &str| drop(run(broker.theirs("pub").args(["-t", "k", "-q", qos, "-m", text])).well());
    publish(&broker, "1", "one");
    publish(&broker, "2", "two");
    broker.stop();
    assert!(broker.start());
    publish(&broker, "2", "three");
    let mut ours = broker.ours(Build::Plain, "subscribe");
    let result = run(ours.args(kept).args(["-i", "ours", "-C", "3"])).well();
    assert_eq!(result.text(), "one\ntwo\nthree\n");
    let mut ours = broker.ours(Build::Plain, "subscribe");
    run(ours.args(kept).args(["-i", "ours", "-C", "1", "-W", "1"])).with_code(27);
}

fn restart_of_the_broker(build: Build, session: &[&str]) {
    let mut broker = Broker::persistent();
    let mut ours = broker.ours(build, "subscribe");
    let client = broker.subscriber(ours.args(["-t", "k", "-t", "l", "-q", "1", "-C", "3"]).args(session), "ours", 2);
    let subscriptions = broker.count("Sending SUBACK to ours");
    let publish = |broker: &Broker, topic: &str, text: &str| drop(run(broker.theirs("pub").args(["-t", topic, "-q", "1", "-m", text])).well());
    publish(&broker, "k", "before");
    broker.wait_for("Received PUBACK from ours", 1); // or it would come again
    broker.stop();
    assert!(broker.start());
    if session.is_empty() {
        broker.wait_for("Sending SUBACK to ours", subscriptions + 2);
    } else {
        broker.wait_for("Sending CONNACK to ours", 2);
    }
    publish(&broker, "k", "after");
    publish(&broker, "l", "and again");
    let result = client.finish().well();
    assert_eq!(result.text(), "before\nafter\nand again\n");
    assert!(!result.errors.is_empty(), "that the connection was lost is told");
}

#[test]
fn subscribe_outlives_a_restart_of_the_broker() {
    restart_of_the_broker(Build::Plain, &[]);
}

#[test]
fn subscribe_with_a_kept_session_outlives_a_restart_of_the_broker() {
    restart_of_the_broker(Build::Plain, &["-c"]);
}

#[test]
fn subscribe_outlives_a_restart_of_the_broker_under_sanitizers() {
    restart_of_the_broker(Build::Sanitized, &["-c"]);
}

#[test]
fn publish_fails_where_the_broker_ends() {
    let mut broker = Broker::open();
    let mut publish = Running::start(broker.ours(Build::Plain, "publish").args(["-t", "t", "-q", "1", "-l", "-i", "writer"]));
    publish.write(b"one\n");
    broker.wait_for("Sending PUBACK to writer", 1);
    broker.stop();
    let result = publish.finish().with_code(1);
    assert!(result.errors.starts_with("publish: "), "{}", result.errors);
}

#[test]
fn pings_keep_an_idle_connection_alive() {
    let broker = Broker::open();
    let mut ours = broker.ours(Build::Plain, "subscribe");
    let client = broker.subscriber(ours.args(["-t", "t", "-k", "4", "-C", "1"]), "ours", 1);
    broker.wait_for("Received PINGREQ from ours", 2);
    broker.wait_for("Sending PINGRESP to ours", 2);
    run(broker.theirs("pub").args(["-t", "t", "-m", "still here"])).well();
    assert_eq!(client.finish().well().text(), "still here\n");
}
