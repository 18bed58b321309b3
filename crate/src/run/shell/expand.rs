//! Words to fields: substitution, splitting, file names, and the removal of quotes.

use super::super::{Fd, Kernel, Limit, Open};
use super::ast::{Piece, Source, Word};
use super::params::Expanded;
use super::{Dialect, Jump, Result, Shell};
use crate::fs::Follow;
use std::rc::Rc;

/// A field that is being put together: characters, and whether each was quoted.
#[derive(Clone, Debug, Default)]
struct Field(Vec<(char, bool)>);

/// Fields as they come out of a word.
struct Fields {
    done: Vec<Field>,
    open: Option<Field>,
    /// Blanks have ended a field; a separator that follows them belongs to them.
    after_blanks: bool,
    ifs: String,
}

impl Fields {
    fn new(ifs: String) -> Fields {
        Fields {
            done: Vec::new(),
            open: None,
            after_blanks: false,
            ifs,
        }
    }

    /// Text that is not split.
    fn add(&mut self, text: &str, quoted: bool) {
        if text.is_empty() && !quoted {
            return;
        }
        self.after_blanks = false;
        let field = self.open.get_or_insert_default();
        field.0.extend(text.chars().map(|c| (c, quoted)));
    }

    /// The result of an expansion outside of quotes.
    fn split(&mut self, text: &str) {
        for c in text.chars() {
            if !self.ifs.contains(c) {
                self.after_blanks = false;
                self.open.get_or_insert_default().0.push((c, false));
            } else if c.is_ascii_whitespace() {
                if let Some(field) = self.open.take() {
                    self.done.push(field);
                    self.after_blanks = true;
                }
            } else if !std::mem::take(&mut self.after_blanks) {
                let field = self.open.take().unwrap_or_default();
                self.done.push(field);
            }
        }
    }

    /// The end of a field, if one has begun.
    fn cut(&mut self) {
        self.done.extend(self.open.take());
        self.after_blanks = false;
    }
}

impl Shell {
    /// The arguments that words become.
    pub(super) fn fields(&mut self, k: &mut Kernel<'_>, words: &[Word]) -> Result<Vec<String>> {
        let mut out = Vec::new();
        let mut bytes = 0;
        for word in words {
            if let [Piece::Text { text, quoted }] = word.pieces.as_slice()
                && (*quoted || !text.contains(['*', '?', '[']))
            {
                bytes += text.len();
                out.push(text.clone());
                continue;
            }
            let mut fields = Fields::new(self.ifs());
            for piece in &word.pieces {
                self.piece(k, piece, &mut fields)?;
            }
            fields.cut();
            for field in fields.done {
                let from = out.len();
                self.file_names(k, field, &mut out)?;
                bytes += out[from..].iter().map(String::len).sum::<usize>();
                if bytes > k.limits.word_bytes {
                    return Err(k.limit(Limit::Word, k.limits.word_bytes as u64).into());
                }
            }
        }
        Ok(out)
    }

    /// A word where one text is wanted: nothing is split, no file name looked for.
    pub(super) fn text(&mut self, k: &mut Kernel<'_>, word: &Word) -> Result<String> {
        let mut out = String::new();
        for piece in &word.pieces {
            match piece {
                Piece::Text { text, .. } => out.push_str(text),
                piece => {
                    let quoted = is_quoted(piece);
                    let expanded = self.expanded(k, piece)?;
                    out.push_str(&self.joined(expanded, quoted));
                }
            }
            if out.len() > k.limits.word_bytes {
                return Err(k.limit(Limit::Word, k.limits.word_bytes as u64).into());
            }
        }
        Ok(out)
    }

    /// A word as a pattern: what was quoted is escaped.
    pub(super) fn pattern(&mut self, k: &mut Kernel<'_>, word: &Word) -> Result<String> {
        let mut out = String::new();
        for piece in &word.pieces {
            let (text, quoted) = match piece {
                Piece::Text { text, quoted } => (text.clone(), *quoted),
                piece => {
                    let quoted = is_quoted(piece);
                    let expanded = self.expanded(k, piece)?;
                    (self.joined(expanded, quoted), quoted)
                }
            };
            match quoted {
                true => out.push_str(&escape(&text)),
                false => out.push_str(&text),
            }
        }
        Ok(out)
    }

