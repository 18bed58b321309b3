//! Makefiles: variables, conditions, rules and recipes, as GNU make reads them.
//!
//! Not read: `define`, `vpath`, and functions that people seldom write; a makefile with them is
//! followed as far as it goes.

use std::collections::BTreeMap;

use super::super::{Call, Exit, Stop, glob_matches};
use super::files::Files;
use super::tool::Words;
use crate::fs::{Follow, Time};

/// How deep targets and variables may refer to each other.
const MAX_DEPTH: u32 = 100;
/// How many bytes a variable may expand to.
const MAX_VALUE: usize = 1 << 20;

#[derive(Default)]
struct Makefile {
    variables: BTreeMap<String, Variable>,
    rules: Vec<Rule>,
    phony: Vec<String>,
    /// Targets that are done.
    done: Vec<String>,
    silent: bool,
    dry: bool,
}

struct Variable {
    value: String,
    /// Expanded when it is used, not when it is set.
    lazy: bool,
    /// From the command line: the makefile does not change it.
    fixed: bool,
}

struct Rule {
    targets: Vec<String>,
    needs: Vec<String>,
    recipe: Vec<String>,
}

/// Follows the makefile `text` in the working directory.
pub(super) fn run(call: &mut Call<'_, '_>, text: &str, words: &Words) -> Exit {
    let mut make = Makefile {
        silent: words.has(&["-s", "--silent", "--quiet"]),
        dry: words.has(&["-n", "--dry-run", "--just-print"]),
        ..Makefile::default()
    };
    let environment: Vec<(String, String)> = call
        .proc
        .env
        .iter()
        .map(|(n, v)| (n.to_string(), v.to_string()))
        .collect();
    for (name, value) in environment {
        make.set(&name, value, false, false);
    }
    for (name, value) in [
        ("CC", "cc"),
        ("CXX", "g++"),
        ("AR", "ar"),
        ("RM", "rm -f"),
        ("MAKE", "make"),
        ("SHELL", "/bin/sh"),
        ("CURDIR", &call.proc.fs.cwd.clone()),
        ("COMPILE.c", "$(CC) $(CFLAGS) $(CPPFLAGS) -c"),
        ("LINK.o", "$(CC) $(LDFLAGS)"),
    ] {
        if name == "SHELL" || !make.variables.contains_key(name) {
            make.set(name, value.to_owned(), true, false);
        }
    }
    let mut targets = Vec::new();
    for word in &words.words {
        match word.split_once('=') {
            Some((name, value)) => {
                let name = name.trim_end_matches([':', '?', '+']).to_owned();
                make.set(&name, value.to_owned(), true, true);
            }
            None => targets.push(word.clone()),
        }
    }
    make.read(call, text, 0)?;
    if targets.is_empty() {
        let first = make
            .rules
            .iter()
            .flat_map(|rule| &rule.targets)
            .find(|target| !target.starts_with('.') && !target.contains('%'));
        match first {
            Some(first) => targets.push(first.clone()),
            None => return call.fail(2, "*** No targets.  Stop."),
        }
    }
    for target in targets {
        let before = make.done.len();
        let code = make.build(call, &target, 0)?;
        if code != 0 {
            return Ok(code);
        }
        if make.done.len() == before + 1 && make.last_did_nothing(&target) {
            let has_recipe = make
                .rules
                .iter()
                .any(|rule| rule.targets.contains(&target) && !rule.recipe.is_empty());
            let text = match has_recipe {
                true => format!("'{target}' is up to date."),
                false => format!("Nothing to be done for '{target}'."),
            };
            let line = format!("{}: {text}\n", call.name);
            call.out(line)?;
        }
    }
    Ok(0)
}

impl Makefile {
    fn set(&mut self, name: &str, value: String, lazy: bool, fixed: bool) {
        if fixed || !self.variables.get(name).is_some_and(|old| old.fixed) {
            self.variables
                .insert(name.to_owned(), Variable { value, lazy, fixed });
        }
    }

