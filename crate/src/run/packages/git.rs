//! git: repositories are fetched as archives from the simulated network, and what their history
//! holds is a stand-in.

use sha2::{Digest as _, Sha256};
use std::io::Read as _;

use super::super::{Call, Exit, Program};
use super::files::{Failed, Files, stand_in};
use super::tool::{self, Words, above, unknown, written};
use crate::fs::{Content, base_name, join};

pub(super) const TABLE: &[Program] = &[Program::modelled("git", main)];

const FATAL: i32 = 128;

fn main(call: &mut Call<'_, '_>) -> Exit {
    let mut args = std::mem::take(&mut call.args);
    // Options of git itself stand in front of the command.
    while let Some(first) = args.first().cloned().filter(|word| word.starts_with('-')) {
        args.remove(0);
        match first.as_str() {
            "-C" if !args.is_empty() => {
                let dir = args.remove(0);
                call.proc.fs.cwd = join(&call.proc.fs.cwd, &dir);
            }
            "-c" if !args.is_empty() => {
                args.remove(0);
            }
            "--version" => return tool::say(call, "git version 2.39.5"),
            _ => {}
        }
    }
    let command = if args.is_empty() {
        String::new()
    } else {
        args.remove(0)
    };
    let words = Words::of(
        &args,
        &[
            "-b",
            "--branch",
            "--depth",
            "-c",
            "--config",
            "-j",
            "--jobs",
            "-o",
            "--origin",
            "--reference",
            "--filter",
            "-m",
            "-n",
        ],
    );
    match command.as_str() {
        "clone" => clone(call, &words),
        "init" => init(call, words.word(0)),
        "config" => config(call, &words),
        "version" => tool::say(call, "git version 2.39.5"),
        "lfs" if words.word(0) == "install" => Ok(0),
        "ls-remote" => {
            let id = id(words.word(0));
            tool::transfer(call, 4_000);
            tool::say(call, &format!("{id}\tHEAD\n{id}\trefs/heads/main"))
        }
        _ => {
            let Some(top) = above(call, ".git") else {
                call.err("fatal: not a git repository (or any of the parent directories): .git\n")?;
                return Ok(FATAL);
            };
            inside(call, &command, &words, &top)
        }
    }
}

