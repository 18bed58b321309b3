//! The grammar of awk.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::lex::Token;

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    Number(f64),
    Text(Rc<str>),
    Regex(Rc<str>),
    Variable(Rc<str>),
    Field(Box<Expr>),
    Index(Rc<str>, Vec<Expr>),
    Assign(Box<Expr>, Option<char>, Box<Expr>),
    /// Target, what is added, whether the new value counts.
    Step(Box<Expr>, f64, bool),
    Unary(char, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Choose(Box<Expr>, Box<Expr>, Box<Expr>),
    Match(bool, Box<Expr>, Box<Expr>),
    In(Vec<Expr>, Rc<str>),
    Call(Rc<str>, Vec<Expr>),
    Builtin(Rc<str>, Vec<Expr>),
    Getline {
        target: Option<Box<Expr>>,
        source: Source,
    },
}

/// Where `getline` reads.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Main,
    File(Box<Expr>),
    Command(Box<Expr>),
}

/// Where output goes.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub sign: &'static str,
    pub target: Expr,
}

/// A statement.
#[derive(Clone, Debug)]
pub(super) enum Stmt {
    Expr(Expr),
    Print(Vec<Expr>, Option<Output>),
    Printf(Vec<Expr>, Option<Output>),
    Block(Vec<Stmt>),
    If(Expr, Box<Stmt>, Option<Box<Stmt>>),
    While(Expr, Box<Stmt>),
    Do(Box<Stmt>, Expr),
    For(
        Option<Box<Stmt>>,
        Option<Expr>,
        Option<Box<Stmt>>,
        Box<Stmt>,
    ),
    ForIn(Rc<str>, Rc<str>, Box<Stmt>),
    Next,
    NextFile,
    Exit(Option<Expr>),
    Return(Option<Expr>),
    Break,
    Continue,
    Delete(Rc<str>, Option<Vec<Expr>>),
}

/// When a rule's action runs.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Begin,
    End,
    Always,
    When(Expr),
    Range(Expr, Expr),
}

/// A function.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub params: Vec<Rc<str>>,
    pub body: Vec<Stmt>,
}

/// A program.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    pub rules: Vec<(Pattern, Option<Vec<Stmt>>)>,
    pub functions: BTreeMap<Rc<str>, Rc<Function>>,
}

const BUILTINS: [&str; 24] = [
    "length", "substr", "index", "split", "sub", "gsub", "match", "sprintf", "sin", "cos", "atan2",
    "exp", "log", "sqrt", "int", "rand", "srand", "tolower", "toupper", "system", "close",
    "fflush", "gensub", "systime",
];

/// Nested brackets and statements.
const MAX_DEPTH: usize = 80;

type Result<T> = std::result::Result<T, String>;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// Inside `print` without brackets: `>` is a redirection.
    no_greater: bool,
    /// In the head of a `for`: `in` ends the expression.
    no_in: bool,
}

