//! Numbers: seq, expr.

use super::super::{Call, Exit, Flavour, Program, Stop};
use super::regex::{Regex, Syntax};

pub(super) const TABLE: &[Program] = &[
    Program::executed("seq", seq),
    Program::executed("expr", expr),
];

fn seq(call: &mut Call<'_, '_>) -> Exit {
    let mut equal_width = false;
    let mut separator = "\n".to_string();
    let mut format = None;
    let mut numbers = Vec::new();
    let mut args = std::mem::take(&mut call.args).into_iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-w" | "--equal-width" => equal_width = true,
            "-s" => separator = args.next().unwrap_or_default(),
            "-f" => format = args.next(),
            _ if arg.starts_with("-s") => separator = arg[2..].to_string(),
            _ if arg.starts_with("-w") && arg.len() > 2 => {
                equal_width = true;
                separator = arg[2..].trim_start_matches('s').to_string();
            }
            _ => numbers.push(arg),
        }
    }
    let parsed: Option<Vec<f64>> = numbers
        .iter()
        .map(|text| text.parse::<f64>().ok().filter(|n| n.is_finite()))
        .collect();
    let (first, step, last) = match parsed.as_deref() {
        Some([last]) => (1.0, 1.0, *last),
        Some([first, last]) => (*first, 1.0, *last),
        Some([first, step, last]) => (*first, *step, *last),
        _ => return call.fail(1, "invalid argument"),
    };
    if step == 0.0 && call.flavour() == Flavour::Gnu {
        return call.fail(1, "invalid Zero increment value: '0'");
    }
    let digits = |text: &String| text.split_once('.').map_or(0, |(_, digits)| digits.len());
    let decimals = numbers.iter().map(digits).max().unwrap_or(0);
    let width = match equal_width {
        true => [first, last]
            .map(|n| format!("{n:.decimals$}").len())
            .into_iter()
            .max(),
        false => None,
    };
    let width = width.unwrap_or(0);
    let mut out = String::new();
    let mut count = 0u64;
    loop {
        let value = first + step * count as f64;
        if (step >= 0.0 && value > last) || (step <= 0.0 && value < last && step != 0.0) {
            break;
        }
        call.kernel.round()?;
        if count > 0 {
            out += &separator;
        }
        out += &match &format {
            Some(format) => {
                let printed = super::print::printf(format, &[value.to_string()]);
                String::from_utf8_lossy(&printed.out).into_owned()
            }
            None => format!("{value:0width$.decimals$}"),
        };
        count += 1;
        if out.len() > 1 << 16 {
            call.out(std::mem::take(&mut out))?;
        }
    }
    if count > 0 {
        out.push('\n');
    }
    call.out(out)?;
    Ok(0)
}

/// A value of `expr`: what looks like a number is one.
#[derive(Clone, Debug)]
enum Value {
    Number(i64),
    Text(String),
}

impl Value {
    fn text(&self) -> String {
        match self {
            Value::Number(number) => number.to_string(),
            Value::Text(text) => text.clone(),
        }
    }

    fn number(&self) -> Option<i64> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Text(text) => text.parse().ok(),
        }
    }

    fn is_null(&self) -> bool {
        match self {
            Value::Number(number) => *number == 0,
            Value::Text(text) => text.is_empty() || text == "0",
        }
    }
}

fn expr(call: &mut Call<'_, '_>) -> Exit {
    let mut words = std::mem::take(&mut call.args);
    if words.first().is_some_and(|word| word == "--") {
        words.remove(0);
    }
    if words.is_empty() {
        return call.fail(2, "too few arguments");
    }
    let mut parser = Parser {
        words: &words,
        at: 0,
        depth: 0,
        gnu: call.flavour() == Flavour::Gnu,
    };
    let value = match parser.or() {
        Ok(_) if parser.at < words.len() => Err("syntax error".to_string()),
        other => other,
    };
    match value {
        Ok(value) => {
            call.out(format!("{}\n", value.text()))?;
            Ok(i32::from(value.is_null()))
        }
        Err(message) => {
            call.complain(message)?;
            Err(Stop::Exit(2))
        }
    }
}

/// Nested parentheses.
const MAX_DEPTH: usize = 100;

struct Parser<'a> {
    words: &'a [String],
    at: usize,
    depth: usize,
    gnu: bool,
}

type Result<T> = std::result::Result<T, String>;

