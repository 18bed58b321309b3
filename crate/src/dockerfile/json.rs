//! The JSON arrays of exec forms, read as Go's `encoding/json` reads them.

use super::limits::MAX_JSON_DEPTH;

/// A string of the array with its place in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct JsonString {
    pub(super) value: String,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Why a text is not an array of strings.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotStrings {
    /// It is not a JSON array at all: the shell form.
    NotArray,
    /// It is an array with something else than strings in it: an error.
    OtherValues,
}

/// Reads an array of strings.
pub(super) fn string_array(text: &str) -> Result<Vec<JsonString>, NotStrings> {
    let mut reader = Reader { text, at: 0 };
    reader.blanks();
    let mut strings = Vec::new();
    let mut others = false;
    reader.expect(b'[')?;
    reader.blanks();
    if reader.peek() == Some(b']') {
        reader.at += 1;
    } else {
        loop {
            reader.blanks();
            let start = reader.at;
            if reader.peek() == Some(b'"') {
                let value = reader.string()?;
                strings.push(JsonString {
                    value,
                    start,
                    end: reader.at,
                });
            } else {
                reader.value(1)?;
                others = true;
            }
            reader.blanks();
            if reader.next()? == b']' {
                break;
            }
            reader.at -= 1;
            reader.expect(b',')?;
        }
    }
    reader.blanks();
    match (reader.at == text.len(), others) {
        (false, _) => Err(NotStrings::NotArray),
        (true, true) => Err(NotStrings::OtherValues),
        (true, false) => Ok(strings),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, NotStrings> {
        let byte = self.peek().ok_or(NotStrings::NotArray)?;
        self.at += 1;
        Ok(byte)
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotStrings> {
        if self.next()? == byte {
            Ok(())
        } else {
            Err(NotStrings::NotArray)
        }
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), NotStrings> {
        if depth > MAX_JSON_DEPTH {
            return Err(NotStrings::NotArray);
        }
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'[') => self.members(b']', depth, false),
            Some(b'{') => self.members(b'}', depth, true),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => self.number(),
        }
    }

    fn members(&mut self, close: u8, depth: usize, keyed: bool) -> Result<(), NotStrings> {
        self.at += 1;
        self.blanks();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.blanks();
            if keyed {
                self.string()?;
                self.blanks();
                self.expect(b':')?;
                self.blanks();
            }
            self.value(depth + 1)?;
            self.blanks();
            match self.next()? {
                b',' => {}
                byte if byte == close => return Ok(()),
                _ => return Err(NotStrings::NotArray),
            }
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), NotStrings> {
        if !self.text[self.at..].starts_with(word) {
            return Err(NotStrings::NotArray);
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), NotStrings> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.next()? {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return Err(NotStrings::NotArray),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.some_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.some_digits()?;
        }
        // A number that is out of range fails to decode, before its type is looked at.
        match self.text[start..self.at].parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(()),
            _ => Err(NotStrings::NotArray),
        }
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), NotStrings> {
        let start = self.at;
        self.digits();
        if self.at > start {
            Ok(())
        } else {
            Err(NotStrings::NotArray)
        }
    }

    fn string(&mut self) -> Result<String, NotStrings> {
        self.expect(b'"')?;
        let mut value = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest
                .find(|c: char| c == '"' || c == '\\' || c < ' ')
                .ok_or(NotStrings::NotArray)?;
            value.push_str(&rest[..plain]);
            self.at += plain;
            match self.next()? {
                b'"' => return Ok(value),
                b'\\' => value.push(self.escape()?),
                _ => return Err(NotStrings::NotArray),
            }
        }
    }

    fn escape(&mut self) -> Result<char, NotStrings> {
        Ok(match self.next()? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex()?;
                if (0xD800..0xDC00).contains(&first) && self.text[self.at..].starts_with("\\u") {
                    let back = self.at;
                    self.at += 2;
                    let second = self.hex()?;
                    if (0xDC00..0xE000).contains(&second) {
                        let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                        return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    }
                    self.at = back;
                }
                char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(NotStrings::NotArray),
        })
    }

    fn hex(&mut self) -> Result<u32, NotStrings> {
        let digits = self
            .text
            .get(self.at..self.at + 4)
            .ok_or(NotStrings::NotArray)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotStrings::NotArray);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| NotStrings::NotArray)
    }
}
