//! Traps and signals.

use std::rc::Rc;

use super::super::{Exit, Kernel, Stop};
use super::{Jump, Result, Shell};

/// Signal names by number, where a script names them.
const NAMES: [(&str, u8); 14] = [
    ("EXIT", 0),
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ABRT", 6),
    ("KILL", 9),
    ("USR1", 10),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("CHLD", 17),
    ("ERR", 64),
    ("DEBUG", 65),
];

/// The number of a signal by name or number.
pub(in crate::run) fn number(text: &str) -> Option<u8> {
    if let Ok(number) = text.parse::<u8>() {
        return (number <= 64).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
    NAMES
        .iter()
        .find(|(name, _)| *name == bare)
        .map(|(_, number)| *number)
}

fn name(number: u8) -> String {
    let found = NAMES.iter().find(|(_, n)| *n == number);
    found.map_or(number.to_string(), |(name, _)| (*name).to_string())
}

impl Shell {
    /// Runs the exit trap, once, and gives the shell's exit code.
    pub(super) fn exit_trap(&mut self, k: &mut Kernel<'_>, code: i32) -> Exit {
        let Some(action) = self
            .traps
            .get(&0)
            .cloned()
            .filter(|action| !action.is_empty())
        else {
            return Ok(code);
        };
        Rc::make_mut(&mut self.traps).remove(&0);
        self.status = code;
        self.in_trap = true;
        match self.run_text(k, &action, false) {
            Err(Jump::Exit(code)) => Ok(code),
            Err(Jump::Stop(stop)) => Err(stop),
            _ => Ok(code),
        }
    }

    pub(super) fn trap(&mut self, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
        let rest = match args.get(1).map(String::as_str) {
            Some("--") => &args[2..],
            _ => &args[1..],
        };
        let Some(first) = rest.first() else {
            let mut out = String::new();
            for (number, action) in self.traps.iter() {
                out += &format!("trap -- {} {}\n", super::exec::quote(action), name(*number));
            }
            self.out(k, out)?;
            return Ok(0);
        };
        let (action, signals) = match rest.len() {
            1 => (None, rest),
            _ => (Some(first).filter(|action| *action != "-"), &rest[1..]),
        };
        let mut status = 0;
        for signal in signals {
            let Some(number) = number(signal) else {
                self.complain(k, format!("{signal}: invalid signal specification"))?;
                status = 1;
                continue;
            };
            let traps = Rc::make_mut(&mut self.traps);
            match action {
                Some(action) => traps.insert(number, action.clone()),
                None => traps.remove(&number),
            };
        }
        Ok(status)
    }

    /// `kill`: the shell itself and its subshells are the only processes that are alive.
    pub(super) fn kill(&mut self, k: &mut Kernel<'_>, args: &[String]) -> Result<i32> {
        let mut signal = 15;
        let mut at = 1;
        match args.get(1).map(String::as_str) {
            Some("-l") => {
                let names = NAMES.iter().filter(|(_, n)| (1..64).contains(n));
                let names: Vec<&str> = names.map(|(name, _)| *name).collect();
                self.out(k, names.join(" ") + "\n")?;
                return Ok(0);
            }
            Some("-s") => {
                signal = args.get(2).and_then(|name| number(name)).unwrap_or(15);
                at = 3;
            }
            Some(option) if option.starts_with('-') && option != "--" => {
                let Some(number) = number(&option[1..]) else {
                    self.complain(k, format!("bad signal name '{}'", &option[1..]))?;
                    return Ok(1);
                };
                signal = number;
                at = 2;
            }
            _ => {}
        }
        let mut status = 0;
        for target in args.get(at..).unwrap_or_default() {
            let Ok(pid) = target.parse::<u32>() else {
                self.complain(k, format!("invalid number '{target}'"))?;
                status = 1;
                continue;
            };
            if pid == self.proc.pid || pid == self.shell_pid {
                self.signalled(k, signal)?;
            } else if !self.jobs.iter().any(|(job, _)| *job == pid) {
                self.complain(k, format!("can't kill pid {pid}: No such process"))?;
                status = 1;
            }
        }
        Ok(status)
    }

    /// A signal arrives. Process 1 of a container does not die of one that it does not handle.
    fn signalled(&mut self, k: &mut Kernel<'_>, signal: u8) -> Result<()> {
        if signal == 0 {
            return Ok(());
        }
        match self.traps.get(&signal).cloned() {
            Some(action) if signal != 9 => {
                if !action.is_empty() {
                    let status = self.status;
                    self.run_text(k, &action, false)?;
                    self.status = status;
                }
                Ok(())
            }
            _ if self.proc.pid == 1 || self.shell_pid == 1 || signal == 17 => Ok(()),
            _ => Err(Jump::Stop(Stop::Killed(signal))),
        }
    }
}
