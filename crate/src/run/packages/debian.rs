//! What stands around dpkg and apt: marks, keys, sources, alternatives, diversions, locales,
//! services and Apache's modules.

use super::super::{Call, Exit, Program};
use super::dpkg::installed;
use super::files::{Failed, Files, stand_in};
use super::tool::{self, Words, append, say, transfer, unknown, written};
use crate::fs::Content;

pub(super) const TABLE: &[Program] = &[
    Program::modelled("apt-mark", mark),
    Program::modelled("apt-key", key),
    Program::modelled("apt-cache", cache),
    Program::modelled("apt-config", tool::nothing),
    Program::modelled("add-apt-repository", add_repository),
    Program::modelled("apt-add-repository", add_repository),
    Program::modelled("dpkg-architecture", architecture),
    Program::modelled("dpkg-buildflags", build_flags),
    Program::modelled("dpkg-divert", divert),
    Program::modelled("dpkg-query", query),
    Program::modelled("dpkg-reconfigure", reconfigure),
    Program::modelled("dpkg-statoverride", tool::nothing),
    Program::modelled("debconf-set-selections", selections),
    Program::executed("update-alternatives", alternatives),
    Program::modelled("locale-gen", locale_gen),
    Program::modelled("localedef", locale_gen),
    Program::modelled("locale", |call| {
        match call.args.iter().any(|arg| arg == "-a") {
            true => say(call, "C\nC.utf8\nPOSIX\nen_US.utf8"),
            false => say(call, "LANG=\nLC_ALL="),
        }
    }),
    Program::modelled("update-locale", update_locale),
    Program::modelled("update-ca-certificates", certificates),
    Program::modelled("update-ca-trust", certificates),
    // Nothing runs in a build but what RUN starts: a service is started and ends with the step.
    Program::modelled("service", tool::nothing),
    Program::modelled("invoke-rc.d", tool::nothing),
    Program::modelled("rc-service", tool::nothing),
    Program::modelled("initctl", tool::nothing),
    Program::modelled("update-rc.d", |call| {
        enable(call, "/etc/rc2.d/S01", "../init.d/", "")
    }),
    Program::modelled("rc-update", |call| {
        call.args
            .retain(|arg| arg != "add" && arg != "boot" && arg != "default");
        enable(call, "/etc/runlevels/default/", "/etc/init.d/", "")
    }),
    Program::modelled("systemctl", systemctl),
    Program::modelled("chkconfig", tool::nothing),
    Program::modelled("a2enmod", |call| apache(call, "mods", "load", true)),
    Program::modelled("a2dismod", |call| apache(call, "mods", "load", false)),
    Program::modelled("a2ensite", |call| apache(call, "sites", "conf", true)),
    Program::modelled("a2dissite", |call| apache(call, "sites", "conf", false)),
    Program::modelled("a2enconf", |call| apache(call, "conf", "conf", true)),
    Program::modelled("a2disconf", |call| apache(call, "conf", "conf", false)),
    Program::modelled("apache2ctl", tool::nothing),
    Program::modelled("apachectl", tool::nothing),
    Program::modelled("gpgconf", tool::nothing),
    Program::modelled("lsb_release", lsb_release),
    Program::executed("getconf", getconf),
    Program::modelled("ldd", ldd),
    Program::modelled("scanelf", tool::nothing),
    Program::executed("sudo", sudo),
    Program::modelled("mk-build-deps", tool::nothing),
];

const AUTO: &str = "/var/lib/apt/extended_states";

