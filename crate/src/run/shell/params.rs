//! Parameter expansion.

use super::super::Kernel;
use super::ast::{Index, Param, ParamOp, Piece, Word};
use super::{Result, Shell, expand};

/// What an expansion gives.
#[derive(Clone, Debug)]
pub(super) enum Expanded {
    One(String),
    /// The word of `${x:-word}`: texts, and whether each was quoted.
    Word(Vec<(String, bool)>),
    /// `$@`, `$*`, `${a[@]}`
    All {
        values: Vec<String>,
        star: bool,
    },
}

enum Found {
    Unset,
    One(String),
    All(Vec<String>, bool),
}

impl Shell {
    pub(super) fn param(&mut self, k: &mut Kernel<'_>, param: &Param) -> Result<Expanded> {
        if let ParamOp::Bad = param.op {
            return Err(match self.dialect.has_bash_words() {
                true => self.error(k, 1, "bad substitution")?,
                false => self.error(k, 2, "syntax error: bad substitution")?,
            });
        }
        if let ParamOp::Keys = param.op {
            let keys = self
                .elements(&param.name)
                .keys()
                .map(i64::to_string)
                .collect();
            return Ok(Expanded::All {
                values: keys,
                star: false,
            });
        }
        if let ParamOp::Names = param.op {
            let names = self.vars.iter().map(|(name, _)| name);
            let names = names.filter(|name| name.starts_with(&param.name));
            let values = names.map(String::from).collect();
            return Ok(Expanded::All {
                values,
                star: false,
            });
        }
        let mut found = self.lookup(k, param)?;
        if param.indirect {
            let name = match &found {
                Found::One(name) => name.clone(),
                _ => String::new(),
            };
            found = self.named(k, &name);
        }
        if let ParamOp::Test { op, colon, word } = &param.op {
            return self.tested(k, param, found, (*op, *colon), word);
        }
        let is_list = matches!(param.name.as_str(), "@" | "*");
        if matches!(found, Found::Unset) && self.options.nounset && !is_list {
            let text = match self.dialect.has_bash_words() {
                true => format!("{}: unbound variable", param.name),
                false => format!("{}: parameter not set", param.name),
            };
            let code = if self.dialect.has_bash_words() { 1 } else { 2 };
            return Err(self.error(k, code, text)?);
        }
        if let ParamOp::Length = param.op {
            return Ok(Expanded::One(match found {
                Found::Unset => "0".to_string(),
                Found::One(text) => text.chars().count().to_string(),
                Found::All(values, _) => values.len().to_string(),
            }));
        }
        if let (ParamOp::Substring { offset, length }, Found::All(values, star)) =
            (&param.op, &found)
        {
            return self.slice(k, param, values.clone(), *star, (offset, length.as_ref()));
        }
        Ok(match found {
            Found::Unset => Expanded::One(self.changed(k, &param.op, String::new())?),
            Found::One(text) => Expanded::One(self.changed(k, &param.op, text)?),
            Found::All(values, star) => {
                let values = values
                    .into_iter()
                    .map(|text| self.changed(k, &param.op, text));
                Expanded::All {
                    values: values.collect::<Result<_>>()?,
                    star,
                }
            }
        })
    }

    fn lookup(&mut self, k: &mut Kernel<'_>, param: &Param) -> Result<Found> {
        Ok(match &param.index {
            None => self.named(k, &param.name),
            Some(Index::All(c)) => {
                let values: Vec<String> = self.elements(&param.name).into_values().collect();
                Found::All(values, *c == '*')
            }
            Some(Index::At(index)) => {
                let index = self.index(k, &param.name, index)?;
                match self.elements(&param.name).get(&index) {
                    Some(text) => Found::One(text.clone()),
                    None => Found::Unset,
                }
            }
        })
    }

