//! The words of steps and of history.

use crate::dockerfile::expand::{Lexer, Variables};
use crate::dockerfile::golang::quote;
use crate::dockerfile::instruction::{ArgPair, Healthcheck};
use crate::image::{History, ImageConfig};

/// What BuildKit signs its history with.
const COMMENT: &str = "buildkit.dockerfile.v0";

/// The instruction with its first word in capitals.
pub(super) fn upper(text: &str) -> String {
    match text.split_once(' ') {
        Some((word, rest)) => format!("{} {rest}", word.to_uppercase()),
        None => text.to_uppercase(),
    }
}

/// The text with the variables that are known put in; as it is where that fails.
pub(super) fn with_variables(lexer: &Lexer, text: &str, variables: &dyn Variables) -> String {
    lexer
        .expand(text, variables)
        .into_text()
        .unwrap_or_else(|_| text.to_string())
}

/// `[platform stage 2/5] `, the number as wide as the total.
pub(super) fn prefix(platform: &str, stage: &str, index: u32, total: u32) -> String {
    let width = total.checked_ilog10().unwrap_or(0) as usize + 1;
    let space = |text: &str| if text.is_empty() { "" } else { " " };
    format!(
        "[{platform}{}{stage}{}{index:width$}/{total}] ",
        space(platform),
        space(stage)
    )
}

/// Adds to the history.
pub(super) fn history(config: &mut ImageConfig, text: String, layer: bool, created: Option<&str>) {
    config.history.push(History {
        created: created.map(str::to_string),
        created_by: text,
        author: String::new(),
        comment: COMMENT.into(),
        empty_layer: !layer,
    });
}

/// The words of RUN in history: ARGs in front, then the arguments.
pub(super) fn run_history<'a>(
    args: &[String],
    build_args: impl Iterator<Item = &'a ArgPair>,
    variables: &dyn Variables,
) -> String {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    for arg in build_args {
        let value = variables.get(&arg.key).map(str::to_string);
        let value = value.or_else(|| arg.value.clone()).unwrap_or_default();
        match pairs.iter_mut().find(|(key, _)| *key == arg.key) {
            Some((_, old)) => *old = value,
            None => pairs.push((&arg.key, value)),
        }
    }
    let mut words: Vec<String> = Vec::new();
    if !pairs.is_empty() {
        words.push(format!("|{}", pairs.len()));
    }
    words.extend(pairs.iter().map(|(key, value)| format!("{key}={value}")));
    words.extend(args.iter().cloned());
    format!("RUN {} # buildkit", words.join(" "))
}

/// A list as Go's `%v` prints it.
pub(super) fn list(items: &[String]) -> String {
    format!("[{}]", items.join(" "))
}

/// A list as Go's `%q` prints it.
pub(super) fn quoted_list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quote(item)).collect();
    format!("[{}]", items.join(" "))
}

/// A health check as Go's `%+v` prints it.
pub(super) fn healthcheck(check: &Healthcheck) -> String {
    format!(
        "HEALTHCHECK {{Test:{} Interval:{} Timeout:{} StartPeriod:{} StartInterval:{} Retries:{}}}",
        list(&check.test),
        duration(check.interval),
        duration(check.timeout),
        duration(check.start_period),
        duration(check.start_interval),
        check.retries
    )
}

/// A duration in nanoseconds as Go prints it: `1m30s`, `1.5s`, `200ms`.
fn duration(nanos: i64) -> String {
    if nanos == 0 {
        return "0s".into();
    }
    let sign = if nanos < 0 { "-" } else { "" };
    let left = nanos.unsigned_abs();
    let fraction = |value: u64, unit: u64| {
        let (whole, rest) = (value / unit, value % unit);
        if rest == 0 {
            return whole.to_string();
        }
        let digits = unit.ilog10() as usize;
        let rest = format!("{rest:0digits$}");
        format!("{whole}.{}", rest.trim_end_matches('0'))
    };
    let text = match left {
        0..1_000 => format!("{left}ns"),
        1_000..1_000_000 => format!("{}µs", fraction(left, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", fraction(left, 1_000_000)),
        _ => {
            let (minutes, rest) = (left / 60_000_000_000, left % 60_000_000_000);
            let seconds = format!("{}s", fraction(rest, 1_000_000_000));
            match (minutes / 60, minutes % 60) {
                (0, 0) => seconds,
                (0, minutes) => format!("{minutes}m{seconds}"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
            }
        }
    };
    format!("{sign}{text}")
}

/// The first line of a here-document, for a step's name.
pub(super) fn summary(document: &str) -> String {
    let text = document.trim().replace("\r\n", "\n");
    match text.split_once('\n') {
        Some((first, _)) => format!("{first}..."),
        None => text,
    }
}

/// Sets the times that BuildKit's exporter sets: those of new history, and the image's own.
pub(super) fn finish_history(config: &mut ImageConfig, created: Option<&str>) {
    for item in &mut config.history {
        if item.created.is_none() {
            item.created = created.map(str::to_string);
        }
    }
    config.created = config
        .history
        .iter()
        .rev()
        .find_map(|item| item.created.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_go_prints_them() {
        let cases = [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (200_000_000, "200ms"),
            (1_500_000_000, "1.5s"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h0m0s"),
            (-2_000_000_000, "-2s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(duration(nanos), text);
        }
    }

    #[test]
    fn prefixes_align() {
        assert_eq!(prefix("", "", 1, 9), "[1/9] ");
        assert_eq!(prefix("", "build", 2, 12), "[build  2/12] ");
        assert_eq!(prefix("", "", 10, 10), "[10/10] ");
        assert_eq!(prefix("linux/arm64", "a", 1, 2), "[linux/arm64 a 1/2] ");
    }

    #[test]
    fn summaries() {
        assert_eq!(summary("echo a\necho b\n"), "echo a...");
        assert_eq!(summary("  echo a\n"), "echo a");
    }
}
