//! PHP: extensions of the official images, PECL, and Composer.

use super::super::{Call, Exit, Program};
use super::files::{Failed, Files, program, stand_in};
use super::table::estimate;
use super::tool::{self, Words, env, say, transfer, unknown, work, written};
use crate::fs::{Content, base_name};

pub(super) const TABLE: &[Program] = &[
    Program::modelled("docker-php-source", source),
    Program::modelled("docker-php-ext-configure", |call| {
        source_tree(call)?;
        work(call, 6.0);
        Ok(0)
    }),
    Program::modelled("docker-php-ext-install", ext_install),
    Program::modelled("docker-php-ext-enable", ext_enable),
    Program::modelled("install-php-extensions", ext_install),
    Program::modelled("phpenmod", tool::nothing),
    Program::modelled("phpdismod", tool::nothing),
    Program::modelled("php5enmod", tool::nothing),
    Program::modelled("phpize", |call| {
        let wrote = Files::of(call).put(
            "configure",
            program("configure", "configure", 400_000),
            0o755,
        );
        work(call, 2.0);
        written(call, wrote)
    }),
    Program::modelled("pecl", pecl),
    Program::modelled("pear", pecl),
    Program::modelled("php", php),
    Program::modelled("composer", composer),
    Program::modelled("composer.phar", composer),
];

const EXTENSIONS: &str = "/usr/local/lib/php/extensions/no-debug-non-zts-20230831";
const CONF: &str = "/usr/local/etc/php/conf.d";

/// `docker-php-source`: unpacks PHP's sources and removes them.
fn source(call: &mut Call<'_, '_>) -> Exit {
    match call.args.first().map(String::as_str) {
        Some("extract") => source_tree(call),
        Some("delete") => {
            let mut files = Files::of(call);
            let names = files.names("/usr/src/php");
            // What was there before `extract` is marked, and stays.
            let wrote = match names.is_empty() {
                true => Ok(()),
                false => files.remove("/usr/src/php"),
            };
            written(call, wrote)
        }
        _ => Ok(1),
    }
}

fn source_tree(call: &mut Call<'_, '_>) -> Exit {
    let mut files = Files::of(call);
    if files.exists("/usr/src/php/.docker-extracted") {
        return Ok(0);
    }
    let wrote = files
        .put_many(
            ("/usr/src/php/ext/file_", ".c"),
            "PHP's sources",
            900,
            110_000_000,
        )
        .and_then(|()| files.put("/usr/src/php/.docker-extracted", Content::default(), 0o644));
    work(call, 2.5);
    written(call, wrote)
}

/// What a shared extension weighs.
fn weight(name: &str) -> u64 {
    match name {
        "intl" => 2_400_000,
        "gd" => 1_300_000,
        "opcache" => 4_000_000,
        name => estimate(name, 60_000, 900_000),
    }
}

/// Builds extensions: a library and a line that loads it.
fn extend(
    call: &mut Call<'_, '_>,
    names: &[String],
) -> Result<Result<(), Failed>, super::super::Stop> {
    let mut wrote = Ok(());
    for name in names {
        let mut files = Files::of(call);
        let name = name.split(['@', '-']).next().unwrap_or(name);
        wrote = wrote.and_then(|()| {
            files.put(
                &format!("{EXTENSIONS}/{name}.so"),
                stand_in(name, weight(name)),
                0o755,
            )
        });
        tool::estimated(call, &format!("extension {name}"))?;
        work(call, 9.0 + weight(name) as f64 / 120_000.0);
    }
    Ok(wrote)
}

fn names(call: &Call<'_, '_>) -> Vec<String> {
    let words = Words::of(&call.args, &["-j", "--ini-name"]);
    words
        .words
        .into_iter()
        .filter(|word| !word.starts_with("-j"))
        .collect()
}

fn ext_install(call: &mut Call<'_, '_>) -> Exit {
    let names = names(call);
    if names.is_empty() {
        call.err(
            "usage: docker-php-ext-install [-jN] [--ini-name file.ini] ext-name [ext-name ...]\n",
        )?;
        return Ok(1);
    }
    let had = Files::of(call).exists("/usr/src/php/.docker-extracted");
    source_tree(call)?;
    let wrote = extend(call, &names)?;
    let mut code = written(call, wrote)?;
    if code == 0 {
        code = enable(call, &names)?;
    }
    if !had {
        let wrote = Files::of(call).remove("/usr/src/php");
        code = code.max(written(call, wrote)?);
    }
    Ok(code)
}

fn enable(call: &mut Call<'_, '_>, names: &[String]) -> Exit {
    let mut wrote = Ok(());
    for name in names {
        let name = name
            .split(['@', '-'])
            .next()
            .unwrap_or(name)
            .trim_end_matches(".so");
        let how = if ["opcache", "xdebug"].contains(&name) {
            "zend_extension"
        } else {
            "extension"
        };
        let mut files = Files::of(call);
        wrote = wrote.and_then(|()| {
            files.put(
                &format!("{CONF}/docker-php-ext-{name}.ini"),
                Content::new(format!("{how}={name}\n")),
                0o644,
            )
        });
    }
    written(call, wrote)
}

