//! curl and wget, against the simulated network.

use super::super::{Call, Exit, Stop, cost};
use super::files::{Failed, Files};
use super::table::human;
use super::tool::{self, Words};
use crate::fs::{Content, base_name};

/// `curl`.
pub(super) fn curl(call: &mut Call<'_, '_>) -> Exit {
    let args = std::mem::take(&mut call.args);
    let mut urls = Vec::new();
    let mut output = None;
    let (mut remote_name, mut fail, mut silent, mut head) = (false, false, false, false);
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        // The letters of `arg` that are flags, and the value if the last one takes one.
        let Some(flags) = arg.strip_prefix('-').filter(|flags| !flags.is_empty()) else {
            urls.push(arg.clone());
            continue;
        };
        if let Some(long) = flags.strip_prefix('-') {
            match long {
                "output" => output = rest.next().cloned(),
                "remote-name" => remote_name = true,
                "fail" | "fail-with-body" => fail = true,
                "silent" => silent = true,
                "head" => head = true,
                "version" => {
                    call.out("curl 7.88.1 (x86_64-pc-linux-gnu)\n")?;
                    return Ok(0);
                }
                "url" => urls.extend(rest.next().cloned()),
                "header" | "user" | "user-agent" | "data" | "request" | "retry" | "max-time"
                | "connect-timeout" | "retry-delay" | "cacert" | "proto" | "data-raw"
                | "retry-max-time" | "form" | "referer" | "cookie" | "proxy" | "write-out"
                | "range" | "output-dir" => {
                    rest.next();
                }
                _ => {}
            }
            continue;
        }
        for (at, letter) in flags.char_indices() {
            let mut value = || match &flags[at + letter.len_utf8()..] {
                "" => rest.next().cloned(),
                inline => Some(inline.to_owned()),
            };
            match letter {
                'o' => output = value(),
                'O' => remote_name = true,
                'f' => fail = true,
                's' => silent = true,
                'I' => head = true,
                'H' | 'u' | 'A' | 'd' | 'X' | 'm' | 'F' | 'e' | 'b' | 'x' | 'w' | 'r' | 'T'
                | 'c' | 'E' | 'K' | 'y' | 'Y' | 'z' | 'C' | 'P' | 'Q' | 't' => {
                    value();
                }
                _ => {}
            }
            if matches!(
                letter,
                'o' | 'H'
                    | 'u'
                    | 'A'
                    | 'd'
                    | 'X'
                    | 'm'
                    | 'F'
                    | 'e'
                    | 'b'
                    | 'x'
                    | 'w'
                    | 'r'
                    | 'T'
                    | 'c'
                    | 'E'
                    | 'K'
                    | 'y'
                    | 'Y'
                    | 'z'
                    | 'C'
                    | 'P'
                    | 'Q'
                    | 't'
            ) {
                break;
            }
        }
    }
    if urls.is_empty() {
        call.err("curl: no URL specified!\n")?;
        return Ok(2);
    }
    for url in &urls {
        let Some(response) = get(call, url) else {
            let host = host(url);
            call.err(format!("curl: (6) Could not resolve host: {host}\n"))?;
            return Ok(6);
        };
        if fail && response.0 >= 400 {
            let status = response.0;
            call.err(format!(
                "curl: (22) The requested URL returned error: {status}\n"
            ))?;
            return Ok(22);
        }
        if head {
            call.out(format!("HTTP/2 {}\n\n", response.0))?;
            continue;
        }
        let name = base_name(url.split(['?', '#']).next().unwrap_or_default()).to_owned();
        let target = output.clone().or(remote_name.then_some(name));
        match target.filter(|target| target != "-") {
            None => call.out(response.1.bytes())?,
            Some(target) => {
                if target.is_empty() {
                    call.err("curl: Remote file name has no length!\n")?;
                    return Ok(23);
                }
                let shown = human(response.1.size());
                if let Err(failed) = save(call, &target, response.1) {
                    call.err(format!(
                        "curl: (23) Failure writing output to destination ({})\n",
                        failed.errno
                    ))?;
                    return Ok(23);
                }
                if !silent {
                    call.err(format!("100 {shown} {target}\n"))?;
                }
            }
        }
    }
    Ok(0)
}

