//! What programs do, as busybox 1.35 does it: each case was compared with the real one.

use super::super::container::Container;
use super::super::{Offline, Spec, Stream, execute};
use crate::fs::{Clock, Content, Follow, Fs, Kind, Overlay, Process, Time, Vfs};

/// A root with busybox in `/bin` and shadow's programs in `/usr/sbin`, after `script` has run in
/// `/w`; and what the script said and exited with.
fn run(script: &str) -> (Vfs, String) {
    let base = Overlay::over(&Fs::empty(), Clock::at(Time(1_700_000_000_123_456_789)));
    let mut vfs = Vfs::new(base);
    let root = Process {
        umask: 0,
        ..Process::root()
    };
    for dir in ["/bin", "/etc", "/home", "/tmp", "/usr", "/usr/sbin", "/w"] {
        vfs.mkdir(&root, dir, 0o755).unwrap();
    }
    let mut program = |path: &str, name: &str| {
        let content = Content::stand_in(format!("\x7fELFprogram {name}\n"), 1_000_000);
        vfs.write(&root, path, content).unwrap();
        vfs.chmod(&root, path, 0o755).unwrap();
    };
    program("/bin/busybox", "busybox");
    for name in ["groupadd", "useradd", "userdel"] {
        program(&format!("/usr/sbin/{name}"), name);
    }
    for applet in super::applets().filter(|applet| *applet != "busybox") {
        let _ = vfs.symlink(&root, "busybox", &format!("/bin/{applet}"));
    }
    let files = [
        (
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n",
        ),
        (
            "/etc/group",
            "root:x:0:\nnginx:x:101:\napp:x:1000:\nstaff:x:50:app\n",
        ),
        ("/etc/shadow", "root:*::0:::::\napp:!:19000:0:99999:7:::\n"),
    ];
    for (path, text) in files {
        vfs.write(&root, path, Content::from(text)).unwrap();
        vfs.chmod(&root, path, 0o644).unwrap();
    }
    let mut container = Container::new(vfs.into_root(), Vec::new(), "host").unwrap();
    let mut spec = Spec::new(["sh", "-c", script]);
    spec.cwd = "/w".into();
    spec.env = vec![("PATH".into(), "/bin:/usr/sbin".into())];
    let outcome = execute(&mut container.vfs, &spec, &mut Offline).unwrap();
    let mut said = String::new();
    for line in outcome.log {
        let mark = if line.stream == Stream::Stderr {
            "! "
        } else {
            ""
        };
        said += &format!("{mark}{}\n", line.text);
    }
    if outcome.exit_code != 0 {
        said += &format!("exit {}\n", outcome.exit_code);
    }
    (Vfs::new(container.finish().root), said)
}

fn says(script: &str) -> String {
    run(script).1
}

fn read(vfs: &Vfs, path: &str) -> String {
    let content = vfs.read(&Process::root(), path).unwrap();
    String::from_utf8_lossy(content.bytes()).into_owned()
}

#[test]
fn an_edit_in_place_replaces_the_inode_and_an_append_keeps_it() {
    let (vfs, said) = run(
        "echo a > f; chmod 640 f; chown 1000:50 f; ln f g; sed -i s/a/b/ f; echo c >> g; cat f g",
    );
    assert_eq!(said, "b\na\nc\n");
    let stat = |path| vfs.stat(&Process::root(), path, Follow::No).unwrap();
    assert_ne!(stat("/w/f"), stat("/w/g"));
    let meta = &vfs.inode(stat("/w/f")).meta;
    assert_eq!((meta.mode, meta.uid, meta.gid), (0o640, 1000, 50));
}

#[test]
fn sed_edits_streams() {
    assert_eq!(
        says("printf '1\\n2\\n3\\n' | sed ':a;N;$!ba;s/\\n/,/g'"),
        "1,2,3\n"
    );
    assert_eq!(says("printf '1\\n2\\n3\\n' | sed '1!G;h;$!d'"), "3\n2\n1\n");
    assert_eq!(says("printf '1\\n2\\n3\\n' | sed '1,2c x'"), "x\n3\n");
    assert_eq!(says("printf '1\\n2\\n3\\n' | sed -n '/2/,$p'"), "2\n3\n");
    assert_eq!(says("echo baac | sed 's/a*/x/g'"), "xbxcx\n");
    assert_eq!(
        says("echo a | sed 's/a/b'"),
        "! sed: unmatched '/'\nexit 1\n"
    );
}

