//! find.

use super::super::{Call, Exit, Flavour, Program, Stop, glob_matches, users};
use super::regex::{Regex, Syntax};
use super::{list, mode};
use crate::fs::{Errno, Follow, Handle, Inode, Kind, Time};

pub(super) const TABLE: &[Program] = &[Program::executed("find", find)];

/// An expression.
#[derive(Debug)]
enum Node {
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Test(Test),
    Act(Act),
}

/// `+N`, `-N`, `N`
#[derive(Clone, Copy, Debug)]
struct Count(char, u64);

impl Count {
    fn parse(text: &str) -> Option<Count> {
        let (sign, digits) = match text.strip_prefix(['+', '-']) {
            Some(rest) => (text.chars().next()?, rest),
            None => (' ', text),
        };
        Some(Count(sign, digits.parse().ok()?))
    }

    fn fits(self, value: u64) -> bool {
        match self.0 {
            '+' => value > self.1,
            '-' => value < self.1,
            _ => value == self.1,
        }
    }
}

#[derive(Debug)]
enum Test {
    True,
    False,
    Name {
        glob: String,
        fold: bool,
    },
    Path {
        glob: String,
        fold: bool,
    },
    Regex(Regex),
    Type(Vec<char>),
    Size(Count, u64),
    Age {
        count: Count,
        unit: i64,
    },
    Newer(Time),
    /// The sign `-`, `/` or none, and the bits.
    Mode(char, u32),
    User(u32),
    Group(u32),
    NoUser,
    NoGroup,
    Links(Count),
    Inode(Count),
    Empty,
    Executable(u32),
    LinkName(String),
    SameFile(Handle),
}

#[derive(Debug)]
enum Act {
    Print(&'static str),
    Printf(String),
    List,
    Delete,
    Prune,
    Quit,
    Exec {
        words: Vec<String>,
        /// Many names at once, collected here.
        batch: Option<usize>,
        in_dir: bool,
    },
}

/// A file that is looked at.
struct Found<'a> {
    path: &'a str,
    depth: usize,
    start: &'a str,
    handle: Handle,
}

struct Search {
    follow: bool,
    depth_first: bool,
    one_mount: bool,
    min: usize,
    max: usize,
    batches: Vec<Vec<String>>,
    batch_words: Vec<Vec<String>>,
    failed: bool,
    pruned: bool,
    acts: bool,
}

struct Parser<'c, 'a, 'k> {
    call: &'c mut Call<'a, 'k>,
    words: std::vec::IntoIter<String>,
    ahead: Option<String>,
    search: Search,
    depth: u32,
}

