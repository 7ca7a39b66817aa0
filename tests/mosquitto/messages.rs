//! Messages in both directions, at each QoS, of each size.

use crate::broker::{Broker, Build};
use crate::tools::{Running, run, run_with};
use std::fs;

const SIZES: [usize; 5] = [0, 1, 1400, 64 * 1024, 256 * 1024];

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * 7 + place / 251) as u8).collect()
}

fn publish_of_every_size_and_qos(build: Build) {
    let broker = Broker::open_to(build);
    let file = broker.directory.join("content");
    for qos in ["0", "1", "2"] {
        let mut theirs = broker.theirs("sub");
        theirs.args(["-t", "p/#", "-q", "2", "-N", "-C", &SIZES.len().to_string()]);
        let reader = broker.subscriber(&mut theirs, &format!("reader{qos}"), 1);
        for size in SIZES {
            fs::write(&file, content(size)).unwrap();
            run(broker.ours(build, "publish").args(["-t", "p/size", "-q", qos, "-f"]).arg(&file)).well();
        }
        let expected: Vec<u8> = SIZES.iter().flat_map(|&size| content(size)).collect();
        assert!(reader.finish().well().output == expected, "QoS {qos}");
        // From us to the broker, and from the broker to the reader.
        assert_eq!(broker.count(&format!("(d0, q{qos}, r0, m")), 2 * SIZES.len());
    }
}

fn subscribe_to_every_size_and_qos(build: Build) {
    let broker = Broker::open_to(build);
    let file = broker.directory.join("content");
    for qos in ["0", "1", "2"] {
        let mut ours = broker.ours(build, "subscribe");
        ours.args(["-t", "s/#", "-q", qos, "-N", "-C", &SIZES.len().to_string()]);
        let reader = broker.subscriber(&mut ours, &format!("reader{qos}"), 1);
        for size in SIZES {
            fs::write(&file, content(size)).unwrap();
            run(broker.theirs("pub").args(["-t", "s/size", "-q", qos, "-f"]).arg(&file)).well();
        }
        let expected: Vec<u8> = SIZES.iter().flat_map(|&size| content(size)).collect();
        assert!(reader.finish().well().output == expected, "QoS {qos}");
    }
}

#[test]
fn what_publish_sends_arrives_at_every_size_and_qos() {
    publish_of_every_size_and_qos(Build::Plain);
}

#[test]
fn what_publish_sends_arrives_at_every_size_and_qos_under_sanitizers() {
    publish_of_every_size_and_qos(Build::Sanitized);
}

#[test]
fn what_publish_sends_arrives_at_every_size_and_qos_over_secure_connections() {
    publish_of_every_size_and_qos(Build::SecureSanitized);
}

#[test]
fn what_is_sent_arrives_at_subscribe_at_every_size_and_qos() {
    subscribe_to_every_size_and_qos(Build::Plain);
}

#[test]
fn what_is_sent_arrives_at_subscribe_at_every_size_and_qos_under_sanitizers() {
    subscribe_to_every_size_and_qos(Build::Sanitized);
}

#[test]
fn what_is_sent_arrives_at_subscribe_at_every_size_and_qos_over_secure_connections() {
    subscribe_to_every_size_and_qos(Build::SecureSanitized);
}

#[test]
fn a_message_comes_at_the_lower_of_its_qos_and_the_subscription_s() {
    let broker = Broker::open();
    for (published, subscribed, expected) in [("2", "1", "1"), ("1", "2", "1"), ("0", "2", "0"), ("2", "0", "0")] {
        let mut theirs = broker.theirs("sub");
        theirs.args(["-t", "p", "-q", subscribed, "-C", "1", "-F", "%q %t %p"]);
        let reader = broker.subscriber(&mut theirs, &format!("reader{published}{subscribed}"), 1);
        run(broker.ours(Build::Plain, "publish").args(["-t", "p", "-q", published, "-m", "text"])).well();
        assert_eq!(reader.finish().well().text(), format!("{expected} p text\n"));
    }
}

fn standard_input(build: Build) {
    let broker = Broker::open_to(build);
    let mut lines: String = (0..3000).map(|number| format!("line {number}\n")).collect();
    lines += &"longer than any buffer ".repeat(10_000);
    lines += "\nthe last line has no end";
    for qos in ["0", "1", "2"] {
        let mut theirs = broker.theirs("sub");
        theirs.args(["-t", "lines", "-q", "2", "-C", "3003"]);
        let reader = broker.subscriber(&mut theirs, &format!("reader{qos}"), 1);
        run_with(broker.ours(build, "publish").args(["-t", "lines", "-q", qos, "-l"]), lines.as_bytes()).well();
        run_with(broker.ours(build, "publish").args(["-t", "lines", "-q", qos, "-s"]), b"all\nin one").well();
        assert!(reader.finish().well().text() == lines.clone() + "\nall\nin one\n", "QoS {qos}");
    }
}

#[test]
fn standard_input_is_published_as_lines_or_as_one_message() {
    standard_input(Build::Plain);
}

#[test]
fn standard_input_is_published_over_secure_connections() {
    standard_input(Build::Secure);
}

/// So many messages of QoS 2 may be under way at once, whatever the broker's window: Mosquitto 2.0.11 may exceed its own.
const BATCH: usize = 30;

