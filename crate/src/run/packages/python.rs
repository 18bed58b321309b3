//! Python's other managers: uv, poetry, pipenv and conda. What they install goes the way of pip
//! wherever pip is there to do it.

use super::super::{Call, Exit, Program, Stop};
use super::files::{Files, program, stand_in};
use super::table::estimate;
use super::tool::{self, Words, env, say, transfer, unknown, work, written};

pub(super) const TABLE: &[Program] = &[
    Program::modelled("uv", uv),
    Program::modelled("uvx", unknown),
    Program::modelled("poetry", poetry),
    Program::modelled("pipenv", pipenv),
    Program::modelled("conda", conda),
    Program::modelled("mamba", conda),
    Program::modelled("micromamba", conda),
    Program::modelled("easy_install", |call| {
        let names: Vec<String> = call
            .args
            .iter()
            .filter(|arg| !arg.starts_with('-'))
            .cloned()
            .collect();
        pip(call, "", &names)
    }),
];

/// Runs `pip install` with these arguments, in the environment `venv` if there is one.
fn pip(call: &mut Call<'_, '_>, venv: &str, args: &[String]) -> Exit {
    if args.is_empty() {
        return Ok(0);
    }
    let name = match venv {
        "" if call.kernel.find(call.proc, "pip").is_ok() => "pip".to_owned(),
        "" => "pip3".to_owned(),
        venv => format!("{venv}/bin/pip"),
    };
    let mut command = vec![name, "install".to_owned()];
    command.extend(args.iter().cloned());
    match call.run_with(&command, |child| {
        child.env.set("PIP_BREAK_SYSTEM_PACKAGES", "1")
    })? {
        Ok(code) => Ok(code),
        Err(_) => unknown(call),
    }
}

/// Makes a virtual environment, if there is none.
fn venv(call: &mut Call<'_, '_>, dir: &str) -> Result<i32, Stop> {
    if Files::of(call).exists(&format!("{dir}/bin/python")) {
        return Ok(0);
    }
    let args = ["python3", "-m", "venv", dir].map(str::to_owned);
    Ok(call.run(&args)?.unwrap_or(1))
}

/// Name and version of what a TOML lock file lists.
fn locked(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut name = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("name = \"") {
            name = rest.trim_end_matches('"').to_owned();
        } else if let Some(rest) = line
            .strip_prefix("version = \"")
            .filter(|_| !name.is_empty())
        {
            all.push(format!("{name}=={}", rest.trim_end_matches('"')));
            name.clear();
        }
    }
    all
}

/// The requirements of a `pyproject.toml`: PEP 621's list or poetry's table.
fn asked(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let (mut list, mut table) = (false, false);
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') && !list {
            table = line == "[tool.poetry.dependencies]" || line == "[packages]";
        } else if let Some(rest) = line.strip_prefix("dependencies") {
            list = rest.trim_start_matches([' ', '=']).starts_with('[');
        }
        if list {
            let inside = line.split('[').next_back().unwrap_or(line);
            all.extend(inside.split('"').skip(1).step_by(2).map(str::to_owned));
            list = !line.ends_with(']');
        } else if let Some((name, _)) = line.split_once('=').filter(|_| table) {
            let name = name.trim().trim_matches('"');
            if name != "python" && !name.is_empty() {
                all.push(name.to_owned());
            }
        }
    }
    all
}

/// What the project of the working directory needs.
fn needs(call: &mut Call<'_, '_>, lock: &str, manifest: &str) -> Option<Vec<String>> {
    let files = Files::of(call);
    match (files.text(lock), files.text(manifest)) {
        (Some(lock), _) => Some(locked(&lock)),
        (None, Some(manifest)) => Some(asked(&manifest)),
        (None, None) => None,
    }
}