/// `wget`, GNU's and busybox's.
pub(super) fn wget(call: &mut Call<'_, '_>) -> Exit {
    let args = std::mem::take(&mut call.args);
    let mut urls = Vec::new();
    let (mut output, mut dir, mut quiet) = (None, None, false);
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if let Some(value) = arg.strip_prefix("--output-document=") {
            output = Some(value.to_owned());
        } else if let Some(value) = arg.strip_prefix("--directory-prefix=") {
            dir = Some(value.to_owned());
        } else if arg.starts_with("--") {
            quiet |= arg == "--quiet";
        } else if let Some(flags) = arg.strip_prefix('-') {
            for (at, letter) in flags.char_indices() {
                let mut value = || match &flags[at + letter.len_utf8()..] {
                    "" => rest.next().cloned(),
                    inline => Some(inline.to_owned()),
                };
                match letter {
                    'O' => output = value(),
                    'P' => dir = value(),
                    'q' => quiet = true,
                    'T' | 't' | 'U' | 'w' | 'o' | 'e' => {
                        value();
                    }
                    // `-nv`, `-nc` and their like.
                    'n' => {}
                    _ => continue,
                }
                if letter != 'q' {
                    break;
                }
            }
        } else {
            urls.push(arg.clone());
        }
    }
    if urls.is_empty() {
        call.err("wget: missing URL\n")?;
        return Ok(1);
    }
    for url in &urls {
        let Some((status, body)) = get(call, url) else {
            let host = host(url);
            call.err(format!("wget: unable to resolve host address ‘{host}’\n"))?;
            return Ok(4);
        };
        if status >= 400 {
            call.err(format!("ERROR {status}\n"))?;
            return Ok(8);
        }
        if output.as_deref() == Some("-") {
            call.out(body.bytes())?;
            continue;
        }
        let name = match base_name(url.split(['?', '#']).next().unwrap_or_default()) {
            name if !name.is_empty() && url.matches('/').count() > 2 => name,
            _ => "index.html",
        };
        let target = match (&output, &dir) {
            (Some(output), _) => output.clone(),
            (None, Some(dir)) => format!("{dir}/{name}"),
            (None, None) => name.to_owned(),
        };
        let size = human(body.size());
        if let Err(failed) = save(call, &target, body) {
            call.err(format!("{target}: {}\n", failed.errno))?;
            return Ok(3);
        }
        if !quiet {
            call.err(format!("‘{target}’ saved [{size}]\n"))?;
        }
    }
    Ok(0)
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':', '?']).next().unwrap_or_default()
}

/// What the address answers; it takes its time. Without an answer the host is not there.
fn get(call: &mut Call<'_, '_>, url: &str) -> Option<(u16, Content)> {
    let machine = call.kernel.host.machine();
    let response = call.kernel.host.fetch(url);
    let bytes = response.as_ref().map_or(0, |found| found.body.size());
    call.kernel.spend(cost::network(machine, bytes));
    response.map(|found| (found.status, found.body))
}

fn save(call: &mut Call<'_, '_>, path: &str, content: Content) -> Result<(), Failed> {
    let mut files = Files::of(call);
    let dir = crate::fs::parent(&files.absolute(path));
    if !files.exists(&dir) {
        return Err(Failed {
            call: "open",
            path: path.to_owned(),
            errno: crate::fs::Errno::Enoent,
        });
    }
    files.put(path, content, 0o666)
}

