//! Reading lines and arguments into variables.

use super::super::super::Kernel;
use super::super::vars::Val;
use super::super::{Dialect, Result, Shell};
use super::variables::check_name;

pub(super) fn read(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let mut raw = false;
    let mut count = None;
    let mut end = b'\n';
    let mut array = None;
    let mut number = 0;
    let mut at = 1;
    while let Some(letters) = args.get(at).and_then(|arg| arg.strip_prefix('-')) {
        at += 1;
        if letters.is_empty() || letters == "-" {
            break;
        }
        for (place, letter) in letters.char_indices() {
            let mut value = || {
                let rest = &letters[place + 1..];
                match rest.is_empty() {
                    false => rest.to_string(),
                    true => {
                        at += 1;
                        args.get(at - 1).cloned().unwrap_or_default()
                    }
                }
            };
            match letter {
                'r' => {
                    raw = true;
                    continue;
                }
                's' | 'e' => continue,
                'n' | 'N' => count = value().parse::<usize>().ok(),
                'd' => end = value().bytes().next().unwrap_or(0),
                'u' => number = value().parse().unwrap_or(0),
                'a' => array = Some(value()),
                'p' | 't' => drop(value()),
                _ => {
                    let text = format!("illegal option -{letter}");
                    return Err(shell.error(k, 2, text)?);
                }
            }
            break;
        }
    }
    let names = args.get(at..).unwrap_or_default().to_vec();
    let Some(fd) = shell.proc.fds.get(number).cloned() else {
        return Ok(1);
    };
    let (text, complete) = read_record(k, &fd, end, count, raw)?;
    let ifs = shell.ifs();
    if let Some(name) = array {
        let fields = split_fields(&text, &ifs, usize::MAX);
        let elements = fields
            .into_iter()
            .enumerate()
            .map(|(at, text)| (at as i64, text));
        shell.set_value(k, &name, Val::Array(crate::order::map(elements)))?;
        return Ok(i32::from(!complete));
    }
    if names.is_empty() {
        let whole: String = text.into_iter().map(|(c, _)| c).collect();
        let value = match shell.dialect {
            Dialect::Bash => whole,
            _ => whole.trim_matches([' ', '\t']).to_string(),
        };
        shell.set_variable(k, "REPLY", value)?;
        return Ok(i32::from(!complete));
    }
    let mut fields = split_fields(&text, &ifs, names.len()).into_iter();
    for name in &names {
        check_name(shell, k, name)?;
        shell.set_variable(k, name, fields.next().unwrap_or_default())?;
    }
    Ok(i32::from(!complete))
}

pub(super) type Marked = Vec<(char, bool)>;

/// One record of input, each character with whether it was escaped; and whether its end was
/// there.
pub(super) fn read_record(
    k: &mut Kernel<'_>,
    fd: &super::super::super::Fd,
    end: u8,
    count: Option<usize>,
    raw: bool,
) -> Result<(Marked, bool)> {
    let mut bytes: Vec<(u8, bool)> = Vec::new();
    let complete = if end == b'\n' && count.is_none() {
        loop {
            let line = k.read_line(fd)?;
            let ended = line.last() == Some(&b'\n');
            let body = if ended {
                &line[..line.len() - 1]
            } else {
                &line[..]
            };
            let mut escape = false;
            for byte in body {
                match (raw, escape, byte) {
                    (false, false, b'\\') => escape = true,
                    _ => {
                        bytes.push((*byte, std::mem::take(&mut escape)));
                    }
                }
            }
            // A backslash at the end of the line goes on with the next.
            if !(escape && ended) {
                break ended;
            }
        }
    } else {
        let most = count.unwrap_or(usize::MAX);
        let mut escape = false;
        loop {
            if bytes.len() >= most {
                break true;
            }
            let Some(byte) = k.read(fd, 1)?.first().copied() else {
                break false;
            };
            if byte == end && count.is_none_or(|_| end != b'\n' || byte == b'\n') && !escape {
                break true;
            }
            match (raw, escape, byte) {
                (false, false, b'\\') => escape = true,
                _ => bytes.push((byte, std::mem::take(&mut escape))),
            }
        }
    };
    let text: Vec<u8> = bytes.iter().map(|(byte, _)| *byte).collect();
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut at = 0;
    let marked = text.chars().map(|c| {
        let escaped = bytes.get(at).is_some_and(|(_, escaped)| *escaped);
        at += c.len_utf8();
        (c, escaped)
    });
    Ok((marked.collect(), complete))
}

