//! Whole command lines, on a base image made of a shell and what it needs.

use super::{Desktop, split_words};
use crate::context::Edit;
use crate::dockerfile::reference::Reference;
use crate::fs::{Clock, Content, Fs, Kind, Meta, Overlay, Time, diff};
use crate::image::{History, Image, ImageConfig, Layer, RunConfig};

/// A machine with the image `base`, which has a shell.
fn desktop() -> Desktop {
    let now = Time::from_secs(1_700_000_000);
    let mut overlay = Overlay::over(&Fs::empty(), Clock::at(now));
    let meta = |mode| Meta::root(mode, now);
    let mut dir = |name: &str| {
        let made = overlay.create(Fs::ROOT, name, Kind::empty_dir(), meta(0o755));
        made.expect("the name is free")
    };
    let (bin, etc) = (dir("bin"), dir("etc"));
    let busybox = Kind::File(Content::from("\x7fELFprogram busybox\n"));
    let made = [
        overlay.create(bin, "busybox", busybox, meta(0o755)),
        overlay.create(bin, "sh", Kind::Symlink("busybox".into()), meta(0o777)),
        overlay.create(bin, "rm", Kind::Symlink("busybox".into()), meta(0o777)),
        overlay.create(bin, "cat", Kind::Symlink("busybox".into()), meta(0o777)),
        overlay.create(bin, "mkdir", Kind::Symlink("busybox".into()), meta(0o777)),
        overlay.create(
            etc,
            "group",
            Kind::File(Content::from("root:x:0:\n")),
            meta(0o644),
        ),
    ];
    assert!(made.iter().all(Result::is_ok));
    let layer = Layer::from_changes(diff(&Fs::empty(), &overlay.commit()), None);
    let config = ImageConfig {
        config: RunConfig {
            cmd: vec!["sh".into()],
            ..RunConfig::default()
        },
        history: vec![History {
            created_by: "a shell".into(),
            ..History::default()
        }],
        ..ImageConfig::scratch("linux", "amd64", None)
    };
    let image = Image::new(config, vec![layer]).expect("the layer can be laid");
    let mut desktop = Desktop::new(now, "/work");
    let name = Reference::parse("base").expect("a name");
    desktop.daemon.load(image, Some(&name));
    desktop
}

fn write(desktop: &mut Desktop, path: &str, text: &str) {
    desktop
        .files
        .write(path, text)
        .expect("the file can be written");
}

/// What the lines print, IDs replaced by `ID` and the notice left out.
fn run(desktop: &mut Desktop, lines: &[&str]) -> String {
    let mut out = String::new();
    for line in lines {
        desktop.daemon.clock.advance(2_000_000_000);
        let words = split_words(line).expect("quotes are closed");
        let answer = desktop.run(&words, &[]).expect("nothing is missing");
        let stdout = String::from_utf8_lossy(&answer.stdout);
        let stderr = answer.stderr.replace(super::build::NOTICE, "");
        out += &format!("$ {line}\n{stdout}{stderr}");
        if answer.code != 0 {
            out += &format!("({})\n", answer.code);
        }
    }
    without_ids(&out)
}

/// Runs of twelve and more hexadecimal digits become `ID`.
fn without_ids(text: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_digit() || ('a'..='f').contains(&c) {
            digits.push(c);
            continue;
        }
        out += if digits.len() >= 12 { "ID" } else { &digits };
        digits.clear();
        out.push(c);
    }
    out.trim_end_matches('\0').to_string()
}

