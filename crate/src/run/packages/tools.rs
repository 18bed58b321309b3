//! Tools that images are often built with and that belong to no package manager.

use super::super::{Call, Exit, Program};
use super::files::{Files, program, stand_in};
use super::sources::sources;
use super::tool::{self, Words, env, say, transfer, unknown, work, written};
use crate::fs::{Content, Follow, base_name, join};

pub(super) const TABLE: &[Program] = &[
    Program::modelled("openssl", openssl),
    Program::modelled("corepack", corepack),
    Program::modelled("rsync", rsync),
    Program::modelled("dotnet", dotnet),
    Program::modelled("envsubst", envsubst),
    Program::modelled("xx-info", |call| {
        match call.args.first().map(String::as_str) {
            Some("arch") => say(call, "amd64"),
            Some("os") => say(call, "linux"),
            Some("march" | "alpine-arch" | "rhel-arch") => say(call, "x86_64"),
            Some("vendor") => say(call, "unknown"),
            Some("is-cross") => Ok(1),
            Some("env") => say(call, "TARGETOS=linux\nTARGETARCH=amd64"),
            Some(_) => say(call, "x86_64-linux-gnu"),
            None => say(call, "x86_64-linux-gnu"),
        }
    }),
    Program::modelled("xx-verify", tool::nothing),
    Program::modelled("xx-go", |call| other(call, "go")),
    Program::modelled("xx-apk", |call| other(call, "apk")),
    Program::modelled("xx-apt", |call| other(call, "apt")),
    Program::modelled("xx-apt-get", |call| other(call, "apt-get")),
    Program::modelled("xx-cargo", |call| other(call, "cargo")),
    Program::modelled("xx-clang", |call| other(call, "clang")),
    Program::modelled("svn", |call| checkout(call, &["checkout", "co", "export"])),
    Program::modelled("hg", |call| checkout(call, &["clone"])),
    Program::modelled("golangci-lint", linter),
    Program::modelled("govulncheck", linter),
    Program::modelled("shellcheck", linter),
    Program::modelled("hadolint", linter),
    Program::modelled("gofmt", linter),
    Program::modelled("pytest", linter),
    Program::modelled("flake8", linter),
    Program::modelled("ruff", linter),
    Program::modelled("mypy", linter),
    Program::modelled("setcap", tool::nothing),
    Program::modelled("fc-cache", |call| {
        let wrote = Files::of(call).put_many(
            ("/var/cache/fontconfig/", ".cache-8"),
            "the cache of fonts",
            4,
            60_000,
        );
        work(call, 1.0);
        written(call, wrote)
    }),
    Program::modelled("ssh-keyscan", |call| {
        let host = call
            .args
            .iter()
            .rev()
            .find(|arg| !arg.starts_with('-'))
            .cloned()
            .unwrap_or_default();
        transfer(call, 2_000);
        say(
            call,
            &format!("{host} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI-stand-in"),
        )
    }),
    Program::modelled("ssh-keygen", |call| {
        let words = Words::of(&call.args, &["-f", "-t", "-N", "-b", "-C", "-q", "-R"]);
        if words.has(&["-R", "-l"]) {
            return Ok(0);
        }
        let mut files = Files::of(call);
        let wrote = match words.has(&["-A"]) {
            true => ["rsa", "ecdsa", "ed25519"].iter().try_for_each(|kind| {
                files.put(
                    &format!("/etc/ssh/ssh_host_{kind}_key"),
                    stand_in("a key", 1_800),
                    0o600,
                )
            }),
            false => {
                let path = words
                    .value(&["-f"])
                    .unwrap_or("/root/.ssh/id_rsa")
                    .to_owned();
                files
                    .put(&path, stand_in("a key", 2_600), 0o600)
                    .and_then(|()| {
                        files.put(&format!("{path}.pub"), stand_in("a public key", 570), 0o644)
                    })
            }
        };
        written(call, wrote)
    }),
    Program::modelled("install_packages", |call| {
        call.args.splice(
            0..0,
            [
                "install".to_owned(),
                "-y".to_owned(),
                "--no-install-recommends".to_owned(),
            ],
        );
        call.name = "apt-get".into();
        let update = ["apt-get".to_owned(), "update".to_owned()];
        let mut install = vec!["apt-get".to_owned()];
        install.extend(call.args.iter().cloned());
        call.run(&update)?.ok();
        Ok(call.run(&install)?.unwrap_or(127))
    }),
];