/// Splits a record into at most `most` fields; the last takes the rest of it.
pub(super) fn split_fields(text: &Marked, ifs: &str, most: usize) -> Vec<String> {
    let is_blank =
        |(c, escaped): &(char, bool)| !escaped && ifs.contains(*c) && c.is_ascii_whitespace();
    let is_separator =
        |(c, escaped): &(char, bool)| !escaped && ifs.contains(*c) && !c.is_ascii_whitespace();
    let mut fields = Vec::new();
    let mut at = 0;
    while text.get(at).is_some_and(is_blank) {
        at += 1;
    }
    while at < text.len() {
        if fields.len() + 1 == most {
            let mut rest = &text[at..];
            while rest.last().is_some_and(is_blank) {
                rest = &rest[..rest.len() - 1];
            }
            // A single separator behind the last field belongs to it, not to its text.
            if let Some((last, body)) = rest.split_last()
                && is_separator(last)
                && !body.iter().any(is_separator)
            {
                rest = body;
            }
            fields.push(rest.iter().map(|(c, _)| *c).collect());
            break;
        }
        let mut field = String::new();
        while let Some(one) = text
            .get(at)
            .filter(|one| !is_blank(one) && !is_separator(one))
        {
            field.push(one.0);
            at += 1;
        }
        fields.push(field);
        while text.get(at).is_some_and(is_blank) {
            at += 1;
        }
        if text.get(at).is_some_and(is_separator) {
            at += 1;
            while text.get(at).is_some_and(is_blank) {
                at += 1;
            }
        }
    }
    fields
}

pub(super) fn mapfile(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let trim = args[1..].iter().any(|arg| arg == "-t");
    let name = args[1..].iter().rfind(|arg| !arg.starts_with('-'));
    let name = name.cloned().unwrap_or_else(|| "MAPFILE".to_string());
    let Some(fd) = shell.proc.fds.get(0).cloned() else {
        return Ok(1);
    };
    let bytes = k.read_all(&fd)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let lines = text.split_inclusive('\n').map(|line| match trim {
        true => line.trim_end_matches('\n').to_string(),
        false => line.to_string(),
    });
    let elements = lines.enumerate().map(|(at, line)| (at as i64, line));
    shell.set_value(k, &name, Val::Array(crate::order::map(elements)))?;
    Ok(0)
}

pub(super) fn getopts(shell: &mut Shell, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
    let (Some(spec), Some(name)) = (args.get(1).cloned(), args.get(2).cloned()) else {
        return Err(shell.error(k, 2, "usage: getopts optstring var [arg]")?);
    };
    let words = match args.len() {
        3 => shell.positional.to_vec(),
        _ => args[3..].to_vec(),
    };
    let index = shell
        .vars
        .text("OPTIND")
        .and_then(|text| text.parse::<usize>().ok());
    let mut index = index.unwrap_or(1).max(1);
    let mut at = shell.getopts_at;
    let silent = spec.starts_with(':');
    let done = |shell: &mut Shell, k: &mut Kernel<'_>, index: usize| -> Result<i32> {
        shell.vars.set("OPTIND", index.to_string());
        shell.set_variable(k, &name, "?".into())?;
        shell.getopts_at = 0;
        Ok(1)
    };
    let Some(word) = words.get(index - 1) else {
        return done(shell, k, index);
    };
    if at == 0 {
        if word == "--" {
            return done(shell, k, index + 1);
        }
        if !word.starts_with('-') || word.len() < 2 {
            return done(shell, k, index);
        }
        at = 1;
    }
    let Some(letter) = word[at..].chars().next() else {
        return done(shell, k, index);
    };
    at += letter.len_utf8();
    let found = spec.find(letter).filter(|_| letter != ':');
    let takes = found.is_some_and(|place| spec[place + letter.len_utf8()..].starts_with(':'));
    let mut value = None;
    let mut result = letter.to_string();
    if takes {
        if at < word.len() {
            value = Some(word[at..].to_string());
        } else {
            index += 1;
            value = words.get(index - 1).cloned();
        }
        index += 1;
        at = 0;
    } else if at >= word.len() {
        index += 1;
        at = 0;
    }
    if found.is_none() || (takes && value.is_none()) {
        let missing = found.is_some();
        if silent {
            value = Some(letter.to_string());
            result = if missing { ":" } else { "?" }.to_string();
        } else {
            let text = match missing {
                true => format!("No arg for -{letter} option"),
                false => format!("Illegal option -{letter}"),
            };
            shell.builtin = None;
            shell.complain(k, text)?;
            result = "?".to_string();
        }
    }
    shell.vars.set("OPTIND", index.to_string());
    match value {
        Some(value) => shell.set_variable(k, "OPTARG", value)?,
        None => shell.vars.remove("OPTARG"),
    }
    shell.set_variable(k, &name, result)?;
    shell.getopts_at = at;
    Ok(0)
}
