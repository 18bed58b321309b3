use crate::dockerfile::chmod::Chmod;
use crate::dockerfile::golang::{clean_path, parse_duration, quote, ram_in_bytes};
use crate::dockerfile::platform::Platform;
use crate::dockerfile::port::parse_port;
use crate::dockerfile::reference::Reference;
use crate::dockerfile::signal::check_signal;
use crate::dockerfile::source::Source;
use crate::dockerfile::suggest::nearest;

fn outcome<T: std::fmt::Display>(result: Result<T, String>) -> String {
    result.map_or_else(|error| format!("! {error}"), |value| value.to_string())
}

#[test]
fn image_names() {
    let digest = format!("a@sha256:{}", "0".repeat(64));
    let all: Vec<String> = [
        "alpine",
        "docker.io/a",
        "index.docker.io/a/b",
        "localhost/a",
        "h:5000/a:t",
        "[::1]:5/a",
        "UPPER/a",
        "a/UPPER",
        "a:",
        "a:-x",
        "a^b",
        "a..b",
        "a__b",
        "a___b",
        "a--b",
        "a/",
        "",
        "a@sha256:00",
        "HOST.com/a:T",
        &digest,
        &digest[9..],
    ]
    .into_iter()
    .map(|text| {
        format!(
            "{text} -> {}",
            outcome(Reference::parse(text).map(Reference::tagged))
        )
    })
    .collect();
    insta::assert_snapshot!(all.join("\n"), @"
    alpine -> docker.io/library/alpine:latest
    docker.io/a -> docker.io/library/a:latest
    index.docker.io/a/b -> docker.io/a/b:latest
    localhost/a -> localhost/a:latest
    h:5000/a:t -> h:5000/a:t
    [::1]:5/a -> [::1]:5/a:latest
    UPPER/a -> UPPER/a:latest
    a/UPPER -> ! invalid reference format: repository name (a/UPPER) must be lowercase
    a: -> ! invalid reference format
    a:-x -> ! invalid reference format
    a^b -> ! invalid reference format
    a..b -> ! invalid reference format
    a__b -> docker.io/library/a__b:latest
    a___b -> ! invalid reference format
    a--b -> docker.io/library/a--b:latest
    a/ -> ! invalid reference format
     -> ! invalid reference format
    a@sha256:00 -> ! invalid reference format
    HOST.com/a:T -> HOST.com/a:T
    a@sha256:0000000000000000000000000000000000000000000000000000000000000000 -> docker.io/library/a@sha256:0000000000000000000000000000000000000000000000000000000000000000
    0000000000000000000000000000000000000000000000000000000000000000 -> ! invalid repository name (0000000000000000000000000000000000000000000000000000000000000000), cannot specify 64-byte hexadecimal strings
    ");
    let familiar = |text| Reference::parse(text).map(|r| r.familiar());
    assert_eq!(familiar("docker.io/library/a:1").as_deref(), Ok("a:1"));
    assert_eq!(familiar("docker.io/o/a").as_deref(), Ok("o/a"));
}

#[test]
fn platforms() {
    let all: Vec<String> = [
        "linux",
        "arm64",
        "linux/amd64",
        "linux/arm",
        "linux/arm/v7",
        "linux/arm/8",
        "Linux/X86_64",
        "linux/aarch64",
        "linux/arm64/v8",
        "macos/arm64",
        "windows(10.0.1+win32k)/amd64",
        "what",
        "linux/a/b/c",
        "*",
        "lin^ux/amd64",
        "linux/a^",
        "",
    ]
    .into_iter()
    .map(|text| format!("{text} -> {}", outcome(Platform::parse(text))))
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    linux -> linux/amd64
    arm64 -> linux/arm64
    linux/amd64 -> linux/amd64
    linux/arm -> linux/arm
    linux/arm/v7 -> linux/arm/v7
    linux/arm/8 -> linux/arm/v8
    Linux/X86_64 -> linux/amd64
    linux/aarch64 -> linux/arm64
    linux/arm64/v8 -> linux/arm64/v8
    macos/arm64 -> darwin/arm64
    windows(10.0.1+win32k)/amd64 -> windows(10.0.1+win32k)/amd64
    what -> ! "what": unknown operating system or architecture: invalid argument
    linux/a/b/c -> ! "linux/a/b/c": cannot parse platform specifier: invalid argument
    * -> ! "*": wildcards not yet supported: invalid argument
    lin^ux/amd64 -> ! "lin^ux" is an invalid OS component of "lin^ux/amd64": OSAndVersion specifier component must match "^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.%-]*)((?:\\+[A-Za-z0-9_.%-]+)*)\\))?$": invalid argument
    linux/a^ -> ! "a^" is an invalid component of "linux/a^": platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument
     -> ! "" is an invalid OS component of "": OSAndVersion specifier component must match "^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.%-]*)((?:\\+[A-Za-z0-9_.%-]+)*)\\))?$": invalid argument
    "#);
}

#[test]
fn ports() {
    let all: Vec<String> = [
        "80",
        "80/UDP",
        "8000-8002/tcp",
        "5000:80",
        "127.0.0.1:1:2",
        "[::1]:1:2",
        "[::1:2",
        "12-10",
        "abc",
        "70000",
        "80/foo",
        "",
        "1-2:3-5",
        "x:80",
        "+80",
    ]
    .into_iter()
    .map(|text| {
        let port = parse_port(text).map_err(|e| e.message);
        let ports = port.map(|p| p.ports().collect::<Vec<_>>().join(" "));
        format!("{text} -> {}", outcome(ports))
    })
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    80 -> 80/tcp
    80/UDP -> 80/udp
    8000-8002/tcp -> 8000/tcp 8001/tcp 8002/tcp
    5000:80 -> 80/tcp
    127.0.0.1:1:2 -> 2/tcp
    [::1]:1:2 -> 2/tcp
    [::1:2 -> ! invalid IP address [:: address [::: missing ']' in address
    12-10 -> ! invalid containerPort: 12-10
    abc -> ! invalid containerPort: abc
    70000 -> ! invalid containerPort: 70000
    80/foo -> ! invalid port: "80/foo": invalid proto: foo
     -> ! invalid port: "": no port specified
    1-2:3-5 -> ! invalid ranges specified for container and host Ports: 3-5 and 1-2
    x:80 -> ! invalid hostPort: x
    +80 -> 80/tcp
    "#);
}

#[test]
fn sources() {
    let kind = |text: &str| match Source::of(text) {
        Ok(Source::Path) => "path".to_owned(),
        Ok(Source::Url) => "url".to_owned(),
        Ok(Source::Git(git)) => {
            format!(
                "git {} {} {} {:?}",
                git.remote, git.reference, git.subdir, git.keep_git_dir
            )
        }
        Err(error) => format!("! {error}"),
    };
    let all: Vec<String> = [
        "a/b",
        "./https://h/a.git",
        "https://h/a.tar",
        "https://h/a.git#v1:sub",
        "git@h:o/r.git#b",
        "ssh://git@h/r",
        "github.com/o/r",
        "https://h/a.git?tag=v1&keep-git-dir",
        "https://h/a.git?x=1",
        "https://h/a.git?branch=m&tag=n",
        "HTTP://h/a",
    ]
    .into_iter()
    .map(|text| format!("{text} -> {}", kind(text)))
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    a/b -> path
    ./https://h/a.git -> path
    https://h/a.tar -> url
    https://h/a.git#v1:sub -> git https://h/a.git v1 sub None
    git@h:o/r.git#b -> git git@h:o/r.git b  None
    ssh://git@h/r -> git ssh://git@h/r   None
    github.com/o/r -> path
    https://h/a.git?tag=v1&keep-git-dir -> git https://h/a.git refs/tags/v1  Some(true)
    https://h/a.git?x=1 -> ! unexpected query "x"
    https://h/a.git?branch=m&tag=n -> ! branch conflicts with tag
    HTTP://h/a -> path
    "#);
}

#[test]
fn modes_and_signals() {
    for good in ["755", "07777", "u+x", "u=rwX,go-w", "+t", "g=u"] {
        assert!(Chmod::parse(good).is_ok(), "{good}");
    }
    let octal = "invalid chmod parameter: '999'. it should be octal string and between 0 and 07777";
    assert_eq!(Chmod::parse("999"), Err(octal.to_owned()));
    for bad in ["rwx", "u+q", "u+x,", "u"] {
        assert_eq!(Chmod::parse(bad), Err("invalid syntax".to_owned()), "{bad}");
    }
    for good in ["9", "SIGTERM", "kill", "sigrtmin+15", "RTMAX-1"] {
        assert_eq!(check_signal(good), Ok(()), "{good}");
    }
    for bad in ["0", "NOPE", "RTMIN+16", "RTMAX-15", ""] {
        assert_eq!(check_signal(bad), Err(format!("invalid signal: {bad}")));
    }
}

#[test]
fn the_text_conventions_of_go() {
    assert_eq!(
        quote("a\"\\\t\n\u{1}\u{7f}é\u{a0}\u{1F600}"),
        r#""a\"\\\t\n\x01\x7fé\u00a0😀""#
    );
    assert_eq!(parse_duration("1h2m3.5s"), Ok(3_723_500_000_000));
    assert_eq!(parse_duration("-1.5ms"), Ok(-1_500_000));
    assert_eq!(
        parse_duration("9223372037s"),
        Err("time: invalid duration \"9223372037s\"".into())
    );
    assert_eq!(ram_in_bytes("1.5 GiB"), Some(1_610_612_736));
    assert_eq!(ram_in_bytes("64m"), Some(67_108_864));
    assert_eq!(ram_in_bytes("1x"), None);
    assert_eq!(clean_path("/../a//b/./c/.."), "/a/b");
    assert_eq!(clean_path("../../a/.."), "../..");
    assert_eq!(clean_path(""), ".");
}

#[test]
fn suggestions() {
    assert_eq!(
        nearest("CPOY", ["ADD", "COPY"], false).as_deref(),
        Some("COPY")
    );
    assert_eq!(
        nearest("cpoy", ["ADD", "COPY"], false).as_deref(),
        Some("copy")
    );
    assert_eq!(
        nearest("form", ["from", "chown"], true).as_deref(),
        Some("from")
    );
    assert_eq!(nearest("far off", ["from"], true), None);
    assert_eq!(nearest("from", ["form", "from"], true), None);
}
