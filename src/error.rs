//! Why a request is refused. The numbers are those of the C border.

/// Why a request is refused. Answers to requests are numbers: this one, or what was asked for from 0 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
#[allow(missing_docs, reason = "explained where C sees them, in `ffi`")]
pub enum Error {
    NotReady = -1,
    InUse = -2,
    NoSubscriptionEntry = -4,
    MissingTopic = -5,
    InvalidSubscription = -6,
    InvalidArgument = -7,
    InvalidTopic = -8,
    TopicTooLong = -9,
    MessageTooLong = -10,
    Busy = -11,
    NotSupported = -12,
}
