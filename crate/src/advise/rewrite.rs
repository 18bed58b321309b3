//! Other Dockerfiles that may give the same image: candidates, nothing more.

use crate::context::glob;
use crate::dockerfile::edit::{Block, blocks, move_instruction};
use crate::dockerfile::instruction::{Command, Instruction, Transfer, parse_stages};
use crate::dockerfile::node::Ast;
use crate::dockerfile::parse;
use crate::engine::changes::one_line;
use crate::fs::Fs;

/// A Dockerfile that may be better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What it does: `Copy package.json before RUN npm ci`.
    pub title: String,
    /// Why it may help.
    pub reason: String,
    /// The whole text.
    pub text: String,
}

/// Which files a command needs to know what to install, by a word in it.
const INSTALLS: &[(&str, &[&str])] = &[
    (
        "npm ",
        &[
            "package.json",
            "package-lock.json",
            "npm-shrinkwrap.json",
            ".npmrc",
        ],
    ),
    (
        "yarn",
        &["package.json", "yarn.lock", ".yarnrc", ".yarnrc.yml"],
    ),
    (
        "pnpm ",
        &["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml"],
    ),
    (
        "pip",
        &[
            "requirements.txt",
            "requirements-dev.txt",
            "constraints.txt",
            "pyproject.toml",
            "setup.py",
            "setup.cfg",
        ],
    ),
    ("go mod download", &["go.mod", "go.sum"]),
    ("composer ", &["composer.json", "composer.lock"]),
    ("bundle ", &["Gemfile", "Gemfile.lock"]),
];

/// So many candidates are looked at for one Dockerfile.
const MAX_CANDIDATES: usize = 24;

/// The candidates for a text, the simplest first.
pub fn candidates(text: &str, files: &Fs) -> Vec<Candidate> {
    let parsed = parse(text);
    let file = parse_stages(&parsed.ast);
    if parsed.error().is_some() || file.error().is_some() {
        return Vec::new();
    }
    let nodes = Nodes {
        text,
        ast: &parsed.ast,
        blocks: blocks(text),
    };
    let mut out = Vec::new();
    for stage in &file.stages {
        let instructions: Vec<(usize, &Instruction)> = stage
            .instructions
            .iter()
            .filter_map(|instruction| Some((nodes.index_of(instruction)?, instruction)))
            .collect();
        for (place, (copy_at, copy)) in instructions.iter().enumerate() {
            let runs: Vec<(usize, &Instruction)> = instructions[place + 1..]
                .iter()
                .filter(|(_, later)| matches!(later.command, Command::Run(_)))
                .copied()
                .collect();
            if is_context_copy(copy) {
                for (run_at, run) in &runs {
                    let above = &instructions[..place];
                    out.extend(nodes.split((*copy_at, copy), above, (*run_at, run), files));
                }
                for (run_at, _) in runs.iter().rev() {
                    out.extend(nodes.moved_below(*copy_at, *run_at));
                }
            }
            if let (Command::Run(_), Some((next_at, next))) =
                (&copy.command, instructions.get(place + 1))
            {
                out.extend(nodes.joined(*copy_at, copy, *next_at, next));
            }
        }
    }
    let mut seen = crate::order::set([text.to_string()]);
    out.retain(|candidate| seen.insert(candidate.text.clone()));
    out.truncate(MAX_CANDIDATES);
    out
}

fn is_context_copy(instruction: &Instruction) -> bool {
    match &instruction.command {
        Command::Copy(copy) => copy.from.is_empty() && copy.transfer.contents.is_empty(),
        Command::Add(add) => add.transfer.contents.is_empty(),
        _ => false,
    }
}

