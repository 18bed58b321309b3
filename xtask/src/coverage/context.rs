//! A plausible build context for a Dockerfile of which only the text is known: every file that it
//! copies or mounts, and in the directories that it copies the files that its commands name.

use std::collections::BTreeMap;

use layerwise::build::op::{FileAction, Op, RunMountKind};
use layerwise::build::plan::Plan;

use super::project;

/// What a Dockerfile asks of its context.
struct Wish {
    /// The path in the context.
    source: String,
    /// Where a build sees it.
    seen: String,
}

/// Files by path, with their content and mode. A path that ends in `/` is an empty directory.
pub type Files = BTreeMap<String, (Vec<u8>, u32)>;

/// The files that the plan of the Dockerfile `text` needs.
pub fn files(plan: &Plan, text: &str) -> Files {
    let mut files = Files::new();
    let mut dirs = Vec::new();
    for wish in wishes(plan) {
        let path = concrete(&wish.source);
        let as_dir = wish.seen.ends_with('/');
        if path.is_empty() || (!wish.source.contains('*') && is_dir(&path, &wish.seen, text)) {
            dirs.push((path, wish.seen.trim_end_matches('/').to_string()));
            continue;
        }
        for path in siblings(&wish.source, &path) {
            let name = base(&path);
            let seen = if as_dir {
                format!("{}{name}", wish.seen)
            } else {
                wish.seen.clone()
            };
            add(&mut files, &path, &seen, text);
        }
    }
    let words = words(plan);
    for (dir, seen) in &dirs {
        fill(&mut files, dir, seen, &words, text);
    }
    files.remove("Dockerfile");
    files.remove(".dockerignore");
    // A file cannot be a directory too.
    let paths: Vec<String> = files.keys().cloned().collect();
    for path in &paths {
        let below = format!("{path}/");
        if paths.iter().any(|other| other.starts_with(&below)) {
            files.remove(path);
        }
    }
    files
}

fn wishes(plan: &Plan) -> Vec<Wish> {
    let mut wishes = Vec::new();
    for vertex in &plan.vertices {
        let is_context = |input: Option<usize>| {
            let vertex = input.and_then(|input| vertex.inputs.get(input));
            vertex.is_some_and(|at| matches!(plan.vertices[*at].op, Op::Context))
        };
        match &vertex.op {
            Op::File(op) => {
                for action in &op.actions {
                    let FileAction::Copy(copy) = action else {
                        continue;
                    };
                    if !is_context(copy.input) {
                        continue;
                    }
                    let paths = if copy.include.is_empty() {
                        vec![copy.source.clone()]
                    } else {
                        let below = |path| format!("{}/{path}", copy.source);
                        copy.include.iter().map(below).collect()
                    };
                    wishes.extend(paths.into_iter().map(|source| Wish {
                        source,
                        seen: copy.dest.clone(),
                    }));
                }
            }
            Op::Run(run) => {
                for mount in &run.mounts {
                    if matches!(mount.kind, RunMountKind::Bind) && is_context(mount.input) {
                        wishes.push(Wish {
                            source: mount.source.clone(),
                            seen: mount.target.clone(),
                        });
                    }
                }
            }
            _ => {}
        }
    }
    wishes
}

/// The path without pattern and leading slash.
fn concrete(source: &str) -> String {
    let mut path = String::new();
    let mut chars = source.trim_matches('/').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => {
                let alone = path.is_empty() || path.ends_with('/');
                if alone {
                    path.push_str("app");
                }
                while chars.peek() == Some(&'*') {
                    chars.next();
                }
            }
            '?' => path.push('x'),
            '[' => {
                path.extend(chars.next());
                for c in chars.by_ref() {
                    if c == ']' {
                        break;
                    }
                }
            }
            c => path.push(c),
        }
    }
    path.trim_end_matches('/').to_string()
}

/// What a pattern stands for beside its plainest reading.
fn siblings(pattern: &str, path: &str) -> Vec<String> {
    let mut all = vec![path.to_string()];
    let more: &[&str] = match base(pattern) {
        "package*.json" => &["package-lock.json"],
        "go.*" => {
            all.clear();
            &["go.mod", "go.sum"]
        }
        "Cargo.*" => {
            all.clear();
            &["Cargo.toml", "Cargo.lock"]
        }
        "Gemfile*" => &["Gemfile.lock"],
        "composer.*" => {
            all.clear();
            &["composer.json", "composer.lock"]
        }
        _ => &[],
    };
    let dir = path.rfind('/').map_or("", |at| &path[..=at]);
    all.extend(more.iter().map(|name| format!("{dir}{name}")));
    all
}

