//! Scripts and what they print. What is expected is what busybox 1.35 prints.

use crate::fs::{Clock, Content, Flags, Fs, Overlay, Process, Time};
use crate::run::container::Container;
use crate::run::{Offline, Spec, Stream, execute};

/// A root with busybox as every applet.
fn root() -> Overlay {
    let clock = Clock::at(Time(1_700_000_000_123_456_789));
    let mut vfs = crate::fs::Vfs::new(Overlay::over(&Fs::empty(), clock));
    let process = Process::root();
    for dir in ["/bin", "/etc", "/root", "/tmp", "/w"] {
        vfs.mkdir(&process, dir, 0o755).unwrap();
    }
    let flags = Flags {
        create: true,
        ..Flags::default()
    };
    let binary = vfs.open(&process, "/bin/busybox", flags, 0o755).unwrap();
    let content = Content::stand_in(&b"\x7fELFprogram busybox\n"[..], 2_000_000);
    vfs.write_handle(binary, content).unwrap();
    for applet in super::programs::applets() {
        let _ = vfs.symlink(&process, "busybox", &format!("/bin/{applet}"));
    }
    let files = [
        ("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
        ("/etc/group", "root:x:0:\n"),
    ];
    for (path, text) in files {
        vfs.write(&process, path, text.into()).unwrap();
    }
    vfs.into_root()
}

/// Standard output and the exit code of a script run in `/w`.
fn run(script: &str) -> (String, i32) {
    let mut container = Container::new(root(), Vec::new(), "box").unwrap();
    let mut spec = Spec::new(["/bin/sh", "-c", script]);
    spec.cwd = "/w".into();
    let env = [("PATH", "/bin"), ("HOME", "/root")];
    spec.env = env.map(|(n, v)| (n.into(), v.into())).to_vec();
    let outcome = execute(&mut container.vfs, &spec, &mut Offline).unwrap();
    assert_eq!(outcome.limit, None, "{script}");
    let lines = outcome.log.iter();
    let out = lines.filter(|line| line.stream == Stream::Stdout);
    let out = out.map(|line| format!("{}\n", line.text)).collect();
    (out, outcome.exit_code)
}

/// Runs cases: a script behind `$ `, what it prints, and `=` with its exit code.
fn check(cases: &str) {
    let mut failed = Vec::new();
    for case in cases.split("\n$ ").skip(1) {
        let (script, expected) = case.split_once('\n').unwrap();
        let (out, code) = run(script);
        let found = format!("{out}={code}");
        if found != expected.trim_end_matches('\n') {
            failed.push(format!(
                "$ {script}\n--- expected\n{expected}\n--- found\n{found}\n"
            ));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn filters_and_wrappers() {
    check(include_str!("filters.txt"));
}

#[test]
fn errexit_and_pipes() {
    check(include_str!("errexit.txt"));
}
