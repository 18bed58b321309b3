//! dpkg: the database of installed packages, which is kept in files, and unpacking into it.

use super::super::{Call, Exit};
use super::files::{Failed, Files, program, stand_in};
use super::table::{Row, Table, estimate};
use crate::fs::{Content, parent};

const STATUS: &str = "/var/lib/dpkg/status";
/// What one package adds to the status file, in bytes.
const STATUS_BYTES: u64 = 900;
/// Where its presence makes dpkg leave documentation out, as slim images have it.
const SLIM_RULES: &str = "/etc/dpkg/dpkg.cfg.d/docker";
/// Documentation, which slim images do without.
const DOCUMENTATION: [&str; 4] = [
    "/usr/share/doc/",
    "/usr/share/man/",
    "/usr/share/locale/",
    "/usr/share/info/",
];

/// An installed package, as the status file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Installed {
    pub name: String,
    pub version: String,
    pub depends: Vec<String>,
}

/// The installed packages, in the order of the status file; none where there is no dpkg.
pub(super) fn installed(files: &Files<'_>) -> Vec<Installed> {
    let text = files.text(STATUS).unwrap_or_default();
    let mut all = Vec::new();
    for paragraph in text.split("\n\n") {
        let field = |name: &str| {
            paragraph
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        if let Some(name) = field("Package") {
            all.push(Installed {
                name: name.to_owned(),
                version: field("Version").unwrap_or_default().to_owned(),
                depends: field("Depends")
                    .unwrap_or_default()
                    .split(", ")
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned)
                    .collect(),
            });
        }
    }
    all
}

/// Writes the status file, keeping the one before as `status-old`.
pub(super) fn write_status(files: &mut Files<'_>, all: &[Installed]) -> Result<(), Failed> {
    let before = installed(files).len() as u64;
    let old = files.size(STATUS);
    let text: String = all
        .iter()
        .map(|package| {
            let mut paragraph = format!(
                "Package: {}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}\n",
                package.name, package.version
            );
            if !package.depends.is_empty() {
                paragraph += &format!("Depends: {}\n", package.depends.join(", "));
            }
            paragraph + "\n"
        })
        .collect();
    let size = (old + STATUS_BYTES * all.len() as u64).saturating_sub(STATUS_BYTES * before);
    let old_text = files.text(STATUS).unwrap_or_default();
    files.put(
        &format!("{STATUS}-old"),
        Content::stand_in(old_text, old),
        0o644,
    )?;
    files.put(STATUS, Content::stand_in(text, size), 0o644)
}

/// A package that can be unpacked: from the catalog, or estimated where that lacks it.
#[derive(Clone, Copy)]
pub(super) struct Deb<'a> {
    pub name: &'a str,
    row: Option<Row<'a>>,
}