fn ext_enable(call: &mut Call<'_, '_>) -> Exit {
    let names = names(call);
    for name in &names {
        let file = format!("{EXTENSIONS}/{}.so", name.trim_end_matches(".so"));
        // The images bring these along.
        let built_in = ["opcache", "sodium"].contains(&name.as_str());
        if !built_in && !Files::of(call).exists(&file) {
            call.err(format!("error: '{name}' does not exist\n"))?;
            return Ok(1);
        }
    }
    enable(call, &names)
}

fn pecl(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &["-d", "-D", "--configureoptions", "-c"]);
    match words.word(0) {
        "install" => {
            let names: Vec<String> = words.words[1..]
                .iter()
                .map(|name| base_name(name).trim_end_matches(".tgz").to_owned())
                .collect();
            transfer(call, 250_000 * names.len() as u64);
            let wrote = extend(call, &names)?;
            let mut files = Files::of(call);
            let wrote = wrote.and_then(|()| {
                files.put_many(
                    ("/tmp/pear/temp/file_", ".c"),
                    "what was built",
                    20,
                    1_200_000,
                )
            });
            for name in &names {
                call.out(format!("install ok: channel://pecl.php.net/{name}\n"))?;
            }
            written(call, wrote)
        }
        "download" | "bundle" => unknown(call),
        "clear-cache" => written_removed(call, "/tmp/pear/cache"),
        _ => Ok(0),
    }
}

fn written_removed(call: &mut Call<'_, '_>, path: &str) -> Exit {
    let wrote = Files::of(call).remove(path);
    written(call, wrote)
}

fn php(call: &mut Call<'_, '_>) -> Exit {
    let args = call.args.clone();
    let mut rest = args.iter().skip_while(|arg| arg.starts_with("-d"));
    match rest.next().map(String::as_str) {
        Some("-v" | "--version") => {
            let version = Some(env(call, "PHP_VERSION")).filter(|version| !version.is_empty());
            let version = version.unwrap_or_else(|| "8.2.29".to_owned());
            say(call, &format!("PHP {version} (cli) (NTS)"))
        }
        Some("-m") => say(
            call,
            "[PHP Modules]\nCore\nctype\ncurl\ndate\nfileinfo\njson\nmbstring\nopenssl\nPDO\nphar\ntokenizer\nxml\n\n[Zend Modules]",
        ),
        Some("-i" | "--ini") => say(call, "phpinfo()"),
        Some("-r") => {
            let code = args.last().cloned().unwrap_or_default();
            // Fetching an installer: `copy('https://…', 'file')`.
            if let Some((_, rest)) = code.split_once("copy(") {
                let parts: Vec<&str> = rest.split(['"', '\'']).collect();
                if let [_, url, _, file, ..] = parts.as_slice()
                    && let Some(response) = call.kernel.host.fetch(url)
                {
                    transfer(call, response.body.size());
                    let wrote = Files::of(call).put(file, response.body, 0o644);
                    return written(call, wrote);
                }
            }
            if let Some((_, rest)) = code.split_once("unlink(") {
                let file = rest
                    .split(['"', '\''])
                    .nth(1)
                    .unwrap_or_default()
                    .to_owned();
                return written_removed(call, &file);
            }
            if code.contains("hash_file") {
                return say(call, "Installer verified");
            }
            unknown(call)
        }
        // Composer's installer, by file or by pipe.
        script
            if script.is_none_or(|name| {
                name == "--" || name.contains("composer-setup") || name.contains("installer")
            }) =>
        {
            let words = Words::of(&args, &["--version"]);
            let option = |name: &str| {
                let value = words.value(&[name]).filter(|value| !value.is_empty());
                value
                    .map(str::to_owned)
                    .or_else(|| args.iter().skip_while(|arg| *arg != name).nth(1).cloned())
            };
            let dir = option("--install-dir").unwrap_or_else(|| ".".to_owned());
            let file = option("--filename").unwrap_or_else(|| "composer.phar".to_owned());
            transfer(call, 3_100_000);
            let wrote = Files::of(call).put(
                &format!("{dir}/{file}"),
                program("composer", "Composer", 3_100_000),
                0o755,
            );
            written(call, wrote)
        }
        Some(script) if script.contains("composer") => {
            let skip = args.iter().position(|arg| arg == script).unwrap_or(0);
            call.args.drain(..=skip);
            composer(call)
        }
        _ => unknown(call),
    }
}