/// The nearest COPY above that copies one of the files to where `copy` does.
fn copied_above<'a>(
    above: &[(usize, &'a Instruction)],
    copy: &Instruction,
    paths: &[String],
) -> Option<(&'a Instruction, &'a Transfer)> {
    let Command::Copy(whole) = &copy.command else {
        return None;
    };
    let flags = |instruction: &Instruction| -> Vec<String> {
        let texts = instruction.flags.iter().map(|flag| flag.text.clone());
        texts.collect()
    };
    above
        .iter()
        .rev()
        // A relative destination means another place above a WORKDIR.
        .take_while(|(_, instruction)| !matches!(instruction.command, Command::Workdir(_)))
        .find_map(|(_, instruction)| match &instruction.command {
            Command::Copy(earlier)
                if is_context_copy(instruction)
                    && flags(instruction) == flags(copy)
                    && directory(&earlier.transfer.dest) == directory(&whole.transfer.dest)
                    && paths.iter().any(|path| copies(&earlier.transfer, path)) =>
            {
                Some((*instruction, &earlier.transfer))
            }
            _ => None,
        })
}

/// Whether a file of the context is one of the sources.
fn copies(transfer: &Transfer, path: &str) -> bool {
    transfer
        .sources
        .iter()
        .any(|source| glob(source.trim_start_matches("./"), path) == Ok(true))
}

/// A destination as a directory: with a slash at its end.
fn directory(dest: &str) -> String {
    match dest {
        "." => "./".to_string(),
        dest if dest.ends_with('/') => dest.to_string(),
        dest => format!("{dest}/"),
    }
}

struct Nodes<'a> {
    text: &'a str,
    ast: &'a Ast,
    blocks: Vec<Block>,
}

