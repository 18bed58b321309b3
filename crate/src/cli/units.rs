//! Sizes and durations as the client writes them. Source: `docker/go-units`.

use crate::fs::Time;

/// Three significant digits.
pub(super) fn size(bytes: u64) -> String {
    size_in(bytes, 3)
}

/// Four significant digits, as sums are shown with.
pub(super) fn total(bytes: u64) -> String {
    size_in(bytes, 4)
}

fn size_in(bytes: u64, digits: usize) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{}{}", significant(value, digits), UNITS[unit])
}

/// Go's `%.Ng`.
fn significant(value: f64, digits: usize) -> String {
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text.to_string(),
    };
    if exponent < -4 || exponent >= digits as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trim(mantissa), exponent.abs());
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    trim(&format!("{value:.decimals$}"))
}

/// How long something takes or took, roughly.
pub(super) fn duration(nanos: i64) -> String {
    let seconds = nanos.max(0) / 1_000_000_000;
    let (minutes, hours) = (seconds / 60, (seconds as f64 / 3600.0).round() as i64);
    match () {
        () if seconds < 1 => "Less than a second".into(),
        () if seconds == 1 => "1 second".into(),
        () if seconds < 60 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".into(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".into(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        () if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", hours / 24 / 365),
    }
}

/// How long ago something was.
pub(super) fn ago(now: Time, then: Time) -> String {
    format!("{} ago", duration(now.0.saturating_sub(then.0)))
}

/// A text cut to `most` characters, the last being an ellipsis then.
pub(super) fn ellipsis(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        let sizes = [0, 469, 3_072, 1_985_951, 20_000, 999_950, 2_093_000];
        let shown: Vec<String> = sizes.into_iter().map(size).collect();
        assert_eq!(
            shown,
            [
                "0B", "469B", "3.07kB", "1.99MB", "20kB", "1e+03kB", "2.09MB"
            ]
        );
        assert_eq!(total(3_072), "3.072kB");
        assert_eq!(ellipsis("abcdef", 4), "abc…");
    }

    #[test]
    fn durations() {
        let shown: Vec<String> = [0, 1, 59, 60, 3_600, 86_400 * 3]
            .into_iter()
            .map(|seconds| duration(seconds * 1_000_000_000))
            .collect();
        assert_eq!(
            shown,
            [
                "Less than a second",
                "1 second",
                "59 seconds",
                "About a minute",
                "About an hour",
                "3 days"
            ]
        );
    }
}
