//! Ruby: gems, bundles, and what Rails makes of a project.

use super::super::{Call, Exit, Program};
use super::files::{Failed, Files, program, stand_in};
use super::table::estimate;
use super::tool::{self, Words, append, env, say, transfer, unknown, work, written};
use crate::fs::{Content, join};

pub(super) const TABLE: &[Program] = &[
    Program::modelled("gem", gem),
    Program::modelled("bundle", bundle),
    Program::modelled("bundler", bundle),
    Program::modelled("ruby", ruby),
    Program::modelled("rails", rails),
    Program::modelled("rake", rails),
    Program::modelled("bootsnap", |call| {
        let size = 9_000_000;
        let wrote = Files::of(call).put_many(
            ("tmp/cache/bootsnap/compile-cache/", ""),
            "bootsnap's cache",
            400,
            size,
        );
        work(call, 6.0);
        written(call, wrote)
    }),
];

/// Programs of gems that are not called as the gem is.
const PROGRAMS: &[(&str, &str)] = &[
    ("bundler", "bundle bundler"),
    ("rails", ""),
    ("railties", "rails"),
    ("sass", "sass scss"),
    ("jekyll", "jekyll"),
    ("puma", "puma pumactl"),
    ("unicorn", "unicorn unicorn_rails"),
    ("thin", "thin"),
    ("foreman", "foreman"),
    ("rake", "rake"),
    ("sinatra", ""),
    ("rack", "rackup"),
    ("sidekiq", "sidekiq"),
    ("compass", "compass"),
    ("fpm", "fpm"),
    ("bootsnap", "bootsnap"),
    ("passenger", "passenger passenger-install-nginx-module"),
    ("pry", "pry"),
    ("rspec", "rspec"),
    ("capistrano", "cap"),
    ("mailcatcher", "mailcatcher"),
    ("asciidoctor", "asciidoctor"),
    ("cocoapods", "pod"),
    ("fastlane", "fastlane"),
    ("rubocop", "rubocop"),
];

/// Where gems are kept.
fn gem_home(call: &Call<'_, '_>) -> String {
    match env(call, "GEM_HOME") {
        home if !home.is_empty() => home,
        _ if call.kernel.vfs.exists(&call.proc.fs, "/usr/local/bin/ruby") => {
            "/usr/local/lib/ruby/gems/3.3.0".to_owned()
        }
        _ => "/var/lib/gems/3.1.0".to_owned(),
    }
}

/// What an unpacked gem weighs.
fn weight(name: &str) -> u64 {
    match name {
        "rails" => 20_000,
        "nokogiri" => 9_500_000,
        "sassc" | "grpc" => 30_000_000,
        "google-protobuf" => 4_000_000,
        name => estimate(name, 30_000, 3_000_000),
    }
}

/// Writes a gem and gives its packed size; 0 if it was there.
fn unpack(
    files: &mut Files<'_>,
    home: &str,
    name: &str,
    version: &str,
    docs: bool,
) -> Result<u64, Failed> {
    let full = format!("{name}-{version}");
    let spec = format!("{home}/specifications/{full}.gemspec");
    if files.exists(&spec) {
        return Ok(0);
    }
    let size = weight(name);
    let packed = size * 3 / 10;
    files.put(&spec, stand_in(&full, 1_800), 0o644)?;
    files.put_many(
        (&format!("{home}/gems/{full}/lib/file_"), ".rb"),
        &full,
        4 + size / 9_000,
        size,
    )?;
    files.put(
        &format!("{home}/cache/{full}.gem"),
        stand_in(&full, packed),
        0o644,
    )?;
    if docs {
        files.put_many(
            (&format!("{home}/doc/{full}/ri/page_"), ".ri"),
            &full,
            3 + size / 20_000,
            size / 4,
        )?;
    }
    let programs = PROGRAMS
        .iter()
        .find(|(gem, _)| *gem == name)
        .map_or("", |(_, programs)| programs);
    for bin in programs.split_whitespace() {
        files.put(
            &format!("{home}/bin/{bin}"),
            program(bin, &full, 560),
            0o755,
        )?;
        // Debian's rubygems puts programs where they are found.
        if home.starts_with("/var/lib") || home.starts_with("/usr/local/lib") {
            files.put(
                &format!("/usr/local/bin/{bin}"),
                program(bin, &full, 560),
                0o755,
            )?;
        }
    }
    Ok(packed)
}

