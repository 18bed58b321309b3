//! Numbers as people read them.

use layerwise::view::Row;

/// Seconds: `0.4 s`, `41.3 s`, `2 min 05 s`.
pub fn seconds(seconds: f64) -> String {
    if seconds < 119.95 {
        format!("{seconds:.1} s")
    } else {
        let whole = seconds.round() as u64;
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

/// Bytes in powers of a thousand, as Docker counts them: `0 B`, `1.9 KB`, `208 KB`, `52.6 MB`.
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    // A kilobyte's tenth says something of small files only.
    let digits = usize::from(unit > 0 || value < 9.95);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// Bytes, with a sign before what is modelled: `≈ 52.6 MB`.
pub fn size(value: u64, modelled: bool) -> String {
    if modelled && value > 0 {
        format!("≈ {}", bytes(value))
    } else {
        bytes(value)
    }
}

/// The first twelve hex digits of a digest.
pub fn short(digest: &str) -> &str {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..12).unwrap_or(hex)
}

/// A number with its noun: `1 file`, `3 files`.
pub fn count(number: impl Into<u64>, noun: &str) -> String {
    let number = number.into();
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// Permission bits as `ls` writes them, without the type.
pub fn mode(mode: u32) -> String {
    (0..9)
        .rev()
        .map(|bit| {
            if mode & (1 << bit) == 0 {
                '-'
            } else {
                ['x', 'w', 'r'][bit as usize % 3]
            }
        })
        .collect()
}

/// The path of a row's directory.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// How deep a path lies: 0 at the root.
pub fn depth(row: &Row) -> usize {
    row.path.matches('/').count()
}

/// A text with the part between two offsets in UTF-16 units replaced; offsets are clamped.
pub fn splice(text: &str, from: u32, to: u32, insert: &str) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    let from = (from as usize).min(units.len());
    let to = (to as usize).clamp(from, units.len());
    let part = |units: &[u16]| String::from_utf16_lossy(units);
    part(&units[..from]) + insert + &part(&units[to..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_have_one_digit_and_minutes_none() {
        assert_eq!(seconds(0.0), "0.0 s");
        assert_eq!(seconds(41.26), "41.3 s");
        assert_eq!(seconds(119.94), "119.9 s");
        assert_eq!(seconds(125.2), "2 min 05 s");
    }

    #[test]
    fn bytes_count_in_thousands() {
        let shown: Vec<_> = [0, 999, 1_900, 208_123, 999_600, 52_600_000, 1_340_000_000]
            .map(bytes)
            .into();
        assert_eq!(
            shown,
            [
                "0 B", "999 B", "1.9 KB", "208 KB", "1.0 MB", "52.6 MB", "1.3 GB"
            ]
        );
    }

    #[test]
    fn modes_read_as_in_ls() {
        assert_eq!(mode(0o755), "rwxr-xr-x");
        assert_eq!(mode(0o640), "rw-r-----");
    }

    #[test]
    fn splicing_counts_in_utf16_units() {
        assert_eq!(splice("é𝄞xy", 3, 4, "Z"), "é𝄞Zy");
        assert_eq!(splice("ab", 9, 1, "!"), "ab!");
    }
}
