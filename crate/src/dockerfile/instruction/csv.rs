//! One line of comma-separated values, as `--mount` and `--device` have them.
//!
//! Source: `tonistiigi/go-csvvalue`, whose errors read like those of Go's `encoding/csv`.

/// Splits the fields.
pub(super) fn fields(line: &str) -> Result<Vec<String>, String> {
    let line = line
        .strip_suffix("\r\n")
        .or(line.strip_suffix('\n'))
        .unwrap_or(line);
    if line.is_empty() {
        return Err("EOF".to_owned());
    }
    let error =
        |at: usize, what: &str| Err(format!("parse error on line 1, column {}: {what}", at + 1));
    let quoted_error = "extraneous or missing \" in quoted-field";
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    loop {
        let rest = &line[at..];
        let Some(quoted) = rest.strip_prefix('"') else {
            let field = rest.split(',').next().unwrap_or_default();
            if let Some(quote) = field.find('"') {
                return error(at + quote, "bare \" in non-quoted-field");
            }
            out.push(field.to_owned());
            if field.len() == rest.len() {
                return Ok(out);
            }
            at += field.len() + 1;
            continue;
        };
        at += 1;
        let mut field = String::new();
        let mut rest = quoted;
        let ended = loop {
            let Some(quote) = rest.find('"') else {
                return error(at, quoted_error);
            };
            field.push_str(&rest[..quote]);
            rest = &rest[quote + 1..];
            at += quote + 1;
            match rest.as_bytes().first() {
                Some(b'"') => {
                    field.push('"');
                    rest = &rest[1..];
                    at += 1;
                }
                Some(b',') => {
                    at += 1;
                    break false;
                }
                None => break true,
                Some(_) => return error(at - 1, quoted_error),
            }
        };
        out.push(field);
        if ended {
            return Ok(out);
        }
    }
}
