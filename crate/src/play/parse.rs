//! Markdown to a play.

use std::fmt;

use crate::engine::{DOCKERFILE, limits};
use crate::view::{Edit, TryFirst};

use super::act::{Act, Doing};
use super::fences::{Fence, Part, parts};
use super::words::{bytes, mode, words};
use super::{Expect, act, expect};

/// A play that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Play {
    /// What it is called.
    pub title: String,
    /// One or two sentences on what can be seen in it.
    pub about: String,
    /// What makes the workspace as it is at the start.
    pub setup: Vec<Edit>,
    /// What is done then.
    pub acts: Vec<Act>,
    /// The edit that the page offers first.
    pub try_first: Option<TryFirst>,
}

impl Play {
    /// The acts up to the first pause; all of them if there is none.
    pub fn opening(&self) -> &[Act] {
        let pause = self.acts.iter().position(|act| act.doing == Doing::Pause);
        &self.acts[..pause.unwrap_or(self.acts.len())]
    }
}

/// Something wrong in a play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong, and what is right.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Reads a play.
///
/// # Errors
/// Everything that is wrong with it, in order of place.
pub fn parse(source: &str) -> Result<Play, Vec<Problem>> {
    let mut reader = Reader::default();
    let mut parts = parts(source);
    reader.front_matter(&mut parts);
    reader.head(&parts);
    for part in &parts {
        if let Part::Fence(fence) = part {
            reader.fence(fence);
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    play: Play,
    problems: Vec<Problem>,
    /// Whether an act was seen: files that follow are written then.
    acting: bool,
}

impl Reader {
    fn problem(&mut self, line: u32, message: impl Into<String>) {
        self.problems.push(Problem {
            line,
            message: message.into(),
        });
    }

    /// `title:` and `about:` between two lines of `---` at the very top.
    fn front_matter(&mut self, parts: &mut Vec<Part<'_>>) {
        let line = |part: &Part<'_>| match part {
            Part::Prose { text, .. } => Some(text.trim_end().to_string()),
            Part::Fence(_) => None,
        };
        if parts.first().and_then(line).as_deref() != Some("---") {
            return;
        }
        let end = parts
            .iter()
            .skip(1)
            .position(|part| line(part).as_deref() == Some("---"));
        let Some(end) = end.map(|end| end + 1) else {
            self.problem(1, "the front matter has no second line of ---");
            return;
        };
        for part in parts.drain(..=end) {
            let Part::Prose { line, text } = part else {
                continue;
            };
            match text.split_once(':') {
                Some(("title", value)) => self.play.title = value.trim().to_string(),
                Some(("about", value)) => self.play.about = value.trim().to_string(),
                Some((name, _)) => {
                    self.problem(
                        line,
                        format!("there is no `{name}`; known are title and about"),
                    );
                }
                None => {}
            }
        }
    }

    /// The first heading and the first paragraph, where the front matter says nothing.
    fn head(&mut self, parts: &[Part<'_>]) {
        let mut paragraph = Vec::new();
        for part in parts {
            let text = match part {
                Part::Prose { text, .. } => text.trim(),
                Part::Fence(_) => "",
            };
            if let Some(title) = text.strip_prefix("# ") {
                if self.play.title.is_empty() {
                    self.play.title = title.trim().to_string();
                }
            } else if !text.is_empty() && !text.starts_with('#') {
                paragraph.push(text);
            } else if !paragraph.is_empty() {
                break;
            }
        }
        if self.play.about.is_empty() {
            self.play.about = paragraph.join(" ");
        }
    }

    fn fence(&mut self, fence: &Fence<'_>) {
        let mut attributes = match words(fence.info) {
            Ok(words) => words.into_iter(),
            Err(message) => return self.problem(fence.line, message),
        };
        let kind = attributes.next().unwrap_or_default();
        if !matches!(
            kind.as_str(),
            "dockerfile" | "file" | "files" | "play" | "try"
        ) {
            return;
        }
        if !fence.closed {
            return self.problem(fence.line, "the block is not closed");
        }
        let attributes: Vec<String> = attributes.collect();
        match kind.as_str() {
            "dockerfile" if attributes.is_empty() => {
                let text = fence.text.clone();
                self.edit(fence, DOCKERFILE, Edit::Dockerfile { text }, self.acting);
            }
            // Some other Dockerfile, shown in the prose.
            "dockerfile" => {}
            "file" => self.file(fence, &attributes, false),
            "files" => self.file(fence, &attributes, true),
            "try" => self.try_first(fence, &attributes),
            _ => self.acts(fence),
        }
    }

    fn edit(&mut self, fence: &Fence<'_>, path: &str, edit: Edit, acting: bool) {
        if acting {
            self.play.acts.push(Act {
                line: fence.line,
                text: format!("write {path}"),
                doing: Doing::Edit(edit),
                expects: Vec::new(),
            });
        } else {
            self.play.setup.push(edit);
        }
    }

    fn file(&mut self, fence: &Fence<'_>, attributes: &[String], many: bool) {
        let (mut path, mut bits, mut size, mut link, mut count) = (None, None, None, None, None);
        for attribute in attributes {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let ok = match name {
                "start" => value.is_empty(),
                "path" => {
                    path = Some(value);
                    !value.is_empty()
                }
                "mode" => {
                    bits = mode(value);
                    bits.is_some()
                }
                "size" => {
                    size = bytes(value).map(|size| size as usize);
                    size.is_some_and(|size| size <= limits::MAX_FILE_BYTES)
                }
                "link" => {
                    link = Some(value);
                    !value.is_empty()
                }
                "count" if many => {
                    count = value.parse().ok();
                    count.is_some_and(|count| (1..=limits::MAX_CONTEXT_ENTRIES).contains(&count))
                }
                _ => {
                    let message = format!(
                        "there is no attribute `{name}`; known are path, mode, size, link, start, \
                         and for files count"
                    );
                    return self.problem(fence.line, message);
                }
            };
            if !ok {
                let message = format!(
                    "`{attribute}` cannot be used: the value is missing, malformed or too large"
                );
                return self.problem(fence.line, message);
            }
        }
        // A long file may stand at the end of the play and yet belong to its start.
        let acting = self.acting && !attributes.iter().any(|attribute| attribute == "start");
        let Some(path) = path else {
            return self.problem(fence.line, "a file needs path=…");
        };
        if let Some(target) = link {
            let edit = Edit::Symlink {
                path: path.to_string(),
                target: target.to_string(),
            };
            return self.edit(fence, path, edit, acting);
        }
        if many && (count.is_none() || !path.contains('%')) {
            let message = "files need count=… and a path with % where the number goes";
            return self.problem(fence.line, message);
        }
        for number in 1..=count.unwrap_or(1) {
            let path = if many {
                path.replace('%', &number.to_string())
            } else {
                path.to_string()
            };
            let edit = Edit::Write {
                bytes: filled(&fence.text, &path, size),
                path: path.clone(),
                mode: bits,
            };
            self.edit(fence, &path, edit, acting);
        }
    }

    fn try_first(&mut self, fence: &Fence<'_>, attributes: &[String]) {
        let text = fence.text.trim();
        match act::parse(text) {
            Ok(Doing::Edit(edit)) => {
                let label = match attributes.join(" ") {
                    label if label.is_empty() => {
                        text[..1].to_uppercase() + text.get(1..).unwrap_or_default()
                    }
                    label => label,
                };
                self.play.try_first = Some(TryFirst { label, edit });
            }
            Ok(_) => self.problem(fence.line + 1, "what is tried is one edit of a file"),
            Err(message) => self.problem(fence.line + 1, message),
        }
    }

    fn acts(&mut self, fence: &Fence<'_>) {
        self.acting = true;
        for (at, line) in fence.text.lines().enumerate() {
            let number = fence.line + 1 + at as u32;
            let text = line.trim();
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            if !line.starts_with(char::is_whitespace) {
                match act::parse(text) {
                    Ok(doing) => self.play.acts.push(Act {
                        line: number,
                        text: text.to_string(),
                        doing,
                        expects: Vec::new(),
                    }),
                    Err(message) => self.problem(number, message),
                }
                continue;
            }
            match (expect::parse(text), self.play.acts.last_mut()) {
                (Ok(what), Some(act)) => act.expects.push(Expect {
                    line: number,
                    text: text.to_string(),
                    what,
                }),
                (Err(message), _) => self.problem(number, message),
                (Ok(_), None) => self.problem(number, "there is no act that this could follow"),
            }
        }
    }

    fn finish(mut self) -> Result<Play, Vec<Problem>> {
        let dockerfile = |edit: &Edit| match edit {
            Edit::Dockerfile { .. } => true,
            Edit::Write { path, .. } => path == DOCKERFILE,
            _ => false,
        };
        if !self.play.setup.iter().any(dockerfile) {
            self.problem(1, "there is no ```dockerfile block before the first act");
        }
        if self.play.title.is_empty() {
            self.problem(
                1,
                "there is no title: a heading of level 1, or title: in the front matter",
            );
        }
        if self.problems.is_empty() {
            Ok(self.play)
        } else {
            crate::order::sort_by_key(&mut self.problems, |problem| problem.line);
            Err(self.problems)
        }
    }
}

/// The text, filled up with numbered lines to the size if one is asked for.
fn filled(text: &str, path: &str, size: Option<usize>) -> Vec<u8> {
    let mut out = text.as_bytes().to_vec();
    if let Some(size) = size {
        let mut line = 0;
        while out.len() < size {
            line += 1;
            out.extend_from_slice(format!("{path} {line}\n").as_bytes());
        }
        out.truncate(size.max(text.len()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::play::{StepRef, What};

    fn problems(source: &str) -> Vec<String> {
        match parse(source) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_with_its_line() {
        let source = "\
# Title

```dockerfile
FROM scratch
```

```file path=a size=much
```

```file mode=0755
```

```play
  done
biuld
build --traget x
  hit
  msis 3
  takes fast
move A beside B
```

```file path=b
open to the end
";
        insta::assert_snapshot!(problems(source).join("\n"), @r"
        line 7: `size=much` cannot be used: the value is missing, malformed or too large
        line 10: a file needs path=…
        line 14: there is no act that this could follow
        line 15: there is no act `biuld`; did you mean `build`?
        line 16: there is no flag `--traget`; did you mean `--target`?
        line 17: something must stand behind `hit`
        line 18: there is no expectation `msis`; did you mean `miss`?
        line 19: `fast` are no seconds, such as 30..50
        line 20: write move INSTRUCTION below INSTRUCTION, or above
        line 23: the block is not closed
        ");
    }

    #[test]
    fn a_play_without_a_dockerfile_or_a_title_is_none() {
        assert_eq!(problems("prose").len(), 2);
        assert_eq!(problems("").len(), 2);
        assert_eq!(problems("---\ntitle: x").len(), 3);
    }

    #[test]
    fn blocks_before_the_first_act_make_the_workspace() {
        let source = "\
---
title: T
about: A
---

# Heading

~~~dockerfile
FROM scratch
~~~

````file path=doc.md
```play
not an act
```
````

```files path=m%.js count=2 size=10
```

```try
edit doc.md
```

```play
# A comment.
build --no-cache
  miss 1, COPY a, b because x
pause
```

```file path=late
```

```file path=early start
```
";
        let play = parse(source).expect("a sound play");
        assert_eq!((play.title.as_str(), play.about.as_str()), ("T", "A"));
        assert_eq!(play.setup.len(), 5);
        let Edit::Write { path, bytes, .. } = &play.setup[1] else {
            panic!("a file was expected");
        };
        assert_eq!(
            (path.as_str(), bytes.as_slice()),
            ("doc.md", &b"```play\nnot an act\n```\n"[..])
        );
        assert!(matches!(&play.setup[2], Edit::Write { bytes, .. } if bytes.len() == 10));
        assert_eq!(play.opening().len(), 1);
        assert_eq!(play.acts.len(), 3);
        assert_eq!(
            play.try_first.map(|first| first.label).as_deref(),
            Some("Edit doc.md")
        );
        assert_eq!(
            play.acts[0].expects[0].what,
            What::Miss(
                vec![StepRef::Number(1), StepRef::Text("COPY a, b".into())],
                Some("x".into())
            )
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[a-z`~# =\n\"-]{0,200}") {
            let _ = parse(&text);
            let _ = parse(&format!("```play\n{text}\n```\n```file {text}"));
        }
    }
}
