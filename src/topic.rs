//! Topic names and topic filters: what is valid (sections 1.5.3 and 4.7 of the standard), and which name matches which filter.

use core::cell::Cell;

/// What a text has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// UTF-8 without U+0000 [MQTT-1.5.3-1, MQTT-1.5.3-2].
    Any,
    /// A topic that can be published to: not empty, without wildcards [MQTT-4.7.3-1, MQTT-3.3.2-2].
    Name,
    /// A topic that can be subscribed to: not empty, `#` only as the whole last level, `+` only as a whole level
    /// [MQTT-4.7.1-2, MQTT-4.7.1-3].
    Filter,
}

/// Whether `text` is valid as `kind`.
pub fn is_valid(text: &[Cell<u8>], kind: Text) -> bool {
    let mut bytes = text.iter().map(Cell::get);
    let mut before = b'/';
    while let Some(byte) = bytes.next() {
        if kind != Text::Any {
            let wildcard = matches!(byte, b'+' | b'#');
            let misplaced = before == b'#' || before == b'+' && byte != b'/' || wildcard && before != b'/';
            if misplaced || wildcard && kind == Text::Name {
                return false;
            }
            before = byte;
        }
        // Table 3-7 of the Unicode standard: how many bytes follow, and where the first of them lies.
        let (following, mut lowest, mut highest) = match byte {
            0x01..=0x7f => continue,
            0xc2..=0xdf => (1, 0x80, 0xbf),
            0xe0 => (2, 0xa0, 0xbf),
            0xed => (2, 0x80, 0x9f),
            0xe1..=0xef => (2, 0x80, 0xbf),
            0xf0 => (3, 0x90, 0xbf),
            0xf1..=0xf3 => (3, 0x80, 0xbf),
            0xf4 => (3, 0x80, 0x8f),
            _ => return false,
        };
        for _ in 0..following {
            if !bytes.next().is_some_and(|byte| lowest <= byte && byte <= highest) {
                return false;
            }
            (lowest, highest) = (0x80, 0xbf);
        }
    }
    kind == Text::Any || !text.is_empty()
}

/// Whether a message for the topic `name` is one that `filter` asks for. Both must be valid; a zero ends the filter.
#[inline(never)]
pub fn matches(filter: &[Cell<u8>], name: &[Cell<u8>]) -> bool {
    let is_special = |text: &[Cell<u8>]| text.first().is_some_and(|first| first.get() == b'$');
    if is_special(name) && !is_special(filter) {
        return false; // [MQTT-4.7.2-1]
    }
    let (mut filter, mut name) = (filter.iter(), name.iter());
    let next = |text: &mut core::slice::Iter<Cell<u8>>| text.next().map_or(0, Cell::get); // 0: the end
    loop {
        let expected = next(&mut filter);
        if expected == b'#' {
            return true;
        }
        if expected == b'+' {
            while name.as_slice().first().is_some_and(|byte| byte.get() != b'/') {
                name.next();
            }
            continue;
        }
        let byte = next(&mut name);
        if byte != expected {
            // "a/#" is for "a" too.
            return byte == 0 && expected == b'/' && next(&mut filter) == b'#';
        }
        if byte == 0 {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &[u8]) -> std::vec::Vec<Cell<u8>> {
        text.iter().copied().map(Cell::new).collect()
    }

    #[test]
    fn names() {
        for good in ["a", "/", "a/b", "uTasker/test1", "$SYS/x", "é", " "] {
            assert!(is_valid(&cells(good.as_bytes()), Text::Name), "{good:?}");
        }
        for bad in [&b""[..], b"a/#", b"+", b"a+", b"\0", b"a\0b", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"] {
            assert!(!is_valid(&cells(bad), Text::Name), "{bad:?}");
        }
    }

    #[test]
    fn filters() {
        for good in ["#", "+", "/", "a/#", "+/+", "/+", "a/+/b/#", "+/#", "$SYS/#"] {
            assert!(is_valid(&cells(good.as_bytes()), Text::Filter), "{good:?}");
        }
        for bad in ["", "a#", "#/a", "a/#/b", "a+", "+a", "a/+b", "a/b+/c", "##", "++", "\0"] {
            assert!(!is_valid(&cells(bad.as_bytes()), Text::Filter), "{bad:?}");
        }
    }

    #[test]
    fn matching() {
        for (filter, name) in [
            ("a/b", "a/b"), ("#", "a"), ("#", "a/b/c"), ("#", "/"), ("a/#", "a"), ("a/#", "a/"), ("a/#", "a/b/c"),
            ("+", "a"), ("+/+", "/a"), ("/+", "/a"), ("a/+", "a/"), ("a/+/c", "a//c"), ("+/b", "a/b"), ("a/+/#", "a/b"),
            ("$SYS/#", "$SYS/x"), ("a/+", "a/long level"), ("+/+/c", "aa/bb/c"), ("+", " "), ("+/#", "a"), ("+", "é"),
        ] {
            assert!(matches(&cells(filter.as_bytes()), &cells(name.as_bytes())), "{filter} {name}");
        }
        for (filter, name) in [
            ("a/b", "a"), ("a", "a/b"), ("a/b", "a/bc"), ("a/bc", "a/b"), ("+", "a/b"), ("+", "/a"), ("/+", "a"), ("#", "$SYS/x"),
            ("+/x", "$SYS/x"), ("a/#", "ab"), ("a/#", "b"), ("a/+", "a"), ("A", "a"), ("a/+/#", "a"), ("+", "$a"), ("a/", "a"),
        ] {
            assert!(!matches(&cells(filter.as_bytes()), &cells(name.as_bytes())), "{filter} {name}");
        }
    }
}