fn uv(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "-r",
            "--requirement",
            "--python",
            "-p",
            "--extra",
            "--group",
            "--index-url",
            "--target",
            "--prefix",
            "-c",
            "--no-install-package",
            "--package",
            "--extra-index-url",
            "--with",
            "--directory",
        ],
    );
    let args = call.args.clone();
    match (words.word(0), words.word(1)) {
        ("" | "--version" | "version", _) => say(call, "uv 0.9.11"),
        ("pip", "install" | "sync") => {
            // The flags that pip has not are uv's own.
            let own = [
                "--system",
                "--compile-bytecode",
                "--no-cache",
                "--strict",
                "--locked",
                "--frozen",
            ];
            let mut rest: Vec<String> = args
                .iter()
                .skip_while(|arg| *arg != "install" && *arg != "sync")
                .skip(1)
                .filter(|arg| !own.contains(&arg.as_str()))
                .cloned()
                .collect();
            if words.word(1) == "sync" {
                rest.insert(0, "-r".into());
            }
            rest.push("--no-cache-dir".into());
            let target = env(call, "VIRTUAL_ENV");
            pip(call, &target, &rest)
        }
        ("venv", dir) => {
            let dir = if dir.is_empty() { ".venv" } else { dir };
            venv(call, dir)
        }
        ("sync", _) => {
            let Some(needs) = needs(call, "uv.lock", "pyproject.toml") else {
                call.err("error: No `pyproject.toml` found in current directory or any parent directory\n")?;
                return Ok(2);
            };
            let dir = match env(call, "UV_PROJECT_ENVIRONMENT") {
                dir if dir.is_empty() => ".venv".to_owned(),
                dir => dir,
            };
            let code = venv(call, &dir)?;
            if code != 0 || needs.is_empty() {
                return Ok(code);
            }
            let dir = crate::fs::join(&call.proc.fs.cwd, &dir);
            let mut rest = vec!["--no-deps".to_owned()];
            rest.extend(needs);
            pip(call, &dir, &rest)
        }
        ("tool", "install") => {
            let names: Vec<String> = words.words.iter().skip(2).cloned().collect();
            pip(call, "", &names)
        }
        ("run", _) => {
            let command: Vec<String> = args
                .iter()
                .skip(1)
                .skip_while(|arg| arg.starts_with('-'))
                .cloned()
                .collect();
            let ran = call.run_with(&command, |child| {
                let path = child.env.get("PATH").unwrap_or_default().to_owned();
                child
                    .env
                    .set("PATH", &format!("{}/.venv/bin:{path}", child.fs.cwd));
            })?;
            match ran {
                Ok(code) => Ok(code),
                Err(_) => call.fail(2, "error: Failed to spawn the command"),
            }
        }
        ("cache" | "lock" | "python" | "export" | "self" | "add" | "init", _) => Ok(0),
        _ => unknown(call),
    }
}

fn poetry(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "-E",
            "--extras",
            "--with",
            "--without",
            "--only",
            "-f",
            "--format",
            "-o",
            "--output",
            "-C",
            "-P",
            "--project",
        ],
    );
    match words.word(0) {
        "" => say(call, "Poetry (version 2.1.4)"),
        "install" | "sync" | "update" => {
            let Some(needs) = needs(call, "poetry.lock", "pyproject.toml") else {
                let cwd = call.proc.fs.cwd.clone();
                call.err(format!(
                    "\nPoetry could not find a pyproject.toml file in {cwd} or its parents\n"
                ))?;
                return Ok(1);
            };
            let marked = format!("{}/.config/pypoetry/system", tool::home(call));
            let no_venv = env(call, "POETRY_VIRTUALENVS_CREATE") == "false"
                || Files::of(call).exists(&marked);
            let dir = match no_venv {
                true => String::new(),
                false if env(call, "POETRY_VIRTUALENVS_IN_PROJECT").is_empty() => {
                    format!("{}/.cache/pypoetry/virtualenvs/app-py3", tool::home(call))
                }
                false => format!("{}/.venv", call.proc.fs.cwd),
            };
            if !dir.is_empty()
                && let code @ 1.. = venv(call, &dir)?
            {
                return Ok(code);
            }
            work(call, 2.0);
            pip(call, &dir, &needs)
        }
        "config" if words.word(1) == "virtualenvs.create" && words.word(2) == "false" => {
            let path = format!("{}/.config/pypoetry/system", tool::home(call));
            let wrote =
                Files::of(call).put(&path, stand_in("virtualenvs.create = false", 60), 0o644);
            written(call, wrote)
        }
        "export" => {
            let list = needs(call, "poetry.lock", "pyproject.toml")
                .unwrap_or_default()
                .join("\n")
                + "\n";
            match words.value(&["-o", "--output"]) {
                Some(path) => {
                    let path = path.to_owned();
                    let wrote = Files::of(call).put(&path, crate::fs::Content::new(list), 0o644);
                    written(call, wrote)
                }
                None => {
                    call.out(list)?;
                    Ok(0)
                }
            }
        }
        "config" | "lock" | "check" | "self" | "cache" | "env" | "version" => Ok(0),
        "run" => {
            let command: Vec<String> = words.words[1..].to_vec();
            match call.run(&command)? {
                Ok(code) => Ok(code),
                Err(_) => Ok(127),
            }
        }
        _ => unknown(call),
    }
}

fn pipenv(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &["--python"]);
    match words.word(0) {
        "" => say(call, "pipenv, version 2025.0.4"),
        "install" | "sync" => {
            let files = Files::of(call);
            let lock = files
                .text("Pipfile.lock")
                .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
            let names: Option<Vec<String>> = match lock {
                Some(lock) => lock["default"].as_object().map(|all| {
                    all.iter()
                        .map(|(name, entry)| {
                            format!("{name}{}", entry["version"].as_str().unwrap_or_default())
                        })
                        .collect()
                }),
                None if words.has(&["--deploy"]) => {
                    call.err("Pipfile.lock not found!\n")?;
                    return Ok(1);
                }
                None => files.text("Pipfile").map(|text| asked(&text)),
            };
            let mut names = names.unwrap_or_default();
            names.extend(words.words.iter().skip(1).cloned());
            let dir = match words.has(&["--system"]) {
                true => String::new(),
                false => format!("{}/.local/share/virtualenvs/app", tool::home(call)),
            };
            if !dir.is_empty()
                && let code @ 1.. = venv(call, &dir)?
            {
                return Ok(code);
            }
            pip(call, &dir, &names)
        }
        "lock" | "clean" | "check" | "--rm" => Ok(0),
        _ => unknown(call),
    }
}