/// `apt-mark`: which packages were installed only because others need them.
fn mark(call: &mut Call<'_, '_>) -> Exit {
    let words: Vec<String> = call
        .args
        .iter()
        .filter(|arg| !arg.starts_with('-'))
        .cloned()
        .collect();
    let Some((command, names)) = words.split_first() else {
        return Ok(0);
    };
    let mut files = Files::of(call);
    let all = installed(&files);
    let text = files.text(AUTO).unwrap_or_default();
    let mut auto: Vec<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("Package: "))
        .map(str::to_owned)
        .collect();
    // A pattern is a regular expression; what people write is `.*`.
    let fits = |name: &str| {
        names.iter().any(|wanted| {
            wanted == name
                || wanted == ".*"
                || wanted == "^.*$"
                || super::super::glob_matches(wanted, name)
        })
    };
    let list: String = match command.as_str() {
        "showmanual" => all
            .iter()
            .filter(|p| !auto.contains(&p.name))
            .map(|p| format!("{}\n", p.name))
            .collect(),
        "showauto" => auto.iter().map(|name| format!("{name}\n")).collect(),
        "showhold" | "hold" | "unhold" => String::new(),
        "auto" | "markauto" => {
            let new = all
                .iter()
                .filter(|p| fits(&p.name) && !auto.contains(&p.name));
            let new: Vec<String> = new.map(|p| p.name.clone()).collect();
            let said = new
                .iter()
                .map(|name| format!("{name} set to automatically installed.\n"))
                .collect();
            auto.extend(new);
            said
        }
        "manual" | "unmarkauto" => {
            let said = auto
                .iter()
                .filter(|name| fits(name))
                .map(|name| format!("{name} set to manually installed.\n"))
                .collect();
            auto.retain(|name| !fits(name));
            said
        }
        other => {
            call.err(format!("E: Invalid operation {other}\n"))?;
            return Ok(100);
        }
    };
    let text: String = auto
        .iter()
        .map(|name| format!("Package: {name}\nArchitecture: amd64\nAuto-Installed: 1\n\n"))
        .collect();
    let changes = matches!(
        command.as_str(),
        "auto" | "markauto" | "manual" | "unmarkauto"
    );
    let wrote = match changes {
        true => files.put(AUTO, Content::new(text), 0o644),
        false => Ok(()),
    };
    call.out(list)?;
    written(call, wrote)
}

/// `apt-key`: keys go into one file.
fn key(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "--keyserver",
            "--keyring",
            "--recv-keys",
            "--recv",
            "--keyserver-options",
        ],
    );
    let bytes = match words.word(0) {
        "add" => {
            let path = match words.word(1) {
                "" => "-",
                path => path,
            };
            match call.slurp(path)? {
                Ok(bytes) => bytes.len() as u64,
                Err(_) => {
                    let path = path.to_owned();
                    call.err(format!(
                        "gpg: can't open '{path}': No such file or directory\n"
                    ))?;
                    return Ok(2);
                }
            }
        }
        "adv" => {
            transfer(call, 3_000);
            3_000
        }
        _ => return Ok(0),
    };
    let path = words
        .value(&["--keyring"])
        .unwrap_or("/etc/apt/trusted.gpg")
        .to_owned();
    let mut files = Files::of(call);
    let size = files.size(&path) + bytes.max(1_100);
    let wrote = files.put(&path, stand_in("keys that apt trusts", size), 0o644);
    call.err("Warning: apt-key is deprecated. Manage keyring files in trusted.gpg.d instead (see apt-key(8)).\n")?;
    if words.word(0) == "add" {
        call.out("OK\n")?;
    }
    written(call, wrote)
}

fn cache(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &[]);
    let all = installed(&Files::of(call));
    match words.word(0) {
        "policy" | "madison" | "show" | "showpkg" => {
            for name in words.words.iter().skip(1) {
                let found = all.iter().find(|p| p.name == *name);
                let have = found.map_or("(none)", |p| p.version.as_str());
                call.out(format!(
                    "{name}:\n  Installed: {have}\n  Candidate: {have}\n"
                ))?;
            }
            Ok(0)
        }
        "gencaches" | "stats" => Ok(0),
        _ => unknown(call),
    }
}

