//! Compilers and build systems for C and its kin.
//!
//! A compiler's output depends on the text of its input without comments, so that the same program
//! is the same bytes. What a build system makes of a project of which only stand-ins are known is a
//! stand-in too: a program, a library and a header that are called as the project is.

use sha2::{Digest as _, Sha256};

use super::super::stand_in::declared;
use super::super::{Call, Exit, Program, Stop};
use super::files::{Failed, Files, program, stand_in};
use super::table::estimate;
use super::tool::{self, Words, say, unknown, work, written};
use crate::fs::{Content, base_name, join, parent};
use crate::image::Digest;

pub(super) const TABLE: &[Program] = &[
    Program::modelled("cc", compiler),
    Program::modelled("c++", compiler),
    Program::modelled("gcc", compiler),
    Program::modelled("g++", compiler),
    Program::modelled("clang", compiler),
    Program::modelled("clang++", compiler),
    Program::modelled("ld", compiler),
    Program::modelled("ar", archiver),
    Program::modelled("ranlib", tool::nothing),
    Program::modelled("strip", strip),
    Program::modelled("pkg-config", pkg_config),
    Program::modelled("pkgconf", pkg_config),
    Program::modelled("configure", configure),
    Program::modelled("Configure", configure),
    Program::modelled("config", configure),
    Program::modelled("autogen.sh", generate),
    Program::modelled("bootstrap", generate),
    Program::modelled("autoreconf", generate),
    Program::modelled("autoconf", generate),
    Program::modelled("automake", generate),
    Program::modelled("aclocal", generate),
    Program::modelled("autoheader", generate),
    Program::modelled("libtoolize", generate),
    Program::modelled("make", make),
    Program::modelled("gmake", make),
    Program::modelled("ninja", make),
    Program::modelled("cmake", cmake),
    Program::modelled("meson", meson),
];

/// What the smallest program weighs (measured: gcc -O2, ten tiny files).
const SMALLEST: u64 = 15_960;

/// The text without comments and blank lines: what makes a difference to a compiler.
fn essence(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['/', '"']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let end = if from.starts_with("//") {
            from.find('\n').unwrap_or(from.len())
        } else if from.starts_with("/*") {
            from.find("*/").map_or(from.len(), |end| end + 2)
        } else if from.starts_with('"') {
            let mut escaped = false;
            let close = from.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            let end = close.map_or(from.len(), |(at, _)| at + 1);
            out.push_str(&from[..end]);
            end
        } else {
            out.push('/');
            1
        };
        rest = &from[end..];
    }
    out.push_str(rest);
    let lines = out
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.trim().is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