/// Reads a program.
///
/// # Errors
/// What is wrong with it.
pub(super) fn program(tokens: Vec<Token>) -> Result<Script> {
    let mut parser = Parser {
        tokens,
        at: 0,
        depth: 0,
        no_greater: false,
        no_in: false,
    };
    let mut script = Script::default();
    loop {
        parser.newlines();
        match parser.peek().clone() {
            Token::End => return Ok(script),
            Token::Word("function") => {
                parser.at += 1;
                let (name, function) = parser.function()?;
                script.functions.insert(name, Rc::new(function));
            }
            token => {
                let pattern = match token {
                    Token::Word("BEGIN") => {
                        parser.at += 1;
                        Pattern::Begin
                    }
                    Token::Word("END") => {
                        parser.at += 1;
                        Pattern::End
                    }
                    Token::Sign("{") => Pattern::Always,
                    _ => {
                        let first = parser.expr()?;
                        match parser.eat(",") {
                            true => {
                                parser.newlines();
                                Pattern::Range(first, parser.expr()?)
                            }
                            false => Pattern::When(first),
                        }
                    }
                };
                let action = match parser.peek() {
                    Token::Sign("{") => Some(parser.block()?),
                    _ => None,
                };
                script.rules.push((pattern, action));
            }
        }
    }
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).unwrap_or(&Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<()> {
        match self.eat(sign) {
            true => Ok(()),
            false => Err("Unexpected token".into()),
        }
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(found) if *found == word);
        self.at += usize::from(found);
        found
    }

    fn newlines(&mut self) {
        while matches!(self.peek(), Token::Newline | Token::Sign(";")) {
            self.at += 1;
        }
    }

    fn line_breaks(&mut self) {
        while *self.peek() == Token::Newline {
            self.at += 1;
        }
    }

    fn name(&mut self) -> Result<Rc<str>> {
        match self.next() {
            Token::Name(name, _) => Ok(name.into()),
            _ => Err("Unexpected token".into()),
        }
    }

    fn function(&mut self) -> Result<(Rc<str>, Function)> {
        let name = self.name()?;
        self.expect("(")?;
        let mut params = Vec::new();
        while !self.eat(")") {
            params.push(self.name()?);
            self.line_breaks();
            self.eat(",");
            self.line_breaks();
        }
        self.line_breaks();
        let body = self.block()?;
        Ok((name, Function { params, body }))
    }

    fn block(&mut self) -> Result<Vec<Stmt>> {
        self.expect("{")?;
        let mut body = Vec::new();
        loop {
            self.newlines();
            if self.eat("}") {
                return Ok(body);
            }
            if *self.peek() == Token::End {
                return Err("Unexpected end of string".into());
            }
            body.push(self.statement()?);
        }
    }

    fn end(&mut self) -> Result<()> {
        match self.peek() {
            Token::Newline | Token::Sign(";") => {
                self.at += 1;
                Ok(())
            }
            Token::Sign("}") | Token::End => Ok(()),
            _ => Err("Unexpected token".into()),
        }
    }

    fn nested(&mut self) -> Result<Box<Stmt>> {
        self.line_breaks();
        if self.eat(";") {
            return Ok(Box::new(Stmt::Block(Vec::new())));
        }
        Ok(Box::new(self.statement()?))
    }

    fn statement(&mut self) -> Result<Stmt> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("program nested too deeply".into());
        }
        let statement = self.statement_inner();
        self.depth -= 1;
        statement
    }

    fn statement_inner(&mut self) -> Result<Stmt> {
        let Token::Word(word) = *self.peek() else {
            if self.is("{") {
                return Ok(Stmt::Block(self.block()?));
            }
            let statement = self.simple()?;
            self.end()?;
            return Ok(statement);
        };
        match word {
            "if" => {
                self.at += 1;
                let condition = self.bracketed()?;
                let then = self.nested()?;
                let mark = self.at;
                self.newlines();
                if self.eat_word("else") {
                    return Ok(Stmt::If(condition, then, Some(self.nested()?)));
                }
                self.at = mark;
                return Ok(Stmt::If(condition, then, None));
            }
            "while" => {
                self.at += 1;
                let condition = self.bracketed()?;
                return Ok(Stmt::While(condition, self.nested()?));
            }
            "do" => {
                self.at += 1;
                let body = self.nested()?;
                self.newlines();
                if !self.eat_word("while") {
                    return Err("Unexpected token".into());
                }
                let condition = self.bracketed()?;
                self.end()?;
                return Ok(Stmt::Do(body, condition));
            }
            "for" => {
                self.at += 1;
                return self.for_loop();
            }
            _ => {}
        }
        let statement = self.simple()?;
        self.end()?;
        Ok(statement)
    }

    fn bracketed(&mut self) -> Result<Expr> {
        self.expect("(")?;
        let expr = self.expr()?;
        self.expect(")")?;
        Ok(expr)
    }

    fn for_loop(&mut self) -> Result<Stmt> {
        self.expect("(")?;
        if let [
            Token::Name(key, _),
            Token::Word("in"),
            Token::Name(array, _),
            Token::Sign(")"),
        ] = &self.tokens[self.at..(self.at + 4).min(self.tokens.len())]
        {
            let (key, array) = (key.as_str().into(), array.as_str().into());
            self.at += 4;
            return Ok(Stmt::ForIn(key, array, self.nested()?));
        }
        let start = match self.is(";") {
            true => None,
            false => Some(Box::new(self.simple()?)),
        };
        self.expect(";")?;
        self.line_breaks();
        let condition = match self.is(";") {
            true => None,
            false => Some(self.expr()?),
        };
        self.expect(";")?;
        self.line_breaks();
        let step = match self.is(")") {
            true => None,
            false => Some(Box::new(self.simple()?)),
        };
        self.expect(")")?;
        Ok(Stmt::For(start, condition, step, self.nested()?))
    }

    /// Whether the statement ends here.
    fn ended(&self) -> bool {
        matches!(
            self.peek(),
            Token::Newline | Token::Sign(";" | "}" | ")") | Token::End
        )
    }

    fn simple(&mut self) -> Result<Stmt> {
        let Token::Word(word) = *self.peek() else {
            return Ok(Stmt::Expr(self.expr()?));
        };
        if word == "getline" {
            return Ok(Stmt::Expr(self.expr()?));
        }
        self.at += 1;
        Ok(match word {
            "print" | "printf" => {
                let values = self.printed()?;
                let mut output = None;
                for sign in [">>", ">", "|"] {
                    if self.eat(sign) {
                        let target = self.concatenation(true)?;
                        output = Some(Output { sign, target });
                        break;
                    }
                }
                match word {
                    "print" => Stmt::Print(values, output),
                    _ => Stmt::Printf(values, output),
                }
            }
            "next" => Stmt::Next,
            "nextfile" => Stmt::NextFile,
            "break" => Stmt::Break,
            "continue" => Stmt::Continue,
            "exit" if self.ended() => Stmt::Exit(None),
            "exit" => Stmt::Exit(Some(self.expr()?)),
            "return" if self.ended() => Stmt::Return(None),
            "return" => Stmt::Return(Some(self.expr()?)),
            "delete" => {
                let array = self.name()?;
                let index = match self.eat("[") {
                    true => Some(self.list("]")?),
                    false => None,
                };
                Stmt::Delete(array, index)
            }
            _ => return Err("Unexpected token".into()),
        })
    }

    /// What is printed, in brackets or without.
    fn printed(&mut self) -> Result<Vec<Expr>> {
        if self.ended() || self.is(">") || self.is("|") || self.is(">>") {
            return Ok(Vec::new());
        }
        if self.is("(") {
            // Brackets around the whole list, unless something goes on behind them.
            let mark = self.at;
            self.at += 1;
            let list = self.list(")");
            let whole = self.ended() || self.is(">") || self.is("|") || self.is(">>");
            if let (Ok(list), true) = (list, whole) {
                return Ok(list);
            }
            self.at = mark;
        }
        let outer = std::mem::replace(&mut self.no_greater, true);
        let mut values = vec![self.expr()?];
        while self.eat(",") {
            self.line_breaks();
            values.push(self.expr()?);
        }
        self.no_greater = outer;
        Ok(values)
    }

    /// Expressions up to a closing bracket, which is taken.
    fn list(&mut self, close: &str) -> Result<Vec<Expr>> {
        let outer = (
            std::mem::replace(&mut self.no_greater, false),
            std::mem::replace(&mut self.no_in, false),
        );
        let mut values = Vec::new();
        self.line_breaks();
        while !self.eat(close) {
            values.push(self.expr()?);
            self.line_breaks();
            if !self.eat(",") && !self.is(close) {
                return Err("Unexpected token".into());
            }
            self.line_breaks();
        }
        (self.no_greater, self.no_in) = outer;
        Ok(values)
    }

    fn expr(&mut self) -> Result<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("program nested too deeply".into());
        }
        let expr = self.assignment();
        self.depth -= 1;
        expr
    }

    fn assignment(&mut self) -> Result<Expr> {
        let left = self.choice()?;
        let Token::Sign(sign) = *self.peek() else {
            return Ok(left);
        };
        let operator = match sign {
            "=" => None,
            "+=" | "-=" | "*=" | "/=" | "%=" | "^=" => sign.chars().next(),
            _ => return Ok(left),
        };
        if !is_target(&left) {
            return Ok(left);
        }
        self.at += 1;
        self.line_breaks();
        let right = self.expr()?;
        Ok(Expr::Assign(Box::new(left), operator, Box::new(right)))
    }

    fn choice(&mut self) -> Result<Expr> {
        let condition = self.or()?;
        if !self.eat("?") {
            return Ok(condition);
        }
        self.line_breaks();
        let yes = self.expr()?;
        self.line_breaks();
        self.expect(":")?;
        self.line_breaks();
        let no = self.expr()?;
        Ok(Expr::Choose(
            Box::new(condition),
            Box::new(yes),
            Box::new(no),
        ))
    }

    fn or(&mut self) -> Result<Expr> {
        let mut left = self.and()?;
        while self.eat("||") {
            self.line_breaks();
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr> {
        let mut left = self.membership()?;
        while self.eat("&&") {
            self.line_breaks();
            left = Expr::And(Box::new(left), Box::new(self.membership()?));
        }
        Ok(left)
    }

    fn membership(&mut self) -> Result<Expr> {
        let mut left = self.matching()?;
        while !self.no_in && self.eat_word("in") {
            left = Expr::In(vec![left], self.name()?);
        }
        Ok(left)
    }

    fn matching(&mut self) -> Result<Expr> {
        let mut left = self.comparison()?;
        loop {
            let negated = match self.peek() {
                Token::Sign("~") => false,
                Token::Sign("!~") => true,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Expr::Match(negated, Box::new(left), Box::new(self.comparison()?));
        }
    }

    fn comparison(&mut self) -> Result<Expr> {
        let mut left = self.concatenation(false)?;
        loop {
            match *self.peek() {
                Token::Sign(sign @ ("<" | "<=" | "==" | "!=" | ">=")) => {
                    self.at += 1;
                    left = Expr::Binary(sign, Box::new(left), Box::new(self.concatenation(false)?));
                }
                Token::Sign(">") if !self.no_greater => {
                    self.at += 1;
                    left = Expr::Binary(">", Box::new(left), Box::new(self.concatenation(false)?));
                }
                Token::Sign("|")
                    if matches!(self.tokens.get(self.at + 1), Some(Token::Word("getline"))) =>
                {
                    self.at += 2;
                    let target = self.getline_target()?;
                    left = Expr::Getline {
                        target,
                        source: Source::Command(Box::new(left)),
                    };
                }
                _ => return Ok(left),
            }
        }
    }

    fn concatenation(&mut self, no_in: bool) -> Result<Expr> {
        let mut left = self.sum()?;
        loop {
            let starts = match self.peek() {
                Token::Number(_) | Token::Text(_) | Token::Name(..) | Token::Regex(_) => true,
                Token::Sign(sign) => matches!(*sign, "$" | "!" | "(" | "-" | "+" | "++" | "--"),
                _ => false,
            };
            // `a -1` is a difference, which the sum has taken already.
            if !starts || (no_in && self.is("in")) {
                return Ok(left);
            }
            left = Expr::Binary("", Box::new(left), Box::new(self.sum()?));
        }
    }

    fn sum(&mut self) -> Result<Expr> {
        let mut left = self.product()?;
        while let Token::Sign(sign @ ("+" | "-")) = *self.peek() {
            self.at += 1;
            left = Expr::Binary(sign, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Expr> {
        let mut left = self.unary()?;
        while let Token::Sign(sign @ ("*" | "/" | "%")) = *self.peek() {
            self.at += 1;
            left = Expr::Binary(sign, Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr> {
        let Token::Sign(sign @ ("!" | "-" | "+")) = *self.peek() else {
            return self.power();
        };
        self.at += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("program nested too deeply".into());
        }
        let operand = self.unary()?;
        self.depth -= 1;
        Ok(Expr::Unary(
            sign.chars().next().unwrap_or('!'),
            Box::new(operand),
        ))
    }

    fn power(&mut self) -> Result<Expr> {
        let left = self.postfix()?;
        if self.eat("^") {
            let right = match self.is("-") {
                true => self.unary()?,
                false => self.power()?,
            };
            return Ok(Expr::Binary("^", Box::new(left), Box::new(right)));
        }
        Ok(left)
    }

    fn postfix(&mut self) -> Result<Expr> {
        let left = self.primary()?;
        if is_target(&left) {
            for (sign, step) in [("++", 1.0), ("--", -1.0)] {
                if self.eat(sign) {
                    return Ok(Expr::Step(Box::new(left), step, false));
                }
            }
        }
        Ok(left)
    }

    fn getline_target(&mut self) -> Result<Option<Box<Expr>>> {
        Ok(match self.peek() {
            Token::Name(..) | Token::Sign("$") => Some(Box::new(self.primary()?)),
            _ => None,
        })
    }

    fn primary(&mut self) -> Result<Expr> {
        Ok(match self.next() {
            Token::Number(value) => Expr::Number(value),
            Token::Text(text) => Expr::Text(text.into()),
            Token::Regex(text) => Expr::Regex(text.into()),
            Token::Sign("$") => {
                let index = match self.peek() {
                    Token::Sign("++" | "--" | "-") => self.unary_step()?,
                    _ => self.primary()?,
                };
                Expr::Field(Box::new(index))
            }
            Token::Sign(sign @ ("++" | "--")) => {
                let target = self.primary()?;
                let step = if sign == "++" { 1.0 } else { -1.0 };
                Expr::Step(Box::new(target), step, true)
            }
            Token::Sign("(") => {
                let mut list = self.list(")")?;
                if self.eat_word("in") {
                    return Ok(Expr::In(list, self.name()?));
                }
                match (list.pop(), list.is_empty()) {
                    // A bracket of its own, so that `(a) = 1` is no assignment to `a`.
                    (Some(inner), true) => match is_target(&inner) {
                        true => Expr::Binary("()", Box::new(inner), Box::new(Expr::Number(0.0))),
                        false => inner,
                    },
                    _ => return Err("Unexpected token".into()),
                }
            }
            Token::Word("getline") => {
                let target = self.getline_target()?;
                let source = match self.eat("<") {
                    true => Source::File(Box::new(self.sum()?)),
                    false => Source::Main,
                };
                Expr::Getline { target, source }
            }
            Token::Name(name, called) => {
                let builtin = BUILTINS.contains(&name.as_str());
                let name: Rc<str> = name.into();
                if builtin {
                    let args = match self.eat("(") {
                        true => self.list(")")?,
                        false => Vec::new(),
                    };
                    Expr::Builtin(name, args)
                } else if called {
                    self.expect("(")?;
                    Expr::Call(name, self.list(")")?)
                } else if self.eat("[") {
                    Expr::Index(name, self.list("]")?)
                } else {
                    Expr::Variable(name)
                }
            }
            _ => return Err("Unexpected token".into()),
        })
    }

    fn unary_step(&mut self) -> Result<Expr> {
        if self.eat("-") {
            return Ok(Expr::Unary('-', Box::new(self.primary()?)));
        }
        self.primary()
    }
}

fn is_target(expr: &Expr) -> bool {
    matches!(expr, Expr::Variable(_) | Expr::Field(_) | Expr::Index(..))
}
