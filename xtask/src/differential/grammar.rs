//! The grammar in `grammar.txt` as strategies.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::Union;

/// The grammar: what each rule can become.
pub struct Grammar {
    rules: BTreeMap<&'static str, Vec<(u32, &'static str)>>,
}

impl Grammar {
    /// Reads `grammar.txt`.
    pub fn new() -> Grammar {
        let mut rules = BTreeMap::<_, Vec<_>>::new();
        let mut rule = "";
        let lines = include_str!("grammar.txt").lines();
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            match line.strip_prefix("  ").map(|line| line.split_once(' ')) {
                None => rule = line,
                Some(weighted) => {
                    let alternative = weighted
                        .and_then(|(weight, text)| Some((weight.parse().ok()?, text)))
                        .unwrap_or_else(|| panic!("no weight and text: {line}"));
                    rules.entry(rule).or_default().push(alternative);
                }
            }
        }
        Grammar { rules }
    }

    /// The texts of the rule `name`.
    pub fn text(&self, name: &str) -> BoxedStrategy<String> {
        let alternatives = self.rules.get(name);
        let alternatives = alternatives.unwrap_or_else(|| panic!("there is no rule {name}"));
        let weighted = alternatives.iter();
        let weighted = weighted.map(|(weight, text)| (*weight, self.template(text)));
        Union::new_weighted(weighted.collect()).boxed()
    }

    /// The texts that a template can become.
    fn template(&self, template: &str) -> BoxedStrategy<String> {
        let (mut parts, mut literal) = (Vec::new(), String::new());
        let mut rest = template;
        while let Some(first) = rest.chars().next() {
            rest = &rest[first.len_utf8()..];
            let placeholder = rest.split_once('}').filter(|(name, _)| {
                first == '{' && !literal.ends_with('$') && self.rules.contains_key(name)
            });
            let escaped = rest.chars().next().filter(|_| first == '\\');
            if let Some((name, after)) = placeholder {
                parts.push(Just(std::mem::take(&mut literal)).boxed());
                parts.push(self.text(name));
                rest = after;
            } else if let Some((_, escape)) = escaped.and_then(|c| {
                let known = [('n', '\n'), ('s', ' '), ('\\', '\\')];
                known.into_iter().find(|(name, _)| *name == c)
            }) {
                literal.push(escape);
                rest = &rest[1..];
            } else {
                literal.push(first);
            }
        }
        parts.push(Just(literal).boxed());
        match parts.len() {
            1 => parts.remove(0),
            _ => parts.prop_map(|parts| parts.concat()).boxed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_that_a_text_names_is_there() {
        let grammar = Grammar::new();
        for alternatives in grammar.rules.values() {
            for (_, text) in alternatives {
                // `awk` has braces of its own.
                for (at, _) in text.match_indices('{').filter(|(at, _)| {
                    !text[..*at].ends_with('$') && !text[*at..].starts_with("{print")
                }) {
                    let name = text[at + 1..].split('}').next().unwrap_or_default();
                    assert!(grammar.rules.contains_key(name), "{{{name}}} in {text}");
                }
            }
        }
    }
}