    pub(super) fn ifs(&self) -> String {
        self.vars.text("IFS").unwrap_or(" \t\n").to_string()
    }

    fn joined(&self, expanded: Expanded, quoted: bool) -> String {
        match expanded {
            Expanded::One(text) => text,
            Expanded::Word(parts) => parts.into_iter().map(|(text, _)| text).collect(),
            Expanded::All { values, star } => {
                let ifs = self.ifs();
                let glue = match star && quoted {
                    true => ifs.chars().next().map(String::from).unwrap_or_default(),
                    false => " ".to_string(),
                };
                values.join(&glue)
            }
        }
    }

    fn piece(&mut self, k: &mut Kernel<'_>, piece: &Piece, fields: &mut Fields) -> Result<()> {
        if let Piece::Text { text, quoted } = piece {
            fields.add(text, *quoted);
            return Ok(());
        }
        let quoted = is_quoted(piece);
        match self.expanded(k, piece)? {
            Expanded::One(text) if quoted => fields.add(&text, true),
            Expanded::One(text) => fields.split(&text),
            // `${x:-"a b" c}`: the word's own quotes count.
            Expanded::Word(parts) => {
                for (text, part_quoted) in parts {
                    match quoted || part_quoted {
                        true => fields.add(&text, true),
                        false => fields.split(&text),
                    }
                }
            }
            all @ Expanded::All { star: true, .. } if quoted => {
                let text = self.joined(all, true);
                fields.add(&text, true);
            }
            Expanded::All { values, .. } => {
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        fields.cut();
                    }
                    match quoted {
                        true => fields.add(value, true),
                        false => fields.split(value),
                    }
                }
            }
        }
        Ok(())
    }

    fn expanded(&mut self, k: &mut Kernel<'_>, piece: &Piece) -> Result<Expanded> {
        Ok(match piece {
            Piece::Text { text, .. } => Expanded::One(text.clone()),
            Piece::Tilde(user) => Expanded::One(self.home(k, user)),
            Piece::Param(param) => self.param(k, param)?,
            Piece::Command { script, .. } => Expanded::One(self.substitute(k, script)?),
            Piece::Arith { expr, .. } => Expanded::One(self.arithmetic(k, expr)?.to_string()),
            Piece::Process { script, read } => {
                Expanded::One(self.process_substitution(k, script, *read)?)
            }
        })
    }

    fn home(&self, k: &Kernel<'_>, user: &str) -> String {
        let found = match user {
            "" => self.vars.text("HOME").map(String::from),
            name => super::super::users::user(k.vfs, name).map(|user| user.home),
        };
        found.unwrap_or_else(|| format!("~{user}"))
    }

    /// `$(...)`: the output of a subshell without the newlines at its end.
    fn substitute(&mut self, k: &mut Kernel<'_>, script: &Rc<Source>) -> Result<String> {
        let (reader, writer) = k.pipe();
        let mut shell = self.subshell(k);
        shell.proc.fds.set(1, Some(writer));
        // `set -e` is not handed on: only dash does that.
        shell.options.errexit &= self.dialect == Dialect::Dash;
        let status = shell.run_subshell(k, &script.list, false)?;
        self.substituted = Some(status);
        if self.dialect.has_bash_words() {
            self.status = status;
        }
        let bytes = k.read_all(&reader)?;
        let text = String::from_utf8_lossy(&bytes).replace('\0', "");
        Ok(text.trim_end_matches('\n').to_string())
    }

    /// `<(...)`: the output of a subshell behind a descriptor.
    fn process_substitution(
        &mut self,
        k: &mut Kernel<'_>,
        script: &Rc<super::ast::List>,
        read: bool,
    ) -> Result<String> {
        let (reader, writer) = k.pipe();
        let fd: Fd = if read {
            let mut shell = self.subshell(k);
            shell.proc.fds.set(1, Some(writer));
            shell.run_subshell(k, script, false)?;
            reader
        } else {
            Open::Null.fd()
        };
        let number = self.proc.fds.free(60);
        self.proc.fds.set(number, Some(fd));
        Ok(format!("/dev/fd/{number}"))
    }

    /// A field, or the names of the files that it is a pattern for.
    fn file_names(
        &mut self,
        k: &mut Kernel<'_>,
        field: Field,
        out: &mut Vec<String>,
    ) -> Result<()> {
        let is_pattern = !self.options.noglob
            && field
                .0
                .iter()
                .any(|(c, quoted)| !quoted && matches!(c, '*' | '?' | '['));
        if is_pattern {
            let mut pattern = String::new();
            for (c, quoted) in &field.0 {
                if *quoted && "*?[]\\!-^".contains(*c) {
                    pattern.push('\\');
                }
                pattern.push(*c);
            }
            let mut found = self.glob(k, &pattern)?;
            if !found.is_empty() {
                crate::order::sort(&mut found);
                out.append(&mut found);
                return Ok(());
            }
        }
        out.push(field.0.into_iter().map(|(c, _)| c).collect());
        Ok(())
    }

    fn glob(&self, k: &mut Kernel<'_>, pattern: &str) -> Result<Vec<String>> {
        let mut found = vec![String::new()];
        let mut rest = pattern;
        let slashes = rest.len() - rest.trim_start_matches('/').len();
        if slashes > 0 {
            found[0] = rest[..slashes].to_string();
            rest = &rest[slashes..];
        }
        while !rest.is_empty() {
            let end = rest.find('/').unwrap_or(rest.len());
            let (part, tail) = rest.split_at(end);
            let gap = tail.len() - tail.trim_start_matches('/').len();
            let (gap, next) = tail.split_at(gap);
            let mut longer = Vec::new();
            for dir in &found {
                k.round().map_err(Jump::from)?;
                if !part.contains(['*', '?', '[']) {
                    let name = unescape(part);
                    let path = format!("{dir}{name}");
                    let there = k.vfs.stat(&self.proc.fs, &path, Follow::No).is_ok();
                    if there && (gap.is_empty() || k.vfs.is_dir(&self.proc.fs, &path)) {
                        longer.push(format!("{path}{gap}"));
                    }
                    continue;
                }
                let here = if dir.is_empty() { "." } else { dir };
                let Ok(names) = k.vfs.read_dir(&self.proc.fs, here) else {
                    continue;
                };
                let dots = [".".into(), "..".into()];
                for name in dots.iter().chain(names.iter()) {
                    if name.starts_with('.') && !part.trim_start_matches('\\').starts_with('.') {
                        continue;
                    }
                    if !super::super::glob_matches(part, name) {
                        continue;
                    }
                    let path = format!("{dir}{name}");
                    if gap.is_empty() || k.vfs.is_dir(&self.proc.fs, &path) {
                        longer.push(format!("{path}{gap}"));
                    }
                }
            }
            found = longer;
            rest = next;
        }
        Ok(found)
    }
}

/// The text of one piece, where nothing is split.
pub(super) fn piece_text(shell: &mut Shell, k: &mut Kernel<'_>, piece: &Piece) -> Result<String> {
    let quoted = is_quoted(piece);
    let expanded = shell.expanded(k, piece)?;
    Ok(shell.joined(expanded, quoted))
}

fn is_quoted(piece: &Piece) -> bool {
    match piece {
        Piece::Text { quoted, .. }
        | Piece::Command { quoted, .. }
        | Piece::Arith { quoted, .. } => *quoted,
        Piece::Param(param) => param.quoted,
        Piece::Tilde(_) | Piece::Process { .. } => true,
    }
}

/// The text as a pattern that matches just it.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if "*?[]\\!-^".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn unescape(pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}
