//! The language of sed.

use super::super::regex::{Regex, Syntax};

/// Which sed it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    /// `-E`
    pub extended: bool,
    /// `\U` and the like in replacements.
    pub gnu: bool,
}

/// A line or lines.
#[derive(Clone, Debug)]
pub(super) enum Address {
    Line(usize),
    /// `FIRST~STEP`
    Step(usize, usize),
    Last,
    /// Without an expression: the last one used.
    Match(Option<Regex>),
}

/// The end of a range.
#[derive(Clone, Debug)]
pub(super) enum Until {
    Address(Address),
    /// `+N`
    Lines(usize),
    /// `~N`
    Multiple(usize),
}

/// A command with its addresses.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub from: Option<Address>,
    pub until: Option<Until>,
    pub negated: bool,
    pub command: Command,
}

/// What is done.
#[derive(Clone, Debug)]
pub(super) enum Command {
    /// `{`: where the group ends.
    Open(usize),
    Close,
    Append(String),
    Insert(String),
    Change(String),
    /// `b`, `t`, `T`, and the label.
    Branch(String),
    BranchIf(String),
    BranchUnless(String),
    Label(String),
    Substitute(Box<Substitute>),
    Translate(Vec<(char, char)>),
    Read(String),
    Write(String),
    Quit(i32, bool),
    /// A command of one letter.
    Plain(char),
}

/// `s`
#[derive(Clone, Debug)]
pub(super) struct Substitute {
    pub regex: Option<Regex>,
    pub parts: Vec<Part>,
    pub global: bool,
    pub nth: usize,
    pub print: bool,
    pub write: Option<String>,
}

/// A piece of a replacement.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Text(String),
    Group(usize),
    /// `\U`, `\L`, `\u`, `\l`, `\E`
    Case(char),
}

struct Parser<'a> {
    text: &'a [char],
    at: usize,
    dialect: Dialect,
}

/// Commands a script may have.
const MAX_COMMANDS: usize = 10_000;

