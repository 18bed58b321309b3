//! Directories as rows.

use crate::fs::{Fs, Ino, Inode, Kind};

use super::{NodeKind, Row};

/// A row of what the inode alone tells.
pub fn row(fs: &Fs, path: String, ino: Ino) -> Row {
    let inode = fs.inode(ino);
    let name = path.rsplit('/').next().unwrap_or_default().to_string();
    let weight = weigh(fs, ino);
    Row {
        path,
        name,
        node: node_kind(inode),
        mode: inode.meta.mode,
        owner: [inode.meta.uid, inode.meta.gid],
        size: weight.bytes,
        modelled: weight.modelled,
        target: inode.link_target().map(String::from),
        entries: inode.dir().map_or(0, |dir| dir.len() as u32),
        change: None,
        layer: None,
        hides: Vec::new(),
        ignored: None,
        rules: Vec::new(),
        edited: false,
    }
}

/// What a row calls the inode.
pub fn node_kind(inode: &Inode) -> NodeKind {
    match inode.kind {
        Kind::File(_) => NodeKind::File,
        Kind::Dir(_) => NodeKind::Dir,
        Kind::Symlink(_) => NodeKind::Symlink,
        _ => NodeKind::Special,
    }
}

/// What the files from an inode on weigh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Their bytes, nominal where a file is a stand-in.
    pub bytes: u64,
    /// Whether a stand-in is among them.
    pub modelled: bool,
}

/// The weight of everything from `ino` on. A file with several names counts once a name.
pub fn weigh(fs: &Fs, ino: Ino) -> Weight {
    let mut weight = Weight::default();
    let mut add = |inode: &Inode| {
        if let Some(content) = inode.file() {
            weight.bytes += content.size();
            weight.modelled |= content.is_stand_in();
        }
    };
    add(fs.inode(ino));
    fs.walk(ino).for_each(|entry| add(entry.inode));
    weight
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a path fits a pattern: it contains it, or, where the pattern has `*` or `?`, it is
/// matched by it as a whole. `*` goes over slashes.
pub fn fits(pattern: &str, path: &str) -> bool {
    if !pattern.contains(['*', '?']) {
        return path.contains(pattern);
    }
    let (pattern, path): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), path.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < path.len() {
        match pattern.get(p) {
            Some('*') => {
                back = Some((p, t));
                p += 1;
            }
            Some(letter) if *letter == '?' || *letter == path[t] => {
                p += 1;
                t += 1;
            }
            // The last star takes one character more.
            _ => match back {
                Some((star, at)) => {
                    back = Some((star, at + 1));
                    p = star + 1;
                    t = at + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn patterns() {
        assert!(fits("app", "src/app.js"));
        assert!(fits("*.js", "src/app.js"));
        assert!(fits("src/*p?js", "src/app.js"));
        assert!(!fits("*.ts", "src/app.js"));
        assert!(fits("*a*b*", "xxaxxbxx"));
        assert!(!fits("a?", "a"));
    }
}
