//! Topic names and topic filters: what is valid (section 4.7 of the standard), and which name matches which filter.

use core::ops::RangeInclusive;

/// Checks text byte by byte: UTF-8 without U+0000 [MQTT-1.5.3-1, MQTT-1.5.3-2].
pub struct Text {
    valid: bool,
    /// Continuation bytes that must follow.
    following: u8,
    /// The range of the next of them.
    next: RangeInclusive<u8>,
}

impl Text {
    /// No text yet.
    pub const fn new() -> Self {
        Self { valid: true, following: 0, next: 0x80..=0xbf }
    }

    /// The text goes on with `byte`.
    pub fn push(&mut self, byte: u8) {
        let range = core::mem::replace(&mut self.next, 0x80..=0xbf);
        if self.following != 0 {
            self.following -= 1;
            self.valid &= range.contains(&byte);
            return;
        }
        // Table 3-7 of the Unicode standard.
        self.following = match byte {
            0x01..=0x7f => 0,
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => {
                self.valid = false;
                0
            }
        };
        match byte {
            0xe0 => self.next = 0xa0..=0xbf,
            0xed => self.next = 0x80..=0x9f,
            0xf0 => self.next = 0x90..=0xbf,
            0xf4 => self.next = 0x80..=0x8f,
            _ => {}
        }
    }

    /// Whether all of it was valid.
    pub fn is_valid(&self) -> bool {
        self.valid && self.following == 0
    }
}

/// Whether `text` is valid text.
pub fn is_text(text: impl Iterator<Item = u8>) -> bool {
    let mut check = Text::new();
    text.for_each(|byte| check.push(byte));
    check.is_valid()
}

/// Whether `topic` can be published to: text, not empty, without wildcards [MQTT-4.7.3-1, MQTT-3.3.2-2].
pub fn is_name(topic: impl Iterator<Item = u8>) -> bool {
    let mut check = Text::new();
    let mut empty = true;
    for byte in topic {
        if matches!(byte, b'+' | b'#') {
            return false;
        }
        check.push(byte);
        empty = false;
    }
    !empty && check.is_valid()
}

/// Whether `topic` can be subscribed to: text, not empty, `#` only as the whole last level, `+` only as a whole level
/// [MQTT-4.7.1-2, MQTT-4.7.1-3].
pub fn is_filter(topic: impl Iterator<Item = u8>) -> bool {
    let mut check = Text::new();
    let mut empty = true;
    let mut before = b'/';
    for byte in topic {
        let fits = match before {
            b'#' => false,
            b'+' => byte == b'/',
            b'/' => true,
            _ => !matches!(byte, b'+' | b'#'),
        };
        if !fits {
            return false;
        }
        check.push(byte);
        empty = false;
        before = byte;
    }
    !empty && check.is_valid()
}

/// Whether a message for the topic `name` is one that `filter` asks for. Both must be valid.
pub fn matches(filter: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'$') && filter.first() != Some(&b'$') {
        return false; // [MQTT-4.7.2-1]
    }
    let (mut filter, mut name) = (filter, name);
    loop {
        match (filter, name) {
            ([b'#'], _) | ([], []) | ([b'/', b'#'], []) => return true,
            ([b'+', rest @ ..], [byte, tail @ ..]) if *byte != b'/' => {
                // The wildcard stays until its level ends.
                (filter, name) = (if matches!(tail, [] | [b'/', ..]) { rest } else { filter }, tail);
            }
            ([b'+', rest @ ..], _) => filter = rest,
            ([expected, rest @ ..], [byte, tail @ ..]) if expected == byte => (filter, name) = (rest, tail),
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "/", "a/b", "uTasker/test1", "$SYS/x", "é", " "] {
            assert!(is_name(good.bytes()), "{good:?}");
        }
        for bad in [&b""[..], b"a/#", b"+", b"a+", b"\0", b"a\0b", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"] {
            assert!(!is_name(bad.iter().copied()), "{bad:?}");
        }
    }

    #[test]
    fn filters() {
        for good in ["#", "+", "/", "a/#", "+/+", "/+", "a/+/b/#", "+/#", "$SYS/#"] {
            assert!(is_filter(good.bytes()), "{good:?}");
        }
        for bad in ["", "a#", "#/a", "a/#/b", "a+", "+a", "a/+b", "a/b+/c", "##", "++", "\0"] {
            assert!(!is_filter(bad.bytes()), "{bad:?}");
        }
    }

    #[test]
    fn matching() {
        for (filter, name) in [
            ("a/b", "a/b"), ("#", "a"), ("#", "a/b/c"), ("#", "/"), ("a/#", "a"), ("a/#", "a/"), ("a/#", "a/b/c"),
            ("+", "a"), ("+/+", "/a"), ("/+", "/a"), ("a/+", "a/"), ("a/+/c", "a//c"), ("+/b", "a/b"), ("a/+/#", "a/b"),
            ("$SYS/#", "$SYS/x"), ("a/+", "a/long level"), ("+/+/c", "aa/bb/c"), ("+", " "), ("+/#", "a"), ("+", "é"),
        ] {
            assert!(matches(filter.as_bytes(), name.as_bytes()), "{filter} {name}");
        }
        for (filter, name) in [
            ("a/b", "a"), ("a", "a/b"), ("a/b", "a/bc"), ("a/bc", "a/b"), ("+", "a/b"), ("+", "/a"), ("/+", "a"), ("#", "$SYS/x"),
            ("+/x", "$SYS/x"), ("a/#", "ab"), ("a/#", "b"), ("a/+", "a"), ("A", "a"), ("a/+/#", "a"), ("+", "$a"), ("a/", "a"),
        ] {
            assert!(!matches(filter.as_bytes(), name.as_bytes()), "{filter} {name}");
        }
    }
}