/// `add-apt-repository`: a line in the sources, and the lists are fetched again.
fn add_repository(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &["-k", "--keyserver", "-c", "--component"]);
    let source = words.word(0).to_owned();
    if words.has(&["-r", "--remove"]) {
        return Ok(0);
    }
    let release = release(call, "VERSION_CODENAME");
    let (name, line) = match source.strip_prefix("ppa:") {
        Some(ppa) => {
            let (owner, archive) = ppa.split_once('/').unwrap_or((ppa, "ppa"));
            (
                format!("{owner}-ubuntu-{archive}-{release}"),
                format!(
                    "deb https://ppa.launchpadcontent.net/{owner}/{archive}/ubuntu/ {release} main\n"
                ),
            )
        }
        None if source.starts_with("deb ") => {
            let host = source.split("://").nth(1).unwrap_or(&source);
            let name: String = host
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
                .collect();
            (format!("archive_uri-{name}"), format!("{source}\n"))
        }
        None => (
            format!("component-{source}"),
            format!("# component {source}\n"),
        ),
    };
    let mut files = Files::of(call);
    let wrote = files
        .put(
            &format!("/etc/apt/sources.list.d/{name}.list"),
            Content::new(line),
            0o644,
        )
        .and_then(|()| {
            let key = format!("/etc/apt/trusted.gpg.d/{name}.gpg");
            files.put(&key, stand_in("the key of the archive", 1_200), 0o644)
        });
    transfer(call, 3_000);
    let code = written(call, wrote)?;
    if code != 0 || words.has(&["-n", "--no-update"]) {
        return Ok(code);
    }
    match call.run(&["apt-get".into(), "update".into()])? {
        Ok(code) => Ok(code),
        Err(_) => Ok(1),
    }
}

/// A field of `/etc/os-release`.
fn release(call: &mut Call<'_, '_>, field: &str) -> String {
    let text = Files::of(call).text("/etc/os-release").unwrap_or_default();
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix('='));
    value.unwrap_or_default().trim_matches('"').to_owned()
}

fn lsb_release(call: &mut Call<'_, '_>) -> Exit {
    let args = call.args.join(" ");
    let short = args.contains('s');
    let mut id = release(call, "ID");
    if let Some(first) = id.get(..1).map(str::to_uppercase) {
        id.replace_range(..1, &first);
    }
    let all = args.is_empty() || args.contains('a');
    for (letter, title, value) in [
        ('i', "Distributor ID", id),
        ('d', "Description", release(call, "PRETTY_NAME")),
        ('r', "Release", release(call, "VERSION_ID")),
        ('c', "Codename", release(call, "VERSION_CODENAME")),
    ] {
        if all || args.contains(letter) {
            match short {
                true => call.out(format!("{value}\n"))?,
                false => call.out(format!("{title}:\t{value}\n"))?,
            }
        }
    }
    Ok(0)
}

fn architecture(call: &mut Call<'_, '_>) -> Exit {
    let mut all = String::new();
    for side in ["BUILD", "HOST", "TARGET"] {
        for (name, value) in [
            ("ARCH", "amd64"),
            ("ARCH_OS", "linux"),
            ("ARCH_CPU", "amd64"),
            ("ARCH_BITS", "64"),
            ("ARCH_ENDIAN", "little"),
            ("GNU_CPU", "x86_64"),
            ("GNU_SYSTEM", "linux-gnu"),
            ("GNU_TYPE", "x86_64-linux-gnu"),
            ("MULTIARCH", "x86_64-linux-gnu"),
        ] {
            all += &format!("DEB_{side}_{name}={value}\n");
        }
    }
    let words = Words::of(&call.args, &["-q", "--query"]);
    let Some(asked) = words.value(&["-q", "--query"]) else {
        call.out(all)?;
        return Ok(0);
    };
    // `-qNAME` is one word.
    let found = all
        .lines()
        .find_map(|line| line.strip_prefix(asked)?.strip_prefix('='));
    match found {
        Some(value) => say(call, value),
        None => {
            let text = format!("{asked} is not a supported variable name");
            call.fail(255, text)
        }
    }
}

