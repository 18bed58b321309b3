//! `echo` and `printf`: of the shell and as programs.

use super::super::{Call, Exit, Program};

pub(super) const TABLE: &[Program] = &[
    Program::executed("echo", |call: &mut Call<'_, '_>| {
        let text = echo_with(&call.args, false);
        call.out(text)?;
        Ok(0)
    }),
    Program::executed("printf", printf_main),
];

/// What `echo` prints. Options are `-n`, `-e`, `-E`; escapes count with `-e`, or always where they
/// are on from the start (dash, which knows `-n` alone).
pub(in crate::run) fn echo_with(args: &[String], mut escapes: bool) -> Vec<u8> {
    let always = escapes;
    let mut newline = true;
    let mut at = 0;
    while let Some(option) = args.get(at) {
        let letters = option.strip_prefix('-').unwrap_or_default();
        let known = if always { "n" } else { "neE" };
        if letters.is_empty() || !letters.chars().all(|c| known.contains(c)) {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'n' => newline = false,
                letter => escapes = letter == 'e',
            }
        }
        at += 1;
    }
    let text = args[at..].join(" ");
    if !escapes {
        let mut out = text.into_bytes();
        out.extend(newline.then_some(b'\n'));
        return out;
    }
    let mut out = Vec::new();
    let ended = escaped(&text, &mut out, true);
    out.extend((newline && !ended).then_some(b'\n'));
    out
}

/// Writes text with its backslash escapes read; true where `\c` ends all output. In `echo` and
/// `%b` an octal escape may begin with a zero.
fn escaped(text: &str, out: &mut Vec<u8>, zero: bool) -> bool {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let mut number = |radix: u32, most: usize| {
            let mut value = None;
            for _ in 0..most {
                let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else {
                    break;
                };
                chars.next();
                value = Some(value.unwrap_or(0) * radix + digit);
            }
            value
        };
        let Some(next) = ({
            let octal = number(8, if zero { 4 } else { 3 });
            if let Some(value) = octal {
                out.push(value as u8);
                continue;
            }
            chars.next()
        }) else {
            out.push(b'\\');
            break;
        };
        match next {
            'a' => out.push(7),
            'b' => out.push(8),
            'c' => return true,
            'e' => out.push(27),
            'f' => out.push(12),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            'v' => out.push(11),
            '\\' => out.push(b'\\'),
            'x' => {
                let mut value = None;
                for _ in 0..2 {
                    let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)) else {
                        break;
                    };
                    chars.next();
                    value = Some(value.unwrap_or(0) * 16 + digit);
                }
                match value {
                    Some(value) => out.push(value as u8),
                    None => out.extend_from_slice(b"\\x"),
                }
            }
            '"' if !zero => out.push(b'"'),
            other => {
                out.push(b'\\');
                out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    false
}

/// What `printf` prints, what it complains about, and its exit code.
#[derive(Debug, Default)]
pub(in crate::run) struct Printed {
    pub out: Vec<u8>,
    pub errors: Vec<String>,
    pub code: i32,
}

/// `printf FORMAT ARGUMENTS...`: the format again and again until the arguments are used up.
pub(in crate::run) fn printf(format: &str, args: &[String]) -> Printed {
    let mut printed = Printed::default();
    let mut rest = args;
    loop {
        let before = rest.len();
        if !once(format, &mut rest, &mut printed) || rest.is_empty() || rest.len() == before {
            return printed;
        }
    }
}