#[test]
fn endless_writers_end_when_nobody_reads() {
    assert_eq!(says("yes | tr y n | head -n 2"), "n\nn\n");
    assert_eq!(
        says("tr -dc a-z < /dev/urandom | head -c 12 | wc -c"),
        "12\n"
    );
    assert_eq!(says("yes | awk 'NR==3 {print NR; exit}'"), "3\n");
}

#[test]
fn inputs_that_cannot_be_read_are_named_in_each_programs_way() {
    let said = says("cat /no; head /no; tail /no; sort /no; echo $?");
    insta::assert_snapshot!(said, @"
    ! cat: can't open '/no': No such file or directory
    ! head: /no: No such file or directory
    ! tail: can't open '/no': No such file or directory
    ! tail: no files
    ! sort: /no: No such file or directory
    2
    ");
}

#[test]
fn archives_keep_links_modes_owners_and_times() {
    let (vfs, said) = run(
        "mkdir -p a/d o; echo x > a/f; ln a/f a/d/g; ln -s ../f a/d/l; chmod 4711 a/f; \
         chown 1000:50 a/f; chmod 4711 a/f; touch -d '2001-02-03 00:00:00' a/f; \
         tar czf - -C a . | tar xzf - -C o; tar cf t.tar a; tar tf t.tar | sort",
    );
    assert_eq!(said, "a/\na/d/\na/d/g\na/d/l\na/f\n");
    let stat = |path| vfs.stat(&Process::root(), path, Follow::No).unwrap();
    assert_eq!(stat("/w/o/f"), stat("/w/o/d/g"));
    let inode = vfs.inode(stat("/w/o/f"));
    let meta = &inode.meta;
    assert_eq!((meta.mode, meta.uid, meta.gid), (0o4711, 1000, 50));
    assert_eq!(meta.mtime, Time::from_secs(981_158_400));
    assert!(matches!(&vfs.inode(stat("/w/o/d/l")).kind, Kind::Symlink(to) if &**to == "../f"));
}

#[test]
fn busybox_makes_accounts() {
    let (vfs, said) = run(
        "addgroup -g 1001 -S nginx; echo $?; addgroup -S www; adduser -D bob; adduser bob nginx; \
         adduser -D -u 500 -G www -H -h /srv/x -s /bin/false x; adduser -D bob; echo $?; delgroup www",
    );
    insta::assert_snapshot!(said, @"
    ! addgroup: group 'nginx' in use
    1
    ! adduser: user 'bob' in use
    1
    ! delgroup: 'x' still has 'www' as their primary group!
    exit 1
    ");
    let passwd = read(&vfs, "/etc/passwd");
    assert!(passwd.contains("bob:x:1001:1001:Linux User,,,:/home/bob:/bin/sh\n"));
    assert!(passwd.ends_with("x:x:500:100:Linux User,,,:/srv/x:/bin/false\n"));
    insta::assert_snapshot!(read(&vfs, "/etc/group"), @"
    root:x:0:
    nginx:x:101:bob
    app:x:1000:
    staff:x:50:app
    www:x:100:x
    bob:x:1001:
    ");
    assert!(read(&vfs, "/etc/shadow").contains("bob:!:19675:0:99999:7:::\n"));
    let home = vfs.stat(&Process::root(), "/home/bob", Follow::No).unwrap();
    assert_eq!(vfs.inode(home).meta.mode, 0o2755);
}

#[test]
fn shadow_makes_accounts() {
    let (vfs, said) = run(
        "groupadd -r sys; groupadd sys; echo $?; useradd -r -g sys one; useradd -m -G staff two; \
         useradd two; echo $?; userdel app",
    );
    insta::assert_snapshot!(said, @"
    ! groupadd: group 'sys' already exists
    9
    ! useradd: user 'two' already exists
    9
    ");
    let passwd = read(&vfs, "/etc/passwd");
    assert!(passwd.contains("one:x:999:999::/home/one:/bin/sh\n"));
    assert!(passwd.ends_with("two:x:1001:1001::/home/two:/bin/sh\n"));
    insta::assert_snapshot!(read(&vfs, "/etc/group"), @"
    root:x:0:
    nginx:x:101:
    staff:x:50:two
    sys:x:999:
    two:x:1001:
    ");
    assert!(read(&vfs, "/etc/shadow").ends_with("one:!:19675::::::\ntwo:!:19675:0:99999:7:::\n"));
}

#[test]
fn awk_runs_programs() {
    assert_eq!(
        says("awk -F: '$3 >= 100 {print $1, $3}' /etc/passwd"),
        "app 1000\n"
    );
    assert_eq!(
        says("echo 'a b c' | awk '{$5=\"X\"; print; NF=2; print}'"),
        "a b c  X\na b\n"
    );
    assert_eq!(
        says("awk 'BEGIN {print \"b\\na\" | \"sort\"; close(\"sort\"); print \"x\"}'"),
        "a\nb\nx\n"
    );
    assert_eq!(
        says("awk 'BEGIN {printf \"%d %5s|%c\\n\", 3.9, \"ab\", 65}'"),
        "3    ab|A\n"
    );
    let keys = says("seq 20 | awk '{a[$1]} END {for (k in a) printf \"%s \", k}'");
    assert_eq!(
        keys,
        "10 11 20 12 13 14 15 16 17 18 19 1 2 3 4 5 6 7 8 9 \n"
    );
}

#[test]
fn dd_copies_blocks() {
    assert_eq!(
        says("echo abcdefgh > f; printf XY | dd of=f bs=1 seek=2 conv=notrunc status=none; cat f"),
        "abXYefgh\n"
    );
    assert_eq!(says("printf 'ab\\n' | od -An -tx1"), " 61 62 0a\n");
}

/// A diff of two files of eight lines, in `p`.
const DIFF: &str = "printf 'a\\nb\\nc\\nd\\ne\\nf\\ng\\nh\\n' > o; sed 's/b/B/; s/h/H/' o > n; \
                    echo i >> n; diff -U1 o n > p;";

#[test]
fn diff_shows_what_differs() {
    let said = says(&format!(
        "{DIFF} cat p; diff -q o n; diff o o; diff o missing"
    ));
    assert_eq!(
        said,
        "--- o\n+++ n\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n@@ -7,2 +7,3 @@\n g\n-h\n+H\n+i\n\
         Files o and n differ\n\
         ! diff: can't stat 'missing': No such file or directory\nexit 2\n"
    );
    assert_eq!(
        says("printf 'a\\nb' > u; printf 'a\\nb\\n' > v; diff u v"),
        "--- u\n+++ v\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\nexit 1\n"
    );
}

#[test]
fn patch_changes_files_there_and_back() {
    let script = "cp o t; patch t < p; cmp t n; patch -R t < p; cmp t o; \
                  printf 'x\\ny\\n' | cat - o > t; patch t p; sed -n 4p t; ls";
    assert_eq!(
        says(&format!("{DIFF} {script}")),
        "patching file t\npatching file t\npatching file t\nB\nn\no\np\nt\n"
    );
    let script = "printf -- '--- /dev/null\\n+++ b/d/new\\n@@ -0,0 +1,2 @@\\n+one\\n+two\\n' | patch -p1; cat d/new";
    assert_eq!(says(script), "creating d/new\none\ntwo\n");
}

#[test]
fn a_patch_that_does_not_fit_changes_nothing() {
    let (vfs, said) = run(&format!("{DIFF} echo z > t; patch t p"));
    assert_eq!(
        said,
        "patching file t\n! Hunk 1 FAILED 1/1.\n!  a\n! -b\n! +B\n!  c\nexit 1\n"
    );
    assert_eq!(read(&vfs, "/w/t"), "z\n");
}
