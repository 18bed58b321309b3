//! Words, quantities and attributes of acts.

/// A line cut into words at blanks; double quotes keep blanks in a word, with `\n`, `\t`, `\"` and
/// `\\` inside.
///
/// # Errors
/// A quote that is not closed.
pub fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if quoted => {
                let escaped = match letters.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some(other) => other,
                    None => '\\',
                };
                word.get_or_insert_default().push(escaped);
            }
            letter if letter.is_whitespace() && !quoted => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    if quoted {
        return Err("a quote is not closed".into());
    }
    words.extend(word);
    Ok(words)
}

/// A number of bytes: `300`, `200KB`, `1.5MB`, `2GB` (powers of 1000, as Docker prints them).
pub fn bytes(text: &str) -> Option<f64> {
    let units = [
        ("GB", 1e9),
        ("MB", 1e6),
        ("kB", 1e3),
        ("KB", 1e3),
        ("B", 1.0),
    ];
    let (number, unit) = units
        .iter()
        .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|number| (number, *unit)))
        .unwrap_or((text, 1.0));
    let number: f64 = number.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number * unit)
}

/// A number of seconds: `40`, `1.2`, `40s`.
pub fn seconds(text: &str) -> Option<f64> {
    let number: f64 = text.strip_suffix('s').unwrap_or(text).trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// Permission bits in octal.
pub fn mode(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 8)
        .ok()
        .filter(|mode| *mode <= 0o7777)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_quotes() {
        assert_eq!(
            words(r#"write  a "b \"c\"\n" """#),
            Ok(vec![
                "write".into(),
                "a".into(),
                "b \"c\"\n".into(),
                String::new()
            ])
        );
        assert!(words("a \"b").is_err());
    }

    #[test]
    fn quantities() {
        assert_eq!(bytes("1.5MB"), Some(1.5e6));
        assert_eq!(bytes("12"), Some(12.0));
        assert_eq!(bytes("x"), None);
        assert_eq!(seconds("40s"), Some(40.0));
        assert_eq!(mode("0755"), Some(0o755));
        assert_eq!(mode("99"), None);
    }
}