/// Runs another program with the same arguments.
fn other(call: &mut Call<'_, '_>, name: &str) -> Exit {
    if call
        .args
        .first()
        .is_some_and(|arg| arg == "--wrap" || arg == "--setup-target-triple")
    {
        return Ok(0);
    }
    let mut args = vec![name.to_owned()];
    args.extend(call.args.iter().cloned());
    match call.run(&args)? {
        Ok(code) => Ok(code),
        Err(_) => {
            call.complain(format_args!("{name}: not found"))?;
            Ok(127)
        }
    }
}

/// Checkers: they take their time, find nothing, and write nothing.
fn linter(call: &mut Call<'_, '_>) -> Exit {
    let input = sources(call, ".", &[]);
    work(call, 2.0 + 0.03 * input.files.len() as f64);
    Ok(0)
}

/// svn and hg, by way of git's stand-in.
fn checkout(call: &mut Call<'_, '_>, verbs: &[&str]) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "-r",
            "--revision",
            "--depth",
            "-b",
            "--username",
            "--password",
        ],
    );
    if words.has(&["--version"]) {
        return say(call, "1.14.2");
    }
    if !verbs.contains(&words.word(0)) {
        return unknown(call);
    }
    let url = words.word(1).to_owned();
    let target = match words.word(2) {
        "" => base_name(url.trim_end_matches('/')).to_owned(),
        dir => dir.to_owned(),
    };
    let Some(response) = call.kernel.host.fetch(&url) else {
        return call.fail(
            1,
            format_args!("E170013: Unable to connect to a repository at URL '{url}'"),
        );
    };
    let size = response.body.size().max(200_000);
    transfer(call, size);
    let mut files = Files::of(call);
    let wrote = files
        .put(
            &format!("{target}/README"),
            stand_in(&format!("README of {target}"), 4_000),
            0o644,
        )
        .and_then(|()| {
            files.put(
                &format!("{target}/Makefile"),
                stand_in(&format!("Makefile of {}", base_name(&target)), 9_000),
                0o644,
            )
        })
        .and_then(|()| files.put_many((&format!("{target}/src/file_"), ".c"), &url, 20, size * 3));
    written(call, wrote)
}

fn openssl(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "-out",
            "-keyout",
            "-in",
            "-subj",
            "-days",
            "-newkey",
            "-key",
            "-CA",
            "-CAkey",
            "-config",
            "-extensions",
            "-passin",
            "-passout",
            "-addext",
            "-signkey",
            "-salt",
            "-extfile",
        ],
    );
    let outputs: Vec<(String, u64)> = words
        .options
        .iter()
        .filter(|(name, _)| name == "-out" || name == "-keyout")
        .map(|(name, path)| (path.clone(), if name == "-keyout" { 1_704 } else { 1_200 }))
        .collect();
    match words.word(0) {
        "" | "version" => say(call, "OpenSSL 3.0.17 1 Jul 2025"),
        "rand" => {
            let count: u64 = words
                .words
                .last()
                .and_then(|n| n.parse().ok())
                .unwrap_or(16);
            let (hex, count) = (words.has(&["-hex"]), count.min(4096));
            // The only randomness there is: the same on every machine.
            let random: String = (0..count)
                .map(|n| format!("{:02x}", (n * 167 + 43) & 0xff))
                .collect();
            match hex {
                true => say(call, &random),
                false => say(call, &random[..(count as usize * 4 / 3).min(random.len())]),
            }
        }
        "req" | "x509" | "genrsa" | "rsa" | "dhparam" | "genpkey" | "pkcs12" | "ecparam"
        | "pkey" | "ca" => {
            work(
                call,
                if words.word(0) == "dhparam" {
                    20.0
                } else {
                    0.3
                },
            );
            let mut wrote = Ok(());
            for (path, size) in outputs {
                wrote = wrote.and_then(|()| {
                    Files::of(call).put(&path, stand_in("a key or certificate", size), 0o644)
                });
            }
            written(call, wrote)
        }
        "passwd" => say(call, "$6$stand-in$"),
        _ => unknown(call),
    }
}

