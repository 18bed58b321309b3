//! npm against measured installs.

mod common;

use common::{Container, log, near};
use layerwise::fs::Kind;

const EXPRESS: &str = r#"{
  "name": "express-api",
  "version": "1.0.0",
  "scripts": {"hello": "echo hello", "prehello": "echo before"},
  "dependencies": {
    "bcryptjs": "^3.0.3", "cors": "^2.8.6", "dotenv": "^18.0.10", "express": "^5.3.0",
    "helmet": "^8.3.0", "jsonwebtoken": "^9.0.3", "mongoose": "^9.12.1", "morgan": "^1.12.1",
    "zod": "^4.6.7"
  },
  "devDependencies": {
    "eslint": "^9.39.5", "jest": "^30.5.2", "nodemon": "^3.1.14", "supertest": "^7.3.2"
  }
}
"#;

/// Bytes, files and symbolic links below a folder.
fn weigh(machine: &Container, path: &str) -> (u64, u64, u64) {
    let fs = machine.vfs.root_fs();
    let (_, top) = fs.follow(path).expect(path);
    fs.walk(top)
        .fold((0, 0, 0), |(bytes, files, links), entry| {
            match &entry.inode.kind {
                Kind::File(content) => (bytes + content.size(), files + 1, links),
                Kind::Symlink(_) => (bytes, files, links + 1),
                _ => (bytes, files, links),
            }
        })
}

#[test]
fn npm_ci_needs_a_lock_file() {
    let mut machine = Container::of("node:20-alpine");
    machine.write("/app/package.json", EXPRESS);
    let outcome = machine.run("npm ci");
    assert_eq!(outcome.exit_code, 1);
    insta::assert_snapshot!(log(&outcome), @r#"
    npm error code EUSAGE
    npm error
    npm error The `npm ci` command can only install with an existing package-lock.json or
    npm error npm-shrinkwrap.json with lockfileVersion >= 1. Run an install with npm@5 or
    npm error later to generate a package-lock.json file, then try again.
    npm error
    npm error Clean install a project
    npm error
    npm error Usage:
    npm error npm ci
    npm error
    npm error aliases: clean-install, ic, install-clean, isntall-clean
    npm error
    npm error Run "npm help ci" for more info
    "#);
}

#[test]
fn npm_needs_a_manifest() {
    let mut machine = Container::of("node:20-alpine");
    let outcome = machine.run("npm install");
    assert_eq!(outcome.exit_code, 254);
    insta::assert_snapshot!(log(&outcome), @r"
    npm error code ENOENT
    npm error syscall open
    npm error path /app/package.json
    npm error errno -2
    npm error enoent Could not read package.json: Error: ENOENT: no such file or directory, open '/app/package.json'
    npm error enoent This is related to npm not being able to find a file.
    npm error enoent
    ");
}

#[test]
fn npm_installs_weigh_what_was_measured() {
    let mut machine = Container::of("node:20-alpine");
    machine.write("/app/package.json", EXPRESS);
    machine.ok("npm install");
    let (bytes, files, _) = weigh(&machine, "/app/node_modules");
    near("node_modules", bytes, 70_085_009);
    near("files", files, 10_137);
    near(
        "cache",
        weigh(&machine, "/root/.npm").0,
        15_531_449 + 500 * 1500,
    );
    // With the lock file that this has made, and what is in the cache.
    let warm = machine.ok("npm ci");
    assert_eq!(weigh(&machine, "/app/node_modules").0, bytes);
    machine.ok("npm cache clean --force");
    let cold = machine.ok("npm ci");
    assert!(warm < cold - 1.0, "{warm} is not faster than {cold}");
    // Measured on a machine that was busy, two to three times as long.
    assert!((10.0..25.0).contains(&cold), "{cold}");
    machine.ok("npm ci --omit=dev");
    let (bytes, files, _) = weigh(&machine, "/app/node_modules");
    near("production", bytes, 19_067_721);
    near("production files", files, 2_587);
}

#[test]
fn npm_ci_wants_the_lock_file_in_sync() {
    let mut machine = Container::of("node:20-alpine");
    machine.write(
        "/app/package.json",
        r#"{"dependencies": {"express": "^5.0.0", "left-pad": "^1.3.0"}}"#,
    );
    machine.write(
        "/app/package-lock.json",
        r#"{"lockfileVersion": 3, "packages": {"": {}, "node_modules/express": {"version": "4.0.0"}}}"#,
    );
    let outcome = machine.run("npm ci");
    assert_eq!(outcome.exit_code, 1);
    insta::assert_snapshot!(log(&outcome), @r"
    npm error code EUSAGE
    npm error
    npm error `npm ci` can only install packages when your package.json and package-lock.json or npm-shrinkwrap.json are in sync. Please update your lock file with `npm install` before continuing.
    npm error
    npm error Invalid: lock file's express@4.0.0 does not satisfy express@^5.0.0
    npm error Missing: left-pad@^1.3.0 from lock file
    npm error
    ");
}

#[test]
fn npm_adds_what_is_named() {
    let mut machine = Container::of("node:20-alpine");
    machine.write("/app/package.json", "{\"name\": \"app\"}\n");
    let outcome = machine.run("npm install express no-such-package-at-all");
    insta::assert_snapshot!(log(&outcome), @r"
    layerwise: the catalog has no package no-such-package-at-all; its size is an estimate

    added 69 packages, and audited 70 packages in 8s

    found 0 vulnerabilities
    ");
    insta::assert_snapshot!(machine.text("/app/package.json"), @r#"
    {
      "name": "app",
      "dependencies": {
        "express": "^5.3.0",
        "no-such-package-at-all": "^1.0.0"
      }
    }
    "#);
    machine.ok("npm install -g typescript");
    assert!(machine.has("/usr/local/bin/tsc"));
}

#[test]
fn npm_writes_as_the_user_that_it_runs_as() {
    let mut machine = Container::of("node:20-alpine");
    machine.write("/app/package.json", EXPRESS);
    machine.spec.cred.uid = 1000;
    machine.spec.cred.gid = 1000;
    machine.spec.env.push(("HOME".into(), "/home/node".into()));
    let outcome = machine.run("npm install");
    assert_eq!(outcome.exit_code, 243);
    insta::assert_snapshot!(log(&outcome), @r"
    npm error code EACCES
    npm error syscall mkdir
    npm error path /app/node_modules
    npm error errno -13
    npm error Error: EACCES: permission denied, mkdir '/app/node_modules'
    ");
}

#[test]
fn npm_runs_scripts() {
    let mut machine = Container::of("node:20-alpine");
    machine.write("/app/package.json", EXPRESS);
    let ran = log(&machine.run("npm run hello"));
    let header = ["prehello\n> echo before\n", "hello\n> echo hello\n"];
    for lines in header {
        let lines = format!("\n> express-api@1.0.0 {lines}");
        assert!(ran.contains(lines.trim_end()), "{ran}");
    }
    let missing = machine.run("npm run build");
    assert_eq!(missing.exit_code, 1);
    insta::assert_snapshot!(log(&missing), @r#"
    npm error Missing script: "build"
    npm error
    npm error To see a list of scripts, run:
    npm error   npm run
    "#);
}
