//! POSIX regular expressions, basic and extended, as grep, sed and expr use them.
//!
//! A backtracking matcher: of the matches at the leftmost place it gives the longest, as POSIX
//! says, within a budget of steps that keeps hostile patterns from running away.

use std::rc::Rc;

/// The start and end of a match and of its groups, in bytes; group 0 is the whole.
pub(in crate::run) type Groups = Vec<Option<(usize, usize)>>;

/// A compiled expression.
#[derive(Clone, Debug)]
pub(in crate::run) struct Regex {
    node: Rc<Node>,
    groups: usize,
    ignore_case: bool,
}

/// Which syntax an expression is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::run) enum Syntax {
    /// `\(`, `\{`, `\|`
    Basic,
    /// `(`, `{`, `|`
    Extended,
}

#[derive(Clone, Debug)]
enum Node {
    Empty,
    Char(char),
    Any,
    Set(Set),
    Start,
    End,
    WordStart,
    WordEnd,
    WordEdge(bool),
    Group(usize, Rc<Node>),
    Back(usize),
    Then(Vec<Node>),
    Or(Vec<Node>),
    Repeat(Rc<Node>, usize, Option<usize>),
}

#[derive(Clone, Debug)]
struct Set {
    negated: bool,
    items: Vec<(char, char)>,
    classes: Vec<fn(char) -> bool>,
}

impl Set {
    fn has(&self, c: char, ignore_case: bool) -> bool {
        let one = |c: char| {
            self.items
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&c))
                || self.classes.iter().any(|class| class(c))
        };
        let found =
            one(c) || (ignore_case && (c.to_lowercase().any(one) || c.to_uppercase().any(one)));
        found != self.negated
    }
}

/// The deepest nesting of groups.
const MAX_DEPTH: usize = 50;
/// Steps that one search may take.
const BUDGET: usize = 2_000_000;
/// The largest count in an interval (POSIX: `RE_DUP_MAX`).
const MAX_COUNT: usize = 255;

impl Regex {
    /// Compiles an expression.
    ///
    /// # Errors
    /// A message as the C library words it.
    pub fn new(pattern: &str, syntax: Syntax, ignore_case: bool) -> Result<Regex, String> {
        let chars: Vec<char> = pattern.chars().collect();
        let mut parser = Parser {
            text: &chars,
            at: 0,
            syntax,
            groups: 0,
            open: Vec::new(),
            depth: 0,
        };
        let node = parser.alternatives()?;
        if parser.at < chars.len() {
            return Err("Unmatched ) or \\)".into());
        }
        Ok(Regex {
            node: Rc::new(node),
            groups: parser.groups + 1,
            ignore_case,
        })
    }

    /// An expression that matches `text` itself.
    pub fn literal(text: &str, ignore_case: bool) -> Regex {
        let node = Node::Then(text.chars().map(Node::Char).collect());
        Regex {
            node: Rc::new(node),
            groups: 1,
            ignore_case,
        }
    }

    /// How many groups there are, the whole included.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// Whether the expression is found anywhere in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.find(text, 0).is_some()
    }

    /// The leftmost longest match at or behind byte `from`.
    pub fn find(&self, text: &str, from: usize) -> Option<Groups> {
        let mut matcher = Matcher {
            text,
            ignore_case: self.ignore_case,
            groups: vec![None; self.groups],
            best: None,
            budget: BUDGET,
        };
        let mut start = from;
        loop {
            matcher.groups.fill(None);
            matcher.best = None;
            matcher.run(&self.node, start, &Cont::Done);
            if let Some((end, mut groups)) = matcher.best.take() {
                groups[0] = Some((start, end));
                return Some(groups);
            }
            start += text[start..].chars().next()?.len_utf8();
        }
    }
}