impl Parser<'_, '_, '_> {
    fn peek(&mut self) -> Option<&str> {
        if self.ahead.is_none() {
            self.ahead = self.words.next();
        }
        self.ahead.as_deref()
    }

    fn next(&mut self) -> Option<String> {
        self.ahead.take().or_else(|| self.words.next())
    }

    fn fail<T>(&mut self, text: impl std::fmt::Display) -> Result<T, Stop> {
        self.call.complain(text)?;
        Err(Stop::Exit(1))
    }

    fn argument(&mut self, name: &str) -> Result<String, Stop> {
        match self.next() {
            Some(word) => Ok(word),
            None => match self.call.flavour() {
                Flavour::Busybox => self.fail(format_args!("{name} requires an argument")),
                Flavour::Gnu => self.fail(format_args!("missing argument to `{name}'")),
            },
        }
    }

    fn or(&mut self) -> Result<Node, Stop> {
        let mut node = self.and()?;
        while matches!(self.peek(), Some("-o" | "-or")) {
            self.next();
            node = Node::Or(Box::new(node), Box::new(self.and()?));
        }
        Ok(node)
    }

    fn and(&mut self) -> Result<Node, Stop> {
        let mut node = self.not()?;
        loop {
            match self.peek() {
                None | Some("-o" | "-or" | ")") => return Ok(node),
                Some("-a" | "-and") => {
                    self.next();
                }
                Some(_) => {}
            }
            node = Node::And(Box::new(node), Box::new(self.not()?));
        }
    }

    fn not(&mut self) -> Result<Node, Stop> {
        match self.peek() {
            Some("!" | "-not") => {
                self.next();
                Ok(Node::Not(Box::new(self.not()?)))
            }
            Some("(") => {
                self.next();
                self.depth += 1;
                if self.depth > 100 {
                    return self.fail("too many parentheses");
                }
                let node = self.or()?;
                self.depth -= 1;
                match self.next().as_deref() {
                    Some(")") => Ok(node),
                    _ => self.fail("missing ')'"),
                }
            }
            _ => self.primary(),
        }
    }

    fn count(&mut self, name: &str) -> Result<Count, Stop> {
        let text = self.argument(name)?;
        match Count::parse(&text) {
            Some(count) => Ok(count),
            None => self.fail(format_args!("invalid number '{text}'")),
        }
    }

    fn primary(&mut self) -> Result<Node, Stop> {
        let Some(name) = self.next() else {
            return self.fail("bad expression");
        };
        let test = match name.as_str() {
            "-true" | "-noleaf" | "-nowarn" | "-warn" | "-daystart" | "-follow" => Test::True,
            "-false" => Test::False,
            "-name" | "-iname" => Test::Name {
                glob: self.argument(&name)?,
                fold: name == "-iname",
            },
            "-path" | "-wholename" | "-ipath" => Test::Path {
                glob: self.argument(&name)?,
                fold: name == "-ipath",
            },
            "-regex" | "-iregex" => {
                let text = self.argument(&name)?;
                // The whole path must match; GNU's default syntax has `\|` and bare `+`.
                match Regex::new(&format!("^\\({text}\\)$"), Syntax::Basic, name == "-iregex") {
                    Ok(regex) => Test::Regex(regex),
                    Err(message) => {
                        return self.fail(format_args!("bad regex '{text}': {message}"));
                    }
                }
            }
            "-regextype" => {
                self.argument(&name)?;
                Test::True
            }
            "-type" | "-xtype" => {
                let text = self.argument(&name)?;
                let letters: Vec<char> = text.split(',').flat_map(str::chars).collect();
                let unknown = letters.iter().any(|c| !"bcdpfls".contains(*c));
                if unknown || letters.is_empty() {
                    return match self.call.flavour() {
                        Flavour::Busybox => {
                            self.fail(format_args!("invalid argument '{text}' to '-type'"))
                        }
                        Flavour::Gnu => {
                            self.fail(format_args!("Unknown argument to -type: {text}"))
                        }
                    };
                }
                Test::Type(letters)
            }
            "-size" => {
                let text = self.argument(&name)?;
                let (digits, unit) = match text.strip_suffix(['c', 'w', 'b', 'k', 'M', 'G']) {
                    Some(digits) => (digits, text.chars().next_back()),
                    None => (text.as_str(), None),
                };
                let unit = match unit {
                    Some('c') => 1,
                    Some('w') => 2,
                    Some('k') => 1 << 10,
                    Some('M') => 1 << 20,
                    Some('G') => 1 << 30,
                    _ => 512,
                };
                match Count::parse(digits) {
                    Some(count) => Test::Size(count, unit),
                    None => return self.fail(format_args!("invalid number '{text}'")),
                }
            }
            "-mtime" | "-ctime" | "-atime" => Test::Age {
                count: self.count(&name)?,
                unit: 86_400,
            },
            "-mmin" | "-cmin" | "-amin" => Test::Age {
                count: self.count(&name)?,
                unit: 60,
            },
            "-newer" | "-cnewer" | "-anewer" | "-samefile" => {
                let path = self.argument(&name)?;
                match self
                    .call
                    .kernel
                    .vfs
                    .stat(&self.call.proc.fs, &path, Follow::Yes)
                {
                    Ok(handle) if name == "-samefile" => Test::SameFile(handle),
                    Ok(handle) => Test::Newer(self.call.kernel.vfs.inode(handle).meta.mtime),
                    Err(errno) => return self.fail(format_args!("{path}: {errno}")),
                }
            }
            "-perm" => {
                let text = self.argument(&name)?;
                let (sign, spec) = match text.strip_prefix(['-', '/', '+']) {
                    Some(spec) => (text.chars().next().unwrap_or(' '), spec),
                    None => (' ', text.as_str()),
                };
                match mode::apply(spec, 0, false, 0) {
                    Some(bits) => Test::Mode(sign, bits),
                    None => return self.fail(format_args!("invalid mode '{spec}'")),
                }
            }
            "-user" | "-uid" => {
                let text = self.argument(&name)?;
                Test::User(super::owner::user(self.call, &text)?)
            }
            "-group" | "-gid" => {
                let text = self.argument(&name)?;
                Test::Group(super::owner::group(self.call, &text)?)
            }
            "-nouser" => Test::NoUser,
            "-nogroup" => Test::NoGroup,
            "-links" => Test::Links(self.count(&name)?),
            "-inum" => Test::Inode(self.count(&name)?),
            "-empty" => Test::Empty,
            "-executable" => Test::Executable(1),
            "-readable" => Test::Executable(4),
            "-writable" => Test::Executable(2),
            "-lname" => Test::LinkName(self.argument(&name)?),
            "-maxdepth" | "-mindepth" => {
                let text = self.argument(&name)?;
                let Ok(depth) = text.parse() else {
                    return self.fail(format_args!("invalid number '{text}'"));
                };
                match name.as_str() {
                    "-maxdepth" => self.search.max = depth,
                    _ => self.search.min = depth,
                }
                Test::True
            }
            "-depth" | "-d" => {
                self.search.depth_first = true;
                Test::True
            }
            "-xdev" | "-mount" => {
                self.search.one_mount = true;
                Test::True
            }
            _ => return self.action(&name),
        };
        Ok(Node::Test(test))
    }

    fn action(&mut self, name: &str) -> Result<Node, Stop> {
        let act = match name {
            "-print" => Act::Print("\n"),
            "-print0" => Act::Print("\0"),
            "-printf" if self.call.flavour() == Flavour::Gnu => Act::Printf(self.argument(name)?),
            "-ls" => Act::List,
            "-delete" => {
                self.search.depth_first = true;
                Act::Delete
            }
            "-prune" => return Ok(Node::Act(Act::Prune)),
            "-quit" => Act::Quit,
            "-exec" | "-execdir" | "-ok" => {
                let mut words = Vec::new();
                let ended = loop {
                    match self.next() {
                        None => break None,
                        Some(word) if word == ";" => break Some(false),
                        Some(word) if word == "+" && words.last().is_some_and(|w| w == "{}") => {
                            break Some(true);
                        }
                        Some(word) => words.push(word),
                    }
                };
                let Some(many) = ended.filter(|_| !words.is_empty()) else {
                    return match self.call.flavour() {
                        Flavour::Busybox => self.fail(format_args!("{name} requires an argument")),
                        Flavour::Gnu => self.fail(format_args!("missing argument to `{name}'")),
                    };
                };
                let batch = many.then(|| {
                    words.pop();
                    self.search.batches.push(Vec::new());
                    self.search.batch_words.push(words.clone());
                    self.search.batches.len() - 1
                });
                Act::Exec {
                    words,
                    batch,
                    in_dir: name == "-execdir",
                }
            }
            other => {
                return match self.call.flavour() {
                    Flavour::Busybox => self.fail(format_args!("unrecognized: {other}")),
                    Flavour::Gnu if other.starts_with('-') => {
                        self.fail(format_args!("unknown predicate `{other}'"))
                    }
                    Flavour::Gnu => {
                        self.fail(format_args!("paths must precede expression: `{other}'"))
                    }
                };
            }
        };
        self.search.acts = true;
        Ok(Node::Act(act))
    }
}