/// `gpg`: keys that are received or imported go into the keyring; what stands in for a signature
/// is taken for a good one; `--dearmor` passes on.
pub(super) fn gpg(call: &mut Call<'_, '_>) -> Exit {
    let args = std::mem::take(&mut call.args);
    let words = Words::of(
        &args,
        &[
            "-o",
            "--output",
            "--keyserver",
            "--homedir",
            "--keyring",
            "--no-default-keyring-value",
            "--keyserver-options",
            "--trust-model",
            "--passphrase",
            "-u",
            "-r",
            "--recipient",
        ],
    );
    let home = match (words.value(&["--homedir"]), tool::env(call, "GNUPGHOME")) {
        (Some(dir), _) => dir.to_owned(),
        (None, dir) if !dir.is_empty() => dir,
        _ => format!("{}/.gnupg", tool::home(call)),
    };
    let keyring = match words.value(&["--keyring"]) {
        Some(path) if path.contains('/') => path.trim_start_matches("gnupg-ring:").to_owned(),
        _ => format!("{home}/pubring.kbx"),
    };
    let letters = |letter: char| {
        words
            .options
            .iter()
            .any(|(name, _)| !name.starts_with("--") && name.contains(letter))
    };
    let receives = [
        "--recv-keys",
        "--recv-key",
        "--receive-keys",
        "--recv",
        "--refresh-keys",
        "--search-keys",
        "--fetch-keys",
    ];
    if words.has(&["--version"]) {
        return tool::say(call, "gpg (GnuPG) 2.2.40");
    }
    if words.has(&receives) {
        tool::transfer(call, 4_000 * words.words.len().max(1) as u64);
        let names: String = words
            .words
            .iter()
            .map(|key| format!("gpg: key {key}: public key imported\n"))
            .collect();
        call.err(names)?;
        return add_keys(call, &keyring, words.words.len().max(1) as u64, &home);
    }
    if words.has(&["--import"]) {
        let mut inputs = words.words.clone();
        if inputs.is_empty() {
            inputs.push("-".to_owned());
        }
        for path in &inputs {
            if let Err(errno) = call.slurp(path)? {
                return fail_gpg(call, path, errno);
            }
        }
        return add_keys(call, &keyring, inputs.len() as u64, &home);
    }
    if words.has(&["--verify", "--verify-files"]) {
        for path in &words.words {
            if !Files::of(call).exists(path) {
                return fail_gpg(call, path, crate::fs::Errno::Enoent);
            }
        }
        call.err("gpg: Good signature (of a stand-in)\n")?;
        return Ok(0);
    }
    if words.has(&[
        "--list-keys",
        "--list-public-keys",
        "-k",
        "--fingerprint",
        "--with-fingerprint",
        "--check-sigs",
        "--list-packets",
        "--batch-generate",
        "--import-ownertrust",
        "--quick-set-ownertrust",
        "--delete-keys",
        "--edit-key",
        "--lsign-key",
        "--update-trustdb",
    ]) {
        return Ok(0);
    }
    let exports = words.has(&["--export", "--export-secret-keys"]);
    let dearmors = words.has(&["--dearmor", "--dearmour"]);
    let decrypts = words.has(&["--decrypt", "-d"]) || letters('d');
    if !exports && !dearmors && !decrypts && !words.has(&["--enarmor"]) {
        return tool::unknown(call);
    }
    let input = words.words.first().filter(|_| !exports).cloned();
    let content = if exports {
        super::files::stand_in("exported keys", 1_700 * words.words.len().max(1) as u64)
    } else {
        let bytes = match call.slurp(input.as_deref().unwrap_or("-"))? {
            Ok(bytes) => bytes,
            Err(errno) => return fail_gpg(call, &input.unwrap_or_default(), errno),
        };
        super::super::stand_in::recognise(bytes)
    };
    let output = words
        .value(&["-o", "--output"])
        .filter(|path| *path != "-")
        .map(str::to_owned);
    let to_stdout = words.value(&["-o", "--output"]) == Some("-") || exports || decrypts;
    match output.or_else(|| {
        input
            .filter(|_| !to_stdout)
            .map(|input| format!("{input}.gpg"))
    }) {
        None => call.out(content.bytes())?,
        Some(path) => {
            if let Err(failed) = save(call, &path, content) {
                return fail_gpg(call, &path, failed.errno);
            }
        }
    }
    Ok(0)
}

fn add_keys(call: &mut Call<'_, '_>, keyring: &str, count: u64, home: &str) -> Exit {
    let mut files = Files::of(call);
    let size = files.size(keyring) + 2_800 * count;
    let wrote = files
        .dir(home)
        .and_then(|()| files.put(keyring, super::files::stand_in("a keyring", size), 0o600))
        .and_then(|()| {
            files.put(
                &format!("{home}/trustdb.gpg"),
                super::files::stand_in("the database of trust", 1_200),
                0o600,
            )
        });
    tool::written(call, wrote)
}

fn fail_gpg(call: &mut Call<'_, '_>, path: &str, errno: crate::fs::Errno) -> Result<i32, Stop> {
    call.err(format!("gpg: can't open '{path}': {errno}\n"))?;
    Ok(2)
}
