//! Scripts as the interpreter runs them: every word is taken apart once, however often it runs.

use std::rc::Rc;

/// Commands one after the other.
pub(super) type List = Vec<Item>;

/// A list of pipelines joined by `&&` and `||`, in the foreground or not.
#[derive(Debug)]
pub(super) struct Item {
    pub first: Pipeline,
    /// What follows, and whether it follows an `&&`.
    pub rest: Vec<(bool, Pipeline)>,
    pub background: bool,
}

/// Commands joined by pipes.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub negated: bool,
    pub commands: Vec<Command>,
}

/// A command and its redirections.
#[derive(Debug)]
pub(super) struct Command {
    pub kind: Kind,
    pub redirects: Vec<Redirect>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Simple {
        assigns: Vec<Assign>,
        words: Vec<Word>,
        /// The line of the script it begins on, from 1.
        line: usize,
    },
    Group(List),
    Subshell(Rc<List>),
    /// `for NAME in WORDS`; without `in`, over the positional parameters.
    For {
        name: String,
        words: Option<Vec<Word>>,
        body: List,
    },
    ArithFor {
        start: Word,
        condition: Word,
        step: Word,
        body: List,
    },
    While {
        until: bool,
        condition: List,
        body: List,
    },
    If {
        branches: Vec<(List, List)>,
        otherwise: Option<List>,
    },
    Case {
        word: Word,
        arms: Vec<Arm>,
    },
    Function {
        name: String,
        body: Rc<Command>,
    },
    Test(Test),
    Arith(Word),
}

/// An arm of `case`.
#[derive(Debug)]
pub(super) struct Arm {
    pub patterns: Vec<Word>,
    pub body: List,
    pub next: Next,
}

/// What follows an arm's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// `;;`
    Done,
    /// `;&`
    FallThrough,
    /// `;;&`
    TestMore,
}

/// `[[ ... ]]`
#[derive(Debug)]
pub(super) enum Test {
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    Not(Box<Test>),
    Unary(String, Word),
    Binary(String, Word, Word),
}

/// An assignment in front of a command.
#[derive(Debug)]
pub(super) struct Assign {
    pub name: String,
    pub index: Option<Word>,
    pub append: bool,
    pub value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Scalar(Word),
    Array(Vec<(Option<Word>, Word)>),
}

#[derive(Debug)]
pub(super) struct Redirect {
    /// The descriptor, where one is written.
    pub fd: Option<u32>,
    pub op: RedirectOp,
    pub word: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RedirectOp {
    Read,
    Write,
    Clobber,
    Append,
    Update,
    /// `<&` and `>&`
    DupIn,
    DupOut,
    /// `&>`
    Both,
    /// `&>>`
    BothAppend,
    /// A here-document or, with a newline added, a here-string.
    Here,
    HereString,
}

/// A word, taken apart.
#[derive(Debug, Default)]
pub(super) struct Word {
    pub pieces: Vec<Piece>,
}

#[derive(Debug)]
pub(super) enum Piece {
    Text {
        text: String,
        quoted: bool,
    },
    /// `~` or `~user`
    Tilde(String),
    Param(Box<Param>),
    Command {
        script: Rc<Source>,
        quoted: bool,
    },
    Arith {
        expr: Word,
        quoted: bool,
    },
    /// `<(...)` and `>(...)`
    Process {
        script: Rc<List>,
        read: bool,
    },
}

/// A command substitution: its script, or why it cannot be parsed.
#[derive(Debug)]
pub(super) struct Source {
    pub list: List,
}

/// A parameter expansion.
#[derive(Debug)]
pub(super) struct Param {
    pub name: String,
    pub index: Option<Index>,
    pub indirect: bool,
    pub op: ParamOp,
    pub quoted: bool,
}

#[derive(Debug)]
pub(super) enum Index {
    /// `[@]` and `[*]`
    All(char),
    At(Word),
}

#[derive(Debug)]
pub(super) enum ParamOp {
    Plain,
    Length,
    /// `-`, `=`, `?`, `+`; with a colon, also where the value is empty.
    Test {
        op: char,
        colon: bool,
        word: Word,
    },
    /// `#`, `##`
    Prefix {
        longest: bool,
        pattern: Word,
    },
    /// `%`, `%%`
    Suffix {
        longest: bool,
        pattern: Word,
    },
    /// `/`; `kind` is `/` for all, `#` and `%` for either end, a blank for the first.
    Replace {
        kind: char,
        pattern: Word,
        with: Word,
    },
    Substring {
        offset: Word,
        length: Option<Word>,
    },
    /// `^`, `^^`, `,`, `,,`
    Case {
        upper: bool,
        all: bool,
    },
    /// `${!name[@]}`, `${!prefix*}`
    Keys,
    Names,
    /// A substitution that this shell does not know.
    Bad,
}
