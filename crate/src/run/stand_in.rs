//! Stand-ins: short bytes that say what they stand for and how much that weighs.
//!
//! The bytes travel through pipes and archives, which know nothing of nominal sizes. So the size is
//! written into them, and who unpacks an archive [finds it again](recognise).

use crate::fs::{Content, base_name};

const MARK: &str = "stand-in for ";

/// Content that stands for `size` bytes of `what`.
pub fn stand_in(what: &str, size: u64) -> Content {
    if size == 0 {
        return Content::default();
    }
    Content::stand_in(text(what, size), size)
}

/// The bytes of a stand-in.
pub fn text(what: &str, size: u64) -> String {
    format!("{MARK}{what}: {size} bytes\n")
}

/// A program's binary that stands for `size` bytes.
pub fn program(path: &str, what: &str, size: u64) -> Content {
    Content::stand_in(binary(base_name(path), what, size), size)
}

/// The bytes of a program that is called `name`.
pub fn binary(name: &str, what: &str, size: u64) -> String {
    format!("\x7fELFprogram {name}\n{}", text(what, size))
}

/// The bytes as what they are: a stand-in, if they say so.
pub fn recognise(bytes: Vec<u8>) -> Content {
    match declared(&bytes) {
        Some((_, size)) => Content::stand_in(bytes, size),
        None => Content::new(bytes),
    }
}

/// What a stand-in stands for, and its size.
pub fn declared(bytes: &[u8]) -> Option<(&str, u64)> {
    // Nothing else is as short and ends like this.
    if bytes.len() > 4096 || !bytes.ends_with(b" bytes\n") {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let line = match text.strip_prefix("\x7fELFprogram ") {
        Some(rest) => rest.split_once('\n')?.1,
        None => text,
    };
    let line = line.strip_prefix(MARK)?.strip_suffix(" bytes\n")?;
    let (what, size) = line.rsplit_once(": ")?;
    Some((what, size.parse().ok().filter(|_| !what.contains('\n'))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_is_known_by_its_bytes() {
        let content = program("/usr/bin/x", "x 1.0: all of it", 1234);
        assert_eq!(declared(content.bytes()), Some(("x 1.0: all of it", 1234)));
        assert_eq!(recognise(content.bytes().to_vec()), content);
        let other = recognise(b"a stand-in for x: 12 bytes\n".to_vec());
        assert!(!other.is_stand_in());
    }
}
