//! date and sleep; times as people write them.

use super::super::{Call, Exit, Program, cost};
use super::opts::{Grammar, parse as options};
use crate::fs::{Follow, Time};

pub(super) const TABLE: &[Program] = &[
    Program::executed("date", date),
    Program::executed("sleep", sleep),
    Program::executed("usleep", |call| {
        let micros = call.args.first().and_then(|arg| arg.parse::<u64>().ok());
        call.kernel.spend(micros.unwrap_or(0).saturating_mul(1000));
        Ok(0)
    }),
];

/// Days since the epoch of a civil date (proleptic Gregorian; H. Hinnant's algorithm).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The civil date of a day since the epoch.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// A time as `touch -d` and `date -d` take it: `2020-01-01`, with `12:30[:15]`, `T` and `Z`,
/// `@SECONDS`, `YYYYMMDDhhmm[.ss]`, `now`.
pub(in crate::run) fn parse(text: &str, now: Time) -> Option<Time> {
    let text = text.trim();
    if text == "now" || text.is_empty() {
        return Some(now);
    }
    if let Some(seconds) = text.strip_prefix('@') {
        let seconds = seconds.split('.').next().unwrap_or(seconds);
        return seconds.parse().ok().map(Time::from_secs);
    }
    let text = text.trim_end_matches('Z').trim_end_matches(" UTC");
    let (date, clock) = match text.split_once([' ', 'T']) {
        Some((date, clock)) => (date, clock),
        None if text.contains(':') => ("", text),
        None if text.len() >= 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            return compact(text, now);
        }
        None => (text, "00:00"),
    };
    let day = if date.is_empty() {
        now.secs().div_euclid(86_400)
    } else {
        let mut parts = date.split(['-', '/']).map(|part| part.parse::<i64>().ok());
        let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        days(year, month, day)
    };
    let mut parts = clock.split(':');
    let hour: i64 = parts.next()?.parse().ok()?;
    let minute: i64 = parts.next().map_or(Some(0), |part| part.parse().ok())?;
    let second: f64 = parts.next().map_or(Some(0.0), |part| part.parse().ok())?;
    if hour > 23 || minute > 59 || !(0.0..61.0).contains(&second) {
        return None;
    }
    Some(Time::from_secs(
        day * 86_400 + hour * 3600 + minute * 60 + second as i64,
    ))
}

/// `[[CC]YY]MMDDhhmm[.ss]`
fn compact(text: &str, now: Time) -> Option<Time> {
    let (digits, second) = match text.split_once('.') {
        Some((digits, second)) => (digits, second.parse().ok()?),
        None => (text, 0),
    };
    let two = |at: usize| digits.get(at..at + 2)?.parse::<i64>().ok();
    let (year, rest) = match digits.len() {
        12 => (digits[..4].parse().ok()?, 4),
        10 => (2000 + two(0)?, 2),
        8 => (civil(now.secs().div_euclid(86_400)).0, 0),
        _ => return None,
    };
    let day = days(year, two(rest)?, two(rest + 2)?);
    let seconds = two(rest + 4)? * 3600 + two(rest + 6)? * 60 + second;
    Some(Time::from_secs(day * 86_400 + seconds))
}

