//! From the parser's tree to what the interpreter runs.

use std::rc::Rc;

use brush_parser::ast as tree;

use super::Dialect;
use super::ast::{
    Arm, Assign, Command, Item, Kind, List, Next, Piece, Pipeline, Redirect, RedirectOp, Test,
    Value, Word,
};
use super::brace;
use super::word::{self, Mode, Tildes};

/// Why a script cannot be parsed, as the shell words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub message: String,
}

impl SyntaxError {
    pub fn new(message: impl Into<String>) -> SyntaxError {
        SyntaxError {
            message: message.into(),
        }
    }
}

type Result<T> = std::result::Result<T, SyntaxError>;

/// Substitutions and parentheses nest so deep.
const MAX_NESTING: usize = 50;

/// Turns source text into commands.
pub(super) struct Compiler {
    pub dialect: Dialect,
    depth: usize,
    /// The text that is being parsed.
    source: Vec<char>,
}

/// A script: the commands up to the first error, and that error.
pub(super) struct Script {
    pub list: List,
    pub error: Option<SyntaxError>,
}

/// Parses a whole script. A shell runs each command before it reads the next, so the commands in
/// front of an error are there to be run.
pub(super) fn script(dialect: Dialect, text: &str) -> Script {
    let mut compiler = Compiler {
        dialect,
        depth: 0,
        source: Vec::new(),
    };
    let error = match compiler.program(text) {
        Ok(list) => return Script { list, error: None },
        Err(error) => error,
    };
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (mut start, mut list) = (0, List::new());
    // Bounded: the error is in a script that a person wrote.
    let mut budget = 2000;
    for end in 1..=lines.len() {
        budget -= 1;
        if budget == 0 {
            break;
        }
        if let Ok(mut more) = compiler.program(&lines[start..end].concat()) {
            list.append(&mut more);
            start = end;
        }
    }
    let error = match compiler.program(&lines[start..].concat()) {
        Ok(_) => error,
        Err(error) => error,
    };
    Script {
        list,
        error: Some(error),
    }
}

impl Compiler {
    /// The commands of a substitution.
    pub fn nested(&mut self, text: &str) -> Result<List> {
        self.depth += 1;
        let list = if self.depth > MAX_NESTING {
            Err(SyntaxError::new("substitutions are nested too deep"))
        } else {
            self.program(text)
        };
        self.depth -= 1;
        list
    }

    fn program(&mut self, text: &str) -> Result<List> {
        super::guard::check(text)?;
        let options = brush_parser::ParserOptions {
            enable_extended_globbing: self.dialect == Dialect::Bash,
            ..brush_parser::ParserOptions::default()
        };
        let mut parser = brush_parser::Parser::new(text.as_bytes(), &options);
        let program = parser
            .parse_program()
            .map_err(|error| super::guard::explain(text, &error))?;
        let outer = std::mem::replace(&mut self.source, text.chars().collect());
        let mut list = Ok(List::new());
        for command in program.complete_commands {
            list = list.and_then(|mut list| {
                list.append(&mut self.list(command)?);
                Ok(list)
            });
        }
        self.source = outer;
        list
    }

    /// The word as it stands in the source: the parser's own text has the blanks inside of
    /// `${...}` folded to one.
    fn raw(&self, word: &tree::Word) -> String {
        let value = &word.value;
        if !value.contains("${") {
            return value.clone();
        }
        let bare = |text: &str| {
            text.chars()
                .filter(|c| !" \t".contains(*c))
                .collect::<String>()
        };
        let span = word.loc.as_ref().map(|loc| loc.start.index..loc.end.index);
        let text = span.and_then(|span| self.source.get(span));
        let text: Option<String> = text.map(|text| text.iter().collect());
        text.filter(|text| bare(text) == bare(value))
            .unwrap_or_else(|| value.clone())
    }

    fn list(&mut self, list: tree::CompoundList) -> Result<List> {
        list.0.into_iter().map(|item| self.item(item)).collect()
    }

    fn item(&mut self, item: tree::CompoundListItem) -> Result<Item> {
        let tree::CompoundListItem(list, separator) = item;
        let first = self.pipeline(list.first)?;
        let mut rest = Vec::new();
        for next in list.additional {
            rest.push(match next {
                tree::AndOr::And(pipeline) => (true, self.pipeline(pipeline)?),
                tree::AndOr::Or(pipeline) => (false, self.pipeline(pipeline)?),
            });
        }
        Ok(Item {
            first,
            rest,
            background: matches!(separator, tree::SeparatorOperator::Async),
        })
    }

