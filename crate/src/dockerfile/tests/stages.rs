use crate::dockerfile::diagnostic::Diagnostic;
use crate::dockerfile::expand::Lexer;
use crate::dockerfile::globals::{Globals, Request};
use crate::dockerfile::graph::{Base, Graph};
use crate::dockerfile::instruction::{Command, Dockerfile, parse_stages};
use crate::dockerfile::parse;
use crate::dockerfile::resolve::resolve;
use crate::dockerfile::scope::{BaseConfig, Scope, Surroundings};

use super::show;

fn file(text: &str) -> Dockerfile {
    parse_stages(&parse(text).ast)
}

fn globals(file: &Dockerfile, request: &Request) -> Result<Globals, Diagnostic> {
    let lexer = Lexer::new('\\');
    Globals::predefined(file, request).with_meta_args(file, lexer, &request.build_args)
}

/// The nodes: label, base, sources.
fn graph(text: &str) -> String {
    let file = file(text);
    let request = Request::default();
    let outcome = globals(&file, &request).and_then(|globals| {
        let mut graph = Graph::new(&file, Lexer::new('\\'), &globals, &mut |_| {})?;
        let target = graph.target(&request)?;
        graph.link()?;
        resolve(
            &mut graph,
            target,
            false,
            &request,
            &mut |name, platform| {
                if name.path == "library/none" {
                    return Err("not found".to_owned());
                }
                let onbuild = match name.path.as_str() {
                    "library/trigger" => vec!["COPY --from=tools /t /t".to_owned()],
                    _ => Vec::new(),
                };
                Ok(BaseConfig {
                    onbuild,
                    platform: platform.clone(),
                    ..BaseConfig::default()
                })
            },
        )?;
        let needed = graph.reachable(target);
        let lines = graph.nodes.iter().enumerate().map(|(number, node)| {
            let base = match &node.base {
                Base::Scratch => "scratch".to_owned(),
                Base::Node(node) => format!("#{node}"),
                Base::Image(name) => name.clone(),
            };
            let sources: Vec<usize> = node.sources.iter().map(|(node, _)| *node).collect();
            let mark = if needed.contains(&number) { ' ' } else { '-' };
            format!(
                "{mark}#{number} {:?} from {base}, files from {sources:?}",
                node.label
            )
        });
        Ok(lines.collect::<Vec<_>>().join("\n"))
    });
    outcome.unwrap_or_else(|error| show(text, &error))
}