/// `corepack enable`: shims beside node, for the managers that it brings along.
fn corepack(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &["--install-directory"]);
    let home = match env(call, "COREPACK_HOME") {
        home if home.is_empty() => format!("{}/.cache/node/corepack", tool::home(call)),
        home => home,
    };
    match words.word(0) {
        "enable" => {
            let dir = words
                .value(&["--install-directory"])
                .unwrap_or("/usr/local/bin")
                .to_owned();
            let names: Vec<&str> = match words.words.get(1..) {
                Some([]) | None => vec!["yarn", "yarnpkg", "pnpm", "pnpx"],
                Some(names) => names.iter().map(String::as_str).collect(),
            };
            let mut files = Files::of(call);
            let wrote = names.iter().try_for_each(|name| {
                let path = format!("{dir}/{name}");
                files.put(&path, program(name, "corepack's shim", 240), 0o755)
            });
            written(call, wrote)
        }
        "prepare" | "install" | "use" | "up" => {
            transfer(call, 4_000_000);
            let name = words
                .words
                .get(1)
                .map_or("manager", |name| name.split('@').next().unwrap_or(name))
                .to_owned();
            let wrote = Files::of(call).put_many(
                (&format!("{home}/v1/{name}/file_"), ".js"),
                &name,
                30,
                16_000_000,
            );
            written(call, wrote)
        }
        "disable" | "cache" => Ok(0),
        _ => unknown(call),
    }
}

/// `rsync` between directories of this machine: what cp does, and a slash at the end stands for
/// what is in the directory.
fn rsync(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "--exclude",
            "--include",
            "-e",
            "--files-from",
            "--filter",
            "--chown",
            "--chmod",
            "-f",
        ],
    );
    let Some((target, from)) = words
        .words
        .split_last()
        .filter(|(_, from)| !from.is_empty())
    else {
        return call.fail(1, "rsync error: syntax or usage error (code 1)");
    };
    if words.words.iter().any(|word| word.contains(':')) {
        return unknown(call);
    }
    let excluded: Vec<&str> = words
        .options
        .iter()
        .filter(|(name, _)| name == "--exclude")
        .map(|(_, value)| value.trim_matches('/'))
        .collect();
    let process = call.proc.fs.clone();
    call.run(&["mkdir".to_owned(), "-p".to_owned(), target.clone()])?
        .ok();
    for source in from {
        let mut entries = vec![source.clone()];
        if source.ends_with('/') || source.ends_with("/.") || source == "." {
            let names = call
                .kernel
                .vfs
                .read_dir(&process, source)
                .unwrap_or_default();
            entries = names.iter().map(|name| join(source, name)).collect();
        }
        for entry in entries {
            if excluded
                .iter()
                .any(|pattern| super::super::glob_matches(pattern, base_name(&entry)))
            {
                continue;
            }
            if call.kernel.vfs.stat(&process, &entry, Follow::No).is_err() {
                call.err(format!(
                    "rsync: [sender] link_stat \"{entry}\" failed: No such file or directory (2)\n"
                ))?;
                return Ok(23);
            }
            let args = ["cp", "-a", &entry, target].map(str::to_owned);
            let code = call.run(&args)?.unwrap_or(1);
            if code != 0 {
                return Ok(code);
            }
        }
    }
    Ok(0)
}

/// GNU gettext's `envsubst`: `$NAME` and `${NAME}`, and nothing else.
fn envsubst(call: &mut Call<'_, '_>) -> Exit {
    let only = call.args.iter().find(|arg| !arg.starts_with('-')).cloned();
    let text = String::from_utf8_lossy(&call.stdin()?).into_owned();
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let braced = after.starts_with('{');
        let name: String = after
            .chars()
            .skip(usize::from(braced))
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        let end = name.len() + usize::from(braced);
        let closed = !braced || after[end..].starts_with('}');
        let wanted = only.as_ref().is_none_or(|only| {
            only.contains(&format!("${name}")) || only.contains(&format!("${{{name}}}"))
        });
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) || !closed || !wanted {
            out.push('$');
            rest = after;
            continue;
        }
        out += &env(call, &name);
        rest = &after[end + usize::from(braced)..];
    }
    out.push_str(rest);
    call.out(out)?;
    Ok(0)
}