    fn pipeline(&mut self, pipeline: tree::Pipeline) -> Result<Pipeline> {
        let commands = pipeline
            .seq
            .into_iter()
            .map(|command| self.command(command));
        Ok(Pipeline {
            negated: pipeline.bang,
            commands: commands.collect::<Result<_>>()?,
        })
    }

    fn command(&mut self, command: tree::Command) -> Result<Command> {
        match command {
            tree::Command::Simple(simple) => self.simple(simple),
            tree::Command::Compound(compound, redirects) => Ok(Command {
                kind: self.compound(compound)?,
                redirects: self.redirects(redirects)?,
            }),
            tree::Command::Function(function) => {
                let tree::FunctionBody(body, redirects) = function.body;
                let body = Command {
                    kind: self.compound(body)?,
                    redirects: self.redirects(redirects)?,
                };
                Ok(plain(Kind::Function {
                    name: function.fname.value,
                    body: Rc::new(body),
                }))
            }
            tree::Command::ExtendedTest(test, redirects) => Ok(Command {
                kind: Kind::Test(self.test(test.expr)?),
                redirects: self.redirects(redirects)?,
            }),
        }
    }

    fn simple(&mut self, simple: tree::SimpleCommand) -> Result<Command> {
        let mut assigns = Vec::new();
        let mut words = Vec::new();
        let mut redirects = Vec::new();
        let location = simple
            .word_or_name
            .as_ref()
            .and_then(|word| word.loc.as_ref());
        let line = location.map_or(1, |at| at.start.line);
        let prefix = simple.prefix.map_or(Vec::new(), |prefix| prefix.0);
        let suffix = simple.suffix.map_or(Vec::new(), |suffix| suffix.0);
        for item in prefix {
            match item {
                tree::CommandPrefixOrSuffixItem::AssignmentWord(assign, word) => {
                    let raw = self.raw(&word);
                    assigns.push(self.assign(assign, &raw)?);
                }
                item => self.argument(item, &mut words, &mut redirects)?,
            }
        }
        if let Some(word) = simple.word_or_name {
            let raw = self.raw(&word);
            self.words(&raw, &mut words)?;
        }
        for item in suffix {
            self.argument(item, &mut words, &mut redirects)?;
        }
        Ok(Command {
            kind: Kind::Simple {
                assigns,
                words,
                line,
            },
            redirects,
        })
    }

    fn argument(
        &mut self,
        item: tree::CommandPrefixOrSuffixItem,
        words: &mut Vec<Word>,
        redirects: &mut Vec<Redirect>,
    ) -> Result<()> {
        match item {
            tree::CommandPrefixOrSuffixItem::IoRedirect(redirect) => {
                redirects.push(self.redirect(redirect)?);
                Ok(())
            }
            tree::CommandPrefixOrSuffixItem::Word(word) => {
                let raw = self.raw(&word);
                self.words(&raw, words)
            }
            tree::CommandPrefixOrSuffixItem::AssignmentWord(assign, word) => {
                if matches!(assign.value, tree::AssignmentValue::Array(_)) {
                    self.refuse_array()?;
                }
                let tildes = Tildes::Colons;
                // `export PATH=~/bin`: the name and `=` are no part of the tilde's word.
                let raw = self.raw(&word);
                let start = raw.find('=').map_or(0, |at| at + 1);
                let mut whole = word::parse(self, &raw[..start], Mode::Plain, Tildes::None)?;
                let mut value = word::parse(self, &raw[start..], Mode::Plain, tildes)?;
                whole.pieces.append(&mut value.pieces);
                words.push(whole);
                Ok(())
            }
            tree::CommandPrefixOrSuffixItem::ProcessSubstitution(kind, subshell) => {
                words.push(self.process(&kind, subshell)?);
                Ok(())
            }
        }
    }

    fn process(
        &mut self,
        kind: &tree::ProcessSubstitutionKind,
        subshell: tree::SubshellCommand,
    ) -> Result<Word> {
        if !self.dialect.has_bash_words() {
            return Err(SyntaxError::new("unexpected \"(\""));
        }
        let script = Rc::new(self.list(subshell.list)?);
        let read = matches!(kind, tree::ProcessSubstitutionKind::Read);
        Ok(Word {
            pieces: vec![Piece::Process { script, read }],
        })
    }

    fn refuse_array(&self) -> Result<()> {
        match self.dialect.has_bash_words() {
            true => Ok(()),
            false => Err(SyntaxError::new("unexpected \"(\"")),
        }
    }