fn build_flags(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &["--get"]);
    let common =
        "-g -O2 -ffile-prefix-map=/=. -fstack-protector-strong -Wformat -Werror=format-security";
    match words.value(&["--get"]) {
        Some("CFLAGS" | "CXXFLAGS") => say(call, common),
        Some("CPPFLAGS") => say(call, "-Wdate-time -D_FORTIFY_SOURCE=2"),
        Some("LDFLAGS") => say(call, "-Wl,-z,relro"),
        Some(_) => Ok(1),
        None => say(call, &format!("CFLAGS={common}")),
    }
}

/// `dpkg-divert`: with `--rename` what is there makes room.
fn divert(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &["--divert", "--package"]);
    let path = words.words.last().cloned().unwrap_or_default();
    let to = match words.value(&["--divert"]) {
        Some(to) if !to.is_empty() => to.to_owned(),
        _ => format!("{path}.distrib"),
    };
    let process = call.proc.fs.clone();
    let list = "/var/lib/dpkg/diversions";
    let entry = format!("{path}\n{to}\n:\n");
    let mut files = Files::of(call);
    let old = files.text(list).unwrap_or_default();
    let removes = words.has(&["--remove"]);
    let wrote = match removes {
        true => files.put(list, Content::new(old.replace(&entry, "")), 0o644),
        false => append(&mut files, list, &entry),
    };
    if words.has(&["--rename"]) {
        let (from, into) = if removes { (&to, &path) } else { (&path, &to) };
        if call.kernel.vfs.exists(&process, from)
            && let Err(errno) = call.kernel.vfs.rename(&process, from, into)
        {
            return call.fail(2, format_args!("error: rename involving '{into}': {errno}"));
        }
    }
    let what = if removes { "Removing" } else { "Adding" };
    call.out(format!("{what} 'local diversion of {path} to {to}'\n"))?;
    written(call, wrote)
}

/// `dpkg-query`: what is installed, and which package a file belongs to.
fn query(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &["-f", "--showformat"]);
    let files = Files::of(call);
    let all = installed(&files);
    if words.has(&["-S", "--search"]) {
        let mut lines = String::new();
        let mut code = 0;
        for path in &words.words {
            let owner = all.iter().find(|package| {
                let list = files.text(&format!("/var/lib/dpkg/info/{}.list", package.name));
                list.is_some_and(|list| list.lines().any(|line| line == path))
            });
            match owner {
                Some(package) => lines += &format!("{}: {path}\n", package.name),
                None => code = 1,
            }
        }
        call.out(lines)?;
        return Ok(code);
    }
    let format = words
        .value(&["-f", "--showformat"])
        .or_else(|| {
            words.options.iter().find_map(|(name, value)| {
                name.strip_prefix("-f=")
                    .or((name == "-f").then_some(value.as_str()))
            })
        })
        .unwrap_or("${Package}\\t${Version}\\n")
        .to_owned();
    let mut code = 0;
    let mut out = String::new();
    for package in &all {
        let fits = |wanted: &String| super::super::glob_matches(wanted, &package.name);
        if words.words.is_empty() || words.words.iter().any(fits) {
            out += &format
                .replace("${Package}", &package.name)
                .replace("${binary:Package}", &package.name)
                .replace("${Version}", &package.version)
                .replace("${Status}", "install ok installed")
                .replace("${db:Status-Abbrev}", "ii ")
                .replace("${Architecture}", "amd64")
                .replace("${Essential}", "no")
                .replace("\\n", "\n")
                .replace("\\t", "\t");
        }
    }
    for name in &words.words {
        if !name.contains('*') && !all.iter().any(|package| package.name == *name) {
            call.err(format!("dpkg-query: no packages found matching {name}\n"))?;
            code = 1;
        }
    }
    call.out(out)?;
    Ok(code)
}