struct Parser<'a> {
    text: &'a [char],
    at: usize,
    syntax: Syntax,
    groups: usize,
    open: Vec<usize>,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    /// Whether the operator `c` (escaped in basic syntax) comes next; takes it.
    fn eat_operator(&mut self, c: char) -> bool {
        let found = self.is_operator(c);
        if found {
            self.at += if self.syntax == Syntax::Basic { 2 } else { 1 };
        }
        found
    }

    fn is_operator(&self, c: char) -> bool {
        match self.syntax {
            Syntax::Basic => self.peek(0) == Some('\\') && self.peek(1) == Some(c),
            Syntax::Extended => self.peek(0) == Some(c),
        }
    }

    fn alternatives(&mut self) -> Result<Node, String> {
        let mut all = vec![self.sequence()?];
        while self.eat_operator('|') {
            all.push(self.sequence()?);
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => Node::Or(all),
        })
    }

    fn sequence(&mut self) -> Result<Node, String> {
        let mut nodes = Vec::new();
        let mut first = true;
        while self.at < self.text.len() && !self.is_operator('|') {
            if self.is_operator(')') {
                if !self.open.is_empty() || self.syntax == Syntax::Basic {
                    break;
                }
                // A lone `)` is a character in extended syntax.
                self.at += 1;
                nodes.push(Node::Char(')'));
                continue;
            }
            let atom = self.atom(first)?;
            first = matches!(atom, Node::Start);
            let atom = self.repeats(atom, first)?;
            nodes.push(atom);
        }
        Ok(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.remove(0),
            _ => Node::Then(nodes),
        })
    }

    fn atom(&mut self, first: bool) -> Result<Node, String> {
        let c = self.text[self.at];
        if self.eat_operator('(') {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err("Regular expression too big".into());
            }
            self.groups += 1;
            let number = self.groups;
            self.open.push(number);
            let inner = self.alternatives()?;
            if !self.eat_operator(')') {
                return Err("Unmatched ( or \\(".into());
            }
            self.open.pop();
            self.depth -= 1;
            return Ok(Node::Group(number, Rc::new(inner)));
        }
        self.at += 1;
        let extended = self.syntax == Syntax::Extended;
        Ok(match c {
            '.' => Node::Any,
            '[' => Node::Set(self.set()?),
            '^' if extended || first => Node::Start,
            '$' if extended
                || self.at == self.text.len()
                || self.is_operator(')')
                || self.is_operator('|') =>
            {
                Node::End
            }
            '*' if extended && first => Node::Char('*'),
            '\\' => {
                let Some(c) = self.peek(0) else {
                    return Err("Trailing backslash".into());
                };
                self.at += 1;
                match c {
                    '1'..='9' => {
                        let number = c as usize - '0' as usize;
                        if number > self.groups || self.open.contains(&number) {
                            return Err("Invalid back reference".into());
                        }
                        Node::Back(number)
                    }
                    '<' => Node::WordStart,
                    '>' => Node::WordEnd,
                    'b' => Node::WordEdge(true),
                    'B' => Node::WordEdge(false),
                    'w' => Node::Set(class_set(is_word, false)),
                    'W' => Node::Set(class_set(is_word, true)),
                    's' => Node::Set(class_set(char::is_whitespace, false)),
                    'S' => Node::Set(class_set(char::is_whitespace, true)),
                    'n' => Node::Char('\n'),
                    't' => Node::Char('\t'),
                    c => Node::Char(c),
                }
            }
            c => Node::Char(c),
        })
    }

    fn repeats(&mut self, mut atom: Node, after_start: bool) -> Result<Node, String> {
        loop {
            let extended = self.syntax == Syntax::Extended;
            let (min, max) = match self.peek(0) {
                // `^*`: the star is a character in basic syntax.
                Some('*') if !extended && after_start => return Ok(atom),
                Some('*') => (0, None),
                Some('+') if extended => (1, None),
                Some('?') if extended => (0, Some(1)),
                Some('\\') if !extended && self.peek(1) == Some('+') => {
                    self.at += 1;
                    (1, None)
                }
                Some('\\') if !extended && self.peek(1) == Some('?') => {
                    self.at += 1;
                    (0, Some(1))
                }
                _ if self.is_operator('{') => match self.interval()? {
                    Some(counts) => {
                        atom = Node::Repeat(Rc::new(atom), counts.0, counts.1);
                        continue;
                    }
                    None => return Ok(atom),
                },
                _ => return Ok(atom),
            };
            self.at += 1;
            atom = Node::Repeat(Rc::new(atom), min, max);
        }
    }

    /// `{2}`, `{2,}`, `{2,5}`; in extended syntax anything else is text.
    fn interval(&mut self) -> Result<Option<(usize, Option<usize>)>, String> {
        let start = self.at;
        self.eat_operator('{');
        let mut number = || {
            let begin = self.at;
            while self.text.get(self.at).is_some_and(char::is_ascii_digit) {
                self.at += 1;
            }
            let digits: String = self.text[begin..self.at].iter().collect();
            digits.parse::<usize>().ok()
        };
        let min = number();
        let (comma, max) = match self.text.get(self.at) {
            Some(',') => {
                self.at += 1;
                let mut number = || {
                    let begin = self.at;
                    while self.text.get(self.at).is_some_and(char::is_ascii_digit) {
                        self.at += 1;
                    }
                    let digits: String = self.text[begin..self.at].iter().collect();
                    digits.parse::<usize>().ok()
                };
                (true, number())
            }
            _ => (false, min),
        };
        if !self.eat_operator('}') || (min.is_none() && !comma) {
            if self.syntax == Syntax::Extended {
                self.at = start;
                return Ok(None);
            }
            return Err("Invalid preceding regular expression".into());
        }
        let min = min.unwrap_or(0);
        if min > MAX_COUNT || max.is_some_and(|max| max > MAX_COUNT || max < min) {
            return Err("Invalid content of \\{\\}".into());
        }
        Ok(Some((min, max)))
    }

    fn set(&mut self) -> Result<Set, String> {
        const UNMATCHED: &str = "Unmatched [, [^, [:, [., or [=";
        let mut set = Set {
            negated: false,
            items: Vec::new(),
            classes: Vec::new(),
        };
        if self.peek(0) == Some('^') {
            set.negated = true;
            self.at += 1;
        }
        let mut first = true;
        loop {
            let Some(c) = self.peek(0) else {
                return Err(UNMATCHED.into());
            };
            self.at += 1;
            if c == ']' && !first {
                return Ok(set);
            }
            first = false;
            if c == '[' && matches!(self.peek(0), Some(':' | '.' | '=')) {
                let kind = self.text[self.at];
                let begin = self.at + 1;
                let mut end = begin;
                loop {
                    match (self.text.get(end), self.text.get(end + 1)) {
                        (Some(c), Some(']')) if *c == kind => break,
                        (Some(_), _) => end += 1,
                        (None, _) => return Err(UNMATCHED.into()),
                    }
                }
                let name: String = self.text[begin..end].iter().collect();
                self.at = end + 2;
                if kind == ':' {
                    set.classes
                        .push(class(&name).ok_or("Invalid character class name")?);
                } else {
                    set.items.extend(name.chars().next().map(|c| (c, c)));
                }
                continue;
            }
            let mut to = c;
            if self.peek(0) == Some('-') && self.peek(1).is_some_and(|c| c != ']') {
                to = self.text[self.at + 1];
                self.at += 2;
                if to < c {
                    return Err("Invalid range end".into());
                }
            }
            set.items.push((c, to));
        }
    }
}

