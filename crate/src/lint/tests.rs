use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::platform::Platform;
use crate::dockerfile::reference::Reference;
use crate::dockerfile::scope::BaseConfig;

use super::{Config, Ignored, NoOutside, Options, Outside, RULES, Report, diagnose, lint};

fn show(report: &Report) -> String {
    let line = |found: &Diagnostic| {
        format!(
            "{:?} {}: {}",
            found.line_numbers(),
            found.code,
            found.message
        )
    };
    let mut lines: Vec<String> = report.sorted().into_iter().map(line).collect();
    lines.extend(report.error.iter().map(|e| format!("error {}", line(e))));
    lines.extend(
        report
            .more_errors
            .iter()
            .map(|e| format!("then {}", line(e))),
    );
    lines.join("\n")
}

fn check(text: &str) -> String {
    show(&lint(text, &Options::default()))
}

/// The text with the first fix of each warning of one rule applied.
fn fixed(text: &str, rule: &str) -> String {
    let report = lint(text, &Options::default());
    let fix = report
        .warnings
        .iter()
        .find(|w| w.code == rule)
        .and_then(|w| w.fixes.first());
    fix.map_or_else(|| "no fix".to_owned(), |fix| fix.apply(text))
}

#[test]
fn every_rule_has_its_name_once_and_stands_in_order() {
    let names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    let sorted: Vec<&str> = names
        .iter()
        .copied()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    assert_eq!(names, sorted);
}

#[test]
fn names_and_case() {
    insta::assert_snapshot!(check(
        "FROM scratch as Build\n\
         from scratch AS build\n\
         FROM scratch AS context\n\
         Run a\n"
    ), @r#"
    [1] FromAsCasing: 'as' and 'FROM' keywords' casing do not match
    [1] StageNameCasing: Stage name 'Build' should be lowercase
    [2] ConsistentInstructionCasing: Command 'from' should match the case of the command majority (uppercase)
    [2] DuplicateStageName: Duplicate stage name "build", stage names should be unique
    [2] FromAsCasing: 'AS' and 'from' keywords' casing do not match
    [3] ReservedStageName: Stage name should not use the same name as reserved stage "context"
    [4] ConsistentInstructionCasing: Command 'Run' should match the case of the command majority (uppercase)
    "#);
}

#[test]
fn keys_values_and_secrets() {
    insta::assert_snapshot!(check(
        "FROM scratch\n\
         ENV A 1\n\
         LABEL b c\n\
         ARG api_key TOKEN_FILE\n\
         ENV MONKEY=1 DB_PASSWORD=x\n"
    ), @r#"
    [2] LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format
    [3] LegacyKeyValueFormat: "LABEL key=value" should be used instead of legacy "LABEL key value" format
    [4] SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "api_key")
    [5] SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "DB_PASSWORD")
    "#);
}