/// `dpkg-reconfigure`: of what is often asked for, the time zone leaves a file.
fn reconfigure(call: &mut Call<'_, '_>) -> Exit {
    let names: Vec<String> = call
        .args
        .iter()
        .filter(|arg| !arg.starts_with('-'))
        .cloned()
        .collect();
    for name in &names {
        match name.as_str() {
            "tzdata" => {
                let zone =
                    call.kernel
                        .vfs
                        .stat(&call.proc.fs, "/etc/localtime", crate::fs::Follow::No);
                let zone = zone.ok().and_then(|handle| {
                    let target = call.kernel.vfs.inode(handle).link_target()?.to_string();
                    Some(target.split("zoneinfo/").nth(1)?.to_owned())
                });
                let text = zone.unwrap_or_else(|| "Etc/UTC".to_owned()) + "\n";
                let wrote = Files::of(call).put("/etc/timezone", Content::new(text), 0o644);
                if let code @ 1.. = written(call, wrote)? {
                    return Ok(code);
                }
            }
            "locales" => {
                locale_gen(call)?;
            }
            _ => {}
        }
    }
    Ok(0)
}

fn selections(call: &mut Call<'_, '_>) -> Exit {
    let path = call.args.iter().find(|arg| !arg.starts_with('-')).cloned();
    let bytes = match call.slurp(path.as_deref().unwrap_or("-"))? {
        Ok(bytes) => bytes,
        Err(errno) => return call.fail(1, errno),
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut entries = String::new();
    for line in text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [owner, name, _, value @ ..] = words.as_slice() {
            entries += &format!(
                "Name: {name}\nTemplate: {name}\nValue: {}\nOwners: {owner}\nFlags: seen\n\n",
                value.join(" ")
            );
        }
    }
    let wrote = append(
        &mut Files::of(call),
        "/var/cache/debconf/config.dat",
        &entries,
    );
    written(call, wrote)
}

/// `update-alternatives`: the administrative files are those of the real one.
fn alternatives(call: &mut Call<'_, '_>) -> Exit {
    const ADMIN: &str = "/var/lib/dpkg/alternatives";
    let args = call.args.clone();
    let mut rest = args.iter().map(String::as_str);
    let mut wrote = Ok(());
    while let Some(arg) = rest.next() {
        match arg {
            "--install" => {
                let (Some(link), Some(name), Some(path), Some(priority)) =
                    (rest.next(), rest.next(), rest.next(), rest.next())
                else {
                    return call.fail(2, "error: --install needs <link> <name> <path> <priority>");
                };
                if !Files::of(call).exists(path) {
                    return call.fail(
                        2,
                        format_args!("error: alternative path {path} doesn't exist"),
                    );
                }
                let mut files = Files::of(call);
                let admin = format!("{ADMIN}/{name}");
                let old = files
                    .text(&admin)
                    .unwrap_or_else(|| format!("auto\n{link}\n\n"));
                let mut choices = choices(&old);
                choices.retain(|(known, _)| known != path);
                choices.push((path.to_owned(), priority.parse().unwrap_or(0)));
                let manual = old.starts_with("manual");
                let best = choices
                    .iter()
                    .max_by_key(|(_, priority)| *priority)
                    .map(|(path, _)| path.clone());
                wrote = put_choices(&mut files, &admin, manual, link, &choices);
                if let (false, Some(best)) = (manual, best) {
                    wrote = wrote
                        .and_then(|()| files.link(&format!("/etc/alternatives/{name}"), &best))
                        .and_then(|()| files.link(link, &format!("/etc/alternatives/{name}")));
                }
            }
            // Links that follow the main one.
            "--slave" => {
                let (Some(link), Some(name), Some(path)) = (rest.next(), rest.next(), rest.next())
                else {
                    return call.fail(2, "error: --slave needs <link> <name> <path>");
                };
                let mut files = Files::of(call);
                if files.exists(path) {
                    wrote = wrote
                        .and_then(|()| files.link(&format!("/etc/alternatives/{name}"), path))
                        .and_then(|()| files.link(link, &format!("/etc/alternatives/{name}")));
                }
            }
            "--set" => {
                let (Some(name), Some(path)) = (rest.next(), rest.next()) else {
                    return call.fail(2, "error: --set needs <name> <path>");
                };
                let mut files = Files::of(call);
                let admin = format!("{ADMIN}/{name}");
                let Some(old) = files.text(&admin) else {
                    return call.fail(2, format_args!("error: no alternatives for {name}"));
                };
                let choices = choices(&old);
                if !choices.iter().any(|(known, _)| known == path) {
                    return call.fail(
                        2,
                        format_args!(
                            "error: alternative {path} for {name} not registered; not setting"
                        ),
                    );
                }
                let link = old.lines().nth(1).unwrap_or_default().to_owned();
                wrote = put_choices(&mut files, &admin, true, &link, &choices)
                    .and_then(|()| files.link(&format!("/etc/alternatives/{name}"), path))
                    .and_then(|()| files.link(&link, &format!("/etc/alternatives/{name}")));
            }
            "--remove" | "--remove-all" => {
                let name = rest.next().unwrap_or_default();
                let mut files = Files::of(call);
                let link = files.text(&format!("{ADMIN}/{name}")).unwrap_or_default();
                let link = link.lines().nth(1).unwrap_or_default().to_owned();
                for path in [
                    format!("{ADMIN}/{name}"),
                    format!("/etc/alternatives/{name}"),
                    link,
                ] {
                    if !path.is_empty() {
                        wrote = wrote.and_then(|()| files.remove(&path));
                    }
                }
            }
            "--list" | "--display" | "--query" => {
                let name = rest.next().unwrap_or_default();
                let text = Files::of(call).text(&format!("{ADMIN}/{name}"));
                let Some(text) = text else {
                    return call.fail(2, format_args!("error: no alternatives for {name}"));
                };
                let list: String = choices(&text)
                    .iter()
                    .map(|(path, _)| format!("{path}\n"))
                    .collect();
                call.out(list)?;
            }
            _ => {}
        }
    }
    written(call, wrote)
}

