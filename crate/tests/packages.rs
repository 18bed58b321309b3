//! Package managers against measured installs.

mod common;

use common::{Container, log, near};

/// What `apt-get install` writes in a slim Debian, without the lists.
fn apt(packages: &str, bytes: u64) {
    let mut machine = Container::of("debian:bookworm-slim");
    machine.ok("apt-get update");
    let before = machine.layer().content_size;
    machine.ok(&format!(
        "apt-get install -y --no-install-recommends {packages}"
    ));
    near(packages, machine.layer().content_size - before, bytes);
}

#[test]
fn apt_installs_weigh_what_was_measured() {
    apt("python3", 44_265_023);
    apt("build-essential", 296_813_561);
    apt("curl git ca-certificates", 95_422_851);
    apt("openjdk-17-jre-headless", 225_268_662);
    apt("nginx", 15_338_237);
    apt("curl ca-certificates", 14_469_519);
    apt("git", 91_962_657);
    apt("python3 python3-pip", 69_909_951);
    apt("ca-certificates", 9_283_481);
}

#[test]
fn apt_lists_come_and_go() {
    let mut machine = Container::of("debian:bookworm-slim");
    let without = machine.run("apt-get install -y curl");
    assert_eq!(without.exit_code, 100);
    insta::assert_snapshot!(log(&without), @r"
    Reading package lists...
    Building dependency tree...
    Reading state information...
    E: Unable to locate package curl
    ");
    let update = machine.run("apt-get update");
    near("lists", machine.layer().content_size, 19_857_442);
    insta::assert_snapshot!(log(&update), @r"
    Get:1 http://deb.debian.tst/debian bookworm InRelease [151 kB]
    Get:2 http://deb.debian.tst/debian bookworm/main amd64 Packages [8855 kB]
    Get:3 http://deb.debian.tst/debian bookworm-updates InRelease [55.4 kB]
    Get:4 http://deb.debian.tst/debian bookworm-updates/main amd64 Packages [5474 B]
    Get:5 http://deb.debian.tst/debian-security bookworm-security InRelease [34.8 kB]
    Get:6 http://deb.debian.tst/debian-security bookworm-security/main amd64 Packages [359 kB]
    Fetched 9461 kB in 3s (3166 kB/s)
    Reading package lists...
    ");
    let again = machine.run("apt-get update");
    assert!(log(&again).starts_with("Hit:1 "));
    assert!(again.nanos < update.nanos);
}

#[test]
fn apt_installs_in_every_debian_and_ubuntu() {
    for image in [
        "debian:11-slim",
        "debian:13-slim",
        "ubuntu:20.04",
        "ubuntu:22.04",
        "ubuntu:24.04",
    ] {
        let mut machine = Container::of(image);
        machine.ok("apt-get update");
        let before = machine.layer().content_size;
        machine.ok("apt-get install -y --no-install-recommends curl ca-certificates");
        let installed = machine.layer().content_size - before;
        assert!(installed > 5_000_000, "{image}: {installed} bytes");
        machine.ok("curl --version");
    }
}

#[test]
fn ubuntu_lists_its_own_archives() {
    let update = Container::of("ubuntu:24.04").run("apt-get update");
    insta::assert_snapshot!(log(&update), @"
    Get:1 http://archive.ubuntu.tst/ubuntu noble InRelease [265 kB]
    Get:2 http://archive.ubuntu.tst/ubuntu noble/main amd64 Packages [1786 kB]
    Get:3 http://archive.ubuntu.tst/ubuntu noble/restricted amd64 Packages [212 kB]
    Get:4 http://archive.ubuntu.tst/ubuntu noble/universe amd64 Packages [17.5 MB]
    Get:5 http://archive.ubuntu.tst/ubuntu noble/multiverse amd64 Packages [212 kB]
    Get:6 http://archive.ubuntu.tst/ubuntu noble-updates InRelease [128 kB]
    Get:7 http://archive.ubuntu.tst/ubuntu noble-updates/main amd64 Packages [2820 kB]
    Get:8 http://archive.ubuntu.tst/ubuntu noble-updates/restricted amd64 Packages [2820 kB]
    Get:9 http://archive.ubuntu.tst/ubuntu noble-updates/universe amd64 Packages [1316 kB]
    Get:10 http://archive.ubuntu.tst/ubuntu noble-updates/multiverse amd64 Packages [47.0 kB]
    Get:11 http://archive.ubuntu.tst/ubuntu noble-backports InRelease [127 kB]
    Get:12 http://archive.ubuntu.tst/ubuntu noble-backports/main amd64 Packages [28.2 kB]
    Get:13 http://archive.ubuntu.tst/ubuntu noble-backports/restricted amd64 Packages [28.2 kB]
    Get:14 http://archive.ubuntu.tst/ubuntu noble-backports/universe amd64 Packages [28.2 kB]
    Get:15 http://archive.ubuntu.tst/ubuntu noble-backports/multiverse amd64 Packages [28.2 kB]
    Get:16 http://security.ubuntu.tst/ubuntu noble-security InRelease [128 kB]
    Get:17 http://security.ubuntu.tst/ubuntu noble-security/main amd64 Packages [2820 kB]
    Get:18 http://security.ubuntu.tst/ubuntu noble-security/restricted amd64 Packages [2820 kB]
    Get:19 http://security.ubuntu.tst/ubuntu noble-security/universe amd64 Packages [1316 kB]
    Get:20 http://security.ubuntu.tst/ubuntu noble-security/multiverse amd64 Packages [47.0 kB]
    Fetched 34.5 MB in 6s (6795 kB/s)
    Reading package lists...
    ");
    let older = Container::of("ubuntu:22.04").run("apt-get update");
    assert_eq!(log(&older).lines().count(), log(&update).lines().count());
}

#[test]
fn apt_asks_before_it_installs_more_than_was_asked_for() {
    let mut machine = Container::of("debian:bookworm-slim");
    machine.ok("apt-get update");
    let before = machine.layer().content_size;
    let asked = machine.run("apt-get install --no-install-recommends tini");
    assert_eq!(
        asked.exit_code,
        0,
        "nothing but tini comes: {}",
        log(&asked)
    );
    let asked = machine.run("apt-get install --no-install-recommends jq");
    assert_eq!(asked.exit_code, 1);
    insta::assert_snapshot!(log(&asked), @r"
    Reading package lists...
    Building dependency tree...
    Reading state information...
    The following additional packages will be installed:
      libjq1 libonig5
    The following NEW packages will be installed:
      jq libjq1 libonig5
    0 upgraded, 3 newly installed, 0 to remove and 0 not upgraded.
    Need to get 389 kB of archives.
    After this operation, 1170 kB of additional disk space will be used.
    Do you want to continue? [Y/n] Abort.
    ");
    assert!(!machine.has("/usr/bin/jq"));
    assert!(machine.has("/usr/bin/tini") && machine.layer().content_size > before);
}

#[test]
fn apt_says_what_there_is_not() {
    let mut machine = Container::of("debian:bookworm-slim");
    machine.ok("apt-get update");
    let outcome = machine.run("apt-get install -y -qq crul python mail-transport-agent curl=1.0");
    assert_eq!(outcome.exit_code, 100);
    insta::assert_snapshot!(log(&outcome), @r"
    Package mail-transport-agent is a virtual package provided by:
      courier-mta
      dma
      esmtp-run
      exim4-daemon-heavy
      exim4-daemon-light
      msmtp-mta
      nullmailer
      opensmtpd
    You should explicitly select one to install.

    E: Unable to locate package crul
    E: Unable to locate package python
    E: Package 'mail-transport-agent' has no installation candidate
    E: Version '1.0' for 'curl' was not found
    ");
    let estimated = machine.run("apt-get install -y -qq cowsay");
    assert_eq!(estimated.exit_code, 0);
    insta::assert_snapshot!(log(&estimated), @r"
    layerwise: the catalog has no package cowsay; its size is an estimate
    Selecting previously unselected package cowsay.
    Unpacking cowsay (1.0-1) ...
    Setting up cowsay (1.0-1) ...
    ");
    assert!(machine.has("/usr/bin/cowsay"));
}

#[test]
fn apt_needs_root() {
    let mut machine = Container::of("debian:bookworm-slim");
    machine.spec.cred.uid = 1000;
    machine.spec.cred.gid = 1000;
    for line in ["apt-get update", "apt-get install -y curl"] {
        let outcome = machine.run(line);
        assert_eq!(outcome.exit_code, 100);
        insta::allow_duplicates! {
            assert!(log(&outcome).contains("(13: Permission denied)"), "{}", log(&outcome));
        }
    }
}

#[test]
fn apt_takes_away_what_it_brought() {
    let mut machine = Container::of("debian:bookworm-slim");
    machine.ok("apt-get update");
    machine.ok("apt-get install -y --no-install-recommends make git");
    assert!(machine.has("/usr/bin/git") && machine.has("/usr/bin/perl"));
    let with = machine.layer().content_size;
    machine.ok("apt-get purge -y --auto-remove git");
    assert!(!machine.has("/usr/bin/git") && machine.has("/usr/bin/make"));
    assert!(!machine.has("/usr/lib/x86_64-linux-gnu/libperl.so.5.36.0"));
    assert!(machine.layer().content_size < with - 80_000_000);
    assert!(
        !machine
            .text("/var/lib/dpkg/status")
            .contains("Package: git\n")
    );
}

#[test]
fn apt_keeps_archives_without_docker_clean() {
    let mut machine = Container::of("debian:bookworm-slim");
    machine.ok("apt-get update");
    machine
        .vfs
        .unlink(
            &layerwise::fs::Process::root(),
            "/etc/apt/apt.conf.d/docker-clean",
        )
        .expect("it is there");
    let first = machine.ok("apt-get install -y --no-install-recommends git");
    machine.ok("apt-get purge -y --auto-remove git");
    let second = machine.ok("apt-get install -y --no-install-recommends git");
    assert!(second < first - 1.5, "{second} is not faster than {first}");
    machine.ok("apt-get clean");
    let third = machine.ok("apt-get purge -y --auto-remove git");
    assert!(third > 0.0);
    let again = machine.ok("apt-get install -y --no-install-recommends git");
    assert!((again - first).abs() < 0.1, "{again} is not {first}");
}

/// The lines that name no repository.
fn without_addresses(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| !line.contains("://")).collect();
    lines.join("\n")
}

#[test]
fn apk_needs_an_index_or_none() {
    let mut machine = Container::of("alpine");
    let without = machine.run("apk add curl");
    assert_eq!(without.exit_code, 1);
    insta::assert_snapshot!(without_addresses(&log(&without)), @r"
    ERROR: unable to select packages:
      curl (no such package):
        required by: world[curl]
    ");
    let outcome = machine.run("apk add --no-cache curl");
    insta::assert_snapshot!(without_addresses(&log(&outcome)), @r"
    (1/9) Installing brotli-libs (1.1.0-r2)
    (2/9) Installing c-ares (1.33.1-r0)
    (3/9) Installing curl (8.11.0-r2)
    (4/9) Installing libcurl (8.11.0-r2)
    (5/9) Installing libidn2 (2.3.7-r0)
    (6/9) Installing libpsl (0.21.5-r1)
    (7/9) Installing libunistring (1.2-r0)
    (8/9) Installing nghttp2-libs (1.62.1-r0)
    (9/9) Installing zstd-libs (1.5.6-r0)
    Executing busybox-1.36.1-r29.trigger
    OK: 12 MiB in 23 packages
    ");
    assert!(machine.has("/usr/bin/curl"));
    assert!(
        machine
            .vfs
            .root_fs()
            .find("/var/cache/apk")
            .is_some_and(|(_, dir)| { dir.dir().is_some_and(|dir| dir.is_empty()) })
    );
    machine.ok("apk update");
    machine.ok("apk add tini");
    assert!(machine.text("/etc/apk/world").contains("tini"));
}

#[test]
fn apk_takes_a_virtual_package_away_with_all_that_it_brought() {
    let mut machine = Container::of("alpine");
    machine.ok("apk add --no-cache curl");
    let before = machine.layer().content_size;
    machine.ok("apk add --no-cache --virtual .build-deps gcc musl-dev make");
    assert!(machine.has("/usr/bin/gcc"));
    assert!(machine.layer().content_size > before + 100_000_000);
    machine.ok("apk del .build-deps");
    assert!(!machine.has("/usr/bin/gcc") && machine.has("/usr/bin/curl"));
    assert!(machine.layer().content_size < before + 100_000);
}

#[test]
fn curl_and_wget_fetch() {
    let mut machine = Container::of("nginx:alpine");
    machine.world.serve("https://a.tst/hello", "hello\n".into());
    assert_eq!(log(&machine.run("curl -fsSL https://a.tst/hello")), "hello");
    machine.ok("curl -fsSLO https://a.tst/hello");
    machine.ok("wget -q -O copy https://a.tst/hello");
    assert_eq!(machine.text("/app/hello"), machine.text("/app/copy"));
    assert_eq!(log(&machine.run("wget -qO- https://a.tst/hello")), "hello");
    let outcome = machine.run("curl -sSf https://a.invalid/x");
    assert_eq!(outcome.exit_code, 6);
    insta::assert_snapshot!(log(&outcome), @"curl: (6) Could not resolve host: a.invalid");
}