    fn named(&mut self, k: &mut Kernel<'_>, name: &str) -> Found {
        if let Ok(number) = name.parse::<usize>() {
            return match number {
                0 => Found::One(self.arg0.to_string()),
                n => match self.positional.get(n - 1) {
                    Some(text) => Found::One(text.clone()),
                    None => Found::Unset,
                },
            };
        }
        Found::One(match name {
            "@" => return Found::All(self.positional.to_vec(), false),
            "*" => return Found::All(self.positional.to_vec(), true),
            "#" => self.positional.len().to_string(),
            "?" => self.status.to_string(),
            "$" => self.shell_pid.to_string(),
            "!" => match self.last_background {
                Some(pid) => pid.to_string(),
                None => return Found::Unset,
            },
            "-" => self.option_letters(),
            "RANDOM" => {
                k.seed = k
                    .seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695);
                ((k.seed >> 33) & 0x7fff).to_string()
            }
            "SECONDS" if self.dialect.has_bash_words() => (k.elapsed() / 1_000_000_000).to_string(),
            name => match self.variable(name) {
                Some(text) => text,
                None => return Found::Unset,
            },
        })
    }

    fn option_letters(&self) -> String {
        let options = self.options;
        let letters = [
            ('a', options.allexport),
            ('e', options.errexit),
            ('f', options.noglob),
            ('n', options.noexec),
            ('u', options.nounset),
            ('C', options.noclobber),
            ('v', options.verbose),
            ('x', options.xtrace),
        ];
        letters
            .into_iter()
            .filter(|(_, on)| *on)
            .map(|(letter, _)| letter)
            .collect()
    }

    fn tested(
        &mut self,
        k: &mut Kernel<'_>,
        param: &Param,
        found: Found,
        (op, colon): (char, bool),
        word: &Word,
    ) -> Result<Expanded> {
        let is_null = match &found {
            Found::Unset => true,
            Found::One(text) => colon && text.is_empty(),
            Found::All(values, _) => {
                values.is_empty() || (colon && values.iter().all(String::is_empty))
            }
        };
        let value = match found {
            Found::Unset => Expanded::One(String::new()),
            Found::One(text) => Expanded::One(text),
            Found::All(values, star) => Expanded::All { values, star },
        };
        match (op, is_null) {
            ('+', true) => Ok(Expanded::Word(Vec::new())),
            ('+', false) | ('-', true) => self.word_parts(k, word, param.quoted),
            ('=', true) => {
                let text = self.text(k, word)?;
                if !super::word::is_name(&param.name) {
                    let text = format!("{}: bad variable name", param.name);
                    return Err(self.error(k, 2, text)?);
                }
                self.set_variable(k, &param.name, text.clone())?;
                Ok(Expanded::One(text))
            }
            ('?', true) => {
                let text = match word.pieces.is_empty() {
                    false => self.text(k, word)?,
                    true if colon => "parameter null or not set".to_string(),
                    true => "parameter not set".to_string(),
                };
                let code = if self.dialect.has_bash_words() { 1 } else { 2 };
                Err(self.error(k, code, format!("{}: {text}", param.name))?)
            }
            _ => Ok(value),
        }
    }

    fn word_parts(&mut self, k: &mut Kernel<'_>, word: &Word, quoted: bool) -> Result<Expanded> {
        // `"${x:-$@}"` and `${x+"$@"}` give the parameters one by one.
        if let [Piece::Param(inner)] = word.pieces.as_slice() {
            return match self.param(k, inner)? {
                Expanded::One(text) => Ok(Expanded::Word(vec![(text, inner.quoted || quoted)])),
                other => Ok(other),
            };
        }
        let mut parts = Vec::new();
        for piece in &word.pieces {
            let one = match piece {
                Piece::Text { text, quoted: own } => (text.clone(), *own),
                piece => {
                    let own = match piece {
                        Piece::Param(param) => param.quoted,
                        Piece::Command { quoted, .. } | Piece::Arith { quoted, .. } => *quoted,
                        _ => true,
                    };
                    (expand::piece_text(self, k, piece)?, own)
                }
            };
            parts.push(one);
        }
        Ok(Expanded::Word(parts))
    }

    /// Applies an operator to a value.
    fn changed(&mut self, k: &mut Kernel<'_>, op: &ParamOp, text: String) -> Result<String> {
        Ok(match op {
            ParamOp::Prefix { longest, pattern } => {
                let pattern = self.pattern(k, pattern)?;
                trim_prefix(&text, &pattern, *longest).to_string()
            }
            ParamOp::Suffix { longest, pattern } => {
                let pattern = self.pattern(k, pattern)?;
                trim_suffix(&text, &pattern, *longest).to_string()
            }
            ParamOp::Replace {
                kind,
                pattern,
                with,
            } => {
                let pattern = self.pattern(k, pattern)?;
                let with = self.text(k, with)?;
                replace(&text, *kind, &pattern, &with)
            }
            ParamOp::Substring { offset, length } => {
                let chars: Vec<char> = text.chars().collect();
                let offset = self.arithmetic(k, offset)?;
                let length = match length {
                    Some(length) => Some(self.arithmetic(k, length)?),
                    None => None,
                };
                let (from, to) = bounds(chars.len(), offset, length);
                chars[from..to].iter().collect()
            }
            ParamOp::Case { upper, all } => change_case(&text, *upper, *all),
            _ => text,
        })
    }

    fn slice(
        &mut self,
        k: &mut Kernel<'_>,
        param: &Param,
        mut values: Vec<String>,
        star: bool,
        (offset, length): (&Word, Option<&Word>),
    ) -> Result<Expanded> {
        // `${@:1}` counts from 1: element 0 is the shell's own name.
        if param.index.is_none() {
            values.insert(0, self.arg0.to_string());
        }
        let offset = self.arithmetic(k, offset)?;
        let length = match length {
            Some(length) => Some(self.arithmetic(k, length)?),
            None => None,
        };
        let (from, to) = bounds(values.len(), offset, length);
        Ok(Expanded::All {
            values: values[from..to].to_vec(),
            star,
        })
    }
}