/// Paths and priorities in an administrative file.
fn choices(text: &str) -> Vec<(String, i64)> {
    let lines: Vec<&str> = text.lines().skip(3).collect();
    lines
        .chunks(2)
        .filter_map(|pair| {
            Some((
                pair.first().filter(|path| !path.is_empty())?.to_string(),
                pair.get(1)?.parse().ok()?,
            ))
        })
        .collect()
}

fn put_choices(
    files: &mut Files<'_>,
    admin: &str,
    manual: bool,
    link: &str,
    choices: &[(String, i64)],
) -> Result<(), Failed> {
    let mode = if manual { "manual" } else { "auto" };
    let list: String = choices
        .iter()
        .map(|(path, priority)| format!("{path}\n{priority}\n"))
        .collect();
    files.put(
        admin,
        Content::new(format!("{mode}\n{link}\n\n{list}\n")),
        0o644,
    )
}

/// `locale-gen` and `localedef`: compiled locales are kept in one archive.
fn locale_gen(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &["-i", "-f", "-A", "-c", "--lang"]);
    let mut names: Vec<String> = words.words.clone();
    if call.name != "localedef" && names.is_empty() {
        let text = Files::of(call).text("/etc/locale.gen").unwrap_or_default();
        let lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with('#'));
        names = lines
            .filter_map(|line| line.split_whitespace().next())
            .map(str::to_owned)
            .collect();
    }
    let count = names.len() as u64;
    if count == 0 {
        return Ok(0);
    }
    const ARCHIVE: &str = "/usr/lib/locale/locale-archive";
    let mut files = Files::of(call);
    let size = files.size(ARCHIVE) + 3_050_000 * count;
    let wrote = files.put(ARCHIVE, stand_in("compiled locales", size), 0o644);
    tool::work(call, 2.5 * count as f64);
    if call.name == "locale-gen" {
        let list: String = names
            .iter()
            .map(|name| format!("  {name}... done\n"))
            .collect();
        call.out(format!(
            "Generating locales (this might take a while)...\n{list}Generation complete.\n"
        ))?;
    }
    written(call, wrote)
}