/// `composer`: packages of a lock file or of a manifest, into `vendor`.
fn composer(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &["-d", "--working-dir"]);
    if let Some(dir) = words.value(&["-d", "--working-dir"]) {
        call.proc.fs.cwd = crate::fs::join(&call.proc.fs.cwd, dir);
    }
    let global = words.word(0) == "global";
    let rest = &words.words[usize::from(global).min(words.words.len())..];
    let command = rest.first().map_or("", String::as_str);
    let home = match env(call, "COMPOSER_HOME") {
        home if home.is_empty() => format!("{}/.composer", tool::home(call)),
        home => home,
    };
    if words.has(&["--version", "-V"]) {
        return say(call, "Composer version 2.8.12 2025-09-19 13:41:59");
    }
    let (packages, target): (Vec<(String, String)>, String) = match command {
        "install" | "i" | "update" => {
            let files = Files::of(call);
            let Some(manifest) = files.text("composer.json") else {
                let dir = call.proc.fs.cwd.clone();
                call.err(format!(
                    "Composer could not find a composer.json file in {dir}\n"
                ))?;
                return Ok(1);
            };
            let lock = files.text("composer.lock").filter(|_| command != "update");
            let packages = match lock {
                Some(text) => locked(&text, !words.has(&["--no-dev"])),
                None => required(&manifest, !words.has(&["--no-dev"])),
            };
            (packages, "vendor".to_owned())
        }
        "require" | "create-project" => {
            let names = rest[1..]
                .iter()
                .take(if command == "require" { usize::MAX } else { 1 });
            let packages = names.map(|word| {
                let (name, version) = word.split_once([':', '=']).unwrap_or((word, "1.0.0"));
                (
                    name.to_owned(),
                    version.trim_start_matches(['^', '~']).to_owned(),
                )
            });
            let target = match (global, command) {
                (true, _) => format!("{home}/vendor"),
                (_, "require") => "vendor".to_owned(),
                _ => format!("{}/vendor", rest.get(2).map_or(".", String::as_str)),
            };
            (packages.collect(), target)
        }
        "dump-autoload" | "dumpautoload" | "dump-env" => {
            let wrote = autoload(&mut Files::of(call), "vendor");
            work(call, 1.0);
            return written(call, wrote);
        }
        "clear-cache" | "clearcache" | "cc" => {
            return written_removed(call, &format!("{home}/cache"));
        }
        "config"
        | "self-update"
        | "selfupdate"
        | "validate"
        | "check-platform-reqs"
        | "about"
        | "--help" => return Ok(0),
        _ => return unknown(call),
    };
    let mut bytes = 0;
    let mut lines = String::new();
    let mut wrote = Ok(());
    for (name, version) in &packages {
        let mut files = Files::of(call);
        let dir = format!("{target}/{name}");
        if files.exists(&dir) {
            continue;
        }
        let size = estimate(name, 20_000, 3_000_000);
        let what = format!("{name} {version}");
        bytes += size / 4;
        lines += &format!("  - Installing {name} ({version}): Extracting archive\n");
        wrote = wrote
            .and_then(|()| {
                files.put_many(
                    (&format!("{dir}/src/file_"), ".php"),
                    &what,
                    3 + size / 6_000,
                    size,
                )
            })
            .and_then(|()| {
                files.put(
                    &format!("{home}/cache/files/{name}/{version}.zip"),
                    stand_in(&what, size / 4),
                    0o644,
                )
            });
    }
    wrote = wrote.and_then(|()| autoload(&mut Files::of(call), &target));
    tool::estimated(call, "packages")?;
    call.err(format!("Package operations: {} installs, 0 updates, 0 removals\n{lines}Generating autoload files\n", packages.len()))?;
    transfer(call, bytes);
    work(call, 1.5 + 0.06 * packages.len() as f64);
    written(call, wrote)
}

fn autoload(files: &mut Files<'_>, target: &str) -> Result<(), Failed> {
    files.put(
        &format!("{target}/autoload.php"),
        stand_in("autoload.php", 770),
        0o644,
    )?;
    files.put_many(
        (&format!("{target}/composer/autoload_"), ".php"),
        "the class map",
        8,
        400_000,
    )
}

fn locked(text: &str, dev: bool) -> Vec<(String, String)> {
    let lock: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let lists = [
        &lock["packages"],
        if dev {
            &lock["packages-dev"]
        } else {
            &serde_json::Value::Null
        },
    ];
    let all = lists
        .into_iter()
        .filter_map(|list| list.as_array())
        .flatten();
    all.filter_map(|package| {
        Some((
            package["name"].as_str()?.to_owned(),
            package["version"].as_str().unwrap_or("1.0.0").to_owned(),
        ))
    })
    .collect()
}

fn required(text: &str, dev: bool) -> Vec<(String, String)> {
    let manifest: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let lists = [
        &manifest["require"],
        if dev {
            &manifest["require-dev"]
        } else {
            &serde_json::Value::Null
        },
    ];
    let all = lists
        .into_iter()
        .filter_map(|list| list.as_object())
        .flatten();
    all.filter(|(name, _)| name.contains('/'))
        .map(|(name, version)| {
            (
                name.clone(),
                version
                    .as_str()
                    .unwrap_or("1.0.0")
                    .trim_start_matches(['^', '~'])
                    .to_owned(),
            )
        })
        .collect()
}