#[test]
fn commands_and_ports() {
    insta::assert_snapshot!(check(
        "FROM scratch\n\
         CMD a b\n\
         CMD [\"c\"]\n\
         SHELL [\"/x\"]\n\
         ENTRYPOINT d\n\
         EXPOSE 80/TCP 1.2.3.4:5:6 $P\n\
         MAINTAINER me\n\
         WORKDIR a\n\
         WORKDIR b\n\
         RUN x \\\n\n  y\n"
    ), @r#"
    [2] JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
    [2] MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the same stage because only the last one will be used
    [6] ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port mapping, found '1.2.3.4:5:6'
    [6] ExposeProtoCasing: Defined protocol '80/TCP' in EXPOSE instruction should be lowercase
    [7] MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label
    [8] WorkdirRelativePath: Relative workdir "a" can have unexpected results if the base image changes
    [12] NoEmptyContinuation: Empty continuation line
    "#);
}

#[test]
fn variables() {
    insta::assert_snapshot!(check(
        "ARG BASE=busybox\n\
         FROM ${BSE:-busybox} AS a\n\
         FROM --platform=$TARGETPLATFORM ${BASE}\n\
         ARG USED\n\
         ENV PAHT=$PTH:$USED:$PATH X=$NOPE\n\
         COPY <<E /f\n$GONE ${PAHT}\nE\n\
         RUN --mount=type=cache,target=/m$T echo $quiet\n"
    ), @"
    [2] UndefinedArgInFrom: FROM argument 'BSE' is not declared (did you mean BASE?)
    [3] RedundantTargetPlatform: Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior
    [5] UndefinedVar: Usage of undefined variable '$NOPE'
    [5] UndefinedVar: Usage of undefined variable '$PTH' (did you mean $PATH?)
    [6, 7, 8] UndefinedVar: Usage of undefined variable '$GONE'
    [9] UndefinedVar: Usage of undefined variable '$T' (did you mean $X?)
    ");
}

#[test]
fn platforms() {
    insta::assert_snapshot!(check(
        "FROM --platform=linux/arm64 scratch\n\
         FROM --platform=linux/arm64 scratch AS build-arm64\n\
         FROM --platform=$BUILDPLATFORM scratch AS x\n"
    ), @r#"[1] FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value "linux/arm64""#);
}

#[test]
fn stops_at_the_first_error_unless_told_otherwise() {
    let text = "FROM scratch as a\nWRONG\nMAINTAINER me\nEXPOSE x\nENV A=$B\nUSER\n";
    insta::assert_snapshot!(check(text), @"
    [1] FromAsCasing: 'as' and 'FROM' keywords' casing do not match
    error [2] unknown-instruction: dockerfile parse error on line 2: unknown instruction: WRONG
    ");
    insta::assert_snapshot!(show(&diagnose(text, &Options::default())), @"
    [1] FromAsCasing: 'as' and 'FROM' keywords' casing do not match
    [3] MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label
    [5] UndefinedVar: Usage of undefined variable '$B'
    error [2] unknown-instruction: dockerfile parse error on line 2: unknown instruction: WRONG
    then [6] wrong-arguments: dockerfile parse error on line 6: USER requires exactly one argument
    then [4] refused: invalid containerPort: x
    ");
    assert_eq!(
        diagnose(text, &Options::default()).error,
        lint(text, &Options::default()).error
    );
}

#[test]
fn the_check_directive() {
    let text = "FROM scratch as Foo\nMAINTAINER me\n";
    insta::assert_snapshot!(check(&format!("# check=skip=FromAsCasing,StageNameCasing\n{text}")), @"[3] MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label");
    insta::assert_snapshot!(check(&format!("# check=skip=all;error=true\n{text}")), @"");
    insta::assert_snapshot!(check(&format!("# check=error=true;skip=FromAsCasing\n{text}")), @"
    [2] StageNameCasing: Stage name 'Foo' should be lowercase
    [3] MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label
    error [] lint-violation: lint violation found for rules: MaintainerDeprecated, StageNameCasing
    ");
    insta::assert_snapshot!(check(&format!("# check=bogus\n{text}")), @r#"error [] invalid-check-options: failed to parse check options: invalid check option "bogus""#);
    insta::assert_snapshot!(check("FROM scratch\n# check=skip=JSONArgsRecommended\nCMD a\nCMD b\n"), @"
    [3] MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the same stage because only the last one will be used
    [4] JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals
    ");
    insta::assert_snapshot!(check("# check=experimental=all\n# odd\nFROM scratch AS a\n# A is it\n# B\nARG A B\n"), @"[3] InvalidDefinitionDescription: Comment for FROM should follow the format: `# a <description>`");
    let mut options = Options::default();
    options
        .request
        .build_args
        .insert("BUILDKIT_DOCKERFILE_CHECK".into(), "skip=all".into());
    assert_eq!(
        lint(&format!("# check=error=true\n{text}"), &options),
        Report::default()
    );
    let config = Config::parse("skip=A, B;experimental=all;error=1");
    assert_eq!(
        config.map(|c| (c.skip.len(), c.experimental_all, c.error)),
        Ok((2, true, true))
    );
    assert!(Config::parse("error=maybe").is_err());
    assert!(Config::parse("what=1").is_err());
}

#[test]
fn nothing_and_too_little() {
    insta::assert_snapshot!(check(""), @"error [] empty: the Dockerfile cannot be empty");
    insta::assert_snapshot!(check("ARG a\n"), @"error [] no-stages: dockerfile contains no stages to build");
    insta::assert_snapshot!(check("RUN a\n"), @"error [1] no-stage: no build stage in current context");
}

struct Everything;

impl Ignored for Everything {
    fn has_exceptions(&self) -> bool {
        false
    }

    fn ignores_all(&self) -> bool {
        false
    }

    fn ignores(&self, path: &str) -> bool {
        path != "kept"
    }
}

struct Arm(Option<Everything>);

impl Outside for Arm {
    fn image(&self, name: &Reference, _: &Platform) -> Result<BaseConfig, String> {
        if name.path == "library/gone" {
            return Err("not found".to_owned());
        }
        let platform = Platform::new("linux", "arm64");
        let onbuild = vec![
            "ENV FROM_TRIGGER x".to_owned(),
            "WORKDIR $NOWHERE".to_owned(),
        ];
        Ok(BaseConfig {
            platform,
            onbuild,
            has_layers: true,
            ..BaseConfig::default()
        })
    }

    fn ignored(&self) -> Option<&dyn Ignored> {
        self.0.as_ref().map(|ignored| ignored as &dyn Ignored)
    }
}

#[test]
fn what_is_outside_counts() {
    let outside = Arm(Some(Everything));
    let options = Options {
        outside: &outside,
        ..Options::default()
    };
    let text = "FROM a\nCOPY . kept ./x/../y /\nADD <<E https://h/f z /\nE\nCOPY --from=b c /\n";
    insta::assert_snapshot!(show(&lint(text, &options)), @r#"
    [1] InvalidBaseImagePlatform: Base image a was pulled with platform "linux/arm64", expected "linux/amd64" for current build
    [1] LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format
    [1] UndefinedVar: Usage of undefined variable '$NOWHERE'
    [1] WorkdirRelativePath: Relative workdir "" can have unexpected results if the base image changes
    [2] CopyIgnoredFile: Attempting to Copy file "y" that is excluded by .dockerignore
    [3, 4] CopyIgnoredFile: Attempting to Add file "z" that is excluded by .dockerignore
    [5] InvalidBaseImagePlatform: Base image b was pulled with platform "linux/arm64", expected "linux/amd64" for current build
    [5] LegacyKeyValueFormat: "ENV key=value" should be used instead of legacy "ENV key value" format
    [5] UndefinedVar: Usage of undefined variable '$NOWHERE'
    [5] WorkdirRelativePath: Relative workdir "" can have unexpected results if the base image changes
    "#);
    insta::assert_snapshot!(show(&lint("FROM gone\n", &options)), @"error [1] missing-image: gone: not found");
}

#[test]
fn only_a_check_looks_at_stages_that_are_not_needed() {
    let text = "FROM scratch AS a\nCMD x\nFROM scratch\nENV A=1\n";
    let build = Options {
        all_stages: false,
        ..Options::default()
    };
    assert_eq!(lint(text, &build).warnings.len(), 0);
    assert_eq!(lint(text, &Options::default()).warnings.len(), 1);
    let missing = Options {
        all_stages: false,
        outside: &Arm(None),
        ..Options::default()
    };
    assert_eq!(lint("FROM gone AS a\nFROM scratch\n", &missing).error, None);
    // A build does not go through the triggers of an image that only files are taken from.
    assert_eq!(
        lint("FROM scratch\nCOPY --from=b c /\n", &missing)
            .warnings
            .len(),
        1
    );
}

#[test]
fn fixes_do_what_they_say() {
    for (rule, text, wanted) in [
        (
            "StageNameCasing",
            "FROM scratch AS Foo\n",
            "FROM scratch AS foo\n",
        ),
        (
            "FromAsCasing",
            "FROM scratch as foo\n",
            "FROM scratch AS foo\n",
        ),
        (
            "NoEmptyContinuation",
            "FROM scratch\nENV A=1 \\\n\n B=2\n",
            "FROM scratch\nENV A=1 \\\n B=2\n",
        ),
        (
            "ConsistentInstructionCasing",
            "FROM scratch\nenv A=1\n",
            "FROM scratch\nENV A=1\n",
        ),
        (
            "JSONArgsRecommended",
            "FROM scratch\nCMD a  --b /c\n",
            "FROM scratch\nCMD [\"a\", \"--b\", \"/c\"]\n",
        ),
        (
            "JSONArgsRecommended",
            "FROM scratch\nCMD a && b\n",
            "no fix",
        ),
        (
            "MaintainerDeprecated",
            "FROM scratch\nMAINTAINER A <b@c.d>\n",
            "FROM scratch\nLABEL org.opencontainers.image.authors=\"A <b@c.d>\"\n",
        ),
        (
            "UndefinedArgInFrom",
            "ARG TAG=1\nFROM a:${TAGG}x\n",
            "ARG TAG=1\nFROM a:${TAG}x\n",
        ),
        (
            "UndefinedVar",
            "FROM scratch\nENV B=$PAHT:$PAHTS\n",
            "FROM scratch\nENV B=$PATH:$PAHTS\n",
        ),
        (
            "WorkdirRelativePath",
            "FROM scratch\nWORKDIR app\n",
            "FROM scratch\nWORKDIR /app\n",
        ),
        (
            "MultipleInstructionsDisallowed",
            "FROM scratch\nCMD [\"a\"]\nCMD [\"b\"]\n",
            "FROM scratch\nCMD [\"b\"]\n",
        ),
        (
            "LegacyKeyValueFormat",
            "FROM scratch\nENV A  b c\n",
            "FROM scratch\nENV A=\"b c\"\n",
        ),
        (
            "LegacyKeyValueFormat",
            "FROM scratch\nENV A b'c'\n",
            "no fix",
        ),
        (
            "RedundantTargetPlatform",
            "FROM --platform=$TARGETPLATFORM scratch\n",
            "FROM scratch\n",
        ),
        (
            "ExposeProtoCasing",
            "FROM scratch\nEXPOSE 1 2/UDP\n",
            "FROM scratch\nEXPOSE 1 2/udp\n",
        ),
        (
            "ExposeInvalidFormat",
            "FROM scratch\nEXPOSE 5:6/tcp\n",
            "FROM scratch\nEXPOSE 6/tcp\n",
        ),
    ] {
        let out = fixed(text, rule);
        assert_eq!(out, wanted, "{rule}");
        if out != "no fix" {
            let left = lint(&out, &Options::default());
            assert!(
                left.warnings.len() < lint(text, &Options::default()).warnings.len(),
                "{rule} is still there"
            );
        }
    }
}

proptest! {
    #[test]
    fn any_stage_is_checked_without_panic(
        lines in prop::collection::vec(
            "(FROM|RUN|ENV|ARG|COPY|EXPOSE|LABEL|CMD|ONBUILD|VOLUME|# check=) [a-z$:{}/= \"'-]{0,14}\n",
            0..10,
        ),
    ) {
        let text = format!("ARG a=b\nFROM a\n{}", lines.concat());
        let options = Options { outside: &NoOutside, ..Options::default() };
        let (strict, all) = (lint(&text, &options), diagnose(&text, &options));
        prop_assert_eq!(&strict.error, &all.error);
        prop_assert!(strict.warnings.len() <= all.warnings.len());
        for found in all.warnings.iter().chain(&all.error).chain(&all.more_errors) {
            for span in found.span.iter().chain(found.fixes.iter().flat_map(|f| f.edits.iter().map(|e| &e.span))) {
                prop_assert!(text.get(span.start..span.end).is_some());
            }
        }
    }
}