/// Reads a script.
///
/// # Errors
/// What sed says of it.
pub(super) fn script(text: &str, dialect: Dialect) -> Result<Vec<Line>, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut parser = Parser {
        text: &chars,
        at: 0,
        dialect,
    };
    let mut lines: Vec<Line> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    while let Some(line) = parser.line()? {
        match line.command {
            Command::Open(_) => open.push(lines.len()),
            Command::Close => {
                match open.pop() {
                    Some(start) => lines[start].command = Command::Open(lines.len()),
                    // busybox does not mind.
                    None if !dialect.gnu => {}
                    None => return Err("unexpected '}'".into()),
                }
            }
            _ => {}
        }
        lines.push(line);
        if lines.len() > MAX_COMMANDS {
            return Err("script too long".into());
        }
    }
    if !open.is_empty() && dialect.gnu {
        return Err("unmatched '{'".into());
    }
    for start in open {
        lines[start].command = Command::Open(lines.len());
    }
    Ok(lines)
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn skip(&mut self, is: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&is) {
            self.at += 1;
        }
    }

    fn blanks(&mut self) {
        self.skip(|c| c.is_whitespace() && c != '\n');
    }

    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        self.skip(|c| c.is_ascii_digit());
        let digits: String = self.text[start..self.at].iter().collect();
        digits.parse().ok()
    }

    /// The next command; nothing at the end.
    fn line(&mut self) -> Result<Option<Line>, String> {
        loop {
            self.skip(|c| c.is_whitespace() || c == ';');
            if self.peek() != Some('#') {
                break;
            }
            self.skip(|c| c != '\n');
        }
        if self.peek().is_none() {
            return Ok(None);
        }
        let from = self.address()?;
        let mut until = None;
        self.blanks();
        if from.is_some() && self.eat(',') {
            self.blanks();
            let number = |parser: &mut Self| parser.number().ok_or("no address after comma");
            until = Some(if self.eat('+') {
                Until::Lines(number(self)?)
            } else if self.eat('~') {
                Until::Multiple(number(self)?)
            } else {
                Until::Address(self.address()?.ok_or("no address after comma")?)
            });
        }
        self.blanks();
        let mut negated = false;
        while self.eat('!') {
            negated = true;
            self.blanks();
        }
        let letter = self.next().ok_or("missing command")?;
        let command = self.command(letter)?;
        Ok(Some(Line {
            from,
            until,
            negated,
            command,
        }))
    }

    fn address(&mut self) -> Result<Option<Address>, String> {
        let delimiter = match self.peek() {
            Some('$') => {
                self.at += 1;
                return Ok(Some(Address::Last));
            }
            Some(c) if c.is_ascii_digit() => {
                let line = self.number().ok_or("invalid number")?;
                if self.dialect.gnu && self.eat('~') {
                    return Ok(Some(Address::Step(line, self.number().unwrap_or(0))));
                }
                return Ok(Some(Address::Line(line)));
            }
            Some('/') => '/',
            Some('\\') => {
                self.at += 1;
                self.peek().ok_or("unexpected end")?
            }
            _ => return Ok(None),
        };
        self.at += 1;
        let pattern = self.delimited(delimiter, true)?;
        let mut ignore_case = false;
        while self.dialect.gnu && matches!(self.peek(), Some('I' | 'M')) {
            ignore_case |= self.next() == Some('I');
        }
        Ok(Some(Address::Match(self.regex(&pattern, ignore_case)?)))
    }

    fn regex(&self, pattern: &str, ignore_case: bool) -> Result<Option<Regex>, String> {
        if pattern.is_empty() {
            return Ok(None);
        }
        let syntax = match self.dialect.extended {
            true => Syntax::Extended,
            false => Syntax::Basic,
        };
        match Regex::new(pattern, syntax, ignore_case) {
            Ok(regex) => Ok(Some(regex)),
            Err(message) => Err(format!("bad regex '{pattern}': {message}")),
        }
    }

    /// Text up to `delimiter`, which a backslash in front makes an ordinary character, as does,
    /// in an expression, a bracket around it.
    fn delimited(&mut self, delimiter: char, is_regex: bool) -> Result<String, String> {
        let mut out = String::new();
        let mut in_bracket = false;
        loop {
            let c = self.next().ok_or(format!("unmatched '{delimiter}'"))?;
            match c {
                '[' if is_regex && !in_bracket => {
                    in_bracket = true;
                    out.push(c);
                    // A `]` that comes first is a member.
                    if self.eat('^') {
                        out.push('^');
                    }
                    if self.eat(']') {
                        out.push(']');
                    }
                }
                '[' if in_bracket && matches!(self.peek(), Some(':' | '.' | '=')) => {
                    let kind = self.next().unwrap_or(':');
                    out.extend(['[', kind]);
                    while let Some(c) = self.next() {
                        out.push(c);
                        if c == kind && self.eat(']') {
                            out.push(']');
                            break;
                        }
                    }
                }
                ']' if in_bracket => {
                    in_bracket = false;
                    out.push(c);
                }
                '\\' => {
                    let next = self.next().ok_or(format!("unmatched '{delimiter}'"))?;
                    match next {
                        'n' if is_regex => out.push('\n'),
                        't' if is_regex => out.push('\t'),
                        // GNU sed takes the backslash away, so that `s|a\|b||` has no alternatives.
                        next if next == delimiter
                            && !in_bracket
                            && (self.dialect.gnu || next == '\n') =>
                        {
                            out.push(next);
                        }
                        next => out.extend(['\\', next]),
                    }
                }
                c if c == delimiter && !in_bracket => return Ok(out),
                c => out.push(c),
            }
        }
    }

    fn command(&mut self, letter: char) -> Result<Command, String> {
        let command = match letter {
            '{' => return Ok(Command::Open(0)),
            'a' | 'i' | 'c' => {
                let text = self.text_argument()?;
                return Ok(match letter {
                    'a' => Command::Append(text),
                    'i' => Command::Insert(text),
                    _ => Command::Change(text),
                });
            }
            'b' | 't' | 'T' => {
                let label = self.word(|c| c == ';' || c == '\n' || c == '}');
                match letter {
                    'b' => Command::Branch(label),
                    't' => Command::BranchIf(label),
                    _ => Command::BranchUnless(label),
                }
            }
            ':' => {
                let label = self.word(|c| c == '\n' || c == ';');
                if label.is_empty() {
                    return Err("no label".into());
                }
                Command::Label(label)
            }
            'r' => return Ok(Command::Read(self.file_name()?)),
            'w' => return Ok(Command::Write(self.file_name()?)),
            's' => Command::Substitute(Box::new(self.substitute()?)),
            'y' => Command::Translate(self.translate()?),
            'q' | 'Q' => {
                self.blanks();
                let code = match self.dialect.gnu {
                    true => self.number().unwrap_or(0),
                    false => 0,
                };
                Command::Quit(i32::try_from(code).unwrap_or(0) & 0xff, letter == 'q')
            }
            '}' => Command::Close,
            '=' | 'd' | 'D' | 'g' | 'G' | 'h' | 'H' | 'l' | 'n' | 'N' | 'p' | 'P' | 'x' | 'z'
            | 'F' => {
                if letter == 'l' {
                    self.blanks();
                    self.number();
                }
                Command::Plain(letter)
            }
            other => return Err(format!("unsupported command {other}")),
        };
        self.blanks();
        match self.peek() {
            None | Some('\n' | ';' | '}' | '#') => Ok(command),
            Some(_) if !self.dialect.gnu || matches!(command, Command::Close) => Ok(command),
            Some(_) => Err("unknown option to command".replace("command", &letter.to_string())),
        }
    }

    fn word(&mut self, is_end: impl Fn(char) -> bool) -> String {
        self.blanks();
        let start = self.at;
        self.skip(|c| !is_end(c));
        let word: String = self.text[start..self.at].iter().collect();
        word.trim_end().to_string()
    }

    fn file_name(&mut self) -> Result<String, String> {
        match self.word(|c| c == '\n') {
            name if name.is_empty() => Err("empty filename".into()),
            name => Ok(name),
        }
    }

    /// The text of `a`, `i`, `c`: the rest of the line, and of the lines that a backslash joins.
    fn text_argument(&mut self) -> Result<String, String> {
        self.blanks();
        if self.eat('\\') {
            let mark = self.at;
            self.blanks();
            if self.eat('\n') {
                // GNU sed keeps the blanks at the start of the line that follows.
                if !self.dialect.gnu {
                    self.blanks();
                }
            } else {
                self.at = mark;
            }
        }
        if self.peek().is_none() {
            return Err("expected \\ after 'a', 'c' or 'i'".into());
        }
        let mut out = String::new();
        while let Some(c) = self.next() {
            match c {
                '\n' => break,
                '\\' => match self.next() {
                    Some('t') => out.push('\t'),
                    Some('n') => out.push('\n'),
                    Some(next) => out.push(next),
                    None => {}
                },
                c => out.push(c),
            }
        }
        out.push('\n');
        Ok(out)
    }

    fn translate(&mut self) -> Result<Vec<(char, char)>, String> {
        let delimiter = self.next().ok_or("bad format in y expression")?;
        let mut read = || {
            let text = self.delimited(delimiter, false)?;
            let mut out = Vec::new();
            let mut chars = text.chars();
            while let Some(c) = chars.next() {
                out.push(match c {
                    '\\' => match chars.next() {
                        Some('n') => '\n',
                        Some('t') => '\t',
                        Some(other) => other,
                        None => '\\',
                    },
                    c => c,
                });
            }
            Ok::<_, String>(out)
        };
        let (from, to) = (read()?, read()?);
        if from.len() != to.len() {
            return Err("strings for 'y' command are different lengths".into());
        }
        Ok(from.into_iter().zip(to).collect())
    }

    fn substitute(&mut self) -> Result<Substitute, String> {
        let delimiter = self.next().ok_or("bad format in substitution expression")?;
        let pattern = self.delimited(delimiter, true)?;
        let replacement = self.delimited(delimiter, false)?;
        let mut made = Substitute {
            regex: None,
            parts: Vec::new(),
            global: false,
            nth: 1,
            print: false,
            write: None,
        };
        let mut ignore_case = false;
        loop {
            match self.peek() {
                Some('g') => made.global = true,
                Some('p') => made.print = true,
                Some('i' | 'I') => ignore_case = true,
                Some('e' | 'm' | 'M') => {}
                Some('w') => {
                    self.at += 1;
                    made.write = Some(self.file_name()?);
                    break;
                }
                Some(c) if c.is_ascii_digit() => {
                    made.nth = self.number().filter(|n| *n > 0).ok_or("number is zero")?;
                    continue;
                }
                None | Some(';' | '\n' | '}' | '#' | ' ' | '\t' | '\r') => break,
                Some(_) => return Err("bad option in substitution expression".into()),
            }
            self.at += 1;
        }
        made.regex = self.regex(&pattern, ignore_case)?;
        if made.global && !self.dialect.gnu {
            // busybox forgets the number.
            made.nth = 1;
        }
        made.parts = parts(&replacement, self.dialect.gnu);
        let groups = made.regex.as_ref().map_or(10, Regex::groups);
        let highest = made.parts.iter().filter_map(|part| match part {
            Part::Group(n) => Some(*n),
            _ => None,
        });
        match highest.max().filter(|n| *n >= groups && self.dialect.gnu) {
            Some(n) => Err(format!("invalid reference \\{n} on s command's RHS")),
            None => Ok(made),
        }
    }
}

/// A replacement in pieces.
fn parts(text: &str, gnu: bool) -> Vec<Part> {
    let mut found = Vec::new();
    let mut plain = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let part = match c {
            '&' => Part::Group(0),
            '\\' => match chars.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    Part::Group(digit.to_digit(10).unwrap_or(0) as usize)
                }
                Some(case) if gnu && "ULulE".contains(case) => Part::Case(case),
                Some('n') => {
                    plain.push('\n');
                    continue;
                }
                Some('t') => {
                    plain.push('\t');
                    continue;
                }
                Some('r') => {
                    plain.push('\r');
                    continue;
                }
                other => {
                    plain.push(other.unwrap_or('\\'));
                    continue;
                }
            },
            c => {
                plain.push(c);
                continue;
            }
        };
        if !plain.is_empty() {
            found.push(Part::Text(std::mem::take(&mut plain)));
        }
        found.push(part);
    }
    if !plain.is_empty() {
        found.push(Part::Text(plain));
    }
    found
}