fn bounds(len: usize, offset: i64, length: Option<i64>) -> (usize, usize) {
    let len = len as i64;
    let from = if offset < 0 {
        (len + offset).max(0)
    } else {
        offset.min(len)
    };
    let to = match length {
        None => len,
        Some(length) if length < 0 => (len + length).max(from),
        Some(length) => from.saturating_add(length).min(len),
    };
    (from as usize, to as usize)
}

/// The places between characters, the start and the end included.
fn edges(text: &str) -> Vec<usize> {
    text.char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .collect()
}

fn trim_prefix<'t>(text: &'t str, pattern: &str, longest: bool) -> &'t str {
    let mut edges = edges(text);
    if longest {
        edges.reverse();
    }
    let end = edges
        .into_iter()
        .find(|at| super::super::glob_matches(pattern, &text[..*at]));
    end.map_or(text, |at| &text[at..])
}

fn trim_suffix<'t>(text: &'t str, pattern: &str, longest: bool) -> &'t str {
    let mut edges = edges(text);
    if !longest {
        edges.reverse();
    }
    let start = edges
        .into_iter()
        .find(|at| super::super::glob_matches(pattern, &text[*at..]));
    start.map_or(text, |at| &text[..at])
}

fn replace(text: &str, kind: char, pattern: &str, with: &str) -> String {
    if pattern.is_empty() {
        return text.to_string();
    }
    let edges = edges(text);
    let longest_at = |from: usize| {
        let ends = edges.iter().rev().take_while(|end| **end >= from);
        ends.copied()
            .find(|end| super::super::glob_matches(pattern, &text[from..*end]))
    };
    match kind {
        '#' => match longest_at(0) {
            Some(end) => format!("{with}{}", &text[end..]),
            None => text.to_string(),
        },
        '%' => {
            let fits = |at: &&usize| super::super::glob_matches(pattern, &text[**at..]);
            match edges.iter().find(fits) {
                Some(at) => format!("{}{with}", &text[..*at]),
                None => text.to_string(),
            }
        }
        kind => {
            let mut out = String::new();
            let mut at = 0;
            while at < text.len() {
                match longest_at(at).filter(|end| *end > at) {
                    Some(end) => {
                        out.push_str(with);
                        at = end;
                        if kind != '/' {
                            break;
                        }
                    }
                    None => {
                        let c = text[at..].chars().next().unwrap_or(' ');
                        out.push(c);
                        at += c.len_utf8();
                    }
                }
            }
            out.push_str(&text[at..]);
            out
        }
    }
}

fn change_case(text: &str, upper: bool, all: bool) -> String {
    let change = |c: char| match upper {
        true => c.to_uppercase().to_string(),
        false => c.to_lowercase().to_string(),
    };
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        match all || at == 0 {
            true => out.push_str(&change(c)),
            false => out.push(c),
        }
    }
    out
}
