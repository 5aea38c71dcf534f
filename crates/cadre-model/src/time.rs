//! Time as an argument: whoever needs the present moment takes a [`Clock`].

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

/// Tells the present moment.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// The present moment in milliseconds since 1970, as times are stored.
    fn now_ms(&self) -> i64 {
        self.now().as_millisecond()
    }
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that may ask the machine")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands until it is moved: tests own time.
#[derive(Debug)]
pub struct FixedClock(Mutex<Timestamp>);

impl FixedClock {
    /// A clock that stands at `moment`.
    #[must_use]
    pub fn new(moment: Timestamp) -> Self {
        Self(Mutex::new(moment))
    }

    /// Moves the clock forward, or back with a negative duration.
    pub fn advance(&self, by: SignedDuration) {
        let mut moment = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *moment += by;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Prints milliseconds since 1970 as the wire wants it: `2026-01-31T08:15:00.000Z`.
///
/// A moment outside the years that can be printed becomes the nearest one that can.
#[must_use]
pub fn wire(ms: i64) -> String {
    let moment = Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    });
    format!("{moment:.3}")
}

#[cfg(test)]
mod tests {
    use super::wire;

    #[test]
    fn the_wire_form_has_milliseconds_and_z() {
        assert_eq!(wire(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(wire(1_769_847_300_005), "2026-01-31T08:15:00.005Z");
    }
}
