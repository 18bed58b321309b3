//! A small edit of a file, as somebody at work would make it: one more line.

/// The bytes with one more line, which is a comment where the kind of file has them. Twice in a
/// row gives two more lines, so that every nudge is a change.
pub fn nudged(path: &str, bytes: &[u8]) -> Vec<u8> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let (open, close) = match extension {
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "tsx" | "go" | "mod" | "rs" | "java" | "kt" | "c"
        | "h" | "cc" | "cpp" | "cs" | "php" | "scss" | "swift" => ("// ", ""),
        "css" => ("/* ", " */"),
        "html" | "htm" | "xml" | "svg" | "vue" | "md" => ("<!-- ", " -->"),
        "sql" | "lua" => ("-- ", ""),
        "ini" | "bat" => ("; ", ""),
        "json" | "lock" | "sum" | "csv" => return more(bytes, "\n"),
        _ => ("# ", ""),
    };
    let count = text_lines(bytes)
        .filter(|line| line.contains("edit "))
        .count()
        + 1;
    more(bytes, &format!("{open}edit {count}{close}\n"))
}

fn text_lines(bytes: &[u8]) -> impl Iterator<Item = &str> {
    bytes
        .split(|byte| *byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok())
}

fn more(bytes: &[u8], line: &str) -> Vec<u8> {
    let mut out = bytes.to_vec();
    if !out.is_empty() && !out.ends_with(b"\n") {
        out.push(b'\n');
    }
    out.extend_from_slice(line.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nudge_is_a_comment_and_always_a_change() {
        let once = nudged("src/app.js", b"run()");
        assert_eq!(once, b"run()\n// edit 1\n");
        assert_eq!(
            nudged("src/app.js", &once),
            b"run()\n// edit 1\n// edit 2\n"
        );
        assert_eq!(nudged("package.json", b"{}\n"), b"{}\n\n");
    }
}
