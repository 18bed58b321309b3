//! yum, dnf and microdnf, zypper, and rpm itself. The catalog has no tables of their packages, so
//! sizes are estimates; which are installed is kept where rpm keeps it.

use super::super::{Call, Exit, Program};
use super::files::{Failed, Files, program, stand_in};
use super::table::{estimate, human};
use super::tool::{self, Words, say, transfer, unknown, work, written};
use crate::fs::Content;

pub(super) const TABLE: &[Program] = &[
    Program::modelled("yum", manager),
    Program::modelled("dnf", manager),
    Program::modelled("dnf5", manager),
    Program::modelled("microdnf", manager),
    Program::modelled("tdnf", manager),
    Program::modelled("zypper", manager),
    Program::modelled("rpm", rpm),
    Program::modelled("yum-config-manager", config),
    Program::modelled("dnf-config-manager", config),
    Program::modelled("amazon-linux-extras", |call| {
        let words = Words::of(&call.args, &[]);
        call.args = words
            .words
            .into_iter()
            .filter(|word| word != "enable")
            .collect();
        match call.args.first().map(String::as_str) {
            Some("install") => {
                call.args.push("-y".into());
                manager(call)
            }
            _ => Ok(0),
        }
    }),
];

const DATABASE: &str = "/var/lib/rpm/rpmdb.sqlite";
/// What the metadata of the repositories weighs, on its way and when it is kept.
const METADATA: (u64, u64) = (18_000_000, 62_000_000);

/// Programs of packages that are not called as the package is.
const PROGRAMS: &[(&str, &str)] = &[
    ("gcc", "gcc cc"),
    ("gcc-c++", "g++ c++"),
    ("python3-pip", "pip3 pip"),
    ("python3", "python3"),
    ("python", "python"),
    ("python-pip", "pip"),
    ("nodejs", "node npm npx"),
    ("procps-ng", "ps top free"),
    ("iproute", "ip ss"),
    ("bind-utils", "dig nslookup host"),
    ("net-tools", "netstat ifconfig"),
    ("shadow-utils", "useradd groupadd usermod"),
    ("java-1.8.0-openjdk", "java"),
    ("java-11-openjdk", "java"),
    ("java-17-openjdk", "java"),
    ("maven", "mvn"),
    ("openssh-server", "sshd"),
    ("openssh-clients", "ssh scp"),
    ("httpd", "httpd apachectl"),
    ("autoconf", "autoconf autoreconf autoheader"),
    ("automake", "automake aclocal"),
    ("libtool", "libtool libtoolize"),
    ("ruby", "ruby gem"),
    ("rubygems", "gem"),
    ("golang", "go gofmt"),
    ("php-cli", "php"),
    ("yum-utils", "yum-config-manager repoquery"),
    ("dnf-plugins-core", "dnf-config-manager"),
    ("findutils", "find xargs"),
    ("diffutils", "diff cmp"),
    ("binutils", "ld ar as strip objdump nm ranlib"),
    ("xz", "xz unxz"),
    ("bzip2", "bzip2 bunzip2"),
    ("gzip", "gzip gunzip"),
    ("openssl", "openssl"),
    ("gnupg2", "gpg gpg2 gpgconf"),
    ("cargo", "cargo"),
    ("rust", "rustc"),
    ("cmake", "cmake ctest"),
    ("ninja-build", "ninja"),
    ("postgresql", "psql pg_dump"),
    ("mysql", "mysql mysqldump"),
    ("hostname", "hostname"),
];

/// The programs of a package, and what it weighs.
fn contents(name: &str) -> (Vec<&str>, u64) {
    let jdk = name.starts_with("java-") && name.ends_with("-devel");
    let library = [
        "-devel",
        "-libs",
        "-common",
        "-data",
        "-headers",
        "-filesystem",
        "-release",
    ]
    .iter()
    .any(|end| name.ends_with(end))
        || name.starts_with("lib")
        || name.starts_with('@');
    let programs = match PROGRAMS.iter().find(|(package, _)| *package == name) {
        Some((_, programs)) => programs.split_whitespace().collect(),
        None if jdk => vec!["java", "javac", "jar"],
        None if library => Vec::new(),
        None => vec![name],
    };
    let size = match name {
        "gcc" | "gcc-c++" | "golang" | "rust" => 110_000_000,
        _ if name.starts_with("java-") => 180_000_000,
        _ => estimate(name, 60_000, 14_000_000),
    };
    (programs, size)
}

fn installed(files: &Files<'_>) -> Vec<String> {
    let text = files.text(DATABASE).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.strip_prefix("package "))
        .map(str::to_owned)
        .collect()
}