fn gem(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "-v",
            "--version",
            "-i",
            "--install-dir",
            "-n",
            "--bindir",
            "--source",
            "-s",
            "-P",
            "--platform",
        ],
    );
    match words.word(0) {
        "" if words.has(&["--version", "-v"]) => say(call, "3.5.22"),
        "install" | "i" => {
            let home = match words.value(&["-i", "--install-dir"]) {
                Some(dir) => dir.to_owned(),
                None => gem_home(call),
            };
            let docs = !words.has(&["-N", "--no-document", "--no-doc", "--no-rdoc", "--no-ri"])
                && !no_documents(call);
            let mut count = 0;
            let mut bytes = 0;
            for word in &words.words[1..] {
                // `name:version`, or a file of that name.
                let (name, version) = word.split_once(':').unwrap_or((word, ""));
                let name = name
                    .trim_end_matches(".gem")
                    .rsplit('/')
                    .next()
                    .unwrap_or(name);
                let version = match version {
                    "" => words.value(&["-v", "--version"]).unwrap_or("1.0.0"),
                    version => version,
                };
                let version = version
                    .trim_start_matches(['~', '>', '<', '=', ' '])
                    .to_owned();
                tool::estimated(call, &format!("gem {name}"))?;
                match unpack(&mut Files::of(call), &home, name, &version, docs) {
                    Ok(packed) => bytes += packed,
                    Err(Failed { path, errno, .. }) => {
                        call.err(format!("ERROR:  While executing gem ... (Gem::FilePermissionError)\n    You don't have write permissions for the {path} directory. ({errno})\n"))?;
                        return Ok(1);
                    }
                }
                call.out(format!("Successfully installed {name}-{version}\n"))?;
                count += 1;
            }
            transfer(call, bytes);
            work(call, 0.6 * f64::from(count));
            let plural = if count == 1 { "gem" } else { "gems" };
            call.out(format!("{count} {plural} installed\n"))?;
            Ok(0)
        }
        "update" => {
            transfer(call, 1_300_000);
            work(call, 4.0);
            let mut files = Files::of(call);
            let wrote = match words.has(&["--system"]) {
                true => files.put_many(
                    ("/usr/local/lib/ruby/site_ruby/3.3.0/rubygems/file_", ".rb"),
                    "RubyGems",
                    420,
                    3_400_000,
                ),
                false => Ok(()),
            };
            written(call, wrote)
        }
        "uninstall" | "cleanup" | "clean" => Ok(0),
        "sources" | "list" | "environment" | "env" | "which" | "specification" | "fetch" => Ok(0),
        _ => unknown(call),
    }
}

/// `gem: --no-document` in one of the configuration files.
fn no_documents(call: &mut Call<'_, '_>) -> bool {
    let paths = [
        format!("{}/.gemrc", tool::home(call)),
        "/usr/local/etc/gemrc".to_owned(),
        "/etc/gemrc".to_owned(),
    ];
    let files = Files::of(call);
    paths
        .iter()
        .any(|path| files.text(path).is_some_and(|text| text.contains("--no-")))
}