/// A commit that stands for what a name leads to.
fn id(name: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    digest[..20]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn clone(call: &mut Call<'_, '_>, words: &Words) -> Exit {
    let url = words.word(0).to_owned();
    if url.is_empty() {
        call.err("fatal: You must specify a repository to clone.\n")?;
        return Ok(129);
    }
    let plain = url
        .trim_end_matches('/')
        .trim_end_matches(".git")
        .to_owned();
    let target = match words.word(1) {
        "" => base_name(&plain.replace(':', "/")).to_owned(),
        dir => dir.to_owned(),
    };
    let files = Files::of(call);
    if files.exists(&target) && !files.names(&target).is_empty() {
        call.err(format!(
            "fatal: destination path '{target}' already exists and is not an empty directory.\n"
        ))?;
        return Ok(FATAL);
    }
    call.err(format!("Cloning into '{target}'...\n"))?;
    // A repository on this machine: its files are there.
    if !url.contains("://") && !url.contains('@') && !url.contains(':') {
        if !Files::of(call).exists(&url) {
            call.err(format!("fatal: repository '{url}' does not exist\n"))?;
            return Ok(FATAL);
        }
        return match call.run(&["cp".into(), "-r".into(), url, target])? {
            Ok(code) => Ok(code),
            Err(_) => Ok(FATAL),
        };
    }
    let address = match plain.split_once("://") {
        Some((_, rest)) => format!("https://{rest}.git"),
        None => format!(
            "https://{}.git",
            plain
                .rsplit('@')
                .next()
                .unwrap_or_default()
                .replacen(':', "/", 1)
        ),
    };
    let Some(response) = call.kernel.host.fetch(&address) else {
        call.err(format!(
            "fatal: unable to access '{url}/': Could not resolve host\n"
        ))?;
        return Ok(FATAL);
    };
    let size = response.body.size();
    let shallow = words.has(&["--depth"]);
    let pack = if shallow { size * 2 / 5 } else { size * 8 / 5 };
    tool::transfer(call, pack);
    tool::work(call, size as f64 / 40e6);
    let branch = words
        .value(&["-b", "--branch"])
        .unwrap_or("main")
        .to_owned();
    let commit = id(&format!("{plain} {branch}"));
    let mut files = Files::of(call);
    let wrote = checkout_archive(&mut files, response.body.bytes(), &target).and_then(|()| {
        let git = format!("{target}/.git");
        skeleton(&mut files, &git, &branch)?;
        let config = format!(
            "[remote \"origin\"]\n\turl = {url}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
        );
        tool::append(&mut files, &format!("{git}/config"), &config)?;
        let refs = format!("{commit} refs/remotes/origin/{branch}\n");
        files.put(&format!("{git}/packed-refs"), Content::new(refs), 0o644)?;
        files.put(
            &format!("{git}/refs/heads/{branch}"),
            Content::new(format!("{commit}\n")),
            0o644,
        )?;
        let name = format!("{git}/objects/pack/pack-{commit}");
        files.put(&format!("{name}.pack"), stand_in(&plain, pack), 0o444)?;
        files.put(&format!("{name}.idx"), stand_in(&plain, pack / 40), 0o444)?;
        files.put(&format!("{git}/index"), stand_in(&plain, 4_000), 0o644)
    });
    written(call, wrote)
}

/// Writes what an archive holds, without its first folder. An address that serves no archive gives
/// an empty repository.
fn checkout_archive(files: &mut Files<'_>, bytes: &[u8], target: &str) -> Result<(), Failed> {
    files.dir(target)?;
    let unpacked;
    let bytes = match crate::image::compression(bytes) {
        Some(compression) => {
            unpacked = crate::image::decompress(compression, bytes).ok().flatten();
            unpacked.as_deref().unwrap_or_default()
        }
        None => bytes,
    };
    let mut archive = tar::Archive::new(bytes);
    for entry in archive.entries().into_iter().flatten() {
        let Ok(mut entry) = entry else { break };
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some((_, rest)) = path.split_once('/') else {
            continue;
        };
        let rest = rest.trim_end_matches('/');
        if rest.is_empty() || rest.split('/').any(|part| part == "..") {
            continue;
        }
        let path = format!("{target}/{rest}");
        if entry.header().entry_type().is_dir() {
            files.dir(&path)?;
            continue;
        }
        let mode = if entry.header().mode().unwrap_or(0) & 0o111 == 0 {
            0o644
        } else {
            0o755
        };
        let mut bytes = Vec::new();
        // What cannot be read to its end is cut off.
        let _ = entry.read_to_end(&mut bytes);
        files.put(&path, super::super::stand_in::recognise(bytes), mode)?;
    }
    Ok(())
}

fn skeleton(files: &mut Files<'_>, git: &str, branch: &str) -> Result<(), Failed> {
    for dir in [
        "branches",
        "hooks",
        "info",
        "objects/info",
        "objects/pack",
        "refs/heads",
        "refs/tags",
    ] {
        files.dir(&format!("{git}/{dir}"))?;
    }
    let core = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n";
    for (name, text) in [
        ("HEAD", format!("ref: refs/heads/{branch}\n")),
        ("config", core.to_owned()),
        (
            "description",
            "Unnamed repository; edit this file 'description' to name the repository.\n".to_owned(),
        ),
    ] {
        files.put(&format!("{git}/{name}"), Content::new(text), 0o644)?;
    }
    Ok(())
}

fn init(call: &mut Call<'_, '_>, dir: &str) -> Exit {
    let git = join(&join(&call.proc.fs.cwd, dir), ".git");
    let mut files = Files::of(call);
    let again = files.exists(&git);
    let wrote = if again {
        Ok(())
    } else {
        skeleton(&mut files, &git, "master")
    };
    let code = written(call, wrote)?;
    let what = if again {
        "Reinitialized existing"
    } else {
        "Initialized empty"
    };
    call.out(format!("{what} Git repository in {git}/\n"))?;
    Ok(code)
}

/// `git config`: reads and writes the file of the scope.
fn config(call: &mut Call<'_, '_>, words: &Words) -> Exit {
    let path = if words.has(&["--global"]) {
        format!("{}/.gitconfig", tool::home(call))
    } else if words.has(&["--system"]) {
        "/etc/gitconfig".to_owned()
    } else if let Some(file) = words
        .value(&["-f", "--file"])
        .filter(|file| !file.is_empty())
    {
        file.to_owned()
    } else {
        match above(call, ".git") {
            Some(top) => format!("{top}/.git/config"),
            None => {
                call.err("fatal: not in a git directory\n")?;
                return Ok(FATAL);
            }
        }
    };
    let key = words.word(0).to_owned();
    let mut files = Files::of(call);
    let old = files.text(&path).unwrap_or_default();
    if words.has(&["-l", "--list"]) {
        let mut section = String::new();
        let mut out = String::new();
        for line in old.lines() {
            match line
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
            {
                Some(head) => section = head.replace(" \"", ".").replace('"', "").to_lowercase(),
                None => {
                    if let Some((name, value)) = line.split_once('=') {
                        out += &format!("{section}.{}={}\n", name.trim(), value.trim());
                    }
                }
            }
        }
        call.out(out)?;
        return Ok(0);
    }
    let Some((section, name)) = key.rsplit_once('.') else {
        call.err(format!("error: key does not contain a section: {key}\n"))?;
        return Ok(2);
    };
    let head = match section.split_once('.') {
        Some((section, sub)) => format!("[{section} \"{sub}\"]"),
        None => format!("[{section}]"),
    };
    let is_line = |line: &str| {
        line.split_once('=')
            .is_some_and(|(found, _)| found.trim().eq_ignore_ascii_case(name))
    };
    let mut inside = false;
    let mut lines: Vec<String> = Vec::new();
    let mut found = None;
    let mut at_end = None;
    for line in old.lines() {
        if line.starts_with('[') {
            inside = line == head;
        }
        if inside && is_line(line) {
            found = line
                .split_once('=')
                .map(|(_, value)| value.trim().to_owned());
            if !words.has(&["--add"])
                && (words.words.len() > 1 || words.has(&["--unset", "--unset-all"]))
            {
                continue;
            }
        }
        lines.push(line.to_owned());
        if inside {
            at_end = Some(lines.len());
        }
    }
    if !words.has(&["--unset", "--unset-all"]) {
        let Some(value) = words.words.get(1) else {
            return match found {
                Some(value) => tool::say(call, &value),
                None => Ok(1),
            };
        };
        let at = at_end.unwrap_or_else(|| {
            lines.push(head.clone());
            lines.len()
        });
        lines.insert(at, format!("\t{name} = {value}"));
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let wrote = files.put(&path, Content::new(text), 0o644);
    written(call, wrote)
}

/// A command that works on the repository whose top is `top`.
fn inside(call: &mut Call<'_, '_>, command: &str, words: &Words, top: &str) -> Exit {
    let git = format!("{top}/.git");
    let files = Files::of(call);
    let head = files.text(&format!("{git}/HEAD")).unwrap_or_default();
    let head = head.trim().to_owned();
    let branch = head.strip_prefix("ref: refs/heads/").map(str::to_owned);
    let commit = match &branch {
        Some(branch) => files
            .text(&format!("{git}/refs/heads/{branch}"))
            .unwrap_or_default()
            .trim()
            .to_owned(),
        None => head.clone(),
    };
    match command {
        "checkout" | "switch" | "reset" => {
            let new = words
                .value(&["-b", "-c", "-B"])
                .filter(|name| !name.is_empty())
                .map(str::to_owned);
            let to = new.clone().unwrap_or_else(|| words.word(0).to_owned());
            // Files that are named are as they are checked out.
            if to.is_empty() || Files::of(call).exists(&to) || command == "reset" {
                return Ok(0);
            }
            // Fetched with `git fetch`, or asked for by number.
            let hash = to.len() >= 7 && to.bytes().all(|b| b.is_ascii_hexdigit());
            let (text, line) = match &new {
                Some(name) => (
                    format!("ref: refs/heads/{name}\n"),
                    format!("Switched to a new branch '{name}'\n"),
                ),
                None => {
                    let commit = if hash {
                        to.clone()
                    } else {
                        id(&format!("{top} {to}"))
                    };
                    let short = &commit[..7];
                    (
                        format!("{commit}\n"),
                        format!("HEAD is now at {short} (stand-in)\n"),
                    )
                }
            };
            let mut files = Files::of(call);
            let mut wrote = files.put(&format!("{git}/HEAD"), Content::new(text), 0o644);
            if let Some(name) = &new {
                let line = Content::new(format!("{commit}\n"));
                wrote = wrote
                    .and_then(|()| files.put(&format!("{git}/refs/heads/{name}"), line, 0o644));
            }
            call.err(line)?;
            written(call, wrote)
        }
        "fetch" | "pull" => {
            tool::transfer(call, 200_000);
            let line = Content::new(format!("{commit}\t\tbranch 'main'\n"));
            let wrote = Files::of(call).put(&format!("{git}/FETCH_HEAD"), line, 0o644);
            written(call, wrote)
        }
        "remote" => match (words.word(0), words.word(1), words.word(2)) {
            ("add", name, url) | ("set-url", name, url) => {
                let text = format!(
                    "[remote \"{name}\"]\n\turl = {url}\n\tfetch = +refs/heads/*:refs/remotes/{name}/*\n"
                );
                let wrote = tool::append(&mut Files::of(call), &format!("{git}/config"), &text);
                written(call, wrote)
            }
            ("get-url", ..) => {
                let text = Files::of(call)
                    .text(&format!("{git}/config"))
                    .unwrap_or_default();
                let url = text
                    .lines()
                    .find_map(|line| line.trim().strip_prefix("url = "));
                tool::say(call, url.unwrap_or_default())
            }
            _ => Ok(0),
        },
        // A stand-in has no submodules, and nothing in it has changed.
        "submodule" => {
            tool::work(call, 0.1);
            Ok(0)
        }
        "status" | "diff" | "diff-index" | "ls-files" | "clean" | "gc" | "prune"
        | "update-index" | "tag" | "lfs" | "stash" | "show-ref" => Ok(0),
        "add" => Ok(0),
        "commit" => {
            let commit = id(&format!(
                "{commit} {}",
                words.value(&["-m"]).unwrap_or_default()
            ));
            let path = match &branch {
                Some(branch) => format!("{git}/refs/heads/{branch}"),
                None => format!("{git}/HEAD"),
            };
            let wrote = Files::of(call).put(&path, Content::new(format!("{commit}\n")), 0o644);
            written(call, wrote)
        }
        "branch" => match branch {
            Some(branch) if words.words.is_empty() => tool::say(call, &format!("* {branch}")),
            _ => Ok(0),
        },
        "rev-parse" => {
            if words.has(&["--show-toplevel"]) {
                return tool::say(call, top);
            }
            if words.has(&["--git-dir"]) {
                return tool::say(call, ".git");
            }
            if words.has(&["--is-inside-work-tree"]) {
                return tool::say(call, "true");
            }
            if words.has(&["--abbrev-ref"]) {
                return tool::say(call, branch.as_deref().unwrap_or("HEAD"));
            }
            match words.has(&["--short"]) {
                true => tool::say(call, commit.get(..7).unwrap_or_default()),
                false => tool::say(call, &commit),
            }
        }
        "describe" => {
            let tag = branch.filter(|name| name.contains(|c: char| c.is_ascii_digit()));
            let text =
                tag.unwrap_or_else(|| format!("v1.0.0-1-g{}", commit.get(..7).unwrap_or_default()));
            tool::say(call, &text)
        }
        "log" | "show" | "rev-list" => log(call, words, &commit),
        "apply" | "am" => apply(call, words, top),
        _ => unknown(call),
    }
}

fn log(call: &mut Call<'_, '_>, words: &Words, commit: &str) -> Exit {
    let format = words.value(&["--format", "--pretty"]).map(|text| {
        text.trim_start_matches("format:")
            .trim_start_matches("tformat:")
    });
    let Some(format) = format.filter(|text| text.contains('%')) else {
        let text = format!("commit {commit}\nAuthor: stand-in\n");
        call.out(text)?;
        return Ok(0);
    };
    let short = commit.get(..7).unwrap_or_default();
    let text = format
        .replace("%H", commit)
        .replace("%h", short)
        .replace("%ct", "1700000000")
        .replace("%at", "1700000000")
        .replace("%cI", "2023-11-14T22:13:20+00:00")
        .replace("%cd", "2023-11-14")
        .replace("%cs", "2023-11-14")
        .replace("%n", "\n");
    tool::say(call, &text)
}

/// `git apply` and `git am`: what patch does at the top of the repository.
fn apply(call: &mut Call<'_, '_>, words: &Words, top: &str) -> Exit {
    let cwd = call.proc.fs.cwd.clone();
    let mut code = 0;
    for file in &words.words {
        let path = join(&cwd, file);
        let args = ["patch", "-p1", "-d", top, "-i", &path].map(str::to_owned);
        match call.run(&args)? {
            Ok(ended) => code = code.max(ended),
            // git has its own way to do it, which is not simulated.
            Err(_) => return unknown(call),
        }
    }
    Ok(code)
}
