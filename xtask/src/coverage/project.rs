//! What the files of a made-up project say.

use super::context::base;

/// Names of files that have no ending.
const KNOWN: &[&str] = &[
    "AUTHORS",
    "Brewfile",
    "CHANGELOG",
    "COPYING",
    "Caddyfile",
    "Dockerfile",
    "Gemfile",
    "Guardfile",
    "Jenkinsfile",
    "Justfile",
    "LICENSE",
    "MANIFEST",
    "Makefile",
    "NOTICE",
    "Pipfile",
    "Procfile",
    "README",
    "Rakefile",
    "VERSION",
    "Vagrantfile",
    "bashrc",
    "cmd",
    "configure",
    "crontab",
    "docker-entrypoint",
    "entrypoint",
    "gradlew",
    "init",
    "mvnw",
    "profile",
    "run",
    "start",
    "startup",
    "supervisord",
    "version",
    "bootstrap",
    "healthcheck",
    "artisan",
    "install",
    "setup",
    "pip.conf",
    "hosts",
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".env",
    ".npmrc",
    ".nvmrc",
    ".yarnrc",
    ".gitignore",
    ".gitmodules",
    ".gitconfig",
    ".vimrc",
    ".zshrc",
    ".dockerignore",
    ".ruby-version",
    ".python-version",
    ".condarc",
    ".node-version",
    ".gemrc",
    ".babelrc",
    ".eslintrc",
    ".htaccess",
    ".tool-versions",
    ".screenrc",
    ".tmux.conf",
    ".inputrc",
    ".netrc",
    ".curlrc",
    ".wgetrc",
    ".my.cnf",
    ".pgpass",
    ".prettierrc",
    ".editorconfig",
    ".eslintignore",
    ".dockerenv",
    ".browserslistrc",
];

/// Whether `name` is known to be a file although nothing in it says so.
pub fn is_known_file(name: &str) -> bool {
    KNOWN.contains(&name)
}

/// Whether the path is of the kind that commands make rather than find.
pub fn is_made_later(path: &str) -> bool {
    let endings = [
        ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".zip", ".deb", ".rpm", ".jar", ".war", ".o",
        ".a", ".so", ".log", ".pid", ".gpg", ".asc", ".whl", ".tar", ".gz", ".xz", ".sock", ".exe",
        ".pem", ".crt", ".tmp", ".bak",
    ];
    endings.iter().any(|end| path.ends_with(end))
}

/// The files that a project begins with, of the kinds that the Dockerfile is about.
pub fn starting_files(text: &str) -> Vec<&'static str> {
    let says = |word: &str| text.contains(word);
    let mut names = vec!["README.md"];
    let groups: &[(&[&str], &[&str])] = &[
        (
            &["npm ", "yarn", "pnpm", "FROM node", "bun "],
            &[
                "package.json",
                "package-lock.json",
                "index.js",
                "src/index.js",
                "tsconfig.json",
            ],
        ),
        (&["yarn"], &["yarn.lock"]),
        (&["pnpm"], &["pnpm-lock.yaml"]),
        (
            &["pip", "python", "poetry", "uv sync"],
            &["requirements.txt", "setup.py", "pyproject.toml", "app.py"],
        ),
        (&["poetry"], &["poetry.lock"]),
        (&["uv sync", "uv pip"], &["uv.lock"]),
        (&["pipenv"], &["Pipfile", "Pipfile.lock"]),
        (
            &[
                "go build",
                "go install",
                "go mod",
                "FROM golang",
                "go get",
                "go test",
                "xx-go",
            ],
            &["go.mod", "go.sum", "main.go"],
        ),
        (&["cargo"], &["Cargo.toml", "Cargo.lock", "src/main.rs"]),
        (&["mvn"], &["pom.xml", "src/main/java/App.java"]),
        (
            &["mvnw"],
            &["mvnw", ".mvn/wrapper/maven-wrapper.properties"],
        ),
        (
            &["gradle"],
            &["build.gradle", "settings.gradle", "src/main/java/App.java"],
        ),
        (
            &["gradlew"],
            &["gradlew", "gradle/wrapper/gradle-wrapper.jar"],
        ),
        (
            &["bundle", "gem "],
            &["Gemfile", "Gemfile.lock", "config.ru"],
        ),
        (&["rails"], &["bin/rails", "Rakefile"]),
        (
            &["composer"],
            &["composer.json", "composer.lock", "index.php"],
        ),
        (&["artisan"], &["artisan"]),
        (&["dotnet "], &["App.csproj", "Program.cs"]),
        (&["make", "gcc", "g++", "clang"], &["Makefile", "main.c"]),
        (&["cmake"], &["CMakeLists.txt"]),
        (
            &["./configure", "autogen", "autoreconf"],
            &["configure", "configure.ac", "autogen.sh"],
        ),
        (&["conda ", "mamba "], &["environment.yml"]),
    ];
    for (signs, files) in groups {
        if signs.iter().any(|sign| says(sign)) {
            names.extend(*files);
        }
    }
    names
}