/// Prints the format once; false where the output ends.
fn once(format: &str, args: &mut &[String], printed: &mut Printed) -> bool {
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        if escaped(&rest[..at], &mut printed.out, false) {
            return false;
        }
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            printed.out.push(b'%');
            rest = after;
            continue;
        }
        let flags = rest.len() - rest.trim_start_matches(['-', '+', ' ', '#', '0']).len();
        let (flags, after) = rest.split_at(flags);
        rest = after;
        let mut take = || match args.split_first() {
            Some((first, more)) => {
                *args = more;
                Some(first.clone())
            }
            None => None,
        };
        let mut count = |rest: &mut &str| -> Option<i64> {
            if let Some(after) = rest.strip_prefix('*') {
                *rest = after;
                return take().and_then(|arg| arg.parse().ok());
            }
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, after) = rest.split_at(digits);
            *rest = after;
            number.parse().ok()
        };
        let width = count(&mut rest);
        let precision = match rest.strip_prefix('.') {
            Some(after) => {
                rest = after;
                Some(count(&mut rest).unwrap_or(0).max(0) as usize)
            }
            None => None,
        };
        rest = rest.trim_start_matches(['l', 'h', 'j', 'z', 'L']);
        let Some(kind) = rest.chars().next() else {
            printed.errors.push(format!("%{flags}: invalid format"));
            printed.code = 1;
            return false;
        };
        rest = &rest[kind.len_utf8()..];
        let arg = take();
        let (left, width) = match width {
            Some(width) if width < 0 => (true, width.unsigned_abs() as usize),
            width => (flags.contains('-'), width.unwrap_or(0).max(0) as usize),
        };
        // A width may ask for more than anybody would want to see.
        let width = width.min(1 << 16);
        let field = Field {
            flags,
            left,
            width,
            precision: precision.map(|p| p.min(1 << 16)),
        };
        match kind {
            's' => field.text(&arg.unwrap_or_default(), &mut printed.out),
            'c' => {
                let text: String = arg.unwrap_or_default().chars().take(1).collect();
                field.text(&text, &mut printed.out);
            }
            'b' => {
                let mut bytes = Vec::new();
                let ended = escaped(&arg.unwrap_or_default(), &mut bytes, true);
                field.text(&String::from_utf8_lossy(&bytes), &mut printed.out);
                if ended {
                    return false;
                }
            }
            'q' => field.text(&quoted(&arg.unwrap_or_default()), &mut printed.out),
            'd' | 'i' | 'u' | 'x' | 'X' | 'o' => {
                let value = integer(arg.as_deref(), printed);
                field.number(value, kind, &mut printed.out);
            }
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => {
                let value = float(arg.as_deref(), printed);
                field.float(value, kind, &mut printed.out);
            }
            other => {
                printed.errors.push(format!("%{other}: invalid format"));
                printed.code = 1;
                return false;
            }
        }
    }
    !escaped(rest, &mut printed.out, false)
}

fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c));
    if plain {
        text.to_string()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// A number as C writes them; a quote in front gives the character's code.
fn integer(text: Option<&str>, printed: &mut Printed) -> i64 {
    let Some(text) = text else { return 0 };
    if let Some(rest) = text.strip_prefix(['\'', '"']) {
        return rest.chars().next().map_or(0, |c| c as i64);
    }
    let trimmed = text.trim();
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let parsed = if let Some(hex) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16).ok()
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8).ok()
    } else {
        digits.parse().ok()
    };
    match parsed {
        Some(value) if negative => -value,
        Some(value) => value,
        None => {
            if !text.is_empty() {
                printed.errors.push(format!("invalid number '{text}'"));
                printed.code = 1;
            }
            0
        }
    }
}

fn float(text: Option<&str>, printed: &mut Printed) -> f64 {
    let Some(text) = text else { return 0.0 };
    match text.trim().parse() {
        Ok(value) => value,
        Err(_) => {
            printed.errors.push(format!("invalid number '{text}'"));
            printed.code = 1;
            0.0
        }
    }
}

struct Field<'f> {
    flags: &'f str,
    left: bool,
    width: usize,
    precision: Option<usize>,
}