/// Whether a source that is no pattern is rather a directory than a file.
fn is_dir(path: &str, seen: &str, text: &str) -> bool {
    let name = base(path);
    if is_file_name(name) {
        return false;
    }
    if name.starts_with('.') || name.contains('.') {
        return true;
    }
    let target = seen.trim_end_matches('/');
    let in_bin = ["bin", "sbin", "init.d", "cron.d", "cron.daily", "sudoers.d"]
        .iter()
        .any(|dir| target.ends_with(&format!("/{dir}")) || parent(target).ends_with(dir));
    if in_bin {
        return false;
    }
    let whole = if seen.ends_with('/') {
        format!("{seen}{name}")
    } else {
        seen.to_string()
    };
    let run_or_changed = text.lines().any(|line| {
        let line = line.trim_start();
        let first = line.split_whitespace().next().unwrap_or_default();
        let asked = line.contains("chmod ") && !line.contains("-R")
            || ["ENTRYPOINT", "CMD"].contains(&first.to_uppercase().as_str());
        asked
            && line
                .split(|c: char| c.is_whitespace() || "\"',[]".contains(c))
                .any(|word| word == whole)
    });
    !run_or_changed
}

/// Whether a name is that of a file.
fn is_file_name(name: &str) -> bool {
    if project::is_known_file(name) {
        return true;
    }
    let Some((stem, ending)) = name.rsplit_once('.') else {
        return false;
    };
    let is_ending = (1..=12).contains(&ending.len())
        && ending
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && ending.bytes().any(|b| b.is_ascii_alphabetic());
    is_ending && !stem.is_empty() && ending != "d"
}

/// The words of all commands, with the directory that they are said in.
fn words(plan: &Plan) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for vertex in &plan.vertices {
        let Op::Run(run) = &vertex.op else { continue };
        let text = run.args.join(" ");
        let mut cwd = run.cwd.clone();
        let mut after_cd = false;
        for word in text.split(|c: char| c.is_whitespace() || ";&|\"'()<>=,`".contains(c)) {
            if word.is_empty() {
                continue;
            }
            let absolute = join(&cwd, word);
            if after_cd {
                cwd = absolute;
                found.push((cwd.clone() + "/", cwd.clone()));
            } else if !word.starts_with('-') && !word.contains(['$', '*', '{', ':', '\\', '%']) {
                let named = is_file_name(base(word)) || word.starts_with("./");
                if named {
                    found.push((absolute, word.to_string()));
                }
            }
            after_cd = word == "cd" || word == "pushd";
        }
    }
    found
}

/// Fills a directory with a project of the kind that the Dockerfile is about, and with the files
/// that commands name.
fn fill(files: &mut Files, dir: &str, seen: &str, words: &[(String, String)], text: &str) {
    let path = |rest: &str| match dir {
        "" => rest.to_string(),
        dir => format!("{dir}/{rest}"),
    };
    for name in project::starting_files(text) {
        let whole = path(name);
        add(files, &whole, &format!("{seen}/{name}"), text);
    }
    let top = format!("{seen}/");
    for (absolute, word) in words {
        let Some(rest) = absolute.strip_prefix(&top).filter(|rest| !rest.is_empty()) else {
            continue;
        };
        let mut parts = rest.split('/');
        let made_later = [
            "node_modules",
            "target",
            "dist",
            "out",
            ".git",
            "vendor",
            "venv",
        ];
        if parts.any(|part| made_later.contains(&part)) || project::is_made_later(rest) {
            continue;
        }
        match rest.strip_suffix('/') {
            Some(below) => {
                for name in project::starting_files(text) {
                    let whole = path(&format!("{below}/{name}"));
                    add(files, &whole, &format!("{absolute}{name}"), text);
                }
            }
            None => {
                let fetched = text.contains(&format!("/{}", base(word)))
                    && text.contains("://")
                    && text.split_whitespace().any(|w| {
                        w.contains("://") && w.trim_end_matches(['"', '\'']).ends_with(base(word))
                    });
                if !fetched {
                    add(files, &path(rest), absolute, text);
                }
            }
        }
    }
}

fn add(files: &mut Files, path: &str, seen: &str, text: &str) {
    let path = path.trim_matches('/');
    if path.is_empty() || path.contains("..") {
        return;
    }
    if !files.contains_key(path) {
        files.insert(path.to_string(), project::content(path, seen, text));
    }
}

/// The last part of a path.
pub fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn parent(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..at])
}

/// `word` seen from `cwd`, without `.` and `..`.
fn join(cwd: &str, word: &str) -> String {
    let whole = if word.starts_with('/') {
        word.to_string()
    } else {
        format!("{cwd}/{word}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_become_names() {
        assert_eq!(concrete("/package*.json"), "package.json");
        assert_eq!(concrete("/target/*.jar"), "target/app.jar");
        assert_eq!(concrete("/yarn.loc[k]"), "yarn.lock");
        assert_eq!(siblings("/go.*", "go."), ["go.mod", "go.sum"]);
    }

    #[test]
    fn files_and_directories() {
        let is_dir = |path: &str, seen: &str| is_dir(path, seen, "RUN chmod +x /start\n");
        assert!(is_dir("src", "/app/src"));
        assert!(is_dir("rootfs", "/"));
        assert!(is_dir("conf.d", "/etc/conf.d"));
        assert!(!is_dir("start", "/start"));
        assert!(!is_dir("run", "/usr/local/bin/"));
        assert!(!is_dir("Makefile", "/app/"));
        assert!(!is_dir("docker/nginx.conf", "/etc/nginx/"));
    }

    #[test]
    fn words_are_seen_from_a_directory() {
        assert_eq!(join("/app", "../x/./y"), "/x/y");
    }
}
