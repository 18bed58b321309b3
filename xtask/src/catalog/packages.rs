//! The parts that package managers read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::programs;
use super::source::{Row, Source};
use crate::Failure;

/// What images mostly install. These and all that they pull in make up `apt/common.tsv`, so that
/// most builds need no other part.
const COMMON: &str = "apache2 apt-transport-https apt-utils autoconf automake bison bzip2 \
    build-essential ca-certificates cmake cron curl default-jre-headless \
    default-libmysqlclient-dev default-mysql-client dirmngr dnsutils dumb-init file flex g++ gcc \
    gettext git gnupg gosu htop iproute2 iputils-ping jq less libbz2-dev libc6-dev \
    libcurl4-openssl-dev libevent-dev libffi-dev libgl1 libglib2.0-0 libgomp1 libjpeg-dev \
    liblzma-dev libmagic1 libncurses5-dev libpng-dev libpq-dev libpq5 libreadline-dev \
    libsm6 libsqlite3-dev libssl-dev libtool libxext6 libxml2-dev libxrender1 libxslt1-dev \
    libyaml-dev libzip-dev locales lsb-release make nano net-tools netcat-openbsd netcat-traditional \
    nginx openjdk-17-jre-headless openssh-client openssl patch pkg-config postgresql-client procps \
    python3 python3-dev python3-pip python3-venv redis-tools rsync software-properties-common \
    sqlite3 sudo supervisor tini tree tzdata unzip vim wget xz-utils zip zlib1g-dev zstd";

/// Every package part by name.
pub fn parts(source: &Source) -> Result<BTreeMap<String, String>, Failure> {
    let rows = source.apt()?;
    let common = with_dependencies(&rows, COMMON.split_whitespace());
    let heading =
        "#name\tversion\tdownload_bytes\tinstalled_kib\tfiles\tbase\tdepends\trecommends\tpaths\n";
    let mut parts = BTreeMap::new();
    let (mut often, mut rest) = (heading.to_owned(), heading.to_owned());
    for row in &rows {
        let part = if common.contains(row.col(0)) {
            &mut often
        } else {
            &mut rest
        };
        let _ = writeln!(part, "{}", row.line());
    }
    parts.insert("apt/common.tsv".to_owned(), often);
    parts.insert("apt/rest.tsv".to_owned(), rest);
    let copied = [
        (
            "apt-virtual.tsv",
            "apt/virtual.tsv",
            "#virtual\tproviders\tinstall_outcome\n",
        ),
        (
            "npm.tsv",
            "npm.tsv",
            "#name\tversion\ttarball_bytes\tunpacked_bytes\tfiles\tdependencies\tbin\tflags\n",
        ),
        (
            "pip.tsv",
            "pip.tsv",
            "#name\tversion\twheel_bytes\tinstalled_bytes\tfiles\tpy_bytes\tdependencies\tscripts\ttop_level\tkind\tsource\n",
        ),
    ];
    for (from, to, heading) in copied {
        let mut text = heading.to_owned();
        for row in source.table(from)? {
            let _ = writeln!(text, "{}", row.line());
        }
        parts.insert(to.to_owned(), text);
    }
    let mut apk =
        "#name\tversion\tdownload_bytes\tinstalled_kib\tdepends\tsource\tbase\tprograms\n"
            .to_owned();
    for row in source.table("apk.tsv")? {
        let mut columns: Vec<&str> = (0..7).map(|at| row.col(at)).collect();
        let found = programs::of_apk(row.col(0)).join(" ");
        // The base's programs are in its tree.
        columns.push(if row.col(6) == "1" { "" } else { &found });
        let _ = writeln!(apk, "{}", columns.join("\t").trim_end_matches('\t'));
    }
    parts.insert("apk.tsv".to_owned(), apk);
    Ok(parts)
}

fn with_dependencies<'a>(
    rows: &'a [Row],
    names: impl Iterator<Item = &'a str>,
) -> BTreeSet<&'a str> {
    let by_name: BTreeMap<&str, &Row> = rows.iter().map(|row| (row.col(0), row)).collect();
    let mut todo: Vec<&str> = names.collect();
    let mut done = BTreeSet::new();
    while let Some(name) = todo.pop() {
        if let Some(row) = by_name.get(name)
            && done.insert(name)
        {
            todo.extend(row.words(6).chain(row.words(7)));
        }
    }
    // The base's packages are asked about all the time.
    done.extend(
        rows.iter()
            .filter(|row| row.col(5) == "1")
            .map(|row| row.col(0)),
    );
    done
}
