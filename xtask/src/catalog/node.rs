//! A file of a layer listing.

use std::fmt;

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file; with a text, its real content.
    File { size: u64, text: Option<String> },
    /// A directory.
    Dir,
    /// A symbolic link.
    Link(String),
    /// A further name of an earlier file.
    HardLink(String),
}

/// A node with its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub kind: Kind,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
}

impl Node {
    /// A file of `size` bytes whose content is not known.
    pub fn file(size: u64, mode: u32) -> Node {
        Node::new(Kind::File { size, text: None }, mode)
    }

    /// A file with this content.
    pub fn text(text: impl Into<String>, mode: u32) -> Node {
        let text = text.into();
        let kind = Kind::File {
            size: text.len() as u64,
            text: Some(text),
        };
        Node::new(kind, mode)
    }

    /// A directory.
    pub fn dir(mode: u32) -> Node {
        Node::new(Kind::Dir, mode)
    }

    /// A symbolic link.
    pub fn link(target: impl Into<String>) -> Node {
        Node::new(Kind::Link(target.into()), 0o777)
    }

    fn new(kind: Kind, mode: u32) -> Node {
        Node {
            kind,
            mode,
            uid: 0,
            gid: 0,
        }
    }

    /// The same with an owner.
    pub fn owned(mut self, uid: u32, gid: u32) -> Node {
        (self.uid, self.gid) = (uid, gid);
        self
    }

    /// The bytes that it adds to a layer.
    pub fn size(&self) -> u64 {
        match self.kind {
            Kind::File { size, .. } => size,
            _ => 0,
        }
    }

    /// The text, where it is known.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::File { text, .. } => text.as_deref(),
            _ => None,
        }
    }
}

/// Its line of a listing, without the path: type, mode, owner, size, and link target or text. A
/// usual mode, root as the owner and a text's own length are left out, and so are empty columns at
/// the end.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (letter, usual, size, last) = match &self.kind {
            Kind::File { size, text: None } => ("f", 0o644, size.to_string(), String::new()),
            Kind::File {
                size,
                text: Some(text),
            } => {
                let own = text.len() as u64 == *size;
                let size = if own { String::new() } else { size.to_string() };
                let text = serde_json::Value::from(text.as_str()).to_string();
                ("f", 0o644, size, text)
            }
            Kind::Dir => ("d", 0o755, String::new(), String::new()),
            Kind::Link(target) => ("l", 0o777, String::new(), target.clone()),
            Kind::HardLink(first) => ("h", 0o755, String::new(), first.clone()),
        };
        let hard = matches!(self.kind, Kind::HardLink(_));
        let mode = if self.mode == usual || hard {
            String::new()
        } else {
            format!("{:o}", self.mode)
        };
        let owner = match (self.uid, self.gid) {
            (0, 0) => String::new(),
            _ if hard => String::new(),
            (uid, gid) => format!("{uid}:{gid}"),
        };
        let line = [letter, &mode, &owner, &size, &last].join("\t");
        f.write_str(line.trim_end_matches('\t'))
    }
}
