//! The signals of STOPSIGNAL. Source: `moby/sys/signal` on Linux.

const NAMES: &[&str] = &[
    "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
    "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP",
    "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX",
];

/// Checks a signal: a number other than 0, or a name in any case with or without `SIG`.
///
/// # Errors
///
/// BuildKit's text for an unknown signal.
pub fn check_signal(text: &str) -> Result<(), String> {
    let known = match text.parse::<i64>() {
        Ok(number) => number != 0,
        Err(_) => {
            let upper = text.to_uppercase();
            let name = upper.strip_prefix("SIG").unwrap_or(&upper);
            NAMES.contains(&name) || real_time(name, "RTMIN+", 15) || real_time(name, "RTMAX-", 14)
        }
    };
    if known {
        Ok(())
    } else {
        Err(format!("invalid signal: {text}"))
    }
}

/// `RTMIN+1` to `RTMIN+15`, `RTMAX-1` to `RTMAX-14`.
fn real_time(name: &str, prefix: &str, last: u32) -> bool {
    name.strip_prefix(prefix)
        .is_some_and(|digits| (1..=last).any(|number| number.to_string() == digits))
}
