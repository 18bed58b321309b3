use std::fmt::Write;

use crate::dockerfile::directive::{DirectiveKind, detect_syntax, find_directive};
use crate::dockerfile::limits::{MAX_LINE_BYTES, MAX_SOURCE_BYTES};
use crate::dockerfile::node::Node;
use crate::dockerfile::parse;

use super::show;

/// The tree, one instruction a line: lines, word, flags, arguments (`!` in front of an exec form).
fn tree(text: &str) -> String {
    let parsed = parse(text);
    let mut out = String::new();
    for node in &parsed.ast.nodes {
        let _ = writeln!(
            out,
            "{}-{} {}",
            node.lines.first,
            node.lines.last,
            line(node)
        );
        for heredoc in &node.heredocs {
            let _ = writeln!(
                out,
                "    <<{} expand={} chomp={} fd={} {:?}",
                heredoc.name, heredoc.expand, heredoc.chomp, heredoc.fd, heredoc.content
            );
        }
        if !node.comments.is_empty() {
            let _ = writeln!(out, "    # {:?}", node.comments);
        }
    }
    for error in &parsed.errors {
        let _ = writeln!(out, "{}", show(text, error));
    }
    out
}

fn line(node: &Node) -> String {
    let mut out = node.name.text.clone();
    for flag in &node.flags {
        let _ = write!(out, " [{}]", flag.text);
    }
    if node.json {
        out.push_str(" !");
    }
    for arg in &node.args {
        let _ = write!(out, " {:?}", arg.text);
    }
    if let Some(child) = &node.child {
        let _ = write!(out, " ({})", line(child));
    }
    out
}

