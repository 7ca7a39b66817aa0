//! What others see on the wire: tshark decodes captured sessions, which must be those of the documents.

use crate::broker::{Broker, Build};
use crate::tools::{Running, installed, run, wait_until};
use std::process::Command;

/// A captured packet: whether it is ours, type, remaining length, packet identifier, bytes in hex.
#[derive(Debug, PartialEq)]
struct Packet {
    ours: bool,
    kind: u8,
    length: u32,
    identifier: Option<u16>,
    bytes: String,
}

/// Runs `session`, with so many DISCONNECTs, and decodes what went over the broker's port; `None` where this machine does not let
/// us capture.
fn capture(broker: &Broker, disconnects: usize, session: impl FnOnce()) -> Option<Vec<Packet>> {
    let tshark = installed("tshark", "capture");
    let file = broker.directory.join("capture.pcapng");
    let port = broker.port.to_string();
    let mut command = Command::new(&tshark);
    command.args(["-i", "lo", "-f", &format!("tcp port {port}"), "-w"]).arg(&file);
    let mut capture = Running::start(&mut command);
    wait_until("tshark captures", || !capture.is_running() || file.metadata().is_ok_and(|data| data.len() > 0));
    if !capture.is_running() {
        let errors = capture.finish().errors;
        assert!(errors.to_lowercase().contains("permi"), "tshark does not capture: {errors}");
        eprintln!("skipped: this user may not capture on the loopback interface: {errors}");
        return None;
    }
    session();
    let read = |filter: &str, fields: &[&str]| {
        let mut command = Command::new(&tshark);
        command.args(["-d", &format!("tcp.port=={port},mqtt"), "-Y", filter, "-T", "fields", "-E", "separator=;", "-r"]).arg(&file);
        run(command.args(fields.iter().flat_map(|field| ["-e", field])))
    };
    // What is still being written may end anywhere.
    wait_until("each end is captured", || read("mqtt.msgtype == 14", &["mqtt.msgtype"]).text().lines().count() == disconnects);
    capture.signal("TERM");
    capture.finish().well();
    assert_eq!(read("_ws.malformed || _ws.expert.severity == error", &["frame.number"]).well().text(), "");
    let rows = read("mqtt", &["tcp.dstport", "mqtt.msgtype", "mqtt.len", "mqtt.msgid", "tcp.payload"]).well().text();
    let packets = rows.lines().map(|row| {
        let [to, kind, length, identifier, bytes] = row.split(';').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let (kind, length) = (kind.parse().expect(row), length.parse().expect(row));
        Packet { ours: to == port, kind, length, identifier: identifier.parse().ok(), bytes: bytes.replace(':', "") }
    });
    Some(packets.collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_session_of_the_document_is_on_the_wire_as_it_shows_it() {
    let broker = Broker::open();
    let packets = capture(&broker, 1, || {
        let mut menu = Running::start(&mut broker.ours(Build::Plain, "cli"));
        let steps = [
            ("mqtt_con 127.0.0.1", "Sending CONNACK to KINETIS"),
            ("mqtt_sub uTasker/test9 1", "Sending SUBACK to KINETIS"),
            ("mqtt_pub \"uTasker/test1\" 0", "Received PUBLISH from KINETIS"),
            ("mqtt_pub \"uTasker/test1\" 1", "Sending PUBACK to KINETIS"),
            ("mqtt_pub \"uTasker/test1\" 2", "Sending PUBCOMP to KINETIS"),
            ("mqtt_dis", "Received DISCONNECT from KINETIS"),
        ];
        for (command, then) in steps {
            menu.write(format!("{command}\n").as_bytes());
            broker.wait_for(then, 1);
        }
        menu.finish().well();
    });
    let Some(packets) = packets else { return };
    let seen: Vec<_> = packets.iter().map(|packet| (packet.ours, packet.kind, packet.length, packet.identifier)).collect();
    let expected = [
        (true, 1, 19, None),
        (false, 2, 2, None),
        (true, 8, 18, Some(1)),
        (false, 9, 3, Some(1)),
        (true, 3, 29, None),
        (true, 3, 31, Some(2)),
        (false, 4, 2, Some(2)),
        (true, 3, 31, Some(3)),
        (false, 5, 2, Some(3)),
        (true, 6, 2, Some(3)),
        (false, 7, 2, Some(3)),
        (true, 14, 0, None),
    ];
    assert_eq!(seen, expected);
    assert_eq!(packets[0].bytes, hex(b"\x10\x13\0\x04MQTT\x04\x02\x01\x2c\0\x07KINETIS"));
    assert_eq!(packets[1].bytes, "20020000");
    assert_eq!(packets[4].bytes.len() / 2, 31, "with 54 bytes of headers a frame of 85");
    assert_eq!(packets[5].bytes, hex(b"\x32\x1f\0\x0duTasker/test1\0\x02abcd\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13"));
    assert_eq!([7, 8, 9, 10].map(|index| packets[index].bytes.len() / 2), [33, 4, 4, 4]);
}

#[test]
fn publish_sends_what_the_other_documents_show() {
    let broker = Broker::open();
    let text = "Publisher disconnected";
    let activity = "/ufscar/mqtt_activity";
    let packets = capture(&broker, 4, || {
        let element = ["-i", "ABCDEF", "-k", "60", "-t", "ELEMENT14", "-m", "hello"];
        run(broker.ours(Build::Plain, "publish").args(element)).well();
        for (qos, message) in [("0", "First Message"), ("1", "Second Message"), ("2", "Third Message")] {
            let will = ["--will-topic", activity, "--will-payload", text, "--will-qos", "1", "--will-retain"];
            let mut command = broker.ours(Build::Plain, "publish");
            command.args(["-i", "paho/E0C91AD62A43018FE0", "-k", "60", "-q", qos, "-t", activity, "-m", message]);
            run(command.args(will)).well();
        }
        broker.wait_for("Received DISCONNECT from paho", 3);
    });
    let Some(packets) = packets else { return };
    let ours = |kind: u8| packets.iter().filter(move |packet| packet.ours && packet.kind == kind);
    let connects: Vec<_> = ours(1).map(|packet| packet.bytes.as_str()).collect();
    let with_will = [b"\x10\x52\0\x04MQTT\x04\x2e\0\x3c\0\x17paho/E0C91AD62A43018FE0\0\x15", activity.as_bytes(), b"\0\x16", text.as_bytes()];
    let with_will = hex(&with_will.concat());
    assert_eq!(connects, [&hex(b"\x10\x12\0\x04MQTT\x04\x02\0\x3c\0\x06ABCDEF"), &with_will, &with_will, &with_will]);
    assert_eq!(ours(3).next().unwrap().bytes, hex(b"\x30\x10\0\x09ELEMENT14hello"));
    assert_eq!(ours(3).map(|packet| packet.length).collect::<Vec<_>>(), [16, 36, 39, 38]);
    assert_eq!(ours(14).count(), 4);
}

#[test]
fn subscribe_sends_what_the_other_document_shows() {
    let broker = Broker::open();
    let packets = capture(&broker, 1, || {
        let mut command = broker.ours(Build::Plain, "subscribe");
        let client = broker.subscriber(command.args(["-t", "element14", "-q", "0"]), "ABCDEF", 1);
        client.signal("TERM");
        client.finish().well();
    });
    let Some(packets) = packets else { return };
    let ours: Vec<_> = packets.iter().filter(|packet| packet.ours).map(|packet| packet.bytes.as_str()).collect();
    assert_eq!(ours[1..], [hex(b"\x82\x0e\0\x01\0\x09element14\0"), "e000".into()]);
}
