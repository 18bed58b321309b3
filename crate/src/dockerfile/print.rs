//! Canonical printing: one line for each instruction, single blanks, comments in front.
//!
//! Printing and parsing again gives the same tree, apart from places and the joined lines
//! ([`Ast::same_meaning`]).

use super::directive::BOM;
use super::limits::MAX_LINE_BYTES;
use super::line::is_blank;
use super::node::{Ast, Node};

impl Ast {
    /// Whether two trees say the same: directives, instructions, arguments, comments, here-documents;
    /// not where and how they are written.
    pub fn same_meaning(&self, other: &Self) -> bool {
        let directives = |ast: &Self| -> Vec<_> {
            ast.directives
                .iter()
                .map(|d| (d.kind, d.value.clone()))
                .collect()
        };
        self.escape == other.escape
            && directives(self) == directives(other)
            && self.nodes.len() == other.nodes.len()
            && self
                .nodes
                .iter()
                .zip(&other.nodes)
                .all(|(a, b)| a.same_meaning(b))
    }
}

impl Node {
    /// Whether two instructions say the same; see [`Ast::same_meaning`].
    pub fn same_meaning(&self, other: &Self) -> bool {
        let texts = |words: &[super::node::Word]| -> Vec<String> {
            words.iter().map(|word| word.text.clone()).collect()
        };
        let heredocs = |node: &Self| -> Vec<_> {
            let parts = node.heredocs.iter();
            parts
                .map(|h| (h.name.clone(), h.expand, h.chomp, h.fd, h.content.clone()))
                .collect()
        };
        let children = match (&self.child, &other.child) {
            (Some(a), Some(b)) => a.same_meaning(b),
            (None, None) => true,
            _ => false,
        };
        self.name.text == other.name.text
            && texts(&self.flags) == texts(&other.flags)
            && texts(&self.args) == texts(&other.args)
            && self.json == other.json
            && heredocs(self) == heredocs(other)
            && self.comments == other.comments
            && children
    }
}

/// Prints a tree.
pub fn print(ast: &Ast) -> String {
    let mut out = String::new();
    for directive in &ast.directives {
        out.push_str(&format!(
            "# {}={}\n",
            directive.kind.name(),
            directive.value
        ));
    }
    for (number, node) in ast.nodes.iter().enumerate() {
        let line = print_instruction(node, ast.escape);
        // A blank line keeps the first comment from being read as a directive, and a byte order
        // mark that belongs to a word from being taken for that of the file.
        if number == 0 && (!node.comments.is_empty() || line.starts_with(BOM)) {
            out.push('\n');
        }
        for comment in &node.comments {
            out.push_str(&format!("# {comment}\n"));
        }
        push_line(&mut out, &line, ast.escape);
        for heredoc in &node.heredocs {
            out.push_str(&heredoc.content);
            out.push_str(&heredoc.name);
            out.push('\n');
        }
    }
    out
}

/// Appends a line; one that is too long is continued.
fn push_line(out: &mut String, line: &str, escape: char) {
    let mut rest = line;
    while rest.len() > MAX_LINE_BYTES - 1 {
        let Some(at) = break_point(rest, escape) else {
            break;
        };
        out.push_str(&rest[..at]);
        out.push(escape);
        out.push('\n');
        rest = &rest[at..];
    }
    out.push_str(rest);
    let end = rest.trim_end_matches([' ', '\t']);
    let lone = end
        .strip_suffix(escape)
        .is_some_and(|before| !before.ends_with(escape));
    if rest.is_empty() {
        // An instruction of nothing: a continuation that the end of the text cut off.
        out.push(escape);
    } else if lone {
        // This blank is trimmed like others, but an escape in front of it continues no line.
        out.push('\u{A0}');
    }
    out.push('\n');
}