/// cc and all that are called by its command line.
fn compiler(call: &mut Call<'_, '_>) -> Exit {
    let args = call.args.clone();
    let words = Words::of(
        &args,
        &[
            "-o", "-x", "-I", "-L", "-l", "-D", "-U", "-include", "-isystem", "-MF", "-MT", "-T",
            "-target", "-Xlinker", "-arch", "-std",
        ],
    );
    if words.has(&["--version", "-v"]) && words.words.is_empty() {
        let name = call.name.clone();
        return say(call, &format!("{name} (Debian 12.2.0-14+deb12u1) 12.2.0"));
    }
    if words.has(&["-dumpmachine"]) {
        return say(call, "x86_64-linux-gnu");
    }
    if words.has(&["-dumpversion", "-dumpfullversion"]) {
        return say(call, "12");
    }
    if words
        .options
        .iter()
        .any(|(name, _)| name.starts_with("-print-"))
    {
        return say(call, "/usr/lib/gcc/x86_64-linux-gnu/12");
    }
    let mut inputs = words.words.clone();
    if inputs.is_empty() {
        let name = call.name.clone();
        call.err(format!(
            "{name}: fatal error: no input files\ncompilation terminated.\n"
        ))?;
        return Ok(1);
    }
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    let mut seconds = 0.0;
    let mut missing = false;
    let mut at = 0;
    while let Some(path) = inputs.get(at).cloned() {
        at += 1;
        let content = match call.slurp(&path)? {
            Ok(content) => content,
            Err(errno) => {
                let name = call.name.clone();
                call.err(format!("{name}: error: {path}: {errno}\n"))?;
                missing = true;
                continue;
            }
        };
        let is_source = [".c", ".cc", ".cpp", ".cxx", ".C", ".h", ".hpp", ".m"]
            .iter()
            .any(|end| path.ends_with(end))
            || path == "-";
        if is_source {
            let text = essence(&String::from_utf8_lossy(&content));
            // Headers of the project are part of what is compiled.
            for line in text.lines() {
                let name = line
                    .trim_start()
                    .strip_prefix("#include \"")
                    .and_then(|rest| rest.split('"').next());
                if let Some(name) = name {
                    let beside = join(&parent(&join(&call.proc.fs.cwd, &path)), name);
                    if Files::of(call).exists(&beside)
                        && !inputs.contains(&beside)
                        && inputs.len() < 1000
                    {
                        inputs.push(beside);
                    }
                }
            }
            hasher.update(text.as_bytes());
            bytes += text.len() as u64;
            seconds += if path.ends_with(".c") { 0.06 } else { 0.3 } + text.len() as f64 / 60_000.0;
        } else {
            hasher.update(&content);
            bytes += declared(&content).map_or(content.len() as u64, |(_, size)| size);
        }
    }
    if missing {
        let name = call.name.clone();
        call.err(format!(
            "{name}: fatal error: no input files\ncompilation terminated.\n"
        ))?;
        return Ok(1);
    }
    for (name, value) in words.options.iter().filter(|(name, _)| name != "-o") {
        hasher.update(format!("{name}={value}\n"));
    }
    let digest = Digest(hasher.finalize().into()).hex();
    let compiles = words.has(&["-c", "-S"]);
    if words.has(&["-E", "-M", "-MM", "-fsyntax-only"]) {
        work(call, seconds);
        return Ok(0);
    }
    let mut wrote = Ok(());
    let outputs: Vec<String> = match (words.value(&["-o"]), compiles) {
        (Some(path), _) => vec![path.to_owned()],
        (None, false) => vec!["a.out".to_owned()],
        (None, true) => {
            let ending = if words.has(&["-S"]) { "s" } else { "o" };
            let stem = |path: &String| {
                base_name(path)
                    .rsplit_once('.')
                    .map_or(path.clone(), |(stem, _)| stem.to_owned())
            };
            words
                .words
                .iter()
                .map(|path| format!("{}.{ending}", stem(path)))
                .collect()
        }
    };
    if let Some(path) = outputs.first().filter(|path| *path != "/dev/null") {
        let (size, mode) = match compiles {
            true => (1_500 + bytes, 0o644),
            false => (SMALLEST + bytes, 0o755),
        };
        for path in if compiles {
            outputs.clone()
        } else {
            vec![path.clone()]
        } {
            let name = base_name(&path);
            let text = format!("\x7fELFprogram {name}\nbuilt of {digest}, {size} bytes\n");
            wrote = wrote.and_then(|()| {
                Files::of(call).put(&path, Content::stand_in(text, size), mode | 0o022)
            });
        }
    }
    work(call, seconds + 0.1);
    written(call, wrote)
}

fn archiver(call: &mut Call<'_, '_>) -> Exit {
    let args: Vec<String> = call.args.iter().skip(1).cloned().collect();
    let Some((path, members)) = args.split_first() else {
        return Ok(0);
    };
    let files = Files::of(call);
    let size: u64 = members.iter().map(|member| files.size(member)).sum();
    let wrote = Files::of(call).put(path, stand_in(&members.join(" "), 8 + size), 0o644);
    written(call, wrote)
}

/// `strip`: what is left weighs seven tenths.
fn strip(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &["-o", "-R", "-K", "-N"]);
    let process = call.proc.fs.clone();
    let mut wrote = Ok(());
    for path in &words.words {
        let Ok(content) = call.kernel.vfs.read(&process, path) else {
            return call.fail(1, format_args!("'{path}': No such file"));
        };
        let size = content.size() * 7 / 10;
        let bytes = content.bytes().to_vec();
        // A stripped program is another file.
        if bytes.ends_with(b"stripped\n") || !content.is_stand_in() {
            continue;
        }
        let bytes = [&bytes[..], b"stripped\n"].concat();
        let target = words.value(&["-o"]).unwrap_or(path).to_owned();
        wrote = wrote
            .and_then(|()| Files::of(call).put(&target, Content::stand_in(bytes, size), 0o755));
    }
    written(call, wrote)
}

fn pkg_config(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &["--variable"]);
    if words.has(&["--version"]) {
        return say(call, "1.8.1");
    }
    if words.has(&["--modversion"]) {
        return say(call, "1.0.0");
    }
    if words.has(&["--libs"]) {
        let libs: Vec<String> = words
            .words
            .iter()
            .map(|name| format!("-l{}", name.trim_start_matches("lib")))
            .collect();
        return say(call, &libs.join(" "));
    }
    if words.has(&["--cflags"]) {
        return say(call, "");
    }
    Ok(0)
}

