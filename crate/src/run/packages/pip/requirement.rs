//! Requirements: what a line of `requirements.txt` or of the command line asks for.

/// A requirement: `name[extra]==version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Requirement {
    /// The normalised name.
    pub name: String,
    /// Its extras.
    pub extras: Vec<String>,
    /// The versions asked for, as written.
    pub spec: String,
}

/// Lower-case, with runs of `-`, `_` and `.` as one hyphen (PEP 503).
pub(super) fn normal(name: &str) -> String {
    let mut out = String::new();
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if out.ends_with('-') => {}
            '-' | '_' | '.' => out.push('-'),
            c => out.push(c.to_ascii_lowercase()),
        }
    }
    out
}

impl Requirement {
    /// Reads one; what a comment or a marker says is left out, a marker for another system or an
    /// old Python makes it nothing.
    pub fn parse(line: &str) -> Option<Requirement> {
        let line = line.split(" #").next()?.trim();
        let (line, marker) = line.split_once(';').unwrap_or((line, ""));
        if marker.contains("win32") && !marker.contains('!')
            || marker.contains("Windows") && !marker.contains('!')
            || marker.contains("python_version") && marker.contains("< \"3")
            || marker.contains("python_version") && marker.contains("< '3")
            || marker.contains("darwin") && !marker.contains('!')
        {
            return None;
        }
        // `name @ URL`
        let (line, _) = line.split_once('@').unwrap_or((line, ""));
        // Options of a line, such as hashes.
        let line = line.split(" --").next()?.trim();
        let end = line
            .find(|c: char| "[=<>!~ (".contains(c))
            .unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        if name.is_empty() {
            return None;
        }
        let (extras, spec) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((extras, spec)) => (extras, spec),
            None => ("", rest),
        };
        Some(Requirement {
            name: normal(name),
            extras: extras
                .split(',')
                .map(normal)
                .filter(|e| !e.is_empty())
                .collect(),
            spec: spec.trim_matches([' ', '(', ')']).to_owned(),
        })
    }

    /// The version that it pins.
    pub fn pinned(&self) -> Option<&str> {
        let version = self.spec.strip_prefix("==")?.trim_start_matches('=').trim();
        (!version.contains(['*', ','])).then_some(version)
    }

    /// Whether `version` will do.
    pub fn allows(&self, version: &str) -> bool {
        self.spec.split(',').map(str::trim).all(|clause| {
            let at = clause
                .find(|c: char| !"=<>!~".contains(c))
                .unwrap_or(clause.len());
            let (op, wanted) = clause.split_at(at);
            let wanted = wanted.trim();
            let (ours, theirs) = (numbers(version), numbers(wanted.trim_end_matches(".*")));
            let under = ours.starts_with(&theirs);
            match op {
                "==" | "===" if wanted.ends_with(".*") => under,
                "==" | "===" => version == wanted || trimmed(&ours) == trimmed(&theirs),
                "!=" => version != wanted,
                ">=" => trimmed(&ours) >= trimmed(&theirs),
                ">" => trimmed(&ours) > trimmed(&theirs),
                "<=" => trimmed(&ours) <= trimmed(&theirs),
                "<" => trimmed(&ours) < trimmed(&theirs),
                "~=" => {
                    let keep = theirs.len().saturating_sub(1);
                    trimmed(&ours) >= trimmed(&theirs) && ours.starts_with(&theirs[..keep])
                }
                _ => true,
            }
        })
    }

    /// The lowest version that the clauses name.
    pub fn floor(&self) -> Option<String> {
        let at = self.spec.find(|c: char| c.is_ascii_digit())?;
        let version = self.spec[at..].split([',', ' ']).next()?;
        Some(version.trim_end_matches(".*").to_owned())
    }
}

fn numbers(version: &str) -> Vec<u64> {
    let digits = |part: &str| {
        let end = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        part[..end].parse().unwrap_or(0)
    };
    version.split('.').map(digits).collect()
}

fn trimmed(numbers: &[u64]) -> &[u64] {
    let end = numbers.iter().rposition(|n| *n != 0).map_or(0, |at| at + 1);
    &numbers[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let read = |line| Requirement::parse(line).map(|r| (r.name, r.extras.join("+"), r.spec));
        let some = |name: &str, extras: &str, spec: &str| {
            Some((name.to_owned(), extras.to_owned(), spec.to_owned()))
        };
        assert_eq!(read("Flask==3.0.0  # web"), some("flask", "", "==3.0.0"));
        assert_eq!(
            read("uvicorn[standard]>=0.2"),
            some("uvicorn", "standard", ">=0.2")
        );
        assert_eq!(
            read("ruamel.yaml_x ~= 1.2"),
            some("ruamel-yaml-x", "", "~= 1.2")
        );
        assert_eq!(read("a==1 --hash=sha256:0"), some("a", "", "==1"));
        assert_eq!(read("pywin32; sys_platform == 'win32'"), None);
        assert_eq!(read("a; python_version < '3.8'"), None);
        assert_eq!(read("   # nothing"), None);
    }

    #[test]
    fn versions() {
        let allows = |spec: &str, version: &str| {
            Requirement::parse(&format!("a{spec}")).is_some_and(|r| r.allows(version))
        };
        assert!(allows("", "1.0") && allows("==1.0", "1.0.0") && allows(">=1,<3", "2.9"));
        assert!(allows("~=1.4", "1.9") && allows("==2.*", "2.4.1") && allows("!=1.0", "1.1"));
        assert!(!allows("<3", "3.0") && !allows("~=1.4", "2.0") && !allows("==2.*", "3.0"));
    }
}
