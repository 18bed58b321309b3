//! How sed goes through its input.

use std::collections::{BTreeMap, VecDeque};

use super::super::super::io::Access;
use super::super::super::{Call, Exit, Fd, Flavour, Stop};
use super::super::input;
use super::super::regex::{Groups, Regex};
use super::parse::{Address, Command, Line, Part, Substitute, Until};
use crate::fs::{Flags, Follow, parent};

/// The options.
pub(super) struct Settings {
    /// `-n`
    pub quiet: bool,
    /// What ends a line.
    pub end: u8,
    /// `-s`
    pub separate: bool,
    /// `-i`, and the suffix of the copy that is kept.
    pub in_place: Option<String>,
}

/// The lines of one or more files.
struct Source {
    todo: VecDeque<String>,
    open: Option<Fd>,
    /// The line that comes next, read to know which one is the last.
    ahead: Option<Vec<u8>>,
    failed: bool,
    end: u8,
}

impl Source {
    fn read(&mut self, call: &mut Call<'_, '_>) -> Result<Option<Vec<u8>>, Stop> {
        if let Some(line) = self.ahead.take() {
            return Ok(Some(line));
        }
        loop {
            let Some(fd) = self.open.clone() else {
                let Some(path) = self.todo.pop_front() else {
                    return Ok(None);
                };
                match open(call, &path)? {
                    Some(fd) => self.open = Some(fd),
                    None => self.failed = true,
                }
                continue;
            };
            let line = if self.end == b'\n' {
                call.kernel.read_line(&fd)?
            } else {
                let all = call.kernel.read_all(&fd)?;
                let at = all.iter().position(|b| *b == self.end);
                let (line, rest) = all.split_at(at.map_or(all.len(), |at| at + 1));
                self.open = Some(super::super::super::Open::holding(rest.to_vec()).fd());
                line.to_vec()
            };
            if line.is_empty() {
                self.open = None;
                continue;
            }
            return Ok(Some(line));
        }
    }

    fn is_last(&mut self, call: &mut Call<'_, '_>) -> Result<bool, Stop> {
        self.ahead = self.read(call)?;
        Ok(self.ahead.is_none())
    }
}

fn open(call: &mut Call<'_, '_>, path: &str) -> Result<Option<Fd>, Stop> {
    if path == "-" {
        return input::open(call, path);
    }
    match call.open(path, Access::READ) {
        Ok(fd) if call.flavour() == Flavour::Busybox => Ok(Some(fd)),
        Ok(fd) if !call.kernel.vfs.is_dir(&call.proc.fs, path) => Ok(Some(fd)),
        found => {
            let text = match (call.flavour(), found.err()) {
                (Flavour::Busybox, Some(errno)) => format!("{path}: {errno}"),
                (Flavour::Gnu, Some(errno)) => format!("can't read {path}: {errno}"),
                (_, None) => format!("couldn't edit {path}: not a regular file"),
            };
            call.complain(text)?;
            Ok(None)
        }
    }
}

/// What happens at the end of a cycle.
enum After {
    /// The next line; the pattern space is printed first if it is wanted.
    Next {
        print: bool,
    },
    /// The script again with what is left of the pattern space.
    Again,
    Quit {
        print: bool,
        code: i32,
    },
}

struct Machine<'a> {
    script: &'a [Line],
    settings: &'a Settings,
    source: Source,
    /// Whether each range is on, and up to which line.
    ranges: Vec<Option<Option<usize>>>,
    /// Whether a range that begins with line 0 has begun.
    from_zero: Vec<bool>,
    space: String,
    hold: String,
    /// Whether the line that was read last had an end.
    ended: bool,
    line: usize,
    last_regex: Option<Regex>,
    queue: Vec<Queued>,
    out: Vec<u8>,
    files: BTreeMap<String, Fd>,
    /// Where the output goes if not to standard output.
    target: Option<Fd>,
    /// The output so far lacks the end of its last line.
    open_end: bool,
}