#[test]
fn takes_instructions_apart() {
    insta::assert_snapshot!(tree(
        "FROM --platform=$BUILDPLATFORM alpine AS b\n\
         \n\
         # says hello\n\
         run --mount=type=cache,target=/c  echo  \"a  b\" \\\n\
         \x20 # a comment inside\n\
         \x20 && echo c\n\
         CMD [\"a\", \"b\\u0020c\"]\n\
         ENV A=1 B=\"2 3\" C=x\\ y\n\
         ENV D  4 = 5\n\
         COPY --from=b --chown='1:2' -- --odd /x\n\
         HEALTHCHECK --interval=5s CMD  [\"ok\"]\n\
         ONBUILD RUN a b\n\
         WHAT is this\n"
    ), @r#"
    1-1 FROM [--platform=$BUILDPLATFORM] "alpine" "AS" "b"
    4-6 run [--mount=type=cache,target=/c] "echo  \"a  b\"   && echo c"
        # ["says hello"]
    7-7 CMD ! "a" "b c"
    8-8 ENV "A" "1" "=" "B" "\"2 3\"" "=" "C" "x\\ y" "="
    9-9 ENV "D" "4 = 5" ""
    10-10 COPY [--from=b] [--chown=1:2] "--odd" "/x"
    11-11 HEALTHCHECK [--interval=5s] ! "CMD" "ok"
    12-12 ONBUILD (RUN "a b")
    13-13 WHAT ""
    "#);
}

#[test]
fn spans_cover_what_is_written() {
    let text = "FROM a\nENV  ONE=1 \\\n  TWO='x y'\nCOPY --from=\"b\" c \\\n d\n";
    let parsed = parse(text);
    let words: Vec<&str> = parsed.ast.nodes[1..]
        .iter()
        .flat_map(|n| n.flags.iter().chain(&n.args))
        .map(|word| word.span.slice(text))
        .collect();
    assert_eq!(
        words,
        [
            "ONE",
            "1",
            "=",
            "TWO",
            "'x y'",
            "=",
            "--from=\"b\"",
            "c",
            "d"
        ]
    );
    assert_eq!(
        parsed.ast.nodes[2].span.slice(text),
        "COPY --from=\"b\" c \\\n d"
    );
}

#[test]
fn reads_heredocs() {
    insta::assert_snapshot!(tree(
        "RUN <<EOF cat 3<<'B C' \n\
         one $x\n\
         EOF\n\
         two\n\
         B C\n\
         COPY <<-T << U /x/\n\
         \t\tin\n\
         \tT\n\
         U\n\
         RUN [\"<<EOF\"]\n\
         RUN echo '<<EOF' <<<word\n\
         ONBUILD RUN <<E\n\
         x\n\
         E\n"
    ), @r#"
    1-5 RUN "<<EOF cat 3<<'B C'"
        <<EOF expand=true chomp=false fd=0 "one $x\n"
        <<B C expand=false chomp=false fd=3 "two\n"
    6-9 COPY "<<-T" "<<" "U" "/x/"
        <<T expand=true chomp=true fd=0 "\t\tin\n"
        <<U expand=true chomp=false fd=0 ""
    10-10 RUN ! "<<EOF"
    11-11 RUN "echo '<<EOF' <<<word"
    12-14 ONBUILD (RUN "<<E")
        <<E expand=true chomp=false fd=0 "x\n"
    "#);
}

#[test]
fn comments_belong_to_the_next_instruction() {
    insta::assert_snapshot!(tree(
        "# dropped\n#\n# kept\n\n  # indented\nFROM a\n# \nARG x\n# last\n"
    ), @r##"
    6-6 FROM "a"
        # ["kept", "# indented"]
    8-8 ARG "x"
    "##);
}

#[test]
fn goes_on_after_errors() {
    insta::assert_snapshot!(tree(
        "FROM a\n\
         ENV KEY\n\
         CMD [\"a\", 1]\n\
         LABEL a=1 b\n\
         RUN ok\n\
         RUN <<EOF\n\
         never ends\n"
    ), @r#"
    1-1 FROM "a"
    5-5 RUN "ok"
    [2] `KEY` ENV must have two arguments
    [3] `[\"a\", 1]` when using JSON array syntax, arrays must be comprised of strings only
    [4] `b` Syntax error - can't find = in "b". Must be of the form: name=value
    [6, 7] `RUN <<EOF\nnever ends` unterminated heredoc
    "#);
}

#[test]
fn directives_stand_at_the_very_top() {
    let ast = |text: &str| parse(text).ast;
    assert_eq!(
        ast("# escape=`\nRUN a `\n b\n").nodes[0].args[0].text,
        "a  b"
    );
    assert_eq!(ast("\n# escape=`\nRUN a\n").escape, '\\');
    assert_eq!(ast("# hello\n# escape=`\nRUN a\n").escape, '\\');
    assert_eq!(
        ast("# syntax=a/b:1\n#check = skip=all \nRUN a\n")
            .directives
            .len(),
        2
    );
    assert!(ast("# syntax=a\nRUN a\n").nodes[0].comments.is_empty());
    insta::assert_snapshot!(tree("# escape=x\nRUN a\n"), @r#"
    2-2 RUN "a"
        # ["escape=x"]
    [] `# escape=x` invalid escape token 'x' does not match ` or \
    "#);
    insta::assert_snapshot!(tree("# escape=`\n# escape=`\nRUN a\n"), @r#"
    3-3 RUN "a"
        # ["escape=`"]
    [1] `# escape=`` only one escape parser directive can be used
    "#);
}

#[test]
fn finds_the_frontend_in_every_form() {
    let syntax = |text| detect_syntax(text);
    assert_eq!(
        syntax("#!/bin/x\n# syntax=a/b  and more\n").as_deref(),
        Some("a/b")
    );
    assert_eq!(syntax("\u{FEFF}# SYNTAX = a\n").as_deref(), Some("a"));
    assert_eq!(syntax("// syntax=a\n").as_deref(), Some("a"));
    assert_eq!(syntax("{\"syntax\": \"a b\"}").as_deref(), Some("a b"));
    assert_eq!(syntax("# other=1\n# syntax=a\n"), None);
    let check = find_directive(DirectiveKind::Check, "# syntax=a\n# check=error=true x\n");
    assert_eq!(
        check.map(|d| (d.value, d.lines.first)),
        Some(("error=true x".into(), 2))
    );
}

#[test]
fn byte_order_mark_and_carriage_returns() {
    insta::assert_snapshot!(tree(
        "\u{FEFF}FROM a\r\nRUN b \\\r\n  c\r\nCOPY <<E /x\r\nl\r\nE\r\n"
    ), @r#"
    1-1 FROM "a"
    2-3 RUN "b   c"
    4-6 COPY "<<E" "/x"
        <<E expand=true chomp=false fd=0 "l\r\n"
    "#);
}

#[test]
fn continuation_lines() {
    insta::assert_snapshot!(tree(
        "RUN a \\\n\n b \\ \t\n# c\n c\n\
         RUN not\\\\\n\
         RUN cut off \\"
    ), @r#"
    1-5 RUN "a  b  c"
    6-6 RUN "not\\\\"
    7-7 RUN "cut off"
    "#);
    let parsed = parse("RUN a \\\n\n\n b\n");
    let found = &parsed.ast.empty_continuations;
    assert_eq!(
        (found.len(), found[0].line.first, found[0].blanks.len()),
        (1, 4, 2)
    );
}

#[test]
fn exec_forms_are_json_as_go_reads_it() {
    let json = |args: &str| {
        let parsed = parse(&format!("CMD {args}\n"));
        match parsed.ast.nodes.first() {
            Some(node) if node.json => format!(
                "{:?}",
                node.args.iter().map(|a| &a.text).collect::<Vec<_>>()
            ),
            Some(_) => "shell form".to_owned(),
            None => "error".to_owned(),
        }
    };
    assert_eq!(json("[]"), "[]");
    assert_eq!(
        json(r#"["\ud83d\ude00", "\ud83d", "a\/b"]"#),
        r#"["😀", "�", "a/b"]"#
    );
    assert_eq!(json("['a']"), "shell form");
    assert_eq!(json(r#"["a",]"#), "shell form");
    assert_eq!(json(r#"["a"] b"#), "shell form");
    assert_eq!(json("[01]"), "shell form");
    assert_eq!(json("[1e999]"), "shell form");
    for other in ["[1]", "[null]", "[[]]", r#"["a", {"b": [true, -1.5e3]}]"#] {
        assert_eq!(json(other), "error", "{other}");
    }
    assert_eq!(json(&"[".repeat(60_000)), "shell form");
}

#[test]
fn nothing_to_build() {
    insta::assert_snapshot!(tree(""), @"[] `` file with no instructions");
    insta::assert_snapshot!(tree("# only a comment\n"), @"[1] `` file with no instructions");
}

#[test]
fn limits_are_answered_at_once() {
    let long = format!("FROM a\nRUN {}\n", "x".repeat(MAX_LINE_BYTES - 4));
    assert!(parse(&long).errors.is_empty());
    let longer = format!("FROM a\nRUN {}\nRUN b\n", "x".repeat(MAX_LINE_BYTES - 3));
    let errors = parse(&longer).errors;
    assert_eq!(errors.len(), 1);
    assert_eq!(
        errors[0].message,
        "dockerfile line greater than max allowed size of 65535"
    );
    assert_eq!(errors[0].line_numbers(), [1]);
    let pasted = "RUN a\n".repeat(MAX_SOURCE_BYTES);
    assert_eq!(parse(&pasted).errors[0].code, "text-too-long");
}