impl<'a> Parser<'a> {
    /// The next word, if it is one of these operators; it is taken then.
    fn operator(&mut self, operators: &[&str]) -> Option<&'a str> {
        let word = self.words.get(self.at)?;
        let found = operators.contains(&word.as_str());
        self.at += usize::from(found);
        found.then_some(word.as_str())
    }

    fn or(&mut self) -> Result<Value> {
        let mut left = self.and()?;
        while self.operator(&["|"]).is_some() {
            let right = self.and()?;
            if left.is_null() {
                left = right;
            }
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Value> {
        let mut left = self.comparison()?;
        while self.operator(&["&"]).is_some() {
            let right = self.comparison()?;
            if left.is_null() || right.is_null() {
                left = Value::Number(0);
            }
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Value> {
        let mut left = self.sum()?;
        while let Some(operator) = self.operator(&["<", "<=", "=", "==", "!=", ">=", ">"]) {
            let right = self.sum()?;
            let order = match (left.number(), right.number()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => left.text().cmp(&right.text()),
            };
            let holds = match operator {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                "!=" => order.is_ne(),
                ">=" => order.is_ge(),
                ">" => order.is_gt(),
                _ => order.is_eq(),
            };
            left = Value::Number(holds.into());
        }
        Ok(left)
    }

    fn numbers(&self, left: &Value, right: &Value) -> Result<(i64, i64)> {
        let both = left.number().zip(right.number());
        both.ok_or_else(|| match self.gnu {
            true => "non-integer argument".to_string(),
            false => "non-numeric argument".to_string(),
        })
    }

    fn sum(&mut self) -> Result<Value> {
        let mut left = self.product()?;
        while let Some(operator) = self.operator(&["+", "-"]) {
            let right = self.product()?;
            let (a, b) = self.numbers(&left, &right)?;
            left = Value::Number(match operator {
                "+" => a.wrapping_add(b),
                _ => a.wrapping_sub(b),
            });
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Value> {
        let mut left = self.matching()?;
        while let Some(operator) = self.operator(&["*", "/", "%"]) {
            let right = self.matching()?;
            let (a, b) = self.numbers(&left, &right)?;
            if operator != "*" && b == 0 {
                return Err("division by zero".into());
            }
            left = Value::Number(match operator {
                "*" => a.wrapping_mul(b),
                "/" => a.wrapping_div(b),
                _ => a.wrapping_rem(b),
            });
        }
        Ok(left)
    }

    fn matching(&mut self) -> Result<Value> {
        let mut left = self.primary()?;
        while self.operator(&[":"]).is_some() {
            let pattern = self.primary()?;
            left = matched(&left.text(), &pattern.text())?;
        }
        Ok(left)
    }

    fn primary(&mut self) -> Result<Value> {
        let word = self.words.get(self.at).ok_or("syntax error")?.clone();
        self.at += 1;
        let more = self.at < self.words.len();
        match word.as_str() {
            "(" => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err("too many parentheses".into());
                }
                let value = self.or()?;
                self.depth -= 1;
                self.operator(&[")"]).ok_or("syntax error")?;
                Ok(value)
            }
            ")" => Err("syntax error".into()),
            "+" | "quote" if more => {
                self.at += 1;
                Ok(Value::Text(self.words[self.at - 1].clone()))
            }
            "length" if more => {
                let text = self.primary()?.text();
                Ok(Value::Number(text.chars().count() as i64))
            }
            "match" if more => {
                let text = self.primary()?.text();
                matched(&text, &self.primary()?.text())
            }
            "index" if more => {
                let (text, set) = (self.primary()?.text(), self.primary()?.text());
                let at = text.chars().position(|c| set.contains(c));
                Ok(Value::Number(at.map_or(0, |at| at as i64 + 1)))
            }
            "substr" if more => {
                let text = self.primary()?.text();
                let (from, len) = (self.primary()?.number(), self.primary()?.number());
                let (from, len) = (from.unwrap_or(0), len.unwrap_or(0));
                let part: String = match from > 0 && len > 0 {
                    true => text
                        .chars()
                        .skip(from as usize - 1)
                        .take(len as usize)
                        .collect(),
                    false => String::new(),
                };
                Ok(Value::Text(part))
            }
            word => Ok(Value::Text(word.to_string())),
        }
    }
}

/// `TEXT : PATTERN`: the first group, or the length of the match.
fn matched(text: &str, pattern: &str) -> Result<Value> {
    let regex = Regex::new(&format!("^{pattern}"), Syntax::Basic, false)?;
    let groups = regex.find(text, 0);
    if regex.groups() > 1 {
        let group = groups.and_then(|groups| groups[1]);
        return Ok(Value::Text(
            group.map_or(String::new(), |(from, to)| text[from..to].to_string()),
        ));
    }
    let len = groups
        .and_then(|groups| groups[0])
        .map_or(0, |(from, to)| text[from..to].chars().count());
    Ok(Value::Number(len as i64))
}