    fn words(&mut self, text: &str, out: &mut Vec<Word>) -> Result<()> {
        if self.dialect.has_bash_words()
            && let Some(words) = brace::expand(text)
        {
            for text in words {
                out.push(word::parse(self, &text, Mode::Plain, Tildes::Start)?);
            }
            return Ok(());
        }
        out.push(word::parse(self, text, Mode::Plain, Tildes::Start)?);
        Ok(())
    }

    fn word(&mut self, word: &tree::Word) -> Result<Word> {
        let raw = self.raw(word);
        word::parse(self, &raw, Mode::Plain, Tildes::Start)
    }

    fn arithmetic(&mut self, text: &str) -> Result<Word> {
        word::parse(self, text, Mode::Here, Tildes::None)
    }

    fn assign(&mut self, assign: tree::Assignment, raw: &str) -> Result<Assign> {
        let (name, index) = match assign.name {
            tree::AssignmentName::VariableName(name) => (name, None),
            tree::AssignmentName::ArrayElementName(name, index) => {
                (name, Some(self.arithmetic(&index)?))
            }
        };
        let value = match assign.value {
            tree::AssignmentValue::Scalar(word) => {
                // The value is what follows `=` in the word as it stands in the source.
                let text = match raw.split_once('=') {
                    Some((_, text)) if word.value.contains("${") => text,
                    _ => &word.value,
                };
                Value::Scalar(word::parse(self, text, Mode::Plain, Tildes::Colons)?)
            }
            tree::AssignmentValue::Array(elements) => {
                self.refuse_array()?;
                let mut values = Vec::new();
                for (index, word) in elements {
                    let index = match index {
                        Some(index) => Some(self.arithmetic(&index.value)?),
                        None => None,
                    };
                    if index.is_some() {
                        values.push((index, self.word(&word)?));
                        continue;
                    }
                    let mut words = Vec::new();
                    self.words(&word.value, &mut words)?;
                    values.extend(words.into_iter().map(|word| (None, word)));
                }
                Value::Array(values)
            }
        };
        Ok(Assign {
            name,
            index,
            append: assign.append,
            value,
        })
    }

    fn redirects(&mut self, list: Option<tree::RedirectList>) -> Result<Vec<Redirect>> {
        let list = list.map_or(Vec::new(), |list| list.0);
        list.into_iter().map(|one| self.redirect(one)).collect()
    }

    fn redirect(&mut self, redirect: tree::IoRedirect) -> Result<Redirect> {
        let number = |fd: Option<tree::IoFd>| fd.and_then(|fd| u32::try_from(fd).ok());
        Ok(match redirect {
            tree::IoRedirect::File(fd, kind, target) => {
                let op = match kind {
                    tree::IoFileRedirectKind::Read => RedirectOp::Read,
                    tree::IoFileRedirectKind::Write => RedirectOp::Write,
                    tree::IoFileRedirectKind::Append => RedirectOp::Append,
                    tree::IoFileRedirectKind::ReadAndWrite => RedirectOp::Update,
                    tree::IoFileRedirectKind::Clobber => RedirectOp::Clobber,
                    tree::IoFileRedirectKind::DuplicateInput => RedirectOp::DupIn,
                    tree::IoFileRedirectKind::DuplicateOutput => RedirectOp::DupOut,
                };
                let word = match target {
                    tree::IoFileRedirectTarget::Filename(word)
                    | tree::IoFileRedirectTarget::Duplicate(word) => self.word(&word)?,
                    tree::IoFileRedirectTarget::Fd(fd) => {
                        word::parse(self, &fd.to_string(), Mode::Plain, Tildes::None)?
                    }
                    tree::IoFileRedirectTarget::ProcessSubstitution(kind, subshell) => {
                        self.process(&kind, subshell)?
                    }
                };
                Redirect {
                    fd: number(fd),
                    op,
                    word,
                }
            }
            tree::IoRedirect::HereDocument(fd, here) => {
                let text = &here.doc.value;
                let word = if here.requires_expansion {
                    word::parse(self, text, Mode::Here, Tildes::None)?
                } else {
                    Word {
                        pieces: vec![Piece::Text {
                            text: text.clone(),
                            quoted: true,
                        }],
                    }
                };
                Redirect {
                    fd: number(fd),
                    op: RedirectOp::Here,
                    word,
                }
            }
            tree::IoRedirect::HereString(fd, word) => {
                if !self.dialect.has_bash_words() {
                    return Err(SyntaxError::new("unexpected redirection"));
                }
                Redirect {
                    fd: number(fd),
                    op: RedirectOp::HereString,
                    word: self.word(&word)?,
                }
            }
            tree::IoRedirect::OutputAndError(word, append) => Redirect {
                fd: None,
                op: match append {
                    true => RedirectOp::BothAppend,
                    false => RedirectOp::Both,
                },
                word: self.word(&word)?,
            },
        })
    }

