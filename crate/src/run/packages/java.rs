//! Java: the compiler, Maven and Gradle.

use super::super::{Call, Exit, Program};
use super::files::{Failed, Files, program, stand_in};
use super::sources::{Sources, sources};
use super::table::estimate;
use super::tool::{self, Words, say, transfer, unknown, work, written};
use crate::fs::{Content, base_name, join};

pub(super) const TABLE: &[Program] = &[
    Program::modelled("java", java),
    Program::modelled("javac", javac),
    Program::modelled("jar", jar),
    Program::modelled("jlink", jlink),
    Program::modelled("keytool", |call| {
        let words = Words::of(
            &call.args,
            &[
                "-keystore",
                "-file",
                "-alias",
                "-storepass",
                "-keypass",
                "-dname",
                "-keyalg",
                "-validity",
                "-keysize",
            ],
        );
        let path = words
            .value(&["-keystore"])
            .unwrap_or("/etc/ssl/certs/java/cacerts")
            .to_owned();
        let mut files = Files::of(call);
        let size = files.size(&path) + 1_500;
        let wrote = files.put(&path, stand_in("keys and certificates", size), 0o644);
        written(call, wrote)
    }),
    Program::modelled("mvn", maven),
    Program::modelled("mvnw", maven),
    Program::modelled("gradle", gradle),
    Program::modelled("gradlew", gradle),
    Program::modelled("ant", unknown),
];

/// What a library of Java weighs, about.
fn weight(name: &str) -> u64 {
    estimate(name, 20_000, 2_500_000)
}

fn java(call: &mut Call<'_, '_>) -> Exit {
    let args = call.args.clone();
    if args
        .iter()
        .any(|arg| arg == "-version" || arg == "--version")
    {
        let text = "openjdk version \"17.0.20\" 2025-10-21\nOpenJDK Runtime Environment\n";
        match args.iter().any(|arg| arg == "--version") {
            true => call.out(text)?,
            false => call.err(text)?,
        }
        return Ok(0);
    }
    // What the wrapper scripts start.
    let wrapper = args
        .iter()
        .position(|arg| arg.contains("GradleWrapperMain") || arg.contains("MavenWrapperMain"));
    if let Some(at) = wrapper {
        let is_maven = args[at].contains("Maven");
        call.args.drain(..=at);
        let home = tool::home(call);
        let (dir, size) = match is_maven {
            true => (format!("{home}/.m2/wrapper/dists/apache-maven"), 10_600_000),
            false => (format!("{home}/.gradle/wrapper/dists/gradle"), 130_000_000),
        };
        let mut files = Files::of(call);
        if !files.exists(&dir) {
            let wrote = files.put_many((&format!("{dir}/file_"), ""), "the build tool", 60, size);
            transfer(call, size);
            if let code @ 1.. = written(call, wrote)? {
                return Ok(code);
            }
        }
        return if is_maven { maven(call) } else { gradle(call) };
    }
    // Spring Boot takes its own archive apart.
    if let Some(at) = args.iter().position(|arg| arg.contains("jarmode")) {
        let words = Words::of(&args[at..], &["-jar", "--destination"]);
        let dir = words.value(&["--destination"]).unwrap_or(".").to_owned();
        let jar = words.value(&["-jar"]).unwrap_or_default().to_owned();
        let size = Files::of(call).size(&jar);
        let mut files = Files::of(call);
        let wrote = files
            .put_many(
                (&format!("{dir}/dependencies/BOOT-INF/lib/library_"), ".jar"),
                "libraries",
                40,
                size * 9 / 10,
            )
            .and_then(|()| {
                files.put(
                    &format!(
                        "{dir}/spring-boot-loader/org/springframework/boot/loader/Launcher.class"
                    ),
                    stand_in("the loader", 90_000),
                    0o644,
                )
            })
            .and_then(|()| files.dir(&format!("{dir}/snapshot-dependencies")))
            .and_then(|()| {
                files.put(
                    &format!("{dir}/application/BOOT-INF/classes/App.class"),
                    stand_in(&jar, size / 10),
                    0o644,
                )
            });
        return written(call, wrote);
    }
    unknown(call)
}

fn javac(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "-d",
            "-cp",
            "-classpath",
            "--release",
            "-source",
            "-target",
            "-encoding",
        ],
    );
    if words.has(&["-version", "--version"]) {
        return say(call, "javac 17.0.20");
    }
    let mut wrote = Ok(());
    for path in &words.words {
        let Ok(bytes) = call.slurp(path)? else {
            call.err(format!("error: file not found: {path}\n"))?;
            return Ok(2);
        };
        let class = path.trim_end_matches(".java");
        let class = words.value(&["-d"]).map_or(class.to_owned(), |dir| {
            format!("{dir}/{}", base_name(class))
        });
        let size = 400 + bytes.len() as u64 * 3 / 4;
        let content = stand_in(
            &format!("{path} {}", crate::image::Digest::of(&bytes)),
            size,
        );
        wrote = wrote.and_then(|()| Files::of(call).put(&format!("{class}.class"), content, 0o644));
    }
    work(call, 0.8 + 0.05 * words.words.len() as f64);
    written(call, wrote)
}

