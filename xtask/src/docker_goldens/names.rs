//! Placeholders for what is another thing every time: IDs, times, folders.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

const WHOLE: usize = 64;
const SHORT: usize = 12;

/// Gives every ID a placeholder, numbered in order of first appearance: `<id3>` stands for twelve
/// digits, `<id3*>` for all 64 of the same ID.
pub struct Names {
    whole: BTreeMap<String, String>,
    short: BTreeMap<String, String>,
    paths: Vec<(String, String)>,
    count: usize,
}

impl Names {
    /// With IDs that have a name already, and texts that stand for folders.
    pub fn new(known: Vec<(String, String)>, paths: Vec<(String, String)>) -> Names {
        let mut names = Names {
            whole: BTreeMap::new(),
            short: BTreeMap::new(),
            paths,
            count: 0,
        };
        for (id, name) in known {
            names.short.insert(id[..SHORT].to_string(), name.clone());
            names.whole.entry(id).or_insert(name);
        }
        names
    }

    /// Whether an ID was met before.
    pub fn known(&self, id: &str) -> bool {
        self.short.contains_key(&id[..SHORT])
    }

    fn name(&mut self, id: &str) -> String {
        if let Some(name) = self.whole.get(id) {
            return name.clone();
        }
        let name = match self.short.get(&id[..SHORT]) {
            Some(name) => name.clone(),
            None => {
                self.count += 1;
                format!("id{}", self.count)
            }
        };
        self.short.insert(id[..SHORT].to_string(), name.clone());
        if id.len() == WHOLE {
            self.whole.insert(id.to_string(), name.clone());
        }
        name
    }

    /// The text with placeholders.
    pub fn text(&mut self, text: &str) -> String {
        let mut text = text.to_string();
        for (real, shown) in &self.paths {
            text = text.replace(real, shown);
        }
        let text = self.ids(&text, WHOLE);
        let text = self.ids(&text, SHORT);
        times(&text)
    }

    /// The value with placeholders in its texts and keys, in the order of its fields.
    pub fn deep(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.deep(item)).collect(),
            Value::Object(map) => {
                let mut out = Map::new();
                for (key, value) in map {
                    let key = self.text(key);
                    out.insert(key, self.deep(value));
                }
                Value::Object(out)
            }
            other => other.clone(),
        }
    }

    fn ids(&mut self, text: &str, length: usize) -> String {
        const PREFIX: &str = "sha256:";
        let bytes = text.as_bytes();
        let hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        let mut out = String::new();
        let mut at = 0;
        while at < text.len() {
            let free = at == 0 || !part_of_id(bytes[at - 1], length);
            let digits = at
                + if text[at..].starts_with(PREFIX) {
                    PREFIX.len()
                } else {
                    0
                };
            let run = bytes[digits..].iter().take_while(|byte| hex(byte)).count();
            let after = bytes.get(digits + length);
            let ends = match length {
                WHOLE => run == length,
                _ => run >= length && !after.is_some_and(u8::is_ascii_alphanumeric),
            };
            if free && ends {
                let star = if length == WHOLE { "*" } else { "" };
                let name = self.name(&text[digits..digits + length]);
                out += &text[at..digits];
                out += &format!("<{name}{star}>");
                at = digits + length;
                continue;
            }
            let c = text[at..].chars().next().unwrap_or_default();
            out.push(c);
            at += c.len_utf8();
        }
        out
    }
}

/// Whether a byte in front of hexadecimal digits makes them something else than an ID.
fn part_of_id(byte: u8, length: usize) -> bool {
    match length {
        WHOLE => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte) || byte == b':',
        _ => byte.is_ascii_alphanumeric() || b":/._-".contains(&byte),
    }
}

/// The text with placeholders for times.
fn times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut before = None;
    while let Some(c) = rest.chars().next() {
        let inside = before.is_some_and(char::is_alphanumeric);
        let found = [timestamp(rest), date(rest), ago(rest)];
        let found = found.into_iter().flatten().next().filter(|_| !inside);
        let length = match found {
            Some((shown, length)) => {
                out += shown;
                length
            }
            None => {
                out.push(c);
                c.len_utf8()
            }
        };
        before = rest[..length].chars().next_back();
        rest = &rest[length..];
    }
    out
}

/// How much of the text has the shape: `9` stands for a digit, everything else for itself.
fn shaped(text: &str, shape: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let fits = |(at, wanted): (usize, u8)| match (wanted, bytes.get(at)) {
        (b'9', Some(byte)) => byte.is_ascii_digit(),
        (wanted, Some(byte)) => wanted == *byte,
        (_, None) => false,
    };
    shape.bytes().enumerate().all(fits).then_some(shape.len())
}

fn timestamp(text: &str) -> Option<(&'static str, usize)> {
    let mut length = shaped(text, "9999-99-99T99:99:99")?;
    if text[length..].starts_with('.') {
        let digits = text[length + 1..].bytes().take_while(u8::is_ascii_digit);
        length += 1 + digits.count();
    }
    let zones = ["Z", "+99:99", "-99:99"];
    let zone = zones
        .into_iter()
        .find_map(|zone| shaped(&text[length..], zone))?;
    Some(("<time>", length + zone))
}

fn date(text: &str) -> Option<(&'static str, usize)> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    MONTHS.iter().find(|month| text.starts_with(**month))?;
    let rest = text.get(3..)?;
    let forms = [" 99 99:99", "  9 99:99", " 99  9999", "  9  9999"];
    let length = forms.into_iter().find_map(|form| shaped(rest, form))?;
    Some(("<date>", 3 + length))
}

fn ago(text: &str) -> Option<(&'static str, usize)> {
    let starts = ["Less than a ", "About an ", "About a ", "an ", "a "];
    let amount = starts
        .into_iter()
        .find(|start| text.starts_with(start))
        .map(str::len);
    let amount = amount.or_else(|| {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        (digits > 0 && text[digits..].starts_with(' ')).then_some(digits + 1)
    })?;
    let units = ["second", "minute", "hour", "day", "week", "month", "year"];
    let unit = units
        .into_iter()
        .find(|unit| text[amount..].starts_with(unit))?;
    let mut length = amount + unit.len();
    for more in ["s", " ago"] {
        if text[length..].starts_with(more) {
            length += more.len();
        }
    }
    Some(("<ago>", length))
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn placeholders() {
        let mut names = Names::new(Vec::new(), vec![("/scenario".into(), "<work>".into())]);
        let id = "0123456789ab".to_string() + &"c".repeat(52);
        assert_eq!(names.text(" ---> 0123456789ab"), " ---> <id1>");
        assert_eq!(names.text(&format!("sha256:{id} x")), "sha256:<id1*> x");
        let kept = format!("COPY file:{id} in /");
        assert_eq!(names.text(&kept), kept);
        assert_eq!(
            names.text("abcdefabcdefx 0123456789abc"),
            "abcdefabcdefx 0123456789abc"
        );
        assert_eq!(
            names.text("Exited (0) Less than a second ago"),
            "Exited (0) <ago>"
        );
        assert_eq!(names.text("Up 3 seconds"), "Up <ago>");
        assert_eq!(names.text("1970-01-01T00:00:00.5Z"), "<time>");
        assert_eq!(names.text("root Nov 24 20:40 f"), "root <date> f");
        assert_eq!(names.text("lstat /scenario/x"), "lstat <work>/x");
    }
}