/// The time as `strftime` writes it, in UTC.
pub(in crate::run) fn format(time: Time, pattern: &str) -> String {
    const DAYS: [&str; 7] = [
        "Sunday",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
    ];
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let seconds = time.secs();
    let day = seconds.div_euclid(86_400);
    let (hour, minute, second) = (
        seconds.rem_euclid(86_400) / 3600,
        seconds.rem_euclid(3600) / 60,
        seconds.rem_euclid(60),
    );
    let (year, month, of_month) = civil(day);
    let weekday = (day + 4).rem_euclid(7) as usize;
    let month_name = MONTHS[(month - 1) as usize];
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut c = chars.next().unwrap_or('%');
        let plain = c == '-';
        if plain {
            c = chars.next().unwrap_or('-');
        }
        let number = |value: i64, width: usize| match plain {
            true => value.to_string(),
            false => format!("{value:0width$}"),
        };
        out += &match c {
            'Y' => year.to_string(),
            'C' => number(year / 100, 2),
            'y' => number(year % 100, 2),
            'm' => number(month, 2),
            'd' => number(of_month, 2),
            'e' => format!("{of_month:2}"),
            'H' => number(hour, 2),
            'I' => number((hour + 11) % 12 + 1, 2),
            'M' => number(minute, 2),
            'S' => number(second, 2),
            'N' => number(time.subsec_nanos(), 9),
            's' => seconds.to_string(),
            'p' => if hour < 12 { "AM" } else { "PM" }.to_string(),
            'j' => number(day - days(year, 1, 1) + 1, 3),
            'u' => if weekday == 0 { 7 } else { weekday }.to_string(),
            'w' => weekday.to_string(),
            'a' => DAYS[weekday][..3].to_string(),
            'A' => DAYS[weekday].to_string(),
            'b' | 'h' => month_name[..3].to_string(),
            'B' => month_name.to_string(),
            'F' => format(time, "%Y-%m-%d"),
            'T' | 'X' => format(time, "%H:%M:%S"),
            'R' => format(time, "%H:%M"),
            'D' | 'x' => format(time, "%m/%d/%y"),
            'c' => format(time, "%a %b %e %H:%M:%S %Y"),
            'Z' => "UTC".to_string(),
            'z' => "+0000".to_string(),
            'n' => "\n".to_string(),
            't' => "\t".to_string(),
            '%' => "%".to_string(),
            other => format!("%{other}"),
        };
    }
    out
}

fn date(call: &mut Call<'_, '_>) -> Exit {
    let opts = options(
        call,
        Grammar {
            short: "uRId:s:r:D:",
            long: &["utc", "date=", "reference=", "iso-8601", "rfc-3339="],
        },
    )?;
    let now = call.kernel.vfs.now();
    let time = if let Some(text) = opts.value(&["d", "date"]) {
        match parse(text, now) {
            Some(time) => time,
            None => return call.fail(1, format_args!("invalid date '{text}'")),
        }
    } else if let Some(path) = opts.value(&["r", "reference"]) {
        match call.kernel.vfs.stat(&call.proc.fs, path, Follow::Yes) {
            Ok(handle) => call.kernel.vfs.inode(handle).meta.mtime,
            Err(errno) => return call.fail(1, format_args!("{path}: {errno}")),
        }
    } else {
        now
    };
    let pattern = match opts.operands.first().and_then(|arg| arg.strip_prefix('+')) {
        Some(pattern) => pattern,
        None if opts.has(&["I", "iso-8601"]) => "%F",
        None if opts.has(&["R"]) => "%a, %d %b %Y %H:%M:%S %z",
        None => "%a %b %e %H:%M:%S %Z %Y",
    };
    call.out(format(time, pattern) + "\n")?;
    Ok(0)
}

fn sleep(call: &mut Call<'_, '_>) -> Exit {
    let mut total = 0.0;
    for arg in call.args.clone() {
        let (digits, unit) = match arg.strip_suffix(['s', 'm', 'h', 'd']) {
            Some(digits) => (digits, arg.chars().next_back()),
            None => (arg.as_str(), None),
        };
        let Ok(number) = digits.parse::<f64>() else {
            return call.fail(1, format_args!("invalid number '{arg}'"));
        };
        total += number
            * match unit {
                Some('m') => 60.0,
                Some('h') => 3600.0,
                Some('d') => 86_400.0,
                _ => 1.0,
            };
    }
    call.kernel.spend(cost::seconds(total));
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written() {
        let at = |text| parse(text, Time::EPOCH).map(|time| format(time, "%F %T %a %j"));
        assert_eq!(
            at("2020-01-01").as_deref(),
            Some("2020-01-01 00:00:00 Wed 001")
        );
        assert_eq!(
            at("2024-02-29T12:30:15Z").as_deref(),
            Some("2024-02-29 12:30:15 Thu 060")
        );
        assert_eq!(at("@86399").as_deref(), Some("1970-01-01 23:59:59 Thu 001"));
        assert_eq!(
            at("202012312359.30").as_deref(),
            Some("2020-12-31 23:59:30 Thu 366")
        );
        assert_eq!(at("tomorrow"), None);
    }
}