fn jar(call: &mut Call<'_, '_>) -> Exit {
    let args = call.args.clone();
    let mode = args
        .first()
        .map_or("", String::as_str)
        .trim_start_matches('-');
    let Some(path) = args.get(1).filter(|_| mode.contains('f')) else {
        return unknown(call);
    };
    if mode.contains('x') {
        // A Java archive is a zip archive.
        let args = ["unzip".to_owned(), "-oq".to_owned(), path.clone()];
        return match call.run(&args)? {
            Ok(code) => Ok(code),
            Err(_) => unknown(call),
        };
    }
    if mode.contains('c') {
        let files = Files::of(call);
        let size: u64 = args[2..].iter().map(|member| files.size(member)).sum();
        let wrote = Files::of(call).put(path, stand_in(path, size + 500), 0o644);
        return written(call, wrote);
    }
    Ok(0)
}

fn jlink(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &["--output", "--add-modules", "--module-path", "--compress"],
    );
    let Some(output) = words.value(&["--output"]).map(str::to_owned) else {
        return call.fail(2, "Error: --output must be specified");
    };
    let modules = words
        .value(&["--add-modules"])
        .map_or(1, |list| list.split(',').count()) as u64;
    let mut files = Files::of(call);
    let wrote = files
        .put(
            &format!("{output}/bin/java"),
            program("java", "a Java runtime", 12_400),
            0o755,
        )
        .and_then(|()| {
            files.put(
                &format!("{output}/lib/modules"),
                stand_in(
                    "the modules of the runtime",
                    18_000_000 + 1_500_000 * modules,
                ),
                0o644,
            )
        })
        .and_then(|()| {
            files.put(
                &format!("{output}/lib/server/libjvm.so"),
                stand_in("the virtual machine", 22_000_000),
                0o755,
            )
        });
    work(call, 8.0);
    written(call, wrote)
}

/// The text between `<tag>` and `</tag>`, the first of those that are not in a block of another
/// project's coordinates.
fn element<'a>(text: &'a str, tag: &str) -> Option<&'a str> {
    let from = text.find(&format!("<{tag}>"))? + tag.len() + 2;
    let rest = &text[from..];
    Some(rest[..rest.find(&format!("</{tag}>"))?].trim())
}

/// The text without the blocks `<tag>…</tag>`.
fn without(text: &str, tag: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(from) = rest.find(&format!("<{tag}>")) {
        out.push_str(&rest[..from]);
        let end = rest[from..].find(&format!("</{tag}>"));
        rest = end.map_or("", |end| &rest[from + end + tag.len() + 3..]);
    }
    out + rest
}

/// Downloads what a local repository lacks.
fn fetch(
    call: &mut Call<'_, '_>,
    repository: &str,
    names: &[String],
    ending: &str,
) -> Result<(), Failed> {
    let mut files = Files::of(call);
    let mut bytes = 0;
    let mut count = 0_u32;
    for name in names {
        let path = format!("{repository}/{}", name.replace(':', "/"));
        if files.exists(&path) {
            continue;
        }
        let size = weight(name);
        bytes += size;
        count += 1;
        files.put(
            &format!("{path}/{}{ending}", name.rsplit(':').next().unwrap_or(name)),
            stand_in(name, size),
            0o644,
        )?;
        files.put(
            &format!("{path}/unlisted.pom"),
            stand_in(name, 3_000),
            0o644,
        )?;
    }
    if count > 0 {
        transfer(call, bytes);
        work(call, 0.08 * f64::from(count));
    }
    Ok(())
}

/// Maven's own plugins, which it downloads before it does anything.
const PLUGINS: [&str; 6] = [
    "clean-plugin",
    "resources-plugin",
    "compiler-plugin",
    "surefire-plugin",
    "jar-plugin",
    "install-plugin",
];