fn class_set(class: fn(char) -> bool, negated: bool) -> Set {
    Set {
        negated,
        items: Vec::new(),
        classes: vec![class],
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// A POSIX character class by its name.
pub(in crate::run) fn class(name: &str) -> Option<fn(char) -> bool> {
    Some(match name {
        "alpha" => |c| c.is_ascii_alphabetic(),
        "digit" => |c| c.is_ascii_digit(),
        "alnum" => |c| c.is_ascii_alphanumeric(),
        "upper" => |c| c.is_ascii_uppercase(),
        "lower" => |c| c.is_ascii_lowercase(),
        "space" => |c| " \t\n\r\x0b\x0c".contains(c),
        "blank" => |c| c == ' ' || c == '\t',
        "punct" => |c| c.is_ascii_punctuation(),
        "print" => |c| (' '..='~').contains(&c),
        "graph" => |c| ('!'..='~').contains(&c),
        "cntrl" => |c| c.is_ascii_control(),
        "xdigit" => |c| c.is_ascii_hexdigit(),
        _ => return None,
    })
}

/// What is to be matched behind a node.
enum Cont<'c> {
    Done,
    /// The rest of a sequence.
    Then(&'c [Node], &'c Cont<'c>),
    /// The end of a group that began at a place.
    Close(usize, usize, &'c Cont<'c>),
    /// Further rounds of a repetition: node, count so far, least, most, start of this round.
    Again(&'c Node, usize, usize, Option<usize>, usize, &'c Cont<'c>),
}

struct Matcher<'t> {
    text: &'t str,
    ignore_case: bool,
    groups: Groups,
    best: Option<(usize, Groups)>,
    budget: usize,
}

impl Matcher<'_> {
    /// Tries all ways; the longest whole match is kept in `best`.
    fn run(&mut self, node: &Node, at: usize, cont: &Cont<'_>) {
        if self.budget == 0
            || self
                .best
                .as_ref()
                .is_some_and(|(end, _)| *end == self.text.len())
        {
            return;
        }
        self.budget -= 1;
        let next = self.text[at..].chars().next();
        match node {
            Node::Empty => self.go_on(at, cont),
            Node::Char(want) => {
                let fits = next.is_some_and(|c| {
                    c == *want || (self.ignore_case && c.to_lowercase().eq(want.to_lowercase()))
                });
                self.step(fits, next, at, cont);
            }
            Node::Any => self.step(next.is_some(), next, at, cont),
            Node::Set(set) => {
                let fits = next.is_some_and(|c| set.has(c, self.ignore_case));
                self.step(fits, next, at, cont);
            }
            Node::Start => {
                if at == 0 {
                    self.go_on(at, cont);
                }
            }
            Node::End => {
                if at == self.text.len() {
                    self.go_on(at, cont);
                }
            }
            Node::WordStart | Node::WordEnd | Node::WordEdge(_) => {
                let before = self.text[..at].chars().next_back().is_some_and(is_word);
                let after = next.is_some_and(is_word);
                let fits = match node {
                    Node::WordStart => !before && after,
                    Node::WordEnd => before && !after,
                    Node::WordEdge(edge) => (before != after) == *edge,
                    _ => false,
                };
                if fits {
                    self.go_on(at, cont);
                }
            }
            Node::Group(number, inner) => self.run(inner, at, &Cont::Close(*number, at, cont)),
            Node::Back(number) => {
                let Some((from, to)) = self.groups[*number] else {
                    return;
                };
                let same = self.text[at..].starts_with(&self.text[from..to]);
                if same {
                    self.go_on(at + (to - from), cont);
                }
            }
            Node::Then(nodes) => match nodes.split_first() {
                Some((first, rest)) => self.run(first, at, &Cont::Then(rest, cont)),
                None => self.go_on(at, cont),
            },
            Node::Or(all) => {
                for one in all {
                    self.run(one, at, cont);
                }
            }
            Node::Repeat(inner, min, max) if is_single(inner) => {
                self.single_repeat(inner, (*min, *max), at, cont);
            }
            Node::Repeat(inner, min, max) => self.repeat(inner, 0, (*min, *max), at, cont),
        }
    }

    /// Repetition of what always takes one character: without recursion for each.
    fn single_repeat(
        &mut self,
        inner: &Node,
        (min, max): (usize, Option<usize>),
        at: usize,
        cont: &Cont<'_>,
    ) {
        let mut ends = vec![at];
        let mut end = at;
        while max.is_none_or(|max| ends.len() <= max) {
            let Some(c) = self.text[end..].chars().next() else {
                break;
            };
            let fits = match inner {
                Node::Char(want) => {
                    c == *want || (self.ignore_case && c.to_lowercase().eq(want.to_lowercase()))
                }
                Node::Any => true,
                Node::Set(set) => set.has(c, self.ignore_case),
                _ => false,
            };
            if !fits {
                break;
            }
            end += c.len_utf8();
            ends.push(end);
        }
        for end in ends.into_iter().skip(min).rev() {
            self.go_on(end, cont);
        }
    }

    fn step(&mut self, fits: bool, next: Option<char>, at: usize, cont: &Cont<'_>) {
        if let Some(c) = next.filter(|_| fits) {
            self.go_on(at + c.len_utf8(), cont);
        }
    }

    fn repeat(
        &mut self,
        inner: &Node,
        count: usize,
        (min, max): (usize, Option<usize>),
        at: usize,
        cont: &Cont<'_>,
    ) {
        if max.is_none_or(|max| count < max) {
            self.run(
                inner,
                at,
                &Cont::Again(inner, count + 1, min, max, at, cont),
            );
        }
        if count >= min {
            self.go_on(at, cont);
        }
    }

    fn go_on(&mut self, at: usize, cont: &Cont<'_>) {
        match cont {
            Cont::Done => {
                if self.best.as_ref().is_none_or(|(end, _)| at > *end) {
                    self.best = Some((at, self.groups.clone()));
                }
            }
            Cont::Then([], cont) => self.go_on(at, cont),
            Cont::Then([first, rest @ ..], cont) => self.run(first, at, &Cont::Then(rest, cont)),
            Cont::Close(number, from, cont) => {
                let old = self.groups[*number].replace((*from, at));
                self.go_on(at, cont);
                self.groups[*number] = old;
            }
            Cont::Again(inner, count, min, max, from, cont) => {
                // A round that took nothing is the last one.
                if at == *from {
                    self.go_on(at, cont);
                } else {
                    self.repeat(inner, *count, (*min, *max), at, cont);
                }
            }
        }
    }
}

fn is_single(node: &Node) -> bool {
    matches!(node, Node::Char(_) | Node::Any | Node::Set(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pattern: &str, syntax: Syntax, text: &str) -> Option<String> {
        let regex = Regex::new(pattern, syntax, false).unwrap();
        let groups = regex.find(text, 0)?;
        let texts = groups
            .iter()
            .map(|g| g.map_or("-", |(from, to)| &text[from..to]));
        Some(texts.collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn basic() {
        let find = |pattern, text| find(pattern, Syntax::Basic, text);
        assert_eq!(find("a*b", "xaab").as_deref(), Some("aab"));
        assert_eq!(find("\\(a\\)\\1", "baa").as_deref(), Some("aa|a"));
        assert_eq!(find("a+", "aa+").as_deref(), Some("a+"));
        assert_eq!(find("a\\{2,3\\}", "aaaa").as_deref(), Some("aaa"));
        assert_eq!(find("^*x", "*x").as_deref(), Some("*x"));
        assert_eq!(find("a\\|bc", "xbc").as_deref(), Some("bc"));
        assert_eq!(find("x$y", "x$y").as_deref(), Some("x$y"));
        assert_eq!(find("[]a]*", "]a]b").as_deref(), Some("]a]"));
    }

    #[test]
    fn extended_takes_the_longest() {
        let find = |pattern, text| find(pattern, Syntax::Extended, text);
        assert_eq!(find("a|ab|abc", "abcd").as_deref(), Some("abc"));
        assert_eq!(find("(a|b)+c?", "xabac").as_deref(), Some("abac|a"));
        assert_eq!(find("^[[:digit:]]{2}$", "12").as_deref(), Some("12"));
        assert_eq!(
            find("(x*)*", "xx").as_deref().map(|s| s.starts_with("xx")),
            Some(true)
        );
        assert_eq!(find("\\bfoo\\b", "a foo b").as_deref(), Some("foo"));
        assert_eq!(find("a{x", "a{x").as_deref(), Some("a{x"));
        assert_eq!(find("nope", "text"), None);
    }

    #[test]
    fn errors_and_hostile_patterns() {
        let error = |pattern| Regex::new(pattern, Syntax::Extended, false).unwrap_err();
        assert_eq!(error("(a"), "Unmatched ( or \\(");
        assert_eq!(error("[a"), "Unmatched [, [^, [:, [., or [=");
        assert_eq!(error("a\\"), "Trailing backslash");
        let regex = Regex::new("(a*)*(a*)*b", Syntax::Extended, false).unwrap();
        assert!(regex.find(&"a".repeat(60), 0).is_none());
    }
}
