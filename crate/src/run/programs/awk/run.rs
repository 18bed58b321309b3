//! How an awk program runs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::super::io::Access;
use super::super::super::{Call, Exit, Fd, Open, Stop};
use super::super::input;
use super::super::regex::{Regex, Syntax};
use super::parse::{Expr, Function, Output, Pattern, Script, Source, Stmt};
use super::value::Value;

/// Nested calls of the program's own functions.
const MAX_CALLS: usize = 60;
/// The highest field number.
const MAX_FIELDS: usize = 100_000;

type Array = Rc<RefCell<BTreeMap<Rc<str>, (usize, Value)>>>;

#[derive(Clone, Debug)]
enum Cell {
    Scalar(Value),
    Array(Array),
}

/// What leaves the statement that runs.
enum Flow {
    Next,
    NextFile,
    Exit,
    Return(Value),
    Break,
    Continue,
    Error(String),
    Stop(Stop),
}

impl From<Stop> for Flow {
    fn from(stop: Stop) -> Flow {
        Flow::Stop(stop)
    }
}

type Result<T> = std::result::Result<T, Flow>;

/// Something that records are read from.
#[derive(Default)]
struct Reader {
    fd: Option<Fd>,
    /// What was read of it where records are not lines.
    rest: Option<Vec<u8>>,
}

enum Stream {
    File(Fd),
    /// What a command is to read, once all of it is there.
    Command(Vec<u8>),
}

struct Machine<'c, 'a, 'k> {
    call: &'c mut Call<'a, 'k>,
    functions: BTreeMap<Rc<str>, Rc<Function>>,
    globals: BTreeMap<Rc<str>, Cell>,
    frames: Vec<BTreeMap<Rc<str>, Cell>>,
    record: Rc<str>,
    fields: Vec<Value>,
    /// Whether the record is to be made from its fields.
    stale: bool,
    args: std::vec::IntoIter<String>,
    named_file: bool,
    main: Reader,
    readers: BTreeMap<String, Reader>,
    streams: BTreeMap<String, Stream>,
    regexes: BTreeMap<Rc<str>, Regex>,
    out: Vec<u8>,
    made: usize,
    seed: u64,
    code: i32,
}

/// Runs a program.
///
/// # Errors
/// Only what ends the program.
pub(super) fn run(
    call: &mut Call<'_, '_>,
    script: Script,
    separator: Option<String>,
    assigned: Vec<(String, String)>,
    args: Vec<String>,
) -> Exit {
    let mut machine = Machine {
        call,
        functions: script.functions,
        globals: BTreeMap::new(),
        frames: Vec::new(),
        record: "".into(),
        fields: Vec::new(),
        stale: false,
        args: args.clone().into_iter(),
        named_file: false,
        main: Reader::default(),
        readers: BTreeMap::new(),
        streams: BTreeMap::new(),
        regexes: BTreeMap::new(),
        out: Vec::new(),
        made: 0,
        seed: 1,
        code: 0,
    };
    for (name, value) in [
        ("FS", " "),
        ("OFS", " "),
        ("ORS", "\n"),
        ("RS", "\n"),
        ("SUBSEP", "\x1c"),
        ("CONVFMT", "%.6g"),
        ("OFMT", "%.6g"),
        ("FILENAME", ""),
    ] {
        machine.set_global(name, Value::text(value));
    }
    for name in ["NR", "NF", "FNR", "RSTART"] {
        machine.set_global(name, Value::Number(0.0));
    }
    machine.set_global("RLENGTH", Value::Number(-1.0));
    let argv = std::iter::once("awk".to_string()).chain(args.iter().cloned());
    machine.set_global("ARGC", Value::Number((args.len() + 1) as f64));
    for (at, arg) in argv.enumerate() {
        machine.put(&"ARGV".into(), at.to_string().into(), Value::input(arg));
    }
    let env: Vec<(String, String)> = machine
        .call
        .proc
        .env
        .iter()
        .map(|(n, v)| (n.into(), v.into()))
        .collect();
    for (name, value) in env {
        machine.put(&"ENVIRON".into(), name.into(), Value::input(value));
    }
    if let Some(separator) = separator {
        let separator = if separator == "t" {
            "\t".into()
        } else {
            unescape(&separator)
        };
        machine.set_global("FS", Value::text(separator));
    }
    for (name, value) in assigned {
        machine.set_global(&name, Value::input(unescape(&value)));
    }
    let ended = machine.program(&script.rules);
    let closed = machine.close_all();
    for flow in [ended, closed] {
        match flow {
            Ok(()) | Err(Flow::Exit) => {}
            Err(Flow::Stop(stop)) => return Err(stop),
            Err(Flow::Error(message)) => {
                return machine.call.fail(1, format_args!("cmd. line:1: {message}"));
            }
            Err(_) => return machine.call.fail(1, "cmd. line:1: Unexpected token"),
        }
    }
    Ok(machine.code)
}

/// A value from the command line: its escapes count.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                Some('\\') => out.push('\\'),
                Some('"') => out.push('"'),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    out
}