/// `dotnet`: packages into the cache, assemblies into the output.
fn dotnet(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "-c",
            "--configuration",
            "-o",
            "--output",
            "-r",
            "--runtime",
            "-f",
            "--framework",
            "--source",
            "-s",
            "-v",
            "--verbosity",
            "--version",
            "--tool-path",
            "-a",
            "--os",
            "-p",
        ],
    );
    let command = words.word(0).to_owned();
    match command.as_str() {
        "" => say(call, "8.0.416"),
        "tool" => {
            let name = words.words.last().cloned().unwrap_or_default();
            let dir = words.value(&["--tool-path"]).map_or_else(
                || format!("{}/.dotnet/tools", tool::home(call)),
                str::to_owned,
            );
            transfer(call, 5_000_000);
            let path = format!("{dir}/{}", name.trim_start_matches("dotnet-"));
            let wrote = Files::of(call).put(&path, program(&path, &name, 140_000), 0o755);
            written(call, wrote)
        }
        "restore" | "build" | "publish" | "test" | "pack" => {
            let target = words.word(1).to_owned();
            let cwd = call.proc.fs.cwd.clone();
            let path = join(&cwd, &target);
            let (dir, project) = match [".csproj", ".fsproj", ".sln", ".slnx"]
                .iter()
                .any(|end| target.ends_with(end))
            {
                true => (crate::fs::parent(&path), Some(path.clone())),
                false => {
                    let names = Files::of(call).names(&path);
                    let found = names.iter().find(|name| {
                        [".csproj", ".fsproj", ".sln", ".slnx"]
                            .iter()
                            .any(|end| name.ends_with(end))
                    });
                    (path.clone(), found.map(|name| join(&path, name)))
                }
            };
            let text = project
                .as_deref()
                .and_then(|project| Files::of(call).text(project));
            let (Some(project), Some(text)) = (project, text) else {
                call.err("MSBUILD : error MSB1003: Specify a project or solution file. The current working directory does not contain a project or solution file.\n")?;
                return Ok(1);
            };
            let name = base_name(&project)
                .rsplit_once('.')
                .map_or("app", |(stem, _)| stem)
                .to_owned();
            let packages: Vec<&str> = text
                .split("PackageReference Include=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .collect();
            let cache = match env(call, "NUGET_PACKAGES") {
                dir if dir.is_empty() => format!("{}/.nuget/packages", tool::home(call)),
                dir => dir,
            };
            let mut bytes = 0;
            let mut files = Files::of(call);
            let mut wrote = files.put(
                &format!("{dir}/obj/project.assets.json"),
                stand_in("the list of packages", 40_000),
                0o644,
            );
            for package in &packages {
                let path = format!("{cache}/{}", package.to_lowercase());
                if !files.exists(&path) {
                    let size = super::table::estimate(package, 100_000, 8_000_000);
                    bytes += size / 3;
                    wrote = wrote.and_then(|()| {
                        files.put_many((&format!("{path}/lib/file_"), ".dll"), package, 6, size)
                    });
                }
            }
            let input = sources(
                call,
                &dir,
                &[".cs", ".fs", ".csproj", ".cshtml", ".razor", ".json"],
            );
            let mut files = Files::of(call);
            if command != "restore" {
                let configuration =
                    words
                        .value(&["-c", "--configuration"])
                        .unwrap_or(if command == "publish" {
                            "Release"
                        } else {
                            "Debug"
                        });
                let out = match words.value(&["-o", "--output"]) {
                    Some(path) => join(&cwd, path),
                    None if command == "publish" => {
                        format!("{dir}/bin/{configuration}/net8.0/publish")
                    }
                    None => format!("{dir}/bin/{configuration}/net8.0"),
                };
                let what = format!("{name} of {}", input.digest);
                wrote = wrote
                    .and_then(|()| {
                        files.put(
                            &format!("{out}/{name}.dll"),
                            stand_in(&what, 6_000 + input.bytes),
                            0o644,
                        )
                    })
                    .and_then(|()| {
                        files.put(
                            &format!("{out}/{name}"),
                            program(&name, &what, 72_000),
                            0o755,
                        )
                    })
                    .and_then(|()| {
                        files.put(
                            &format!("{out}/{name}.pdb"),
                            stand_in(&what, 9_000 + input.bytes),
                            0o644,
                        )
                    })
                    .and_then(|()| {
                        files.put(
                            &format!("{out}/{name}.runtimeconfig.json"),
                            Content::new(
                                "{\"runtimeOptions\": {\"tfm\": \"net8.0\"}}\n".to_owned(),
                            ),
                            0o644,
                        )
                    })
                    .and_then(|()| {
                        files.put(
                            &format!("{out}/{name}.deps.json"),
                            stand_in(&what, 3_000),
                            0o644,
                        )
                    })
                    .and_then(|()| {
                        packages.iter().try_for_each(|package| {
                            files.put(
                                &format!("{out}/{package}.dll"),
                                stand_in(package, 300_000),
                                0o644,
                            )
                        })
                    });
                if words.has(&["--self-contained", "--sc"]) {
                    wrote = wrote.and_then(|()| {
                        files.put_many(
                            (&format!("{out}/System.Runtime."), ".dll"),
                            "the runtime",
                            190,
                            68_000_000,
                        )
                    });
                }
            }
            transfer(call, bytes);
            work(
                call,
                if command == "restore" {
                    2.0
                } else {
                    6.0 + 0.02 * input.files.len() as f64
                },
            );
            written(call, wrote)
        }
        "new" | "sln" | "add" | "nuget" | "dev-certs" | "clean" | "workload" | "--info" => Ok(0),
        _ => unknown(call),
    }
}