fn update_locale(call: &mut Call<'_, '_>) -> Exit {
    let lines: String = call
        .args
        .iter()
        .filter(|arg| arg.contains('='))
        .map(|arg| format!("{arg}\n"))
        .collect();
    let mut files = Files::of(call);
    let wrote = files
        .dir("/etc/default")
        .and_then(|()| files.put("/etc/default/locale", Content::new(lines), 0o644));
    written(call, wrote)
}

/// `update-ca-certificates`: the bundle is written anew with what the administrator has added.
fn certificates(call: &mut Call<'_, '_>) -> Exit {
    const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
    let mut files = Files::of(call);
    let mut added = 0;
    let mut size = files.size(BUNDLE).max(210_000);
    let mut wrote = Ok(());
    for dir in [
        "/usr/local/share/ca-certificates",
        "/etc/pki/ca-trust/source/anchors",
    ] {
        for name in files.names(dir) {
            let Some(stem) = name.strip_suffix(".crt").or(name.strip_suffix(".pem")) else {
                continue;
            };
            let path = format!("{dir}/{name}");
            let link = format!("/etc/ssl/certs/{stem}.pem");
            if !files.exists(&link) {
                added += 1;
                size += files.size(&path);
                wrote = wrote.and_then(|()| files.link(&link, &path));
            }
        }
    }
    let wrote =
        wrote.and_then(|()| files.put(BUNDLE, stand_in("the bundle of certificates", size), 0o644));
    tool::work(call, 1.0);
    call.out(format!("Updating certificates in /etc/ssl/certs...\n{added} added, 0 removed; done.\nRunning hooks in /etc/ca-certificates/update.d...\ndone.\n"))?;
    written(call, wrote)
}

/// Links that let services start with the system.
fn enable(call: &mut Call<'_, '_>, prefix: &str, to: &str, ending: &str) -> Exit {
    let name = call.args.iter().find(|arg| !arg.starts_with('-')).cloned();
    let Some(name) = name else { return Ok(0) };
    let mut files = Files::of(call);
    let wrote = files.link(
        &format!("{prefix}{name}{ending}"),
        &format!("{to}{name}{ending}"),
    );
    written(call, wrote)
}

fn systemctl(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &[]);
    let mut wrote = Ok(());
    for unit in words.words.iter().skip(1) {
        let unit = if unit.contains('.') {
            unit.clone()
        } else {
            format!("{unit}.service")
        };
        let wants = format!("/etc/systemd/system/multi-user.target.wants/{unit}");
        let mut files = Files::of(call);
        wrote = match words.word(0) {
            "enable" => files.link(&wants, &format!("/lib/systemd/system/{unit}")),
            "disable" => files.remove(&wants),
            "mask" => files.link(&format!("/etc/systemd/system/{unit}"), "/dev/null"),
            "set-default" => files.link(
                "/etc/systemd/system/default.target",
                &format!("/lib/systemd/system/{unit}"),
            ),
            "start" | "restart" | "reload" | "stop" | "status" => {
                call.err("System has not been booted with systemd as init system (PID 1). Can't operate.\n")?;
                return Ok(1);
            }
            _ => Ok(()),
        };
    }
    written(call, wrote)
}

/// Apache's modules, sites and snippets: links from what is enabled to what is available.
fn apache(call: &mut Call<'_, '_>, kind: &str, ending: &str, on: bool) -> Exit {
    let names: Vec<String> = call
        .args
        .iter()
        .filter(|arg| !arg.starts_with('-'))
        .cloned()
        .collect();
    let mut wrote = Ok(());
    let mut lines = String::new();
    for name in &names {
        let name = name.trim_end_matches(&format!(".{ending}"));
        let mut files = Files::of(call);
        let dir = format!("/etc/apache2/{kind}-enabled");
        for end in [ending, "conf"] {
            let there = format!("/etc/apache2/{kind}-available/{name}.{end}");
            let link = format!("{dir}/{name}.{end}");
            if !on {
                wrote = wrote.and_then(|()| files.remove(&link));
            } else if end == ending || files.exists(&there) {
                wrote = wrote
                    .and_then(|()| files.link(&link, &format!("../{kind}-available/{name}.{end}")));
            }
        }
        let what = kind.trim_end_matches('s');
        let state = if on { "Enabling" } else { "Disabling" };
        lines += &format!("{state} {what} {name}.\n");
    }
    call.out(lines)?;
    written(call, wrote)
}