/// Writes down what is installed; the database grows with it.
fn store(files: &mut Files<'_>, all: &[String]) -> Result<(), Failed> {
    let size = files.size(DATABASE).max(9_000_000) + 45_000;
    let text: String = all.iter().map(|name| format!("package {name}\n")).collect();
    files.put(
        DATABASE,
        Content::stand_in(
            format!("stand-in for the database of packages\n{text}"),
            size,
        ),
        0o644,
    )
}

fn manager(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "-c",
            "-d",
            "-e",
            "-x",
            "--enablerepo",
            "--disablerepo",
            "--setopt",
            "--installroot",
            "--releasever",
            "--exclude",
            "-t",
            "--repo",
            "-r",
            "--nogpgcheck-value",
        ],
    );
    let name = call.name.clone();
    let mut command = words.word(0).to_owned();
    let mut packages: Vec<String> = words.words.iter().skip(1).cloned().collect();
    if command == "group" || command == "module" {
        command = format!("{command}{}", packages.first().map_or("", String::as_str));
        packages = packages.split_off(1.min(packages.len()));
    }
    let yes = words.options.iter().any(|(option, _)| {
        ["-y", "--assumeyes", "-n", "--non-interactive"].contains(&option.as_str())
            || (!option.starts_with("--") && option.contains('y'))
    }) || name == "microdnf" && words.has(&["-y"])
        || Files::of(call)
            .text("/etc/dnf/dnf.conf")
            .is_some_and(|text| text.contains("assumeyes=1"));
    match command.as_str() {
        "install" | "in" | "localinstall" | "reinstall" | "groupinstall" | "add" => {
            install(call, &packages, yes)
        }
        "update" | "upgrade" | "up" | "distro-sync" | "dist-upgrade" | "check-update"
        | "makecache" | "refresh" | "ref" | "upgrade-minimal" => {
            if command == "update" && !packages.is_empty() {
                return install(call, &packages, yes);
            }
            let wrote = metadata(call);
            call.out("Nothing to do.\nComplete!\n")?;
            written(call, wrote)
        }
        "remove" | "erase" | "rm" | "autoremove" => {
            let mut files = Files::of(call);
            let mut all = installed(&files);
            all.retain(|name| !packages.contains(name));
            let removed = packages.iter().try_for_each(|name| {
                let (programs, _) = contents(name);
                for bin in programs {
                    files.remove(&format!("/usr/bin/{bin}"))?;
                }
                files.remove(&format!("/usr/share/{name}"))
            });
            let wrote = removed.and_then(|()| store(&mut files, &all));
            work(call, 0.5);
            written(call, wrote)
        }
        "clean" => {
            let mut files = Files::of(call);
            let dirs = [
                "/var/cache/yum",
                "/var/cache/dnf",
                "/var/cache/zypp",
                "/var/cache/libdnf5",
            ];
            let wrote = dirs.iter().try_for_each(|dir| {
                let names = files.names(dir);
                names
                    .iter()
                    .try_for_each(|name| files.remove(&format!("{dir}/{name}")))
            });
            written(call, wrote)
        }
        "config-manager" => config(call),
        "modulelist" | "repolist" | "moduleenable" | "moduledisable" | "modulereset"
        | "history" | "list" | "info" | "grouplist" | "search" | "versionlock" | "addrepo"
        | "ar" | "mark" | "copr" | "--version" | "" => Ok(0),
        "builddep" | "download" | "provides" | "repoquery" => unknown(call),
        _ => {
            call.err(format!(
                "No such command: {command}. Please use /usr/bin/{name} --help\n"
            ))?;
            Ok(1)
        }
    }
}

/// Fetches the repositories' metadata where it is not kept.
fn metadata(call: &mut Call<'_, '_>) -> Result<(), Failed> {
    let dir = match call.name.as_str() {
        "yum" => "/var/cache/yum",
        "zypper" => "/var/cache/zypp",
        _ => "/var/cache/dnf",
    };
    let mut files = Files::of(call);
    if !files.names(dir).is_empty() {
        return Ok(());
    }
    files.put_many(
        (&format!("{dir}/metadata-"), ".solv"),
        "the repositories' metadata",
        8,
        METADATA.1,
    )?;
    transfer(call, METADATA.0);
    work(call, 6.0);
    Ok(())
}