fn find(call: &mut Call<'_, '_>) -> Exit {
    let mut words = std::mem::take(&mut call.args);
    let mut follow = false;
    let mut follow_operands = false;
    while let Some(option) = words
        .first()
        .filter(|w| ["-L", "-H", "-P"].contains(&w.as_str()))
    {
        follow = option == "-L";
        follow_operands = option == "-H";
        words.remove(0);
    }
    let is_start = |word: &String| !(word.starts_with('-') || word == "!" || word == "(");
    let count = words.iter().take_while(|word| is_start(word)).count();
    let rest = words.split_off(count);
    let starts = if words.is_empty() {
        vec![".".to_string()]
    } else {
        words
    };
    let empty = rest.is_empty();
    let mut parser = Parser {
        call,
        words: rest.into_iter(),
        ahead: None,
        search: Search {
            follow,
            depth_first: false,
            one_mount: false,
            min: 0,
            max: usize::MAX,
            batches: Vec::new(),
            batch_words: Vec::new(),
            failed: false,
            pruned: false,
            acts: false,
        },
        depth: 0,
    };
    let mut node = match empty {
        true => Node::Test(Test::True),
        false => {
            let node = parser.or()?;
            if let Some(word) = parser.next() {
                return parser.fail(format_args!("unrecognized: {word}"));
            }
            node
        }
    };
    let Parser {
        search: mut state,
        call,
        ..
    } = parser;
    if !state.acts {
        node = Node::And(Box::new(node), Box::new(Node::Act(Act::Print("\n"))));
    }
    let mut ended = Ok(());
    for start in &starts {
        let how = if follow || follow_operands {
            Follow::Yes
        } else {
            Follow::No
        };
        let stat = call.kernel.vfs.stat(&call.proc.fs, start, how);
        // A dangling link is itself.
        let stat = stat.or_else(|_| call.kernel.vfs.stat(&call.proc.fs, start, Follow::No));
        match stat {
            Ok(handle) => {
                let found = Found {
                    path: start,
                    depth: 0,
                    start,
                    handle,
                };
                ended = walk(call, &mut state, &node, &found);
                if ended.is_err() {
                    break;
                }
            }
            Err(errno) => {
                state.failed = true;
                not_found(call, start, errno)?;
            }
        }
    }
    match ended {
        Ok(()) | Err(Left::Quit) => {}
        Err(Left::Stop(stop)) => return Err(stop),
    }
    for (words, paths) in std::mem::take(&mut state.batch_words)
        .into_iter()
        .zip(std::mem::take(&mut state.batches))
    {
        if !paths.is_empty() {
            let args: Vec<String> = words.into_iter().chain(paths).collect();
            if run(call, &args)? != 0 {
                state.failed = true;
            }
        }
    }
    Ok(i32::from(state.failed))
}