/// Content and mode of the file `path`, which a build sees as `seen`.
pub fn content(path: &str, seen: &str, text: &str) -> (Vec<u8>, u32) {
    let name = base(path);
    let (ending, in_bin) = (
        name.rsplit_once('.').map_or("", |(_, ending)| ending),
        seen.contains("/bin/") || seen.contains("/sbin/"),
    );
    let body = match name {
        "package.json" => package_json(text),
        "package-lock.json" | "npm-shrinkwrap.json" => PACKAGE_LOCK.to_string(),
        "yarn.lock" => "# yarn lockfile v1\n\nexpress@^4.18.2:\n  version \"4.21.2\"\n".into(),
        "pnpm-lock.yaml" => "lockfileVersion: '9.0'\n\nimporters:\n  .:\n    dependencies:\n      express:\n        specifier: ^4.18.2\n        version: 4.21.2\n".into(),
        "go.mod" => "module example.com/app\n\ngo 1.21\n\nrequire github.com/spf13/cobra v1.8.0\n".into(),
        "go.sum" => "github.com/spf13/cobra v1.8.0 h1:7aJaZx1B85qltLMc546zn58BxxfZdR/W22ej9CFoEf0=\ngithub.com/spf13/cobra v1.8.0/go.mod h1:WXLWApfZ71AjXPya3WOlMsY9yMs7YeiHhFVlvLyhcho=\n".into(),
        "Cargo.toml" => format!("[package]\nname = \"{}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\nserde = \"1\"\n", named(text, &["target/release/", "release/"]).unwrap_or("app")),
        "Cargo.lock" => "version = 3\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.200\"\n".into(),
        "pom.xml" => pom(text),
        "build.gradle" | "build.gradle.kts" => "plugins { id 'java' }\ngroup = 'com.example'\nversion = '1.0'\n".into(),
        "settings.gradle" | "settings.gradle.kts" => "rootProject.name = 'app'\n".into(),
        "gradlew" => "#!/bin/sh\nAPP_HOME=$(cd \"$(dirname \"$0\")\" && pwd)\nexec java -classpath \"$APP_HOME/gradle/wrapper/gradle-wrapper.jar\" org.gradle.wrapper.GradleWrapperMain \"$@\"\n".into(),
        "mvnw" => "#!/bin/sh\nexec java -classpath .mvn/wrapper/maven-wrapper.jar org.apache.maven.wrapper.MavenWrapperMain \"$@\"\n".into(),
        "Gemfile" => "source 'https://rubygems.org'\ngem 'rails', '~> 7.1'\ngem 'puma'\n".into(),
        "Gemfile.lock" => "GEM\n  remote: https://rubygems.org/\n  specs:\n    puma (6.4.2)\n    rails (7.1.3)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  puma\n  rails (~> 7.1)\n".into(),
        "composer.json" => "{\"name\": \"example/app\", \"require\": {\"monolog/monolog\": \"^3.0\"}}\n".into(),
        "composer.lock" => "{\"packages\": [{\"name\": \"monolog/monolog\", \"version\": \"3.5.0\"}], \"packages-dev\": []}\n".into(),
        "pyproject.toml" => "[project]\nname = \"app\"\nversion = \"1.0\"\ndependencies = [\"flask\"]\n".into(),
        "poetry.lock" | "uv.lock" => "[[package]]\nname = \"flask\"\nversion = \"3.0.3\"\n".into(),
        "Pipfile" => "[packages]\nflask = \"*\"\n".into(),
        "Pipfile.lock" => "{\"default\": {\"flask\": {\"version\": \"==3.0.3\"}}, \"develop\": {}}\n".into(),
        "environment.yml" | "environment.yaml" => "name: app\ndependencies:\n  - python=3.11\n  - numpy\n".into(),
        "Makefile" | "makefile" => makefile(text),
        "configure" => "#!/bin/sh\necho 'checking for gcc... gcc'\nprintf 'all:\\n\\tcc -o app main.c\\ninstall:\\n' > Makefile\n".into(),
        "tsconfig.json" => "{\"compilerOptions\": {\"outDir\": \"dist\", \"rootDir\": \".\"}}\n".into(),
        "maven-wrapper.properties" => "distributionUrl=https://example.com/apache-maven-3.9.6-bin.zip\n".into(),
        "artisan" => "#!/usr/bin/env php\n<?php\n".into(),
        _ => match ending {
            "txt" if name.contains("require") || path.contains("require") => "flask\nrequests\n".into(),
            "csproj" => "<Project Sdk=\"Microsoft.NET.Sdk\"><PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup></Project>\n".into(),
            "py" => format!("#!/usr/bin/env python3\n# {path}\n"),
            "sh" | "bash" | "" => format!("#!/bin/sh\n# {path}\n"),
            "js" | "mjs" | "ts" => format!("// {path}\n"),
            "json" => "{}\n".into(),
            "yml" | "yaml" => format!("# {path}\n"),
            "go" => "package main\n\nfunc main() {}\n".into(),
            "c" | "cc" | "cpp" | "cxx" => "int main(void) { return 0; }\n".into(),
            "patch" | "diff" => String::new(),
            _ if in_bin => format!("#!/bin/sh\n# {path}\n"),
            _ => format!("# {path}\n"),
        },
    };
    let runs = body.starts_with("#!");
    (body.into_bytes(), if runs { 0o755 } else { 0o644 })
}

