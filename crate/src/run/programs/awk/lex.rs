//! The words of awk.

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    /// A name; true where a `(` follows at once, as in a call.
    Name(String, bool),
    /// A keyword.
    Word(&'static str),
    /// An operator or a bracket.
    Sign(&'static str),
    Newline,
    End,
}

const WORDS: [&str; 20] = [
    "BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue",
    "next", "nextfile", "exit", "return", "delete", "in", "getline", "print", "printf",
];

/// Longer ones first.
const SIGNS: [&str; 44] = [
    "**=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "**", "==", "<=", ">=",
    "!=", ">>", "!~", "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!",
    ">", "<", "|", "?", ":", "~", "$", "=", "&", "@", "\\",
];

/// Splits a program into tokens.
///
/// # Errors
/// What is wrong with it.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut found: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        match c {
            '\n' => {
                found.push(Token::Newline);
                at += 1;
            }
            '\\' if chars.get(at + 1) == Some(&'\n') => at += 2,
            c if c.is_whitespace() => at += 1,
            '#' => {
                while chars.get(at).is_some_and(|c| *c != '\n') {
                    at += 1;
                }
            }
            '"' => {
                let (text, next) = string(&chars, at + 1)?;
                found.push(Token::Text(text));
                at = next;
            }
            '/' if !divides(found.last()) => {
                let (text, next) = regex(&chars, at + 1)?;
                found.push(Token::Regex(text));
                at = next;
            }
            c if c.is_ascii_digit()
                || (c == '.' && chars.get(at + 1).is_some_and(char::is_ascii_digit)) =>
            {
                let (value, next) = number(&chars, at);
                found.push(Token::Number(value));
                at = next;
            }
            c if c.is_alphabetic() || c == '_' => {
                let start = at;
                while chars
                    .get(at)
                    .is_some_and(|c| c.is_alphanumeric() || *c == '_')
                {
                    at += 1;
                }
                let name: String = chars[start..at].iter().collect();
                found.push(match WORDS.iter().find(|word| **word == name) {
                    Some(&"func") => Token::Word("function"),
                    Some(word) => Token::Word(word),
                    None => Token::Name(name, chars.get(at) == Some(&'(')),
                });
            }
            _ => {
                let rest: String = chars[at..].iter().take(3).collect();
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = *sign.ok_or("Unexpected token")?;
                at += sign.len();
                found.push(Token::Sign(match sign {
                    "**" => "^",
                    "**=" => "^=",
                    sign => sign,
                }));
            }
        }
    }
    found.push(Token::Newline);
    found.push(Token::End);
    Ok(found)
}

/// Whether a `/` behind this token divides; elsewhere it begins an expression.
fn divides(last: Option<&Token>) -> bool {
    match last {
        Some(Token::Number(_) | Token::Text(_) | Token::Name(..)) => true,
        Some(Token::Sign(sign)) => matches!(*sign, ")" | "]" | "$" | "++" | "--"),
        _ => false,
    }
}

fn number(chars: &[char], start: usize) -> (f64, usize) {
    let mut at = start;
    let digits = |at: &mut usize| {
        while chars.get(*at).is_some_and(char::is_ascii_digit) {
            *at += 1;
        }
    };
    if chars[at] == '0' && matches!(chars.get(at + 1), Some('x' | 'X')) {
        at += 2;
        let from = at;
        while chars.get(at).is_some_and(char::is_ascii_hexdigit) {
            at += 1;
        }
        let text: String = chars[from..at].iter().collect();
        return (u64::from_str_radix(&text, 16).unwrap_or(0) as f64, at);
    }
    digits(&mut at);
    if chars.get(at) == Some(&'.') {
        at += 1;
        digits(&mut at);
    }
    if matches!(chars.get(at), Some('e' | 'E')) {
        let mut exponent = at + 1;
        if matches!(chars.get(exponent), Some('+' | '-')) {
            exponent += 1;
        }
        if chars.get(exponent).is_some_and(char::is_ascii_digit) {
            at = exponent;
            digits(&mut at);
        }
    }
    let text: String = chars[start..at].iter().collect();
    (text.parse().unwrap_or(0.0), at)
}

fn string(chars: &[char], mut at: usize) -> Result<(String, usize), String> {
    let mut out = String::new();
    loop {
        let c = *chars.get(at).ok_or("Unterminated string")?;
        at += 1;
        match c {
            '"' => return Ok((out, at)),
            '\n' => return Err("Unterminated string".into()),
            '\\' => {
                let c = *chars.get(at).ok_or("Unterminated string")?;
                at += 1;
                match c {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    'a' => out.push('\x07'),
                    'b' => out.push('\x08'),
                    'f' => out.push('\x0c'),
                    'v' => out.push('\x0b'),
                    '\n' => {}
                    '0'..='7' => {
                        let mut value = c.to_digit(8).unwrap_or(0);
                        for _ in 0..2 {
                            let Some(digit) = chars.get(at).and_then(|c| c.to_digit(8)) else {
                                break;
                            };
                            value = value * 8 + digit;
                            at += 1;
                        }
                        out.push(char::from(value as u8));
                    }
                    '"' | '\\' | '/' => out.push(c),
                    c => out.extend(['\\', c]),
                }
            }
            c => out.push(c),
        }
    }
}

fn regex(chars: &[char], mut at: usize) -> Result<(String, usize), String> {
    let mut out = String::new();
    let mut in_bracket = false;
    loop {
        let c = *chars.get(at).ok_or("Unterminated regular expression")?;
        at += 1;
        match c {
            '/' if !in_bracket => return Ok((out, at)),
            '\n' => return Err("Unterminated regular expression".into()),
            '[' if !in_bracket => {
                in_bracket = true;
                out.push(c);
                for member in ['^', ']'] {
                    if chars.get(at) == Some(&member) {
                        out.push(member);
                        at += 1;
                    }
                }
            }
            ']' => {
                in_bracket = false;
                out.push(c);
            }
            '\\' => {
                let next = *chars.get(at).ok_or("Unterminated regular expression")?;
                at += 1;
                match next {
                    '/' => out.push('/'),
                    next => out.extend(['\\', next]),
                }
            }
            c => out.push(c),
        }
    }
}
