//! "Did you mean": the nearest of a few words.

/// The option within an edit distance of two of `value`, the nearest, the first of equals.
///
/// `None` if there is no such option or if `value` is one of them (then the word is not what is
/// wrong). Without `case_sensitive` the answer takes over whether `value` is in capitals.
/// Source: BuildKit `util/suggest`; where it picks at random among equals, this takes the first.
pub fn nearest<'a>(
    value: &str,
    options: impl IntoIterator<Item = &'a str>,
    case_sensitive: bool,
) -> Option<String> {
    let fold = |s: &str| {
        if case_sensitive {
            s.to_owned()
        } else {
            s.to_lowercase()
        }
    };
    let wanted = fold(value);
    let mut best: Option<String> = None;
    let mut limit = 3;
    for option in options {
        let option = fold(option);
        if option == wanted {
            return None;
        }
        let distance = distance_below(&wanted, &option, limit);
        if let Some(distance) = distance {
            limit = distance;
            best = Some(option);
        }
    }
    best.map(|word| {
        if !case_sensitive && value != value.to_lowercase() && value == value.to_uppercase() {
            word.to_uppercase()
        } else {
            word
        }
    })
}

/// The message with the suggestion BuildKit would add.
pub fn with_nearest<'a>(
    message: String,
    value: &str,
    options: impl IntoIterator<Item = &'a str>,
    case_sensitive: bool,
) -> String {
    match nearest(value, options, case_sensitive) {
        Some(word) if !word.is_empty() => format!("{message} (did you mean {word}?)"),
        _ => message,
    }
}

/// The Levenshtein distance in characters, if it is below `limit`.
fn distance_below(a: &str, b: &str, limit: usize) -> Option<usize> {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) >= limit {
        return None;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    (row[b.len()] < limit).then_some(row[b.len()])
}
