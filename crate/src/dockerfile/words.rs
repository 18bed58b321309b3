//! Taking a logical line apart: instruction word, flags, arguments.

use super::diagnostic::Diagnostic;
use super::golang::quote;
use super::json::{self, NotStrings};
use super::limits::MAX_ONBUILD_DEPTH;
use super::line::{LogicalLine, split_blanks, split_once_blank};
use super::node::{Node, Word};
use super::span::{Lines, Span};

/// Takes a line apart. `escape` is the escape character in force.
pub(super) fn node_of_line(line: &LogicalLine, escape: char) -> Result<Node, Diagnostic> {
    node_of(line, line.text.trim(), escape, 0)
}

fn node_of(line: &LogicalLine, text: &str, escape: char, depth: usize) -> Result<Node, Diagnostic> {
    let (name, rest) = split_once_blank(text).unwrap_or(text.split_at(text.len()));
    let (flags, rest) = flags(line, rest, escape);
    let args = rest.trim();
    let mut node = Node {
        name: word(line, name),
        flags,
        args: Vec::new(),
        json: false,
        heredocs: Vec::new(),
        child: None,
        original: text.to_owned(),
        comments: Vec::new(),
        lines: Lines::default(),
        span: line.span_of(text),
    };
    match name.to_lowercase().as_str() {
        "add" | "copy" | "volume" => {
            if !read_json(line, args, &mut node)? {
                node.args = listed(line, args);
            }
        }
        "cmd" | "entrypoint" | "run" | "shell" => read_command(line, args, &mut node)?,
        "expose" | "from" => node.args = listed(line, args),
        "maintainer" | "stopsignal" | "user" | "workdir" => {
            if !args.is_empty() {
                node.args = vec![word(line, args)];
            }
        }
        "arg" => {
            node.args = words(line, args, escape)
                .into_iter()
                .map(|w| w.word)
                .collect()
        }
        "env" => node.args = pairs(line, args, "ENV", escape)?,
        "label" => node.args = pairs(line, args, "LABEL", escape)?,
        "healthcheck" => healthcheck(line, args, &mut node)?,
        "onbuild" if !args.is_empty() && depth < MAX_ONBUILD_DEPTH => {
            node.child = Some(Box::new(node_of(line, args, escape, depth + 1)?));
        }
        "onbuild" => {}
        // What follows an unknown word is left alone; BuildKit gives it one empty argument.
        _ => node.args = vec![word(line, &text[text.len()..])],
    }
    Ok(node)
}

fn word(line: &LogicalLine, text: &str) -> Word {
    Word {
        text: text.to_owned(),
        span: line.span_of(text),
    }
}

/// Words between blanks, quotes not looked at.
fn listed(line: &LogicalLine, args: &str) -> Vec<Word> {
    if args.is_empty() {
        return Vec::new();
    }
    split_blanks(args)
        .into_iter()
        .map(|part| word(line, part))
        .collect()
}

/// An exec form, if the arguments are one.
fn read_json(line: &LogicalLine, args: &str, node: &mut Node) -> Result<bool, Diagnostic> {
    if !args.starts_with('[') {
        return Ok(false);
    }
    match json::string_array(args) {
        Ok(strings) => {
            node.json = true;
            node.args = strings
                .into_iter()
                .map(|s| Word {
                    span: line.span_of(&args[s.start..s.end]),
                    text: s.value,
                })
                .collect();
            Ok(true)
        }
        Err(NotStrings::NotArray) => Ok(false),
        Err(NotStrings::OtherValues) => Err(Diagnostic::error(
            "json-not-strings",
            "when using JSON array syntax, arrays must be comprised of strings only",
        )
        .at(line.span_of(args))
        .help("Put every element in double quotes, or write the command without brackets.")),
    }
}

fn read_command(line: &LogicalLine, args: &str, node: &mut Node) -> Result<(), Diagnostic> {
    if !args.is_empty() && !read_json(line, args, node)? {
        node.args = vec![word(line, args)];
    }
    Ok(())
}