impl Machine<'_, '_, '_> {
    fn program(&mut self, rules: &[(Pattern, Option<Vec<Stmt>>)]) -> Result<()> {
        let result = self.begin_and_main(rules);
        match result {
            Ok(()) | Err(Flow::Exit) => {}
            other => return other,
        }
        // An `exit` runs what is to run at the end, too.
        for (pattern, action) in rules {
            if let (Pattern::End, Some(action)) = (pattern, action) {
                self.block(action)?;
            }
        }
        Ok(())
    }

    fn begin_and_main(&mut self, rules: &[(Pattern, Option<Vec<Stmt>>)]) -> Result<()> {
        for (pattern, action) in rules {
            if let (Pattern::Begin, Some(action)) = (pattern, action) {
                self.block(action)?;
            }
        }
        if rules
            .iter()
            .all(|(pattern, _)| matches!(pattern, Pattern::Begin))
        {
            return Ok(());
        }
        let mut ranges = vec![false; rules.len()];
        while self.next_record()? {
            for (at, (pattern, action)) in rules.iter().enumerate() {
                let runs = match pattern {
                    Pattern::Begin | Pattern::End => false,
                    Pattern::Always => true,
                    Pattern::When(expr) => self.condition(expr)?,
                    Pattern::Range(from, to) => {
                        let on = ranges[at] || self.condition(from)?;
                        ranges[at] = on && !self.condition(to)?;
                        on
                    }
                };
                if !runs {
                    continue;
                }
                let done = match action {
                    Some(action) => self.block(action),
                    None => {
                        let record = self.whole();
                        let end = self.text("ORS");
                        self.write(None, &format!("{record}{end}"))
                    }
                };
                match done {
                    Err(Flow::Next) => break,
                    Err(Flow::NextFile) => {
                        self.main = Reader::default();
                        break;
                    }
                    other => other?,
                }
            }
        }
        Ok(())
    }

    // Variables.

    fn cell(&mut self, name: &Rc<str>) -> &mut Cell {
        let local = self
            .frames
            .last()
            .is_some_and(|frame| frame.contains_key(name));
        let cells = match (local, self.frames.last_mut()) {
            (true, Some(frame)) => frame,
            _ => &mut self.globals,
        };
        cells
            .entry(name.clone())
            .or_insert(Cell::Scalar(Value::Unset))
    }

    fn set_global(&mut self, name: &str, value: Value) {
        self.globals.insert(name.into(), Cell::Scalar(value));
    }

    fn get_global(&self, name: &str) -> Value {
        match self.globals.get(name) {
            Some(Cell::Scalar(value)) => value.clone(),
            _ => Value::Unset,
        }
    }

    fn text(&self, name: &str) -> Rc<str> {
        self.get_global(name).string("%.6g")
    }

    fn array(&mut self, name: &Rc<str>) -> Array {
        let cell = self.cell(name);
        if let Cell::Array(array) = cell {
            return array.clone();
        }
        let array = Array::default();
        *cell = Cell::Array(array.clone());
        array
    }

    fn put(&mut self, array: &Rc<str>, key: Rc<str>, value: Value) {
        self.made += 1;
        let made = self.made;
        let array = self.array(array);
        array
            .borrow_mut()
            .entry(key)
            .or_insert((made, Value::Unset))
            .1 = value;
    }

    fn string(&self, value: &Value) -> Rc<str> {
        value.string(&self.text("CONVFMT"))
    }

    // Records and fields.

    fn whole(&mut self) -> Rc<str> {
        if std::mem::take(&mut self.stale) {
            let between = self.text("OFS");
            let fields: Vec<Rc<str>> = self.fields.iter().map(|field| self.string(field)).collect();
            let fields: Vec<&str> = fields.iter().map(|field| &**field).collect();
            self.record = fields.join(&between).into();
        }
        self.record.clone()
    }

    fn set_record(&mut self, text: Rc<str>) -> Result<()> {
        let separator = self.text("FS");
        let paragraphs = self.text("RS").is_empty();
        let parts = self.split(&text, &separator, paragraphs)?;
        self.fields = parts.into_iter().map(Value::input).collect();
        self.record = text;
        self.stale = false;
        self.set_global("NF", Value::Number(self.fields.len() as f64));
        Ok(())
    }

    fn split(&mut self, text: &str, separator: &str, paragraphs: bool) -> Result<Vec<String>> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut one = separator.chars();
        Ok(match (one.next(), one.next()) {
            (Some(' '), None) => {
                let blanks = |c| matches!(c, ' ' | '\t' | '\n');
                text.split(blanks)
                    .filter(|part| !part.is_empty())
                    .map(String::from)
                    .collect()
            }
            (None, _) => text.chars().map(String::from).collect(),
            (Some(c), None) if c != '\\' => {
                let cut = |other| other == c || (paragraphs && other == '\n');
                text.split(cut).map(String::from).collect()
            }
            _ => {
                let regex = self.regex(separator.into())?;
                let (mut found, mut start, mut from) = (Vec::new(), 0, 0);
                while let Some((left, right)) = regex.find(text, from).and_then(|groups| groups[0])
                {
                    if right == left {
                        let Some(c) = text[right..].chars().next() else {
                            break;
                        };
                        from = right + c.len_utf8();
                        continue;
                    }
                    found.push(text[start..left].to_string());
                    (start, from) = (right, right);
                }
                found.push(text[start..].to_string());
                found
            }
        })
    }

    fn field(&mut self, index: f64) -> Result<Value> {
        match index as i64 {
            0 => Ok(Value::Input(self.whole())),
            index if index < 0 => Err(Flow::Error("Access to negative field".into())),
            index => Ok(self
                .fields
                .get(index as usize - 1)
                .cloned()
                .unwrap_or(Value::Unset)),
        }
    }

    fn resize(&mut self, count: usize) -> Result<()> {
        if count > MAX_FIELDS {
            return Err(Flow::Error("too many fields".into()));
        }
        self.fields.resize(count, Value::text(""));
        self.stale = true;
        self.set_global("NF", Value::Number(count as f64));
        Ok(())
    }

    fn set_field(&mut self, index: f64, value: Value) -> Result<()> {
        match index as i64 {
            0 => {
                let text = self.string(&value);
                self.set_record(text)
            }
            index if index < 0 => Err(Flow::Error("Access to negative field".into())),
            index => {
                let at = index as usize;
                if at > self.fields.len() {
                    self.resize(at)?;
                }
                self.fields[at - 1] = value;
                self.stale = true;
                Ok(())
            }
        }
    }

    fn next_record(&mut self) -> Result<bool> {
        let Some(record) = self.read_main()? else {
            return Ok(false);
        };
        self.set_record(record.into())?;
        Ok(true)
    }

    /// The next record of the operands, or of standard input.
    fn read_main(&mut self) -> Result<Option<String>> {
        self.call.kernel.round()?;
        loop {
            if self.main.fd.is_none() && self.main.rest.is_none() && !self.next_file()? {
                return Ok(None);
            }
            let mut reader = std::mem::take(&mut self.main);
            let record = self.read(&mut reader)?;
            if let Some(record) = record {
                self.main = reader;
                for name in ["NR", "FNR"] {
                    let count = self.get_global(name).number() + 1.0;
                    self.set_global(name, Value::Number(count));
                }
                return Ok(Some(record));
            }
        }
    }

    fn next_file(&mut self) -> Result<bool> {
        loop {
            let path = match self.args.next() {
                Some(arg) => match arg.split_once('=') {
                    Some((name, value)) if is_name(name) => {
                        self.set_global(name, Value::input(unescape(value)));
                        continue;
                    }
                    _ => arg,
                },
                None if self.named_file => return Ok(false),
                None => "-".to_string(),
            };
            self.named_file = true;
            if path.is_empty() {
                continue;
            }
            let fd = input::open(self.call, &path)?;
            let Some(fd) = fd else {
                self.code = 1;
                return Err(Flow::Exit);
            };
            let shown = if path == "-" { "" } else { &path };
            self.set_global("FILENAME", Value::text(shown));
            self.set_global("FNR", Value::Number(0.0));
            self.main.fd = Some(fd);
            return Ok(true);
        }
    }

    fn read(&mut self, reader: &mut Reader) -> Result<Option<String>> {
        let separator = self.text("RS");
        if &*separator == "\n" && reader.rest.is_none() {
            let Some(fd) = &reader.fd else {
                return Ok(None);
            };
            let mut line = self.call.kernel.read_line(fd)?;
            if line.is_empty() {
                reader.fd = None;
                return Ok(None);
            }
            if line.ends_with(b"\n") {
                line.pop();
            }
            return Ok(Some(input::decode(&line)));
        }
        if let Some(fd) = reader.fd.take() {
            reader.rest = Some(self.call.kernel.read_all(&fd)?);
        }
        let Some(rest) = reader.rest.take() else {
            return Ok(None);
        };
        let mut text = input::decode(&rest);
        if separator.is_empty() {
            text = text.trim_start_matches('\n').to_string();
        }
        if text.is_empty() {
            return Ok(None);
        }
        let end = match separator.chars().count() {
            0 => text.find("\n\n").map(|at| {
                let blank = text[at..].len() - text[at..].trim_start_matches('\n').len();
                (at, at + blank)
            }),
            1 => text.find(&*separator).map(|at| (at, at + separator.len())),
            _ => {
                let regex = self.regex(separator.clone())?;
                regex
                    .find(&text, 0)
                    .and_then(|groups| groups[0])
                    .filter(|(from, to)| to > from)
            }
        };
        let Some((from, to)) = end else {
            let last = text.strip_suffix('\n').unwrap_or(&text);
            return Ok(Some(last.to_string()));
        };
        reader.rest = Some(input::encode(&text[to..])).filter(|rest| !rest.is_empty());
        Ok(Some(text[..from].to_string()))
    }

    fn regex(&mut self, pattern: Rc<str>) -> Result<Regex> {
        if let Some(regex) = self.regexes.get(&pattern) {
            return Ok(regex.clone());
        }
        let text = pattern
            .replace("\\n", "\n")
            .replace("\\t", "\t")
            .replace("\\\"", "\"");
        let regex = Regex::new(&text, Syntax::Extended, false)
            .map_err(|message| Flow::Error(format!("bad regex '{pattern}': {message}")))?;
        self.regexes.insert(pattern, regex.clone());
        Ok(regex)
    }

    // Output.

    fn write(&mut self, output: Option<&Output>, text: &str) -> Result<()> {
        let bytes = input::encode(text);
        let Some(output) = output else {
            self.out.extend(bytes);
            if self.out.len() > 64 << 10 {
                self.flush()?;
            }
            return Ok(());
        };
        let target = self.eval(&output.target)?;
        let target = self.string(&target).to_string();
        if !self.streams.contains_key(&target) {
            let stream = if output.sign == "|" {
                Stream::Command(Vec::new())
            } else {
                self.flush()?;
                let access = if output.sign == ">" {
                    Access::WRITE
                } else {
                    Access::APPEND
                };
                match self.call.open(&target, access) {
                    Ok(fd) => Stream::File(fd),
                    Err(errno) => {
                        self.call.complain(format_args!("{target}: {errno}"))?;
                        return Err(Flow::Stop(Stop::Exit(1)));
                    }
                }
            };
            self.streams.insert(target.clone(), stream);
        }
        match self.streams.get_mut(&target) {
            Some(Stream::Command(held)) => held.extend(bytes),
            Some(Stream::File(fd)) => {
                let fd = fd.clone();
                let _ = input::write(self.call, &fd, &bytes)?;
            }
            None => {}
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let out = std::mem::take(&mut self.out);
        Ok(self.call.out(out)?)
    }

    fn shell(
        &mut self,
        command: &str,
        change: impl FnOnce(&mut super::super::super::Proc),
    ) -> Result<i32> {
        self.flush()?;
        let args = ["/bin/sh", "-c", command].map(String::from);
        let ended = self.call.run_with(&args, change)?;
        Ok(ended.unwrap_or(127))
    }

    fn close(&mut self, name: &str) -> Result<i32> {
        if self.readers.remove(name).is_some() {
            return Ok(0);
        }
        match self.streams.remove(name) {
            Some(Stream::Command(bytes)) => {
                let held = Open::holding(bytes).fd();
                self.shell(name, |proc| {
                    proc.fds.set(0, Some(held));
                })
            }
            Some(Stream::File(_)) => Ok(0),
            None => Ok(-1),
        }
    }

    fn close_all(&mut self) -> Result<()> {
        self.flush()?;
        let names: Vec<String> = self.streams.keys().cloned().collect();
        for name in names {
            self.close(&name)?;
        }
        Ok(())
    }

    // Statements.

    fn block(&mut self, body: &[Stmt]) -> Result<()> {
        body.iter()
            .try_for_each(|statement| self.statement(statement))
    }

    /// Runs the body of a loop; false where the loop ends.
    fn body(&mut self, body: &Stmt) -> Result<bool> {
        self.call.kernel.round()?;
        match self.statement(body) {
            Ok(()) | Err(Flow::Continue) => Ok(true),
            Err(Flow::Break) => Ok(false),
            Err(other) => Err(other),
        }
    }

    fn statement(&mut self, statement: &Stmt) -> Result<()> {
        match statement {
            Stmt::Expr(expr) => {
                self.eval(expr)?;
            }
            Stmt::Print(values, output) => {
                let mut parts = Vec::new();
                let format = self.text("OFMT");
                for value in values {
                    parts.push(self.eval(value)?.string(&format).to_string());
                }
                let line = match parts.is_empty() {
                    true => self.whole().to_string(),
                    false => parts.join(&self.text("OFS")),
                };
                let end = self.text("ORS");
                self.write(output.as_ref(), &format!("{line}{end}"))?;
            }
            Stmt::Printf(values, output) => {
                let text = self.formatted(values)?;
                self.write(output.as_ref(), &text)?;
            }
            Stmt::Block(body) => self.block(body)?,
            Stmt::If(condition, then, other) => {
                if self.condition(condition)? {
                    self.statement(then)?;
                } else if let Some(other) = other {
                    self.statement(other)?;
                }
            }
            Stmt::While(condition, body) => while self.condition(condition)? && self.body(body)? {},
            Stmt::Do(body, condition) => while self.body(body)? && self.condition(condition)? {},
            Stmt::For(start, condition, step, body) => {
                if let Some(start) = start {
                    self.statement(start)?;
                }
                loop {
                    let goes_on = match condition {
                        Some(condition) => self.condition(condition)?,
                        None => true,
                    };
                    if !goes_on || !self.body(body)? {
                        break;
                    }
                    if let Some(step) = step {
                        self.statement(step)?;
                    }
                }
            }
            Stmt::ForIn(key, array, body) => {
                for found in keys(&self.array(array)) {
                    *self.cell(key) = Cell::Scalar(Value::Input(found));
                    if !self.body(body)? {
                        break;
                    }
                }
            }
            Stmt::Next => return Err(Flow::Next),
            Stmt::NextFile => return Err(Flow::NextFile),
            Stmt::Break => return Err(Flow::Break),
            Stmt::Continue => return Err(Flow::Continue),
            Stmt::Exit(code) => {
                if let Some(code) = code {
                    self.code = (self.eval(code)?.number() as i64 & 0xff) as i32;
                }
                return Err(Flow::Exit);
            }
            Stmt::Return(value) => {
                let value = match value {
                    Some(value) => self.eval(value)?,
                    None => Value::Unset,
                };
                return Err(Flow::Return(value));
            }
            Stmt::Delete(array, None) => self.array(array).borrow_mut().clear(),
            Stmt::Delete(array, Some(index)) => {
                let key = self.key(index)?;
                self.array(array).borrow_mut().remove(&key);
            }
        }
        Ok(())
    }

    // Expressions.

    fn condition(&mut self, expr: &Expr) -> Result<bool> {
        Ok(self.eval(expr)?.is_true())
    }

    fn key(&mut self, index: &[Expr]) -> Result<Rc<str>> {
        let mut parts = Vec::new();
        for expr in index {
            let value = self.eval(expr)?;
            parts.push(self.string(&value).to_string());
        }
        Ok(parts.join(&self.text("SUBSEP")).into())
    }

    fn assign(&mut self, target: &Expr, value: Value) -> Result<()> {
        match target {
            Expr::Variable(name) => {
                if matches!(self.cell(name), Cell::Array(_)) {
                    return Err(Flow::Error("Not a scalar".into()));
                }
                *self.cell(name) = Cell::Scalar(value.clone());
                if &**name == "NF" {
                    let count = value.number().max(0.0) as usize;
                    self.resize(count)?;
                }
                Ok(())
            }
            Expr::Field(index) => {
                let index = self.eval(index)?.number();
                self.set_field(index, value)
            }
            Expr::Index(array, index) => {
                let key = self.key(index)?;
                self.put(array, key, value);
                Ok(())
            }
            _ => Err(Flow::Error("Unexpected token".into())),
        }
    }

    fn eval(&mut self, expr: &Expr) -> Result<Value> {
        Ok(match expr {
            Expr::Number(value) => Value::Number(*value),
            Expr::Text(text) => Value::Text(text.clone()),
            Expr::Regex(pattern) => {
                let regex = self.regex(pattern.clone())?;
                let record = self.whole();
                Value::bool(regex.is_match(&record))
            }
            Expr::Variable(name) => match self.cell(name) {
                Cell::Scalar(value) => value.clone(),
                Cell::Array(_) => return Err(Flow::Error("Not a scalar".into())),
            },
            Expr::Field(index) => {
                let index = self.eval(index)?.number();
                self.field(index)?
            }
            Expr::Index(array, index) => {
                let key = self.key(index)?;
                self.made += 1;
                let made = self.made;
                let array = self.array(array);
                let mut array = array.borrow_mut();
                array.entry(key).or_insert((made, Value::Unset)).1.clone()
            }
            Expr::Assign(target, operator, value) => {
                let right = self.eval(value)?;
                let value = match operator {
                    None => right,
                    Some(operator) => {
                        let left = self.eval(target)?.number();
                        Value::Number(arithmetic(*operator, left, right.number())?)
                    }
                };
                self.assign(target, value.clone())?;
                value
            }
            Expr::Step(target, step, counts) => {
                let old = self.eval(target)?.number();
                self.assign(target, Value::Number(old + step))?;
                Value::Number(if *counts { old + step } else { old })
            }
            Expr::Unary('!', operand) => Value::bool(!self.condition(operand)?),
            Expr::Unary(sign, operand) => {
                let value = self.eval(operand)?.number();
                Value::Number(if *sign == '-' { -value } else { value })
            }
            Expr::And(left, right) => Value::bool(self.condition(left)? && self.condition(right)?),
            Expr::Or(left, right) => Value::bool(self.condition(left)? || self.condition(right)?),
            Expr::Choose(condition, yes, no) => match self.condition(condition)? {
                true => self.eval(yes)?,
                false => self.eval(no)?,
            },
            Expr::Match(negated, left, right) => {
                let text = self.eval(left)?;
                let text = self.string(&text);
                let regex = self.pattern(right)?;
                Value::bool(regex.is_match(&text) != *negated)
            }
            Expr::In(index, array) => {
                let key = self.key(index)?;
                Value::bool(self.array(array).borrow().contains_key(&key))
            }
            Expr::Binary("()", inner, _) => self.eval(inner)?,
            Expr::Binary(operator, left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                match *operator {
                    "" => {
                        let text = format!("{}{}", self.string(&left), self.string(&right));
                        Value::text(text)
                    }
                    "<" | "<=" | "==" | "!=" | ">" | ">=" => {
                        let order = match (left.comparable(), right.comparable()) {
                            (Some(a), Some(b)) => a.partial_cmp(&b),
                            _ => Some(self.string(&left).cmp(&self.string(&right))),
                        };
                        let order = order.unwrap_or(std::cmp::Ordering::Greater);
                        Value::bool(match *operator {
                            "<" => order.is_lt(),
                            "<=" => order.is_le(),
                            "==" => order.is_eq(),
                            "!=" => order.is_ne(),
                            ">" => order.is_gt(),
                            _ => order.is_ge(),
                        })
                    }
                    other => {
                        let operator = other.chars().next().unwrap_or('+');
                        Value::Number(arithmetic(operator, left.number(), right.number())?)
                    }
                }
            }
            Expr::Call(name, args) => self.call_function(name, args)?,
            Expr::Builtin(name, args) => self.builtin(name, args)?,
            Expr::Getline { target, source } => self.getline(target.as_deref(), source)?,
        })
    }

    /// An expression as a regular expression: written as one, or as text.
    fn pattern(&mut self, expr: &Expr) -> Result<Regex> {
        if let Expr::Regex(pattern) = expr {
            return self.regex(pattern.clone());
        }
        let value = self.eval(expr)?;
        let text = self.string(&value);
        self.regex(text)
    }

    fn call_function(&mut self, name: &Rc<str>, args: &[Expr]) -> Result<Value> {
        let Some(function) = self.functions.get(name).cloned() else {
            return Err(Flow::Error("Call to undefined function".into()));
        };
        if self.frames.len() >= MAX_CALLS {
            return Err(Flow::Error("calls nested too deeply".into()));
        }
        self.call.kernel.round()?;
        let mut frame = BTreeMap::new();
        let mut untyped = Vec::new();
        for (at, param) in function.params.iter().enumerate() {
            let cell = match args.get(at) {
                None => Cell::Scalar(Value::Unset),
                Some(Expr::Variable(name)) => {
                    let cell = self.cell(name).clone();
                    if matches!(cell, Cell::Scalar(Value::Unset)) {
                        untyped.push((param.clone(), name.clone()));
                    }
                    cell
                }
                Some(arg) => Cell::Scalar(self.eval(arg)?),
            };
            frame.insert(param.clone(), cell);
        }
        self.frames.push(frame);
        let result = self.block(&function.body);
        let frame = self.frames.pop().unwrap_or_default();
        // What became an array in the function is one outside.
        for (param, name) in untyped {
            if let Some(Cell::Array(array)) = frame.get(&param) {
                *self.cell(&name) = Cell::Array(array.clone());
            }
        }
        match result {
            Ok(()) => Ok(Value::Unset),
            Err(Flow::Return(value)) => Ok(value),
            Err(other) => Err(other),
        }
    }

    fn getline(&mut self, target: Option<&Expr>, source: &Source) -> Result<Value> {
        let record = match source {
            Source::Main => self.read_main()?,
            Source::File(expr) | Source::Command(expr) => {
                let name = self.eval(expr)?;
                let name = self.string(&name).to_string();
                let mut reader = match self.readers.remove(&name) {
                    Some(reader) => reader,
                    None if matches!(source, Source::Command(_)) => {
                        let (reading, writing) = self.call.kernel.pipe();
                        self.shell(&name, |proc| {
                            proc.fds.set(1, Some(writing));
                        })?;
                        Reader {
                            fd: Some(reading),
                            rest: None,
                        }
                    }
                    None => match self.call.open(&name, Access::READ) {
                        Ok(fd) => Reader {
                            fd: Some(fd),
                            rest: None,
                        },
                        Err(_) => return Ok(Value::Number(-1.0)),
                    },
                };
                let record = self.read(&mut reader)?;
                self.readers.insert(name, reader);
                if record.is_some() && matches!(source, Source::Command(_)) {
                    let count = self.get_global("NR").number() + 1.0;
                    self.set_global("NR", Value::Number(count));
                }
                record
            }
        };
        let Some(record) = record else {
            return Ok(Value::Number(0.0));
        };
        match target {
            Some(target) => self.assign(target, Value::input(record))?,
            None => self.set_record(record.into())?,
        }
        Ok(Value::Number(1.0))
    }

    fn formatted(&mut self, values: &[Expr]) -> Result<String> {
        let mut evaluated = Vec::new();
        for value in values {
            evaluated.push(self.eval(value)?);
        }
        let mut values = evaluated.into_iter();
        let format = values.next().unwrap_or(Value::Unset);
        let format = self.string(&format);
        let mut out = String::new();
        let mut chars = format.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let mut spec = String::from("%");
            while let Some(c) = chars.next_if(|c| "-+ #0123456789.*hlL".contains(*c)) {
                match c {
                    '*' => spec += &format!("{}", values.next().map_or(0.0, |v| v.number()) as i64),
                    'h' | 'l' | 'L' => {}
                    c => spec.push(c),
                }
            }
            let kind = match chars.next() {
                Some('%') | None => {
                    out.push('%');
                    continue;
                }
                Some(kind) => kind,
            };
            let value = values.next().unwrap_or(Value::Unset);
            let (kind, arg) = match kind {
                'd' | 'i' | 'o' | 'x' | 'X' | 'u' => (kind, format!("{}", value.number() as i64)),
                'e' | 'E' | 'f' | 'F' | 'g' | 'G' => (kind, format!("{:?}", value.number())),
                'c' => match &value {
                    Value::Number(code) => {
                        let c = char::from_u32(*code as u32).unwrap_or_default();
                        ('s', c.to_string())
                    }
                    other => ('s', self.string(other).chars().take(1).collect()),
                },
                's' => ('s', self.string(&value).to_string()),
                other => {
                    out += &spec;
                    out.push(other);
                    continue;
                }
            };
            spec.push(kind);
            let printed = super::super::print::printf(&spec, &[arg]);
            out += &input::decode(&printed.out);
        }
        Ok(out)
    }

    fn builtin(&mut self, name: &str, args: &[Expr]) -> Result<Value> {
        if let ("length", Some(Expr::Variable(variable))) = (name, args.first())
            && let Cell::Array(array) = self.cell(variable)
        {
            return Ok(Value::Number(array.borrow().len() as f64));
        }
        match name {
            "split" => return self.split_builtin(args),
            "sub" | "gsub" | "gensub" => return self.substitute(name, args),
            "sprintf" => return Ok(Value::text(self.formatted(args)?)),
            "match" => {
                let [text, pattern, ..] = args else {
                    return Err(Flow::Error("Too few arguments".into()));
                };
                let text = self.eval(text)?;
                let text = self.string(&text);
                let found = self
                    .pattern(pattern)?
                    .find(&text, 0)
                    .and_then(|groups| groups[0]);
                let (start, len) = match found {
                    Some((from, to)) => (
                        text[..from].chars().count() as f64 + 1.0,
                        text[from..to].chars().count() as f64,
                    ),
                    None => (0.0, -1.0),
                };
                self.set_global("RSTART", Value::Number(start));
                self.set_global("RLENGTH", Value::Number(len));
                return Ok(Value::Number(start));
            }
            _ => {}
        }
        let mut values = Vec::new();
        for arg in args {
            values.push(self.eval(arg)?);
        }
        let number = |at: usize| values.get(at).map_or(0.0, Value::number);
        let text = |at: usize| values.get(at).map_or("".into(), |value| self.string(value));
        Ok(match name {
            "length" if values.is_empty() => Value::Number(self.whole().chars().count() as f64),
            "length" => Value::Number(text(0).chars().count() as f64),
            "substr" => {
                let chars: Vec<char> = text(0).chars().collect();
                let mut from = number(1).round();
                if self.call.flavour() == super::super::super::Flavour::Busybox {
                    // busybox takes the whole length from the first character on.
                    from = from.max(1.0);
                }
                let to = match values.get(2) {
                    Some(len) => from + len.number().round(),
                    None => f64::INFINITY,
                };
                let from = (from.max(1.0) as usize - 1).min(chars.len());
                let to = ((to.max(1.0) - 1.0).min(chars.len() as f64) as usize).max(from);
                Value::text(chars[from..to].iter().collect::<String>())
            }
            "index" => {
                let (text, part) = (text(0), text(1));
                let at = text.find(&*part);
                Value::Number(at.map_or(0.0, |at| text[..at].chars().count() as f64 + 1.0))
            }
            "tolower" => Value::text(text(0).to_ascii_lowercase()),
            "toupper" => Value::text(text(0).to_ascii_uppercase()),
            "sin" => Value::Number(number(0).sin()),
            "cos" => Value::Number(number(0).cos()),
            "atan2" => Value::Number(number(0).atan2(number(1))),
            "exp" => Value::Number(number(0).exp()),
            "log" => Value::Number(number(0).ln()),
            "sqrt" => Value::Number(number(0).sqrt()),
            "int" => Value::Number(number(0).trunc()),
            "rand" => {
                // The same numbers in every run.
                self.seed = self
                    .seed
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                Value::Number((self.seed >> 11) as f64 / (1_u64 << 53) as f64)
            }
            "srand" => {
                let old = self.seed as f64;
                self.seed = number(0) as u64;
                Value::Number(old)
            }
            "systime" => Value::Number(self.call.kernel.vfs.now().secs() as f64),
            "fflush" => {
                self.flush()?;
                Value::Number(0.0)
            }
            "system" => {
                let command = text(0);
                Value::Number(self.shell(&command, |_| ())?.into())
            }
            _ => {
                let name = text(0);
                Value::Number(self.close(&name)?.into())
            }
        })
    }

    fn split_builtin(&mut self, args: &[Expr]) -> Result<Value> {
        let [text, Expr::Variable(name), rest @ ..] = args else {
            return Err(Flow::Error("Too few arguments".into()));
        };
        let text = self.eval(text)?;
        let text = self.string(&text);
        let separator = match rest.first() {
            None => self.text("FS"),
            // One character written as an expression is an expression all the same.
            Some(Expr::Regex(pattern)) if pattern.chars().count() == 1 => {
                format!("[{pattern}]").into()
            }
            Some(Expr::Regex(pattern)) => pattern.clone(),
            Some(other) => {
                let value = self.eval(other)?;
                self.string(&value)
            }
        };
        let parts = self.split(&text, &separator, false)?;
        self.array(name).borrow_mut().clear();
        let count = parts.len();
        for (at, part) in parts.into_iter().enumerate() {
            self.put(name, (at + 1).to_string().into(), Value::input(part));
        }
        Ok(Value::Number(count as f64))
    }

    fn substitute(&mut self, name: &str, args: &[Expr]) -> Result<Value> {
        let [pattern, replacement, rest @ ..] = args else {
            return Err(Flow::Error("Too few arguments".into()));
        };
        let regex = self.pattern(pattern)?;
        let replacement = self.eval(replacement)?;
        let replacement = self.string(&replacement);
        let whole = Expr::Field(Box::new(Expr::Number(0.0)));
        let (which, target) = match (name, rest) {
            ("gensub", [which]) => (Some(which), &whole),
            ("gensub", [which, target, ..]) => (Some(which), target),
            (_, [target, ..]) => (None, target),
            _ => (None, &whole),
        };
        let nth = match which {
            None => usize::from(name == "sub"),
            Some(which) => {
                let value = self.eval(which)?;
                match &*self.string(&value) {
                    "g" | "G" => 0,
                    _ => (value.number().max(1.0)) as usize,
                }
            }
        };
        let text = self.eval(target)?;
        let text = self.string(&text);
        let (mut out, mut copied, mut from, mut count, mut done) = (String::new(), 0, 0, 0, 0);
        while let Some(groups) = regex.find(&text, from) {
            self.call.kernel.round()?;
            let Some((start, end)) = groups[0] else { break };
            // An empty match right behind a match is none.
            if !(start == end && start == copied && count > 0) {
                count += 1;
                if nth == 0 || count == nth {
                    out += &text[copied..start];
                    let mut chars = replacement.chars();
                    while let Some(c) = chars.next() {
                        match c {
                            '&' => out += &text[start..end],
                            '\\' => match chars.next() {
                                Some('&') => out.push('&'),
                                Some('\\') => out.push('\\'),
                                Some(digit) if name == "gensub" && digit.is_ascii_digit() => {
                                    let at = digit.to_digit(10).unwrap_or(0) as usize;
                                    if let Some((from, to)) = groups.get(at).copied().flatten() {
                                        out += &text[from..to];
                                    }
                                }
                                Some(other) => out.extend(['\\', other]),
                                None => out.push('\\'),
                            },
                            c => out.push(c),
                        }
                    }
                    copied = end;
                    done += 1;
                    if nth > 0 {
                        break;
                    }
                }
            }
            from = match text[end..].chars().next() {
                Some(c) if start == end => end + c.len_utf8(),
                None if start == end => break,
                _ => end,
            };
        }
        out += &text[copied..];
        if name == "gensub" {
            return Ok(Value::text(out));
        }
        if done > 0 {
            self.assign(target, Value::text(out))?;
        }
        Ok(Value::Number(f64::from(done)))
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn arithmetic(operator: char, left: f64, right: f64) -> Result<f64> {
    Ok(match operator {
        '+' => left + right,
        '-' => left - right,
        '*' => left * right,
        '/' | '%' if right == 0.0 => return Err(Flow::Error("Division by zero".into())),
        '/' => left / right,
        '%' => left % right,
        _ => left.powf(right),
    })
}

/// The keys of an array in the order of busybox's hash table: by bucket, the newest first.
fn keys(array: &Array) -> Vec<Rc<str>> {
    let array = array.borrow();
    let buckets = [61, 251, 1021, 4093, 16_381, 65_521];
    let size = buckets
        .into_iter()
        .find(|size| array.len() <= size * 8)
        .unwrap_or(65_521);
    let bucket = |key: &str| {
        let hash = key.bytes().fold(0_u32, |hash, byte| {
            hash.wrapping_mul(63).wrapping_add(u32::from(byte))
        });
        hash as usize % size
    };
    let mut found: Vec<(usize, usize, Rc<str>)> = array
        .iter()
        .map(|(key, (made, _))| (bucket(key), usize::MAX - made, key.clone()))
        .collect();
    crate::order::sort(&mut found);
    found.into_iter().map(|(_, _, key)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::super::value::shown;

    #[test]
    fn numbers_print_as_awk_prints_them() {
        assert_eq!(shown(3.0, "%.6g"), "3");
        assert_eq!(shown(0.1 + 0.2, "%.6g"), "0.3");
        assert_eq!(shown(1e6, "%.6g"), "1000000");
    }
}