fn install(call: &mut Call<'_, '_>, packages: &[String], yes: bool) -> Exit {
    let wrote = metadata(call);
    if let code @ 1.. = written(call, wrote)? {
        return Ok(code);
    }
    let mut all = installed(&Files::of(call));
    let mut new: Vec<String> = Vec::new();
    for word in packages {
        let path = word.rsplit('/').next().unwrap_or(word);
        let name = match path.strip_suffix(".rpm") {
            // A version and an architecture stand behind the name.
            Some(stem) => stem
                .split("-0")
                .next()
                .and_then(|s| s.split("-1").next())
                .unwrap_or(stem)
                .to_owned(),
            None => path.trim_end_matches(".x86_64").to_owned(),
        };
        if !all.contains(&name) && !new.contains(&name) {
            new.push(name);
        }
    }
    if new.is_empty() {
        call.out("Nothing to do.\n")?;
        return Ok(0);
    }
    let size: u64 = new.iter().map(|name| contents(name).1).sum();
    call.out(format!(
        "Installing:\n {}\n\nTotal download size: {}\nInstalled size: {}\n",
        new.join("\n "),
        human(size / 4),
        human(size)
    ))?;
    if !yes {
        call.out("Is this ok [y/N]: Operation aborted.\n")?;
        return Ok(1);
    }
    tool::estimated(call, "rpm packages")?;
    let mut files = Files::of(call);
    let mut wrote = Ok(());
    for name in &new {
        let (programs, size) = contents(name);
        let share = if programs.is_empty() {
            0
        } else {
            size / 2 / programs.len() as u64
        };
        for bin in &programs {
            let path = format!("/usr/bin/{bin}");
            // A program of the base stays what it is.
            if !files.exists(&path) {
                wrote = wrote.and_then(|()| {
                    files.put(&path, program(&path, name, share.max(15_000)), 0o755)
                });
            }
        }
        let rest = size - share * programs.len() as u64;
        wrote = wrote.and_then(|()| {
            files.put_many(
                (&format!("/usr/share/{name}/unlisted/"), ""),
                name,
                4 + size / 400_000,
                rest,
            )
        });
        if name.ends_with("-release") {
            wrote = wrote.and_then(|()| {
                files.put(
                    &format!("/etc/yum.repos.d/{name}.repo"),
                    Content::new(format!("[{name}]\nenabled=1\n")),
                    0o644,
                )
            });
        }
    }
    all.extend(new.iter().cloned());
    wrote = wrote.and_then(|()| store(&mut files, &all)).and_then(|()| {
        files.put(
            "/var/log/dnf.log",
            stand_in("the log of dnf", 60_000),
            0o644,
        )
    });
    transfer(call, size / 4);
    work(call, 1.5 + 0.12 * new.len() as f64 + size as f64 / 80e6);
    call.out("Complete!\n")?;
    written(call, wrote)
}

/// `--add-repo URL` writes a file of that name.
fn config(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &["--add-repo"]);
    let Some(url) = words.value(&["--add-repo"]).map(str::to_owned) else {
        return Ok(0);
    };
    let name = url
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .trim_end_matches(".repo")
        .to_owned();
    transfer(call, 1_000);
    let text = format!("[{name}]\nname={name}\nbaseurl={url}\nenabled=1\n");
    let wrote = Files::of(call).put(
        &format!("/etc/yum.repos.d/{name}.repo"),
        Content::new(text),
        0o644,
    );
    written(call, wrote)
}

fn rpm(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &["--root", "--qf", "--queryformat", "--define", "--dbpath"],
    );
    let letters: String = words
        .options
        .iter()
        .filter(|(name, _)| !name.starts_with("--"))
        .map(|(name, _)| name.as_str())
        .collect();
    let has = |letter: char| letters.contains(letter);
    if words.has(&["--import"]) {
        transfer(call, 2_000);
        return Ok(0);
    }
    if words.has(&["--eval", "-E"]) {
        return say(call, "9");
    }
    if has('q') {
        let all = installed(&Files::of(call));
        if has('a') {
            let list: String = all
                .iter()
                .map(|name| format!("{name}-1.0-1.x86_64\n"))
                .collect();
            call.out(list)?;
            return Ok(0);
        }
        let mut code = 0;
        for name in &words.words {
            match all.contains(name) {
                true => call.out(format!("{name}-1.0-1.x86_64\n"))?,
                false => {
                    call.out(format!("package {name} is not installed\n"))?;
                    code = 1;
                }
            }
        }
        return Ok(code);
    }
    if has('i') || has('U') || has('F') || words.has(&["--install", "--upgrade"]) {
        return install(call, &words.words, true);
    }
    if has('e') {
        return Ok(0);
    }
    unknown(call)
}
