//! Compilers and bundlers: what they write follows from their sources.

mod common;

use common::{Container, log};

#[test]
fn a_bundle_is_named_after_its_sources() {
    let mut machine = Container::of("node:20-alpine");
    machine.write(
        "/app/package.json",
        r#"{"name": "web", "devDependencies": {"vite": "^8.0.0", "typescript": "^7.0.0"}}"#,
    );
    machine.ok("npm install");
    machine.write("/app/index.ts", "console.log(1)\n");
    let names = |machine: &Container| {
        let (_, dir) = machine
            .vfs
            .root_fs()
            .find("/app/dist/assets")
            .expect("it is built");
        dir.dir()
            .expect("a folder")
            .keys()
            .map(|n| n.to_string())
            .collect::<Vec<_>>()
    };
    machine.ok("/app/node_modules/.bin/vite build");
    let first = names(&machine);
    assert_eq!(first.len(), 2);
    machine.ok("rm -rf dist");
    machine.ok("/app/node_modules/.bin/vite build");
    assert_eq!(
        names(&machine),
        first,
        "the same sources give the same bundle"
    );
    machine.ok("rm -rf dist");
    machine.write("/app/index.ts", "console.log(2)\n");
    machine.ok("/app/node_modules/.bin/vite build");
    assert_ne!(names(&machine), first);
}

#[test]
fn tsc_follows_its_configuration() {
    let mut machine = Container::of("node:20-alpine");
    machine.ok("npm install -g typescript");
    assert_eq!(machine.run("tsc").exit_code, 1);
    machine.write(
        "/app/tsconfig.json",
        "{\n  // where to\n  \"compilerOptions\": {\"outDir\": \"./out\"}\n}\n",
    );
    machine.write("/app/main.ts", "let x: number = 1\n");
    machine.ok("tsc");
    assert!(machine.has("/app/out/main.js"));
    machine.ok("tsc --noEmit");
}

#[test]
fn node_runs_only_what_is_there() {
    let mut machine = Container::of("node:20-alpine");
    assert_eq!(log(&machine.run("node --version")), "v20.19.2");
    let outcome = machine.run("node missing.js");
    assert_eq!(outcome.exit_code, 1);
    assert!(log(&outcome).starts_with("Error: Cannot find module '/app/missing.js'"));
}

#[test]
fn go_builds_once_and_then_from_its_caches() {
    let mut machine = Container::of("golang:1.22-alpine");
    assert_eq!(machine.run("go build").exit_code, 1);
    machine.write(
        "/app/go.mod",
        "module a.tst/hello\n\ngo 1.22\n\nrequire b.tst/Log v1.2.3\n",
    );
    let outcome = machine.run("go mod download");
    assert_eq!(log(&outcome), "go: downloading b.tst/Log v1.2.3");
    assert!(machine.has("/go/pkg/mod/b.tst/!log@v1.2.3"));
    assert_eq!(log(&machine.run("go build")), "no Go files in /app");
    machine.write("/app/main.go", "package main\n\nfunc main() {}\n");
    let first = machine.ok("go build -o /bin/hello .");
    let again = machine.ok("go build -o /bin/hello .");
    assert!(first > 18.0 && again < 2.0, "{first}, {again}");
    let size = |machine: &Container, path: &str| {
        let (_, inode) = machine.vfs.root_fs().find(path).expect(path);
        inode.size()
    };
    let whole = size(&machine, "/bin/hello");
    machine.ok("go build -ldflags=-s_-w -o /app/");
    assert!(machine.has("/app/hello"));
    assert!(size(&machine, "/app/hello") < whole);
    machine.ok("go install c.tst/tools/lint/v2@latest");
    assert!(machine.has("/go/bin/lint"));
}