    fn last_did_nothing(&self, target: &str) -> bool {
        self.done
            .last()
            .is_some_and(|last| last == &format!("{target}\0"))
    }

    fn read(&mut self, call: &mut Call<'_, '_>, text: &str, depth: u32) -> Result<(), Stop> {
        // Whether each enclosing condition holds, and whether one of its branches has.
        let mut conditions: Vec<(bool, bool)> = Vec::new();
        let mut open: Option<usize> = None;
        let mut lines = text.lines().peekable();
        while let Some(first) = lines.next() {
            call.kernel.round()?;
            let is_recipe = first.starts_with('\t');
            let mut line = first.to_owned();
            while line.ends_with('\\') {
                let Some(next) = lines.next() else { break };
                if is_recipe {
                    line += "\n";
                    line += next.strip_prefix('\t').unwrap_or(next);
                } else {
                    line.pop();
                    line = format!("{} {}", line.trim_end(), next.trim_start());
                }
            }
            let active = conditions.iter().all(|(holds, _)| *holds);
            if is_recipe {
                if let Some(rule) = open.filter(|_| active) {
                    self.rules[rule].recipe.push(line[1..].to_owned());
                    continue;
                }
                if !active {
                    continue;
                }
            }
            let plain = without_comment(&line);
            let plain = plain.trim();
            let (word, rest) = plain.split_once(char::is_whitespace).unwrap_or((plain, ""));
            match word {
                "" => continue,
                "ifeq" | "ifneq" | "ifdef" | "ifndef" => {
                    let holds = active && self.condition(call, word, rest.trim())?;
                    conditions.push((holds, holds));
                    continue;
                }
                "else" => {
                    if let Some((holds, any)) = conditions.pop() {
                        let outer = conditions.iter().all(|(holds, _)| *holds);
                        let rest = rest.trim();
                        let (word, rest) =
                            rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                        let now = outer
                            && !any
                            && !holds
                            && (word.is_empty() || self.condition(call, word, rest.trim())?);
                        conditions.push((now, any || now));
                    }
                    continue;
                }
                "endif" => {
                    conditions.pop();
                    continue;
                }
                _ if !active => continue,
                "include" | "-include" | "sinclude" => {
                    let names = self.expand(call, rest, None, depth)?;
                    for name in names
                        .split_whitespace()
                        .map(str::to_owned)
                        .collect::<Vec<_>>()
                    {
                        match Files::of(call).text(&name) {
                            Some(text) if depth < MAX_DEPTH => self.read(call, &text, depth + 1)?,
                            Some(_) => {}
                            None if word == "include" => {
                                call.complain(format_args!("{name}: No such file or directory"))?;
                                return Err(Stop::Exit(2));
                            }
                            None => {}
                        }
                    }
                    continue;
                }
                _ => {}
            }
            let exported = plain
                .strip_prefix("export ")
                .or(plain.strip_prefix("override "));
            if let Some((name, kind, value)) = assignment(exported.unwrap_or(plain)) {
                let name = self.expand(call, name, None, 0)?;
                self.assign(call, &name, kind, value)?;
                if plain.starts_with("export ") {
                    let value = self.expand(call, &format!("$({name})"), None, 0)?;
                    call.proc.env.set(&name, &value);
                }
                open = None;
                continue;
            }
            if matches!(word, "export" | "unexport" | "define" | "endef" | "vpath") {
                continue;
            }
            if let Some((targets, rest)) = plain.split_once(':') {
                let rest = rest.trim_start_matches(':');
                let (needs, recipe) = rest
                    .split_once(';')
                    .map_or((rest, None), |(needs, recipe)| (needs, Some(recipe)));
                let targets = self.expand(call, targets, None, 0)?;
                // A variable of one target counts for all.
                if let Some((name, kind, value)) = assignment(needs.trim()) {
                    self.assign(call, name.trim(), kind, value)?;
                    continue;
                }
                let needs = self.expand(call, needs, None, 0)?;
                let targets: Vec<String> = targets.split_whitespace().map(str::to_owned).collect();
                let mut all = Vec::new();
                for need in needs.split_whitespace().filter(|need| *need != "|") {
                    all.extend(wildcard(call, need));
                }
                if targets.iter().any(|target| target == ".PHONY") {
                    self.phony.extend(all);
                    continue;
                }
                if targets.iter().any(|target| target == ".SILENT") {
                    self.silent = true;
                }
                open = Some(self.rules.len());
                self.rules.push(Rule {
                    targets,
                    needs: all,
                    recipe: recipe
                        .map(|line| line.trim().to_owned())
                        .into_iter()
                        .collect(),
                });
            } else {
                self.expand(call, plain, None, 0)?;
            }
        }
        Ok(())
    }

