//! The values of `--chmod`: octal, or symbolic as `chmod` takes them.
//!
//! Source: BuildKit `dockerfile2llb/convert_copy.go` and `tonistiigi/dchapes-mode`.

/// The highest mode: permissions, setuid, setgid, sticky.
const MAX_MODE: u32 = 0o7777;

/// A value of `--chmod`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chmod {
    /// The mode itself.
    Octal(u32),
    /// Clauses to apply to each file's own mode: `u+x,g=u`.
    Symbolic(String),
}

impl Chmod {
    /// Reads a value.
    ///
    /// # Errors
    ///
    /// BuildKit's text for a value that is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let not_octal = || {
            Err(format!(
                "invalid chmod parameter: '{text}'. it should be octal string and between 0 and \
                 07777"
            ))
        };
        match super::golang::parse_u32(text, 8) {
            Some(mode) if mode <= MAX_MODE => Ok(Self::Octal(mode)),
            Some(_) => not_octal(),
            None if text.starts_with(|c: char| c.is_ascii_digit()) => not_octal(),
            None if is_symbolic(text) => Ok(Self::Symbolic(text.to_owned())),
            None => Err("invalid syntax".to_owned()),
        }
    }
}

/// Clauses of who, operators and permissions, separated by commas.
fn is_symbolic(text: &str) -> bool {
    text.split(',').all(|clause| {
        let rest = clause.trim_start_matches(['a', 'u', 'g', 'o']);
        rest.starts_with(['+', '-', '='])
            && rest.chars().all(|c| {
                matches!(
                    c,
                    '+' | '-' | '=' | 'r' | 's' | 't' | 'w' | 'X' | 'x' | 'u' | 'g' | 'o'
                )
            })
    })
}
