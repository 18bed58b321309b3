//! Simulated time.

/// Nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

impl Time {
    /// The Unix epoch, which is the time of every file in a written layer.
    pub const EPOCH: Time = Time(0);

    /// The time `seconds` after the epoch.
    pub const fn from_secs(seconds: i64) -> Time {
        Time(seconds.saturating_mul(1_000_000_000))
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// The nanoseconds past the whole second.
    pub const fn subsec_nanos(self) -> i64 {
        self.0.rem_euclid(1_000_000_000)
    }
}

/// The simulated clock: nothing here ever reads the machine's.
///
/// Every write takes a tick of its own. BuildKit tells a rewritten file from an untouched one by
/// its modification time in nanoseconds, so two writes must never share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    now: Time,
}

impl Clock {
    /// A clock that stands at `now`.
    pub const fn at(now: Time) -> Clock {
        Clock { now }
    }

    /// The present, without taking a tick.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Moves on by `nanos` (negative values count as zero).
    pub fn advance(&mut self, nanos: i64) {
        self.now.0 = self.now.0.saturating_add(nanos.max(0));
    }

    /// A time that no earlier tick had and that is no whole second: whole seconds are what the
    /// differ takes for truncated times, and it then compares bytes.
    pub fn tick(&mut self) -> Time {
        self.now.0 = self.now.0.saturating_add(1);
        if self.now.subsec_nanos() == 0 {
            self.now.0 = self.now.0.saturating_add(1);
        }
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_differ_and_are_never_whole_seconds() {
        let mut clock = Clock::at(Time(999_999_998));
        let ticks: Vec<_> = (0..4).map(|_| clock.tick().0).collect();
        assert_eq!(
            ticks,
            [999_999_999, 1_000_000_001, 1_000_000_002, 1_000_000_003]
        );
    }
}
