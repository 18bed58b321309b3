//! passwd and chpasswd.

use super::super::super::{Call, Exit, Flavour, users};
use super::super::opts::{Grammar, parse};
use super::database::{self, PASSWD, SHADOW};
use super::today;

/// What takes the place of a hash. The real one would need a salt that is drawn at random.
const HASHED: &str = "$6$layerwise$";

/// Sets a user's password field, in `/etc/shadow` if the user has a line there.
fn set(call: &mut Call<'_, '_>, name: &str, new: impl Fn(&str) -> String) {
    let day = today(call).max(1).to_string();
    let shadow = database::lines(call, SHADOW).unwrap_or_default();
    let path = match shadow.iter().any(|line| database::is_of(line, name)) {
        true => SHADOW,
        false => PASSWD,
    };
    let _ = database::change(call, path, |lines| {
        if let Some(line) = database::find(lines, name) {
            let old = line.split(':').nth(1).unwrap_or_default().to_string();
            database::set_field(line, 1, &new(&old));
            if path == SHADOW {
                database::set_field(line, 2, &day);
            }
        }
    });
}

/// Asks for a new password: standard input is empty, and it stays as it is.
pub(super) fn ask(call: &mut Call<'_, '_>, name: &str) -> Exit {
    if call.flavour() == Flavour::Gnu {
        call.err("New password: Password change has been aborted.\n")?;
        let text = "Authentication token manipulation error\npasswd: password unchanged\n";
        call.err(format!("passwd: {text}"))?;
        return Ok(10);
    }
    let line = format!("Changing password for {name}\nNew password: ");
    call.out(line)?;
    let answers = call.stdin()?;
    let mut answers = super::super::input::lines(&answers);
    let first = answers
        .next()
        .filter(|first| !first.is_empty())
        .map(<[u8]>::to_vec);
    call.out("\n")?;
    let Some(first) = first else {
        return call.fail(1, format_args!("password for {name} is unchanged"));
    };
    call.out("Retype password: \n")?;
    if answers.next() != Some(&first) {
        call.err("Passwords don't match\n")?;
        return call.fail(1, format_args!("password for {name} is unchanged"));
    }
    set(call, name, |_| HASHED.to_string());
    call.complain(format_args!("password for {name} changed by root"))?;
    Ok(0)
}

pub(super) fn passwd(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "a:ludSen:x:w:i:q",
            long: &[
                "lock", "unlock", "delete", "status", "expire", "stdin", "quiet",
            ],
        },
    )?;
    let name = match opts.operands.first() {
        Some(name) => name.clone(),
        None => users::user_by_id(call.kernel.vfs, call.proc.fs.cred.uid)
            .map_or("root".to_string(), |user| user.name),
    };
    if users::user(call.kernel.vfs, &name).is_none() {
        let text = match call.flavour() {
            Flavour::Busybox => format!("unknown user {name}"),
            Flavour::Gnu => format!("user '{name}' does not exist"),
        };
        return call.fail(1, text);
    }
    let busybox = call.flavour() == Flavour::Busybox;
    let done = if opts.has(&["l", "lock"]) {
        set(call, &name, |old| match old.starts_with('!') {
            true => old.to_string(),
            false => format!("!{old}"),
        });
        "password changed."
    } else if opts.has(&["u", "unlock"]) {
        set(call, &name, |old| {
            old.strip_prefix('!').unwrap_or(old).to_string()
        });
        "password changed."
    } else if opts.has(&["d", "delete"]) {
        set(call, &name, |_| String::new());
        "password changed."
    } else if opts.has(&["e", "expire"]) {
        let _ = database::change(call, SHADOW, |lines| {
            if let Some(line) = database::find(lines, &name) {
                database::set_field(line, 2, "0");
            }
        });
        "password changed."
    } else {
        return ask(call, &name);
    };
    match busybox {
        true => call.complain(format_args!("password for {name} changed by root"))?,
        false => call.complain(done)?,
    }
    Ok(0)
}

pub(super) fn chpasswd(call: &mut Call<'_, '_>) -> Exit {
    let opts = parse(
        call,
        Grammar {
            short: "emc:s:R:",
            long: &["encrypted", "md5", "crypt-method="],
        },
    )?;
    if !database::is_root(call) {
        return call.fail(1, "permission denied (are you root?)");
    }
    let input = call.stdin()?;
    let mut code = 0;
    for (at, line) in super::super::input::lines(&input).enumerate() {
        let line = String::from_utf8_lossy(line).into_owned();
        let Some((name, password)) = line.split_once(':') else {
            let text = match call.flavour() {
                Flavour::Busybox => "missing new password".to_string(),
                Flavour::Gnu => format!("line {}: missing new password", at + 1),
            };
            return call.fail(1, text);
        };
        if users::user(call.kernel.vfs, name).is_none() {
            if call.flavour() == Flavour::Busybox {
                return call.fail(1, format_args!("unknown user {name}"));
            }
            call.err(format!(
                "chpasswd: (user {name}) pam_chauthtok() failed, error:\n\
                 Authentication token manipulation error\n"
            ))?;
            let text = format!("(line {}, user {name}) password not changed", at + 1);
            code = call.fail(1, text)?;
            continue;
        }
        let new = match opts.has(&["e", "encrypted"]) {
            true => password.to_string(),
            false => HASHED.to_string(),
        };
        set(call, name, |_| new.clone());
        if call.flavour() == Flavour::Busybox {
            call.err(format!("chpasswd: password for '{name}' changed\n"))?;
        }
    }
    Ok(code)
}