impl Nodes<'_> {
    fn index_of(&self, instruction: &Instruction) -> Option<usize> {
        self.ast
            .nodes
            .iter()
            .position(|node| node.span == instruction.span)
    }

    fn line(&self, at: usize) -> String {
        self.ast.nodes.get(at).map(one_line).unwrap_or_default()
    }

    fn moved_below(&self, from: usize, to: usize) -> Option<Candidate> {
        let moved = move_instruction(self.text, from, to).ok()?;
        let (what, run) = (self.line(from), self.line(to));
        Some(Candidate {
            title: format!("Move {what} below {run}"),
            reason: format!("{run} then stays cached when the files of {what} change."),
            text: moved.text,
        })
    }

    /// `COPY manifests ./` in place of the COPY, which goes below the RUN. Where an instruction
    /// above copies some of the manifests already, it gets the others too.
    fn split(
        &self,
        (copy_at, copy): (usize, &Instruction),
        above: &[(usize, &Instruction)],
        (run_at, run): (usize, &Instruction),
        files: &Fs,
    ) -> Option<Candidate> {
        let Command::Copy(parsed) = &copy.command else {
            return None;
        };
        let [source] = parsed.transfer.sources.as_slice() else {
            return None;
        };
        let source = source.trim_start_matches("./").trim_matches('/');
        let whole = if source == "." { "" } else { source };
        let (_, inode) = files.find(whole)?;
        inode.dir()?;
        let prefix = match whole {
            "" => String::new(),
            dir => format!("{dir}/"),
        };
        let mut manifests: Vec<String> = INSTALLS
            .iter()
            .filter(|(word, _)| run.code.contains(word))
            .flat_map(|(_, names)| names.iter())
            .map(|name| format!("{prefix}{name}"))
            .filter(|path| files.find(path).is_some())
            .collect();
        let named = manifests.join(" and ");
        let earlier = copied_above(above, copy, &manifests);
        if let Some((_, transfer)) = &earlier {
            manifests.retain(|path| !copies(transfer, path));
        }
        // With nothing left to copy first, it is a plain move.
        if manifests.is_empty() || parsed.parents {
            return None;
        }
        let moved = move_instruction(self.text, copy_at, run_at).ok()?.text;
        let line = |flags_of: &Instruction, sources: &[String], dest: &str| {
            let flags = flags_of.flags.iter().map(|flag| flag.text.as_str());
            let sources = sources.iter().map(String::as_str);
            let words = ["COPY"].into_iter().chain(flags).chain(sources);
            words.chain([dest]).collect::<Vec<_>>().join(" ")
        };
        let text = match earlier {
            Some((instruction, transfer)) => {
                let sources = [transfer.sources.as_slice(), &manifests].concat();
                let extended = line(instruction, &sources, &directory(&transfer.dest));
                let (before, after) = (instruction.span.start, instruction.span.end);
                format!("{}{extended}{}", &moved[..before], &moved[after..])
            }
            None => {
                // What stood below the COPY is now in its place; the new COPY comes in front.
                let at = blocks(&moved).get(copy_at)?.span.start;
                let dest = &directory(&parsed.transfer.dest);
                let new = line(copy, &manifests, dest);
                format!("{}{new}\n{}", &moved[..at], &moved[at..])
            }
        };
        let run = self.line(run_at);
        let those = match named.contains(" and ") {
            true => "those files",
            false => "that file",
        };
        Some(Candidate {
            title: format!("Copy {named} before {run}"),
            reason: format!(
                "{run} looks at {those} only, and stays cached when other files change."
            ),
            text,
        })
    }

    /// Two RUNs as one, so that what the second deletes is never in a layer.
    fn joined(
        &self,
        first_at: usize,
        first: &Instruction,
        next_at: usize,
        next: &Instruction,
    ) -> Option<Candidate> {
        let (Command::Run(a), Command::Run(b)) = (&first.command, &next.command) else {
            return None;
        };
        let plain = |instruction: &Instruction, run: &crate::dockerfile::instruction::Run| {
            run.line.shell && run.line.files.is_empty() && instruction.flags.is_empty()
        };
        let cleans = [
            "rm ",
            "apt-get clean",
            "clean all",
            "cache clean",
            "autoremove",
        ];
        if !plain(first, a)
            || !plain(next, b)
            || !cleans.iter().any(|word| next.code.contains(word))
        {
            return None;
        }
        let second = b.line.args.first()?;
        let (x, y) = (self.blocks.get(first_at)?, self.blocks.get(next_at)?);
        // The instruction itself, without comments above it.
        let end = self.ast.nodes[first_at].span.end;
        let head = self.text[..end].trim_end();
        let tail = &self.text[y.span.end..];
        debug_assert!(x.span.end <= y.span.start);
        let escape = self.ast.escape;
        // Where the first RUN has its `&&` at the ends of lines, this one gets it there too.
        let first = &head[self.ast.nodes[first_at].span.start..];
        let at_ends = first
            .lines()
            .any(|line| line.trim_end_matches([escape, ' ', '\t']).ends_with("&&"));
        let second = second.trim();
        let joint = match at_ends {
            true => format!(" && {escape}\n    {second}"),
            false => format!(" {escape}\n    && {second}"),
        };
        Some(Candidate {
            title: format!("Join {} into the RUN before it", self.line(next_at)),
            reason:
                "A layer keeps what a later one deletes; deleted in the same RUN it is in none."
                    .to_string(),
            text: format!("{head}{joint}{tail}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Edit, Workspace};
    use crate::fs::Time;

    fn files(paths: &[&str]) -> Workspace {
        let mut workspace = Workspace::new(Time::EPOCH);
        for path in paths {
            let edit = Edit::Write {
                path: path.to_string(),
                bytes: Vec::new(),
                mode: None,
            };
            let done = workspace.apply(&edit, &mut Default::default());
            assert_eq!(done, Ok(()));
        }
        workspace
    }

    fn first(text: &str, paths: &[&str]) -> String {
        first_that(text, paths, |_| true)
    }

    fn first_that(text: &str, paths: &[&str], wanted: fn(&Candidate) -> bool) -> String {
        let mut found = candidates(text, files(paths).files());
        found.retain(wanted);
        let Some(first) = found.first() else {
            return "nothing".into();
        };
        format!("{}\n\n{}", first.title, first.text)
    }

    #[test]
    fn manifests_are_copied_before_the_install() {
        let text = "FROM node\nWORKDIR /app\n# all\nCOPY . .\nRUN npm ci\nCMD [\"node\"]\n";
        insta::assert_snapshot!(first(text, &["package.json", "package-lock.json", "a.js"]), @r#"
        Copy package.json and package-lock.json before RUN npm ci

        FROM node
        WORKDIR /app
        COPY package.json package-lock.json ./
        RUN npm ci
        # all
        COPY . .
        CMD ["node"]
        "#);
    }

    #[test]
    fn flags_and_directories_are_kept() {
        let text =
            "FROM python\nCOPY --chown=1 api /srv\nRUN pip install -r /srv/requirements.txt\n";
        insta::assert_snapshot!(first(text, &["api/requirements.txt", "api/main.py"]), @r"
        Copy api/requirements.txt before RUN pip install -r /srv/requirements.txt

        FROM python
        COPY --chown=1 api/requirements.txt /srv/
        RUN pip install -r /srv/requirements.txt
        COPY --chown=1 api /srv
        ");
    }

    #[test]
    fn cleaning_up_joins_the_run_before_it() {
        let text = "FROM debian\nRUN apt-get update && \\\n    apt-get install -y curl\n# clean\nRUN rm -rf /var/lib/apt/lists/*\nCMD x\n";
        insta::assert_snapshot!(first(text, &[]), @r"
        Join RUN rm -rf /var/lib/apt/lists/* into the RUN before it

        FROM debian
        RUN apt-get update && \
            apt-get install -y curl && \
            rm -rf /var/lib/apt/lists/*
        CMD x
        ");
        let leading = text.replace(" && \\\n    ", " \\\n && ");
        insta::assert_snapshot!(first(&leading, &[]), @r"
        Join RUN rm -rf /var/lib/apt/lists/* into the RUN before it

        FROM debian
        RUN apt-get update \
         && apt-get install -y curl \
            && rm -rf /var/lib/apt/lists/*
        CMD x
        ");
    }

    #[test]
    fn what_is_copied_above_is_not_copied_again() {
        let paths = ["package.json", "package-lock.json", "a.js"];
        let offered = |above: &str| {
            let text = format!("FROM node\nWORKDIR /app\n{above}\nCOPY . .\nRUN npm ci\n");
            first_that(&text, &paths, |candidate| {
                candidate.title.starts_with("Copy") || candidate.title.contains("COPY . .")
            })
        };
        insta::assert_snapshot!(offered("COPY package*.json ./"), @r"
        Move COPY . . below RUN npm ci

        FROM node
        WORKDIR /app
        COPY package*.json ./
        RUN npm ci
        COPY . .
        ");
        insta::assert_snapshot!(offered("COPY ./package.json ."), @r"
        Copy package.json and package-lock.json before RUN npm ci

        FROM node
        WORKDIR /app
        COPY ./package.json package-lock.json ./
        RUN npm ci
        COPY . .
        ");
        // Copied to somewhere else, or as somebody else: that is another file.
        insta::assert_snapshot!(offered("COPY package*.json /tmp/"), @r"
        Copy package.json and package-lock.json before RUN npm ci

        FROM node
        WORKDIR /app
        COPY package*.json /tmp/
        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .
        ");
        insta::assert_snapshot!(offered("COPY --chown=1 package*.json ./"), @r"
        Copy package.json and package-lock.json before RUN npm ci

        FROM node
        WORKDIR /app
        COPY --chown=1 package*.json ./
        COPY package.json package-lock.json ./
        RUN npm ci
        COPY . .
        ");
    }

    #[test]
    fn nothing_is_made_of_what_cannot_be_read() {
        assert_eq!(
            first("FROM a\nCPY . .\nRUN npm ci\n", &["package.json"]),
            "nothing"
        );
        assert_eq!(first("", &[]), "nothing");
        assert_eq!(
            first("FROM a\nRUN <<EOF\nx\nEOF\nRUN rm /x\n", &[]),
            "nothing"
        );
    }
}
