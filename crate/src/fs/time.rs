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

    /// As RFC 3339 writes it, in UTC, without fractions.
    pub fn rfc3339(self) -> String {
        let secs = self.secs();
        let (days, rest) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
        // Days since 0000-03-01 in eras of 400 years (the proleptic Gregorian calendar).
        let shifted = days + 719_468;
        let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let date = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        format!(
            "{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}Z",
            rest / 3_600,
            rest / 60 % 60,
            rest % 60
        )
    }

    /// The same with the fraction of the second, without zeros at its end (Go: `RFC3339Nano`).
    pub fn rfc3339_nanos(self) -> String {
        let whole = self.rfc3339();
        match self.subsec_nanos() {
            0 => whole,
            nanos => {
                let digits = format!("{nanos:09}");
                let digits = digits.trim_end_matches('0');
                format!("{}.{digits}Z", whole.trim_end_matches('Z'))
            }
        }
    }

    /// Reads what [`rfc3339_nanos`](Time::rfc3339_nanos) writes; `None` for anything else.
    pub fn parse_rfc3339(text: &str) -> Option<Time> {
        let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let numbers = |text: &str, by: char| -> Option<[i64; 3]> {
            let parts: Option<Vec<i64>> = text.split(by).map(|part| part.parse().ok()).collect();
            parts?.try_into().ok()
        };
        let ([year, month, day], [hour, minute, second]) =
            (numbers(date, '-')?, numbers(clock, ':')?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || fraction.len() > 9 {
            return None;
        }
        let shifted = year - i64::from(month <= 2);
        let (era, year) = (shifted.div_euclid(400), shifted.rem_euclid(400));
        let month = (month + 9) % 12;
        let day = (153 * month + 2) / 5 + day - 1;
        let days = era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468;
        let nanos: i64 = match fraction {
            "" => 0,
            digits => format!("{digits:0<9}").parse().ok()?,
        };
        let secs = days * 86_400 + hour * 3_600 + minute * 60 + second;
        Some(Time(secs.checked_mul(1_000_000_000)?.checked_add(nanos)?))
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
    fn dates() {
        let date = |secs| Time::from_secs(secs).rfc3339();
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
        assert_eq!(date(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(date(1_767_225_599), "2025-12-31T23:59:59Z");
        assert_eq!(
            Time(1_500_000_000).rfc3339_nanos(),
            "1970-01-01T00:00:01.5Z"
        );
        for time in [0, 951_782_400_000_000_001, 1_767_225_599_120_000_000, -5] {
            let text = Time(time).rfc3339_nanos();
            assert_eq!(Time::parse_rfc3339(&text), Some(Time(time)), "{text}");
        }
        assert_eq!(Time::parse_rfc3339("1970-13-01T00:00:00Z"), None);
    }

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