fn healthcheck(line: &LogicalLine, args: &str, node: &mut Node) -> Result<(), Diagnostic> {
    // BuildKit looks at single bytes here: the bytes 0x85 and 0xA0 count as blanks even inside a
    // character.
    let blank = |b: u8| char::from(b).is_whitespace();
    let end = args.bytes().position(blank).unwrap_or(args.len());
    let next = args
        .bytes()
        .skip(end)
        .position(|b| !blank(b))
        .map_or(args.len(), |n| end + n);
    let (end, next) = (floor(args, end), ceil(args, next));
    if end == 0 {
        return Ok(());
    }
    read_command(line, &args[next..], node)?;
    node.args.insert(0, word(line, &args[..end]));
    Ok(())
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// A word with its quotes, and how many bytes of it are as written.
struct QuotedWord {
    word: Word,
    start: usize,
}

/// Words between blanks outside quotes; quotes and escapes are kept.
fn words(line: &LogicalLine, text: &str, escape: char) -> Vec<QuotedWord> {
    let base = line.offset_of(text);
    let mut found = Vec::new();
    let mut current: Option<(usize, String, bool)> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.char_indices().peekable();
    let mut finish = |current: &mut Option<(usize, String, bool)>, end: usize| {
        if let Some((start, word, blank_ok)) = current.take()
            && (blank_ok || !word.is_empty())
        {
            let word = Word {
                text: word,
                span: line.span(base + start, base + end),
            };
            found.push(QuotedWord {
                word,
                start: base + start,
            });
        }
    };
    while let Some((at, c)) = chars.next() {
        if current.is_none() {
            if c.is_whitespace() {
                continue;
            }
            current = Some((at, String::new(), false));
        } else if quote.is_none() && c.is_whitespace() {
            finish(&mut current, at);
            continue;
        }
        let Some((_, word, blank_ok)) = current.as_mut() else {
            continue;
        };
        let escapes = match quote {
            None => {
                if c == '\'' || c == '"' {
                    quote = Some(c);
                    *blank_ok = true;
                }
                c == escape
            }
            Some(open) => {
                if c == open {
                    quote = None;
                }
                c == escape && open != '\''
            }
        };
        if escapes {
            // An escape at the very end is dropped.
            let Some((_, escaped)) = chars.next() else {
                break;
            };
            word.push(c);
            word.push(escaped);
        } else {
            word.push(c);
        }
    }
    finish(&mut current, text.len());
    found
}

/// The pairs of ENV and LABEL.
fn pairs(
    line: &LogicalLine,
    args: &str,
    instruction: &str,
    escape: char,
) -> Result<Vec<Word>, Diagnostic> {
    let words = words(line, args, escape);
    let Some(first) = words.first() else {
        return Ok(Vec::new());
    };
    if !first.word.text.contains('=') {
        let Some((key, value)) = split_once_blank(args) else {
            return Err(Diagnostic::error(
                "missing-value",
                format!("{instruction} must have two arguments"),
            )
            .at(line.span_of(args))
            .help(format!("Write {instruction} {args}=value.")));
        };
        return Ok(vec![word(line, key), word(line, value), Word::default()]);
    }
    let mut args = Vec::with_capacity(words.len() * 3);
    for QuotedWord { word, start } in words {
        let Some((key, value)) = word.text.split_once('=') else {
            return Err(Diagnostic::error(
                "missing-equals",
                format!(
                    "Syntax error - can't find = in {}. Must be of the form: name=value",
                    quote(&word.text)
                ),
            )
            .at(word.span)
            .help("A value with blanks needs double quotes around it."));
        };
        let split = start + key.len();
        args.push(Word {
            text: key.to_owned(),
            span: line.span(start, split),
        });
        let value_span = Span::new(line.span(split, split + 1).end, word.span.end);
        args.push(Word {
            text: value.to_owned(),
            span: value_span,
        });
        args.push(Word {
            text: "=".to_owned(),
            span: line.span(split, split + 1),
        });
    }
    Ok(args)
}

/// The `--flags` in front of the arguments, and what comes after them.
///
/// BuildKit goes through single bytes here and widens each to a character, so that `é` in a flag
/// becomes two; the same is done here, since the flag's value is what counts.
fn flags<'a>(line: &LogicalLine, text: &'a str, escape: char) -> (Vec<Word>, &'a str) {
    let base = line.offset_of(text);
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        while at < bytes.len() && char::from(bytes[at]).is_whitespace() {
            at += 1;
        }
        if at >= bytes.len() {
            return (found, &text[text.len()..]);
        }
        if !bytes[at..].starts_with(b"--") {
            return (found, &text[ceil(text, at)..]);
        }
        let start = at;
        let mut word = String::new();
        let mut blank_ok = false;
        let mut quote: Option<u8> = None;
        while at < bytes.len() {
            let byte = bytes[at];
            match quote {
                None if char::from(byte).is_whitespace() => break,
                None if byte == b'\'' || byte == b'"' => {
                    quote = Some(byte);
                    blank_ok = true;
                    at += 1;
                    continue;
                }
                Some(open) if byte == open => {
                    quote = None;
                    at += 1;
                    continue;
                }
                _ => {}
            }
            if char::from(byte) == escape {
                at += 1;
                let Some(&escaped) = bytes.get(at) else { break };
                word.push(char::from(escaped));
            } else {
                word.push(char::from(byte));
            }
            at += 1;
        }
        if word == "--" {
            return (found, &text[ceil(text, at)..]);
        }
        if blank_ok || !word.is_empty() {
            found.push(Word {
                text: word,
                span: line.span(base + start, base + ceil(text, at)),
            });
        }
    }
}
