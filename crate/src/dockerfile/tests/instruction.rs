use crate::dockerfile::instruction::{Command, parse_stages};
use crate::dockerfile::parse;

use super::show;

/// The first error of `FROM a` and the given instruction.
fn error(instruction: &str) -> String {
    let text = format!("FROM a\n{instruction}\n");
    let file = parse_stages(&parse(&text).ast);
    file.error()
        .map_or_else(|| "fine".to_owned(), |error| show(&text, error))
}

fn command(instruction: &str) -> Option<Command> {
    let file = parse_stages(&parse(&format!("FROM a\n{instruction}\n")).ast);
    file.stages
        .into_iter()
        .next()?
        .instructions
        .into_iter()
        .next()
        .map(|i| i.command)
}

#[test]
fn refuses_in_the_words_of_the_reference() {
    let all: Vec<String> = [
        "CPOY a b",
        "blah",
        "COPY --form=x a b",
        "COPY --chown a b",
        "COPY --link=maybe a b",
        "COPY --link= a b",
        "COPY --chown=1 --chown=2 a b",
        "COPY a",
        "COPY a <<E\nE",
        "ENV --x=1 A=1",
        "ENV",
        "ENV =1",
        "ARG =1",
        "RUN --network=maybe a",
        "RUN --security=none a",
        "RUN --mount=type=cache,\\\"a b",
        "RUN --mount=from=$x a",
        "RUN --mount= a",
        "RUN --device=a,b a",
        "SHELL bash -c",
        "SHELL []",
        "VOLUME [\" \"]",
        "MAINTAINER",
        "ONBUILD",
        "ONBUILD ONBUILD RUN a",
        "ONBUILD FROM b",
        "HEALTHCHECK",
        "HEALTHCHECK NONE x",
        "HEALTHCHECK CMD",
        "HEALTHCHECK FOO x",
        "HEALTHCHECK --interval=1 CMD a",
        "HEALTHCHECK --interval=1us CMD a",
        "HEALTHCHECK --interval=1x CMD a",
        "HEALTHCHECK --retries=-1 CMD a",
        "HEALTHCHECK --retries=x CMD a",
        "FROM b AS 1x",
        "FROM b IS x",
        "FROM --plat=x b",
        "STOPSIGNAL",
    ]
    .into_iter()
    .map(error)
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    [2] `CPOY` dockerfile parse error on line 2: unknown instruction: CPOY (did you mean COPY?)
    [2] `blah` dockerfile parse error on line 2: unknown instruction: blah
    [2] `--form=x` dockerfile parse error on line 2: unknown flag: --form (did you mean from?)
    [2] `--chown` dockerfile parse error on line 2: missing a value on flag: --chown
    [2] `--link=maybe` dockerfile parse error on line 2: expecting boolean value for flag --link, not: maybe
    [2] `--link=` dockerfile parse error on line 2: missing a value on flag: --link
    [2] `--chown=2` dockerfile parse error on line 2: duplicate flag specified: --chown
    [2] `COPY a` dockerfile parse error on line 2: COPY requires at least two arguments, but only one was provided. Destination could not be determined
    [2, 3] `<<E` dockerfile parse error on line 2: COPY cannot accept a heredoc as a destination
    [2] `--x=1` dockerfile parse error on line 2: unknown flag: --x
    [2] `ENV` dockerfile parse error on line 2: ENV requires at least one argument
    [2] `` dockerfile parse error on line 2: ENV names can not be blank
    [2] `=1` dockerfile parse error on line 2: ARG names can not be blank
    [2] `--network=maybe` dockerfile parse error on line 2: invalid network mode "maybe"
    [2] `--security=none` dockerfile parse error on line 2: security "none" is not valid
    [2] `--mount=type=cache,\\\"a` dockerfile parse error on line 2: failed to parse csv mounts: parse error on line 1, column 13: extraneous or missing " in quoted-field
    [2] `--mount=from=$x` dockerfile parse error on line 2: 'from' doesn't support variable expansion, define alias stage instead
    [2] `--mount=` dockerfile parse error on line 2: failed to parse csv mounts: EOF
    [2] `--device=a,b` dockerfile parse error on line 2: invalid field 'b' must be a key=value pair
    [2] `SHELL bash -c` dockerfile parse error on line 2: SHELL requires the arguments to be in JSON form
    [2] `SHELL []` dockerfile parse error on line 2: SHELL requires at least one argument
    [2] `VOLUME [\" \"]` dockerfile parse error on line 2: VOLUME specified can not be an empty string
    [2] `MAINTAINER` dockerfile parse error on line 2: MAINTAINER requires exactly one argument
    [2] `ONBUILD` dockerfile parse error on line 2: ONBUILD requires at least one argument
    [2] `ONBUILD ONBUILD RUN a` dockerfile parse error on line 2: Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed
    [2] `ONBUILD FROM b` dockerfile parse error on line 2: FROM isn't allowed as an ONBUILD trigger
    [2] `HEALTHCHECK` dockerfile parse error on line 2: HEALTHCHECK requires at least one argument
    [2] `HEALTHCHECK NONE x` dockerfile parse error on line 2: HEALTHCHECK NONE takes no arguments
    [2] `HEALTHCHECK CMD` dockerfile parse error on line 2: Missing command after HEALTHCHECK CMD
    [2] `HEALTHCHECK FOO x` dockerfile parse error on line 2: Unknown type "FOO" in HEALTHCHECK (try CMD)
    [2] `HEALTHCHECK --interval=1 CMD a` dockerfile parse error on line 2: time: missing unit in duration "1"
    [2] `HEALTHCHECK --interval=1us CMD a` dockerfile parse error on line 2: Interval "interval" cannot be less than 1ms
    [2] `HEALTHCHECK --interval=1x CMD a` dockerfile parse error on line 2: time: unknown unit "x" in duration "1x"
    [2] `HEALTHCHECK --retries=-1 CMD a` dockerfile parse error on line 2: --retries cannot be negative (-1)
    [2] `HEALTHCHECK --retries=x CMD a` dockerfile parse error on line 2: strconv.ParseInt: parsing "x": invalid syntax
    [2] `1x` dockerfile parse error on line 2: invalid name for build stage: "1x", name can't start with a number or contain symbols
    [2] `FROM b IS x` dockerfile parse error on line 2: FROM requires either one or three arguments
    [2] `--plat=x` dockerfile parse error on line 2: unknown flag: --plat
    [2] `STOPSIGNAL` dockerfile parse error on line 2: STOPSIGNAL requires exactly one argument
    "#);
}

