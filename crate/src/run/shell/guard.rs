//! What stands between a script and the parser: limits in front of it, and its errors told as
//! the shell would tell them.

use brush_parser::ParseError;

use super::compile::SyntaxError;

/// Brackets nest so deep in one script.
const MAX_BRACKETS: usize = 60;
/// The longest script, in bytes.
const MAX_SCRIPT: usize = 4 << 20;

/// Refuses what the parser would use up the stack for, or cannot count.
pub(super) fn check(text: &str) -> Result<(), SyntaxError> {
    if text.len() > MAX_SCRIPT {
        return Err(SyntaxError::new("the script is too long"));
    }
    let mut depth = 0usize;
    let mut digits = 0;
    for c in text.bytes() {
        match c {
            b'(' | b'{' => depth += 1,
            b')' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_BRACKETS {
            return Err(SyntaxError::new("brackets are nested too deep"));
        }
        // The number of a descriptor in front of a redirection.
        if matches!(c, b'<' | b'>') && digits > 9 {
            return Err(SyntaxError::new("bad fd number"));
        }
        digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
    }
    Ok(())
}

/// The parser's error in the shell's words.
pub(super) fn explain(text: &str, error: &ParseError) -> SyntaxError {
    match error {
        ParseError::Tokenizing { .. } => SyntaxError::new(match unterminated(text) {
            Some(expected) => format!("unexpected end of file (expecting \"{expected}\")"),
            None => "unterminated quoted string".to_string(),
        }),
        ParseError::ParsingAtEndOfInput => unexpected("end of file", text),
        ParseError::ParsingNear(position) => {
            let before: String = text.chars().take(position.index).collect();
            let rest = &text[before.len().min(text.len())..];
            unexpected(&token(rest), &before)
        }
    }
}

fn unexpected(token: &str, before: &str) -> SyntaxError {
    let mut message = format!("unexpected {token}");
    if let Some(expected) = expected(before) {
        message.push_str(&format!(" (expecting \"{expected}\")"));
    }
    SyntaxError::new(message)
}

/// The closing bracket of a substitution that is not there.
fn unterminated(text: &str) -> Option<&'static str> {
    let opens = text.matches("$(").count();
    let quotes = text.matches('"').count() % 2 + text.matches('\'').count() % 2;
    (quotes == 0 && opens > 0).then_some(")")
}

/// The token at the start of `rest`, as the shell names it.
fn token(rest: &str) -> String {
    let rest = rest.trim_start_matches([' ', '\t']);
    let Some(first) = rest.chars().next() else {
        return "end of file".to_string();
    };
    if first == '\n' {
        return "newline".to_string();
    }
    for operator in [";;", "&&", "||", ";", "&", "|", "(", ")"] {
        if rest.starts_with(operator) {
            return format!("\"{operator}\"");
        }
    }
    if first == '<' || first == '>' {
        return "redirection".to_string();
    }
    let word: String = rest
        .chars()
        .take_while(|c| !c.is_whitespace() && !";&|()<>".contains(*c))
        .collect();
    let reserved = [
        "!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then",
        "until", "while", "{", "}",
    ];
    match reserved.contains(&word.as_str()) {
        true => format!("\"{word}\""),
        false => "word".to_string(),
    }
}

/// What the innermost construct that is open at the end of `text` waits for.
fn expected(text: &str) -> Option<&'static str> {
    let mut open: Vec<&'static str> = Vec::new();
    let mut command_here = true;
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || ";&|()".contains(c)) {
        let word = piece.trim_end_matches(|c: char| c.is_whitespace() || ";&|()".contains(c));
        if command_here {
            match word {
                "if" | "elif" => {
                    if word == "elif" {
                        open.pop();
                    }
                    open.push("then");
                }
                "then" | "else" => {
                    open.pop();
                    open.push("fi");
                }
                "while" | "until" | "for" => open.push("do"),
                "do" => {
                    open.pop();
                    open.push("done");
                }
                "{" => open.push("}"),
                "fi" | "done" | "}" => {
                    open.pop();
                }
                _ => {}
            }
        }
        let keyword = [
            "if", "then", "else", "elif", "while", "until", "do", "{", "!",
        ];
        if !word.is_empty() {
            command_here = keyword.contains(&word);
        }
        if piece.ends_with([';', '&', '|', '(', ')', '\n']) {
            command_here = true;
        }
        if piece.ends_with('(') {
            open.push(")");
        } else if piece.ends_with(')') && open.last() == Some(&")") {
            open.pop();
        }
    }
    open.last().copied()
}
