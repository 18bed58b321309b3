//! File modes as `chmod` reads them.

/// Applies `spec` (octal, or symbolic clauses) to `mode`; `None` if it is no mode.
///
/// `umask` counts where a clause names nobody (`+x`). An octal spec of a directory keeps its
/// set-ID bits only where it says so.
pub(in crate::run) fn apply(spec: &str, mode: u32, is_dir: bool, umask: u32) -> Option<u32> {
    if spec.starts_with(|c: char| c.is_ascii_digit()) {
        let octal = u32::from_str_radix(spec, 8).ok()?;
        return (octal <= 0o7777).then_some(octal);
    }
    spec.split(',')
        .try_fold(mode, |mode, clause| one(clause, mode, is_dir, umask))
}

fn one(clause: &str, mut mode: u32, is_dir: bool, umask: u32) -> Option<u32> {
    let at = clause.find(['+', '-', '='])?;
    let mut who = 0;
    for c in clause[..at].chars() {
        who |= match c {
            'u' => 0o4700,
            'g' => 0o2070,
            'o' => 0o1007,
            'a' => 0o7777,
            _ => return None,
        };
    }
    // Where nobody is named, everybody is meant, less the umask.
    let mask = if who == 0 { 0o7777 & !umask } else { 0o7777 };
    let who = if who == 0 { 0o7777 } else { who };
    let mut rest = &clause[at..];
    while let Some(op) = rest.chars().next() {
        if !matches!(op, '+' | '-' | '=') {
            return None;
        }
        let end = rest[1..]
            .find(['+', '-', '='])
            .map_or(rest.len(), |end| end + 1);
        let mut bits = 0;
        for c in rest[1..end].chars() {
            bits |= match c {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                'X' if is_dir || mode & 0o111 != 0 => 0o111,
                'X' => 0,
                's' => 0o6000,
                't' => 0o1000,
                'u' => spread(mode >> 6),
                'g' => spread(mode >> 3),
                'o' => spread(mode),
                _ => return None,
            };
        }
        let bits = bits & who & mask;
        match op {
            '+' => mode |= bits,
            '-' => mode &= !bits,
            _ => {
                // A directory keeps its set-ID bits unless they are named.
                let keep = if is_dir { 0o6000 } else { 0 };
                mode = (mode & !(who & 0o7777 & !keep)) | bits;
            }
        }
        rest = &rest[end..];
    }
    Some(mode)
}

/// Three permission bits for everybody.
fn spread(bits: u32) -> u32 {
    (bits & 7) * 0o111
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbolic_modes() {
        let apply = |spec, mode| apply(spec, mode, false, 0o022);
        assert_eq!(apply("u+x,go-w", 0o666), Some(0o744));
        assert_eq!(apply("+w", 0o444), Some(0o644));
        assert_eq!(apply("a+w", 0o444), Some(0o666));
        assert_eq!(apply("g=u", 0o750), Some(0o770));
        assert_eq!(apply("u+s,+t", 0o755), Some(0o5755));
        assert_eq!(apply("o=", 0o777), Some(0o770));
        assert_eq!(apply("+X", 0o644), Some(0o644));
        assert_eq!(apply("+X", 0o744), Some(0o755));
        assert_eq!(apply("4755", 0), Some(0o4755));
        assert_eq!(apply("99", 0), None);
        assert_eq!(apply("u!x", 0), None);
    }
}