fn many_messages(build: Build) {
    let broker = Broker::open_to(build);
    let lines: Vec<String> = (0..3000).map(|number| format!("{number}\n")).collect();
    for (qos, batch, count) in [("0", 3000, 3000), ("1", 3000, 3000), ("2", BATCH, 10 * BATCH)] {
        let name = format!("reader{qos}");
        let mut ours = broker.ours(build, "subscribe");
        let reader = broker.subscriber(ours.args(["-t", "lines", "-q", qos, "-C", &count.to_string()]), &name, 1);
        for (number, lines) in lines[..count].chunks(batch).enumerate() {
            run_with(broker.theirs("pub").args(["-t", "lines", "-q", qos, "-l"]), lines.concat().as_bytes()).well();
            if qos == "2" && (number + 1) * batch < count {
                broker.wait_for(&format!("Received PUBCOMP from {name}"), (number + 1) * batch);
            }
        }
        assert!(reader.finish().well().text() == lines[..count].concat(), "QoS {qos}");
    }
}

#[test]
fn many_messages_arrive_in_order_without_loss_or_repetition() {
    many_messages(Build::Plain);
}

#[test]
fn many_messages_arrive_over_secure_connections() {
    many_messages(Build::Secure);
}

#[test]
fn a_line_is_published_as_soon_as_it_is_read() {
    let broker = Broker::open();
    let mut theirs = broker.theirs("sub");
    let reader = broker.subscriber(theirs.args(["-t", "lines", "-C", "2"]), "reader", 1);
    let mut publish = Running::start(broker.ours(Build::Plain, "publish").args(["-t", "lines", "-l", "-i", "writer"]));
    publish.write(b"one\n");
    broker.wait_for("Received PUBLISH from writer", 1);
    publish.write(b"two\n");
    broker.wait_for("Received PUBLISH from writer", 2);
    publish.finish().well();
    broker.wait_for("Received DISCONNECT from writer", 1);
    assert_eq!(reader.finish().well().text(), "one\ntwo\n");
}

#[test]
fn a_retained_message_is_kept_replaced_and_removed() {
    let broker = Broker::open();
    let retained = |program: &str, seconds: &str| {
        let result = match program {
            "theirs" => run(broker.theirs("sub").args(["-t", "kept/#", "-C", "1", "-W", seconds, "-F", "%r %t %p"])),
            _ => run(broker.ours(Build::Plain, "subscribe").args(["-t", "kept/#", "-C", "1", "-W", seconds, "-v"])),
        };
        (result.code, result.text())
    };
    for text in ["first", "second"] {
        run(broker.ours(Build::Plain, "publish").args(["-t", "kept/a", "-q", "1", "-r", "-m", text])).well();
        assert_eq!(retained("theirs", "60"), (Some(0), format!("1 kept/a {text}\n")));
        assert_eq!(retained("ours", "60"), (Some(0), format!("kept/a {text}\n")));
    }
    run(broker.ours(Build::Plain, "publish").args(["-t", "kept/a", "-r", "-n"])).well();
    assert_eq!(retained("theirs", "1"), (Some(27), String::new()));
    assert_eq!(retained("ours", "1"), (Some(27), String::new()));
}

#[test]
fn several_topics_and_wildcards_are_subscribed_to() {
    let broker = Broker::open();
    let mut ours = broker.ours(Build::Plain, "subscribe");
    let topics = ["-t", "a/+/c", "-t", "longer/than/what/is/stored/#", "-t", "plain"];
    let reader = broker.subscriber(ours.args(topics).args(["-v", "-C", "4"]), "reader", 3);
    for topic in ["a/b/c", "a/b", "longer/than/what/is/stored", "longer/than/what/is/stored/too", "plainer", "plain"] {
        run(broker.theirs("pub").args(["-t", topic, "-m", "x"])).well();
    }
    let expected = "a/b/c x\nlonger/than/what/is/stored x\nlonger/than/what/is/stored/too x\nplain x\n";
    assert_eq!(reader.finish().well().text(), expected);
}

#[test]
fn mqtt_3_1_works_both_ways() {
    let broker = Broker::open();
    let mut ours = broker.ours(Build::Plain, "subscribe");
    let reader = broker.subscriber(ours.args(["-t", "t", "-q", "2", "-C", "1", "-V", "mqttv31"]), "reader", 1);
    run(broker.ours(Build::Plain, "publish").args(["-t", "t", "-q", "2", "-m", "text", "-V", "mqttv31", "-i", "writer"])).well();
    assert_eq!(reader.finish().well().text(), "text\n");
    for client in ["reader", "writer"] {
        assert_eq!(broker.count(&format!("as {client} (p1,")), 1, "{client}");
    }
}

#[test]
fn the_loopback_address_of_ipv6_is_connected_to() {
    let broker = Broker::open_on_ipv6();
    let mut ours = broker.ours(Build::Plain, "subscribe");
    let reader = broker.subscriber(ours.args(["-t", "t", "-q", "1", "-C", "1"]), "reader", 1);
    run(broker.ours(Build::Plain, "publish").args(["-t", "t", "-q", "1", "-m", "over IPv6"])).well();
    assert_eq!(reader.finish().well().text(), "over IPv6\n");
}