    fn compound(&mut self, compound: tree::CompoundCommand) -> Result<Kind> {
        use tree::CompoundCommand as C;
        Ok(match compound {
            C::Arithmetic(command) => Kind::Arith(self.arithmetic(&command.expr.value)?),
            C::ArithmeticForClause(clause) => {
                let text = |expr: Option<tree::UnexpandedArithmeticExpr>| {
                    expr.map_or(String::new(), |expr| expr.value)
                };
                Kind::ArithFor {
                    start: self.arithmetic(&text(clause.initializer))?,
                    condition: self.arithmetic(&text(clause.condition))?,
                    step: self.arithmetic(&text(clause.updater))?,
                    body: self.list(clause.body.list)?,
                }
            }
            C::BraceGroup(group) => Kind::Group(self.list(group.list)?),
            C::Subshell(subshell) => Kind::Subshell(Rc::new(self.list(subshell.list)?)),
            C::ForClause(clause) => {
                if !word::is_name(&clause.variable_name) {
                    return Err(SyntaxError::new("bad for loop variable"));
                }
                // `for x do` goes over the parameters, `for x in; do` over nothing; the parser
                // gives neither a list, but only the first has no separator to look for.
                let words = match clause.values {
                    None => None,
                    Some(values) => {
                        let mut words = Vec::new();
                        for word in values {
                            self.words(&word.value, &mut words)?;
                        }
                        Some(words)
                    }
                };
                Kind::For {
                    name: clause.variable_name,
                    words,
                    body: self.list(clause.body.list)?,
                }
            }
            C::CaseClause(clause) => {
                let word = self.word(&clause.value)?;
                let mut arms = Vec::new();
                for item in clause.cases {
                    let patterns = item.patterns.iter().map(|pattern| self.word(pattern));
                    arms.push(Arm {
                        patterns: patterns.collect::<Result<_>>()?,
                        body: match item.cmd {
                            Some(list) => self.list(list)?,
                            None => List::new(),
                        },
                        next: match item.post_action {
                            tree::CaseItemPostAction::ExitCase => Next::Done,
                            tree::CaseItemPostAction::UnconditionallyExecuteNextCaseItem => {
                                Next::FallThrough
                            }
                            tree::CaseItemPostAction::ContinueEvaluatingCases => Next::TestMore,
                        },
                    });
                }
                Kind::Case { word, arms }
            }
            C::IfClause(clause) => {
                let mut branches = vec![(self.list(clause.condition)?, self.list(clause.then)?)];
                let mut otherwise = None;
                for part in clause.elses.into_iter().flatten() {
                    let body = self.list(part.body)?;
                    match part.condition {
                        Some(condition) => branches.push((self.list(condition)?, body)),
                        None => otherwise = Some(body),
                    }
                }
                Kind::If {
                    branches,
                    otherwise,
                }
            }
            C::WhileClause(clause) => self.looping(clause, false)?,
            C::UntilClause(clause) => self.looping(clause, true)?,
            C::Coprocess(_) => return Err(SyntaxError::new("coprocesses are not supported")),
        })
    }

    fn looping(&mut self, clause: tree::WhileOrUntilClauseCommand, until: bool) -> Result<Kind> {
        let tree::WhileOrUntilClauseCommand(condition, body, _) = clause;
        Ok(Kind::While {
            until,
            condition: self.list(condition)?,
            body: self.list(body.list)?,
        })
    }

    fn test(&mut self, test: tree::ExtendedTestExpr) -> Result<Test> {
        use tree::ExtendedTestExpr as E;
        Ok(match test {
            E::And(a, b) => Test::And(Box::new(self.test(*a)?), Box::new(self.test(*b)?)),
            E::Or(a, b) => Test::Or(Box::new(self.test(*a)?), Box::new(self.test(*b)?)),
            E::Not(a) => Test::Not(Box::new(self.test(*a)?)),
            E::Parenthesized(a) => self.test(*a)?,
            E::UnaryTest(op, word) => Test::Unary(op.to_string(), self.word(&word)?),
            E::BinaryTest(op, a, b) => {
                // A quoted regular expression is searched for as text.
                let name = match op {
                    tree::BinaryPredicate::StringContainsSubstring => "contains".to_string(),
                    op => op.to_string(),
                };
                Test::Binary(name, self.word(&a)?, self.word(&b)?)
            }
        })
    }
}

fn plain(kind: Kind) -> Command {
    Command {
        kind,
        redirects: Vec::new(),
    }
}
