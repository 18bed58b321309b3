//! Word expansion: quotes, escapes and `$variables`, as BuildKit's shell lexer does them.
//!
//! Source: BuildKit `frontend/dockerfile/shell`. The grammar is close to that of `sh`, with
//! differences that show: `\` in double quotes drops only before `"`, `$` and itself, a name may
//! hold any Unicode letter, and an expansion with a modifier forgets the start of the word it is in
//! when words are split (see [`Lexer::expand`]).

use std::collections::BTreeSet;
use std::str::Chars;

use super::golang::quote;
use super::limits::{MAX_EXPANSION_BYTES, MAX_EXPANSION_DEPTH};
use super::pattern;

/// Where variables are looked up.
pub trait Variables {
    /// The value of a variable, if it is set.
    fn get(&self, name: &str) -> Option<&str>;
}

/// No variable is set.
#[derive(Clone, Copy, Debug)]
pub struct NoVariables;

impl Variables for NoVariables {
    fn get(&self, _: &str) -> Option<&str> {
        None
    }
}

/// How words are expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lexer {
    /// The escape character: `\`, or `` ` `` after an `escape` directive.
    pub escape: char,
    /// Keep quote characters in the result.
    pub raw_quotes: bool,
    /// Keep escape characters in the result.
    pub raw_escapes: bool,
    /// Take quotes as plain characters.
    pub skip_quotes: bool,
    /// Leave expansions of unset variables as they are written.
    pub skip_unset: bool,
}

/// What became of a word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion {
    /// The expanded text; empty on error.
    pub text: String,
    /// The text split at unquoted blanks; empty on error.
    pub words: Vec<String>,
    /// The variables that were looked up and set.
    pub matched: BTreeSet<String>,
    /// The variables that were looked up and not set; also filled on error, up to where it happened.
    pub unmatched: BTreeSet<String>,
    /// What went wrong, in BuildKit's words.
    pub error: Option<String>,
}

impl Expansion {
    /// The expanded text, or the error.
    pub fn into_text(self) -> Result<String, String> {
        match self.error {
            None => Ok(self.text),
            Some(error) => Err(error),
        }
    }
}

impl Lexer {
    /// The ordinary mode of instructions, with the file's escape character.
    pub fn new(escape: char) -> Self {
        Self {
            escape,
            raw_quotes: false,
            raw_escapes: false,
            skip_quotes: false,
            skip_unset: false,
        }
    }

    /// Expands a word.
    ///
    /// `words` holds the result split at blanks outside quotes; blanks that come out of a variable
    /// split too. As in BuildKit, an expansion with a modifier (`a${x:-b}`) drops what the word had
    /// collected before it from `words`, not from `text`.
    pub fn expand(&self, word: &str, variables: &dyn Variables) -> Expansion {
        let mut state = State {
            lexer: *self,
            input: word.strip_prefix('\u{FEFF}').unwrap_or(word).chars(),
            variables,
            word: String::new(),
            raw_escapes: self.raw_escapes,
            depth: 0,
            limit: MAX_EXPANSION_BYTES + word.len(),
            matched: BTreeSet::new(),
            unmatched: BTreeSet::new(),
        };
        let outcome = state.until(None, self.raw_escapes);
        let State {
            matched, unmatched, ..
        } = state;
        match outcome {
            Ok((text, words)) => Expansion {
                text,
                words,
                matched,
                unmatched,
                error: None,
            },
            Err(error) => Expansion {
                matched,
                unmatched,
                error: Some(format!("failed to process {}: {error}", quote(word))),
                ..Expansion::default()
            },
        }
    }
}

struct State<'a> {
    lexer: Lexer,
    input: Chars<'a>,
    variables: &'a dyn Variables,
    /// The word being collected; shared by nested expansions, as in BuildKit.
    word: String,
    raw_escapes: bool,
    depth: usize,
    /// The longest text that is collected.
    limit: usize,
    matched: BTreeSet<String>,
    unmatched: BTreeSet<String>,
}

/// The character Go prints for "end of input" where a message names the character it met.
const END: char = '\u{FFFD}';

fn too_long() -> String {
    format!("the result is more than {MAX_EXPANSION_BYTES} bytes longer than the word")
}

