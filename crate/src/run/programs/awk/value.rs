//! The values of awk.

use std::rc::Rc;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A variable that nothing was assigned to.
    Unset,
    Number(f64),
    Text(Rc<str>),
    /// Input that counts as a number if it looks like one.
    Input(Rc<str>),
}

impl Value {
    pub fn text(text: impl Into<Rc<str>>) -> Value {
        Value::Text(text.into())
    }

    pub fn input(text: impl Into<Rc<str>>) -> Value {
        Value::Input(text.into())
    }

    pub fn bool(value: bool) -> Value {
        Value::Number(f64::from(u8::from(value)))
    }

    pub fn number(&self) -> f64 {
        match self {
            Value::Unset => 0.0,
            Value::Number(number) => *number,
            Value::Text(text) | Value::Input(text) => leading(text).0,
        }
    }

    /// As text, numbers that are not whole by `format` (`CONVFMT`).
    pub fn string(&self, format: &str) -> Rc<str> {
        match self {
            Value::Unset => "".into(),
            Value::Number(number) => shown(*number, format).into(),
            Value::Text(text) | Value::Input(text) => text.clone(),
        }
    }

    pub fn is_true(&self) -> bool {
        match self {
            Value::Unset => false,
            Value::Number(number) => *number != 0.0,
            Value::Text(text) => !text.is_empty(),
            Value::Input(text) => match numeric(text) {
                Some(number) => number != 0.0,
                None => !text.is_empty(),
            },
        }
    }

    /// The number that it compares as, if it does not compare as text.
    pub fn comparable(&self) -> Option<f64> {
        match self {
            Value::Unset => Some(0.0),
            Value::Number(number) => Some(*number),
            Value::Input(text) => numeric(text),
            Value::Text(_) => None,
        }
    }
}

/// A number as awk prints it.
pub(super) fn shown(number: f64, format: &str) -> String {
    if number.fract() == 0.0 && number.abs() < 1e16 {
        return format!("{}", number as i64);
    }
    if number.is_nan() || number.is_infinite() {
        let sign = if number < 0.0 { "-" } else { "" };
        return format!("{sign}{}", if number.is_nan() { "nan" } else { "inf" });
    }
    let printed = super::super::print::printf(format, &[format!("{number:?}")]);
    String::from_utf8_lossy(&printed.out).into_owned()
}

/// The number that a text begins with, and how many bytes it takes.
fn leading(text: &str) -> (f64, usize) {
    let start = text.len() - text.trim_start().len();
    let bytes = text.as_bytes();
    let mut at = start;
    if matches!(bytes.get(at), Some(b'+' | b'-')) {
        at += 1;
    }
    let mut digits = 0;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
        digits += 1;
    }
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
            digits += 1;
        }
    }
    if digits == 0 {
        return (0.0, 0);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let mut exponent = at + 1;
        if matches!(bytes.get(exponent), Some(b'+' | b'-')) {
            exponent += 1;
        }
        if bytes.get(exponent).is_some_and(u8::is_ascii_digit) {
            while bytes.get(exponent).is_some_and(u8::is_ascii_digit) {
                exponent += 1;
            }
            at = exponent;
        }
    }
    (text[start..at].parse().unwrap_or(0.0), at)
}

/// The value of a text that is a number and nothing else.
fn numeric(text: &str) -> Option<f64> {
    let (value, end) = leading(text);
    (end > 0 && text[end..].trim().is_empty()).then_some(value)
}
