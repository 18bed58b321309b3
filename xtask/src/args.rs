//! The command line of a command: flags, options with a value, and the words that are left.

use crate::Failure;

/// Arguments that have not been asked for yet. A command takes what it knows and calls
/// [`Args::rest`] or [`Args::none_left`], which refuse what it does not know.
pub struct Args {
    words: Vec<String>,
}

impl Args {
    /// The arguments behind a command's name.
    pub fn new(words: impl Iterator<Item = String>) -> Self {
        Self {
            words: words.collect(),
        }
    }

    /// Whether help is asked for.
    pub fn wants_help(&self) -> bool {
        self.words
            .iter()
            .any(|word| word == "--help" || word == "-h")
    }

    /// Takes the flag `name` (`--json`); says whether it was there.
    pub fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() < before
    }

    /// Takes the option `name` with its value: `--filter X` or `--filter=X`.
    ///
    /// # Errors
    ///
    /// The option stands last, without a value.
    pub fn option(&mut self, name: &str) -> Result<Option<String>, Failure> {
        let prefix = format!("{name}=");
        let Some(at) = self
            .words
            .iter()
            .position(|w| w == name || w.starts_with(&prefix))
        else {
            return Ok(None);
        };
        let word = self.words.remove(at);
        if let Some(value) = word.strip_prefix(&prefix) {
            return Ok(Some(value.to_owned()));
        }
        if at == self.words.len() {
            return Err(format!("{name} needs a value").into());
        }
        Ok(Some(self.words.remove(at)))
    }

    /// The words that are neither flags nor options.
    ///
    /// # Errors
    ///
    /// A flag is left that nobody asked for.
    pub fn rest(self) -> Result<Vec<String>, Failure> {
        match self
            .words
            .iter()
            .find(|word| word.starts_with('-') && word.len() > 1)
        {
            Some(unknown) => Err(format!("unknown option `{unknown}`").into()),
            None => Ok(self.words),
        }
    }

    /// Ends a command line that takes no further words.
    ///
    /// # Errors
    ///
    /// Something is left.
    pub fn none_left(self) -> Result<(), Failure> {
        match self.rest()?.first() {
            Some(word) => Err(format!("unexpected argument `{word}`").into()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn takes_flags_options_and_words_in_any_order() {
        let mut args = args("one --filter x --json two --only=native");
        assert!(args.flag("--json"));
        assert!(!args.flag("--json"));
        assert_eq!(args.option("--filter").ok().flatten().as_deref(), Some("x"));
        assert_eq!(
            args.option("--only").ok().flatten().as_deref(),
            Some("native")
        );
        assert_eq!(
            args.rest().ok(),
            Some(vec!["one".to_owned(), "two".to_owned()])
        );
    }

    #[test]
    fn refuses_what_nobody_asked_for() {
        assert!(args("--jsn").rest().is_err());
        assert!(args("word").none_left().is_err());
        assert!(args("--filter").option("--filter").is_err());
    }
}