impl State<'_> {
    fn peek(&self) -> Option<char> {
        self.input.clone().next()
    }

    fn until(
        &mut self,
        stop: Option<char>,
        raw_escapes: bool,
    ) -> Result<(String, Vec<String>), String> {
        if self.depth >= MAX_EXPANSION_DEPTH {
            return Err(format!(
                "expansions nest deeper than {MAX_EXPANSION_DEPTH} levels"
            ));
        }
        self.depth += 1;
        let outer = std::mem::replace(&mut self.raw_escapes, raw_escapes);
        let outcome = self.until_inner(stop);
        self.raw_escapes = outer;
        self.depth -= 1;
        outcome
    }

    fn until_inner(&mut self, stop: Option<char>) -> Result<(String, Vec<String>), String> {
        self.word.clear();
        let mut text = String::new();
        let mut words = Words::default();
        while let Some(c) = self.peek() {
            if stop == Some(c) {
                self.input.next();
                return Ok((text, words.finish(&mut self.word)));
            }
            match c {
                '$' => {
                    let value = self.dollar()?;
                    value.chars().for_each(|c| words.add(&mut self.word, c));
                    text.push_str(&value);
                }
                '<' => {
                    let value = self.angle();
                    words.add_raw(&mut self.word, &value);
                    text.push_str(&value);
                }
                '\'' | '"' if !self.lexer.skip_quotes => {
                    let value = if c == '"' {
                        self.double_quoted()?
                    } else {
                        self.single_quoted()?
                    };
                    words.add_raw(&mut self.word, &value);
                    text.push_str(&value);
                }
                c if c == self.lexer.escape => {
                    self.input.next();
                    if self.raw_escapes {
                        words.add_raw(&mut self.word, c.encode_utf8(&mut [0; 4]));
                        text.push(c);
                    }
                    let Some(escaped) = self.input.next() else {
                        break;
                    };
                    words.add_raw(&mut self.word, escaped.encode_utf8(&mut [0; 4]));
                    text.push(escaped);
                }
                c => {
                    self.input.next();
                    words.add(&mut self.word, c);
                    text.push(c);
                }
            }
            if text.len() > self.limit {
                return Err(too_long());
            }
        }
        match stop {
            Some(stop) => Err(format!(
                "unexpected end of statement while looking for matching {stop}"
            )),
            None => Ok((text, words.finish(&mut self.word))),
        }
    }

    fn single_quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        let open = self.input.next();
        if self.lexer.raw_quotes {
            text.extend(open);
        }
        loop {
            match self.input.next() {
                None => {
                    return Err("unexpected end of statement while looking for matching \
                                single-quote"
                        .to_owned());
                }
                Some('\'') => {
                    if self.lexer.raw_quotes {
                        text.push('\'');
                    }
                    return Ok(text);
                }
                Some(c) => text.push(c),
            }
        }
    }

    fn double_quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        let open = self.input.next();
        if self.lexer.raw_quotes {
            text.extend(open);
        }
        loop {
            match self.peek() {
                None => {
                    return Err("unexpected end of statement while looking for matching \
                                double-quote"
                        .to_owned());
                }
                Some('"') => {
                    self.input.next();
                    if self.lexer.raw_quotes {
                        text.push('"');
                    }
                    return Ok(text);
                }
                Some('$') => text.push_str(&self.dollar()?),
                Some(c) => {
                    self.input.next();
                    let mut kept = c;
                    if c == self.lexer.escape {
                        if self.raw_escapes {
                            text.push(c);
                        }
                        match self.peek() {
                            None => continue,
                            Some(next) if next == '"' || next == '$' || next == c => {
                                self.input.next();
                                kept = next;
                            }
                            Some(_) => {}
                        }
                    }
                    text.push(kept);
                }
            }
            if text.len() > self.limit {
                return Err(too_long());
            }
        }
    }

    fn dollar(&mut self) -> Result<String, String> {
        self.input.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            return Ok(match self.lookup(&name) {
                None if self.lexer.skip_unset => format!("${name}"),
                value => value.unwrap_or_default(),
            });
        }
        self.input.next();
        match self.peek() {
            None => return Err("syntax error: missing '}'".to_owned()),
            Some('{' | '}' | ':') => return Err("syntax error: bad substitution".to_owned()),
            Some(_) => {}
        }
        let name = self.name();
        let modifier = self.input.next();
        match modifier {
            Some('}') => Ok(match self.lookup(&name) {
                None if self.lexer.skip_unset => format!("${{{name}}}"),
                value => value.unwrap_or_default(),
            }),
            Some(':') => {
                let next = self.input.next();
                let written = format!(":{}", next.unwrap_or(END));
                if matches!(next, Some('#' | '%')) {
                    return Err(format!("unsupported modifier ({written}) in substitution"));
                }
                self.modified(&name, next, &written, true)
            }
            Some('+' | '-' | '?' | '#' | '%') => {
                let written = modifier.unwrap_or(END).to_string();
                self.modified(&name, modifier, &written, false)
            }
            Some('/') => self.replaced(&name),
            other => Err(format!(
                "unsupported modifier ({}) in substitution",
                other.unwrap_or(END)
            )),
        }
    }

    /// `${name:-word}` and its kin, after the modifier.
    fn modified(
        &mut self,
        name: &str,
        modifier: Option<char>,
        written: &str,
        null_is_unset: bool,
    ) -> Result<String, String> {
        let word = self.nested('}', matches!(modifier, Some('#' | '%')), "missing '}'")?;
        let value = self.lookup(name);
        if value.is_none() && self.lexer.skip_unset {
            return Ok(format!("${{{name}{written}{word}}}"));
        }
        let set = value.is_some();
        let value = value.unwrap_or_default();
        let absent = !set || (null_is_unset && value.is_empty());
        match modifier {
            Some('-') => Ok(if absent { word } else { value }),
            Some('+') => Ok(if absent { String::new() } else { word }),
            Some('?') if absent => {
                let default = if set {
                    "is not allowed to be empty"
                } else {
                    "is not allowed to be unset"
                };
                Err(format!(
                    "{name}: {}",
                    if word.is_empty() { default } else { &word }
                ))
            }
            Some('?') => Ok(value),
            Some(end @ ('#' | '%')) => {
                let (greedy, glob) = match word.strip_prefix(end) {
                    Some(rest) => (true, rest),
                    None => (false, word.as_str()),
                };
                if end == '#' {
                    pattern::trim_prefix(glob, &value, greedy)
                } else {
                    pattern::trim_suffix(glob, &value, greedy)
                }
            }
            _ => Err(format!("unsupported modifier ({written}) in substitution")),
        }
    }

    /// `${name/pattern/replacement}`, after the first slash.
    fn replaced(&mut self, name: &str) -> Result<String, String> {
        let all = self.peek() == Some('/');
        if all {
            self.input.next();
        }
        let glob = self.nested('/', true, "missing '/' in ${}")?;
        let replacement = self.nested('}', true, "missing '}'")?;
        match self.lookup(name) {
            None if self.lexer.skip_unset => Ok(format!("${{{name}/{glob}/{replacement}}}")),
            value => pattern::replace(
                &glob,
                &value.unwrap_or_default(),
                &replacement,
                all,
                self.limit,
            )
            .unwrap_or_else(|| Err(too_long())),
        }
    }

    fn nested(&mut self, stop: char, raw_escapes: bool, missing: &str) -> Result<String, String> {
        match self.until(Some(stop), raw_escapes) {
            Ok((text, _)) => Ok(text),
            Err(_) if self.peek().is_none() => Err(format!("syntax error: {missing}")),
            Err(error) => Err(error),
        }
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek() {
            if name.is_empty() && is_digit(c) {
                while let Some(c) = self.peek().filter(|c| is_digit(*c)) {
                    self.input.next();
                    name.push(c);
                }
                return name;
            }
            if name.is_empty() && matches!(c, '@' | '*' | '#' | '?' | '-' | '$' | '!') {
                self.input.next();
                return c.to_string();
            }
            if !(is_letter(c) || is_digit(c) || c == '_') {
                break;
            }
            self.input.next();
            name.push(c);
        }
        name
    }

    /// `<<` keeps the blanks after it, so that `<< EOF` stays one word.
    fn angle(&mut self) -> String {
        self.input.next();
        let mut text = String::from("<");
        if self.peek() == Some('<') {
            self.input.next();
            text.push('<');
            while let Some(c @ ('\t' | '\r' | ' ')) = self.peek() {
                self.input.next();
                text.push(c);
            }
        }
        text
    }

    fn lookup(&mut self, name: &str) -> Option<String> {
        let value = self.variables.get(name).map(str::to_owned);
        let seen = if value.is_some() {
            &mut self.matched
        } else {
            &mut self.unmatched
        };
        if !seen.contains(name) {
            seen.insert(name.to_owned());
        }
        value
    }
}

/// `unicode.IsDigit`: decimal digits.
fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric() && !c.is_alphabetic())
}

/// `unicode.IsLetter`.
fn is_letter(c: char) -> bool {
    c.is_alphabetic()
}

#[derive(Default)]
struct Words {
    done: Vec<String>,
    in_word: bool,
}

impl Words {
    fn add(&mut self, word: &mut String, c: char) {
        if !c.is_whitespace() {
            word.push(c);
            self.in_word = true;
        } else if self.in_word && !word.is_empty() {
            self.done.push(std::mem::take(word));
            self.in_word = false;
        }
    }

    fn add_raw(&mut self, word: &mut String, text: &str) {
        word.push_str(text);
        self.in_word = true;
    }

    fn finish(mut self, word: &mut String) -> Vec<String> {
        if !word.is_empty() {
            self.done.push(std::mem::take(word));
        }
        self.done
    }
}