enum Queued {
    Text(String),
    File(String),
}

/// Runs a script over the operands.
///
/// # Errors
/// Only what ends the program.
pub(super) fn run(
    call: &mut Call<'_, '_>,
    script: &[Line],
    settings: &Settings,
    operands: Vec<String>,
) -> Exit {
    let mut files = BTreeMap::new();
    for line in script {
        let path = match &line.command {
            Command::Write(path) => path,
            Command::Substitute(substitute) => match &substitute.write {
                Some(path) => path,
                None => continue,
            },
            _ => continue,
        };
        if path == "/dev/stdout" || files.contains_key(path) {
            continue;
        }
        match call.open(path, Access::WRITE) {
            Ok(fd) => files.insert(path.clone(), fd),
            Err(errno) => {
                return call.fail(1, format_args!("can't open '{path}': {errno}"));
            }
        };
    }
    let mut machine = Machine {
        script,
        settings,
        source: Source {
            todo: VecDeque::new(),
            open: None,
            ahead: None,
            failed: false,
            end: settings.end,
        },
        ranges: vec![None; script.len()],
        from_zero: vec![false; script.len()],
        space: String::new(),
        hold: String::new(),
        ended: true,
        line: 0,
        last_regex: None,
        queue: Vec::new(),
        out: Vec::new(),
        files,
        target: None,
        open_end: false,
    };
    let failure = match call.flavour() {
        Flavour::Busybox => 1,
        Flavour::Gnu => 2,
    };
    let mut code = 0;
    if settings.in_place.is_some() {
        for path in operands {
            match machine.edit(call, &path)? {
                Ok(Some(quit)) => return Ok(quit),
                Ok(None) => {}
                Err(()) => code = failure,
            }
        }
        return Ok(code);
    }
    let groups: Vec<Vec<String>> = match settings.separate {
        true => operands.into_iter().map(|path| vec![path]).collect(),
        false => vec![input::or_stdin(&operands)],
    };
    for group in groups {
        machine.restart(group.into());
        let quit = machine.all(call)?;
        machine.flush(call)?;
        if let Some(code) = quit {
            return Ok(code);
        }
        if machine.source.failed {
            code = failure;
        }
    }
    Ok(code)
}