#[test]
fn all_errors_of_a_file_are_found() {
    let text = "RUN a\nARG x\nFROM a\nWRONG\nUSER\nFROM b AS c d\n";
    let file = parse_stages(&parse(text).ast);
    let errors: Vec<String> = file.errors.iter().map(|e| show(text, e)).collect();
    insta::assert_snapshot!(errors.join("\n"), @"
    [1] `RUN a` no build stage in current context
    [4] `WRONG` dockerfile parse error on line 4: unknown instruction: WRONG
    [5] `USER` dockerfile parse error on line 5: USER requires exactly one argument
    [6] `FROM b AS c d` dockerfile parse error on line 6: FROM requires either one or three arguments
    ");
    assert_eq!((file.meta_args.len(), file.stages.len()), (1, 1));
}

#[test]
fn reads_flags_and_arguments() {
    insta::assert_debug_snapshot!([
        command("ADD --checksum=sha256:a --keep-git-dir=false --unpack --link --exclude=a --exclude=b s1 s2 d"),
        command("COPY --from=b --parents <<-A <<'B' x /d/\n\ta\nA\n$b\nB"),
        command("HEALTHCHECK --interval=1m30s --timeout=1.5s --retries=3 CMD curl x"),
        command("EXPOSE 90 80/udp"),
        command("LABEL a 'b  c' d"),
    ], @r#"
    [
        Some(
            Add(
                Add {
                    transfer: Transfer {
                        sources: [
                            "s1",
                            "s2",
                        ],
                        contents: [],
                        dest: "d",
                        chown: "",
                        chmod: "",
                        link: true,
                        exclude: [
                            "a",
                            "b",
                        ],
                    },
                    keep_git_dir: Some(
                        false,
                    ),
                    checksum: "sha256:a",
                    unpack: Some(
                        true,
                    ),
                },
            ),
        ),
        Some(
            Copy(
                Copy {
                    transfer: Transfer {
                        sources: [
                            "x",
                        ],
                        contents: [
                            InlineContent {
                                path: "A",
                                data: "a\n",
                                expand: true,
                            },
                            InlineContent {
                                path: "B",
                                data: "$b\n",
                                expand: false,
                            },
                        ],
                        dest: "/d/",
                        chown: "",
                        chmod: "",
                        link: false,
                        exclude: [],
                    },
                    from: "b",
                    parents: true,
                },
            ),
        ),
        Some(
            Healthcheck(
                Healthcheck {
                    test: [
                        "CMD-SHELL",
                        "curl x",
                    ],
                    interval: 90000000000,
                    timeout: 1500000000,
                    start_period: 0,
                    start_interval: 0,
                    retries: 3,
                },
            ),
        ),
        Some(
            Expose(
                [
                    "80/udp",
                    "90",
                ],
            ),
        ),
        Some(
            Label(
                [
                    KeyValue {
                        key: "a",
                        value: "'b  c' d",
                        legacy: true,
                    },
                ],
            ),
        ),
    ]
    "#);
}

#[test]
fn mounts_are_complete_once_expanded() {
    let mounts = |flag: &str| {
        let file = parse_stages(&parse(&format!("FROM a\nRUN --mount={flag} x\n")).ast);
        let mut instruction = file.stages[0].instructions[0].clone();
        match instruction.expand(&mut |word| Ok(word.replace("$x", "X"))) {
            Ok(()) => match instruction.command {
                Command::Run(run) => format!("{:?}", run.mounts[0]),
                _ => String::new(),
            },
            Err(error) => format!("! {error}"),
        }
    };
    let all: Vec<String> = [
        "target=/t",
        "type=cache,target=/$x,sharing=locked,uid=1,mode=0755",
        "type=tmpfs,target=/t,size=64m",
        "type=secret,id=s,env=TOKEN,required",
        "type=ssh,required=true",
        "\"type=bind\",rw,source=$x,dst=/t",
        "type=cahce,target=/t",
        "type=cache,sharing=lock,target=/t",
        "target=/t,mode=1",
        "target=/t,size=1",
        "target=/t,required",
        "type=tmpfs,size=x",
        "tagret=/t",
        "type=secret",
        "type=secret,from=a",
        "target=/t,sharing=shared",
        "type=cache,ro=maybe",
        "word",
    ]
    .into_iter()
    .map(mounts)
    .collect();
    insta::assert_snapshot!(all.join("\n"), @r#"
    Mount { kind: Bind, from: "", source: "", target: "/t", read_only: true, size_limit: 0, id: "", sharing: None, required: false, env: None, mode: None, uid: None, gid: None }
    Mount { kind: Cache, from: "", source: "", target: "/X", read_only: false, size_limit: 0, id: "", sharing: Some(Locked), required: false, env: None, mode: Some(493), uid: Some(1), gid: None }
    Mount { kind: Tmpfs, from: "", source: "", target: "/t", read_only: false, size_limit: 67108864, id: "", sharing: None, required: false, env: None, mode: None, uid: None, gid: None }
    Mount { kind: Secret, from: "", source: "", target: "", read_only: true, size_limit: 0, id: "s", sharing: None, required: true, env: Some("TOKEN"), mode: None, uid: None, gid: None }
    Mount { kind: Ssh, from: "", source: "", target: "", read_only: true, size_limit: 0, id: "", sharing: None, required: true, env: None, mode: None, uid: None, gid: None }
    Mount { kind: Bind, from: "", source: "X", target: "/t", read_only: false, size_limit: 0, id: "", sharing: None, required: false, env: None, mode: None, uid: None, gid: None }
    ! unsupported mount type "cahce" (did you mean cache?)
    ! unsupported sharing value "lock" (did you mean locked?)
    ! mode not allowed for "bind" type mounts
    ! unexpected key 'size' for mount type 'bind'
    ! unexpected key 'required' for mount type 'bind'
    ! invalid value for size: x
    ! unexpected key 'tagret' in 'tagret=/t' (did you mean target?)
    ! invalid secret mount. one of source, target required
    ! secret mount should not have a from
    ! invalid cache sharing set for bind mount
    ! invalid value for ro: maybe
    ! invalid field 'word' must be a key=value pair
    "#);
}
