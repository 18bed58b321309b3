//! Words taken apart: quotes, parameters, substitutions.

use std::rc::Rc;

use super::ast::{Index, Param, ParamOp, Piece, Source, Word};
use super::compile::{Compiler, SyntaxError};

/// How text is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Outside of quotes.
    Plain,
    /// Inside double quotes.
    Quoted,
    /// A here-document: like double quotes, but `"` is nothing special.
    Here,
}

/// Where a tilde at the start of a part means a home directory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tildes {
    /// At the start of the word.
    Start,
    /// Also behind each colon: the value of an assignment.
    Colons,
    None,
}

struct Reader<'a> {
    text: &'a [char],
    at: usize,
    compiler: &'a mut Compiler,
}

type Result<T> = std::result::Result<T, SyntaxError>;

/// Takes a word apart.
pub(super) fn parse(
    compiler: &mut Compiler,
    text: &str,
    mode: Mode,
    tildes: Tildes,
) -> Result<Word> {
    let chars: Vec<char> = text.chars().collect();
    let mut reader = Reader {
        text: &chars,
        at: 0,
        compiler,
    };
    let pieces = reader.pieces(None, mode, tildes)?;
    Ok(Word { pieces })
}

/// Collects pieces; text next to text of the same kind becomes one piece.
#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    fn text(&mut self, c: char, is_quoted: bool) {
        if let Some(Piece::Text { text, quoted }) = self.0.last_mut()
            && *quoted == is_quoted
        {
            text.push(c);
            return;
        }
        self.0.push(Piece::Text {
            text: c.to_string(),
            quoted: is_quoted,
        });
    }

    fn quoted(&mut self, text: String) {
        self.0.push(Piece::Text { text, quoted: true });
    }
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek(0) == Some(c);
        self.at += usize::from(found);
        found
    }

    /// Reads up to `stop` (not taken), which must be there.
    fn pieces(&mut self, stop: Option<&[char]>, mode: Mode, tildes: Tildes) -> Result<Vec<Piece>> {
        let mut out = Pieces::default();
        let quoted = mode != Mode::Plain;
        let mut tilde_here = tildes != Tildes::None && !quoted;
        while let Some(c) = self.peek(0) {
            if stop.is_some_and(|stop| stop.contains(&c)) {
                return Ok(out.0);
            }
            let tilde = std::mem::replace(&mut tilde_here, false);
            match c {
                '~' if tilde => {
                    if let Some(user) = self.tilde(stop) {
                        out.0.push(Piece::Tilde(user));
                    } else {
                        out.text('~', false);
                        self.at += 1;
                    }
                }
                '\\' => self.backslash(&mut out, mode),
                '\'' if mode == Mode::Plain => {
                    self.at += 1;
                    let text = self.until('\'')?;
                    out.quoted(text);
                }
                '"' if mode == Mode::Plain => self.double_quotes(&mut out)?,
                // Quotes inside `"${x:-"..."}"`: the text stays quoted, the marks go.
                '"' if mode == Mode::Quoted && stop.is_some() => self.at += 1,
                '$' => self.dollar(&mut out, mode)?,
                '`' => {
                    let script = self.backquotes(mode)?;
                    out.0.push(Piece::Command { script, quoted });
                }
                '<' | '>' if mode == Mode::Plain && self.peek(1) == Some('(') => {
                    self.at += 2;
                    let text = self.balanced()?;
                    let script = Rc::new(self.compiler.nested(&text)?);
                    out.0.push(Piece::Process {
                        script,
                        read: c == '<',
                    });
                }
                _ => {
                    tilde_here = c == ':' && tildes == Tildes::Colons;
                    out.text(c, quoted);
                    self.at += 1;
                }
            }
        }
        if stop.is_some() {
            return Err(SyntaxError::new("unterminated quoted string"));
        }
        Ok(out.0)
    }

    fn tilde(&mut self, stop: Option<&[char]>) -> Option<String> {
        let mut end = self.at + 1;
        while let Some(c) = self.text.get(end) {
            if *c == '/' || *c == ':' || stop.is_some_and(|stop| stop.contains(c)) {
                break;
            }
            if !(c.is_ascii_alphanumeric() || "._-+".contains(*c)) {
                return None;
            }
            end += 1;
        }
        let user = self.text[self.at + 1..end].iter().collect();
        self.at = end;
        Some(user)
    }

    fn backslash(&mut self, out: &mut Pieces, mode: Mode) {
        self.at += 1;
        let Some(c) = self.peek(0) else {
            out.text('\\', true);
            return;
        };
        self.at += 1;
        match (c, mode) {
            ('\n', _) => {}
            (_, Mode::Plain) | ('$' | '`' | '\\', _) | ('"' | '}', Mode::Quoted) => {
                // `\}` is special only inside braces, where the mark would end them.
                out.text(c, true);
            }
            _ => {
                out.text('\\', true);
                out.text(c, true);
            }
        }
    }

    fn until(&mut self, end: char) -> Result<String> {
        let start = self.at;
        while let Some(c) = self.peek(0) {
            self.at += 1;
            if c == end {
                return Ok(self.text[start..self.at - 1].iter().collect());
            }
        }
        Err(SyntaxError::new("unterminated quoted string"))
    }

    fn double_quotes(&mut self, out: &mut Pieces) -> Result<()> {
        self.at += 1;
        // Without `stop`, so that marks inside are not taken for nested ones.
        let mut inner = Pieces::default();
        loop {
            match self.peek(0) {
                None => return Err(SyntaxError::new("unterminated quoted string")),
                Some('"') => break,
                Some('\\') => self.backslash_in_quotes(&mut inner),
                Some('$') => self.dollar(&mut inner, Mode::Quoted)?,
                Some('`') => {
                    let script = self.backquotes(Mode::Quoted)?;
                    inner.0.push(Piece::Command {
                        script,
                        quoted: true,
                    });
                }
                Some(c) => {
                    inner.text(c, true);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        if inner.0.is_empty() {
            out.quoted(String::new());
        }
        out.0.append(&mut inner.0);
        Ok(())
    }

    fn backslash_in_quotes(&mut self, out: &mut Pieces) {
        if self.peek(1) == Some('}') {
            out.text('\\', true);
            out.text('}', true);
            self.at += 2;
        } else {
            self.backslash(out, Mode::Quoted);
        }
    }

    fn backquotes(&mut self, mode: Mode) -> Result<Rc<Source>> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(c) = self.peek(0) else {
                return Err(SyntaxError::new("EOF in backquote substitution"));
            };
            self.at += 1;
            match c {
                '`' => break,
                '\\' => {
                    let next = self.peek(0);
                    let special = matches!(next, Some('\\' | '`' | '$'))
                        || (next == Some('"') && mode == Mode::Quoted);
                    if !special {
                        text.push('\\');
                    }
                    if let Some(next) = next {
                        text.push(next);
                        self.at += 1;
                    }
                }
                _ => text.push(c),
            }
        }
        self.script(&text)
    }

    fn script(&mut self, text: &str) -> Result<Rc<Source>> {
        let list = self.compiler.nested(text)?;
        Ok(Rc::new(Source { list }))
    }

    fn dollar(&mut self, out: &mut Pieces, mode: Mode) -> Result<()> {
        let quoted = mode != Mode::Plain;
        self.at += 1;
        match self.peek(0) {
            Some('\'') if mode == Mode::Plain => {
                self.at += 1;
                let text = self.ansi_c()?;
                out.quoted(text);
            }
            Some('"') if mode == Mode::Plain => self.double_quotes(out)?,
            Some('(') if self.peek(1) == Some('(') && self.arithmetic_end().is_some() => {
                let end = self.arithmetic_end().unwrap_or(self.at);
                let text: String = self.text[self.at + 2..end].iter().collect();
                self.at = end + 2;
                let expr = parse(self.compiler, &text, Mode::Here, Tildes::None)?;
                out.0.push(Piece::Arith { expr, quoted });
            }
            Some('(') => {
                self.at += 1;
                let text = self.balanced()?;
                let script = self.script(&text)?;
                out.0.push(Piece::Command { script, quoted });
            }
            Some('{') => {
                self.at += 1;
                let param = self.braces(mode)?;
                out.0.push(Piece::Param(Box::new(param)));
            }
            Some(c) if is_name_start(c) => {
                let name = self.name();
                out.0.push(plain(name, quoted));
            }
            Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(c) => {
                self.at += 1;
                out.0.push(plain(c.to_string(), quoted));
            }
            _ => out.text('$', quoted),
        }
        Ok(())
    }

    fn name(&mut self) -> String {
        let start = self.at;
        while self
            .peek(0)
            .is_some_and(|c| c == '_' || c.is_ascii_alphanumeric())
        {
            self.at += 1;
        }
        self.text[start..self.at].iter().collect()
    }

    /// The place of the `))` that ends the arithmetic begun at `((`, if it is one.
    fn arithmetic_end(&self) -> Option<usize> {
        let mut depth = 0;
        let mut at = self.at + 2;
        while let Some(c) = self.text.get(at) {
            match c {
                '\\' => at += 1,
                '(' => depth += 1,
                ')' if depth == 0 => return (self.text.get(at + 1) == Some(&')')).then_some(at),
                ')' => depth -= 1,
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// The text of a command substitution up to its closing parenthesis, which is taken.
    fn balanced(&mut self) -> Result<String> {
        let start = self.at;
        let Some(len) = substitution_end(&self.text[start..]) else {
            return Err(SyntaxError::new("unterminated quoted string"));
        };
        self.at = start + len + 1;
        Ok(self.text[start..start + len].iter().collect())
    }

    fn ansi_c(&mut self) -> Result<String> {
        let mut raw = String::new();
        loop {
            match self.peek(0) {
                None => return Err(SyntaxError::new("unterminated quoted string")),
                Some('\'') => break,
                Some('\\') => {
                    raw.push('\\');
                    raw.extend(self.peek(1));
                    self.at += 2;
                }
                Some(c) => {
                    raw.push(c);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Ok(ansi_c(&raw))
    }

    /// A parameter in braces; the opening one is taken already.
    fn braces(&mut self, mode: Mode) -> Result<Param> {
        let quoted = mode != Mode::Plain;
        let mut param = Param {
            name: String::new(),
            index: None,
            indirect: false,
            op: ParamOp::Plain,
            quoted,
        };
        let length = self.peek(0) == Some('#') && !matches!(self.peek(1), Some('}'))
            // `${#-x}`, `${#:-x}` and the like are about `$#`.
            && !(matches!(self.peek(1), Some(':' | '-' | '=' | '+' | '?' | '%' | '#'))
                && self.peek(2) != Some('}'));
        if length {
            self.at += 1;
        }
        let extended = self.compiler.dialect.has_bash_words();
        if extended
            && !length
            && self.peek(0) == Some('!')
            && self.peek(1).is_some_and(is_name_start)
        {
            self.at += 1;
            param.indirect = true;
        }
        match self.peek(0) {
            Some(c) if is_name_start(c) => param.name = self.name(),
            Some(c) if c.is_ascii_digit() => param.name = self.name(),
            Some(c) if "@*#?-$!".contains(c) => {
                self.at += 1;
                param.name = c.to_string();
            }
            _ => return self.bad(param),
        }
        if extended && self.peek(0) == Some('[') {
            self.at += 1;
            let all = self.peek(0).filter(|c| "@*".contains(*c));
            if let Some(c) = all.filter(|_| self.peek(1) == Some(']')) {
                self.at += 2;
                param.index = Some(Index::All(c));
            } else {
                let pieces = self.pieces(Some(&[']']), Mode::Plain, Tildes::None)?;
                self.at += 1;
                param.index = Some(Index::At(Word { pieces }));
            }
        }
        if self.eat('}') {
            if length {
                param.op = ParamOp::Length;
            } else if param.indirect && matches!(param.index, Some(Index::All(_))) {
                param.op = ParamOp::Keys;
            }
            return Ok(param);
        }
        if length {
            return self.bad(param);
        }
        if param.indirect && matches!(self.peek(0), Some('*' | '@')) && self.peek(1) == Some('}') {
            self.at += 2;
            param.op = ParamOp::Names;
            return Ok(param);
        }
        param.op = match self.operator(mode)? {
            Some(op) => op,
            None => return self.bad(param),
        };
        self.at += 1;
        Ok(param)
    }

    /// The operator and its word, up to the closing brace; nothing for an unknown operator.
    fn operator(&mut self, mode: Mode) -> Result<Option<ParamOp>> {
        let colon = self.eat(':');
        let Some(c) = self.peek(0) else {
            return Ok(None);
        };
        if "-=?+".contains(c) {
            self.at += 1;
            let pieces = self.pieces(Some(&['}']), mode, Tildes::Start)?;
            let word = Word { pieces };
            return Ok(Some(ParamOp::Test { op: c, colon, word }));
        }
        if colon {
            let offset = self.part(&[':', '}'])?;
            let length = match self.eat(':') {
                true => Some(self.part(&['}'])?),
                false => None,
            };
            return Ok(Some(ParamOp::Substring { offset, length }));
        }
        self.at += 1;
        Ok(match c {
            '#' | '%' => {
                let longest = self.eat(c);
                let pattern = self.part(&['}'])?;
                Some(match c {
                    '#' => ParamOp::Prefix { longest, pattern },
                    _ => ParamOp::Suffix { longest, pattern },
                })
            }
            '/' => {
                let kind = match self.peek(0) {
                    Some(kind @ ('/' | '#' | '%')) => {
                        self.at += 1;
                        kind
                    }
                    _ => ' ',
                };
                let pattern = self.part(&['/', '}'])?;
                let with = match self.eat('/') {
                    true => self.part(&['}'])?,
                    false => Word::default(),
                };
                Some(ParamOp::Replace {
                    kind,
                    pattern,
                    with,
                })
            }
            '^' | ',' if self.compiler.dialect.has_bash_words() => {
                let all = self.eat(c);
                self.part(&['}'])?;
                Some(ParamOp::Case {
                    upper: c == '^',
                    all,
                })
            }
            _ => None,
        })
    }

    fn part(&mut self, stop: &[char]) -> Result<Word> {
        let pieces = self.pieces(Some(stop), Mode::Plain, Tildes::None)?;
        Ok(Word { pieces })
    }

    /// A substitution that is none fails when it is expanded, not before.
    fn bad(&mut self, mut param: Param) -> Result<Param> {
        self.pieces(Some(&['}']), Mode::Plain, Tildes::None)?;
        self.at += 1;
        param.op = ParamOp::Bad;
        Ok(param)
    }
}

fn plain(name: String, quoted: bool) -> Piece {
    Piece::Param(Box::new(Param {
        name,
        index: None,
        indirect: false,
        op: ParamOp::Plain,
        quoted,
    }))
}

pub(super) fn is_name_start(c: char) -> bool {
    c == '_' || c.is_ascii_alphabetic()
}

/// Whether `text` is a variable's name.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_name_start) && chars.all(|c| c == '_' || c.is_ascii_alphanumeric())
}

/// Where the parenthesis is that closes a command substitution whose text starts here: quotes,
/// comments, here-documents and the patterns of `case` may hold parentheses of their own.
fn substitution_end(text: &[char]) -> Option<usize> {
    let mut open: Vec<char> = Vec::new();
    let mut at = 0;
    let mut command_here = true;
    let mut documents: Vec<(String, bool)> = Vec::new();
    while let Some(&c) = text.get(at) {
        let word_starts = at == 0 || " \t\n;&|()".contains(text[at - 1]);
        match c {
            '\\' => at += 1,
            '\'' => at += 1 + text[at + 1..].iter().position(|c| *c == '\'')?,
            '"' => at = quotes_end(text, at)?,
            '`' => at = skip_to(text, at + 1, '`')?,
            '$' if text.get(at + 1) == Some(&'{') => at = braces_end(text, at + 2)?,
            '#' if word_starts => {
                while text.get(at + 1).is_some_and(|c| *c != '\n') {
                    at += 1;
                }
            }
            '<' if text.get(at + 1) == Some(&'<') && text.get(at + 2) != Some(&'<') => {
                at = document_mark(text, at + 2, &mut documents);
                continue;
            }
            '\n' => {
                command_here = true;
                at += 1;
                for (mark, tabs) in documents.drain(..) {
                    at = document_end(text, at, &mark, tabs);
                }
                continue;
            }
            '(' => open.push('('),
            ')' => match open.last() {
                Some('(') => {
                    open.pop();
                }
                Some(_) => {}
                None => return Some(at),
            },
            _ if word_starts && c.is_ascii_alphabetic() => {
                let len = text[at..]
                    .iter()
                    .take_while(|c| c.is_ascii_alphanumeric())
                    .count();
                let word: String = text[at..at + len].iter().collect();
                match word.as_str() {
                    "case" if command_here => open.push('c'),
                    "esac" if open.last() == Some(&'c') => {
                        open.pop();
                    }
                    _ => {}
                }
                command_here = matches!(word.as_str(), "do" | "then" | "else" | "in");
                at += len;
                continue;
            }
            _ => {}
        }
        if ";&|({!".contains(c) {
            command_here = true;
        } else if !c.is_whitespace() {
            command_here = false;
        }
        at += 1;
    }
    None
}

fn skip_to(text: &[char], mut at: usize, end: char) -> Option<usize> {
    loop {
        match *text.get(at)? {
            '\\' => at += 2,
            c if c == end => return Some(at),
            _ => at += 1,
        }
    }
}

/// The closing mark of the double quotes that open at `at`.
fn quotes_end(text: &[char], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        match *text.get(at)? {
            '\\' => at += 1,
            '"' => return Some(at),
            '`' => at = skip_to(text, at + 1, '`')?,
            '$' if text.get(at + 1) == Some(&'(') => {
                at += 2 + substitution_end(text.get(at + 2..)?)?;
            }
            '$' if text.get(at + 1) == Some(&'{') => at = braces_end(text, at + 2)?,
            _ => {}
        }
        at += 1;
    }
}

fn braces_end(text: &[char], mut at: usize) -> Option<usize> {
    loop {
        match *text.get(at)? {
            '\\' => at += 1,
            '}' => return Some(at),
            '\'' => at = skip_to(text, at + 1, '\'')?,
            '"' => at = quotes_end(text, at)?,
            '$' if text.get(at + 1) == Some(&'{') => at = braces_end(text, at + 2)?,
            '$' if text.get(at + 1) == Some(&'(') => {
                at += 2 + substitution_end(text.get(at + 2..)?)?;
            }
            _ => {}
        }
        at += 1;
    }
}

/// Reads the delimiter of a here-document behind its `<<`.
fn document_mark(text: &[char], mut at: usize, documents: &mut Vec<(String, bool)>) -> usize {
    let tabs = text.get(at) == Some(&'-');
    at += usize::from(tabs);
    while matches!(text.get(at), Some(' ' | '\t')) {
        at += 1;
    }
    let mut mark = String::new();
    while let Some(c) = text.get(at) {
        if c.is_whitespace() || ";&|()<>".contains(*c) {
            break;
        }
        if !"'\"\\".contains(*c) {
            mark.push(*c);
        }
        at += 1;
    }
    documents.push((mark, tabs));
    at
}

/// The start of the line behind the here-document's last one.
fn document_end(text: &[char], mut at: usize, mark: &str, tabs: bool) -> usize {
    while at < text.len() {
        let len = text[at..].iter().take_while(|c| **c != '\n').count();
        let line: String = text[at..at + len].iter().collect();
        at += len + 1;
        let line = match tabs {
            true => line.trim_start_matches('\t'),
            false => &line,
        };
        if line == mark {
            return at;
        }
    }
    text.len()
}

/// The text of `$'...'`.
pub(super) fn ansi_c(raw: &str) -> String {
    let mut bytes = Vec::new();
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let Some(c) = chars.next() else {
            bytes.push(b'\\');
            break;
        };
        let mut digits = |radix: u32, max: usize, first: Option<char>| {
            let mut value = first.and_then(|c| c.to_digit(radix));
            for _ in usize::from(first.is_some())..max {
                let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else {
                    break;
                };
                chars.next();
                value = Some(value.unwrap_or(0).wrapping_mul(radix).wrapping_add(digit));
            }
            value
        };
        match c {
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            'e' | 'E' => bytes.push(27),
            'f' => bytes.push(12),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(11),
            'x' => match digits(16, 2, None) {
                Some(value) => bytes.push(value as u8),
                None => bytes.extend_from_slice(b"\\x"),
            },
            'u' | 'U' => {
                let value = digits(16, if c == 'u' { 4 } else { 8 }, None);
                if let Some(c) = value.and_then(char::from_u32) {
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            '0'..='7' => bytes.push(digits(8, 3, Some(c)).unwrap_or(0) as u8),
            '\\' | '\'' | '"' | '?' => bytes.push(c as u8),
            _ => {
                bytes.push(b'\\');
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
