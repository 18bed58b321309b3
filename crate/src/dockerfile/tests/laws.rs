use proptest::prelude::*;

use crate::dockerfile::edit::{blocks, move_instruction};
use crate::dockerfile::env::Env;
use crate::dockerfile::expand::{Lexer, NoVariables};
use crate::dockerfile::instruction::parse_stages;
use crate::dockerfile::parse;
use crate::dockerfile::print::print;

/// Pieces that the parser treats in some special way, and some that it does not.
const PIECES: &[&str] = &[
    "FROM a",
    "FROM a AS b",
    "RUN",
    "run x",
    "COPY a b",
    "ENV A=1",
    "ENV a b",
    "ARG",
    "LABEL",
    "CMD",
    "HEALTHCHECK",
    "ONBUILD",
    "ADD",
    "EXPOSE 1",
    "WHAT",
    "--x=1",
    "--",
    "--\"a b\"",
    "--mount=type=cache,target=/x",
    "[\"a\", \"b\"]",
    "[1]",
    "[",
    "]",
    "<<E",
    "<<-E",
    "<<'F'",
    "E",
    "F",
    "# c",
    "#",
    "# escape=`",
    "# syntax=a",
    "\\",
    "`",
    "\\\\",
    "\n",
    "\n",
    "\r\n",
    "\t",
    " ",
    " ",
    "\"",
    "'",
    "$x",
    "${x",
    "}",
    ":-",
    "é",
    "\u{a0}",
    "\u{85}",
    "\u{FEFF}",
    "x",
    "/",
    "=",
];

fn dockerfile() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

/// Files that are more often right than wrong.
fn tidy_dockerfile() -> impl Strategy<Value = String> {
    let word = "[a-z$/.=\"'\\\\ -]{0,12}";
    let keyword = prop::sample::select(vec![
        "RUN",
        "ENV",
        "ENV a",
        "COPY x",
        "CMD",
        "LABEL l",
        "ARG",
        "USER",
        "ONBUILD RUN",
        "HEALTHCHECK CMD",
        "# note:",
        "RUN --network=none",
        "COPY --chown=\"a b\" x",
    ]);
    let line = (keyword, word).prop_map(|(keyword, word)| format!("{keyword} {word}\n"));
    prop::collection::vec(line, 0..8).prop_map(|lines| format!("FROM a\n{}", lines.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_parsed_without_panic(text in any::<String>()) {
        let parsed = parse(&text);
        parse_stages(&parsed.ast);
    }

    #[test]
    fn any_puzzle_is_parsed_and_its_places_fit(text in dockerfile()) {
        let parsed = parse(&text);
        let file = parse_stages(&parsed.ast);
        for node in &parsed.ast.nodes {
            for word in node.flags.iter().chain(&node.args).chain([&node.name]) {
                prop_assert!(text.get(word.span.start..word.span.end).is_some());
            }
            prop_assert!(text.get(node.span.start..node.span.end).is_some());
        }
        for error in parsed.errors.iter().chain(&file.errors) {
            if let Some(span) = error.span {
                prop_assert!(text.get(span.start..span.end).is_some());
            }
        }
    }

    #[test]
    fn printing_and_parsing_is_identity(text in prop_oneof![dockerfile(), tidy_dockerfile()]) {
        let parsed = parse(&text);
        if !parsed.errors.is_empty() {
            return Ok(());
        }
        let printed = print(&parsed.ast);
        let again = parse(&printed);
        prop_assert!(again.errors.is_empty(), "{:?}\n{:?}", printed, again.errors);
        prop_assert!(parsed.ast.same_meaning(&again.ast), "{:?}\n{:?}", text, printed);
        prop_assert_eq!(print(&again.ast), printed);
    }

    #[test]
    fn moving_there_and_back_is_identity(
        text in tidy_dockerfile(),
        from in 0_usize..8,
        to in 0_usize..8,
    ) {
        if let Ok(moved) = move_instruction(&text, from, to) {
            prop_assert_eq!(moved.text.len(), text.len());
            prop_assert_eq!(blocks(&moved.text)[to], moved.block);
            let back = move_instruction(&moved.text, to, from);
            prop_assert_eq!(back.map(|b| b.text), Ok(text));
        }
    }

    #[test]
    fn expansion_of_any_text_does_not_panic(text in "[a-z${}:/#%?*\\\\'\"<@ é-]{0,30}") {
        let mut env = Env::new();
        env.set("a", "x/y");
        for raw in [false, true] {
            let lexer = Lexer { raw_quotes: raw, raw_escapes: raw, ..Lexer::new('\\') };
            lexer.expand(&text, &env);
            Lexer { skip_unset: true, skip_quotes: raw, ..lexer }.expand(&text, &NoVariables);
        }
    }

    #[test]
    fn plain_text_expands_to_itself(text in "[a-zA-Z0-9 ./,:=+-]{0,30}") {
        let expansion = Lexer::new('\\').expand(&text, &NoVariables);
        prop_assert_eq!(&expansion.text, &text);
        let words: Vec<&str> = text.split_whitespace().collect();
        prop_assert_eq!(expansion.words, words);
    }
}