impl Field<'_> {
    fn text(&self, text: &str, out: &mut Vec<u8>) {
        let text: String = match self.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text.to_string(),
        };
        self.pad(&text, ' ', out);
    }

    fn pad(&self, text: &str, fill: char, out: &mut Vec<u8>) {
        let missing = self.width.saturating_sub(text.chars().count());
        if self.left {
            out.extend_from_slice(text.as_bytes());
            out.extend(std::iter::repeat_n(b' ', missing));
        } else if fill == '0' {
            let sign = usize::from(text.starts_with(['-', '+', ' ']));
            out.extend_from_slice(&text.as_bytes()[..sign]);
            out.extend(std::iter::repeat_n(b'0', missing));
            out.extend_from_slice(&text.as_bytes()[sign..]);
        } else {
            out.extend(std::iter::repeat_n(b' ', missing));
            out.extend_from_slice(text.as_bytes());
        }
    }

    fn signed(&self, negative: bool, digits: String) -> String {
        let sign = match negative {
            true => "-",
            false if self.flags.contains('+') => "+",
            false if self.flags.contains(' ') => " ",
            false => "",
        };
        format!("{sign}{digits}")
    }

    fn number(&self, value: i64, kind: char, out: &mut Vec<u8>) {
        let mut digits = match kind {
            'x' => format!("{value:x}"),
            'X' => format!("{value:X}"),
            'o' => format!("{value:o}"),
            'u' => (value as u64).to_string(),
            _ => value.unsigned_abs().to_string(),
        };
        if let Some(least) = self.precision {
            digits = format!("{digits:0>least$}");
        }
        if self.flags.contains('#') && value != 0 {
            digits = match kind {
                'x' => format!("0x{digits}"),
                'X' => format!("0X{digits}"),
                'o' => format!("0{digits}"),
                _ => digits,
            };
        }
        let text = match kind {
            'd' | 'i' => self.signed(value < 0, digits),
            _ => digits,
        };
        let zeros = self.flags.contains('0') && self.precision.is_none() && !self.left;
        self.pad(&text, if zeros { '0' } else { ' ' }, out);
    }

    fn float(&self, value: f64, kind: char, out: &mut Vec<u8>) {
        let places = self.precision.unwrap_or(6);
        let size = value.abs();
        let exponent = |places: usize| {
            let text = format!("{size:.places$e}");
            let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
            let power: i32 = power.parse().unwrap_or(0);
            let sign = if power < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", power.abs())
        };
        let digits = match kind {
            'f' | 'F' => format!("{size:.places$}"),
            'e' | 'E' => exponent(places),
            _ => {
                let places = places.max(1);
                let power = if size == 0.0 {
                    0
                } else {
                    size.log10().floor() as i64
                };
                if power < -4 || power >= places as i64 {
                    let text = exponent(places - 1);
                    let (digits, power) = text.split_once('e').unwrap_or((&text, ""));
                    format!("{}e{power}", trimmed(digits))
                } else {
                    let after = (places as i64 - 1 - power).max(0) as usize;
                    trimmed(&format!("{size:.after$}")).to_string()
                }
            }
        };
        let digits = if kind.is_ascii_uppercase() {
            digits.to_uppercase()
        } else {
            digits
        };
        let text = self.signed(value.is_sign_negative(), digits);
        let zeros = self.flags.contains('0') && !self.left;
        self.pad(&text, if zeros { '0' } else { ' ' }, out);
    }
}

/// Without zeros at the end of the fraction.
fn trimmed(digits: &str) -> &str {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    }
}

fn printf_main(call: &mut Call<'_, '_>) -> Exit {
    let args = match call.args.first().map(String::as_str) {
        Some("--") => &call.args[1..],
        _ => &call.args[..],
    };
    let Some((format, args)) = args.split_first() else {
        return call.fail(1, "usage: printf FORMAT [ARG]...");
    };
    let printed = printf(format, args);
    call.out(&printed.out)?;
    for error in &printed.errors {
        call.complain(error)?;
    }
    Ok(printed.code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(format: &str, args: &[&str]) -> String {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_string()).collect();
        String::from_utf8(printf(format, &args).out).unwrap()
    }

    #[test]
    fn formats() {
        assert_eq!(
            print("%03d|%s|%5s|%-5s|%x\\n", &["7", "s", "r", "l", "255"]),
            "007|s|    r|l    |ff\n"
        );
        assert_eq!(print("%s\\n", &["a", "b"]), "a\nb\n");
        assert_eq!(
            print("%5.2f|%g|%e", &["3.14159", "0.0001", "1500"]),
            " 3.14|0.0001|1.500000e+03"
        );
        assert_eq!(
            print("%b|%c|%%|%o|%+d", &["a\\tb", "xyz", "8", "5"]),
            "a\tb|x|%|10|+5"
        );
        assert_eq!(print("\\101\\x41\\n", &[]), "AA\n");
        assert_eq!(
            printf("%d", &["abc".into()]).errors,
            ["invalid number 'abc'"]
        );
    }

    #[test]
    fn echoes() {
        let echo = |text: &str| {
            let args: Vec<String> = text.split(' ').map(String::from).collect();
            String::from_utf8(echo_with(&args, false)).unwrap()
        };
        assert_eq!(echo("-e a\\tb\\cz"), "a\tb");
        assert_eq!(echo("-n x"), "x");
        assert_eq!(echo("-E \\n"), "\\n\n");
        assert_eq!(echo("-x y"), "-x y\n");
        assert_eq!(echo("-e \\0101"), "A\n");
    }
}
