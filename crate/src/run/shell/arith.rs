//! Arithmetic: 64-bit integers, the operators of C, assignment.

/// What arithmetic needs of a shell.
pub(super) trait Variables {
    /// The value of a variable or, with an index, of an array's element.
    fn value(&self, name: &str, index: Option<i64>) -> Option<String>;
    /// Sets it; an error is a read-only variable's.
    fn assign(&mut self, name: &str, index: Option<i64>, value: i64) -> Result<()>;
    /// Whether an unset variable is an error (`set -u`).
    fn strict(&self) -> bool;
}

const SYNTAX: &str = "arithmetic syntax error";
/// Expressions and the variables in them nest so deep.
const MAX_DEPTH: u32 = 64;

struct Evaluator<'a, V> {
    text: &'a [u8],
    at: usize,
    variables: &'a mut V,
    /// In the part of `&&`, `||` and `?:` that is not reached nothing is evaluated.
    skip: bool,
    depth: u32,
}

type Result<T> = std::result::Result<T, String>;

/// Evaluates an expression whose substitutions are done. An empty one is 0.
pub(super) fn evaluate<V: Variables>(text: &str, variables: &mut V) -> Result<i64> {
    nested(text, variables, 0)
}

fn nested<V: Variables>(text: &str, variables: &mut V, depth: u32) -> Result<i64> {
    if depth > MAX_DEPTH {
        return Err("expression recursion loop detected".into());
    }
    let mut evaluator = Evaluator {
        text: text.as_bytes(),
        at: 0,
        variables,
        skip: false,
        depth,
    };
    evaluator.blanks();
    if evaluator.at == evaluator.text.len() {
        return Ok(0);
    }
    let value = evaluator.comma()?;
    if evaluator.at < evaluator.text.len() {
        return Err(SYNTAX.into());
    }
    Ok(value)
}

/// Where a value is kept.
struct Place {
    name: String,
    index: Option<i64>,
}