#[test]
fn stages_images_and_mounts_become_nodes() {
    insta::assert_snapshot!(graph(
        "ARG V=1\n\
         FROM base:$V AS one\n\
         FROM one AS two\n\
         COPY --from=ONE /a /a\n\
         COPY --from=tool:2 /b /b\n\
         FROM scratch\n\
         COPY --from=1 /c /c\n\
         RUN --mount=from=one,target=/o --mount=type=cache,target=/c true\n\
         FROM two\n\
         FROM one AS one\n"
    ), @r#"
     #0 "one" from base:1, files from []
    -#1 "two" from #0, files from [4, 5]
    -#2 "stage-2" from scratch, files from [1, 4, 6]
    -#3 "stage-3" from #1, files from []
     #4 "one" from #0, files from []
    -#5 "" from tool:2, files from []
    -#6 "" from scratch, files from []
    "#);
}

#[test]
fn onbuild_instructions_come_first_and_bring_their_sources() {
    insta::assert_snapshot!(graph("FROM trigger\nRUN a\n"), @r#"
    #0 "" from trigger, files from [1]
    #1 "" from tools, files from []
    "#);
    insta::assert_snapshot!(
        graph("FROM a AS a\nONBUILD COPY --from=x /y /y\nONBUILD RUN b\nFROM a\nRUN c\n"), @r#"
    #0 "a" from a, files from []
    #1 "stage-1" from #0, files from [2]
    #2 "" from x, files from []
    "#);
    insta::assert_snapshot!(graph("FROM a AS a\nONBUILD WHAT\nFROM a\n"), @"[3] `FROM a` unknown instruction: WHAT");
}

#[test]
fn what_makes_no_graph() {
    let all: Vec<String> = [
        "ARG x\n",
        "FROM $NOPE\n",
        "FROM --platform=$NOPE a\n",
        "FROM --platform=what a\n",
        "FROM a^b\n",
        "FROM none\n",
        "FROM alpin AS none\nFROM none\n",
        "FROM a\nCOPY --from=$x b c\n",
        "FROM a\nCOPY --from=7 b c\n",
        "FROM a AS a\nCOPY --from=a b c\n",
        "FROM a AS a\nCOPY --from=b b c\nFROM a AS b\nRUN --mount=from=a,target=/x y\n",
        "ARG A=${x:?must be given}\nFROM a\n",
    ]
    .into_iter()
    .map(graph)
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    [] `` dockerfile contains no stages to build
    [1] `FROM $NOPE` base name ($NOPE) should not be blank
    [1] `FROM --platform=$NOPE a` empty platform value from expression $NOPE
    [1] `FROM --platform=what a` failed to parse platform what: "what": unknown operating system or architecture: invalid argument
    [1] `FROM a^b` failed to parse stage name "a^b": invalid reference format
    [1] `FROM none` none: not found
     #0 "none" from alpin, files from []
     #1 "stage-1" from #0, files from []
    [] `COPY --from=$x b c` variable expansion is not supported for --from, define a new stage with FROM using ARG from global scope as a workaround
    [] `COPY --from=7 b c` invalid stage index 7
    [2] `FROM a AS a` circular dependency detected on stage: a
    [2, 4] `FROM a AS a` circular dependency detected on stage: a
    [1] `ARG A=${x:?must be given}` failed to process "${x:?must": syntax error: missing '}'
    "#);
}

#[test]
fn build_arguments_override_defaults_and_predefined_variables() {
    let file = file("ARG A=1\nARG B=$A-${TARGETARCH}\nARG C\nFROM x AS last\n");
    let mut request = Request::default();
    request.build_args.insert("A".into(), "2".into());
    request.build_args.insert("TARGETARCH".into(), "z80".into());
    let globals = globals(&file, &request).expect("the defaults expand");
    let env: Vec<String> = globals
        .env
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    insta::assert_snapshot!(env.join("\n"), @"
    BUILDPLATFORM=linux/amd64
    BUILDOS=linux
    BUILDOSVERSION=
    BUILDARCH=amd64
    BUILDVARIANT=
    TARGETPLATFORM=linux/amd64
    TARGETOS=linux
    TARGETOSVERSION=
    TARGETARCH=z80
    TARGETVARIANT=
    TARGETSTAGE=last
    A=2
    B=2-z80
    ");
    assert!(globals.declared.contains("C"));
}

/// Goes through a stage on an image with `config`.
fn apply(text: &str, config: &BaseConfig) -> (Scope, Vec<String>) {
    let file = file(text);
    let request = Request::default();
    let globals = globals(&file, &request).expect("the defaults expand");
    let around = Surroundings {
        lexer: Lexer::new('\\'),
        globals: &globals,
        build_args: &request.build_args,
    };
    let mut scope = Scope::on_image(config, request.target_platform.clone());
    let mut seen = Vec::new();
    for instruction in &file.stages[0].instructions {
        // Every mount has a source, if only scratch.
        let sources: &[usize] = match &instruction.command {
            Command::Run(run) => &vec![0; run.mounts.len()],
            _ => &[],
        };
        let applied = scope.apply(instruction, sources, &|_| true, "stage-0", around);
        seen.extend(applied.notes.iter().map(|note| format!("{note:?}")));
        seen.extend(applied.error.map(|error| format!("! {error}")));
    }
    (scope, seen)
}

#[test]
fn a_stage_takes_over_what_instructions_set() {
    let config = BaseConfig {
        env: vec!["A=1".into(), "B=2".into()],
        working_dir: "/w".into(),
        ..BaseConfig::default()
    };
    let text = "ARG G=global\nFROM x\nARG G\nARG D=$A$G\nENV A=$A-$D\nWORKDIR $B\nUSER u$A\n";
    let (scope, notes) = apply(text, &config);
    let env: Vec<String> = scope.env.iter().map(|(k, v)| format!("{k}={v}")).collect();
    insta::assert_snapshot!(env.join("\n"), @"
    B=2
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    G=global
    D=1global
    A=1-1global
    ");
    let kept: Vec<String> = scope
        .config_env
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    insta::assert_snapshot!(kept.join("\n"), @"
    A=1-1global
    B=2
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    ");
    assert_eq!(
        (scope.working_dir.as_str(), scope.user.as_str()),
        ("/w/2", "u1-1global")
    );
    insta::assert_snapshot!(notes.join("\n"), @r#"
    Defined { instruction: "ARG", name: "G" }
    Defined { instruction: "ARG", name: "D" }
    Defined { instruction: "ENV", name: "A" }
    RelativeWorkdir("2")
    "#);
}

#[test]
fn refuses_what_a_build_would_refuse() {
    let all: Vec<String> = [
        "COPY --chmod=999 a b",
        "COPY https://h/a b",
        "COPY https://h/a.git b",
        "ADD --checksum=sha256:0 a b",
        "ADD --checksum=md5:0 https://h/a b",
        "RUN --mount=target=/ a",
        "RUN --mount=target=. a",
        "RUN --mount=type=ssh,source=/a a",
        "RUN --device=a a",
        "EXPOSE 80/x",
        "STOPSIGNAL NOPE",
        "VOLUME $NOPE",
        "ENV A=${A:?}",
    ]
    .into_iter()
    .map(|instruction| {
        let (_, seen) = apply(&format!("FROM x\n{instruction}\n"), &BaseConfig::default());
        seen.last().cloned().unwrap_or_default()
    })
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    ! invalid chmod parameter: '999'. it should be octal string and between 0 and 07777
    ! source can't be a URL for COPY
    ! source can't be a git ref for COPY
    ! checksum requires HTTP(S) or Git sources
    ! unsupported digest algorithm
    ! invalid mount target "/"
    ! invalid mount target "/"
    ! ssh does not support source
    ! device feature is only supported in Dockerfile frontend 1.14.0-labs or later
    ! invalid port: "80/x": invalid proto: x
    ! invalid signal: NOPE
    ! VOLUME specified can not be an empty string
    ! failed to process "${A:?}": A: is not allowed to be unset
    "#);
}