/// The project that a directory holds: what its stand-ins stand for, or the directory's name.
fn project(call: &mut Call<'_, '_>, dir: &str) -> String {
    let files = Files::of(call);
    for name in ["Makefile", "CMakeLists.txt", "configure.ac", "meson.build"] {
        let text = files.text(&join(dir, name)).unwrap_or_default();
        if let Some((what, _)) = declared(text.as_bytes())
            && let Some((_, of)) = what.split_once(" of ")
        {
            return of.split(',').next().unwrap_or(of).to_owned();
        }
    }
    base_name(&join(&call.proc.fs.cwd, dir)).to_owned()
}

/// A makefile that a configuration leaves: a stand-in that says where things go.
fn makefile(name: &str, prefix: &str) -> Content {
    stand_in(&format!("Makefile of {name}, prefix {prefix}"), 40_000)
}

/// `configure` of a project that is a stand-in.
fn configure(call: &mut Call<'_, '_>) -> Exit {
    let source = parent(&join(&call.proc.fs.cwd, &call.image.path));
    let name = project(call, &source);
    let words = Words::of(&call.args, &["--prefix"]);
    let prefix = words
        .value(&["--prefix"])
        .unwrap_or("/usr/local")
        .to_owned();
    call.out("checking for gcc... gcc\nchecking whether the C compiler works... yes\nconfig.status: creating Makefile\n")?;
    work(call, 14.0);
    let mut files = Files::of(call);
    let wrote = files
        .put(
            "config.log",
            stand_in("the log of configure", 90_000),
            0o644,
        )
        .and_then(|()| {
            files.put(
                "config.status",
                program("config.status", "config.status", 50_000),
                0o755,
            )
        })
        .and_then(|()| files.put("config.h", stand_in("config.h", 12_000), 0o644))
        .and_then(|()| files.put("Makefile", makefile(&name, &prefix), 0o644));
    written(call, wrote)
}

/// What makes `configure` of its sources.
fn generate(call: &mut Call<'_, '_>) -> Exit {
    let script = call.image.path.ends_with(".sh") || call.name == "bootstrap";
    let dir = match script {
        true => parent(&join(&call.proc.fs.cwd, &call.image.path)),
        false => call.proc.fs.cwd.clone(),
    };
    if call.args.iter().any(|arg| arg == "--version") {
        return say(call, "2.71");
    }
    let mut files = Files::of(call);
    let has = ["configure.ac", "configure.in"]
        .iter()
        .any(|name| files.exists(&join(&dir, name)));
    let path = join(&dir, "configure");
    if !has && !files.exists(&path) {
        return call.fail(1, "error: 'configure.ac' is required");
    }
    let wrote = match files.exists(&path) {
        true => Ok(()),
        false => files.put(&path, program("configure", "configure", 500_000), 0o755),
    };
    work(call, 3.0);
    written(call, wrote)
}

/// The makefile of a directory.
fn find_makefile(
    call: &mut Call<'_, '_>,
    dir: &str,
    named: Option<&str>,
) -> Option<(String, String)> {
    let files = Files::of(call);
    let names: Vec<&str> = match named {
        Some(name) => vec![name],
        None => vec!["GNUmakefile", "makefile", "Makefile", "build.ninja"],
    };
    names.iter().find_map(|name| {
        let path = join(dir, name);
        Some((path.clone(), files.text(&path)?))
    })
}