fn getconf(call: &mut Call<'_, '_>) -> Exit {
    let name = call
        .args
        .iter()
        .find(|arg| !arg.starts_with('-'))
        .cloned()
        .unwrap_or_default();
    match name.as_str() {
        "_NPROCESSORS_ONLN" | "_NPROCESSORS_CONF" | "NPROCESSORS_ONLN" => say(call, "2"),
        "PAGESIZE" | "PAGE_SIZE" => say(call, "4096"),
        "LONG_BIT" | "WORD_BIT" => say(call, "64"),
        "ARG_MAX" => say(call, "2097152"),
        "PATH" => say(call, "/bin:/usr/bin"),
        "GNU_LIBC_VERSION" => say(call, "glibc 2.36"),
        _ => {
            let text = format!("Unrecognized variable `{name}'");
            call.fail(2, text)
        }
    }
}

fn ldd(call: &mut Call<'_, '_>) -> Exit {
    if call.args.iter().any(|arg| arg == "--version") {
        return say(call, "ldd (Debian GLIBC 2.36-9+deb12u13) 2.36");
    }
    let paths: Vec<String> = call
        .args
        .iter()
        .filter(|arg| !arg.starts_with('-'))
        .cloned()
        .collect();
    for path in &paths {
        if !Files::of(call).exists(path) {
            call.err(format!("ldd: {path}: No such file or directory\n"))?;
            return Ok(1);
        }
        call.out("\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f0000000000)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f0000400000)\n")?;
    }
    Ok(0)
}

/// `sudo`: root runs the command, or the user that is named.
fn sudo(call: &mut Call<'_, '_>) -> Exit {
    let args = call.args.clone();
    let mut user = None;
    let mut at = 0;
    while let Some(arg) = args.get(at).filter(|arg| arg.starts_with('-')) {
        at += 1;
        match arg.as_str() {
            "-u" | "--user" => {
                user = args.get(at).cloned();
                at += 1;
            }
            "-g" | "-p" | "-C" | "-h" => at += 1,
            "--" => break,
            _ => {}
        }
    }
    let mut command: Vec<String> = Vec::new();
    let mut variables: Vec<(String, String)> = Vec::new();
    for arg in &args[at.min(args.len())..] {
        match arg.split_once('=') {
            Some((name, value)) if command.is_empty() && !name.contains('/') => {
                variables.push((name.to_owned(), value.to_owned()));
            }
            _ => command.push(arg.clone()),
        }
    }
    if command.is_empty() {
        return Ok(0);
    }
    let name = user.unwrap_or_else(|| "root".to_owned());
    let Some(user) = super::super::users::user(call.kernel.vfs, &name) else {
        return call.fail(1, format_args!("unknown user {name}"));
    };
    let groups: Vec<u32> = super::super::users::groups(call.kernel.vfs)
        .into_iter()
        .filter(|group| group.members.contains(&name))
        .map(|group| group.gid)
        .collect();
    let ran = call.run_with(&command, |child| {
        child.fs.cred.uid = user.uid;
        child.fs.cred.gid = user.gid;
        child.fs.cred.groups = groups;
        for (name, value) in &variables {
            child.env.set(name, value);
        }
    })?;
    match ran {
        Ok(code) => Ok(code),
        Err(_) => call.fail(1, format_args!("{}: command not found", command[0])),
    }
}
