//! Bytes as they may come: packets cut and joined anywhere, and what is none.

mod support;
use support::random::Random;
use support::*;

/// A connection with something outstanding for each answer.
fn client() -> Client {
    let mut client = Client::connected(KEPT);
    client.subscribed("a/+", 1);
    for topic in ["b", "c", "d", "e"] {
        client.subscribe(topic, 1);
    }
    for qos in [1, 1, 1, 2, 2, 2] {
        client.publish_data("x", qos, "outgoing");
    }
    client.take_sent();
    client
}

/// Packets that a broker may send to it.
fn packets(random: &mut Random, count: usize) -> Vec<Vec<u8>> {
    let (mut subacks, mut pubacks, mut pubrecs, mut pubcomps) = (2..=5, 6..=8, 9..=11, 9..=11);
    let mut packets = Vec::new();
    while packets.len() < count {
        let identifier = 1 + random.below(20) as u16;
        let topic = ["a/b", "b", "c/d", "$SYS/a"][random.below(4) as usize];
        let length = if random.one_in(12) { random.below(6000) } else { random.below(60) };
        let payload = stream(random.below(251), length);
        packets.push(match random.below(9) {
            0 => subacks.next().map_or_else(Vec::new, |identifier| vec![0x90, 3, 0, identifier, 1]),
            1 => pubacks.next().map_or_else(Vec::new, |identifier| vec![0x40, 2, 0, identifier]),
            2 => pubrecs.next().map_or_else(Vec::new, |identifier| vec![0x50, 2, 0, identifier]),
            3 if pubrecs.is_empty() => pubcomps.next().map_or_else(Vec::new, |identifier| vec![0x70, 2, 0, identifier]),
            4 => vec![0xd0, 0],
            5 => vec![0x62, 2, 0, identifier as u8],
            6 => publish(0x34, topic, identifier, &payload),
            7 => publish(0x32, topic, identifier, &payload),
            _ => publish(0x30, topic, 0, &payload),
        });
    }
    packets
}

/// What the client makes of bytes: its answers, and events, of which parts of a message are joined.
fn outcome(mut client: Client) -> (Vec<u8>, Vec<Told>) {
    let mut events: Vec<Told> = Vec::new();
    for event in client.take_events() {
        let continues = event.kind == Kind::TopicMessagePart && event.message().offset != 0;
        match events.last_mut() {
            Some(last) if continues => {
                last.data.extend(event.data);
                last.number += event.number;
            }
            _ => events.push(event),
        }
    }
    (client.take_sent(), events)
}

#[test]
fn packets_cut_at_any_byte_are_the_same_packets() {
    for seed in 0..30 {
        let stream = packets(&mut Random::new(seed), 12).concat();
        let mut whole = client();
        whole.receive_bytes(&stream);
        let expected = outcome(whole);
        assert!(!expected.1.is_empty());
        let step = 1 + stream.len() / 200;
        for cut in (1..stream.len()).step_by(step) {
            let mut client = client();
            let (first, second) = stream.split_at(cut);
            client.receive_bytes(first);
            client.receive_bytes(second);
            assert!(outcome(client) == expected, "seed {seed}, cut at {cut}");
        }
    }
}

#[test]
fn packets_in_pieces_of_any_size_are_the_same_packets() {
    for seed in 100..160 {
        let mut random = Random::new(seed);
        let packets = packets(&mut random, 60);
        let mut single = client();
        packets.iter().for_each(|packet| single.receive_bytes(packet));
        let expected = outcome(single);
        for largest in [1, 2, 7, 100, 1536, 5000] {
            let mut client = client();
            let mut rest = &packets.concat()[..];
            while !rest.is_empty() {
                let length = rest.len().min(1 + random.below(largest) as usize);
                client.link.chunk = 1 + random.below(largest) as usize;
                client.receive_bytes(&rest[..length]);
                rest = &rest[length..];
            }
            assert!(outcome(client) == expected, "seed {seed}, pieces up to {largest}");
        }
    }
}

/// Bytes that break the protocol sooner or later: what follows a violation is discarded with the connection.
#[track_caller]
fn ends_with_protocol_error(mut client: Client, bytes: &[u8]) -> bool {
    client.receive_bytes(bytes);
    let told = client.take_events();
    if client.link.is_open() {
        return false;
    }
    let cause = told.iter().position(|event| [PROTOCOL, BUSY].contains(event)).expect("a cause");
    let (last, failures) = told[cause + 1..].split_last().expect("an end");
    assert_eq!(*last, CONNECTION_CLOSED);
    assert!(failures.iter().all(|event| event.kind == Kind::PublishFailed));
    told[cause] == PROTOCOL
}

#[test]
fn random_bytes_are_a_protocol_error() {
    let mut random = Random::new(7);
    let mut errors = 0;
    for _ in 0..1000 {
        let bytes: Vec<u8> = (0..400).map(|_| random.number() as u8).collect();
        errors += u32::from(ends_with_protocol_error(client(), &bytes));
    }
    // The others stand in a long message.
    assert!(errors > 950, "{errors}");
}

#[test]
fn random_changes_to_packets_do_no_harm() {
    let mut random = Random::new(8);
    let mut errors = 0;
    for _ in 0..1500 {
        let mut bytes = packets(&mut random, 10).concat();
        for _ in 0..=random.below(3) {
            let place = random.below(bytes.len() as u32) as usize;
            match random.below(3) {
                0 => bytes[place] = random.number() as u8,
                1 => bytes[place] ^= 1 << random.below(8),
                _ => drop(bytes.drain(place..bytes.len().min(place + 1 + random.below(4) as usize))),
            }
        }
        errors += u32::from(ends_with_protocol_error(client(), &bytes));
    }
    assert!(errors > 300, "{errors}");
}

#[test]
fn random_bytes_before_connack_are_a_protocol_error() {
    let mut random = Random::new(9);
    for _ in 0..1000 {
        let bytes: Vec<u8> = (0..20).map(|_| random.number() as u8).collect();
        let mut client = Client::new();
        client.connect(CLEAN);
        client.receive_bytes(&bytes);
        if !client.link.is_open() {
            client.expect_events([PROTOCOL, CONNECTION_CLOSED]);
        } else {
            assert_eq!(bytes[0] & 0xf0, 0x30, "a long message has begun");
            client.expect_events([]);
        }
    }
}