/// `make` and `ninja`: real rules are followed, a stand-in leaves stand-ins.
fn make(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "-C",
            "-f",
            "-o",
            "-W",
            "-I",
            "--directory",
            "--file",
            "-l",
            "--jobs",
        ],
    );
    if words.has(&["--version", "-v"]) {
        return say(call, "GNU Make 4.3");
    }
    let dir = match words.value(&["-C", "--directory"]) {
        Some(dir) => join(&call.proc.fs.cwd, dir),
        None => call.proc.fs.cwd.clone(),
    };
    if !call.kernel.vfs.is_dir(&call.proc.fs, &dir) {
        return call.fail(
            2,
            format_args!("*** {dir}: No such file or directory.  Stop."),
        );
    }
    call.proc.fs.cwd = dir.clone();
    let named = words.value(&["-f", "--file"]).map(str::to_owned);
    let Some((_, text)) = find_makefile(call, &dir, named.as_deref()) else {
        let target = words.words.iter().find(|word| !word.contains('='));
        let text = match target {
            Some(target) => format!("*** No rule to make target '{target}'.  Stop."),
            None => "*** No targets specified and no makefile found.  Stop.".to_owned(),
        };
        return call.fail(2, text);
    };
    let jobs = words.options.iter().any(|(name, _)| name.starts_with("-j"));
    let Some((what, _)) = declared(text.as_bytes()) else {
        return super::makefile::run(call, &text, &words);
    };
    let what = what.to_owned();
    let prefix = what
        .split(", prefix ")
        .nth(1)
        .unwrap_or("/usr/local")
        .to_owned();
    let setting = |name: &str| {
        let start = format!("{name}=");
        words
            .words
            .iter()
            .find_map(|word| word.strip_prefix(start.as_str()))
            .map(str::to_owned)
    };
    let prefix = setting("PREFIX")
        .or_else(|| setting("prefix"))
        .unwrap_or(prefix);
    let dest = setting("DESTDIR").unwrap_or_else(|| tool::env(call, "DESTDIR"));
    let name = project(call, ".");
    let mut targets: Vec<&str> = words
        .words
        .iter()
        .map(String::as_str)
        .filter(|word| !word.contains('='))
        .collect();
    if targets.is_empty() {
        targets.push("all");
    }
    for target in targets {
        let done = match target {
            "clean" | "distclean" | "mrproper" => clean(call, &name),
            target if target.starts_with("install") || target.ends_with("install") => {
                if let Err(failed) = build(call, &name, jobs)? {
                    return written(call, Err(failed));
                }
                install(call, &name, &format!("{dest}{prefix}"))
            }
            _ => build(call, &name, jobs),
        };
        let code = match done {
            Ok(wrote) => written(call, wrote)?,
            Err(stop) => return Err(stop),
        };
        if code != 0 {
            return Ok(code);
        }
    }
    Ok(0)
}

/// Leaves what building the stand-in `name` makes, if it is not there.
fn build(call: &mut Call<'_, '_>, name: &str, jobs: bool) -> Result<Result<(), Failed>, Stop> {
    let size = estimate(name, 300_000, 12_000_000);
    let mut files = Files::of(call);
    if files.exists(&format!("src/{name}")) {
        return Ok(Ok(()));
    }
    let objects = 10 + size / 120_000;
    let wrote = files
        .put(&format!("src/{name}"), program(name, name, size), 0o755)
        .and_then(|()| files.put(&format!("src/lib{name}.a"), stand_in(name, size), 0o644))
        .and_then(|()| files.put_many(("src/object_", ".o"), name, objects, size * 2));
    tool::estimated(call, &format!("what {name} is built to"))?;
    let seconds = 0.35 * objects as f64;
    work(call, if jobs { seconds / 2.0 } else { seconds });
    Ok(wrote)
}

fn install(call: &mut Call<'_, '_>, name: &str, prefix: &str) -> Result<Result<(), Failed>, Stop> {
    let size = estimate(name, 300_000, 12_000_000);
    let mut files = Files::of(call);
    let library = name.trim_start_matches("lib");
    let wrote = files
        .put(
            &format!("{prefix}/bin/{name}"),
            program(name, name, size),
            0o755,
        )
        .and_then(|()| {
            files.put(
                &format!("{prefix}/lib/lib{library}.so.1"),
                stand_in(name, size),
                0o755,
            )
        })
        .and_then(|()| {
            files.link(
                &format!("{prefix}/lib/lib{library}.so"),
                &format!("lib{library}.so.1"),
            )
        })
        .and_then(|()| {
            files.put(
                &format!("{prefix}/lib/lib{library}.a"),
                stand_in(name, size),
                0o644,
            )
        })
        .and_then(|()| {
            files.put(
                &format!("{prefix}/include/{library}.h"),
                stand_in(name, 9_000),
                0o644,
            )
        })
        .and_then(|()| {
            files.put(
                &format!("{prefix}/share/man/man1/{name}.1"),
                stand_in(name, 6_000),
                0o644,
            )
        });
    work(call, 0.5);
    Ok(wrote)
}

fn clean(call: &mut Call<'_, '_>, name: &str) -> Result<Result<(), Failed>, Stop> {
    let mut files = Files::of(call);
    let objects = files
        .names("src")
        .into_iter()
        .filter(|file| file.ends_with(".o"));
    let gone: Vec<String> = objects
        .chain([name.to_owned(), format!("lib{name}.a")])
        .collect();
    Ok(gone
        .iter()
        .try_for_each(|file| files.remove(&format!("src/{file}"))))
}