fn not_found(call: &mut Call<'_, '_>, path: &str, errno: Errno) -> Result<(), Stop> {
    match call.flavour() {
        Flavour::Busybox => call.complain(format_args!("{path}: {errno}")),
        Flavour::Gnu => call.complain(format_args!("‘{path}’: {errno}")),
    }
}

enum Left {
    Quit,
    Stop(Stop),
}

impl From<Stop> for Left {
    fn from(stop: Stop) -> Left {
        Left::Stop(stop)
    }
}

fn walk(
    call: &mut Call<'_, '_>,
    state: &mut Search,
    node: &Node,
    found: &Found<'_>,
) -> Result<(), Left> {
    call.kernel.round()?;
    let counts = found.depth >= state.min;
    state.pruned = false;
    if counts && !state.depth_first {
        evaluate(call, state, node, found)?;
    }
    let is_dir = call.kernel.vfs.inode(found.handle).is_dir();
    if is_dir && !state.pruned && found.depth < state.max {
        match call.kernel.vfs.read_dir(&call.proc.fs, found.path) {
            Ok(names) => {
                for name in names {
                    let path = match found.path.ends_with('/') {
                        true => format!("{}{name}", found.path),
                        false => format!("{}/{name}", found.path),
                    };
                    let vfs = &call.kernel.vfs;
                    let Ok(bare) = vfs.stat(&call.proc.fs, &path, Follow::No) else {
                        continue;
                    };
                    let handle = match state.follow {
                        true => vfs.stat(&call.proc.fs, &path, Follow::Yes).unwrap_or(bare),
                        false => bare,
                    };
                    if state.one_mount && handle.mount != found.handle.mount {
                        continue;
                    }
                    let below = Found {
                        path: &path,
                        depth: found.depth + 1,
                        start: found.start,
                        handle,
                    };
                    if below.depth > 200 {
                        // Links that lead in a circle.
                        continue;
                    }
                    walk(call, state, node, &below)?;
                }
            }
            // What is gone by now was removed by the expression itself.
            Err(Errno::Enoent) if counts && !state.depth_first => {}
            Err(errno) => {
                state.failed = true;
                not_found(call, found.path, errno)?;
            }
        }
    }
    if counts && state.depth_first {
        evaluate(call, state, node, found)?;
    }
    Ok(())
}

fn evaluate(
    call: &mut Call<'_, '_>,
    state: &mut Search,
    node: &Node,
    found: &Found<'_>,
) -> Result<bool, Left> {
    Ok(match node {
        Node::Not(node) => !evaluate(call, state, node, found)?,
        Node::And(left, right) => {
            evaluate(call, state, left, found)? && evaluate(call, state, right, found)?
        }
        Node::Or(left, right) => {
            evaluate(call, state, left, found)? || evaluate(call, state, right, found)?
        }
        Node::Test(test) => holds(call, test, found),
        Node::Act(act) => perform(call, state, act, found)?,
    })
}