    fn assign(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
        kind: &str,
        value: &str,
    ) -> Result<(), Stop> {
        match kind {
            "=" => self.set(name, value.to_owned(), true, false),
            ":=" | "::=" => {
                let value = self.expand(call, value, None, 0)?;
                self.set(name, value, false, false);
            }
            "?=" => {
                if !self.variables.contains_key(name) {
                    self.set(name, value.to_owned(), true, false);
                }
            }
            "!=" => {
                let value = shell(call, value)?;
                self.set(name, value, false, false);
            }
            _ => {
                let (old, lazy) = self
                    .variables
                    .get(name)
                    .map_or((String::new(), true), |old| (old.value.clone(), old.lazy));
                let new = if lazy {
                    value.to_owned()
                } else {
                    self.expand(call, value, None, 0)?
                };
                let value = if old.is_empty() {
                    new
                } else {
                    format!("{old} {new}")
                };
                self.set(name, value, lazy, false);
            }
        }
        Ok(())
    }

    fn condition(&mut self, call: &mut Call<'_, '_>, word: &str, rest: &str) -> Result<bool, Stop> {
        if word.ends_with("def") {
            let name = self.expand(call, rest, None, 0)?;
            let set = self
                .variables
                .get(&name)
                .is_some_and(|variable| !variable.value.is_empty());
            return Ok(set == (word == "ifdef"));
        }
        let inner = rest.trim();
        let (left, right) = match inner
            .strip_prefix('(')
            .and_then(|inner| inner.strip_suffix(')'))
        {
            Some(inner) => match split_arguments(inner).as_slice() {
                [left, right, ..] => (left.trim().to_owned(), right.trim().to_owned()),
                _ => (inner.to_owned(), String::new()),
            },
            None => {
                let mut parts = inner
                    .split(['"', '\''])
                    .filter(|part| !part.trim().is_empty());
                (
                    parts.next().unwrap_or_default().to_owned(),
                    parts.next().unwrap_or_default().to_owned(),
                )
            }
        };
        let left = self.expand(call, &left, None, 0)?;
        let right = self.expand(call, &right, None, 0)?;
        Ok((left.trim() == right.trim()) == (word == "ifeq"))
    }

