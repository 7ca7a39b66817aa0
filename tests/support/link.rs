//! The link to a broker, whose other end is the test.

use std::collections::VecDeque;

/// A link.
pub struct Link {
    /// Results of the attempts to open it that follow; then all succeed.
    pub opens: VecDeque<i32>,
    /// How many bytes it will take.
    pub room: usize,
    /// How many bytes it gives at a time.
    pub chunk: usize,
    /// How it is lost, once all that has arrived is given. Sending fails at once.
    pub lost: Option<i32>,
    /// What it took on this connection.
    pub sent: Vec<u8>,
    /// How many times it took something, and gave something or nothing, on this connection.
    pub sends: usize,
    pub receives: usize,
    /// How many times it was opened, or that was tried.
    pub opened: usize,
    is_open: bool,
    arriving: VecDeque<u8>,
}

impl Link {
    pub fn new() -> Self {
        Self {
            opens: VecDeque::new(),
            room: usize::MAX,
            chunk: usize::MAX,
            lost: None,
            sent: Vec::new(),
            sends: 0,
            receives: 0,
            opened: 0,
            is_open: false,
            arriving: VecDeque::new(),
        }
    }

    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Bytes arrive from the broker.
    pub fn arrives(&mut self, bytes: &[u8]) {
        self.arriving.extend(bytes);
    }

    /// Bytes that have arrived and were not fetched.
    pub fn unread(&self) -> usize {
        self.arriving.len()
    }

    /// All that has arrived until now was fetched.
    pub fn all_read(&self) -> bool {
        self.arriving.is_empty()
    }

    pub(super) fn open(&mut self) -> i32 {
        assert!(!self.is_open, "opened twice");
        let result = self.opens.pop_front().unwrap_or(0);
        self.is_open = result == 0;
        self.opened += 1;
        (self.sends, self.receives) = (0, 0);
        self.sent.clear();
        result
    }

    pub(super) fn close(&mut self) -> i32 {
        assert!(self.is_open, "closed once for each time it was opened");
        self.is_open = false;
        self.arriving.clear();
        self.lost = None;
        0
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> i32 {
        assert!(self.is_open && !bytes.is_empty());
        if let Some(lost) = self.lost {
            return lost;
        }
        let taken = bytes.len().min(self.room);
        if self.room != usize::MAX {
            self.room -= taken;
        }
        self.sent.extend(bytes.iter().take(taken));
        self.sends += usize::from(taken != 0);
        taken as i32
    }

    pub(super) fn receive(&mut self, room: usize) -> Result<Vec<u8>, i32> {
        assert!(self.is_open);
        self.receives += 1;
        match self.lost {
            Some(lost) if self.arriving.is_empty() => Err(lost),
            _ => {
                let length = room.min(self.chunk).min(self.arriving.len());
                Ok(self.arriving.drain(..length).collect())
            }
        }
    }
}
