//! Topic names and topic filters: what is valid (sections 1.5.3 and 4.7 of the standard), and which name matches which filter.

use crate::memory::{behind_word, word};
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

/// Whether none of four bytes needs a closer look: no U+0000, no wildcard, nothing but ASCII.
fn is_plain(word: u32) -> bool {
    const EACH: u32 = 0x0101_0101;
    // The wildcards, 0x23 and 0x2b, differ in one bit. A zero makes a borrow, which shows in the highest bit.
    let wildcard = (word | EACH * 8) ^ EACH * 0x2b;
    (word | word.wrapping_sub(EACH) | wildcard.wrapping_sub(EACH)) & (EACH * 0x80) == 0
}

/// What follows the plain words at the start.
fn behind_plain(text: &[Cell<u8>]) -> &[Cell<u8>] {
    let mut text = text;
    while let Some(rest) = text.get(4..) {
        if !is_plain(word(text)) {
            break;
        }
        text = rest;
    }
    text
}

fn is_wildcard(byte: u8) -> bool {
    byte | 8 == b'+'
}

/// Whether `text` is valid as `kind`.
#[inline(always)]
pub fn is_valid(text: &[Cell<u8>], kind: Text) -> bool {
    unacceptable(text, kind) == 0 && (kind == Text::Any || !text.is_empty())
}

/// How many bytes are left of `text` from the first character on that `kind` cannot have, or that is not complete.
#[inline(never)]
pub fn unacceptable(text: &[Cell<u8>], kind: Text) -> usize {
    let mut before = b'/';
    // In a filter it also matters what stands beside a byte.
    let mut text = if kind == Text::Filter { text } else { behind_plain(text) };
    loop {
        let left = text.len();
        let [byte, rest @ ..] = text else { return left };
        text = rest;
        let byte = byte.get();
        if kind != Text::Any {
            let misplaced = before == b'#' || before == b'+' && byte != b'/';
            if misplaced || is_wildcard(byte) && (kind == Text::Name || before != b'/') {
                return left;
            }
            before = byte;
        }
        if byte < 0x80 {
            if byte == 0 {
                return left;
            }
            continue;
        }
        // The bits of the character, from as many bytes as the first has leading ones; no byte more than it needs.
        let length = byte.leading_ones();
        let mut character = u32::from(byte) & 0x7f >> length;
        for _ in 1..length {
            let [byte, rest @ ..] = text else { return left };
            text = rest;
            if byte.get() & 0xc0 != 0x80 {
                return left;
            }
            character = character << 6 | u32::from(byte.get()) & 0x3f;
        }
        let is_surrogate = character >> 11 == 0x1b;
        if byte < 0xc2 || byte > 0xf4 || character > 0x10_ffff || is_surrogate || character >> (5 * length - 4) == 0 {
            return left;
        }
    }
}

/// Whether a message for the topic `name` is one that `filter` asks for. Both must be valid; a zero ends the filter.
#[inline(never)]
pub fn matches(filter: &[Cell<u8>], name: &[Cell<u8>]) -> bool {
    let is_special = |text: &[Cell<u8>]| text.first().is_some_and(|first| first.get() == b'$');
    if is_special(name) && !is_special(filter) {
        return false; // [MQTT-4.7.2-1]
    }
    let (mut filter, mut name) = (filter, name);
    while word(name) != 0 && word(filter) == word(name) {
        (filter, name) = (behind_word(filter), behind_word(name));
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
            // "a/#" is for "a" too; before # there is nothing but a slash.
            return byte == 0 && next(&mut filter) == b'#';
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
        let ends = ["\u{80}", "\u{7ff}", "\u{800}", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}", "\u{10ffff}"]; // of each length
        for good in ["a", "/", "a/b", "uTasker/test1", "$SYS/x", "é", " "].into_iter().chain(ends) {
            assert!(is_valid(&cells(good.as_bytes()), Text::Name), "{good:?}");
        }
        for bad in [&b""[..], b"a/#", b"+", b"a+", b"\0", b"a\0b", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"] {
            assert!(!is_valid(&cells(bad), Text::Name), "{bad:?}");
        }
        for bad in [&b"\xbf"[..], b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xed\xbf\xbf", b"\xc3(", b"\xf5\x80\x80\x80", b"\xff\x80\x80\x80\x80\x81\x81\x81"] {
            assert!(!is_valid(&cells(bad), Text::Any), "{bad:?}");
        }
        // Wherever it stands, in a word of four bytes too.
        for bad in [0, b'#', b'+', 0x80, 0xc0, 0xff] {
            for place in 0..9 {
                let name: [u8; 9] = core::array::from_fn(|index| if index == place { bad } else { b'a' });
                assert!(!is_valid(&cells(&name), Text::Name), "{name:?}");
            }
        }
    }

    #[test]
    fn every_ascii_character() {
        for byte in 0..0x80 {
            for length in [1, 4, 5] {
                let text = cells(&std::vec![byte; length]);
                let wildcard = byte == b'#' || byte == b'+';
                assert_eq!(is_valid(&text, Text::Any), byte != 0, "{byte:#x}");
                assert_eq!(is_valid(&text, Text::Name), byte != 0 && !wildcard, "{byte:#x}");
                assert_eq!(is_valid(&text, Text::Filter), byte != 0 && (!wildcard || length == 1), "{byte:#x}");
            }
        }
    }

    #[test]
    fn filters() {
        for good in ["#", "+", "/", "a/#", "+/+", "/+", "a/+/b/#", "+/#", "$SYS/#"] {
            assert!(is_valid(&cells(good.as_bytes()), Text::Filter), "{good:?}");
        }
        for bad in ["", "a#", "#/a", "a/#/b", "a+", "+a", "a/+b", "a/b+/c", "##", "++", "\0", "abcd+", "abcd#", "abc+/efgh"] {
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