impl Machine<'_> {
    fn restart(&mut self, todo: VecDeque<String>) {
        self.source.todo = todo;
        self.source.open = None;
        self.source.ahead = None;
        self.line = 0;
        self.open_end = false;
        self.ranges.fill(None);
        self.from_zero.fill(false);
    }

    /// Edits a file: what comes out takes the file's place under its name, with its mode and
    /// owner, as an inode of its own.
    fn edit(
        &mut self,
        call: &mut Call<'_, '_>,
        path: &str,
    ) -> Result<Result<Option<i32>, ()>, Stop> {
        let handle = match call.kernel.vfs.stat(&call.proc.fs, path, Follow::Yes) {
            Ok(handle) if call.kernel.vfs.inode(handle).file().is_some() => handle,
            Ok(_) => {
                call.complain(format_args!("couldn't edit {path}: not a regular file"))?;
                return Ok(Err(()));
            }
            Err(errno) => {
                let text = match call.flavour() {
                    Flavour::Busybox => format!("{path}: {errno}"),
                    Flavour::Gnu => format!("can't read {path}: {errno}"),
                };
                call.complain(text)?;
                return Ok(Err(()));
            }
        };
        let meta = call.kernel.vfs.inode(handle).meta.clone();
        self.restart(VecDeque::from([path.to_string()]));
        let dir = match path.contains('/') {
            true => format!("{}/", path.rsplit_once('/').map_or("", |(dir, _)| dir)),
            false => String::new(),
        };
        let temporary = format!("{dir}sed{:06}", call.kernel.next_pid());
        let flags = Flags {
            create: true,
            truncate: true,
            exclusive: true,
        };
        let process = call.proc.fs.clone();
        let made = call.kernel.vfs.open(&process, &temporary, flags, 0o600);
        let target = match made {
            Ok(_) => call.open(&temporary, Access::WRITE),
            Err(errno) => Err(errno),
        };
        let target = match target {
            Ok(target) => target,
            Err(errno) => {
                let shown = parent(&crate::fs::join(&process.cwd, path));
                let text = match call.flavour() {
                    Flavour::Busybox => format!("can't create temp file '{path}XXXXXX': {errno}"),
                    Flavour::Gnu => format!("couldn't open temporary file {shown}/sed: {errno}"),
                };
                call.complain(text)?;
                return Err(Stop::Exit(if call.flavour() == Flavour::Gnu {
                    4
                } else {
                    1
                }));
            }
        };
        self.target = Some(target);
        let quit = self.all(call)?;
        if quit.is_some() {
            // What was not read yet stays in the file.
            while let Some(line) = self.source.read(call)? {
                self.raw(&line);
            }
        }
        self.flush(call)?;
        self.target = None;
        let vfs = &mut *call.kernel.vfs;
        let _ = vfs.chmod(&process, &temporary, meta.mode);
        let _ = vfs.chown(
            &process,
            &temporary,
            (Some(meta.uid), Some(meta.gid)),
            Follow::No,
        );
        let _ = vfs.chmod(&process, &temporary, meta.mode);
        if let Some(suffix) = self
            .settings
            .in_place
            .as_ref()
            .filter(|suffix| !suffix.is_empty())
        {
            let backup = match suffix.contains('*') {
                true => format!("{dir}{}", suffix.replace('*', crate::fs::base_name(path))),
                false => format!("{path}{suffix}"),
            };
            let _ = vfs.rename(&process, path, &backup);
        }
        if let Err(errno) = vfs.rename(&process, &temporary, path) {
            call.complain(format_args!(
                "can't move '{temporary}' to '{path}': {errno}"
            ))?;
            return Ok(Err(()));
        }
        Ok(Ok(quit))
    }

    /// Goes through the source; gives the exit code where the script quits.
    fn all(&mut self, call: &mut Call<'_, '_>) -> Result<Option<i32>, Stop> {
        if !self.next_line(call)? {
            return Ok(None);
        }
        loop {
            call.kernel.round()?;
            match self.cycle(call)? {
                After::Again => {
                    self.flush_queue(call)?;
                    continue;
                }
                After::Next { print } => {
                    if print && !self.settings.quiet {
                        self.print_space(call)?;
                    }
                    self.flush_queue(call)?;
                    if !self.next_line(call)? {
                        return Ok(None);
                    }
                }
                After::Quit { print, code } => {
                    if print && !self.settings.quiet {
                        self.print_space(call)?;
                    }
                    self.flush_queue(call)?;
                    return Ok(Some(code));
                }
            }
        }
    }

    /// Reads the next line into the pattern space; false at the end.
    fn next_line(&mut self, call: &mut Call<'_, '_>) -> Result<bool, Stop> {
        match self.take(call)? {
            Some(line) => {
                self.space = line;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn take(&mut self, call: &mut Call<'_, '_>) -> Result<Option<String>, Stop> {
        let Some(mut line) = self.source.read(call)? else {
            return Ok(None);
        };
        self.line += 1;
        self.ended = line.last() == Some(&self.settings.end);
        if self.ended {
            line.pop();
        }
        Ok(Some(input::decode(&line)))
    }

    fn raw(&mut self, bytes: &[u8]) {
        if std::mem::take(&mut self.open_end) {
            self.out.push(self.settings.end);
        }
        self.out.extend_from_slice(bytes);
    }

    /// Prints a line that ends unless it is the pattern space of a last line that does not.
    fn print(&mut self, call: &mut Call<'_, '_>, text: &str, ended: bool) -> Result<(), Stop> {
        let bytes = input::encode(text);
        self.raw(&bytes);
        if ended {
            self.out.push(self.settings.end);
        } else {
            self.open_end = true;
        }
        if self.out.len() > 64 << 10 {
            self.flush(call)?;
        }
        Ok(())
    }

    fn print_space(&mut self, call: &mut Call<'_, '_>) -> Result<(), Stop> {
        let space = std::mem::take(&mut self.space);
        let done = self.print(call, &space, self.ended);
        self.space = space;
        done
    }

    fn flush(&mut self, call: &mut Call<'_, '_>) -> Result<(), Stop> {
        let out = std::mem::take(&mut self.out);
        match self.target.clone() {
            None => call.out(out),
            Some(fd) => match input::write(call, &fd, &out)? {
                Ok(()) => Ok(()),
                Err(errno) => {
                    call.complain(format_args!("write error: {errno}"))?;
                    Err(Stop::Exit(1))
                }
            },
        }
    }

    fn flush_queue(&mut self, call: &mut Call<'_, '_>) -> Result<(), Stop> {
        for item in std::mem::take(&mut self.queue) {
            match item {
                Queued::Text(text) => self.raw(&input::encode(&text)),
                Queued::File(path) => {
                    if let Ok(bytes) = call.slurp(&path)?
                        && !bytes.is_empty()
                    {
                        self.raw(&bytes);
                        if bytes.last() != Some(&b'\n') {
                            self.open_end = true;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn write_file(&mut self, call: &mut Call<'_, '_>, path: &str) -> Result<(), Stop> {
        if path == "/dev/stdout" {
            return self.print_space(call);
        }
        let Some(fd) = self.files.get(path).cloned() else {
            return Ok(());
        };
        let line = [input::encode(&self.space), vec![self.settings.end]].concat();
        let _ = input::write(call, &fd, &line)?;
        Ok(())
    }

    fn matches(&mut self, call: &mut Call<'_, '_>, address: &Address) -> Result<bool, Stop> {
        Ok(match address {
            Address::Line(line) => self.line == *line,
            Address::Step(first, 0) => self.line == *first,
            Address::Step(first, step) => {
                self.line >= *first && (self.line - first).is_multiple_of(*step)
            }
            Address::Last => self.source.is_last(call)?,
            Address::Match(regex) => {
                let regex = self.regex(call, regex.as_ref())?;
                regex.is_match(&self.space)
            }
        })
    }

    /// An expression; an empty one is the last one used.
    fn regex(&mut self, call: &mut Call<'_, '_>, regex: Option<&Regex>) -> Result<Regex, Stop> {
        if let Some(regex) = regex {
            self.last_regex = Some(regex.clone());
        }
        match &self.last_regex {
            Some(regex) => Ok(regex.clone()),
            None => {
                call.complain("no previous regexp")?;
                Err(Stop::Exit(1))
            }
        }
    }

    fn selects(&mut self, call: &mut Call<'_, '_>, at: usize) -> Result<bool, Stop> {
        let line = &self.script[at];
        let Some(from) = &line.from else {
            return Ok(true);
        };
        let Some(until) = &line.until else {
            return self.matches(call, from);
        };
        // A range from line 0 may end on the first line.
        let zero = call.flavour() == Flavour::Gnu
            && matches!(from, Address::Line(0))
            && !self.from_zero[at];
        if zero {
            self.from_zero[at] = true;
            self.ranges[at] = Some(None);
        }
        if let Some(limit) = self.ranges[at] {
            let over = match (limit, until) {
                (Some(limit), _) => {
                    if self.line > limit {
                        self.ranges[at] = None;
                        return self.matches(call, from);
                    }
                    self.line == limit
                }
                (None, Until::Address(address)) => self.matches(call, address)?,
                (None, _) => true,
            };
            if over {
                self.ranges[at] = None;
            }
            return Ok(true);
        }
        if !self.matches(call, from)? {
            return Ok(false);
        }
        let limit = match until {
            Until::Address(Address::Line(line)) => Some(*line),
            Until::Lines(count) => Some(self.line + count),
            Until::Multiple(0) => Some(self.line),
            Until::Multiple(of) => Some(self.line.div_ceil(*of) * of),
            Until::Address(_) => None,
        };
        if limit.is_none_or(|limit| limit > self.line) {
            self.ranges[at] = Some(limit);
        }
        Ok(true)
    }

    fn cycle(&mut self, call: &mut Call<'_, '_>) -> Result<After, Stop> {
        let mut at = 0;
        let mut substituted = false;
        let script = self.script;
        while let Some(line) = script.get(at) {
            let selected = self.selects(call, at)? != line.negated;
            at += 1;
            if !selected {
                if let Command::Open(end) = line.command {
                    at = end + 1;
                }
                continue;
            }
            let label = match &line.command {
                Command::Branch(label) => Some(label),
                Command::BranchIf(label) if std::mem::take(&mut substituted) => Some(label),
                Command::BranchUnless(label) if !std::mem::take(&mut substituted) => Some(label),
                _ => None,
            };
            if let Some(label) = label {
                call.kernel.round()?;
                if label.is_empty() {
                    break;
                }
                let target = script
                    .iter()
                    .position(|line| matches!(&line.command, Command::Label(l) if l == label));
                match target {
                    Some(target) => at = target,
                    None => {
                        call.complain(format_args!("can't find label for jump to '{label}'"))?;
                        return Err(Stop::Exit(1));
                    }
                }
                continue;
            }
            match &line.command {
                Command::Append(text) => self.queue.push(Queued::Text(text.clone())),
                Command::Insert(text) => self.raw(&input::encode(text)),
                Command::Change(text) => {
                    let in_range = line.until.is_some() && !line.negated;
                    if !in_range || self.ranges[at - 1].is_none() {
                        self.raw(&input::encode(text));
                    }
                    return Ok(After::Next { print: false });
                }
                Command::Substitute(substitute) => {
                    substituted |= self.substitute(call, substitute)?;
                }
                Command::Translate(pairs) => {
                    let map = |c| pairs.iter().find(|(from, _)| *from == c).map_or(c, |p| p.1);
                    self.space = self.space.chars().map(map).collect();
                }
                Command::Read(path) => self.queue.push(Queued::File(path.clone())),
                Command::Write(path) => self.write_file(call, path)?,
                Command::Quit(code, print) => {
                    return Ok(After::Quit {
                        print: *print,
                        code: *code,
                    });
                }
                Command::Plain(letter) => {
                    if let Some(after) = self.plain(call, *letter)? {
                        return Ok(after);
                    }
                }
                _ => {}
            }
        }
        Ok(After::Next { print: true })
    }

    fn plain(&mut self, call: &mut Call<'_, '_>, letter: char) -> Result<Option<After>, Stop> {
        match letter {
            '=' => {
                let text = format!("{}\n", self.line);
                self.raw(text.as_bytes());
            }
            'd' => return Ok(Some(After::Next { print: false })),
            'D' => {
                let Some(at) = self.space.find('\n') else {
                    return Ok(Some(After::Next { print: false }));
                };
                self.space.drain(..=at);
                return Ok(Some(After::Again));
            }
            'g' => self.space = self.hold.clone(),
            'G' => {
                self.space.push('\n');
                self.space += &self.hold;
            }
            'h' => self.hold = self.space.clone(),
            'H' => {
                self.hold.push('\n');
                self.hold += &self.space;
            }
            'x' => std::mem::swap(&mut self.space, &mut self.hold),
            'z' => self.space.clear(),
            'p' => self.print_space(call)?,
            'P' => {
                let first = self
                    .space
                    .split('\n')
                    .next()
                    .unwrap_or_default()
                    .to_string();
                self.print(call, &first, true)?;
            }
            'l' => {
                let text = unambiguous(&input::encode(&self.space));
                self.print(call, &text, true)?;
            }
            'F' => {
                let text = "-\n".to_string();
                self.raw(text.as_bytes());
            }
            'n' => {
                if self.source.is_last(call)? {
                    return Ok(Some(After::Quit {
                        print: true,
                        code: 0,
                    }));
                }
                if !self.settings.quiet {
                    self.print_space(call)?;
                }
                self.flush_queue(call)?;
                self.next_line(call)?;
            }
            'N' => {
                if self.source.is_last(call)? {
                    return Ok(Some(After::Quit {
                        print: true,
                        code: 0,
                    }));
                }
                self.flush_queue(call)?;
                if let Some(line) = self.take(call)? {
                    self.space.push('\n');
                    self.space += &line;
                }
            }
            _ => {}
        }
        Ok(None)
    }

    fn substitute(
        &mut self,
        call: &mut Call<'_, '_>,
        substitute: &Substitute,
    ) -> Result<bool, Stop> {
        let regex = self.regex(call, substitute.regex.as_ref())?;
        let mut out = String::new();
        let (mut copied, mut from, mut count) = (0, 0, 0);
        let mut done = false;
        while let Some(groups) = regex.find(&self.space, from) {
            call.kernel.round()?;
            let Some((start, end)) = groups[0] else { break };
            // An empty match right behind a match is none.
            let doubled = start == end && start == copied && from > 0 && count > 0;
            if !doubled {
                count += 1;
                if count >= substitute.nth {
                    out += &self.space[copied..start];
                    replace(&substitute.parts, &self.space, &groups, &mut out);
                    copied = end;
                    done = true;
                    if !substitute.global {
                        break;
                    }
                }
            }
            from = match self.space[end..].chars().next() {
                Some(c) if start == end => end + c.len_utf8(),
                None if start == end => break,
                _ => end,
            };
        }
        if !done {
            return Ok(false);
        }
        out += &self.space[copied..];
        self.space = out;
        if substitute.print {
            self.print_space(call)?;
        }
        if let Some(path) = &substitute.write {
            self.write_file(call, path)?;
        }
        Ok(true)
    }
}

/// Writes a replacement for the match `groups` in `text`.
fn replace(parts: &[Part], text: &str, groups: &Groups, out: &mut String) {
    let mut lasting = 'E';
    let mut once = None;
    let mut put = |piece: &str, lasting: char, once: &mut Option<char>| {
        for c in piece.chars() {
            match once.take().unwrap_or(lasting) {
                'U' | 'u' => out.extend(c.to_uppercase()),
                'L' | 'l' => out.extend(c.to_lowercase()),
                _ => out.push(c),
            }
        }
    };
    for part in parts {
        match part {
            Part::Text(piece) => put(piece, lasting, &mut once),
            Part::Group(n) => {
                if let Some((start, end)) = groups.get(*n).copied().flatten() {
                    put(&text[start..end], lasting, &mut once);
                }
            }
            Part::Case(case @ ('u' | 'l')) => once = Some(*case),
            Part::Case(case) => lasting = *case,
        }
    }
}

/// The pattern space as `l` shows it.
fn unambiguous(bytes: &[u8]) -> String {
    const WIDTH: usize = 69;
    let mut out = String::new();
    let mut column = 0;
    for byte in bytes {
        let shown = match byte {
            b'\\' => "\\\\".to_string(),
            7 => "\\a".to_string(),
            8 => "\\b".to_string(),
            12 => "\\f".to_string(),
            b'\n' => "\\n".to_string(),
            b'\r' => "\\r".to_string(),
            b'\t' => "\\t".to_string(),
            11 => "\\v".to_string(),
            b' '..=b'~' => char::from(*byte).to_string(),
            other => format!("\\{other:03o}"),
        };
        if column + shown.len() > WIDTH {
            out += "\\\n";
            column = 0;
        }
        column += shown.len();
        out += &shown;
    }
    out + "$"
}