fn bundle(call: &mut Call<'_, '_>) -> Exit {
    let args = call.args.clone();
    // What is run in a bundle has options of its own.
    if args.first().is_some_and(|arg| arg == "exec") {
        let command = args[1..].to_vec();
        let bin = format!("{}/bin", bundle_path(call));
        let ran = call.run_with(&command, |child| {
            let path = child.env.get("PATH").unwrap_or_default();
            let path = format!("{path}:{bin}:./bin");
            child.env.set("PATH", &path);
        })?;
        return match ran {
            Ok(code) => Ok(code),
            Err(_) => {
                let name = command.first().cloned().unwrap_or_default();
                call.err(format!("bundler: command not found: {name}\nInstall missing gem executables with `bundle install`\n"))?;
                Ok(127)
            }
        };
    }
    let words = Words::of(
        &args,
        &[
            "--jobs",
            "-j",
            "--retry",
            "-r",
            "--without",
            "--with",
            "--path",
            "--gemfile",
            "--binstubs",
        ],
    );
    match words.word(0) {
        "" if words.has(&["--version", "-v"]) => say(call, "Bundler version 2.5.22"),
        "" | "install" | "update" => install(call, &words),
        "config" => {
            let rest: Vec<&str> = words.words[1..]
                .iter()
                .map(String::as_str)
                .filter(|word| !["set", "get", "unset"].contains(word))
                .collect();
            let [name, value @ ..] = rest.as_slice() else {
                return Ok(0);
            };
            if value.is_empty() {
                return Ok(0);
            }
            let config = match env(call, "BUNDLE_APP_CONFIG") {
                dir if !dir.is_empty() => dir,
                _ if words.has(&["--global"]) => format!("{}/.bundle", tool::home(call)),
                _ => join(&call.proc.fs.cwd, ".bundle"),
            };
            let key = name.to_uppercase().replace('.', "__").replace('-', "___");
            let line = format!("BUNDLE_{key}: \"{}\"\n", value.join(" "));
            let mut files = Files::of(call);
            let wrote = files
                .dir(&config)
                .and_then(|()| append(&mut files, &format!("{config}/config"), &line));
            written(call, wrote)
        }
        "check" | "clean" | "lock" | "cache" | "package" | "binstubs" | "list" | "info"
        | "show" => Ok(0),
        _ => unknown(call),
    }
}

/// Where a bundle's gems go.
fn bundle_path(call: &Call<'_, '_>) -> String {
    match env(call, "BUNDLE_PATH") {
        path if path.is_empty() => gem_home(call),
        path if path == "vendor/bundle" || !path.starts_with('/') => {
            format!("{}/{path}/ruby/3.3.0", call.proc.fs.cwd)
        }
        path if path == gem_home(call) => path,
        path => format!("{path}/ruby/3.3.0"),
    }
}

fn install(call: &mut Call<'_, '_>, words: &Words) -> Exit {
    let gemfile = words
        .value(&["--gemfile"])
        .map(str::to_owned)
        .or_else(|| Some(env(call, "BUNDLE_GEMFILE")).filter(|path| !path.is_empty()))
        .unwrap_or_else(|| "Gemfile".to_owned());
    let files = Files::of(call);
    let Some(text) = files.text(&gemfile) else {
        call.err("Could not locate Gemfile\n")?;
        return Ok(10);
    };
    let lock_path = format!("{gemfile}.lock");
    let lock = files.text(&lock_path);
    let deployment = words.has(&["--deployment", "--frozen"])
        || ["1", "true"].contains(&env(call, "BUNDLE_DEPLOYMENT").as_str());
    let gems = match (&lock, deployment) {
        (Some(lock), _) => locked(lock),
        (None, true) => {
            call.err("The deployment setting requires a lockfile. Please make sure you have checked your Gemfile.lock into version control before deploying.\n")?;
            return Ok(16);
        }
        (None, false) => asked(&text),
    };
    let home = match words.value(&["--path"]) {
        Some(path) => format!("{}/ruby/3.3.0", join(&call.proc.fs.cwd, path)),
        None => bundle_path(call),
    };
    call.out("Fetching gem metadata from https://rubygems.org/.........\n")?;
    let mut bytes = 0;
    let mut wrote = Ok(());
    let mut lines = String::new();
    for (name, version) in &gems {
        match unpack(&mut Files::of(call), &home, name, version, false) {
            Ok(0) => lines += &format!("Using {name} {version}\n"),
            Ok(packed) => {
                bytes += packed;
                lines += &format!("Installing {name} {version}\n");
            }
            Err(failed) => wrote = Err(failed),
        }
    }
    call.out(lines)?;
    if lock.is_none() {
        let specs: String = gems
            .iter()
            .map(|(name, version)| format!("    {name} ({version})\n"))
            .collect();
        let asked: String = gems.iter().map(|(name, _)| format!("  {name}\n")).collect();
        let text = format!(
            "GEM\n  remote: https://rubygems.org/\n  specs:\n{specs}\nPLATFORMS\n  x86_64-linux\n\nDEPENDENCIES\n{asked}\nBUNDLED WITH\n   2.5.22\n"
        );
        wrote = wrote.and_then(|()| Files::of(call).put(&lock_path, Content::new(text), 0o644));
    }
    tool::estimated(call, "gems")?;
    transfer(call, bytes);
    work(call, 1.0 + 0.35 * gems.len() as f64);
    let count = gems.len();
    call.out(format!("Bundle complete! {count} gems now installed.\n"))?;
    written(call, wrote)
}

