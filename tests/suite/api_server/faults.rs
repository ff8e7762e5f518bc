//! What may go wrong between the operator and the API server.

/// A call that fails, once.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Which call, counted from 0.
    pub call: usize,
    /// How it fails.
    pub failure: Failure,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It is not answered and does nothing.
    Hang,
    /// It is done and not answered.
    HangAfter,
    /// The connection breaks before it is done.
    Reset,
    /// It is done, and the connection breaks before the answer.
    ResetAfter,
    /// It is refused with a status code.
    Refused(u16),
}

/// How events reach a watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    AsTheyCome,
    /// Each twice, and the one before it in between.
    Twice,
    /// Two at a time, the later one first.
    Swapped,
}
