//! Values in the words of Go's `fmt`, as they come into the history.

use crate::dockerfile::golang::quote;
use crate::dockerfile::instruction::Healthcheck as Check;

/// Go's `%q` of a list.
pub(super) fn quoted(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
    format!("[{}]", words.join(" "))
}

/// Go's `%q` of a health check: durations as words, the number of retries as a character.
pub(super) fn quoted_check(check: &Check) -> String {
    let duration = |nanos: i64| quote(&go_duration(nanos));
    let retries = char::from_u32(check.retries as u32).unwrap_or('\u{fffd}');
    let retries = match retries {
        '\'' => "\\'".to_string(),
        '"' => "\"".to_string(),
        other => {
            let quoted = quote(&other.to_string());
            quoted[1..quoted.len() - 1].to_string()
        }
    };
    format!(
        "&{{{} {} {} {} '{retries}'}}",
        quoted(&check.test),
        duration(check.interval),
        duration(check.timeout),
        duration(check.start_period),
    )
}

/// A duration as Go writes it: `1m30s`, `500ms`.
fn go_duration(nanos: i64) -> String {
    let fraction = |unit: i64, name: &str| {
        let digits = unit.ilog10() as usize;
        let rest = format!("{:0digits$}", nanos % unit);
        let rest = rest.trim_end_matches('0');
        let dot = if rest.is_empty() || digits == 0 {
            ""
        } else {
            "."
        };
        let whole = nanos / unit;
        match dot {
            "" => format!("{whole}{name}"),
            dot => format!("{whole}{dot}{rest}{name}"),
        }
    };
    match nanos {
        0 => "0s".into(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => fraction(1_000, "µs"),
        1_000_000..1_000_000_000 => fraction(1_000_000, "ms"),
        _ => {
            const MINUTE: i64 = 60_000_000_000;
            let (hours, minutes) = (nanos / (60 * MINUTE), nanos / MINUTE % 60);
            let seconds = go_seconds(nanos % MINUTE);
            match (hours, minutes) {
                (0, 0) => seconds,
                (0, minutes) => format!("{minutes}m{seconds}"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
            }
        }
    }
}

fn go_seconds(nanos: i64) -> String {
    let rest = format!("{:09}", nanos % 1_000_000_000);
    let rest = rest.trim_end_matches('0');
    let dot = if rest.is_empty() { "" } else { "." };
    format!("{}{dot}{rest}s", nanos / 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn health_checks_are_quoted_as_go_does() {
        let check = Check {
            test: vec!["CMD".into(), "a b".into()],
            interval: 90_000_000_000,
            timeout: 1_500_000,
            start_period: 2_500_000_000,
            start_interval: 0,
            retries: 39,
        };
        insta::assert_snapshot!(
            quoted_check(&check),
            @r#"&{["CMD" "a b"] "1m30s" "1.5ms" "2.5s" '\''}"#
        );
    }
}