/// The last place where a line can be continued: between two plain characters.
fn break_point(line: &str, escape: char) -> Option<usize> {
    let bytes = line.as_bytes();
    let plain = |b: u8| b.is_ascii_alphanumeric() && char::from(b) != escape;
    (1..MAX_LINE_BYTES - 1)
        .rev()
        .find(|at| plain(bytes[at - 1]) && plain(bytes[*at]))
}

/// The instruction on one line, without comments and here-documents.
pub fn print_instruction(node: &Node, escape: char) -> String {
    let keyword = node.name.text.to_lowercase();
    let known = super::instruction::KEYWORDS
        .iter()
        .any(|k| k.eq_ignore_ascii_case(&keyword));
    if !known {
        return node.original.trim().to_owned();
    }
    let mut out = node.name.text.clone();
    for flag in &node.flags {
        out.push(' ');
        out.push_str(&print_flag(&flag.text, escape));
    }
    let args = print_args(node, &keyword, escape);
    if args.is_empty() {
        return out;
    }
    // What looks like a flag but is none came after a `--`.
    if args.starts_with("--") {
        out.push_str(" --");
    }
    out.push(' ');
    out.push_str(&args);
    out
}

fn print_args(node: &Node, keyword: &str, escape: char) -> String {
    if let Some(child) = &node.child {
        return print_instruction(child, escape);
    }
    let texts = || node.args.iter().map(|arg| arg.text.as_str());
    match keyword {
        "env" | "label" => {
            let pairs = node.args.chunks(3).map(|pair| match pair {
                // After an escape the first blank belongs to the key's word.
                [key, value, sep] if sep.text.is_empty() && key.text.ends_with(escape) => {
                    format!("{}  {}", key.text, value.text)
                }
                [key, value, sep] if sep.text.is_empty() => format!("{} {}", key.text, value.text),
                [key, value, sep] => format!("{}{}{}", key.text, sep.text, value.text),
                rest => rest.iter().map(|word| word.text.as_str()).collect(),
            });
            pairs.collect::<Vec<_>>().join(" ")
        }
        "healthcheck" if node.json => {
            let kind = texts().next().unwrap_or_default();
            format!("{kind} {}", print_json(texts().skip(1)))
        }
        _ if node.json => print_json(texts()),
        _ => texts().collect::<Vec<_>>().join(" "),
    }
}

/// A JSON array of strings.
pub fn print_json<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let strings: Vec<String> = texts
        .map(|text| serde_json::Value::from(text).to_string())
        .collect();
    format!("[{}]", strings.join(", "))
}

/// A flag with what would end or change it quoted.
///
/// The parser widens each byte of a flag to a character; this narrows them again. A flag can end
/// inside a character whose next byte the parser took for a blank: then any such character is put
/// there.
fn print_flag(text: &str, escape: char) -> String {
    let body = text.strip_prefix("--").unwrap_or(text);
    let narrow: Option<Vec<u8>> = body
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    let (body, tail) = match &narrow {
        None => (body, String::new()),
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(whole) => (whole, String::new()),
            Err(error) => {
                let (whole, half) = bytes.split_at(error.valid_up_to());
                let ends: [&[u8]; 3] = [&[0xA0], &[0xA0, 0x80], &[0xA0, 0x80, 0x80]];
                let tail = ends
                    .iter()
                    .find_map(|end| String::from_utf8([half, end].concat()).ok());
                (
                    std::str::from_utf8(whole).unwrap_or_default(),
                    tail.unwrap_or_default(),
                )
            }
        },
    };
    let special = |c: char| {
        c == escape || c == '"' || c == '\'' || is_blank(c) || c.is_whitespace() || !c.is_ascii()
    };
    if !body.contains(special) {
        return format!("--{body}{tail}");
    }
    let mut out = String::from("--\"");
    for c in body.chars() {
        if c == '"' || c == escape {
            out.push(escape);
        }
        out.push(c);
    }
    out.push('"');
    out.push_str(&tail);
    out
}