    /// Expands `$(…)`. `automatic` are the target, its needs, and the stem of a pattern.
    fn expand(
        &mut self,
        call: &mut Call<'_, '_>,
        text: &str,
        automatic: Option<&(String, Vec<String>, String)>,
        depth: u32,
    ) -> Result<String, Stop> {
        if depth > MAX_DEPTH {
            call.complain("*** Recursive variable references itself (eventually).  Stop.")?;
            return Err(Stop::Exit(2));
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            let Some(first) = after.chars().next() else {
                out.push('$');
                rest = "";
                break;
            };
            if first == '(' || first == '{' {
                let close = if first == '(' { ')' } else { '}' };
                let Some(end) = closing(after, first, close) else {
                    out.push('$');
                    rest = after;
                    continue;
                };
                let inner = &after[1..end];
                out += &self.reference(call, inner, automatic, depth + 1)?;
                rest = &after[end + 1..];
            } else {
                match first {
                    '$' => out.push('$'),
                    first => {
                        out += &self.variable(call, &first.to_string(), automatic, depth + 1)?
                    }
                }
                rest = &after[first.len_utf8()..];
            }
            if out.len() > MAX_VALUE {
                break;
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn variable(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
        automatic: Option<&(String, Vec<String>, String)>,
        depth: u32,
    ) -> Result<String, Stop> {
        if let Some((target, needs, stem)) = automatic {
            let (bare, part) = match name.strip_suffix(['D', 'F']) {
                Some(bare) if !bare.is_empty() => (bare, name.chars().last()),
                _ => (name, None),
            };
            let value = match bare {
                "@" => Some(target.clone()),
                "<" => Some(needs.first().cloned().unwrap_or_default()),
                "^" | "+" | "?" => Some(needs.join(" ")),
                "*" => Some(stem.clone()),
                _ => None,
            };
            if let Some(value) = value {
                return Ok(match part {
                    Some('D') => value
                        .rsplit_once('/')
                        .map_or(".", |(dir, _)| dir)
                        .to_owned(),
                    Some(_) => crate::fs::base_name(&value).to_owned(),
                    None => value,
                });
            }
        }
        match self.variables.get(name) {
            Some(variable) if variable.lazy => {
                let value = variable.value.clone();
                self.expand(call, &value, automatic, depth + 1)
            }
            Some(variable) => Ok(variable.value.clone()),
            None => Ok(String::new()),
        }
    }

    fn reference(
        &mut self,
        call: &mut Call<'_, '_>,
        inner: &str,
        automatic: Option<&(String, Vec<String>, String)>,
        depth: u32,
    ) -> Result<String, Stop> {
        if let Some((name, rest)) = inner.split_once(char::is_whitespace)
            && FUNCTIONS.contains(&name)
        {
            return self.function(call, name, rest.trim_start(), automatic, depth);
        }
        // `$(NAME:.c=.o)`
        if let Some((name, rule)) = inner.split_once(':')
            && let Some((from, to)) = rule.split_once('=')
        {
            let value = self.variable(call, name, automatic, depth)?;
            let (from, to) = match from.contains('%') {
                true => (from.to_owned(), to.to_owned()),
                false => (format!("%{from}"), format!("%{to}")),
            };
            return Ok(map(&value, |word| substitute(&from, &to, word)));
        }
        let name = self.expand(call, inner, automatic, depth)?;
        self.variable(call, &name, automatic, depth)
    }

    fn function(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
        rest: &str,
        automatic: Option<&(String, Vec<String>, String)>,
        depth: u32,
    ) -> Result<String, Stop> {
        let raw = split_arguments(rest);
        if matches!(name, "if" | "or" | "and") {
            let mut last = String::new();
            for (at, argument) in raw.iter().enumerate() {
                last = self.expand(call, argument.trim(), automatic, depth)?;
                let set = !last.is_empty();
                match name {
                    "if" if at == 0 && set => {
                        return self.expand(
                            call,
                            raw.get(1).map_or("", |text| text.trim()),
                            automatic,
                            depth,
                        );
                    }
                    "if" if at == 0 => {
                        return self.expand(
                            call,
                            raw.get(2).map_or("", |text| text.trim()),
                            automatic,
                            depth,
                        );
                    }
                    "or" if set => return Ok(last),
                    "and" if !set => return Ok(last),
                    _ => {}
                }
            }
            return Ok(last);
        }
        if name == "foreach" {
            let [variable, list, body] = raw.as_slice() else {
                return Ok(String::new());
            };
            let list = self.expand(call, list, automatic, depth)?;
            let mut out = Vec::new();
            for word in list.split_whitespace() {
                self.set(variable.trim(), word.to_owned(), false, false);
                out.push(self.expand(call, body, automatic, depth)?);
            }
            return Ok(out.join(" "));
        }
        let mut args = Vec::new();
        for argument in &raw {
            args.push(self.expand(call, argument, automatic, depth)?);
        }
        let whole = args.join(",");
        let arg = |at: usize| args.get(at).map_or("", |text| text.trim());
        Ok(match name {
            "shell" => shell(call, &whole)?,
            "wildcard" => {
                let mut all = Vec::new();
                for pattern in whole.split_whitespace() {
                    all.extend(
                        wildcard(call, pattern)
                            .into_iter()
                            .filter(|path| Files::of(call).exists(path)),
                    );
                }
                all.join(" ")
            }
            "patsubst" => map(arg(2), |word| substitute(arg(0), arg(1), word)),
            "subst" => args
                .get(2)
                .map_or("", String::as_str)
                .replace(arg(0), args.get(1).map_or("", String::as_str)),
            "addprefix" => map(arg(1), |word| format!("{}{word}", arg(0))),
            "addsuffix" => map(arg(1), |word| format!("{word}{}", arg(0))),
            "notdir" => map(&whole, |word| crate::fs::base_name(word).to_owned()),
            "dir" => map(&whole, |word| {
                word.rfind('/').map_or("./", |at| &word[..=at]).to_owned()
            }),
            "basename" => map(&whole, |word| {
                word.rsplit_once('.')
                    .map_or(word, |(stem, _)| stem)
                    .to_owned()
            }),
            "suffix" => map(&whole, |word| {
                word.rfind('.').map_or("", |at| &word[at..]).to_owned()
            }),
            "strip" => map(&whole, str::to_owned),
            "firstword" => whole
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned(),
            "lastword" => whole
                .split_whitespace()
                .last()
                .unwrap_or_default()
                .to_owned(),
            "words" => whole.split_whitespace().count().to_string(),
            "word" => arg(1)
                .split_whitespace()
                .nth(arg(0).parse::<usize>().unwrap_or(1).saturating_sub(1))
                .unwrap_or_default()
                .to_owned(),
            "sort" => {
                let mut words: Vec<&str> = whole.split_whitespace().collect();
                crate::order::sort(&mut words);
                words.dedup();
                words.join(" ")
            }
            "filter" | "filter-out" => {
                let patterns: Vec<&str> = arg(0).split_whitespace().collect();
                let keeps = |word: &str| {
                    patterns.iter().any(|pattern| stem(pattern, word).is_some())
                        == (name == "filter")
                };
                arg(1)
                    .split_whitespace()
                    .filter(|word| keeps(word))
                    .collect::<Vec<_>>()
                    .join(" ")
            }
            "findstring" => {
                if arg(1).contains(arg(0)) {
                    arg(0).to_owned()
                } else {
                    String::new()
                }
            }
            "abspath" | "realpath" => map(&whole, |word| crate::fs::join(&call.proc.fs.cwd, word)),
            "origin" => if self.variables.contains_key(arg(0)) {
                "file"
            } else {
                "undefined"
            }
            .to_owned(),
            "call" => {
                let body = self
                    .variables
                    .get(arg(0))
                    .map(|variable| variable.value.clone())
                    .unwrap_or_default();
                for (at, value) in args.iter().enumerate().skip(1) {
                    self.set(&at.to_string(), value.clone(), false, false);
                }
                self.expand(call, &body, automatic, depth)?
            }
            "info" | "warning" => {
                call.out(format!("{whole}\n"))?;
                String::new()
            }
            "error" => {
                call.complain(format_args!("*** {whole}.  Stop."))?;
                return Err(Stop::Exit(2));
            }
            _ => String::new(),
        })
    }

    /// Brings a target up to date.
    fn build(&mut self, call: &mut Call<'_, '_>, target: &str, depth: u32) -> Exit {
        let idle = format!("{target}\0");
        if depth > MAX_DEPTH
            || self
                .done
                .iter()
                .any(|done| *done == target || *done == idle)
        {
            return Ok(0);
        }
        let mut needs: Vec<String> = Vec::new();
        let mut recipe: Vec<String> = Vec::new();
        let mut part = String::new();
        let mut known = false;
        for rule in self
            .rules
            .iter()
            .filter(|rule| rule.targets.iter().any(|name| name == target))
        {
            known = true;
            // The needs of the rule with the recipe come first.
            if rule.recipe.is_empty() {
                needs.extend(rule.needs.iter().cloned());
            } else {
                recipe = rule.recipe.clone();
                needs.splice(0..0, rule.needs.iter().cloned());
            }
        }
        if recipe.is_empty() {
            let mut candidates: Vec<(Vec<String>, Vec<String>, String)> = Vec::new();
            for rule in &self.rules {
                for pattern in rule.targets.iter().filter(|pattern| pattern.contains('%')) {
                    if let Some(stem) = stem(pattern, target).filter(|_| !rule.recipe.is_empty()) {
                        let needs = rule.needs.iter().map(|need| need.replacen('%', &stem, 1));
                        candidates.push((needs.collect(), rule.recipe.clone(), stem));
                    }
                }
            }
            let built_in = |source: String, line: &str, stem: &str| {
                (vec![source], vec![line.to_owned()], stem.to_owned())
            };
            if let Some(stem) = target.strip_suffix(".o") {
                candidates.push(built_in(
                    format!("{stem}.c"),
                    "$(CC) $(CFLAGS) $(CPPFLAGS) -c -o $@ $<",
                    stem,
                ));
                candidates.push(built_in(
                    format!("{stem}.cpp"),
                    "$(CXX) $(CXXFLAGS) $(CPPFLAGS) -c -o $@ $<",
                    stem,
                ));
            } else if !self.phony.iter().any(|name| name == target) {
                candidates.push(built_in(
                    format!("{target}.o"),
                    "$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@",
                    target,
                ));
                candidates.push(built_in(
                    format!("{target}.c"),
                    "$(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@",
                    target,
                ));
            }
            let found = candidates.into_iter().find(|(sources, ..)| {
                sources.iter().all(|need| {
                    Files::of(call).exists(need)
                        || self.rules.iter().any(|rule| rule.targets.contains(need))
                })
            });
            if let Some((sources, lines, stem)) = found {
                needs.splice(0..0, sources);
                (recipe, part, known) = (lines, stem, true);
            }
        }
        if !known {
            if Files::of(call).exists(target) {
                self.done.push(idle);
                return Ok(0);
            }
            return call.fail(
                2,
                format_args!("*** No rule to make target '{target}'.  Stop."),
            );
        }
        let mut worked = false;
        for need in &needs {
            let code = call.kernel.nested(|kernel| {
                let mut inner = Call {
                    kernel,
                    proc: call.proc,
                    name: call.name.clone(),
                    args: Vec::new(),
                    image: call.image,
                };
                self.build(&mut inner, need, depth + 1)
            })?;
            if code != 0 {
                return Ok(code);
            }
            worked |= self.done.iter().any(|done| done == need);
        }
        let phony = self.phony.iter().any(|name| name == target);
        let own = modified(call, target);
        let newest = needs.iter().filter_map(|need| modified(call, need)).max();
        let stale = phony || worked || own.is_none() || newest > own;
        if recipe.is_empty() || !stale {
            self.done
                .push(if worked { target.to_owned() } else { idle });
            return Ok(0);
        }
        let automatic = (target.to_owned(), needs, part);
        for line in &recipe {
            let line = self.expand(call, line, Some(&automatic), 0)?;
            let bare = line.trim_start_matches(['@', '-', '+', ' ', '\t']);
            let marks = &line[..line.len() - bare.len()];
            if bare.is_empty() {
                continue;
            }
            if self.dry || !(self.silent || marks.contains('@')) {
                call.out(format!("{bare}\n"))?;
            }
            if self.dry {
                continue;
            }
            let shell = self.variable(call, "SHELL", None, 0)?;
            let args = [shell, "-c".to_owned(), bare.to_owned()];
            let code = call.run(&args)?.unwrap_or(127);
            if code != 0 && !marks.contains('-') {
                call.complain(format_args!("*** [Makefile: {target}] Error {code}"))?;
                return Ok(2);
            }
        }
        self.done.push(target.to_owned());
        Ok(0)
    }
}

const FUNCTIONS: &[&str] = &[
    "shell",
    "wildcard",
    "patsubst",
    "subst",
    "addprefix",
    "addsuffix",
    "notdir",
    "dir",
    "basename",
    "suffix",
    "strip",
    "firstword",
    "lastword",
    "words",
    "word",
    "sort",
    "filter",
    "filter-out",
    "findstring",
    "abspath",
    "realpath",
    "origin",
    "call",
    "info",
    "warning",
    "error",
    "if",
    "or",
    "and",
    "foreach",
    "eval",
    "value",
];

fn modified(call: &Call<'_, '_>, path: &str) -> Option<Time> {
    let vfs = &*call.kernel.vfs;
    let handle = vfs.stat(&call.proc.fs, path, Follow::Yes).ok()?;
    Some(vfs.inode(handle).meta.mtime)
}

/// What a command prints, newlines as blanks.
fn shell(call: &mut Call<'_, '_>, command: &str) -> Result<String, Stop> {
    let bytes = super::tool::output(call, &["/bin/sh", "-c", command])?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(text.trim_end_matches('\n').replace('\n', " "))
}

/// The paths that a pattern stands for; itself if there are none.
fn wildcard(call: &mut Call<'_, '_>, pattern: &str) -> Vec<String> {
    if !pattern.contains(['*', '?', '[']) || pattern.contains('%') {
        return vec![pattern.to_owned()];
    }
    let (dir, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
    let prefix = if pattern.contains('/') {
        format!("{dir}/")
    } else {
        String::new()
    };
    let mut found: Vec<String> = Files::of(call)
        .names(dir)
        .into_iter()
        .filter(|entry| {
            glob_matches(name, entry) && (!entry.starts_with('.') || name.starts_with('.'))
        })
        .map(|entry| format!("{prefix}{entry}"))
        .collect();
    crate::order::sort(&mut found);
    if found.is_empty() {
        found.push(pattern.to_owned());
    }
    found
}

fn without_comment(line: &str) -> String {
    let mut end = line.len();
    for (at, _) in line.match_indices('#') {
        if !line[..at].ends_with('\\') {
            end = at;
            break;
        }
    }
    line[..end].replace("\\#", "#")
}

/// `NAME = value`, with the kind of the sign.
fn assignment(line: &str) -> Option<(&str, &str, &str)> {
    let equals = line.find('=')?;
    let mut depth = 0;
    for c in line[..equals].chars() {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth -= 1,
            _ => {}
        }
    }
    if depth != 0 {
        return None;
    }
    let kinds = ["::", ":", "?", "+", "!"];
    let before = &line[..equals];
    let sign = kinds
        .iter()
        .find(|sign| before.ends_with(*sign))
        .copied()
        .unwrap_or("");
    let name = before[..before.len() - sign.len()].trim();
    if name.is_empty() || name.contains(char::is_whitespace) || name.contains(':') {
        return None;
    }
    let kind = &line[equals - sign.len()..=equals];
    Some((name, kind, line[equals + 1..].trim_start()))
}

/// Where the bracket that `text` begins with is closed.
fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// Arguments between commas, those in brackets kept together.
fn split_arguments(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth -= 1,
            _ => {}
        }
        match all.last_mut() {
            Some(last) if c != ',' || depth > 0 => last.push(c),
            _ => all.push(String::new()),
        }
    }
    all
}

fn map(text: &str, change: impl Fn(&str) -> String) -> String {
    text.split_whitespace()
        .map(change)
        .collect::<Vec<_>>()
        .join(" ")
}

/// What `%` stands for in `word`.
fn stem(pattern: &str, word: &str) -> Option<String> {
    match pattern.split_once('%') {
        Some((start, end)) => {
            let rest = word.strip_prefix(start)?.strip_suffix(end)?;
            Some(rest.to_owned())
        }
        None => (pattern == word).then(String::new),
    }
}

fn substitute(from: &str, to: &str, word: &str) -> String {
    match stem(from, word) {
        Some(stem) if from.contains('%') => to.replacen('%', &stem, 1),
        Some(_) => to.to_owned(),
        None => word.to_owned(),
    }
}
