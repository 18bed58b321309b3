//! Versions and ranges of npm packages.

use std::cmp::Ordering;

/// A version: three numbers, and what follows the first hyphen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    numbers: [u64; 3],
    pre: String,
}

impl Version {
    /// Reads a whole version. Build metadata does not count.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim().trim_start_matches(['v', '=']);
        let text = text.split('+').next()?;
        let (core, pre) = text.split_once('-').unwrap_or((text, ""));
        let mut parts = core.split('.').map(str::parse);
        let mut next = || parts.next()?.ok();
        let numbers = [next()?, next()?, next()?];
        Some(Version {
            numbers,
            pre: pre.to_owned(),
        })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        let pre = |version: &Version| (version.pre.is_empty(), version.pre.clone());
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| pre(self).cmp(&pre(other)))
    }
}

/// Whether `version` is in `range`. A tag such as `latest` and what is no range (an address, a
/// folder) hold any version; a pre-release is only in ranges that name one.
pub(super) fn satisfies(version: &str, range: &str) -> bool {
    let Some(version) = Version::parse(version) else {
        return false;
    };
    let range = range.strip_prefix("npm:").map_or(range, |alias| {
        alias.rsplit_once('@').map_or("", |(_, range)| range)
    });
    if !version.pre.is_empty() && !range.contains('-') {
        return range == "latest" || range == "next";
    }
    range.split("||").any(|set| in_set(&version, set.trim()))
}

fn in_set(version: &Version, set: &str) -> bool {
    if let Some((from, to)) = set.split_once(" - ") {
        return meets(version, &format!(">={}", from.trim()))
            && meets(version, &format!("<={}", to.trim()));
    }
    let set = [">=", "<=", ">", "<", "~", "^", "="]
        .iter()
        .fold(set.to_owned(), |set, op| set.replace(&format!("{op} "), op));
    set.split_whitespace().all(|word| meets(version, word))
}

/// One comparison: `^1.2`, `>=1`, `1.x`, `*`.
fn meets(version: &Version, word: &str) -> bool {
    let at = word
        .find(|c: char| !"<>=~^".contains(c))
        .unwrap_or(word.len());
    let (op, rest) = word.split_at(at);
    let rest = rest.trim_start_matches('v');
    let (core, pre) = rest.split_once('-').unwrap_or((rest, ""));
    let mut numbers = Vec::new();
    for part in core.split('.').take(3) {
        match part.parse::<u64>() {
            Ok(number) => numbers.push(number),
            Err(_) if matches!(part, "" | "x" | "X" | "*") => break,
            // No range at all.
            Err(_) => return true,
        }
    }
    let given = numbers.len();
    let from = Version {
        numbers: [0, 1, 2].map(|at| numbers.get(at).copied().unwrap_or(0)),
        pre: pre.to_owned(),
    };
    // The first version past all that share the leading `keep` numbers.
    let past = |keep: usize| {
        let mut numbers = from.numbers;
        let last = keep.checked_sub(1)?;
        numbers[last] += 1;
        numbers[keep..].fill(0);
        Some(Version {
            numbers,
            pre: String::new(),
        })
    };
    let below = |limit: Option<Version>| limit.is_none_or(|limit| *version < limit);
    match op {
        ">=" => *version >= from,
        ">" if given == 3 => *version > from,
        ">" => !below(past(given)),
        "<" => *version < from,
        "<=" if given == 3 => *version <= from,
        "<=" => below(past(given)),
        "^" => {
            let first = from
                .numbers
                .iter()
                .take(given)
                .position(|number| *number > 0);
            let keep = first.map_or(given, |first| first + 1);
            *version >= from && below(past(keep))
        }
        "~" | "~>" => *version >= from && below(past(given.min(2))),
        _ if given == 3 => *version == from,
        _ => *version >= from && below(past(given)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let yes = [
            ("1.2.3", "^1.0.0"),
            ("0.2.5", "^0.2.3"),
            ("1.2.9", "~1.2.3"),
            ("1.9.0", "1.x"),
            ("3.0.0", "*"),
            ("3.0.0", ""),
            ("2.0.0", ">=1 <3"),
            ("5.0.0", "^4.0.0 || ^5.0.0"),
            ("1.5.0", "1.2.3 - 2"),
            ("2.0.0-rc.1", "^2.0.0-rc.0"),
            ("4.1.0", "latest"),
            ("0.0.3", "^0.0.3"),
            ("1.2.3", "1.2.3"),
            ("1.2.3", ">= 1.2.3"),
            ("4.0.0", "npm:x@^4.0.0"),
            ("1.4.9", "<=1.4"),
        ];
        let no = [
            ("2.0.0", "^1.0.0"),
            ("0.3.0", "^0.2.3"),
            ("1.3.0", "~1.2.3"),
            ("2.0.0", "1.x"),
            ("0.0.4", "^0.0.3"),
            ("2.0.0-rc.1", "^1.0.0"),
            ("1.2.4", "1.2.3"),
            ("1.5.0", "<=1.4"),
        ];
        for (version, range) in yes {
            assert!(satisfies(version, range), "{version} in {range}");
        }
        for (version, range) in no {
            assert!(!satisfies(version, range), "{version} not in {range}");
        }
    }

    #[test]
    fn order() {
        let version = |text| Version::parse(text).expect(text);
        assert!(version("1.10.0") > version("1.9.0"));
        assert!(version("1.0.0") > version("1.0.0-rc.1"));
        assert_eq!(Version::parse("1.0"), None);
    }
}
