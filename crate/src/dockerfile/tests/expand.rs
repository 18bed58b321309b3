use crate::dockerfile::env::Env;
use crate::dockerfile::expand::{Lexer, NoVariables};
use crate::dockerfile::limits::{MAX_EXPANSION_BYTES, MAX_EXPANSION_DEPTH};

fn env() -> Env {
    let mut env = Env::new();
    for (name, value) in [
        ("x", "one"),
        ("empty", ""),
        ("path", "/a/b/c.tar.gz"),
        ("two", "a b"),
        ("π", "pi"),
        ("lines", "a\nb"),
    ] {
        env.set(name, value);
    }
    env
}

fn expand(word: &str) -> String {
    match Lexer::new('\\').expand(word, &env()).into_text() {
        Ok(text) => text,
        Err(error) => format!("! {error}"),
    }
}

#[test]
fn substitutions() {
    for (word, wanted) in [
        ("$x-${x}_$xy", "one-one_"),
        ("${nope:-d} ${empty:-d} ${empty-d} ${x:-d}", "d d  one"),
        ("${nope:+d}|${empty:+d}|${empty+d}|${x:+d}", "||d|d"),
        ("${x:?no} ${x?no}", "one one"),
        ("${nope:-${x}$x}", "oneone"),
        ("${path#*/}", "a/b/c.tar.gz"),
        ("${path##*/}", "c.tar.gz"),
        ("${path%.*}", "/a/b/c.tar"),
        ("${path%%.*}", "/a/b/c"),
        ("${path%?z}", "/a/b/c.tar."),
        ("${path/\\//_}", "_a/b/c.tar.gz"),
        ("${path//\\//_}", "_a_b_c.tar.gz"),
        ("${path//./$1!}", "/a/b/c!tar!gz"),
        ("${x/n*/-}", "o-"),
        ("${lines#*}", "a\nb"),
        ("${lines##?*}", "\nb"),
        ("${π}$π", "pipi"),
        ("$1$?$$ $", " $"),
        ("$é", ""),
    ] {
        assert_eq!(expand(word), wanted, "{word}");
    }
}

#[test]
fn quotes_and_escapes() {
    for (word, wanted) in [
        (r#""a  $x" '$x' \$x"#, "a  one $x $x"),
        (r#""\a \" \\ \$x""#, r#"\a " \ $x"#),
        (r"a\b\\c", r"ab\c"),
        (r"end\", "end"),
        ("a << b <c", "a << b <c"),
    ] {
        assert_eq!(expand(word), wanted, "{word}");
    }
    let backtick = Lexer::new('`').expand("C:\\a`$x", &env());
    assert_eq!(backtick.text, "C:\\a$x");
    let raw = Lexer {
        raw_quotes: true,
        raw_escapes: true,
        ..Lexer::new('\\')
    };
    assert_eq!(raw.expand(r#"'a' "$x" \b"#, &env()).text, r#"'a' "one" \b"#);
    let plain = Lexer {
        skip_quotes: true,
        ..Lexer::new('\\')
    };
    assert_eq!(plain.expand("it's \"$x\"", &env()).text, "it's \"one\"");
    let keep = Lexer {
        skip_unset: true,
        ..Lexer::new('\\')
    };
    assert_eq!(
        keep.expand("$no ${no} ${no:-a} ${no/a/b} $x", &env()).text,
        "$no ${no} ${no:-a} ${no/a/b} one"
    );
}

#[test]
fn words_split_at_unquoted_blanks() {
    let words = |word: &str| Lexer::new('\\').expand(word, &env()).words;
    assert_eq!(
        words("  a 'b c' $two \"$two\"\\ d "),
        ["a", "b c", "a", "b", "a b d"]
    );
    // An expansion with a modifier loses what the word had before it.
    assert_eq!(words("80${x:+1}"), ["1"]);
    assert_eq!(words("a$nope b"), ["a", "b"]);
}

#[test]
fn tells_which_variables_were_used() {
    let found = Lexer::new('\\').expand("$x ${a:-$b} ${x:+$c} '$d' $a", &env());
    assert_eq!(found.matched.into_iter().collect::<Vec<_>>(), ["x"]);
    assert_eq!(
        found.unmatched.into_iter().collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
}

#[test]
fn errors_read_like_those_of_the_reference() {
    let errors: Vec<String> = [
        "${x",
        "${x:",
        "${",
        "${}",
        "${x:=a}",
        "${x^}",
        "${x:#a}",
        "${x:-a",
        "${x/a}",
        "${x/a/b",
        "${nope:?}",
        "${empty:?}",
        "${nope?say it}",
        "${x#\\a}",
        "'a",
        "\"a",
    ]
    .into_iter()
    .map(expand)
    .collect();
    insta::assert_snapshot!(errors.join("\n"), @r#"
    ! failed to process "${x": unsupported modifier (�) in substitution
    ! failed to process "${x:": syntax error: missing '}'
    ! failed to process "${": syntax error: missing '}'
    ! failed to process "${}": syntax error: bad substitution
    ! failed to process "${x:=a}": unsupported modifier (:=) in substitution
    ! failed to process "${x^}": unsupported modifier (^) in substitution
    ! failed to process "${x:#a}": unsupported modifier (:#) in substitution
    ! failed to process "${x:-a": syntax error: missing '}'
    ! failed to process "${x/a}": syntax error: missing '/' in ${}
    ! failed to process "${x/a/b": syntax error: missing '}'
    ! failed to process "${nope:?}": nope: is not allowed to be unset
    ! failed to process "${empty:?}": empty: is not allowed to be empty
    ! failed to process "${nope?say it}": nope: say it
    ! failed to process "${x#\\a}": invalid pattern (\a) in substitution: invalid escape '\a'
    ! failed to process "'a": unexpected end of statement while looking for matching single-quote
    ! failed to process "\"a": unexpected end of statement while looking for matching double-quote
    "#);
}

#[test]
fn limits_hold() {
    let deep = "${a:-".repeat(MAX_EXPANSION_DEPTH * 50);
    assert!(expand(&deep).starts_with("! "));
    let mut env = Env::new();
    env.set("big", "x".repeat(MAX_EXPANSION_BYTES / 2));
    let error = Lexer::new('\\').expand("$big$big$big", &env).error;
    assert!(error.is_some_and(|e| e.ends_with("more than 131072 bytes longer than the word")));
    let error = Lexer::new('\\').expand("${big//x/$big}", &env).error;
    assert!(error.is_some_and(|e| e.ends_with("more than 131072 bytes longer than the word")));
    assert_eq!(Lexer::new('\\').expand("${a:-b}", &NoVariables).text, "b");
}

#[test]
fn environment_keeps_the_order_of_setting() {
    let mut env = Env::new();
    for (name, value) in [("a", "1"), ("b", "2"), ("a", "33")] {
        env.set(name, value);
    }
    assert_eq!(env.iter().collect::<Vec<_>>(), [("b", "2"), ("a", "33")]);
    assert_eq!((env.len(), env.bytes()), (2, 5));
}