fn holds(call: &Call<'_, '_>, test: &Test, found: &Found<'_>) -> bool {
    let vfs = &*call.kernel.vfs;
    let inode = vfs.inode(found.handle);
    let folded = |glob: &str, text: &str, fold: bool| match fold {
        true => glob_matches(&glob.to_lowercase(), &text.to_lowercase()),
        false => glob_matches(glob, text),
    };
    match test {
        Test::True => true,
        Test::False => false,
        Test::Name { glob, fold } => {
            let bare = found.path.trim_end_matches('/');
            let name = match bare.rsplit('/').next() {
                Some("") | None => "/",
                Some(name) => name,
            };
            folded(glob, name, *fold)
        }
        Test::Path { glob, fold } => folded(glob, found.path, *fold),
        Test::Regex(regex) => regex.is_match(found.path),
        Test::Type(letters) => letters.contains(&letter(inode)),
        Test::Size(count, unit) => {
            let size = if inode.is_dir() { 4096 } else { inode.size() };
            match call.flavour() {
                // busybox compares bytes.
                Flavour::Busybox => Count(count.0, count.1.saturating_mul(*unit)).fits(size),
                Flavour::Gnu => count.fits(size.div_ceil(*unit)),
            }
        }
        Test::Age { count, unit } => {
            let age = vfs.now().secs() - inode.meta.mtime.secs();
            count.fits(u64::try_from(age.max(0) / unit).unwrap_or(0))
        }
        Test::Newer(time) => inode.meta.mtime > *time,
        Test::Mode(sign, bits) => match sign {
            '-' => inode.meta.mode & bits == *bits,
            '/' | '+' => *bits == 0 || inode.meta.mode & bits != 0,
            _ => inode.meta.mode == *bits,
        },
        Test::User(uid) => inode.meta.uid == *uid,
        Test::Group(gid) => inode.meta.gid == *gid,
        Test::NoUser => users::user_by_id(vfs, inode.meta.uid).is_none(),
        Test::NoGroup => users::group_by_id(vfs, inode.meta.gid).is_none(),
        Test::Links(count) => {
            let links = match inode.is_dir() {
                true => list::dir_links(call, inode, found.handle),
                false => inode.nlink(),
            };
            count.fits(links as u64)
        }
        Test::Inode(count) => count.fits(found.handle.number()),
        Test::Empty => match &inode.kind {
            Kind::Dir(entries) => entries.is_empty(),
            Kind::File(content) => content.size() == 0,
            _ => false,
        },
        Test::Executable(want) => call.proc.fs.cred.may(&inode.meta, *want, inode.is_dir()),
        Test::LinkName(glob) => inode.link_target().is_some_and(|t| glob_matches(glob, t)),
        Test::SameFile(handle) => found.handle == *handle,
    }
}

fn letter(inode: &Inode) -> char {
    match inode.kind {
        Kind::File(_) => 'f',
        Kind::Dir(_) => 'd',
        Kind::Symlink(_) => 'l',
        Kind::CharDevice(..) => 'c',
        Kind::BlockDevice(..) => 'b',
        Kind::Fifo => 'p',
        Kind::Socket => 's',
    }
}

fn perform(
    call: &mut Call<'_, '_>,
    state: &mut Search,
    act: &Act,
    found: &Found<'_>,
) -> Result<bool, Left> {
    match act {
        Act::Print(end) => call.out(format!("{}{end}", found.path))?,
        Act::Printf(format) => {
            let text = formatted(call, format, found);
            call.out(text)?;
        }
        Act::List => {
            let text = listed(call, found);
            call.out(text)?;
        }
        Act::Prune => state.pruned = true,
        Act::Quit => return Err(Left::Quit),
        Act::Delete => {
            if found.path == "." || found.path == ".." {
                return Ok(true);
            }
            let process = &call.proc.fs;
            let is_dir = call.kernel.vfs.inode(found.handle).is_dir();
            let done = match is_dir {
                true => call.kernel.vfs.rmdir(process, found.path),
                false => call.kernel.vfs.unlink(process, found.path),
            };
            if let Err(errno) = done {
                state.failed = true;
                let text = match call.flavour() {
                    Flavour::Busybox => format!("{}: {errno}", found.path),
                    Flavour::Gnu => format!("cannot delete ‘{}’: {errno}", found.path),
                };
                call.complain(text)?;
                return Ok(false);
            }
        }
        Act::Exec {
            batch: Some(batch), ..
        } => state.batches[*batch].push(found.path.to_string()),
        Act::Exec { words, in_dir, .. } => {
            let (dir, path) = match found.path.rsplit_once('/') {
                Some((dir, name)) if *in_dir => (
                    Some(if dir.is_empty() { "/" } else { dir }),
                    format!("./{name}"),
                ),
                _ => (None, found.path.to_string()),
            };
            let args: Vec<String> = words.iter().map(|word| word.replace("{}", &path)).collect();
            let old = call.proc.fs.cwd.clone();
            if let Some(dir) = dir {
                call.proc.fs.cwd = crate::fs::join(&old, dir);
            }
            let code = run(call, &args);
            call.proc.fs.cwd = old;
            return Ok(code? == 0);
        }
    }
    Ok(true)
}