fn maven(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "-f",
            "--file",
            "-s",
            "--settings",
            "-pl",
            "--projects",
            "-P",
            "-T",
            "-gs",
            "-t",
            "-rf",
        ],
    );
    if words.has(&["-v", "--version", "-version"]) {
        return say(call, "Apache Maven 3.9.6");
    }
    let file = words
        .value(&["-f", "--file"])
        .unwrap_or("pom.xml")
        .to_owned();
    let cwd = call.proc.fs.cwd.clone();
    let goals: Vec<&str> = words.words.iter().map(String::as_str).collect();
    let Some(text) = Files::of(call).text(&file) else {
        if goals.iter().all(|goal| goal.contains(':')) && !goals.is_empty() {
            return unknown(call);
        }
        call.out(format!("[ERROR] The goal you specified requires a project to execute but there is no POM in this directory ({cwd}). Please verify you invoked Maven from the correct directory.\n"))?;
        return Ok(1);
    };
    call.out("[INFO] Scanning for projects...\n")?;
    let dir = crate::fs::parent(&join(&cwd, &file));
    let local = words.options.iter().find_map(|(name, value)| {
        name.strip_prefix("-Dmaven.repo.local")
            .map(|_| value.clone())
    });
    let repository = local.unwrap_or_else(|| format!("{}/.m2/repository", tool::home(call)));
    let mut names: Vec<String> = PLUGINS
        .iter()
        .map(|name| format!("org:apache:maven:plugins:maven-{name}"))
        .collect();
    // Each dependency brings some of its own.
    for block in text.split("<dependency>").skip(1) {
        if let (Some(group), Some(artifact)) =
            (element(block, "groupId"), element(block, "artifactId"))
        {
            names.push(format!("{}:{artifact}", group.replace('.', ":")));
            let more = estimate(artifact, 0, 9);
            names.extend((1..=more).map(|n| format!("org:unlisted:{artifact}-needs-{n}")));
        }
    }
    let wrote = fetch(call, &repository, &names, ".jar");
    work(call, 2.5);
    let code = written(call, wrote)?;
    let offline = goals.iter().all(|goal| {
        goal.starts_with("dependency:")
            || *goal == "clean"
            || *goal == "validate"
            || goal.starts_with("versions:")
            || goal.starts_with("-")
    });
    if code != 0 || goals.is_empty() || offline {
        if goals.contains(&"clean") {
            let wrote = Files::of(call).remove(&format!("{dir}/target"));
            written(call, wrote)?;
        }
        call.out("[INFO] BUILD SUCCESS\n")?;
        return Ok(code);
    }
    let own = without(
        &without(
            &without(&without(&text, "parent"), "dependencies"),
            "plugins",
        ),
        "dependencyManagement",
    );
    let parent = element(&text, "parent").unwrap_or_default().to_owned();
    let artifact = element(&own, "artifactId").unwrap_or("app").to_owned();
    let version = element(&own, "version")
        .or_else(|| element(&parent, "version"))
        .unwrap_or("1.0")
        .to_owned();
    let packaging = element(&own, "packaging").unwrap_or("jar").to_owned();
    let build = element(&text, "build")
        .map(|build| without(build, "plugins"))
        .unwrap_or_default();
    let name = element(&build, "finalName")
        .filter(|name| !name.contains('$'))
        .map_or(format!("{artifact}-{version}"), str::to_owned);
    let input = sources(call, &dir, &[".java", ".kt", ".xml", ".properties", ".yml"]);
    let libraries: u64 = match text.contains("spring-boot-maven-plugin")
        || text.contains("shade")
        || packaging == "war"
    {
        true => names.iter().map(|name| weight(name)).sum(),
        false => 0,
    };
    if goals.contains(&"clean") {
        let wrote = Files::of(call).remove(&format!("{dir}/target"));
        written(call, wrote)?;
    }
    let wrote = output(
        call,
        &format!("{dir}/target"),
        &input,
        &name,
        &packaging,
        libraries,
    );
    let packages = goals
        .iter()
        .any(|goal| ["package", "install", "verify", "deploy"].contains(goal));
    if !packages {
        let wrote = Files::of(call).remove(&format!("{dir}/target/{name}.{packaging}"));
        written(call, wrote)?;
    }
    work(call, 4.0 + 0.03 * input.files.len() as f64);
    call.out(format!(
        "[INFO] Building jar: {dir}/target/{name}.{packaging}\n[INFO] BUILD SUCCESS\n"
    ))?;
    written(call, wrote)
}

/// Classes and the archive of them.
fn output(
    call: &mut Call<'_, '_>,
    dir: &str,
    input: &Sources,
    name: &str,
    packaging: &str,
    libraries: u64,
) -> Result<(), Failed> {
    let classes = 600 + input.bytes * 3 / 4;
    let what = format!("{name} of {}", input.digest);
    let mut files = Files::of(call);
    files.put_many(
        (&format!("{dir}/classes/Class"), ".class"),
        &what,
        1 + input.files.len() as u64,
        classes,
    )?;
    if packaging == "pom" {
        return Ok(());
    }
    let size = classes / 2 + libraries + 2_000;
    files.put(
        &format!("{dir}/{name}.{packaging}"),
        stand_in(&what, size),
        0o644,
    )
}

