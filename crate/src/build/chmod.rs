//! What `--chmod` does to the mode of each node: BSD's `setmode`, which BuildKit uses.

use crate::dockerfile::chmod::Chmod;

const SET_UID: u32 = 0o4000;
const SET_GID: u32 = 0o2000;
const STICKY: u32 = 0o1000;
const STANDARD: u32 = SET_UID | SET_GID | 0o777;

/// How the mode of a copied node is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ModeEdit {
    /// It is this.
    Set(u32),
    /// The source's mode, with these changes in order.
    Change(Vec<Change>),
}

/// One change of a symbolic mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Sets bits.
    Set(u32),
    /// Clears bits.
    Clear(u32),
    /// Sets bits of directories and of what anybody may execute.
    SetExecute(u32),
    /// Copies the bits of one class to others.
    Copy {
        /// The shift of the class: 6 for user, 3 for group, 0 for others.
        from: u32,
        /// The shifts of the classes that are changed.
        to: [Option<u32>; 3],
        /// Whether bits are set.
        set: bool,
        /// Whether bits are cleared first: all of them if others are set, else those copied.
        clear: bool,
    },
}

impl ModeEdit {
    /// Of a value of `--chmod`.
    pub fn new(chmod: &Chmod) -> ModeEdit {
        match chmod {
            Chmod::Octal(mode) => ModeEdit::Set(*mode),
            Chmod::Symbolic(text) => ModeEdit::Change(symbolic(text.as_bytes())),
        }
    }

    /// The mode of a node that has `mode` in the source.
    pub fn apply(&self, mode: u32, is_dir: bool) -> u32 {
        let changes = match self {
            ModeEdit::Set(mode) => return *mode,
            ModeEdit::Change(changes) => changes,
        };
        let executable = is_dir || mode & 0o111 != 0;
        changes.iter().fold(mode, |new, change| match *change {
            Change::Set(bits) => new | bits,
            Change::Clear(bits) => new & !bits,
            Change::SetExecute(bits) if executable => new | bits,
            Change::SetExecute(_) => new,
            Change::Copy {
                from,
                to,
                set,
                clear,
            } => {
                let value = (new >> from) & 7;
                to.iter().flatten().fold(new, |mut new, shift| {
                    if clear {
                        new &= !(if set { 7 } else { value } << shift);
                    }
                    if set {
                        new |= value << shift;
                    }
                    new
                })
            }
        })
    }
}

/// The changes of clauses that are known to be well formed.
fn symbolic(mut rest: &[u8]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut equal_done = false;
    while !rest.is_empty() {
        let mut who = 0;
        while let Some(class) = rest.first() {
            who |= match class {
                b'a' => STANDARD,
                b'u' => SET_UID | 0o700,
                b'g' => SET_GID | 0o070,
                b'o' => 0o007,
                _ => break,
            };
            rest = &rest[1..];
        }
        // One or more operators for these classes, up to a comma.
        while let Some((&op, after)) = rest.split_first() {
            rest = after;
            if op == b',' {
                break;
            }
            if op == b'=' {
                equal_done = false;
            }
            who &= !STICKY;
            rest = permissions(rest, op, who, &mut equal_done, &mut changes);
        }
    }
    changes
}

/// Reads the permissions behind an operator; gives what is left.
fn permissions<'a>(
    mut rest: &'a [u8],
    op: u8,
    mut who: u32,
    equal_done: &mut bool,
    changes: &mut Vec<Change>,
) -> &'a [u8] {
    let (mut bits, mut execute) = (0, 0);
    loop {
        // Set-ID and sticky bits mean nothing to others alone.
        let special = who == 0 || who & !0o007 != 0;
        match rest.first() {
            Some(b'r') => bits |= 0o444,
            Some(b'w') => bits |= 0o222,
            Some(b'X') if op != b'-' => execute = 0o111,
            Some(b'x' | b'X') => bits |= 0o111,
            Some(b's') if special => bits |= SET_UID | SET_GID,
            Some(b't') if special => {
                who |= STICKY;
                bits |= STICKY;
            }
            Some(b's' | b't') => {}
            Some(class @ (b'u' | b'g' | b'o')) => {
                if bits != 0 {
                    add(changes, op, who, std::mem::take(&mut bits));
                }
                *equal_done |= op == b'=';
                if execute != 0 {
                    add(changes, b'X', who, std::mem::take(&mut execute));
                }
                changes.push(copy_class(*class, who, op));
            }
            _ => {
                if bits != 0 || op == b'=' && !*equal_done {
                    *equal_done |= op == b'=';
                    add(changes, op, who, bits);
                }
                if execute != 0 {
                    add(changes, b'X', who, execute);
                }
                return rest;
            }
        }
        rest = &rest[1..];
    }
}

fn add(changes: &mut Vec<Change>, op: u8, who: u32, bits: u32) {
    let scope = if who == 0 { !0 } else { who };
    match op {
        b'-' => changes.push(Change::Clear(bits & scope)),
        b'X' => changes.push(Change::SetExecute(bits & scope)),
        _ => {
            if op == b'=' {
                changes.push(Change::Clear(if who == 0 { STANDARD } else { who }));
            }
            changes.push(Change::Set(bits & scope));
        }
    }
}

fn copy_class(class: u8, who: u32, op: u8) -> Change {
    let all = who == 0;
    Change::Copy {
        from: match class {
            b'u' => 6,
            b'g' => 3,
            _ => 0,
        },
        to: [
            (all || who & 0o400 != 0).then_some(6),
            (all || who & 0o040 != 0).then_some(3),
            (all || who & 0o004 != 0).then_some(0),
        ],
        set: op != b'-',
        clear: op != b'+',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(text: &str, mode: u32, is_dir: bool) -> String {
        match Chmod::parse(text) {
            Ok(chmod) => format!("{:o}", ModeEdit::new(&chmod).apply(mode, is_dir)),
            Err(error) => error,
        }
    }

    #[test]
    fn symbolic_modes() {
        assert_eq!(apply("04755", 0o600, false), "4755");
        assert_eq!(apply("u=rwX,go=rX", 0o600, false), "644");
        assert_eq!(apply("u=rwX,go=rX", 0o700, true), "755");
        assert_eq!(apply("a+x", 0o644, false), "755");
        assert_eq!(apply("go-r", 0o755, true), "711");
        assert_eq!(apply("g=u", 0o640, false), "660");
        assert_eq!(apply("u+s,g+s,+t", 0o755, false), "7755");
        assert_eq!(apply("=", 0o755, false), "0");
        assert_eq!(apply("go=u-w", 0o755, false), "755");
        assert_eq!(apply("+X", 0o644, false), "644");
        assert_eq!(apply("u+x+w", 0o400, false), "700");
    }
}