/// What stands behind one of `marks` in the text, up to a blank, a quote or a slash.
fn named<'a>(text: &'a str, marks: &[&str]) -> Option<&'a str> {
    marks.iter().find_map(|mark| {
        let rest = &text[text.find(mark)? + mark.len()..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)))?;
        let name = &rest[..end];
        (!name.is_empty() && name.bytes().any(|b| b.is_ascii_alphabetic())).then_some(name)
    })
}

const PACKAGE_LOCK: &str = r#"{"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": true, "packages": {
"": {"name": "app", "version": "1.0.0", "dependencies": {"express": "^4.18.2"}, "devDependencies": {"vite": "^5.0.0", "eslint": "^8.0.0", "jest": "^29.0.0"}},
"node_modules/eslint": {"version": "8.57.1", "dev": true, "bin": {"eslint": "bin/eslint.js"}},
"node_modules/express": {"version": "4.21.2"},
"node_modules/jest": {"version": "29.7.0", "dev": true, "bin": {"jest": "bin/jest.js"}},
"node_modules/vite": {"version": "5.4.11", "dev": true, "bin": {"vite": "bin/vite.js"}}}}
"#;

fn package_json(text: &str) -> String {
    // Every script that is asked for is there.
    let mut scripts: Vec<&str> = vec!["build", "start"];
    let mut words = text
        .split(|c: char| c.is_whitespace() || "\"',;&|[]()".contains(c))
        .filter(|word| !word.is_empty())
        .peekable();
    while let Some(word) = words.next() {
        let next = words.peek().copied().unwrap_or_default();
        let asked = ["run", "run-script"].contains(&word) || word == "yarn";
        let is_name = next
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(&b));
        let verb = [
            "install",
            "add",
            "cache",
            "global",
            "config",
            "workspaces",
            "set",
            "run",
            "build",
            "start",
            "workspace",
            "--version",
        ];
        if asked
            && is_name
            && !next.is_empty()
            && !next.starts_with('-')
            && !verb.contains(&next)
            && !scripts.contains(&next)
        {
            scripts.push(next);
        }
    }
    let scripts: Vec<String> = scripts
        .iter()
        .map(|name| match *name {
            "start" => "\"start\": \"node index.js\"".to_string(),
            name if ["build", "bundle", "compile", "prod", "dist"]
                .iter()
                .any(|part| name.contains(part)) =>
            {
                format!("\"{name}\": \"vite build\"")
            }
            name if name.contains("lint") => format!("\"{name}\": \"eslint .\""),
            name if name.contains("test") => format!("\"{name}\": \"jest\""),
            name => format!("\"{name}\": \"node scripts.js {name}\""),
        })
        .collect();
    format!(
        "{{\n  \"name\": \"app\",\n  \"version\": \"1.0.0\",\n  \"scripts\": {{{}}},\n  \"dependencies\": {{\"express\": \"^4.18.2\"}},\n  \"devDependencies\": {{\"vite\": \"^5.0.0\", \"eslint\": \"^8.0.0\", \"jest\": \"^29.0.0\"}}\n}}\n",
        scripts.join(", ")
    )
}

fn pom(text: &str) -> String {
    let jar = named(text, &["target/"]).unwrap_or("app-1.0.jar");
    let packaging = if jar.ends_with(".war") { "war" } else { "jar" };
    let stem = jar.trim_end_matches(".jar").trim_end_matches(".war");
    format!(
        "<project>\n  <modelVersion>4.0.0</modelVersion>\n  <groupId>com.example</groupId>\n  \
         <artifactId>app</artifactId>\n  <version>1.0</version>\n  <packaging>{packaging}</packaging>\n  \
         <build><finalName>{stem}</finalName></build>\n</project>\n"
    )
}

/// A makefile with every target that is asked for.
fn makefile(text: &str) -> String {
    let mut targets: Vec<&str> = vec!["all", "install", "clean"];
    let mut after_make = false;
    for word in text.split(|c: char| c.is_whitespace() || "\"'`()".contains(c)) {
        if ["&&", "||", ";", "RUN", "\\"].contains(&word) || word.ends_with(';') {
            after_make = after_make && word == "\\";
            continue;
        }
        if word == "make" {
            after_make = true;
            continue;
        }
        let is_name = !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
            && !word.starts_with('-')
            && !word.bytes().all(|b| b.is_ascii_digit());
        if after_make && is_name && !targets.contains(&word) {
            targets.push(word);
        }
    }
    let mut out = String::from("all:\n\tcc -o app main.c\n");
    for target in &targets[1..] {
        out += &format!("{target}:\n");
    }
    out
}