fn run(call: &mut Call<'_, '_>, args: &[String]) -> Exit {
    match call.run(args)? {
        Ok(code) => Ok(code),
        Err(error) => {
            let why = super::launch::why(error);
            let name = args.first().map_or("", String::as_str);
            let text = match call.flavour() {
                Flavour::Busybox => format!("{name}: {why}"),
                Flavour::Gnu => format!("‘{name}’: {why}"),
            };
            call.fail(1, text)
        }
    }
}

/// What `-ls` prints.
fn listed(call: &Call<'_, '_>, found: &Found<'_>) -> String {
    let inode = call.kernel.vfs.inode(found.handle);
    let (size, links) = match inode.is_dir() {
        true => (4096, list::dir_links(call, inode, found.handle)),
        false => (inode.size(), inode.nlink()),
    };
    let user = users::user_by_id(call.kernel.vfs, inode.meta.uid).map(|user| user.name);
    let group = users::group_by_id(call.kernel.vfs, inode.meta.gid).map(|group| group.name);
    let arrow = inode.link_target().map(|to| format!(" -> {to}"));
    format!(
        "{:9} {:6} {} {links:3} {:8} {:8} {size:8} {} {}{}\n",
        found.handle.number(),
        list::blocks(inode),
        list::mode_text(inode),
        user.unwrap_or_else(|| inode.meta.uid.to_string()),
        group.unwrap_or_else(|| inode.meta.gid.to_string()),
        super::date::format(inode.meta.mtime, "%b %e %H:%M"),
        found.path,
        arrow.unwrap_or_default(),
    )
}

/// What `-printf` prints.
fn formatted(call: &Call<'_, '_>, format: &str, found: &Found<'_>) -> String {
    let inode = call.kernel.vfs.inode(found.handle);
    let below = found.path.strip_prefix(found.start).unwrap_or_default();
    let below = below.trim_start_matches('/').to_string();
    let (dir, name) = match found.path.rsplit_once('/') {
        Some((dir, name)) => (dir.to_string(), name.to_string()),
        None => (".".to_string(), found.path.to_string()),
    };
    let user = || users::user_by_id(call.kernel.vfs, inode.meta.uid).map(|user| user.name);
    let group = || users::group_by_id(call.kernel.vfs, inode.meta.gid).map(|group| group.name);
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('0') => out.push('\0'),
                Some(other) => out.push(other),
                None => {}
            },
            '%' => match chars.next() {
                Some('p') => out += found.path,
                Some('P') => out += &below,
                Some('f') => out += &name,
                Some('h') => out += &dir,
                Some('H') => out += found.start,
                Some('d') => out += &found.depth.to_string(),
                Some('s') => out += &inode.size().to_string(),
                Some('m') => out += &format!("{:o}", inode.meta.mode),
                Some('M') => out += &list::mode_text(inode),
                Some('U') => out += &inode.meta.uid.to_string(),
                Some('G') => out += &inode.meta.gid.to_string(),
                Some('u') => out += &user().unwrap_or_else(|| inode.meta.uid.to_string()),
                Some('g') => out += &group().unwrap_or_else(|| inode.meta.gid.to_string()),
                Some('y') => out.push(letter(inode)),
                Some('l') => out += inode.link_target().unwrap_or_default(),
                Some('n') => out += &inode.nlink().to_string(),
                Some('i') => out += &found.handle.number().to_string(),
                Some('T') => match chars.next() {
                    Some('@') => {
                        let time = inode.meta.mtime;
                        out += &format!("{}.{:09}0", time.secs(), time.subsec_nanos());
                    }
                    Some(c) => out += &super::date::format(inode.meta.mtime, &format!("%{c}")),
                    None => {}
                },
                Some('%') => out.push('%'),
                Some(other) => out.extend(['%', other]),
                None => out.push('%'),
            },
            c => out.push(c),
        }
    }
    out
}