impl<'a> Deb<'a> {
    /// The package `name`.
    pub fn of(table: &Table<'a>, name: &'a str) -> Deb<'a> {
        Deb {
            name,
            row: table.get(name),
        }
    }

    /// Its version.
    pub fn version(&self) -> &'a str {
        self.row.map_or("1.0-1", |row| row.col(1))
    }

    /// Bytes to download.
    pub fn download(&self) -> u64 {
        self.row
            .map_or_else(|| self.estimate() / 4, |row| row.number(2))
    }

    /// Bytes that it takes up when installed, as dpkg declares them.
    pub fn declared(&self) -> u64 {
        self.row
            .map_or_else(|| self.estimate(), |row| row.number(3) << 10)
    }

    fn estimate(&self) -> u64 {
        estimate(self.name, 200_000, 20_000_000)
    }

    /// What it needs.
    pub fn depends(&self) -> impl Iterator<Item = &'a str> {
        self.row.into_iter().flat_map(|row| row.words(6))
    }

    /// What it recommends.
    pub fn recommends(&self) -> impl Iterator<Item = &'a str> {
        self.row.into_iter().flat_map(|row| row.words(7))
    }

    /// Unpacks it and writes down which files it has.
    ///
    /// The catalog has the size of the whole, the number of files and the largest of them. dpkg
    /// declares whole KiB a file, hence 700 bytes a file too much; what a slim image leaves out of
    /// a package is a quarter of its files and 7 % of its bytes, on the average of nine measured
    /// installs, and all of a package of documentation.
    pub fn unpack(&self, files: &mut Files<'_>) -> Result<(), Failed> {
        let slim = files.exists(SLIM_RULES);
        let documents = slim && ["-doc", "-man"].iter().any(|end| self.name.ends_with(end));
        let count = self.row.map_or(12, |row| row.number(4));
        let mut whole = self.declared().saturating_sub(700 * count);
        let mut left = count.saturating_sub(1);
        if documents {
            (whole, left) = (0, 0);
        } else if slim {
            (whole, left) = (whole * 93 / 100, left * 3 / 4);
        }
        let what = format!("{} {}", self.name, self.version());
        let before = files.bytes;
        let mut list = String::from("/.\n");
        let paths = self.row.map_or("", |row| row.col(8));
        for item in paths.split(';').filter(|item| !item.is_empty()) {
            let mut columns = item.split('|');
            let mut next = || columns.next().unwrap_or_default();
            let (path, size, mode, target) = (next(), next(), next(), next());
            if slim && DOCUMENTATION.iter().any(|dir| path.starts_with(dir)) {
                continue;
            }
            let (size, mode) = (
                size.parse().unwrap_or(0),
                u32::from_str_radix(mode, 8).unwrap_or(0o644),
            );
            files.dir(&parent(path))?;
            if !target.is_empty() {
                files.link(path, target)?;
            } else if mode & 0o111 != 0 {
                files.put(path, program(path, &what, size), mode)?;
            } else {
                files.put(path, stand_in(&what, size), mode)?;
            }
            list += &format!("{path}\n");
            left = left.saturating_sub(1);
        }
        if self.row.is_none() {
            let path = format!("/usr/bin/{}", self.name);
            files.put(&path, program(&path, &what, whole / 2), 0o755)?;
            list += &format!("{path}\n");
        }
        let copyright = format!("/usr/share/doc/{}/copyright", self.name);
        files.put(&copyright, stand_in(&what, whole.min(2500)), 0o644)?;
        list += &format!("{copyright}\n");
        let rest = whole.saturating_sub(files.bytes - before);
        let dir = format!("/usr/share/{}/unlisted", self.name);
        if rest > 0 {
            files.put_many((&format!("{dir}/"), ""), &what, left.max(1), rest)?;
            list += &format!("{dir}\n");
        }
        let info = format!("/var/lib/dpkg/info/{}", self.name);
        files.put(
            &format!("{info}.md5sums"),
            stand_in(&what, 70 * (left + 1)),
            0o644,
        )?;
        files.put(&format!("{info}.list"), Content::new(list), 0o644)
    }

    /// Its line of the status file.
    pub fn entry(&self) -> Installed {
        Installed {
            name: self.name.to_owned(),
            version: self.version().to_owned(),
            depends: self.depends().map(str::to_owned).collect(),
        }
    }
}

/// Removes the files of an installed package, and what dpkg holds about it.
pub(super) fn remove(files: &mut Files<'_>, name: &str) -> Result<(), Failed> {
    let info = format!("/var/lib/dpkg/info/{name}");
    let list = files.text(&format!("{info}.list")).unwrap_or_default();
    for path in list
        .lines()
        .filter(|path| path.starts_with('/') && *path != "/.")
    {
        files.remove(path)?;
        let mut dir = parent(path);
        // dpkg removes directories that become empty; those of the base have other owners.
        while dir.matches('/').count() > 2 {
            files.remove_empty(&dir);
            dir = parent(&dir);
        }
    }
    files.remove(&format!("{info}.list"))?;
    files.remove(&format!("{info}.md5sums"))
}

/// `dpkg`: lists, queries, and removes; it unpacks no archives.
pub(super) fn main(call: &mut Call<'_, '_>) -> Exit {
    let args = call.args.clone();
    let names: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let all = installed(&Files::of(call));
    let found = |name: &str| all.iter().find(|package| package.name == name);
    let flag = |flags: &[&str]| args.iter().any(|arg| flags.contains(&arg.as_str()));
    if flag(&["--print-architecture"]) {
        call.out("amd64\n")?;
    } else if flag(&["-l", "--list"]) {
        call.out(
            "Desired=Unknown/Install/Remove/Purge/Hold\n\
             | Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n\
             |/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n\
             ||/ Name Version Architecture Description\n",
        )?;
        for package in &all {
            if names.is_empty() || names.contains(&package.name.as_str()) {
                call.out(format!("ii  {} {} amd64\n", package.name, package.version))?;
            }
        }
        if let Some(name) = names.iter().find(|name| found(name).is_none()) {
            call.err(format!("dpkg-query: no packages found matching {name}\n"))?;
            return Ok(1);
        }
    } else if flag(&["-s", "--status", "-L", "--listfiles"]) {
        for name in &names {
            let Some(package) = found(name) else {
                call.err(format!(
                    "dpkg-query: package '{name}' is not installed and no information is available\n"
                ))?;
                return Ok(1);
            };
            if flag(&["-L", "--listfiles"]) {
                let list = Files::of(call).text(&format!("/var/lib/dpkg/info/{name}.list"));
                call.out(list.unwrap_or_default())?;
            } else {
                call.out(format!(
                    "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {}\n",
                    package.version
                ))?;
            }
        }
    } else {
        call.kernel.mark(super::super::Fidelity::NotSimulated);
    }
    Ok(0)
}