fn cmake(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "-S",
            "-B",
            "-G",
            "-D",
            "-C",
            "-T",
            "-A",
            "--build",
            "--install",
            "--target",
            "-t",
            "--prefix",
            "--config",
            "-j",
            "--parallel",
            "-P",
        ],
    );
    if words.has(&["--version", "-version"]) {
        return say(call, "cmake version 3.25.1");
    }
    let cwd = call.proc.fs.cwd.clone();
    let build_dir = words
        .value(&["--build", "--install"])
        .map(|dir| join(&cwd, dir));
    if let Some(dir) = build_dir {
        let mut args = vec!["make".to_owned()];
        let installs = words.has(&["--install"]);
        args.extend(words.value(&["--target", "-t"]).map(str::to_owned));
        args.extend(installs.then(|| "install".to_owned()));
        args.extend(
            words
                .value(&["--prefix"])
                .map(|prefix| format!("PREFIX={prefix}")),
        );
        call.proc.fs.cwd = dir;
        call.args = args.split_off(1);
        call.name = "make".into();
        return make(call);
    }
    if words.has(&["-E", "-P"]) {
        return unknown(call);
    }
    let source = words
        .value(&["-S"])
        .map(str::to_owned)
        .unwrap_or_else(|| match words.word(0) {
            "" => ".".to_owned(),
            dir => dir.to_owned(),
        });
    let source = join(&cwd, &source);
    let dir = words
        .value(&["-B"])
        .map_or(cwd.clone(), |dir| join(&cwd, dir));
    if !Files::of(call).exists(&join(&source, "CMakeLists.txt")) {
        call.err(format!("CMake Error: The source directory \"{source}\" does not appear to contain CMakeLists.txt.\n"))?;
        return Ok(1);
    }
    let name = project(call, &source);
    let prefix = words
        .options
        .iter()
        .find_map(|(option, value)| {
            let text = format!("{option}={value}");
            let setting = text.strip_prefix("-D=").or(text.strip_prefix("-D"))?;
            setting
                .strip_prefix("CMAKE_INSTALL_PREFIX")
                .map(|rest| rest.split_once('=').map_or("", |(_, path)| path).to_owned())
        })
        .unwrap_or_else(|| "/usr/local".to_owned());
    call.out(format!(
        "-- Configuring done\n-- Generating done\n-- Build files have been written to: {dir}\n"
    ))?;
    work(call, 4.0);
    let mut files = Files::of(call);
    let wrote = files
        .put(
            &join(&dir, "CMakeCache.txt"),
            stand_in(&format!("the cache of {name}"), 16_000),
            0o644,
        )
        .and_then(|()| {
            files.put(
                &join(&dir, "cmake_install.cmake"),
                stand_in("cmake_install.cmake", 2_000),
                0o644,
            )
        })
        .and_then(|()| {
            files.put_many(
                (&join(&dir, "CMakeFiles/file_"), ""),
                "CMake's own files",
                30,
                300_000,
            )
        })
        .and_then(|()| {
            let ninja = words.value(&["-G"]) == Some("Ninja")
                || words.options.iter().any(|(option, _)| option == "-GNinja");
            let file = if ninja { "build.ninja" } else { "Makefile" };
            files.put(&join(&dir, file), makefile(&name, &prefix), 0o644)
        });
    written(call, wrote)
}

fn meson(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(&call.args, &["-C", "--prefix", "--buildtype"]);
    match words.word(0) {
        "compile" | "install" | "test" => {
            if let Some(dir) = words.value(&["-C"]) {
                call.proc.fs.cwd = join(&call.proc.fs.cwd, dir);
            }
            call.args = (words.word(0) == "install")
                .then(|| "install".to_owned())
                .into_iter()
                .collect();
            make(call)
        }
        "--version" => say(call, "1.0.1"),
        first => {
            let rest: Vec<&String> = words
                .words
                .iter()
                .skip(usize::from(first == "setup"))
                .collect();
            if !Files::of(call).exists("meson.build") {
                return call.fail(
                    1,
                    "ERROR: Neither directory contains a build file meson.build.",
                );
            }
            let dir = rest
                .first()
                .map_or("builddir".to_owned(), |dir| dir.to_string());
            let prefix = words
                .value(&["--prefix"])
                .unwrap_or("/usr/local")
                .to_owned();
            let name = project(call, ".");
            work(call, 5.0);
            let wrote = Files::of(call).put(
                &format!("{dir}/build.ninja"),
                makefile(&name, &prefix),
                0o644,
            );
            written(call, wrote)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_make_no_difference() {
        let text =
            "int a; /* one\ntwo */ // three\nchar *s = \"// no /* comment\";\n\nint b = 4 / 2;\n";
        assert_eq!(
            essence(text),
            "int a;\nchar *s = \"// no /* comment\";\nint b = 4 / 2;\n"
        );
    }
}