/// Binary operators from the loosest to the tightest; longer ones first within a level.
const LEVELS: &[&[&str]] = &[
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl<V: Variables> Evaluator<'_, V> {
    fn blanks(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn peek(&self, token: &str) -> bool {
        self.text[self.at..].starts_with(token.as_bytes())
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.peek(token);
        if found {
            self.at += token.len();
            self.blanks();
        }
        found
    }

    fn comma(&mut self) -> Result<i64> {
        let mut value = self.assignment()?;
        while self.eat(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn deeper<T>(&mut self, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        let value = match self.depth > MAX_DEPTH {
            true => Err("expression is nested too deep".into()),
            false => f(self),
        };
        self.depth -= 1;
        value
    }

    fn assignment(&mut self) -> Result<i64> {
        let start = self.at;
        if let Some(place) = self.place()? {
            for op in [
                "<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "=",
            ] {
                if op == "=" && self.peek("==") || !self.eat(op) {
                    continue;
                }
                let right = self.deeper(Self::assignment)?;
                let value = match op.strip_suffix('=') {
                    Some("") | None => right,
                    Some(op) => {
                        let left = self.load(&place)?;
                        self.binary(op, left, right)?
                    }
                };
                self.store(&place, value)?;
                return Ok(value);
            }
        }
        self.at = start;
        self.conditional()
    }

    fn conditional(&mut self) -> Result<i64> {
        let condition = self.or()?;
        if !self.eat("?") {
            return Ok(condition);
        }
        let outer = self.skip;
        self.skip = outer || condition == 0;
        let yes = self.deeper(Self::comma)?;
        if !self.eat(":") {
            return Err(SYNTAX.into());
        }
        self.skip = outer || condition != 0;
        let no = self.deeper(Self::assignment)?;
        self.skip = outer;
        Ok(if condition != 0 { yes } else { no })
    }

    fn or(&mut self) -> Result<i64> {
        let mut value = self.and()?;
        while self.eat("||") {
            let outer = self.skip;
            self.skip = self.skip || value != 0;
            let right = self.and()?;
            self.skip = outer;
            value = i64::from(value != 0 || right != 0);
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<i64> {
        let mut value = self.level(0)?;
        while self.eat("&&") {
            let outer = self.skip;
            self.skip = self.skip || value == 0;
            let right = self.level(0)?;
            self.skip = outer;
            value = i64::from(value != 0 && right != 0);
        }
        Ok(value)
    }

    fn level(&mut self, level: usize) -> Result<i64> {
        let Some(operators) = LEVELS.get(level) else {
            return self.power();
        };
        let mut value = self.level(level + 1)?;
        'more: loop {
            for op in *operators {
                // Not the beginning of `||`, `&&`, `<<`, `**` or of an assignment.
                let next = self.text.get(self.at + op.len());
                let longer = matches!(
                    (*op, next),
                    ("|" | "&", Some(b'|' | b'&' | b'='))
                        | ("<", Some(b'<'))
                        | (">", Some(b'>'))
                        | ("^" | "<<" | ">>" | "+" | "-" | "*" | "/" | "%", Some(b'='))
                        | ("*", Some(b'*'))
                );
                if longer || !self.eat(op) {
                    continue;
                }
                let right = self.level(level + 1)?;
                value = self.binary(op, value, right)?;
                continue 'more;
            }
            return Ok(value);
        }
    }

    fn power(&mut self) -> Result<i64> {
        let base = self.unary()?;
        if !self.eat("**") {
            return Ok(base);
        }
        let exponent = self.deeper(Self::power)?;
        self.binary("**", base, exponent)
    }

    fn binary(&self, op: &str, a: i64, b: i64) -> Result<i64> {
        if self.skip {
            return Ok(0);
        }
        Ok(match op {
            "|" => a | b,
            "^" => a ^ b,
            "&" => a & b,
            "==" => i64::from(a == b),
            "!=" => i64::from(a != b),
            "<=" => i64::from(a <= b),
            ">=" => i64::from(a >= b),
            "<" => i64::from(a < b),
            ">" => i64::from(a > b),
            "<<" => a.wrapping_shl(b as u32),
            ">>" => a.wrapping_shr(b as u32),
            "+" => a.wrapping_add(b),
            "-" => a.wrapping_sub(b),
            "*" => a.wrapping_mul(b),
            "/" | "%" if b == 0 => return Err("divide by zero".into()),
            "/" => a.wrapping_div(b),
            "%" => a.wrapping_rem(b),
            _ if b < 0 => return Err("exponent less than 0".into()),
            _ => a.wrapping_pow(u32::try_from(b).unwrap_or(u32::MAX)),
        })
    }

    fn unary(&mut self) -> Result<i64> {
        if self.peek("++") || self.peek("--") {
            let step = if self.peek("++") { 1 } else { -1 };
            let start = self.at;
            self.at += 2;
            self.blanks();
            if let Some(place) = self.place()? {
                let value = self.load(&place)?.wrapping_add(step);
                self.store(&place, value)?;
                return Ok(value);
            }
            self.at = start;
        }
        for op in ["!", "~", "-", "+"] {
            if self.eat(op) {
                let value = self.deeper(Self::unary)?;
                return Ok(match op {
                    "!" => i64::from(value == 0),
                    "~" => !value,
                    "-" => value.wrapping_neg(),
                    _ => value,
                });
            }
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<i64> {
        if self.eat("(") {
            let value = self.deeper(Self::comma)?;
            return match self.eat(")") {
                true => Ok(value),
                false => Err(SYNTAX.into()),
            };
        }
        if let Some(place) = self.place()? {
            for (op, step) in [("++", 1), ("--", -1)] {
                if self.eat(op) {
                    let value = self.load(&place)?;
                    self.store(&place, value.wrapping_add(step))?;
                    return Ok(value);
                }
            }
            return self.load(&place);
        }
        self.number()
    }

    fn number(&mut self) -> Result<i64> {
        let start = self.at;
        while self
            .text
            .get(self.at)
            .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, b'#' | b'_' | b'@'))
        {
            self.at += 1;
        }
        let text = String::from_utf8_lossy(&self.text[start..self.at]).into_owned();
        self.blanks();
        number(&text).ok_or_else(|| SYNTAX.into())
    }

    fn place(&mut self) -> Result<Option<Place>> {
        let start = self.at;
        if !self
            .text
            .get(start)
            .is_some_and(|c| c.is_ascii_alphabetic() || *c == b'_')
        {
            return Ok(None);
        }
        while self
            .text
            .get(self.at)
            .is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_')
        {
            self.at += 1;
        }
        let name = String::from_utf8_lossy(&self.text[start..self.at]).into_owned();
        self.blanks();
        let mut index = None;
        if self.eat("[") {
            index = Some(self.deeper(Self::comma)?);
            if !self.eat("]") {
                return Err(SYNTAX.into());
            }
        }
        Ok(Some(Place { name, index }))
    }

    fn load(&mut self, place: &Place) -> Result<i64> {
        if self.skip {
            return Ok(0);
        }
        let Some(value) = self.variables.value(&place.name, place.index) else {
            return match self.variables.strict() {
                true => Err(format!("{}: parameter not set", place.name)),
                false => Ok(0),
            };
        };
        match number(value.trim()) {
            Some(number) => Ok(number),
            None => nested(&value, self.variables, self.depth + 1),
        }
    }

    fn store(&mut self, place: &Place, value: i64) -> Result<()> {
        match self.skip {
            true => Ok(()),
            false => self.variables.assign(&place.name, place.index, value),
        }
    }
}

/// A number as C writes it, or `BASE#DIGITS`.
fn number(text: &str) -> Option<i64> {
    let parse = |digits: &str, radix| {
        if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
            return None;
        }
        // Too large a number is the largest one (strtoimax).
        Some(i64::from_str_radix(digits, radix).unwrap_or(i64::MAX))
    };
    if let Some((base, digits)) = text.split_once('#') {
        let base = base.parse().ok().filter(|base| (2..=36).contains(base))?;
        return parse(&digits.to_ascii_lowercase(), base);
    }
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => parse(digits, 16),
        None if text.len() > 1 && text.starts_with('0') => parse(&text[1..], 8),
        None => parse(text, 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    impl Variables for BTreeMap<String, String> {
        fn value(&self, name: &str, _: Option<i64>) -> Option<String> {
            self.get(name).cloned()
        }
        fn assign(&mut self, name: &str, _: Option<i64>, value: i64) -> Result<()> {
            self.insert(name.into(), value.to_string());
            Ok(())
        }
        fn strict(&self) -> bool {
            false
        }
    }

    #[test]
    fn expressions() {
        let mut vars = BTreeMap::from([("x".to_string(), "5".to_string())]);
        for (text, value) in [
            ("", 0),
            ("1+2*3", 7),
            ("(1+2)*3", 9),
            ("2**3**2", 512),
            ("-7/2", -3),
            ("7%-3", 1),
            ("1<2 && 2<3", 1),
            ("0 || 0", 0),
            ("x>3 ? 10 : 20", 10),
            ("x++ + x", 11),
            ("x", 6),
            ("y = x += 4, y", 10),
            ("0 && (x = 99)", 0),
            ("x", 10),
            ("0x1f + 010 + 2#101", 44),
            ("~0", -1),
            ("!5", 0),
            ("1 << 4 | 1", 17),
            ("5 & 3 ^ 1", 0),
            ("--x", 9),
            ("- -3", 3),
        ] {
            assert_eq!(evaluate(text, &mut vars), Ok(value), "{text}");
        }
        for text in ["1 +", "1 2", "(1", "1/0", "$", "08"] {
            assert!(evaluate(text, &mut vars).is_err(), "{text}");
        }
        let deep = format!("{}1{}", "(".repeat(1000), ")".repeat(1000));
        assert!(evaluate(&deep, &mut vars).is_err());
    }
}