/// `conda`: packages into an environment, and archives of them into the cache.
fn conda(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "-n",
            "--name",
            "-p",
            "--prefix",
            "-c",
            "--channel",
            "-f",
            "--file",
            "--solver",
        ],
    );
    let root = match env(call, "MAMBA_ROOT_PREFIX") {
        root if !root.is_empty() => root,
        _ => "/opt/conda".to_owned(),
    };
    let target = match (
        words.value(&["-p", "--prefix"]),
        words.value(&["-n", "--name"]),
    ) {
        (Some(path), _) => path.to_owned(),
        (None, Some(name)) if name != "base" => format!("{root}/envs/{name}"),
        _ => root.clone(),
    };
    let command = match words.word(0) {
        "env" => words.word(1),
        command => command,
    };
    match command {
        "" => say(call, "conda 25.9.1"),
        "install" | "create" | "update" | "upgrade" => {
            let skip = if words.word(0) == "env" { 2 } else { 1 };
            let mut names: Vec<String> = words.words.iter().skip(skip).cloned().collect();
            let (mut target, mut pips) = (target, Vec::new());
            if let Some(file) = words.value(&["-f", "--file"]) {
                let file = file.to_owned();
                let Some(text) = Files::of(call).text(&file) else {
                    call.err(format!(
                        "EnvironmentFileNotFound: '{file}' file not found\n"
                    ))?;
                    return Ok(1);
                };
                let mut in_pip = false;
                for line in text.lines() {
                    let item = line.trim();
                    if let Some(name) = item
                        .strip_prefix("name:")
                        .filter(|_| words.value(&["-n", "--name", "-p", "--prefix"]).is_none())
                    {
                        target = format!("{root}/envs/{}", name.trim());
                    } else if item == "- pip:" {
                        in_pip = true;
                    } else if let Some(name) =
                        item.strip_prefix("- ").filter(|name| !name.contains('/'))
                    {
                        if in_pip {
                            pips.push(name.to_owned())
                        } else {
                            names.push(name.to_owned())
                        }
                    } else if file.ends_with(".txt") && !item.is_empty() && !item.starts_with('#') {
                        names.push(item.to_owned());
                    } else if item.starts_with("channels:") {
                        in_pip = false;
                    }
                }
                names.retain(|name| {
                    !["defaults", "conda-forge", "bioconda", "pytorch", "nvidia"]
                        .contains(&name.as_str())
                });
            }
            let mut bytes = 0;
            let mut wrote = Ok(());
            for word in &names {
                let name = word.split(['=', '<', '>', ':']).next().unwrap_or(word);
                let size = match name {
                    "python" => 120_000_000,
                    "pytorch" | "cudatoolkit" => 1_300_000_000,
                    name => estimate(name, 80_000, 40_000_000),
                };
                let mut files = Files::of(call);
                if files.exists(&format!("{target}/conda-meta/{name}.json")) {
                    continue;
                }
                bytes += size / 4;
                wrote = wrote
                    .and_then(|()| {
                        files.put_many(
                            (&format!("{target}/lib/{name}/file_"), ""),
                            name,
                            5 + size / 60_000,
                            size,
                        )
                    })
                    .and_then(|()| {
                        files.put(
                            &format!("{target}/conda-meta/{name}.json"),
                            stand_in(name, 12_000),
                            0o644,
                        )
                    })
                    .and_then(|()| {
                        files.put(
                            &format!("{root}/pkgs/{name}.conda"),
                            stand_in(name, size / 4),
                            0o644,
                        )
                    })
                    .and_then(|()| match name {
                        "python" => ["python", "python3", "pip"].iter().try_for_each(|bin| {
                            files.put(
                                &format!("{target}/bin/{bin}"),
                                program(bin, "python", 6_000_000),
                                0o755,
                            )
                        }),
                        name => files.put(
                            &format!("{target}/bin/{name}"),
                            program(name, name, 20_000),
                            0o755,
                        ),
                    });
            }
            tool::estimated(call, "conda packages")?;
            transfer(call, 40_000_000 + bytes);
            work(call, 12.0 + 0.5 * names.len() as f64);
            let code = written(call, wrote)?;
            if code != 0 || pips.is_empty() {
                return Ok(code);
            }
            pip(call, "", &pips)
        }
        "clean" => {
            let mut files = Files::of(call);
            let dir = format!("{root}/pkgs");
            let names = files.names(&dir);
            let wrote = names
                .iter()
                .try_for_each(|name| files.remove(&format!("{dir}/{name}")));
            written(call, wrote)
        }
        "run" => {
            let command: Vec<String> = words.words.iter().skip(1).cloned().collect();
            match call.run(&command)? {
                Ok(code) => Ok(code),
                Err(_) => Ok(127),
            }
        }
        "config" | "init" | "activate" | "info" | "list" | "remove" | "deactivate" | "shell"
        | "export" => Ok(0),
        _ => unknown(call),
    }
}