#[test]
fn a_step_is_found_among_the_children_of_its_parent() {
    let mut desktop = desktop();
    write(
        &mut desktop,
        "Dockerfile",
        "FROM base\nARG A=1\nRUN echo $A > /a\n",
    );
    insta::assert_snapshot!(run(&mut desktop, &[
        "docker build -q -t x .",
        "docker build --build-arg A=2 --build-arg B=3 .",
        "docker build .",
        "docker history --format '{{.CreatedBy}}|{{.Size}}' x",
    ]), @r#"
    $ docker build -q -t x .
    sha256:ID
    $ docker build --build-arg A=2 --build-arg B=3 .
    Sending build context to Docker daemon  2.048kB
    Step 1/3 : FROM base
     ---> ID
    Step 2/3 : ARG A=1
     ---> Using cache
     ---> ID
    Step 3/3 : RUN echo $A > /a
     ---> Running in ID
    Removing intermediate container ID
     ---> ID
    [Warning] One or more build-args [B] were not consumed
    Successfully built ID
    $ docker build .
    Sending build context to Docker daemon  2.048kB
    Step 1/3 : FROM base
     ---> ID
    Step 2/3 : ARG A=1
     ---> Using cache
     ---> ID
    Step 3/3 : RUN echo $A > /a
     ---> Using cache
     ---> ID
    Successfully built ID
    $ docker history --format '{{.CreatedBy}}|{{.Size}}' x
    |1 A=1 /bin/sh -c echo $A > /a|2B
    /bin/sh -c #(nop)  ARG A=1|0B
    a shell|58B
    "#);
}

#[test]
fn what_a_loaded_image_is_good_for() {
    let mut desktop = desktop();
    write(
        &mut desktop,
        "Dockerfile",
        "FROM base\nENV A=1\nRUN echo 1 > /a\n",
    );
    insta::assert_snapshot!(run(&mut desktop, &[
        "docker build -q -t x .",
        "docker save -o x.tar x",
        "docker rmi x",
        "docker load -i x.tar",
        "docker build --cache-from x .",
    ]), @r#"
    $ docker build -q -t x .
    sha256:ID
    $ docker save -o x.tar x
    $ docker rmi x
    Untagged: x:latest
    Deleted: sha256:ID
    Deleted: sha256:ID
    Deleted: sha256:ID
    $ docker load -i x.tar
    Loaded image: x:latest
    $ docker build --cache-from x .
    Sending build context to Docker daemon  23.04kB
    Step 1/3 : FROM base
     ---> ID
    Step 2/3 : ENV A=1
     ---> Using cache
     ---> ID
    Step 3/3 : RUN echo 1 > /a
     ---> Using cache
     ---> ID
    Successfully built ID
    "#);
}

#[test]
fn errors_are_worded_as_at_the_time() {
    let mut desktop = desktop();
    let mut out = String::new();
    for text in [
        "FROM base\nCOPY --link a /\n",
        "FROM base\ncpoy a /\n",
        "FROM base\nENV A\n",
        "FROM base\nRUN --mount=type=cache,target=/x true\n",
        "FROM base\nEXPOSE x\n",
        "FROM base\nCOPY ../a /\n",
        "FROM base\nRUN [\"none\"]\n",
        "FROM base\nHEALTHCHECK --retries=0 CMD x\n",
        "RUN x\n",
    ] {
        write(&mut desktop, "Dockerfile", text);
        let said = run(&mut desktop, &["docker build ."]);
        let last = said.lines().rev().take(2).collect::<Vec<_>>();
        out += &format!("{} {}\n", last[1], last[0]);
    }
    insta::assert_snapshot!(out, @r#"
    Error response from daemon: dockerfile parse error line 2: Unknown flag: link (1)
    Error response from daemon: dockerfile parse error line 2: unknown instruction: CPOY (1)
    Error response from daemon: failed to parse Dockerfile: ENV must have two arguments (1)
    the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled (1)
    Invalid containerPort: x (1)
    COPY failed: forbidden path outside the build context: ../a () (1)
    failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "none": executable file not found in $PATH: unknown (1)
    Error response from daemon: dockerfile parse error line 2: --retries must be at least 1 (not 0) (1)
    Error response from daemon: no build stage in current context (1)
    "#);
}

#[test]
fn copies_are_laid_as_tar_lays_them() {
    let mut desktop = desktop();
    write(
        &mut desktop,
        "Dockerfile",
        "FROM base\nCOPY d s /to/\nCOPY d/* /all/\n",
    );
    write(&mut desktop, "d/x", "x");
    let (path, mode) = ("s".to_string(), Some(0o4755));
    let content = Content::from("s");
    let edits = [
        Edit::Write {
            path,
            content,
            mode,
        },
        Edit::Chmod {
            path: "d".into(),
            mode: 0o700,
        },
    ];
    for edit in edits {
        desktop.files.edit(&edit).expect("it can be done");
    }
    run(&mut desktop, &["docker build -q -t x ."]);
    let image = desktop.daemon.find_image("x").expect("it was built");
    let fs = image.image.fs();
    let shown: Vec<String> = fs
        .walk(Fs::ROOT)
        .filter(|entry| entry.path.starts_with("to") || entry.path.starts_with("all"))
        .map(|entry| format!("{:04o} {}", entry.inode.meta.mode, entry.path))
        .collect();
    assert_eq!(
        shown,
        [
            "0755 all",
            "0644 all/x",
            "0755 to",
            "0755 to/s",
            "0644 to/x"
        ]
    );
}

#[test]
fn a_layer_is_the_upper_directory_as_it_is() {
    let mut desktop = desktop();
    let text = "FROM base\nRUN mkdir /d && echo 1 > /d/a && echo 2 > /d/b\nRUN rm /d/a && rm -r /d && mkdir /d && echo 3 > /d/c\nRUN cat /d/c > /d/c2 && rm /d/c2\n";
    write(&mut desktop, "Dockerfile", text);
    run(&mut desktop, &["docker build -q -t x ."]);
    let image = desktop.daemon.find_image("x").expect("it was built");
    let names = |layer: &Layer| -> Vec<String> {
        let tar = layer.tar().expect("its bytes are held");
        let entries = crate::image::read_tar(&tar).expect("it is a tar");
        entries.into_iter().map(|entry| entry.path).collect()
    };
    let layers: Vec<_> = image.image.layers.iter().skip(1).map(names).collect();
    assert_eq!(layers[0], ["d", "d/a", "d/b"]);
    assert_eq!(layers[1], ["d", "d/.wh..wh..opq", "d/c"]);
    assert_eq!(layers[2], ["d"]);
    assert_eq!(crate::image::validate(&image.image), []);
}

#[test]
fn nothing_of_a_command_that_lacks_a_part_has_happened() {
    let mut desktop = desktop();
    write(
        &mut desktop,
        "Dockerfile",
        "FROM base\nRUN echo > /x\nFROM other\n",
    );
    let words = split_words("docker build -t x .").expect("quotes are closed");
    assert!(desktop.run(&words, &[]).is_err());
    assert_eq!(desktop.daemon.all_images().len(), 1);
    assert!(desktop.daemon.containers().is_empty());
}
