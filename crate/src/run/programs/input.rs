//! The input of a filter: its operands, or standard input.

use super::super::{Call, Stop};

/// How a program names an operand that it cannot open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::run) enum Wording {
    /// `NAME: REASON`
    Plain,
    /// `can't open 'NAME': REASON` in busybox.
    CannotOpen,
}

/// An operand and its bytes.
pub(in crate::run) type Input = (String, Vec<u8>);

/// The bytes of each operand, `-` being standard input, which is also what no operand means.
/// Complains about those that cannot be read, and says whether there were such.
///
/// # Errors
/// As [`Call::slurp`].
pub(in crate::run) fn read(
    call: &mut Call<'_, '_>,
    operands: &[String],
    wording: Wording,
) -> Result<(Vec<Input>, bool), Stop> {
    let standard = ["-".to_string()];
    let operands = if operands.is_empty() {
        &standard
    } else {
        operands
    };
    let mut inputs = Vec::new();
    let mut failed = false;
    for path in operands {
        match call.slurp(path)? {
            Ok(bytes) => inputs.push((path.clone(), bytes)),
            Err(errno) => {
                failed = true;
                let busybox = call.flavour() == super::super::Flavour::Busybox;
                let opened = errno != crate::fs::Errno::Eisdir;
                match (wording == Wording::CannotOpen && busybox, opened) {
                    (true, true) => {
                        call.complain(format_args!("can't open '{path}': {errno}"))?;
                    }
                    (true, false) => call.complain(format_args!("read error: {errno}"))?,
                    _ => call.complain(format_args!("{path}: {errno}"))?,
                }
            }
        }
    }
    Ok((inputs, failed))
}

/// The lines of `bytes`, each with its newline if it has one.
pub(in crate::run) fn lines(bytes: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    bytes.split_inclusive(|b| *b == b'\n')
}

/// A line without its newline.
pub(in crate::run) fn chomp(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}
