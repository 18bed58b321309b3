//! What models of tools have in common.

use std::cell::RefCell;
use std::rc::Rc;

use super::super::{Call, Exit, Open, Pipe, Stop, cost};
use super::files::{Failed, Files};
use crate::fs::{Content, join, parent};

/// Lets `seconds` pass on the reference machine; the processor's part of them depends on the host.
pub(super) fn work(call: &mut Call<'_, '_>, seconds: f64) {
    let machine = call.kernel.host.machine();
    call.kernel.spend(cost::seconds(machine.cpu * seconds));
}

/// Lets a download of `bytes` take its time.
pub(super) fn transfer(call: &mut Call<'_, '_>, bytes: u64) {
    let machine = call.kernel.host.machine();
    call.kernel.spend(cost::network(machine, bytes));
}

/// Says that the catalog does not know what is asked for.
pub(super) fn estimated(call: &mut Call<'_, '_>, what: &str) -> Result<(), Stop> {
    call.err(format!("layerwise: {what}: sizes are estimates\n"))
}

/// The command is one that is not modelled.
pub(super) fn unknown(call: &mut Call<'_, '_>) -> Exit {
    call.kernel.mark(super::super::Fidelity::NotSimulated);
    Ok(0)
}

/// Prints a line and ends well.
pub(super) fn say(call: &mut Call<'_, '_>, text: &str) -> Exit {
    call.out(format!("{text}\n"))?;
    Ok(0)
}

/// Does nothing that a filesystem shows.
pub(super) fn nothing(_: &mut Call<'_, '_>) -> Exit {
    Ok(0)
}

/// Ends well where the writing went well; else complains as most tools do.
pub(super) fn written(call: &mut Call<'_, '_>, wrote: Result<(), Failed>) -> Exit {
    match wrote {
        Ok(()) => Ok(0),
        Err(failed) => {
            let Failed { path, errno, .. } = failed;
            call.fail(1, format_args!("cannot write {path}: {errno}"))
        }
    }
}

/// The words of a command line: which are options, which take a value, and what is left.
pub(super) struct Words {
    /// Options with their values, in order; a flag has none.
    pub options: Vec<(String, String)>,
    /// The other words.
    pub words: Vec<String>,
}

impl Words {
    /// Reads `args`; the options in `valued` take the next word as their value unless they have
    /// one behind a `=`.
    pub fn of(args: &[String], valued: &[&str]) -> Words {
        let mut read = Words {
            options: Vec::new(),
            words: Vec::new(),
        };
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if arg == "--" {
                read.words.extend(rest.by_ref().cloned());
            } else if !arg.starts_with('-') || arg == "-" {
                read.words.push(arg.clone());
            } else if valued.contains(&arg.as_str()) {
                let value = rest.next().cloned().unwrap_or_default();
                read.options.push((arg.clone(), value));
            } else {
                let (name, value) = arg.split_once('=').unwrap_or((arg, ""));
                read.options.push((name.to_owned(), value.to_owned()));
            }
        }
        read
    }

    /// Whether one of these options is there.
    pub fn has(&self, names: &[&str]) -> bool {
        self.options
            .iter()
            .any(|(name, _)| names.contains(&name.as_str()))
    }

    /// The value of the last of these options.
    pub fn value(&self, names: &[&str]) -> Option<&str> {
        let mut options = self.options.iter().rev();
        let found = options.find(|(name, _)| names.contains(&name.as_str()))?;
        Some(&found.1)
    }

    /// The word at `index`; empty where there are fewer.
    pub fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }
}

/// The nearest directory from the working directory upward that has `name` in it.
pub(super) fn above(call: &mut Call<'_, '_>, name: &str) -> Option<String> {
    let mut dir = call.proc.fs.cwd.clone();
    let files = Files::of(call);
    loop {
        if files.exists(&join(&dir, name)) {
            return Some(dir);
        }
        if dir == "/" {
            return None;
        }
        dir = parent(&dir);
    }
}

/// A variable of the environment; empty where it is not set.
pub(super) fn env(call: &Call<'_, '_>, name: &str) -> String {
    call.proc.env.get(name).unwrap_or_default().to_owned()
}

/// The user's home directory.
pub(super) fn home(call: &Call<'_, '_>) -> String {
    call.proc.env.get("HOME").unwrap_or("/root").to_owned()
}

/// Adds `text` to a file, which is made if it is missing.
pub(super) fn append(files: &mut Files<'_>, path: &str, text: &str) -> Result<(), Failed> {
    let old = files.text(path).unwrap_or_default();
    if old.contains(text) {
        return Ok(());
    }
    files.put(path, Content::new(old + text), 0o644)
}

/// What another program prints; nothing where it cannot be started.
pub(super) fn output(call: &mut Call<'_, '_>, args: &[&str]) -> Result<Vec<u8>, Stop> {
    let pipe = Rc::new(RefCell::new(Pipe::default()));
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let writer = Open::PipeIn(pipe.clone()).fd();
    // That it cannot be started is as if it had printed nothing.
    let _ = call.run_with(&args, |child| {
        child.fds.set(1, Some(writer));
    })?;
    let bytes = std::mem::take(&mut pipe.borrow_mut().bytes);
    Ok(bytes)
}