fn gradle(call: &mut Call<'_, '_>) -> Exit {
    let words = Words::of(
        &call.args,
        &[
            "-p",
            "--project-dir",
            "-b",
            "-x",
            "-g",
            "--gradle-user-home",
            "-I",
            "--exclude-task",
        ],
    );
    if words.has(&["-v", "--version"]) {
        return say(call, "Gradle 8.5");
    }
    let cwd = call.proc.fs.cwd.clone();
    let dir = words
        .value(&["-p", "--project-dir"])
        .map_or(cwd.clone(), |dir| join(&cwd, dir));
    let files = Files::of(call);
    let text = ["build.gradle", "build.gradle.kts"]
        .iter()
        .find_map(|name| files.text(&join(&dir, name)));
    let settings = ["settings.gradle", "settings.gradle.kts"]
        .iter()
        .find_map(|name| files.text(&join(&dir, name)));
    let Some(text) = text.or_else(|| settings.clone()) else {
        call.err(format!("FAILURE: Build failed with an exception.\n\n* What went wrong:\nDirectory '{dir}' does not contain a Gradle build.\n"))?;
        return Ok(1);
    };
    let home = match tool::env(call, "GRADLE_USER_HOME") {
        home if home.is_empty() => format!("{}/.gradle", tool::home(call)),
        home => home,
    };
    let quoted = |line: &str| line.split(['"', '\'']).nth(1).map(str::to_owned);
    let mut names = Vec::new();
    for line in text.lines().map(str::trim) {
        let is_dependency = [
            "implementation",
            "api",
            "compile",
            "runtimeOnly",
            "testImplementation",
        ]
        .iter()
        .any(|word| line.starts_with(word));
        if let Some(name) = quoted(line).filter(|name| is_dependency && name.contains(':')) {
            let more = estimate(&name, 0, 9);
            names.extend(
                (1..=more).map(|n| format!("org:unlisted:{}-needs-{n}", name.replace(':', "-"))),
            );
            names.push(name);
        }
    }
    let wrote = fetch(
        call,
        &format!("{home}/caches/modules-2/files-2.1"),
        &names,
        ".jar",
    );
    work(call, 6.0);
    let code = written(call, wrote)?;
    let tasks: Vec<&str> = words
        .words
        .iter()
        .map(|task| task.rsplit(':').next().unwrap_or(task))
        .collect();
    let builds = [
        "build",
        "assemble",
        "jar",
        "bootJar",
        "shadowJar",
        "installDist",
        "war",
        "classes",
        "compileJava",
        "distTar",
        "distZip",
        "fatJar",
        "uberjar",
    ];
    if code != 0 || !tasks.iter().any(|task| builds.contains(task)) {
        return Ok(code);
    }
    let setting = |text: &str, key: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(key).and_then(quoted))
    };
    let name = settings
        .as_deref()
        .and_then(|text| setting(text, "rootProject.name"))
        .unwrap_or_else(|| base_name(&dir).to_owned());
    let version = setting(&text, "version")
        .map(|version| format!("-{version}"))
        .unwrap_or_default();
    let input = sources(
        call,
        &dir,
        &[".java", ".kt", ".groovy", ".xml", ".properties", ".yml"],
    );
    let libraries: u64 = names.iter().map(|name| weight(name)).sum();
    let fat = text.contains("spring")
        || tasks
            .iter()
            .any(|task| ["shadowJar", "bootJar", "fatJar"].contains(task));
    let suffix = if tasks.contains(&"shadowJar") {
        "-all"
    } else {
        ""
    };
    let mut wrote = output(
        call,
        &format!("{dir}/build/libs"),
        &input,
        &format!("{name}{version}{suffix}"),
        "jar",
        if fat { libraries } else { 0 },
    );
    if tasks.contains(&"installDist") {
        let install = format!("{dir}/build/install/{name}");
        let mut files = Files::of(call);
        wrote = wrote
            .and_then(|()| {
                files.put(
                    &format!("{install}/bin/{name}"),
                    Content::new(
                        "#!/bin/sh\nexec java -cp \"$(dirname \"$0\")/../lib/*\" Main \"$@\"\n",
                    ),
                    0o755,
                )
            })
            .and_then(|()| {
                files.put(
                    &format!("{install}/lib/{name}{version}.jar"),
                    stand_in(&name, 3_000 + input.bytes),
                    0o644,
                )
            });
    }
    work(call, 4.0 + 0.03 * input.files.len() as f64);
    call.out("BUILD SUCCESSFUL\n")?;
    written(call, wrote)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_those_of_the_project() {
        let pom = "<project><parent><artifactId>p</artifactId></parent><artifactId> a </artifactId></project>";
        assert_eq!(element(&without(pom, "parent"), "artifactId"), Some("a"));
        assert_eq!(element(pom, "version"), None);
    }
}
