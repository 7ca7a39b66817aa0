//! Topics, against a second opinion: the standard's words, put down level by level, and the UTF-8 of Rust.

mod support;
use support::*;

/// All texts of at most so many characters of an alphabet.
fn texts(alphabet: &str, longest: usize) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut last = texts.clone();
    for _ in 0..longest {
        last = last.iter().flat_map(|text| alphabet.chars().map(move |more| format!("{text}{more}"))).collect();
        texts.extend(last.iter().cloned());
    }
    texts
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(['+', '#', '\0'])
}

fn is_filter(text: &str) -> bool {
    let levels: Vec<&str> = text.split('/').collect();
    let is_good = |(index, level): (usize, &&str)| match *level {
        "+" => true,
        "#" => index + 1 == levels.len(),
        _ => !level.contains(['+', '#', '\0']),
    };
    !text.is_empty() && levels.iter().enumerate().all(is_good)
}

fn matches(filter: &str, name: &str) -> bool {
    if name.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let mut name = name.split('/');
    for level in filter.split('/') {
        match (level, name.next()) {
            ("#", _) => return true,
            (_, None) => return false,
            ("+", Some(_)) => {}
            (level, Some(other)) if level == other => {}
            _ => return false,
        }
    }
    name.next().is_none()
}

/// A client that is asked for its topics.
struct Asked {
    client: Client,
    identifier: u16,
}

impl Asked {
    fn new() -> Self {
        Self { client: Client::connected(CLEAN), identifier: 0 }
    }

    fn answers(&mut self, topic: &[u8]) {
        let topic = topic.to_vec();
        self.client.application.answers(move |_, event| (event.kind == Kind::PublishTopic).then(|| topic.clone().into()));
    }

    /// Whether it publishes to a topic, and if so just there.
    #[track_caller]
    fn publishes_to(&mut self, topic: &[u8]) -> bool {
        self.answers(topic);
        self.client.library.publish_data(0, None, 0, b"").unwrap();
        self.client.poll();
        let sent = self.client.take_sent();
        if sent.is_empty() {
            self.client.expect_events([failed(0)]);
            return false;
        }
        self.client.expect_events([acknowledged(0)]);
        assert_eq!(sent, [&[0x30, 2 + topic.len() as u8, 0, topic.len() as u8], topic].concat());
        true
    }

    /// Whether it subscribes to a topic, and if so just there. It does not last.
    #[track_caller]
    fn subscribes_to(&mut self, topic: &[u8]) -> bool {
        self.answers(topic);
        self.client.library.subscribe(None, 0).unwrap();
        self.client.poll();
        self.identifier += 1;
        let sent = self.client.take_sent();
        if sent.is_empty() {
            self.client.expect_events([subscription_refused(0, 1)]);
            return false;
        }
        let [high, low] = self.identifier.to_be_bytes();
        assert_eq!(sent, [&[0x82, 5 + topic.len() as u8, high, low, 0, topic.len() as u8], topic, &[0]].concat());
        self.client.receive_bytes(&[0x90, 3, high, low, 0x80]);
        self.client.expect_events([subscription_refused(128, 1)]);
        true
    }
}

#[test]
fn every_short_text_is_valid_as_the_standard_says() {
    // [MQTT-3.3.2-2, MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT-4.7.3-1, MQTT-4.7.3-2]
    let mut asked = Asked::new();
    for text in texts("a/+#\0", 6) {
        assert_eq!(asked.publishes_to(text.as_bytes()), is_name(&text), "{text:?}");
        assert_eq!(asked.subscribes_to(text.as_bytes()), is_filter(&text), "{text:?}");
    }
}

#[test]
fn every_short_filter_matches_as_the_standard_says() {
    // [MQTT-4.7.1-2, MQTT-4.7.1-3, MQTT-4.7.2-1, MQTT-4.7.3-4]
    let names: Vec<String> = texts("a/$", 6).into_iter().filter(|text| is_name(text)).collect();
    let filters: Vec<String> = texts("a/+#$", 6).into_iter().filter(|text| is_filter(text)).collect();
    // Before both, so that they are compared in words and in bytes.
    for before in ["", "b/", "abc/", "/////"] {
        for eight in filters.chunks(8) {
            let mut client = Client::connected(CLEAN);
            for filter in eight {
                client.subscribed(&format!("{before}{filter}"), 0);
            }
            for name in &names {
                let name = format!("{before}{name}");
                client.receive_bytes(&publish(0x30, &name, 0, b""));
                let lowest = eight.iter().position(|filter| matches(&format!("{before}{filter}"), &name));
                let reference = lowest.map_or(0, |index| index as u8 + 1);
                assert_eq!(client.take_events(), [message(reference, "")], "{name} {eight:?} behind {before:?}");
            }
        }
    }
}

#[test]
fn every_short_sequence_of_bytes_is_utf_8_as_rust_says() {
    // [MQTT-1.5.3-1]: each byte at which something begins or ends.
    const BYTES: [u8; 24] = [
        0x01, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbe, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xef, 0xf0, 0xf3, 0xf4, 0xf5,
        0xfc, 0xff,
    ];
    let mut asked = Asked::new();
    let mut last = vec![vec![]];
    for length in 1..=4 {
        // What is wrong from its first byte on is looked at with one more alone.
        let begins = |text: &Vec<u8>| length < 3 || text[0] >= 0xdf;
        last = last.iter().filter(|text| begins(text)).flat_map(|text| BYTES.map(|byte| [&text[..], &[byte]].concat())).collect();
        for text in &last {
            assert_eq!(asked.publishes_to(text), std::str::from_utf8(text).is_ok(), "{text:02x?}");
        }
    }
}

#[test]
fn every_character_but_u_0000_may_be_in_a_topic() {
    // [MQTT-1.5.3-2]: those that nobody should send are the application's own matter.
    let mut asked = Asked::new();
    for character in ('\0'..=char::MAX).filter(|character| u32::from(*character) & 0x3f < 2 || u32::from(*character) & 0x3f > 0x3d) {
        let text = format!("x/{character}");
        assert_eq!(asked.publishes_to(text.as_bytes()), is_name(&text), "{character:?}");
    }
}

#[test]
fn byte_order_mark_is_a_character_like_others() {
    // [MQTT-1.5.3-3]
    let mut client = Client::new();
    client.application.client_identifier = "\u{feff}id".into();
    client.connect(CLEAN);
    client.expect_sent("10 11 00 04 'MQTT' 04 02 01 2c 00 05 ef bb bf 'id'");
    client.receive("20 02 00 00");
    client.expect_events([connack(false)]);

    client.subscribed("a", 0);
    client.subscribe("\u{feff}a", 0);
    client.expect_sent("82 09 00 02 00 04 ef bb bf 'a' 00");
    client.receive("90 03 00 02 00");
    client.publish_data("\u{feff}a", 0, "");
    client.expect_sent("30 06 00 04 ef bb bf 'a'");
    client.receive("30 06 00 04 ef bb bf 'a'");
    let told = client.expect_events([suback(0, 2), acknowledged(0), message(2, "")]);
    assert_eq!(told[2].message().topic.as_deref(), Some("\u{feff}a"));
}
