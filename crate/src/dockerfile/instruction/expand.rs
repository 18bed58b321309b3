//! Which words of an instruction variables are expanded in.

use super::mount::parse_mount;
use super::{Command, Instruction, KeyValue, Transfer};

/// Expands one word; the error is BuildKit's text.
pub type Expander<'a> = &'a mut dyn FnMut(&str) -> Result<String, String>;

impl Instruction {
    /// Expands the words BuildKit expands, in its order: keys and values of ENV and LABEL; of ADD
    /// and COPY `--chown`, `--chmod`, `--checksum`, sources, destination; mounts; the path of
    /// WORKDIR, the user, the signal, the volumes. ARG is left to the caller, which may not need
    /// the default; the ports of EXPOSE are split when expanded, see
    /// [`Lexer::expand`](crate::dockerfile::expand::Lexer::expand).
    ///
    /// # Errors
    ///
    /// The expander's, or what is wrong with a mount once its values are known. What was expanded
    /// before stays expanded.
    pub fn expand(&mut self, expander: Expander<'_>) -> Result<(), String> {
        match &mut self.command {
            Command::Env(pairs) | Command::Label(pairs) => expand_pairs(pairs, expander),
            Command::Add(add) => {
                expand_word(&mut add.transfer.chown, expander)?;
                expand_word(&mut add.transfer.chmod, expander)?;
                expand_word(&mut add.checksum, expander)?;
                expand_transfer(&mut add.transfer, expander)
            }
            Command::Copy(copy) => {
                expand_word(&mut copy.transfer.chown, expander)?;
                expand_word(&mut copy.transfer.chmod, expander)?;
                expand_transfer(&mut copy.transfer, expander)
            }
            Command::Run(run) => {
                let mut mounts = Vec::with_capacity(run.mount_flags.len());
                for text in &run.mount_flags {
                    mounts.push(parse_mount(text, Some(expander))?);
                }
                run.mounts = mounts;
                Ok(())
            }
            Command::Workdir(word) | Command::User(word) | Command::StopSignal(word) => {
                expand_word(word, expander)
            }
            Command::Volume(words) => words.iter_mut().try_for_each(|w| expand_word(w, expander)),
            _ => Ok(()),
        }
    }

    /// Expands the here-documents of ADD and COPY, quotes taken as they are. BuildKit uses `\` as
    /// the escape character here, whatever the `escape` directive says.
    ///
    /// # Errors
    ///
    /// The expander's.
    pub fn expand_contents(&mut self, expander: Expander<'_>) -> Result<(), String> {
        let contents = match &mut self.command {
            Command::Add(add) => &mut add.transfer.contents,
            Command::Copy(copy) => &mut copy.transfer.contents,
            _ => return Ok(()),
        };
        contents
            .iter_mut()
            .filter(|content| content.expand)
            .try_for_each(|content| expand_word(&mut content.data, expander))
    }
}

fn expand_word(word: &mut String, expander: Expander<'_>) -> Result<(), String> {
    *word = expander(word)?;
    Ok(())
}

fn expand_pairs(pairs: &mut [KeyValue], expander: Expander<'_>) -> Result<(), String> {
    for pair in pairs {
        let key = expander(&pair.key)?;
        pair.value = expander(&pair.value)?;
        pair.key = key;
    }
    Ok(())
}

fn expand_transfer(transfer: &mut Transfer, expander: Expander<'_>) -> Result<(), String> {
    transfer
        .sources
        .iter_mut()
        .try_for_each(|source| expand_word(source, expander))?;
    expand_word(&mut transfer.dest, expander)
}
