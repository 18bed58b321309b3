//! Scripts and what they print. What is expected is what busybox 1.35 prints.

use crate::fs::{Clock, Content, Flags, Fs, Overlay, Process, Time};
use crate::run::container::Container;
use crate::run::{Limit, Limits, Offline, Outcome, Spec, Stream, execute};

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

/// The end of a script run in `/w`.
fn outcome(script: &str) -> Outcome {
    outcome_within(script, Limits::default())
}

fn outcome_within(script: &str, limits: Limits) -> Outcome {
    let mut container = Container::new(root(), Vec::new(), "box").unwrap();
    let mut spec = Spec::new(["/bin/sh", "-c", script]);
    spec.cwd = "/w".into();
    spec.limits = limits;
    let env = [("PATH", "/bin"), ("HOME", "/root")];
    spec.env = env.map(|(n, v)| (n.into(), v.into())).to_vec();
    execute(&mut container.vfs, &spec, &mut Offline).unwrap()
}

/// Standard output and the exit code of a script run in `/w`.
fn run(script: &str) -> (String, i32) {
    let outcome = outcome(script);
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

#[test]
fn a_line_has_the_time_of_its_first_byte() {
    let script = "echo a; sleep 2; printf b; sleep 1; echo c >&2; echo d; sleep 1; printf e";
    let ended = outcome(script);
    let seconds = |nanos: u64| (nanos as f64 / 1e9).round();
    let lines = ended.log.iter();
    let lines: Vec<_> = lines.map(|l| (l.text.as_str(), seconds(l.nanos))).collect();
    assert_eq!(lines, [("a", 0.0), ("c", 3.0), ("bd", 2.0), ("e", 4.0)]);
    assert!(ended.log.iter().all(|line| line.nanos <= ended.nanos));
}

#[test]
fn what_would_never_end_is_stopped() {
    let few = Limits {
        commands: 20_000,
        rounds: 5_000,
        processes: 500,
        output_bytes: 4 << 20,
        ..Limits::default()
    };
    for (script, limit) in [
        ("while :; do :; done", Limit::Rounds),
        ("until false; do true; done", Limit::Rounds),
        ("exec sh -c 'while :; do :; done'", Limit::Rounds),
        ("while :; do a=$(cat /etc/passwd); done", Limit::Processes),
        ("while :; do :; :; :; :; done", Limit::Commands),
        (":() { : | : & }; :", Limit::Depth),
        ("f() { f; }; f", Limit::Depth),
        ("f() { echo $(f); }; f", Limit::Depth),
        ("f() { f | f; }; f", Limit::Depth),
        ("echo 'sh /w/a' > a; sh a", Limit::Depth),
        ("echo '. /w/a' > a; . ./a", Limit::Depth),
        ("e='eval \"$e\"'; eval \"$e\"", Limit::Depth),
        ("a=aaaaaaaa; while :; do a=$a$a; done", Limit::Word),
        ("while :; do yes | head -c 100000; done", Limit::Output),
        ("sort /dev/zero", Limit::Endless),
        ("cat /dev/zero > a", Limit::Endless),
    ] {
        let ended = outcome_within(script, few.clone());
        let hit = ended.limit.as_ref().map(|hit| hit.limit);
        assert_eq!((hit, ended.exit_code), (Some(limit), 137), "{script}");
    }
}

/// What people write goes deeper than it looks: functions that call themselves, in subshells.
#[test]
fn a_recursion_that_ends_is_let_be() {
    let script = "f() { [ $1 -eq 0 ] || ( f $(($1 - 1)); ); }; f 40; \
                  g() { [ $1 -eq 0 ] && echo end || g $(($1 - 1)); }; g 80";
    assert_eq!(run(script), ("end\n".to_string(), 0));
}