/// The gems of a lock file: four blanks, a name, the version in brackets.
fn locked(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| {
            let line = line
                .strip_prefix("    ")
                .filter(|rest| !rest.starts_with(' '))?;
            let (name, version) = line.split_once(" (")?;
            Some((name.to_owned(), version.trim_end_matches(')').to_owned()))
        })
        .collect()
}

/// The gems that a Gemfile asks for.
fn asked(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| {
            let rest = line
                .trim()
                .strip_prefix("gem")?
                .trim_start_matches([' ', '(']);
            let name = rest.strip_prefix(['"', '\''])?.split(['"', '\'']).next()?;
            Some((name.to_owned(), "1.0.0".to_owned()))
        })
        .collect()
}

fn ruby(call: &mut Call<'_, '_>) -> Exit {
    match call.args.first().map(String::as_str) {
        Some("-v" | "--version") => say(
            call,
            "ruby 3.3.6 (2024-11-05 revision 75015d4c1f) [x86_64-linux]",
        ),
        // A script that is called by its interpreter.
        Some(script) if script.ends_with("rails") || script.ends_with("rake") => {
            call.args.remove(0);
            rails(call)
        }
        _ => unknown(call),
    }
}

/// `rails` and `rake`: assets are compiled; what other tasks do is not known.
fn rails(call: &mut Call<'_, '_>) -> Exit {
    let task = call
        .args
        .iter()
        .find(|arg| !arg.starts_with('-') && !arg.contains('='))
        .cloned()
        .unwrap_or_default();
    match task.as_str() {
        "assets:precompile" | "webpacker:compile" | "vite:build" => {
            let input = super::sources::sources(call, "app", &[]);
            let hash = input.digest.get(..16).unwrap_or("none").to_owned();
            let mut files = Files::of(call);
            let wrote = files
                .put_many(
                    (&format!("public/assets/application-{hash}-"), ".js"),
                    "compiled assets",
                    12,
                    1_800_000 + input.bytes,
                )
                .and_then(|()| {
                    files.put(
                        &format!("public/assets/.sprockets-manifest-{hash}.json"),
                        stand_in("the manifest", 4_000),
                        0o644,
                    )
                })
                .and_then(|()| {
                    files.put_many(
                        ("tmp/cache/assets/sprockets/", ".cache"),
                        "the cache of assets",
                        60,
                        6_000_000,
                    )
                });
            work(call, 14.0);
            written(call, wrote)
        }
        "tmp:clear" | "log:clear" | "assets:clean" | "tmp:cache:clear" => Ok(0),
        _ => unknown(call),
    }
}
